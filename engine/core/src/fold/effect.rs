//! What the operations of many events do to a document, in a form that one update expression can say.

use super::document::union;
use crate::evaluate::{Append, Operation, Operations};
use crate::program::DocumentPath;
use std::collections::BTreeMap;
use viewfold_value::{Number, Value};

/// What one or more operations do to one attribute, whatever stands there.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// `ADD a n`
    Add(Number),
    /// `ADD a set`
    AddSet(Value),
    /// `SET a = v`
    Set(Value),
    /// `SET a = if_not_exists(a, v)`
    SetOnce(Value),
    /// `SET a = if_not_exists(a, first) + n`: set unless present, then added to.
    SetOnceThenAdd(Number, Number),
    /// `SET a = list_append(if_not_exists(a, :empty), :elements)`
    Append(Vec<Value>),
    /// `REMOVE a`
    Remove,
    /// `DELETE a set`
    RemoveFrom(Value),
}

impl Effect {
    /// The effect of one operation on a path; nothing where it depends on what stands there.
    fn of(path: &DocumentPath, operation: &Operation) -> Option<Effect> {
        Some(match operation {
            Operation::Add(number) => Effect::Add(*number),
            // `ADD` and `DELETE` of sets work on top-level attributes only.
            Operation::AddSet(set) if !path.is_nested() => Effect::AddSet(set.clone()),
            Operation::RemoveFrom(set) if !path.is_nested() => Effect::RemoveFrom(set.clone()),
            Operation::Set(value) => Effect::Set(value.clone()),
            Operation::SetOnce(value) => Effect::SetOnce(value.clone()),
            Operation::Append(elements) => Effect::Append(plain(elements)?),
            Operation::Remove => Effect::Remove,
            Operation::AddSet(_) | Operation::RemoveFrom(_) | Operation::Max(_) | Operation::Min(_) => return None,
        })
    }

    /// Whether an operation can be said whatever stands at its path: no document has to be read for it.
    pub fn is_blind(path: &DocumentPath, operation: &Operation) -> bool {
        Effect::of(path, operation).is_some()
    }

    /// This effect and then an operation, as one effect.
    ///
    /// Nothing where no effect says the same *for every value that the attribute may hold*, the refusal of a value of the
    /// wrong type included: an `add` whose attribute turns out to hold text must reject its own event, so nothing that
    /// would hide it is merged behind it.
    fn then(&self, operation: &Operation) -> Option<Effect> {
        Some(match (self, operation) {
            (Effect::Add(a), Operation::Add(b)) => Effect::Add(a.checked_add(*b).ok()?),
            (Effect::AddSet(a), Operation::AddSet(b)) => Effect::AddSet(union(a, b)?),
            // What has been added to is present.
            (Effect::Add(_) | Effect::AddSet(_) | Effect::SetOnceThenAdd(..), Operation::SetOnce(_)) => self.clone(),

            (Effect::Set(_) | Effect::SetOnce(_) | Effect::Remove, Operation::Set(value)) => Effect::Set(value.clone()),
            (Effect::Set(_) | Effect::SetOnce(_) | Effect::Remove, Operation::Remove) => Effect::Remove,
            (Effect::Set(_) | Effect::SetOnce(_), Operation::SetOnce(_)) => self.clone(),
            (Effect::Remove, Operation::SetOnce(value)) => Effect::Set(value.clone()),
            (Effect::Remove, Operation::Add(number)) => Effect::Set(Value::Number(*number)),
            (Effect::Remove, Operation::AddSet(set)) => Effect::Set(set.clone()),

            (Effect::Set(Value::Number(a)), Operation::Add(b)) => Effect::Set(Value::Number(a.checked_add(*b).ok()?)),
            (Effect::Set(a), Operation::AddSet(b)) => Effect::Set(union(a, b)?),
            (Effect::SetOnce(Value::Number(a)), Operation::Add(b)) => Effect::SetOnceThenAdd(*a, *b),
            (Effect::SetOnceThenAdd(first, a), Operation::Add(b)) => {
                Effect::SetOnceThenAdd(*first, a.checked_add(*b).ok()?)
            }
            (Effect::Append(list), Operation::Append(elements)) => {
                Effect::Append([list.clone(), plain(elements)?].concat())
            }
            (Effect::RemoveFrom(a), Operation::RemoveFrom(b)) => Effect::RemoveFrom(union(a, b)?),
            _ => return None,
        })
    }

    /// The bytes of the effect's values and its part of the expression, about.
    fn size(&self) -> usize {
        16 + match self {
            Effect::Add(number) => number.size(),
            Effect::AddSet(value) | Effect::Set(value) | Effect::SetOnce(value) | Effect::RemoveFrom(value) => {
                value.size()
            }
            Effect::SetOnceThenAdd(first, number) => first.size() + number.size(),
            Effect::Append(list) => list.iter().map(Value::size).sum(),
            Effect::Remove => 0,
        }
    }
}

/// The values of elements that are just put behind a list.
fn plain(elements: &[Append]) -> Option<Vec<Value>> {
    let value = |element: &Append| match element {
        Append { value, last: None, by: None, unique_by: None } => Some(value.clone()),
        _ => None,
    };
    elements.iter().map(value).collect()
}

/// What the operations of some events do to a document, path by path.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Effects {
    by_path: BTreeMap<DocumentPath, Effect>,
    size: usize,
    names: usize,
}

/// What an event would make of a document's effects: see [`Effects::with`].
#[derive(Debug)]
pub struct Merged {
    effects: Vec<(DocumentPath, Effect)>,
    /// How many names the paths of the effects have then, all of them together.
    pub names: usize,
    /// The bytes of all values then, about.
    pub size: usize,
}

impl Effects {
    /// What these effects and then an event's operations are together; nothing where no effects can say it, whatever the
    /// document holds.
    pub fn with(&self, operations: &Operations) -> Option<Merged> {
        if operations.delete {
            return None;
        }
        let mut merged =
            Merged { effects: Vec::with_capacity(operations.by_path.len()), names: self.names, size: self.size };
        for (path, operation) in &operations.by_path {
            let effect = match self.by_path.get(path) {
                None => {
                    if self.overlaps(path) {
                        return None;
                    }
                    merged.names += path.0.len();
                    Effect::of(path, operation)?
                }
                Some(before) => {
                    merged.size -= before.size();
                    before.then(operation)?
                }
            };
            merged.size += effect.size();
            merged.effects.push((path.clone(), effect));
        }
        Some(merged)
    }

    /// Whether one of the paths leads through this one, or the other way round.
    fn overlaps(&self, path: &DocumentPath) -> bool {
        let above = (1..path.0.len()).any(|depth| self.by_path.contains_key(&path.0[..depth]));
        above || self.by_path.range::<DocumentPath, _>(path..).next().is_some_and(|(next, _)| path.contains(next))
    }

    /// Makes these effects what [`Effects::with`] said.
    pub fn become_merged(&mut self, merged: Merged) {
        self.size = merged.size;
        self.names = merged.names;
        self.by_path.extend(merged.effects);
    }

    /// The effects by their path.
    pub fn iter(&self) -> impl Iterator<Item = (&DocumentPath, &Effect)> {
        self.by_path.iter()
    }

    /// The bytes of all values, about.
    pub fn size(&self) -> usize {
        self.size
    }

    /// How many names the paths have, all of them together.
    pub fn names(&self) -> usize {
        self.names
    }
}

#[cfg(test)]
mod tests {
    use super::super::Refusal;
    use super::super::document::{difference, operate};
    use super::super::draft::Draft;
    use super::*;
    use proptest::prelude::*;
    use viewfold_value::Item;

    fn number() -> impl Strategy<Value = Number> {
        (-9i32..10).prop_map(|n| Number::parse(&n.to_string()).unwrap())
    }

    fn set() -> impl Strategy<Value = Value> {
        prop_oneof![
            prop::collection::btree_set("[ab]", 1..3).prop_map(Value::StringSet),
            prop::collection::btree_set(number(), 1..3).prop_map(Value::NumberSet),
        ]
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            number().prop_map(Value::Number),
            "[ab]".prop_map(Value::String),
            set(),
            Just(Value::Null),
            prop::collection::vec(number().prop_map(Value::Number), 0..2).prop_map(Value::List),
            prop::collection::btree_map("[xy]", number().prop_map(Value::Number), 0..2).prop_map(Value::Map),
        ]
    }

    fn operation() -> impl Strategy<Value = Operation> {
        let append = |value| Operation::Append(vec![Append { value, last: None, by: None, unique_by: None }]);
        prop_oneof![
            3 => number().prop_map(Operation::Add),
            1 => set().prop_map(Operation::AddSet),
            2 => value().prop_map(Operation::Set),
            2 => value().prop_map(Operation::SetOnce),
            1 => value().prop_map(append),
            1 => Just(Operation::Remove),
            1 => set().prop_map(Operation::RemoveFrom),
            1 => number().prop_map(|number| Operation::Max(Value::Number(number))),
        ]
    }

    fn path() -> impl Strategy<Value = DocumentPath> {
        prop_oneof![
            2 => "[012]".prop_map(|name| DocumentPath::from(vec![name])),
            1 => ("[01]", "[xy]").prop_map(|(root, name)| DocumentPath::from(vec![root, name])),
        ]
    }

    fn operations() -> impl Strategy<Value = Operations> {
        prop::collection::vec((path(), operation()), 1..4).prop_map(|all| {
            let mut operations = Operations::default();
            for (path, operation) in all {
                // What contradicts what is there is an event's error, and not the fold's matter.
                let _ = operations.insert(path, operation, "rule");
            }
            operations
        })
    }

    /// What DynamoDB does with an effect, by its documentation of update expressions. Maps on the way have to be there.
    fn carry_out(document: &Item, effects: &Effects) -> Option<Item> {
        let mut after = document.clone();
        for (path, effect) in effects.iter() {
            let parent = &path.0[..path.0.len() - 1];
            if !parent.is_empty() && !matches!(DocumentPath::from(parent).get(document), Some(Value::Map(_))) {
                return None;
            }
            let before = path.get(document);
            let value = match (effect, before) {
                (Effect::Remove, _) => {
                    path.remove(&mut after);
                    continue;
                }
                (Effect::Set(value), _) | (Effect::SetOnce(value), None) => value.clone(),
                (Effect::SetOnce(_), Some(value)) => value.clone(),
                (Effect::Add(n), None) => Value::Number(*n),
                (Effect::Add(n), Some(Value::Number(before))) => Value::Number(before.checked_add(*n).ok()?),
                (Effect::AddSet(set), None) => set.clone(),
                (Effect::AddSet(set), Some(before)) => union(before, set)?,
                (Effect::SetOnceThenAdd(first, n), None) => Value::Number(first.checked_add(*n).ok()?),
                (Effect::SetOnceThenAdd(_, n), Some(Value::Number(before))) => {
                    Value::Number(before.checked_add(*n).ok()?)
                }
                (Effect::Add(_) | Effect::SetOnceThenAdd(..), Some(_)) => return None,
                (Effect::Append(list), None) => Value::List(list.clone()),
                (Effect::Append(list), Some(Value::List(before))) => Value::List([&before[..], &list[..]].concat()),
                (Effect::Append(_), Some(_)) => return None,
                (Effect::RemoveFrom(_), None) => continue,
                (Effect::RemoveFrom(set), Some(before)) => match difference(before, set)? {
                    Some(rest) => rest,
                    None => {
                        path.remove(&mut after);
                        continue;
                    }
                },
            };
            path.set(&mut after, value).ok()?;
        }
        Some(after)
    }

    /// Whether the maps on the way to all nested paths are there from the beginning.
    fn has_parents(document: &Item, effects: &Effects) -> bool {
        effects.iter().all(|(path, _)| !path.is_nested() || matches!(document.get(path.root()), Some(Value::Map(_))))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        /// Effects written at once leave what the plain fold leaves, on every document; where the plain fold refuses an
        /// event, the write is refused too, so that the culprit can be looked for.
        #[test]
        fn merged_is_one_by_one(
            document in prop::collection::btree_map("[012]", value(), 0..4),
            events in prop::collection::vec(operations(), 1..8),
        ) {
            let mut effects = Effects::default();
            let mut plain: Result<Item, Refusal> = Ok(document.clone());
            for operations in &events {
                let Some(merged) = effects.with(operations) else { break };
                effects.become_merged(merged);
                plain = plain.and_then(|mut document| {
                    operate(&mut Draft::new(&mut document), operations, "by").map(|()| document)
                });
            }
            // Where a map is missing on the way, DynamoDB takes another form of the write: that is the plan's matter.
            if has_parents(&document, &effects) {
                prop_assert_eq!(carry_out(&document, &effects), plain.ok());
            }
        }

        /// Folding a run of events in two parts, cut anywhere, is folding it at once.
        #[test]
        fn in_parts_is_at_once(
            document in prop::collection::btree_map("[012]", value(), 0..4),
            events in prop::collection::vec(operations(), 1..8),
            cut in 0usize..8,
        ) {
            let fold = |document: &Item, events: &[Operations]| -> Option<Item> {
                let mut effects = Effects::default();
                for operations in events {
                    effects.become_merged(effects.with(operations)?);
                }
                carry_out(document, &effects)
            };
            let cut = cut.min(events.len());
            let (first, second) = events.split_at(cut);
            let parts = fold(&document, first).and_then(|document| fold(&document, second));
            if let (Some(whole), Some(parts)) = (fold(&document, &events), parts) {
                prop_assert_eq!(whole, parts);
            }
        }
    }
}
