//! Values of one type as values of another.

use super::{expression, text_at, whole_at};
use crate::report::{Problem, Reason};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest, Sha256};
use viewfold_value::{Number, NumberError, Value};

pub(super) fn text(arguments: &[Value]) -> Result<Value, Problem> {
    match arguments.first() {
        Some(Value::String(text)) => Ok(Value::String(text.clone())),
        Some(Value::Number(number)) => Ok(Value::String(number.to_string())),
        Some(Value::Bool(value)) => Ok(Value::String(value.to_string())),
        _ => Err(expression("takes a text, number or boolean")),
    }
}

pub(super) fn number(arguments: &[Value]) -> Result<Value, Problem> {
    if let Some(Value::Number(number)) = arguments.first() {
        return Ok(Value::Number(*number));
    }
    let text = text_at(arguments, 0)?;
    Number::parse(text).map(Value::Number).map_err(|error| match error {
        NumberError::Syntax => expression(format!("`{text}` is no number")),
        error => Problem::new(Reason::BadNumber, format!("`{text}`: {error}")),
    })
}

pub(super) fn binary(arguments: &[Value]) -> Result<Value, Problem> {
    let text = text_at(arguments, 0)?;
    BASE64.decode(text).map(Value::Binary).map_err(|error| expression(format!("the text is no base64: {error}")))
}

/// The first eight bytes of the SHA-256 of the text (of a number: of its plain digits), as a big-endian number, modulo
/// `n`.
pub(super) fn hash_bucket(arguments: &[Value]) -> Result<Value, Problem> {
    let buckets = whole_at(arguments, 1, "the count of buckets", 1, 1_000_000)?;
    let text = match arguments.first() {
        Some(Value::Number(number)) => number.to_string(),
        _ => text_at(arguments, 0)?.to_owned(),
    };
    let digest = Sha256::digest(text.as_bytes());
    let hash = digest.iter().take(8).fold(0u64, |hash, byte| (hash << 8) | u64::from(*byte));
    let bucket = hash % u64::from(buckets.unsigned_abs());
    bucket.to_string().parse().map(Value::Number).map_err(super::number::bad_number)
}
