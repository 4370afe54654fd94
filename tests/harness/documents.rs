//! Items of a table as plain JSON, in an order that does not depend on the store: what tests compare.
//!
//! | DynamoDB | here |
//! |---|---|
//! | S | text |
//! | N | a JSON number when it is a whole number of 64 bits, else a text of its digits as the store gave them |
//! | B | text, Base64 |
//! | SS, NS, BS | a sorted list |
//! | BOOL, NULL, L, M | themselves |
//!
//! So `7` and `"7"` differ, as they do in DynamoDB, and no digit goes through a float. A test that cares about the
//! digits of a large number looks at the item itself ([`crate::store::Store::scan`]).

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};

/// An item: attribute names and values.
pub type Item = BTreeMap<String, AttributeValue>;

/// What begins the names of the attributes in which guards keep their books on documents.
const BOOKKEEPING: &str = "_vf_";

/// Whether attributes of guards are part of the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bookkeeping {
    /// Left out: only what users see.
    Hidden,
    /// Kept as they are in the table.
    Shown,
}

/// Items as sorted JSON documents.
pub fn from_items(items: impl IntoIterator<Item = Item>, bookkeeping: Bookkeeping) -> Vec<Value> {
    let visible = |name: &str| bookkeeping == Bookkeeping::Shown || !name.starts_with(BOOKKEEPING);
    sorted(items.into_iter().map(|mut item| {
        item.retain(|name, _| visible(name));
        Value::Object(item.iter().map(|(name, value)| (name.clone(), from_attribute(value))).collect())
    }))
}

/// Documents in the order in which [`from_items`] gives them, for expectations written by hand.
pub fn sorted(documents: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let mut documents: Vec<Value> = documents.into_iter().map(canonical).collect();
    documents.sort_by_cached_key(Value::to_string);
    documents
}

/// A DynamoDB item in DynamoDB's own JSON (`{"id": {"S": "1"}}`) as a document.
///
/// Takes what recorded events and end tables hold: `S`, `N`, `BOOL`, `NULL`, `L`, `M`.
pub fn from_dynamodb_json(item: &Value) -> Value {
    let attributes = item.as_object().unwrap_or_else(|| panic!("an item is an object, not {item}"));
    attributes.iter().map(|(name, value)| (name.clone(), untyped(value))).collect()
}

fn untyped(typed: &Value) -> Value {
    let entry = typed.as_object().filter(|object| object.len() == 1).and_then(|object| object.iter().next());
    match entry.map(|(kind, value)| (kind.as_str(), value)) {
        Some(("S" | "BOOL", value)) => value.clone(),
        Some(("NULL", _)) => Value::Null,
        Some(("N", Value::String(digits))) => number(digits),
        Some(("L", Value::Array(elements))) => elements.iter().map(untyped).collect(),
        Some(("M", value)) => from_dynamodb_json(value),
        _ => panic!("not an attribute value that the harness reads: {typed}"),
    }
}

fn from_attribute(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => text.clone().into(),
        AttributeValue::N(digits) => number(digits),
        AttributeValue::B(bytes) => BASE64_STANDARD.encode(bytes).into(),
        AttributeValue::Bool(value) => (*value).into(),
        AttributeValue::Null(_) => Value::Null,
        AttributeValue::L(elements) => elements.iter().map(from_attribute).collect(),
        AttributeValue::M(entries) => from_map(entries),
        AttributeValue::Ss(elements) => sorted(elements.iter().map(|text| text.clone().into())).into(),
        AttributeValue::Ns(elements) => sorted(elements.iter().map(|digits| number(digits))).into(),
        AttributeValue::Bs(elements) => {
            sorted(elements.iter().map(|bytes| BASE64_STANDARD.encode(bytes).into())).into()
        }
        other => panic!("an attribute value of a type that DynamoDB did not have: {other:?}"),
    }
}

fn from_map(entries: &HashMap<String, AttributeValue>) -> Value {
    entries.iter().map(|(name, value)| (name.clone(), from_attribute(value))).collect()
}

fn number(digits: &str) -> Value {
    match digits.parse::<i64>() {
        Ok(whole) if whole.to_string() == digits => whole.into(),
        _ => digits.into(),
    }
}

/// The same value with the keys of all objects sorted, so that equal values have equal texts.
fn canonical(value: Value) -> Value {
    match value {
        Value::Array(elements) => elements.into_iter().map(canonical).collect(),
        Value::Object(object) => {
            let entries: BTreeMap<String, Value> = object.into_iter().collect();
            Value::Object(entries.into_iter().map(|(key, value)| (key, canonical(value))).collect::<Map<_, _>>())
        }
        scalar => scalar,
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::primitives::Blob;
    use serde_json::json;

    use super::*;

    fn item(attributes: Vec<(&str, AttributeValue)>) -> Item {
        attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    #[test]
    fn every_type_becomes_plain_json() {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let thirty_eight = "12345678901234567890123456789012345678";
        let item = item(vec![
            ("s", text("7")),
            ("n", AttributeValue::N("7".into())),
            ("large", AttributeValue::N(thirty_eight.into())),
            ("fraction", AttributeValue::N("0.10".into())),
            ("b", AttributeValue::B(Blob::new(*b"\xff\x00"))),
            ("bool", AttributeValue::Bool(true)),
            ("null", AttributeValue::Null(true)),
            ("l", AttributeValue::L(vec![text("b"), text("a")])),
            ("m", AttributeValue::M(HashMap::from([("z".to_owned(), text("1")), ("a".to_owned(), text("2"))]))),
            ("ss", AttributeValue::Ss(vec!["b".into(), "a".into()])),
            ("ns", AttributeValue::Ns(vec!["2".into(), "1".into()])),
        ]);
        let expected = json!({
            "s": "7", "n": 7, "large": thirty_eight, "fraction": "0.10", "b": "/wA=", "bool": true, "null": null,
            "l": ["b", "a"], "m": {"a": "2", "z": "1"}, "ss": ["a", "b"], "ns": [1, 2],
        });
        assert_eq!(from_items([item], Bookkeeping::Shown), [expected]);
    }

    #[test]
    fn bookkeeping_is_hidden_on_demand() {
        let item = item(vec![("id", AttributeValue::S("1".into())), ("_vf_votes", AttributeValue::S("mark".into()))]);
        assert_eq!(from_items([item.clone()], Bookkeeping::Hidden), [json!({"id": "1"})]);
        assert_eq!(from_items([item], Bookkeeping::Shown), [json!({"id": "1", "_vf_votes": "mark"})]);
    }

    #[test]
    fn order_does_not_depend_on_the_order_of_keys() {
        let documents = [json!({"b": 1, "a": 2}), json!({"a": 1, "b": 2})];
        let texts: Vec<String> = sorted(documents).iter().map(Value::to_string).collect();
        assert_eq!(texts, [r#"{"a":1,"b":2}"#, r#"{"a":2,"b":1}"#]);
    }

    #[test]
    fn dynamodb_json_and_items_read_alike() {
        let document = from_dynamodb_json(&json!({
            "id": {"S": "7"}, "n": {"N": "7"}, "l": {"L": [{"NULL": true}]}, "m": {"M": {"b": {"BOOL": false}}},
        }));
        assert_eq!(document, json!({"id": "7", "n": 7, "l": [null], "m": {"b": false}}));
    }
}
