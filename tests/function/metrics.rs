//! The metrics that the function writes, as CloudWatch reads them.

use harness::cli::make_tables;
use harness::events::{KinesisStream, batch};
use harness::function::{Deployment, Function};
use harness::proxy::{Fault, Proxy};
use harness::scratch::Folder;
use harness::store::Store;
use serde_json::{Value, json};

use crate::{deliver, deliver_whole};

/// Two projections of one stream; the second takes only some of the events.
const BOTH: [(&str, &str); 2] = [
    (
        "all.yaml",
        "projection: all\nsource: { kinesis: { stream: orders, lane: $.id } }\n\
         document: { table: All, partition_key: id }\nguard: last_event_id\nkey: { id: $.id }\n\
         rules: [{ name: ordered, add: { total: $.amount } }]\n",
    ),
    (
        "large.yaml",
        "projection: large\nsource: { kinesis: { stream: orders, lane: $.id } }\n\
         document: { table: Large, partition_key: id }\nguard: { events_table: LargeSeen }\nkey: { id: $.id }\n\
         rules: [{ name: large, when: { $.large: true }, add: { count: 1 } }]\n",
    ),
];

/// What every projection's line has, whatever happened.
const ALWAYS: [&str; 13] = [
    "events",
    "matched",
    "applied",
    "repeated",
    "stale",
    "waiting",
    "rejected",
    "failed",
    "dead_letters",
    "requests",
    "write_units",
    "conflicts",
    "retries",
];

fn folder() -> Folder {
    let folder = Folder::with(BOTH[0].0, BOTH[0].1);
    folder.write(BOTH[1].0, BOTH[1].1);
    folder
}

/// The lines of metrics since the function started.
fn lines(function: &Function) -> Vec<Value> {
    let output = function.output();
    let lines = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["_aws"].is_object()).collect()
}

/// The newest line of a projection, or of an invocation.
#[track_caller]
fn newest(function: &Function, projection: Option<&str>) -> Value {
    let found = lines(function).into_iter().rfind(|line| line["Projection"].as_str() == projection);
    found.unwrap_or_else(|| panic!("no line of {projection:?}:\n{}", function.output()))
}

#[track_caller]
fn has(line: &Value, expected: &Value) {
    for (name, value) in expected.as_object().expect("names and values") {
        assert_eq!(line[name].as_f64(), value.as_f64(), "{name} in {line}");
    }
}

async fn start(folder: &Folder, store: &Store, proxy: &Proxy) -> Function {
    make_tables(folder.path(), store).await;
    let deployment = Deployment::new(folder.path(), store).set("AWS_ENDPOINT_URL_DYNAMODB", proxy.endpoint());
    deployment.start().await
}

fn order(stream: &mut KinesisStream, id: &str, large: bool) -> Value {
    stream.record(id, json!({ "id": id, "amount": 2, "large": large }).to_string())
}

#[tokio::test]
async fn a_batch_has_a_line_for_each_projection_and_one_of_its_own() {
    let (folder, store) = (folder(), Store::start().await);
    let proxy = Proxy::before(&store).await;
    let function = start(&folder, &store, &proxy).await;
    let mut stream = KinesisStream::new("orders");
    let [first, second, third] =
        [("A", true), ("B", false), ("A", false)].map(|(id, large)| order(&mut stream, id, large));
    let bad = stream.record("A", json!({ "id": "A", "amount": "much" }).to_string());
    let records = [first, second, third, bad];
    deliver_whole(&function, &batch(records.clone())).await;

    let all = newest(&function, Some("all"));
    has(
        &all,
        &json!({ "events": 4, "matched": 4, "applied": 3, "rejected": 1, "dead_letters": 1, "repeated": 0, "failed": 0 }),
    );
    has(&all, &json!({ "stale": 0, "waiting": 0, "conflicts": 0, "retries": 0 }));
    assert!(all["write_units"].as_f64() > Some(1.0), "{all}");
    let large = newest(&function, Some("large"));
    // Its event and document are one transaction, which takes two units for each item.
    has(
        &large,
        &json!({ "events": 4, "matched": 1, "applied": 1, "requests": 1, "events_per_request": 4, "write_units": 4 }),
    );
    for line in [&all, &large] {
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], "viewfold");
        assert_eq!(directive["Dimensions"], json!([["FunctionName", "Projection"]]));
        assert_eq!(line["FunctionName"], "viewfold");
        assert!(line["_aws"]["Timestamp"].as_u64() > Some(1_700_000_000_000), "{line}");
        assert_eq!(line["xrayTraceId"], "1-5bef4de7-ad49b0e87f6ef6c87fc2e700");
        assert!(line["requestId"].as_str().is_some_and(|id| id.starts_with("8476a536-")), "{line}");
        let named: Vec<&str> = directive["Metrics"]
            .as_array()
            .expect("metrics")
            .iter()
            .map(|metric| metric["Name"].as_str().expect("a name"))
            .collect();
        for name in ALWAYS.iter().chain(&["events_per_request", "lag_max", "lag_average"]) {
            assert!(named.contains(name) && line[*name].is_number(), "{name} in {line}");
        }
    }
    let whole = newest(&function, None);
    assert_eq!(whole["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["FunctionName"]]));
    has(&whole, &json!({ "records": 4 }));
    assert!(whole["start"].as_f64() > Some(0.0) && whole["duration"].as_f64() > Some(0.0), "{whole}");
    // The question for open dead letters is of no projection; that of the start is of no invocation.
    let asked = all["requests"].as_u64().expect("a count") + large["requests"].as_u64().expect("a count");
    assert!(whole["requests"].as_u64() > Some(asked), "{whole}");

    deliver_whole(&function, &batch(records)).await;
    has(&newest(&function, Some("all")), &json!({ "events": 4, "applied": 0, "repeated": 3, "waiting": 1 }));
    assert!(newest(&function, None)["start"].is_null(), "it has started once");
}

#[tokio::test]
async fn attempts_and_other_writers_are_counted() {
    let (folder, store) = (folder(), Store::start().await);
    let proxy = Proxy::before(&store).await;
    let function = start(&folder, &store, &proxy).await;
    let mut stream = KinesisStream::new("orders");
    deliver_whole(&function, &batch([order(&mut stream, "A", false)])).await;

    proxy.always("UpdateItem", Fault::Throttled);
    assert_eq!(deliver(&function, &batch([order(&mut stream, "A", false)])).await.len(), 1);
    has(
        &newest(&function, Some("all")),
        &json!({ "failed": 1, "requests": 1, "retries": 4, "write_units": 0, "conflicts": 0 }),
    );
    proxy.always("UpdateItem", Fault::Conflict(0));
    assert_eq!(deliver(&function, &batch([order(&mut stream, "B", false)])).await.len(), 1);
    has(&newest(&function, Some("all")), &json!({ "failed": 1, "requests": 1, "retries": 7, "conflicts": 8 }));
    proxy.calm();
}

#[tokio::test]
async fn lag_is_the_time_since_the_stream_got_the_event() {
    let (folder, store) = (folder(), Store::start().await);
    let proxy = Proxy::before(&store).await;
    let function = start(&folder, &store, &proxy).await;
    let mut stream = KinesisStream::new("orders");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs_f64();
    let mut records = [1, 2, 3].map(|_| order(&mut stream, "A", false));
    for (record, age) in records.iter_mut().zip([Some(600.0), Some(200.0), None]) {
        match age {
            Some(age) => record["kinesis"]["approximateArrivalTimestamp"] = json!(now - age),
            None => record["kinesis"]["approximateArrivalTimestamp"] = Value::Null,
        }
    }
    deliver_whole(&function, &batch(records)).await;
    let line = newest(&function, Some("all"));
    let within = |name: &str, about: f64| {
        let lag = line[name].as_f64().expect("a lag");
        assert!((about..about + 30_000.0).contains(&lag), "{name} {lag}");
    };
    within("lag_max", 600_000.0);
    within("lag_average", 400_000.0);

    let mut timeless = order(&mut stream, "A", false);
    timeless["kinesis"]["approximateArrivalTimestamp"] = Value::Null;
    deliver_whole(&function, &batch([timeless])).await;
    assert!(newest(&function, Some("all"))["lag_max"].is_null());
}

#[tokio::test]
async fn metrics_can_be_switched_off_and_nothing_else_can_be_meant() {
    let (folder, store) = (folder(), Store::start().await);
    make_tables(folder.path(), &store).await;
    let function = Deployment::new(folder.path(), &store).set("VIEWFOLD_METRICS", "none").start().await;
    deliver_whole(&function, &batch([order(&mut KinesisStream::new("orders"), "A", true)])).await;
    assert!(lines(&function).is_empty(), "{}", function.output());

    let failed = Deployment::new(folder.path(), &store).set("VIEWFOLD_METRICS", "on").start_expecting_failure().await;
    assert!(
        failed.output.contains("VIEWFOLD_METRICS is `on`") && failed.output.contains("`none`"),
        "{}",
        failed.output
    );
}
