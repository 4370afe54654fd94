//! Winner view, ordered: product events of a Kinesis stream, folded under a mark on each product.

use harness::documents::{Bookkeeping, sorted};
use harness::events::{KinesisStream, batch};
use harness::golden::{self, product_record};
use harness::oracle::winner_view::contributions;
use harness::store::Store;
use serde_json::{Value, json};

use crate::{deliver_whole, deploy};

const PROJECTIONS: &str = "projections/winner-view";
const SYSTEM: &str = "winner view, ordered";
const BASIC: &str = "basic in order, two products of one creator";
const FULL_REPLAY: &str = "full replay of the same batch";
const REIMAGED: &str = "re-image by another, then buy";
const TRIMMED: &str = "creation trimmed: buy, image, buy";

/// Attributes in which the original is right wherever it has them. Its times are masked, a missing photographer is a
/// flag there, and a score of nothing a 0.
const RIGHT_IN_THE_ORIGINAL: [&str; 7] =
    ["productId", "creator", "creatorScore", "createdBy", "updatedBy", "photographer", "lastEventId"];

async fn products(store: &Store) -> Vec<Value> {
    store.documents("Contributions", Bookkeeping::Hidden).await
}

/// Of each row those attributes in which the original is right.
fn comparable(rows: &[Value]) -> Vec<Value> {
    let pick = |row: &Value| {
        let present = RIGHT_IN_THE_ORIGINAL.iter().filter(|&&name| row.get(name).is_some());
        present.map(|&name| (name.to_owned(), row[name].clone())).collect()
    };
    sorted(rows.iter().map(pick))
}

/// Delivers a recorded scenario and compares with the loop; returns the recorded end table and ours.
async fn replay(scenario: &str) -> (Vec<Value>, Vec<Value>) {
    let scenario = golden::winner_view(SYSTEM, scenario);
    let store = Store::start().await;
    let function = deploy(PROJECTIONS, &store).await;
    for event in scenario.payload_events(&mut KinesisStream::new("retail")) {
        deliver_whole(&function, &event).await;
    }
    let documents = products(&store).await;
    assert_eq!(documents, contributions(scenario.batches().iter().flatten()));
    (comparable(scenario.table("Contributions")), comparable(&documents))
}

#[tokio::test]
async fn recorded_events_are_folded_as_before() {
    let (original, ours) = replay(BASIC).await;
    assert_eq!(ours, original);
}

#[tokio::test]
async fn a_recorded_replay_changes_nothing_as_before() {
    let (original, ours) = replay(FULL_REPLAY).await;
    assert_eq!(ours, original);
}

#[tokio::test]
async fn the_first_photographer_stays_as_before() {
    let (original, ours) = replay(REIMAGED).await;
    assert_eq!(ours, original);
}

#[tokio::test]
async fn a_product_of_unknown_making_has_no_creator() {
    let (original, ours) = replay(TRIMMED).await;
    assert_eq!(original[0]["creator"], "UNKNOWN", "what the original wrote in place of nothing");
    assert_eq!(ours[0].get("creator"), None);
    assert_eq!(ours[0]["photographer"], "product-photos/Photographer/+12065551212/Phil");
}

#[tokio::test]
async fn a_batch_delivered_again_changes_nothing() {
    let store = Store::start().await;
    let function = deploy(PROJECTIONS, &store).await;
    let events = golden::winner_view(SYSTEM, BASIC).payload_events(&mut KinesisStream::new("retail"));
    for event in &events {
        deliver_whole(&function, event).await;
    }
    let first = store.documents("Contributions", Bookkeeping::Shown).await;
    for event in events.iter().chain(&events) {
        deliver_whole(&function, event).await;
        assert_eq!(store.documents("Contributions", Bookkeeping::Shown).await, first);
    }
}

#[tokio::test]
async fn a_part_of_a_batch_before_the_whole_changes_nothing() {
    let scenario = golden::winner_view(SYSTEM, BASIC);
    let payloads: Vec<&Value> = scenario.batches().iter().flatten().collect();
    let mut stream = KinesisStream::new("retail");
    let all: Vec<Value> = payloads.iter().map(|payload| product_record(&mut stream, payload)).collect();
    for cut in 0..=all.len() {
        let store = Store::start().await;
        let function = deploy(PROJECTIONS, &store).await;
        deliver_whole(&function, &batch(all[..cut].to_vec())).await;
        deliver_whole(&function, &batch(all.clone())).await;
        let expected = contributions(payloads.iter().copied());
        assert_eq!(products(&store).await, expected, "after {cut} records, then all");
    }
}

#[tokio::test]
async fn a_repeated_event_among_new_ones_is_dropped() {
    let store = Store::start().await;
    let function = deploy(PROJECTIONS, &store).await;
    let scenario = golden::winner_view(SYSTEM, BASIC);
    let payloads: Vec<&Value> = scenario.batches().iter().flatten().collect();
    // A producer that tried again: the same events, under sequence numbers of their own.
    let stuttering: Vec<&Value> = payloads.iter().flat_map(|&payload| [payload, payload]).collect();
    let mut stream = KinesisStream::new("retail");
    let records = stuttering.iter().map(|payload| product_record(&mut stream, payload));
    deliver_whole(&function, &batch(records)).await;
    assert_eq!(products(&store).await, contributions(payloads));
}

#[tokio::test]
async fn events_of_other_kinds_pass_by() {
    let store = Store::start().await;
    let function = deploy(PROJECTIONS, &store).await;
    let scenario = golden::winner_view(SYSTEM, BASIC);
    let mut foreign = scenario.batches()[0][0].clone();
    foreign["data"] = json!({ "schema": "com.nordstrom/cart/add/1-0-0", "id": "A" });
    let mut stream = KinesisStream::new("retail");
    deliver_whole(&function, &batch([product_record(&mut stream, &foreign)])).await;
    assert_eq!(products(&store).await, [Value::Null; 0]);
}

#[tokio::test]
async fn the_mark_is_the_newest_event_of_each_product() {
    let store = Store::start().await;
    let function = deploy(PROJECTIONS, &store).await;
    let scenario = golden::winner_view(SYSTEM, BASIC);
    for event in scenario.payload_events(&mut KinesisStream::new("retail")) {
        deliver_whole(&function, &event).await;
    }
    let marks: Vec<Value> = products(&store).await.iter().map(|product| product["lastEventId"].clone()).collect();
    let mut expected = [&scenario.batches()[0][4]["eventId"], &scenario.batches()[1][1]["eventId"]];
    expected.sort_by_key(|mark| mark.to_string());
    assert_eq!(sorted(marks), expected.map(Value::clone));
}
