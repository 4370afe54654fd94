//! Random events of the systems, good and bad, and random ways of delivering them. Everything comes from a seed, which a
//! failing test prints with its name.

use std::collections::BTreeMap;
use std::ops::Range;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::events::{KinesisStream, TableStream};
use crate::golden::product_record;
use crate::oracle::winner_view::{Kind, kind};

/// Cuts so many records into batches as Lambda does: of any size, and some of them again, from any record on, because an
/// answer was lost or a function was killed.
pub fn batches(rng: &mut Rng, count: usize, largest: usize) -> Vec<Range<usize>> {
    let mut batches = Vec::new();
    let mut at = 0;
    while at < count {
        let end = (at + rng.usize(1..=largest)).min(count);
        batches.push(at..end);
        // What comes again is never behind what has not come yet: a shard's records are delivered in order.
        at = if rng.u8(0..5) == 0 { rng.usize(at..=end) } else { end };
    }
    batches
}

/// One event of the winner view's stream.
#[derive(Clone, Debug)]
pub struct Product {
    /// The payload; a text is one that is no JSON.
    pub payload: Value,
    /// Another partition key than the product's.
    pub elsewhere: bool,
}

impl Product {
    /// Whether the event makes a dead letter.
    pub fn is_bad(&self) -> bool {
        self.elsewhere || kind(&self.payload) == Kind::Bad
    }

    /// The next record of a stream that brings this event.
    pub fn record(&self, stream: &mut KinesisStream) -> Value {
        match (&self.payload, self.elsewhere) {
            (payload, true) => stream.record("elsewhere", payload.to_string()),
            (payload, false) => product_record(stream, payload),
        }
    }
}

/// The payload of the `number`th event: something that a person does to a product.
pub fn product_payload(kind: &str, product: &str, person: &str, number: usize) -> Value {
    let mut data = json!({ "schema": format!("com.nordstrom/product/{kind}/1-0-0"), "id": product });
    match kind {
        "create" => {
            for (field, text) in [("brand", "POLO"), ("name", "Socks"), ("description", "warm"), ("category", "Socks")]
            {
                data[field] = text.into();
            }
        }
        "image" => data["image"] = format!("phil.example.com/i/p/{product}").into(),
        _ => {}
    }
    json!({
        "schema": "com.nordstrom/retail-stream-egress/1-0-0",
        "origin": format!("hello-retail/{kind}/{person}"),
        "timeOrigin": format!("2017-03-28T23:{:02}:{:02}.160Z", number / 60 % 60, number % 60),
        "data": data,
        "eventId": format!("shardId-000000000002:49571669009522853278119462494300940056686602{number:012}"),
        "timeIngest": "2017-03-28T23:29:23.262Z",
        "timeProcess": "2017-03-28T23:29:29.720Z",
    })
}

/// Events of a few products: most are sales, one in twenty is bad in one of many ways.
pub fn products(rng: &mut Rng, count: usize, products: usize) -> Vec<Product> {
    (1..=count)
        .map(|number| {
            let kind = ["create", "image", "purchase", "purchase", "purchase", "purchase"][rng.usize(0..6)];
            let product = format!("{}", rng.usize(0..products));
            let person = ["Ann", "Bob", "Carol", "Dora"][rng.usize(0..4)];
            let payload = product_payload(kind, &product, person, number);
            match rng.u8(0..20) {
                0 => spoilt(rng, payload),
                _ => Product { payload, elsewhere: false },
            }
        })
        .collect()
}

fn spoilt(rng: &mut Rng, mut payload: Value) -> Product {
    let required = ["schema", "origin", "timeOrigin", "data", "eventId", "timeIngest", "timeProcess"];
    let field = required[rng.usize(0..required.len())];
    match rng.u8(0..8) {
        0 => return Product { payload: "{oops".into(), elsewhere: false },
        1 => return Product { payload, elsewhere: true },
        2 => drop(payload.as_object_mut().expect("an object").remove(field)),
        3 => payload[field] = [json!(7), json!(null), json!([]), json!(true)][rng.usize(0..4)].clone(),
        4 => payload["schema"] = "com.nordstrom/retail-stream-ingress/1-0-0".into(),
        5 => payload["data"]["colour"] = "red".into(),
        6 => drop(payload["data"].as_object_mut().expect("an object").remove("id")),
        _ => payload["data"]["schema"] = "com.nordstrom/cart/add/1-0-0".into(),
    }
    Product { payload, elsewhere: false }
}

/// Games of a tournament by four players that come, are corrected and go; some have no score that can be used.
pub fn games(rng: &mut Rng, stream: &mut TableStream, count: usize) -> Vec<Value> {
    let key = |rng: &mut Rng| {
        let player = ["Tia", "Mike", "Rich", "Zoë"][rng.usize(0..4)];
        json!({ "game": { "N": rng.u8(0..40).to_string() }, "player": { "S": player } })
    };
    table_records(rng, stream, count, key, game)
}

/// What a game is besides its key.
pub fn game(rng: &mut Rng) -> Value {
    let mut item = json!({ "date": { "S": "2019-10-21" } });
    match rng.u8(0..12) {
        0 => {}
        1 => item["score"] = json!({ "S": "50" }),
        2 => item["score"] = json!({ "N": format!("{}.{}", rng.i32(-9..100), rng.u8(1..100)) }),
        _ => item["score"] = json!({ "N": rng.i32(-20..200).to_string() }),
    }
    if rng.bool() {
        item["winner"] = json!({ "N": "1" });
    }
    item
}

/// Votes of so many citizens that are cast, changed and withdrawn; some lack a region or an improvement that can be used.
pub fn votes(rng: &mut Rng, stream: &mut TableStream, count: usize, citizens: u16) -> Vec<Value> {
    let key = |rng: &mut Rng| json!({ "id": { "S": rng.u16(0..citizens).to_string() } });
    table_records(rng, stream, count, key, vote)
}

/// What a vote is besides its key.
pub fn vote(rng: &mut Rng) -> Value {
    let mut item = json!({});
    if rng.u8(0..15) > 0 {
        item["region"] =
            [json!({ "S": "NORTH" }), json!({ "S": "SOUTH" }), json!({ "NULL": true })][rng.usize(0..3)].clone();
    }
    if rng.u8(0..15) > 0 {
        let improvements = [json!({ "S": "TREES" }), json!({ "S": "🌷" }), json!({ "S": "NO" }), json!({ "N": "5" })];
        item["improvement"] = improvements[rng.usize(0..4)].clone();
    }
    item
}

/// Points of four maps that come, change their category and go; some have a category that cannot be used.
pub fn points(rng: &mut Rng, stream: &mut TableStream, count: usize) -> Vec<Value> {
    let key = |rng: &mut Rng| {
        let map = ["A", "B", "C", "D é"][rng.usize(0..4)];
        json!({ "MapId": { "S": map }, "PointId": { "S": rng.u8(0..60).to_string() } })
    };
    table_records(rng, stream, count, key, point)
}

/// What a point is besides its key.
pub fn point(rng: &mut Rng) -> Value {
    let categories = ["Landmark", "None", "A.b c", "'\"😀", "#n", ":v", "size", "a['b']", " ", "${x}", "$.Category"];
    let mut item = json!({ "Address": { "S": rng.u8(..).to_string() } });
    match rng.usize(0..14) {
        0 => item["Category"] = json!({ "N": "7" }),
        1 | 2 => {}
        number => item["Category"] = json!({ "S": categories[number - 3] }),
    }
    item
}

/// A table of a few items that come, change and go, and the records of its stream.
pub fn table_records(
    rng: &mut Rng,
    stream: &mut TableStream,
    count: usize,
    mut key: impl FnMut(&mut Rng) -> Value,
    mut item: impl FnMut(&mut Rng) -> Value,
) -> Vec<Value> {
    let mut items: BTreeMap<String, Value> = BTreeMap::new();
    let mut records = Vec::with_capacity(count);
    while records.len() < count {
        let key = key(rng);
        let name = key.to_string();
        let mut new = item(rng);
        for (attribute, value) in key.as_object().expect("a key has attributes") {
            new[attribute] = value.clone();
        }
        let old = items.get(&name).cloned();
        match (old, rng.u8(0..4)) {
            (None, _) => {
                items.insert(name, new.clone());
                records.push(stream.insert(new));
            }
            (Some(old), 0) => {
                items.remove(&name);
                records.push(stream.remove(old));
            }
            // A write that changes nothing makes no record.
            (Some(old), _) if old == new => {}
            (Some(old), _) => {
                items.insert(name, new.clone());
                records.push(stream.modify(old, new));
            }
        }
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_is_delivered_and_none_before_its_turn() {
        let mut rng = Rng::with_seed(1);
        let batches = batches(&mut rng, 1000, 70);
        let mut next = 0;
        for batch in &batches {
            assert!(batch.start <= next && batch.end > batch.start);
            next = next.max(batch.end);
        }
        assert_eq!(next, 1000);
        assert!(batches.windows(2).any(|two| two[1].start < two[0].end), "some come again");
    }
}
