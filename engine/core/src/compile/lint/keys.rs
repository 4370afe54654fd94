//! Keys that are a plain text where a path is meant.

use super::super::Compiler;
use crate::program::{Payload, Projection, Rule, Term};
use viewfold_spec::projection as spec;
use viewfold_spec::{Code, Literal, Severity, Spanned};
use viewfold_value::Value;

impl Compiler<'_> {
    /// Checks a rule's key for the name of its attribute: `city: city` where `city: $.city` is meant. Any other text may be
    /// meant: one document of all.
    pub(super) fn check_plain_key(
        &mut self,
        spec: &spec::Projection,
        rule: &Spanned<spec::Rule>,
        compiled: &Rule,
        projection: &Projection,
        payload: Payload,
    ) {
        let Some(key) = rule.key.as_ref().or(spec.key.as_ref()) else { return };
        // The guard may have told it already.
        if self.findings.iter().any(|finding| finding.severity == Severity::Error && finding.span == key.span) {
            return;
        }
        for (attribute, term) in projection.table.keys().zip(&compiled.key) {
            let name = &attribute.name;
            let Some(literal) = key.get(name) else { continue };
            let is_written = matches!(&literal.value, Literal::Text(text) if text == name);
            if !is_written || !matches!(term, Term::Constant(Value::String(text)) if text == name) {
                continue;
            }
            let message = match compiled.key.len() {
                1 => format!("`{name}` is a text here: every event belongs to the one document `{name}`"),
                _ => format!("`{name}` is a text here: it is the same for every event"),
            };
            let path = match payload {
                Payload::Change if !compiled.retract => format!("$.new.{name}"),
                Payload::Eventbridge => format!("$.detail.{name}"),
                _ => format!("$.{name}"),
            };
            self.warning(Code::KeyMismatch, literal.span, message).help = Some(format!("did you mean `{path}`?"));
        }
    }
}
