//! What projections mean: everything resolved and checked, nothing left to look up by name.
//!
//! A [`Program`] is made once, at start, by [`compile`](crate::compile), and shared by all batches.

mod document_path;
pub(crate) mod index;
mod paths;
mod term;
mod ways;

pub use crate::path::Step;
pub use document_path::DocumentPath;
pub use index::{Index, RuleId};
pub use paths::PathTree;
pub(crate) use paths::Place;
pub use term::{Overlap, Target, TargetName, Term};
pub use ways::Ways;

use crate::demands::Demand;
use crate::pattern::Test;
use crate::query::Query;
use crate::schema::Schema;
use std::sync::Arc;
use viewfold_spec::projection::{KeyAttribute, KeyType};
use viewfold_value::Kind;

/// All projections of a deployment, and the streams that feed them.
#[derive(Debug)]
pub struct Program {
    /// The streams, each once, however many projections read it.
    pub streams: Vec<Stream>,
    /// The projections in the order they were given.
    pub projections: Vec<Projection>,
    /// The table of dead letters, real name; none where no projection needs one.
    pub dead_letters: Option<Arc<str>>,
}

impl Program {
    /// The number of the stream with this identity, if a projection reads it.
    pub fn stream(&self, identity: &StreamIdentity) -> Option<usize> {
        self.streams.iter().position(|stream| stream.identity == *identity)
    }

    /// The table in which it is written down which projections are deployed: with the marks, where there are such, else with
    /// the dead letters. Without either nothing is written down.
    pub fn record_table(&self) -> Option<&Arc<str>> {
        let sources = self.projections.iter().flat_map(|projection| &projection.sources);
        let marks = sources.filter_map(|source| match &source.guard {
            Guard::Lane { table, .. } => Some(table),
            _ => None,
        });
        // The same one in whatever order the files were read.
        marks.min().or(self.dead_letters.as_ref())
    }

    /// Attributes of a table's items that are no part of its documents, beside those that start with `_vf_`: marks, and
    /// the TTL of the rows that deleted documents leave behind.
    pub fn bookkeeping(&self, table: &str) -> Vec<&str> {
        let projections = self.projections.iter().filter(|projection| *projection.table.name == *table);
        let own = projections.flat_map(|projection| {
            let ttl = projection.leaves_rows().then(|| projection.ttl_attribute());
            let marks = projection.sources.iter().filter_map(|source| match &source.guard {
                Guard::Document { attribute, .. } => Some(attribute.as_str()),
                _ => None,
            });
            ttl.into_iter().chain(marks)
        });
        own.collect()
    }
}

/// Whether an item is the row that a deleted document left behind: it has nothing but its key and bookkeeping, and some of
/// that says that it was deleted.
pub fn is_deleted_row<'i>(
    mut names: impl Iterator<Item = &'i String> + Clone,
    is_key: impl Fn(&str) -> bool,
    bookkeeping: &[impl AsRef<str>],
) -> bool {
    let says_so = names.clone().any(|name| name.starts_with("_vf_") && name.ends_with("_deleted"));
    let is_own = |name: &str| bookkeeping.iter().any(|own| own.as_ref() == name);
    says_so && names.all(|name| name.starts_with("_vf_") || is_key(name) || is_own(name))
}

/// Which stream it is.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum StreamIdentity {
    /// A Kinesis stream by its name.
    Kinesis(String),
    /// The stream of a DynamoDB table, by the table's real name (prefix included).
    Dynamodb(String),
    /// An SQS queue by its name; a FIFO queue's ends in `.fifo`.
    Sqs(String),
}

impl StreamIdentity {
    /// Whether it is a queue: each of its messages goes back to it by itself.
    pub fn is_queue(&self) -> bool {
        matches!(self, StreamIdentity::Sqs(_))
    }

    /// Whether it is a FIFO queue: SQS has their names end like this.
    pub fn is_fifo(&self) -> bool {
        matches!(self, StreamIdentity::Sqs(name) if name.ends_with(".fifo"))
    }

    /// Whether its events come in lanes: only those of a standard queue are each alone.
    pub fn has_lanes(&self) -> bool {
        !self.is_queue() || self.is_fifo()
    }

    /// The stream's, table's or queue's name.
    pub fn name(&self) -> &str {
        match self {
            StreamIdentity::Kinesis(name) | StreamIdentity::Dynamodb(name) | StreamIdentity::Sqs(name) => name,
        }
    }
}

impl std::fmt::Display for StreamIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StreamIdentity::Kinesis(name) => write!(f, "Kinesis stream {name}"),
            StreamIdentity::Dynamodb(table) => write!(f, "stream of DynamoDB table {table}"),
            StreamIdentity::Sqs(name) => write!(f, "SQS queue {name}"),
        }
    }
}

/// A stream and what its projections want of each event.
#[derive(Debug)]
pub struct Stream {
    /// Which one it is.
    pub identity: StreamIdentity,
    /// Its name, for its events.
    pub name: Arc<str>,
    /// What `$` is in its events.
    pub payload: Payload,
    /// The paths that any projection reads from an event, each with its slot.
    pub paths: PathTree,
    /// From values of an event to the rules they may match.
    pub index: Index,
    /// The projections that read the stream, in their order: their number, and the number of the source in the projection.
    pub readers: Vec<(usize, usize)>,
    /// The readers that look at every event, whether a rule of theirs matches or not, as numbers of `readers`: what the
    /// event's item did before is taken back.
    pub attentive: Vec<usize>,
    /// What readers demand of every event.
    pub demands: Vec<Demand>,
    /// Attributes of the stream's table that are no part of its documents: marks, and what deletion leaves behind. Where
    /// an item has nothing else, it is no document.
    pub bookkeeping: Vec<String>,
}

impl Stream {
    /// Whether the stream keeps the order of each lane, and brings an event again under its own sequence number only.
    /// [Kinesis Data Streams for DynamoDB] does neither. A FIFO queue keeps the order of a group until a message is
    /// [redriven] from its dead-letter queue: that one comes behind those that were sent after it, under another number.
    ///
    /// [Kinesis Data Streams for DynamoDB]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/kds.html
    /// [redriven]: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
    pub fn keeps_order(&self) -> bool {
        match self.identity {
            StreamIdentity::Kinesis(_) => self.payload != Payload::Change,
            StreamIdentity::Dynamodb(_) => true,
            StreamIdentity::Sqs(_) => false,
        }
    }
}

/// What `$` is in the events of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Payload {
    /// A JSON value.
    Json,
    /// The JSON value in the `Message` of a notification of SNS.
    Sns,
    /// An event of EventBridge.
    Eventbridge,
    /// A change of a DynamoDB item: `{keys, new, old}`.
    Change,
}

/// What a file says a record's lane is.
#[derive(PartialEq, Debug)]
pub enum LaneCheck {
    /// The Kinesis partition key, or the message group of a FIFO queue, equals this value of the payload.
    PartitionKey(Term),
    /// The DynamoDB key has just these attributes.
    Keys(Vec<KeyAttribute>),
}

/// One projection.
#[derive(Debug)]
pub struct Projection {
    /// Its name.
    pub name: String,
    /// Its version, from 1.
    pub version: u64,
    /// What tells one text of its file from another: the first 16 hexadecimal digits of the SHA-256.
    pub hash: String,
    /// The streams that feed it.
    pub sources: Vec<Source>,
    /// The table of its documents.
    pub table: Table,
    /// Whether others write to the items of the table.
    pub shared: bool,
    /// What becomes of an event that cannot be applied.
    pub on_error: OnError,
    /// Its rules in the order of the file.
    pub rules: Vec<Rule>,
    /// Attributes computed from the document after each change, each behind those that it is derived from.
    pub derive: Vec<(String, Term)>,
    /// Whether the document goes, after each change.
    pub delete_when: Option<Term>,
    /// Every top-level attribute that it writes.
    pub attributes: Vec<String>,
    /// The keys of the table's indexes among these, and what their values have to be like.
    pub index_keys: Vec<(String, KeyLimits)>,
    /// The attribute of the TTL of the table.
    pub ttl: Option<String>,
    /// Ways through its documents.
    pub ways: Ways,
}

impl Projection {
    /// The attribute that says when the document was deleted, where its row stays behind.
    pub fn deleted_attribute(&self) -> String {
        ways::own(&self.name, "deleted")
    }

    /// The attribute that holds the marks of events that were redriven while the document's own mark was below them.
    pub fn redriven_attribute(&self) -> String {
        ways::own(&self.name, "redriven")
    }

    /// The attribute that holds what orders the elements of lists that are appended to with `by`.
    pub fn by_attribute(&self) -> String {
        ways::own(&self.name, "by")
    }

    /// The attribute that changes with every write under `events_table` with `order_by`.
    pub fn version_attribute(&self) -> String {
        ways::own(&self.name, "version")
    }

    /// The attribute by which DynamoDB lets the rows of deleted documents expire.
    pub fn ttl_attribute(&self) -> &str {
        self.ttl.as_deref().unwrap_or("_vf_ttl")
    }

    /// Whether a document can be deleted.
    pub fn can_delete(&self) -> bool {
        self.delete_when.is_some() || self.rules.iter().any(|rule| rule.delete)
    }

    /// Whether every change has to know the document.
    pub fn always_reads(&self) -> bool {
        !self.derive.is_empty() || self.can_delete()
    }

    /// The attributes of a document in which guards keep what they remember: they outlive it.
    pub fn kept_attributes(&self) -> Vec<String> {
        let mut kept: Vec<String> = Vec::new();
        for source in &self.sources {
            match &source.guard {
                Guard::Document { attribute, .. } => kept.extend([attribute.clone(), self.redriven_attribute()]),
                Guard::EventsTable { order_by: Some(_), .. } => kept.push(self.version_attribute()),
                Guard::None | Guard::Lane { .. } | Guard::EventsTable { order_by: None, .. } => {}
            }
        }
        kept
    }

    /// Every attribute in which viewfold keeps something on the projection's documents, and what.
    pub fn bookkeeping_attributes(&self) -> Vec<(String, &'static str)> {
        let marks = self.sources.iter().filter_map(|source| match &source.guard {
            Guard::Document { attribute, .. } => Some((attribute.clone(), "a source's mark")),
            _ => None,
        });
        let mut names: Vec<(String, &'static str)> = marks.collect();
        if !names.is_empty() {
            names.push((self.redriven_attribute(), "the marks of redriven events"));
        }
        if self.kept_attributes().contains(&self.version_attribute()) {
            names.push((self.version_attribute(), "the version"));
        }
        let ordered = |operation: &OperationTerm| matches!(&operation.kind, OperationKind::Append { by: Some(_), .. });
        if self.rules.iter().flat_map(|rule| &rule.operations).any(ordered) {
            names.push((self.by_attribute(), "what orders lists"));
        }
        if self.can_delete() {
            names.push((self.deleted_attribute(), "the time of a deletion"));
        }
        if self.leaves_rows() {
            names.push((self.ttl_attribute().to_owned(), "the TTL"));
        }
        names
    }

    /// Whether something of a deleted document stays behind: its mark or version is on it.
    pub fn leaves_rows(&self) -> bool {
        let kept = self.kept_attributes();
        // Under `order_by` there is a row even of a document that none of its events could make.
        (self.can_delete() && !kept.is_empty()) || kept.contains(&self.version_attribute())
    }
}

/// A stream that feeds a projection.
#[derive(Debug)]
pub struct Source {
    /// Its name in the file, where the projection has several.
    pub name: Option<String>,
    /// Its name in bookkeeping tables: the stream's, table's or queue's name as the file has it.
    pub bookkeeping: String,
    /// The stream's number in the program.
    pub stream: usize,
    /// What makes a repeated event harmless.
    pub guard: Guard,
    /// The way to its marks on a document, where they are there.
    pub mark: Option<DocumentPath>,
    /// What every record's lane has to be.
    pub lane: Option<LaneCheck>,
    /// What every payload has to be like.
    pub schema: Option<SchemaCheck>,
    /// Whether its stream keeps the order of each lane.
    pub keeps_order: bool,
    /// Whether its events come in lanes at all.
    pub has_lanes: bool,
    /// Whether any rule of the source is `retract: true`.
    pub retracts: bool,
}

/// A JSON Schema and the values of an event that have to satisfy it: the payload, or each image.
#[derive(Debug)]
pub struct SchemaCheck {
    /// The schema.
    pub schema: Arc<Schema>,
    /// The slots of the values, each with its name for messages.
    pub slots: Vec<(usize, &'static str)>,
}

/// What becomes of an event that matched but cannot be applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnError {
    /// It goes into the table of dead letters.
    DeadLetter,
    /// It is dropped.
    Skip,
    /// It comes again, and its lane waits.
    Fail,
}

/// What the value of a key has to be like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyLimits {
    /// Its type.
    pub kind: Kind,
    /// The most bytes of a text or of binary data; neither may be empty.
    pub max_bytes: usize,
}

/// The most bytes of a partition key's value ([limits]).
///
/// [limits]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
pub const MAX_PARTITION_KEY_BYTES: usize = 2048;

/// The most bytes of a sort key's value.
pub const MAX_SORT_KEY_BYTES: usize = 1024;

/// A table of documents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// The real name, prefix included.
    pub name: Arc<str>,
    /// The partition key.
    pub partition_key: KeyAttribute,
    /// The sort key, if it has one.
    pub sort_key: Option<KeyAttribute>,
    /// The global secondary indexes.
    pub indexes: Vec<TableIndex>,
    /// The attribute by which DynamoDB lets items expire.
    pub ttl: Option<String>,
}

impl Table {
    /// What the values of an attribute have to be like, where an index has it as a key.
    pub fn index_key(&self, attribute: &str) -> Option<KeyLimits> {
        let limits = |key: &KeyAttribute, max_bytes| {
            (key.name == attribute).then(|| KeyLimits { kind: key_kind(key.kind), max_bytes })
        };
        // An attribute may be a key of several indexes: the narrowest limit counts.
        self.indexes
            .iter()
            .flat_map(|index| {
                let sort = index.sort_key.as_ref().and_then(|key| limits(key, MAX_SORT_KEY_BYTES));
                [sort, limits(&index.partition_key, MAX_PARTITION_KEY_BYTES)]
            })
            .flatten()
            .min_by_key(|limits| limits.max_bytes)
    }

    /// The key attributes, partition key first.
    pub fn keys(&self) -> impl Iterator<Item = &KeyAttribute> {
        std::iter::once(&self.partition_key).chain(&self.sort_key)
    }
}

/// A global secondary index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableIndex {
    /// Its name.
    pub name: String,
    /// The partition key.
    pub partition_key: KeyAttribute,
    /// The sort key, if it has one.
    pub sort_key: Option<KeyAttribute>,
}

/// What makes a repeated event harmless.
#[derive(Debug)]
pub enum Guard {
    /// Nothing.
    None,
    /// The newest event's mark on the document.
    Document {
        /// The attribute that holds the mark, or the map of marks.
        attribute: String,
        /// Whether each shard of the stream has a mark of its own there.
        by_shard: bool,
        /// What the mark is made of.
        order_by: OrderBy,
    },
    /// The newest event's mark of each lane, in a table of marks.
    Lane {
        /// The table's real name.
        table: Arc<str>,
        /// What the mark is made of.
        order_by: OrderBy,
    },
    /// Every event's id in a table, in one transaction with the document.
    EventsTable {
        /// The table's real name.
        table: Arc<str>,
        /// What tells an event from all others.
        id: Term,
        /// What orders the events of a document, where the documents are what the events make in that order.
        order_by: Option<Term>,
        /// How long events are remembered, in seconds; for ever where nothing is said.
        keep_seconds: Option<i64>,
    },
}

impl Guard {
    /// The table in which it remembers events or marks, where it has one.
    pub fn table(&self) -> Option<&Arc<str>> {
        match self {
            Guard::Lane { table, .. } | Guard::EventsTable { table, .. } => Some(table),
            Guard::None | Guard::Document { .. } => None,
        }
    }
}

/// What orders the events of a document.
#[derive(Debug)]
pub enum OrderBy {
    /// The stream's own sequence number.
    Sequence,
    /// A value of the payload.
    Payload(Term),
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name, or `rule N`.
    pub name: String,
    /// The number of its source in the projection.
    pub source: usize,
    /// All have to hold.
    pub when: Vec<Condition>,
    /// What the payload of an event that matches has to be like.
    pub schema: Option<SchemaCheck>,
    /// The list or set to whose elements the rule applies.
    pub each: Option<Term>,
    /// Has to be true.
    pub condition: Option<Term>,
    /// The document's key: a term for each key attribute of the table, in the table's order.
    pub key: Vec<Term>,
    /// What it does.
    pub operations: Vec<OperationTerm>,
    /// Whether it deletes the document.
    pub delete: bool,
    /// Whether its sums are what an item contributes for as long as it exists.
    pub retract: bool,
}

impl Rule {
    /// Every term that is evaluated with the document, its condition included.
    pub fn terms(&self) -> impl Iterator<Item = &Term> {
        self.condition.iter().chain(self.operations.iter().flat_map(OperationTerm::terms))
    }

    /// Whether what it does depends on the document.
    pub fn reads_document(&self) -> bool {
        self.terms().any(Term::reads_document)
    }
}

/// One path of a `when` and what it has to find.
#[derive(Debug)]
pub struct Condition {
    /// The path as the file has it, for messages.
    pub path: Arc<str>,
    /// The pattern as the file has it, on one line, for messages.
    pub pattern: Arc<str>,
    /// Where to look.
    pub subject: Subject,
    /// What to look for there, where the path can find many values: any of them has to do.
    pub query: Option<Query>,
    /// What to find.
    pub test: Test,
}

/// Where a value of an event comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Subject {
    /// A slot that the payload's path fills.
    Slot(usize),
    /// What the stream says about the event.
    Metadata(MetadataName),
}

/// The names of `$$.…`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MetadataName {
    /// The event's id: Lambda's eventID; of a queue the message's id, or that of SNS or EventBridge.
    Id,
    /// The sequence number, as text.
    Sequence,
    /// The Kinesis partition key, or the message group of a FIFO queue; of a DynamoDB event the item's key as JSON.
    Lane,
    /// The Kinesis shard.
    Shard,
    /// The name of the stream, table or queue.
    Stream,
    /// When the event reached the stream, RFC 3339.
    Time,
    /// The engine's clock, RFC 3339.
    Now,
    /// `insert`, `modify` or `remove` (DynamoDB).
    Change,
}

impl MetadataName {
    /// Every name.
    pub const ALL: [MetadataName; 8] = [
        MetadataName::Id,
        MetadataName::Sequence,
        MetadataName::Lane,
        MetadataName::Shard,
        MetadataName::Stream,
        MetadataName::Time,
        MetadataName::Now,
        MetadataName::Change,
    ];

    /// The name behind `$$.`.
    pub const fn text(self) -> &'static str {
        match self {
            MetadataName::Id => "id",
            MetadataName::Sequence => "sequence",
            MetadataName::Lane => "lane",
            MetadataName::Shard => "shard",
            MetadataName::Stream => "stream",
            MetadataName::Time => "time",
            MetadataName::Now => "now",
            MetadataName::Change => "change",
        }
    }
}

/// An operation of a rule.
#[derive(Clone, PartialEq, Debug)]
pub struct OperationTerm {
    /// What it writes.
    pub target: Target,
    /// What it does.
    pub kind: OperationKind,
}

impl OperationTerm {
    /// Every term of the operation.
    pub fn terms(&self) -> impl Iterator<Item = &Term> {
        let dynamic = self.target.names.iter().filter_map(|name| match name {
            TargetName::Fixed(_) => None,
            TargetName::Dynamic(term) => Some(term),
        });
        let by = match &self.kind {
            OperationKind::Append { by, .. } => by.as_ref(),
            _ => None,
        };
        dynamic.chain(self.kind.value()).chain(by)
    }
}

/// What an operation does.
#[derive(Clone, PartialEq, Debug)]
pub enum OperationKind {
    /// `add`
    Add(Term),
    /// `set`
    Set(Term),
    /// `set_once`
    SetOnce(Term),
    /// `max`
    Max(Term),
    /// `min`
    Min(Term),
    /// `append`
    Append {
        /// The element.
        value: Term,
        /// How many elements the list keeps.
        last: Option<usize>,
        /// What orders the elements.
        by: Option<Term>,
        /// The entry of the element that no other element may have equal.
        unique_by: Option<String>,
    },
    /// `remove`
    Remove,
    /// `remove_from`
    RemoveFrom(Term),
}

impl OperationKind {
    /// The key in a projection.
    pub const fn name(&self) -> &'static str {
        match self {
            OperationKind::Add(_) => "add",
            OperationKind::Set(_) => "set",
            OperationKind::SetOnce(_) => "set_once",
            OperationKind::Max(_) => "max",
            OperationKind::Min(_) => "min",
            OperationKind::Append { .. } => "append",
            OperationKind::Remove => "remove",
            OperationKind::RemoveFrom(_) => "remove_from",
        }
    }

    /// Its value; none for `remove`.
    pub const fn value(&self) -> Option<&Term> {
        match self {
            OperationKind::Add(value)
            | OperationKind::Set(value)
            | OperationKind::SetOnce(value)
            | OperationKind::Max(value)
            | OperationKind::Min(value)
            | OperationKind::RemoveFrom(value)
            | OperationKind::Append { value, .. } => Some(value),
            OperationKind::Remove => None,
        }
    }
}

/// The kind of value that a key attribute of this type holds.
pub const fn key_kind(kind: KeyType) -> Kind {
    match kind {
        KeyType::String => Kind::String,
        KeyType::Number => Kind::Number,
        KeyType::Binary => Kind::Binary,
    }
}
