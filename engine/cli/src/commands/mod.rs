//! One file for each command.

pub(crate) mod dead_letters;
pub(crate) mod explain;
pub(crate) mod redrive;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod tables;
pub(crate) mod test;
pub(crate) mod validate;

use crate::output::Failure;
use std::path::PathBuf;
use viewfold_core::compile::{Compiled, DEAD_LETTER_TABLE, Options};
use viewfold_dynamodb::deployment;
use viewfold_spec::Diagnostic;

/// Reads and compiles projections. A path that is not there is wrong use; findings are the inner result.
pub(crate) fn load(paths: &[PathBuf], table_prefix: &str) -> Result<Result<Compiled, Vec<Diagnostic>>, Failure> {
    check_paths(paths)?;
    Ok(deployment::load(paths, &options(table_prefix)))
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
fn options(table_prefix: &str) -> Options {
    let dead_letter_table =
        std::env::var("VIEWFOLD_DEAD_LETTER_TABLE").unwrap_or_else(|_| DEAD_LETTER_TABLE.to_owned());
    Options { table_prefix: table_prefix.to_owned(), dead_letter_table }
}
