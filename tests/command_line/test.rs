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
    assert!(cases.parse::<usize>().is_ok_and(|cases| cases > 35) && rest == "cases, 0 failed", "{}", output.stdout);
}

/// Odd corners of the language, each a projection with its test.
#[tokio::test]
async fn odd_corners_of_the_language_are_as_they_are_told() {
    let output = viewfold(["test", "tests/language"]).run().await.expect_status(0);
    assert!(output.stdout.ends_with("cases, 0 failed\n"), "{}", output.stdout);
}

#[tokio::test]
async fn differences_are_told_attribute_by_attribute() {
    let folder = folder(&format!("{RIGHT}{WRONG}"));
    let output = viewfold(["test"]).arg(folder.path()).run().await.expect_status(1);
    let expected = [
        ":3: right",
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
        "3 cases, 2 failed",
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
}

#[tokio::test]
async fn cases_can_be_chosen() {
    let folder = folder(&format!("{RIGHT}{WRONG}"));
    let run = |filter: &str| viewfold(["test", "--filter", filter]).arg(folder.path()).run();
    assert!(run("righ").await.expect_status(0).stdout.ends_with("1 case, 0 failed\n"));
    run("no case has this").await.expect_status(1);
}

#[tokio::test]
async fn what_is_no_test_file_is_told_with_its_place() {
    for (tests, place, words) in [
        (RIGHT.replace("events", "event"), ":4:5", "did you mean `events`?"),
        (RIGHT.replace("revenue.yaml", "other.yaml"), ":1:15", "other.yaml"),
        (RIGHT.replace("payload", "new"), ":4:14", "no projection of the test reads such an event"),
        (RIGHT.replace("Revenue", "Revenu"), ":5:18", "Revenu"),
        (RIGHT.replace("amount: 1", "amount: '${ 1 + }'"), ":4:", "an operator lacks an operand"),
    ] {
        let folder = folder(&tests);
        let output = viewfold(["test"]).arg(folder.path()).run().await.expect_status(1);
        let all = format!("{}{}", output.stdout, output.stderr);
        assert!(all.contains(&format!("revenue.test.yaml{place}")) && all.contains(words), "{place} {words}:\n{all}");
    }
    viewfold(["test", "nowhere"]).run().await.expect_status(2);
}
