//! `retract: true`: what such a rule may do.

use super::Compiler;
use super::kinds::kind_of;
use crate::program::{Guard, OperationKind, Projection};
use viewfold_spec::{Code, projection as spec};
use viewfold_value::Kind;

impl Compiler<'_> {
    /// Checks rules with `retract: true`.
    pub(super) fn check_retract(&mut self, spec: &spec::Projection, projection: &Projection) {
        for (rule, compiled) in spec.rules.iter().zip(&projection.rules) {
            let Some(retract) = &rule.retract else { continue };
            if !retract.value {
                self.error(Code::WrongForm, retract.span, "`retract` is `true`, or it is not there").help =
                    Some("remove the key".into());
                continue;
            }
            let source = &projection.sources[compiled.source];
            if !self.is_dynamodb(spec, compiled.source) {
                let message = "`retract: true` is for DynamoDB sources: there an item exists until it is removed";
                self.error(Code::BadRetract, retract.span, message).help =
                    Some("add a negative amount where an event takes something back".into());
                continue;
            }
            if !matches!(source.guard, Guard::Lane { .. }) {
                let message = "`retract: true` needs the guard `{last_event_id: lane}`: what an item contributed is kept \
                               with its lane's mark";
                self.error(Code::BadRetract, retract.span, message).help =
                    Some("write `guard: { last_event_id: lane }`".into());
            }
            for (key, name) in rule.written() {
                if key != "add" {
                    let message = format!("a rule with `retract: true` adds numbers and nothing else, not `{key}`");
                    self.error(Code::BadRetract, name.span, message).help =
                        Some("what it does has to be taken back; make this another rule".into());
                }
            }
            if let Some(delete) = &rule.delete {
                let message = "a rule with `retract: true` adds numbers and nothing else, not `delete`";
                self.error(Code::BadRetract, delete.span, message).help =
                    Some("`delete_when: doc.count == 0` deletes a document that nothing is left of".into());
            }
            for operation in &compiled.operations {
                let OperationKind::Add(value) = &operation.kind else { continue };
                if let Some(kind) = kind_of(value)
                    && kind != Kind::Number
                {
                    let span = rule.place_of(&operation.target.path).unwrap_or_default();
                    let message = format!("a rule with `retract: true` adds numbers, and this is a {kind}");
                    self.error(Code::BadRetract, span, message);
                }
            }
        }
    }

    fn is_dynamodb(&self, spec: &spec::Projection, source: usize) -> bool {
        let named = spec.sources.as_ref().and_then(|sources| sources.0.get(source)).map(|(_, source)| source);
        named.or(spec.source.as_ref()).is_some_and(|source| source.dynamodb.is_some())
    }
}
