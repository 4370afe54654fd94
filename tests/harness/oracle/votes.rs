//! Votes: how many votes were cast for an improvement in a region.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::documents::sorted;

/// The table `total_votes` after these records of the table `votes`, in the order of the stream; repeated ones count
/// once.
pub fn total_votes<'a>(records: impl IntoIterator<Item = &'a Value>) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    let mut totals: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for record in records {
        if record["eventName"] != "INSERT" || !seen.insert(record["eventID"].as_str()) {
            continue;
        }
        let vote = &record["dynamodb"]["NewImage"];
        if let (Some(region), Some(improvement)) = (vote["region"]["S"].as_str(), vote["improvement"]["S"].as_str()) {
            *totals.entry((region, improvement)).or_default() += 1;
        }
    }
    sorted(totals.into_iter().map(
        |((region, improvement), total)| json!({ "region": region, "improvement": improvement, "total_votes": total }),
    ))
}
