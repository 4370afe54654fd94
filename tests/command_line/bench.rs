//! `viewfold bench`: what a user's own projections take, on this machine alone.

use harness::cli::viewfold;
use harness::scratch::Folder;
use harness::workload::{System, Workload};
use serde_json::Value;

use crate::json;

async fn report(arguments: &[&str]) -> Value {
    let all = [&["bench"], arguments, &["--format", "json"]].concat();
    let output = viewfold(all).run().await.expect_status(0);
    json(&output.stdout)
}

const VOTES: [&str; 3] = ["projections/votes", "--events", "examples/votes/events.json"];

#[tokio::test]
async fn the_stages_add_up_and_requests_are_those_of_a_run() {
    let report = report(&[&VOTES[..], &["--repeat", "3"]].concat()).await;
    assert_eq!((&report["events"], &report["batches"], &report["rounds"]), (&15.into(), &4.into(), &3.into()));
    let times = &report["nanoseconds_per_event"];
    let time = |stage: &str| times[stage].as_f64().unwrap_or_else(|| panic!("no time of {stage}: {report:#}"));
    for stage in ["decode", "match", "evaluate", "fold", "plan"] {
        assert!(time(stage) > 0.0, "{stage}: {report:#}");
    }
    let sum: f64 = ["decode", "match", "evaluate", "fold", "plan"].map(time).iter().sum();
    assert!((sum / time("all") - 1.0).abs() < 0.01, "{report:#}");
    let second = report["events_per_second"].as_f64().unwrap_or_default() * time("all");
    assert!((second / 1e9 - 1.0).abs() < 0.01, "{report:#}");

    let run = viewfold([&["run"], &VOTES[..], &["--format", "json"]].concat()).run().await.expect_status(0);
    let run = json(&run.stdout);
    let requests = report["requests_per_event"].as_f64().unwrap_or_default() * 15.0;
    assert_eq!(Some(requests.round()), run["requests"].as_f64());
    assert_eq!(report["projections"]["total_votes"], run["projections"]["total_votes"]);
}

#[tokio::test]
async fn prices_are_the_users_if_said() {
    let ours = report(&[&VOTES[..], &["--repeat", "1"]].concat()).await;
    assert_eq!(ours["prices"]["region"], "us-east-1");
    let theirs = [&VOTES[..], &["--repeat", "1", "--million-writes", "10", "--million-reads", "0"]].concat();
    let theirs = report(&theirs).await;
    assert_eq!(theirs["prices"]["region"], Value::Null);
    let number = |report: &Value, name: &str| report[name].as_f64().expect("a number");
    let dollars = number(&theirs, "write_units_per_event") * 10.0;
    assert!((number(&theirs, "dollars_per_million_events") - dollars).abs() < 1e-6, "{theirs:#}");
    assert!(number(&ours, "write_units_per_event") > 1.0, "{ours:#}");
    let output = viewfold([&["bench"], &VOTES[..], &["--million-writes", "cheap"]].concat()).run().await;
    assert!(output.expect_status(2).stderr.contains("a price in dollars is written like 0.625"));
}

#[tokio::test]
async fn many_events_on_one_document_take_few_write_units_each() {
    let folder = Folder::empty();
    let workload = Workload::new(System::VotesKinesis).payload(200..=400).keys(1);
    let (one, many) = (workload.clone().records(1).batches(40), workload.records(1000).batch());
    let text = |batch: &[u8]| String::from_utf8(batch.to_vec()).expect("a batch is text");
    folder.write("one.json", &one.iter().map(|batch| text(batch) + "\n").collect::<String>());
    folder.write("many.json", &text(&many));
    let units = async |name: &str| {
        let file = folder.path().join(name);
        let file = file.to_str().expect("a path in UTF-8");
        let report = report(&["tests/workloads/votes-kinesis", "--events", file, "--repeat", "1"]).await;
        report["write_units_per_event"].as_f64().expect("a number")
    };
    assert!((units("one.json").await - 1.0).abs() < 1e-9);
    // 1,000 votes for eight improvements of one region.
    assert!(units("many.json").await <= 0.008);
}

#[tokio::test]
async fn views_over_views_are_measured_with_what_feeds_them() {
    let arguments = ["projections/winner-view", "--events", "examples/winner-view/events.json", "--repeat", "1"];
    let output = viewfold([&["bench"], &arguments[..]].concat()).run().await.expect_status(0);
    assert!(output.stdout.contains("more from views"), "{}", output.stdout);
    for words in ["decode", "plan", "events and", "write units", "us-east-1, 2025-07", "for a million events"] {
        assert!(output.stdout.contains(words), "{words}:\n{}", output.stdout);
    }
}

#[tokio::test]
async fn a_batch_of_which_nothing_is_applied_is_told() {
    let folder = Folder::empty();
    let batch = |seed| Workload::new(System::VotesKinesis).records(3).seed(seed).batch();
    let spoil = |what: &str, by: &str| String::from_utf8(batch(2)).expect("a batch is text").replace(what, by);
    // The first batch, once more, and one whose payloads are none.
    let again = String::from_utf8(batch(1)).expect("a batch is text");
    folder.write("again.json", &format!("{again}\n{again}\n"));
    folder.write("bad.json", &spoil("\"data\":\"ey", "\"data\":\"!"));
    let bench = async |file: &str| {
        let file = folder.path().join(file);
        let file = file.to_str().expect("a path in UTF-8");
        viewfold(["bench", "tests/workloads/votes-kinesis", "--events", file, "--repeat", "1"]).run().await
    };
    let output = bench("again.json").await.expect_status(0);
    assert!(output.stderr.contains("event 2: none of its events was applied: 3 repeated"), "{}", output.stderr);
    let output = bench("bad.json").await.expect_status(1);
    assert!(output.stderr.contains("event 1: none of its events was applied: 3 rejected"), "{}", output.stderr);
    assert!(output.stderr.contains("base64"), "{}", output.stderr);
}

#[tokio::test]
async fn events_of_another_stream_and_files_that_are_not_there_are_told() {
    let other = viewfold(["bench", "projections/tournament", "--events", "examples/votes/events.json"]).run().await;
    assert!(other.expect_status(1).stderr.contains("no projection reads"));
    let missing = viewfold(["bench", "projections/votes", "--events", "nowhere.json"]).run().await.expect_status(2);
    assert!(missing.stderr.contains("nowhere.json cannot be read"), "{}", missing.stderr);
}
