//! Files of history, entry by entry, never more than one of them in memory.
//!
//! [`find`] says which files there are, [`unpack`] undoes gzip and zstd, [`input`] hands out lines and JSON values, [`format`]
//! tells from the beginning of a file what is in it, [`export`] and [`recorded`] read it, and [`entries`] goes through all
//! of it. What a file is depends on what is in it, never on its name.

mod entries;
mod export;
mod find;
mod format;
mod input;
mod recorded;
#[cfg(test)]
mod tests;
mod trouble;
mod unpack;

pub(crate) use entries::Entries;
pub(crate) use trouble::Trouble;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::path::PathBuf;
use std::sync::Arc;
use viewfold_value::Item;

/// The files at some paths, in the order of their names.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    paths: Arc<[PathBuf]>,
    /// How many bytes each of them has as it is stored.
    sizes: Vec<u64>,
}

/// What one entry of a file says.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Entry {
    /// An item of a table, of a full export.
    Item(Item),
    /// What happened to an item in the time of an incremental export: `old` at its beginning, `new` at its end, and nothing
    /// between. An export of new images alone has no `old`.
    Change { keys: Item, new: Option<Item>, old: Option<Item>, written_micros: u64 },
    /// A Lambda event as it was recorded, `{"Records": [...]}`.
    Lambda(Vec<u8>),
    /// The payload of a stream's record as its producer sent it.
    Payload(Vec<u8>),
}

/// Where an entry stands. The first of the first file is the default.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The file, from 0.
    pub(crate) file: usize,
    /// How many entries of the file stand before it.
    pub(crate) entry: u64,
    /// The line that it begins in, from 1, for people; 0 where nobody has looked. Where to go on does not depend on it.
    pub(crate) line: u64,
}

impl Place {
    /// The place behind this entry, to go on from.
    pub(crate) fn next(self) -> Place {
        Place { entry: self.entry + 1, line: 0, ..self }
    }
}

impl Files {
    /// The files at these paths: files, and folders with all that is below them. What an export says about itself
    /// (`manifest-*`, `_started`) is left out, and so is in folders what is hidden.
    ///
    /// # Errors
    ///
    /// When a path cannot be read, and when nothing is left.
    pub(crate) fn find(paths: &[PathBuf]) -> Result<Files, Trouble> {
        let (paths, sizes) = find::find(paths)?;
        Ok(Files { paths: paths.into(), sizes })
    }

    /// The files' paths, by [`Place::file`].
    pub(crate) fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// How many bytes they have together, as they are stored.
    pub(crate) fn bytes(&self) -> u64 {
        self.sizes.iter().sum()
    }

    /// What tells these files from others: their names, their order and their sizes.
    pub(crate) fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (path, size) in self.paths.iter().zip(&self.sizes) {
            hash.update(format!("{}\0{size}\0", path.display()));
        }
        hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// `FILE:LINE` of an entry; `FILE, entry NUMBER` where nobody has looked at its line.
    pub(crate) fn show(&self, place: Place) -> String {
        let name = self.paths.get(place.file).map(|path| trouble::name(path)).unwrap_or_default();
        match place.line {
            0 => format!("{name}, entry {}", place.entry + 1),
            line => format!("{name}:{line}"),
        }
    }

    /// All entries from a place on, itself included; what stands before it in its file is gone over, not read. Ends behind
    /// the first trouble.
    pub(crate) fn entries(&self, from: Place) -> Entries {
        Entries::new(self, from)
    }
}
