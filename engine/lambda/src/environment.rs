//! What the function's environment says.

use std::path::PathBuf;
use viewfold_core::compile::Options;
use viewfold_core::program::Program;
use viewfold_dynamodb::deployment;
use viewfold_spec::diagnostic::render_all;

/// The folder of projections unless `VIEWFOLD_PROJECTIONS` names another: where a layer's files are.
const LAYER: &str = "/opt/projections";

/// The program of the folder that `VIEWFOLD_PROJECTIONS` names, its tables with the prefix of `VIEWFOLD_TABLE_PREFIX`.
///
/// # Errors
///
/// The validator's findings, or that there is no folder.
pub(crate) fn program() -> Result<Program, String> {
    let folder = projections()?;
    let options = Options { table_prefix: std::env::var("VIEWFOLD_TABLE_PREFIX").unwrap_or_default() };
    deployment::load(&[folder], &options).map_err(|findings| {
        format!("{}the function does not start: its projections have errors", render_all(&findings, false))
    })
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
