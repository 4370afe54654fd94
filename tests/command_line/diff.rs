//! `viewfold diff`: what a change means, with its place; exit codes; the documents that differ.

use harness::cli::{Output, viewfold};
use harness::events::{KinesisStream, batch};
use harness::scratch::Folder;
use serde_json::{Value, json};

use crate::json;

const TOTALS: &str = r"projection: totals
source: { kinesis: { stream: shop, lane: $.id } }
document: { table: Totals, partition_key: id }
guard: last_event_id
key: { id: $.id }
rules:
  - name: sold
    when: { $.type: sold }
    add: { total: $.price }
    set: { at: $.at }
";

/// Parts of a projection's text, each with what is there instead in the second version.
type Parts<'p> = &'p [(&'p str, &'p str)];

/// Two versions of a projection, the second one with parts of the text replaced.
fn versions(parts: Parts<'_>) -> Folder {
    let folder = Folder::with("old/totals.yaml", TOTALS);
    let text = parts.iter().fold(TOTALS.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "no {from} in {text}");
        text.replace(from, to)
    });
    folder.write("new/totals.yaml", &text);
    folder
}

async fn diff(folder: &Folder, more: &[&str]) -> Output {
    viewfold(["diff", "old", "new"]).args(more).within(folder.path()).run().await
}

#[tokio::test]
async fn each_class_has_its_exit_code_and_its_verdict() {
    let cases: [(Parts<'_>, &str, i32); 5] = [
        (&[("$.type: sold", "$.type: [sold]")], "same", 0),
        (&[("set: {", "set: { who: $.who,")], "deploy", 0),
        (&[("total: $.price", "total: 1")], "rebuild", 1),
        (&[("total: $.price", "total: 1"), ("source:", "version: 2\nsource:")], "deploy", 0),
        (&[("guard: last_event_id", "guard: { events_table: Events }"), ("    set: { at: $.at }\n", "")], "unsafe", 1),
    ];
    for (parts, class, status) in cases {
        let folder = versions(parts);
        let text = diff(&folder, &[]).await.expect_status(status).stdout;
        assert!(text.starts_with(&format!("{class}: ")) && !text.contains('\u{1b}'), "{text}");
        let report = json(&diff(&folder, &["--format", "json"]).await.expect_status(status).stdout);
        assert_eq!(report["class"], class, "{report}");
    }
}

#[tokio::test]
async fn a_change_says_where_it_is_why_and_what_to_do() {
    let folder = versions(&[("total: $.price", "total: 1"), ("set: { at: $.at }", "set: { when: '${ $.at }' }")]);
    let text = diff(&folder, &[]).await.expect_status(1).stdout;
    for words in [
        "totals\n",
        "  rebuild: `total`: another amount for `add` (rule `sold`)\n    --> new/totals.yaml:9:19\n    why: ",
        "  rebuild: `at` is called `when` now\n    --> new/totals.yaml:10:12\n",
        "do: say `version: 2` in a copy of the file, and run `viewfold rebuild` with that copy",
    ] {
        assert!(text.contains(words), "no {words:?} in:\n{text}");
    }
    let report = json(&diff(&folder, &["--format", "json"]).await.expect_status(1).stdout);
    let change = &report["projections"][0]["changes"][0];
    let place = (&change["side"], &change["file"], &change["line"], &change["column"]);
    assert_eq!(place, (&json!("new"), &json!("new/totals.yaml"), &json!(9), &json!(19)), "{report}");
    assert_eq!((&change["class"], &report["projections"][0]["fate"]), (&json!("rebuild"), &json!("kept")));
}

#[tokio::test]
async fn events_show_the_documents_that_differ() {
    let folder = versions(&[("total: $.price", "total: '${ $.price * 2 }'"), ("set: {", "set: { who: $.who?,")]);
    let mut stream = KinesisStream::new("shop");
    let mut sold = |id: &str, price: u32| {
        stream.record(id, json!({ "type": "sold", "id": id, "price": price, "at": "noon" }).to_string())
    };
    let events = [sold("a", 5), sold("a", 7), sold("b", 0)];
    folder.write("events.json", &batch(events).to_string());
    let text = diff(&folder, &["--events", "events.json"]).await.expect_status(1).stdout;
    let expected = "On 3 recorded events:\n  totals (Totals): 1 document different, 1 alike\n    id=\"a\"\n      total: 12 -> 24\n";
    assert!(text.ends_with(expected), "{text}");
    let report = json(&diff(&folder, &["--events", "events.json", "--format", "json"]).await.expect_status(1).stdout);
    let view = &report["events"]["views"][0];
    let attribute: &Value = &view["differing"][0]["attributes"][0];
    assert_eq!(attribute, &json!({ "path": "total", "old": 12, "new": 24 }), "{report}");
}

#[tokio::test]
async fn one_file_may_be_compared_with_another_of_any_name() {
    let folder = versions(&[("$.type: sold", "$.type: [sold, bought]")]);
    let command = viewfold(["diff", "old/totals.yaml", "new/totals.yaml"]).within(folder.path());
    let text = command.run().await.expect_status(0).stdout;
    assert!(text.contains("deploy: the rule `sold` matches more events (`when`)"), "{text}");
    let same = viewfold(["diff", "projections/votes", "projections/votes"]).run().await.expect_status(0);
    assert_eq!(same.stdout, "same: nothing changes in 2 projections\n");
}

#[tokio::test]
async fn what_is_invalid_or_not_there_is_told_as_elsewhere() {
    let folder = versions(&[("partition_key", "partiton_key")]);
    let output = diff(&folder, &[]).await.expect_status(1);
    assert!(output.stdout.is_empty() && output.stderr.contains("new/totals.yaml:3:28"), "{}", output.stderr);
    viewfold(["diff", "old", "missing"]).within(folder.path()).run().await.expect_status(2);
    viewfold(["diff", "old"]).within(folder.path()).run().await.expect_status(2);
}
