//! How many instructions the engine takes for an event, stage by stage, held against what is recorded in
//! `tests/instructions.txt`. Instructions come out nearly the same on every run and however busy the machine is; times do not.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use harness::workload::System;
use harness::{binaries, optional, workspace};

/// The systems whose batches are counted: payloads of a stream, blindly added up; a table's stream, and documents that are read.
const SYSTEMS: [System; 2] = [System::VotesKinesis, System::Tournament];

/// As `stage` names them.
const STAGES: [&str; 7] = ["envelope", "decode", "match", "evaluate", "fold", "batch", "sdk"];

/// How often a stage is done in the shorter of two runs, and in the longer one: what both need besides does not count.
const TIMES: (u64, u64) = (2, 6);

/// How many hundredths more or less are no failure of what is recorded for the first time.
const FIRST_TOLERANCE: u64 = 3;

const HEAD: &str = "\
# Instructions for an event of 200 to 4096 bytes, by stage: SYSTEM STAGE INSTRUCTIONS HUNDREDTHS, where so many hundredths more
# or less are no failure. `batch` is everything from the payload to the report, `sdk` the SDK's types of the requests.
# Another compiler or C library moves them all by a little. After a change that is worth it, or that makes them fewer:
# UPDATE_SNAPSHOTS=1 cargo test --workspace --test function -- instructions
";

fn file() -> PathBuf {
    workspace().join("tests/instructions.txt")
}

/// What is recorded, by system and stage: instructions, and the tolerance in hundredths.
type Recorded = BTreeMap<(String, String), (u64, u64)>;

fn recorded(text: &str) -> Recorded {
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| match line.split_whitespace().collect::<Vec<_>>()[..] {
            [system, stage, instructions, tolerance] => {
                let number = |text: &str| text.parse().unwrap_or_else(|error| panic!("`{line}`: {text}: {error}"));
                ((system.to_owned(), stage.to_owned()), (number(instructions), number(tolerance)))
            }
            _ => panic!("tests/instructions.txt: `{line}` is not `SYSTEM STAGE INSTRUCTIONS HUNDREDTHS`"),
        })
        .collect()
}

/// A table of everything, where anything is beyond its tolerance or not recorded.
fn compare(recorded: &Recorded, found: &[(&str, &str, u64)]) -> Result<(), String> {
    let mut table = format!("{:<24}{:<10}{:>10}{:>10}{:>9}\n", "system", "stage", "was", "is", "");
    let mut beyond = 0;
    for (system, stage, is) in found {
        let line = match recorded.get(&((*system).to_owned(), (*stage).to_owned())) {
            None => {
                beyond += 1;
                format!("{system:<24}{stage:<10}{:>10}{is:>10}   is not recorded", "-")
            }
            Some((was, tolerance)) => {
                let percent = 100.0 * (*is as f64 - *was as f64) / (*was).max(1) as f64;
                let word = match percent.abs() > *tolerance as f64 {
                    false => "",
                    true if is > was => "   MORE",
                    true => "   fewer: record it",
                };
                beyond += usize::from(!word.is_empty());
                format!("{system:<24}{stage:<10}{was:>10}{is:>10}{percent:>+8.1}%{word}")
            }
        };
        let _ = writeln!(table, "{line}");
    }
    match beyond {
        0 => Ok(()),
        _ => Err(format!(
            "the engine takes other numbers of instructions for an event than tests/instructions.txt has; that file says how to \
             record them\n{table}"
        )),
    }
}

/// The instructions of a run, and the events of its batch.
fn run(system: System, stage: &str, times: u64) -> (u64, u64) {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(binaries::stage());
    command.args([system.name(), stage, &times.to_string()]).env_clear();
    let output = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let collected = stderr.lines().find_map(|line| line.split("Collected :").nth(1));
    match (collected.and_then(|number| number.trim().parse().ok()), stdout.trim().parse()) {
        (Some(instructions), Ok(events)) => (instructions, events),
        _ => panic!("valgrind counted nothing:\n{stdout}{stderr}"),
    }
}

/// Instructions for an event.
fn instructions(system: System, stage: &str) -> u64 {
    let (fewer, more) = (run(system, stage, TIMES.0), run(system, stage, TIMES.1));
    more.0.saturating_sub(fewer.0) / (TIMES.1 - TIMES.0) / more.1.max(1)
}

#[test]
fn what_costs_more_is_told_in_a_table() {
    let recorded = recorded("# words\nvotes decode 1000 3\nvotes fold 100 3\n");
    assert_eq!(compare(&recorded, &[("votes", "decode", 1030), ("votes", "fold", 97)]), Ok(()));
    let table = compare(&recorded, &[("votes", "decode", 1040), ("votes", "fold", 100), ("votes", "match", 5)]);
    let table = table.expect_err("one is beyond, and one is new");
    let is_told = |words: &[&str]| {
        table.lines().any(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") == words.join(" "))
    };
    assert!(is_told(&["votes", "decode", "1000", "1040", "+4.0%", "MORE"]), "{table}");
    assert!(is_told(&["votes", "fold", "100", "100", "+0.0%"]), "{table}");
    assert!(is_told(&["votes", "match", "-", "5", "is", "not", "recorded"]), "{table}");
    let table = compare(&recorded, &[("votes", "decode", 500)]).expect_err("what is gained is kept");
    assert!(table.contains("fewer: record it"), "{table}");
}

#[test]
fn the_engine_takes_no_more_instructions_than_are_recorded() {
    let found = Command::new("valgrind").arg("--version").output();
    let found = found.map(drop).map_err(|error| format!("valgrind does not run: {error}"));
    if optional::unless_missing("valgrind", found).is_none() {
        return;
    }
    let all = SYSTEMS.into_iter().flat_map(|system| STAGES.into_iter().map(move |stage| (system, stage)));
    let found: Vec<(&str, &str, u64)> =
        all.map(|(system, stage)| (system.name(), stage, instructions(system, stage))).collect();
    let text = fs::read_to_string(file()).unwrap_or_default();
    let recorded = recorded(&text);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        let mut new = HEAD.to_owned();
        for (system, stage, instructions) in found {
            let known = recorded.get(&(system.to_owned(), stage.to_owned()));
            let tolerance = known.map_or(FIRST_TOLERANCE, |(_, tolerance)| *tolerance);
            let _ = writeln!(new, "{system} {stage} {instructions} {tolerance}");
        }
        return fs::write(file(), new).expect("tests/instructions.txt can be written");
    }
    if let Err(table) = compare(&recorded, &found) {
        panic!("{table}");
    }
}
