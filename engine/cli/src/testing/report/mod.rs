//! What became of test files, for whoever reads it: a file for each form.

pub(crate) mod json;
pub(crate) mod junit;
pub(crate) mod text;

use super::scene::Verdict;
use std::time::Duration;

/// What became of a test file.
pub(crate) struct Tested {
    pub(crate) file: String,
    pub(crate) cases: Vec<Ended>,
    /// Why it could not be run.
    pub(crate) broken: Option<String>,
}

/// What became of a case.
pub(crate) struct Ended {
    pub(crate) line: usize,
    pub(crate) name: String,
    pub(crate) verdict: Verdict,
    pub(crate) took: Duration,
    /// What `--update` did.
    pub(crate) update: Option<Update>,
}

/// What `--update` did about a case that failed.
pub(crate) enum Update {
    /// It was rewritten, and holds now; the lines that changed.
    Written(String),
    /// It was left as it is, and why.
    Refused(String),
}

impl Ended {
    pub(crate) fn passed(&self) -> bool {
        self.verdict.differences.is_empty()
    }
}

/// How many cases there were, how many failed, how many files could not be run, and how many schedules there were.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) cases: usize,
    pub(crate) failed: usize,
    pub(crate) broken: usize,
    pub(crate) schedules: usize,
}

impl Totals {
    pub(crate) fn of(files: &[Tested]) -> Totals {
        let cases = || files.iter().flat_map(|file| &file.cases);
        Totals {
            cases: cases().count(),
            failed: cases().filter(|case| !case.passed()).count(),
            broken: files.iter().filter(|file| file.broken.is_some()).count(),
            schedules: cases().map(|case| case.verdict.schedules.total()).sum(),
        }
    }
}

/// Results to try the forms on.
#[cfg(test)]
pub(crate) mod samples {
    use super::{Ended, Tested};
    use crate::testing::kind::Kind;
    use crate::testing::scene::{Tally, Verdict};
    use crate::testing::schedule::Sort;
    use std::collections::BTreeSet;
    use std::time::Duration;

    /// A file with a case that holds and one that does not, and a file that could not be run.
    pub(crate) fn files() -> Vec<Tested> {
        let tally = |twice| Tally {
            ran: [(Sort::Twice, twice), (Sort::Crash, 1)].into(),
            left_out: vec![(Kind::Orders, BTreeSet::from(["the guard is no `events_table`"]))],
            not_compared: vec![(Kind::Batches, "board".to_owned(), "it sees each step")],
        };
        let case = |name: &str, differences: &[&str], twice| Ended {
            line: 3,
            name: name.to_owned(),
            verdict: Verdict {
                differences: differences.iter().map(ToString::to_string).collect(),
                schedules: tally(twice),
                found: None,
            },
            took: Duration::from_millis(1250),
            update: None,
        };
        vec![
            Tested {
                file: "a & b.test.yaml".to_owned(),
                cases: vec![
                    case("holds", &[], 2),
                    case("fails <\"'\u{1b}\u{0}>", &["`a` is \"x\u{7}\", expected ]]>", "second\tline"], 1),
                ],
                broken: None,
            },
            Tested { file: "c.test.yaml".to_owned(), cases: vec![], broken: Some("no\u{1b}[31m YAML".to_owned()) },
        ]
    }
}
