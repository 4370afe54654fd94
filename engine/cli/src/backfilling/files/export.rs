//! Lines of DynamoDB's exports ([their format]): an item, or what happened to one.
//!
//! [their format]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html

use super::Entry;
use std::borrow::Cow;
use viewfold_value::json::{self, ReadError};
use viewfold_value::{Item, Reader, Value, dynamodb_json, ion};

/// What a line has.
#[derive(Default)]
struct Line {
    item: Option<Item>,
    keys: Option<Item>,
    new: Option<Item>,
    old: Option<Item>,
    metadata: Option<Value>,
}

const HINT: &str = "mend the line, or export the table again";

/// A line of an export in DynamoDB JSON.
pub(super) fn json(line: &[u8]) -> Result<Entry, String> {
    let mut read = Line::default();
    read_json(line, &mut read)
        .map_err(|error| format!("this is no line of an export in DynamoDB JSON: {error}; {HINT}"))?;
    read.entry()
}

fn read_json(line: &[u8], read: &mut Line) -> Result<(), ReadError> {
    let mut reader = Reader::new(json::utf8(line)?);
    let mut key = reader.next_object()?.map(Cow::into_owned);
    while let Some(name) = key {
        if name == METADATA {
            let start = reader.peek()?;
            read.metadata = Some(json::read_value(&mut reader, start, 1)?);
        } else {
            let place = read.place(&name).ok_or_else(|| ReadError::Syntax(unexpected(&name)))?;
            *place = Some(dynamodb_json::read_item(&mut reader, 0)?);
        }
        key = reader.next_key()?.map(Cow::into_owned);
    }
    Ok(reader.finish()?)
}

/// A line of an export in Ion. An incremental one has all that it says in a `Record`.
pub(super) fn ion(line: &[u8]) -> Result<Entry, String> {
    let wrong = |why: String| format!("this is no line of an export in Ion: {why}; {HINT}");
    let fields = |name: &str, value: Value| match value {
        Value::Map(map) => Ok(map),
        other => Err(wrong(format!("{name} is a {} instead of a struct", other.kind()))),
    };
    let mut whole = fields("it", ion::parse(line).map_err(|error| wrong(error.to_string()))?)?;
    if let (1, Some(record)) = (whole.len(), whole.remove("Record")) {
        whole = fields("`Record`", record)?;
    }
    let mut read = Line::default();
    for (name, value) in whole {
        if name == METADATA {
            read.metadata = Some(value);
        } else {
            let place = read.place(&name).ok_or_else(|| wrong(unexpected(&name)))?;
            *place = Some(fields(&format!("`{name}`"), value)?);
        }
    }
    read.entry()
}

const METADATA: &str = "Metadata";

fn unexpected(name: &str) -> String {
    let name: String = crate::output::printable(name).chars().take(60).collect();
    format!("`{name}` is none of Item, Keys, Metadata, NewImage, OldImage")
}

impl Line {
    fn place(&mut self, name: &str) -> Option<&mut Option<Item>> {
        match name {
            "Item" => Some(&mut self.item),
            "Keys" => Some(&mut self.keys),
            "NewImage" => Some(&mut self.new),
            "OldImage" => Some(&mut self.old),
            _ => None,
        }
    }

    fn entry(self) -> Result<Entry, String> {
        let is_change = self.keys.is_some() || self.metadata.is_some() || self.new.is_some() || self.old.is_some();
        match (self.item, self.keys, self.metadata) {
            (Some(item), _, _) if !is_change => Ok(Entry::Item(item)),
            (None, Some(keys), Some(metadata)) => {
                let written_micros = micros(&metadata).ok_or_else(|| {
                    format!("`Metadata` has no WriteTimestampMicros, a whole number of microseconds; {HINT}")
                })?;
                Ok(Entry::Change { keys, new: self.new, old: self.old, written_micros })
            }
            _ => Err(format!(
                "a line has an Item, as full exports do, or Keys, Metadata and the images that there are, as incremental \
                 ones do; {HINT}"
            )),
        }
    }
}

/// When the item was written: `{"N": "1"}`, `"1"`, or in Ion `1.`.
fn micros(metadata: &Value) -> Option<u64> {
    let Value::Map(metadata) = metadata else { return None };
    let time = match metadata.get("WriteTimestampMicros")? {
        Value::Map(typed) if typed.len() == 1 => typed.get("N")?,
        plain => plain,
    };
    match time {
        Value::String(digits) => digits.parse().ok(),
        Value::Number(number) => number.whole_digits()?.parse().ok(),
        _ => None,
    }
}
