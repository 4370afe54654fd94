//! Values at the limits of JSON, of DynamoDB and of this machine: each is taken or is its own record's failure, and
//! never that of the records beside it or of the process.

use harness::documents::Bookkeeping;
use harness::events::{KinesisStream, batch, sequence_number};
use harness::function::Function;
use harness::scratch::Folder;
use harness::store::Store;
use serde_json::{Value, json};

use crate::{deliver, deliver_whole, deploy};

/// Any order and any lane, so that many documents share transactions: a culprit has most others to harm.
const PROJECTION: &str = r"projection: amounts
source: { kinesis: { stream: orders } }
document:
  table: Amounts
  partition_key: id
  indexes:
    AmountsByOwner: { partition_key: owner }
guard: { events_table: AmountsSeen, id: $.event }
on_error: fail
key: { id: $.id }
rules:
  - name: ordered
    any_order: true
    add: { total: $.amount }
  - name: noted
    when: { $.note: { exists: true } }
    any_order: true
    set: { note: $.note }
  - name: owned
    when: { $.owner: { exists: true } }
    any_order: true
    set: { owner: $.owner }
";

/// A function with that projection, its tables, and what keeps its files.
async fn amounts() -> (Folder, Store, Function) {
    let folder = Folder::with("amounts.yaml", PROJECTION);
    let store = Store::start().await;
    let function = deploy(folder.path(), &store).await;
    (folder, store, function)
}

/// The documents that are there besides those of [`refused`]'s good records.
async fn others(store: &Store) -> Vec<Value> {
    let mut documents = store.documents("Amounts", Bookkeeping::Hidden).await;
    documents.retain(|document| document["id"] != "good");
    documents
}

/// Delivers a payload among good ones: it alone is reported, and it leaves nothing behind.
async fn refused(payload: &str) {
    let (_folder, store, function) = amounts().await;
    let mut stream = KinesisStream::new("orders");
    let mut good = |event: u32| stream.record("A", json!({ "id": "good", "amount": 1, "event": event }).to_string());
    let (before, behind) = (good(1), good(2));
    let bad = stream.record("B", payload);
    let number = sequence_number(&bad).to_owned();
    let shown: String = payload.chars().take(60).collect();
    assert_eq!(deliver(&function, &batch([before, bad, behind])).await, [number], "{shown}");
    let documents = store.documents("Amounts", Bookkeeping::Hidden).await;
    assert_eq!(documents, [json!({ "id": "good", "total": 2 })], "{shown}");
}

/// Delivers a payload alone; it is applied.
async fn taken(payload: &str) -> Value {
    let (_folder, store, function) = amounts().await;
    deliver_whole(&function, &batch([KinesisStream::new("orders").record("A", payload)])).await;
    let [document] = &others(&store).await[..] else { panic!("one event makes one document") };
    document.clone()
}

#[tokio::test]
async fn json_as_deep_as_a_well() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    refused(&"[".repeat(100_000)).await;
    refused(&r#"{"a":"#.repeat(100_000)).await;
    refused(&format!(r#"{{"id":"deep","amount":1,"event":"bad","note":{}}}"#, deep(100_000))).await;
    // DynamoDB has 32 levels.
    refused(&format!(r#"{{"id":"deep","amount":1,"event":"bad","note":{}}}"#, deep(40))).await;
    taken(&format!(r#"{{"id":"deep","amount":1,"event":"good","note":{}}}"#, deep(20))).await;
}

#[tokio::test]
async fn numbers_beyond_any_range() {
    for number in ["1e126", "1e400", "1e2147483648", "-1e99999999999999999999", "1e-99999999999999999999", "1e-131"] {
        refused(&format!(r#"{{"id":"A","amount":{number},"event":"bad"}}"#)).await;
    }
    refused(&format!(r#"{{"id":"A","amount":{},"event":"bad"}}"#, "7".repeat(500_000))).await;
}

#[tokio::test]
async fn numbers_that_are_only_written_at_length() {
    assert_eq!(taken(r#"{"id":"A","amount":1.50e1,"event":1}"#).await["total"], 15);
    assert_eq!(taken(r#"{"id":"A","amount":-0.0,"event":1}"#).await["total"], 0);
    let zeros = "0".repeat(100);
    assert_eq!(taken(&format!(r#"{{"id":"A","amount":7.{zeros},"event":1}}"#)).await["total"], 7);
}

#[tokio::test]
async fn text_that_is_none() {
    refused(r#"{"id":"\ud800","amount":1,"event":"bad"}"#).await;
    refused("{\"id\":\"a\nb\",\"amount\":1,\"event\":\"bad\"}").await;
    refused(r#"{"id":"A","amount":1,"event":"bad"} {"#).await;
    let document = taken(r#"{"id":"\ud83d\ude00 \u0000 \u007f","amount":1,"event":1}"#).await;
    assert_eq!(document["id"], "\u{1f600} \u{0} \u{7f}");
}

#[tokio::test]
async fn keys_that_are_too_long() {
    refused(&format!(r#"{{"id":"{}","amount":1,"event":"bad"}}"#, "x".repeat(2049))).await;
    // Bytes count, not characters.
    refused(&format!(r#"{{"id":"{}","amount":1,"event":"bad"}}"#, "é".repeat(1025))).await;
    taken(&format!(r#"{{"id":"{}","amount":1,"event":1}}"#, "x".repeat(2048))).await;
}

#[tokio::test]
async fn keys_of_an_index_of_another_type() {
    refused(r#"{"id":"A","amount":1,"event":"bad","owner":7}"#).await;
    assert_eq!(taken(r#"{"id":"A","amount":1,"event":1,"owner":"Ann"}"#).await["owner"], "Ann");
}

#[tokio::test]
async fn empty_keys_of_an_index() {
    refused(r#"{"id":"A","amount":1,"event":"bad","owner":""}"#).await;
}

/// DynamoDB refuses them (2048 bytes, as in tables); the embedded one does not, so the engine has to know.
#[tokio::test]
async fn keys_of_an_index_that_are_too_long() {
    refused(&format!(r#"{{"id":"A","amount":1,"event":"bad","owner":"{}"}}"#, "x".repeat(2049))).await;
}

#[tokio::test]
async fn documents_that_are_too_large() {
    let note = |length: usize| format!(r#"{{"id":"A","amount":1,"event":"large","note":"{}"}}"#, "x".repeat(length));
    refused(&note(500_000)).await;
    refused(&note(410_000)).await;
    taken(&note(390_000)).await;
}

#[tokio::test]
async fn ids_are_told_apart_whatever_they_hold() {
    let (_folder, store, function) = amounts().await;
    let long = "x".repeat(5_000);
    let ids = [
        "a/b",
        "a%2Fb",
        "a%2fb",
        "a/",
        "a",
        "/a",
        "a//b",
        "a\\b",
        "a\u{0}b",
        "é",
        "e\u{301}",
        " a",
        "a ",
        "A",
        "1",
        &long,
        &format!("{long}y"),
    ];
    let mut stream = KinesisStream::new("orders");
    let mut record = |id: &&str| stream.record("A", json!({ "id": "A", "amount": 1, "event": id }).to_string());
    let once: Vec<Value> = ids.iter().map(&mut record).collect();
    let again: Vec<Value> = ids.iter().map(&mut record).collect();
    for records in [once, again] {
        deliver_whole(&function, &batch(records)).await;
        assert_eq!(others(&store).await, [json!({ "id": "A", "total": ids.len() })]);
    }
}

#[tokio::test]
async fn a_sum_of_more_than_38_digits_is_its_own_events_failure() {
    let large = "12345678901234567890123456789012345678";
    for together in [true, false] {
        let (_folder, store, function) = amounts().await;
        let mut stream = KinesisStream::new("orders");
        let mut record =
            |event, amount: &str| stream.record("A", format!(r#"{{"id":"A","amount":{amount},"event":"{event}"}}"#));
        let (first, second) = (record("first", large), record("second", "0.5"));
        let number = sequence_number(&second).to_owned();
        let failed = if together {
            deliver(&function, &batch([first, second])).await
        } else {
            deliver_whole(&function, &batch([first])).await;
            deliver(&function, &batch([second])).await
        };
        assert_eq!(failed, [number], "together: {together}");
        assert_eq!(others(&store).await, [json!({ "id": "A", "total": large })], "together: {together}");
    }
}

#[tokio::test]
async fn a_batch_as_large_as_they_come() {
    let (_folder, store, function) = amounts().await;
    let mut stream = KinesisStream::new("orders");
    let record = |number: u32| {
        let id = format!("product {}", number % 10);
        stream.record(&id, json!({ "id": id, "amount": number, "event": number }).to_string())
    };
    let event = batch((0..10_000).map(record));
    deliver_whole(&function, &event).await;
    let sums = (0..10).map(|product| (0..10_000).filter(|number| number % 10 == product).sum::<u32>());
    let totals = others(&store).await.iter().map(|document| document["total"].clone()).collect::<Vec<_>>();
    assert_eq!(totals, sums.map(Value::from).collect::<Vec<_>>());
}
