//! Which records of a batch go back to where they came from.
//!
//! A stream takes back its lowest record that was not fully applied, and sends that one and all behind it again. A queue deletes
//! each message by itself, so each that was not fully applied goes back. Of a FIFO queue so do those behind it in its message
//! group, although they may have been applied: it comes again, and what came behind it has to come behind it again. A guard
//! drops them as repeats; under `guard: none` the last one to set a value is the last one again.
//!
//! [What AWS asks for](https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting)
//! is the same.

use crate::decode::envelope::{Body, Record};
use crate::report::{Fate, Returned, Trouble};
use std::collections::BTreeSet;

/// A message of a queue.
#[derive(Debug)]
pub(super) struct Message {
    /// The record's number in the batch.
    record: usize,
    id: String,
    group: Option<String>,
}

impl Message {
    /// The messages among records.
    pub(super) fn all(records: &[Record<'_>]) -> Vec<Message> {
        let messages = records.iter().enumerate().filter_map(|(record, of)| match &of.body {
            Body::Sqs(body) => {
                let group = body.in_group.as_ref().map(|(group, _)| group.to_string());
                Some(Message { record, id: of.event_id.to_string(), group })
            }
            Body::Kinesis(_) | Body::Dynamodb(_) => None,
        });
        messages.collect()
    }
}

/// The records that go back, in the order of the batch.
pub(super) fn returned(messages: &[Message], troubles: &[Trouble]) -> Vec<Returned> {
    let failed = troubles.iter().filter(|trouble| trouble.fate == Fate::ComesAgain);
    let of_queues: BTreeSet<usize> = messages.iter().map(|message| message.record).collect();
    let lowest =
        failed.clone().filter(|trouble| !of_queues.contains(&trouble.record)).min_by_key(|trouble| trouble.record);
    let mut returned: Vec<Returned> = lowest
        .map(|trouble| Returned { record: trouble.record, identifier: trouble.sequence.clone(), alone: false })
        .into_iter()
        .collect();
    let failed: BTreeSet<usize> = failed.map(|trouble| trouble.record).collect();
    let (mut held, mut named): (BTreeSet<&str>, BTreeSet<&str>) = Default::default();
    for Message { record, id, group } in messages {
        let is_held = group.as_deref().is_some_and(|group| held.contains(group));
        if is_held || failed.contains(record) {
            held.extend(group.as_deref());
            // A message that is in the batch twice is still one.
            if named.insert(id) {
                returned.push(Returned { record: *record, identifier: id.clone(), alone: true });
            }
        }
    }
    returned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(messages: &[(usize, &str, Option<&str>)], failed: &[usize]) -> Vec<String> {
        let messages: Vec<Message> = messages
            .iter()
            .map(|(record, id, group)| Message {
                record: *record,
                id: (*id).to_owned(),
                group: group.map(str::to_owned),
            })
            .collect();
        let trouble = |record: &usize| Trouble {
            record: *record,
            sequence: format!("sequence {record}"),
            sub: 0,
            lane: String::new(),
            projection: None,
            rule: None,
            reason: None,
            message: String::new(),
            fate: Fate::ComesAgain,
        };
        let mut troubles: Vec<Trouble> = failed.iter().map(trouble).collect();
        troubles.push(Trouble { fate: Fate::DeadLetter, ..trouble(&0) });
        returned(&messages, &troubles).into_iter().map(|returned| returned.identifier).collect()
    }

    #[test]
    fn a_stream_takes_back_its_lowest_record() {
        assert_eq!(of(&[], &[]), [""; 0]);
        assert_eq!(of(&[], &[3, 5]), ["sequence 3"]);
    }

    #[test]
    fn a_standard_queue_takes_back_each_message_that_failed() {
        let messages = [(0, "a", None), (1, "b", None), (2, "c", None), (3, "d", None)];
        assert_eq!(of(&messages, &[]), [""; 0]);
        assert_eq!(of(&messages, &[1, 3]), ["b", "d"]);
    }

    #[test]
    fn a_fifo_queue_takes_back_what_is_behind_it_in_its_group_too() {
        let messages = [(0, "a", Some("x")), (1, "b", Some("y")), (2, "c", Some("x")), (3, "d", Some("y"))];
        assert_eq!(of(&messages, &[1]), ["b", "d"]);
        assert_eq!(of(&messages, &[0, 3]), ["a", "c", "d"]);
        assert_eq!(of(&messages, &[3]), ["d"]);
        let twice = [(0, "a", Some("x")), (1, "a", Some("x")), (2, "b", Some("x"))];
        assert_eq!(of(&twice, &[0]), ["a", "b"]);
    }
}
