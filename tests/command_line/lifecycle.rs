//! `viewfold verify`, `rebuild` and `retire`: a view beside what its source makes of it, put right, made anew, removed.

use aws_sdk_dynamodb::types::AttributeValue;
use harness::cli::{Viewfold, make_tables, viewfold};
use harness::documents::Bookkeeping;
use harness::events::TableStream;
use harness::oracle::votes as oracle;
use harness::proxy::Proxy;
use harness::scratch::Folder;
use harness::store::Store;
use harness::workspace;
use serde_json::{Value, json};

use crate::json;

const TOTAL_VOTES: &str = "projections/votes/total_votes.yaml";

/// So many votes of two regions.
fn votes(count: usize) -> Vec<Value> {
    let vote = |number: usize| {
        let region = if number.is_multiple_of(3) { "NORTH" } else { "SOUTH" };
        json!({ "id": { "S": number.to_string() }, "region": { "S": region }, "improvement": { "S": "TREES" } })
    };
    (0..count).map(vote).collect()
}

fn expected(count: usize) -> Vec<Value> {
    let mut stream = TableStream::new("votes", &["id"]);
    let records: Vec<Value> = votes(count).into_iter().map(|vote| stream.insert(vote)).collect();
    oracle::total_votes(&records)
}

/// A store in which so many votes have been counted.
async fn counted(count: usize) -> (Store, Folder) {
    let store = Store::start().await;
    store.make_source("votes", &[("id", "S")]).await;
    store.put("votes", &votes(count)).await;
    make_tables(&workspace().join(TOTAL_VOTES), &store).await;
    let folder = Folder::empty();
    command("backfill", TOTAL_VOTES, &store, &folder).run().await.expect_status(0);
    (store, folder)
}

/// A command about projections, in a folder of its own.
fn command(name: &str, projections: &str, store: &Store, folder: &Folder) -> Viewfold {
    viewfold([name]).arg(workspace().join(projections)).within(folder.path()).at(store)
}

/// `verify`, with its report for programs.
async fn verify(store: &Store, folder: &Folder, more: &[&str], status: i32) -> Value {
    let command = command("verify", TOTAL_VOTES, store, folder).args(["--settle", "0", "--format", "json"]).args(more);
    json(&command.run().await.expect_status(status).stdout)
}

/// Spoils the view: a total too high, a document gone, one that nobody made, and a lane that has forgotten its vote.
async fn spoil(store: &Store) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let table = store.table("total_votes");
    let of = |region: &str| [("region".to_owned(), text(region)), ("improvement".to_owned(), text("TREES"))];
    let added = store.client().update_item().table_name(&table).set_key(Some(of("NORTH").into()));
    let added =
        added.update_expression("ADD total_votes :n").expression_attribute_values(":n", AttributeValue::N("5".into()));
    added.send().await.expect("a total is raised");
    store.client().delete_item().table_name(&table).set_key(Some(of("SOUTH").into())).send().await.expect("one goes");
    let mut extra = std::collections::HashMap::from(of("MIDDLE"));
    extra.insert("total_votes".to_owned(), AttributeValue::N("3".into()));
    store.client().put_item().table_name(&table).set_item(Some(extra)).send().await.expect("one comes");
    let lane = [("pk".to_owned(), text(r#"total_votes/votes/{"id":"7"}"#)), ("sk".to_owned(), text("-"))];
    let forgotten = store.client().delete_item().table_name(store.table("viewfold_marks")).set_key(Some(lane.into()));
    let forgotten = forgotten.return_values(aws_sdk_dynamodb::types::ReturnValue::AllOld).send().await;
    assert!(forgotten.expect("a row goes").attributes.is_some(), "there was no row of vote 7");
}

fn problems(report: &Value) -> Vec<(String, String)> {
    let all = report["differences"].as_array().expect("a list").iter();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut all: Vec<_> = all.map(|one| (text(&one["problem"]), text(&one["fate"]))).collect();
    all.sort();
    all
}

#[tokio::test]
async fn a_view_that_was_spoilt_is_found_out_and_put_right() {
    let (store, folder) = counted(60).await;
    let sound = verify(&store, &folder, &[], 0).await;
    assert_eq!((&sound["documents"], problems(&sound).len()), (&json!(2), 0), "{sound}");

    spoil(&store).await;
    let report = verify(&store, &folder, &[], 1).await;
    let told =
        |fate: &str| ["different", "extra", "missing", "missing"].map(|problem| (problem.to_owned(), fate.to_owned()));
    assert_eq!(problems(&report), told("differs"), "{report}");
    let north = report["differences"].as_array().expect("a list").iter().find(|one| one["problem"] == "different");
    assert_eq!(north.expect("one")["attributes"]["total_votes"], json!({ "expected": 20, "found": 25 }));
    // Nothing has been written.
    assert_eq!(problems(&verify(&store, &folder, &[], 1).await), told("differs"));

    let report = verify(&store, &folder, &["--repair"], 0).await;
    assert_eq!(problems(&report), told("repaired"), "{report}");
    assert_eq!(store.documents("total_votes", Bookkeeping::Hidden).await, expected(60));
    // What the lane contributes is known again, so its next change moves the vote.
    verify(&store, &folder, &[], 0).await;
}

/// What is behind is put right in one piece: the event that is on its way finds a row that has it already.
#[tokio::test]
async fn a_document_and_the_rows_that_make_it_are_put_right_together() {
    let (store, folder) = counted(4).await;
    // Not counted yet, and then withdrawn, and moved.
    let vote = |id: &str, region: &str| json!({ "id": { "S": id }, "region": { "S": region }, "improvement": { "S": "TREES" } });
    let late = vote("9", "WEST");
    store.put("votes", std::slice::from_ref(&late)).await;
    store.put("votes", &[vote("1", "NORTH")]).await;
    let proxy = Proxy::before(&store).await;
    let repair = viewfold(["verify", "--repair", "--settle", "0", "--endpoint"]).arg(proxy.endpoint());
    let repair = repair.arg(workspace().join(TOTAL_VOTES)).within(folder.path());
    let repair = store.environment().into_iter().fold(repair, |command, (name, value)| command.env(name, value));
    repair.run().await.expect_status(0);
    let writes = proxy.take_operations();
    let reads = ["DescribeTable", "Scan", "BatchGetItem"];
    let writes: Vec<_> = writes.iter().filter(|one| !reads.contains(&one.name.as_str())).collect();
    assert!(writes.iter().all(|one| one.name == "TransactWriteItems"), "{writes:?}");
    let mut written: Vec<usize> = writes.iter().map(|one| one.tables.len()).collect();
    written.sort_unstable();
    // The row of vote 9 and its document; the row of vote 1 and the two documents between which it moved.
    assert_eq!(written, [2, 3], "{writes:?}");
    verify(&store, &folder, &[], 0).await;
}

#[tokio::test]
async fn what_earlier_states_of_items_have_left_is_no_difference() {
    let store = Store::start().await;
    store.make_source("items", &[("id", "S")]).await;
    let text = "projection: latest\nsource: { dynamodb: { table: items, keys: [id] } }\n\
                document: { table: Latest, partition_key: id }\nguard: last_event_id\nkey: { id: $.keys.id }\n\
                rules: [{ name: newest, when: { $.new: { exists: true } }, set: { name: $.new.name, note: '$.new.note?' } }]\n";
    let folder = Folder::with("latest.yaml", text);
    make_tables(folder.path(), &store).await;
    store.put("items", &[json!({ "id": { "S": "a" }, "name": { "S": "Ann" } })]).await;
    let name = |name: &str| AttributeValue::S(name.to_owned());
    for (id, values) in [("a", [("name", "Ann"), ("note", "once")]), ("gone", [("name", "Bob"), ("note", "left")])] {
        let item = values.into_iter().chain([("id", id)]).map(|(key, value)| (key.to_owned(), name(value))).collect();
        store
            .client()
            .put_item()
            .table_name(store.table("Latest"))
            .set_item(Some(item))
            .send()
            .await
            .expect("it is put");
    }
    let before = store.documents("Latest", Bookkeeping::Hidden).await;
    let verify = || viewfold(["verify", "latest.yaml", "--settle", "0", "--repair"]).within(folder.path()).at(&store);
    verify().run().await.expect_status(0);
    assert_eq!(store.documents("Latest", Bookkeeping::Hidden).await, before);
    // What the table does tell is held against it.
    let wrong = [("id", "a"), ("name", "Eve"), ("note", "once")].map(|(key, value)| (key.to_owned(), name(value)));
    let put = store.client().put_item().table_name(store.table("Latest")).set_item(Some(wrong.into()));
    put.send().await.expect("it is put");
    verify().run().await.expect_status(0);
    assert_eq!(store.documents("Latest", Bookkeeping::Hidden).await, before);
}

#[tokio::test]
async fn differences_are_told_in_words_with_their_attributes() {
    let (store, folder) = counted(9).await;
    spoil(&store).await;
    let output = command("verify", TOTAL_VOTES, &store, &folder).args(["--settle", "0"]).run().await.expect_status(1);
    for words in [
        "is different\n  total_votes: 8, and has to be 3",
        "is missing\n  total_votes: nothing, and has to be 6",
        "has not to be there\n  total_votes: 3, and has to be nothing",
        "2 documents: 4 differs",
    ] {
        assert!(output.stdout.contains(words), "no `{words}` in:\n{}", output.stdout);
    }
}

#[tokio::test]
async fn what_no_table_tells_is_not_verified_against_one() {
    let (store, folder) = counted(3).await;
    let refused = command("verify", "projections/votes", &store, &folder).run().await.expect_status(1).stderr;
    assert!(refused.contains("recent_votes: "), "{refused}");
    let stream = command("verify", "projections/winner-view", &store, &folder).run().await.expect_status(2).stderr;
    assert!(stream.contains("the source of contributions is no table"), "{stream}");
    let files = ["--from", "projections/winner-view"];
    let view =
        command("verify", "projections/winner-view", &store, &folder).args(files).run().await.expect_status(2).stderr;
    assert!(view.contains("scores reads the view Contributions"), "{view}");
    let missing = Store::start().await;
    missing.make_source("votes", &[("id", "S")]).await;
    let nothing = command("verify", TOTAL_VOTES, &missing, &folder).run().await.expect_status(1).stderr;
    assert!(nothing.contains("there is no table total_votes"), "{nothing}");
}

/// A second version, in which only the votes of one region count.
fn second() -> Folder {
    let first = std::fs::read_to_string(workspace().join(TOTAL_VOTES)).expect("the projection is there");
    let text = first
        .replace("projection: total_votes\n", "projection: total_votes\nversion: 2\n")
        .replace("$.region: { type: string }", "$.region: NORTH");
    assert!(text.contains("version: 2") && text.contains("$.region: NORTH"), "{text}");
    Folder::with("second.yaml", &text)
}

#[tokio::test]
async fn a_next_version_is_filled_beside_the_live_one_which_is_then_removed() {
    let (store, folder) = counted(30).await;
    let files = second();
    let new = files.path().join("second.yaml");
    let new = new.to_str().expect("the path is text");
    let rebuild =
        |more: &'static [&'static str]| command("rebuild", new, &store, &folder).args(["--settle", "0"]).args(more);
    let too_early = command("rebuild", TOTAL_VOTES, &store, &folder).run().await.expect_status(2).stderr;
    assert!(too_early.contains("give the changed projection `version: 2`"), "{too_early}");
    rebuild(&["--dry-run"]).run().await.expect_status(0);
    assert!(!store.tables().await.contains(&"total_votes.v2".to_owned()), "a dry run makes no table");

    let report = json(&rebuild(&["--format", "json"]).run().await.expect_status(0).stdout);
    assert_eq!((&report["ready"], &report["documents"]), (&json!(true), &json!(1)), "{report}");
    let beside = &report["beside"][0];
    assert_eq!(
        (&beside["same"], &beside["different"], &beside["only_old"], &beside["only_new"]),
        (&json!(1), &json!(0), &json!(1), &json!(0)),
        "{report}"
    );
    // The live one is as it was, and a second time changes nothing.
    assert_eq!(store.documents("total_votes", Bookkeeping::Hidden).await, expected(30));
    let again = rebuild(&[]).run().await.expect_status(0);
    assert!(again.stdout.contains("readers can switch to") && again.stderr.contains("filled: 0 applied"), "{again:?}");

    let retire = |more: &'static [&'static str]| {
        command("retire", TOTAL_VOTES, &store, &folder).args(["--deployed", new]).args(more)
    };
    let unasked = retire(&[]).run().await.expect_status(1).stderr;
    assert!(unasked.contains("the table ") && unasked.contains("nothing was removed"), "{unasked}");
    retire(&["--dry-run"]).run().await.expect_status(0);
    let tables = store.tables().await;
    assert!(tables.contains(&"total_votes".to_owned()), "{tables:?}");
    let deployed = command("retire", new, &store, &folder).args(["--deployed", new, "--yes"]);
    assert!(deployed.run().await.expect_status(1).stderr.contains("is among those that stay deployed"));
    retire(&["--yes"]).run().await.expect_status(0);
    let tables = store.tables().await;
    assert!(!tables.contains(&"total_votes".to_owned()) && tables.contains(&"total_votes.v2".to_owned()), "{tables:?}");
    let rows = store.scan("viewfold_marks").await;
    assert!(
        !rows.is_empty() && rows.iter().all(|row| row["pk"].as_s().is_ok_and(|pk| pk.starts_with("total_votes.v2/")))
    );
}
