//! A document while one event is folded onto it, where it stands.
//!
//! A document may be large and a batch bring thousands of events for it, so none of them gets a copy of its own. What an event
//! changes is written down instead: an event that is refused half way is taken back.

use crate::program::DocumentPath;
use viewfold_value::{Item, Value};

/// A document, and how to take back what was changed.
pub(super) struct Draft<'d> {
    document: &'d mut Item,
    /// The last change comes last.
    changes: Vec<Undo>,
}

/// What takes a change back.
enum Undo {
    /// This value stood there.
    Put(DocumentPath, Value),
    /// Nothing stood there.
    Take(DocumentPath),
}

impl<'d> Draft<'d> {
    /// A draft of a document as it is.
    pub(super) fn new(document: &'d mut Item) -> Draft<'d> {
        Draft { document, changes: Vec::with_capacity(8) }
    }

    /// The document as it is by now.
    pub(super) fn document(&self) -> &Item {
        self.document
    }

    /// Puts a value there; maps on the way are made. What is in the way and no map is given back as the error: its path.
    pub(super) fn set(&mut self, path: &DocumentPath, value: Value) -> Result<(), DocumentPath> {
        match path.get_mut(self.document) {
            Some(place) => {
                let before = std::mem::replace(place, value);
                self.changes.push(Undo::Put(path.clone(), before));
            }
            None => {
                // With the first map that is made for it, all below goes.
                let made = path.first_missing(self.document);
                path.set(self.document, value)?;
                self.changes.push(Undo::Take(made));
            }
        }
        Ok(())
    }

    /// Takes away what stands there; the maps on the way stay.
    pub(super) fn remove(&mut self, path: &DocumentPath) {
        if let Some(before) = path.remove(self.document) {
            self.changes.push(Undo::Put(path.clone(), before));
        }
    }

    /// Leaves the document as it was.
    pub(super) fn take_back(self) {
        let Draft { document, changes } = self;
        for change in changes.into_iter().rev() {
            match change {
                // It stood there: nothing is in the way.
                Undo::Put(path, value) => drop(path.set(document, value)),
                Undo::Take(path) => drop(path.remove(document)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use viewfold_value::json;

    fn value() -> impl Strategy<Value = Value> {
        let text = prop_oneof![Just(r#"{"a":{"b":1}}"#), Just(r#"{}"#), Just("7"), Just(r#"{"b":"x","a":2}"#)];
        text.prop_map(|text| json::parse(text.as_bytes()).unwrap())
    }

    proptest! {
        /// Whatever was set and removed, one after the other: taken back, the document is as it was; kept, it is as if each had
        /// been done on the document itself.
        #[test]
        fn what_was_changed_can_be_taken_back(
            document in prop::collection::btree_map("[ab]", value(), 0..3),
            changes in prop::collection::vec((prop::collection::vec("[ab]", 1..4), prop::option::of(value())), 0..6),
        ) {
            let (mut drafted, mut plain) = (document.clone(), document.clone());
            let mut draft = Draft::new(&mut drafted);
            for (names, value) in changes {
                let path = DocumentPath::from(names);
                match value {
                    Some(value) => prop_assert_eq!(draft.set(&path, value.clone()), path.set(&mut plain, value)),
                    None => {
                        draft.remove(&path);
                        path.remove(&mut plain);
                    }
                }
            }
            prop_assert_eq!(draft.document(), &plain);
            draft.take_back();
            prop_assert_eq!(drafted, document);
        }
    }
}
