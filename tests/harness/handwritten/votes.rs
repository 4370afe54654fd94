//! Votes of a Kinesis stream, counted by region and improvement: what `tests/workloads/votes-kinesis` does.
//!
//! A document's votes all have its region as partition key, so the stream keeps their order: the last sequence number stands
//! on the document, and no vote at or below it counts again.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::BuildHasher;

use aws_sdk_dynamodb::operation::update_item::UpdateItemInput;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::error::Category;

use super::{Item, Table, is_above, item, mark, number, text};

const TABLE: &str = "vote_counts";

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, rename = "Records")]
    records: Vec<Record<'a>>,
}

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    kinesis: Kinesis<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kinesis<'a> {
    #[serde(borrow)]
    partition_key: Cow<'a, str>,
    sequence_number: &'a str,
    data: &'a str,
}

/// What a payload has to have to be a vote; everything else in it is skipped.
#[derive(Deserialize)]
struct Payload {
    region: String,
    improvement: String,
}

/// A vote and its place in the stream.
#[derive(Debug)]
pub struct Vote<'a> {
    region: String,
    improvement: String,
    sequence: &'a str,
}

/// The votes of a batch, and the sequence numbers of records that can never be counted.
#[derive(Debug, Default)]
pub struct Votes<'a> {
    votes: Vec<Vote<'a>>,
    /// Records that are dead letters.
    pub bad: Vec<&'a str>,
}

/// The votes of a document in a batch.
#[derive(Debug)]
pub struct Count<'a> {
    votes: u64,
    first: &'a str,
    last: &'a str,
}

/// A document's region and improvement.
pub type Key<'v> = (&'v str, &'v str);

/// Reads a batch.
///
/// # Errors
///
/// When it is no Kinesis event.
pub fn decode(payload: &[u8]) -> serde_json::Result<Votes<'_>> {
    let event: Event<'_> = serde_json::from_slice(payload)?;
    let mut all = Votes { votes: Vec::with_capacity(event.records.len()), bad: Vec::new() };
    let mut bytes = Vec::new();
    for Record { kinesis: Kinesis { partition_key, sequence_number: sequence, data } } in event.records {
        bytes.clear();
        if BASE64_STANDARD.decode_vec(data, &mut bytes).is_err() {
            all.bad.push(sequence);
            continue;
        }
        match serde_json::from_slice(&bytes) {
            // A vote under another key has not the order that the mark relies on.
            Ok(Payload { region, .. }) if region != partition_key => all.bad.push(sequence),
            // No key attribute is empty.
            Ok(Payload { region, improvement }) if region.is_empty() || improvement.is_empty() => {
                all.bad.push(sequence);
            }
            Ok(Payload { region, improvement }) => all.votes.push(Vote { region, improvement, sequence }),
            // No region or no improvement that is a text: no vote, and none of ours.
            Err(error) if error.classify() == Category::Data => {}
            Err(_) => all.bad.push(sequence),
        }
    }
    Ok(all)
}

/// Counts the votes of each document that are above its mark; without `marks`, of those it is not known yet.
pub fn fold<'v>(votes: &'v Votes<'_>, above: Option<(Key<'_>, &str)>) -> HashMap<Key<'v>, Count<'v>> {
    let mut counts: HashMap<Key<'v>, Count<'v>> = HashMap::new();
    for Vote { region, improvement, sequence } in &votes.votes {
        let key = (region.as_str(), improvement.as_str());
        if above.is_some_and(|(only, known)| only != key || mark(sequence).as_str() <= known) {
            continue;
        }
        let count = counts.entry(key).or_insert(Count { votes: 0, first: sequence, last: sequence });
        if count.votes == 0 || is_above(sequence, count.last) {
            count.votes += 1;
            count.last = sequence;
        }
    }
    counts
}

/// Writes what was counted; a document whose mark has moved is counted anew above it.
pub async fn write<S: BuildHasher>(votes: &Votes<'_>, counts: HashMap<Key<'_>, Count<'_>, S>, table: &impl Table) {
    for (key, count) in counts {
        let mut answer = table.update(update(key, &count)).await;
        while let Err(document) = answer {
            let Some(AttributeValue::S(known)) = document.get("last_vote") else { break };
            let Some(count) = fold(votes, Some((key, known))).remove(&key) else { break };
            answer = table.update(update(key, &count)).await;
        }
    }
}

fn update((region, improvement): Key<'_>, count: &Count<'_>) -> UpdateItemInput {
    let key: Item = item([("region", text(region)), ("improvement", text(improvement))]);
    UpdateItemInput::builder()
        .table_name(TABLE)
        .set_key(Some(key))
        .update_expression("SET last_vote = :last ADD total_votes :votes")
        .condition_expression("attribute_not_exists(last_vote) OR last_vote < :first")
        .expression_attribute_values(":votes", number(count.votes))
        .expression_attribute_values(":first", text(mark(count.first)))
        .expression_attribute_values(":last", text(mark(count.last)))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .expect("it has a table and a key")
}

/// The whole handler: the sequence numbers of records that are dead letters.
///
/// # Errors
///
/// As [`decode`].
pub async fn handle<'p>(payload: &'p [u8], table: &impl Table) -> serde_json::Result<Vec<&'p str>> {
    let votes = decode(payload)?;
    write(&votes, fold(&votes, None), table).await;
    Ok(votes.bad)
}
