//! `viewfold run`: events in, documents out; in memory, in a file, at an endpoint.

use harness::cli::viewfold;
use harness::documents::{Bookkeeping, sorted};
use harness::events::{KinesisStream, TableStream, batch, sequence_number};
use harness::golden;
use harness::oracle::votes::total_votes;
use harness::scratch::Folder;
use harness::store::Store;
use serde_json::Value;

use crate::{file, json};

const PROJECTIONS: &str = "projections/votes";
const EVENTS: &str = "examples/votes/events.json";

/// The events of the example, each a Lambda event.
fn example() -> Vec<Value> {
    match json(&file(EVENTS)) {
        Value::Array(events) => events,
        event => vec![event],
    }
}

/// The documents that the example's events make.
fn expected() -> Vec<Value> {
    let events = example();
    let records = events.iter().flat_map(|event| event["Records"].as_array().expect("an event has records"));
    total_votes(records)
}

/// The documents of a table in the report of `--format json`, in the order of the oracle.
fn reported(report: &Value, table: &str) -> Vec<Value> {
    let documents = report["documents"][table].as_array();
    sorted(documents.unwrap_or_else(|| panic!("no table {table} in the report: {report}")).iter().cloned())
}

#[tokio::test]
async fn the_documents_are_printed_as_a_table() {
    let output = viewfold(["run", PROJECTIONS, "--events", EVENTS]).run().await.expect_status(0);
    assert!(output.stdout.contains("total_votes"), "{}", output.stdout);
    for document in expected() {
        let cells = ["region", "improvement"].map(|name| document[name].as_str().expect("a text"));
        let total = document["total_votes"].to_string();
        let row = |line: &str| cells.iter().all(|cell| line.contains(cell)) && line.contains(&total);
        assert!(output.stdout.lines().any(row), "no row for {document}:\n{}", output.stdout);
    }
    assert!(!output.stdout.contains('\u{1b}'), "colour without a terminal:\n{}", output.stdout);
}

#[tokio::test]
async fn the_documents_can_be_read_by_programs() {
    let output = viewfold(["run", PROJECTIONS, "--events", EVENTS, "--format", "json"]).run().await.expect_status(0);
    assert_eq!(reported(&json(&output.stdout), "total_votes"), expected());
}

#[tokio::test]
async fn events_come_in_many_ways() {
    let run = |events: &str| viewfold(["run", PROJECTIONS, "--format", "json", "--events", events]);
    let singly = example().into_iter().flat_map(|event| event["Records"].as_array().cloned().unwrap_or_default());
    let singly: Vec<Value> = singly.map(|record| batch([record])).collect();
    let lines: String = singly.iter().map(|event| format!("{event}\n")).collect();
    let list = Value::from(singly).to_string();
    let folder = Folder::with("lines.json", &lines);
    let pretty = folder.write("pretty.json", &format!("{:#}", json(&list)));

    for (what, command) in [
        ("a list, from standard input", run("-").stdin(list)),
        ("lines, from standard input", run("-").stdin(lines)),
        ("lines, from a file", run(&folder.path().join("lines.json").display().to_string())),
        ("a list, over many lines", run(&pretty.display().to_string())),
        ("one file twice", run(EVENTS).arg("--events").arg(EVENTS)),
    ] {
        let output = command.run().await.expect_status(0);
        assert_eq!(reported(&json(&output.stdout), "total_votes"), expected(), "{what}");
    }
}

#[tokio::test]
async fn a_database_file_remembers() {
    let folder = Folder::empty();
    let database = folder.path().join("votes.db");
    let run = || {
        let command = viewfold(["run", PROJECTIONS, "--events", EVENTS, "--format", "json", "--db"]);
        command.arg(&database).run()
    };
    let first = json(&run().await.expect_status(0).stdout);
    assert_eq!(reported(&first, "total_votes"), expected());
    let second = json(&run().await.expect_status(0).stdout);
    assert_eq!(reported(&second, "total_votes"), expected());

    let (first, second) = (&first["projections"]["total_votes"], &second["projections"]["total_votes"]);
    assert_eq!(first["repeated"], 2, "the third batch brings two events again");
    assert_eq!(first["applied"].as_i64().map(|applied| applied + 2), first["matched"].as_i64());
    assert_eq!(second["applied"], 0);
    assert_eq!(second["repeated"], first["matched"], "the second time every event is a repeat");
}

#[tokio::test]
async fn an_endpoint_is_written_to() {
    let store = Store::start().await;
    let events = golden::streams("votes", "basic").table_events(&mut TableStream::new(&store.table("votes"), &["id"]));
    let input: String = events.iter().map(|event| format!("{event}\n")).collect();
    for _ in 0..2 {
        viewfold(["run", PROJECTIONS, "--events", "-"]).at(&store).stdin(input.as_str()).run().await.expect_status(0);
        let records = events.iter().flat_map(|event| event["Records"].as_array().expect("an event has records"));
        let documents = store.documents("total_votes", Bookkeeping::Hidden).await;
        assert_eq!(documents, total_votes(records));
    }
}

#[tokio::test]
async fn an_event_that_cannot_be_applied_is_code_1_and_named() {
    let mut event = example().remove(0);
    event["Records"][0]["dynamodb"]["NewImage"]["region"] = json(r#"{"S": ""}"#);
    let output = viewfold(["run", PROJECTIONS, "--events", "-"]).stdin(event.to_string()).run().await.expect_status(1);
    let number = sequence_number(&event["Records"][0]).to_owned();
    let all = format!("{}{}", output.stdout, output.stderr);
    assert!(all.contains(&number), "the record {number} is not named:\n{all}");
}

#[tokio::test]
async fn a_source_that_no_projection_reads_is_named() {
    let event = batch([KinesisStream::new("carts").record("A", "{}")]).to_string();
    let output = viewfold(["run", PROJECTIONS, "--events", "-"]).stdin(event).run().await;
    assert!(matches!(output.status, Some(1 | 2)), "{output:?}");
    assert!(output.stderr.contains("carts"), "{}", output.stderr);
}

#[tokio::test]
async fn input_that_is_no_event_is_told_with_its_name() {
    let folder = Folder::with("broken.json", "{oops");
    let broken = folder.path().join("broken.json");
    let output = viewfold(["run", PROJECTIONS, "--events"]).arg(&broken).run().await;
    assert!(matches!(output.status, Some(1 | 2)), "{output:?}");
    assert!(output.stderr.contains("broken.json"), "{}", output.stderr);

    let missing = folder.path().join("missing.json");
    let output = viewfold(["run", PROJECTIONS, "--events"]).arg(&missing).run().await.expect_status(2);
    assert!(output.stderr.contains("missing.json"), "{}", output.stderr);
}

/// An event of 2026 is old one day, and for a guard that forgets it makes a difference what day it is.
#[tokio::test]
async fn the_clock_can_be_set_to_when_events_were_recorded() {
    let folder = Folder::with("kept_for.yaml", &file("tests/language/kept_for.yaml"));
    let events = folder.write(
        "events.json",
        r#"{"Records":[{"eventID":"s:1","eventSource":"aws:kinesis","eventSourceARN":"arn:aws:kinesis:us-east-1:1:stream/s","kinesis":{"partitionKey":"a","sequenceNumber":"1","approximateArrivalTimestamp":1767225600,"data":"eyJzaG9wIjoiYSIsIm51bWJlciI6MX0="}}]}"#,
    );
    let run = |now: &'static [&'static str]| {
        viewfold(["run", "--events"]).arg(&events).arg(folder.path().join("kept_for.yaml")).args(now).run()
    };
    let late = run(&[]).await.expect_status(1);
    assert!(late.stderr.contains("older_than_guard") && late.stderr.contains("--now TIME"), "{}", late.stderr);
    let then = run(&["--now", "2026-01-01T12:00:00+01:00"]).await.expect_status(0);
    assert!(then.stdout.contains("1 applied"), "{}", then.stdout);
    let wrong = run(&["--now", "yesterday"]).await.expect_status(2);
    assert!(wrong.stderr.contains("2026-01-31T12:00:00Z"), "{}", wrong.stderr);
}

#[tokio::test]
async fn a_store_that_is_none_is_told_in_plain_words() {
    let folder = Folder::with("notes.txt", "these are notes");
    let run = |store: &[&str]| viewfold(["run", PROJECTIONS, "--events", EVENTS]).args(store).run();
    let notes = folder.path().join("notes.txt");
    let output = run(&["--db", notes.to_str().expect("text")]).await.expect_status(2);
    assert!(output.stderr.contains("notes.txt is no database of viewfold"), "{}", output.stderr);
    assert_eq!(std::fs::read_to_string(&notes).expect("it is there"), "these are notes");
    let missing = folder.path().join("no/votes.db");
    let output = run(&["--db", missing.to_str().expect("text")]).await.expect_status(2);
    assert!(output.stderr.contains("there is no folder"), "{}", output.stderr);
    let output = run(&["--endpoint", "http://127.0.0.1:9"]).await.expect_status(1);
    assert!(output.stderr.contains("nothing answers at http://127.0.0.1:9"), "{}", output.stderr);
    assert!(!output.stderr.contains("Dispatch"), "{}", output.stderr);
}
