//! Every file of `diagnostics/` and what is said about it, word for word: `NAME.yaml` and `NAME.txt`.
//!
//! After a change of words, look at the difference that `UPDATE_SNAPSHOTS=1 cargo test -p viewfold-core` makes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use viewfold_core::compile::{File, Options, compile, incomplete};
use viewfold_spec::Source;
use viewfold_spec::diagnostic::render_all;

/// What is said of a file without a mistake.
const FINE: &str = "nothing to complain about\n";

fn findings(name: &str, text: String) -> String {
    let source = Arc::new(Source { name: name.to_owned(), text });
    let (projection, structure) = viewfold_spec::parse_most(&source);
    let Some(projection) = projection else { return render_all(&structure, false) };
    let file = File { source, projection, schemas: BTreeMap::default() };
    if !structure.is_empty() {
        return render_all(&incomplete(&file, &Options::default(), structure), false);
    }
    let findings = match compile(&[file], &Options::default()) {
        Ok(compiled) if compiled.warnings.is_empty() => return FINE.to_owned(),
        Ok(compiled) => compiled.warnings,
        Err(findings) => findings,
    };
    render_all(&findings, false)
}

#[test]
fn every_finding_is_worded_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    let mut wrong = Vec::new();
    // Some look like mistakes and are none.
    let mut mistakes = 0;
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let said = findings(&name, fs::read_to_string(&path).expect("the file can be read"));
        mistakes += usize::from(said != FINE);
        let expected = path.with_extension("txt");
        if update {
            fs::write(&expected, &said).expect("the snapshot can be written");
        }
        if fs::read_to_string(&expected).unwrap_or_default() != said {
            wrong.push(format!("{name} says now:\n{said}"));
        }
    }
    assert!(mistakes >= 350, "only in {mistakes} files something is found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
