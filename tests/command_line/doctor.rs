//! `viewfold doctor`: what is deployed, compared with what projections need.

use harness::cli::{Output, Viewfold, viewfold};
use harness::lambda_api::LambdaApi;
use harness::proxy::Proxy;
use harness::scratch::Folder;
use harness::store::Store;
use harness::workspace;
use serde_json::{Value, json};

use crate::json;

const SUMS: &str = "projection: sums
source: { kinesis: { stream: orders, lane: $.customer } }
document: { table: Sums, partition_key: customer }
guard: last_event_id
key: { customer: $.customer }
rules:
  - add: { total: $.amount }
";

/// Asks for findings, and gives them as they are for programs.
async fn findings(command: Viewfold, status: i32) -> Vec<Value> {
    let report = json(&command.args(["--format", "json"]).run().await.expect_status(status).stdout);
    report["findings"].as_array().unwrap_or_else(|| panic!("no findings: {report}")).clone()
}

/// The only finding.
#[track_caller]
fn only<'f>(findings: &'f [Value], severity: &str, what: &str) -> &'f Value {
    let [finding] = findings else { panic!("not one finding: {findings:#?}") };
    let says = finding["what"].as_str().unwrap_or_default();
    assert!(finding["severity"] == severity && says.contains(what), "{finding:#}");
    finding
}

fn doctor(folder: &Folder) -> Viewfold {
    viewfold(["doctor"]).arg(folder.path())
}

async fn deployed() -> (Folder, Store) {
    let (folder, store) = (Folder::with("sums.yaml", SUMS), Store::start().await);
    viewfold(["tables", "--create"]).arg(folder.path()).at(&store).run().await.expect_status(0);
    (folder, store)
}

fn mapping(changes: Value) -> Value {
    let mut mapping = json!({
        "UUID": "14e0db71-5d35-4eb5-b481-8945cf9d10c2",
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 100,
        "MaximumBatchingWindowInSeconds": 0,
        "ParallelizationFactor": 1,
        "EventSourceArn": "arn:aws:kinesis:us-east-1:123456789012:stream/orders",
        "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:views",
        "LastModified": 1_767_225_600.5,
        "LastProcessingResult": "OK",
        "State": "Enabled",
        "StateTransitionReason": "User action",
        "DestinationConfig": { "OnFailure": {} },
        "MaximumRecordAgeInSeconds": -1,
        "BisectBatchOnFunctionError": true,
        "MaximumRetryAttempts": -1,
        "TumblingWindowInSeconds": 0,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    });
    for (name, value) in changes.as_object().expect("changes") {
        mapping[name] = value.clone();
    }
    mapping
}

#[tokio::test]
async fn what_was_made_by_viewfold_is_sound_and_stays_as_it_is() {
    for projections in ["projections/votes", "projections/winner-view", "projections/tournament"] {
        let store = Store::start().await;
        viewfold(["tables", projections, "--create"]).at(&store).run().await.expect_status(0);
        let before = store.tables().await;
        let proxy = Proxy::before(&store).await;
        let command = viewfold(["doctor", projections, "--endpoint", &proxy.endpoint()]);
        let command = store.environment().into_iter().fold(command, |command, (name, value)| command.env(name, value));
        let output = command.run().await;
        // Source tables are not made by anybody here.
        let missing = output.stdout.matches("source table").count();
        assert_eq!(
            output.stdout.matches("error: ").count(),
            missing,
            "{projections}:\n{}{}",
            output.stdout,
            output.stderr
        );
        assert!(output.stderr.contains("AWS_ENDPOINT_URL_LAMBDA"), "{}", output.stderr);
        assert_eq!(store.tables().await, before);
        let mut asked: Vec<String> = proxy.take_operations().into_iter().map(|operation| operation.name).collect();
        asked.sort();
        asked.dedup();
        assert!(
            asked.iter().all(|name| ["DescribeTable", "DescribeTimeToLive", "Query", "Scan"].contains(&name.as_str())),
            "{asked:?}"
        );
    }
}

#[tokio::test]
async fn a_missing_table_is_told_with_the_command_that_makes_it() {
    let (folder, store) = (Folder::with("sums.yaml", SUMS), Store::start().await);
    let findings = findings(doctor(&folder).at(&store), 1).await;
    assert_eq!(findings.len(), 2, "{findings:#?}");
    assert!(findings.iter().all(|finding| finding["what"] == "it is not there"), "{findings:#?}");
    let fix = findings[0]["fix"].as_str().unwrap_or_default();
    assert!(fix.contains("viewfold tables") && fix.contains(store.endpoint()), "{fix}");
}

#[tokio::test]
async fn another_key_is_told() {
    let (folder, store) = deployed().await;
    folder.write(
        "sums.yaml",
        &SUMS.replace("partition_key: customer", "partition_key: { name: customer, type: number }"),
    );
    let found = findings(doctor(&folder).at(&store), 1).await;
    only(&found, "error", "has the key customer (S)");
}

#[tokio::test]
async fn a_guard_or_name_that_changed_under_documents_is_told() {
    let (folder, store) = deployed().await;
    let event = json!({ "Records": [{
        "eventSource": "aws:kinesis", "eventID": "shardId-000000000000:1", "eventVersion": "1.0",
        "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/orders",
        "kinesis": { "partitionKey": "ann", "sequenceNumber": "1", "approximateArrivalTimestamp": 1.0,
            "data": "eyJjdXN0b21lciI6ImFubiIsImFtb3VudCI6MX0=" },
    }] });
    folder.write("events.json", &event.to_string());
    let run =
        viewfold(["run"]).arg(folder.path().join("sums.yaml")).arg("--events").arg(folder.path().join("events.json"));
    run.at(&store).run().await.expect_status(0);
    assert_eq!(findings(doctor(&folder).at(&store), 0).await, [Value::Null; 0]);

    folder.write("sums.yaml", &SUMS.replace("projection: sums", "projection: totals"));
    let found = findings(doctor(&folder).at(&store), 1).await;
    assert!(found[0]["what"].as_str().is_some_and(|what| what.contains("`_vf_sums`")), "{found:#?}");

    folder.write("sums.yaml", &SUMS.replace("stream: orders", "stream: sales"));
    only(&findings(doctor(&folder).at(&store), 1).await, "error", "a mark of another stream");
    // No item is looked at.
    assert_eq!(findings(doctor(&folder).arg("--sample=0").at(&store), 0).await, [Value::Null; 0]);
}

#[tokio::test]
async fn open_dead_letters_are_counted() {
    let (folder, store) = deployed().await;
    let event = json!({ "Records": [{
        "eventSource": "aws:kinesis", "eventID": "shardId-000000000000:1", "eventVersion": "1.0",
        "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/orders",
        "kinesis": { "partitionKey": "ann", "sequenceNumber": "1", "approximateArrivalTimestamp": 1.0, "data": "bm8=" },
    }] });
    folder.write("events.json", &event.to_string());
    let run =
        viewfold(["run"]).arg(folder.path().join("sums.yaml")).arg("--events").arg(folder.path().join("events.json"));
    run.at(&store).run().await.expect_status(1);
    let found = findings(doctor(&folder).at(&store), 1).await;
    let letter = only(&found, "warning", "1 dead letter is open: `sums`");
    assert!(letter["fix"].as_str().is_some_and(|fix| fix.contains("viewfold redrive")), "{letter:#}");
}

async fn with_mappings(mappings: Vec<Value>, function: Option<&str>) -> (Output, LambdaApi) {
    let (folder, store) = deployed().await;
    let lambda = LambdaApi::with(mappings).await;
    let command = doctor(&folder).env("AWS_ENDPOINT_URL_LAMBDA", lambda.endpoint()).at(&store);
    let command = function.into_iter().fold(command, |command, name| command.args(["--function", name]));
    (command.run().await, lambda)
}

#[tokio::test]
async fn mappings_are_looked_at_and_nothing_else() {
    let other = mapping(
        json!({ "UUID": "2", "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:other", "FunctionResponseTypes": [] }),
    );
    let (output, lambda) = with_mappings(vec![other.clone(), mapping(json!({}))], Some("views")).await;
    let output = output.expect_status(0);
    assert!(output.stdout.contains("0 errors, 0 warnings"), "{}", output.stdout);
    assert_eq!(lambda.asked(), ["GET /2015-03-31/event-source-mappings"; 2], "both pages, and only read");

    let (output, _) = with_mappings(vec![other, mapping(json!({}))], None).await;
    assert!(output.stdout.contains("--function") && !output.stdout.contains("ReportBatch"), "{}", output.stdout);
    let (output, _) = with_mappings(vec![], None).await;
    assert!(output.expect_status(1).stdout.contains("create-event-source-mapping"));
    let wrong = mapping(json!({ "FunctionResponseTypes": [], "MaximumRetryAttempts": 2 }));
    let (output, _) = with_mappings(vec![wrong], None).await;
    let output = output.expect_status(1);
    for change in ["--function-response-types ReportBatchItemFailures", "--maximum-retry-attempts -1"] {
        assert!(output.stdout.contains(change), "{}", output.stdout);
    }
}

#[tokio::test]
async fn what_may_not_be_looked_at_is_told_with_its_permission() {
    let (folder, store) = deployed().await;
    let lambda = LambdaApi::denied().await;
    let command = doctor(&folder).env("AWS_ENDPOINT_URL_LAMBDA", lambda.endpoint()).at(&store);
    let found = findings(command, 1).await;
    let refused = only(&found, "warning", "could not be looked at");
    assert!(refused["fix"].as_str().is_some_and(|fix| fix.contains("lambda:ListEventSourceMappings")), "{refused:#}");
}

#[tokio::test]
async fn it_has_to_be_said_where() {
    let output = viewfold(["doctor", "projections/votes"]).within(workspace()).run().await.expect_status(2);
    assert!(output.stderr.contains("--aws"), "{}", output.stderr);
}

/// Another DynamoDB.
#[tokio::test]
async fn tables_of_moto_are_found_sound() {
    let Some(store) = Store::moto().await else { return };
    let folder = Folder::with("sums.yaml", SUMS);
    viewfold(["tables", "--create"]).arg(folder.path()).at(&store).run().await.expect_status(0);
    assert_eq!(findings(doctor(&folder).at(&store), 0).await, [Value::Null; 0]);
}
