//! Operations whose outcome depends on the order of events, where nothing gives an order.

use super::Compiler;
use super::guard::in_one_lane;
use crate::expression::Binary;
use crate::program::{Guard, OperationKind, OperationTerm, Overlap, Projection, Rule, Step, Term};
use viewfold_spec::projection as spec;
use viewfold_spec::{Code, Span};
use viewfold_value::{Number, Value};

impl Compiler<'_> {
    /// A document that many lanes feed has no order of its own, and neither has one whose events are remembered by their
    /// ids alone: only operations whose order does not matter are sound there, unless a rule says that any order will do.
    pub(super) fn check_order(&mut self, spec: &spec::Projection, projection: &Projection) {
        for (number, rule) in projection.rules.iter().enumerate() {
            let Some(written) = spec.rules.get(number) else { continue };
            if written.any_order.unwrap_or(false) {
                continue;
            }
            if let Some(why) = unordered(rule, projection) {
                self.check_rule_order(written, rule, projection, why);
            }
            if projection.sources.len() > 1 {
                self.check_sources(written, rule, projection);
            }
        }
        self.check_delete_when(spec, projection);
        self.check_derive(spec, projection);
    }

    /// Why the documents of a projection have no order, or no single one; nothing where every rule has one or says that any
    /// will do.
    fn no_order(spec: &spec::Projection, projection: &Projection) -> Option<&'static str> {
        if spec.rules.iter().all(|rule| rule.any_order.unwrap_or(false)) {
            return None;
        }
        let several = (projection.sources.len() > 1).then_some("several sources have no order among them");
        projection.rules.iter().find_map(|rule| unordered(rule, projection)).or(several)
    }

    /// What is derived from itself is what it was before, and so depends on the order of events.
    fn check_derive(&mut self, spec: &spec::Projection, projection: &Projection) {
        let Some(why) = Self::no_order(spec, projection) else { return };
        for (name, literal) in spec.derive.iter().flatten() {
            let root = super::target::root(&name.value);
            let derived = projection.derive.iter().find(|(derived, _)| *derived == root);
            if derived.is_some_and(|(_, term)| super::derive::looks_at(term, &root)) {
                let message = format!(
                    "`{root}` is derived from what it was before, which depends on the order of events, and {why}"
                );
                self.error(Code::OrderDependent, literal.span, message).help =
                    Some("derive it from attributes that rules write".into());
            }
        }
    }

    fn check_rule_order(&mut self, written: &spec::Rule, rule: &Rule, projection: &Projection, why: &str) {
        let source = &projection.sources[rule.source];
        let in_lane = source.keeps_order && in_one_lane(rule, source);
        let help = |operation: Option<&OperationKind>| Some(without_order(operation, in_lane));
        if rule.delete {
            let span = written.delete.as_ref().map_or_else(Span::default, |delete| delete.span);
            let message = format!("the outcome of `delete` depends on the order of events, and {why}");
            self.error(Code::OrderDependent, span, message).help = help(None);
        }
        let reads = |term: &Term| term.reads_document();
        if rule.condition.as_ref().is_some_and(reads) {
            let span = written.r#if.as_ref().map_or_else(Span::default, |condition| condition.span);
            let message = format!("what `doc.` finds depends on the order of events, and {why}");
            self.error(Code::OrderDependent, span, message).help = help(None);
        }
        for operation in &rule.operations {
            let path = &operation.target.path;
            let span = written.place_of(path).unwrap_or_default();
            let word = operation.kind.name();
            // What would do in place of the operation says nothing about where it looks, or what others do.
            let (message, instead) = if operation.terms().any(reads) {
                (format!("what `doc.` finds depends on the order of events, and {why}"), None)
            } else if !alone(operation, rule) {
                let message = format!("the outcome of `{word}` on `{path}` depends on the order of events, and {why}");
                (message, Some(&operation.kind))
            } else if !together(operation, projection) {
                let message = format!(
                    "the outcome of `{word}` on `{path}` with what other rules do to it depends on the order of events, and \
                     {why}"
                );
                (message, None)
            } else {
                continue;
            };
            self.error(Code::OrderDependent, span, message).help = help(instead);
        }
    }

    /// Several sources have no order among them: what depends on one comes from one source.
    fn check_sources(&mut self, written: &spec::Rule, rule: &Rule, projection: &Projection) {
        let help = "let one source do it, or say `any_order: true` in the rule";
        let elsewhere = || projection.rules.iter().filter(|other| other.source != rule.source);
        if rule.delete && elsewhere().next().is_some() {
            let span = written.delete.as_ref().map_or_else(Span::default, |delete| delete.span);
            let message =
                "rules of another source change the document that this one deletes, and two sources have no order";
            self.error(Code::OrderDependent, span, message).help = Some(help.into());
        }
        let theirs: Vec<&str> =
            elsewhere().flat_map(|other| &other.operations).map(|operation| operation.target.root()).collect();
        let read = theirs.iter().find(|name| rule.terms().any(|term| super::derive::looks_at(term, name)));
        if let Some(name) = read {
            let message = format!(
                "the rule looks at `doc.{name}`, which a rule of another source writes, and two sources have no order"
            );
            let span = written.name.as_ref().map_or_else(Span::default, |name| name.span);
            let span = written.r#if.as_ref().map_or(span, |condition| condition.span);
            let span = if span == Span::default() {
                written.written().first().map_or(span, |(_, path)| path.span)
            } else {
                span
            };
            self.error(Code::OrderDependent, span, message).help = Some(help.into());
        }
        for operation in &rule.operations {
            let elsewhere = projection.rules.iter().filter(|other| other.source != rule.source);
            let met = elsewhere.flat_map(|other| &other.operations).any(|other| {
                other.target.overlap(&operation.target) != Overlap::Never && !commute(&operation.kind, &other.kind)
            });
            if met {
                let path = &operation.target.path;
                let span = written.place_of(path).unwrap_or_default();
                let message =
                    format!("`{path}` is also written by a rule of another source, and two sources have no order");
                self.error(Code::OrderDependent, span, message).help =
                    Some("let one source write it, or say `any_order: true` in the rule".into());
            }
        }
    }

    /// `delete_when` depends on what is there at one moment, but for a document of sums that are all back at 0.
    fn check_delete_when(&mut self, spec: &spec::Projection, projection: &Projection) {
        let (Some(condition), Some(written)) = (&projection.delete_when, &spec.delete_when) else { return };
        let Some(why) = Self::no_order(spec, projection) else { return };
        let sums = projection.rules.iter().flat_map(|rule| &rule.operations).all(|operation| {
            matches!(&operation.kind, OperationKind::Add(value) if super::kinds::may_be_number(value))
                && operation.target.is_fixed()
        });
        let mut zeros = Vec::new();
        let tested = zero_tests(condition, &mut zeros);
        let added = projection.rules.iter().flat_map(|rule| &rule.operations);
        let all_tested = added.clone().all(|operation| zeros.contains(&operation.target.path.as_ref()));
        if sums && tested && all_tested && !projection.rules.iter().any(|rule| rule.delete) {
            return;
        }
        let message = format!("when `delete_when` comes true depends on the order of events, and {why}");
        self.error(Code::OrderDependent, written.span, message).help = Some(
            "where rules do nothing but add numbers, `doc.a == 0`, joined by `&&` over every attribute that is added to, does \
             not depend on it"
                .into(),
        );
    }
}

/// Why a rule's documents have no order; nothing where they have one.
fn unordered(rule: &Rule, projection: &Projection) -> Option<&'static str> {
    let source = &projection.sources[rule.source];
    match &source.guard {
        Guard::None if !source.has_lanes => Some("the messages of a standard queue come in any order"),
        Guard::EventsTable { order_by: None, .. } => Some("this guard applies them in any order"),
        Guard::Lane { .. } | Guard::Document { by_shard: true, .. } if !in_one_lane(rule, source) => {
            Some("the document is fed by many lanes, which have no order")
        }
        _ => None,
    }
}

/// What to do where an operation has no order: what would do in its place, how an order is made, and that any will do.
fn without_order(operation: Option<&OperationKind>, in_one_lane: bool) -> String {
    let instead = match operation {
        Some(OperationKind::Append { by: None, .. }) => "give it `by: $.at`, a value that orders the elements; ",
        Some(OperationKind::Set(_)) => "`max` keeps the larger value in any order, as with times; ",
        Some(OperationKind::SetOnce(_)) => "`min` or `max` of a value that orders them keeps one in any order; ",
        _ => "",
    };
    let lane = if in_one_lane { "`last_event_id: document` keeps the order of a lane; " } else { "" };
    format!(
        "{instead}{lane}`order_by` with an events table makes an order; if any order will do, say `any_order: true` in the \
         rule"
    )
}

/// Whether the order of this operation's own events does not matter.
fn alone(operation: &OperationTerm, rule: &Rule) -> bool {
    match &operation.kind {
        OperationKind::Add(_) | OperationKind::Max(_) | OperationKind::Min(_) => true,
        OperationKind::Append { by, .. } => by.is_some(),
        OperationKind::SetOnce(value) => fixed_by(value, &rule.key),
        OperationKind::Set(_) | OperationKind::Remove | OperationKind::RemoveFrom(_) => false,
    }
}

/// Whether what other rules do to the attribute does not matter either.
fn together(operation: &OperationTerm, projection: &Projection) -> bool {
    projection
        .rules
        .iter()
        .flat_map(|rule| &rule.operations)
        .all(|other| other.target.overlap(&operation.target) == Overlap::Never || commute(&operation.kind, &other.kind))
}

/// Whether two operations on one attribute come to the same in either order.
fn commute(a: &OperationKind, b: &OperationKind) -> bool {
    use OperationKind::{Add, Append, Max, Min, SetOnce};
    match (a, b) {
        (Add(_), Add(_)) | (Max(_), Max(_)) | (Min(_), Min(_)) => true,
        (Append { by: Some(_), last: a, unique_by: x, .. }, Append { by: Some(_), last: b, unique_by: y, .. }) => {
            a == b && x == y
        }
        (SetOnce(a), SetOnce(b)) => a == b,
        _ => false,
    }
}

/// Whether a value is the same for all events of a document: a constant, or a part of the key.
fn fixed_by(value: &Term, key: &[Term]) -> bool {
    match value {
        Term::Constant(_) => true,
        Term::Event { .. } | Term::Element { .. } | Term::Many { .. } => key.contains(value),
        Term::Document { .. } => false,
        value => key.contains(value) || value.parts().iter().all(|part| fixed_by(part, key)),
    }
}

/// Whether a condition is `doc.a == 0`, joined by `&&`; and the attributes.
fn zero_tests<'t>(condition: &'t Term, attributes: &mut Vec<&'t str>) -> bool {
    match condition {
        Term::Binary(Binary::And, a, b) => zero_tests(a, attributes) && zero_tests(b, attributes),
        Term::Binary(Binary::Equal, a, b) => {
            let zero = Term::Constant(Value::Number(Number::ZERO));
            let path = match (&**a, &**b) {
                (Term::Document { steps, .. }, other) | (other, Term::Document { steps, .. }) if *other == zero => {
                    steps
                }
                _ => return false,
            };
            match path.as_slice() {
                [Step::Name(name)] => {
                    attributes.push(name);
                    true
                }
                _ => false,
            }
        }
        _ => false,
    }
}
