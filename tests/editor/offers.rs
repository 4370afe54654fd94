//! What is offered at the cursor.

use harness::cli::viewfold;
use harness::editor::{Editor, File, Offer, expanded};
use harness::scratch::Folder;

use crate::HEAD;

/// What is offered in a projection, or in a test.
#[track_caller]
fn offered(kind: &str, text: &str) -> Option<Vec<Offer>> {
    let offers = Editor::get()?.offers(File::of(kind, "offers.yaml", text));
    assert!(!offers.is_empty(), "nothing is offered in\n{text}");
    Some(offers)
}

/// Makes sure that all of these are offered, each with words about it.
#[track_caller]
fn has(offers: &[Offer], labels: &[&str]) {
    for label in labels {
        let offer = offers.iter().find(|offer| offer.label == *label);
        let offer = offer.unwrap_or_else(|| panic!("no `{label}` in {:?}", labels_of(offers)));
        assert!(!offer.documentation.is_empty(), "nothing is told about {offer:?}");
    }
}

fn labels_of(offers: &[Offer]) -> Vec<&str> {
    offers.iter().map(|offer| offer.label.as_str()).collect()
}

/// The text of the offer with this label, with its defaults.
#[track_caller]
fn put_in(offers: &[Offer], label: &str) -> String {
    let offer = offers.iter().find(|offer| offer.label == label);
    expanded(&offer.unwrap_or_else(|| panic!("no `{label}` in {:?}", labels_of(offers))).text)
}

#[test]
fn keys_at_the_top() {
    let Some(offers) = offered("projection", &format!("{HEAD}|\n")) else { return };
    has(&offers, &["guard", "key", "let", "rules", "derive", "delete_when", "on_error", "description"]);
    for there in ["projection", "source", "document"] {
        assert!(!labels_of(&offers).contains(&there), "`{there}` is there already");
    }
    assert_eq!(put_in(&offers, "key"), "key:\n  id: $.id");
}

#[test]
fn keys_of_a_rule() {
    let Some(offers) = offered("projection", &format!("{HEAD}rules:\n  - name: r\n    |\n")) else { return };
    has(&offers, &["when", "each", "let", "if", "key", "add", "set", "set_once", "max", "min", "append", "remove"]);
    has(&offers, &["remove_from", "delete", "retract", "any_order", "schema", "source"]);
    assert_eq!(put_in(&offers, "delete"), "delete: true");
}

#[test]
fn whole_rules() {
    let Some(offers) = offered("projection", &format!("{HEAD}rules:\n  - |\n")) else { return };
    has(
        &offers,
        &["rule that counts", "rule that sets", "rule for each element", "rule that retracts", "rule that deletes"],
    );
    let rule = "name: placed\n  when: { $.type: placed }\n  add: { orders: 1, total: $.amount }";
    assert_eq!(put_in(&offers, "rule that counts"), rule);
}

#[test]
fn sources() {
    let Some(offers) = offered("projection", "projection: p\nsource:\n  |\n") else { return };
    has(&offers, &["kinesis", "dynamodb", "sqs", "guard", "Kinesis stream", "DynamoDB stream", "SQS queue"]);
    assert_eq!(put_in(&offers, "kinesis"), "kinesis: { stream: orders, lane: $.id }");
    let Some(offers) = offered("projection", "projection: p\nsource:\n  kinesis:\n    |\n") else { return };
    has(&offers, &["stream", "lane", "format", "keys", "schema"]);
    let Some(offers) = offered("projection", "projection: p\nsource: { kinesis: { stream: a, f| } }\n") else { return };
    has(&offers, &["format"]);
}

#[test]
fn forms_of_a_guard() {
    let Some(offers) = offered("projection", &format!("{HEAD}guard: |\n")) else { return };
    has(&offers, &["last_event_id, on the document", "{ last_event_id: lane }", "{ last_event_id: shard }", "none"]);
    has(&offers, &["{ events_table: NAME, id, keep_for }", "{ events_table: NAME, id, order_by }"]);
    let guard = "{ events_table: Events, id: $.id, keep_for: 30d }";
    assert_eq!(put_in(&offers, "{ events_table: NAME, id, keep_for }"), guard);
    let Some(offers) = offered("projection", &format!("{HEAD}guard:\n  last_event_id: |\n")) else { return };
    has(&offers, &["document", "shard", "lane"]);
}

#[test]
fn names_of_patterns() {
    let head = format!("{HEAD}rules:\n  - name: r\n    when:\n      ");
    let Some(offers) = offered("projection", &format!("{head}|\n")) else { return };
    assert_eq!(put_in(&offers, "value at a path"), "$.type: placed");
    let Some(offers) = offered("projection", &format!("{head}$.a: |\n")) else { return };
    has(&offers, &["[a, b]", "{ prefix: a }", "{ suffix: z }", "{ wildcard: a*z }", "{ anything-but: [a, b] }"]);
    has(&offers, &["{ numeric: [>, 0] }", "{ exists: true }", "{ type: string }", "{ matches: '^[A-Z]+$' }"]);
    let Some(offers) = offered("projection", &format!("{head}$.a: {{ e| }}\n")) else { return };
    has(
        &offers,
        &["prefix", "suffix", "wildcard", "equals-ignore-case", "anything-but", "numeric", "exists", "type", "matches"],
    );
    let Some(offers) = offered("projection", &format!("{head}$.a:\n        type: |\n")) else { return };
    has(&offers, &["string", "number", "boolean", "list", "map", "string_set"]);
}

#[test]
fn words() {
    let Some(offers) = offered("projection", &format!("{HEAD}on_error: |\n")) else { return };
    assert_eq!(labels_of(&offers), ["dead_letter", "skip", "fail"]);
    has(&offers, &["dead_letter", "skip", "fail"]);
    let head = "cases:\n  - name: x\n    events: []\n    dead_letters:\n      - reason: |\n";
    let Some(offers) = offered("test", head) else { return };
    has(&offers, &["missing_value", "wrong_type", "undecodable", "conflict"]);
}

#[test]
fn keys_of_a_test() {
    let Some(offers) = offered("test", "projections: [a.yaml]\ncases:\n  - name: x\n    |\n") else { return };
    has(&offers, &["given", "events", "documents", "contains", "dead_letters"]);
    let Some(offers) = offered("test", "cases:\n  - name: x\n    events:\n      - |\n") else { return };
    has(&offers, &["payload", "new", "old", "raw", "file", "source", "lane", "time", "sequence"]);
    has(&offers, &["Kinesis event", "item inserted", "item changed", "item removed", "recorded events"]);
    assert_eq!(put_in(&offers, "payload"), "payload: { type: placed }");
}

/// Every form that is offered somewhere, put in there: the editor finds nothing to complain about.
#[test]
fn what_is_put_in_is_good() {
    let end = "guard: { last_event_id: lane }\nkey: { id: $.id }\nrules:\n  - name: r\n    add: { n: 1 }\n";
    let rule = format!("{HEAD}guard: last_event_id\nkey: {{ id: $.id }}\nrules:\n  - name: r\n");
    let places = [
        ("projection", format!("projection: p\nsource:\n  |\ndocument: {{ table: Docs, partition_key: id }}\n{end}")),
        ("projection", format!("{HEAD}guard: |\nkey: {{ id: $.id }}\nrules:\n  - name: r\n    add: {{ n: 1 }}\n")),
        ("projection", format!("{HEAD}guard: last_event_id\nkey: {{ id: $.id }}\nrules:\n  - |\n")),
        ("projection", format!("{rule}    add: {{ n: 1 }}\n    when:\n      $.a: |\n")),
        ("projection", format!("{rule}    append:\n      |\n")),
        ("test", "projections: [a.yaml]\ncases:\n  - |\n".to_owned()),
        (
            "test",
            "projections: [a.yaml]\ncases:\n  - name: x\n    dead_letters: []\n    events:\n      - |\n".to_owned(),
        ),
    ];
    for (kind, text) in places {
        let Some(offers) = offered(kind, &text) else { return };
        let line_start = text[..text.find('|').expect("a cursor")].rfind('\n').map_or(0, |at| at + 1);
        let indent: String = text[line_start..].chars().take_while(|c| *c == ' ').collect();
        let snippets =
            offers.iter().filter(|offer| offer.text.contains(['{', ':', '\n']) && !offer.text.ends_with("- "));
        let mut tried = 0;
        for offer in snippets.filter(|offer| offer.label.contains(' ')) {
            // An editor indents the lines of what is put in like the line that it is put into.
            let put_in = expanded(&offer.text).replace('\n', &format!("\n{indent}"));
            let file = File::of(kind, "put_in.yaml", &text.replacen('|', &put_in, 1));
            let Some(mut editor) = Editor::get() else { return };
            let said = editor.findings(std::slice::from_ref(&file)).remove(0);
            assert!(said.is_empty(), "{said:?} of {} in\n{file:#?}", offer.label);
            tried += 1;
        }
        assert!(tried > 0, "nothing was put in:\n{text}");
    }
}

/// An empty file becomes a projection that is sound, and its test one that holds.
#[tokio::test]
async fn whole_files() {
    let (Some(projections), Some(tests)) = (offered("projection", "|"), offered("test", "|")) else { return };
    let whole: Vec<&Offer> = projections.iter().filter(|offer| offer.label.starts_with("projection ")).collect();
    assert_eq!(whole.len(), 4, "{:?}", labels_of(&projections));
    for offer in whole {
        let folder = Folder::with("whole.yaml", &expanded(&offer.text));
        let output = viewfold(["validate"]).arg(folder.path()).run().await;
        assert_eq!(output.status, Some(0), "{}:\n{}{}", offer.label, output.stdout, output.stderr);
    }
    let folder = Folder::with("order_totals.yaml", &put_in(&projections, "projection of a Kinesis stream"));
    folder.write("order_totals.test.yaml", &put_in(&tests, "test of a projection"));
    let output = viewfold(["test"]).arg(folder.path()).run().await;
    assert_eq!(output.status, Some(0), "{}{}", output.stdout, output.stderr);
}
