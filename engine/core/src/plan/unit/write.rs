//! Writes of documents: blind ones, and those of documents that have been read.

use super::super::expression::Writer;
use super::super::request::Action;
use super::Context;
use super::place::{MarkMove, MarkPlace};
use crate::evaluate::DocumentKey;
use crate::fold::{Effects, State};
use crate::mark::Mark;
use crate::program::{DocumentPath, Projection};
use crate::sorted_map::Attributes;
use std::borrow::Cow;
use std::collections::BTreeSet;
use viewfold_value::{Item, Number, Value};

/// What a write does to the guard's own attributes of the document.
pub(super) enum OnDocument<'a> {
    /// Nothing: the guard keeps nothing there.
    Nothing,
    /// Moves the mark.
    Mark(MarkMove<'a>),
    /// Leaves the mark, and remembers beside it an event that is redriven.
    Redriven { place: MarkPlace<'a>, mark: &'a Mark },
    /// Sets the version.
    Version(String),
}

/// The write of effects, whatever the document holds. Nothing where the document has to be read after all.
pub(super) fn blind(
    projection: &Projection,
    document: &DocumentKey,
    effects: &Effects,
    without_maps: bool,
    guard: &OnDocument<'_>,
    context: &Context<'_>,
) -> Option<Action> {
    let mut writer = Writer::new(context.forms);
    if without_maps {
        if !writer.effects_with_maps(effects) {
            return None;
        }
    } else {
        writer.effects(effects);
    }
    if let OnDocument::Mark(to) = guard {
        to.blind(&mut writer, without_maps);
    }
    Some(writer.update(&projection.table.name, document.attributes(projection)))
}

/// The move of a document's mark past an event that is not applied to it, if there is a document.
pub(super) fn mark_only(
    projection: &Projection,
    document: &DocumentKey,
    to: &MarkMove<'_>,
    item: Option<&Item>,
    without_maps: bool,
    context: &Context<'_>,
) -> Action {
    let mut writer = Writer::new(context.forms);
    writer.require_item(&projection.ways.key);
    match item {
        Some(item) => {
            for path in to.place.read_paths(item) {
                writer.require_unchanged(&path, path.get(item));
            }
            to.known(&mut writer, item);
        }
        None => to.blind(&mut writer, without_maps),
    }
    writer.update(&projection.table.name, document.attributes(projection))
}

/// That there is no document.
pub(super) fn no_document(projection: &Projection, document: &DocumentKey, context: &Context<'_>) -> Action {
    let mut writer = Writer::new(context.forms);
    writer.require_missing(&projection.ways.key);
    writer.check(&projection.table.name, document.attributes(projection))
}

/// The write of a document that has been read: it is conditional on everything that was read. Nothing where there is
/// nothing to write. `as_wholes`: top-level attributes are compared and set as wholes, for what is in their maps would be
/// too much for an expression.
pub(super) fn known(
    projection: &Projection,
    document: &DocumentKey,
    state: &State,
    guard: &OnDocument<'_>,
    as_wholes: bool,
    context: &Context<'_>,
) -> Option<Action> {
    let table = &projection.table.name;
    let key = document.attributes(projection);
    let empty = Item::new();
    let base = state.base().unwrap_or(&empty);
    let mut writer = Writer::new(context.forms);
    let touched = touched(state, as_wholes);
    conditions(&mut writer, projection, state, &touched, guard);
    let mut gone: BTreeSet<String> = BTreeSet::new();
    if !state.exists() {
        // Under `order_by` there is a row even of a document that never was: its version says that it has events. And the
        // mark of one that came and went in one batch has to be somewhere.
        let is_needed = match guard {
            OnDocument::Nothing | OnDocument::Redriven { .. } => false,
            OnDocument::Mark(_) => state.replaced(),
            OnDocument::Version(_) => true,
        };
        if state.base().is_none() && !is_needed {
            return None;
        }
        if !projection.shared && projection.kept_attributes().is_empty() {
            return Some(writer.removal(table, key));
        }
        // What others need stays: what guards remember, and the attributes of other writers.
        leave_row(&mut writer, &mut gone, projection, base, context.now);
    } else {
        if base.contains_key(projection.ways.deleted.root()) {
            // The document comes to life again.
            gone.insert(projection.deleted_attribute());
            if !projection.shared {
                gone.insert(projection.ttl_attribute().to_owned());
            }
        }
        if state.replaced() {
            let stays = |name: &String| key.contains_key(name) || state.document().contains_key(name);
            let own = |name: &String| !projection.shared || is_own(projection, name);
            let kept = projection.kept_attributes();
            gone.extend(base.keys().filter(|name| own(name) && !stays(name) && !kept.contains(name)).cloned());
        }
        paths(&mut writer, projection, state, &touched, base, &key);
    }
    for name in gone {
        if base.contains_key(&name) && !(state.exists() && state.document().contains_key(&name)) {
            writer.remove(&DocumentPath::attribute(&name));
        }
    }
    guard.move_on(&mut writer, projection, base);
    if state.base().is_none() {
        writer.require_missing(&projection.ways.key);
    }
    if state.base().is_none() && writer.is_empty() {
        // An update that writes nothing still brings a document into being; a transaction takes no empty one.
        writer.remove(&projection.ways.deleted);
    }
    (!writer.is_empty()).then(|| writer.update(table, key))
}

/// The item as the store has it behind the write of [`known`]; nothing where it is not told by the document alone. Whoever goes on
/// with it does so under the conditions of [`known`], as with an item that was read: where others have written meanwhile, they
/// do not hold.
pub(super) fn left_behind(projection: &Projection, state: &State, guard: &OnDocument<'_>) -> Option<Item> {
    let was_deleted = state.base().is_some_and(|base| base.contains_key(projection.ways.deleted.root()));
    if !state.exists() || state.replaced() || was_deleted {
        return None;
    }
    let mut item = state.document().clone();
    if let OnDocument::Version(version) = guard {
        item.insert(projection.version_attribute(), Value::from(version.as_str()));
    }
    Some(item)
}

/// The paths that were written, or the attributes that they are in.
fn touched(state: &State, as_wholes: bool) -> Cow<'_, BTreeSet<DocumentPath>> {
    match as_wholes {
        true => Cow::Owned(state.touched().iter().map(|path| DocumentPath::attribute(path.root())).collect()),
        false => Cow::Borrowed(state.touched()),
    }
}

/// Everything that was read has to be as it was.
fn conditions(
    writer: &mut Writer<'_>,
    projection: &Projection,
    state: &State,
    touched: &BTreeSet<DocumentPath>,
    guard: &OnDocument<'_>,
) {
    let Some(base) = state.base() else { return };
    writer.require_item(&projection.ways.key);
    // A map that is not there is made as a whole: another one that came in the meantime must not be lost.
    let mut read: Vec<DocumentPath> = touched.iter().map(|path| path.first_missing(base)).collect();
    read.extend(projection.ways.read.iter().cloned());
    read.extend(guard.read_paths(projection, base));
    if projection.can_delete() {
        read.push(projection.ways.deleted.clone());
    }
    if state.replaced() {
        read.extend(projection.attributes.iter().map(|name| DocumentPath::attribute(name)));
    }
    read.sort();
    read.dedup();
    let mut kept: Vec<DocumentPath> = Vec::new();
    for path in read {
        // Sorted: what leads to a path comes before it.
        if !kept.iter().any(|other| other.contains(&path)) {
            writer.require_unchanged(&path, path.get(base));
            kept.push(path);
        }
    }
}

/// Whether an attribute is one that the projection writes.
fn is_own(projection: &Projection, name: &str) -> bool {
    projection.attributes.iter().any(|attribute| attribute == name) || name == projection.ways.by.root()
}

fn is_key(projection: &Projection, name: &str) -> bool {
    projection.table.keys().any(|key| key.name == name)
}

/// Sets or removes what was written, where it is not what it was.
fn paths(
    writer: &mut Writer<'_>,
    projection: &Projection,
    state: &State,
    touched: &BTreeSet<DocumentPath>,
    base: &Item,
    key: &Attributes,
) {
    let mut whole: Vec<DocumentPath> = Vec::new();
    // A document that was deleted and made anew has nothing left of its maps: its attributes are set as wholes.
    let roots: Vec<DocumentPath> = match state.replaced() {
        true => projection.attributes.iter().map(|name| DocumentPath::attribute(name)).collect(),
        false => Vec::new(),
    };
    let written: Vec<&DocumentPath> = match state.replaced() {
        true => roots.iter().chain([&projection.ways.by]).collect(),
        false => touched.iter().collect(),
    };
    for path in written {
        if key.contains_key(path.root()) {
            continue;
        }
        // A map that is not there is set as a whole, with everything that was written into it, and stays when that goes.
        let missing = path.first_missing(base);
        let made = missing != *path && missing.get(state.document()).is_some();
        let (before, after) = (path.get(base), path.get(state.document()));
        if made || (after.is_some() && after != before) {
            if !whole.contains(&missing) {
                whole.push(missing);
            }
        } else if after.is_none() && before.is_some() && !state.replaced() {
            // What is left of a document that was made anew goes with everything else that does.
            writer.remove(path);
        }
    }
    for path in whole {
        if let Some(value) = path.get(state.document()) {
            writer.set(&path, value.clone());
        }
    }
}

/// What is left of a document that goes, where not the whole item can.
fn leave_row(writer: &mut Writer<'_>, gone: &mut BTreeSet<String>, projection: &Projection, base: &Item, now: &str) {
    let kept = projection.kept_attributes();
    for name in base.keys() {
        let stays = is_key(projection, name) || kept.contains(name) || (projection.shared && !is_own(projection, name));
        if !stays {
            gone.insert(name.clone());
        }
    }
    if kept.is_empty() {
        return;
    }
    let now = epoch_seconds(now);
    let number = |seconds: i64| Value::Number(seconds.to_string().parse().unwrap_or(Number::ZERO));
    let deleted = projection.deleted_attribute();
    gone.retain(|name| *name != deleted && name != projection.ttl_attribute());
    writer.set(&DocumentPath::attribute(&deleted), number(now));
    // Rows of events never expire, so under `order_by` neither does what says that they were folded.
    if !projection.shared && !kept.contains(&projection.version_attribute()) {
        writer.set(&DocumentPath::attribute(projection.ttl_attribute()), number(now + KEEP_DELETED_SECONDS));
    }
}

/// How long the row of a deleted document stays: beyond the year that a Kinesis stream may keep its records.
const KEEP_DELETED_SECONDS: i64 = 370 * 24 * 60 * 60;

/// The seconds since 1970 of an RFC 3339 text.
pub(in crate::plan) fn epoch_seconds(now: &str) -> i64 {
    now.parse::<jiff::Timestamp>().map_or(0, |time| time.as_second())
}

impl OnDocument<'_> {
    /// The guard's own places in the document.
    fn read_paths(&self, projection: &Projection, base: &Item) -> Vec<DocumentPath> {
        match self {
            OnDocument::Nothing => Vec::new(),
            OnDocument::Mark(to) => to.place.read_paths(base).into(),
            OnDocument::Redriven { place, .. } => place.read_paths(base).into(),
            OnDocument::Version(_) => vec![projection.ways.version.clone()],
        }
    }

    fn move_on(&self, writer: &mut Writer<'_>, projection: &Projection, base: &Item) {
        match self {
            OnDocument::Nothing => {}
            OnDocument::Mark(to) => to.known(writer, base),
            OnDocument::Redriven { place, mark } => place.note_redriven(writer, base, mark),
            OnDocument::Version(version) => {
                writer.set(&projection.ways.version, Value::from(version.as_str()));
            }
        }
    }
}
