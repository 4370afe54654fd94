//! What an event does to the attributes of a document.

use super::term::{Scope, evaluate};
use crate::program::{
    DocumentPath, KeyLimits, OperationKind, OperationTerm, Projection, Rule, Target, TargetName, Term,
};
use crate::report::{Problem, Reason};
use crate::sorted_map::SortedMap;
use viewfold_value::{Number, Value};

/// How deep a value of a document may be nested ([limits]).
///
/// [limits]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const MAX_NESTING: usize = 32;

/// The most names on the way to an attribute.
const MAX_PATH: usize = 31;

/// The longest name of an attribute, in bytes.
const MAX_NAME_BYTES: usize = 65_535;

/// The largest item of DynamoDB, in bytes.
const MAX_ITEM_BYTES: usize = 400 << 10;

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
    /// Keeps the larger one.
    Max(Value),
    /// Keeps the smaller one.
    Min(Value),
    /// Appends to a list, one element after the other.
    Append(Vec<Append>),
    /// Removes.
    Remove,
    /// Removes the elements of a set from a set.
    RemoveFrom(Value),
}

impl Operation {
    /// The operation on an attribute, for people: `add total 3`.
    pub fn in_words(&self, path: &DocumentPath) -> String {
        let (word, value) = match self {
            Operation::Add(number) => ("add", number.to_string()),
            Operation::AddSet(value) => ("add", value.to_string()),
            Operation::Set(value) => ("set", value.to_string()),
            Operation::SetOnce(value) => ("set_once", value.to_string()),
            Operation::Max(value) => ("max", value.to_string()),
            Operation::Min(value) => ("min", value.to_string()),
            Operation::Append(elements) => {
                let values = elements.iter().map(|element| element.value.clone()).collect();
                ("append", Value::List(values).to_string())
            }
            Operation::Remove => return format!("remove {path}"),
            Operation::RemoveFrom(value) => ("remove_from", value.to_string()),
        };
        format!("{word} {path} {value}")
    }
}

/// An element for a list.
#[derive(Clone, PartialEq, Debug)]
pub struct Append {
    /// The element.
    pub value: Value,
    /// How many elements the list keeps.
    pub last: Option<usize>,
    /// What orders the elements, and the event's id for those that are equal.
    pub by: Option<(Value, String)>,
    /// The entry of the element that no other element may have equal.
    pub unique_by: Option<String>,
}

/// What an event does to a document.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Operations {
    /// By the attribute's path; no path leads through another.
    pub by_path: SortedMap<DocumentPath, Operation>,
    /// Whether the document is deleted.
    pub delete: bool,
}

impl Operations {
    /// None yet, with room for those of a rule.
    pub(super) fn of_rule(rule: &Rule) -> Operations {
        Operations { by_path: SortedMap::with_capacity(rule.operations.len()), delete: false }
    }

    /// Whether nothing happens.
    pub fn is_empty(&self) -> bool {
        self.by_path.is_empty() && !self.delete
    }

    /// Adds the operations of a rule, for one element where it has an `each`.
    ///
    /// # Errors
    ///
    /// A value that is missing or of the wrong type, and two operations on one path, numbers that are added apart.
    pub fn add_rule(&mut self, projection: &Projection, rule: &Rule, scope: &Scope<'_>) -> Result<(), Problem> {
        for term in &rule.operations {
            let Some(path) = path(&term.target, scope)? else { continue };
            let Some(operation) = operation(projection, term, &path, scope)? else { continue };
            // The elements of `each` come one after the other.
            let before = self.by_path.get_mut(&path).filter(|_| rule.each.is_some() && term.target.is_fixed());
            match before.and_then(|before| Some((before.then(&operation)?, before))) {
                Some((both, before)) => *before = both,
                None => self.insert(path, operation, &rule.name)?,
            }
        }
        self.delete |= rule.delete;
        Ok(())
    }

    /// Adds the operations of another rule, or of all elements of its `each`.
    ///
    /// # Errors
    ///
    /// As [`Operations::insert`], and where one of them deletes and another one changes.
    pub fn merge(&mut self, other: Operations, rule: &str) -> Result<(), Problem> {
        if self.by_path.is_empty() {
            self.by_path = other.by_path;
        } else {
            for (path, operation) in other.by_path {
                self.insert(path, operation, rule)?;
            }
        }
        self.delete |= other.delete;
        if self.delete && !self.by_path.is_empty() {
            let message = format!("the event both changes and deletes the document, `{rule}` is the second rule");
            return Err(Problem::new(Reason::Conflict, message));
        }
        Ok(())
    }

    /// Adds one operation.
    ///
    /// # Errors
    ///
    /// When there is one on the same path, or on one that leads through it.
    pub fn insert(&mut self, path: DocumentPath, operation: Operation, rule: &str) -> Result<(), Problem> {
        let conflict = |other: &DocumentPath| {
            let message = if *other == path {
                format!("two operations write `{path}` of the same document, the second one in `{rule}`")
            } else {
                format!("`{path}` and `{other}` of one document are written by one event, the second one in `{rule}`")
            };
            Problem::new(Reason::Conflict, message)
        };
        if let Some(before) = self.by_path.get_mut(&path) {
            return match (&*before, &operation) {
                (Operation::Add(a), Operation::Add(b)) => {
                    let sum = a.checked_add(*b).map_err(|error| {
                        Problem::new(Reason::BadNumber, format!("the sum for `{path}` is no number: {error}"))
                    })?;
                    *before = Operation::Add(sum);
                    Ok(())
                }
                (Operation::AddSet(a), Operation::AddSet(b)) => match crate::fold::union(a, b) {
                    Some(union) => {
                        *before = Operation::AddSet(union);
                        Ok(())
                    }
                    None => Err(conflict(&path)),
                },
                _ => Err(conflict(&path)),
            };
        }
        if let Some(other) = self.by_path.keys().find(|other| other.overlaps(&path)) {
            return Err(conflict(other));
        }
        self.by_path.insert(path, operation);
        Ok(())
    }
}

impl Operation {
    /// This operation and then one of the same rule; nothing where they are of two kinds.
    fn then(&self, next: &Operation) -> Option<Operation> {
        let larger = |a: &Value, b: &Value| crate::fold::compare(a, b).map(|order| order.is_lt());
        Some(match (self, next) {
            (Operation::Set(_), Operation::Set(_)) | (Operation::Remove, Operation::Remove) => next.clone(),
            (Operation::SetOnce(_), Operation::SetOnce(_)) => self.clone(),
            (Operation::Max(a), Operation::Max(b)) => (if larger(a, b)? { next } else { self }).clone(),
            (Operation::Min(a), Operation::Min(b)) => (if larger(b, a)? { next } else { self }).clone(),
            (Operation::RemoveFrom(a), Operation::RemoveFrom(b)) => Operation::RemoveFrom(crate::fold::union(a, b)?),
            (Operation::Append(a), Operation::Append(b)) => Operation::Append([a.as_slice(), b.as_slice()].concat()),
            _ => return None,
        })
    }
}

/// The path of a target; nothing where one of its names is nothing.
fn path(target: &Target, scope: &Scope<'_>) -> Result<Option<DocumentPath>, Problem> {
    if let Some(path) = target.fixed.as_ref().filter(|path| path.0.len() <= MAX_PATH) {
        return Ok(Some(path.clone()));
    }
    let mut names = Vec::with_capacity(target.names.len());
    for name in &target.names {
        names.push(match name {
            TargetName::Fixed(name) => name.clone(),
            TargetName::Dynamic(term) => match evaluate(term, scope)? {
                None => return Ok(None),
                Some(Value::String(name)) if name.is_empty() => {
                    let message = format!("a name in `{}` is empty, which DynamoDB does not allow", target.path);
                    return Err(Problem::new(Reason::BadKey, message));
                }
                Some(Value::String(name)) if name.len() > MAX_NAME_BYTES => {
                    let message = format!("a name in `{}` has more than {MAX_NAME_BYTES} bytes", target.path);
                    return Err(Problem::new(Reason::BadKey, message));
                }
                Some(Value::String(name)) => name,
                Some(other) => {
                    let message = format!("a name in `{}` has to be a text, and {other} is none", target.path);
                    return Err(Problem::new(Reason::WrongType, message));
                }
            },
        });
    }
    if names.len() > MAX_PATH {
        let message = format!("`{}` is nested deeper than DynamoDB's {MAX_NESTING} levels", target.path);
        return Err(Problem::new(Reason::WrongType, message));
    }
    Ok(Some(DocumentPath::from(names)))
}

/// An operation with its value; nothing where the value is nothing.
fn operation(
    projection: &Projection,
    term: &OperationTerm,
    path: &DocumentPath,
    scope: &Scope<'_>,
) -> Result<Option<Operation>, Problem> {
    let Some(value_term) = term.kind.value() else { return Ok(Some(Operation::Remove)) };
    let word = term.kind.name();
    let value = evaluate(value_term, scope)
        .map_err(|problem| Problem::new(problem.reason, format!("`{word}` of `{path}`: {}", problem.message)))?;
    let Some(value) = value else { return Ok(None) };
    if !path.is_nested()
        && let Some((_, limits)) = projection.index_keys.iter().find(|(name, _)| name == path.root())
    {
        check_key(&value, *limits, || format!("`{path}`, a key of an index,"), value_term)?;
    }
    let wrong = |takes: &str, value: &Value| {
        let message = format!("`{word}` on `{path}` takes {takes}, and {} is a {}", value_term.shown(), value.kind());
        Err(Problem::new(Reason::WrongType, message))
    };
    check_held(&value, path)?;
    if !path.is_nested() && projection.ttl.as_deref() == Some(path.root()) {
        check_ttl(&value, path.root())?;
    }
    let is_set = matches!(value, Value::StringSet(_) | Value::NumberSet(_) | Value::BinarySet(_));
    let is_ordered = matches!(value, Value::Number(_) | Value::String(_));
    Ok(Some(match (&term.kind, value) {
        (OperationKind::Add(_), Value::Number(number)) => Operation::Add(number),
        (OperationKind::Add(_), set) if is_set => Operation::AddSet(set),
        (OperationKind::Add(_), other) => return wrong("a number or a set", &other),
        (OperationKind::RemoveFrom(_), set) if is_set => Operation::RemoveFrom(set),
        (OperationKind::RemoveFrom(_), other) => return wrong("a set", &other),
        (OperationKind::Max(_), value) if is_ordered => Operation::Max(value),
        (OperationKind::Min(_), value) if is_ordered => Operation::Min(value),
        (OperationKind::Max(_) | OperationKind::Min(_), other) => return wrong("a number or a text", &other),
        (OperationKind::SetOnce(_), value) => Operation::SetOnce(value),
        (OperationKind::Append { last, by, unique_by, .. }, value) => {
            if let Some(name) = unique_by
                && !matches!(&value, Value::Map(map) if map.contains_key(name))
            {
                let message = format!("the element for `{path}` has no entry `{name}`, by which it is to be unique");
                return Err(Problem::new(Reason::MissingValue, message));
            }
            let by = by.as_ref().map(|term| order(term, path, scope)).transpose()?;
            Operation::Append(vec![Append { value, last: *last, by, unique_by: unique_by.clone() }])
        }
        (_, value) => Operation::Set(value),
    }))
}

/// Checks the value of the attribute by which DynamoDB lets documents expire: it takes nothing but whole epoch seconds, and
/// keeps a document with anything else for ever without a word.
pub(crate) fn check_ttl(value: &Value, name: &str) -> Result<(), Problem> {
    match value {
        Value::Number(number) if number.whole_digits().is_some() => Ok(()),
        other => {
            let message = format!("`{name}` is the TTL, which takes whole epoch seconds, and this is {other}");
            Err(Problem::new(Reason::WrongType, message))
        }
    }
}

/// Checks that an item of DynamoDB can hold a value. It refuses the write otherwise, the other events' part of it too, and
/// where a later event replaces the value again, even that would depend on the batch.
fn check_held(value: &Value, path: &DocumentPath) -> Result<(), Problem> {
    if depth(value) + path.0.len() - 1 > MAX_NESTING {
        let message = format!("the value for `{path}` is nested deeper than DynamoDB's {MAX_NESTING} levels");
        return Err(Problem::new(Reason::WrongType, message));
    }
    if let Some(length) = bad_name(value) {
        let problem = match length {
            0 => "an empty name, which DynamoDB does not allow".to_owned(),
            length => format!("a name of {length} bytes; DynamoDB allows {MAX_NAME_BYTES}"),
        };
        return Err(Problem::new(Reason::BadKey, format!("a map in the value for `{path}` has {problem}")));
    }
    let size = value.size();
    if size > MAX_ITEM_BYTES {
        let message =
            format!("the value for `{path}` has {size} bytes; DynamoDB's items have {MAX_ITEM_BYTES} at most");
        return Err(Problem::new(Reason::TooLarge, message));
    }
    Ok(())
}

/// The bytes of a name in the value that DynamoDB does not take.
fn bad_name(value: &Value) -> Option<usize> {
    match value {
        Value::List(list) => list.iter().find_map(bad_name),
        Value::Map(map) => map.iter().find_map(|(name, value)| {
            let length = name.len();
            if length == 0 || length > MAX_NAME_BYTES { Some(length) } else { bad_name(value) }
        }),
        _ => None,
    }
}

/// What orders an element: a number or a text, and the event's id behind it.
fn order(term: &Term, path: &DocumentPath, scope: &Scope<'_>) -> Result<(Value, String), Problem> {
    let id = scope.event.map(|event| event.metadata.id.to_string()).unwrap_or_default();
    match evaluate(term, scope)? {
        Some(value @ (Value::Number(_) | Value::String(_))) => Ok((value, id)),
        Some(other) => {
            let message =
                format!("`by` of `{path}` takes a number or a text, and {} is a {}", term.shown(), other.kind());
            Err(Problem::new(Reason::WrongType, message))
        }
        None => {
            let message = format!("`by` of `{path}` has no value: {} finds nothing", term.shown());
            Err(Problem::new(Reason::MissingValue, message))
        }
    }
}

/// Checks a value that has to be a key of the table or of an index. DynamoDB refuses the write otherwise.
pub(super) fn check_key(
    value: &Value,
    limits: KeyLimits,
    what: impl Fn() -> String,
    term: &Term,
) -> Result<(), Problem> {
    let KeyLimits { kind, max_bytes } = limits;
    if value.kind() != kind {
        let message = format!("{} is a {kind}, and {} is a {}", what(), term.shown(), value.kind());
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

fn depth(value: &Value) -> usize {
    match value {
        Value::List(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Map(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
