//! What the function weighs and what its start costs, held against what is recorded in `tests/budget.txt`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use harness::function::Deployment;
use harness::scratch::Folder;
use harness::store::Store;
use harness::{binaries, optional, workspace};

/// What a start may take under valgrind.
const START_LIMIT: Duration = Duration::from_secs(120);

/// How many hundredths more are no failure of what is recorded for the first time.
const FIRST_MARGIN: u64 = 5;

/// Projections without marks of lanes. Where nothing becomes a dead letter either, their start asks the store nothing: how much
/// of an answer comes within its time limit is another thing on each machine.
const ASK_NOTHING: [&str; 2] = ["votes/recent_votes.yaml", "winner-view/contributions.yaml"];

/// The JSON Schema that one of them names.
const SCHEMA: &str = "winner-view/retail.schema.json";

fn file() -> PathBuf {
    workspace().join("tests/budget.txt")
}

/// What a budget says under a name: the number, and how many hundredths above it are no failure. Nothing where it is not
/// recorded.
fn entry(text: &str, name: &str) -> Option<(u64, u64)> {
    let line = text.lines().find(|line| line.split_whitespace().next() == Some(name))?;
    let mut numbers = line.split_whitespace().skip(1).map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(number)), Some(Ok(more))) => Some((number, more)),
        _ => panic!("tests/budget.txt: `{line}` is not `{name} NUMBER HUNDREDTHS`"),
    }
}

/// Why a number is beyond a budget, or so far below it that the budget is none any more.
fn beyond(text: &str, name: &str, found: u64) -> Result<(), String> {
    let Some((recorded, more)) = entry(text, name) else {
        eprintln!("SKIPPED: tests/budget.txt has no line `{name} NUMBER HUNDREDTHS`, and here it is {found}");
        return Ok(());
    };
    let limit = recorded + recorded * more / 100;
    if found > limit {
        return Err(format!(
            "{name} is {found}, and tests/budget.txt has {recorded} and {more} hundredths more: {limit} at most. Find out what \
             has come to it (`cargo tree -p viewfold-lambda -e normal`), or record it: the file says how"
        ));
    }
    Ok(())
}

/// Holds a number against the budget, or records it.
#[track_caller]
fn hold(name: &str, found: u64) {
    let text = fs::read_to_string(file()).expect("tests/budget.txt can be read");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        let new = match entry(&text, name) {
            Some((recorded, more)) => {
                text.replace(&format!("{name} {recorded} {more}"), &format!("{name} {found} {more}"))
            }
            None => format!("{text}{name} {found} {FIRST_MARGIN}\n"),
        };
        fs::write(file(), new).expect("tests/budget.txt can be written");
        return;
    }
    if let Err(message) = beyond(&text, name, found) {
        panic!("{message}");
    }
}

#[test]
fn a_limit_that_is_lower_is_a_failure() {
    assert_eq!(beyond("# words\nbytes 100 3\n", "bytes", 103), Ok(()));
    let message = beyond("bytes 100 3", "bytes", 104).expect_err("it is beyond");
    assert!(message.contains("bytes is 104") && message.contains("103 at most"), "{message}");
}

#[tokio::test]
async fn the_function_is_within_its_budget() {
    let bytes = fs::metadata(binaries::bootstrap()).expect("the binary is there").len();
    hold("bootstrap_bytes", bytes);

    let found = Command::new("valgrind").arg("--version").output();
    let found = found.map(drop).map_err(|error| format!("valgrind does not run: {error}"));
    if optional::unless_missing("valgrind", found).is_none() {
        return;
    }
    let folder = Folder::empty();
    for (name, more) in ASK_NOTHING.map(|name| (name, "\non_error: skip\n")).into_iter().chain([(SCHEMA, "")]) {
        let text = fs::read_to_string(workspace().join("projections").join(name)).expect("a system's file can be read");
        folder.write(name.rsplit('/').next().unwrap_or(name), &format!("{text}{more}"));
    }
    let store = Store::start().await;
    let valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"].map(std::ffi::OsString::from);
    let command = valgrind.into_iter().chain([binaries::bootstrap().into()]);
    let function = Deployment::new(folder.path(), &store).run(command).start().await;
    assert!(function.is_ready_within(START_LIMIT).await, "{}", function.output());
    function.terminate().await;
    let output = function.output();
    let collected = output.lines().find_map(|line| line.split("Collected :").nth(1));
    let instructions = collected.and_then(|number| number.trim().parse().ok());
    hold("start_instructions", instructions.unwrap_or_else(|| panic!("valgrind counted nothing:\n{output}")));
}
