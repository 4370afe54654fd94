//! A document that has been read, while events are folded onto it.

use super::document::apply_to;
use crate::evaluate::{Operation, Operations};
use crate::program::{DocumentPath, Projection};
use crate::report::Problem;
use std::collections::BTreeSet;
use std::ops::Bound;
use viewfold_value::Item;

/// A document that has been read, and what has become of it since.
#[derive(Clone, Debug)]
pub struct State {
    /// The item as the store has it.
    base: Option<Item>,
    /// The document as rules see it: empty where there is none.
    document: Item,
    /// Whether there is a document.
    exists: bool,
    /// Every path that was written, none of them leading through another.
    touched: BTreeSet<DocumentPath>,
    /// Whether the document was deleted since it was read: what the store has of it goes, whatever came after.
    replaced: bool,
}

impl State {
    /// The state of an item as it was read.
    pub fn new(base: Option<Item>, projection: &Projection) -> State {
        let mut state =
            State { base: None, document: Item::new(), exists: false, touched: BTreeSet::new(), replaced: false };
        match &base {
            None => {}
            // The row of a deleted document is no document.
            Some(item) if item.contains_key(projection.ways.deleted.root()) => {
                state.document = others(item, projection);
            }
            Some(item) => {
                state.document.clone_from(item);
                state.exists = true;
            }
        }
        state.base = base;
        state
    }

    /// The state of an item as if none of the projection's events had happened: for folding all of them anew.
    pub fn before_all_events(base: Option<Item>, projection: &Projection) -> State {
        let mut state = State::new(base, projection);
        if let Some(item) = &state.base {
            let own = projection.attributes.iter().filter(|name| item.contains_key(*name));
            state.touched = own.map(|name| DocumentPath::attribute(name)).collect();
            state.touched.extend(item.contains_key(projection.ways.by.root()).then(|| projection.ways.by.clone()));
            state.document = without_own(item, projection);
            state.exists = false;
        }
        state
    }

    /// The document as rules see it.
    pub fn document(&self) -> &Item {
        &self.document
    }

    /// The item as the store has it.
    pub fn base(&self) -> Option<&Item> {
        self.base.as_ref()
    }

    /// Whether there is a document now.
    pub fn exists(&self) -> bool {
        self.exists
    }

    /// Whether the document was deleted since it was read.
    pub fn replaced(&self) -> bool {
        self.replaced
    }

    /// Every path that was written.
    pub fn touched(&self) -> &BTreeSet<DocumentPath> {
        &self.touched
    }

    /// Folds one event.
    ///
    /// # Errors
    ///
    /// As [`apply`](super::apply); the state is then as it was.
    pub fn fold(&mut self, operations: &Operations, key: &Item, projection: &Projection) -> Result<(), Problem> {
        if !apply_to(&mut self.document, operations, key, projection)? {
            self.replaced = true;
            self.exists = false;
            self.document = self.base.as_ref().map(|item| others(item, projection)).unwrap_or_default();
            return Ok(());
        }
        self.exists = true;
        for (path, operation) in &operations.by_path {
            self.touch(path);
            if matches!(operation, Operation::Append(elements) if elements.iter().any(|element| element.by.is_some())) {
                self.touch(&projection.ways.by);
            }
        }
        for path in &projection.ways.derived {
            self.touch(path);
        }
        Ok(())
    }

    fn touch(&mut self, way: &DocumentPath) {
        let path = &*way.0;
        if (1..=path.len()).any(|depth| self.touched.contains(&path[..depth])) {
            return;
        }
        // What lies below it comes right behind it.
        let below = |touched: &BTreeSet<DocumentPath>| {
            let mut from = touched.range::<[String], _>((Bound::Included(path), Bound::Unbounded));
            from.next().filter(|next| next.0.starts_with(path)).cloned()
        };
        while let Some(below) = below(&self.touched) {
            self.touched.remove(&below);
        }
        self.touched.insert(way.clone());
    }
}

/// What stays of an item when the document is deleted: what others write to it, where it is shared.
fn others(item: &Item, projection: &Projection) -> Item {
    if projection.shared { without_own(item, projection) } else { Item::new() }
}

fn without_own(item: &Item, projection: &Projection) -> Item {
    let mut rest = item.clone();
    rest.retain(|name, _| !projection.attributes.contains(name));
    rest.remove(projection.ways.by.root());
    rest.remove(projection.ways.deleted.root());
    rest
}
