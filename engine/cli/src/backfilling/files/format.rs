//! What is in a file, told from its first entry.

use super::Trouble;
use super::input::Input;
use super::recorded::{self, RECORDS};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use viewfold_value::ion;

/// What the entries of a file are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Format {
    /// Items or changes in DynamoDB JSON, one to a line.
    DynamoDbJson,
    /// Items or changes in Ion text, one to a line.
    Ion,
    /// Recorded Lambda events, over as many lines as they like.
    Recorded,
    /// Payloads of a stream, one to a line.
    Payloads,
}

/// What else files are, by what they begin with.
const OTHERS: [(&[u8], &str); 8] = [
    (b"\xe0\x01\x00\xea", "Amazon Ion in its binary form; exports have the text form"),
    (b"PK\x03\x04", "a ZIP archive; unpack it"),
    (b"PAR1", "a Parquet file; write it as JSON lines"),
    (b"ORC", "an ORC file; write it as JSON lines"),
    (b"Obj\x01", "an Avro file; write it as JSON lines"),
    (b"BZh", "packed with bzip2; unpack it"),
    (b"\xfd7zXZ\0", "packed with xz; unpack it"),
    (b"\x04\x22\x4d\x18", "packed with lz4; unpack it"),
];

const READ: &str = "What can be read: exports of a table by DynamoDB (DynamoDB JSON or Ion), recorded Lambda events \
                    ({\"Records\": [...]}), and JSON objects or arrays one to a line; each as it is, or in gzip or zstd.";

/// The names of DynamoDB's types.
const TYPES: [&str; 10] = ["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"];

/// What is in this file; nothing in one without a word.
pub(super) fn tell(input: &mut Input) -> Result<Option<Format>, Trouble> {
    match input.next_mark()? {
        None => return Ok(None),
        Some(b'{' | b'[') => {}
        Some(_) if input.peek_line()?.starts_with(ion::VERSION.as_bytes()) => return Ok(Some(Format::Ion)),
        Some(_) => return Err(unknown(input)),
    }
    while input.rest().len() < 4096 && input.fill()? {}
    if begins_with_records(input.rest()) {
        return Ok(Some(Format::Recorded));
    }
    let (number, line) = (input.line(), input.peek_line()?);
    match serde_json::from_slice::<&RawValue>(line) {
        Ok(_) => Ok(Some(of_line(line))),
        Err(error) => {
            let why = recorded::words(&error);
            let hint = "over several lines only recorded Lambda events ({\"Records\": [...]}) may go: write each entry to a line \
                        of its own, as `jq -c` does";
            Err(input.trouble(number, format!("this line by itself is no JSON: {why}; {hint}. {READ}")))
        }
    }
}

/// Whether it is an event or a list of events, as far as the first name tells.
fn begins_with_records(text: &[u8]) -> bool {
    fn behind<'a>(text: &'a [u8], mark: &str) -> Option<&'a [u8]> {
        text.strip_prefix(mark.as_bytes()).map(<[u8]>::trim_ascii_start)
    }
    let text = behind(text, "[").unwrap_or(text);
    ["{", "\"", RECORDS, "\"", ":", "["].into_iter().try_fold(text, behind).is_some()
}

/// What a line of sound JSON is.
fn of_line(line: &[u8]) -> Format {
    // An array is no object, and so a payload.
    let fields: Fields<'_> = serde_json::from_slice(line).unwrap_or_default();
    let has = |name: &str| fields.contains_key(name);
    if fields.get(RECORDS).is_some_and(|records| records.get().starts_with('[')) {
        return Format::Recorded;
    }
    let is_item = fields.len() == 1 && fields.get("Item").is_some_and(|item| is_typed(item));
    let is_change = has("Keys")
        && fields.get("Metadata").is_some_and(|metadata| {
            serde_json::from_str::<Fields<'_>>(metadata.get())
                .is_ok_and(|inner| inner.contains_key("WriteTimestampMicros"))
        });
    if is_item || is_change { Format::DynamoDbJson } else { Format::Payloads }
}

type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// Whether a value is an item in DynamoDB JSON: any attribute with a type is enough, so that a broken one beside it is an
/// error of its line.
fn is_typed(item: &RawValue) -> bool {
    let typed = |value: &&RawValue| {
        let fields: Fields<'_> = serde_json::from_str(value.get()).unwrap_or_default();
        fields.len() == 1 && fields.keys().all(|name| TYPES.contains(&name.as_str()))
    };
    serde_json::from_str::<Fields<'_>>(item.get()).is_ok_and(|item| item.is_empty() || item.values().any(typed))
}

fn unknown(input: &Input) -> Trouble {
    let rest = input.rest();
    let found = OTHERS.iter().find(|(mark, _)| rest.starts_with(mark)).map(|(_, what)| format!("it is {what}"));
    let found = found.unwrap_or_else(|| {
        let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let shown: String = String::from_utf8_lossy(line).chars().take(40).collect();
        format!("it begins with `{}`", crate::output::printable(shown.trim_end()))
    });
    input.trouble(input.line(), format!("this is no file of history: {found}. {READ}"))
}
