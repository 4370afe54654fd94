//! JSON Schemas of payloads and images.
//!
//! What is checked is JSON: sets are arrays, binary data is base64 text. A number that has more digits than a double holds
//! is checked as the nearest double, so that a bound such as `maximum` may take or leave its last digits; a whole number is
//! whole whatever its size. Regular expressions are matched in time that grows in step with the text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Number as JsonNumber, Value as Json};
use viewfold_value::{Number, Value};

/// The longest text of a JSON Schema, in bytes.
const MAX_SCHEMA_BYTES: usize = 1 << 20;

/// A compiled JSON Schema.
#[derive(Debug)]
pub struct Schema(Validator);

impl Schema {
    /// Compiles a schema. References have to stay inside of it: nothing is fetched.
    ///
    /// # Errors
    ///
    /// A sentence: what makes it no schema.
    pub fn compile(schema: &Value) -> Result<Schema, String> {
        if schema.size() > MAX_SCHEMA_BYTES {
            return Err(format!("it is longer than {MAX_SCHEMA_BYTES} bytes"));
        }
        jsonschema::options()
            .with_pattern_options(PatternOptions::regex())
            .build(&json(schema))
            .map(Schema)
            .map_err(|error| error.to_string())
    }

    /// Checks a value.
    ///
    /// # Errors
    ///
    /// The first thing in it that does not satisfy the schema, in a sentence with its place (a JSON Pointer).
    pub fn check(&self, value: &Value) -> Result<(), String> {
        let value = json(value);
        let Err(error) = self.0.validate(&value) else { return Ok(()) };
        let place = error.instance_path().to_string();
        let what: String = error.masked_with("the value").to_string();
        Err(if place.is_empty() { what } else { format!("at {place}, {what}") })
    }
}

/// A value as the validator takes it.
fn json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(number) => json_number(*number),
        Value::String(text) => Json::String(text.clone()),
        Value::Binary(bytes) => Json::String(BASE64.encode(bytes)),
        Value::List(list) => Json::Array(list.iter().map(json).collect()),
        Value::Map(map) => {
            Json::Object(map.iter().map(|(name, value)| (name.clone(), json(value))).collect::<Map<_, _>>())
        }
        Value::StringSet(set) => Json::Array(set.iter().cloned().map(Json::String).collect()),
        Value::NumberSet(set) => Json::Array(set.iter().copied().map(json_number).collect()),
        Value::BinarySet(set) => Json::Array(set.iter().map(|bytes| Json::String(BASE64.encode(bytes))).collect()),
    }
}

fn json_number(number: Number) -> Json {
    let text = number.to_string();
    if let Ok(whole) = text.parse::<i64>() {
        return Json::from(whole);
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Json::from(whole);
    }
    // DynamoDB's numbers are all within a double's range; a whole one stays whole as a double.
    text.parse::<f64>().ok().and_then(JsonNumber::from_f64).map_or(Json::Null, Json::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use viewfold_value::json::parse;

    fn schema(text: &str) -> Result<Schema, String> {
        Schema::compile(&parse(text.as_bytes()).unwrap())
    }

    fn check(of: &str, value: &str) -> Result<(), String> {
        schema(of).unwrap().check(&parse(value.as_bytes()).unwrap())
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_place() {
        let of = r#"{"type":"object","required":["id"],"properties":{"id":{"type":"string"},"n":{"type":"integer"}},
            "additionalProperties":false}"#;
        assert_eq!(check(of, r#"{"id":"a","n":12345678901234567890123456789012345678}"#), Ok(()));
        assert_eq!(check(of, r#"{"id":"a","n":1.0}"#), Ok(()));
        for (value, words) in [
            (r#"{"id":7}"#, "at /id, the value is not of type \"string\""),
            (r#"{"n":1}"#, "\"id\" is a required property"),
            (r#"{"id":"a","x":1}"#, "Additional properties are not allowed"),
            (r#"{"id":"a","n":1.5}"#, "at /n"),
        ] {
            let error = check(of, value).unwrap_err();
            assert!(error.contains(words), "{value}: {error}");
        }
    }

    #[test]
    fn a_schema_that_is_none_is_an_error() {
        for text in [r#"{"type":"text"}"#, r#"{"$ref":"https://example.com/x.json"}"#, r#"{"pattern":"("}"#, "7"] {
            assert!(schema(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sets_are_arrays_and_binary_is_text() {
        let of =
            schema(r#"{"properties":{"s":{"type":"array","items":{"type":"string"}},"b":{"type":"string"}}}"#).unwrap();
        let set = Value::StringSet(["a".into()].into());
        let item = [("s".to_owned(), set), ("b".to_owned(), Value::Binary(vec![1]))];
        assert_eq!(of.check(&Value::Map(item.into())), Ok(()));
    }
}
