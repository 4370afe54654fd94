//! Leave for what may not be meant.

use crate::output::{Failure, note};
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

/// Asks whether to go on, unless that was said beforehand.
///
/// # Errors
///
/// When the answer is no, and when there is nobody to ask.
pub(crate) fn ask(question: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        note(question);
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::new(format!("{question}; --yes allows it")));
    }
    note(question);
    let _ = write!(io::stderr(), "Go on? [y]es, [n]o: ");
    let _ = io::stderr().flush();
    let mut answer = String::new();
    match (io::stdin().lock().read_line(&mut answer), answer.trim()) {
        (Ok(_), "y" | "Y" | "yes") => Ok(()),
        _ => Err(Failure::new("nothing was done")),
    }
}
