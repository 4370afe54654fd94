//! The records of an invocation, before their payloads are looked into.

mod sqs;

pub use sqs::SqsBody;

use super::stream_of;
use crate::program::StreamIdentity;
use jiter::{Jiter, Peek};
use std::fmt;
use viewfold_value::Number;
use viewfold_value::json::{self, ReadError};

/// One record of an invocation.
#[derive(Debug)]
pub struct Record<'i> {
    /// The stream, told from the record's `eventSourceARN`.
    pub stream: StreamIdentity,
    /// The label of a DynamoDB stream.
    pub label: Option<String>,
    /// What the records of a DynamoDB stream hold, `NEW_AND_OLD_IMAGES` for one, where it is said.
    pub view: Option<String>,
    /// Lambda's eventID; of a message of a queue its id.
    pub event_id: String,
    /// What the service says of the event.
    pub body: Body<'i>,
    /// The whole record, as Lambda gave it.
    pub text: &'i [u8],
}

impl Record<'_> {
    /// The record's sequence number; of a standard queue, which gives none, the message's id.
    pub fn sequence(&self) -> &str {
        match &self.body {
            Body::Kinesis(body) => &body.sequence,
            Body::Dynamodb(body) => &body.sequence,
            Body::Sqs(body) => body.in_group.as_ref().map_or(&self.event_id, |(_, sequence)| sequence),
        }
    }
}

/// The part of a record that depends on the service.
#[derive(Debug)]
pub enum Body<'i> {
    /// `kinesis`
    Kinesis(KinesisBody<'i>),
    /// `dynamodb`
    Dynamodb(DynamodbBody<'i>),
    /// A message of SQS, whose parts stand in the record itself.
    Sqs(SqsBody),
}

/// A Kinesis record.
#[derive(Debug)]
pub struct KinesisBody<'i> {
    /// The partition key.
    pub partition_key: String,
    /// 1 to 129 digits.
    pub sequence: String,
    /// The payload in base64.
    pub data: std::borrow::Cow<'i, str>,
    /// When the stream got it, RFC 3339.
    pub arrival: Option<String>,
}

/// A record of a DynamoDB stream. Images are DynamoDB JSON, not yet read.
#[derive(Clone, Debug)]
pub struct DynamodbBody<'i> {
    /// The key of the item.
    pub keys: Option<&'i [u8]>,
    /// The item after the change.
    pub new: Option<&'i [u8]>,
    /// The item before the change.
    pub old: Option<&'i [u8]>,
    /// 21 to 40 digits.
    pub sequence: String,
    /// When the change was made, RFC 3339. DynamoDB may leave it out.
    pub created: Option<String>,
    /// `insert`, `modify` or `remove`.
    pub change: Option<&'static str>,
}

/// Why an invocation cannot be taken apart into records. Nothing of it is applied then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvelopeError(pub String);

impl fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for EnvelopeError {}

impl From<ReadError> for EnvelopeError {
    fn from(error: ReadError) -> EnvelopeError {
        EnvelopeError(format!("the invocation's payload is no Lambda event: {error}"))
    }
}

impl From<jiter::JiterError> for EnvelopeError {
    fn from(error: jiter::JiterError) -> EnvelopeError {
        ReadError::from(error).into()
    }
}

/// Takes an invocation's payload, `{"Records": […]}`, apart.
///
/// # Errors
///
/// When the payload is no such JSON, or a record says neither where it comes from nor its sequence number: without them
/// it can be neither applied nor given back.
pub fn records(payload: &[u8]) -> Result<Vec<Record<'_>>, EnvelopeError> {
    json::check_utf8(payload)?;
    let mut reader = Jiter::new(payload);
    let mut records = None;
    let mut key = reader.next_object()?.map(str::to_owned);
    while let Some(name) = key {
        if name == "Records" {
            let mut list = Vec::new();
            let mut next = reader.next_array()?;
            while next.is_some() {
                let start = reader.current_index();
                let record = raw_record(&mut reader, payload)?;
                let text = &payload[start..reader.current_index()];
                list.push(record.check(list.len(), text)?);
                next = reader.array_step()?;
            }
            records = Some(list);
        } else {
            reader.next_skip()?;
        }
        key = reader.next_key()?.map(str::to_owned);
    }
    reader.finish()?;
    records.ok_or_else(|| EnvelopeError("the invocation's payload is no stream event: it has no `Records`; a Lambda event is {\"Records\": [...]}, with \
             a Kinesis payload as base64 under `kinesis.data`, or an SQS message as text under `body`"
            .into()))
}

/// Takes one record of an invocation apart.
///
/// # Errors
///
/// As [`records`].
pub fn record(text: &[u8]) -> Result<Record<'_>, EnvelopeError> {
    json::check_utf8(text)?;
    let mut reader = Jiter::new(text);
    let record = raw_record(&mut reader, text)?;
    reader.finish()?;
    record.check(0, text)
}

/// A record as it was read: any part may be missing.
#[derive(Default)]
struct RawRecord<'i> {
    arn: Option<String>,
    event_id: Option<String>,
    event_name: Option<String>,
    partition_key: Option<String>,
    sequence: Option<String>,
    data: Option<String>,
    time: Option<Number>,
    table: Option<String>,
    precision: Option<String>,
    view: Option<String>,
    keys: Option<&'i [u8]>,
    new: Option<&'i [u8]>,
    old: Option<&'i [u8]>,
    message_id: Option<String>,
    message: Option<String>,
    sent: Option<String>,
    group: Option<String>,
}

fn raw_record<'i>(reader: &mut Jiter<'i>, payload: &'i [u8]) -> Result<RawRecord<'i>, EnvelopeError> {
    let mut record = RawRecord::default();
    let mut key = reader.next_object()?.map(str::to_owned);
    while let Some(name) = key {
        match name.as_str() {
            "eventSourceARN" | "eventSourceArn" => record.arn = text(reader)?,
            "eventID" => record.event_id = text(reader)?,
            "eventName" => record.event_name = text(reader)?,
            "tableName" => record.table = text(reader)?,
            "kinesis" | "dynamodb" => service_part(reader, payload, &mut record)?,
            "messageId" => record.message_id = text(reader)?,
            "body" => record.message = text(reader)?,
            "attributes" => sqs::attributes(reader, &mut record)?,
            _ => reader.next_skip()?,
        }
        key = reader.next_key()?.map(str::to_owned);
    }
    Ok(record)
}

/// The fields below `kinesis` or `dynamodb`; their names do not overlap.
fn service_part<'i>(
    reader: &mut Jiter<'i>,
    payload: &'i [u8],
    record: &mut RawRecord<'i>,
) -> Result<(), EnvelopeError> {
    let mut key = reader.next_object()?.map(str::to_owned);
    while let Some(name) = key {
        match name.as_str() {
            "partitionKey" => record.partition_key = text(reader)?,
            "sequenceNumber" | "SequenceNumber" => record.sequence = text(reader)?,
            "data" => record.data = text(reader)?,
            "approximateArrivalTimestamp" | "ApproximateCreationDateTime" => record.time = number(reader)?,
            "ApproximateCreationDateTimePrecision" => record.precision = text(reader)?,
            "StreamViewType" => record.view = text(reader)?,
            "Keys" => record.keys = raw_object(reader, payload)?,
            "NewImage" => record.new = raw_object(reader, payload)?,
            "OldImage" => record.old = raw_object(reader, payload)?,
            _ => reader.next_skip()?,
        }
        key = reader.next_key()?.map(str::to_owned);
    }
    Ok(())
}

/// A text; nothing for null.
fn text(reader: &mut Jiter<'_>) -> Result<Option<String>, EnvelopeError> {
    match reader.peek()? {
        Peek::Null => reader.known_null().map(|()| None).map_err(Into::into),
        _ => Ok(Some(reader.next_str()?.to_owned())),
    }
}

/// A number; nothing for null and for what is no number of ours: a time is never worth failing a batch for.
fn number(reader: &mut Jiter<'_>) -> Result<Option<Number>, EnvelopeError> {
    match reader.peek()? {
        peek if peek.is_num() => {
            let digits = reader.known_number_bytes(peek)?;
            Ok(std::str::from_utf8(digits).ok().and_then(|digits| Number::parse(digits).ok()))
        }
        _ => reader.next_skip().map(|()| None).map_err(Into::into),
    }
}

/// The bytes of an object; nothing for null.
fn raw_object<'i>(reader: &mut Jiter<'i>, payload: &'i [u8]) -> Result<Option<&'i [u8]>, EnvelopeError> {
    // Peeking goes past white space.
    let peek = reader.peek()?;
    let start = reader.current_index();
    reader.known_skip(peek)?;
    Ok((peek == Peek::Object).then(|| &payload[start..reader.current_index()]))
}

impl<'i> RawRecord<'i> {
    fn check(mut self, number: usize, text: &'i [u8]) -> Result<Record<'i>, EnvelopeError> {
        let missing = |what: &str| EnvelopeError(format!("record {number} of the invocation has no {what}"));
        let arn = self.arn.take().ok_or_else(|| missing("`eventSourceARN`: its stream cannot be told"))?;
        let (stream, label) = stream_of(&arn).ok_or_else(|| {
            EnvelopeError(format!(
                "record {number} comes from {arn}, which is no Kinesis stream, no DynamoDB stream and no SQS queue"
            ))
        })?;
        if stream.is_queue() {
            return self.message(number, stream, text);
        }
        let sequence = self.sequence.filter(|digits| is_sequence(digits)).ok_or_else(|| {
            missing("sequence number of digits: it could not be given back to the stream were it to fail")
        })?;
        let event_id = self.event_id.ok_or_else(|| missing("`eventID`"))?;
        let time = self.time.and_then(rfc3339);
        let body = match stream {
            StreamIdentity::Kinesis(_) => Body::Kinesis(KinesisBody {
                partition_key: self.partition_key.ok_or_else(|| missing("`partitionKey`"))?,
                sequence,
                data: self.data.ok_or_else(|| missing("`data`"))?.into(),
                arrival: time,
            }),
            _ => Body::Dynamodb(DynamodbBody {
                keys: self.keys,
                new: self.new,
                old: self.old,
                sequence,
                created: time,
                change: change(self.event_name.as_deref()),
            }),
        };
        Ok(Record { stream, label, view: self.view, event_id, body, text })
    }
}

/// The change that an `eventName` says.
fn change(event_name: Option<&str>) -> Option<&'static str> {
    match event_name {
        Some("INSERT") => Some("insert"),
        Some("MODIFY") => Some("modify"),
        Some("REMOVE") => Some("remove"),
        _ => None,
    }
}

/// A change of an item in the payload of a Kinesis record. It has the parts of a record of a DynamoDB stream, but for its
/// sequence number.
pub(super) struct ChangeRecord<'i> {
    /// The table; `-` where it is not said.
    pub(super) table: String,
    pub(super) body: DynamodbBody<'i>,
    /// When the change was made, in microseconds since 1970, in digits.
    pub(super) created: Option<String>,
    /// Whether that is exact, and not a number of milliseconds.
    pub(super) is_exact: bool,
}

impl<'i> ChangeRecord<'i> {
    /// Reads a change.
    ///
    /// # Errors
    ///
    /// When it is no JSON object of this form.
    pub(super) fn read(payload: &'i [u8]) -> Result<ChangeRecord<'i>, ReadError> {
        json::check_utf8(payload)?;
        let mut reader = Jiter::new(payload);
        let record = raw_record(&mut reader, payload).map_err(|error| ReadError::Syntax(error.0))?;
        reader.finish()?;
        let digits = record.time.map(|time| time.to_string()).filter(|time| time.bytes().all(|b| b.is_ascii_digit()));
        // A stream says its precision since it can be chosen; before, and unless chosen, it was milliseconds.
        let is_exact = match record.precision.as_deref() {
            Some(precision) => precision == "MICROSECOND",
            None => digits.as_ref().is_some_and(|digits| digits.len() > 14),
        };
        let created = digits.map(|digits| if is_exact { digits } else { digits + "000" });
        let time = created.as_deref().and_then(|micros| micros.parse().ok());
        let time = time.and_then(|micros| jiff::Timestamp::from_microsecond(micros).ok());
        let body = DynamodbBody {
            keys: record.keys,
            new: record.new,
            old: record.old,
            sequence: String::new(),
            created: time.map(|time| time.to_string()),
            change: change(record.event_name.as_deref()),
        };
        Ok(ChangeRecord { table: record.table.unwrap_or_else(|| "-".to_owned()), body, created, is_exact })
    }
}

/// Whether a text is a sequence number: digits, at most 129 of them ([Kinesis API]).
///
/// [Kinesis API]: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_Record.html
fn is_sequence(text: &str) -> bool {
    (1..=129).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Seconds since 1970, with decimals, as RFC 3339 in UTC; nothing outside of the years that have four digits.
fn rfc3339(seconds: Number) -> Option<String> {
    let text = seconds.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let nanos: i32 = format!("{fraction:0<9.9}").parse().ok()?;
    let whole: i64 = whole.parse().ok()?;
    let nanos = if text.starts_with('-') { -nanos } else { nanos };
    jiff::Timestamp::new(whole, nanos).ok().map(|time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_decimals() {
        for (seconds, text) in [
            ("1479499740", "2016-11-18T20:09:00Z"),
            ("1.47949974E9", "2016-11-18T20:09:00Z"),
            ("1545084650.987", "2018-12-17T22:10:50.987Z"),
        ] {
            assert_eq!(rfc3339(Number::parse(seconds).unwrap()).as_deref(), Some(text));
        }
        assert_eq!(rfc3339(Number::parse("1e30").unwrap()), None);
    }

    #[test]
    fn what_is_no_stream_event_says_so() {
        for (payload, words) in [
            ("", "no Lambda event"),
            ("[]", "no Lambda event"),
            ("{}", "no `Records`"),
            (r#"{"Records":[{}]}"#, "record 0 of the invocation has no `eventSourceARN`"),
            (r#"{"Records":[{"eventSourceARN":"arn:aws:sns:eu-west-1:123456789012:t"}]}"#, "no Kinesis stream"),
            (r#"{"Records":[{"eventSourceARN":"arn:aws:sqs:eu-west-1:123456789012:q"}]}"#, "no `messageId`"),
            (r#"{"Records":[{"eventSourceARN":"arn:aws:sqs:eu-west-1:123456789012:q","messageId":"m"}]}"#, "no `body`"),
            (
                r#"{"Records":[{"eventSourceARN":"arn:aws:sqs:eu-west-1:123456789012:q.fifo","messageId":"m","body":""}]}"#,
                "no `MessageGroupId`",
            ),
            (
                r#"{"Records":[{"eventSourceARN":"arn:aws:sqs:eu-west-1:123456789012:q.fifo","messageId":"m","body":"",
                    "attributes":{"MessageGroupId":"g"}}]}"#,
                "no `SequenceNumber`",
            ),
            (
                r#"{"Records":[{"eventSourceARN":"arn:aws:kinesis:eu-west-1:123456789012:stream/s","kinesis":{}}]}"#,
                "no sequence number",
            ),
        ] {
            let error = records(payload.as_bytes()).unwrap_err();
            assert!(error.0.contains(words), "{payload}: {error}");
        }
    }

    #[test]
    fn a_missing_creation_time_is_no_failure() {
        let payload = br#"{"Records":[{"eventID":"1","eventName":"REMOVE",
            "eventSourceARN":"arn:aws:dynamodb:eu-west-1:123456789012:table/votes/stream/2026-01-01T00:00:00.000",
            "dynamodb":{"SequenceNumber":"111","Keys":{"id":{"S":"1"}},"OldImage": {"id":{"S":"1"}} ,"NewImage":null,
            "ApproximateCreationDateTime":null}}]}"#;
        let records = records(payload).unwrap();
        let Body::Dynamodb(body) = &records[0].body else { panic!("{records:?}") };
        assert_eq!((body.change, &body.created, body.new), (Some("remove"), &None, None));
        assert_eq!(body.old, Some(&br#"{"id":{"S":"1"}}"#[..]));
        assert_eq!(records[0].label.as_deref(), Some("2026-01-01T00:00:00.000"));
    }
}
