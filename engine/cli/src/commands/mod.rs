//! One file for each command.

pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod tables;
pub(crate) mod validate;

use crate::output::Failure;
use std::path::PathBuf;
use viewfold_core::compile::Options;
use viewfold_core::program::Program;
use viewfold_dynamodb::deployment;
use viewfold_spec::Diagnostic;

/// Reads and compiles projections. A path that is not there is wrong use; findings are the inner result.
fn load(paths: &[PathBuf], table_prefix: &str) -> Result<Result<Program, Vec<Diagnostic>>, Failure> {
    for path in paths {
        if let Err(error) = std::fs::metadata(path) {
            return Err(Failure::wrong_use(format!("{} cannot be read: {error}", path.display())));
        }
    }
    Ok(deployment::load(paths, &Options { table_prefix: table_prefix.to_owned() }))
}
