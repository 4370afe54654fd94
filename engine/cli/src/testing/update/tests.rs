//! Test files before and after `--update`.

use crate::testing::file::{self, Options};
use crate::testing::report::{Tested, Update};
use std::path::{Path, PathBuf};

/// Documents have what an event's payload gives them; odd values are made of texts.
const PROJECTION: &str = r#"projection: kept
source: { kinesis: { stream: events, lane: $.k } }
document: { table: Kept, partition_key: k, sort_key: { name: s, type: number } }
guard: last_event_id
key: { k: $.k, s: '${ default($.s, 1) }' }
rules:
  - name: kept
    when: { $.v: { exists: true } }
    set: { v: $.v }
  - name: counted
    add: { n: 1 }
  - name: odd
    when: { $.tags: { exists: true } }
    set: { tags: '${ set($.tags) }', bytes: '${ binary("/wA=") }', dots: '${ "$." + $.k }' }
  - name: wrong
    when: { $.wrong: { exists: true } }
    add: { wrong: $.wrong }
"#;

struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("viewfold-update-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder can be made");
        std::fs::write(path.join("kept.yaml"), PROJECTION).expect("a file can be written");
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn run(path: &Path, update: bool) -> Tested {
    file::run(path, &Options { filter: None, schedules: 5, update }).await
}

/// What `--update` makes of a file. What it wrote has to hold, and to be left alone by another update.
async fn updated(text: &str) -> (String, Tested) {
    let folder = Folder::new();
    let path = folder.0.join("kept.test.yaml");
    std::fs::write(&path, text).expect("a file can be written");
    let tested = run(&path, true).await;
    let after = std::fs::read_to_string(&path).expect("it is there");
    if tested.cases.iter().any(|case| matches!(case.update, Some(Update::Written(_)))) {
        let again = run(&path, true).await;
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), after);
        for (before, now) in tested.cases.iter().zip(&again.cases) {
            assert_eq!(before.passed(), now.passed(), "{after}");
            assert!(!matches!(now.update, Some(Update::Written(_))), "{after}");
        }
    } else {
        assert_eq!(after, text);
    }
    (after, tested)
}

/// Checks what becomes of the expectations of a case with some events.
async fn check(events: &str, before: &str, after: &str) {
    let file = |expectations: &str| {
        format!(
            "# a test\nprojections: [kept.yaml]\ncases:\n  - name: one # here\n    events: {events}\n{expectations}\n  # the end\n"
        )
    };
    let (text, tested) = updated(&file(before)).await;
    assert_eq!(tested.broken, None);
    let refused = tested.cases.iter().find_map(|case| match &case.update {
        Some(Update::Refused(why)) => Some(why.clone()),
        _ => None,
    });
    assert_eq!(refused, None, "{before}");
    assert_eq!(text, file(after));
}

#[tokio::test]
async fn only_what_differs_is_changed() {
    let events = "[{ payload: { k: a, v: 7 } }, { payload: { k: b, v: { x: [1, 2], y: { z: q } } } }]";
    // In braces.
    check(
        events,
        "    documents: { Kept: [{ k: a, s: 1, n: 2, v: 7.0 }, { k: b, s: 1, v: { x: [1, 3], y: { z: p, o: 1 } }, n: 1 }] } # c",
        "    documents: { Kept: [{ k: a, s: 1, n: 1, v: 7.0 }, { k: b, s: 1, v: { x: [1, 2], y: { z: q } }, n: 1 }] } # c",
    )
    .await;
    // In blocks, with comments.
    check(
        events,
        "    documents:\n      Kept: # all\n        - k: b # the second\n          # one\n          s: 1\n          old: 1 # goes\n          \
         n: 3 # three\n          v:\n            x:\n              - 1\n              - 2\n            y: { z: q }\n        # the first\n        - { k: a, s: 1, n: 1 } # short",
        "    documents:\n      Kept: # all\n        - k: b # the second\n          # one\n          s: 1\n          \
         n: 1 # three\n          v:\n            x:\n              - 1\n              - 2\n            y: { z: q }\n        # the first\n        - { k: a, s: 1, n: 1, v: 7 } # short",
    )
    .await;
    // Only what `contains` names.
    check(
        events,
        "    contains: { Kept: [{ k: b, s: 1, v: 3, gone: 1 }] }",
        "    contains: { Kept: [{ k: b, s: 1, v: { x: [1, 2], y: { z: q } } }] }",
    )
    .await;
}

#[tokio::test]
async fn documents_come_and_go() {
    let events = "[{ payload: { k: a } }, { payload: { k: b } }, { payload: { k: c } }]";
    check(
        events,
        "    documents:\n      Kept:\n        - { k: x, s: 1, n: 1 }\n        # b\n        - { k: b, s: 1, n: 1 }\n        - { k: y, s: 1 }",
        "    documents:\n      Kept:\n        # b\n        - { k: b, s: 1, n: 1 }\n        - { k: a, s: 1, n: 1 }\n        - { k: c, s: 1, n: 1 }",
    )
    .await;
    check(
        events,
        "    documents:\n      Kept:\n        - k: b\n          s: 1\n          n: 1",
        "    documents:\n      Kept:\n        - k: b\n          s: 1\n          n: 1\n        - k: a\n          s: 1\n          n: 1\n        - k: c\n          s: 1\n          n: 1",
    )
    .await;
    check(
        events,
        "    documents: { Kept: [] }",
        "    documents: { Kept: [{ k: a, s: 1, n: 1 }, { k: b, s: 1, n: 1 }, { k: c, s: 1, n: 1 }] }",
    )
    .await;
    check(
        "[]",
        "    documents:\n      Kept:\n        - { k: a, s: 1 }\n        - { k: b, s: 1 }",
        "    documents:\n      Kept: []",
    )
    .await;
    check("[]", "    documents: { Kept: [{ k: a, s: 1 }] }", "    documents: { Kept: [] }").await;
}

#[tokio::test]
async fn a_case_without_expectations_gets_them() {
    check(
        "[{ payload: { k: a } }, { payload: { k: a, wrong: x } }]",
        "    # nothing yet",
        "    documents: { Kept: [{ k: a, s: 1, n: 1 }] }\n    dead_letters: [{ event: 2, projection: kept, reason: wrong_type }]\n    # nothing yet",
    )
    .await;
    // What is too long for a line stands in several.
    let long = "x".repeat(100);
    check(
        &format!("[{{ payload: {{ k: a, v: {long} }} }}, {{ payload: {{ k: b }} }}]"),
        "    # nothing yet",
        &format!(
            "    documents:\n      Kept:\n        - k: a\n          s: 1\n          n: 1\n          v: {long}\n        - {{ k: b, s: 1, n: 1 }}\n    # nothing yet"
        ),
    )
    .await;
}

#[tokio::test]
async fn dead_letters_are_those_that_there_are() {
    let events = "[{ payload: { k: a, wrong: x } }, { raw: \"{\", lane: a }]";
    check(
        events,
        "    dead_letters:\n      - { event: 1, reason: schema } # why\n      - { event: 3, projection: kept, reason: wrong_type }",
        "    dead_letters:\n      - { event: 1, reason: wrong_type } # why\n      - { event: 2, projection: kept, reason: undecodable }",
    )
    .await;
    // The comment of an element goes with it.
    check(
        "[{ payload: { k: a, wrong: x } }]",
        "    dead_letters:\n      # all\n      - { event: 2 } # goes",
        "    dead_letters:\n      # all\n      - { event: 1, projection: kept, reason: wrong_type }",
    )
    .await;
    check("[]", "    dead_letters: [{ event: 1 }]", "    dead_letters: []").await;
}

#[tokio::test]
async fn odd_values_are_written_as_the_language_has_them() {
    for (payload, expected) in [
        ("\"\\u0001\\n\"", "\"\\u0001\\n\""),
        ("\"$ {x\"", "\"$ {x\""),
        ("'${ \"$.x\" }'", "'${ \"$.x\" }'"),
        ("'${ \"${ 1 }\" }'", "'${ \"${ 1 }\" }'"),
        ("\"true\"", "\"true\""),
        ("\"NO\"", "\"NO\""),
        ("\"12\"", "\"12\""),
        ("\"~\"", "\"~\""),
        ("\"2026-01-01\"", "\"2026-01-01\""),
        ("0.1234567890123456789012345678901234567", "0.1234567890123456789012345678901234567"),
        ("null", "null"),
        ("[true, \"it's\", { \"a: b\": {} }]", "[true, \"it's\", { \"a: b\": {} }]"),
    ] {
        check(
            &format!("[{{ payload: {{ k: a, v: {payload} }} }}]"),
            "    documents: { Kept: [{ k: a, s: 1, n: 1, v: other }] }",
            &format!("    documents: {{ Kept: [{{ k: a, s: 1, n: 1, v: {expected} }}] }}"),
        )
        .await;
    }
    check(
        "[{ payload: { k: a, tags: [b, a] } }]",
        "    documents: { Kept: [{ k: a, s: 1, n: 1, tags: [a, b], bytes: x, dots: x }] }",
        "    documents: { Kept: [{ k: a, s: 1, n: 1, tags: '${ set(\"a\", \"b\") }', bytes: '${ binary(\"/wA=\") }', dots: '${ \"$.a\" }' }] }",
    )
    .await;
}

#[tokio::test]
async fn what_comes_by_aliases_is_written_out() {
    // The anchor stands in an event, which stays as it is.
    check(
        "[{ payload: &p { k: a, s: 1, v: 1 } }]",
        "    documents: { Kept: [*p] }",
        "    documents: { Kept: [{ k: a, n: 1, s: 1, v: 1 }] }",
    )
    .await;
    check(
        "[{ payload: { k: a, v: &v [1, 2] } }]",
        "    documents: { Kept: [{ k: a, s: 1, v: *v, n: 2 }] }",
        "    documents: { Kept: [{ k: a, s: 1, v: *v, n: 1 }] }",
    )
    .await;
    check(
        "[{ payload: { k: a } }]",
        "    given: { Kept: [&z { k: z, s: 1, n: 1 }] }\n    documents: { Kept: [{ <<: *z, k: a, v: 1 }, *z] }",
        "    given: { Kept: [&z { k: z, s: 1, n: 1 }] }\n    documents: { Kept: [{ k: a, n: 1, s: 1 }, *z] }",
    )
    .await;
}

#[tokio::test]
async fn line_breaks_stay_as_they_are() {
    let file = |documents: &str| {
        format!("projections: [kept.yaml]\ncases:\n  - name: one\n    events: [{{ payload: {{ k: a }} }}]\n    documents:\n      Kept:\n{documents}").replace('\n', "\r\n")
    };
    let (text, _) = updated(&file("        - k: a\n          s: 1\n          x: 1\n")).await;
    assert_eq!(text, file("        - k: a\n          s: 1\n          n: 1\n"));
}

#[tokio::test]
async fn a_case_that_failed_for_another_reason_stays_as_it_is() {
    let file = |case: &str| format!("projections: [kept.yaml]\ncases:\n  - name: one\n{case}");
    for (case, why) in [
        (
            "    events: []\n    contains: { Kept: [{ k: a, s: 1 }] }\n",
            "`contains` names a document that is not there: Kept {\"k\":\"a\",\"s\":1}",
        ),
        // An alias of what would change stands elsewhere.
        (
            "    events: [{ payload: { k: a } }]\n    documents: { Kept: [&x { k: a, s: 1, n: 2 }] }\n  - name: two\n    \
             events: [{ payload: { k: a } }, { payload: { k: a } }]\n    documents: { Kept: [*x] }\n",
            "the case is written in a way that cannot be edited",
        ),
    ] {
        let (_, tested) = updated(&file(case)).await;
        match &tested.cases[0].update {
            Some(Update::Refused(found)) => assert_eq!(found, why),
            _ => panic!("{case}"),
        }
    }
    let (_, tested) = updated(&file("    events: []\n    documents: { Other: [] }\n")).await;
    assert!(tested.broken.is_some_and(|why| why.contains("`Other` is no table of these projections")));
}
