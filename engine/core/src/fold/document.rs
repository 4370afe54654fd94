//! The plain fold: one event on one document.

use crate::evaluate::Operation;
use std::collections::BTreeMap;
use viewfold_value::{Item, Kind, NumberError, Value};

/// Why a document does not take an operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The attribute holds a value of another type than the operation works on.
    Type {
        /// The attribute.
        attribute: String,
        /// What it holds.
        found: Kind,
    },
    /// The sum is no number that DynamoDB holds exactly.
    Sum {
        /// The attribute.
        attribute: String,
        /// What is wrong with it.
        error: NumberError,
    },
}

/// The document after an event's operations; `document` is none where there is none yet.
///
/// All operations see the document as it was before the event, and either all of them happen or none.
///
/// # Errors
///
/// When an attribute's value does not take its operation. DynamoDB refuses the same writes.
pub fn apply<'n>(
    document: &Item,
    operations: &BTreeMap<usize, Operation>,
    name: impl Fn(usize) -> &'n str,
) -> Result<Item, Refusal> {
    let mut after = document.clone();
    for (attribute, operation) in operations {
        let name = name(*attribute);
        let before = document.get(name);
        let wrong_type = |found: &Value| Refusal::Type { attribute: name.to_owned(), found: found.kind() };
        let value = match (operation, before) {
            (Operation::Remove, _) => {
                after.remove(name);
                continue;
            }
            (Operation::Set(value), _) => value.clone(),
            (Operation::SetOnce(_), Some(_)) => continue,
            (Operation::SetOnce(value), None) => value.clone(),
            (Operation::Add(number), None) => Value::Number(*number),
            (Operation::Add(number), Some(Value::Number(before))) => {
                let sum = before.checked_add(*number);
                Value::Number(sum.map_err(|error| Refusal::Sum { attribute: name.to_owned(), error })?)
            }
            (Operation::AddSet(set), None) => set.clone(),
            (Operation::AddSet(set), Some(before)) => union(before, set).ok_or_else(|| wrong_type(before))?,
            (Operation::Add(_), Some(other)) => return Err(wrong_type(other)),
        };
        after.insert(name.to_owned(), value);
    }
    Ok(after)
}

/// The union of two sets of one type.
pub(super) fn union(a: &Value, b: &Value) -> Option<Value> {
    match (a, b) {
        (Value::StringSet(a), Value::StringSet(b)) => Some(Value::StringSet(a.union(b).cloned().collect())),
        (Value::NumberSet(a), Value::NumberSet(b)) => Some(Value::NumberSet(a.union(b).copied().collect())),
        (Value::BinarySet(a), Value::BinarySet(b)) => Some(Value::BinarySet(a.union(b).cloned().collect())),
        _ => None,
    }
}
