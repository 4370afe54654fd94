//! All entries of some files, one after the other.

use super::format::{self, Format};
use super::input::Input;
use super::recorded::{self, Position};
use super::{Entry, Files, Place, Trouble, export};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The entries from a place on.
pub(crate) struct Entries {
    paths: Arc<[PathBuf]>,
    from: Place,
    /// The entry that is next.
    at: Place,
    open: Option<Open>,
    /// How many bytes are read, as they are stored.
    read: Arc<AtomicU64>,
    /// Whether there was any entry, gone over or not.
    any: bool,
    done: bool,
}

/// The file that is read.
struct Open {
    input: Input,
    /// Nothing for a file without a word.
    format: Option<Format>,
    position: Position,
}

impl Iterator for Entries {
    type Item = Result<(Place, Entry), Trouble>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.read_next();
        self.done = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}

impl Entries {
    pub(super) fn new(files: &Files, from: Place) -> Entries {
        let before = files.sizes.iter().take(from.file).sum();
        let read = Arc::new(AtomicU64::new(before));
        let at = Place { file: from.file, ..Place::default() };
        Entries { paths: files.paths.clone(), from, at, open: None, read, any: false, done: false }
    }

    /// How many of [`Files::bytes`] are behind it, files before the place to go on from included.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    fn read_next(&mut self) -> Result<Option<(Place, Entry)>, Trouble> {
        while let Some(path) = self.paths.get(self.at.file) {
            let skipped = if self.from.file == self.at.file { self.from.entry } else { 0 };
            let open = match &mut self.open {
                Some(open) => open,
                closed => {
                    let mut input = Input::open(path, self.read.clone())?;
                    let format = format::tell(&mut input)?;
                    closed.insert(Open { input, format, position: Position::default() })
                }
            };
            let Some((line, entry)) = open.next(self.at.entry < skipped)? else {
                if self.at.entry < skipped {
                    let what = format!(
                        "was to be read on behind {skipped} entries and has {} in all: it is not the file that it was. Bring that \
                         file back, or begin again",
                        self.at.entry
                    );
                    return Err(Trouble::of_file(path, what));
                }
                self.open = None;
                self.at = Place { file: self.at.file + 1, ..Place::default() };
                continue;
            };
            self.any = true;
            let place = Place { line, ..self.at };
            self.at.entry += 1;
            if let Some(entry) = entry {
                return Ok(Some((place, entry)));
            }
        }
        match self.any || self.from > Place::default() {
            true => Ok(None),
            false => Err(self.nothing()),
        }
    }

    /// Partitions without an item are files without a word, but where all are, something else is amiss.
    fn nothing(&self) -> Trouble {
        let hint = "check that the copy is whole, and that the table it is of has items";
        match &*self.paths {
            [path] => Trouble::at(path, 1, format!("nothing is in it; {hint}")),
            paths => {
                let what = format!("nothing is in any of the {} files of history; {hint}", paths.len());
                Trouble { file: String::new(), line: None, what }
            }
        }
    }
}

impl Open {
    /// The line of the next entry, and the entry unless it is gone over.
    fn next(&mut self, skip: bool) -> Result<Option<(u64, Option<Entry>)>, Trouble> {
        let read = match self.format {
            None => return Ok(None),
            Some(Format::Recorded) => {
                let next = recorded::next(&mut self.input, &mut self.position, skip)?;
                return Ok(next.map(|(line, bytes)| (line, (!skip).then_some(Entry::Lambda(bytes)))));
            }
            Some(Format::DynamoDbJson) => export::json,
            Some(Format::Ion) => export::ion,
            Some(Format::Payloads) => |line: &[u8]| recorded::payload(line).map(Entry::Payload),
        };
        let Some((line, text)) = self.input.next_line()? else { return Ok(None) };
        if skip {
            return Ok(Some((line, None)));
        }
        match read(text) {
            Ok(entry) => Ok(Some((line, Some(entry)))),
            Err(why) => Err(self.input.trouble(line, why)),
        }
    }
}
