//! Deliveries that do not run to their end, or run beside each other: what is in the tables is each event once all the
//! same.

use std::time::{Duration, Instant};

use harness::documents::Bookkeeping;
use harness::events::{KinesisStream, TableStream, batch, sequence_number};
use harness::function::Deployment;
use harness::golden::product_record;
use harness::oracle::votes::total_votes;
use harness::oracle::winner_view::contributions;
use harness::random::product_payload;
use harness::store::Store;
use harness::workspace;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{deliver, deliver_whole, deploy};

/// Many votes for a few rows.
fn votes(store: &Store, count: u32) -> Vec<Value> {
    let mut stream = TableStream::new(&store.table("votes"), &["id"]);
    let vote = |id: u32| {
        let region = format!("REGION {}", id % 7);
        json!({ "id": { "S": id.to_string() }, "region": { "S": region }, "improvement": { "S": "MORE_TREES" } })
    };
    (0..count).map(|id| stream.insert(vote(id))).collect()
}

/// Many sales of a few products: payloads and records.
fn sales(count: usize) -> (Vec<Value>, Vec<Value>) {
    let payload = |number: usize| product_payload("purchase", &format!("product {}", number % 7), "Bob", number);
    let payloads: Vec<Value> = (1..=count).map(payload).collect();
    let mut stream = KinesisStream::new("retail");
    let records = payloads.iter().map(|payload| product_record(&mut stream, payload)).collect();
    (payloads, records)
}

#[tokio::test]
async fn two_deliveries_at_once_count_once() {
    let store = Store::start().await;
    let one = deploy("projections/votes", &store).await;
    let other = deploy("projections/votes", &store).await;
    let votes = votes(&store, 600);
    let event = batch(votes.clone());
    // Either may lose a race against the other for good, and then says so; another delivery settles it.
    tokio::join!(deliver(&one, &event), deliver(&other, &event));
    deliver_whole(&one, &event).await;
    assert_eq!(store.documents("total_votes", Bookkeeping::Hidden).await, total_votes(&votes));

    let store = Store::start().await;
    let one = deploy("projections/winner-view", &store).await;
    let other = deploy("projections/winner-view", &store).await;
    let (payloads, records) = sales(600);
    let (half, event) = (batch(records[..300].to_vec()), batch(records));
    tokio::join!(deliver(&one, &half), deliver(&other, &event));
    deliver_whole(&one, &event).await;
    assert_eq!(store.documents("Contributions", Bookkeeping::Hidden).await, contributions(&payloads));
}

#[tokio::test]
async fn a_function_killed_in_the_middle_loses_and_doubles_nothing() {
    for delay in [0, 3, 10, 25, 60] {
        let store = Store::start().await;
        let function = deploy("projections/votes", &store).await;
        let votes = votes(&store, 1_000);
        let event = batch(votes.clone());
        assert!(function.is_ready_within(Duration::from_secs(5)).await, "{}", function.output());
        let killed = async {
            tokio::time::sleep(Duration::from_millis(delay)).await;
            function.kill().await;
        };
        let (_, ()) = tokio::join!(function.invoke(&event), killed);

        let function = deploy("projections/votes", &store).await;
        deliver_whole(&function, &event).await;
        let documents = store.documents("total_votes", Bookkeeping::Hidden).await;
        assert_eq!(documents, total_votes(&votes), "killed after {delay} ms");
    }
}

/// A store that takes connections and never says a word.
async fn silent_store() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of the loopback can be had");
    let address = listener.local_addr().expect("a bound socket has an address");
    // Connections wait in the listener's queue, accepted by the system and by nobody else.
    (listener, format!("http://{address}"))
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_reported_within_the_time_limit() {
    let store = Store::start().await;
    let (_listener, endpoint) = silent_store().await;
    let (_, records) = sales(20);
    let first = sequence_number(&records[0]).to_owned();
    let function = Deployment::new(&workspace().join("projections/winner-view"), &store)
        .set("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
        .start()
        .await;
    let start = Instant::now();
    let answer = function.invoke_within(&batch(records), Duration::from_secs(3)).await;
    let answer = answer.unwrap_or_else(|error| panic!("no answer in time: {error}\n{}", function.output()));
    assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": first }] }));
    assert!(start.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn the_shortest_time_limit_is_enough_for_a_small_batch() {
    let store = Store::start().await;
    let function = deploy("projections/winner-view", &store).await;
    let (payloads, records) = sales(20);
    // A second is the least that Lambda gives.
    let answer = function.invoke_within(&batch(records), Duration::from_secs(1)).await;
    assert_eq!(answer, Ok(json!({ "batchItemFailures": [] })));
    assert_eq!(store.documents("Contributions", Bookkeeping::Hidden).await, contributions(&payloads));
}

#[tokio::test]
async fn a_store_that_is_not_there_is_reported() {
    let store = Store::start().await;
    let (listener, endpoint) = silent_store().await;
    drop(listener);
    let (_, records) = sales(20);
    let first = sequence_number(&records[0]).to_owned();
    let function = Deployment::new(&workspace().join("projections/winner-view"), &store)
        .set("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
        .start()
        .await;
    assert_eq!(deliver(&function, &batch(records)).await, [first]);
}

#[tokio::test]
async fn attributes_of_others_are_not_touched() {
    use aws_sdk_dynamodb::types::AttributeValue::{N, S};

    let store = Store::start().await;
    let function = deploy("projections/winner-view", &store).await;
    let put = store.client().put_item().table_name(store.table("Contributions"));
    let put =
        put.item("productId", S("product 1".into())).item("stock", N("12".into())).item("creator", S("Ann".into()));
    put.send().await.expect("the document can be put");
    let (_, records) = sales(8);
    deliver_whole(&function, &batch(records)).await;
    let documents = store.documents("Contributions", Bookkeeping::Hidden).await;
    let document = documents.iter().find(|document| document["productId"] == "product 1").expect("the document");
    assert_eq!((&document["stock"], &document["creator"]), (&json!(12), &json!("Ann")));
    assert_eq!(document["creatorScore"], 2);
}
