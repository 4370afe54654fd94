//! Votes: a table's stream, counted into a view whose events table makes each event count once.

use harness::documents::{Bookkeeping, from_dynamodb_json, sorted};
use harness::events::{TableStream, batch};
use harness::golden;
use harness::oracle::votes::total_votes;
use harness::store::Store;
use serde_json::{Value, json};

use crate::{deliver_whole, deploy, records};

const PROJECTIONS: &str = "projections/votes";

/// The stream of the table `votes` in this store.
fn stream(store: &Store) -> TableStream {
    TableStream::new(&store.table("votes"), &["id"])
}

/// An item of the table `votes`.
fn vote(id: u32, region: &str, improvement: &str) -> Value {
    json!({ "id": { "S": id.to_string() }, "region": { "S": region }, "improvement": { "S": improvement } })
}

async fn totals(store: &Store) -> Vec<Value> {
    store.documents("total_votes", Bookkeeping::Hidden).await
}

/// Delivers a recorded scenario, and compares with the loop and with what the original made of it.
async fn replay(scenario: &str) {
    let scenario = golden::streams("votes", scenario);
    let store = Store::start().await;
    let function = deploy(PROJECTIONS, &store).await;
    let events = scenario.table_events(&mut stream(&store));
    for event in &events {
        deliver_whole(&function, event).await;
    }
    let documents = totals(&store).await;
    assert_eq!(documents, total_votes(events.iter().flat_map(records)));
    assert_eq!(documents, sorted(scenario.table("total_votes").iter().map(from_dynamodb_json)));
}

#[tokio::test]
async fn recorded_votes_are_counted_as_before() {
    replay("basic").await;
}

#[tokio::test]
async fn recorded_rubbish_is_ignored_as_before() {
    replay("bad pattern ignored (missing attr, wrong type), REMOVE ignored").await;
}

#[tokio::test]
async fn a_batch_delivered_again_changes_nothing() {
    let store = Store::start().await;
    let function = deploy(PROJECTIONS, &store).await;
    let scenario = golden::streams("votes", "basic");
    let [event] = &scenario.table_events(&mut stream(&store))[..] else { panic!("the scenario is one batch") };
    deliver_whole(&function, event).await;
    let first = store.documents("total_votes", Bookkeeping::Shown).await;
    for _ in 0..2 {
        deliver_whole(&function, event).await;
        assert_eq!(store.documents("total_votes", Bookkeeping::Shown).await, first);
    }
}

#[tokio::test]
async fn a_part_of_a_batch_before_the_whole_changes_nothing() {
    const VOTES: u32 = 8;
    for cut in 0..=VOTES as usize {
        let store = Store::start().await;
        let mut stream = stream(&store);
        let votes = (0..VOTES).map(|id| vote(id, ["SOUTH", "NORTH"][id as usize % 2], "MORE_TREES"));
        let all: Vec<Value> = votes.map(|item| stream.insert(item)).collect();
        let function = deploy(PROJECTIONS, &store).await;
        deliver_whole(&function, &batch(all[..cut].to_vec())).await;
        deliver_whole(&function, &batch(all.clone())).await;
        assert_eq!(totals(&store).await, total_votes(&all), "after {cut} records, then all");
    }
}

#[tokio::test]
async fn an_event_twice_in_a_batch_counts_once() {
    let store = Store::start().await;
    let function = deploy(PROJECTIONS, &store).await;
    let mut stream = stream(&store);
    let first = stream.insert(vote(1, "SOUTH", "MORE_TREES"));
    let second = stream.insert(vote(2, "SOUTH", "MORE_TREES"));
    let all = [first.clone(), second.clone(), first, second];
    deliver_whole(&function, &batch(all.clone())).await;
    assert_eq!(totals(&store).await, total_votes(&all));
    assert_eq!(totals(&store).await[0]["total_votes"], 2);
}

#[tokio::test]
async fn many_votes_for_one_row_and_one_vote_for_many_rows() {
    let store = Store::start().await;
    let function = deploy(PROJECTIONS, &store).await;
    let mut stream = stream(&store);
    // More than a transaction holds: 100 actions.
    let same = (0..250).map(|id| vote(id, "SOUTH", "MORE_TREES"));
    let different = (250..400).map(|id| vote(id, &format!("REGION {id}"), "MORE_FLOWERS"));
    let all: Vec<Value> = same.chain(different).map(|item| stream.insert(item)).collect();
    deliver_whole(&function, &batch(all.clone())).await;
    assert_eq!(totals(&store).await, total_votes(&all));
    deliver_whole(&function, &batch(all.clone())).await;
    assert_eq!(totals(&store).await, total_votes(&all), "after a second delivery");
}

#[tokio::test]
async fn sequence_numbers_may_grow_by_a_digit() {
    let store = Store::start().await;
    let function = deploy(PROJECTIONS, &store).await;
    let mut stream = stream(&store).starting_at(999_999_999_999_999_999_999);
    let all: Vec<Value> = (0..4).map(|id| stream.insert(vote(id, "SOUTH", "MORE_TREES"))).collect();
    for record in &all {
        deliver_whole(&function, &batch([record.clone()])).await;
    }
    assert_eq!(totals(&store).await, total_votes(&all));
}
