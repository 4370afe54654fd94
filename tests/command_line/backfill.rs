//! `viewfold backfill`: what it refuses, what it says beforehand and afterwards, where it goes on, and what it makes of files.
//! (What it does beside a live function is in `function/backfill.rs`.)

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use harness::cli::{Output, Viewfold, make_tables, viewfold};
use harness::documents::{Bookkeeping, sorted};
use harness::events::{TableStream, batch};
use harness::golden;
use harness::oracle::votes;
use harness::oracle::winner_view::contributions;
use harness::scratch::Folder;
use harness::store::Store;
use harness::workspace;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::json as parsed;

const TOTAL_VOTES: &str = "projections/votes/total_votes.yaml";

/// So many votes; a few of them cannot be counted.
fn votes(count: usize) -> Vec<Value> {
    let region = |number: usize| if number.is_multiple_of(3) { "NORTH" } else { "SOUTH" };
    let vote = |number: usize| {
        let mut vote = json!({ "id": { "S": number.to_string() }, "region": { "S": region(number) } });
        if !number.is_multiple_of(17) {
            vote["improvement"] = json!({ "S": if number.is_multiple_of(2) { "TREES" } else { "🌷" } });
        }
        vote["note"] = json!({ "S": "x".repeat(500) });
        vote
    };
    (0..count).map(vote).collect()
}

fn expected(votes: &[Value]) -> Vec<Value> {
    let mut stream = TableStream::new("votes", &["id"]);
    let records: Vec<Value> = votes.iter().map(|vote| stream.insert(vote.clone())).collect();
    votes::total_votes(&records)
}

/// A store with a table of so many votes, and a folder for files.
async fn scene(count: usize) -> (Store, Folder) {
    let store = Store::start().await;
    store.make_source("votes", &[("id", "S")]).await;
    store.put("votes", &votes(count)).await;
    (store, Folder::empty())
}

/// The command, in a folder of its own; paths of projections are as the workspace sees them.
fn backfill(projections: &str, store: &Store, folder: &Folder) -> Viewfold {
    viewfold(["backfill"]).arg(workspace().join(projections)).within(folder.path()).at(store)
}

fn report(output: &Output) -> Value {
    parsed(&output.stdout)
}

async fn totals(store: &Store) -> Vec<Value> {
    store.documents("total_votes", Bookkeeping::Hidden).await
}

#[tokio::test]
async fn what_does_not_come_out_right_is_refused() {
    let (store, folder) = scene(10).await;
    let refused = backfill("projections/votes", &store, &folder).run().await.expect_status(1);
    assert_eq!(refused.stdout, "");
    for words in ["recent_votes", "the rule `vote cast` reads `$$.…`", "--projection NAME", "--items-as-inserts"] {
        assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
    }
    assert!(!refused.stderr.contains("total_votes"), "{}", refused.stderr);
    assert_eq!(store.tables().await, ["votes"], "nothing has been made");

    let command = backfill("projections/votes", &store, &folder).args(["--projection", "total_votes"]);
    command.run().await.expect_status(0);
    assert_eq!(totals(&store).await, expected(&votes(10)));

    // Who says that it is meant is told once more, and gets it.
    let command = backfill("projections/votes/recent_votes.yaml", &store, &folder).arg("--items-as-inserts");
    let taken = command.run().await;
    assert!(taken.stderr.contains("taken for inserts all the same"), "{}", taken.stderr);
}

#[tokio::test]
async fn wrong_use_says_what_to_do() {
    let (store, folder) = scene(1).await;
    let streams_alone = "projections/winner-view/contributions.yaml";
    for (command, words) in [
        (backfill(streams_alone, &store, &folder), "none of these projections reads a DynamoDB table"),
        (
            backfill(TOTAL_VOTES, &store, &folder).args(["--projection", "totals"]),
            "there is no projection `totals` among these: there is `total_votes`",
        ),
        (backfill(TOTAL_VOTES, &store, &folder).args(["--segment", "0/4"]), "a segment is written `3/16`"),
        (backfill(TOTAL_VOTES, &store, &folder).args(["--segment", "5/4"]), "a segment is written `3/16`"),
        (backfill(TOTAL_VOTES, &store, &folder).args(["--segment", "1/2", "--segments", "2"]), "cannot be used with"),
        (backfill(TOTAL_VOTES, &store, &folder).args(["--max-read-units", "0"]), "it has to be more than 0"),
        (backfill(TOTAL_VOTES, &store, &folder).args(["--from", "nowhere.gz"]), "nowhere.gz: cannot be read"),
        (viewfold(["backfill", TOTAL_VOTES]), "say where the tables are"),
        (
            backfill(streams_alone, &store, &folder).arg("--from-stream"),
            "--from-stream reads Kinesis on AWS, and goes with --aws",
        ),
        (
            viewfold(["backfill", TOTAL_VOTES, "--from-stream", "--aws"]),
            "none of these projections reads a Kinesis stream",
        ),
        (viewfold(["backfill", streams_alone, "--from-stream", "--aws", "--from", "x"]), "cannot be used with"),
        (
            viewfold(["verify", "projections/winner-view", "--from-stream", "--aws"]),
            "is made of the stream Contributions, too, which no Kinesis stream has",
        ),
    ] {
        let output = command.run().await.expect_status(2);
        assert!(output.stderr.contains(words), "{words}: {}", output.stderr);
    }
    let scores = backfill("projections/winner-view", &store, &folder).run().await.expect_status(0);
    assert!(
        scores.stderr.contains("contributions: what comes by the stream retail is in no table"),
        "{}",
        scores.stderr
    );
    let payloads = Folder::with("payloads.ndjson", "{\"id\":1}\n");
    let from = backfill(TOTAL_VOTES, &store, &folder).arg("--from").arg(payloads.path()).run().await;
    assert!(from.expect_status(2).stderr.contains("payloads.ndjson:1: this is the payload of a stream's record"));
}

#[tokio::test]
async fn a_dry_run_says_what_it_takes_and_writes_nothing() {
    let (store, folder) = scene(40).await;
    let said = backfill(TOTAL_VOTES, &store, &folder).arg("--dry-run").run().await.expect_status(0);
    assert!(said.stdout.starts_with("votes: about 40 items of "), "{}", said.stdout);
    assert!(said.stdout.contains("write units") && said.stdout.contains("dollars"), "{}", said.stdout);
    let json = backfill(TOTAL_VOTES, &store, &folder).args(["--dry-run", "--format", "json"]).run().await;
    let most = report(&json.expect_status(0));
    assert_eq!(most["at_most"]["write_units"], 40 * 4, "a row of marks and a document, in a transaction: {most}");
    assert_eq!(store.tables().await, ["votes"], "no table has been made");

    let export = export_json(&folder, &votes(3));
    let files =
        backfill(TOTAL_VOTES, &store, &folder).arg("--from").arg(&export).args(["--dry-run", "--format", "json"]);
    let files = report(&files.run().await.expect_status(0));
    assert_eq!(files["files"], json!([export.join("0.json.gz"), export.join("1.json.gz")]));
    assert_eq!(store.tables().await, ["votes"]);
}

#[tokio::test]
async fn what_costs_more_than_was_said_is_asked_for() {
    let (store, folder) = scene(40).await;
    let limited = backfill(TOTAL_VOTES, &store, &folder).args(["--max-dollars", "0.00001"]);
    let asked = limited.clone().run().await.expect_status(1);
    assert!(asked.stderr.contains("more than --max-dollars 0.00001; --yes allows it"), "{}", asked.stderr);
    assert_eq!(store.scan("total_votes").await.len(), 0);
    let report = report(&limited.args(["--yes", "--format", "json"]).run().await.expect_status(0));
    let expected_report = json!({ "read": 40, "applied": 40, "repeated": 0, "rejected": 0 });
    for (name, value) in expected_report.as_object().expect("an object") {
        assert_eq!(report[name], *value, "{name}: {report}");
    }
    assert!(report["write_units"].as_u64() > Some(0) && report["dollars"].as_f64() > Some(0.0), "{report}");
    assert_eq!(totals(&store).await, expected(&votes(40)));
    // Without an own word it says the same to people.
    let text = backfill(TOTAL_VOTES, &store, &folder).run().await.expect_status(0).stdout;
    assert!(text.starts_with("40 items read: 0 applied, 40 known already, 0 that cannot be applied\n"), "{text}");
}

#[tokio::test]
async fn a_command_that_was_killed_is_gone_on_with() {
    // Built before anything is waited for.
    harness::binaries::viewfold();
    let (store, folder) = scene(200).await;
    let state = folder.path().join("viewfold-backfill-total_votes.json");
    let slowly = backfill(TOTAL_VOTES, &store, &folder).args(["--segments", "1", "--max-read-units", "1"]);
    let watch = async {
        while !state.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        output = slowly.clone().run() => panic!("it was to be killed: {output:?}"),
        () = async { timeout(Duration::from_secs(60), watch).await.expect("it has come somewhere") } => {}
    }
    let read = parsed(&std::fs::read_to_string(&state).expect("the state is there"))["done"]["read"].clone();
    assert!((1..200).contains(&read.as_u64().expect("a number")), "{read}");

    // It is the state of this backfill alone.
    let other = backfill(TOTAL_VOTES, &store, &folder).args(["--segments", "2"]).run().await.expect_status(2);
    assert!(other.stderr.contains("is of another backfill"), "{}", other.stderr);
    assert!(other.stderr.contains("--restart begins anew, --state names another file"), "{}", other.stderr);
    let named = ["--segments", "2", "--state", "other.json", "--format", "json"];
    let known = report(&backfill(TOTAL_VOTES, &store, &folder).args(named).run().await.expect_status(0));
    assert_eq!(known["read"], 200);
    assert!(!folder.path().join("other.json").exists());

    let rest = backfill(TOTAL_VOTES, &store, &folder).args(["--segments", "1", "--format", "json"]).run().await;
    let rest = rest.expect_status(0);
    assert!(rest.stderr.contains("goes on behind the first"), "{}", rest.stderr);
    assert_eq!(report(&rest)["read"], 200, "with what had been read before: no item twice, none left out");
    assert!(!state.exists(), "nothing is left to go on with");
    assert_eq!(totals(&store).await, expected(&votes(200)));

    std::fs::write(&state, "{\"of\":\"something else\"}").expect("a file can be written");
    let again = backfill(TOTAL_VOTES, &store, &folder).args(["--restart", "--format", "json"]).run().await;
    assert_eq!(report(&again.expect_status(0))["applied"], 0);
    assert!(!state.exists());
}

fn packed(folder: &Folder, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.path().join(name);
    let file = std::fs::File::create(&path).expect("a file can be made");
    let mut encoder = GzEncoder::new(file, Compression::fast());
    encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish().map(drop)).expect("a file can be written");
    path
}

/// An export in DynamoDB JSON, of two files.
fn export_json(folder: &Folder, items: &[Value]) -> std::path::PathBuf {
    std::fs::create_dir(folder.path().join("data")).expect("a folder can be made");
    for (number, some) in items.chunks(items.len().div_ceil(2)).enumerate() {
        let lines: String = some.iter().map(|item| format!("{}\n", json!({ "Item": item }))).collect();
        packed(folder, &format!("data/{number}.json.gz"), &lines);
    }
    folder.path().join("data")
}

#[tokio::test]
async fn exports_make_what_the_table_makes() {
    let (store, folder) = scene(60).await;
    let export = export_json(&folder, &votes(60));
    let from_json = backfill(TOTAL_VOTES, &store, &folder).arg("--from").arg(export).args(["--format", "json"]);
    assert_eq!(report(&from_json.run().await.expect_status(0))["read"], 60);
    assert_eq!(totals(&store).await, expected(&votes(60)));
    // The items of the export are those of the table.
    let scan = backfill(TOTAL_VOTES, &store, &folder).args(["--format", "json"]).run().await.expect_status(0);
    assert_eq!(report(&scan)["applied"], 0);

    let (store, folder) = scene(0).await;
    let text = |item: &Value, name: &str| item[name]["S"].as_str().map(|text| format!("{name}:\"{text}\""));
    let line = |item: &Value| {
        let fields: Vec<String> = ["id", "region", "improvement"].iter().filter_map(|name| text(item, name)).collect();
        format!("$ion_1_0 {{Item:{{{}}}}}\n", fields.join(","))
    };
    let ion = packed(&folder, "export.ion.gz", &votes(60).iter().map(line).collect::<String>());
    backfill(TOTAL_VOTES, &store, &folder).arg("--from").arg(ion).run().await.expect_status(0);
    assert_eq!(totals(&store).await, expected(&votes(60)));
}

const WINNER_VIEW: &str = "projections/winner-view/contributions.yaml";

#[tokio::test]
async fn payloads_make_what_the_stream_makes() {
    let scenario = golden::winner_view("winner view, ordered", "basic in order, two products of one creator");
    let payloads: Vec<&Value> = scenario.batches().iter().flatten().collect();
    let (store, folder) = (Store::start().await, Folder::empty());
    let lines: String = payloads.iter().map(|payload| format!("{payload}\n")).collect();
    let archive = packed(&folder, "archive.ndjson.gz", &lines);
    let command = backfill(WINNER_VIEW, &store, &folder).arg("--from").arg(&archive);
    let output = command.clone().run().await;
    assert!(output.stdout.starts_with(&format!("{} events read: ", payloads.len())), "{output:?}");
    assert_eq!(store.documents("Contributions", Bookkeeping::Hidden).await, contributions(payloads.clone()));

    // What is there may be newer than the files, which nobody could tell afterwards.
    let asked = command.clone().run().await.expect_status(1);
    assert!(asked.stderr.contains("contributions has documents already"), "{}", asked.stderr);
    assert!(asked.stderr.contains("--yes allows it"), "{}", asked.stderr);
    let again = command.args(["--yes", "--format", "json"]).run().await;
    assert_eq!(report(&again)["applied"], 0, "{again:?}");
}

#[tokio::test]
async fn recorded_events_make_what_the_function_makes() {
    let (store, folder) = (Store::start().await, Folder::empty());
    let recorded = workspace().join("examples/votes/events.json");
    make_tables(&workspace().join(TOTAL_VOTES), &store).await;
    let ran = viewfold(["run", TOTAL_VOTES, "--events"]).arg(&recorded).args(["--format", "json"]).run().await;
    let documents = parsed(&ran.stdout)["documents"]["total_votes"].clone();
    let documents = documents.as_array().expect("the documents").clone();
    let from = backfill(TOTAL_VOTES, &store, &folder).arg("--from").arg(&recorded);
    from.clone().run().await.expect_status(0);
    assert_eq!(totals(&store).await, sorted(documents));
    // Their numbers are the stream's own: what comes again is known.
    let again = from.args(["--format", "json"]).run().await.expect_status(0);
    assert_eq!(report(&again)["applied"], 0);
}

#[tokio::test]
async fn files_that_have_changed_are_not_gone_on_with() {
    let (store, folder) = scene(0).await;
    let export = export_json(&folder, &votes(10));
    // The second file breaks off, so that the command does.
    let mut event = batch([TableStream::new("votes", &["id"]).insert(votes(1)[0].clone())]).to_string();
    event.push('\n');
    std::fs::write(export.join("0.events"), &event).expect("a file can be written");
    std::fs::write(export.join("1.events"), "{\"Records\": [").expect("a file can be written");
    let command = backfill(TOTAL_VOTES, &store, &folder).arg("--from").arg(&export);
    let broken = command.clone().run().await.expect_status(1);
    assert!(broken.stderr.contains("1.events"), "{}", broken.stderr);
    let state = folder.path().join("viewfold-backfill-total_votes.json");
    assert!(state.exists(), "{}", broken.stderr);
    // The numbers of the files are others now.
    std::fs::write(export.join("00.events"), &event).expect("a file can be written");
    let other = command.run().await.expect_status(2);
    assert!(other.stderr.contains("is of another backfill"), "{}", other.stderr);
}

#[tokio::test]
async fn items_that_cannot_be_applied_are_redriven_when_they_can() {
    let projection = |amount: &str| {
        format!(
            "projection: spent\nsource: {{ dynamodb: {{ table: orders, keys: [id] }} }}\n\
             document: {{ table: Spent, partition_key: customer }}\nguard: {{ last_event_id: lane }}\n\
             key: {{ customer: $.customer }}\nrules:\n  - {{ name: order, retract: true, add: {{ spent: {amount} }} }}\n"
        )
    };
    let (store, folder) = (Store::start().await, Folder::with("spent.yaml", &projection("$.amount")));
    store.make_source("orders", &[("id", "S")]).await;
    let order = |id: &str, amount: &str| json!({ "id": { "S": id }, "customer": { "S": "ann" }, amount: { "N": "3" } });
    store.put("orders", &[order("1", "amount"), order("2", "total"), order("3", "total")]).await;
    let command = |name: &str| viewfold([name]).arg(folder.path().join("spent.yaml")).within(folder.path()).at(&store);
    let told = command("backfill").run().await.expect_status(1);
    assert!(told.stdout.starts_with("3 items read: 1 applied, 0 known already, 2 that cannot"), "{}", told.stdout);
    assert!(told.stderr.contains("spent: dead letter (missing_value)"), "{}", told.stderr);

    folder.write("spent.yaml", &projection("'${ default($.amount, $.total) }'"));
    let left = command("backfill").run().await.expect_status(0);
    assert!(left.stdout.starts_with("3 items read: 0 applied, 3 known already"), "{}", left.stdout);
    command("redrive").arg("--all").run().await.expect_status(0);
    let spent = store.documents("Spent", Bookkeeping::Hidden).await;
    assert_eq!(spent, [json!({ "customer": "ann", "spent": 9 })]);
}
