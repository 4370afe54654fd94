//! What is deployed: a folder of projections, and the environment's word on tables.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use viewfold_core::compile::{self, Compiled, File, Options};
use viewfold_spec::{Code, Diagnostic, Source, Span};

/// What the function says of itself (`bootstrap --version`). It stands in its binary as it is, so that whoever packs the binary
/// can tell which one it is without running it: it may be another machine's.
pub const FUNCTION: &str = concat!("viewfold bootstrap ", env!("CARGO_PKG_VERSION"), " (a function for Lambda)");

/// Reads and compiles the projections at the given paths: files, and folders with all their subfolders.
///
/// # Errors
///
/// Every finding of every file. A path without any projection is a finding too.
pub fn load(paths: &[PathBuf], options: &Options) -> Result<Compiled, Vec<Diagnostic>> {
    load_with_files(paths, options).map(|(_, compiled)| compiled)
}

/// As [`load`], with the files that were compiled.
///
/// # Errors
///
/// As [`load`].
pub fn load_with_files(paths: &[PathBuf], options: &Options) -> Result<(Vec<File>, Compiled), Vec<Diagnostic>> {
    let (files, mut findings) = read(paths, options);
    // The files that could be read are checked even when others could not: all findings at once.
    match compile::compile(&files, options) {
        Ok(compiled) if findings.is_empty() => Ok((files, compiled)),
        Ok(compiled) => {
            findings.extend(compiled.warnings);
            Err(findings)
        }
        Err(errors) => {
            findings.extend(errors);
            Err(findings)
        }
    }
}

/// The projection files at the given paths as they were read, and what is wrong with those that could not be.
pub fn read(paths: &[PathBuf], options: &Options) -> (Vec<File>, Vec<Diagnostic>) {
    let mut files = Vec::new();
    let mut findings = Vec::new();
    for path in paths {
        match projection_files(path) {
            Ok(found) if found.is_empty() => {
                findings.push(unreadable(path, "there is no projection in this folder (no .yaml or .yml file)".into()));
            }
            Ok(found) => files.extend(found),
            Err(error) => findings.push(unreadable(path, error.to_string())),
        }
    }
    // A file that is named twice is one.
    files.sort();
    files.dedup_by_key(|path| std::fs::canonicalize(&*path).unwrap_or_else(|_| path.clone()));
    let mut parsed = Vec::new();
    for path in files {
        let name = path.display().to_string();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                findings.push(unreadable(&path, error.to_string()));
                continue;
            }
        };
        // A byte order mark is no part of the text.
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        let source = Arc::new(Source { name, text });
        let (projection, structure) = viewfold_spec::parse_most(&source);
        let file = projection.map(|projection| File { schemas: schemas(&path, &projection), source, projection });
        match file {
            Some(file) if structure.is_empty() => parsed.push(file),
            Some(file) => findings.extend(compile::incomplete(&file, options, structure)),
            None => findings.extend(structure),
        }
    }
    (parsed, findings)
}

/// The deployments at a path. A folder that holds projections is one, with all its subfolders; one that holds only
/// folders is looked through for such. A path without any projection is one too, so that loading it says so.
pub fn deployments(path: &Path) -> Vec<PathBuf> {
    let entries = || std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let named = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let visible = |path: &PathBuf| !named(path).starts_with('.');
    let holds_one = entries().filter(visible).any(|path| !path.is_dir() && is_projection(&named(&path)));
    let within = |path: &PathBuf| path.is_dir() && projection_files(path).is_ok_and(|files| !files.is_empty());
    let mut folders: Vec<PathBuf> = entries().filter(visible).filter(within).collect();
    if holds_one || folders.is_empty() {
        return vec![path.to_owned()];
    }
    folders.sort();
    folders.iter().flat_map(|folder| deployments(folder)).collect()
}

/// Reads the JSON Schemas that a projection names, from files beside it.
fn schemas(path: &Path, projection: &viewfold_spec::Projection) -> BTreeMap<String, Result<String, String>> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let names = File::schema_names(projection).into_iter();
    names
        .map(|name| (name.clone(), std::fs::read_to_string(folder.join(&name)).map_err(|error| error.to_string())))
        .collect()
}

fn unreadable(path: &Path, message: String) -> Diagnostic {
    let source = Arc::new(Source { name: path.display().to_string(), text: String::new() });
    Diagnostic::error(Code::Unreadable, &source, Span::default(), message)
}

/// The projection files at a path, subfolders included. Tests (`*.test.yaml`), JSON Schemas (`*.schema.*`) and hidden
/// files are none.
///
/// # Errors
///
/// When the path does not exist or a folder cannot be read.
pub fn projection_files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !std::fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            files.extend(projection_files(&path)?);
        } else if is_projection(&name) && !is_special(&path) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a path leads to a pipe, a socket or a device: a folder's are no projections, and reading them may never end.
fn is_special(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// Whether the function takes a file for a projection, by its path in the folder of projections.
pub fn is_deployed(within: &Path) -> bool {
    let names = || within.iter().map(|part| part.to_string_lossy());
    names().all(|name| !name.starts_with('.')) && names().next_back().is_some_and(|name| is_projection(&name))
}

/// In capitals, too: a file that is left out for them would be missed by nobody until its view is.
fn is_projection(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let Some((stem, "yaml" | "yml")) = name.rsplit_once('.') else { return false };
    !stem.ends_with(".test") && !stem.ends_with(".schema")
}

#[cfg(test)]
mod tests {
    use super::{is_deployed, is_projection};
    use std::path::Path;

    #[test]
    fn tests_and_schemas_are_no_projections() {
        assert!(is_projection("votes.yaml") && is_projection("a.b.yml"));
        assert!(is_projection("Votes.YAML") && is_projection("votes.Yml"));
        for name in
            ["votes.test.yaml", "retail.schema.yaml", "retail.schema.json", "votes.test.YAML", "README.md", "yaml"]
        {
            assert!(!is_projection(name), "{name}");
        }
    }
    #[test]
    fn nothing_hidden_is_deployed() {
        assert!(is_deployed(Path::new("a/votes.yaml")));
        for path in ["a/.votes.yaml", ".a/votes.yaml", "a/votes.test.yaml", "votes.yaml/readme"] {
            assert!(!is_deployed(Path::new(path)), "{path}");
        }
    }
}
