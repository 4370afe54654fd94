//! Test files on disk.

use crate::output::Failure;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use viewfold_dynamodb::deployment;
use viewfold_spec::{Diagnostic, Source, TestFile};

/// A test file as it was read.
pub(crate) struct Loaded {
    pub(crate) source: Arc<Source>,
    pub(crate) folder: PathBuf,
    pub(crate) file: TestFile,
}

/// The test files at some paths: files, and folders with all their subfolders.
pub(crate) fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        let unreadable =
            |error: std::io::Error| Failure::wrong_use(format!("{} cannot be read: {error}", path.display()));
        if std::fs::metadata(path).map_err(unreadable)?.is_dir() {
            below(path, &mut files).map_err(unreadable)?;
        } else {
            files.push(path.clone());
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

fn below(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') {
            below(&path, files)?;
        } else if is_test(&path) {
            files.push(path);
        }
    }
    Ok(())
}

/// Whether a file is one of tests, by its name.
pub(crate) fn is_test(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    name.ends_with(".test.yaml") || name.ends_with(".test.yml")
}

/// Reads a test file. One that cannot be read is wrong use; findings are the inner result.
pub(crate) fn load(path: &Path) -> Result<Result<Loaded, Vec<Diagnostic>>, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::wrong_use(format!("{} cannot be read: {error}", path.display())))?;
    // A byte order mark is no part of the text.
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    Ok(read(path, text))
}

/// A test file of this text.
pub(crate) fn read(path: &Path, text: String) -> Result<Loaded, Vec<Diagnostic>> {
    let source = Arc::new(Source { name: path.display().to_string(), text });
    let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
    viewfold_spec::parse_test(&source).map(|file| Loaded { source, folder, file })
}

/// The names of the projections at some paths of which a rule says `any_order: true`. Their programs do not know any more:
/// where any order will do there is nothing to check.
pub(crate) fn any_order(paths: &[PathBuf]) -> Result<HashSet<String>, Failure> {
    let mut names = HashSet::new();
    for path in paths {
        let unreadable = |error: std::io::Error| Failure::new(format!("{} cannot be read: {error}", path.display()));
        for file in deployment::projection_files(path).map_err(unreadable)? {
            let text = std::fs::read_to_string(&file).map_err(unreadable)?;
            let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
            let source = Arc::new(Source { name: file.display().to_string(), text });
            let read = viewfold_spec::parse(&source).map_err(|findings| Failure::findings(&findings))?;
            if read.rules.iter().any(|rule| rule.any_order.unwrap_or(false)) {
                names.insert(read.projection.value);
            }
        }
    }
    Ok(names)
}
