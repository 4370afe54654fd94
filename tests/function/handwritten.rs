//! The handlers that the engine is measured against do what the function does: the same documents of the same events, also of
//! batches that come again. A comparison of their times would say nothing otherwise.

use harness::cli::make_tables;
use harness::documents::{Bookkeeping, sorted};
use harness::handwritten::{tournament, votes};
use harness::oracle;
use harness::store::Store;
use harness::workload::{System, Workload};
use serde_json::{Value, json};

use crate::{deliver_whole, deploy, records};

/// Two batches, and the first one again in between and at the end.
fn deliveries(system: System) -> Vec<Vec<u8>> {
    let workload = Workload::new(system).records(400).payload(200..=400).keys(30);
    let [first, second] = &workload.batches(2)[..] else { panic!("two batches") };
    [first, first, second, first].map(Vec::clone).to_vec()
}

fn parsed(batch: &[u8]) -> Value {
    serde_json::from_slice(batch).expect("a batch is JSON")
}

/// The documents as the function leaves them, without what its guards keep.
async fn by_the_function(system: System, table: &str) -> Vec<Value> {
    let store = Store::start().await;
    let function = deploy(system.projections(), &store).await;
    for batch in deliveries(system) {
        deliver_whole(&function, &parsed(&batch)).await;
    }
    store.documents(table, Bookkeeping::Hidden).await
}

#[tokio::test]
async fn votes_come_out_alike() {
    let expected = by_the_function(System::VotesKinesis, "vote_counts").await;
    let store = Store::start().await;
    make_tables(&System::VotesKinesis.projections(), &store).await;
    for batch in deliveries(System::VotesKinesis) {
        let bad = votes::handle(&batch, &store).await.expect("a batch is a Kinesis event");
        assert!(bad.is_empty(), "{bad:?}");
    }
    // Its mark has no name that says whose it is: it is left out here.
    let of = |document: &Value, name: &str| document[name].clone();
    let documents = store.documents("vote_counts", Bookkeeping::Hidden).await;
    let documents = sorted(documents.iter().map(|document| {
        json!({
            "improvement": of(document, "improvement"),
            "region": of(document, "region"),
            "total_votes": of(document, "total_votes"),
        })
    }));
    assert_eq!(documents, expected);
    assert!(documents.len() > 50, "{}", documents.len());
}

#[tokio::test]
async fn statistics_come_out_alike() {
    let expected = by_the_function(System::Tournament, "TaTourneyStats").await;
    let batches = deliveries(System::Tournament);
    let events: Vec<Value> = batches.iter().map(|batch| parsed(batch)).collect();
    assert_eq!(expected, oracle::tournament::stats(events.iter().flat_map(records)));
    let store = Store::start().await;
    make_tables(&System::Tournament.projections(), &store).await;
    for batch in &batches {
        let bad = tournament::handle(batch, &store).await.expect("a batch is an event of a table's stream");
        assert!(bad.is_empty(), "{bad:?}");
    }
    assert_eq!(store.documents("TaTourneyStats", Bookkeeping::Hidden).await, expected);
}
