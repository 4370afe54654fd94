//! What the operations of many events do to a document, in a form that one update expression can say.

use super::document::union;
use crate::evaluate::Operation;
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
    /// `REMOVE a`
    Remove,
}

impl From<Operation> for Effect {
    fn from(operation: Operation) -> Effect {
        match operation {
            Operation::Add(number) => Effect::Add(number),
            Operation::AddSet(set) => Effect::AddSet(set),
            Operation::Set(value) => Effect::Set(value),
            Operation::SetOnce(value) => Effect::SetOnce(value),
            Operation::Remove => Effect::Remove,
        }
    }
}

impl Effect {
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
            _ => return None,
        })
    }

    /// The bytes of the effect's values and its part of the expression, about.
    fn size(&self) -> usize {
        16 + match self {
            Effect::Add(number) => number.size(),
            Effect::AddSet(value) | Effect::Set(value) | Effect::SetOnce(value) => value.size(),
            Effect::SetOnceThenAdd(first, number) => first.size() + number.size(),
            Effect::Remove => 0,
        }
    }
}

/// What the operations of some events do to a document, attribute by attribute.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Effects {
    by_attribute: BTreeMap<usize, Effect>,
    size: usize,
}

/// What an event would make of a document's effects: see [`Effects::with`].
#[derive(Debug)]
pub struct Merged {
    effects: Vec<(usize, Effect)>,
    /// How many attributes the effects then touch.
    pub attributes: usize,
    /// The bytes of all values then, about.
    pub size: usize,
}

impl Effects {
    /// What these effects and then an event's operations are together; nothing where no effect can say it.
    pub fn with(&self, operations: &BTreeMap<usize, Operation>) -> Option<Merged> {
        let mut merged = Merged {
            effects: Vec::with_capacity(operations.len()),
            attributes: self.by_attribute.len(),
            size: self.size,
        };
        for (attribute, operation) in operations {
            let effect = match self.by_attribute.get(attribute) {
                None => {
                    merged.attributes += 1;
                    operation.clone().into()
                }
                Some(before) => {
                    merged.size -= before.size();
                    before.then(operation)?
                }
            };
            merged.size += effect.size();
            merged.effects.push((*attribute, effect));
        }
        Some(merged)
    }

    /// Makes these effects what [`Effects::with`] said.
    pub fn become_merged(&mut self, merged: Merged) {
        self.size = merged.size;
        self.by_attribute.extend(merged.effects);
    }

    /// The effects by the number of their attribute.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Effect)> {
        self.by_attribute.iter().map(|(attribute, effect)| (*attribute, effect))
    }

    /// The bytes of all values, about.
    pub fn size(&self) -> usize {
        self.size
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Refusal, apply};
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
        prop_oneof![number().prop_map(Value::Number), "[ab]".prop_map(Value::String), set(), Just(Value::Null)]
    }

    fn operation() -> impl Strategy<Value = Operation> {
        prop_oneof![
            3 => number().prop_map(Operation::Add),
            1 => set().prop_map(Operation::AddSet),
            2 => value().prop_map(Operation::Set),
            2 => value().prop_map(Operation::SetOnce),
            1 => Just(Operation::Remove),
        ]
    }

    /// What DynamoDB does with an effect, by its documentation of update expressions.
    fn carry_out(document: &Item, effects: &Effects) -> Option<Item> {
        let mut after = document.clone();
        for (attribute, effect) in effects.iter() {
            let name = attribute.to_string();
            let before = document.get(&name);
            let value = match (effect, before) {
                (Effect::Remove, _) => {
                    after.remove(&name);
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
            };
            after.insert(name, value);
        }
        Some(after)
    }

    proptest! {
        /// Effects written at once leave what the plain fold leaves, on every document; where the plain fold refuses an
        /// event, the write is refused too, so that the culprit can be looked for.
        #[test]
        fn merged_is_one_by_one(
            document in prop::collection::btree_map("[012]", value(), 0..4),
            events in prop::collection::vec(prop::collection::btree_map(0usize..3, operation(), 1..4), 1..8),
        ) {
            let names = ["0", "1", "2"];
            let mut effects = Effects::default();
            let mut plain: Result<Item, Refusal> = Ok(document.clone());
            for operations in &events {
                let Some(merged) = effects.with(operations) else { break };
                effects.become_merged(merged);
                plain = plain.and_then(|document| apply(&document, operations, |attribute| names[attribute]));
            }
            prop_assert_eq!(carry_out(&document, &effects), plain.ok());
        }

        /// Folding a run of events in two parts, cut anywhere, is folding it at once.
        #[test]
        fn in_parts_is_at_once(
            document in prop::collection::btree_map("[012]", value(), 0..4),
            events in prop::collection::vec(prop::collection::btree_map(0usize..3, operation(), 1..4), 1..8),
            cut in 0usize..8,
        ) {
            let fold = |document: &Item, events: &[BTreeMap<usize, Operation>]| -> Option<Item> {
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
