//! Items of a table as events: what a scan finds enters the engine as inserts that lie before everything in the table's stream.
//!
//! A stream begins a day ago at most, and the table may be years old. So the items themselves are taken for events: each is an
//! insert, under a label that sorts before those of all streams ([`LABEL`]). Where the guard goes by marks, such an insert is
//! applied only while the stream has said nothing of the item, and whatever the stream says lies above it. Scan and
//! stream may then run at once, in any order: a rule with `retract: true` makes the same of both.

use crate::decode::{self, envelope};
use crate::demands::Demand;
use crate::evaluate::{Scope, evaluate};
use crate::program::{
    Guard, Index, LaneCheck, MetadataName, OperationKind, Program, Projection, Rule, Source, Subject, Term,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::sync::Arc;
use viewfold_value::dynamodb_json::write_item;
use viewfold_value::json::{write_map, write_text};
use viewfold_value::{Item, Value};

/// In the place of a stream's label, which is a time: it sorts before all of them, and before the `-` of records without one.
pub const LABEL: &str = "!backfill";

/// What is known of an item: its key, and its images before and after a change. Without an old image it was found as it is.
#[derive(Clone, Copy, Debug)]
pub struct Found<'i> {
    /// Its key.
    pub keys: &'i Item,
    /// The item as it is; none where it is gone.
    pub new: Option<&'i Item>,
    /// The item as it was before.
    pub old: Option<&'i Item>,
    /// What brings the changes of one item into their order: 0 for what is there now, and for changes out of files a time.
    pub order: u64,
}

/// Writes a record as Lambda would give it to a function: the insert of an item that was found in a table, or a change of it
/// that a file tells of. `table_arn` is the table's own.
pub fn write_record(table_arn: &str, found: Found<'_>, text: &mut String) {
    let Found { keys, new, old, order } = found;
    let name = match (new, old) {
        (Some(_), None) => "INSERT",
        (Some(_), Some(_)) => "MODIFY",
        (None, _) => "REMOVE",
    };
    let mut id = String::from("backfill/");
    write_map(keys, &mut id);
    text.push_str("{\"eventID\":");
    write_text(&id, text);
    text.push_str(&format!(",\"eventName\":\"{name}\",\"eventSource\":\"aws:dynamodb\",\"eventSourceARN\":"));
    write_text(&format!("{table_arn}/stream/{LABEL}"), text);
    text.push_str(&format!(",\"dynamodb\":{{\"SequenceNumber\":\"{order}\""));
    for (name, item) in [("Keys", Some(keys)), ("NewImage", new), ("OldImage", old)] {
        if let Some(item) = item {
            text.push_str(&format!(",\"{name}\":"));
            write_item(item, text);
        }
    }
    text.push_str("}}");
}

/// Writes a record of a Kinesis stream as Lambda would give it to a function, of a payload out of a file: the `order`th of all.
/// Its sequence number is that, far below those that Kinesis gives; its partition key is what the projections say that
/// producers send.
pub fn write_payload(program: &Program, stream: usize, order: u64, payload: &[u8], text: &mut String) {
    let data = BASE64.encode(payload);
    let key = partition_key(program, stream, &record(program, stream, order, "-", &data));
    text.push_str(&record(program, stream, order, key.as_deref().unwrap_or("-"), &data));
}

fn record(program: &Program, stream: usize, order: u64, key: &str, data: &str) -> String {
    let mut text = format!(
        "{{\"eventID\":\"shardId-backfill:{order}\",\"eventName\":\"aws:kinesis:record\",\"eventSource\":\"aws:kinesis\",\"eventSourceARN\":"
    );
    write_text(&format!("arn:aws:kinesis:::stream/{}", program.streams[stream].identity.name()), &mut text);
    text.push_str(&format!(",\"kinesis\":{{\"sequenceNumber\":\"{order}\",\"data\":\"{data}\",\"partitionKey\":"));
    write_text(key, &mut text);
    text.push_str("}}");
    text
}

/// The partition key of a payload by the first projection that says what it is. A payload that cannot be read, or has no such
/// value, has none, and is rejected when it is applied.
fn partition_key(program: &Program, stream: usize, record: &str) -> Option<String> {
    let of_lane = |(projection, source): &(usize, usize)| match &program.projections[*projection].sources[*source].lane
    {
        Some(LaneCheck::PartitionKey(term)) => Some(term),
        _ => None,
    };
    let term = program.streams[stream].readers.iter().find_map(of_lane)?;
    let record = envelope::record(record.as_bytes()).ok()?;
    let decoded = decode::decode(&record, 0, stream, program, &Arc::from("1970-01-01T00:00:00Z"));
    let event = decoded.into_iter().next()?.event.ok()?;
    match evaluate(term, &Scope { event: Some(&event), ..Scope::default() }).ok()?? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

impl Program {
    /// The program with some of its projections alone; what these have to know of the others they know already.
    #[must_use]
    pub fn only(mut self, chosen: impl Fn(&Projection) -> bool) -> Program {
        self.projections.retain(chosen);
        for (number, stream) in self.streams.iter_mut().enumerate() {
            stream.readers.clear();
            stream.attentive.clear();
            for (projection, source, compiled) in sources(&self.projections) {
                if compiled.stream == number {
                    if compiled.retracts {
                        stream.attentive.push(stream.readers.len());
                    }
                    stream.readers.push((projection, source));
                }
            }
            stream.demands = Demand::of_stream(&stream.readers, &self.projections);
            stream.index = Index::of_stream(number, &self.projections);
        }
        self
    }
}

/// Every source, with the numbers of its projection and of itself.
fn sources(projections: &[Projection]) -> impl Iterator<Item = (usize, usize, &Source)> {
    let all = projections.iter().enumerate();
    all.flat_map(|(number, projection)| {
        projection.sources.iter().enumerate().map(move |(at, source)| (number, at, source))
    })
}

/// Why the items of a source's table cannot stand for the events that made them, each a sentence with what to do; none where the
/// view comes out right, whatever the stream brings meanwhile.
///
/// `retract: true` is made of what an item *is*. Every other rule is made of what *happened*, which a table does not
/// tell; only where each event leaves all that is set, or is known by an id of the item's own, is the last state enough.
pub fn doubts(projection: &Projection, source: usize) -> Vec<String> {
    let compiled = &projection.sources[source];
    if compiled.retracts {
        return Vec::new();
    }
    let mut doubts = Vec::new();
    match &compiled.guard {
        Guard::None => {
            doubts.push("`guard: none` does not know what was applied: the stream's events and the table's items would both count".into());
        }
        Guard::EventsTable { id, .. } if reads_metadata(id) => doubts.push(
            "its guard knows events by what the stream says of them, and an item in a table has no event: take an id of its own, \
             `id: $.new.id`"
                .into(),
        ),
        Guard::EventsTable { .. } | Guard::Document { .. } | Guard::Lane { .. } => {}
    }
    let by_id = matches!(compiled.guard, Guard::EventsTable { .. });
    for rule in projection.rules.iter().filter(|rule| rule.source == source) {
        doubts.extend(doubt(rule, by_id).map(|why| format!("the rule `{}` {why}", rule.name)));
    }
    doubts
}

fn doubt(rule: &Rule, by_id: bool) -> Option<&'static str> {
    let terms = || rule.terms().chain(&rule.each).chain(&rule.key);
    if terms().any(reads_metadata) || rule.when.iter().any(|condition| is_of_stream(condition.subject)) {
        return Some("reads `$$.…`, which only a stream tells");
    }
    if by_id || rule.delete {
        return None;
    }
    if rule.when.iter().any(|condition| condition.subject == Subject::Metadata(MetadataName::Change)) {
        return Some(
            "is for one kind of change: an item that was changed before the scan came to it would never be taken for \
             inserted; leave `$$.change` out, or count items with `retract: true`",
        );
    }
    let counts = rule.operations.iter().any(|operation| !matches!(operation.kind, OperationKind::Set(_)));
    counts.then_some(
        "is made of everything that happened to an item, and the table has what it is now; `retract: true` makes it of \
         the items",
    )
}

/// What the stream alone says; that an item of a table was inserted is known.
fn is_of_stream(subject: Subject) -> bool {
    use MetadataName::{Change, Lane, Now, Stream};
    matches!(subject, Subject::Metadata(name) if !matches!(name, Change | Lane | Now | Stream))
}

fn reads_metadata(term: &Term) -> bool {
    term.any(&mut |part| matches!(part, Term::Event { subject, .. } if is_of_stream(*subject)))
}
