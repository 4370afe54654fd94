//! `viewfold validate`

use super::load;
use crate::arguments::{Format, Validate};
use crate::output::{Failure, Outcome, count, print};
use serde_json::{Value as Json, json};
use std::io::IsTerminal as _;
use std::path::PathBuf;
use viewfold_dynamodb::deployment;
use viewfold_spec::diagnostic::{Severity, render_all};
use viewfold_spec::{Diagnostic, Span};

/// Checks projections and prints every finding.
pub(crate) fn run(arguments: &Validate) -> Result<Outcome, Failure> {
    // Files that are named are one deployment together.
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) =
        arguments.paths.iter().cloned().partition(|path| path.is_dir());
    let mut deployments: Vec<Vec<PathBuf>> = if files.is_empty() { Vec::new() } else { vec![files] };
    deployments.extend(folders.iter().flat_map(|folder| deployment::deployments(folder)).map(|folder| vec![folder]));
    let (mut findings, mut projections) = (Vec::new(), 0);
    for deployment in &deployments {
        match load(deployment, "")? {
            Ok(compiled) => {
                findings.extend(compiled.warnings);
                projections += compiled.program.projections.len();
            }
            Err(errors) => findings.extend(errors),
        }
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let warnings = findings.len() - errors;
    match arguments.format {
        Format::Json => {
            let findings: Vec<Json> = findings.iter().map(finding).collect();
            print(&format!("{:#}\n", Json::from(findings)))?;
        }
        Format::Text => {
            let text = render_all(&findings, std::io::stdout().is_terminal());
            let verb = if projections == 1 { "is" } else { "are" };
            let verdict = match (errors, warnings) {
                (0, 0) => format!("{} {verb} valid", count(projections, "projection")),
                (0, warnings) => {
                    format!("{} {verb} valid, with {}", count(projections, "projection"), count(warnings, "warning"))
                }
                (errors, 0) => count(errors, "error"),
                (errors, warnings) => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
            };
            print(&format!("{text}{verdict}\n"))?;
        }
    }
    Ok(if errors == 0 { Outcome::Done } else { Outcome::Findings })
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
