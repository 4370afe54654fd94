//! How far a backfill has come, in a file: a command that was killed goes on there.
//!
//! Going over the same items again would do no harm, for they are known by their marks. It would take time and read units.

use super::files::Place;
use super::retained::Reached;
use crate::output::Failure;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use viewfold_value::Item;
use viewfold_value::dynamodb_json::{parse_item, write_item};

/// What is written down.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// What is filled, and from where: another backfill does not go on with this one's.
    pub(crate) of: String,
    /// How far each segment of each table has come, by the table's name and the segment's number.
    #[serde(default)]
    pub(crate) tables: BTreeMap<String, BTreeMap<u32, Position>>,
    /// Where files are to be gone on with.
    #[serde(default)]
    pub(crate) files: Option<Place>,
    /// How many payloads of files have been numbered.
    #[serde(default)]
    pub(crate) payloads: u64,
    /// How far Kinesis streams have been read, by their ARNs.
    #[serde(default)]
    pub(crate) streams: BTreeMap<String, Reached>,
    /// When the last run over streams began that came to its end: all that had come by then is in the view.
    #[serde(default)]
    pub(crate) filled_until: Option<String>,
    /// What has been done so far.
    #[serde(default)]
    pub(crate) done: Done,
}

/// How far a segment has come.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Position {
    /// Everything up to the item with this key, in DynamoDB JSON.
    Behind(String),
    /// All of it.
    End,
}

/// What a backfill has done.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Done {
    /// Items, events and payloads that were read.
    pub(crate) read: u64,
    /// Those that projections applied; each counts once for each of them.
    pub(crate) applied: u64,
    /// Those of which the stream had told before, or which were applied before.
    pub(crate) repeated: u64,
    /// Those that cannot be applied.
    pub(crate) rejected: u64,
    /// Read units of tables that were scanned.
    pub(crate) read_units: f64,
    /// Write units, as far as DynamoDB tells them.
    pub(crate) write_units: f64,
}

/// The file of a state.
#[derive(Debug)]
pub(crate) struct Kept {
    path: PathBuf,
    pub(crate) state: State,
    /// Whether something had been done before.
    pub(crate) is_continued: bool,
}

impl Kept {
    /// Goes on with a file, or begins one. `of` says what is filled.
    ///
    /// # Errors
    ///
    /// When there is a file that cannot be read, or one of another backfill.
    pub(crate) fn open(path: PathBuf, of: String, restart: bool) -> Result<Kept, Failure> {
        let begin = |path| Kept { path, state: State { of: of.clone(), ..State::default() }, is_continued: false };
        if restart {
            return Ok(begin(path));
        }
        let name = path.display().to_string();
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(begin(path)),
            Err(error) => return Err(Failure::wrong_use(format!("{name} cannot be read: {error}"))),
        };
        let state: State = serde_json::from_slice(&text).map_err(|error| {
            Failure::wrong_use(format!(
                "{name} does not say how far a backfill has come ({error}); --state names another file"
            ))
        })?;
        if state.of != of {
            return Err(Failure::wrong_use(format!(
                "{name} is of another backfill: {}; this one is {of}. --restart begins anew, --state names another file",
                state.of
            )));
        }
        Ok(Kept { path, state, is_continued: true })
    }

    /// Writes it down: either all of it, or the file stays as it was.
    ///
    /// # Errors
    ///
    /// When that is not possible.
    pub(crate) fn write(&self) -> Result<(), Failure> {
        let failed =
            |error: &dyn std::fmt::Display| Failure::new(format!("{} cannot be written: {error}", self.path.display()));
        let text = serde_json::to_vec(&self.state).map_err(|error| failed(&error))?;
        let beside = self.path.with_extension("json.new");
        std::fs::write(&beside, text)
            .and_then(|()| std::fs::rename(&beside, &self.path))
            .map_err(|error| failed(&error))
    }

    /// Everything is done: the file goes.
    pub(crate) fn finish(&self) {
        // Where it stays, the next backfill finds everything done and says so.
        let _ = std::fs::remove_file(&self.path);
    }

    /// The file's name.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Position {
    /// Behind the item with this key; the end where there is none.
    pub(crate) fn behind(key: Option<&Item>) -> Position {
        key.map_or(Position::End, |key| {
            let mut text = String::new();
            write_item(key, &mut text);
            Position::Behind(text)
        })
    }

    /// The key behind which it goes on; none at the end.
    ///
    /// # Errors
    ///
    /// When the file has something else there.
    pub(crate) fn key(&self) -> Result<Option<Item>, Failure> {
        let Position::Behind(key) = self else { return Ok(None) };
        parse_item(key.as_bytes())
            .map(Some)
            .map_err(|error| Failure::new(format!("the state's file has a key that cannot be read: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use viewfold_value::Value;

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let number = Value::Number("12345678901234567890123456789012345678".parse().unwrap());
        let key: Item = [("n".to_owned(), number), ("b".to_owned(), Value::Binary(vec![0, 255]))].into();
        let text = serde_json::to_string(&Position::behind(Some(&key))).unwrap();
        let read: Position = serde_json::from_str(&text).unwrap();
        assert_eq!(read.key().unwrap(), Some(key));
        assert_eq!(Position::behind(None).key().unwrap(), None);
    }

    #[test]
    fn a_state_goes_on_with_its_own_backfill_alone() {
        let folder = std::env::temp_dir().join(format!("viewfold-state-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("state.json");
        let mut kept = Kept::open(path.clone(), "a".into(), false).unwrap();
        assert!(!kept.is_continued);
        kept.state.done.read = 7;
        kept.write().unwrap();
        let again = Kept::open(path.clone(), "a".into(), false).unwrap();
        assert!(again.is_continued && again.state == kept.state);
        assert!(Kept::open(path.clone(), "b".into(), false).unwrap_err().message.contains("another backfill"));
        assert!(!Kept::open(path.clone(), "b".into(), true).unwrap().is_continued);
        std::fs::write(&path, "{").unwrap();
        assert_eq!(Kept::open(path.clone(), "a".into(), false).unwrap_err().code, 2);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
