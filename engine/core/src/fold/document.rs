//! The plain fold: one event on one document.

use super::append::append;
use super::draft::Draft;
use crate::evaluate::{Operation, Operations, Scope, check_ttl, evaluate};
use crate::program::{DocumentPath, Projection, Term};
use crate::report::{Problem, Reason};
use std::cmp::Ordering;
use viewfold_value::{Item, Kind, NumberError, Value};

/// Why a document does not take an operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The attribute, or a map on the way to it, holds a value of another type than the operation works on.
    Type {
        /// The attribute.
        attribute: DocumentPath,
        /// What it holds.
        found: Kind,
    },
    /// `max` or `min` of two values that do not compare.
    Mixed {
        /// The attribute.
        attribute: DocumentPath,
        /// What it holds.
        found: Kind,
        /// What the event brings.
        given: Kind,
    },
    /// The sum is no number that DynamoDB holds exactly.
    Sum {
        /// The attribute.
        attribute: DocumentPath,
        /// What is wrong with it.
        error: NumberError,
    },
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        match refusal {
            Refusal::Type { attribute, found } => {
                let message = format!("`{attribute}` of the document is a {found}, which the operation does not take");
                Problem::new(Reason::WrongType, message)
            }
            Refusal::Mixed { attribute, found, given } => {
                let message = format!("`{attribute}` of the document is a {found}, and the event's value is a {given}");
                Problem::new(Reason::WrongType, message)
            }
            Refusal::Sum { attribute, error } => {
                Problem::new(Reason::BadNumber, format!("the sum in `{attribute}` of the document: {error}"))
            }
        }
    }
}

/// The document after an event; `document` is empty where there is none yet, and so is what is returned where the event
/// deletes it.
///
/// All operations see the document as it was before the event, and either all of them happen or none. `derive` and
/// `delete_when` see it as it is behind them.
///
/// # Errors
///
/// When an attribute's value does not take its operation (DynamoDB refuses the same writes), or `derive` or
/// `delete_when` has no value.
pub fn apply(document: &Item, operations: &Operations, key: &Item, projection: &Projection) -> Result<Item, Problem> {
    let mut after = document.clone();
    Ok(if apply_to(&mut after, operations, key, projection)? { after } else { Item::new() })
}

/// As [`apply`], on the document where it stands: whether there still is one. Where the event deletes it, nothing of what is left
/// of it means anything.
///
/// # Errors
///
/// As [`apply`]; the document is as it was then.
pub(super) fn apply_to(
    document: &mut Item,
    operations: &Operations,
    key: &Item,
    projection: &Projection,
) -> Result<bool, Problem> {
    if operations.delete {
        return Ok(false);
    }
    let mut draft = Draft::new(document);
    let done = operate(&mut draft, operations, projection.ways.by.root())
        .map_err(Problem::from)
        .and_then(|()| finish(&mut draft, key, projection));
    if done.is_err() {
        draft.take_back();
    }
    done
}

/// Carries out an event's operations alone; what orders the elements of lists is kept in `by_attribute`. On an error it may have
/// done a part of them.
pub(super) fn operate(draft: &mut Draft<'_>, operations: &Operations, by_attribute: &str) -> Result<(), Refusal> {
    // Every operation sees the document as it was before all of them.
    let written = operations
        .by_path
        .iter()
        .map(|(path, operation)| Ok::<_, Refusal>((path, outcome(draft.document(), path, operation, by_attribute)?)));
    for (path, written) in written.collect::<Result<Vec<_>, _>>()? {
        let (value, orders) = match written {
            Written::Nothing => continue,
            Written::Removed => {
                draft.remove(path);
                continue;
            }
            Written::Value(value) => (value, None),
            Written::Ordered(value, orders) => (value, Some(orders)),
        };
        if let Some(orders) = orders {
            let at = orders_path(by_attribute, path);
            // The attribute is our own: whatever else stands there is replaced.
            if draft.set(&at, orders.clone()).is_err() {
                draft.remove(&DocumentPath::attribute(by_attribute));
                draft.set(&at, orders).map_err(|attribute| Refusal::Type { attribute, found: Kind::Map })?;
            }
        }
        if let Err(attribute) = draft.set(path, value) {
            let found = attribute.get(draft.document()).map_or(Kind::Null, Value::kind);
            return Err(Refusal::Type { attribute, found });
        }
    }
    Ok(())
}

/// Where what orders the elements of a list is kept.
fn orders_path(by_attribute: &str, list: &DocumentPath) -> DocumentPath {
    DocumentPath::from(vec![by_attribute.to_owned(), list.to_string()])
}

/// Gives the document its key and what is derived from it; whether it stays.
fn finish(draft: &mut Draft<'_>, key: &Item, projection: &Projection) -> Result<bool, Problem> {
    for (name, value) in key {
        if draft.document().get(name) != Some(value) {
            put(draft, &DocumentPath::attribute(name), value.clone());
        }
    }
    // What goes needs nothing derived, unless the condition looks at that.
    let early = projection.delete_when.as_ref().filter(|_| !projection.ways.goes_by_derived);
    if let Some(condition) = early
        && goes(condition, draft.document())?
    {
        return Ok(false);
    }
    for ((name, term), path) in projection.derive.iter().zip(&projection.ways.derived) {
        let scope = Scope { document: Some(draft.document()), ..Scope::default() };
        let value = evaluate(term, &scope).map_err(|problem| {
            let help = match problem.reason {
                Reason::MissingValue => "; `default(x, 0)` gives one that is not there yet",
                _ => "",
            };
            Problem::new(problem.reason, format!("`derive` of `{name}`: {}{help}", problem.message))
        })?;
        match value {
            Some(value) => {
                if let Some((_, limits)) = projection.index_keys.iter().find(|(key, _)| key == name)
                    && (value.kind() != limits.kind || value.size() == 0)
                {
                    let message = format!("`derive` of `{name}`, a key of an index, gives {value}");
                    return Err(Problem::new(Reason::WrongType, message));
                }
                if projection.ttl.as_deref() == Some(name) {
                    check_ttl(&value, name)?;
                }
                put(draft, path, value);
            }
            None => draft.remove(path),
        }
    }
    if let (Some(condition), None) = (&projection.delete_when, early)
        && goes(condition, draft.document())?
    {
        return Ok(false);
    }
    Ok(true)
}

/// Puts a top-level attribute there: nothing can be in the way.
fn put(draft: &mut Draft<'_>, path: &DocumentPath, value: Value) {
    drop(draft.set(path, value));
}

/// Whether `delete_when` says that the document goes.
fn goes(condition: &Term, after: &Item) -> Result<bool, Problem> {
    match evaluate(condition, &Scope { document: Some(after), ..Scope::default() }) {
        Ok(Some(Value::Bool(goes))) => Ok(goes),
        Ok(Some(other)) => {
            let message = format!("`delete_when` has to be true or false, and is {other}");
            Err(Problem::new(Reason::WrongType, message))
        }
        // What the condition looks at is not there: nothing says that the document has to go.
        Ok(None) | Err(Problem { reason: Reason::MissingValue, .. }) => Ok(false),
        Err(problem) => Err(Problem::new(problem.reason, format!("`delete_when`: {}", problem.message))),
    }
}

/// What an operation makes of an attribute.
enum Written {
    /// It stays as it is.
    Nothing,
    /// It goes.
    Removed,
    /// This is its value.
    Value(Value),
    /// This list, and what orders its elements.
    Ordered(Value, Value),
}

/// What an operation makes of an attribute of a document.
fn outcome(
    document: &Item,
    path: &DocumentPath,
    operation: &Operation,
    by_attribute: &str,
) -> Result<Written, Refusal> {
    let before = path.get(document);
    let wrong_type = |found: &Value| Refusal::Type { attribute: path.clone(), found: found.kind() };
    Ok(Written::Value(match (operation, before) {
        (Operation::Remove, _) => return Ok(Written::Removed),
        (Operation::Set(value), _) => value.clone(),
        (Operation::SetOnce(_), Some(_)) => return Ok(Written::Nothing),
        (Operation::SetOnce(value), None) => value.clone(),
        (Operation::Add(number), None) => Value::Number(*number),
        (Operation::Add(number), Some(Value::Number(before))) => {
            let sum = before.checked_add(*number);
            Value::Number(sum.map_err(|error| Refusal::Sum { attribute: path.clone(), error })?)
        }
        (Operation::AddSet(set), None) => set.clone(),
        (Operation::AddSet(set), Some(before)) => union(before, set).ok_or_else(|| wrong_type(before))?,
        (Operation::Add(_), Some(other)) => return Err(wrong_type(other)),
        (Operation::Max(value) | Operation::Min(value), None) => value.clone(),
        (Operation::Max(value) | Operation::Min(value), Some(before))
            if before.kind() != value.kind() && compare(before, before).is_some() =>
        {
            return Err(Refusal::Mixed { attribute: path.clone(), found: before.kind(), given: value.kind() });
        }
        (Operation::Max(value), Some(before)) => match compare(before, value).ok_or_else(|| wrong_type(before))? {
            Ordering::Less => value.clone(),
            _ => return Ok(Written::Nothing),
        },
        (Operation::Min(value), Some(before)) => match compare(before, value).ok_or_else(|| wrong_type(before))? {
            Ordering::Greater => value.clone(),
            _ => return Ok(Written::Nothing),
        },
        (Operation::Append(elements), before) => {
            let mut list = match before {
                None => Vec::new(),
                Some(Value::List(list)) => list.clone(),
                Some(other) => return Err(wrong_type(other)),
            };
            let is_ordered = elements.iter().any(|element| element.by.is_some());
            let at = is_ordered.then(|| orders_path(by_attribute, path));
            let stored = at.as_ref().and_then(|at| at.get(document));
            let mut orders = None;
            for element in elements {
                let (longer, next) = append(&list, orders.as_ref().or(stored), element);
                list = longer;
                orders = next.or(orders);
            }
            match orders {
                Some(orders) => return Ok(Written::Ordered(Value::List(list), orders)),
                None => Value::List(list),
            }
        }
        (Operation::RemoveFrom(_), None) => return Ok(Written::Nothing),
        (Operation::RemoveFrom(set), Some(before)) => {
            match difference(before, set).ok_or_else(|| wrong_type(before))? {
                Some(rest) => rest,
                // DynamoDB has no empty sets: the attribute goes with its last element.
                None => return Ok(Written::Removed),
            }
        }
    }))
}

/// The order of two numbers, or of two texts by their bytes; nothing for anything else.
pub(crate) fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Some(a.cmp(b)),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// The union of two sets of one type.
pub(crate) fn union(a: &Value, b: &Value) -> Option<Value> {
    match (a, b) {
        (Value::StringSet(a), Value::StringSet(b)) => Some(Value::StringSet(a.union(b).cloned().collect())),
        (Value::NumberSet(a), Value::NumberSet(b)) => Some(Value::NumberSet(a.union(b).copied().collect())),
        (Value::BinarySet(a), Value::BinarySet(b)) => Some(Value::BinarySet(a.union(b).cloned().collect())),
        _ => None,
    }
}

/// A set without the elements of another one of its type; nothing in the inner place where none is left.
pub(super) fn difference(a: &Value, b: &Value) -> Option<Option<Value>> {
    let rest = match (a, b) {
        (Value::StringSet(a), Value::StringSet(b)) => Value::StringSet(a.difference(b).cloned().collect()),
        (Value::NumberSet(a), Value::NumberSet(b)) => Value::NumberSet(a.difference(b).copied().collect()),
        (Value::BinarySet(a), Value::BinarySet(b)) => Value::BinarySet(a.difference(b).cloned().collect()),
        _ => return None,
    };
    let empty = match &rest {
        Value::StringSet(set) => set.is_empty(),
        Value::NumberSet(set) => set.is_empty(),
        Value::BinarySet(set) => set.is_empty(),
        _ => false,
    };
    Some((!empty).then_some(rest))
}
