//! `rules`: which events apply, and to which documents.

use super::meaning::{Meaning, schema};
use super::{At, Pair, Side};
use crate::program::Rule;
use std::collections::BTreeMap;
use viewfold_spec::{Span, Spanned, projection as spec};

/// A rule of one version.
#[derive(Clone, Copy)]
pub(super) struct OfRule<'a> {
    pub(super) side: Side<'a>,
    pub(super) rule: &'a Rule,
    pub(super) spec: &'a Spanned<spec::Rule>,
    pub(super) meaning: Meaning<'a>,
}

/// Whether a rule of the old version is taken for one of the new one.
type Alike<'s, 'a> = dyn Fn(&OfRule<'a>, &OfRule<'a>) -> bool + 's;

impl<'a> OfRule<'a> {
    /// Where to point when the whole rule is meant.
    pub(super) fn place(self) -> Span {
        self.spec.place(self.spec.span)
    }

    fn key(self) -> Option<Span> {
        let key = self.spec.key.as_ref().or(self.side.spec().key.as_ref());
        key.map(|key| key.span)
    }

    /// All that the rule does, without its name and its source.
    fn whole(self) -> String {
        let Rule { each, condition, key, operations, delete, retract, .. } = self.rule;
        let mut operations: Vec<String> = operations.iter().map(|operation| self.operation(operation)).collect();
        operations.sort();
        format!(
            "{:?}",
            (
                self.conditions(),
                schema(self.side.file, self.spec.schema.as_ref()),
                self.meaning.optional(each.as_ref()),
                self.meaning.optional(condition.as_ref()),
                self.meaning.terms(key),
                operations,
                delete,
                retract,
            )
        )
    }

    /// The conditions of `when` by where they look.
    fn conditions(self) -> BTreeMap<String, Vec<String>> {
        self.rule.when.iter().map(|condition| self.meaning.condition(condition)).collect()
    }
}

/// The rules of a projection, each with what the file says.
pub(super) fn of(side: Side<'_>) -> Vec<OfRule<'_>> {
    let all = side.projection.rules.iter().zip(side.spec().rules.iter());
    all.map(|(rule, spec)| OfRule { side, rule, spec, meaning: Meaning::of_source(side, rule.source) }).collect()
}

/// How a `when` differs from the one before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Width {
    Wider,
    Narrower,
    Other,
}

impl Width {
    /// All of both have to hold; where one asks for nothing, the other one asks for more.
    fn of(was: &BTreeMap<String, Vec<String>>, is: &BTreeMap<String, Vec<String>>) -> Width {
        let within = |a: &BTreeMap<String, Vec<String>>, b: &BTreeMap<String, Vec<String>>| {
            // Whatever `a` lets through, `b` does.
            b.iter().all(|(path, tests)| a.get(path).is_some_and(|few| few.iter().all(|test| tests.contains(test))))
        };
        match (within(was, is), within(is, was)) {
            (true, _) => Width::Wider,
            (_, true) => Width::Narrower,
            _ => Width::Other,
        }
    }
}

impl<'a> Pair<'a> {
    /// Which rule of the old version is which of the new one.
    pub(super) fn rule_pairs(&self) -> Vec<(Option<OfRule<'a>>, Option<OfRule<'a>>)> {
        let mut left = of(self.old);
        let new = of(self.new);
        let mut before: Vec<Option<OfRule<'a>>> = vec![None; new.len()];
        let same_source =
            |old: &OfRule<'a>, new: &OfRule<'a>| self.source_now(old.rule.source) == Some(new.rule.source);
        // What does the same is the same, whatever its name and place.
        let steps: [&Alike<'_, 'a>; 4] = [
            &|old, new| old.rule.name == new.rule.name && same_source(old, new) && old.whole() == new.whole(),
            &|old, new| same_source(old, new) && old.whole() == new.whole(),
            &|old, new| old.spec.name.is_some() && new.spec.name.is_some() && old.rule.name == new.rule.name,
            &|old, new| {
                let unnamed = old.spec.name.is_none() || new.spec.name.is_none();
                let writes = |rule: &OfRule<'a>| -> Vec<_> {
                    rule.rule.operations.iter().map(|operation| rule.meaning.target(&operation.target)).collect()
                };
                let (was, is) = (writes(old), writes(new));
                let alike = was.iter().any(|target| is.contains(target)) || (old.rule.delete && new.rule.delete);
                same_source(old, new) && alike && (unnamed || old.conditions() == new.conditions())
            },
        ];
        for alike in steps {
            for (rule, before) in new.iter().zip(&mut before).filter(|(_, before)| before.is_none()) {
                *before = left.iter().position(|old| alike(old, rule)).map(|at| left.remove(at));
            }
        }
        let mut pairs: Vec<_> = before.into_iter().zip(new.into_iter().map(Some)).collect();
        pairs.extend(left.into_iter().map(|rule| (Some(rule), None)));
        pairs
    }

    pub(super) fn rules(&mut self) {
        for pair in self.rule_pairs() {
            match pair {
                (Some(old), Some(new)) if old.whole() == new.whole() && self.same_source(old, new) => {}
                (Some(old), Some(new)) => self.rule(old, new),
                (None, Some(new)) => {
                    let what = format!("the rule `{}` is new", new.rule.name);
                    let why = "events count by it from now on; those before are not in it";
                    self.matching(new.rule.retract, At::New(new.place()), what, why);
                }
                (Some(old), None) => {
                    let what = format!("the rule `{}` is gone", old.rule.name);
                    let why = "what it did stays in the documents; from now on it does nothing";
                    self.matching(old.rule.retract, At::Old(old.place()), what, why);
                }
                (None, None) => {}
            }
        }
        self.deletion();
    }

    fn same_source(&self, old: OfRule<'_>, new: OfRule<'_>) -> bool {
        self.source_now(old.rule.source) == Some(new.rule.source)
    }

    /// A change of what is done from now on: it can be deployed, unless documents are what *all* events or items make of them.
    pub(super) fn matching(&mut self, retract: bool, at: At, what: impl Into<String>, why: &str) {
        if retract {
            let why = "under `retract` a document is what the items make that are there; those that do not change count as they did, \
                       the others in the new way (what is taken back stays right)";
            self.rebuild(at, what, why);
        } else if self.folds_anew() {
            let why = "a late event makes its document be folded anew, by the new rules and from all its events: some documents would be \
                       by the old rules, some by the new ones";
            self.rebuild(at, what, why);
        } else {
            self.deploy(at, what, why);
        }
    }

    fn rule(&mut self, old: OfRule<'a>, new: OfRule<'a>) {
        let name = new.rule.name.as_str();
        let whole = At::New(new.place());
        if !self.same_source(old, new) {
            let what = format!("the rule `{name}` is for another source");
            let why = "documents have what the old one's events did, and the new one's only from now on";
            self.rebuild(whole, what, why);
            return;
        }
        let retract = old.rule.retract || new.rule.retract;
        match (old.rule.retract, new.rule.retract) {
            (false, true) => {
                let span = new.spec.retract.as_ref().map_or(new.place(), |retract| retract.span);
                let what = format!("the rule `{name}` has `retract` now");
                let why = "nobody wrote down what items contributed so far: one that changes would count a second time, one that is \
                           removed would not be taken back";
                self.refuse(At::New(span), what, why);
            }
            (true, false) => {
                let span = old.spec.retract.as_ref().map_or(old.place(), |retract| retract.span);
                let what = format!("the rule `{name}` has no `retract` any more");
                let why = "what items have contributed stays in the documents for good, and events count from now on: a mix of both";
                self.rebuild(At::Old(span), what, why);
            }
            _ => {}
        }
        self.when(old, new, retract);
        let (was, is) =
            (schema(old.side.file, old.spec.schema.as_ref()), schema(new.side.file, new.spec.schema.as_ref()));
        if was != is {
            let at = match (&new.spec.schema, &old.spec.schema) {
                (Some(schema), _) => At::New(schema.span),
                (None, Some(schema)) => At::Old(schema.span),
                (None, None) => whole,
            };
            let why = "which events are refused holds from now on; what was applied stays applied";
            self.matching(retract, at, format!("the `schema` of the rule `{name}` is another one"), why);
        }
        let condition = |rule: OfRule<'a>| rule.meaning.optional(rule.rule.condition.as_ref());
        if condition(old) != condition(new) {
            let (at, words) = match (&old.spec.r#if, &new.spec.r#if) {
                (None, Some(condition)) => (At::New(condition.span), "has an `if` now"),
                (Some(condition), None) => (At::Old(condition.span), "has no `if` any more"),
                (_, Some(condition)) => (At::New(condition.span), "has another `if`"),
                (None, None) => (whole, "has another `if`"),
            };
            let why = "which events count holds from now on: those before stay counted, or not";
            self.matching(retract, at, format!("the rule `{name}` {words}"), why);
        }
        let each = |rule: OfRule<'a>| rule.meaning.optional(rule.rule.each.as_ref());
        if each(old) != each(new) {
            let span = new.spec.each.as_ref().map_or(new.place(), |each| each.span);
            let why = "it says what is counted, and into which documents: old documents have it in the old way";
            self.rebuild(At::New(span), format!("`each` of the rule `{name}` is another one"), why);
        }
        let keys = |side: Side<'a>| side.projection.table.keys().map(|key| key.name.clone()).collect::<Vec<_>>();
        // Of another table's key that has been said.
        if keys(old.side) == keys(new.side) && old.meaning.terms(&old.rule.key) != new.meaning.terms(&new.rule.key) {
            let span = new.key().unwrap_or(new.place());
            let why = match retract {
                true => {
                    "items that do not change stay in the document of the old key, the others go into that of the new one (what is \
                     taken back stays right)"
                }
                false => "what came before stays in the document of the old key: documents would be split",
            };
            self.rebuild(At::New(span), format!("the key of the rule `{name}` is another one"), why);
        }
        if old.rule.delete != new.rule.delete {
            let span = new.spec.delete.as_ref().map_or(new.place(), |delete| delete.span);
            let (what, why) = match new.rule.delete {
                true => ("deletes its documents now", "what it did before stays until an event deletes it"),
                false => ("deletes nothing any more", "documents that were deleted stay so; from now on none is"),
            };
            self.matching(retract, At::New(span), format!("the rule `{name}` {what}"), why);
        }
        self.operations(old, new);
    }

    fn when(&mut self, old: OfRule<'a>, new: OfRule<'a>, retract: bool) {
        let (was, is) = (old.conditions(), new.conditions());
        if was == is {
            return;
        }
        let (words, why) = match Width::of(&was, &is) {
            Width::Wider => {
                ("matches more events", "the events that match only now count from now on; those before were left out")
            }
            Width::Narrower => (
                "matches fewer events",
                "the events that do not match any more are left out from now on; those before stay counted",
            ),
            Width::Other => {
                ("matches other events", "which events count holds from now on: those before stay counted, or left out")
            }
        };
        let entries = new.spec.when.iter().flatten().zip(&new.rule.when);
        let mut differing = entries.filter(|(_, condition)| {
            let (path, tests) = new.meaning.condition(condition);
            was.get(&path) != Some(&tests)
        });
        let at = match differing.next() {
            Some(((path, _), _)) => At::New(path.span),
            None => At::New(new.place()),
        };
        self.matching(retract, at, format!("the rule `{}` {words} (`when`)", new.rule.name), why);
    }

    /// Whether rows of deleted documents are left behind that nobody would look for any more.
    fn deletion(&mut self) {
        let (old, new) = (self.old.projection, self.new.projection);
        if old.can_delete() && !new.can_delete() && old.leaves_rows() {
            let at = At::New(self.new.spec().rules.span);
            let why = "documents that were deleted have left a row with a time at which it expires, and nobody looks for it any more: what \
                       new events make of such a document would be taken for deleted, and removed";
            self.refuse(at, "no document can be deleted any more", why);
        }
    }
}
