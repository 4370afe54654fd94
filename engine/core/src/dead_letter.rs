//! Dead letters: rows for events that could not be applied, with all that it takes to apply them later.
//!
//! | row | pk | sk |
//! |---|---|---|
//! | waits to be dealt with | `open/SOURCE` | `PROJECTION/LANE/SEQUENCE/SUB/RULE/DOCUMENT` |
//! | has been dealt with | `done/SOURCE` | the same |
//! | a part of a record that is too large for the row | `payload/SOURCE` | the same, with `/NUMBER` behind it |
//!
//! The record is kept as it came: as text, or packed (gzip) where it is large. Parts are put before the row that needs them.

use crate::bookkeeping::{PARTITION_KEY, SORT_KEY, join, row};
use crate::decode;
use crate::evaluate::DocumentKey;
use crate::program::{MAX_PARTITION_KEY_BYTES, MAX_SORT_KEY_BYTES, Projection, Source};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use viewfold_value::{Item, Value};

/// The attribute by which DynamoDB lets rows expire that have been dealt with, in epoch seconds.
pub const EXPIRES: &str = "expires";

/// How long a row stays that has been dealt with, in seconds: 90 days. It keeps a redelivery by a version of the function
/// that could not apply the event from being redriven again.
const KEEP_DONE_SECONDS: i64 = 90 * 24 * 60 * 60;

/// The most bytes of a record that are kept as text.
const MAX_TEXT_BYTES: usize = 16 << 10;

/// The most bytes of a packed record in one row: an item has 400 KB.
const MAX_PART_BYTES: usize = 350 << 10;

/// The most rows that the parts of a record are in: a record of Kinesis has up to 10 MiB.
const MAX_PARTS: usize = 100;

/// The most bytes of a record that is unpacked: no Lambda event is that long.
const MAX_RECORD_BYTES: u64 = 64 << 20;

/// What an open row says of an event, as far as it takes to leave the event alone.
pub const OPEN_ATTRIBUTES: [&str; 6] = ["projection", "lane", "sequence", "sub", "document", "part"];

/// An event that cannot be applied.
#[derive(Clone, Debug)]
pub struct DeadLetter<'a> {
    /// The projection that could not apply the event.
    pub projection: &'a Projection,
    /// The source of the event in the projection.
    pub source: &'a Source,
    /// The lane, where it is known.
    pub lane: &'a str,
    /// The record's sequence number.
    pub sequence: &'a str,
    /// The event's place in its record.
    pub sub: u32,
    /// The event's id.
    pub id: &'a str,
    /// The rule, where one is to blame.
    pub rule: Option<&'a str>,
    /// The document, where it is known.
    pub document: Option<&'a DocumentKey>,
    /// The order and id of the event among those of its document, under `events_table` with `order_by`.
    pub ordered: Option<(&'a str, &'a str)>,
    /// Whether the event was applied to its other documents: only what it does to this one is left.
    pub part: bool,
    /// Whether the guard remembers the event, as if it had been applied.
    pub guarded: bool,
    /// The reason's code.
    pub reason: &'static str,
    /// One sentence.
    pub message: &'a str,
    /// The record as Lambda gave it.
    pub record: &'a [u8],
    /// The engine's clock, RFC 3339.
    pub now: &'a str,
}

impl DeadLetter<'_> {
    fn sort_key(&self) -> String {
        let document = self.document.map(DocumentKey::text);
        let parts = [
            &self.projection.name,
            self.lane,
            self.sequence,
            &self.sub.to_string(),
            self.rule.unwrap_or("-"),
            document.as_deref().unwrap_or("-"),
        ];
        join(&parts, MAX_SORT_KEY_BYTES)
    }

    /// The key of the open row.
    pub fn key(&self) -> Item {
        row(partition("open", &self.source.bookkeeping), self.sort_key())
    }

    /// The open row, and the parts that it needs, which are put before it.
    pub fn rows(&self) -> (Item, Vec<Item>) {
        let mut item = self.key();
        let document = self.document.map(DocumentKey::text);
        let texts = [
            ("projection", Some(self.projection.name.as_str())),
            ("version", Some(&self.projection.hash)),
            ("source", Some(&self.source.bookkeeping)),
            ("lane", Some(self.lane)),
            ("sequence", Some(self.sequence)),
            ("id", Some(self.id)),
            ("rule", self.rule),
            ("document", document.as_deref()),
            ("reason", Some(self.reason)),
            ("message", Some(self.message)),
            ("recorded", Some(self.now)),
            ("order", self.ordered.map(|(order, _)| order)),
            ("event", self.ordered.map(|(_, id)| id)),
        ];
        item.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::from(text?)))));
        item.insert("sub".to_owned(), Value::Number(u64::from(self.sub).into()));
        for (name, flag) in [("part", self.part), ("guarded", self.guarded)] {
            if flag {
                item.insert(name.to_owned(), Value::Bool(true));
            }
        }
        let record = decode::alone(self.record, self.sub);
        if record.len() <= MAX_TEXT_BYTES {
            item.insert("record".to_owned(), Value::String(record));
            return (item, Vec::new());
        }
        let packed = pack(record.as_bytes());
        if packed.len() <= MAX_PART_BYTES {
            item.insert("packed".to_owned(), Value::Binary(packed));
            return (item, Vec::new());
        }
        let parts: Vec<&[u8]> = packed.chunks(MAX_PART_BYTES).collect();
        item.insert("parts".to_owned(), Value::Number((parts.len() as u64).into()));
        let keys = part_keys(&self.source.bookkeeping, &self.sort_key(), parts.len());
        let rows = keys.into_iter().zip(parts).map(|(mut key, part)| {
            key.insert("packed".to_owned(), Value::Binary(part.to_vec()));
            key
        });
        (item, rows.collect())
    }
}

fn partition(state: &str, source: &str) -> String {
    join(&[state, source], MAX_PARTITION_KEY_BYTES)
}

/// The partition key of the dead letters of a source that wait to be dealt with.
pub fn open_letters(source: &str) -> String {
    partition("open", source)
}

fn part_keys(source: &str, sort: &str, count: usize) -> Vec<Item> {
    let key = |number: usize| {
        let sort = join(&[sort, &format!("{number:04}")], MAX_SORT_KEY_BYTES);
        row(partition("payload", source), sort)
    };
    (0..count).map(key).collect()
}

fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    // Writing into memory cannot fail.
    let _ = packer.write_all(bytes);
    packer.finish().unwrap_or_default()
}

/// A row of the table of dead letters.
#[derive(Clone, PartialEq, Debug)]
pub struct Letter {
    row: Item,
}

impl Letter {
    /// The letter of a row; nothing where the row is no letter: a part of one, for example.
    pub fn of(row: Item) -> Option<Letter> {
        let letter = Letter { row };
        let is_letter = ["pk", "sk", "projection", "source", "sequence", "reason"]
            .iter()
            .all(|name| letter.row.get(*name).is_some_and(|value| value.as_str().is_some()));
        (is_letter && !letter.column(PARTITION_KEY).starts_with("payload/")).then_some(letter)
    }

    /// A column that is a text; empty where there is none.
    pub fn column(&self, name: &str) -> &str {
        self.row.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The whole row.
    pub fn row(&self) -> &Item {
        &self.row
    }

    /// Whether it waits to be dealt with.
    pub fn is_open(&self) -> bool {
        self.column(PARTITION_KEY).starts_with("open/")
    }

    /// The event's place in its record.
    pub fn sub(&self) -> u32 {
        match self.row.get("sub") {
            Some(Value::Number(number)) => number.to_string().parse().unwrap_or(0),
            _ => 0,
        }
    }

    /// Whether the event was applied to its other documents.
    pub fn is_part(&self) -> bool {
        self.row.get("part") == Some(&Value::Bool(true))
    }

    /// Whether the guard remembers the event, as if it had been applied.
    pub fn is_guarded(&self) -> bool {
        self.row.get("guarded") == Some(&Value::Bool(true))
    }

    /// A name for people to type: the first 12 hexadecimal digits of the SHA-256 of the row's place.
    pub fn short_id(&self) -> String {
        let place = format!("{}\n{}", self.column("source"), self.column(SORT_KEY));
        let mut text = String::new();
        for byte in &Sha256::digest(place.as_bytes())[..6] {
            // Writing into a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// The row's key.
    pub fn key(&self) -> Item {
        row(self.column(PARTITION_KEY).to_owned(), self.column(SORT_KEY).to_owned())
    }

    /// The key of the row once the event has been dealt with.
    pub fn done_key(&self) -> Item {
        row(partition("done", self.column("source")), self.column(SORT_KEY).to_owned())
    }

    /// The row once the event has been dealt with: what came of it (`applied`, for one), when, and by which version of the
    /// projection. Of its record nothing is left but in other rows.
    pub fn done(&self, effect: &str, version: &str, now: &str) -> Item {
        let mut item = self.row.clone();
        item.extend(self.done_key());
        let seconds = now.parse::<jiff::Timestamp>().map_or(0, |time| time.as_second()) + KEEP_DONE_SECONDS;
        item.insert(EXPIRES.to_owned(), Value::Number(u64::try_from(seconds).unwrap_or(0).into()));
        for (name, text) in [("effect", effect), ("redriven", now), ("redriven_by", version)] {
            item.insert(name.to_owned(), Value::from(text));
        }
        item
    }

    /// The keys of the rows that hold the parts of its record; none where the row counts more of them than there can be.
    pub fn part_keys(&self) -> Vec<Item> {
        let count = match self.row.get("parts") {
            Some(Value::Number(number)) => number.to_string().parse().unwrap_or(0),
            _ => 0,
        };
        let count = if count > MAX_PARTS { 0 } else { count };
        part_keys(self.column("source"), self.column(SORT_KEY), count)
    }

    /// The record as Lambda gave it, from the row and the parts of [`Letter::part_keys`], in their order.
    ///
    /// # Errors
    ///
    /// When a part is missing or what is packed cannot be unpacked.
    pub fn record(&self, parts: &[Option<Item>]) -> Result<String, String> {
        if let Some(Value::String(text)) = self.row.get("record") {
            return Ok(text.clone());
        }
        let mut packed = Vec::new();
        let own = [Some(&self.row)];
        let rows: Vec<Option<&Item>> =
            if parts.is_empty() { own.to_vec() } else { parts.iter().map(Option::as_ref).collect() };
        for row in rows {
            match row.and_then(|row| row.get("packed")) {
                Some(Value::Binary(bytes)) => packed.extend_from_slice(bytes),
                _ => return Err("a part of the record is missing".to_owned()),
            }
        }
        let mut text = String::new();
        flate2::read::GzDecoder::new(packed.as_slice())
            .take(MAX_RECORD_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(|error| format!("the record cannot be unpacked: {error}"))?;
        match text.len() as u64 > MAX_RECORD_BYTES {
            true => Err(format!("the record cannot be unpacked: it has more than {} MiB", MAX_RECORD_BYTES >> 20)),
            false => Ok(text),
        }
    }
}

/// The events of a batch that wait among the dead letters: they are left to be redriven.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenLetters {
    letters: std::collections::HashMap<(String, String, String, u32), Vec<Open>>,
}

/// What waits of an event.
#[derive(Clone, Debug)]
enum Open {
    Event,
    Document(String),
}

impl OpenLetters {
    /// Takes rows with the columns of [`OPEN_ATTRIBUTES`].
    pub(crate) fn extend(&mut self, rows: Vec<Item>) {
        for row in rows {
            let letter = Letter { row };
            let column = |name: &str| letter.column(name).to_owned();
            let open = match letter.is_part() {
                true => Open::Document(column("document")),
                false => Open::Event,
            };
            let event = (column("projection"), column("lane"), column("sequence"), letter.sub());
            self.letters.entry(event).or_default().push(open);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    /// Whether an event waits as a whole, and which of its documents wait.
    pub(crate) fn of(&self, projection: &str, lane: &str, sequence: &str, sub: u32) -> Option<(bool, Vec<&str>)> {
        let event = (projection.to_owned(), lane.to_owned(), sequence.to_owned(), sub);
        let open = self.letters.get(&event)?;
        let documents = open.iter().filter_map(|open| match open {
            Open::Event => None,
            Open::Document(document) => Some(document.as_str()),
        });
        let documents: Vec<&str> = documents.collect();
        Some((documents.len() < open.len(), documents))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(record: &str) -> (Letter, Vec<Option<Item>>) {
        let packed = pack(record.as_bytes());
        let mut row = row("open/s".into(), "p/l/1/0/-/-".into());
        for name in ["projection", "source", "sequence", "reason"] {
            row.insert(name.to_owned(), Value::from(&name[..1]));
        }
        if packed.len() <= MAX_PART_BYTES {
            row.insert("packed".to_owned(), Value::Binary(packed));
            return (Letter::of(row).unwrap(), Vec::new());
        }
        let parts = packed.chunks(MAX_PART_BYTES);
        row.insert("parts".to_owned(), Value::Number((parts.len() as u64).into()));
        let parts = parts.map(|part| Some([("packed".to_owned(), Value::Binary(part.to_vec()))].into()));
        (Letter::of(row).unwrap(), parts.collect())
    }

    #[test]
    fn a_record_is_read_as_it_was_packed() {
        let short = "x".repeat(100_000);
        // What cannot be packed smaller.
        let mut seed = 1_u64;
        let noise = (0..1_500_000).map(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b' ' + u8::try_from(seed >> 57).unwrap_or(0) % 90)
        });
        for record in [short, noise.collect()] {
            let (letter, parts) = letter(&record);
            assert_eq!(letter.part_keys().len(), parts.len());
            assert_eq!(letter.record(&parts).as_ref(), Ok(&record));
            if let Some((_, fewer)) = parts.split_last() {
                assert!(fewer.is_empty() || letter.record(fewer).is_err());
            }
        }
    }
}
