//! Functions of numbers.

use super::{number_at, whole_at};
use crate::report::{Problem, Reason};
use viewfold_value::{Number, NumberError, Rounding, Value};

/// The most decimals that a number is rounded to, and the most zeros before its point: beyond DynamoDB's own range.
const MAX_DIGITS: i32 = 130;

pub(super) fn bad_number(error: NumberError) -> Problem {
    Problem::new(Reason::BadNumber, error.to_string())
}

fn all(arguments: &[Value]) -> Result<Vec<Number>, Problem> {
    (0..arguments.len()).map(|at| number_at(arguments, at)).collect()
}

pub(super) fn min(arguments: &[Value]) -> Result<Value, Problem> {
    let smallest = all(arguments)?.into_iter().min();
    smallest.map(Value::Number).ok_or_else(|| super::expression("needs a number"))
}

pub(super) fn max(arguments: &[Value]) -> Result<Value, Problem> {
    let largest = all(arguments)?.into_iter().max();
    largest.map(Value::Number).ok_or_else(|| super::expression("needs a number"))
}

fn rounded(arguments: &[Value], rounding: Rounding) -> Result<Value, Problem> {
    let digits = match arguments.len() {
        1 => 0,
        _ => whole_at(arguments, 1, "the count of digits", -MAX_DIGITS, MAX_DIGITS)?,
    };
    number_at(arguments, 0)?.rounded(digits, rounding).map(Value::Number).map_err(bad_number)
}

pub(super) fn floor(arguments: &[Value]) -> Result<Value, Problem> {
    rounded(arguments, Rounding::Floor)
}

pub(super) fn ceil(arguments: &[Value]) -> Result<Value, Problem> {
    rounded(arguments, Rounding::Ceiling)
}

pub(super) fn round(arguments: &[Value]) -> Result<Value, Problem> {
    rounded(arguments, Rounding::HalfAwayFromZero)
}

pub(super) fn truncate(arguments: &[Value]) -> Result<Value, Problem> {
    rounded(arguments, Rounding::TowardsZero)
}

pub(super) fn abs(arguments: &[Value]) -> Result<Value, Problem> {
    Ok(Value::Number(number_at(arguments, 0)?.abs()))
}

/// Text with just so many decimals, truncated.
pub(super) fn fixed(arguments: &[Value]) -> Result<Value, Problem> {
    let digits = whole_at(arguments, 1, "the count of decimals", 0, MAX_DIGITS)?;
    let number = number_at(arguments, 0)?.rounded(digits, Rounding::TowardsZero).map_err(bad_number)?;
    let mut text = number.to_string();
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let width = usize::try_from(digits).unwrap_or(0);
    if decimals == 0 && width > 0 {
        text.push('.');
    }
    text.extend(std::iter::repeat_n('0', width.saturating_sub(decimals)));
    Ok(Value::String(text))
}
