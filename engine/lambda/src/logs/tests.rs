use super::*;
use serde_json::Value;
use std::process::{Command, Output};

/// No log may have this in it.
const PAYLOAD: &str = "CANARY7F3\nof two lines";

/// How the test below tells its own process from that of the others.
const CHILD: &str = "VIEWFOLD_TEST_PANIC";

#[test]
fn what_a_panic_quotes_is_left_out() {
    let line = |words, format, payloads| panic_line(&words, "src/x.rs:1:2", format, payloads);
    for format in [Format::Json, Format::Text] {
        let hidden = line(Words::PutTogether(PAYLOAD), format, false);
        assert!(!hidden.contains("CANARY") && hidden.contains("VIEWFOLD_LOG_PAYLOADS=1"), "{hidden}");
        let shown = line(Words::PutTogether(PAYLOAD), format, true);
        assert!(shown.contains("CANARY") && !shown.contains('\n'), "{shown}");
        for payloads in [false, true] {
            let fixed = line(Words::Fixed("an index is there"), format, payloads);
            assert!(fixed.contains("an index is there") && fixed.contains("src/x.rs:1:2"), "{fixed}");
            assert!(line(Words::None, format, payloads).contains("it said nothing"));
        }
    }
}

/// Panics as the function would, where it is asked to: in a process of its own, since hooks are a process's.
#[test]
fn a_process_that_panics() {
    let Ok(asked) = std::env::var(CHILD) else { return };
    let format = if asked.contains("json") { Format::Json } else { Format::Text };
    let (level, payloads) = (LevelFilter::OFF, asked.contains("payloads"));
    start(&Settings { format, level, wanted: Targets::new().with_default(level), payloads });
    panic!("this is of a document: {PAYLOAD}");
}

fn panicked(asked: &str) -> Output {
    let own = std::env::current_exe().expect("a test has a binary");
    let mut command = Command::new(own);
    command.args(["--exact", "logs::tests::a_process_that_panics", "--nocapture", "--quiet"]).env(CHILD, asked);
    command.output().expect("a test's binary runs")
}

/// The lines that a process wrote of its panic. (The harness of tests writes its own ones around it.)
fn lines(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    let after = text.lines().filter(|line| line.contains("FATAL") || line.contains("CANARY"));
    after.map(str::to_owned).collect()
}

#[test]
fn a_panic_is_one_line_of_the_log_whatever_its_level() {
    let output = panicked("json");
    assert!(!output.status.success(), "{output:?}");
    let [line] = &lines(&output)[..] else { panic!("{output:?}") };
    let line: Value = serde_json::from_str(line).expect("one object");
    assert_eq!(line["level"], "FATAL");
    assert!(line["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')), "{line}");
    assert!(line["place"].as_str().is_some_and(|place| place.contains("logs/tests.rs:")), "{line}");
    assert!(line["message"].as_str().is_some_and(|words| words.starts_with("the function panicked")), "{line}");
    // Nothing else writes it down: no hook of before.
    assert!(!String::from_utf8_lossy(&output.stderr).contains("CANARY"), "{output:?}");

    let output = panicked("text");
    let [line] = &lines(&output)[..] else { panic!("{output:?}") };
    assert!(line.contains(" FATAL the function panicked") && !line.contains("CANARY"), "{line}");

    let output = panicked("json, payloads");
    let [line] = &lines(&output)[..] else { panic!("{output:?}") };
    assert!(line.contains("CANARY7F3\\nof two lines"), "{line}");
}
