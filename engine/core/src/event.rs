//! An event: what a record of a stream says, ready for rules.

use crate::program::{MetadataName, Subject};
use std::borrow::Cow;
use std::sync::Arc;
use viewfold_value::{Item, Value};

/// One event of a batch.
#[derive(Debug)]
pub struct Event {
    /// The record's number in the batch, from 0.
    pub record: usize,
    /// The stream's number in the program.
    pub stream: usize,
    /// The values of the paths that the stream's projections read.
    pub slots: Vec<Slot>,
    /// What the stream says about the event.
    pub metadata: Metadata,
}

/// What a path found in an event.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Slot {
    /// Nothing.
    #[default]
    Missing,
    /// A value.
    Found(Value),
    /// Something that has no place in DynamoDB, and why. It is an error only for a rule that looks at it.
    Unusable(String),
    /// A whole number from 0 of more digits than DynamoDB holds: its digits, and why it cannot be used. It can order events
    /// and tell them apart.
    Digits(String, String),
}

/// What the stream says about an event.
#[derive(Debug)]
pub struct Metadata {
    /// Lambda's eventID; of a queue the message's id, or that of SNS or EventBridge.
    pub id: String,
    /// The sequence number, in digits; of a standard queue, which has none, the message's id.
    pub sequence: String,
    /// The place among the events of one sequence number: those of a record that the Kinesis Producer Library put together.
    pub sub: u32,
    /// The sequence of events whose order the stream keeps.
    pub lane: Lane,
    /// The name of the stream, table or queue.
    pub stream: Arc<str>,
    /// The engine's clock, RFC 3339; the same for a whole batch.
    pub now: Arc<str>,
    /// The Kinesis shard.
    pub shard: Option<String>,
    /// The label of a DynamoDB stream: it changes when the stream is switched off and on.
    pub label: Option<String>,
    /// When the event reached the stream, RFC 3339.
    pub time: Option<String>,
    /// `insert`, `modify` or `remove`.
    pub change: Option<&'static str>,
}

/// A sequence of events whose order the stream keeps.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Lane {
    /// A Kinesis partition key, or the message group of a FIFO queue; of a standard queue, where each message is alone, the
    /// message's id.
    PartitionKey(String),
    /// The key of a DynamoDB item.
    Item(Item),
}

impl Lane {
    /// The lane as text: the partition key or message group, or the key as JSON with its attributes in the order of their names.
    pub fn text(&self) -> String {
        match self {
            Lane::PartitionKey(key) => key.clone(),
            Lane::Item(key) => Value::Map(key.clone()).to_string(),
        }
    }
}

impl Event {
    /// The digits of a whole number that has more of them than a value can.
    pub fn long_number(&self, subject: Subject) -> Option<&str> {
        match subject {
            Subject::Slot(slot) => match self.slots.get(slot) {
                Some(Slot::Digits(digits, _)) => Some(digits),
                _ => None,
            },
            Subject::Metadata(_) => None,
        }
    }

    /// The value of a subject; nothing where there is none.
    ///
    /// # Errors
    ///
    /// Why the value cannot be used, where it cannot.
    pub fn value(&self, subject: Subject) -> Result<Option<Cow<'_, Value>>, &str> {
        let text = |text: &str| Some(Cow::Owned(Value::from(text)));
        Ok(match subject {
            Subject::Slot(slot) => match &self.slots[slot] {
                Slot::Missing => None,
                Slot::Found(value) => Some(Cow::Borrowed(value)),
                Slot::Unusable(reason) | Slot::Digits(_, reason) => return Err(reason),
            },
            Subject::Metadata(name) => match name {
                MetadataName::Id => text(&self.metadata.id),
                MetadataName::Sequence => text(&self.metadata.sequence),
                MetadataName::Lane => text(&self.metadata.lane.text()),
                MetadataName::Shard => self.metadata.shard.as_deref().and_then(text),
                MetadataName::Stream => text(&self.metadata.stream),
                MetadataName::Time => self.metadata.time.as_deref().and_then(text),
                MetadataName::Now => text(&self.metadata.now),
                MetadataName::Change => self.metadata.change.and_then(text),
            },
        })
    }
}
