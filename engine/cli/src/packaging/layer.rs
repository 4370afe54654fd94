//! The files of a layer: projections, and the JSON Schemas that they name, as they lie to each other.

use super::archive::Entry;
use crate::output::Failure;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use viewfold_core::compile::{File, Options};
use viewfold_dynamodb::deployment;

/// The folder of a layer in which the function looks: Lambda unpacks layers into `/opt`.
const FOLDER: &str = "projections";

/// The files of the layer of these projections. Those that lie beside each other here do so there: the folder that all of
/// them are in becomes the layer's.
///
/// # Errors
///
/// Wrong use, where the function would not find there what was found here.
pub(crate) fn entries(paths: &[PathBuf]) -> Result<Vec<Entry>, Failure> {
    let (files, findings) = deployment::read(paths, &Options::default());
    if !findings.is_empty() {
        return Err(Failure::findings(&findings));
    }
    let mut found: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    let mut schemas = Vec::new();
    let mut named = Vec::new();
    for file in &files {
        let path = Path::new(&file.source.name);
        let place = place(path)?;
        let folder = place.parent().unwrap_or(Path::new("/"));
        for name in File::schema_names(&file.projection) {
            if Path::new(&name).is_absolute() {
                return Err(Failure::wrong_use(format!(
                    "{}: the schema {name} has an absolute path, and the function has no such file: put it beside the \
                     projection, and name it from there",
                    path.display()
                )));
            }
            let schema = lexical(&folder.join(&name));
            let real = path.parent().unwrap_or(Path::new(".")).join(&name);
            named.push((folder.to_owned(), name, path));
            schemas.push(schema.clone());
            found.insert(schema, real);
        }
        found.insert(place, path.to_owned());
    }
    let Some(root) = common_folder(found.keys()) else {
        return Err(Failure::wrong_use("there is nothing to package"));
    };
    for (folder, name, path) in named {
        check_way(&root, &folder, &name, path, found.keys())?;
    }
    let mut entries = Vec::with_capacity(found.len());
    for (place, path) in &found {
        let within = place.strip_prefix(&root).unwrap_or(place);
        check_found(within, path, schemas.contains(place))?;
        let parts: Option<Vec<&str>> = within.iter().map(|part| part.to_str()).collect();
        let Some(parts) = parts else {
            return Err(Failure::wrong_use(format!("{} is no UTF-8: an archive cannot name it", path.display())));
        };
        let bytes = std::fs::read(path)
            .map_err(|error| Failure::wrong_use(format!("{} cannot be read: {error}", path.display())))?;
        entries.push(Entry { path: format!("{FOLDER}/{}", parts.join("/")), bytes, executable: false });
    }
    Ok(entries)
}

/// A schema's name leads through folders: each has to be in the layer, where there is nothing above its root.
fn check_way<'p>(
    root: &Path,
    folder: &Path,
    name: &str,
    projection: &Path,
    packed: impl Iterator<Item = &'p PathBuf> + Clone,
) -> Result<(), Failure> {
    let mut at = folder.to_owned();
    for part in Path::new(name).parent().into_iter().flat_map(Path::components) {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(at.pop()),
            part => at.push(part),
        }
        let is_there = at.starts_with(root) && (at == root || packed.clone().any(|file| file.starts_with(&at)));
        if !is_there {
            let schema = lexical(&folder.join(name));
            let short = schema.strip_prefix(folder).ok().map(|short| format!(": name it {}", short.display()));
            return Err(Failure::wrong_use(format!(
                "{}: the schema {name} is named by a way through {}, which is no folder of the layer, and the function would not find \
                 it there{}",
                projection.display(),
                at.display(),
                short.unwrap_or_default()
            )));
        }
    }
    Ok(())
}

/// The function reads whatever looks like a projection in the layer's folder, and nothing else.
fn check_found(within: &Path, path: &Path, is_schema: bool) -> Result<(), Failure> {
    match (deployment::is_deployed(within), is_schema) {
        (true, true) => Err(Failure::wrong_use(format!(
            "the schema {} would be taken for a projection by the function: give it a name that ends in `.json`, \
             `.schema.yaml` or `.schema.json`",
            path.display()
        ))),
        (false, false) => Err(Failure::wrong_use(format!(
            "the function would not find the projection {}: its name ends in `.yaml` or `.yml`, and neither in `.test.yaml` nor in \
             `.schema.yaml`, and no part of its path begins with a dot",
            path.display()
        ))),
        _ => Ok(()),
    }
}

/// Where a file is. Links to folders above it are followed, a link that it is itself is not: what it names lies beside the
/// link.
fn place(path: &Path) -> Result<PathBuf, Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error: std::io::Error| Failure::wrong_use(format!("{} cannot be read: {error}", path.display()));
    let folder = std::fs::canonicalize(folder).map_err(failed)?;
    Ok(path.file_name().map_or_else(|| folder.clone(), |name| folder.join(name)))
}

/// A path without `.` and `..`.
fn lexical(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(clean.pop()),
            part => clean.push(part),
        }
    }
    clean
}

/// The deepest folder that all files are in.
fn common_folder<'p>(files: impl Iterator<Item = &'p PathBuf>) -> Option<PathBuf> {
    let folders = files.map(|file| file.parent().unwrap_or(file).to_owned());
    folders.reduce(|common, folder| {
        common
            .components()
            .zip(folder.components())
            .take_while(|(one, other)| one == other)
            .map(|(part, _)| part)
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_a_schema_is_in_the_layer() {
        let packed: Vec<PathBuf> = ["/p/a/x.yaml", "/p/schemas/s.json"].map(PathBuf::from).into();
        let check = |root: &str, name: &str| {
            check_way(Path::new(root), Path::new("/p/a"), name, Path::new("x.yaml"), packed.iter()).is_ok()
        };
        assert!(check("/p", "../schemas/s.json") && check("/p", "../a/../schemas/s.json"));
        // Above the root, or through a folder in which nothing is packed.
        assert!(!check("/p", "../../p/schemas/s.json") && !check("/p", "../empty/../schemas/s.json"));
    }

    #[test]
    fn files_lie_to_each_other_as_they_did() {
        let files: Vec<PathBuf> = ["/p/a/x.yaml", "/p/b/c/x.yaml", "/p/schemas/s.json"].map(PathBuf::from).into();
        assert_eq!(common_folder(files.iter()), Some(PathBuf::from("/p")));
        assert_eq!(common_folder(files[..1].iter()), Some(PathBuf::from("/p/a")));
        assert_eq!(lexical(Path::new("/p/a/../schemas/./s.json")), PathBuf::from("/p/schemas/s.json"));
    }
}
