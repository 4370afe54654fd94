//! Functions of lists, maps and sets.

use super::{expression, text_at};
use crate::report::{Problem, Reason};
use std::collections::BTreeSet;
use viewfold_value::{Number, Value};

pub(super) fn len(arguments: &[Value]) -> Result<Value, Problem> {
    let count = match arguments.first() {
        Some(Value::String(text)) => text.chars().count(),
        Some(Value::Binary(bytes)) => bytes.len(),
        Some(Value::Map(map)) => map.len(),
        Some(other) => elements(other).len(),
        None => 0,
    };
    count.to_string().parse().map(Value::Number).map_err(super::number::bad_number)
}

/// The elements of a list or set; none of anything else.
fn elements(value: &Value) -> Vec<Value> {
    match value {
        Value::List(list) => list.clone(),
        Value::StringSet(set) => set.iter().cloned().map(Value::String).collect(),
        Value::NumberSet(set) => set.iter().copied().map(Value::Number).collect(),
        Value::BinarySet(set) => set.iter().cloned().map(Value::Binary).collect(),
        _ => Vec::new(),
    }
}

pub(super) fn contains(arguments: &[Value]) -> Result<Value, Problem> {
    let [holder, wanted] = arguments else { return Err(expression("takes two values")) };
    Ok(Value::Bool(match (holder, wanted) {
        (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
        (Value::String(_), other) => {
            return Err(Problem::new(
                Reason::WrongType,
                format!("looks for a text in a text, not for a {}", other.kind()),
            ));
        }
        (holder, wanted) => elements(holder).contains(wanted),
    }))
}

pub(super) fn contains_any(arguments: &[Value]) -> Result<Value, Problem> {
    let [holder, wanted] = arguments else { return Err(expression("takes two values")) };
    let held = elements(holder);
    Ok(Value::Bool(elements(wanted).iter().any(|value| held.contains(value))))
}

pub(super) fn sum(arguments: &[Value]) -> Result<Value, Problem> {
    let values = match arguments.first() {
        Some(Value::Map(map)) => map.values().cloned().collect(),
        Some(other) => elements(other),
        None => Vec::new(),
    };
    let mut sum = Number::ZERO;
    for value in values {
        let Value::Number(number) = value else {
            return Err(Problem::new(Reason::WrongType, format!("adds numbers, and this is a {}", value.kind())));
        };
        sum = sum.checked_add(number).map_err(super::number::bad_number)?;
    }
    Ok(Value::Number(sum))
}

pub(super) fn top_key(arguments: &[Value]) -> Result<Value, Problem> {
    let Some(Value::Map(map)) = arguments.first() else { return Err(expression("takes a map")) };
    let mut top: Option<(&String, Number)> = None;
    for (key, value) in map {
        let Value::Number(number) = value else {
            let message = format!("compares numbers, and `{key}` is a {}", value.kind());
            return Err(Problem::new(Reason::WrongType, message));
        };
        if top.is_none_or(|(_, highest)| *number > highest) {
            top = Some((key, *number));
        }
    }
    top.map(|(key, _)| Value::String(key.clone()))
        .ok_or_else(|| Problem::new(Reason::MissingValue, "the map is empty and has no top key"))
}

pub(super) fn get(arguments: &[Value]) -> Result<Value, Problem> {
    let Some(Value::Map(map)) = arguments.first() else { return Err(expression("takes a map")) };
    let key = text_at(arguments, 1)?;
    map.get(key).cloned().ok_or_else(|| Problem::new(Reason::MissingValue, format!("the map has no entry `{key}`")))
}

pub(super) fn set(arguments: &[Value]) -> Result<Value, Problem> {
    let mut values = Vec::new();
    for argument in arguments {
        match argument {
            Value::List(_) | Value::StringSet(_) | Value::NumberSet(_) | Value::BinarySet(_) => {
                values.extend(elements(argument));
            }
            single => values.push(single.clone()),
        }
    }
    let mut texts = BTreeSet::new();
    let mut numbers = BTreeSet::new();
    let mut binaries = BTreeSet::new();
    for value in values {
        match value {
            Value::String(text) => drop(texts.insert(text)),
            Value::Number(number) => drop(numbers.insert(number)),
            Value::Binary(bytes) => drop(binaries.insert(bytes)),
            other => {
                let message = format!("a set holds texts, numbers or binary data, and this is a {}", other.kind());
                return Err(Problem::new(Reason::WrongType, message));
            }
        }
    }
    match (texts.is_empty(), numbers.is_empty(), binaries.is_empty()) {
        (false, true, true) => Ok(Value::StringSet(texts)),
        (true, false, true) => Ok(Value::NumberSet(numbers)),
        (true, true, false) => Ok(Value::BinarySet(binaries)),
        (true, true, true) => Err(expression("a set without elements is none: DynamoDB has no empty sets")),
        _ => Err(Problem::new(Reason::WrongType, "the elements of a set are all of one type")),
    }
}
