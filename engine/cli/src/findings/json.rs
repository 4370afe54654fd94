//! Findings for programs.

use super::{Region, page};
use serde_json::{Value as Json, json};
use viewfold_spec::diagnostic::Severity;
use viewfold_spec::{Diagnostic, Span};

/// A list of all findings.
pub(super) fn rendered(findings: &[Diagnostic]) -> String {
    let findings: Vec<Json> = findings.iter().map(finding).collect();
    format!("{:#}\n", Json::from(findings))
}

fn finding(diagnostic: &Diagnostic) -> Json {
    let place = |span: Span| {
        let Region { line, column, end_line, end_column } = Region::of(diagnostic, span);
        json!({ "line": line, "column": column, "endLine": end_line, "endColumn": end_column })
    };
    let related = diagnostic.related.as_ref().map(|(span, message)| json!({ "message": message, "at": place(*span) }));
    json!({
        "code": diagnostic.code.text(),
        "severity": match diagnostic.severity { Severity::Error => "error", Severity::Warning => "warning" },
        "file": diagnostic.source.name,
        "at": place(diagnostic.span),
        "message": diagnostic.message,
        "help": diagnostic.help,
        "related": related,
        "page": page(diagnostic.code),
    })
}
