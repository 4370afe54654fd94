//! Payloads that their producers packed: gzip and zstd, as the tools of those names write them, and the aggregates of the
//! Kinesis Producer Library.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use harness::documents::{Bookkeeping, from_items};
use harness::events::{KinesisStream, batch};
use harness::scratch::Folder;
use harness::store::Store;
use serde_json::json;

use crate::{deliver_whole, deploy};

const PROJECTION: &str = r"projection: amounts
source: { kinesis: { stream: orders, lane: $.id } }
document: { table: Amounts, partition_key: id }
guard: { events_table: AmountsSeen, id: $.event }
key: { id: $.id }
rules:
  - name: ordered
    add: { total: $.amount }
";

/// `{"id":"A","amount":1.5,"event":"x"}` by gzip, and the same with `y` by zstd.
const PACKED: [&str; 2] = [
    "H4sIAAAAAAACA6tWykxRslJyVNJRSszNL80rUbIy1DPVUUotSwWxlSqUagEuAdMOIwAAAA==",
    "KLUv/QRYGQEAeyJpZCI6IkEiLCJhbW91bnQiOjEuNSwiZXZlbnQiOiJ5In3Gq9Js",
];

#[tokio::test]
async fn packed_payloads_are_unpacked_and_broken_ones_are_dead_letters() {
    let folder = Folder::with("amounts.yaml", PROJECTION);
    let store = Store::start().await;
    let function = deploy(folder.path(), &store).await;
    let mut stream = KinesisStream::new("orders");
    let mut records = Vec::new();
    for packed in PACKED {
        let bytes = BASE64_STANDARD.decode(packed).expect("the constant is Base64");
        records.push(stream.record("A", &bytes));
        records.push(stream.record("A", &bytes[..bytes.len() - 6]));
    }
    records.push(stream.record("A", r#"{"id":"A","amount":1,"event":"z"}"#));
    deliver_whole(&function, &batch(records)).await;
    let documents = store.documents("Amounts", Bookkeeping::Hidden).await;
    assert_eq!(documents, [json!({ "id": "A", "total": 4 })]);
    let letters = from_items(store.letters().await, Bookkeeping::Hidden);
    let reasons: Vec<&str> = letters.iter().filter_map(|letter| letter["reason"].as_str()).collect();
    assert_eq!(reasons, ["undecodable", "undecodable"]);
}

/// What the Kinesis Producer Library makes of five records: for A, for B, one that is no JSON, one for B under the partition
/// key A, and one for A.
pub(crate) const AGGREGATE: &str = "84mawgoBQQoBQhoZCAAaFXsiaWQiOiJBIiwiYW1vdW50IjoxfRoZCAEaFXsiaWQiOiJCIiwiYW1vdW50IjoyfRoJCAAaBXtvb3BzGhoIABoWeyJpZCI6IkIiLCJhbW91bnQiOjY0fRoZCAAaFXsiaWQiOiJBIiwiYW1vdW50Ijo0fSDc54x+O1Sgv/OT8ou24u8=";

#[tokio::test]
async fn aggregates_of_the_producer_library_are_taken_apart() {
    let text = PROJECTION.replace("{ events_table: AmountsSeen, id: $.event }", "last_event_id");
    let folder = Folder::with("amounts.yaml", &text);
    let store = Store::start().await;
    let function = deploy(folder.path(), &store).await;
    let mut stream = KinesisStream::new("orders");
    let aggregate = BASE64_STANDARD.decode(AGGREGATE).expect("the constant is Base64");
    // The outer partition key need not be an inner one.
    let record = stream.record("outer", &aggregate);
    let behind = stream.record("A", r#"{"id":"A","amount":8}"#);
    for delivery in [batch([record.clone()]), batch([record.clone(), behind.clone()]), batch([record, behind])] {
        deliver_whole(&function, &delivery).await;
    }
    let documents = store.documents("Amounts", Bookkeeping::Hidden).await;
    assert_eq!(documents, [json!({ "id": "A", "total": 13 }), json!({ "id": "B", "total": 2 })]);
    let letters = from_items(store.letters().await, Bookkeeping::Hidden);
    let mut reasons: Vec<(&str, &str)> = letters
        .iter()
        .map(|letter| (letter["reason"].as_str().unwrap_or_default(), letter["lane"].as_str().unwrap_or_default()))
        .collect();
    reasons.sort_unstable();
    assert_eq!(reasons, [("undecodable", "A"), ("wrong_lane", "A")]);
}
