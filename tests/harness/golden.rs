//! The batches in `golden/` and the end tables that the processors which viewfold replaces made of them.
//!
//! The files are kept as they came. They lack what only AWS adds, which comes from a stream of [`crate::events`]: ARNs,
//! times, and ids and sequence numbers of each record's own. `<ms>` in a table stands for a time.

use std::fs;

use serde_json::Value;

use crate::events::{KinesisStream, TableStream, batch};
use crate::workspace;

/// One scenario of one system.
#[derive(Clone, Debug)]
pub struct Scenario {
    entry: Value,
    batches: Vec<Vec<Value>>,
}

impl Scenario {
    /// The records of each batch as recorded, or the payloads of each batch: objects, or text for a payload that need
    /// not be JSON.
    pub fn batches(&self) -> &[Vec<Value>] {
        &self.batches
    }

    /// The rows of a table that the original left behind, as recorded.
    pub fn table(&self, name: &str) -> &[Value] {
        let rows = self.entry["tables"][name].as_array();
        rows.unwrap_or_else(|| panic!("the scenario has no table {name}: {}", self.entry["scenario"]))
    }

    /// The batches of a system fed by a table, as Lambda events of that stream.
    pub fn table_events(&self, stream: &mut TableStream) -> Vec<Value> {
        let event = |records: &Vec<Value>| batch(records.iter().map(|record| stream.complete(record)));
        self.batches.iter().map(event).collect()
    }

    /// The batches of a winner view as Lambda events of that stream, partitioned by product.
    pub fn payload_events(&self, stream: &mut KinesisStream) -> Vec<Value> {
        let event = |payloads: &Vec<Value>| batch(payloads.iter().map(|payload| product_record(stream, payload)));
        self.batches.iter().map(event).collect()
    }
}

/// The record by which a producer of product events sends this payload; a text stands for itself, whatever it holds.
pub fn product_record(stream: &mut KinesisStream, payload: &Value) -> Value {
    let partition_key = match &payload["data"]["id"] {
        Value::String(id) => id.clone(),
        Value::Null => "no-product".to_owned(),
        other => other.to_string(),
    };
    match payload {
        Value::String(text) => stream.record(&partition_key, text),
        json => stream.record(&partition_key, json.to_string()),
    }
}

/// A scenario of `golden/streams.json`: tournament statistics, votes, map roll-up.
pub fn streams(system: &str, scenario: &str) -> Scenario {
    find("streams.json", "record_batches", system, scenario)
}

/// A scenario of `golden/winner-view.json`: ordered or unordered.
pub fn winner_view(system: &str, scenario: &str) -> Scenario {
    find("winner-view.json", "payload_batches", system, scenario)
}

fn find(file: &str, batches: &str, system: &str, scenario: &str) -> Scenario {
    let path = workspace().join("tests/golden").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let scenarios: Vec<Value> =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{} is no list: {error}", path.display()));
    let entry = scenarios.into_iter().find(|entry| entry["system"] == system && entry["scenario"] == scenario);
    let entry = entry.unwrap_or_else(|| panic!("{file} has no scenario {scenario:?} of {system:?}"));
    let lists = entry[batches].as_array().unwrap_or_else(|| panic!("{scenario:?} has no list {batches}"));
    let records = |list: &Value| list.as_array().unwrap_or_else(|| panic!("no batch in {scenario:?}: {list}")).clone();
    let batches = lists.iter().map(records).collect();
    Scenario { entry, batches }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::sequence_number;

    fn records(event: &Value) -> &Vec<Value> {
        event["Records"].as_array().expect("an event has records")
    }

    #[test]
    fn recorded_changes_get_a_place_in_a_stream() {
        let scenario = streams("votes", "basic");
        let events = scenario.table_events(&mut TableStream::new("votes", &["id"]));
        let [event] = &events[..] else { panic!("one batch") };
        let numbers: Vec<&str> = records(event).iter().map(sequence_number).collect();
        assert_eq!(numbers.len(), 4);
        assert!(numbers.is_sorted() && numbers[0] != numbers[1]);
        assert_eq!(records(event)[0]["dynamodb"]["Keys"]["id"]["S"], "234");
        assert_eq!(scenario.table("total_votes").len(), 3);
    }

    #[test]
    fn payloads_that_are_no_json_stay_what_they_are() {
        let scenario = winner_view("winner view, ordered", "bad inputs then a good one");
        let events = scenario.payload_events(&mut KinesisStream::new("retail"));
        let [event] = &events[..] else { panic!("one batch") };
        assert_eq!(records(event)[0]["kinesis"]["data"], "e29vcHM=", "{{oops");
        assert_eq!(records(event)[5]["kinesis"]["data"], "bnVsbA==", "null");
        let keys: Vec<_> = records(event).iter().map(|record| record["kinesis"]["partitionKey"].as_str()).collect();
        assert_eq!(keys, ["no-product", "no-product", "A", "A", "7", "no-product", "A"].map(Some));
    }
}
