//! Results of tests for people.

use super::{Ended, Tested, Totals, Update};
use crate::output::count;
use crate::testing::kind::Kind;
use crate::testing::schedule::Sort;
use std::collections::BTreeMap;

/// The cases of a file.
pub(crate) fn file(tested: &Tested) -> String {
    tested.cases.iter().map(|ended| case(&tested.file, ended)).collect()
}

/// The cases of all files that failed.
pub(crate) fn failed(files: &[Tested]) -> String {
    let failed = |file: &Tested| -> String {
        let cases = file.cases.iter().filter(|ended| !ended.passed());
        cases.map(|ended| case(&file.file, ended)).collect()
    };
    files.iter().map(failed).collect()
}

fn case(file: &str, ended: &Ended) -> String {
    let Ended { line, name, verdict, update, .. } = ended;
    let word = match (update, ended.passed()) {
        (Some(Update::Written(_)), _) => "updated",
        (_, true) => "ok     ",
        (_, false) => "FAILED ",
    };
    let schedules = match verdict.schedules.total() {
        0 => String::new(),
        number => format!(" ({})", count(number, "schedule")),
    };
    let mut text = format!("{word} {file}:{line}: {name}{schedules}\n");
    for difference in &verdict.differences {
        text += &format!("        {difference}\n");
    }
    match update {
        Some(Update::Written(changed)) => changed.lines().for_each(|line| text += &format!("        {line}\n")),
        Some(Update::Refused(why)) => text += &format!("        not updated: {why}\n"),
        None => {}
    }
    text
}

/// What there was in all: the schedules by sort, what was left out and why, and the verdict on the last line.
pub(crate) fn summary(files: &[Tested], schedules: bool) -> String {
    let totals = Totals::of(files);
    let mut text = String::new();
    if schedules && totals.schedules > 0 {
        text += &by_sort(files);
    }
    text += &format!("{}, {} failed", count(totals.cases, "case"), totals.failed);
    if totals.broken > 0 {
        text += &format!(", {} could not be run", count(totals.broken, "file"));
    }
    if schedules {
        text += &format!("; {}", count(totals.schedules, "schedule"));
    }
    text + "\n"
}

fn by_sort(files: &[Tested]) -> String {
    let mut sorts: BTreeMap<Sort, usize> = BTreeMap::new();
    let mut left_out: BTreeMap<(Kind, &str), usize> = BTreeMap::new();
    let mut not_compared: BTreeMap<(Kind, &str, &str), usize> = BTreeMap::new();
    for tally in files.iter().flat_map(|file| &file.cases).map(|case| &case.verdict.schedules) {
        for (sort, number) in &tally.ran {
            *sorts.entry(*sort).or_default() += number;
        }
        for (kind, why) in tally.left_out.iter().flat_map(|(kind, why)| why.iter().map(|why| (*kind, *why))) {
            *left_out.entry((kind, why)).or_default() += 1;
        }
        for (kind, projection, why) in &tally.not_compared {
            *not_compared.entry((*kind, projection, why)).or_default() += 1;
        }
    }
    let sorts: Vec<String> = sorts.iter().map(|(sort, number)| format!("{number} {}", sort.words())).collect();
    let mut text = format!("\nschedules: {}\n", sorts.join(", "));
    for ((kind, why), cases) in left_out {
        text += &format!("  not {}: {} ({why})\n", kind.words(), count(cases, "case"));
    }
    for ((kind, projection, why), cases) in not_compared {
        text += &format!("  {projection} not compared {}: {} ({why})\n", kind.words(), count(cases, "case"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::samples;

    #[test]
    fn the_summary_counts_schedules_by_sort_and_says_why_others_are_left_out() {
        let expected = "\nschedules: 3 delivered twice, 2 with a crash\n  not in other orders: 2 cases (the guard is no \
                        `events_table`)\n  board not compared in other batches: 2 cases (it sees each step)\n\
                        2 cases, 1 failed, 1 file could not be run; 5 schedules\n";
        assert_eq!(super::summary(&samples::files(), true), expected);
        assert_eq!(super::summary(&samples::files(), false), "2 cases, 1 failed, 1 file could not be run\n");
    }
}
