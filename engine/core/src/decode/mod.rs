//! A Lambda invocation's payload to events.
//!
//! ```text
//! payload ─ envelope::records ─> Record ─ decode ─> Event, its slots filled
//! ```
//!
//! The payload is JSON with a list of records, for [Kinesis] as for [DynamoDB streams]. Records are taken one by one: what
//! is wrong with one of them is its own failure, and the others go on.
//!
//! [Kinesis]: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
//! [DynamoDB streams]: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html

pub mod envelope;
mod slots;
mod unpack;

use crate::event::{Event, Lane, Metadata, Slot};
use crate::program::{Program, Stream, StreamIdentity, is_deleted_row};
use crate::report::{Problem, Reason};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use envelope::{Body, DynamodbBody, KinesisBody, Record};
use jiter::Jiter;
use std::sync::Arc;
use viewfold_value::Item;
use viewfold_value::dynamodb_json;
use viewfold_value::json::{self, ReadError};

/// Decodes one record; nothing where it is about the row that a deleted document left behind, and about no document.
///
/// # Errors
///
/// A [`Problem`] of the record: its payload is no JSON, or an image no DynamoDB JSON.
pub fn decode(
    record: &Record<'_>,
    number: usize,
    stream: usize,
    program: &Program,
    now: &Arc<str>,
) -> Result<Option<Event>, Problem> {
    let program = &program.streams[stream];
    let mut slots = vec![Slot::Missing; program.paths.slots()];
    let name = Arc::from(program.identity.name());
    let now = Arc::clone(now);
    let id = record.event_id.clone();
    let metadata = match &record.body {
        Body::Kinesis(body) => {
            kinesis_payload(body, program, &mut slots)?;
            Metadata {
                shard: id.rsplit_once(':').map(|(shard, _)| shard.to_owned()),
                id,
                sequence: body.sequence.clone(),
                lane: lane(record)?,
                stream: name,
                now,
                label: None,
                time: body.arrival.clone(),
                change: None,
            }
        }
        Body::Dynamodb(body) => {
            let Some(body) = without_deleted_rows(body, program)? else { return Ok(None) };
            dynamodb_images(&body, program, &mut slots)?;
            Metadata {
                id,
                sequence: body.sequence.clone(),
                lane: lane(record)?,
                stream: name,
                now,
                shard: None,
                label: record.label.clone(),
                time: body.created.clone(),
                change: body.change,
            }
        }
    };
    Ok(Some(Event { record: number, stream, slots, metadata }))
}

/// The lane of a record: its Kinesis partition key, or the key of its DynamoDB item.
///
/// # Errors
///
/// When a DynamoDB record's key is missing or no DynamoDB JSON.
pub fn lane(record: &Record<'_>) -> Result<Lane, Problem> {
    match &record.body {
        Body::Kinesis(body) => Ok(Lane::PartitionKey(body.partition_key.clone())),
        Body::Dynamodb(body) => {
            let keys = body.keys.ok_or_else(|| undecodable("the record names no key of its item"))?;
            dynamodb_json::read_item(&mut Jiter::new(keys), 0)
                .map(Lane::Item)
                .map_err(|error| undecodable(format!("the record's key is no DynamoDB JSON: {error}")))
        }
    }
}

fn undecodable(error: impl std::fmt::Display) -> Problem {
    Problem::new(Reason::Undecodable, error.to_string())
}

/// Fills the slots from the JSON payload of a Kinesis record.
fn kinesis_payload(body: &KinesisBody<'_>, stream: &Stream, slots: &mut [Slot]) -> Result<(), Problem> {
    let bytes = BASE64
        .decode(body.data.as_bytes())
        .map_err(|error| undecodable(format!("the record's data is no base64: {error}")))?;
    let not_json = |error: ReadError| undecodable(format!("the payload is no JSON: {error}"));
    let bytes = unpack::unpacked(&bytes).map_err(undecodable)?;
    json::check_utf8(&bytes).map_err(not_json)?;
    let mut reader = Jiter::new(&bytes);
    let mut read = || {
        let peek = reader.peek()?;
        stream.paths.read_json(&mut reader, peek, slots)?;
        reader.finish()?;
        Ok(())
    };
    read().map_err(not_json)
}

/// Fills the slots from the images of a DynamoDB record.
fn dynamodb_images(body: &DynamodbBody<'_>, stream: &Stream, slots: &mut [Slot]) -> Result<(), Problem> {
    let images = [("keys", body.keys), ("new", body.new), ("old", body.old)];
    for (name, image) in images {
        let Some(image) = image else { continue };
        stream
            .paths
            .read_image(image, name, slots)
            .map_err(|error| undecodable(format!("the record's {name} image is no DynamoDB JSON: {error}")))?;
    }
    Ok(())
}

/// The body as it is about documents: the row that a deleted document leaves behind is none. Becoming such a row is a
/// removal, leaving it an insertion, and nothing else about it is anything.
fn without_deleted_rows<'i>(body: &DynamodbBody<'i>, stream: &Stream) -> Result<Option<DynamodbBody<'i>>, Problem> {
    let is_row = |image: Option<&[u8]>| match image {
        // A look at the bytes spares reading nearly every image.
        Some(image) if !stream.bookkeeping.is_empty() && image.windows(9).any(|bytes| bytes == b"_deleted\"") => {
            is_deleted_image(image, body.keys, stream)
        }
        _ => Ok(false),
    };
    Ok(match (is_row(body.old)?, is_row(body.new)?) {
        // So is a change of nothing but what guards keep: a mark that was moved past an event that could not be applied.
        (false, false) if is_bookkeeping_alone(body, stream)? => None,
        (false, false) => Some(body.clone()),
        (true, true) => None,
        (false, true) if body.old.is_none() => None,
        (false, true) => Some(DynamodbBody { new: None, change: Some("remove"), ..body.clone() }),
        (true, false) if body.new.is_none() => None,
        (true, false) => Some(DynamodbBody { old: None, change: Some("insert"), ..body.clone() }),
    })
}

/// Whether a change of a view's item leaves the document as it was.
fn is_bookkeeping_alone(body: &DynamodbBody<'_>, stream: &Stream) -> Result<bool, Problem> {
    let (Some(old), Some(new), false) = (body.old, body.new, stream.bookkeeping.is_empty()) else { return Ok(false) };
    let document = |image: &[u8]| {
        let item = dynamodb_json::read_item(&mut Jiter::new(image), 0)
            .map_err(|error| undecodable(format!("the record's image is no DynamoDB JSON: {error}")))?;
        let is_kept = |name: &String| name.starts_with("_vf_") || stream.bookkeeping.contains(name);
        Ok::<_, Problem>(item.into_iter().filter(|(name, _)| !is_kept(name)).collect::<Item>())
    };
    Ok(document(old)? == document(new)?)
}

fn is_deleted_image(image: &[u8], keys: Option<&[u8]>, stream: &Stream) -> Result<bool, Problem> {
    let read = |bytes: &[u8]| {
        dynamodb_json::read_item(&mut Jiter::new(bytes), 0)
            .map_err(|error| undecodable(format!("the record's image is no DynamoDB JSON: {error}")))
    };
    let item = read(image)?;
    let keys = keys.map(read).transpose()?.unwrap_or_default();
    Ok(is_deleted_row(item.keys(), |name| keys.contains_key(name), &stream.bookkeeping))
}

/// The stream that a record comes from, by its ARN, and a DynamoDB stream's label.
///
/// The forms are `arn:aws:kinesis:REGION:ACCOUNT:stream/NAME` (a consumer's ARN goes on behind the name) and
/// `arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE/stream/LABEL`.
fn stream_of(arn: &str) -> Option<(StreamIdentity, Option<String>)> {
    let mut parts = arn.splitn(6, ':');
    let service = parts.nth(2)?;
    let mut resource = parts.nth(2)?.split('/');
    match (service, resource.next()?) {
        ("kinesis", "stream") => Some((StreamIdentity::Kinesis(resource.next()?.to_owned()), None)),
        ("dynamodb", "table") => {
            let table = resource.next()?.to_owned();
            let label = resource.nth(1).map(str::to_owned);
            Some((StreamIdentity::Dynamodb(table), label))
        }
        _ => None,
    }
}
