//! DynamoDB JSON (`{"S": "text"}`), as stream records carry it, to [`Value`] and back.

use crate::json::{self, MAX_DEPTH, ReadError, keep_first, parse_number, too_deep};
use crate::reader::Reader;
use crate::{Item, Number, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::collections::{BTreeMap, BTreeSet};

/// Reads a text that is one item and nothing else.
///
/// # Errors
///
/// As [`read_attribute`], and when something stands behind it.
pub fn parse_item(text: &[u8]) -> Result<Item, ReadError> {
    let mut reader = Reader::new(json::utf8(text)?);
    let item = read_item(&mut reader, 0)?;
    reader.finish()?;
    Ok(item)
}

/// Reads an item: a map from attribute names to typed values.
///
/// # Errors
///
/// As [`read_attribute`].
pub fn read_item(reader: &mut Reader<'_>, depth: u32) -> Result<Item, ReadError> {
    let mut item = BTreeMap::new();
    let mut unusable = None;
    let mut key = reader.next_object()?;
    while let Some(name) = key {
        let value = keep_first(read_attribute(reader, depth + 1), &mut unusable)?;
        item.extend(value.map(|value| (name.into_owned(), value)));
        key = reader.next_key()?;
    }
    unusable.map_or(Ok(item), Err)
}

/// Reads one typed value: an object of one key that names the type.
///
/// # Errors
///
/// When the text is no JSON or not of this form, and when a number is none.
pub fn read_attribute(reader: &mut Reader<'_>, depth: u32) -> Result<Value, ReadError> {
    if depth > MAX_DEPTH {
        return Err(too_deep());
    }
    let Some(kind) = reader.next_object()? else {
        return Err(ReadError::Syntax("an attribute value without a type".into()));
    };
    let mut unusable = None;
    let value = match &*kind {
        "S" => Some(Value::String(reader.next_string()?.into_owned())),
        "N" => keep_first(parse_number(&reader.next_string()?), &mut unusable)?.map(Value::Number),
        "B" => Some(Value::Binary(binary(&reader.next_string()?)?)),
        "BOOL" => Some(Value::Bool(reader.next_bool()?)),
        "NULL" => {
            reader.next_bool()?;
            Some(Value::Null)
        }
        "SS" => Some(Value::StringSet(read_set(reader, |text| Ok(text.to_owned()))?)),
        "NS" => {
            let numbers: Vec<Result<Number, ReadError>> = read_set(reader, |text| Ok(parse_number(text)))?;
            let numbers = numbers.into_iter().collect::<Result<BTreeSet<Number>, ReadError>>();
            keep_first(numbers, &mut unusable)?.map(Value::NumberSet)
        }
        "BS" => Some(Value::BinarySet(read_set(reader, binary)?)),
        "L" => {
            let mut list = Vec::new();
            let mut next = reader.next_array()?;
            while next.is_some() {
                list.extend(keep_first(read_attribute(reader, depth + 1), &mut unusable)?);
                next = reader.next_element()?;
            }
            Some(Value::List(list))
        }
        "M" => keep_first(read_item(reader, depth), &mut unusable)?.map(Value::Map),
        other => return Err(ReadError::Syntax(format!("`{other}` is no attribute type of DynamoDB"))),
    };
    if let Some(extra) = reader.next_key()? {
        return Err(ReadError::Syntax(format!("an attribute value with a second type, `{extra}`")));
    }
    match (value, unusable) {
        (Some(value), None) => Ok(value),
        (_, Some(error)) => Err(error),
        (None, None) => Err(ReadError::Syntax("an attribute value without a value".into())),
    }
}

fn read_set<T, C: FromIterator<T>>(
    reader: &mut Reader<'_>,
    mut element: impl FnMut(&str) -> Result<T, ReadError>,
) -> Result<C, ReadError> {
    let mut elements = Vec::new();
    let mut next = reader.next_array()?;
    while next.is_some() {
        elements.push(element(&reader.next_string()?)?);
        next = reader.next_element()?;
    }
    Ok(elements.into_iter().collect())
}

fn binary(text: &str) -> Result<Vec<u8>, ReadError> {
    BASE64.decode(text).map_err(|error| ReadError::Syntax(format!("a binary value that is no base64: {error}")))
}

/// Writes an item.
pub fn write_item(item: &Item, out: &mut String) {
    out.push('{');
    for (number, (name, value)) in item.iter().enumerate() {
        if number > 0 {
            out.push(',');
        }
        json::write_text(name, out);
        out.push(':');
        write_attribute(value, out);
    }
    out.push('}');
}

/// Writes one typed value.
pub fn write_attribute(value: &Value, out: &mut String) {
    let kind = match value {
        Value::Null => return out.push_str(r#"{"NULL":true}"#),
        Value::Bool(_) => "BOOL",
        Value::Number(_) => "N",
        Value::String(_) => "S",
        Value::Binary(_) => "B",
        Value::List(_) => "L",
        Value::Map(_) => "M",
        Value::StringSet(_) => "SS",
        Value::NumberSet(_) => "NS",
        Value::BinarySet(_) => "BS",
    };
    out.push_str("{\"");
    out.push_str(kind);
    out.push_str("\":");
    match value {
        // Numbers travel as text, so that no reader makes a double of them.
        Value::Number(number) => json::write_text(&number.to_string(), out),
        Value::NumberSet(set) => {
            let texts = set.iter().map(|number| Value::String(number.to_string()));
            json::write(&Value::List(texts.collect()), out);
        }
        Value::List(list) => json::write_all(list, out, write_attribute),
        Value::Map(map) => write_item(map, out),
        other => json::write(other, out),
    }
    out.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(text: &str) -> Result<Item, ReadError> {
        let mut reader = Reader::new(text);
        let item = read_item(&mut reader, 0)?;
        reader.finish()?;
        Ok(item)
    }

    #[test]
    fn every_type_is_kept() {
        let item = item(
            r#"{"s":{"S":"x"},"n":{"N":"1.50"},"b":{"B":"AQI="},"t":{"BOOL":true},"z":{"NULL":true},
                "ss":{"SS":["b","a"]},"ns":{"NS":["2","1.0"]},"bs":{"BS":["AQ=="]},
                "l":{"L":[{"N":"1"},{"S":"1"}]},"m":{"M":{"k":{"M":{}}}}}"#,
        )
        .unwrap();
        assert_eq!(
            Value::Map(item.clone()).to_string(),
            r#"{"b":"AQI=","bs":["AQ=="],"l":[1,"1"],"m":{"k":{}},"n":1.5,"ns":[1,2],"s":"x","ss":["a","b"],"t":true,"z":null}"#
        );
        assert_eq!(item["b"], Value::Binary(vec![1, 2]));
        assert!(matches!(item["ns"], Value::NumberSet(_)));
    }

    #[test]
    fn what_is_no_dynamodb_json_is_an_error() {
        for text in [
            r#"{"a":1}"#,
            r#"{"a":{}}"#,
            r#"{"a":{"X":"1"}}"#,
            r#"{"a":{"S":1}}"#,
            r#"{"a":{"S":"x","N":"1"}}"#,
            r#"{"a":{"B":"%"}}"#,
        ] {
            assert!(matches!(item(text), Err(ReadError::Syntax(_))), "{text}");
        }
        assert!(matches!(item(r#"{"a":{"N":"1e200"},"b":{"S":"x"}}"#), Err(ReadError::Unusable(_))));
        assert!(matches!(item(r#"{"a":{"L":[{"N":"abc"}]}}"#), Err(ReadError::Unusable(_))));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = r#"{"b":{"B":"AQI="},"bs":{"BS":["AQ=="]},"l":{"L":[{"N":"1.5"},{"NULL":true},{"BOOL":false}]},"m":{"M":{"é":{"S":"\"x\""}}},"ns":{"NS":["1","2"]},"ss":{"SS":["a"]}}"#;
        let item = read_item(&mut Reader::new(text), 0).unwrap();
        let mut written = String::new();
        write_item(&item, &mut written);
        assert_eq!(written, text);
    }
}
