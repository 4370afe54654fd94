//! Findings for people.

use super::Checked;
use crate::output::count;
use viewfold_spec::diagnostic::render_all;

/// Every finding with its lines of the file, and the verdict.
pub(super) fn rendered(checked: &Checked, colour: bool) -> String {
    format!("{}{}\n", render_all(&checked.findings, colour), verdict(checked))
}

pub(super) fn verdict(checked: &Checked) -> String {
    let errors = checked.errors();
    let warnings = checked.findings.len() - errors;
    let projections = count(checked.projections, "projection");
    let verb = if checked.projections == 1 { "is" } else { "are" };
    match (errors, warnings) {
        (0, 0) => format!("{projections} {verb} valid"),
        (0, warnings) => format!("{projections} {verb} valid, with {}", count(warnings, "warning")),
        (errors, 0) => count(errors, "error"),
        (errors, warnings) => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    }
}
