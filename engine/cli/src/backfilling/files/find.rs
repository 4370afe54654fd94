//! The files at some paths.

use super::Trouble;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The files at these paths by name, and how many bytes each has.
pub(super) fn find(paths: &[PathBuf]) -> Result<(Vec<PathBuf>, Vec<u64>), Trouble> {
    let mut files = Vec::new();
    for path in paths {
        let unreadable = |error| Trouble::of_file(path, format!("cannot be read: {error}"));
        if fs::metadata(path).map_err(unreadable)?.is_dir() {
            below(path, &mut files).map_err(unreadable)?;
        } else {
            files.push(path.clone());
        }
    }
    files.retain(|path| !is_about_an_export(path));
    files.sort();
    files.dedup();
    if files.is_empty() {
        let what = "there is no file of history; give files, or folders of them: exports, recorded events, JSON lines";
        let shown: Vec<String> = paths.iter().map(|path| super::trouble::name(path)).collect();
        return Err(Trouble { file: shown.join(", "), line: None, what: what.into() });
    }
    let size = |path: &PathBuf| match fs::metadata(path) {
        Ok(found) => Ok(found.len()),
        Err(error) => Err(Trouble::of_file(path, format!("cannot be read: {error}"))),
    };
    let sizes = files.iter().map(size).collect::<Result<_, _>>()?;
    Ok((files, sizes))
}

/// Linked folders are not gone into: a link to a folder above has no end.
fn below(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            below(&path, files)?;
        } else if fs::metadata(&path)?.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// What DynamoDB puts beside an export's data.
fn is_about_an_export(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_manifest =
        name.starts_with("manifest-") && [".json", ".md5", ".checksum"].iter().any(|end| name.ends_with(end));
    is_manifest || name == "_started"
}
