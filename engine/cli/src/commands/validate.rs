//! `viewfold validate`

use super::load;
use crate::arguments::{Format, Validate};
use crate::output::{Failure, Outcome, count, print};
use serde_json::{Value as Json, json};
use std::io::IsTerminal as _;
use viewfold_spec::diagnostic::{Severity, render_all};
use viewfold_spec::{Diagnostic, Span};

/// Checks projections and prints every finding.
pub(crate) fn run(arguments: &Validate) -> Result<Outcome, Failure> {
    let (findings, projections) = match load(&arguments.paths, "")? {
        Ok(program) => (Vec::new(), program.projections.len()),
        Err(findings) => (findings, 0),
    };
    match arguments.format {
        Format::Json => {
            let findings: Vec<Json> = findings.iter().map(finding).collect();
            print(&format!("{:#}\n", Json::from(findings)))?;
        }
        Format::Text if findings.is_empty() => {
            let verb = if projections == 1 { "is" } else { "are" };
            print(&format!("{} {verb} valid\n", count(projections, "projection")))?;
        }
        Format::Text => {
            let text = render_all(&findings, std::io::stdout().is_terminal());
            print(&format!("{text}{}\n", count(findings.len(), "finding")))?;
        }
    }
    Ok(if findings.is_empty() { Outcome::Done } else { Outcome::Findings })
}

/// A finding for programs; lines and columns count from 1, columns in characters.
fn finding(diagnostic: &Diagnostic) -> Json {
    let place = |span: Span| {
        let (line, column) = diagnostic.source.position(span.start);
        let (end_line, end_column) = diagnostic.source.position(span.end);
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
    })
}
