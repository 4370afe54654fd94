//! The records of an invocation, before their payloads are looked into.

mod alike;
mod sqs;

pub use sqs::SqsBody;

use super::stream_of;
use crate::program::StreamIdentity;
use alike::Alike;
use jiff::Timestamp;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use viewfold_value::json::{self, ReadError};
use viewfold_value::{Broken, Number, Reader, Start};

/// One record of an invocation.
#[derive(Debug)]
pub struct Record<'i> {
    /// Where it comes from; records that follow one another share it.
    pub origin: Arc<Origin>,
    /// What the records of a DynamoDB stream hold, `NEW_AND_OLD_IMAGES` for one, where it is said.
    pub view: Option<Cow<'i, str>>,
    /// Lambda's eventID; of a message of a queue its id.
    pub event_id: Cow<'i, str>,
    /// What the service says of the event.
    pub body: Body<'i>,
    /// The whole record, as Lambda gave it.
    pub text: &'i [u8],
}

/// Where records come from.
#[derive(Debug)]
pub struct Origin {
    /// The `eventSourceARN` that says it.
    arn: String,
    /// The stream.
    pub stream: StreamIdentity,
    /// The label of a DynamoDB stream.
    pub label: Option<Arc<str>>,
}

impl<'i> Record<'i> {
    /// The record's sequence number; of a standard queue, which gives none, the message's id.
    pub fn sequence(&self) -> &str {
        self.borrowed_sequence()
    }

    /// The same as long as the payload is there.
    pub(crate) fn borrowed_sequence(&self) -> &Cow<'i, str> {
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
    Sqs(SqsBody<'i>),
}

/// A Kinesis record.
#[derive(Debug)]
pub struct KinesisBody<'i> {
    /// The partition key.
    pub partition_key: Cow<'i, str>,
    /// 1 to 129 digits.
    pub sequence: Cow<'i, str>,
    /// The payload in base64.
    pub data: Cow<'i, str>,
    /// When the stream got it.
    pub arrival: Option<Timestamp>,
}

/// A record of a DynamoDB stream. Images are DynamoDB JSON, not yet read.
#[derive(Clone, Debug)]
pub struct DynamodbBody<'i> {
    /// The key of the item.
    pub keys: Option<&'i str>,
    /// The item after the change.
    pub new: Option<Image<'i>>,
    /// The item before the change.
    pub old: Option<Image<'i>>,
    /// 21 to 40 digits.
    pub sequence: Cow<'i, str>,
    /// When the change was made. DynamoDB may leave it out.
    pub created: Option<Timestamp>,
    /// `insert`, `modify` or `remove`.
    pub change: Option<&'static str>,
}

/// An item in DynamoDB JSON, as it stands in a record. It has been looked through, so it is known where its values end: who reads
/// some of them jumps over the others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image<'i> {
    /// The whole item.
    pub text: &'i str,
    /// The bytes of the text behind which its values end, of as many of them as that is known of. Four bytes each, for there are
    /// hundreds of thousands in a batch.
    pub(super) ends: Vec<u32>,
}

impl<'i> Image<'i> {
    /// An item that has not been looked through.
    pub(super) const fn of(text: &'i str) -> Image<'i> {
        Image { text, ends: Vec::new() }
    }

    /// The item that begins here. `room` is what images before it needed.
    fn read(reader: &mut Reader<'i>, room: &mut Vec<u32>) -> Result<Image<'i>, Broken> {
        room.clear();
        let from = reader.at();
        let mut next = reader.next_object()?;
        while next.is_some() {
            reader.skip_next()?;
            room.extend(u32::try_from(reader.at() - from));
            next = reader.next_key()?;
        }
        // A copy takes no more memory than it has to.
        Ok(Image { text: reader.since(from), ends: room.clone() })
    }
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

impl From<Broken> for EnvelopeError {
    #[cold]
    fn from(error: Broken) -> EnvelopeError {
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
    records_of(payload, Members::of_many())
}

fn records_of<'i>(payload: &'i [u8], mut members: Members<'i>) -> Result<Vec<Record<'i>>, EnvelopeError> {
    let mut reader = Reader::new(json::utf8(payload)?);
    let mut records = None;
    let mut name = reader.next_object()?;
    while let Some(own) = name {
        if own == "Records" {
            let mut list: Vec<Record<'_>> = Vec::new();
            let mut next = reader.next_array()?;
            while next.is_some() {
                let start = reader.at();
                let record = raw_record(&mut reader, &mut members)?;
                let text = reader.since(start).as_bytes();
                let before = list.last().map(|before| &before.origin);
                list.push(record.check(list.len(), before, text)?);
                next = reader.next_element()?;
            }
            records = Some(list);
        } else {
            reader.skip_next()?;
        }
        name = reader.next_key()?;
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
    let mut reader = Reader::new(json::utf8(text)?);
    let record = raw_record(&mut reader, &mut Members::default())?;
    reader.finish()?;
    record.check(0, None, text)
}

/// A record as it was read: any part may be missing.
#[derive(Default)]
struct RawRecord<'i> {
    arn: Option<Cow<'i, str>>,
    event_id: Option<Cow<'i, str>>,
    event_name: Option<Cow<'i, str>>,
    partition_key: Option<Cow<'i, str>>,
    sequence: Option<Cow<'i, str>>,
    data: Option<Cow<'i, str>>,
    time: Option<&'i str>,
    table: Option<Cow<'i, str>>,
    precision: Option<Cow<'i, str>>,
    view: Option<Cow<'i, str>>,
    keys: Option<&'i str>,
    new: Option<Image<'i>>,
    old: Option<Image<'i>>,
    message_id: Option<Cow<'i, str>>,
    message: Option<Cow<'i, str>>,
    sent: Option<Cow<'i, str>>,
    group: Option<Cow<'i, str>>,
}

/// A part of a record that is read; the rest is skipped.
#[derive(Clone, Copy)]
enum Part {
    Arn,
    EventId,
    EventName,
    Table,
    Service,
    MessageId,
    Body,
    Attributes,
    PartitionKey,
    Sequence,
    Data,
    Time,
    Precision,
    View,
    Keys,
    New,
    Old,
}

impl Part {
    /// The part of a record with this name.
    fn of_record(name: &str) -> Option<Part> {
        Some(match name {
            "eventSourceARN" | "eventSourceArn" => Part::Arn,
            "eventID" => Part::EventId,
            "eventName" => Part::EventName,
            "tableName" => Part::Table,
            "kinesis" | "dynamodb" => Part::Service,
            "messageId" => Part::MessageId,
            "body" => Part::Body,
            "attributes" => Part::Attributes,
            _ => return None,
        })
    }

    /// The part of `kinesis` or `dynamodb` with this name; their names do not overlap.
    fn of_service(name: &str) -> Option<Part> {
        Some(match name {
            "partitionKey" => Part::PartitionKey,
            "sequenceNumber" | "SequenceNumber" => Part::Sequence,
            "data" => Part::Data,
            "approximateArrivalTimestamp" | "ApproximateCreationDateTime" => Part::Time,
            "ApproximateCreationDateTimePrecision" => Part::Precision,
            "StreamViewType" => Part::View,
            "Keys" => Part::Keys,
            "NewImage" => Part::New,
            "OldImage" => Part::Old,
            _ => return None,
        })
    }
}

/// The members of records, and of `kinesis` or `dynamodb` in them.
#[derive(Default)]
struct Members<'i> {
    record: Alike<'i>,
    service: Alike<'i>,
    /// Room for what is known of an image.
    ends: Vec<u32>,
}

impl Members<'_> {
    fn of_many() -> Self {
        Members { record: Alike::of_many(), service: Alike::of_many(), ends: Vec::new() }
    }
}

fn raw_record<'i>(reader: &mut Reader<'i>, members: &mut Members<'i>) -> Result<RawRecord<'i>, EnvelopeError> {
    let mut record = RawRecord::default();
    members.record.begin();
    while let Some(part) = members.record.next_part(reader, Part::of_record)? {
        read_part(part, reader, &mut record, members)?;
    }
    Ok(record)
}

/// Reads a part of a record.
fn read_part<'i>(
    part: Part,
    reader: &mut Reader<'i>,
    record: &mut RawRecord<'i>,
    members: &mut Members<'i>,
) -> Result<(), EnvelopeError> {
    match part {
        Part::Arn => record.arn = text(reader)?,
        Part::EventId => record.event_id = text(reader)?,
        Part::EventName => record.event_name = text(reader)?,
        Part::Table => record.table = text(reader)?,
        Part::MessageId => record.message_id = text(reader)?,
        Part::Body => record.message = text(reader)?,
        Part::Attributes => sqs::attributes(reader, record)?,
        Part::PartitionKey => record.partition_key = text(reader)?,
        Part::Sequence => record.sequence = text(reader)?,
        Part::Data => record.data = text(reader)?,
        Part::Time => record.time = number(reader)?,
        Part::Precision => record.precision = text(reader)?,
        Part::View => record.view = text(reader)?,
        Part::Keys => record.keys = raw_object(reader)?,
        Part::New => record.new = image(reader, members)?,
        Part::Old => record.old = image(reader, members)?,
        Part::Service => {
            members.service.begin();
            while let Some(part) = members.service.next_part(reader, Part::of_service)? {
                read_part(part, reader, record, members)?;
            }
        }
    }
    Ok(())
}

/// A text; nothing for null.
fn text<'i>(reader: &mut Reader<'i>) -> Result<Option<Cow<'i, str>>, EnvelopeError> {
    if reader.peek()? == Start::NULL {
        return reader.null().map(|()| None).map_err(Into::into);
    }
    Ok(Some(reader.next_string()?))
}

/// The digits of a number; nothing for null and for what is none: a time is never worth failing a batch for.
fn number<'i>(reader: &mut Reader<'i>) -> Result<Option<&'i str>, EnvelopeError> {
    match reader.peek()? {
        start if start.is_number() => Ok(Some(reader.number(start)?)),
        start => reader.skip(start).map(|()| None).map_err(Into::into),
    }
}

/// The text of an object; nothing for null.
fn raw_object<'i>(reader: &mut Reader<'i>) -> Result<Option<&'i str>, EnvelopeError> {
    // Peeking goes past white space.
    let start = reader.peek()?;
    let from = reader.at();
    reader.skip(start)?;
    Ok((start == Start::OBJECT).then(|| reader.since(from)))
}

/// An image; nothing for what is no object.
fn image<'i>(reader: &mut Reader<'i>, members: &mut Members<'i>) -> Result<Option<Image<'i>>, EnvelopeError> {
    match reader.peek()? {
        Start::OBJECT => Ok(Some(Image::read(reader, &mut members.ends)?)),
        other => reader.skip(other).map(|()| None).map_err(Into::into),
    }
}

impl<'i> RawRecord<'i> {
    /// The record with all that it has to have; `before` is where the record in front of it came from.
    fn check(
        mut self,
        number: usize,
        before: Option<&Arc<Origin>>,
        text: &'i [u8],
    ) -> Result<Record<'i>, EnvelopeError> {
        let missing = |what: &str| EnvelopeError(format!("record {number} of the invocation has no {what}"));
        let arn = self.arn.take().ok_or_else(|| missing("`eventSourceARN`: its stream cannot be told"))?;
        let origin = match before.filter(|before| before.arn == arn) {
            Some(before) => Arc::clone(before),
            None => Arc::new(Origin::of(&arn).ok_or_else(|| {
                EnvelopeError(format!(
                    "record {number} comes from {arn}, which is no Kinesis stream, no DynamoDB stream and no SQS queue"
                ))
            })?),
        };
        if origin.stream.is_queue() {
            return self.message(number, origin, text);
        }
        let sequence = self.sequence.filter(|digits| is_sequence(digits)).ok_or_else(|| {
            missing("sequence number of digits: it could not be given back to the stream were it to fail")
        })?;
        let event_id = self.event_id.ok_or_else(|| missing("`eventID`"))?;
        let time = self.time.and_then(since_1970);
        let body = match origin.stream {
            StreamIdentity::Kinesis(_) => Body::Kinesis(KinesisBody {
                partition_key: self.partition_key.ok_or_else(|| missing("`partitionKey`"))?,
                sequence,
                data: self.data.ok_or_else(|| missing("`data`"))?,
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
        Ok(Record { origin, view: self.view, event_id, body, text })
    }
}

impl Origin {
    /// What an ARN says.
    fn of(arn: &str) -> Option<Origin> {
        let (stream, label) = stream_of(arn)?;
        Some(Origin { arn: arn.to_owned(), stream, label: label.map(Arc::from) })
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
    pub(super) table: Cow<'i, str>,
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
        let mut reader = Reader::new(json::utf8(payload)?);
        let record = raw_record(&mut reader, &mut Members::default()).map_err(|error| ReadError::Syntax(error.0))?;
        reader.finish()?;
        let time = record.time.and_then(|digits| Number::parse(digits).ok());
        let digits = time.map(|time| time.to_string()).filter(|time| time.bytes().all(|b| b.is_ascii_digit()));
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
            sequence: Cow::Borrowed(""),
            created: time,
            change: change(record.event_name.as_deref()),
        };
        Ok(ChangeRecord { table: record.table.unwrap_or(Cow::Borrowed("-")), body, created, is_exact })
    }
}

/// Whether a text is a sequence number: digits, at most 129 of them ([Kinesis API]).
///
/// [Kinesis API]: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_Record.html
fn is_sequence(text: &str) -> bool {
    (1..=129).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Seconds since 1970, with decimals, as a time; nothing outside of the years that have four digits.
fn since_1970(seconds: &str) -> Option<Timestamp> {
    // As Lambda writes them: each record has one, and a number takes ten times as long.
    let (whole, decimals) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let digits = |text: &str, most| match (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) {
        true => Some(text.bytes().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'))),
        false => None,
    };
    if let (Some(whole), Some(part)) = (digits(whole, 11), digits(decimals, 9)) {
        let nanoseconds = part * 10_i64.pow(9 - decimals.len() as u32);
        return Timestamp::new(whole, i32::try_from(nanoseconds).ok()?).ok();
    }
    Timestamp::from_nanosecond(Number::parse(seconds).ok()?.in_parts(9)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_keep_their_decimals() {
        for (seconds, text) in [
            ("1479499740", "2016-11-18T20:09:00Z"),
            ("1.47949974E9", "2016-11-18T20:09:00Z"),
            ("1545084650.987", "2018-12-17T22:10:50.987Z"),
            ("-0.5", "1969-12-31T23:59:59.5Z"),
            ("1545084650.1234567899", "2018-12-17T22:10:50.123456789Z"),
        ] {
            let time = since_1970(seconds).unwrap();
            assert_eq!(time.to_string(), text);
        }
        assert_eq!(since_1970("1e30"), None);
    }

    proptest! {
        #[test]
        fn records_that_look_alike_are_read_as_others_are(
            shapes in prop::collection::vec((0usize..4, "[0-9]{1,3}", any::<bool>()), 1..6),
            harms in prop::collection::vec((any::<prop::sample::Index>(), 0usize..3, "[\"{}:,a1 -]{0,2}"), 0..3),
        ) {
            let records = shapes.iter().map(|(shape, number, is_other)| {
                let space = if *is_other { " " } else { "" };
                let skipped = [r#""awsRegion":"eu-west-1""#, r#""n":1"#, r#""awsRegion":"eu""#, r#""more":{"a":[1,"b"]}"#][*shape];
                let size = if *is_other { r#""SizeBytes":9,"# } else { "" };
                format!(
                    r#"{{"eventID":"{number}",{space}{skipped},"dynamodb":{{"Keys":{{"id":{{"N":"{number}"}}}},{size}"StreamViewType" :"KEYS_ONLY",
                       "SizeBytes":{number},"SequenceNumber":"{number}"}}{space},"eventSource":"aws:dynamodb","eventName":"INSERT",
                       "eventSourceARN":"arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/{number}"}}"#
                )
            });
            let text = format!(r#"{{"Records":[{}]}}"#, records.collect::<Vec<_>>().join(","));
            let mut text: Vec<char> = text.chars().collect();
            for (place, less, more) in harms {
                let from = place.index(text.len() + 1);
                text.splice(from..(from + less).min(text.len()), more.chars());
            }
            let text: String = text.into_iter().collect();
            let plain = records_of(text.as_bytes(), Members::default());
            prop_assert_eq!(format!("{:?}", super::records(text.as_bytes())), format!("{plain:?}"));
        }

        #[test]
        fn plain_seconds_are_the_time_that_the_number_is(whole in "0|[1-9][0-9]{0,12}", decimals in "[0-9]{0,12}") {
            let point = if decimals.is_empty() { "" } else { "." };
            let seconds = format!("{whole}{point}{decimals}");
            let number = Number::parse(&seconds).ok().and_then(|number| number.in_parts(9));
            prop_assert_eq!(since_1970(&seconds), number.and_then(|parts| Timestamp::from_nanosecond(parts).ok()));
        }
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
        assert_eq!((body.change, &body.created, &body.new), (Some("remove"), &None, &None));
        assert_eq!(body.old.as_ref().map(|image| image.text), Some(r#"{"id":{"S":"1"}}"#));
        assert_eq!(records[0].origin.label.as_deref(), Some("2026-01-01T00:00:00.000"));
    }
}
