//! An event: what a record of a stream says, ready for rules.

use crate::program::{MetadataName, Subject};
use crate::sorted_map::SortedMap;
use jiff::Timestamp;
use std::borrow::Cow;
use std::sync::Arc;
use viewfold_value::{Item, Value, json};

/// One event of a batch.
#[derive(Debug)]
pub struct Event {
    /// The record's number in the batch, from 0.
    pub record: usize,
    /// The stream's number in the program.
    pub stream: usize,
    /// The values of the paths that the stream's projections read.
    pub slots: Slots,
    /// What the stream says about the event.
    pub metadata: Metadata,
}

/// The slots of an event. Those that hold nothing take no room: a stream may have thousands of paths, and an event a few
/// of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Slots(SortedMap<usize, Slot>);

impl Slots {
    /// As many as most events have of so many paths find room at once.
    pub(crate) fn with_room(paths: usize) -> Slots {
        Slots(SortedMap::with_capacity(paths.min(8)))
    }

    /// What a path found.
    pub fn get(&self, slot: usize) -> &Slot {
        self.0.get(&slot).unwrap_or(&Slot::Missing)
    }

    /// The slots that hold something, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Slot)> {
        self.0.iter().map(|(slot, found)| (*slot, found))
    }

    /// Puts what a path found into its slot.
    pub fn set(&mut self, slot: usize, found: Slot) {
        match found {
            Slot::Missing => self.clear(slot),
            found => drop(self.0.insert(slot, found)),
        }
    }

    /// Gives back the room for slots that stayed empty, before the event is kept.
    pub(crate) fn shrink(&mut self) {
        self.0.shrink();
    }

    /// Takes what a path found out of its slot.
    pub(crate) fn take(&mut self, slot: usize) -> Slot {
        self.0.remove(&slot).unwrap_or_default()
    }

    /// Empties a slot.
    pub(crate) fn clear(&mut self, slot: usize) {
        self.0.remove(&slot);
    }
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
    pub id: Arc<str>,
    /// The sequence number, in digits; of a standard queue, which has none, the message's id.
    pub sequence: Arc<str>,
    /// The place among the events of one sequence number: those of a record that the Kinesis Producer Library put together.
    pub sub: u32,
    /// The sequence of events whose order the stream keeps.
    pub lane: Lane,
    /// The name of the stream, table or queue.
    pub stream: Arc<str>,
    /// The engine's clock, RFC 3339; the same for a whole batch.
    pub now: Arc<str>,
    /// The Kinesis shard.
    pub shard: Option<Arc<str>>,
    /// The label of a DynamoDB stream: it changes when the stream is switched off and on.
    pub label: Option<Arc<str>>,
    /// When the event reached the stream.
    pub time: Option<Timestamp>,
    /// `insert`, `modify` or `remove`.
    pub change: Option<&'static str>,
}

/// A sequence of events whose order the stream keeps. Its parts are shared: most events have theirs in several places.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Lane {
    /// A Kinesis partition key, or the message group of a FIFO queue; of a standard queue, where each message is alone, the
    /// message's id.
    PartitionKey(Arc<str>),
    /// The key of a DynamoDB item.
    Item(ItemLane),
}

/// The lane of a DynamoDB item.
#[derive(Clone, Debug)]
pub struct ItemLane {
    /// A key has one attribute or two: a tree would take ten times as much.
    key: Arc<[(String, Value)]>,
    text: Arc<str>,
}

impl ItemLane {
    /// The key as JSON.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The item's key: its attributes in the order of their names.
    pub fn key(&self) -> &[(String, Value)] {
        &self.key
    }
}

// One text stands for one key.
impl PartialEq for ItemLane {
    fn eq(&self, other: &ItemLane) -> bool {
        self.text == other.text
    }
}

impl Eq for ItemLane {}

impl std::hash::Hash for ItemLane {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl Lane {
    /// The lane of the item with this key.
    pub fn of_item(key: Item) -> Lane {
        // Most keys are shorter.
        let mut text = String::with_capacity(64);
        json::write_map(&key, &mut text);
        Lane::Item(ItemLane { key: key.into_iter().collect(), text: text.into() })
    }

    /// The lane as text: the partition key or message group, or the key as JSON with its attributes in the order of their names.
    pub fn text(&self) -> &Arc<str> {
        match self {
            Lane::PartitionKey(key) => key,
            Lane::Item(item) => &item.text,
        }
    }
}

impl Event {
    /// The digits of a whole number that has more of them than a value can.
    pub fn long_number(&self, subject: Subject) -> Option<&str> {
        match subject {
            Subject::Slot(slot) => match self.slots.get(slot) {
                Slot::Digits(digits, _) => Some(digits),
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
            Subject::Slot(slot) => match self.slots.get(slot) {
                Slot::Missing => None,
                Slot::Found(value) => Some(Cow::Borrowed(value)),
                Slot::Unusable(reason) | Slot::Digits(_, reason) => return Err(reason),
            },
            Subject::Metadata(name) => match name {
                MetadataName::Id => text(&self.metadata.id),
                MetadataName::Sequence => text(&self.metadata.sequence),
                MetadataName::Lane => text(self.metadata.lane.text()),
                MetadataName::Shard => self.metadata.shard.as_deref().and_then(text),
                MetadataName::Stream => text(&self.metadata.stream),
                MetadataName::Time => self.metadata.time.and_then(|time| text(&time.to_string())),
                MetadataName::Now => text(&self.metadata.now),
                MetadataName::Change => self.metadata.change.and_then(text),
            },
        })
    }
}
