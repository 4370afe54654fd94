//! Functions of texts. Characters are Unicode scalar values.

use super::{expression, text_at, whole_at};
use crate::report::{Problem, Reason};
use regex::{Regex, RegexBuilder};
use viewfold_value::Value;

/// The widest text that `str::pad` makes, in characters.
const MAX_WIDTH: i32 = 1000;

/// The most characters that a text of an item can have.
const MAX_CHARACTERS: i32 = 400 << 10;

pub(super) fn to_lowercase(arguments: &[Value]) -> Result<Value, Problem> {
    Ok(Value::String(text_at(arguments, 0)?.to_lowercase()))
}

pub(super) fn to_uppercase(arguments: &[Value]) -> Result<Value, Problem> {
    Ok(Value::String(text_at(arguments, 0)?.to_uppercase()))
}

/// The most memory of a compiled regular expression, in bytes.
const MAX_REGEX_BYTES: usize = 1 << 20;

/// The regular expression of an argument. They take time in proportion to the text, whatever they are.
fn regex_at(arguments: &[Value], at: usize) -> Result<Regex, Problem> {
    let pattern = text_at(arguments, at)?;
    let built = RegexBuilder::new(pattern).size_limit(MAX_REGEX_BYTES).build();
    built.map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
        expression(format!("`{pattern}` is no regular expression that can be used: {reason}"))
    })
}

pub(super) fn regex_matches(arguments: &[Value]) -> Result<Value, Problem> {
    Ok(Value::Bool(regex_at(arguments, 1)?.is_match(text_at(arguments, 0)?)))
}

pub(super) fn regex_replace(arguments: &[Value]) -> Result<Value, Problem> {
    let text = text_at(arguments, 0)?;
    Ok(Value::String(regex_at(arguments, 1)?.replace_all(text, text_at(arguments, 2)?).into_owned()))
}

pub(super) fn trim(arguments: &[Value]) -> Result<Value, Problem> {
    Ok(Value::from(text_at(arguments, 0)?.trim()))
}

pub(super) fn substring(arguments: &[Value]) -> Result<Value, Problem> {
    let characters: Vec<char> = text_at(arguments, 0)?.chars().collect();
    let place = |at: usize, what: &str| {
        whole_at(arguments, at, what, 0, MAX_CHARACTERS).map(|place| usize::try_from(place).unwrap_or(0))
    };
    let start = place(1, "the start")?;
    let end = if arguments.len() > 2 { place(2, "the end")? } else { characters.len() };
    match characters.get(start..end) {
        Some(part) => Ok(Value::String(part.iter().collect())),
        None => Err(expression(format!(
            "the text has {} characters, and those from {start} to {end} are asked for",
            characters.len()
        ))),
    }
}

/// Zeros in front; a number's sign stays before them.
pub(super) fn pad(arguments: &[Value]) -> Result<Value, Problem> {
    let width = usize::try_from(whole_at(arguments, 1, "the width", 0, MAX_WIDTH)?).unwrap_or(0);
    let (sign, text) = match arguments.first() {
        Some(Value::Number(number)) => {
            let text = number.to_string();
            match text.strip_prefix('-') {
                Some(digits) => ("-", digits.to_owned()),
                None => ("", text),
            }
        }
        _ => ("", text_at(arguments, 0)?.to_owned()),
    };
    let missing = width.saturating_sub(text.chars().count() + sign.len());
    Ok(Value::String(format!("{sign}{}{text}", "0".repeat(missing))))
}

pub(super) fn split(arguments: &[Value]) -> Result<Value, Problem> {
    let (text, separator) = (text_at(arguments, 0)?, text_at(arguments, 1)?);
    if separator.is_empty() {
        return Err(expression("the separator is empty"));
    }
    let index = whole_at(arguments, 2, "the index", -MAX_CHARACTERS, MAX_CHARACTERS)?;
    let from_there = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
    let part = match index {
        0.. => text.split(separator).nth(from_there),
        _ => text.rsplit(separator).nth(from_there - 1),
    };
    part.map(Value::from).ok_or_else(|| {
        Problem::new(Reason::MissingValue, format!("`{text}` has no part {index} between `{separator}`"))
    })
}
