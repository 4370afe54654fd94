//! Some documents, marks and events: were they made by these projections, with these guards? A sample can show that
//! something changed under a live view; that nothing did, it cannot.

use super::Case;
use super::finding::{Finding, Severity};
use super::marks::{mark_attributes, own_attributes, wrong_mark, wrong_stream};
use std::collections::BTreeMap;
use viewfold_core::bookkeeping::{self, MARK, SORT_KEY};
use viewfold_core::program::{Guard, Projection, Source, key_kind};
use viewfold_core::tables::Purpose;
use viewfold_dynamodb::inspect::Sample;
use viewfold_value::Item;

/// A guard that changed, and how to change it without harm.
const START_ANEW: &str = "a changed guard, name or key takes a new table (`document.table`, and a new name of the projection), filled anew from the \
                          stream; or put back what was changed";

pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for needed in case.needed {
        let name = &*needed.table.name;
        let Some(sample) = case.facts.tables.get(name).and_then(|facts| facts.sample.as_ref()) else { continue };
        match needed.purpose {
            Purpose::Documents => documents(case, name, sample, &mut findings),
            Purpose::Marks | Purpose::Events => rows(case, name, sample, &mut findings),
            Purpose::DeadLetters => {}
        }
    }
    findings
}

/// How many of the items that were looked at.
fn share(count: usize, sample: &Sample) -> String {
    let all = if sample.is_all { "all that there are" } else { "a sample" };
    format!("{count} of {} ({all})", sample.items.len())
}

fn documents(case: &Case<'_>, table: &str, sample: &Sample, findings: &mut Vec<Finding>) {
    let of_table: Vec<&Projection> =
        case.program.projections.iter().filter(|projection| *projection.table.name == *table).collect();
    let shared = of_table.iter().any(|projection| projection.shared);
    unknown_attributes(table, &of_table, shared, sample, findings);
    for projection in of_table {
        let at = format!("documents of `{}` in table {table}", projection.name);
        let mut wrong: BTreeMap<String, usize> = BTreeMap::new();
        for item in &sample.items {
            if let Some(what) = projection.sources.iter().find_map(|source| wrong_mark(case.program, source, item)) {
                *wrong.entry(what).or_default() += 1;
            }
        }
        // Marks differ from each other: one of them stands for all.
        let count = wrong.values().sum();
        if let Some(what) = wrong.into_keys().next() {
            findings.push(Finding::new(
                Severity::Error,
                &at,
                format!("{} have another mark than the guard makes: {what}", share(count, sample)),
                "their events are dead letters (`other_stream`), or are refused, or an old one counts again",
                START_ANEW,
            ));
        }
        let marks = mark_attributes(projection);
        let default = format!("_vf_{}", projection.name);
        let left = sample.items.iter().filter(|item| item.contains_key(&default)).count();
        if left > 0 && !marks.contains(&default.as_str()) && projection.sources.len() == 1 {
            findings.push(Finding::new(
                Severity::Error,
                &at,
                format!("{} have a mark in `{default}`, where the guard keeps none", share(left, sample)),
                "the guard was changed under a live view: what the old one remembers the new one does not know, and an event that \
                 comes again counts again",
                START_ANEW,
            ));
        }
        let version = projection.version_attribute();
        let expected: Vec<&str> = match projection.kept_attributes().contains(&version) {
            true => vec![version.as_str()],
            false => marks,
        };
        // On a shared item, another projection's document need not be one of this.
        if !expected.is_empty() && !projection.shared {
            let bare = sample.items.iter().filter(|item| expected.iter().all(|mark| !item.contains_key(*mark))).count();
            if bare > 0 {
                let names: Vec<String> = expected.iter().map(|name| format!("`{name}`")).collect();
                findings.push(Finding::new(
                    Severity::Warning,
                    &at,
                    format!("{} have no {}", share(bare, sample), names.join(" and no ")),
                    "they were written by something else, or under another guard: which events are in them already, nobody knows, and \
                     one that comes again counts again",
                    START_ANEW,
                ));
            }
        }
    }
}

/// Bookkeeping of projections that are not among these.
fn unknown_attributes(
    table: &str,
    projections: &[&Projection],
    shared: bool,
    sample: &Sample,
    findings: &mut Vec<Finding>,
) {
    let known: Vec<String> = projections.iter().flat_map(|projection| own_attributes(projection)).collect();
    let mut unknown: BTreeMap<&str, usize> = BTreeMap::new();
    for item in &sample.items {
        let odd =
            |name: &&String| name.starts_with("_vf_") && *name != "_vf_ttl" && !known.iter().any(|own| own == *name);
        for name in item.keys().filter(odd) {
            *unknown.entry(name).or_default() += 1;
        }
    }
    for (name, count) in unknown {
        let severity = if shared { Severity::Advice } else { Severity::Error };
        let so = if shared { "if no other deployment writes to this table: " } else { "" };
        findings.push(Finding::new(
            severity,
            format!("documents in table {table}"),
            format!("{} have `{name}`, which none of these projections keeps", share(count, sample)),
            format!(
                "{so}a projection was renamed, or is not among those named here: under another name it knows none of the events that are \
                 in the documents, and adds what comes again"
            ),
            START_ANEW,
        ));
    }
}

/// Rows of tables that guards keep.
fn rows(case: &Case<'_>, table: &str, sample: &Sample, findings: &mut Vec<Finding>) {
    // What is wrong with rows, and how many there are of it.
    let mut wrong: BTreeMap<(Severity, String), usize> = BTreeMap::new();
    for item in &sample.items {
        if let Some(what) = wrong_row(case, table, item) {
            *wrong.entry(what).or_default() += 1;
        }
    }
    for ((severity, what), count) in wrong {
        findings.push(Finding::new(
            severity,
            format!("table {table}"),
            format!("{} rows are {what}", share(count, sample)),
            "what they remember is not asked for: an event that is in the documents and comes again would count again",
            match severity {
                Severity::Advice => {
                    "nothing, where another deployment keeps its rows here, too; where a projection was renamed, put \
                                     its name back"
                }
                _ => START_ANEW,
            },
        ));
    }
    if !sample.is_all {
        return;
    }
    for projection in &case.program.projections {
        for source in projection.sources.iter().filter(|source| source.guard.table().is_some_and(|own| **own == *table))
        {
            let own = sample.items.iter().any(|item| is_of(item, projection, source));
            let documents = case.facts.tables.get(&*projection.table.name).and_then(|facts| facts.sample.as_ref());
            let filled = documents.is_some_and(|documents| !documents.items.is_empty());
            if !own && filled && !projection.shared && projection.sources.len() == 1 {
                findings.push(Finding::new(
                    Severity::Warning,
                    format!("table {table}"),
                    format!("it has no row of `{}`, whose table has documents", projection.name),
                    "they were made by something else, or under another guard or name: an event that comes again counts again",
                    START_ANEW,
                ));
            }
        }
    }
}

/// Whether a row is one that the guard of a source makes.
fn is_of(item: &Item, projection: &Projection, source: &Source) -> bool {
    match (bookkeeping::parts(item), &source.guard) {
        // Its key was too long to say.
        (None, _) => true,
        (Some((name, _)), Guard::EventsTable { order_by: Some(_), .. }) => name == projection.name,
        (Some((name, of)), _) => name == projection.name && of == source.bookkeeping,
    }
}

/// What is wrong with a row, and how bad it is.
fn wrong_row(case: &Case<'_>, table: &str, item: &Item) -> Option<(Severity, String)> {
    let (name, of) = bookkeeping::parts(item)?;
    let Some(projection) = case.program.projections.iter().find(|projection| projection.name == name) else {
        return Some((Severity::Advice, format!("of `{name}`, which is not among these projections")));
    };
    let mut here = projection.sources.iter().filter(|source| source.guard.table().is_some_and(|own| **own == *table));
    let ordered = item.get(SORT_KEY).and_then(|sort| sort.as_str()).is_some_and(|sort| sort != "-");
    let is_ordered = |source: &Source| matches!(source.guard, Guard::EventsTable { order_by: Some(_), .. });
    if projection.sources.iter().all(|source| source.guard.table().is_none_or(|own| **own != *table)) {
        return Some((Severity::Error, format!("of `{name}`, whose guard keeps nothing here any more")));
    }
    if here.clone().any(is_ordered) != ordered {
        let what = if ordered { "from an `order_by` that it has no more" } else { "from before its `order_by`" };
        return Some((Severity::Error, format!("of `{name}`, {what}")));
    }
    if ordered {
        return None;
    }
    let Some(source) = here.find(|source| source.bookkeeping == of) else {
        return Some((Severity::Error, format!("of `{name}` and the source `{of}`, which it does not read any more")));
    };
    if let (Guard::Lane { order_by, .. }, Some(mark)) = (&source.guard, item.get(MARK).and_then(|mark| mark.as_str()))
        && wrong_stream(case.program, source, order_by, mark).is_some()
    {
        return Some((
            Severity::Error,
            format!("of `{name}`, with marks of another stream or order than its guard makes"),
        ));
    }
    let kinds: Vec<_> = projection.table.keys().map(|key| key_kind(key.kind)).collect();
    let fits = bookkeeping::contribution_of(item).is_none_or(|contribution| {
        contribution.keys().all(|key| key.0.iter().map(viewfold_value::Value::kind).eq(kinds.iter().copied()))
    });
    (!fits).then(|| (Severity::Error, format!("of `{name}`, for documents with another key than it has now")))
}

#[cfg(test)]
mod tests;
