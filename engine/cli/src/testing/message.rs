//! A test's events as messages of SQS, in the envelopes that SNS and EventBridge put around them.

use super::record::Records;
use crate::output::Failure;
use viewfold_core::program::{Payload, Stream};
use viewfold_spec::Spanned;
use viewfold_spec::test_file::Event;
use viewfold_value::{Item, Value};

impl Records<'_> {
    /// The record of a message, and the number that its dead letters name it by.
    pub(super) fn message(
        &self,
        event: &Spanned<Event>,
        number: usize,
        stream: usize,
        sequence: String,
    ) -> Result<(String, String), Failure> {
        let of = &self.program.streams[stream];
        let payload = event.payload.as_ref().map(|payload| self.value(payload)).transpose()?;
        let given = event.id.as_ref().map(|id| id.value.clone());
        // What SNS and EventBridge send twice has one id of theirs, and two of SQS.
        let (id, inner) = match of.payload {
            Payload::Sns | Payload::Eventbridge => (format!("message-{number}"), given),
            Payload::Json | Payload::Change => (given.unwrap_or_else(|| format!("message-{sequence}")), None),
        };
        let lane = match &event.lane {
            Some(lane) if !of.identity.has_lanes() => {
                let message = format!("`{}` is a standard queue: its messages are in no lane", of.identity.name());
                return Err(self.error(lane.span, message, "remove it; a FIFO queue's name ends in `.fifo`"));
            }
            lane => self.text_lane(lane.as_ref(), event, stream, payload.as_ref())?,
        };
        let time = self.moment(event, number)?;
        let body = match (payload, &event.raw) {
            (Some(payload), _) => {
                let inner = inner.unwrap_or_else(|| format!("event-{sequence}"));
                self.wrapped(payload, event, inner, &time.to_string(), of)?
            }
            (None, raw) => raw.as_ref().map(|raw| raw.value.clone()).unwrap_or_default(),
        };
        let sent = time.as_millisecond().to_string();
        let mut attributes = map([
            ("ApproximateReceiveCount", "1".into()),
            ("SentTimestamp", sent.as_str().into()),
            ("SenderId", "123456789012".into()),
            ("ApproximateFirstReceiveTimestamp", sent.as_str().into()),
        ]);
        let known_by = match of.identity.is_fifo() {
            true => {
                attributes.extend(map([
                    ("MessageGroupId", Value::String(lane)),
                    ("MessageDeduplicationId", id.as_str().into()),
                    ("SequenceNumber", sequence.as_str().into()),
                ]));
                sequence
            }
            false => id.clone(),
        };
        let arn = format!("arn:aws:sqs:us-east-1:123456789012:{}", of.identity.name());
        let record = map([
            ("messageId", id.as_str().into()),
            ("receiptHandle", "handle".into()),
            ("body", Value::String(body)),
            ("attributes", Value::Map(attributes)),
            ("messageAttributes", Value::Map(Item::new())),
            ("eventSource", "aws:sqs".into()),
            ("eventSourceARN", Value::String(arn)),
            ("awsRegion", "us-east-1".into()),
        ]);
        Ok((Value::Map(record).to_string(), known_by))
    }

    /// The body that carries a payload.
    fn wrapped(
        &self,
        payload: Value,
        event: &Spanned<Event>,
        id: String,
        time: &str,
        stream: &Stream,
    ) -> Result<String, Failure> {
        let body = match stream.payload {
            Payload::Json | Payload::Change => payload,
            Payload::Sns => Value::Map(map([
                ("Type", "Notification".into()),
                ("MessageId", Value::String(id)),
                ("TopicArn", "arn:aws:sns:us-east-1:123456789012:topic".into()),
                ("Message", Value::String(payload.to_string())),
                ("Timestamp", time.into()),
            ])),
            Payload::Eventbridge => {
                let Value::Map(own) = payload else {
                    let message = format!("an event of EventBridge is a map, not a {}", payload.kind());
                    let span = event.payload.as_ref().map_or(event.span, |payload| payload.span);
                    return Err(self.error(
                        span,
                        message,
                        "for example `{ detail-type: placed, detail: { total: 5 } }`",
                    ));
                };
                let mut whole = map([
                    ("version", "0".into()),
                    ("id", id.as_str().into()),
                    ("detail-type", "test".into()),
                    ("source", "test".into()),
                    ("account", "123456789012".into()),
                    ("time", time.into()),
                    ("region", "us-east-1".into()),
                    ("resources", Value::List(Vec::new())),
                    ("detail", Value::Map(Item::new())),
                ]);
                whole.extend(own);
                // What the test says beside the payload counts.
                if event.id.is_some() {
                    whole.insert("id".to_owned(), Value::String(id));
                }
                if event.time.is_some() {
                    whole.insert("time".to_owned(), time.into());
                }
                Value::Map(whole)
            }
        };
        Ok(body.to_string())
    }
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Item {
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
