//! What `viewfold doctor` finds: how what is deployed differs from what projections need.
//!
//! ```text
//! facts (asks, and only reads) ─> Facts ─> tables, sources, mappings, samples, letters (compare) ─> Findings
//! ```
//!
//! Only [`facts`] talks to anybody. All else is a comparison of a program with facts, and no fact is looked at twice.

pub(crate) mod facts;
pub(crate) mod finding;
mod letters;
mod mapping;
mod mappings;
mod marks;
mod samples;
mod sources;
mod tables;
#[cfg(test)]
mod test_program;

use facts::Facts;
use finding::{Commands, Finding};
use viewfold_core::program::Program;
use viewfold_core::tables::Needed;

/// A program, what is deployed of it, and how commands name both.
pub(crate) struct Case<'c> {
    pub(crate) program: &'c Program,
    pub(crate) needed: &'c [Needed],
    pub(crate) facts: &'c Facts,
    pub(crate) commands: &'c Commands,
}

/// Everything that is to be changed or known, the worst first.
pub(crate) fn findings(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = tables::check(case);
    findings.extend(sources::check(case));
    findings.extend(mappings::check(case));
    findings.extend(samples::check(case));
    findings.extend(letters::check(case));
    findings.extend(finding::unread(&case.facts.unread));
    findings.sort_by_key(|finding| finding.severity);
    findings
}
