//! Every folder of `deployments/`, whose projections run together, and what is said about them: `NAME.txt`.
//!
//! After a change of words, look at the difference that `UPDATE_SNAPSHOTS=1 cargo test -p viewfold-core` makes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use viewfold_core::compile::{File, Options, compile};
use viewfold_spec::Source;
use viewfold_spec::diagnostic::render_all;

fn paths(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn findings(folder: &Path) -> String {
    let files = paths(folder).into_iter().map(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let source = Arc::new(Source { name, text: fs::read_to_string(&path).expect("the file can be read") });
        let projection = viewfold_spec::parse(&source).expect("each file is fine by itself");
        File { source, projection, schemas: BTreeMap::default() }
    });
    let findings = match compile(&files.collect::<Vec<_>>(), &Options::default()) {
        Ok(compiled) => compiled.warnings,
        Err(findings) => findings,
    };
    render_all(&findings, false)
}

#[test]
fn every_finding_is_worded_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/deployments");
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    let (mut count, mut wrong) = (0, Vec::new());
    for path in paths(&folder).into_iter().filter(|path| path.is_dir()) {
        count += 1;
        let said = findings(&path);
        let expected = path.with_extension("txt");
        if update {
            fs::write(&expected, &said).expect("the snapshot can be written");
        }
        if fs::read_to_string(&expected).unwrap_or_default() != said {
            wrong.push(format!("{} says now:\n{said}", path.display()));
        }
    }
    assert!(count >= 3, "only {count} deployments");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
