//! Bodies of SQS messages, and what SNS and EventBridge put around a payload on its way through a queue.
//!
//! A notification of [SNS] is a JSON object with the message as text in it; an event of [EventBridge] is one as a whole. Both carry
//! an id of their own, which stays the same when SNS or EventBridge send a thing twice and SQS gives each its own.
//!
//! [SNS]: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
//! [EventBridge]: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html

use super::undecodable;
use crate::program::Payload;
use crate::report::Problem;
use jiff::Timestamp;
use std::borrow::Cow;
use viewfold_value::json::{self, ReadError};
use viewfold_value::{Reader, Start};

/// A message without its envelope.
pub(super) struct Opened<'b> {
    /// What `$` is, as JSON text.
    pub(super) payload: Cow<'b, [u8]>,
    /// The id that SNS or EventBridge gave it.
    pub(super) id: Option<String>,
    /// When SNS or EventBridge got it.
    pub(super) time: Option<Timestamp>,
}

/// Takes a message out of its envelope.
///
/// # Errors
///
/// When the envelope is not there.
pub(super) fn opened(body: &[u8], payload: Payload) -> Result<Opened<'_>, Problem> {
    match payload {
        Payload::Json | Payload::Change => Ok(Opened { payload: Cow::Borrowed(body), id: None, time: None }),
        Payload::Sns => {
            let no = |why: &str| {
                undecodable(format!(
                    "the body is no notification of SNS: {why}; a subscription with raw delivery sends the message alone, and its \
                     source says `format: json`"
                ))
            };
            let [kind, id, message, time] = texts(body, ["Type", "MessageId", "Message", "Timestamp"])
                .map_err(|error| no(&format!("it is no JSON object: {error}")))?;
            if let Some(kind) = kind.filter(|kind| kind != "Notification") {
                return Err(no(&format!("its `Type` is `{kind}`")));
            }
            let message = message.ok_or_else(|| no("it has no `Message`"))?;
            let id = id.ok_or_else(|| no("it has no `MessageId`"))?;
            Ok(Opened { payload: Cow::Owned(message.into_bytes()), id: Some(id), time: time.and_then(told) })
        }
        Payload::Eventbridge => {
            let no = |why: &str| {
                undecodable(format!(
                    "the body is no event of EventBridge: {why}; a rule that transforms its input sends what it makes of the event, \
                     and its source says `format: json`"
                ))
            };
            let [id, kind, time] = texts(body, ["id", "detail-type", "time"])
                .map_err(|error| no(&format!("it is no JSON object: {error}")))?;
            let id = id.ok_or_else(|| no("it has no `id`"))?;
            kind.ok_or_else(|| no("it has no `detail-type`"))?;
            Ok(Opened { payload: Cow::Borrowed(body), id: Some(id), time: time.and_then(told) })
        }
    }
}

/// The texts that an object has under these names; nothing for one that is missing, empty, or no text.
fn texts<const N: usize>(object: &[u8], names: [&str; N]) -> Result<[Option<String>; N], ReadError> {
    let mut found = [const { None }; N];
    let mut reader = Reader::new(json::utf8(object)?);
    let mut key = reader.next_object()?;
    while let Some(name) = key {
        let start = reader.peek()?;
        match names.iter().position(|known| *known == name) {
            Some(place) if start == Start::STRING => {
                let text = reader.string()?;
                found[place] = (!text.is_empty()).then(|| text.into_owned());
            }
            _ => reader.skip(start)?,
        }
        key = reader.next_key()?;
    }
    reader.finish()?;
    Ok(found)
}

/// A time; nothing for what is none: a time is never worth a dead letter.
fn told(text: String) -> Option<Timestamp> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(body: &str, payload: Payload) -> Result<(String, Option<String>, Option<String>), String> {
        let opened = opened(body.as_bytes(), payload).map_err(|problem| problem.message)?;
        let time = opened.time.map(|time| time.to_string());
        Ok((String::from_utf8_lossy(&opened.payload).into_owned(), opened.id, time))
    }

    #[test]
    fn a_notification_gives_its_message_and_its_id() {
        let body = r#"{"Type":"Notification","MessageId":"n-1","TopicArn":"arn:aws:sns:eu-west-1:123456789012:t","Subject":null,
            "Message":"{\"total\":1.50}","Timestamp":"2026-01-31T12:00:00.123Z","MessageAttributes":{"a":{"Type":"String"}}}"#;
        let (payload, id, time) = open(body, Payload::Sns).unwrap();
        assert_eq!((payload.as_str(), id.as_deref()), (r#"{"total":1.50}"#, Some("n-1")));
        assert_eq!(time.as_deref(), Some("2026-01-31T12:00:00.123Z"));
    }

    #[test]
    fn an_event_is_its_own_payload() {
        let body = r#"{"version":"0","id":"e-1","detail-type":"Order","source":"shop","time":"2026-01-31T12:00:00Z","detail":{}}"#;
        let (payload, id, time) = open(body, Payload::Eventbridge).unwrap();
        assert_eq!((payload.as_str(), id.as_deref()), (body, Some("e-1")));
        assert_eq!(time.as_deref(), Some("2026-01-31T12:00:00Z"));
    }

    #[test]
    fn an_envelope_that_is_not_there_says_what_to_do() {
        for (body, payload, words) in [
            ("{\"total\":1}", Payload::Sns, "no notification of SNS: it has no `Message`"),
            ("{\"Message\":\"{}\"}", Payload::Sns, "it has no `MessageId`"),
            ("{\"Message\":{}}", Payload::Sns, "it has no `Message`"),
            ("{\"Type\":\"SubscriptionConfirmation\"}", Payload::Sns, "its `Type` is `SubscriptionConfirmation`"),
            ("plain", Payload::Sns, "it is no JSON object"),
            ("{} {}", Payload::Sns, "it is no JSON object"),
            ("{\"detail-type\":\"a\"}", Payload::Eventbridge, "it has no `id`"),
            ("{\"id\":\"a\",\"detail\":{}}", Payload::Eventbridge, "it has no `detail-type`"),
            ("[]", Payload::Eventbridge, "no event of EventBridge: it is no JSON object"),
        ] {
            let error = open(body, payload).expect_err(body);
            assert!(error.contains(words) && error.contains("`format: json`"), "{body}: {error}");
        }
    }
}
