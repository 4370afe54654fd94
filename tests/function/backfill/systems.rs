//! The systems whose views are filled, and what these have to be.

use std::collections::BTreeMap;

use fastrand::Rng;
use harness::documents::sorted;
use harness::oracle::{map_rollup, tournament, votes};
use harness::random;
use harness::store::Store;
use serde_json::{Value, json};

/// Somebody's change to a document: which, and its new title.
type Edit = fn(&mut Rng) -> (String, String);

/// A view of a table.
pub(super) struct System {
    /// Its projection's file or folder.
    pub(super) projections: &'static str,
    /// The table that it reads, and the attributes of its key with their types, partition key first.
    pub(super) table: &'static str,
    pub(super) keys: &'static [(&'static str, &'static str)],
    /// A key, and all that an item has besides.
    pub(super) key: fn(&mut Rng) -> Value,
    pub(super) item: fn(&mut Rng) -> Value,
    /// Whether the record of an item makes a dead letter.
    bad: fn(&Value) -> bool,
    /// The table of its documents, and how they are compared.
    pub(super) view: &'static str,
    pub(super) comparable: fn(Vec<Value>) -> Vec<Value>,
    /// What it has to be: by the records of inserts, and by what people have written to the documents themselves.
    pub(super) expected: fn(&[Value], &BTreeMap<String, String>) -> Vec<Value>,
    /// What people write to the documents themselves.
    pub(super) edit: Option<Edit>,
}

impl System {
    /// The key of an item.
    pub(super) fn key_of(&self, item: &Value) -> Value {
        self.keys.iter().map(|(name, _)| ((*name).to_owned(), item[*name].clone())).collect()
    }

    pub(super) fn is_bad(&self, item: &Value) -> bool {
        (self.bad)(&json!({ "dynamodb": { "NewImage": item } }))
    }
}

pub(super) const TOURNAMENT: System = System {
    projections: "projections/tournament",
    table: "TaTourney",
    keys: &[("game", "N"), ("player", "S")],
    key: |rng| {
        let player = ["Tia", "Mike", "Rich", "Zoë"][rng.usize(0..4)];
        json!({ "game": { "N": rng.u16(0..150).to_string() }, "player": { "S": player } })
    },
    item: random::game,
    bad: tournament::is_bad,
    view: "TaTourneyStats",
    comparable: |documents| with_something_left(documents, &["games"]),
    expected: |records, _| with_something_left(tournament::stats(records), &["games"]),
    edit: None,
};

pub(super) const TOTAL_VOTES: System = System {
    projections: "projections/votes/total_votes.yaml",
    table: "votes",
    keys: &[("id", "S")],
    key: |rng| json!({ "id": { "S": rng.u16(0..600).to_string() } }),
    item: random::vote,
    bad: |_| false,
    view: "total_votes",
    comparable: sorted,
    expected: |records, _| votes::total_votes(records),
    edit: None,
};

pub(super) const MAP_ROLLUP: System = System {
    projections: "projections/map-rollup",
    table: "Point",
    keys: &[("MapId", "S"), ("PointId", "S")],
    key: |rng| {
        let map = MAPS[rng.usize(0..MAPS.len())];
        json!({ "MapId": { "S": map }, "PointId": { "S": rng.u8(0..150).to_string() } })
    },
    item: random::point,
    bad: map_rollup::is_bad,
    view: "Map",
    comparable: maps_with_something_left,
    expected: |records, edits| {
        let mut maps = map_rollup::counts(records);
        for (map, title) in edits {
            maps.entry(map.clone()).or_insert_with(|| json!({}))["Title"] = title.as_str().into();
        }
        maps_with_something_left(maps.into_iter().map(|(map, mut document)| {
            document["MapId"] = map.into();
            document
        }))
    },
    edit: Some(|rng| {
        let maps = [MAPS, &["a map without points"]].concat();
        (maps[rng.usize(0..maps.len())].to_owned(), format!("Title {}", rng.u16(..)))
    }),
};

const MAPS: &[&str] = &["A", "B", "C", "D é"];

/// Documents of which something is counted. One that once counted something stays with 0, and whether the view has ever seen
/// that depends on when it was filled: both is right.
fn with_something_left(documents: Vec<Value>, counters: &[&str]) -> Vec<Value> {
    sorted(documents.into_iter().filter(|document| counters.iter().any(|name| document[*name] != 0)))
}

/// Maps without what counts nothing (see [`with_something_left`]), with all that people wrote.
fn maps_with_something_left(maps: impl IntoIterator<Item = Value>) -> Vec<Value> {
    sorted(maps.into_iter().filter_map(|mut map| {
        let attributes = map.as_object_mut().expect("a document");
        if let Some(Value::Object(counts)) = attributes.get_mut("CategoryCounts") {
            counts.retain(|_, count| *count != 0);
            if counts.is_empty() {
                attributes.remove("CategoryCounts");
            }
        }
        if attributes.get("TotalPoints").is_some_and(|total| *total == 0) {
            attributes.remove("TotalPoints");
        }
        (attributes.len() > 1).then_some(map)
    }))
}

/// Writes to a document what people write to it.
pub(super) async fn people_edit(store: &Store, system: &System, document: &str, title: &str) {
    let request = json!({
        "TableName": store.table(system.view),
        "Key": { "MapId": { "S": document } },
        "UpdateExpression": "SET Title = :title",
        "ExpressionAttributeValues": { ":title": { "S": title } },
    });
    assert_eq!(store.post("UpdateItem", &request).await, 200, "{request}");
}
