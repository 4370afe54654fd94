//! What projections mean: everything resolved and checked, nothing left to look up by name.
//!
//! A [`Program`] is made once, at start, by [`compile`](crate::compile), and shared by all batches.

mod index;
mod paths;

pub use index::{Index, RuleId};
pub(crate) use paths::Place;
pub use paths::{PathTree, Step};

use std::sync::Arc;
use viewfold_spec::projection::{KeyAttribute, KeyType};
use viewfold_value::{Kind, Value};

/// All projections of a deployment, and the streams that feed them.
#[derive(Debug)]
pub struct Program {
    /// The streams, each once, however many projections read it.
    pub streams: Vec<Stream>,
    /// The projections in the order they were given.
    pub projections: Vec<Projection>,
}

impl Program {
    /// The number of the stream with this identity, if a projection reads it.
    pub fn stream(&self, identity: &StreamIdentity) -> Option<usize> {
        self.streams.iter().position(|stream| stream.identity == *identity)
    }
}

/// Which stream it is.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum StreamIdentity {
    /// A Kinesis stream by its name.
    Kinesis(String),
    /// The stream of a DynamoDB table, by the table's real name (prefix included).
    Dynamodb(String),
}

impl StreamIdentity {
    /// The stream's or table's name.
    pub fn name(&self) -> &str {
        match self {
            StreamIdentity::Kinesis(name) | StreamIdentity::Dynamodb(name) => name,
        }
    }
}

impl std::fmt::Display for StreamIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StreamIdentity::Kinesis(name) => write!(f, "Kinesis stream {name}"),
            StreamIdentity::Dynamodb(table) => write!(f, "stream of DynamoDB table {table}"),
        }
    }
}

/// A stream and what its projections want of each event.
#[derive(Debug)]
pub struct Stream {
    /// Which one it is.
    pub identity: StreamIdentity,
    /// The paths that any projection reads from an event, each with its slot.
    pub paths: PathTree,
    /// From values of an event to the rules they may match.
    pub index: Index,
    /// The projections that read the stream, and what each says about lanes.
    pub readers: Vec<Reader>,
}

/// A projection's view of its stream.
#[derive(Debug)]
pub struct Reader {
    /// The projection's number.
    pub projection: usize,
    /// What every record's lane has to be.
    pub lane: Option<LaneCheck>,
}

/// What a file says a record's lane is.
#[derive(Debug)]
pub enum LaneCheck {
    /// The Kinesis partition key equals this value of the payload.
    PartitionKey(Term),
    /// The DynamoDB key has just these attributes.
    Keys(Vec<KeyAttribute>),
}

/// One projection.
#[derive(Debug)]
pub struct Projection {
    /// Its name.
    pub name: String,
    /// The name of its source in bookkeeping tables: the stream's or table's name as the file has it.
    pub source: String,
    /// The table of its documents.
    pub table: Table,
    /// What makes a repeated event harmless.
    pub guard: Guard,
    /// The attributes its rules write; operations name them by number.
    pub attributes: Vec<Attribute>,
    /// Whether an event that cannot be applied holds up what comes behind it in its lane (`on_error: fail`).
    pub error_stops_lane: bool,
    /// Its rules in the order of the file.
    pub rules: Vec<Rule>,
}

/// An attribute that rules write.
#[derive(Debug)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// What its values have to be like where an index of the table has it as a key.
    pub index_key: Option<KeyLimits>,
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
        /// The attribute that holds the mark.
        attribute: String,
        /// What the mark is made of.
        order_by: OrderBy,
    },
    /// Every event's id in a table, in one transaction with the document.
    EventsTable {
        /// The table's real name.
        table: Arc<str>,
        /// What tells an event from all others.
        id: Term,
    },
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
    /// All have to hold.
    pub when: Vec<Condition>,
    /// The document's key: a term for each key attribute of the table, in the table's order.
    pub key: Vec<Term>,
    /// What it does.
    pub operations: Vec<OperationTerm>,
}

/// One path of a `when` and what it has to find.
#[derive(Debug)]
pub struct Condition {
    /// Where to look.
    pub subject: Subject,
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

/// A compiled pattern.
#[derive(Clone, PartialEq, Debug)]
pub enum Test {
    /// The value equals this one; of a list or set, any element does.
    Equals(Value),
    /// Any of these.
    AnyOf(Vec<Test>),
    /// Whether there is a value.
    Exists(bool),
    /// The value is of this type; of a list, any element is, or the list itself.
    Kind(Kind),
}

/// The names of `$$.…`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MetadataName {
    /// The event's id: Lambda's eventID.
    Id,
    /// The sequence number, as text.
    Sequence,
    /// The Kinesis partition key; of a DynamoDB event the item's key as JSON.
    Lane,
    /// The Kinesis shard.
    Shard,
    /// The name of the stream or table.
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

/// A value that may depend on the event.
#[derive(Clone, PartialEq, Debug)]
pub enum Term {
    /// The same for every event.
    Constant(Value),
    /// A part of the event, by its path as the file has it.
    Event {
        /// Where it comes from.
        subject: Subject,
        /// Whether it may be missing (`?`).
        optional: bool,
        /// The path as written, for messages.
        path: Arc<str>,
    },
    /// A list of terms.
    List(Vec<Term>),
    /// A map of terms.
    Map(Vec<(String, Term)>),
}

/// An operation of a rule.
#[derive(Debug)]
pub struct OperationTerm {
    /// The attribute's number in [`Projection::attributes`].
    pub attribute: usize,
    /// What it does.
    pub kind: OperationKind,
    /// With which value; none for `remove`.
    pub value: Option<Term>,
}

/// What an operation does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OperationKind {
    /// `add`
    Add,
    /// `set`
    Set,
    /// `set_once`
    SetOnce,
    /// `remove`
    Remove,
}

impl OperationKind {
    /// The key in a projection.
    pub const fn name(self) -> &'static str {
        match self {
            OperationKind::Add => "add",
            OperationKind::Set => "set",
            OperationKind::SetOnce => "set_once",
            OperationKind::Remove => "remove",
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
