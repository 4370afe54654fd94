//! Messages of SQS: what Lambda says of them stands in the record itself, and not in a part of its own.

use super::{Body, EnvelopeError, Origin, RawRecord, Record, is_sequence, text};
use jiff::Timestamp;
use std::borrow::Cow;
use std::sync::Arc;
use viewfold_value::Reader;

/// A message of SQS.
#[derive(Debug)]
pub struct SqsBody<'i> {
    /// What was sent, as text.
    pub text: Cow<'i, str>,
    /// The message group and the number in it. (A standard queue may have groups for the sake of fairness: they have no order.)
    pub in_group: Option<(Cow<'i, str>, Cow<'i, str>)>,
    /// When the queue got it.
    pub sent: Option<Timestamp>,
}

/// What SQS says of a message, as texts.
pub(super) fn attributes<'i>(reader: &mut Reader<'i>, record: &mut RawRecord<'i>) -> Result<(), EnvelopeError> {
    let mut name = reader.next_object()?;
    while let Some(own) = name {
        match &*own {
            "SentTimestamp" => record.sent = text(reader)?,
            "MessageGroupId" => record.group = text(reader)?,
            "SequenceNumber" => record.sequence = text(reader)?,
            _ => reader.skip_next()?,
        }
        name = reader.next_key()?;
    }
    Ok(())
}

impl<'i> RawRecord<'i> {
    /// A message of SQS.
    pub(super) fn message(
        self,
        number: usize,
        origin: Arc<Origin>,
        text: &'i [u8],
    ) -> Result<Record<'i>, EnvelopeError> {
        let missing = |what: &str| EnvelopeError(format!("record {number} of the invocation has no {what}"));
        let event_id = self
            .message_id
            .filter(|id| !id.is_empty())
            .ok_or_else(|| missing("`messageId`: it could not be given back to the queue were it to fail"))?;
        let in_group = match origin.stream.is_fifo() {
            false => None,
            true => {
                let group =
                    self.group.ok_or_else(|| missing("`MessageGroupId`, which each message of a FIFO queue has"))?;
                let sequence = self.sequence.filter(|digits| is_sequence(digits));
                let what = "`SequenceNumber` of digits, which each message of a FIFO queue has";
                Some((group, sequence.ok_or_else(|| missing(what))?))
            }
        };
        let milliseconds = self.sent.and_then(|sent| sent.parse().ok());
        let sent = milliseconds.and_then(|sent| jiff::Timestamp::from_millisecond(sent).ok());
        let body = SqsBody { text: self.message.ok_or_else(|| missing("`body`"))?, in_group, sent };
        Ok(Record { origin, view: None, event_id, body: Body::Sqs(body), text })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Body, records};
    use crate::program::StreamIdentity;

    #[test]
    fn a_message_of_a_queue_is_known_by_its_id_and_in_a_group_by_its_number() {
        let message = |queue: &str| {
            let payload = format!(
                r#"{{"Records":[{{"messageId":"m-1","receiptHandle":"AQEB","body":"{{}}","messageAttributes":{{}},
                    "attributes":{{"SentTimestamp":"1545082649183","MessageGroupId":"g","SequenceNumber":"17","SenderId":"x"}},
                    "eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:eu-west-1:123456789012:{queue}"}}]}}"#
            );
            let records = records(payload.as_bytes()).unwrap();
            let Body::Sqs(body) = &records[0].body else { panic!("{records:?}") };
            assert_eq!(body.text, "{}");
            assert_eq!(body.sent.map(|sent| sent.to_string()).as_deref(), Some("2018-12-17T21:37:29.183Z"));
            (records[0].origin.stream.clone(), records[0].sequence().to_owned(), body.in_group.is_some())
        };
        assert_eq!(message("q"), (StreamIdentity::Sqs("q".into()), "m-1".into(), false));
        assert_eq!(message("q.fifo"), (StreamIdentity::Sqs("q.fifo".into()), "17".into(), true));
    }
}
