//! Messages of SQS: what Lambda says of them stands in the record itself, and not in a part of its own.

use super::{Body, EnvelopeError, RawRecord, Record, is_sequence, text};
use crate::program::StreamIdentity;
use jiter::Jiter;

/// A message of SQS.
#[derive(Debug)]
pub struct SqsBody {
    /// What was sent, as text.
    pub text: String,
    /// The message group and the number in it. (A standard queue may have groups for the sake of fairness: they have no order.)
    pub in_group: Option<(String, String)>,
    /// When the queue got it, RFC 3339.
    pub sent: Option<String>,
}

/// What SQS says of a message, as texts.
pub(super) fn attributes(reader: &mut Jiter<'_>, record: &mut RawRecord<'_>) -> Result<(), EnvelopeError> {
    let mut key = reader.next_object()?.map(str::to_owned);
    while let Some(name) = key {
        match name.as_str() {
            "SentTimestamp" => record.sent = text(reader)?,
            "MessageGroupId" => record.group = text(reader)?,
            "SequenceNumber" => record.sequence = text(reader)?,
            _ => reader.next_skip()?,
        }
        key = reader.next_key()?.map(str::to_owned);
    }
    Ok(())
}

impl<'i> RawRecord<'i> {
    /// A message of SQS.
    pub(super) fn message(
        self,
        number: usize,
        stream: StreamIdentity,
        text: &'i [u8],
    ) -> Result<Record<'i>, EnvelopeError> {
        let missing = |what: &str| EnvelopeError(format!("record {number} of the invocation has no {what}"));
        let event_id = self
            .message_id
            .filter(|id| !id.is_empty())
            .ok_or_else(|| missing("`messageId`: it could not be given back to the queue were it to fail"))?;
        let in_group = match stream.is_fifo() {
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
        let body = SqsBody {
            text: self.message.ok_or_else(|| missing("`body`"))?,
            in_group,
            sent: sent.map(|sent| sent.to_string()),
        };
        Ok(Record { stream, label: None, view: None, event_id, body: Body::Sqs(body), text })
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
            assert_eq!((body.text.as_str(), body.sent.as_deref()), ("{}", Some("2018-12-17T21:37:29.183Z")));
            (records[0].stream.clone(), records[0].sequence().to_owned(), body.in_group.is_some())
        };
        assert_eq!(message("q"), (StreamIdentity::Sqs("q".into()), "m-1".into(), false));
        assert_eq!(message("q.fifo"), (StreamIdentity::Sqs("q.fifo".into()), "17".into(), true));
    }
}
