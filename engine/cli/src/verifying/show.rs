//! Differences for people and for programs.

use super::compare::Difference;
use super::plain::Compared;
use super::repair::Fate;
use crate::output::printable;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use viewfold_value::{Item, Value};

/// What is wrong with an item.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Problem {
    /// It has to be there.
    Missing,
    /// It has not to be there.
    Extra,
    /// It has other values.
    Different,
}

/// A difference for programs. Values keep every digit.
#[derive(Serialize)]
pub(crate) struct ForPrograms {
    table: String,
    key: Value,
    problem: Problem,
    fate: &'static str,
    attributes: BTreeMap<String, Values>,
}

#[derive(Serialize)]
struct Values {
    expected: Option<Value>,
    found: Option<Value>,
}

/// What is wrong with an item.
pub(crate) fn problem(table: &Compared, difference: &Difference) -> Problem {
    let is_there = |item: &Option<Item>| item.as_ref().is_some_and(|item| table.plain(item).is_some());
    match (is_there(&difference.expected), is_there(&difference.found)) {
        (true, false) => Problem::Missing,
        (false, _) => Problem::Extra,
        (true, true) => Problem::Different,
    }
}

/// The attributes that differ.
fn attributes(table: &Compared, difference: &Difference) -> BTreeMap<String, Values> {
    let (expected, found) = table.both(difference.expected.as_ref(), difference.found.as_ref());
    let (expected, found) = (expected.unwrap_or_default(), found.unwrap_or_default());
    let names: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    let different = names.into_iter().filter(|name| expected.get(*name) != found.get(*name));
    let values = |name: &String| Values { expected: expected.get(name).cloned(), found: found.get(name).cloned() };
    different.map(|name| (name.clone(), values(name))).collect()
}

/// A difference for programs.
pub(crate) fn for_programs(table: &Compared, difference: &Difference, fate: Fate) -> ForPrograms {
    ForPrograms {
        table: table.table.name.to_string(),
        key: Value::Map(difference.key.clone()),
        problem: problem(table, difference),
        fate: fate.text(),
        attributes: attributes(table, difference),
    }
}

/// A difference for people, a line for each attribute.
pub(crate) fn for_people(table: &Compared, difference: &Difference, fate: Fate) -> String {
    let what = match problem(table, difference) {
        Problem::Missing => "is missing",
        Problem::Extra => "has not to be there",
        Problem::Different => "is different",
    };
    let fate = match fate {
        Fate::Told => String::new(),
        fate => format!(" ({})", fate.text()),
    };
    let key = Value::Map(difference.key.clone());
    let mut text = printable(&format!("{} {key} {what}{fate}", table.table.name)) + "\n";
    for (name, Values { expected, found }) in attributes(table, difference) {
        let shown = |value: Option<Value>| value.map_or_else(|| "nothing".to_owned(), |value| value.to_string());
        let line = format!("  {name}: {}, and has to be {}", shown(found), shown(expected));
        text += &(printable(&line) + "\n");
    }
    text
}
