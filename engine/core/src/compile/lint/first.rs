//! `derive` that needs what the first event of a document may not write.

use super::super::{Compiler, facts};
use crate::expression::{Binary, Unary};
use crate::program::{Condition, OnError, OperationKind, OperationTerm, Program, Projection, Rule, Step, Term};
use viewfold_spec::projection as spec;
use viewfold_spec::{Code, Span};
use viewfold_value::Value;

impl Compiler<'_> {
    /// Checks what is derived from the document against what each rule writes on a new one.
    pub(super) fn check_first(&mut self, spec: &spec::Projection, projection: &Projection, program: &Program) {
        // Others may have made the item.
        if projection.shared {
            return;
        }
        let firsts: Vec<First<'_>> =
            projection.rules.iter().filter_map(|rule| First::of(rule, projection, program)).collect();
        for (name, literal) in spec.derive.iter().flatten() {
            let root = super::super::target::root(&name.value);
            let Some((_, term)) = projection.derive.iter().find(|(derived, _)| *derived == root) else { continue };
            self.check_first_of(&firsts, term, literal.span, projection);
        }
    }

    /// Checks that no attribute needs itself for whatever writes it: then nothing ever writes it first.
    pub(super) fn check_own(&mut self, spec: &spec::Projection, projection: &Projection) {
        if projection.shared {
            return;
        }
        for (written, rule) in spec.rules.iter().zip(&projection.rules) {
            for operation in &rule.operations {
                let name = operation.target.root();
                let of_others = projection.attributes.iter().filter(|other| *other != name).map(String::as_str);
                let keys = projection.table.keys().map(|key| key.name.as_str());
                let all = First { rule, present: of_others.chain(keys).collect() };
                let makes = |other: &&OperationTerm| {
                    !matches!(other.kind, OperationKind::Remove | OperationKind::RemoveFrom(_))
                };
                let mut writers = projection.rules.iter().flat_map(|other| &other.operations).filter(makes);
                let Some(path) = Some(operation).filter(makes).and_then(|own| all.needed_by(own, name)) else {
                    continue;
                };
                if projection.derive.iter().any(|(derived, _)| derived == name)
                    || writers.any(|other| other.target.root() == name && all.needed_by(other, name).is_none())
                {
                    continue;
                }
                let place = written.place_of(&operation.target.path).unwrap_or(written.span);
                let span = written.value_of(operation.kind.name(), &operation.target.path).unwrap_or(place);
                let message = format!("`{path}` is not there before the first event, and nothing else writes `{name}`");
                self.warning(Code::MissingAtFirst, span, message).help = Some(format!(
                    "use `default({path}, 0)`; what `add` adds to is 0 where it is missing: `add: {{ {name}: 1 }}`"
                ));
            }
        }
    }

    fn check_first_of(&mut self, firsts: &[First<'_>], term: &Term, span: Span, projection: &Projection) {
        let found = firsts.iter().find_map(|first| {
            let (steps, path) = first.needs(term)?;
            let Some(Step::Name(name)) = steps.first() else { return None };
            // What nothing writes has a finding of its own.
            projection.attributes.contains(name).then_some((first, name, path))
        });
        let Some((first, name, path)) = found else { return };
        let outcome = match projection.on_error {
            OnError::DeadLetter => "becomes a dead letter",
            OnError::Skip => "is skipped",
            OnError::Fail => "fails, and its lane waits",
        };
        let message =
            format!("`{}` does not write `{name}`, so an event of it on a new document {outcome}", first.rule.name);
        let operations = projection.rules.iter().flat_map(|rule| &rule.operations);
        let sums = operations.filter(|operation| operation.target.root() == name.as_str()).all(
            |operation| matches!(&operation.kind, OperationKind::Add(value) if super::super::kinds::may_be_number(value)),
        );
        let zero = if sums { "0" } else { "…" };
        self.warning(Code::MissingAtFirst, span, message).help = Some(format!(
            "use `default({path}, {zero})` or `if(exists({path}), …)`; if another event always comes first, say \
             `allow: [missing_at_first]`"
        ));
    }
}

/// A rule that can make a document, and what is there then.
struct First<'p> {
    rule: &'p Rule,
    present: Vec<&'p str>,
}

impl<'p> First<'p> {
    /// Nothing for a rule that makes no document.
    fn of(rule: &'p Rule, projection: &'p Projection, program: &Program) -> Option<First<'p>> {
        let makes =
            |operation: &OperationKind| !matches!(operation, OperationKind::Remove | OperationKind::RemoveFrom(_));
        let has_effect = rule.operations.iter().any(|operation| makes(&operation.kind));
        // What looks at the document is for one that is there.
        if rule.delete || !has_effect || rule.reads_document() {
            return None;
        }
        let source = &projection.sources[rule.source];
        let stream = &program.streams[source.stream];
        let changes = |rule: &Rule| {
            rule.when.iter().map(|condition| facts::changes(condition, stream)).fold([true; 3], facts::both)
        };
        // An item is inserted before it changes, and its document was made then.
        let makes_at_insert = |other: &Rule| other.source == rule.source && changes(other)[0] && other.key == rule.key;
        if !rule.retract && !changes(rule)[0] && projection.rules.iter().any(makes_at_insert) {
            return None;
        }
        let own = rule.operations.iter();
        // Rules that match whatever this one matches are applied with it.
        let with = projection.rules.iter().filter(|other| always_with(other, rule));
        let operations = own.chain(with.flat_map(|other| &other.operations));
        let written = operations.filter(|operation| makes(&operation.kind)).map(|operation| operation.target.root());
        let keys = projection.table.keys().map(|key| key.name.as_str());
        let derived = projection.derive.iter().map(|(name, _)| name.as_str());
        Some(First { rule, present: written.chain(keys).chain(derived).collect() })
    }

    /// The path of an attribute, where that is what an operation needs first.
    fn needed_by<'t>(&self, operation: &'t OperationTerm, name: &str) -> Option<&'t str> {
        let (steps, path) = operation.terms().find_map(|term| self.needs(term))?;
        // What nothing writes at all has a finding of its own.
        matches!(steps.first(), Some(Step::Name(first)) if first == name).then_some(path)
    }

    /// A part of the document that a value surely needs and that is not there.
    fn needs<'t>(&self, term: &'t Term) -> Option<(&'t [Step], &'t str)> {
        match term {
            Term::Document { steps, optional: false, path } if !self.has(steps) => Some((steps, path)),
            Term::Exists(_) => None,
            Term::Default(value, otherwise) => self.needs(value).and_then(|_| self.needs(otherwise)),
            Term::If(condition, then, otherwise) => self.needs(condition).or_else(|| {
                let (then, otherwise) = (|| self.needs(then), || otherwise.as_ref().and_then(|term| self.needs(term)));
                match self.holds(condition) {
                    Some(true) => then(),
                    Some(false) => otherwise(),
                    None => then().filter(|_| otherwise().is_some()),
                }
            }),
            Term::Binary(operator @ (Binary::And | Binary::Or), left, right) => self.needs(left).or_else(|| {
                // The second operand is evaluated where the first one does not say it all.
                let goes_on = self.holds(left) == Some(*operator == Binary::And);
                if goes_on { self.needs(right) } else { None }
            }),
            term => term.parts().into_iter().find_map(|part| self.needs(part)),
        }
    }

    fn has(&self, steps: &[Step]) -> bool {
        matches!(steps.first(), Some(Step::Name(name)) if self.present.contains(&name.as_str()))
    }

    /// Whether a condition is true on the new document, as far as that depends on what is there.
    fn holds(&self, condition: &Term) -> Option<bool> {
        match condition.resolved() {
            Term::Constant(Value::Bool(value)) => Some(*value),
            Term::Exists(value) => match value.resolved() {
                Term::Document { steps, .. } if !self.has(steps) => Some(false),
                Term::Document { steps, .. } if steps.len() == 1 => Some(true),
                _ => None,
            },
            Term::Unary(Unary::Not, value) => self.holds(value).map(|value| !value),
            Term::Binary(operator @ (Binary::And | Binary::Or), left, right) => {
                let decides = *operator == Binary::Or;
                match (self.holds(left), self.holds(right)) {
                    (Some(value), _) | (_, Some(value)) if value == decides => Some(decides),
                    (Some(_), Some(_)) => Some(!decides),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// Whether a rule is applied, to the same document, with every event that another one is applied to.
fn always_with(rule: &Rule, other: &Rule) -> bool {
    let asked = |condition: &Condition| {
        other.when.iter().any(|own| {
            let values = || own.test.values().filter(|_| own.query.is_none());
            let passes = || values().is_some_and(|values| values.iter().all(|value| condition.test.holds(Some(value))));
            own.subject == condition.subject && own.query == condition.query && (own.test == condition.test || passes())
        })
    };
    rule.source == other.source
        && rule.key == other.key
        && rule.retract == other.retract
        && (rule.each.is_none() || rule.each == other.each)
        && (rule.condition.is_none() || rule.condition == other.condition)
        && rule.when.iter().all(asked)
}
