//! JSON text to and from [`Value`], every digit kept.
//!
//! Reading goes through [`Reader`], which hands out a number's digits as they stand. Where a key comes twice in an object, the
//! last one counts (RFC 8259 leaves it open; this is what most readers do).

use crate::reader::{Reader, Start};
use crate::scan::{self, Broken};
use crate::{Number, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::collections::BTreeMap;
use std::fmt;

/// How deep lists and maps may be nested in a value that is read: more than DynamoDB's 32, and far from the stack's end.
pub const MAX_DEPTH: u32 = 100;

/// Why a text could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// The text itself is broken: nothing in it can be trusted.
    Syntax(String),
    /// The text is sound, but this value has no place in DynamoDB, a number of 39 digits for one.
    Unusable(String),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Syntax(text) | ReadError::Unusable(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for ReadError {}

impl From<Broken> for ReadError {
    #[cold]
    fn from(error: Broken) -> ReadError {
        ReadError::Syntax(error.to_string())
    }
}

/// Reads one JSON text.
///
/// # Errors
///
/// When the text is no JSON, is not UTF-8, has anything after the value, or holds a number that DynamoDB cannot.
pub fn parse(text: &[u8]) -> Result<Value, ReadError> {
    let mut reader = Reader::new(utf8(text)?);
    let start = reader.peek()?;
    let value = read_value(&mut reader, start, 0)?;
    reader.finish()?;
    Ok(value)
}

/// Bytes as text.
///
/// # Errors
///
/// When they are not UTF-8.
pub fn utf8(text: &[u8]) -> Result<&str, ReadError> {
    // By vector instructions where there are any; what is wrong is told by the one that knows where.
    let wrong = |_| match std::str::from_utf8(text) {
        Ok(text) => Ok(text),
        Err(error) => Err(ReadError::Syntax(format!("not UTF-8 at byte {}", error.valid_up_to()))),
    };
    simdutf8::basic::from_utf8(text).or_else(wrong)
}

/// Reads the value that begins with `start`, `depth` levels down.
///
/// # Errors
///
/// When it is no JSON, or nested too deep, or nothing that DynamoDB can hold. After [`ReadError::Unusable`] the reader stands
/// behind the value: whoever does not need it may go on.
pub fn read_value(reader: &mut Reader<'_>, start: Start, depth: u32) -> Result<Value, ReadError> {
    if depth > MAX_DEPTH {
        return Err(too_deep());
    }
    Ok(match start {
        Start::NULL => {
            reader.null()?;
            Value::Null
        }
        Start::TRUE | Start::FALSE => Value::Bool(reader.bool(start)?),
        Start::STRING => Value::String(reader.string()?.into_owned()),
        Start::ARRAY => {
            let mut list = Vec::new();
            let mut unusable = None;
            let mut next = reader.array()?;
            while let Some(start) = next {
                list.extend(keep_first(read_value(reader, start, depth + 1), &mut unusable)?);
                next = reader.next_element()?;
            }
            unusable.map_or(Ok(Value::List(list)), Err)?
        }
        Start::OBJECT => {
            let mut map = BTreeMap::new();
            let mut unusable = None;
            let mut key = reader.object()?;
            while let Some(name) = key {
                let start = reader.peek()?;
                let value = keep_first(read_value(reader, start, depth + 1), &mut unusable)?;
                map.extend(value.map(|value| (name.into_owned(), value)));
                key = reader.next_key()?;
            }
            unusable.map_or(Ok(Value::Map(map)), Err)?
        }
        _ => Value::Number(parse_number(reader.number(start)?)?),
    })
}

/// A value that is nested deeper than [`MAX_DEPTH`].
#[cold]
pub fn too_deep() -> ReadError {
    ReadError::Syntax(format!("nested deeper than {MAX_DEPTH} levels"))
}

/// Lets reading go on behind an unusable part and remembers the first one.
pub(crate) fn keep_first<T>(
    result: Result<T, ReadError>,
    unusable: &mut Option<ReadError>,
) -> Result<Option<T>, ReadError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error @ ReadError::Unusable(_)) => {
            unusable.get_or_insert(error);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// A number of a JSON or DynamoDB text.
pub(crate) fn parse_number(digits: &str) -> Result<Number, ReadError> {
    Number::parse(digits).map_err(|error| {
        let shown: String = digits.chars().take(60).collect();
        ReadError::Unusable(format!("the number {shown}: {error}"))
    })
}

/// Writes a value as JSON: numbers with all their digits, sets as arrays, binary as base64 text.
pub fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_text(text, out),
        Value::Binary(bytes) => write_text(&BASE64.encode(bytes), out),
        Value::List(list) => write_all(list, out, write),
        Value::Map(map) => write_map(map, out),
        Value::StringSet(set) => write_all(set, out, |text, out| write_text(text, out)),
        Value::NumberSet(set) => write_all(set, out, write_number),
        Value::BinarySet(set) => write_all(set, out, |bytes, out| write_text(&BASE64.encode(bytes), out)),
    }
}

fn write_number(number: &Number, out: &mut String) {
    // Writing into a String cannot fail.
    let _ = number.write(out);
}

/// Writes a JSON object.
pub fn write_map(map: &BTreeMap<String, Value>, out: &mut String) {
    out.push('{');
    for (index, (name, value)) in map.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_text(name, out);
        out.push(':');
        write(value, out);
    }
    out.push('}');
}

/// Writes a JSON array, each of its elements by `write`.
pub fn write_all<T>(elements: impl IntoIterator<Item = T>, out: &mut String, mut write: impl FnMut(T, &mut String)) {
    out.push('[');
    for (index, element) in elements.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(element, out);
    }
    out.push(']');
}

/// Writes a JSON string.
pub fn write_text(text: &str, out: &mut String) {
    // Nearly every text stands as it is.
    if scan::plain_end(text.as_bytes(), 0) == text.len() {
        out.reserve(text.len() + 2);
        out.push('"');
        out.push_str(text);
        out.push('"');
        return;
    }
    // Serialising a str into a String cannot fail; Value's Display is the same text were it ever to.
    out.push_str(&serde_json::Value::from(text).to_string());
}

impl fmt::Display for Value {
    /// The value as JSON, as [`write()`] has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write(self, &mut text);
        f.write_str(&text)
    }
}

impl serde::Serialize for Value {
    /// For `serde_json` alone: numbers go out as raw text, which keeps their digits.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::value::RawValue::from_string(self.to_string())
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(text: &str) -> String {
        parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}")).to_string()
    }

    #[test]
    fn every_digit_comes_through() {
        let text = r#"{"a":12345678901234567890123456789012345678,"b":[0.1,-1e2,true,null],"é":"\"\\\n😀"}"#;
        assert_eq!(
            round_trip(text),
            r#"{"a":12345678901234567890123456789012345678,"b":[0.1,-100,true,null],"é":"\"\\\n😀"}"#
        );
        assert_eq!(round_trip(r#"{"a":1,"a":2}"#), r#"{"a":2}"#);
        assert_eq!(round_trip(r#""\ud83d\ude00""#), r#""😀""#);
    }

    #[test]
    fn broken_text_and_unusable_numbers_are_told_apart() {
        for text in ["", "{", "[1,]", "{\"a\":01}", "nul", "\"\\ud800\"", "1 2", "NaN", "{'a':1}"] {
            assert!(matches!(parse(text.as_bytes()), Err(ReadError::Syntax(_))), "{text}");
        }
        assert!(matches!(parse(b"\"\xff\""), Err(ReadError::Syntax(_))));
        assert!(matches!(parse("[".repeat(1000).as_bytes()), Err(ReadError::Syntax(_))));
        let error = parse(b"{\"a\":[1e200,2],\"b\":1}").unwrap_err();
        assert_eq!(
            error,
            ReadError::Unusable("the number 1e200: larger than 9.99E+125, the largest number of DynamoDB".into())
        );
        // A broken text is broken even behind an unusable number.
        assert!(matches!(parse(b"{\"a\":1e200,"), Err(ReadError::Syntax(_))));
    }
}
