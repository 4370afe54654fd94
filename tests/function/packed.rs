//! Payloads that their producers packed: gzip and zstd, as the tools of those names write them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use harness::documents::Bookkeeping;
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
    let letters = store.documents("viewfold_dead_letters", Bookkeeping::Hidden).await;
    let reasons: Vec<&str> = letters.iter().filter_map(|letter| letter["reason"].as_str()).collect();
    assert_eq!(reasons, ["undecodable", "undecodable"]);
}
