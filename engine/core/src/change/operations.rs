//! What a rule does to which attribute.

use super::rules::OfRule;
use super::{At, Pair};
use crate::program::{OperationKind, OperationTerm};
use viewfold_spec::{Span, projection as spec};

impl<'a> OfRule<'a> {
    /// All that an operation does, the way to its attribute included.
    pub(super) fn operation(self, operation: &OperationTerm) -> String {
        format!("{:?} {}", self.meaning.target(&operation.target), self.effect(operation))
    }

    /// What an operation does, whatever its attribute.
    pub(super) fn effect(self, operation: &OperationTerm) -> String {
        let more = match &operation.kind {
            OperationKind::Append { last, by, unique_by, .. } => {
                format!("{last:?} {:?} {unique_by:?}", self.meaning.optional(by.as_ref()))
            }
            _ => String::new(),
        };
        format!("{} {:?} {more}", operation.kind.name(), self.meaning.optional(operation.kind.value()))
    }

    /// Where the value of an operation stands.
    pub(super) fn value_span(self, operation: &OperationTerm) -> Span {
        let path = &operation.target.path;
        let value = self.spec.value_of(operation.kind.name(), path);
        value.or_else(|| self.spec.place_of(path)).unwrap_or_else(|| self.place())
    }

    /// Where the attribute of an operation stands.
    pub(super) fn name_span(self, operation: &OperationTerm) -> Span {
        self.spec.place_of(&operation.target.path).unwrap_or_else(|| self.place())
    }

    fn append(self, operation: &OperationTerm) -> Option<&'a spec::Append> {
        self.spec.append.as_ref()?.get(&operation.target.path).map(|append| &append.value)
    }
}

impl<'a> Pair<'a> {
    /// The operations of a rule that both versions have.
    pub(super) fn operations(&mut self, old: OfRule<'a>, new: OfRule<'a>) {
        let name = new.rule.name.as_str();
        let target = |rule: OfRule<'a>, operation: &OperationTerm| rule.meaning.target(&operation.target);
        for operation in &new.rule.operations {
            let way = target(new, operation);
            match old.rule.operations.iter().find(|other| target(old, other) == way) {
                Some(before) if old.effect(before) == new.effect(operation) => {}
                Some(before) => self.operation(old, before, new, operation),
                None => self.added(new, operation),
            }
        }
        for operation in &old.rule.operations {
            let way = target(old, operation);
            if new.rule.operations.iter().any(|other| target(new, other) == way) {
                continue;
            }
            let path = &operation.target.path;
            // An attribute that nothing writes any more is told for itself.
            if takes_away(&operation.kind) || self.writes_now(&way) {
                let what = format!("the rule `{name}` does not `{}` `{path}` any more", operation.kind.name());
                let why = "what it did stays in the documents; from now on it is not done";
                self.matching(old.rule.retract, At::Old(old.name_span(operation)), what, why);
            }
        }
    }

    fn added(&mut self, new: OfRule<'a>, operation: &OperationTerm) {
        let (name, path, word) = (&new.rule.name, &operation.target.path, operation.kind.name());
        let at = At::New(new.name_span(operation));
        if takes_away(&operation.kind) {
            let why = "documents that are there keep it until such an event comes";
            self.matching(new.rule.retract, at, format!("the rule `{name}` does `{word}` `{path}` now"), why);
            return;
        }
        if !self.wrote_before(&new.meaning.target(&operation.target)) {
            let why = match operation.kind {
                OperationKind::Add(_) => {
                    "it counts from nothing, from now on: what came before is not in it, and old documents lack it until \
                                          their next event"
                }
                _ => "documents that are there lack it until their next event",
            };
            self.matching(new.rule.retract, at, format!("`{path}` is new (`{word}`, rule `{name}`)"), why);
        } else if self.wrote_like(&new.meaning.target(&operation.target), word) {
            let why = "other events have written it before; by these it is written from now on";
            self.matching(new.rule.retract, at, format!("the rule `{name}` does `{word}` `{path}` now"), why);
        } else {
            let why = "it goes on from what was written there in another way";
            self.rebuild(at, format!("`{path}` is written by `{word}` now (rule `{name}`)"), why);
        }
    }

    fn operation(&mut self, old: OfRule<'a>, before: &OperationTerm, new: OfRule<'a>, now: &OperationTerm) {
        let (name, path) = (&new.rule.name, &now.target.path);
        let at = At::New(new.value_span(now));
        let (was, is) = (before.kind.name(), now.kind.name());
        if was != is {
            let why = "old documents have what was written there in another way, and go on from it";
            self.rebuild(
                At::New(new.name_span(now)),
                format!("`{path}`: `{is}`, and was `{was}` (rule `{name}`)"),
                why,
            );
            return;
        }
        if let (OperationKind::Append { .. }, OperationKind::Append { .. }) = (&before.kind, &now.kind) {
            self.append(old, before, new, now);
            return;
        }
        let retract = new.rule.retract && old.rule.retract;
        let why = match now.kind {
            OperationKind::Add(_) if retract => {
                "items that do not change count with the old amount, the others with the new one (what is taken back stays right)"
            }
            OperationKind::Add(_) => "what came before is in it with the old amount: the sum would be a mix",
            OperationKind::SetOnce(_) => "documents that have it keep the old value for good",
            OperationKind::Max(_) | OperationKind::Min(_) => "it is compared with what the old value left there: a mix",
            _ => "old documents have the old value until an event sets it again: a mix",
        };
        let thing = if matches!(now.kind, OperationKind::Add(_)) { "amount" } else { "value" };
        self.rebuild(at, format!("`{path}`: another {thing} for `{is}` (rule `{name}`)"), why);
    }

    fn append(&mut self, old: OfRule<'a>, before: &OperationTerm, new: OfRule<'a>, now: &OperationTerm) {
        let (
            OperationKind::Append { value: a, last: k, by: x, unique_by: u },
            OperationKind::Append { value: b, last: l, by: y, unique_by: v },
        ) = (&before.kind, &now.kind)
        else {
            return;
        };
        let path = &now.target.path;
        let whole = new.value_span(now);
        let spec = new.append(now);
        let at = |span: Option<Span>| At::New(span.unwrap_or(whole));
        if old.meaning.term(a) != new.meaning.term(b) {
            let why = "elements that are in the list stay as they are: a mix";
            self.rebuild(
                at(spec.map(|spec| spec.value.span)),
                format!("`{path}`: the elements are others (`append`)"),
                why,
            );
        }
        if k != l {
            let why = "the list is cut, or grows, with the next event of its document; what was cut off before does not come back";
            let span = spec.and_then(|spec| spec.last.as_ref()).map(|last| last.span);
            self.matching(false, at(span), format!("`{path}` keeps another number of elements (`last`)"), why);
        }
        let span = spec.and_then(|spec| spec.by.as_ref()).map(|by| by.span);
        match (old.meaning.optional(x.as_ref()), new.meaning.optional(y.as_ref())) {
            (a, b) if a == b => {}
            (None, _) => {
                let why =
                    "what orders the elements that are there is not known: they stay below all that come from now on";
                self.rebuild(at(span), format!("`{path}` has an order now (`by`)"), why);
            }
            (_, None) => {
                let why = "what orders the elements is not written down any more: the lists are a mix of both orders";
                self.rebuild(at(span), format!("`{path}` has no order any more (`by`)"), why);
            }
            _ => {
                let why = "what the elements that are there are ordered by does not compare with the new order: elements would come into the \
                           wrong place, and the wrong ones be cut off";
                self.refuse(at(span), format!("`{path}` has another order (`by`)"), why);
            }
        }
        if u != v {
            let why = "elements that are in the list were told apart in the old way: a mix";
            let span = spec.and_then(|spec| spec.unique_by.as_ref()).map(|name| name.span);
            self.rebuild(at(span), format!("`{path}`: elements are told apart by another entry (`unique_by`)"), why);
        }
    }
}

/// Whether an operation only takes something away, and puts nothing there.
pub(super) fn takes_away(kind: &OperationKind) -> bool {
    matches!(kind, OperationKind::Remove | OperationKind::RemoveFrom(_))
}
