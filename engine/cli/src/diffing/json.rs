//! A change for programs: the class of each change, and of all together.

use super::documents::{Difference, Differences, View};
use crate::output::Failure;
use serde::Serialize;
use viewfold_core::change::{Change, Changed, Fate, class};
use viewfold_value::Value;

#[derive(Serialize)]
struct Everything<'a> {
    class: &'static str,
    projections: Vec<Projection<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Events<'a>>,
}

#[derive(Serialize)]
struct Projection<'a> {
    projection: &'a str,
    class: &'static str,
    fate: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    changes: Vec<One<'a>>,
}

#[derive(Serialize)]
struct One<'a> {
    class: &'static str,
    what: &'a str,
    side: &'static str,
    file: &'a str,
    line: usize,
    column: usize,
    why: &'a str,
    help: &'a str,
}

#[derive(Serialize)]
struct Events<'a> {
    events: usize,
    rejected: Sides<usize>,
    views: Vec<OfView<'a>>,
}

#[derive(Serialize)]
struct Sides<T> {
    old: T,
    new: T,
}

#[derive(Serialize)]
struct OfView<'a> {
    projection: &'a str,
    tables: Sides<&'a str>,
    same: usize,
    differing: Vec<Document<'a>>,
}

#[derive(Serialize)]
struct Document<'a> {
    key: &'a str,
    #[serde(rename = "in")]
    within: &'static str,
    attributes: Vec<Attribute<'a>>,
}

#[derive(Serialize)]
struct Attribute<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<&'a Value>,
}

/// All of it as one JSON object.
pub(crate) fn rendered(changed: &[Changed], differences: Option<&Differences>) -> Result<String, Failure> {
    let everything = Everything {
        class: class(changed).text(),
        projections: changed.iter().map(projection).collect(),
        events: differences.map(events),
    };
    serde_json::to_string_pretty(&everything)
        .map(|text| text + "\n")
        .map_err(|error| Failure::new(format!("the report cannot be written: {error}")))
}

fn projection(changed: &Changed) -> Projection<'_> {
    let (fate, from) = match &changed.fate {
        Fate::Kept => ("kept", None),
        Fate::Added => ("added", None),
        Fate::Removed => ("removed", None),
        Fate::Version { from } => ("version", Some(from.as_str())),
        Fate::Renamed { from } => ("renamed", Some(from.as_str())),
    };
    let changes = changed.changes.iter().map(|Change { class, what, place, why, help }| {
        let (line, column) = place.source.position(place.span.start);
        let side = if place.is_old { "old" } else { "new" };
        One { class: class.text(), what, side, file: &place.source.name, line, column, why, help }
    });
    let changes = changes.collect();
    Projection { projection: &changed.name, class: changed.class().text(), fate, from, changes }
}

fn events(differences: &Differences) -> Events<'_> {
    let views = differences.views.iter().map(|View { name, old_table, new_table, same, differing }| {
        let differing = differing.iter().map(|Difference { key, attributes, side }| {
            let within = match side {
                None => "both",
                Some(true) => "old",
                Some(false) => "new",
            };
            let attributes =
                attributes.iter().map(|(path, old, new)| Attribute { path, old: old.as_ref(), new: new.as_ref() });
            Document { key, within, attributes: attributes.collect() }
        });
        let tables = Sides { old: old_table.as_str(), new: new_table.as_str() };
        OfView { projection: name, tables, same: *same, differing: differing.collect() }
    });
    let (old, new) = differences.rejected;
    Events { events: differences.events, rejected: Sides { old, new }, views: views.collect() }
}
