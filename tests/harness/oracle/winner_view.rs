//! Winner view: who made a product, who photographed it, and how often it was sold.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::documents::sorted;

/// The table `Contributions` after these payloads, in the order of the stream; a payload no newer than its product's
/// newest is a repeated one.
pub fn contributions<'a>(payloads: impl IntoIterator<Item = &'a Value>) -> Vec<Value> {
    let mut products: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for payload in payloads {
        let kind = match payload["data"]["schema"].as_str() {
            Some("com.nordstrom/product/create/1-0-0") => "create",
            Some("com.nordstrom/product/image/1-0-0") => "image",
            Some("com.nordstrom/product/purchase/1-0-0") => "purchase",
            _ => continue,
        };
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
            "create" if !product.contains_key("creator") => {
                product.insert("creator".to_owned(), origin.clone());
            }
            "image" if !product.contains_key("photographer") => {
                product.insert("photographer".to_owned(), origin.clone());
            }
            "purchase" => {
                let sold = product.get("creatorScore").and_then(Value::as_u64).unwrap_or(0);
                product.insert("creatorScore".to_owned(), json!(sold + 1));
            }
            _ => {}
        }
    }
    sorted(products.into_values().map(Value::Object))
}
