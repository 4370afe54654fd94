//! `guard: none`, where an event that comes again counts again.

use super::super::Compiler;
use super::super::kinds::may_be_number;
use crate::functions::Function;
use crate::program::{Guard, OperationKind, OperationTerm, Projection, Rule, Term};
use viewfold_spec::projection as spec;
use viewfold_spec::{Code, Spanned};

impl Compiler<'_> {
    /// Checks what a rule without a guard does when its event comes again.
    pub(super) fn check_repeats(
        &mut self,
        spec: &spec::Projection,
        rule: &Spanned<spec::Rule>,
        compiled: &Rule,
        projection: &Projection,
    ) {
        if !matches!(projection.sources[compiled.source].guard, Guard::None) {
            return;
        }
        for operation in &compiled.operations {
            let Some(what) = counts_again(operation) else { continue };
            let path = &operation.target.path;
            let span = rule.place_of(path).unwrap_or(rule.span);
            let guard = self.guard_span(spec, compiled.source);
            let message = format!(
                "an event that comes again {what} `{path}` again: with `guard: none` nothing tells a repeat, and streams \
                 deliver events more than once"
            );
            let finding = self.warning(Code::Unguarded, span, message);
            finding.related = Some((guard, "no guard".into()));
            finding.help = Some(
                "`guard: last_event_id` costs nothing where a document's events come in one lane; if counts may be too high, say \
                 `allow: [unguarded]` in the rule"
                    .into(),
            );
        }
    }
}

/// Whether what is added may be a number: adding the elements of a set again changes nothing.
fn is_number(term: &Term) -> bool {
    match term.resolved() {
        Term::Call(Function::Set, _) => false,
        Term::If(_, then, otherwise) => is_number(then) || otherwise.as_ref().is_some_and(|term| is_number(term)),
        Term::Default(value, otherwise) => is_number(value) && is_number(otherwise),
        term => may_be_number(term),
    }
}

/// What an operation does once more when its event comes again at once; nothing where that changes nothing.
fn counts_again(operation: &OperationTerm) -> Option<&'static str> {
    match &operation.kind {
        OperationKind::Add(value) if is_number(value) => Some("adds to"),
        OperationKind::Append { unique_by: None, .. } => Some("appends to"),
        // It is computed from what the event itself has changed before.
        OperationKind::Set(_) | OperationKind::Append { .. } if operation.terms().any(Term::reads_document) => {
            Some("changes")
        }
        _ => None,
    }
}
