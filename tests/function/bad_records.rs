//! Records that cannot be applied, where the projection says `on_error: fail`: the lowest one's sequence number is
//! reported, and none holds up more than its own lane.

use aws_sdk_dynamodb::types::AttributeValue;
use harness::documents::Bookkeeping;
use harness::events::{KinesisStream, batch, sequence_number};
use harness::scratch::Folder;
use harness::store::Store;
use serde_json::{Value, json};

use crate::{deliver, deliver_whole, deploy};

/// Any order, any lane: only the bad event itself is held up.
const ANY_ORDER: &str = r"projection: amounts
source: { kinesis: { stream: orders } }
document: { table: Amounts, partition_key: id }
guard: { events_table: AmountsSeen, id: $.event }
on_error: fail
key: { id: $.id }
rules:
  - name: ordered
    add: { total: $.amount }
";

/// In the order of each lane: nothing of a lane may pass its bad event.
const IN_ORDER: &str = r"projection: amounts
source: { kinesis: { stream: orders, lane: $.id } }
document: { table: Amounts, partition_key: id }
guard: last_event_id
on_error: fail
key: { id: $.id }
rules:
  - name: ordered
    add: { total: $.amount }
";

fn good(stream: &mut KinesisStream, id: &str, amount: u32) -> Value {
    let event = stream.clone().record(id, ""); // Its id stands for the id that a producer would give the event.
    let payload = json!({ "id": id, "amount": amount, "event": sequence_number(&event) });
    stream.record(id, payload.to_string())
}

async fn totals(store: &Store) -> Vec<(String, i64)> {
    let documents = store.documents("Amounts", Bookkeeping::Hidden).await;
    let row = |document: &Value| {
        let (id, total) = (document["id"].as_str(), document["total"].as_i64());
        (id.expect("a text key").to_owned(), total.expect("a whole number"))
    };
    documents.iter().map(row).collect()
}

fn row(id: &str, total: i64) -> (String, i64) {
    (id.to_owned(), total)
}

/// Puts a bad record between good ones: it alone is reported, however often it comes, and the ones behind it are
/// applied.
async fn only_the_bad_one_is_reported(payload: &[u8]) {
    let folder = Folder::with("amounts.yaml", ANY_ORDER);
    let store = Store::start().await;
    let function = deploy(folder.path(), &store).await;
    let mut stream = KinesisStream::new("orders");
    let before = [good(&mut stream, "A", 1), good(&mut stream, "B", 2)];
    let bad = stream.record("X", payload);
    let behind = [good(&mut stream, "C", 4), good(&mut stream, "A", 8)];
    let number = sequence_number(&bad).to_owned();

    let all = before.iter().chain([&bad]).chain(&behind).cloned();
    assert_eq!(deliver(&function, &batch(all)).await, [number.as_str()]);
    let expected = [row("A", 9), row("B", 2), row("C", 4)];
    assert_eq!(totals(&store).await, expected);

    let again = [&bad].into_iter().chain(&behind).cloned();
    assert_eq!(deliver(&function, &batch(again)).await, [number.as_str()]);
    assert_eq!(totals(&store).await, expected, "after the redelivery that the report asks for");
}

#[tokio::test]
async fn not_json() {
    only_the_bad_one_is_reported(b"{oops").await;
}

#[tokio::test]
async fn nothing_at_all() {
    only_the_bad_one_is_reported(b"").await;
}

#[tokio::test]
async fn not_utf8() {
    only_the_bad_one_is_reported(b"\"\xff\xfe\"").await;
}

#[tokio::test]
async fn json_but_no_object() {
    only_the_bad_one_is_reported(b"null").await;
}

#[tokio::test]
async fn missing_key_value() {
    only_the_bad_one_is_reported(br#"{"amount":1,"event":"bad"}"#).await;
}

#[tokio::test]
async fn empty_key() {
    only_the_bad_one_is_reported(br#"{"id":"","amount":1,"event":"bad"}"#).await;
}

#[tokio::test]
async fn number_for_a_text_key() {
    only_the_bad_one_is_reported(br#"{"id":7,"amount":1,"event":"bad"}"#).await;
}

#[tokio::test]
async fn text_for_an_amount() {
    only_the_bad_one_is_reported(br#"{"id":"C","amount":"1","event":"bad"}"#).await;
}

#[tokio::test]
async fn missing_amount() {
    only_the_bad_one_is_reported(br#"{"id":"C","event":"bad"}"#).await;
}

#[tokio::test]
async fn thirty_nine_digits() {
    let payload = br#"{"id":"C","amount":123456789012345678901234567890123456789,"event":"bad"}"#;
    only_the_bad_one_is_reported(payload).await;
}

#[tokio::test]
async fn of_several_the_lowest_is_reported() {
    let folder = Folder::with("amounts.yaml", ANY_ORDER);
    let store = Store::start().await;
    let function = deploy(folder.path(), &store).await;
    let mut stream = KinesisStream::new("orders");
    let first = good(&mut stream, "A", 1);
    let bad = stream.record("X", "{oops");
    let second = good(&mut stream, "B", 2);
    let worse = stream.record("Y", r#"{"amount":1,"event":"bad"}"#);
    let third = good(&mut stream, "C", 4);
    let lowest = sequence_number(&bad).to_owned();

    assert_eq!(deliver(&function, &batch([first, bad, second, worse, third])).await, [lowest]);
    assert_eq!(totals(&store).await, [row("A", 1), row("B", 2), row("C", 4)]);
}

/// Puts a bad record of lane A between good ones: A waits for it, and B does not.
async fn its_lane_waits(bad_payload: &str) {
    let folder = Folder::with("amounts.yaml", IN_ORDER);
    let store = Store::start().await;
    let function = deploy(folder.path(), &store).await;
    let mut stream = KinesisStream::new("orders");
    let before = good(&mut stream, "A", 1);
    let bad = stream.record("A", bad_payload);
    let behind = [good(&mut stream, "A", 2), good(&mut stream, "B", 4)];
    let number = sequence_number(&bad).to_owned();

    let all = [&before, &bad].into_iter().chain(&behind).cloned();
    assert_eq!(deliver(&function, &batch(all)).await, [number.as_str()]);
    assert_eq!(totals(&store).await, [row("A", 1), row("B", 4)]);

    // Should the record one day be readable (by a corrected projection, say), nothing is lost and nothing counts twice.
    let mut readable = bad;
    let payload = stream.record("A", r#"{"id":"A","amount":16}"#);
    readable["kinesis"]["data"] = payload["kinesis"]["data"].clone();
    deliver_whole(&function, &batch([readable].into_iter().chain(behind))).await;
    assert_eq!(totals(&store).await, [row("A", 19), row("B", 4)]);
}

#[tokio::test]
async fn a_lane_waits_for_what_is_not_json() {
    its_lane_waits("{oops").await;
}

#[tokio::test]
async fn a_lane_waits_for_a_missing_key_value() {
    its_lane_waits(r#"{"amount":1}"#).await;
}

#[tokio::test]
async fn a_lane_waits_for_an_event_of_another_lane() {
    its_lane_waits(r#"{"id":"C","amount":1}"#).await;
}

#[tokio::test]
async fn a_lane_waits_for_text_in_place_of_an_amount() {
    its_lane_waits(r#"{"id":"A","amount":"1"}"#).await;
}

#[tokio::test]
async fn a_lane_waits_for_a_missing_amount() {
    its_lane_waits(r#"{"id":"A"}"#).await;
}

/// A document whose total is a text: nothing can be added to it.
async fn spoil(store: &Store, id: &str) {
    let put = store.client().put_item().table_name(store.table("Amounts"));
    let put = put.item("id", AttributeValue::S(id.to_owned())).item("total", AttributeValue::S("many".to_owned()));
    put.send().await.expect("the document can be put");
}

/// Puts an event for a document that the store refuses to change among many others.
async fn the_culprit_is_found(projection: &str) {
    let folder = Folder::with("amounts.yaml", projection);
    let store = Store::start().await;
    let function = deploy(folder.path(), &store).await;
    spoil(&store, "spoilt").await;
    let mut stream = KinesisStream::new("orders");
    let mut all: Vec<Value> = (0..30).map(|number| good(&mut stream, &format!("{:02}", number % 15), 1)).collect();
    let culprit = good(&mut stream, "spoilt", 1);
    let number = sequence_number(&culprit).to_owned();
    all.push(culprit);
    all.extend((0..30).map(|number| good(&mut stream, &format!("{:02}", number % 15), 1)));

    for delivery in ["first", "second"] {
        assert_eq!(deliver(&function, &batch(all.clone())).await, [number.as_str()], "{delivery} delivery");
        let documents = store.documents("Amounts", Bookkeeping::Hidden).await;
        let (spoilt, others): (Vec<_>, Vec<_>) = documents.iter().partition(|document| document["id"] == "spoilt");
        assert_eq!(spoilt, [&json!({ "id": "spoilt", "total": "many" })]);
        assert_eq!(others.len(), 15);
        assert!(others.iter().all(|document| document["total"] == 4), "{delivery} delivery: {others:?}");
    }
}

#[tokio::test]
async fn a_document_that_the_store_refuses_to_change_is_alone_under_an_events_table() {
    the_culprit_is_found(ANY_ORDER).await;
}

#[tokio::test]
async fn a_document_that_the_store_refuses_to_change_is_alone_under_marks() {
    the_culprit_is_found(IN_ORDER).await;
}
