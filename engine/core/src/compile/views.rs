//! Views of views: what a projection looks for in documents that another one makes.

use super::{File, attributes};
use crate::program::{Program, Step, StreamIdentity};
use std::collections::HashSet;
use viewfold_spec::{Code, Diagnostic, Severity, Span, suggest};

/// A place of a file that looks for an attribute in the items of a source's table.
#[derive(Debug)]
pub(super) struct Read {
    /// The table's real name.
    table: String,
    /// The attribute.
    name: String,
    /// The path up to it, as it is written with dots: `$.new.`.
    lead: String,
    /// Where the path stands.
    span: Span,
}

impl Read {
    /// What a path into a change of an item looks for; `image` where `$` is one image of the item. Nothing where it looks
    /// for no attribute of an image, or where the table is not known.
    pub(super) fn of(identity: &StreamIdentity, steps: &[Step], image: bool, span: Span) -> Option<Read> {
        let StreamIdentity::Dynamodb(table) = identity else { return None };
        let (lead, name) = match steps {
            [Step::Name(name), ..] if image => ("$.".to_owned(), name),
            [Step::Name(of), Step::Name(name), ..] if matches!(of.as_str(), "new" | "old") => {
                (format!("$.{of}."), name)
            }
            _ => return None,
        };
        Some(Read { table: table.clone(), name: name.clone(), lead, span })
    }
}

/// Checks what a file looks for in the documents of other projections against what these write.
pub(super) fn check(file: &File, reads: &[Read], files: &[File], program: &Program) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let mut told: HashSet<Span> = HashSet::new();
    for read in reads {
        let writers =
            || program.projections.iter().zip(files).filter(|(projection, _)| *projection.table.name == *read.table);
        let Some((_, first)) = writers().next() else { continue };
        if writers().any(|(_, writer)| writer.projection.document.shared.unwrap_or(false)) {
            continue;
        }
        // A rule with an error is not in the program, and what it writes is known from its file all the same.
        let written: Vec<String> = writers()
            .flat_map(|(projection, writer)| {
                let keys = projection.table.keys().map(|key| key.name.clone());
                let places = attributes::places(&writer.projection).into_iter().map(|(name, _)| name);
                places.chain(keys).chain(projection.table.ttl.clone())
            })
            .collect();
        let kept = || writers().flat_map(|(projection, _)| projection.bookkeeping_attributes());
        if written.contains(&read.name) || kept().any(|(name, _)| name == read.name) || !told.insert(read.span) {
            continue;
        }
        let table = &first.projection.document.table.value;
        let mut finding =
            file.finding(Code::UnknownName, read.span, format!("no projection writes `{}` to `{table}`", read.name));
        finding.severity = Severity::Warning;
        findings.push(finding.help(match suggest::nearest(&read.name, written.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{}{near}`?", read.lead),
            None => format!(
                "where others write it to the same items, say `shared: true` in the `document` of `{}`",
                first.projection.projection.value
            ),
        }));
    }
    findings
}
