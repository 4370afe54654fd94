//! The corpus of the fuzz targets (`fuzz/`), gone through as a test: what has been found once does not come back.

use std::fs;
use std::path::Path;
use std::time::Instant;

#[path = "../../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "elsewhere it is a crate of its own")]
mod fuzz;

#[test]
fn nothing_in_the_corpus_is_a_crash() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let mut wrong = Vec::new();
    for (target, run) in fuzz::TARGETS {
        let folder =
            fs::read_dir(corpus.join(target)).unwrap_or_else(|error| panic!("the corpus of {target}: {error}"));
        let mut files: Vec<_> = folder.map(|entry| entry.expect("an entry").path()).collect();
        files.sort();
        assert!(files.len() >= 10, "only {} files for {target}", files.len());
        for path in files {
            let bytes = fs::read(&path).expect("the file can be read");
            let start = Instant::now();
            let ends_well = std::panic::catch_unwind(|| run(&bytes)).is_ok();
            if !ends_well || start.elapsed().as_secs() >= 10 {
                wrong.push(format!("{target} {} after {:?}", path.display(), start.elapsed()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
