//! Rows of the tables that guards keep beside the documents.
//!
//! They have text keys `pk` and `sk`; the parts of a key are joined by `/` and escaped, so that no two different events
//! have one row. A key that is too long for DynamoDB is replaced by its SHA-256.

use crate::evaluate::{Contribution, DocumentKey};
use crate::event::{Event, Lane, Metadata, Slot, Slots};
use crate::program::{DocumentPath, MAX_PARTITION_KEY_BYTES, MAX_SORT_KEY_BYTES, Program, Projection, Source};
use crate::sorted_map::Attributes;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};
use viewfold_value::dynamodb_json::{read_attribute, read_item, write_attribute, write_item};
use viewfold_value::{Item, Number, Reader, Value, json};

/// The partition key of bookkeeping tables.
pub const PARTITION_KEY: &str = "pk";

/// The sort key of bookkeeping tables.
pub const SORT_KEY: &str = "sk";

/// The attribute of a lane's row that holds its mark.
pub const MARK: &str = "mark";

/// The attribute of a lane's row that holds the marks of events that were redriven while its own was below them.
pub const REDRIVEN: &str = "redriven";

/// The attribute of a lane's row that holds what its item contributes (`retract: true`).
pub const CONTRIBUTES: &str = "contributes";

/// The ways to the attributes of rows that conditions look at.
#[derive(Debug)]
pub(crate) struct RowWays {
    /// To [`PARTITION_KEY`].
    pub(crate) key: DocumentPath,
    /// To [`MARK`].
    pub(crate) mark: DocumentPath,
    /// To [`REDRIVEN`].
    pub(crate) redriven: DocumentPath,
    /// To [`CONTRIBUTES`].
    pub(crate) contributes: DocumentPath,
}

/// They are made once.
pub(crate) static WAYS: LazyLock<RowWays> = LazyLock::new(|| RowWays {
    key: DocumentPath::attribute(PARTITION_KEY),
    mark: DocumentPath::attribute(MARK),
    redriven: DocumentPath::attribute(REDRIVEN),
    contributes: DocumentPath::attribute(CONTRIBUTES),
});

/// The key of a row.
pub fn row(partition: String, sort: String) -> Item {
    let mut key = Item::new();
    key.insert(PARTITION_KEY.to_owned(), Value::String(partition));
    key.insert(SORT_KEY.to_owned(), Value::String(sort));
    key
}

/// The attribute by which DynamoDB lets the rows of events expire (`keep_for`), in epoch seconds.
pub const EXPIRES: &str = "expires";

/// The row that stands for an event in an events table: pk `PROJECTION/SOURCE/ID`, sk `-`.
pub fn event_row(projection: &Projection, source: &Source, id: &str, expires: Option<i64>) -> Attributes {
    let mut item = own_row(projection, source, id, usize::from(expires.is_some()));
    if let Some(seconds) = expires {
        item.insert(EXPIRES.to_owned(), Value::Number(u64::try_from(seconds).unwrap_or(0).into()));
    }
    item
}

/// An event among those that were redriven while the mark of its line was below it: `SOURCE/SHARD/MARK`, without a shard
/// `SOURCE/-/MARK`.
pub fn redriven_entry(source: &Source, shard: Option<&str>, mark: &str) -> String {
    format!("{}/{}/{mark}", source.bookkeeping, shard.unwrap_or("-"))
}

/// The key of a lane's row in a table of marks: pk `PROJECTION/SOURCE/LANE`, sk `-`.
pub fn lane_key(projection: &Projection, source: &Source, lane: &str) -> Attributes {
    own_row(projection, source, lane, 2)
}

/// The key of a row of a source, with room for more attributes.
fn own_row(projection: &Projection, source: &Source, name: &str, more: usize) -> Attributes {
    let partition = join(&[&projection.name, &source.bookkeeping, name], MAX_PARTITION_KEY_BYTES);
    let mut key = Attributes::with_capacity(2 + more);
    key.extend([(PARTITION_KEY.to_owned(), Value::String(partition)), (SORT_KEY.to_owned(), Value::from("-"))]);
    key
}

/// The attribute of a lane's row that says that its newest event is a dead letter: a later one that changes nothing moves the
/// mark all the same, so that the letter is known to be superseded.
pub const REJECTED: &str = "rejected";

/// A lane's row: its mark, the events that were redriven above it, and what its item contributes, where rules take that
/// back.
pub fn lane_row(
    mut key: Attributes,
    mark: Option<&str>,
    redriven: &BTreeSet<String>,
    contribution: Option<&Contribution>,
) -> Attributes {
    key.extend(mark.map(|mark| (MARK.to_owned(), Value::from(mark))));
    if !redriven.is_empty() {
        key.insert(REDRIVEN.to_owned(), Value::StringSet(redriven.clone()));
    }
    if let Some(contribution) = contribution {
        key.insert(CONTRIBUTES.to_owned(), Value::String(contribution_text(contribution)));
    }
    key
}

/// A contribution as one text: a list of documents, each with its key in DynamoDB JSON and with its sums, the names on the way to
/// each and the number. `[[[{"S":"ann"}],[[["games"],1],[["points","a"],0.5]]]]`
///
/// Ten thousand rows of a batch have one each: as lists and maps of DynamoDB it would be twice as long on its way, and a third of
/// what the SDK makes of a transaction.
fn contribution_text(contribution: &Contribution) -> String {
    let mut text = String::with_capacity(64);
    json::write_all(contribution, &mut text, |(document, sums), text| {
        text.push('[');
        json::write_all(document.0.iter(), text, write_attribute);
        text.push(',');
        json::write_all(sums, text, |(path, number), text| {
            text.push('[');
            json::write_all(path.0.iter(), text, |name, text| json::write_text(name, text));
            // Writing into a String cannot fail.
            let _ = write!(text, ",{number}]");
        });
        text.push(']');
    });
    text
}

/// The marks of events that a lane's row says were redriven while its own was below them.
pub fn redriven_of(row: &Item) -> BTreeSet<String> {
    match row.get(REDRIVEN) {
        Some(Value::StringSet(marks)) => marks.clone(),
        _ => BTreeSet::new(),
    }
}

/// What a lane's row says that its item contributes; nothing where the row is not as [`lane_row`] writes it.
pub fn contribution_of(row: &Item) -> Option<Contribution> {
    let text = match row.get(CONTRIBUTES) {
        None => return Some(Contribution::new()),
        Some(Value::String(text)) => text,
        Some(_) => return None,
    };
    let mut reader = Reader::new(text);
    let documents = elements(&mut reader, |reader| {
        reader.next_array().ok()??;
        let key: Vec<Value> = elements(reader, |reader| read_attribute(reader, 0).ok())?;
        reader.next_element().ok()??;
        let sums = elements(reader, |reader| {
            reader.next_array().ok()??;
            let names: Vec<String> = elements(reader, |reader| Some(reader.next_string().ok()?.into_owned()))?;
            let start = reader.next_element().ok()??;
            let number = Number::parse(reader.number(start).ok()?).ok()?;
            // A path has a name at least.
            let is_sum = !names.is_empty() && reader.next_element().ok()?.is_none();
            is_sum.then(|| (DocumentPath::from(names), number))
        })?;
        reader.next_element().ok()?.is_none().then(|| (DocumentKey(key.into()), sums.into_iter().collect()))
    })?;
    reader.finish().ok()?;
    Some(documents.into_iter().collect())
}

/// The elements of the list that is next; nothing where one of them is nothing, or there is no list.
fn elements<'t, T>(reader: &mut Reader<'t>, mut read: impl FnMut(&mut Reader<'t>) -> Option<T>) -> Option<Vec<T>> {
    let mut all = Vec::new();
    let mut next = reader.next_array().ok()?;
    while next.is_some() {
        all.push(read(reader)?);
        next = reader.next_element().ok()?;
    }
    Some(all)
}

/// The partition key of the rows of a document's events, under `events_table` with `order_by`: `PROJECTION/DOCUMENT`.
pub fn ordered_partition(projection: &Projection, document: &DocumentKey) -> String {
    join(&[&projection.name, &document.text()], MAX_PARTITION_KEY_BYTES)
}

/// The sort key of an event's row there, `ORDER/ID`: rows sort by it as events do.
pub fn ordered_sort(order: &str, id: &str) -> String {
    join(&[order, id], MAX_SORT_KEY_BYTES)
}

/// An event among those of its document, and what orders it there.
#[derive(Clone, Debug)]
pub struct OrderedEvent {
    /// The value of `order_by`, as a mark.
    pub order: String,
    /// The event's id: it decides between events of one order.
    pub id: String,
    /// The number of the event's source in its projection.
    pub source: usize,
    /// The event.
    pub event: Arc<Event>,
    /// The sort key of its dead letter, where it cannot be applied among the events that are there so far; empty where
    /// the projection keeps none.
    pub letter: Option<String>,
    /// Its row as it was read: it may hold values that other versions of the projection need.
    pub row: Option<Item>,
}

/// Why a value cannot be told that rules look at only since the row of its event was written.
pub const NOT_KEPT: &str = "is not kept of the event, which an earlier version of the projection applied";

/// The row of an event there: what the rules need of it, so that the document can be folded anew.
pub fn ordered_row(partition: &str, ordered: &OrderedEvent, projection: &Projection, program: &Program) -> Item {
    let OrderedEvent { order, id, source, event, letter, row: before } = ordered;
    if let Some(mut item) = before.clone() {
        item.remove("letter");
        item.extend(letter.as_ref().map(|letter| ("letter".to_owned(), Value::from(letter.as_str()))));
        return item;
    }
    let paths = &program.streams[event.stream].paths;
    let slots = || (0..paths.slots()).map(|slot| (slot, event.slots.get(slot)));
    let found = slots().filter_map(|(slot, value)| match value {
        Slot::Found(value) => Some((paths.text(slot)?.to_owned(), value.clone())),
        Slot::Missing | Slot::Unusable(_) | Slot::Digits(..) => None,
    });
    let missing = slots().filter_map(|(slot, value)| match value {
        Slot::Missing => paths.text(slot).map(Value::from),
        _ => None,
    });
    let metadata = &event.metadata;
    let lane = match &metadata.lane {
        Lane::PartitionKey(key) => Value::from(&**key),
        Lane::Item(item) => Value::Map(item.key().iter().cloned().collect()),
    };
    let time = metadata.time.map(|time| time.to_string());
    let sub = metadata.sub.to_string();
    let texts = [
        ("id", Some(&*metadata.id)),
        ("sequence", Some(&metadata.sequence)),
        ("sub", Some(&sub)),
        ("shard", metadata.shard.as_deref()),
        ("label", metadata.label.as_deref()),
        ("time", time.as_deref()),
        ("change", metadata.change),
    ];
    let texts = texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::from(text?))));
    let metadata: Item = texts.chain([("lane".to_owned(), lane)]).collect();
    let mut item = row(partition.to_owned(), ordered_sort(order, id));
    item.insert("order".to_owned(), Value::from(order.as_str()));
    item.insert("id".to_owned(), Value::from(id.as_str()));
    item.insert("source".to_owned(), Value::from(projection.sources[*source].bookkeeping.as_str()));
    // As text: a payload may hold what an item cannot, empty names for one.
    let mut values = String::new();
    write_item(&found.collect(), &mut values);
    item.insert("values".to_owned(), Value::String(values));
    item.insert("missing".to_owned(), Value::List(missing.collect()));
    item.insert("metadata".to_owned(), Value::Map(metadata));
    if let Some(letter) = letter {
        item.insert("letter".to_owned(), Value::from(letter.as_str()));
    }
    item
}

/// A row with the values of an older one of the same event beside its own: other versions of the projection may need them.
pub fn with_older_values(mut row: Item, older: &Item) -> Item {
    let values = |row: &Item| {
        let text = row.get("values").and_then(Value::as_str).unwrap_or("{}");
        read_item(&mut Reader::new(text), 0).unwrap_or_default()
    };
    let mut all = values(older);
    all.extend(values(&row));
    let mut missing: Vec<Value> = Vec::new();
    for path in [older, &row].into_iter().filter_map(|row| row.get("missing")) {
        let Value::List(paths) = path else { continue };
        missing.extend(paths.iter().filter(|path| !path.as_str().is_some_and(|path| all.contains_key(path))).cloned());
    }
    missing.dedup();
    let mut text = String::new();
    write_item(&all, &mut text);
    row.insert("values".to_owned(), Value::String(text));
    row.insert("missing".to_owned(), Value::List(missing));
    row
}

/// The event of a row of [`ordered_row`]; nothing where the row is none.
pub fn ordered_event(row: &Item, projection: &Projection, program: &Program, now: &Arc<str>) -> Option<OrderedEvent> {
    let column = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
    let (order, id) = (column("order")?, column("id")?);
    let source = projection
        .sources
        .iter()
        .position(|source| Some(source.bookkeeping.as_str()) == row.get("source").and_then(Value::as_str))?;
    let stream = projection.sources.get(source)?.stream;
    let values = read_item(&mut Reader::new(row.get("values")?.as_str()?), 0).ok()?;
    let Value::Map(metadata) = row.get("metadata")? else { return None };
    let paths = &program.streams.get(stream)?.paths;
    let Value::List(missing) = row.get("missing")? else { return None };
    let mut slots = Slots::default();
    for slot in 0..paths.slots() {
        let text = paths.text(slot).unwrap_or_default();
        slots.set(
            slot,
            match values.get(text) {
                Some(value) => Slot::Found(value.clone()),
                None if missing.iter().any(|path| path.as_str() == Some(text)) => Slot::Missing,
                None => Slot::Unusable(format!("`{text}` {NOT_KEPT}")),
            },
        );
    }
    let text = |name: &str| metadata.get(name).and_then(Value::as_str).map(Arc::<str>::from);
    let lane = match metadata.get("lane")? {
        Value::String(key) => Lane::PartitionKey(Arc::from(key.as_str())),
        Value::Map(key) => Lane::of_item(key.clone()),
        _ => return None,
    };
    let metadata = Metadata {
        id: text("id")?,
        sequence: text("sequence")?,
        sub: text("sub").and_then(|sub| sub.parse().ok()).unwrap_or(0),
        lane,
        stream: Arc::clone(&program.streams[stream].name),
        now: Arc::clone(now),
        shard: text("shard"),
        label: text("label"),
        time: text("time").and_then(|time| time.parse().ok()),
        change: ["insert", "modify", "remove"].into_iter().find(|name| text("change").as_deref() == Some(name)),
    };
    let event = Arc::new(Event { record: usize::MAX, stream, slots, metadata });
    Some(OrderedEvent { order, id, source, event, letter: column("letter"), row: Some(row.clone()) })
}

/// The parts of a key as one text, `%` and `/` in them written as `%25` and `%2F`.
pub(crate) fn join(parts: &[&str], max_bytes: usize) -> String {
    let mut key = String::with_capacity(parts.iter().map(|part| part.len() + 1).sum());
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            key.push('/');
        }
        push_escaped(&mut key, part);
    }
    if key.len() <= max_bytes {
        return key;
    }
    let mut digest = String::from("sha256/");
    for byte in Sha256::digest(key.as_bytes()) {
        // Writing into a String cannot fail.
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}

fn push_escaped(key: &mut String, part: &str) {
    let mut rest = part;
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'%' | b'/')) {
        key.push_str(&rest[..at]);
        key.push_str(if rest.as_bytes()[at] == b'%' { "%25" } else { "%2F" });
        rest = &rest[at + 1..];
    }
    key.push_str(rest);
}

/// The first two parts of a row's partition key: of a row of marks or events the projection and its source. Nothing where the key
/// was too long and its hash stands for it.
pub fn parts(row: &Item) -> Option<(String, String)> {
    let mut parts = row.get(PARTITION_KEY)?.as_str()?.split('/');
    let plain = |part: &str| part.replace("%2F", "/").replace("%25", "%");
    match (parts.next()?, parts.next()?) {
        ("sha256", digest) if digest.len() == 64 && parts.next().is_none() => None,
        (projection, source) => Some((plain(projection), plain(source))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sorted_map::SortedMap;
    use proptest::prelude::*;

    #[test]
    fn different_parts_never_make_one_key() {
        assert_eq!(join(&["p", "s", "1"], 2048), "p/s/1");
        assert_eq!(join(&["p/s", "1", "%"], 2048), "p%2Fs/1/%25");
        let long = join(&["p", "s", &"x".repeat(3000)], 2048);
        assert_eq!(long.len(), 7 + 64);
        assert_ne!(long, join(&["p", "s", &"x".repeat(3001)], 2048));
    }

    #[test]
    fn a_row_says_whose_it_is() {
        let of = |parts: &[&str]| super::parts(&row(join(parts, 2048), "-".into()));
        assert_eq!(of(&["p/%2F", "s", "1"]), Some(("p/%2F".into(), "s".into())));
        assert_eq!(of(&["p", "s", &"x".repeat(3000)]), None);
    }

    fn contribution() -> impl Strategy<Value = Contribution> {
        let value = prop_oneof![
            ".{0,4}".prop_map(|text| Value::from(text.as_str())),
            any::<u64>().prop_map(|number| Value::Number(number.into())),
            prop::collection::vec(any::<u8>(), 0..4).prop_map(Value::Binary),
        ];
        let key = prop::collection::vec(value, 1..3).prop_map(|values| DocumentKey(values.into()));
        let path = prop::collection::vec(".{1,4}", 1..3).prop_map(DocumentPath::from);
        let number = "-?[1-9][0-9]{0,20}(\\.[0-9]{0,10}[1-9])?".prop_map(|digits| digits.parse::<Number>().unwrap());
        let sums = prop::collection::btree_map(path, number, 0..3).prop_map(SortedMap::from);
        prop::collection::btree_map(key, sums, 0..3).prop_map(Contribution::from)
    }

    proptest! {
        #[test]
        fn a_contribution_is_read_as_it_was_written(contribution in contribution(), cut in 0usize..200, more in "[^ \t\r\n]{1,3}") {
            let key = Attributes::from(row("p".into(), "-".into()));
            let mut row: Item = lane_row(key, Some("m"), &BTreeSet::new(), Some(&contribution)).into_iter().collect();
            prop_assert_eq!(contribution_of(&row), Some(contribution));
            // A part of it is none, nor is anything behind it.
            let text = row[CONTRIBUTES].as_str().unwrap().to_owned();
            let part: String = text.chars().take(cut.min(text.chars().count() - 1)).collect();
            row.insert(CONTRIBUTES.to_owned(), Value::String(part));
            prop_assert_eq!(contribution_of(&row), None);
            row.insert(CONTRIBUTES.to_owned(), Value::String(text + &more));
            prop_assert_eq!(contribution_of(&row), None);
        }
    }

    #[test]
    fn a_contribution_is_short() {
        let path = DocumentPath::from(vec!["counts".into(), "a.b".into()]);
        let sums = [(path, "0.5".parse().unwrap())];
        let contribution = Contribution::from([(DocumentKey([Value::from("d")].into()), sums.into())]);
        assert_eq!(contribution_text(&contribution), r#"[[[{"S":"d"}],[[["counts","a.b"],0.5]]]]"#);
        assert_eq!(contribution_text(&Contribution::new()), "[]");
        assert_eq!(contribution_of(&Item::new()), Some(Contribution::new()));
        for other in
            [Value::Null, Value::from(r#"[[[{"S":"d"}],[[[],1]]]]"#), Value::from(r#"[[[{"S":"d"}],[[["a"],"1"]]]]"#)]
        {
            assert_eq!(contribution_of(&[(CONTRIBUTES.to_owned(), other)].into()), None);
        }
    }
}
