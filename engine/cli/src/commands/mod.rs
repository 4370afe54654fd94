//! One file for each command.

pub(crate) mod backfill;
pub(crate) mod bench;
pub(crate) mod completions;
pub(crate) mod dead_letters;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod graph;
pub(crate) mod init;
pub(crate) mod package;
pub(crate) mod rebuild;
pub(crate) mod redrive;
pub(crate) mod retire;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod tables;
pub(crate) mod template;
pub(crate) mod test;
pub(crate) mod validate;
pub(crate) mod verify;

use crate::output::Failure;
use std::path::PathBuf;
use viewfold_core::compile::{Compiled, DEAD_LETTER_TABLE, Options};
use viewfold_dynamodb::deployment;
use viewfold_spec::{Code, Diagnostic, Severity, suggest};

/// Reads and compiles projections. A path that is not there is wrong use; findings are the inner result.
pub(crate) fn load(paths: &[PathBuf], table_prefix: &str) -> Result<Result<Compiled, Vec<Diagnostic>>, Failure> {
    check_paths(paths)?;
    let options = options(table_prefix);
    options.check().map_err(Failure::wrong_use)?;
    Ok(deployment::load(paths, &options))
}

/// A path that is not there is wrong use.
fn check_paths(paths: &[PathBuf]) -> Result<(), Failure> {
    for path in paths {
        if let Err(error) = std::fs::metadata(path) {
            return Err(Failure::wrong_use(format!("{} cannot be read: {error}", path.display())));
        }
    }
    Ok(())
}

/// The deployment's word on tables.
pub(crate) fn options(table_prefix: &str) -> Options {
    let dead_letter_table =
        std::env::var("VIEWFOLD_DEAD_LETTER_TABLE").unwrap_or_else(|_| DEAD_LETTER_TABLE.to_owned());
    Options { table_prefix: table_prefix.to_owned(), dead_letter_table }
}

/// Reads and compiles the projections of one deployment. Findings are a failure; where they are those of several
/// deployments that are taken for one, it says so instead.
fn load_one(paths: &[PathBuf], table_prefix: &str) -> Result<Compiled, Failure> {
    let findings = match load(paths, table_prefix)? {
        Ok(compiled) => return Ok(compiled),
        Err(findings) => findings,
    };
    let clash = [Code::DuplicateProjection, Code::SharedAttribute, Code::TableMismatch, Code::Circle];
    if findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .all(|finding| clash.contains(&finding.code))
    {
        for path in paths {
            let apart = deployment::deployments(path);
            let valid = |path: &PathBuf| matches!(load(std::slice::from_ref(path), table_prefix), Ok(Ok(_)));
            if apart.len() > 1 && apart.iter().all(valid) {
                let names: Vec<String> = apart.iter().map(|path| path.display().to_string()).collect();
                return Err(Failure::wrong_use(format!(
                    "{} holds several deployments, whose projections are in each other's way: choose one of {}",
                    path.display(),
                    suggest::list(names.iter().map(String::as_str))
                )));
            }
        }
    }
    Err(Failure::findings(&findings))
}
