//! Views of Kinesis streams that are filled with what the streams retain (`viewfold backfill --from-stream`), and then kept by
//! the function, which gets some of it once more.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use harness::cli::{Output, Viewfold, make_tables, viewfold};
use harness::documents::Bookkeeping;
use harness::events::batch;
use harness::function::Deployment;
use harness::kinesis::{Kinesis, Trimmed};
use harness::scratch::Folder;
use harness::store::Store;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::deliver_whole;
use crate::packed::AGGREGATE;

const PROJECTION: &str = r"projection: amounts
source: { kinesis: { stream: orders, lane: $.id } }
document: { table: Amounts, partition_key: id }
guard: { last_event_id: document }
key: { id: $.id }
rules:
  - name: ordered
    add: { total: $.amount, orders: 1 }
    set: { last: $.amount }
";

/// A stream, a view that is not deployed yet, and what has to be in it.
struct Scene {
    kinesis: Kinesis,
    store: Store,
    folder: Folder,
    expected: BTreeMap<String, Value>,
    count: u64,
}

impl Scene {
    async fn of(kinesis: Kinesis, projection: &str) -> Scene {
        let store = Store::start().await;
        let folder = Folder::with("projections/amounts.yaml", projection);
        kinesis.make("orders", 2).await;
        make_tables(&folder.path().join("projections"), &store).await;
        Scene { kinesis, store, folder, expected: BTreeMap::new(), count: 0 }
    }

    /// So many customers order something, so many times each.
    async fn order(&mut self, times: u64) {
        for _ in 0..times {
            for customer in 0..20 {
                self.count += 1;
                let (id, amount) = (format!("customer {customer}"), self.count);
                let payload = json!({ "id": id, "amount": amount }).to_string();
                self.kinesis.put("orders", &id, payload).await;
                let document = self.expected.entry(id.clone());
                let document = document.or_insert_with(|| json!({ "id": id, "total": 0, "orders": 0 }));
                document["total"] = (document["total"].as_u64().expect("a sum") + amount).into();
                document["orders"] = (document["orders"].as_u64().expect("a count") + 1).into();
                document["last"] = amount.into();
            }
        }
    }

    fn command(&self, name: &str) -> Viewfold {
        let command = viewfold([name, "projections", "--from-stream", "--aws"])
            .within(self.folder.path())
            .env("AWS_ENDPOINT_URL_DYNAMODB", self.store.endpoint())
            .env("AWS_ENDPOINT_URL_KINESIS", self.kinesis.endpoint());
        self.store.environment().into_iter().fold(command, |command, (name, value)| command.env(name, value))
    }

    async fn fill(&self) -> Value {
        let output = self.command("backfill").args(["--format", "json"]).run().await;
        // 1: there were events that cannot be applied.
        assert!(matches!(output.status, Some(0 | 1)) && !output.stdout.is_empty(), "{output:?}");
        serde_json::from_str(&output.stdout).expect("a report")
    }

    async fn assert_right(&self, when: &str) {
        let documents = self.store.documents("Amounts", Bookkeeping::Hidden).await;
        let expected = harness::documents::sorted(self.expected.values().cloned());
        assert_eq!(documents, expected, "{when}");
    }

    /// The function gets all that the stream has, as if its checkpoint lay at the beginning, and knows it all.
    async fn assert_known_to_the_function(&self) {
        let before = self.store.documents("Amounts", Bookkeeping::Shown).await;
        let letters = self.store.letters().await.len();
        let function = Deployment::new(&self.folder.path().join("projections"), &self.store).start().await;
        for records in self.kinesis.records("orders").await {
            for some in records.chunks(70) {
                deliver_whole(&function, &batch(some.to_vec())).await;
            }
        }
        assert_eq!(
            self.store.documents("Amounts", Bookkeeping::Shown).await,
            before,
            "each mark is the function's own"
        );
        assert_eq!(self.store.letters().await.len(), letters, "and each dead letter");
    }

    fn state(&self) -> std::path::PathBuf {
        self.folder.path().join("viewfold-backfill-amounts-stream.json")
    }
}

/// Kills a command once it has written down how far it has come.
async fn killed(command: Viewfold, state: &std::path::Path) {
    let watch = async {
        while !state.exists() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        output = command.run() => panic!("it was to be killed: {output:?}"),
        () = async { timeout(Duration::from_secs(60), watch).await.expect("it has come somewhere") } => {}
    }
}

#[tokio::test]
async fn a_view_is_filled_and_handed_over_to_the_function() {
    let mut scene = Scene::of(Kinesis::pretended().await, PROJECTION).await;
    // Five records in one: for A, for B, and two that cannot be applied.
    scene.kinesis.put("orders", "outer", BASE64_STANDARD.decode(AGGREGATE).expect("the constant is Base64")).await;
    scene.expected.insert("A".into(), json!({ "id": "A", "total": 5, "orders": 2, "last": 4 }));
    scene.expected.insert("B".into(), json!({ "id": "B", "total": 2, "orders": 1, "last": 2 }));
    scene.order(15).await;

    killed(scene.command("backfill"), &scene.state()).await;
    let state: Value = serde_json::from_slice(&std::fs::read(scene.state()).expect("a state")).expect("JSON");
    let read = state["done"]["read"].as_u64().expect("a number");
    assert!((1..301).contains(&read), "{read}");

    // Others read the shards, too, and the view has taken its time.
    scene.kinesis.control().throttle(2);
    scene.kinesis.control().expire(1);
    let report = scene.fill().await;
    assert_eq!(report["read"], 301, "with what had been read before: no record twice, none left out");
    // What was in the view when it was killed, and not yet written down, is known by its marks.
    let sum: u64 = ["applied", "repeated", "rejected"].iter().filter_map(|name| report[*name].as_u64()).sum();
    assert_eq!(sum, 300 + 5, "{report}");
    scene.assert_right("after the first run").await;

    // Meanwhile a shard was split, others were merged, and orders came before and after that.
    scene.order(3).await;
    scene.kinesis.split("orders", "shardId-000000000000").await;
    scene.order(3).await;
    let merge = json!({ "StreamName": "orders", "ShardToMerge": "shardId-000000000002", "AdjacentShardToMerge": "shardId-000000000003" });
    scene.kinesis.post("MergeShards", &merge).await;
    scene.order(3).await;
    let report = scene.fill().await;
    assert_eq!((&report["read"], &report["applied"]), (&json!(180), &json!(180)), "what came in between, and no more");
    scene.assert_right("after the second run").await;
    let report = scene.fill().await;
    assert_eq!(report["read"], 0, "{report}");

    scene.assert_known_to_the_function().await;
    scene.assert_right("with the function").await;
    let verified = scene.command("verify").args(["--settle", "0"]).run().await.expect_status(0);
    assert!(verified.stdout.starts_with("22 documents: all as they have to be"), "{verified:?}");
}

#[tokio::test]
async fn a_stream_of_moto_fills_a_view() {
    let Some(moto) = Store::moto().await else { return };
    let mut scene = Scene::of(Kinesis::of(&moto), PROJECTION).await;
    scene.order(12).await;
    killed(scene.command("backfill"), &scene.state()).await;
    assert_eq!(scene.fill().await["read"], 240);
    scene.assert_right("after the first run").await;
    scene.order(2).await;
    assert_eq!(scene.fill().await["applied"], 40);
    scene.assert_right("after the second run").await;
    // In moto a shard that was split goes on taking records, and its children never have any: they are read, and that is all.
    scene.kinesis.split("orders", "shardId-000000000000").await;
    assert_eq!(scene.fill().await["read"], 0);
    scene.assert_known_to_the_function().await;
    scene.command("verify").args(["--settle", "0"]).run().await.expect_status(0);
}

#[tokio::test]
async fn what_was_trimmed_meanwhile_is_an_error() {
    for trimmed in [Trimmed::Stays, Trimmed::Skips, Trimmed::Refused] {
        let mut scene = Scene::of(Kinesis::pretended().await, PROJECTION).await;
        scene.kinesis.control().answer_for_trimmed(trimmed);
        scene.order(5).await;
        scene.fill().await;
        // As long as the last record that was read is there, nothing behind it is gone.
        scene.kinesis.control().retain("orders", 0);
        scene.order(1).await;
        assert_eq!(scene.fill().await["applied"], 20);
        scene.assert_right("nothing was trimmed").await;

        let before = scene.store.documents("Amounts", Bookkeeping::Shown).await;
        scene.order(2).await;
        scene.kinesis.control().trim("orders", 90);
        let failed = scene.command("backfill").run().await.expect_status(1);
        for words in ["what came into shardId-", "was trimmed before it was read", "--from PATH", "--restart"] {
            assert!(failed.stderr.contains(words), "{trimmed:?}, {words}: {}", failed.stderr);
        }
        assert_eq!(scene.store.documents("Amounts", Bookkeeping::Shown).await, before, "{trimmed:?}");
    }
}

#[tokio::test]
async fn a_quiet_shard_whose_last_record_was_trimmed_has_lost_nothing() {
    for trimmed in [Trimmed::Stays, Trimmed::Skips, Trimmed::Refused] {
        let mut scene = Scene::of(Kinesis::pretended().await, PROJECTION).await;
        scene.kinesis.control().answer_for_trimmed(trimmed);
        scene.order(2).await;
        scene.fill().await;
        // The command had come to the end, and nobody ordered anything for a long time.
        scene.kinesis.control().trim("orders", 1000);
        scene.order(1).await;
        assert_eq!(scene.fill().await["applied"], 20, "{trimmed:?}");
        scene.assert_right("what is left is all that is new").await;
    }
}

#[tokio::test]
async fn a_stream_that_was_made_anew_is_another_one() {
    let mut scene = Scene::of(Kinesis::pretended().await, PROJECTION).await;
    scene.order(1).await;
    scene.fill().await;
    scene.kinesis.make("orders", 2).await;
    let failed = scene.command("backfill").run().await.expect_status(1);
    assert!(failed.stderr.contains("was made anew"), "{}", failed.stderr);
    scene.command("backfill").args(["--restart", "--yes"]).run().await.expect_status(0);
}

#[tokio::test]
async fn a_view_with_documents_is_asked_for() {
    let mut scene = Scene::of(Kinesis::pretended().await, PROJECTION).await;
    scene.order(2).await;
    scene.fill().await;
    std::fs::remove_file(scene.state()).expect("the state stays");
    let asked = scene.command("backfill").run().await.expect_status(1);
    assert!(asked.stderr.contains("amounts has documents already: events of the stream orders"), "{}", asked.stderr);
    assert!(asked.stderr.contains("--yes allows it"), "{}", asked.stderr);
    let known = scene.command("backfill").args(["--yes", "--format", "json"]).run().await.expect_status(0);
    assert_eq!(report(&known)["applied"], 0);
    scene.assert_right("all is known").await;

    // A dry run reads nothing.
    let calls = scene.kinesis.control().calls("GetRecords");
    let said = scene.command("backfill").arg("--dry-run").run().await.expect_status(0);
    assert!(said.stdout.starts_with("orders: 2 shards for amounts; the stream is of "), "{}", said.stdout);
    assert_eq!(scene.kinesis.control().calls("GetRecords"), calls);
}

#[tokio::test]
async fn a_view_whose_guard_knows_ids_may_be_filled_while_the_function_goes_on() {
    let guard =
        |keep: &str| PROJECTION.replace("{ last_event_id: document }", &format!("{{ events_table: Seen{keep} }}"));
    // `set` goes by the order in which events are folded.
    let guard = |keep: &str| guard(keep).replace("    set: { last: $.amount }\n", "");
    let mut scene = Scene::of(Kinesis::pretended().await, &guard("")).await;
    scene.order(6).await;
    scene.expected.values_mut().for_each(|document| drop(document.as_object_mut().expect("a document").remove("last")));
    let function = Deployment::new(&scene.folder.path().join("projections"), &scene.store).start().await;
    // The function began at the stream's end of some time ago.
    for records in scene.kinesis.records("orders").await {
        deliver_whole(&function, &batch(records[records.len() / 2..].to_vec())).await;
    }
    let report = scene.fill().await;
    assert!(report["applied"].as_u64() > Some(0) && report["repeated"].as_u64() > Some(0), "{report}");
    scene.assert_right("each counts once").await;

    // What is older than it remembers would be dead letters.
    scene.folder.write("projections/amounts.yaml", &guard(", keep_for: 24h"));
    let asked = scene.command("backfill").arg("--restart").run().await.expect_status(1);
    assert!(asked.stderr.contains("takes no event that is older than its `keep_for`"), "{}", asked.stderr);
}

#[tokio::test]
async fn a_stream_that_is_not_whole_puts_nothing_right() {
    let mut scene = Scene::of(Kinesis::pretended().await, PROJECTION).await;
    scene.order(2).await;
    scene.fill().await;
    scene.kinesis.control().age("orders");
    scene.kinesis.control().trim("orders", 1);
    let verified = scene.command("verify").args(["--settle", "0"]).run().await.expect_status(1);
    assert!(verified.stderr.contains("what came before is not in it"), "{}", verified.stderr);
    assert!(verified.stdout.contains("is different"), "{}", verified.stdout);
    let refused = scene.command("verify").arg("--repair").run().await.expect_status(2);
    assert!(refused.stderr.contains("--repair would take it out of the view"), "{}", refused.stderr);
    scene.assert_right("as it was").await;
}

fn report(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).expect("a report")
}
