//! `viewfold explain … --event`: what it says of each event, and that its requests are those that make the documents.

use harness::cli::{make_tables, viewfold};
use harness::documents::Bookkeeping;
use harness::events::{KinesisStream, TableStream, batch};
use harness::scratch::Folder;
use harness::store::Store;
use harness::workspace;
use serde_json::{Value, json};

use crate::{file, json};

/// What is told of the events of a projection, as one JSON value.
async fn told(projections: &str, events: &str) -> Value {
    let command = viewfold(["explain", projections, "--event", "-", "--format", "json"]);
    json(&command.stdin(events).run().await.expect_status(0).stdout)
}

/// What is told of one projection in one record.
fn part<'t>(told: &'t Value, record: usize, projection: &str) -> &'t Value {
    let all = told["records"][record]["projections"].as_array().expect("a list of projections");
    let found = all.iter().find(|part| part["projection"] == projection);
    found.unwrap_or_else(|| panic!("nothing of {projection} in record {record}: {told:#}"))
}

/// The requests that are told are sent as they stand to a store of their own, where they have to come to what
/// `viewfold run` makes of the same events.
#[tokio::test]
async fn the_requests_are_those_that_make_the_documents() {
    for system in ["votes", "map-rollup", "tournament", "winner-view"] {
        let (folder, events) = (format!("projections/{system}"), format!("examples/{system}/events.json"));
        let told = told(&folder, &file(&events)).await;
        let (by_hand, by_run) = (Store::start().await, Store::start().await);
        make_tables(&workspace().join(&folder), &by_hand).await;
        let mut sent = 0;
        for record in told["records"].as_array().expect("records") {
            let parts = record["projections"].as_array().expect("projections").iter();
            for request in parts.flat_map(|part| part["requests"].as_array().expect("requests")) {
                let operation = request["operation"].as_str().expect("an operation");
                let status = by_hand.post(operation, &request["body"]).await;
                let failed = ["cancelled", "condition"]
                    .iter()
                    .any(|word| request["answer"].as_str().is_some_and(|answer| answer.contains(word)));
                assert_eq!(status, if failed { 400 } else { 200 }, "{request:#}");
                sent += 1;
            }
        }
        assert!(sent > 10, "only {sent} requests for {system}");
        viewfold(["run", &folder, "--events", &events]).at(&by_run).run().await;
        // Marks of views have the numbers of the store's own streams, and dead letters the time.
        for table in by_run.tables().await.into_iter().filter(|table| !table.starts_with("viewfold_")) {
            let expected = by_run.documents(&table, Bookkeeping::Hidden).await;
            assert!(!expected.is_empty(), "{system}: nothing in {table}");
            assert_eq!(by_hand.documents(&table, Bookkeeping::Hidden).await, expected, "{system}: {table}");
        }
    }
}

#[tokio::test]
async fn the_first_pattern_that_fails_is_named_with_what_was_found() {
    let mut stream = TableStream::new("votes", &["id"]);
    let events = [
        stream.insert(json!({ "id": { "S": "1" }, "region": { "N": "7" }, "improvement": { "S": "TREES" } })),
        stream.insert(json!({ "id": { "S": "2" }, "region": { "S": "NORTH" } })),
        stream.insert(json!({ "id": { "S": "3" }, "region": { "S": "NORTH" }, "improvement": { "S": "TREES" } })),
    ];
    let told = told("projections/votes", &batch(events).to_string()).await;
    let rule = |record| &part(&told, record, "total_votes")["events"][0]["rules"][0];
    let missed = json!({ "path": "$.region", "pattern": "{ type: string }", "found": 7 });
    assert_eq!(rule(0)["missed"], missed, "{:#}", rule(0));
    assert_eq!(rule(1)["missed"]["path"], "$.improvement");
    assert_eq!(rule(1)["missed"]["found"], Value::Null);
    assert_eq!(rule(2)["matches"], true);
    let read = json!([{ "path": "$.region", "value": "NORTH" }, { "path": "$.improvement", "value": "TREES" }]);
    assert_eq!(rule(2)["reads"], read);
}

#[tokio::test]
async fn a_repeated_event_is_told_with_both_marks_and_costs_no_more_than_it_takes() {
    let folder = Folder::with("total.yaml", TOTAL);
    let mut stream = KinesisStream::new("orders");
    let (first, second) = (stream.record("a", r#"{"id": "a", "n": 2}"#), stream.record("a", r#"{"id": "a", "n": 3}"#));
    let events = batch([first.clone(), second, first]);
    let told = told(&folder.path().display().to_string(), &events.to_string()).await;
    let outcomes: Vec<&Value> = (0..3).map(|record| &part(&told, record, "total")["outcome"]["outcome"]).collect();
    assert_eq!(outcomes, ["applied", "applied", "repeated"]);

    let last = part(&told, 2, "total");
    let guard = &last["events"][0]["guard"];
    assert!(guard["brings"].as_str() < guard["stored"].as_str(), "{guard}");
    let requests = last["requests"].as_array().expect("requests");
    assert_eq!(requests.len(), 1, "the write that finds out is all: {last:#}");
    assert_eq!(requests[0]["operation"], "UpdateItem");
    assert_eq!(requests[0]["writeUnits"], 1, "a condition that fails takes units, too");

    let first = part(&told, 0, "total");
    assert_eq!(first["requests"][0]["body"]["Key"], json!({ "id": { "S": "a" } }));
    assert_eq!(first["events"][0]["changes"][0]["operations"], json!(["add total 2"]));
    assert_eq!(first["documents"][0]["before"], Value::Null);
    assert_eq!(first["documents"][0]["after"]["total"], 2);
}

const TOTAL: &str = "\
projection: total
source: { kinesis: { stream: orders, lane: $.id } }
document: { table: Totals, partition_key: id }
guard: last_event_id
key: { id: $.id }
rules:
  - name: counted
    add: { total: $.n }
";

/// Three guards are sound for a sum whose document is its lane's; the file's own is among them.
#[tokio::test]
async fn guards_that_would_be_sound_are_compared_and_others_say_why_not() {
    let folder = Folder::with("total.yaml", TOTAL);
    let mut stream = KinesisStream::new("orders");
    let records: Vec<Value> = (0..4).map(|n| stream.record("a", format!(r#"{{"id": "a", "n": {n}}}"#))).collect();
    let all = told(&folder.path().display().to_string(), &batch(records).to_string()).await;
    let guards = all["guards"].as_array().expect("guards");
    let guard = |name: &str| {
        let found = guards.iter().find(|guard| guard["guard"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {guards:#?}"))
    };
    let units = |name: &str, how: &str| guard(name)[how]["writeUnits"].as_u64().expect("units");
    assert_eq!(guard("last_event_id: document")["yours"], true);
    // A million events: a write each; in one batch of four, a write for four.
    assert_eq!(units("last_event_id: document", "aMillionAlone"), 1_000_000);
    assert_eq!(units("last_event_id: document", "aMillionInBatches"), 250_000);
    // A transaction of the document and a row, two units for each of them.
    assert_eq!(units("last_event_id: lane", "aMillionAlone"), 4_000_000);
    assert_eq!(units("events_table: viewfold_events", "aMillionAlone"), 4_000_000);
    assert_eq!(units("events_table: viewfold_events", "aMillionInBatches"), 2_500_000);
    let dollars = guard("last_event_id: lane")["aMillionAlone"]["dollars"].as_f64().expect("dollars");
    let price = all["prices"]["millionWriteUnits"].as_f64().expect("a price");
    assert!((dollars - 4.0 * price).abs() < 1e-9, "{dollars}");

    let votes = told("projections/votes", &file("examples/votes/events.json")).await;
    let unsound = votes["guards"].as_array().expect("guards").iter().find(|guard| guard["sound"] == false);
    let unsound = unsound.expect("a guard that is not sound for votes");
    assert!(unsound["why"].as_str().is_some_and(|why| why.contains("VF04")), "{unsound:#}");
}

/// Events of views come behind those that wrote them.
#[tokio::test]
async fn views_over_views_are_told_of() {
    let told = told("projections/winner-view", &file("examples/winner-view/events.json")).await;
    let of_views: Vec<&Value> =
        told["records"].as_array().expect("records").iter().filter(|record| record["event"].is_null()).collect();
    assert!(!of_views.is_empty(), "no record of a view in {told:#}");
    assert!(of_views.iter().all(|record| record["stream"] == "Contributions"));
}

/// What is in a database file is what the events meet, and the file stays as it is.
#[tokio::test]
async fn a_database_file_is_looked_at_and_not_changed() {
    let folder = Folder::empty();
    let database = folder.path().join("votes.db");
    let run = ["run", "projections/votes", "--events", "examples/votes/events.json", "--format", "json", "--db"];
    viewfold(run).arg(&database).run().await.expect_status(0);
    let explain = ["explain", "projections/votes", "--event", "examples/votes/events.json", "--format", "json", "--db"];
    for _ in 0..2 {
        let told = json(&viewfold(explain).arg(&database).run().await.expect_status(0).stdout);
        for record in 0..told["records"].as_array().map_or(0, Vec::len) {
            let outcome = &part(&told, record, "total_votes")["outcome"]["outcome"];
            assert_eq!(outcome, "repeated", "record {record}");
        }
    }
    let fresh = batch([TableStream::new("votes", &["id"])
        .starting_at(900_000_000_000_000_000_000)
        .insert(json!({ "id": { "S": "new" }, "region": { "S": "WEST" }, "improvement": { "S": "TREES" } }))]);
    for _ in 0..2 {
        let output = viewfold(explain.map(|word| if word.ends_with("events.json") { "-" } else { word }));
        let told = json(&output.arg(&database).stdin(fresh.to_string()).run().await.expect_status(0).stdout);
        assert_eq!(part(&told, 0, "total_votes")["outcome"]["outcome"], "applied", "what it wrote is gone again");
    }
}

#[tokio::test]
async fn people_are_told_why_an_event_is_no_event_and_why_a_document_is_read() {
    let folder = Folder::with("total.yaml", &TOTAL.replace("add: { total: $.n }", "max: { most: $.n }"));
    let mut stream = KinesisStream::new("orders");
    let events = batch([stream.record("a", "{oops"), stream.record("a", r#"{"id": "a", "n": 3}"#)]);
    let command = viewfold(["explain", &folder.path().display().to_string(), "--event", "-", "--brief"]);
    let output = command.stdin(events.to_string()).run().await.expect_status(0).stdout;
    for words in ["no event", "undecodable", "`max` compares with what is there", "most 3", "put into the dead letters"]
    {
        assert!(output.contains(words), "`{words}` is missing:\n{output}");
    }
    assert!(!output.contains("\"TableName\""), "--brief leaves out bodies:\n{output}");
    let unread = batch([KinesisStream::new("carts").record("a", "{}")]).to_string();
    let output = viewfold(["explain", &folder.path().display().to_string(), "--event", "-"]).stdin(unread).run().await;
    let output = output.expect_status(1);
    assert!(output.stderr.contains("carts"), "{}", output.stderr);
}
