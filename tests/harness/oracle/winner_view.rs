//! Winner view: who made a product, who photographed it, how often it was sold, and what that is worth to whom.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::documents::sorted;

/// The fields of a payload that have to be there, each a text.
const ENVELOPE: [&str; 5] = ["origin", "timeOrigin", "eventId", "timeIngest", "timeProcess"];

/// What a payload says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Something that happened to a product.
    Product(&'static str),
    /// Something that is no product's matter.
    Other,
    /// Nothing that can be read.
    Bad,
}

/// What a payload says.
pub fn kind(payload: &Value) -> Kind {
    let envelope = payload["schema"] == "com.nordstrom/retail-stream-egress/1-0-0"
        && ENVELOPE.iter().all(|field| payload[field].is_string());
    let (true, Some(data), Some(schema)) = (envelope, payload["data"].as_object(), payload["data"]["schema"].as_str())
    else {
        return Kind::Bad;
    };
    let (kind, fields): (_, &[&str]) = match schema {
        "com.nordstrom/product/create/1-0-0" => ("create", &["id", "brand", "name", "description", "category"]),
        "com.nordstrom/product/image/1-0-0" => ("image", &["id", "image"]),
        "com.nordstrom/product/purchase/1-0-0" => ("purchase", &["id"]),
        _ => return Kind::Other,
    };
    let good = fields.iter().all(|field| data.get(*field).is_some_and(Value::is_string));
    if good && data.len() == fields.len() + 1 { Kind::Product(kind) } else { Kind::Bad }
}

/// The table `Contributions` after these payloads, in the order of the stream; a payload no newer than its product's
/// newest is a repeated one, and a bad one changes nothing.
pub fn contributions<'a>(payloads: impl IntoIterator<Item = &'a Value>) -> Vec<Value> {
    let mut products: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for payload in payloads {
        let Kind::Product(kind) = kind(payload) else { continue };
        let (Some(id), Some(event_id)) = (payload["data"]["id"].as_str(), payload["eventId"].as_str()) else {
            panic!("no product event: {payload}");
        };
        let product = products.entry(id).or_default();
        if product.get("lastEventId").and_then(Value::as_str).is_some_and(|last| event_id <= last) {
            continue;
        }
        let (time, origin) = (&payload["timeOrigin"], &payload["origin"]);
        if !product.contains_key("created") {
            product.insert("productId".to_owned(), json!(id));
            product.insert("created".to_owned(), time.clone());
            product.insert("createdBy".to_owned(), origin.clone());
        }
        product.insert("updated".to_owned(), time.clone());
        product.insert("updatedBy".to_owned(), origin.clone());
        product.insert("lastEventId".to_owned(), json!(event_id));
        match kind {
            "purchase" => {
                let photographed = product.contains_key("photographer");
                for score in ["creatorScore", "photographerScore"].into_iter().take(1 + usize::from(photographed)) {
                    let sold = product.get(score).and_then(Value::as_u64).unwrap_or(0);
                    product.insert(score.to_owned(), json!(sold + 1));
                }
            }
            "create" if !product.contains_key("creator") => {
                product.insert("creator".to_owned(), origin.clone());
            }
            "image" if !product.contains_key("photographer") => {
                product.insert("photographer".to_owned(), origin.clone());
            }
            _ => {}
        }
    }
    sorted(products.into_values().map(Value::Object))
}

/// The table `Contributions` of the unordered view, whatever the order of these payloads: what they make in the order of
/// their ids.
pub fn contributions_in_any_order<'a>(payloads: impl IntoIterator<Item = &'a Value>) -> Vec<Value> {
    let mut payloads: Vec<&Value> = payloads.into_iter().collect();
    payloads.sort_by_key(|payload| payload["eventId"].as_str());
    let mut products = contributions(payloads);
    for product in &mut products {
        product.as_object_mut().expect("a product").remove("lastEventId");
    }
    sorted(products)
}

/// The table `Scores` that goes with a table `Contributions`: each person's sum, none of nothing.
pub fn scores(contributions: &[Value]) -> Vec<Value> {
    let mut sums: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for product in contributions {
        let creator = product.get("creator").and_then(Value::as_str).unwrap_or("UNKNOWN");
        *sums.entry((creator, "creator")).or_default() += product["creatorScore"].as_u64().unwrap_or(0);
        if let Some(photographer) = product.get("photographer").and_then(Value::as_str) {
            *sums.entry((photographer, "photographer")).or_default() +=
                product["photographerScore"].as_u64().unwrap_or(0);
        }
    }
    let rows = sums.into_iter().filter(|(_, score)| *score > 0);
    sorted(rows.map(|((person, role), score)| json!({ "userId": person, "role": role, "score": score })))
}
