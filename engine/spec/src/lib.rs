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
mod foreign;
mod keys;
mod literal;
pub mod projection;
mod schema;
mod shape;
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
    match parse_most(source) {
        (Some(projection), findings) if findings.is_empty() => Ok(projection),
        (_, findings) => Err(findings),
    }
}

/// Reads of a projection file what can be read, so that more can be said of it: a projection without the parts that findings
/// are about, where one is left, and every finding about the file's structure. With findings it must not run.
pub fn parse_most(source: &Arc<Source>) -> (Option<Projection>, Vec<Diagnostic>) {
    yaml::recover::read_all(source, |node, source| match another_kind(node) {
        Some((span, message, help)) => {
            (None, vec![Diagnostic::error(Code::WrongForm, source, span, message).help(help)])
        }
        None => {
            let (projection, mut findings) = yaml::read::read_most::<Projection>(node, source);
            let projection = projection.map(|projection| {
                let (projection, more) = projection.named_by_version(source);
                findings.extend(more);
                projection
            });
            (projection, findings)
        }
    })
}

/// What a file is that is no projection, and what to do with it; nothing where it means to be one.
fn another_kind(node: &yaml::node::Node) -> Option<(Span, &'static str, &'static str)> {
    let yaml::node::Content::Map(entries) = &node.content else { return None };
    let key = |name: &str| entries.iter().map(|(key, _)| key).find(|key| key.text == name).map(|key| key.span);
    if key("projection").is_some() {
        return None;
    }
    let test = key("cases").or(key("projections")).map(|span| {
        (span, "this is a file of tests, and no projection", "call it `NAME.test.yaml`; `viewfold test` runs it")
    });
    let template = key("AWSTemplateFormatVersion").or(key("Resources")).map(|span| {
        let help = "name the files or the folder of the projections; a template only deploys them";
        (span, "this is a template of CloudFormation, and no projection", help)
    });
    let schema = key("$schema").or(key("$defs")).map(|span| {
        let help = "call it `NAME.schema.json` or `NAME.schema.yaml`, and name it with `schema` in a source or a rule";
        (span, "this is a JSON Schema, and no projection", help)
    });
    let events = key("Records").map(|span| {
        (span, "these are recorded events, and no projection", "`viewfold run PROJECTIONS --events FILE` applies them")
    });
    test.or(template).or(schema).or(events)
}

/// Reads one test file.
///
/// # Errors
///
/// As [`parse`].
pub fn parse_test(source: &Arc<Source>) -> Result<TestFile, Vec<Diagnostic>> {
    let (file, findings) = yaml::recover::read_all(source, |node, source| {
        if let yaml::node::Content::Map(entries) = &node.content
            && let Some((key, _)) = entries.iter().find(|(key, _)| matches!(key.text.as_str(), "projection" | "rules"))
            && !entries.iter().any(|(key, _)| key.text == "cases")
        {
            let message = "this is a projection, and no file of tests";
            let help =
                "a file whose name ends in `.test.yaml` has `projections` and `cases`; a projection has another name";
            return (None, vec![Diagnostic::error(Code::WrongForm, source, key.span, message).help(help)]);
        }
        yaml::read::read_most(node, source)
    });
    match file {
        Some(file) if findings.is_empty() => Ok(file),
        _ => Err(findings),
    }
}
