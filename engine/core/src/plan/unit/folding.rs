//! What events of a transaction do to its documents: folded onto what was read, or into effects that need no reading.

use super::Seen;
use crate::evaluate::{Change, Contribution, DocumentKey, Failure, Operation, Operations, deferred_operations};
use crate::event::Event;
use crate::fold::{Effects, State};
use crate::program::Projection;
use crate::report::{Problem, Reason};
use crate::sorted_map::SortedMap;
use foldhash::HashMap;
use viewfold_value::{Item, Number};

/// A document while events are folded onto it.
pub(super) enum Folding {
    /// Whatever it holds.
    Blind(Effects),
    /// As it was read, and its key.
    Known(Box<State>, Item),
}

/// The documents of a transaction while events are folded onto them.
#[derive(Default)]
pub(super) struct Documents {
    pub(super) folded: Vec<(DocumentKey, Folding)>,
    /// Documents that have to be read first.
    pub(super) needs: Vec<DocumentKey>,
    /// The place of each among those that are folded; none for one that has to be read.
    pub(super) places: HashMap<DocumentKey, Option<usize>>,
}

impl Documents {
    /// Folds what an event does to one of them. `again`: the event is redriven.
    ///
    /// # Errors
    ///
    /// Why the document, as it was read, does not take it.
    pub(super) fn fold(
        &mut self,
        change: &Change,
        event: Option<&Event>,
        seen: &mut Seen,
        again: bool,
        projection: &Projection,
    ) -> Result<(), Failure> {
        let document = &change.document;
        let at = match self.places.get(document) {
            Some(None) => return Ok(()),
            Some(Some(at)) => *at,
            None => {
                let must_read = projection.always_reads() || again || seen.must_read.contains(document);
                let folding = match seen.documents.get(document) {
                    Some(item) => {
                        Folding::Known(Box::new(State::new(item.clone(), projection)), document.item(projection))
                    }
                    None if must_read || !change.deferred.is_empty() => {
                        self.read(document, seen);
                        return Ok(());
                    }
                    None => Folding::Blind(Effects::default()),
                };
                self.places.insert(document.clone(), Some(self.folded.len()));
                self.folded.push((document.clone(), folding));
                self.folded.len() - 1
            }
        };
        match &mut self.folded[at].1 {
            Folding::Blind(effects) => {
                let merged = if change.deferred.is_empty() { effects.with(&change.operations) } else { None };
                match merged {
                    Some(merged) => effects.become_merged(merged),
                    None => self.read(document, seen),
                }
                Ok(())
            }
            Folding::Known(state, key) => {
                let operations = deferred_operations(change, event, projection, state.document())?;
                if operations.is_empty() {
                    return Ok(());
                }
                Ok(state.fold(&operations, key, projection)?)
            }
        }
    }

    /// Notes that a document has to be read.
    fn read(&mut self, document: &DocumentKey, seen: &mut Seen) {
        seen.must_read.insert(document.clone());
        self.places.insert(document.clone(), None);
        self.needs.push(document.clone());
    }
}

/// Adds what takes an item from one contribution to another to an event's changes.
///
/// # Errors
///
/// An amount that is no number.
pub(super) fn difference(
    before: &Contribution,
    after: &Contribution,
    changes: &mut Vec<Change>,
) -> Result<(), Problem> {
    let empty = SortedMap::new();
    for (document, old, new) in before.beside(after) {
        let mut operations = Operations::default();
        operations.by_path.reserve(new.or(old).map_or(0, SortedMap::len));
        for (path, old, new) in old.unwrap_or(&empty).beside(new.unwrap_or(&empty)) {
            if old == new {
                continue;
            }
            let zero = Number::ZERO;
            let amount = new.unwrap_or(&zero).checked_sub(*old.unwrap_or(&zero)).map_err(|error| {
                Problem::new(Reason::BadNumber, format!("the difference for `{path}` is no number: {error}"))
            })?;
            // Nothing that goes away leaves no trace; nothing that comes makes the counter exist.
            if amount == zero && new.is_none() {
                continue;
            }
            operations.by_path.insert(path.clone(), Operation::Add(amount));
        }
        if operations.is_empty() {
            continue;
        }
        match changes.iter_mut().find(|change| change.document == *document) {
            Some(change) => {
                for (path, operation) in operations.by_path {
                    change.operations.insert(path, operation, "a rule with `retract: true`")?;
                }
            }
            None => changes.push(Change { document: document.clone(), operations, deferred: Vec::new() }),
        }
    }
    Ok(())
}
