//! Whatever a file or an event looks like, reading it ends, and ends well or with findings: shipped projections, the language's
//! odd corners and recorded events, with characters put in, taken out, doubled and swapped.

use fastrand::Rng;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use viewfold_core::compile::{File, Options, compile};
use viewfold_core::plan::{Answer, Batch, Request};
use viewfold_core::program::Program;
use viewfold_spec::Source;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files below a folder whose names end so.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn compiled(text: &str, path: &Path) -> Option<Program> {
    let source = Arc::new(Source { name: "p.yaml".into(), text: text.into() });
    if path.to_string_lossy().ends_with(".test.yaml") {
        let _ = viewfold_spec::parse_test(&source);
        return None;
    }
    let projection = viewfold_spec::parse(&source).ok()?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let names = File::schema_names(&projection).into_iter();
    let schemas: BTreeMap<String, Result<String, String>> = names
        .map(|name| (name.clone(), fs::read_to_string(folder.join(&name)).map_err(|error| error.to_string())))
        .collect();
    let file = File { source, projection, schemas };
    Some(compile(&[file], &Options::default()).ok()?.program)
}

/// How often each file is spoilt; `VIEWFOLD_MUTATIONS` asks for more.
fn times() -> usize {
    std::env::var("VIEWFOLD_MUTATIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(100)
}

/// A text with a few accidents.
fn spoilt(rng: &mut Rng, text: &str) -> String {
    const BITS: [&str; 28] = [
        "'", "\"", "${", "}", "{", "[", "]", "(", ")", ":", " ", "\n", "  ", "- ", "?", "$.", "..", "*", "\\", "#",
        "&a", "*a", "1e999", "😀", "\u{0}", "\t", "null", "!x",
    ];
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..rng.usize(1..6) {
        let at = rng.usize(0..=characters.len());
        match rng.u8(0..5) {
            0 if at < characters.len() => drop(characters.remove(at)),
            1 => characters.splice(at..at, BITS[rng.usize(0..BITS.len())].chars()).for_each(drop),
            2 => {
                let end = (at + rng.usize(0..40)).min(characters.len());
                let part: Vec<char> = characters[at..end].to_vec();
                let to = rng.usize(0..=characters.len());
                characters.splice(to..to, part).for_each(drop);
            }
            3 => characters.truncate(at.max(characters.len() / 2)),
            _ if at + 1 < characters.len() => characters.swap(at, at + 1),
            _ => {}
        }
    }
    characters.into_iter().collect()
}

#[test]
fn spoilt_files_are_findings() {
    let mut rng = Rng::with_seed(0xf11e);
    let all: Vec<PathBuf> = ["projections", "tests/language", "engine/core/tests/diagnostics"]
        .into_iter()
        .flat_map(|folder| files(folder, ".yaml"))
        .collect();
    assert!(all.len() > 60, "{} files", all.len());
    for path in all {
        let text = fs::read_to_string(&path).expect("the file can be read");
        for _ in 0..times() {
            let spoilt = spoilt(&mut rng, &text);
            let start = std::time::Instant::now();
            compiled(&spoilt, &path);
            assert!(start.elapsed().as_secs() < 5, "{}:\n{spoilt}", path.display());
        }
    }
}

#[test]
fn spoilt_events_are_answered_for() {
    let mut rng = Rng::with_seed(0xeeee);
    for system in ["votes", "tournament", "map-rollup", "winner-view", "winner-view-unordered"] {
        let events = fs::read_to_string(root().join(format!("examples/{system}/events.json"))).expect("events");
        let projections = files(&format!("projections/{system}"), ".yaml");
        let programs: Vec<Program> =
            projections.iter().filter_map(|path| compiled(&fs::read_to_string(path).expect("a file"), path)).collect();
        assert!(!programs.is_empty());
        let lines: Vec<&str> = events.lines().filter(|line| line.trim_start().starts_with("{\"")).collect();
        for program in &programs {
            for _ in 0..4 * times() {
                let records: Vec<String> = (0..rng.usize(1..5))
                    .map(|_| {
                        let line = lines[rng.usize(0..lines.len())];
                        spoilt(&mut rng, line.trim().trim_end_matches(','))
                    })
                    .collect();
                let payload = format!("{{\"Records\":[{}]}}", records.join(","));
                let Ok(mut batch) = Batch::new(program, payload.as_bytes(), "2026-01-01T00:00:00Z") else { continue };
                let mut requests = 0;
                while let Some((number, request)) = batch.next() {
                    requests += 1;
                    assert!(requests < 1_000, "{payload}");
                    let answer = match &request {
                        Request::Read(keys) => Answer::Items(vec![None; keys.len()]),
                        Request::Query { .. } => Answer::Rows(Some(Vec::new())),
                        Request::Write(_) | Request::Transact(_) if rng.u8(0..4) == 0 => Answer::Refused("no".into()),
                        Request::Write(_) | Request::Transact(_) => Answer::Done,
                    };
                    batch.answer(number, answer);
                }
                batch.finish("unfinished");
            }
        }
    }
}
