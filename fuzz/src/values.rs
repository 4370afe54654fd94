//! What holds for every value, wherever it came from.

use viewfold_value::json::{self, ReadError};
use viewfold_value::{Item, Number, Reader, Value, dynamodb_json};

/// What is written is read again as what it was.
pub(crate) fn check(value: &Value) {
    if let Value::Number(number) = value {
        assert_eq!(Number::parse(&number.to_string()), Ok(*number), "{number}");
    }
    // JSON knows no sets and no bytes: their texts stay the same.
    let text = value.to_string();
    match json::parse(text.as_bytes()) {
        Ok(again) => assert_eq!(again.to_string(), text),
        Err(error) => assert!(is_too_deep(&error), "{text}: {error}"),
    }
    let mut text = String::new();
    dynamodb_json::write_attribute(value, &mut text);
    let mut reader = Reader::new(&text);
    match dynamodb_json::read_attribute(&mut reader, 0) {
        Ok(again) => assert_eq!(&again, value, "{text}"),
        Err(error) => assert!(is_too_deep(&error), "{text}: {error}"),
    }
}

fn is_too_deep(error: &ReadError) -> bool {
    error.to_string().contains("nested deeper")
}

/// An item in DynamoDB JSON; nothing where the bytes are none.
pub(crate) fn item(bytes: &[u8]) -> Option<Item> {
    let mut reader = Reader::new(json::utf8(bytes).ok()?);
    let item = dynamodb_json::read_item(&mut reader, 0).ok()?;
    reader.finish().ok()?;
    Some(item)
}
