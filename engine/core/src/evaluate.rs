//! A matching rule and an event to the change of a document.

use crate::event::Event;
use crate::program::{
    Attribute, KeyLimits, MAX_PARTITION_KEY_BYTES, MAX_SORT_KEY_BYTES, OperationKind, OperationTerm, Projection, Rule,
    Term, key_kind,
};
use crate::report::{Problem, Reason};
use std::collections::BTreeMap;
use viewfold_value::{Item, Number, Value};

/// How deep a value of a document may be nested.
const MAX_NESTING: usize = 32;

/// The key of a document: a value for each key attribute of its table, in the table's order.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct DocumentKey(pub Vec<Value>);

impl DocumentKey {
    /// The key as attributes of the projection's table.
    pub fn item(&self, projection: &Projection) -> Item {
        projection.table.keys().map(|key| key.name.clone()).zip(self.0.iter().cloned()).collect()
    }
}

/// What an event does to one attribute.
#[derive(Clone, PartialEq, Debug)]
pub enum Operation {
    /// Adds a number, from 0.
    Add(Number),
    /// Adds the elements of a set.
    AddSet(Value),
    /// Sets.
    Set(Value),
    /// Sets unless present.
    SetOnce(Value),
    /// Removes.
    Remove,
}

/// What an event does to one document.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// Which document.
    pub document: DocumentKey,
    /// What happens to each attribute, by the attribute's number in the projection.
    pub operations: BTreeMap<usize, Operation>,
}

/// The changes of an event, given the rules of one projection that match it: one for each document.
///
/// All rules are evaluated before any of them counts: one error is the whole event's.
///
/// # Errors
///
/// A value that is missing or of the wrong type, a key that is none, two rules that write the same attribute.
pub fn changes(event: &Event, projection: &Projection, rules: &[&Rule]) -> Result<Vec<Change>, Problem> {
    let mut changes: Vec<Change> = Vec::new();
    for rule in rules {
        let document = key(event, projection, rule)?;
        let at = match changes.iter().position(|change| change.document == document) {
            Some(at) => at,
            None => {
                changes.push(Change { document, operations: BTreeMap::new() });
                changes.len() - 1
            }
        };
        for term in &rule.operations {
            let attribute = &projection.attributes[term.attribute];
            let Some(operation) = operation(event, term, attribute)? else { continue };
            let merged = match changes[at].operations.remove(&term.attribute) {
                None => operation,
                Some(before) => both(before, operation).ok_or_else(|| {
                    let message = format!(
                        "two rules write `{}` of the same document, `{}` is the second",
                        attribute.name, rule.name
                    );
                    Problem::new(Reason::Conflict, message)
                })?,
            };
            changes[at].operations.insert(term.attribute, merged);
        }
    }
    changes.retain(|change| !change.operations.is_empty());
    Ok(changes)
}

/// Two operations of one event on one attribute: numbers that are added sum, anything else contradicts itself.
fn both(first: Operation, second: Operation) -> Option<Operation> {
    match (first, second) {
        (Operation::Add(a), Operation::Add(b)) => a.checked_add(b).ok().map(Operation::Add),
        _ => None,
    }
}

fn key(event: &Event, projection: &Projection, rule: &Rule) -> Result<DocumentKey, Problem> {
    let limits = [MAX_PARTITION_KEY_BYTES, MAX_SORT_KEY_BYTES];
    let values = projection.table.keys().zip(&rule.key).zip(limits).map(|((attribute, term), max_bytes)| {
        let name = &attribute.name;
        let value = evaluate(event, term)?.ok_or_else(|| {
            let message = format!("the key `{name}` has no value: {} finds nothing", shown(term));
            Problem::new(Reason::MissingValue, message)
        })?;
        let limits = KeyLimits { kind: key_kind(attribute.kind), max_bytes };
        check_key(&value, limits, || format!("the key `{name}`"), term)?;
        Ok(value)
    });
    values.collect::<Result<_, _>>().map(DocumentKey)
}

/// Checks a value that has to be a key of the table or of an index. DynamoDB refuses the write otherwise.
fn check_key(value: &Value, limits: KeyLimits, what: impl Fn() -> String, term: &Term) -> Result<(), Problem> {
    let KeyLimits { kind, max_bytes } = limits;
    if value.kind() != kind {
        let message = format!("{} is a {kind}, and {} is a {}", what(), shown(term), value.kind());
        return Err(Problem::new(Reason::WrongType, message));
    }
    match value.size() {
        0 => Err(Problem::new(Reason::BadKey, format!("{} is empty, which DynamoDB does not allow", what()))),
        size if size > max_bytes => {
            let message = format!("{} has {size} bytes; DynamoDB allows {max_bytes}", what());
            Err(Problem::new(Reason::BadKey, message))
        }
        _ => Ok(()),
    }
}

/// An operation with its value; nothing where the value is nothing.
fn operation(event: &Event, term: &OperationTerm, attribute: &Attribute) -> Result<Option<Operation>, Problem> {
    let Some(value_term) = &term.value else { return Ok(Some(Operation::Remove)) };
    let Some(value) = evaluate(event, value_term)? else { return Ok(None) };
    let name = &attribute.name;
    if let Some(limits) = attribute.index_key {
        check_key(&value, limits, || format!("`{name}`, a key of an index,"), value_term)?;
    }
    Ok(Some(match (term.kind, value) {
        (OperationKind::Add, Value::Number(number)) => Operation::Add(number),
        (OperationKind::Add, set @ (Value::StringSet(_) | Value::NumberSet(_) | Value::BinarySet(_))) => {
            Operation::AddSet(set)
        }
        (OperationKind::Add, other) => {
            let message =
                format!("`add` to `{name}` takes a number or a set, and {} is a {}", shown(value_term), other.kind());
            return Err(Problem::new(Reason::WrongType, message));
        }
        (kind, value) => {
            if depth(&value) > MAX_NESTING {
                let message = format!("the value for `{name}` is nested deeper than DynamoDB's {MAX_NESTING} levels");
                return Err(Problem::new(Reason::WrongType, message));
            }
            match kind {
                OperationKind::SetOnce => Operation::SetOnce(value),
                _ => Operation::Set(value),
            }
        }
    }))
}

fn depth(value: &Value) -> usize {
    match value {
        Value::List(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Map(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// The value of a term; nothing where an optional path finds nothing.
///
/// # Errors
///
/// Where a path that is not optional finds nothing, or a value that cannot be used.
pub fn evaluate(event: &Event, term: &Term) -> Result<Option<Value>, Problem> {
    Ok(Some(match term {
        Term::Constant(value) => value.clone(),
        Term::Event { subject, optional, path } => {
            match event
                .value(*subject)
                .map_err(|reason| Problem::new(Reason::BadNumber, format!("{path}: {reason}")))?
            {
                Some(value) => value.into_owned(),
                None if *optional => return Ok(None),
                None => return Err(Problem::new(Reason::MissingValue, format!("{path} finds nothing"))),
            }
        }
        Term::List(terms) => {
            let values = terms.iter().map(|term| evaluate(event, term));
            Value::List(values.filter_map(Result::transpose).collect::<Result<_, _>>()?)
        }
        Term::Map(terms) => {
            let entries =
                terms.iter().map(|(name, term)| Ok(evaluate(event, term)?.map(|value| (name.clone(), value))));
            Value::Map(entries.filter_map(Result::transpose).collect::<Result<_, Problem>>()?)
        }
    }))
}

/// A term for people: the path as it was written, or the value.
fn shown(term: &Term) -> String {
    match term {
        Term::Constant(value) => value.to_string(),
        Term::Event { path, .. } => path.to_string(),
        Term::List(_) => "the list".to_owned(),
        Term::Map(_) => "the map".to_owned(),
    }
}
