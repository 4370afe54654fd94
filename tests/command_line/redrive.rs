//! `viewfold dead-letters` and `viewfold redrive`: events that could not be applied, looked at, and applied once the projection
//! is corrected.

use std::time::Duration;

use harness::cli::{Viewfold, viewfold};
use harness::events::{KinesisStream, batch};
use harness::scratch::Folder;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::json;

/// Sums by customer. Some producers call the amount `total`, which the first version does not know.
fn projection(amount: &str) -> String {
    format!(
        "projection: totals\nsource: {{ kinesis: {{ stream: orders, lane: $.customer }} }}\n\
         document: {{ table: Totals, partition_key: customer }}\nguard: last_event_id\nkey: {{ customer: $.customer }}\n\
         rules:\n  - {{ name: order, add: {{ spent: {amount} }}, set: {{ last: $.order }} }}\n"
    )
}

/// A folder with both versions, events, and a database in which the first version has folded them.
struct Scene {
    folder: Folder,
}

impl Scene {
    async fn of(payloads: &[Value]) -> Scene {
        let mut stream = KinesisStream::new("orders");
        let records: Vec<Value> = payloads
            .iter()
            .map(|payload| {
                let lane = payload["customer"].as_str().unwrap_or("-").to_owned();
                stream.record(&lane, payload.to_string())
            })
            .collect();
        let folder = Folder::with("first.yaml", &projection("$.amount"));
        folder.write("corrected.yaml", &projection("'${ default($.amount, $.total) }'"));
        folder.write("events.json", &batch(records).to_string());
        let scene = Scene { folder };
        scene.run("first.yaml").await;
        scene
    }

    fn at(&self, command: Viewfold) -> Viewfold {
        command.arg("--db").arg(self.folder.path().join("data.db"))
    }

    /// Delivers all events; the documents.
    async fn run(&self, version: &str) -> Value {
        let command = viewfold(["run"]).arg(self.folder.path().join(version));
        let command = command.arg("--events").arg(self.folder.path().join("events.json")).arg("--format").arg("json");
        let output = self.at(command).run().await;
        json(&output.stdout)["documents"]["Totals"].clone()
    }

    fn redrive(&self, version: &str, arguments: &[&str]) -> Viewfold {
        let command = viewfold(["redrive"]).arg(self.folder.path().join(version));
        self.at(arguments.iter().fold(command, |command, argument| command.arg(argument)))
    }

    async fn letters(&self, arguments: &[&str]) -> Value {
        let command = viewfold(["dead-letters", "list", "--format", "json"]);
        let command = arguments.iter().fold(command, |command, argument| command.arg(argument));
        json(&self.at(command).run().await.expect_status(0).stdout)
    }
}

fn outcomes(output: &str) -> Vec<String> {
    let results = json(output);
    let results = results.as_array().expect("a list").iter();
    results.map(|one| one["outcome"].as_str().expect("an outcome").to_owned()).collect()
}

fn orders() -> [Value; 4] {
    [
        json!({ "customer": "ann", "amount": 3, "order": "o1" }),
        json!({ "customer": "ann", "total": 4, "order": "o2" }),
        json!({ "customer": "ann", "amount": 5, "order": "o3" }),
        json!({ "customer": "bob", "total": 7, "order": "o4" }),
    ]
}

#[tokio::test]
async fn what_could_not_be_applied_is_applied_once_the_projection_is_corrected() {
    let scene = Scene::of(&orders()).await;
    let letters = scene.letters(&[]).await;
    let reasons: Vec<&Value> = letters.as_array().expect("a list").iter().map(|letter| &letter["reason"]).collect();
    assert_eq!(reasons, ["missing_value", "missing_value"]);
    let id = letters[0]["letter"].as_str().expect("an id").to_owned();

    // As it is, it still cannot be applied, and stays.
    let output = scene.redrive("first.yaml", &["--all", "--format", "json"]).run().await.expect_status(1);
    assert_eq!(outcomes(&output.stdout), ["rejected", "rejected"]);
    // A dry run changes nothing.
    let output = scene.redrive("corrected.yaml", &["--all", "--dry-run"]).run().await.expect_status(0);
    assert!(output.stdout.contains("add spent 4 in {\"customer\":\"ann\"}"), "{}", output.stdout);
    assert!(output.stdout.contains("(asks first: set last \"o2\""), "{}", output.stdout);
    assert_eq!(scene.letters(&[]).await, letters);
    // Nobody is there to say that o2 may overwrite o3; bob has nothing newer.
    let output = scene.redrive("corrected.yaml", &["--all", "--format", "json"]).run().await.expect_status(1);
    assert_eq!(outcomes(&output.stdout), ["left", "applied"]);
    // The function leaves to `redrive` what is open, and knows what was redriven.
    let documents = scene.run("corrected.yaml").await;
    assert_eq!(
        documents,
        json!([{ "customer": "ann", "last": "o3", "spent": 8 }, { "customer": "bob", "last": "o4", "spent": 7 }])
    );
    let output = scene.redrive("corrected.yaml", &["--id", &id[..6], "--yes"]).run().await.expect_status(0);
    assert!(output.stdout.ends_with("1 dead letter: 1 applied\n"), "{}", output.stdout);
    let documents = scene.run("corrected.yaml").await;
    assert_eq!((&documents[0]["spent"], &documents[1]["spent"]), (&json!(12), &json!(7)));
    let output = scene.redrive("corrected.yaml", &["--all"]).run().await.expect_status(0);
    assert_eq!(output.stdout, "0 dead letters\n");
    let closed = scene.letters(&["--closed"]).await;
    let effects: Vec<&Value> = closed.as_array().expect("a list").iter().map(|letter| &letter["effect"]).collect();
    assert_eq!(effects, ["applied", "applied"]);
}

#[tokio::test]
async fn a_letter_can_be_shown_and_exported() {
    let scene = Scene::of(&orders()).await;
    let id = scene.letters(&[]).await[0]["letter"].as_str().expect("an id").to_owned();
    let show = |id: &str| scene.at(viewfold(["dead-letters", "show", id])).run();
    let shown = show(&id).await.expect_status(0).stdout;
    assert!(shown.contains("  message      `add` of `spent`: $.amount finds nothing\n"), "{shown}");
    assert!(shown.contains("\"order\":\"o2\""), "{shown}");
    let none = show("ffff").await.expect_status(1);
    assert!(none.stderr.contains("there is no dead letter ffff"), "{}", none.stderr);

    let exported = scene.at(viewfold(["dead-letters", "export"])).run().await.expect_status(0).stdout;
    assert_eq!(exported.lines().count(), 2);
    scene.folder.write("letters.jsonl", &exported);
    // A corrected projection can be tried on them.
    let command = viewfold(["run"]).arg(scene.folder.path().join("corrected.yaml"));
    let command = command.arg("--events").arg(scene.folder.path().join("letters.jsonl")).arg("--format").arg("json");
    let tried = json(&command.run().await.expect_status(0).stdout);
    assert_eq!(tried["documents"]["Totals"][0]["spent"], 4);
}

#[tokio::test]
async fn a_redrive_that_is_killed_and_run_again_applies_each_event_once() {
    let payloads: Vec<Value> = (0..300)
        .map(|number| json!({ "customer": format!("c{}", number % 5), "total": number, "order": number.to_string() }))
        .collect();
    let scene = Scene::of(&payloads).await;
    let mut killed = 0;
    for milliseconds in (10..).step_by(20) {
        let run = scene.redrive("corrected.yaml", &["--all", "--yes"]).run();
        // A run that is dropped is killed.
        match timeout(Duration::from_millis(milliseconds), run).await {
            Ok(output) => {
                output.expect_status(0);
                break;
            }
            Err(_) => killed += 1,
        }
    }
    assert!(killed > 2, "it was killed {killed} times");
    for _ in 0..2 {
        let documents = scene.run("corrected.yaml").await;
        let spent: Vec<&Value> =
            documents.as_array().expect("a list").iter().map(|document| &document["spent"]).collect();
        let sums = (0..5).map(|customer| json!((customer..300).step_by(5).sum::<i32>()));
        assert_eq!(spent, sums.collect::<Vec<_>>().iter().collect::<Vec<_>>(), "after {killed} kills");
    }
    assert_eq!(scene.letters(&[]).await, json!([]));
}

#[tokio::test]
async fn a_letter_that_is_closed_by_hand_is_not_applied() {
    let scene = Scene::of(&orders()).await;
    let id = scene.letters(&[]).await[0]["letter"].as_str().expect("an id").to_owned();
    scene.at(viewfold(["dead-letters", "close", &id])).run().await.expect_status(0);
    let closed = scene.letters(&["--closed"]).await;
    assert_eq!((&closed[0]["letter"], &closed[0]["effect"]), (&json!(id), &json!("dropped")));
    scene.redrive("corrected.yaml", &["--all", "--yes"]).run().await.expect_status(0);
    // Its document's mark is past it: a redelivery does not apply it either.
    assert_eq!(scene.run("corrected.yaml").await[0]["spent"], 8);
}

/// Nobody knows whether an event had been applied before that is older than its guard remembers.
#[tokio::test]
async fn an_event_that_its_guard_may_have_forgotten_is_redriven_only_when_somebody_says_so() {
    let text = "projection: p\nsource: { kinesis: { stream: old } }\ndocument: { table: Docs, partition_key: id }\n\
                guard: { events_table: Events, keep_for: 1h }\nkey: { id: $.id }\nrules: [{ add: { n: $.n } }]\n";
    let folder = Folder::with("p.yaml", text);
    // The records of the harness are years old.
    let record = KinesisStream::new("old").record("a", json!({ "id": "a", "n": 100 }).to_string());
    folder.write("events.json", &batch([record]).to_string());
    let (path, db) = (folder.path().join("p.yaml"), folder.path().join("data.db"));
    let command = |name: &str| viewfold([name]).arg(&path).arg("--db").arg(&db);
    command("run").arg("--events").arg(folder.path().join("events.json")).run().await.expect_status(1);
    let left = command("redrive").arg("--all").run().await.expect_status(1);
    assert!(left.stdout.contains("add n 100 in {\"id\":\"a\"} may have been applied before"), "{}", left.stdout);
    let applied = command("redrive").arg("--all").arg("--yes").run().await.expect_status(0);
    assert!(applied.stdout.ends_with("1 dead letter: 1 applied\n"), "{}", applied.stdout);
}

/// Versions of a projection whose documents are what their events make in order, and a database.
struct Versions {
    folder: Folder,
    stream: KinesisStream,
}

impl Versions {
    fn of(rules: &[(&str, &str)]) -> Versions {
        let folder = Folder::empty();
        for (name, rule) in rules {
            let text = format!(
                "projection: p\nsource: {{ kinesis: {{ stream: s }} }}\n\
                 document: {{ table: Docs, partition_key: d }}\n\
                 guard: {{ events_table: Events, id: $.id, order_by: $.number }}\nkey: {{ d: $.d }}\nrules: [{rule}]\n"
            );
            folder.write(&format!("{name}.yaml"), &text);
        }
        Versions { folder, stream: KinesisStream::new("s") }
    }

    /// Delivers events to a version; its report.
    async fn run(&mut self, version: &str, payloads: &[Value]) -> Value {
        let records: Vec<Value> = payloads.iter().map(|payload| self.stream.record("l", payload.to_string())).collect();
        self.folder.write("events.json", &batch(records).to_string());
        let command = viewfold(["run", "--format", "json"]).arg(self.folder.path().join(format!("{version}.yaml")));
        let command = command.arg("--events").arg(self.folder.path().join("events.json"));
        json(&command.arg("--db").arg(self.folder.path().join("data.db")).run().await.stdout)
    }

    async fn redrive(&self, version: &str) -> Vec<String> {
        let command = viewfold(["redrive", "--all", "--format", "json"]);
        let command = command.arg(self.folder.path().join(format!("{version}.yaml")));
        outcomes(&command.arg("--db").arg(self.folder.path().join("data.db")).run().await.stdout)
    }
}

#[tokio::test]
async fn a_letter_that_opens_again_is_redriven_again() {
    let mut versions = Versions::of(&[
        ("a", "{ add: { n: 1, total: $.amount }, set: { ratio: '${ 7 / default(doc.total, 1) }' } }"),
        (
            "b",
            "{ add: { n: 1, total: '${ number(text($.amount)) }' }, set: { ratio: '${ 7 / default(doc.total, 1) }' } }",
        ),
        ("c", "{ add: { n: 1, total: '${ number(text($.amount)) }' }, set: { ratio: 1 } }"),
    ]);
    let event =
        |number: u32, amount: Value| json!({ "d": "x", "id": number.to_string(), "number": number, "amount": amount });
    versions.run("a", &[event(1, 10.into()), event(3, "30".into())]).await;
    assert_eq!(versions.redrive("b").await, ["applied"]);
    // With a late event before it, the third one divides by zero: it falls out, and the report says so.
    let report = versions.run("b", &[event(2, (-10).into())]).await;
    assert_eq!(report["documents"]["Docs"][0]["n"], 2, "{report}");
    assert_eq!(report["troubles"][0]["reason"], "expression", "{report}");
    assert_eq!(versions.redrive("c").await, ["applied"]);
    let report = versions.run("c", &[event(1, 10.into())]).await;
    assert_eq!(
        (&report["documents"]["Docs"][0]["n"], &report["documents"]["Docs"][0]["total"]),
        (&3.into(), &30.into())
    );
}

#[tokio::test]
async fn a_redriven_event_is_applied_also_where_another_falls_out_behind_it() {
    let ratio = "set: { ratio: '${ 7 / default(doc.total, 1) }' }";
    let (a, b) = (
        format!("{{ add: {{ n: 1, total: $.amount }}, {ratio} }}"),
        format!("{{ add: {{ n: 1, total: '${{ number(text($.amount)) }}' }}, {ratio} }}"),
    );
    let mut versions = Versions::of(&[("a", &a), ("b", &b)]);
    let event =
        |number: u32, amount: Value| json!({ "d": "x", "id": number.to_string(), "number": number, "amount": amount });
    versions.run("a", &[event(1, 10.into()), event(2, "-10".into()), event(3, 30.into())]).await;
    assert_eq!(versions.redrive("b").await, ["applied"]);
    // The third one divides by zero now, and is the letter that is left.
    assert_eq!(versions.redrive("b").await, ["rejected"]);
    let report = versions.run("b", &[event(1, 10.into())]).await;
    assert_eq!(
        (&report["documents"]["Docs"][0]["n"], &report["documents"]["Docs"][0]["total"]),
        (&2.into(), &0.into())
    );
}

#[tokio::test]
async fn events_of_an_earlier_version_do_not_fall_out_for_what_was_not_kept_of_them() {
    let mut versions = Versions::of(&[
        ("a", "{ add: { n: 1, total: $.amount } }"),
        ("b", "{ add: { n: 1, total: $.amount, q: $.q } }"),
    ]);
    let event = |number: u32| json!({ "d": "x", "id": number.to_string(), "number": number, "amount": 5, "q": 1 });
    versions.run("a", &[event(1), event(3)]).await;
    let report = versions.run("b", &[event(2)]).await;
    assert_eq!(report["documents"]["Docs"][0]["n"], 2, "{report}");
    assert_eq!(report["troubles"][0]["reason"], "too_late", "{report}");
    // As long as nothing has to be folded anew, the new version goes on.
    let report = versions.run("b", &[event(4)]).await;
    assert_eq!((&report["documents"]["Docs"][0]["n"], &report["documents"]["Docs"][0]["q"]), (&3.into(), &1.into()));
}

#[tokio::test]
async fn wrong_use_is_told() {
    let folder = Folder::with("p.yaml", &projection("$.amount"));
    let path = folder.path().join("p.yaml");
    let redrive = || viewfold(["redrive"]).arg(&path);
    let which = redrive().arg("--db").arg(folder.path().join("x.db")).run().await.expect_status(2);
    assert!(which.stderr.contains("say which dead letters"), "{}", which.stderr);
    let place = redrive().arg("--all").run().await.expect_status(2);
    assert!(place.stderr.contains("--aws, --endpoint URL or --db FILE"), "{}", place.stderr);
    let missing = redrive().arg("--all").arg("--db").arg(folder.path().join("x.db")).run().await.expect_status(2);
    assert!(missing.stderr.contains("x.db is not there"), "{}", missing.stderr);
}
