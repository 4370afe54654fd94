//! The values of terms.

use crate::event::Event;
use crate::expression::Binary;
use crate::functions::{Function, operators};
use crate::program::{Step, Term};
use crate::report::{Problem, Reason};
use std::borrow::Cow;
use viewfold_value::{Item, Value};

/// What terms are evaluated over.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'a> {
    /// The event (`$`, `$$`).
    pub event: Option<&'a Event>,
    /// The document (`doc`); empty where there is none yet.
    pub document: Option<&'a Item>,
    /// The element that `each` is at.
    pub element: Option<&'a Value>,
}

/// The longest text that is put together, in bytes: no item holds a longer one.
const MAX_TEXT_BYTES: usize = 400 << 10;

/// The value of a term; nothing where an optional path finds nothing, or an `if` without an `else` is not true. What is
/// made of nothing is nothing, but for lists and maps, which leave it out.
///
/// # Errors
///
/// Where a path that is not optional finds nothing, a value cannot be used, or an expression has no value.
pub fn evaluate(term: &Term, scope: &Scope<'_>) -> Result<Option<Value>, Problem> {
    Ok(value(term, scope)?.map(Cow::into_owned))
}

/// As [`evaluate`]; what stands somewhere already is borrowed from there.
fn value<'a>(term: &'a Term, scope: &Scope<'a>) -> Result<Option<Cow<'a, Value>>, Problem> {
    Ok(Some(Cow::Owned(match term {
        Term::Constant(value) => return Ok(Some(Cow::Borrowed(value))),
        Term::Event { subject, optional, path } => {
            let found = match scope.event {
                Some(event) => event
                    .value(*subject)
                    .map_err(|reason| Problem::new(Reason::BadNumber, format!("{path}: {reason}")))?,
                None => None,
            };
            return found_or_missing(found, *optional, path);
        }
        Term::Many { slot, query, optional, path } => {
            let root = match scope.event {
                Some(event) => event
                    .value(crate::program::Subject::Slot(*slot))
                    .map_err(|reason| Problem::new(Reason::BadNumber, format!("{path}: {reason}")))?,
                None => None,
            };
            let found = match root {
                Some(root) => query.find(&root).map_err(|error| Problem::new(Reason::Expression, error))?,
                None => Vec::new(),
            };
            if found.is_empty() && *optional {
                return Ok(None);
            }
            Value::List(found)
        }
        Term::Document { steps, optional, path } => {
            let found = scope.document.and_then(|document| match steps.split_first() {
                Some((Step::Name(name), rest)) => document.get(name).and_then(|value| walk(value, rest)),
                _ => None,
            });
            return found_or_missing(found.map(Cow::Borrowed), *optional, path);
        }
        Term::Element { steps, optional, path } => {
            let found = scope.element.and_then(|element| walk(element, steps));
            return found_or_missing(found.map(Cow::Borrowed), *optional, path);
        }
        Term::List(terms) => {
            let values = terms.iter().map(|term| evaluate(term, scope));
            Value::List(values.filter_map(Result::transpose).collect::<Result<_, _>>()?)
        }
        Term::Map(terms) => {
            let entries =
                terms.iter().map(|(name, term)| Ok(evaluate(term, scope)?.map(|value| (name.clone(), value))));
            Value::Map(entries.filter_map(Result::transpose).collect::<Result<_, Problem>>()?)
        }
        Term::Text(pieces) => {
            let mut text = String::new();
            for piece in pieces {
                let Some(value) = value(piece, scope)? else { return Ok(None) };
                append_text(&mut text, &value, piece)?;
            }
            Value::String(text)
        }
        Term::Call(function, arguments) => {
            let mut values = Vec::with_capacity(arguments.len());
            for argument in arguments {
                let Some(value) = evaluate(argument, scope)? else { return Ok(None) };
                values.push(value);
            }
            // DynamoDB has no empty sets: a set of no elements is nothing.
            if *function == Function::Set && values.iter().all(is_empty_list) {
                return Ok(None);
            }
            function.call(&values)?
        }
        Term::Unary(operator, operand) => match value(operand, scope)? {
            Some(value) => operators::unary(*operator, &value)?,
            None => return Ok(None),
        },
        Term::Binary(operator @ (Binary::And | Binary::Or), left, right) => {
            let first = holds(left, scope)?;
            // The second operand only where the first one does not decide.
            match (operator, first) {
                (Binary::And, false) | (Binary::Or, true) => Value::Bool(first),
                _ => Value::Bool(holds(right, scope)?),
            }
        }
        Term::Binary(operator, left, right) => {
            let (Some(left), Some(right)) = (value(left, scope)?, value(right, scope)?) else {
                return Ok(None);
            };
            operators::binary(*operator, &left, &right)?
        }
        Term::If(condition, then, otherwise) => {
            return match (holds(condition, scope)?, otherwise) {
                (true, _) => value(then, scope),
                (false, Some(otherwise)) => value(otherwise, scope),
                (false, None) => Ok(None),
            };
        }
        Term::Exists(inner) => Value::Bool(lenient(inner, scope)?.is_some()),
        Term::Default(inner, otherwise) => {
            return match lenient(inner, scope)? {
                Some(value) => Ok(Some(value)),
                None => value(otherwise, scope),
            };
        }
        Term::Let(term) => return value(term, scope),
    })))
}

fn is_empty_list(value: &Value) -> bool {
    matches!(value, Value::List(list) if list.is_empty())
}

/// Whether a condition holds; nothing is not true.
///
/// # Errors
///
/// As [`evaluate`], and when it is neither true nor false.
pub(super) fn holds(term: &Term, scope: &Scope<'_>) -> Result<bool, Problem> {
    match value(term, scope)?.as_deref() {
        Some(Value::Bool(value)) => Ok(*value),
        Some(other) => {
            let message = format!("a condition has to be true or false, and {} is a {}", term.shown(), other.kind());
            Err(Problem::new(Reason::WrongType, message))
        }
        None => Ok(false),
    }
}

/// The value of a term in which paths may be missing.
fn lenient<'a>(term: &'a Term, scope: &Scope<'a>) -> Result<Option<Cow<'a, Value>>, Problem> {
    match value(term, scope) {
        Err(Problem { reason: Reason::MissingValue, .. }) => Ok(None),
        other => other,
    }
}

fn found_or_missing<'a>(
    found: Option<Cow<'a, Value>>,
    optional: bool,
    path: &str,
) -> Result<Option<Cow<'a, Value>>, Problem> {
    match found {
        None if !optional => Err(Problem::new(Reason::MissingValue, format!("{path} finds nothing"))),
        found => Ok(found),
    }
}

/// What stands at the end of some steps.
fn walk<'v>(mut value: &'v Value, steps: &[Step]) -> Option<&'v Value> {
    for step in steps {
        value = match (step, value) {
            (Step::Name(name), Value::Map(map)) => map.get(name)?,
            (Step::Index(index), Value::List(list)) => {
                let at = if *index < 0 { (list.len() as i64).checked_add(*index)? } else { *index };
                list.get(usize::try_from(at).ok()?)?
            }
            _ => return None,
        };
    }
    Some(value)
}

/// Adds a value to a text: texts as they are, numbers in plain digits, `true` and `false`.
fn append_text(text: &mut String, value: &Value, term: &Term) -> Result<(), Problem> {
    match value {
        Value::String(piece) => text.push_str(piece),
        Value::Number(number) => text.push_str(&number.to_string()),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        other => {
            let message = format!("a {} cannot stand inside of a text: {}", other.kind(), term.shown());
            return Err(Problem::new(Reason::WrongType, message));
        }
    }
    if text.len() > MAX_TEXT_BYTES {
        let message = format!("a text of more than {MAX_TEXT_BYTES} bytes fits into no item");
        return Err(Problem::new(Reason::Expression, message));
    }
    Ok(())
}
