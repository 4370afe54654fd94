//! The Lambda function as AWS runs it: the release `bootstrap` behind a runtime API, fed with Lambda events; what it
//! answers, and what is in the tables afterwards.

use std::path::Path;

use harness::cli::make_tables;
use harness::events::failures;
use harness::function::{Deployment, Function};
use harness::store::Store;
use harness::workspace;
use serde_json::Value;

mod backfill;
mod bad_records;
mod budget;
mod changes;
mod faults;
mod handwritten;
mod instructions;
mod interrupted;
mod least_privilege;
mod limits;
mod logs;
mod memory;
mod metrics;
mod numbers;
mod packed;
mod performance;
mod queues;
mod requests;
mod retained;
mod second_store;
mod start;
mod systems;
mod time;
mod votes;
mod winner_view;
mod wiring;

/// A function that has its tables, with the projections of a folder; the folder may be given as the workspace sees it.
async fn deploy(projections: impl AsRef<Path>, store: &Store) -> Function {
    let projections = workspace().join(projections);
    make_tables(&projections, store).await;
    Deployment::new(&projections, store).start().await
}

/// Hands an event to the function, which must not fail as a whole, and returns the sequence numbers that it reports.
async fn deliver(function: &Function, event: &Value) -> Vec<String> {
    let answer = function.invoke(event).await;
    let answer = answer.unwrap_or_else(|error| panic!("the invocation failed: {error}\n{}", function.output()));
    failures(&answer).into_iter().map(str::to_owned).collect()
}

/// Hands an event to the function, which must take all of it.
async fn deliver_whole(function: &Function, event: &Value) {
    let failed = deliver(function, event).await;
    assert!(failed.is_empty(), "not applied: {failed:?}\n{}", function.output());
}

/// The records of an event.
fn records(event: &Value) -> &[Value] {
    event["Records"].as_array().expect("an event has records")
}
