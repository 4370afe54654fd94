//! Map roll-up: how many points each map has, in all and by category.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::votes::distinct;

/// What the records of the table `Point`, in the order of the stream, repeated or not, add to the items of `Map`, by their
/// key. A category that once had a point stays, with 0.
pub fn counts<'a>(records: impl IntoIterator<Item = &'a Value>) -> BTreeMap<String, Value> {
    let mut points: BTreeMap<(String, String), Option<String>> = BTreeMap::new();
    let mut maps: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for record in distinct(records) {
        let keys = &record["dynamodb"]["Keys"];
        let name = |name: &str| keys[name]["S"].as_str().expect("a point has a key").to_owned();
        let key = (name("MapId"), name("PointId"));
        let category = match &record["dynamodb"]["NewImage"] {
            Value::Null => None,
            new => match new.get("Category") {
                None => Some("None".to_owned()),
                // One that is no text makes a dead letter, and the point counts nowhere.
                Some(category) => category["S"].as_str().map(str::to_owned),
            },
        };
        if let Some(category) = &category {
            maps.entry(key.0.clone()).or_default().entry(category.clone()).or_default();
        }
        points.insert(key, category);
    }
    for ((map, _), category) in points {
        if let Some(category) = category {
            *maps.entry(map).or_default().entry(category).or_default() += 1;
        }
    }
    let attributes = |counts: BTreeMap<String, u64>| {
        let total: u64 = counts.values().sum();
        let counts: Map<String, Value> = counts.into_iter().map(|(name, count)| (name, count.into())).collect();
        json!({ "TotalPoints": total, "CategoryCounts": counts })
    };
    maps.into_iter().map(|(map, counts)| (map, attributes(counts))).collect()
}

/// Whether the record makes a dead letter: a point whose category is no text.
pub fn is_bad(record: &Value) -> bool {
    record["dynamodb"]["NewImage"]["Category"]["N"].is_string()
}
