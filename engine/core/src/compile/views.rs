//! Views of views: what a projection looks for in documents that another one makes.

use super::reads::Read;
use super::{File, attributes};
use crate::program::Program;
use std::collections::HashSet;
use viewfold_spec::{Code, Diagnostic, Severity, Span, suggest};

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
