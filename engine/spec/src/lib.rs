//! The projection language as files say it: YAML text to types that know their places, with findings for people.
//!
//! ```text
//! text ─ yaml::node::compose ─> Node ─ yaml::read ─> Projection
//! ```
//!
//! [`parse`] goes the whole way. What a projection *means*, whether its paths are paths and its guard is sound, is
//! decided a layer above, in `viewfold-core`, which reports with the same [`Diagnostic`]s. Files are not read here: this
//! crate has no I/O.

pub mod diagnostic;
mod literal;
pub mod projection;
mod schema;
mod span;
pub mod suggest;
pub mod test_file;
pub mod yaml;

pub use diagnostic::{Code, Diagnostic, Severity, Source};
pub use literal::{Entries, Literal};
pub use projection::Projection;
pub use schema::{projection_schema, test_schema};
pub use span::{Span, Spanned};
pub use test_file::TestFile;

use std::sync::Arc;

/// Reads one projection file.
///
/// # Errors
///
/// Every finding about the file's structure: broken YAML, unknown, missing and duplicate keys, values of the wrong form.
pub fn parse(source: &Arc<Source>) -> Result<Projection, Vec<Diagnostic>> {
    let node = yaml::node::compose(source)?;
    yaml::read::read(&node, source).map_err(|mut findings: Vec<Diagnostic>| {
        let guard = |finding: &&mut Diagnostic| finding.code == Code::MissingKey && finding.message.contains("`guard`");
        if let Some(finding) = findings.iter_mut().find(guard) {
            finding.help = Some(format!("it is what makes a repeated event harmless: {}", projection::GUARD_FORMS));
        }
        findings
    })
}

/// Reads one test file.
///
/// # Errors
///
/// As [`parse`].
pub fn parse_test(source: &Arc<Source>) -> Result<TestFile, Vec<Diagnostic>> {
    let node = yaml::node::compose(source)?;
    yaml::read::read(&node, source)
}
