//! A Lambda invocation's payload to events.
//!
//! ```text
//! payload ─ envelope::records ─> Record ─ decode ─> Events, their slots filled
//! ```
//!
//! The payload is JSON with a list of records, for [Kinesis] as for [DynamoDB streams] and for [SQS]. Records are taken one by one: what
//! is wrong with one of them is its own failure, and the others go on.
//!
//! [Kinesis]: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
//! [DynamoDB streams]: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
//! [SQS]: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html

mod aggregate;
mod change;
pub mod envelope;
mod message;
mod slots;
mod unpack;

use crate::event::{Event, Lane, Metadata, Slots};
use crate::program::{Payload, Program, Stream, StreamIdentity, is_deleted_row};
use crate::report::{Problem, Reason};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use envelope::{Body, DynamodbBody, Image, KinesisBody, Record, SqsBody};
use jiff::Timestamp;
use std::borrow::Cow;
use std::sync::Arc;
use viewfold_value::dynamodb_json;
use viewfold_value::json::{self, ReadError};
use viewfold_value::{Item, Reader, Value};

/// One event of a record, or why there is none.
#[derive(Debug)]
pub struct Decoded {
    /// The place of the event in its record: the sub-sequence inside of an aggregate, else 0.
    pub sub: u32,
    /// The event's lane, as far as it could be told.
    pub lane: Option<Lane>,
    /// The event's id, as far as it could be told: Lambda's eventID, with the sub-sequence behind it inside of an aggregate; of
    /// a queue the message's id, or that of SNS or EventBridge.
    pub id: Arc<str>,
    /// The event; a [`Problem`] where its payload is no JSON, or an image no DynamoDB JSON.
    pub event: Result<Event, Problem>,
}

/// Decodes one record by itself: see [`Decoder::record`].
pub fn decode(record: &Record<'_>, number: usize, stream: usize, program: &Program, now: &Arc<str>) -> Vec<Decoded> {
    let mut all = Vec::new();
    Decoder::new(program, now).record(record, number, stream, |decoded| all.push(decoded));
    all
}

/// Decodes records one after the other; what all of them need is in memory once.
#[derive(Debug)]
pub struct Decoder<'p> {
    program: &'p Program,
    now: &'p Arc<str>,
    /// Room for a payload.
    bytes: Vec<u8>,
    /// The shard of the last record of Kinesis: a batch is of one shard.
    shard: Option<Arc<str>>,
}

impl<'p> Decoder<'p> {
    /// `now` is the engine's clock, RFC 3339.
    pub fn new(program: &'p Program, now: &'p Arc<str>) -> Decoder<'p> {
        Decoder { program, now, bytes: Vec::new(), shard: None }
    }

    /// Decodes one record: to one event, to those of an aggregate, or to none where it is about the row that a deleted document
    /// left behind, and about no document.
    pub fn record(&mut self, record: &Record<'_>, number: usize, stream: usize, mut found: impl FnMut(Decoded)) {
        let place = Place { number, stream, program: &self.program.streams[stream], now: self.now };
        let mut alone = |event: Result<Option<Event>, Problem>| {
            let Some(event) = event.transpose() else { return };
            let (lane, id) = match &event {
                Ok(event) => (Some(event.metadata.lane.clone()), Arc::clone(&event.metadata.id)),
                Err(_) => (lane(record).ok(), Arc::from(&*record.event_id)),
            };
            found(Decoded { sub: 0, lane, id, event });
        };
        match &record.body {
            Body::Kinesis(body) => self.kinesis(record, body, &place, found),
            Body::Sqs(body) => alone(sqs(record, body, &place).map(Some)),
            Body::Dynamodb(body) => alone(dynamodb(record, body, &place)),
        }
    }

    fn kinesis(
        &mut self,
        record: &Record<'_>,
        body: &KinesisBody<'_>,
        place: &Place<'_>,
        mut found: impl FnMut(Decoded),
    ) {
        let id = &record.event_id;
        let common = Common { sequence: Arc::from(&*body.sequence), shard: self.shard(id), time: body.arrival };
        let bytes = from_base64(&body.data, &mut self.bytes).map_err(|error| {
            let hint = if body.data.starts_with(['{', '[']) { "; it looks like JSON itself" } else { "" };
            undecodable(format!("the record's data is no base64: {error}{hint}"))
        });
        let bytes = bytes.map(|()| self.bytes.as_slice());
        match bytes.as_ref().ok().and_then(|bytes| aggregate::taken_apart(bytes)) {
            None => {
                let lane = Some(Lane::PartitionKey(Arc::from(&*body.partition_key)));
                common.event(place, 0, Arc::from(&**id), lane, bytes).into_iter().for_each(found);
            }
            Some(parts) => {
                for (sub, (key, data)) in (0..).zip(parts) {
                    let lane = key.map(|key| Lane::PartitionKey(Arc::from(key)));
                    let id = Arc::from(format!("{id}/{sub}"));
                    common.event(place, sub, id, lane, Ok(&data)).into_iter().for_each(&mut found);
                }
            }
        }
    }

    /// The shard that a record's eventID begins with: `SHARD:SEQUENCE`.
    fn shard(&mut self, id: &str) -> Option<Arc<str>> {
        let is_of = |shard: &&Arc<str>| id.strip_prefix(&***shard).is_some_and(|rest| rest.starts_with(':'));
        if self.shard.as_ref().filter(is_of).is_none() {
            self.shard = id.split_once(':').map(|(shard, _)| Arc::from(shard));
        }
        self.shard.clone()
    }
}

/// What the events of a Kinesis record have in common.
struct Common {
    sequence: Arc<str>,
    shard: Option<Arc<str>>,
    time: Option<Timestamp>,
}

impl Common {
    /// The event of a payload; nothing where it is about no document.
    fn event(
        &self,
        place: &Place<'_>,
        sub: u32,
        id: Arc<str>,
        mut lane: Option<Lane>,
        bytes: Result<&[u8], Problem>,
    ) -> Option<Decoded> {
        let read = || {
            let in_table = || undecodable("the record's partition key is not in the aggregate's table");
            let mut slots = Slots::with_room(place.program.paths.slots());
            let mut metadata = Metadata {
                id: Arc::clone(&id),
                sequence: Arc::clone(&self.sequence),
                sub,
                lane: lane.clone().ok_or_else(in_table)?,
                stream: Arc::clone(&place.program.name),
                now: Arc::clone(place.now),
                shard: self.shard.clone(),
                label: None,
                time: self.time,
                change: None,
            };
            let bytes = unpack::unpacked(bytes?).map_err(undecodable)?;
            match place.program.payload {
                Payload::Json | Payload::Sns | Payload::Eventbridge => {
                    json_payload(&bytes, place.program, &mut slots)?;
                }
                Payload::Change => {
                    let change = change::read(&bytes)?;
                    lane = Some(change.lane.clone());
                    let Some(images) = without_deleted_rows(&change.body, place.program)? else { return Ok(None) };
                    dynamodb_images(&images, place.program, &mut slots)?;
                    metadata.lane = change.lane;
                    metadata.time = images.created;
                    metadata.change = images.change;
                    metadata.id = Arc::from(change.id);
                }
            }
            Ok(Some(place.event(slots, metadata)))
        };
        let event = read().transpose()?;
        Some(Decoded { sub, lane, id, event })
    }
}

/// The bytes of base64 in the place of those that were there, by vector instructions where there are any. What is none by these is
/// told by the crate that says why.
fn from_base64(text: &str, bytes: &mut Vec<u8>) -> Result<(), base64::DecodeError> {
    bytes.clear();
    if base64_simd::STANDARD.decode_append(text, bytes).is_err() {
        *bytes = BASE64.decode(text)?;
    }
    Ok(())
}

/// A record of which nothing is left but one event: where the Kinesis Producer Library put many into it, the record that
/// its producer would have sent without it. Any other record is left as it is.
pub fn alone(record: &[u8], sub: u32) -> String {
    let inner = || {
        let Body::Kinesis(body) = envelope::record(record).ok()?.body else { return None };
        let mut bytes = Vec::new();
        from_base64(&body.data, &mut bytes).ok()?;
        let parts = aggregate::taken_apart(&bytes)?;
        let (key, data) = parts.into_iter().nth(usize::try_from(sub).ok()?)?;
        // An aggregate inside of another is no event, and must not be taken apart when it stands alone.
        if aggregate::taken_apart(&data).is_some() {
            return None;
        }
        let Ok(Value::Map(mut whole)) = json::parse(record) else { return None };
        let Some(Value::Map(kinesis)) = whole.get_mut("kinesis") else { return None };
        kinesis.insert("partitionKey".to_owned(), Value::String(key?));
        kinesis.insert("data".to_owned(), Value::String(BASE64.encode(data)));
        Some(Value::Map(whole).to_string())
    };
    inner().unwrap_or_else(|| String::from_utf8_lossy(record).into_owned())
}

/// Where a record stands.
struct Place<'p> {
    number: usize,
    stream: usize,
    program: &'p Stream,
    now: &'p Arc<str>,
}

impl Place<'_> {
    fn event(&self, slots: Slots, metadata: Metadata) -> Event {
        Event { record: self.number, stream: self.stream, slots, metadata }
    }
}

fn dynamodb(record: &Record<'_>, body: &DynamodbBody<'_>, place: &Place<'_>) -> Result<Option<Event>, Problem> {
    let Some(body) = without_deleted_rows(body, place.program)? else { return Ok(None) };
    let mut slots = Slots::with_room(place.program.paths.slots());
    dynamodb_images(&body, place.program, &mut slots)?;
    let metadata = Metadata {
        id: Arc::from(&*record.event_id),
        sequence: Arc::from(&*body.sequence),
        sub: 0,
        lane: lane(record)?,
        stream: Arc::clone(&place.program.name),
        now: Arc::clone(place.now),
        shard: None,
        label: record.origin.label.clone(),
        time: body.created,
        change: body.change,
    };
    Ok(Some(place.event(slots, metadata)))
}

fn sqs(record: &Record<'_>, body: &SqsBody<'_>, place: &Place<'_>) -> Result<Event, Problem> {
    let opened = message::opened(body.text.as_bytes(), place.program.payload)?;
    let mut slots = Slots::with_room(place.program.paths.slots());
    json_payload(&opened.payload, place.program, &mut slots)?;
    let metadata = Metadata {
        id: opened.id.map_or_else(|| Arc::from(&*record.event_id), Arc::from),
        sequence: Arc::from(record.sequence()),
        sub: 0,
        lane: lane(record)?,
        stream: Arc::clone(&place.program.name),
        now: Arc::clone(place.now),
        shard: None,
        label: None,
        time: opened.time.or(body.sent),
        change: None,
    };
    Ok(place.event(slots, metadata))
}

/// The lane of a record: its Kinesis partition key, the key of its DynamoDB item, or its message group. A message of a
/// standard queue is alone in its lane.
///
/// # Errors
///
/// When a DynamoDB record's key is missing or no DynamoDB JSON.
pub fn lane(record: &Record<'_>) -> Result<Lane, Problem> {
    match &record.body {
        Body::Kinesis(body) => Ok(Lane::PartitionKey(Arc::from(&*body.partition_key))),
        Body::Sqs(body) => {
            let group = body.in_group.as_ref().map_or(&record.event_id, |(group, _)| group);
            Ok(Lane::PartitionKey(Arc::from(&**group)))
        }
        Body::Dynamodb(body) => {
            let keys = body.keys.ok_or_else(|| undecodable("the record names no key of its item"))?;
            dynamodb_json::read_item(&mut Reader::new(keys), 0)
                .map(Lane::of_item)
                .map_err(|error| undecodable(format!("the record's key is no DynamoDB JSON: {error}")))
        }
    }
}

/// An item in DynamoDB JSON.
fn read_item(text: &str) -> Result<Item, Problem> {
    dynamodb_json::read_item(&mut Reader::new(text), 0)
        .map_err(|error| undecodable(format!("the record's image is no DynamoDB JSON: {error}")))
}

fn undecodable(error: impl std::fmt::Display) -> Problem {
    Problem::new(Reason::Undecodable, error.to_string())
}

/// Fills the slots from a JSON payload.
fn json_payload(bytes: &[u8], stream: &Stream, slots: &mut Slots) -> Result<(), Problem> {
    let not_json = |error: ReadError| undecodable(format!("the payload is no JSON: {error}"));
    let mut reader = Reader::new(json::utf8(bytes).map_err(not_json)?);
    let mut read = || {
        let start = reader.peek()?;
        stream.paths.read_json(&mut reader, start, slots)?;
        reader.finish()?;
        Ok(())
    };
    read().map_err(not_json)
}

/// Fills the slots from the images of a DynamoDB record.
fn dynamodb_images(body: &DynamodbBody<'_>, stream: &Stream, slots: &mut Slots) -> Result<(), Problem> {
    let wrong = |name: &str, error: &dyn std::fmt::Display| {
        undecodable(format!("the record's {name} image is no DynamoDB JSON: {error}"))
    };
    let keys = body.keys.map(Image::of);
    for (name, image) in [("keys", &keys), ("new", &body.new), ("old", &body.old)] {
        let Some(image) = image else { continue };
        stream.paths.read_image(image, name, slots).map_err(|error| wrong(name, &error))?;
    }
    Ok(())
}

/// The body as it is about documents: the row that a deleted document leaves behind is none. Becoming such a row is a
/// removal, leaving it an insertion, and nothing else about it is anything.
fn without_deleted_rows<'b, 'i>(
    body: &'b DynamodbBody<'i>,
    stream: &Stream,
) -> Result<Option<Cow<'b, DynamodbBody<'i>>>, Problem> {
    let is_row = |image: &Option<Image<'_>>| match image {
        // A look at the bytes spares reading nearly every image.
        Some(image) if !stream.bookkeeping.is_empty() && image.text.contains("_deleted\"") => {
            is_deleted_image(image.text, body.keys, stream)
        }
        _ => Ok(false),
    };
    Ok(match (is_row(&body.old)?, is_row(&body.new)?) {
        // So is a change of nothing but what guards keep: a mark that was moved past an event that could not be applied.
        (false, false) if is_bookkeeping_alone(body, stream)? => None,
        (false, false) => Some(Cow::Borrowed(body)),
        (true, true) => None,
        (false, true) if body.old.is_none() => None,
        (false, true) => Some(Cow::Owned(DynamodbBody { new: None, change: Some("remove"), ..body.clone() })),
        (true, false) if body.new.is_none() => None,
        (true, false) => Some(Cow::Owned(DynamodbBody { old: None, change: Some("insert"), ..body.clone() })),
    })
}

/// Whether a change of a view's item leaves the document as it was.
fn is_bookkeeping_alone(body: &DynamodbBody<'_>, stream: &Stream) -> Result<bool, Problem> {
    let (Some(old), Some(new), false) = (&body.old, &body.new, stream.bookkeeping.is_empty()) else {
        return Ok(false);
    };
    let document = |image: &Image<'_>| {
        let item = read_item(image.text)?;
        let is_kept = |name: &String| name.starts_with("_vf_") || stream.bookkeeping.contains(name);
        Ok::<_, Problem>(item.into_iter().filter(|(name, _)| !is_kept(name)).collect::<Item>())
    };
    Ok(document(old)? == document(new)?)
}

fn is_deleted_image(image: &str, keys: Option<&str>, stream: &Stream) -> Result<bool, Problem> {
    let item = read_item(image)?;
    let keys = keys.map(read_item).transpose()?.unwrap_or_default();
    Ok(is_deleted_row(item.keys(), |name| keys.contains_key(name), &stream.bookkeeping))
}

/// The stream that a record comes from, by its ARN, and a DynamoDB stream's label.
///
/// The forms are `arn:aws:kinesis:REGION:ACCOUNT:stream/NAME` (a consumer's ARN goes on behind the name),
/// `arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE/stream/LABEL` and `arn:aws:sqs:REGION:ACCOUNT:QUEUE`.
pub fn stream_of(arn: &str) -> Option<(StreamIdentity, Option<String>)> {
    let mut parts = arn.splitn(6, ':');
    let service = parts.nth(2)?;
    let mut resource = parts.nth(2)?.split('/');
    match (service, resource.next()?) {
        ("kinesis", "stream") => Some((StreamIdentity::Kinesis(resource.next()?.to_owned()), None)),
        ("sqs", queue) if !queue.is_empty() => Some((StreamIdentity::Sqs(queue.to_owned()), None)),
        ("dynamodb", "table") => {
            let table = resource.next()?.to_owned();
            let label = resource.nth(1).map(str::to_owned);
            Some((StreamIdentity::Dynamodb(table), label))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn base64_is_what_it_is_without_vector_instructions(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            harms in prop::collection::vec((any::<prop::sample::Index>(), "[A-Za-z0-9+/=_\\- \n\u{e9}]?"), 0..3),
            less in 0usize..4,
        ) {
            let mut text = BASE64.encode(&bytes);
            for (place, more) in harms {
                let at = place.index(text.len() + 1);
                if text.is_char_boundary(at) {
                    text.insert_str(at, &more);
                }
            }
            for _ in 0..less {
                text.pop();
            }
            let mut found = b"before".to_vec();
            let read = from_base64(&text, &mut found);
            prop_assert_eq!(read.map(|()| found), BASE64.decode(&text));
        }
    }

    #[test]
    fn each_record_has_its_own_shard_whatever_the_one_before_had() {
        let program = Program { streams: Vec::new(), projections: Vec::new(), dead_letters: None };
        let now = Arc::from("");
        let mut decoder = Decoder::new(&program, &now);
        for (id, shard) in [
            ("s-1:7", Some("s-1")),
            ("s-1:8", Some("s-1")),
            ("s-10:9", Some("s-10")),
            ("s-1", None),
            ("s:1", Some("s")),
        ] {
            assert_eq!(decoder.shard(id).as_deref(), shard, "{id}");
        }
    }

    #[test]
    fn bits_behind_the_last_byte_are_no_base64() {
        for last in ["QQ==", "QR==", "QUE=", "QUF=", "QQ=", "QQ", "QUE", "Q", "=", "====", "QQ==QQ=="] {
            for text in [last.to_owned(), format!("{}{last}", "QUFB".repeat(40))] {
                let mut found = Vec::new();
                let read = from_base64(&text, &mut found);
                assert_eq!(read.map(|()| found), BASE64.decode(&text), "{text}");
            }
        }
    }
}
