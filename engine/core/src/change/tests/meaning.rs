//! What is shipped, and what stands in the documentation: against itself, and with a comment.

use super::{file, program};
use crate::change::{Class, Deployment, class, compare};
use crate::compile::{File, Options, compile};
use std::path::{Path, PathBuf};

fn files_below(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            files_below(&path, into);
        } else if name.ends_with(".yaml") && !name.ends_with(".test.yaml") && !name.ends_with(".schema.yaml") {
            into.push(path);
        }
    }
}

/// Every projection that is shipped, and every one among the tests that can run, each read twice.
#[test]
fn a_projection_is_the_same_as_itself_with_a_comment() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut paths = Vec::new();
    for folder in ["projections", "engine/core/tests/diagnostics", "fuzz/corpus/projection"] {
        files_below(&root.join(folder), &mut paths);
    }
    let mut count = 0;
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let source = std::sync::Arc::new(viewfold_spec::Source { name: "a.yaml".into(), text: text.clone() });
        let Ok(projection) = viewfold_spec::parse(&source) else { continue };
        let schemas = File::schema_names(&projection).into_iter().map(|name| (name, Ok("{}".to_owned()))).collect();
        let old = File { source, projection, schemas };
        if compile(std::slice::from_ref(&old), &Options::default()).is_err() {
            continue;
        }
        let mut new = file("b.yaml", &format!("# A word more.\n{text}"));
        new.schemas.clone_from(&old.schemas);
        let (old, new) = ([old], [new]);
        let (before, now) = (program(&old), program(&new));
        let all = compare(Deployment::new(&old, &before).unwrap(), Deployment::new(&new, &now).unwrap());
        assert_eq!(class(&all), Class::Same, "{}: {all:?}", path.display());
        count += 1;
    }
    assert!(count >= 20, "only {count} projections");
}
