//! What the function logs, and what it never does.

use harness::cli::make_tables;
use harness::events::{KinesisStream, batch};
use harness::function::{Deployment, Function};
use harness::scratch::Folder;
use harness::store::Store;
use serde_json::{Value, json};

use crate::deliver;

/// No log may have this in it.
const CANARY: &str = "CANARY7F3";

/// A projection in which much can go wrong, each in a stream of its own.
fn projection(name: &str, rest: &str) -> String {
    let lane = if name == "wrong_lane" { ", lane: $.id" } else { "" };
    format!(
        "projection: {name}\nsource: {{ kinesis: {{ stream: {name}{lane} }} }}\nguard: {{ events_table: Seen, id: $.event }}\n\
         document: {{ table: {name}, partition_key: id }}\n{rest}\n"
    )
}

/// Name, rules, payload, and the reason for which it cannot be applied.
fn cases() -> Vec<(&'static str, &'static str, String, &'static str)> {
    let payload = |more: &str| format!(r#"{{"event":"{CANARY}","id":"{CANARY}"{more}}}"#);
    vec![
        (
            "undecodable",
            "key: { id: $.id }\nrules: [{ name: r, add: { n: 1 } }]",
            format!("{{\"{CANARY}\": {CANARY}"),
            "undecodable",
        ),
        ("missing", "key: { id: $.no }\nrules: [{ name: r, add: { n: 1 } }]", payload(""), "missing_value"),
        ("wrong_type", "key: { id: $.id }\nrules: [{ name: r, add: { n: $.id } }]", payload(""), "wrong_type"),
        (
            "bad_key",
            "key: { id: $.long }\nrules: [{ name: r, add: { n: 1 } }]",
            payload(&format!(r#","long":"{}""#, CANARY.repeat(300))),
            "bad_key",
        ),
        (
            "bad_number",
            "key: { id: $.id }\nrules: [{ name: r, add: { n: $.n } }]",
            payload(r#","n":1e200"#),
            "bad_number",
        ),
        (
            "expression",
            "key: { id: $.id }\nrules: [{ name: r, add: { n: '${ 1 / $.zero }' } }]",
            payload(r#","zero":0"#),
            "expression",
        ),
        ("wrong_lane", "key: { id: $.id }\nrules: [{ name: r, add: { n: 1 } }]", payload(""), "wrong_lane"),
        (
            "conflicting",
            "key: { id: $.id }\nrules: [{ name: r, any_order: true, set: { 'm.${ $.id }': 2 } }, { name: s, any_order: true, set: { 'm.${ $.id }': 1 } }]",
            payload(""),
            "conflict",
        ),
    ]
}

fn lines(function: &Function) -> Vec<Value> {
    let output = function.output();
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
    output.lines().map(parse).collect()
}

fn about_events(function: &Function) -> Vec<Value> {
    let is_about =
        |line: &Value| line["message"].as_str().is_some_and(|text| text.starts_with("an event was not applied"));
    lines(function).into_iter().filter(is_about).collect()
}

/// Everything that the function writes while events with a canary in every value cannot be applied.
async fn provoke(variables: &[(&str, &str)]) -> (Function, Vec<&'static str>) {
    let folder = Folder::empty();
    let cases = cases();
    for (name, rest, ..) in &cases {
        folder.write(&format!("{name}.yaml"), &projection(name, rest));
    }
    let store = Store::start().await;
    make_tables(folder.path(), &store).await;
    let deployment = Deployment::new(folder.path(), &store);
    let deployment = variables.iter().fold(deployment, |deployment, (name, value)| deployment.set(name, value));
    let function = deployment.start().await;
    for (name, _, payload, _) in &cases {
        let record = KinesisStream::new(name).record("lane", payload);
        assert!(deliver(&function, &batch([record])).await.is_empty(), "{}", function.output());
    }
    (function, cases.iter().map(|(.., reason)| *reason).collect())
}

#[tokio::test]
async fn a_line_says_which_event_and_why_and_nothing_of_its_payload() {
    let (function, reasons) = provoke(&[("AWS_LAMBDA_LOG_LEVEL", "TRACE"), ("RUST_LOG", "trace")]).await;
    let output = function.output();
    assert!(!output.contains(CANARY), "{output}");
    let lines = about_events(&function);
    let found: Vec<&str> = lines.iter().filter_map(|line| line["reason"].as_str()).collect();
    assert_eq!(found, reasons, "{output}");
    for line in &lines {
        for name in ["timestamp", "level", "requestId", "projection", "lane", "sequence", "fate"] {
            assert!(line[name].is_string(), "{name} in {line}");
        }
        assert_eq!(
            (&line["level"], &line["fate"], &line["lane"]),
            (&json!("WARN"), &json!("dead_letter"), &json!("lane"))
        );
        assert_eq!(line["xrayTraceId"], "1-5bef4de7-ad49b0e87f6ef6c87fc2e700");
    }
    let wrong = lines.iter().find(|line| line["reason"] == "wrong_type").expect("a line of it");
    assert_eq!(wrong["rule"], "r");
}

#[tokio::test]
async fn payloads_are_logged_where_that_is_allowed() {
    let (function, _) = provoke(&[("VIEWFOLD_LOG_PAYLOADS", "1")]).await;
    for line in about_events(&function) {
        assert!(line["payload"].as_str().is_some_and(|text| text.contains("\"kinesis\"")), "{line}");
        assert!(line["detail"].is_string(), "{line}");
    }
    // So does what the first test finds nothing of.
    assert!(function.output().contains(CANARY), "{}", function.output());
}

#[tokio::test]
async fn a_flood_has_a_hundred_lines_and_a_count() {
    let folder =
        Folder::with("flood.yaml", &projection("flood", "key: { id: $.no }\nrules: [{ name: r, add: { n: 1 } }]"));
    let store = Store::start().await;
    make_tables(folder.path(), &store).await;
    let function = Deployment::new(folder.path(), &store).start().await;
    let mut stream = KinesisStream::new("flood");
    let records = (0..250).map(|number| stream.record("lane", json!({ "event": number.to_string() }).to_string()));
    assert!(deliver(&function, &batch(records)).await.is_empty());
    assert_eq!(about_events(&function).len(), 100);
    let more: Vec<Value> = lines(&function).into_iter().filter(|line| line["more"].is_number()).collect();
    let [line] = &more[..] else { panic!("{more:?}") };
    assert_eq!(
        (&line["more"], &line["projection"], &line["reason"]),
        (&json!(150), &json!("flood"), &json!("missing_value"))
    );
}

#[tokio::test]
async fn levels_and_forms_are_the_platforms() {
    let (function, _) = provoke(&[("AWS_LAMBDA_LOG_LEVEL", "ERROR")]).await;
    let others: Vec<Value> = lines(&function).into_iter().filter(|line| line["_aws"].is_null()).collect();
    assert!(others.is_empty(), "{others:?}");
    // Lambda drops what is below the level.
    assert!(lines(&function).iter().all(|line| line["level"] == "ERROR"), "{}", function.output());

    let (function, _) = provoke(&[("AWS_LAMBDA_LOG_FORMAT", "Text"), ("VIEWFOLD_METRICS", "none")]).await;
    let output = function.output();
    assert!(output.contains("WARN an event was not applied: a value is missing"), "{output}");
    assert!(output.lines().all(|line| !line.starts_with('{')) && !output.contains(CANARY), "{output}");
}
