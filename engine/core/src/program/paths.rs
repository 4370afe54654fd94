//! The paths that projections read, each with the slot that its value goes into.

use crate::path::Step;
use std::collections::HashMap;

/// The paths that a stream's projections read, as a tree: paths share their beginnings.
#[derive(Debug, Default)]
pub struct PathTree {
    /// The first is the payload itself.
    pub(crate) nodes: Vec<Place>,
    /// The path of each slot, and the same as one text.
    slots: Vec<(Vec<Step>, String)>,
}

/// A place in payloads.
#[derive(Debug, Default)]
pub(crate) struct Place {
    /// The slot of the value at this place, if a path ends here.
    pub(crate) slot: Option<usize>,
    /// The places below, by their key.
    pub(crate) names: HashMap<String, Child, foldhash::fast::RandomState>,
    /// How long their keys are, a bit for each length: most keys of an event are none of them, and need no hash to tell.
    lengths: u64,
    /// The places below, by their index; from the end where negative.
    pub(crate) indexes: Vec<(i64, usize)>,
}

/// A place below another one that is reached by a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Child {
    /// Its number among those reached by a key of the same place.
    pub(crate) number: usize,
    /// Its number among [`PathTree::nodes`].
    pub(crate) place: usize,
}

impl Place {
    /// The place below that a key leads to.
    pub(crate) fn child(&self, key: &str) -> Option<Child> {
        match self.lengths & length(key) {
            0 => None,
            _ => self.names.get(key).copied(),
        }
    }

    /// The places below, as numbers of [`PathTree::nodes`].
    pub(crate) fn below(&self) -> impl Iterator<Item = usize> {
        let indexes = self.indexes.iter().map(|(_, next)| *next);
        self.names.values().map(|child| child.place).chain(indexes)
    }
}

impl PathTree {
    /// The slot of a path, which is added unless it is there.
    pub fn insert(&mut self, path: &[Step]) -> usize {
        if self.nodes.is_empty() {
            self.nodes.push(Place::default());
        }
        let mut at = 0;
        for step in path {
            at = match self.next(at, step) {
                Some(next) => next,
                None => {
                    let next = self.nodes.len();
                    self.nodes.push(Place::default());
                    match step {
                        Step::Name(name) => {
                            let place = &mut self.nodes[at];
                            let child = Child { number: place.names.len(), place: next };
                            place.lengths |= length(name);
                            place.names.insert(name.clone(), child);
                        }
                        Step::Index(index) => self.nodes[at].indexes.push((*index, next)),
                    }
                    next
                }
            };
        }
        let slots = &mut self.slots;
        *self.nodes[at].slot.get_or_insert_with(|| {
            slots.push((path.to_vec(), text(path)));
            slots.len() - 1
        })
    }

    fn next(&self, at: usize, step: &Step) -> Option<usize> {
        match step {
            Step::Name(name) => self.nodes[at].names.get(name).map(|child| child.place),
            Step::Index(index) => self.nodes[at].indexes.iter().find(|(i, _)| i == index).map(|(_, next)| *next),
        }
    }

    /// Whether any path begins with this name.
    pub fn reads(&self, name: &str) -> bool {
        self.nodes.first().is_some_and(|root| root.names.contains_key(name))
    }

    /// How many slots there are.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// The path of a slot in one form, however it was written: `$['a'][0]`.
    pub fn text(&self, slot: usize) -> Option<&str> {
        self.slots.get(slot).map(|(_, text)| text.as_str())
    }

    /// The steps of the path of a slot.
    pub fn steps(&self, slot: usize) -> &[Step] {
        self.slots.get(slot).map_or(&[], |(steps, _)| steps)
    }

    /// The place of the payload itself.
    pub(crate) fn root(&self) -> Option<&Place> {
        self.nodes.first()
    }
}

/// The bit of a key's length; long ones share the last.
fn length(key: &str) -> u64 {
    1 << key.len().min(63)
}

fn text(path: &[Step]) -> String {
    let steps = path.iter().map(|step| match step {
        Step::Name(name) => format!("['{}']", name.replace('\\', "\\\\").replace('\'', "\\'")),
        Step::Index(index) => format!("[{index}]"),
    });
    std::iter::once("$".to_owned()).chain(steps).collect()
}
