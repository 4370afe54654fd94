//! Streams and tables that are, or are not, the ones that the projections speak of.

use harness::cli::make_tables;
use harness::documents::Bookkeeping;
use harness::events::{KinesisStream, TableStream, batch, sequence_number};
use harness::function::Deployment;
use harness::golden;
use harness::oracle::winner_view::contributions;
use harness::scratch::Folder;
use harness::store::Store;
use harness::workspace;
use serde_json::json;

use crate::{deliver, deliver_whole, deploy};

#[tokio::test]
async fn a_stream_that_no_projection_reads_fails_the_invocation() {
    let store = Store::start().await;
    let function = deploy("projections/winner-view", &store).await;
    let foreign = batch([KinesisStream::new("carts").record("A", "{}")]);
    let error = function.invoke(&foreign).await.expect_err("nobody reads carts");
    assert!(error.message.contains("carts"), "{error}");
    assert_ne!(error.error_type, "Runtime.ExitError", "{error}");
    let is_name =
        |text: &str| text.chars().all(|character| character.is_ascii_alphanumeric() || ".:_".contains(character));
    assert!(is_name(&error.error_type), "no name that an alarm could be set on: {}", error.error_type);

    let table = batch([TableStream::new("Carts", &["id"]).insert(json!({ "id": { "S": "1" } }))]);
    let error = function.invoke(&table).await.expect_err("nobody reads Carts");
    assert!(error.message.contains("Carts"), "{error}");

    // A view that no other reads, and a table with the name of the stream, are no source either.
    for name in ["Scores", "retail"] {
        let table = batch([TableStream::new(name, &["id"]).insert(json!({ "id": { "S": "1" } }))]);
        let error = function.invoke(&table).await.expect_err("nobody reads that table");
        assert!(error.message.contains(name), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_event_fails_the_invocation_and_not_the_function() {
    let store = Store::start().await;
    let function = deploy("projections/winner-view", &store).await;
    for event in ["{}", "[]", "null", r#"{"Records":[{}]}"#, r#"{"Records":[{"eventSource":"aws:s3"}]}"#] {
        let error = function.invoke(event).await.expect_err("that is no event of a stream");
        assert_ne!(error.error_type, "Runtime.ExitError", "{event}: {error}");
    }
    let scenario = golden::winner_view("winner view, ordered", "full replay of the same batch");
    for event in scenario.payload_events(&mut KinesisStream::new("retail")) {
        deliver_whole(&function, &event).await;
    }
}

#[tokio::test]
async fn without_its_table_a_record_is_reported_and_later_applied() {
    let store = Store::start().await;
    let projections = workspace().join("projections/winner-view");
    let function = Deployment::new(&projections, &store).start().await;
    let scenario = golden::winner_view("winner view, ordered", "full replay of the same batch");
    let events = scenario.payload_events(&mut KinesisStream::new("retail"));
    let first = sequence_number(&events[0]["Records"][0]).to_owned();

    assert_eq!(deliver(&function, &events[0]).await, [first]);
    make_tables(&projections, &store).await;
    for event in &events {
        deliver_whole(&function, event).await;
    }
    let documents = store.documents("Contributions", Bookkeeping::Hidden).await;
    assert_eq!(documents, contributions(scenario.batches().iter().flatten()));
}

#[tokio::test]
async fn a_prefix_goes_before_tables_and_source_tables() {
    let store = Store::start().await.with_table_prefix("blue_");
    let function = deploy("projections/votes", &store).await;
    let scenario = golden::streams("votes", "basic");
    let unprefixed = scenario.table_events(&mut TableStream::new("votes", &["id"]));
    let error = function.invoke(&unprefixed[0]).await.expect_err("another deployment's table");
    assert!(error.message.contains("votes"), "{error}");

    for event in scenario.table_events(&mut TableStream::new(&store.table("votes"), &["id"])) {
        deliver_whole(&function, &event).await;
    }
    assert_eq!(store.documents("total_votes", Bookkeeping::Hidden).await.len(), 3);
    let expected = ["recent_votes", "recent_votes_events", "total_votes", "viewfold_dead_letters", "viewfold_marks"];
    assert_eq!(store.tables().await, expected, "all with the prefix");
}

#[tokio::test]
async fn projections_of_one_stream_are_all_fed() {
    let text = |name: &str, table: &str| {
        format!(
            "projection: {name}\nsource: {{ kinesis: {{ stream: orders, lane: $.id }} }}\n\
             document: {{ table: {table}, partition_key: id }}\nguard: last_event_id\non_error: fail\n\
             key: {{ id: $.id }}\nrules:\n  - name: ordered\n    add: {{ total: 1 }}\n"
        )
    };
    let folder = Folder::with("one.yaml", &text("one", "FirstView"));
    folder.write("folder/two.yml", &text("two", "SecondView"));
    let store = Store::start().await;
    let function = deploy(folder.path(), &store).await;
    let mut stream = KinesisStream::new("orders");
    deliver_whole(&function, &batch([stream.record("A", r#"{"id":"A"}"#), stream.record("A", r#"{"id":"A"}"#)])).await;
    for table in ["FirstView", "SecondView"] {
        let documents = store.documents(table, Bookkeeping::Hidden).await;
        assert_eq!(documents, [json!({ "id": "A", "total": 2 })], "{table}");
    }
}

#[tokio::test]
async fn streams_are_told_by_any_form_of_their_arn() {
    let store = Store::start().await;
    let function = deploy("projections/winner-view", &store).await;
    let scenario = golden::winner_view("winner view, ordered", "full replay of the same batch");
    let events = scenario.payload_events(&mut KinesisStream::new("retail"));
    for arn in [
        "arn:aws-us-gov:kinesis:us-gov-west-1:123456789012:stream/retail",
        "arn:aws-cn:kinesis:cn-north-1:123456789012:stream/retail",
        "arn:aws:kinesis:us-east-1:123456789012:stream/retail/consumer/viewfold:1712345678",
    ] {
        let mut event = events[0].clone();
        for record in event["Records"].as_array_mut().expect("an event has records") {
            record["eventSourceARN"] = arn.into();
        }
        deliver_whole(&function, &event).await;
    }
    assert_eq!(store.documents("Contributions", Bookkeeping::Hidden).await.len(), 1);
}

#[tokio::test]
async fn records_without_a_time_are_records() {
    let store = Store::start().await;
    let function = deploy("projections/votes", &store).await;
    let scenario = golden::streams("votes", "basic");
    for mut event in scenario.table_events(&mut TableStream::new(&store.table("votes"), &["id"])) {
        for record in event["Records"].as_array_mut().expect("an event has records") {
            let change = record["dynamodb"].as_object_mut().expect("a record has a change");
            change.remove("ApproximateCreationDateTime").expect("a time was there");
        }
        deliver_whole(&function, &event).await;
    }
    assert_eq!(store.documents("total_votes", Bookkeeping::Hidden).await.len(), 3);
}
