//! What a projection file may say: one type per part of the file.
//!
//! The doc comments of these types are what an editor shows: they are the descriptions in the JSON Schema.

mod document;
mod guard;
mod lint;
mod pattern;
mod rule;
mod short;
mod source;
mod version;

pub use document::{Document, Index, KeyAttribute, KeyType};
pub(crate) use guard::GuardMap;
pub use guard::{EventsTable, FORMS as GUARD_FORMS, Guard, LastEventId, MarkPlace};
pub use lint::Lint;
pub use pattern::{Affix, Pattern, TypeName};
pub(crate) use pattern::{PatternMap, RejectedMap};
pub use rule::{Append, Rule};

/// The keys of a rule that are easily written into its `when`.
pub const RULE_KEYS: [&str; 8] = ["if", "each", "let", "key", "add", "set", "append", "remove"];

pub use short::OrName;
pub use source::{DynamodbSource, Format, KinesisSource, Source, SqsFormat, SqsSource};
pub use version::versioned;

use crate::{Entries, Literal, Spanned};
use schemars::JsonSchema;
use serde::Deserialize;

/// One projection: which events it reads, which document each event belongs to, how the event changes that document, and
/// what makes a repeated event harmless.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Projection {
    /// The projection's name, unique among those loaded together. It is part of its marks, so changing the name of a
    /// live projection makes it forget which events it has applied.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_.-]{1,100}$"), example = &"total_votes")]
    pub projection: Spanned<String>,
    /// The projection's version, from 1; 1 unless said. From 2 on its tables are its own: documents are in `TABLE.v2`, the rows
    /// of an `events_table` in `NAME.v2`, and marks are those of `PROJECTION.v2`. So a changed projection can be filled
    /// beside the one that is live (`viewfold rebuild`).
    #[schemars(range(min = 1, max = 9999), example = &2)]
    pub version: Option<Spanned<u64>>,
    /// Free text for people.
    #[schemars(example = &"How many votes each improvement has, region by region.")]
    pub description: Option<String>,
    /// The stream that feeds the projection: `kinesis`, `dynamodb` or `sqs`.
    #[schemars(
        example = &serde_json::json!({ "kinesis": { "stream": "orders", "lane": "$.customer" } }),
        example = &serde_json::json!({ "dynamodb": { "table": "Votes", "keys": ["id"] } }),
        example = &serde_json::json!({ "sqs": { "queue": "orders", "format": "sns" } })
    )]
    pub source: Option<Spanned<Source>>,
    /// Several streams that feed the projection, by names of your choice; each rule then says which one it is for with
    /// `source`.
    #[schemars(example = &serde_json::json!({
        "orders": { "kinesis": { "stream": "orders", "lane": "$.orderId" } },
        "payments": { "kinesis": { "stream": "payments", "lane": "$.orderId" } },
    }))]
    pub sources: Option<Spanned<Entries<Spanned<Source>>>>,
    /// The table that holds the documents, and its key.
    #[schemars(example = &serde_json::json!({ "table": "OrderTotals", "partition_key": "customer" }))]
    pub document: Document,
    /// What makes a repeated event harmless. Required: `none` has to be written out. Take `last_event_id` where all events of
    /// a document come in one lane: it costs nothing.
    #[schemars(
        example = &serde_json::json!({ "last_event_id": "lane" }),
        example = &serde_json::json!({ "events_table": "Events", "id": "$.id", "keep_for": "30d" })
    )]
    pub guard: Spanned<Guard>,
    /// The document's key, for every rule that has none of its own: a value for each key attribute of the table.
    #[schemars(example = &serde_json::json!({ "productId": "$.data.id" }))]
    pub key: Option<Spanned<Entries<Spanned<Literal>>>>,
    /// Named values. Each is evaluated where it is used, in `${ }`, with that rule's `$`.
    #[schemars(example = &serde_json::json!({ "total": "${ $.price * $.count }" }))]
    pub r#let: Option<Entries<Spanned<Literal>>>,
    /// Every rule that matches an event applies. All are evaluated before any is applied, and one error rejects the
    /// event.
    #[schemars(
        length(min = 1),
        example = &serde_json::json!([{ "name": "placed", "when": { "$.type": "placed" }, "add": { "orders": 1, "total": "$.amount" } }])
    )]
    pub rules: Spanned<Vec<Spanned<Rule>>>,
    /// Attributes computed from the document after each change, each behind those that it is derived from; a value of
    /// nothing removes the attribute. `doc.` is the document after the event.
    #[schemars(example = &serde_json::json!({ "average": "${ round(doc.total / doc.games, 2) }" }))]
    pub derive: Option<Entries<Spanned<Literal>>>,
    /// An expression over the document after each change: where it is true, the document is deleted.
    #[schemars(example = &"doc.score == 0")]
    pub delete_when: Option<Spanned<Literal>>,
    /// What becomes of an event that matched but cannot be applied: `dead_letter` unless said.
    #[schemars(example = &"skip")]
    pub on_error: Option<Spanned<OnError>>,
    /// Warnings that are known and meant, for the whole projection.
    #[schemars(example = &serde_json::json!(["unguarded"]))]
    pub allow: Option<Vec<Spanned<Lint>>>,
}

/// What becomes of an event that matched but cannot be applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// It is kept in the dead-letter table, with the reason, and the events behind it go on.
    #[default]
    DeadLetter,
    /// It is dropped: the log says so, and nothing else.
    Skip,
    /// Its record is reported as failed and comes again until it can be applied or expires, and what comes behind it in
    /// its lane waits.
    Fail,
}
