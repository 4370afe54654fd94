//! Values to the SDK's and back.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;
use viewfold_value::{Item, Number, NumberError, Value};

/// A value as the SDK sends it.
pub(crate) fn to_sdk(value: &Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(value) => AttributeValue::Bool(*value),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text.clone()),
        Value::Binary(bytes) => AttributeValue::B(Blob::new(bytes.clone())),
        Value::List(list) => AttributeValue::L(list.iter().map(to_sdk).collect()),
        Value::Map(map) => AttributeValue::M(item_to_sdk(map)),
        Value::StringSet(set) => AttributeValue::Ss(set.iter().cloned().collect()),
        Value::NumberSet(set) => AttributeValue::Ns(set.iter().map(Number::to_string).collect()),
        Value::BinarySet(set) => AttributeValue::Bs(set.iter().cloned().map(Blob::new).collect()),
    }
}

/// An item as the SDK sends it.
pub(crate) fn item_to_sdk<'i>(
    attributes: impl IntoIterator<Item = (&'i String, &'i Value)>,
) -> HashMap<String, AttributeValue> {
    attributes.into_iter().map(|(name, value)| (name.clone(), to_sdk(value))).collect()
}

/// Why an attribute value of the store is none of ours.
#[derive(Debug)]
pub(crate) enum UnknownValue {
    /// A number beyond DynamoDB's own limits.
    Number(String, NumberError),
    /// A type that this version does not know.
    Type,
}

impl std::fmt::Display for UnknownValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            UnknownValue::Number(digits, error) => {
                write!(
                    f,
                    "the store returned a number of {} characters that is none of DynamoDB's: {error}",
                    digits.len()
                )
            }
            UnknownValue::Type => f.write_str("the store returned a value of an unknown type"),
        }
    }
}

impl std::error::Error for UnknownValue {}

/// A value as the store returned it.
pub(crate) fn from_sdk(value: &AttributeValue) -> Result<Value, UnknownValue> {
    let number = |digits: &String| {
        Number::parse(digits).map_err(|error| UnknownValue::Number(digits.chars().take(60).collect(), error))
    };
    Ok(match value {
        AttributeValue::Null(_) => Value::Null,
        AttributeValue::Bool(value) => Value::Bool(*value),
        AttributeValue::N(digits) => Value::Number(number(digits)?),
        AttributeValue::S(text) => Value::String(text.clone()),
        AttributeValue::B(bytes) => Value::Binary(bytes.as_ref().to_vec()),
        AttributeValue::L(list) => Value::List(list.iter().map(from_sdk).collect::<Result<_, _>>()?),
        AttributeValue::M(map) => Value::Map(item_from_sdk(map)?),
        AttributeValue::Ss(set) => Value::StringSet(set.iter().cloned().collect()),
        AttributeValue::Ns(set) => Value::NumberSet(set.iter().map(number).collect::<Result<_, _>>()?),
        AttributeValue::Bs(set) => Value::BinarySet(set.iter().map(|bytes| bytes.as_ref().to_vec()).collect()),
        _ => return Err(UnknownValue::Type),
    })
}

/// An item as the store returned it.
pub(crate) fn item_from_sdk(item: &HashMap<String, AttributeValue>) -> Result<Item, UnknownValue> {
    item.iter().map(|(name, value)| Ok((name.clone(), from_sdk(value)?))).collect()
}
