//! Where a document keeps the mark that its events are compared with, and what moves it.
//!
//! The mark is an attribute of the document, or, where each shard has one of its own, an entry of a map from shards to
//! marks. Beside it, and nearly never there, is a set of the events above the mark that were applied all the same: those
//! that were redriven before the stream had passed them.

use super::super::expression::Writer;
use super::Application;
use crate::bookkeeping::redriven_entry;
use crate::mark::Mark;
use crate::program::{DocumentPath, Projection, Source};
use std::collections::BTreeSet;
use std::sync::Arc;
use viewfold_value::{Item, Value};

/// The place of the mark of some events.
#[derive(Clone, Debug)]
pub(in crate::plan) struct MarkPlace<'p> {
    /// The mark itself.
    mark: DocumentPath,
    /// The set of redriven events.
    redriven: &'p DocumentPath,
    /// Whose marks they are: what the entries of that set begin with.
    source: &'p Source,
    shard: Option<Arc<str>>,
}

/// A mark that moves from below the first of some events to the last of them.
pub(super) struct MarkMove<'a> {
    pub(super) place: MarkPlace<'a>,
    pub(super) first: &'a Mark,
    pub(super) last: &'a Mark,
}

impl<'p> MarkPlace<'p> {
    /// The place of an event's mark on its document; none under a guard that keeps nothing there.
    pub(in crate::plan) fn of(
        projection: &'p Projection,
        source: &'p Source,
        application: &Application,
    ) -> Option<MarkPlace<'p>> {
        let attribute = source.mark.as_ref()?;
        let shard = application.shard.clone();
        let mark = match &shard {
            None => attribute.clone(),
            Some(shard) => DocumentPath::from(vec![attribute.root().to_owned(), shard.to_string()]),
        };
        Some(MarkPlace { mark, redriven: &projection.ways.redriven, source, shard })
    }

    /// The mark that a document has there.
    ///
    /// # Errors
    ///
    /// What stands there and is no mark.
    pub(in crate::plan) fn stored<'i>(&self, item: &'i Item) -> Result<Option<&'i str>, &'i Value> {
        let root = DocumentPath::attribute(self.mark.root());
        match (self.mark.get(item), root.get(item)) {
            (Some(Value::String(mark)), _) => Ok(Some(mark)),
            (Some(other), _) => Err(other),
            (None, Some(other)) if !matches!(other, Value::Map(_)) => Err(other),
            (None, _) => Ok(None),
        }
    }

    /// The attribute that the mark is in.
    pub(super) fn attribute(&self) -> &str {
        self.mark.root()
    }

    /// Whether a document has any event that was redriven above its mark.
    pub(super) fn has_redriven(&self, item: &Item) -> bool {
        self.redriven.get(item).is_some()
    }

    /// Whether an event was redriven while the document's mark was below it.
    pub(super) fn was_redriven(&self, item: &Item, mark: &Mark) -> bool {
        match self.redriven.get(item) {
            Some(Value::StringSet(entries)) => entries.contains(&self.entry(mark)),
            _ => false,
        }
    }

    fn entry(&self, mark: &Mark) -> String {
        redriven_entry(self.source, self.shard.as_deref(), &mark.text)
    }

    /// What a write depends on, once the document has been read.
    pub(super) fn read_paths(&self, base: &Item) -> [DocumentPath; 2] {
        // A map of marks that is not there is made as a whole.
        [self.mark.first_missing(base), self.redriven.clone()]
    }

    /// Takes note of an event that is redriven: the mark stays, and the event is kept beside it unless the mark is past it
    /// already.
    pub(super) fn note_redriven(&self, writer: &mut Writer<'_>, base: &Item, mark: &Mark) {
        let stored = self.mark.get(base).and_then(Value::as_str);
        if stored.is_some_and(|stored| mark.standing(stored) == crate::mark::Standing::AtOrBelow) {
            return;
        }
        let mut entries = match self.redriven.get(base) {
            Some(Value::StringSet(entries)) => entries.clone(),
            _ => BTreeSet::new(),
        };
        entries.insert(self.entry(mark));
        writer.set(self.redriven, Value::StringSet(entries));
    }
}

impl MarkMove<'_> {
    /// The move on a document that has not been read. `without_maps`: the map of marks is not there, and is made.
    pub(super) fn blind(&self, writer: &mut Writer<'_>, without_maps: bool) {
        let mark = &self.place.mark;
        match &*mark.0 {
            [root, shard] if without_maps => {
                let map = Item::from([(shard.clone(), Value::String(self.last.text.clone()))]);
                let root = DocumentPath::attribute(root);
                writer.require_unchanged(&root, None);
                writer.set(&root, Value::Map(map));
            }
            _ => {
                writer.require_below(mark, self.first);
                writer.set(mark, Value::String(self.last.text.clone()));
            }
        }
        writer.require_unchanged(self.place.redriven, None);
    }

    /// The move on a document as it was read: that it is still so is required elsewhere.
    pub(super) fn known(&self, writer: &mut Writer<'_>, base: &Item) {
        let mark = &self.place.mark;
        let missing = mark.first_missing(base);
        let mut value = Value::String(self.last.text.clone());
        for name in mark.0[missing.0.len()..].iter().rev() {
            value = Value::Map(Item::from([(name.clone(), value)]));
        }
        writer.set(&missing, value);
        if let Some(Value::StringSet(entries)) = self.place.redriven.get(base) {
            let line = redriven_entry(self.place.source, self.place.shard.as_deref(), "");
            let is_passed = |entry: &String| entry.strip_prefix(&line).is_some_and(|mark| self.last.has_passed(mark));
            let rest: BTreeSet<String> = entries.iter().filter(|entry| !is_passed(entry)).cloned().collect();
            if rest.is_empty() {
                writer.remove(self.place.redriven);
            } else if rest.len() < entries.len() {
                writer.set(self.place.redriven, Value::StringSet(rest));
            }
        }
    }
}
