//! The same function on another implementation of DynamoDB, so that no mistake of one passes for the truth.

use harness::documents::Bookkeeping;
use harness::events::{KinesisStream, TableStream};
use harness::golden;
use harness::store::Store;
use serde_json::Value;

use crate::{deliver_whole, deploy};

/// The documents of a table, bookkeeping included, after the events were delivered twice.
async fn after_two_deliveries(projections: &str, store: &Store, events: &[Value], table: &str) -> Vec<Value> {
    let function = deploy(projections, store).await;
    for event in events.iter().chain(events) {
        deliver_whole(&function, event).await;
    }
    store.documents(table, Bookkeeping::Shown).await
}

#[tokio::test]
async fn moto_ends_with_the_same_tables() {
    let Some(moto) = Store::moto().await else { return };
    let store = Store::start().await;

    let products = golden::winner_view("winner view, ordered", "basic in order, two products of one creator");
    let products = products.payload_events(&mut KinesisStream::new("retail"));
    let ours = after_two_deliveries("projections/winner-view", &store, &products, "Contributions").await;
    assert_eq!(ours.len(), 2);
    assert_eq!(ours, after_two_deliveries("projections/winner-view", &moto, &products, "Contributions").await);

    let votes = golden::streams("votes", "basic");
    let votes_in = |store: &Store| votes.table_events(&mut TableStream::new(&store.table("votes"), &["id"]));
    let ours = after_two_deliveries("projections/votes", &store, &votes_in(&store), "total_votes").await;
    assert_eq!(ours.len(), 3);
    assert_eq!(ours, after_two_deliveries("projections/votes", &moto, &votes_in(&moto), "total_votes").await);
}
