//! `viewfold explain`: of findings by [`code`], of recorded events by [`event`].

pub(crate) mod code;
mod event;

use crate::arguments::Explain;
use crate::output::{Failure, Outcome, print};
use std::path::Path;

/// Prints the pages of findings, or all their codes; or tells what becomes of events.
pub(crate) fn run(arguments: &Explain) -> Result<Outcome, Failure> {
    if !arguments.event.is_empty() {
        return event::run(arguments);
    }
    if arguments.what.is_empty() {
        print(&code::list())?;
    }
    for what in &arguments.what {
        if Path::new(what).exists() {
            return Err(Failure::wrong_use(format!(
                "what is to be explained of {what}? `--event FILE` names recorded events, and without it `explain` takes the \
                 code of a finding"
            )));
        }
        print(code::page(what)?)?;
    }
    Ok(Outcome::Done)
}
