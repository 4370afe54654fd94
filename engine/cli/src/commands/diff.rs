//! `viewfold diff`

use super::{load_one, options};
use crate::arguments::{Diff, Format};
use crate::diffing::{documents, json, text};
use crate::output::{Failure, Outcome, print};
use crate::{events, store};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use viewfold_core::change::{Deployment, class, compare};
use viewfold_core::compile::File;
use viewfold_core::program::Program;
use viewfold_dynamodb::deployment;

/// Says what a change of projections means for live views.
pub(crate) fn run(arguments: &Diff) -> Result<Outcome, Failure> {
    let (old_files, old) = read(&arguments.old)?;
    let (new_files, new) = read(&arguments.new)?;
    let unlike = || Failure::new("the projections cannot be told from each other");
    let before = Deployment::new(&old_files, &old).ok_or_else(unlike)?;
    let now = Deployment::new(&new_files, &new).ok_or_else(unlike)?;
    let changed = compare(before, now);
    let differences = match arguments.events.is_empty() {
        true => None,
        false => {
            let mut invocations = Vec::new();
            for path in &arguments.events {
                invocations.extend(events::read(path)?);
            }
            let clock = arguments.now.as_deref();
            Some(store::runtime()?.block_on(documents::compare(&old, &new, &changed, &invocations, clock))?)
        }
    };
    let class = class(&changed);
    print(&match arguments.format {
        Format::Text => text::rendered(&changed, differences.as_ref(), std::io::stdout().is_terminal()),
        Format::Json => json::rendered(&changed, differences.as_ref())?,
    })?;
    Ok(if class.can_be_deployed() { Outcome::Done } else { Outcome::Findings })
}

/// Reads and compiles the projections of one version. A file is read once: it may be a pipe.
fn read(path: &Path) -> Result<(Vec<File>, Program), Failure> {
    let paths = [PathBuf::from(path)];
    super::check_paths(&paths)?;
    let options = options("");
    options.check().map_err(Failure::wrong_use)?;
    deployment::load_with_files(&paths, &options).map(|(files, compiled)| (files, compiled.program)).or_else(
        |findings| {
            if path.is_dir() {
                // It may be several deployments, which is told in other words.
                load_one(&paths, "")?;
            }
            Err(Failure::findings(&findings))
        },
    )
}
