//! `source:`

use super::document::KeyAttribute;
use super::guard::Guard;
use super::short::{FromName, OrName};
use crate::{Literal, Spanned};
use schemars::JsonSchema;
use serde::Deserialize;

/// The stream that feeds a projection: `kinesis`, `dynamodb` or `sqs`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Source {
    /// A Kinesis stream: its name, or a map with `stream` and more.
    #[schemars(example = &serde_json::json!({ "stream": "orders", "lane": "$.customer" }))]
    pub kinesis: Option<Spanned<OrName<KinesisSource>>>,
    /// The stream of a DynamoDB table: the table's name, or a map with `table` and `keys`.
    #[schemars(example = &serde_json::json!({ "table": "Votes", "keys": ["id"] }))]
    pub dynamodb: Option<Spanned<OrName<DynamodbSource>>>,
    /// An SQS queue, and through it a topic of SNS or a rule of EventBridge: its name, or a map with `queue` and more.
    #[schemars(example = &serde_json::json!({ "queue": "orders.fifo", "lane": "$.customer" }))]
    pub sqs: Option<Spanned<OrName<SqsSource>>>,
    /// What makes a repeated event of this source harmless, in place of the projection's `guard`.
    #[schemars(example = &serde_json::json!({ "last_event_id": "lane" }))]
    pub guard: Option<Spanned<Guard>>,
}

/// A Kinesis stream.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct KinesisSource {
    /// The stream's name.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_.-]{1,128}$"), example = &"retail")]
    pub stream: String,
    /// What producers send as partition key, as a path into the payload. It is checked on every record, and it is what
    /// proves that `last_event_id` is sound: all events of a document have to come in one lane.
    #[schemars(example = &"$.data.id")]
    pub lane: Option<Spanned<Literal>>,
    /// What the payload is; `json` unless said.
    #[schemars(example = &"dynamodb")]
    pub format: Option<Spanned<Format>>,
    /// With `format: dynamodb`, the key attributes of the table, partition key first: names, or maps of `name` and `type`.
    /// They are checked on every record.
    #[schemars(length(min = 1, max = 2), example = &serde_json::json!(["id"]))]
    pub keys: Option<Spanned<Vec<Spanned<OrName<KeyAttribute>>>>>,
    /// A JSON Schema that every payload has to satisfy: the name of a file beside this one, or the schema itself. A
    /// payload that does not is an error of its event.
    #[schemars(example = &"retail.schema.json")]
    pub schema: Option<Spanned<Literal>>,
}

/// What the payload of a Kinesis record is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A JSON value.
    Json,
    /// A change of an item, as "Kinesis Data Streams for DynamoDB" writes it: `$` is `{keys, new, old}`. Records come in any
    /// order and may come twice under new sequence numbers, so the guard is `{events_table: NAME}`.
    Dynamodb,
}

/// A DynamoDB table whose stream is read.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct DynamodbSource {
    /// The table's name.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_.-]{3,255}$"), example = &"votes")]
    pub table: String,
    /// The table's key attributes, partition key first: names, or maps of `name` and `type`. They are checked on every
    /// record, and they are what proves that `last_event_id` is sound.
    #[schemars(length(min = 1, max = 2), example = &serde_json::json!(["MapId", { "name": "game", "type": "number" }]))]
    pub keys: Option<Spanned<Vec<Spanned<OrName<KeyAttribute>>>>>,
    /// A JSON Schema that every image of an item has to satisfy: the name of a file beside this one, or the schema
    /// itself. Sets are arrays there, binary data is base64 text.
    #[schemars(example = &"vote.schema.json")]
    pub schema: Option<Spanned<Literal>>,
}

/// An SQS queue.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct SqsSource {
    /// The queue's name. One that ends in `.fifo` is a FIFO queue; any other brings its messages in any order.
    #[schemars(regex(pattern = r"^([A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo)$"), example = &"orders.fifo")]
    pub queue: String,
    /// What senders use as message group of a FIFO queue, as a path into the payload. It is checked on every message.
    #[schemars(example = &"$.orderId")]
    pub lane: Option<Spanned<Literal>>,
    /// What the body of a message is; `json` unless said.
    #[schemars(example = &"sns")]
    pub format: Option<Spanned<SqsFormat>>,
    /// A JSON Schema that every payload has to satisfy: the name of a file beside this one, or the schema itself. A
    /// payload that does not is an error of its event.
    #[schemars(example = &"order.schema.json")]
    pub schema: Option<Spanned<Literal>>,
}

/// What the body of a message of SQS is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SqsFormat {
    /// A JSON value, as its sender sent it, or as SNS passes it on with raw delivery.
    Json,
    /// A notification, as SNS sends it without raw delivery: `$` is the JSON in its `Message`, `$$.id` its `MessageId`.
    Sns,
    /// An event of EventBridge: `$` is the whole event, as its patterns see it (`$.detail.total`, `$['detail-type']`), and
    /// `$$.id` its `id`.
    Eventbridge,
}

impl FromName for SqsSource {
    const NAME_IS: &'static str = "the name of a queue";

    fn from_name(name: &str) -> Self {
        SqsSource { queue: name.to_owned(), lane: None, format: None, schema: None }
    }
}

impl FromName for KinesisSource {
    const NAME_IS: &'static str = "the name of a stream";

    fn from_name(name: &str) -> Self {
        KinesisSource { stream: name.to_owned(), lane: None, format: None, keys: None, schema: None }
    }
}

impl FromName for DynamodbSource {
    const NAME_IS: &'static str = "the name of a table";

    fn from_name(name: &str) -> Self {
        DynamodbSource { table: name.to_owned(), keys: None, schema: None }
    }
}
