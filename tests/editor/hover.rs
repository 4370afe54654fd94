//! What is told about what is under the cursor.

use harness::editor::{Editor, File};

use crate::HEAD;

/// Makes sure that all of this is told.
#[track_caller]
fn tells(kind: &str, text: &str, words: &[&str]) {
    let Some(mut editor) = Editor::get() else { return };
    let told = editor.hover(File::of(kind, "hover.yaml", text));
    for words in words {
        assert!(told.contains(words), "no {words:?} in\n{told}");
    }
}

#[test]
fn keys_have_examples() {
    tells("projection", "projec|tion: p\n", &["part of its marks", "Example:\n\n```yaml\ntotal_votes"]);
    tells(
        "projection",
        &format!("{HEAD}gu|ard: none\n"),
        &["repeated event harmless", "guard: { last_event_id: lane }"],
    );
    let rule = format!("{HEAD}rules:\n  - ");
    tells("projection", &format!("{rule}a|dd: {{ n: 1 }}\n"), &["add: { total_votes: 1, revenue: $.amount }"]);
    tells("projection", &format!("{rule}app|end: {{}}\n"), &["append: { recent: { value: $.text, last: 10 } }"]);
    let pattern = format!("{rule}when: {{ $.a: {{ num|eric: ['>', 1] }} }}\n");
    tells("projection", &pattern, &["to the last digit", "numeric: ['>', 0, '<=', 100]"]);
    tells("test", "cases:\n  - na|me: x\n", &["What is tested", "a vote that comes twice"]);
}

/// A key that takes a name or a map tells the same, whichever it has.
#[test]
fn short_and_long_forms_tell_the_same() {
    for value in ["orders", "{ stream: orders }"] {
        let text = format!("projection: p\nsource: {{ kin|esis: {value} }}\n");
        tells("projection", &text, &["its name, or a map", "kinesis: { stream: orders, lane: $.customer }"]);
    }
}

#[test]
fn words_have_meanings() {
    let lane = format!("{HEAD}guard: {{ last_event_id: la|ne }}\n");
    tells("projection", &lane, &["* `lane`: For each lane, in a table of marks", "* `shard`: ", "* `document`: "]);
    tells("projection", &format!("{HEAD}guard: no|ne\n"), &["* `none`: Nothing is remembered"]);
    tells("projection", &format!("{HEAD}on_error: sk|ip\n"), &["* `skip`: It is dropped", "* `dead_letter`: "]);
    let letter = "cases:\n  - dead_letters: [{ reason: missing_|value }]\n";
    tells("test", letter, &["* `missing_value`: A path found nothing."]);
}
