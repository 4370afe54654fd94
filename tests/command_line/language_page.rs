//! Every example of `docs/language.md`: projections and their tests as they stand, and the rows of the tables.

use std::fmt::Write as _;

use harness::cli::viewfold;
use harness::scratch::Folder;

use crate::file;

const PAGE: &str = "docs/language.md";

/// The fenced blocks of a language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// The cells of the rows of all tables with this heading; what is in backticks is cut out where there is any.
fn rows(page: &str, heading: &str) -> Vec<Vec<Vec<String>>> {
    let mut rows = Vec::new();
    for table in page.split(&format!("\n{heading}\n")).skip(1) {
        for line in table.lines().skip(1).take_while(|line| line.starts_with('|')) {
            let line = line.replace("\\|", "\u{0}");
            let cells = line.trim_matches('|').split('|').map(|cell| {
                let parts = cell.split('`').enumerate();
                let code: Vec<String> =
                    parts.filter(|(at, _)| at % 2 == 1).map(|(_, part)| part.replace('\u{0}', "|")).collect();
                if code.is_empty() { vec![cell.trim().to_owned()] } else { code }
            });
            rows.push(cells.collect());
        }
    }
    assert!(rows.len() > 5, "the page has a table {heading}");
    rows
}

fn page() -> String {
    file(PAGE)
}

/// The payload that the tables' rows read.
fn payload(page: &str) -> String {
    blocks(page, "json")
        .into_iter()
        .next()
        .expect("the page has a payload")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs `viewfold test` on a folder of one projection and one test file, which have to hold.
async fn holds(projection: &str, tests: &str) {
    let folder = Folder::with("page.yaml", projection);
    folder.write("page.test.yaml", tests);
    let output = viewfold(["test"]).arg(folder.path()).run().await;
    assert_eq!(output.status, Some(0), "{}{}\n{projection}\n{tests}", output.stdout, output.stderr);
}

const HEAD: &str = "projection: page\nsource: { kinesis: { stream: s, lane: $.id } }\n\
                    document: { table: Docs, partition_key: id }\nguard: last_event_id\n";

#[tokio::test]
async fn projections_and_their_tests() {
    let page = page();
    let folder = Folder::empty();
    let (mut projections, mut tests) = (Vec::new(), 0);
    for block in blocks(&page, "yaml") {
        if let Some(rest) = block.strip_prefix("projection: ") {
            let name = rest.lines().next().expect("a name");
            folder.write(&format!("{name}.yaml"), &block);
            projections.push(name.to_owned());
        } else if block.starts_with("projections: ") {
            tests += 1;
            folder.write(&format!("{tests}.test.yaml"), &block);
        } else {
            panic!("a block that is neither a projection nor a test:\n{block}");
        }
    }
    assert!(projections.len() >= 10 && tests >= projections.len());
    for name in projections {
        viewfold(["validate"]).arg(folder.path().join(format!("{name}.yaml"))).run().await.expect_status(0);
    }
    let output = viewfold(["test"]).arg(folder.path()).run().await;
    assert_eq!(output.status, Some(0), "{}{}", output.stdout, output.stderr);
}

#[tokio::test]
async fn values() {
    let page = page();
    let payload = payload(&page);
    let (mut rules, mut documents, mut errors) = (String::new(), String::new(), Vec::new());
    for (number, row) in rows(&page, "| written | comes to |").iter().enumerate() {
        let [written, result] = &row[..] else { panic!("two cells: {row:?}") };
        match result[0].as_str() {
            "an error" => errors.push(written[0].clone()),
            result => {
                let _ = writeln!(rules, "  - set:\n      row_{number}: {}", written[0]);
                if result != "nothing" {
                    let _ = write!(documents, "row_{number}: {result}, ");
                }
            }
        }
    }
    let projection = format!("{HEAD}key: {{ id: $.id }}\nrules:\n{rules}");
    let tests = format!(
        "projections: [page.yaml]\ncases:\n  - name: values\n    events: [{{ payload: {payload} }}]\n    \
         documents: {{ Docs: [{{ id: o-7, {documents} }}] }}\n"
    );
    holds(&projection, &tests).await;

    for written in errors {
        let projection = format!("{HEAD}key: {{ id: $.id }}\nrules:\n  - set:\n      row: {written}\n");
        let folder = Folder::with("page.yaml", &projection);
        let event = format!(
            "projections: [page.yaml]\ncases:\n  - name: error\n    events: [{{ payload: {payload} }}]\n    documents: {{ Docs: [] }}\n    dead_letters: [{{ event: 1 }}]\n"
        );
        folder.write("page.test.yaml", &event);
        let validated = viewfold(["validate"]).arg(folder.path()).run().await;
        let tested = viewfold(["test"]).arg(folder.path()).run().await;
        assert!(validated.status == Some(1) || tested.status == Some(0), "{written}: {}", tested.stdout);
    }
}

#[tokio::test]
async fn patterns() {
    let page = page();
    let (mut rules, mut cases) = (String::new(), String::new());
    for (number, row) in rows(&page, "| pattern | matches | does not match |").iter().enumerate() {
        let [pattern, matches, others] = &row[..] else { panic!("three cells: {row:?}") };
        let _ = writeln!(rules, "  - when: {{ $.row: {number}, $.x: {} }}\n    set: {{ matched: true }}", pattern[0]);
        let all = matches.iter().map(|value| (value, true)).chain(others.iter().map(|value| (value, false)));
        for (value, matched) in all.filter(|(value, _)| !value.is_empty()) {
            let documents = if matched { "[{ id: a, matched: true }]" } else { "[]" };
            let _ = writeln!(
                cases,
                "  - name: 'row {number}'\n    events: [{{ payload: {{ id: a, row: {number}, x: {value} }} }}]\n    \
                 documents: {{ Docs: {documents} }}"
            );
        }
    }
    let projection =
        format!("{HEAD}key: {{ id: $.id }}\nrules:\n{}", rules.replace("\n    set", "\n    any_order: true\n    set"));
    holds(&projection, &format!("projections: [page.yaml]\ncases:\n{cases}")).await;
}

#[tokio::test]
async fn operations() {
    let page = page();
    let payload = payload(&page);
    for row in rows(&page, "| operation | before | after |") {
        let [operation, before, after] = &row[..] else { panic!("three cells: {row:?}") };
        let inner = |map: &str| map.trim().trim_start_matches('{').trim_end_matches('}').trim().to_owned();
        let with_key = |map: &str| {
            let entries =
                map.trim().strip_prefix('{').and_then(|map| map.strip_suffix('}')).expect("a map").trim().to_owned();
            if entries.is_empty() { "{ id: o-7 }".to_owned() } else { format!("{{ id: o-7, {entries} }}") }
        };
        let given = if inner(&before[0]).is_empty() {
            "given: {}".to_owned()
        } else {
            format!("given: {{ Docs: [{}] }}", with_key(&before[0]))
        };
        let projection = format!("{HEAD}key: {{ id: $.id }}\nrules:\n  - {}\n", operation[0]);
        let tests = format!(
            "projections: [page.yaml]\ncases:\n  - name: operation\n    {given}\n    events: [{{ payload: {payload} }}]\n    \
             documents: {{ Docs: [{}] }}\n",
            with_key(&after[0])
        );
        holds(&projection, &tests).await;
    }
}
