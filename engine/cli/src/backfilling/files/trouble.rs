//! What is wrong with a file of history.

use crate::output::{Failure, printable};
use std::fmt;
use std::path::Path;

/// Why files cannot be read on: where, what, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// The file; empty where it is about all of them.
    pub(crate) file: String,
    /// The line, from 1, where it is about one.
    pub(crate) line: Option<u64>,
    /// What is wrong, and what to do.
    pub(crate) what: String,
}

impl Trouble {
    /// About a file as a whole.
    pub(super) fn of_file(path: &Path, what: impl Into<String>) -> Trouble {
        Trouble { file: name(path), line: None, what: what.into() }
    }

    /// About a line.
    pub(super) fn at(path: &Path, line: u64, what: impl Into<String>) -> Trouble {
        Trouble { line: Some(line), ..Trouble::of_file(path, what) }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.what),
            None if self.file.is_empty() => f.write_str(&self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

impl std::error::Error for Trouble {}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Failure {
        Failure::new(trouble.to_string())
    }
}

/// A path as it is shown.
pub(super) fn name(path: &Path) -> String {
    printable(&path.display().to_string())
}
