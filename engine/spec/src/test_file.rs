//! What a test file (`NAME.test.yaml`) may say: one type per part of the file.

use crate::{Entries, Literal, Spanned};
use schemars::JsonSchema;
use serde::Deserialize;

/// Tests of projections: events, and the documents that they have to make.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct TestFile {
    /// The projections that run in every case: files and folders, relative to this file.
    #[schemars(length(min = 1), example = &serde_json::json!(["total_votes.yaml"]))]
    pub projections: Spanned<Vec<Spanned<String>>>,
    /// The cases. Each begins with empty tables.
    #[schemars(
        length(min = 1),
        example = &serde_json::json!([{
            "name": "one vote",
            "events": [{ "new": { "id": "1", "region": "SOUTH" } }],
            "documents": { "total_votes": [{ "region": "SOUTH", "total_votes": 1 }] },
        }])
    )]
    pub cases: Spanned<Vec<Spanned<Case>>>,
}

/// One test.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Case {
    /// What is tested, in words.
    #[schemars(example = &"a vote that comes twice")]
    pub name: Spanned<String>,
    /// Items that are there before, by table.
    #[schemars(example = &serde_json::json!({ "total_votes": [{ "region": "SOUTH", "total_votes": 5 }] }))]
    pub given: Option<Entries<Spanned<Vec<Spanned<Literal>>>>>,
    /// The events, in the order of their delivery. Views over views run on to their end.
    #[schemars(example = &serde_json::json!([{ "payload": { "type": "placed", "customer": "ann" } }]))]
    pub events: Spanned<Vec<Spanned<Event>>>,
    /// Whole tables as they have to be afterwards, the guards' own attributes apart.
    #[schemars(example = &serde_json::json!({ "total_votes": [{ "region": "SOUTH", "total_votes": 7 }] }))]
    pub documents: Option<Entries<Spanned<Vec<Spanned<Literal>>>>>,
    /// Documents that have to be among a table's, each with at least these attributes.
    #[schemars(example = &serde_json::json!({ "total_votes": [{ "region": "SOUTH" }] }))]
    pub contains: Option<Entries<Spanned<Vec<Spanned<Literal>>>>>,
    /// The dead letters that there have to be, and no others. Not looked at where this is left out.
    #[schemars(
        example = &serde_json::json!([{ "event": 2, "projection": "total_votes", "reason": "missing_value" }]),
        example = &serde_json::json!([])
    )]
    pub dead_letters: Option<Spanned<Vec<Spanned<DeadLetter>>>>,
}

/// One event: `payload` (Kinesis, SQS), `new` and `old` (DynamoDB), `raw` or `file`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Event {
    /// The JSON payload of a Kinesis record, or of an SQS message: what `$` is. Where the queue's `format` is `sns` or
    /// `eventbridge`, it is put into an envelope, and what an event of EventBridge lacks is filled in.
    #[schemars(example = &serde_json::json!({ "type": "placed", "customer": "ann", "amount": 10 }))]
    pub payload: Option<Spanned<Literal>>,
    /// The item after a change of a DynamoDB table.
    #[schemars(example = &serde_json::json!({ "id": "1", "region": "SOUTH" }))]
    pub new: Option<Spanned<Literal>>,
    /// The item before a change of a DynamoDB table.
    #[schemars(example = &serde_json::json!({ "id": "1", "region": "NORTH" }))]
    pub old: Option<Spanned<Literal>>,
    /// The bytes of a Kinesis record, or the body of an SQS message, as text, which need not be JSON.
    #[schemars(example = &"{oops")]
    pub raw: Option<Spanned<String>>,
    /// A file of recorded Lambda events, relative to this file, instead of one event.
    #[schemars(example = &"events.json")]
    pub file: Option<Spanned<String>>,
    /// The stream or table that the event comes from, where the projections read several: its name, or the name that a
    /// projection gives it under `sources`.
    #[schemars(example = &"orders")]
    pub source: Option<Spanned<String>>,
    /// The event's id (`$$.id`). Made up unless said.
    #[schemars(example = &"shardId-1:17")]
    pub id: Option<Spanned<String>>,
    /// The Kinesis partition key, the message group of a FIFO queue, or the key of the DynamoDB item (a map). Taken from the payload by the source's `lane`
    /// or `keys` unless said.
    #[schemars(example = &"ann", example = &serde_json::json!({ "id": "1" }))]
    pub lane: Option<Spanned<Literal>>,
    /// When the event reached its stream (`$$.time`), RFC 3339. Rising seconds of 2026-01-01 unless said.
    #[schemars(example = &"2026-01-01T12:00:00Z")]
    pub time: Option<Spanned<String>>,
    /// The sequence number (`$$.sequence`), 1 to 129 digits in quotes. The number of the event in the case, from 1, unless
    /// said; a repeated one is a repeated delivery.
    #[schemars(example = &"17")]
    pub sequence: Option<Spanned<String>>,
}

/// A dead letter that there has to be.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct DeadLetter {
    /// The number of the event in the case, from 1.
    #[schemars(range(min = 1), example = &2)]
    pub event: Option<Spanned<u64>>,
    /// The projection.
    #[schemars(example = &"total_votes")]
    pub projection: Option<Spanned<String>>,
    /// The reason's code.
    #[schemars(example = &"wrong_type")]
    pub reason: Option<Spanned<String>>,
}
