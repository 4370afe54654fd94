//! `viewfold test`: tests beside projections.

use harness::cli::viewfold;
use harness::scratch::Folder;

use crate::json;

const REVENUE: &str = r"projection: revenue
source: { kinesis: { stream: payments, lane: $.customer } }
document: { table: Revenue, partition_key: customer }
guard: last_event_id
key: { customer: $.customer }
rules:
  - add: { total: $.amount, 'by.${ $.kind }': 1 }
";

const RIGHT: &str = r"projections: [revenue.yaml]
cases:
  - name: right
    events: [{ payload: { customer: ann, amount: 1, kind: a.b } }]
    documents: { Revenue: [{ customer: ann, total: 1, by: { a.b: 1 } }] }
";

const WRONG: &str = r"  - name: wrong
    events:
      - payload: { customer: ann, amount: 1, kind: a.b }
      - payload: { customer: bob, amount: x, kind: c }
      - payload: { customer: cleo, amount: 1, kind: c }
    documents: { Revenue: [{ customer: ann, total: 2, by: { a.b: 2, c: 1 }, more: [1] }, { customer: dora, total: 1 }] }
  - name: a part
    events: [{ payload: { customer: ann, amount: 1, kind: a.b } }]
    contains: { Revenue: [{ customer: ann, total: 1.0 }] }
    dead_letters: [{ event: 1, reason: schema }]
";

fn folder(tests: &str) -> Folder {
    let folder = Folder::with("revenue.yaml", REVENUE);
    folder.write("revenue.test.yaml", tests);
    folder
}

#[tokio::test]
async fn the_shipped_projections_do_what_their_tests_say() {
    let output = viewfold(["test"]).run().await.expect_status(0);
    let (cases, rest) = output.stdout.lines().last().and_then(|line| line.split_once(' ')).expect("a verdict");
    let schedules = rest.strip_prefix("cases, 0 failed; ").and_then(|rest| rest.strip_suffix(" schedules"));
    let more_than = |number: &str, least: usize| number.parse::<usize>().is_ok_and(|number| number > least);
    assert!(more_than(cases, 35) && schedules.is_some_and(|schedules| more_than(schedules, 400)), "{}", output.stdout);
}

/// Odd corners of the language, each a projection with its test.
#[tokio::test]
async fn odd_corners_of_the_language_are_as_they_are_told() {
    let output = viewfold(["test", "tests/language"]).run().await.expect_status(0);
    assert!(output.stdout.contains(" cases, 0 failed; "), "{}", output.stdout);
}

#[tokio::test]
async fn differences_are_told_attribute_by_attribute() {
    let folder = folder(&format!("{RIGHT}{WRONG}"));
    let output = viewfold(["test"]).arg(folder.path()).run().await.expect_status(1);
    let expected = [
        ":3: right (8 schedules)",
        ":6: wrong",
        "        Revenue customer=\"ann\": `by['a.b']` is 1, expected 2",
        "        Revenue customer=\"ann\": `by.c` is not there, expected 1",
        "        Revenue customer=\"ann\": `more` is not there, expected [1]",
        "        Revenue customer=\"ann\": `total` is 1, expected 2",
        "        Revenue customer=\"dora\": there is no such document",
        "        Revenue customer=\"cleo\": this document was not expected: {\"by\":{\"c\":1},\"customer\":\"cleo\",\"total\":1}",
        "        there is a dead letter: event 2, projection revenue, reason wrong_type: `add` on `total` takes a \
         number or a set, and $.amount is a string",
        ":12: a part",
        "        there is no dead letter of event 1, reason schema",
        "",
        "schedules: 1 one store call at a time, 2 delivered twice, 2 with a crash, 3 with an answer lost",
        "  not in other orders: 1 case (the guard is no `events_table`: events come in the order of their lanes)",
        "3 cases, 2 failed; 8 schedules",
    ];
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{}", output.stdout);
    for (line, expected) in lines.iter().zip(expected) {
        assert!(
            if expected.starts_with(':') { line.ends_with(expected) } else { *line == expected },
            "{line}\n{expected}"
        );
    }
}

#[tokio::test]
async fn programs_can_read_the_results() {
    let folder = folder(&format!("{RIGHT}{WRONG}"));
    let output = viewfold(["test", "--format", "json"]).arg(folder.path()).run().await.expect_status(1);
    let results = json(&output.stdout);
    let passed: Vec<_> = results.as_array().into_iter().flatten().map(|result| result["passed"].as_bool()).collect();
    assert_eq!(passed, [true, false, false].map(Some));
    assert_eq!(results[1]["line"], 6);
    assert_eq!((&results[0]["schedules"], &results[1]["schedules"]), (&8.into(), &0.into()));
}

#[tokio::test]
async fn ci_systems_can_read_the_results() {
    let folder = folder(&format!("{RIGHT}{WRONG}"));
    let output = viewfold(["test", "--format", "junit"]).arg(folder.path()).run().await.expect_status(1);
    let starts =
        ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<testsuites name=\"viewfold test\" tests=\"3\" failures=\"2\""];
    for (line, start) in output.stdout.lines().zip(starts) {
        assert!(line.starts_with(start), "{}", output.stdout);
    }
    assert_eq!(output.stdout.matches("<failure message=").count(), 2, "{}", output.stdout);
    // The log of the build shows what failed, and nothing else.
    assert!(output.stderr.contains(":6: wrong") && !output.stderr.contains(":3: right"), "{}", output.stderr);
}

#[tokio::test]
async fn what_came_of_the_events_can_be_written_into_the_file() {
    let folder = folder(&format!("{RIGHT}{WRONG}"));
    let path = folder.path().join("revenue.test.yaml");
    let output = viewfold(["test", "--update"]).arg(folder.path()).run().await.expect_status(0);
    assert!(
        output.stdout.contains(":6: wrong") && output.stdout.contains("        -     dead_letters"),
        "{}",
        output.stdout
    );
    let text = std::fs::read_to_string(&path).expect("the file is there");
    let (right, wrong) = text.split_at(RIGHT.len());
    assert_eq!(right, RIGHT);
    let expected = [
        "    documents: { Revenue: [{ customer: ann, total: 1, by: { a.b: 1 } }, { customer: cleo, by: { c: 1 }, total: 1 }] }",
        "    dead_letters: []",
    ];
    let changed: Vec<&str> = wrong.lines().filter(|line| !WRONG.lines().any(|old| old == *line)).collect();
    assert_eq!(changed, expected);
    viewfold(["test"]).arg(folder.path()).run().await.expect_status(0);
}

#[tokio::test]
async fn cases_can_be_chosen() {
    let folder = folder(&format!("{RIGHT}{WRONG}"));
    let run = |filter: &str| viewfold(["test", "--filter", filter]).arg(folder.path()).run();
    assert!(run("righ").await.expect_status(0).stdout.ends_with("1 case, 0 failed; 8 schedules\n"));
    run("no case has this").await.expect_status(1);
}

/// A projection that is right in the order of its case, and not in each that its guard lets events come in: in the middle
/// of another one it divides by zero.
const SALES: &str = r"projection: sales
source: { kinesis: { stream: sales } }
document: { table: Sales, partition_key: shop }
guard: { events_table: Events, id: $.id }
key: { shop: $.shop }
rules:
  - add: { n: $.n, total: $.total }
derive: { average: '${ doc.total / doc.n }' }
";

const TAKEN_BACK: &str = r"projections: [sales.yaml]
cases:
  - name: taken back
    events:
      - payload: { id: a, shop: x, n: 1, total: 5 }
      - payload: { id: b, shop: x, n: 1, total: 7 }
      - payload: { id: c, shop: x, n: -1, total: -5 }
    documents: { Sales: [{ shop: x, n: 1, total: 7, average: 7 }] }
";

#[tokio::test]
async fn an_outcome_that_depends_on_what_the_guard_allows_is_told_with_its_schedule() {
    let folder = Folder::with("sales.yaml", SALES);
    folder.write("sales.test.yaml", TAKEN_BACK);
    let test = |most: &'static str| viewfold(["test", "--schedules", most]).arg(folder.path()).run();
    let output = test("60").await.expect_status(1);
    let expected = [
        "        not as in the plain run when the events come backwards:",
        "        Sales shop=\"x\": `average` is 5, expected 7",
        "        Sales shop=\"x\": `n` is -1, expected 1",
        "        Sales shop=\"x\": `total` is -5, expected 7",
        "        a dead letter was not expected: event 1, projection sales, reason expression",
        "        a dead letter was not expected: event 2, projection sales, reason expression",
        "",
        "schedules: 1 one store call at a time, 1 one event per batch, 1 in other batches, 2 delivered twice, 1 given up \
         and in halves, 1 in other orders",
        "1 case, 1 failed; 7 schedules",
    ];
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert!(lines[0].starts_with("FAILED ") && lines[0].ends_with(":3: taken back (7 schedules)"), "{}", output.stdout);
    assert_eq!(lines[1..], expected);
    // Its order of delivery has to be kept, and then it holds; and the plain run does in any case.
    folder.write("sales.yaml", &SALES.replace("  - add", "  - any_order: true\n    add"));
    test("60").await.expect_status(0);
    folder.write("sales.yaml", SALES);
    let plain = test("0").await.expect_status(0);
    assert!(plain.stdout.ends_with(":3: taken back\n1 case, 0 failed\n"), "{}", plain.stdout);
}

/// How many schedules a guard's promise makes of the same case.
#[tokio::test]
async fn a_case_is_run_under_what_its_guard_promises() {
    let counts = |guard: &'static str, most: &'static str| async move {
        let projection = format!(
            "projection: p\nsource: {{ kinesis: {{ stream: s, lane: $.id }} }}\n\
             document: {{ table: Docs, partition_key: id }}\nguard: {guard}\nkey: {{ id: $.id }}\n\
             rules: [{{ add: {{ n: 1 }} }}]\n"
        );
        let folder = Folder::with("p.yaml", &projection);
        folder.write(
            "p.test.yaml",
            "projections: [p.yaml]\ncases:\n  - name: three\n    events:\n      - payload: { id: a, e: 1 }\n      \
             - payload: { id: b, e: 2 }\n      - payload: { id: a, e: 3 }\n    \
             documents: { Docs: [{ id: a, n: 2 }, { id: b, n: 1 }] }\n",
        );
        let output = viewfold(["test", "--format", "json", "--schedules", most]).arg(folder.path()).run().await;
        json(&output.expect_status(0).stdout)[0]["schedules"].as_u64()
    };
    // Store calls one by one, events one by one, and other batches.
    let unguarded = counts("none", "60").await;
    // Each batch twice, all twice, in halves; a crash between the calls (the open dead letters are asked for first), and
    // any answer lost.
    let by_mark = counts("last_event_id", "60").await;
    // All events are in one transaction: one answer to lose; and three other orders.
    let by_id = counts("{ events_table: Events, id: $.e }", "60").await;
    assert_eq!((unguarded, by_mark, by_id), (Some(3), Some(11), Some(12)));
    assert_eq!((counts("last_event_id", "5").await, counts("last_event_id", "0").await), (Some(5), Some(0)));
}

#[tokio::test]
async fn what_is_no_test_file_is_told_with_its_place() {
    for (tests, place, words) in [
        (RIGHT.replace("events", "event"), ":4:5", "the events are a list: `events: ["),
        (RIGHT.replace("revenue.yaml", "other.yaml"), ":1:15", "other.yaml"),
        (RIGHT.replace("payload", "new"), ":4:14", "no projection of this test reads changes of items"),
        (RIGHT.replace("Revenue", "Revenu"), ":5:18", "Revenu"),
        (RIGHT.replace("amount: 1", "amount: '${ 1 + }'"), ":4:56", "nothing stands behind this `+`"),
    ] {
        let folder = folder(&tests);
        let output = viewfold(["test"]).arg(folder.path()).run().await.expect_status(1);
        let all = format!("{}{}", output.stdout, output.stderr);
        assert!(all.contains(&format!("revenue.test.yaml{place}")) && all.contains(words), "{place} {words}:\n{all}");
    }
    viewfold(["test", "nowhere"]).run().await.expect_status(2);
}
