//! Votes: how many votes each improvement has in each region, and which were cast last.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::documents::sorted;

/// The most votes that the list of recent ones has.
const RECENT: usize = 10;

/// A vote of which both parts can be used.
fn parts(image: &Value) -> Option<(&str, &str)> {
    Some((image["region"]["S"].as_str()?, image["improvement"]["S"].as_str()?))
}

/// The table `total_votes` after these records of the table `votes`, in the order of the stream, repeated or not: the
/// votes that are in the table at the end, counted.
pub fn total_votes<'a>(records: impl IntoIterator<Item = &'a Value>) -> Vec<Value> {
    let mut votes: BTreeMap<&str, &Value> = BTreeMap::new();
    for record in distinct(records) {
        let id = record["dynamodb"]["Keys"]["id"]["S"].as_str().expect("a vote has an id");
        match record["eventName"].as_str() {
            Some("REMOVE") => votes.remove(id),
            _ => votes.insert(id, &record["dynamodb"]["NewImage"]),
        };
    }
    let mut totals: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for part in votes.into_values().filter_map(parts) {
        *totals.entry(part).or_default() += 1;
    }
    sorted(totals.into_iter().map(
        |((region, improvement), total)| json!({ "region": region, "improvement": improvement, "total_votes": total }),
    ))
}

/// The table `recent_votes` after these records: the last ten votes that were cast, by the time of their records, whatever
/// became of them.
pub fn recent_votes<'a>(records: impl IntoIterator<Item = &'a Value>) -> Vec<Value> {
    let mut cast: Vec<(u64, Value)> = Vec::new();
    for record in distinct(records) {
        let vote = &record["dynamodb"]["NewImage"];
        if let ("INSERT", Some((region, improvement))) = (record["eventName"].as_str().unwrap_or_default(), parts(vote))
        {
            let time = record["dynamodb"]["ApproximateCreationDateTime"].as_u64().expect("a record has a time");
            let id = vote["id"]["S"].as_str().expect("a vote has an id");
            cast.push((time, json!({ "id": id, "region": region, "improvement": improvement })));
        }
    }
    if cast.is_empty() {
        return Vec::new();
    }
    cast.sort_by_key(|(time, _)| *time);
    let votes: Vec<Value> = cast.into_iter().rev().take(RECENT).rev().map(|(_, vote)| vote).collect();
    sorted([json!({ "board": "all", "votes": votes })])
}

/// Records without those that come again.
pub(super) fn distinct<'a>(records: impl IntoIterator<Item = &'a Value>) -> Vec<&'a Value> {
    let mut seen = BTreeSet::new();
    records.into_iter().filter(|record| seen.insert(record["eventID"].as_str())).collect()
}
