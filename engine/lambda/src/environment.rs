//! What the function's environment says.

use std::path::PathBuf;
use viewfold_core::compile::{DEAD_LETTER_TABLE, Options};
use viewfold_core::program::Program;
use viewfold_dynamodb::deployment;
use viewfold_spec::diagnostic::render_all;

/// The folder of projections unless `VIEWFOLD_PROJECTIONS` names another: where a layer's files are.
const LAYER: &str = "/opt/projections";

/// The program of the folder that `VIEWFOLD_PROJECTIONS` names, its tables with the prefix of `VIEWFOLD_TABLE_PREFIX`, its
/// dead letters in the table that `VIEWFOLD_DEAD_LETTER_TABLE` names.
///
/// # Errors
///
/// The validator's findings, or that there is no folder.
pub(crate) fn program() -> Result<Program, String> {
    let folder = projections()?;
    let options = Options {
        table_prefix: std::env::var("VIEWFOLD_TABLE_PREFIX").unwrap_or_default(),
        dead_letter_table: std::env::var("VIEWFOLD_DEAD_LETTER_TABLE").unwrap_or_else(|_| DEAD_LETTER_TABLE.to_owned()),
    };
    let compiled = deployment::load(&[folder], &options).map_err(|findings| {
        format!("{}the function does not start: its projections have errors", render_all(&findings, false))
    })?;
    for warning in &compiled.warnings {
        tracing::warn!(code = warning.code.text(), place = warning.place(), "{}", warning.message);
    }
    Ok(compiled.program)
}

fn projections() -> Result<PathBuf, String> {
    if let Some(folder) = std::env::var_os("VIEWFOLD_PROJECTIONS").filter(|folder| !folder.is_empty()) {
        return Ok(folder.into());
    }
    let beside = std::env::current_exe().ok().and_then(|binary| Some(binary.parent()?.join("projections")));
    let mut candidates = vec![PathBuf::from(LAYER)];
    candidates.extend(beside);
    candidates.iter().find(|folder| folder.is_dir()).cloned().ok_or_else(|| {
        let tried: Vec<String> = candidates.iter().map(|folder| folder.display().to_string()).collect();
        format!(
            "there are no projections: neither of {} is a folder, and VIEWFOLD_PROJECTIONS names none",
            tried.join(", ")
        )
    })
}
