//! `viewfold validate`

use super::explain::code::pointer;
use super::load;
use crate::arguments::{FindingsFormat, Validate};
use crate::findings::Checked;
use crate::output::{Failure, Outcome, note, print};
use crate::testing::{check, files};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use viewfold_dynamodb::deployment;
use viewfold_spec::Diagnostic;

/// Checks projections and prints every finding.
pub(crate) fn run(arguments: &Validate) -> Result<Outcome, Failure> {
    // Files that are named are one deployment together.
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) =
        arguments.paths.iter().cloned().partition(|path| path.is_dir());
    let (tests, files): (Vec<PathBuf>, Vec<PathBuf>) = files.into_iter().partition(|path| files::is_test(path));
    let mut deployments: Vec<Vec<PathBuf>> = if files.is_empty() { Vec::new() } else { vec![files] };
    deployments.extend(folders.iter().flat_map(|folder| deployment::deployments(folder)).map(|folder| vec![folder]));
    let mut checked = Checked { findings: Vec::new(), projections: 0 };
    for deployment in &deployments {
        match load(deployment, "")? {
            Ok(compiled) => {
                checked.findings.extend(compiled.warnings);
                checked.projections += compiled.program.projections.len();
            }
            Err(errors) => checked.findings.extend(errors),
        }
    }
    for path in &tests {
        checked.projections += test(path, &mut checked.findings)?;
    }
    for path in files::find(&folders)? {
        // Its projections have been counted, or are another deployment's.
        test(&path, &mut checked.findings)?;
    }
    print(&checked.rendered(arguments.format, std::io::stdout().is_terminal()))?;
    match arguments.format {
        // In the log of a workflow, commands are no text for people.
        FindingsFormat::Github => note(&checked.verdict()),
        FindingsFormat::Text => {
            if let Some(more) = pointer(&checked.findings) {
                print(&format!("{more}\n"))?;
            }
        }
        FindingsFormat::Json | FindingsFormat::Sarif => {}
    }
    let fails = checked.errors() > 0 || (arguments.strict && !checked.findings.is_empty());
    Ok(if fails { Outcome::Findings } else { Outcome::Done })
}

/// Checks a test file and the projections that it names; how many these are. What has been told is not told again.
fn test(path: &Path, findings: &mut Vec<Diagnostic>) -> Result<usize, Failure> {
    let (mut found, mut projections) = (Vec::new(), 0);
    match files::load(path)? {
        Err(errors) => found = errors,
        Ok(loaded) => {
            let compiled = match check::projections(&loaded) {
                Ok(paths) => load(&paths, "")?,
                Err(errors) => Err(errors),
            };
            match compiled {
                Ok(compiled) => {
                    found.extend(compiled.warnings);
                    found.extend(check::cases(&loaded, &compiled.program, false));
                    projections = compiled.program.projections.len();
                }
                Err(errors) => found.extend(errors),
            }
        }
    }
    found.retain(|finding| !findings.contains(finding));
    findings.append(&mut found);
    Ok(projections)
}
