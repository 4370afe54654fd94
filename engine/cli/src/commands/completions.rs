//! `viewfold completions` and `viewfold man`: made from the one definition of all commands.

use crate::arguments::{Arguments, Completions, Man};
use crate::output::{Failure, Outcome, print};
use clap::CommandFactory as _;

/// Prints a shell's completions.
pub(crate) fn completions(arguments: &Completions) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "viewfold", &mut script);
    print(&text(script)?)?;
    Ok(Outcome::Done)
}

/// Prints the page of `viewfold`, or writes those of all commands.
pub(crate) fn man(arguments: &Man) -> Result<Outcome, Failure> {
    // `help` has no page of its own.
    let command = Arguments::command().disable_help_subcommand(true);
    let Some(folder) = &arguments.out else {
        let mut page = Vec::new();
        let written = clap_mangen::Man::new(command).render(&mut page);
        written.map_err(|error| Failure::new(format!("the page cannot be written: {error}")))?;
        print(&text(page)?)?;
        return Ok(Outcome::Done);
    };
    let unwritten = |error| Failure::new(format!("{} cannot be written to: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(unwritten)?;
    clap_mangen::generate_to(command, folder).map_err(unwritten)?;
    Ok(Outcome::Done)
}

fn text(bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|error| Failure::new(format!("what was made is no text: {error}")))
}
