//! Folders that last as long as a test: projections written on the spot, database files.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};

/// Eleven letters and digits that no other test has, in this process or another one.
pub fn unique_name() -> String {
    // Every `RandomState` of a process has other keys, and the first ones are random.
    format!("{:011x}", RandomState::new().hash_one(std::process::id()) >> 20)
}

/// A new, empty folder, removed with all that is in it when dropped.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes an empty folder in the system's place for temporary files.
    pub fn empty() -> Folder {
        let path = std::env::temp_dir().join(format!("viewfold-test-{}", unique_name()));
        fs::create_dir(&path).unwrap_or_else(|error| panic!("cannot make the folder {}: {error}", path.display()));
        Folder { path }
    }

    /// Makes a folder with one file in it.
    pub fn with(name: &str, text: &str) -> Folder {
        let folder = Folder::empty();
        folder.write(name, text);
        folder
    }

    /// Writes a file; `name` may lead through folders, which are made.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path.join(name);
        let parent = path.parent().expect("a file in the folder has a parent");
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, text))
            .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        path
    }

    /// Where the folder is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind in the system's temporary place does no harm; a panic while unwinding would.
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_goes_with_its_files() {
        let folder = Folder::with("a/b.yaml", "text");
        let path = folder.path().to_owned();
        assert_eq!(fs::read_to_string(path.join("a/b.yaml")).expect("the file was written"), "text");
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn names_differ() {
        assert_ne!(unique_name(), unique_name());
        assert_eq!(unique_name().len(), 11);
    }
}
