//! Values of documents and events.

use crate::Number;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The attributes of an item by name.
pub type Item = BTreeMap<String, Value>;

/// A value with DynamoDB's types; JSON's are a part of them.
///
/// Equality is DynamoDB's: numbers by value, maps and sets without order. The order between values is for keeping them in
/// maps: by type first, then by value.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Value {
    /// `NULL`, JSON `null`.
    Null,
    /// `BOOL`.
    Bool(bool),
    /// `N`.
    Number(Number),
    /// `S`.
    String(String),
    /// `B`.
    Binary(Vec<u8>),
    /// `L`.
    List(Vec<Value>),
    /// `M`.
    Map(BTreeMap<String, Value>),
    /// `SS`; never empty in a store.
    StringSet(BTreeSet<String>),
    /// `NS`; never empty in a store.
    NumberSet(BTreeSet<Number>),
    /// `BS`; never empty in a store.
    BinarySet(BTreeSet<Vec<u8>>),
}

/// The type of a [`Value`], with the name the projection language uses.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// `null`
    Null,
    /// `boolean`
    Boolean,
    /// `number`
    Number,
    /// `string`
    String,
    /// `binary`
    Binary,
    /// `list`
    List,
    /// `map`
    Map,
    /// `string_set`
    StringSet,
    /// `number_set`
    NumberSet,
    /// `binary_set`
    BinarySet,
}

impl Kind {
    /// The name in projections: `{type: string_set}`.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Boolean => "boolean",
            Kind::Number => "number",
            Kind::String => "string",
            Kind::Binary => "binary",
            Kind::List => "list",
            Kind::Map => "map",
            Kind::StringSet => "string_set",
            Kind::NumberSet => "number_set",
            Kind::BinarySet => "binary_set",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Value {
    /// Whether it is a list or a set.
    pub const fn has_elements(&self) -> bool {
        matches!(self, Value::List(_) | Value::StringSet(_) | Value::NumberSet(_) | Value::BinarySet(_))
    }

    /// The value's type.
    pub const fn kind(&self) -> Kind {
        match self {
            Value::Null => Kind::Null,
            Value::Bool(_) => Kind::Boolean,
            Value::Number(_) => Kind::Number,
            Value::String(_) => Kind::String,
            Value::Binary(_) => Kind::Binary,
            Value::List(_) => Kind::List,
            Value::Map(_) => Kind::Map,
            Value::StringSet(_) => Kind::StringSet,
            Value::NumberSet(_) => Kind::NumberSet,
            Value::BinarySet(_) => Kind::BinarySet,
        }
    }

    /// The size that DynamoDB counts for the value, in bytes: text as UTF-8, a number about a byte for two digits, three
    /// bytes for a list or map and one more for each element ([item sizes]).
    ///
    /// [item sizes]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    pub fn size(&self) -> usize {
        match self {
            Value::Null | Value::Bool(_) => 1,
            Value::Number(number) => number.size(),
            Value::String(text) => text.len(),
            Value::Binary(bytes) => bytes.len(),
            Value::List(list) => 3 + list.iter().map(|value| 1 + value.size()).sum::<usize>(),
            Value::Map(map) => 3 + map.iter().map(|(name, value)| 1 + name.len() + value.size()).sum::<usize>(),
            Value::StringSet(set) => set.iter().map(String::len).sum(),
            Value::NumberSet(set) => set.iter().map(Number::size).sum(),
            Value::BinarySet(set) => set.iter().map(Vec::len).sum(),
        }
    }

    /// The text of a string value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.to_owned())
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Value {
        Value::Number(number)
    }
}
