//! Open dead letters: how many of which projection, and why.

use super::Case;
use super::facts::MOST_LETTERS;
use super::finding::{Finding, Severity, word};
use std::collections::BTreeMap;
use viewfold_core::dead_letter::Letter;

pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let Some(table) = &case.program.dead_letters else { return Vec::new() };
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut more = false;
    for (_, letters) in &case.facts.letters {
        more |= !letters.is_all;
        for letter in letters.items.iter().cloned().filter_map(Letter::of) {
            *counts.entry((letter.column("projection").to_owned(), letter.column("reason").to_owned())).or_default() +=
                1;
        }
    }
    let at = format!("table {table}");
    let place = &case.commands.place;
    let finding = |((projection, reason), count): ((String, String), usize)| {
        let known = case.program.projections.iter().any(|loaded| loaded.name == projection);
        let letters = if count == 1 { "dead letter is" } else { "dead letters are" };
        let least =
            if more { format!(" (of each source, the first {MOST_LETTERS} were counted)") } else { String::new() };
        let list =
            format!("viewfold dead-letters list {place} --projection {} --reason {}", word(&projection), word(&reason));
        let fix = match known {
            true => format!(
                "{list}; correct what is wrong, then viewfold redrive {} --projection {} --reason {} {place}",
                case.commands.projections,
                word(&projection),
                word(&reason)
            ),
            false => format!("{list}; its projection is not among these: close them, or redrive with its file"),
        };
        Finding::new(
            Severity::Warning,
            &at,
            format!("{count} {letters} open: `{projection}`, {reason}{least}"),
            "their events are not in the documents",
            fix,
        )
    };
    counts.into_iter().map(finding).collect()
}
