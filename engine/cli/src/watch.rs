//! Work that is done again whenever a file changes.
//!
//! Files are looked at several times a second, for their times and sizes: that works in containers and on drives of a
//! network, where a system's own notices do not.

use crate::output::{self, Failure, Outcome, count};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How long between two looks.
const PAUSE: Duration = Duration::from_millis(300);

/// Behind a change, a look that shows no other one ends the wait: editors write a file in several steps.
const REST: Duration = Duration::from_millis(100);

/// What files look like: the time and size of each.
type Looks = BTreeMap<PathBuf, Option<(Option<SystemTime>, u64)>>;

/// The files at some paths: each as it is, and of folders those that projections and tests are made of, with all
/// subfolders.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Watched {
    paths: BTreeSet<PathBuf>,
}

impl Watched {
    /// Adds files and folders.
    pub(crate) fn and(mut self, paths: impl IntoIterator<Item = PathBuf>) -> Watched {
        self.paths.extend(paths);
        self
    }

    fn looks(&self) -> Looks {
        let mut looks = Looks::new();
        for path in &self.paths {
            look(path, true, &mut looks);
        }
        looks
    }
}

fn look(path: &Path, named: bool, looks: &mut Looks) {
    let Ok(metadata) = std::fs::metadata(path) else {
        if named {
            // That it is not there is what may change.
            looks.insert(path.to_owned(), None);
        }
        return;
    };
    if !metadata.is_dir() {
        if named || is_source(path) {
            looks.insert(path.to_owned(), Some((metadata.modified().ok(), metadata.len())));
        }
        return;
    }
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().starts_with('.') {
            look(&entry.path(), false, looks);
        }
    }
}

/// Whether projections, tests, schemas and recorded events have such names.
pub(crate) fn is_source(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let known = ["yaml", "yml", "json", "jsonl", "ndjson"];
    extension.is_some_and(|extension| known.contains(&&*extension.to_ascii_lowercase()))
}

/// Does some work, and does it again whenever one of the files changes that it says it depends on; only a wrong use of the
/// command at its first time ends this, or Ctrl-C. What goes wrong is told.
pub(crate) fn repeat(
    watched: impl Fn() -> Watched,
    mut work: impl FnMut() -> Result<Outcome, Failure>,
) -> Result<Outcome, Failure> {
    for time in 0_usize.. {
        // Files that change while the work is done count as changed.
        let before = watched().looks();
        output::note(&heading(&before, time > 0));
        match work() {
            Err(failure) if failure.code == 2 && time == 0 => return Err(failure),
            Err(failure) => output::complain(&failure.message),
            Ok(_) => {}
        }
        wait(&watched, before);
    }
    Ok(Outcome::Done)
}

fn wait(watched: &impl Fn() -> Watched, mut before: Looks) {
    loop {
        let now = watched().looks();
        if now != before {
            before = now;
            break;
        }
        std::thread::sleep(PAUSE);
    }
    loop {
        std::thread::sleep(REST);
        let now = watched().looks();
        if now == before {
            return;
        }
        before = now;
    }
}

fn heading(looks: &Looks, again: bool) -> String {
    let time = jiff::Zoned::now().strftime("%H:%M:%S").to_string();
    let blank = if again { "\n" } else { "" };
    format!("{blank}── {time} ── watching {}; Ctrl-C ends ──", count(looks.len(), "file"))
}

#[cfg(test)]
mod tests {
    use super::{Watched, is_source};
    use std::path::Path;

    #[test]
    fn a_change_is_seen_whatever_file_it_is_of() {
        let folder = std::env::temp_dir().join(format!("viewfold-watch-{}", std::process::id()));
        let inner = folder.join("inner");
        std::fs::create_dir_all(&inner).expect("a folder can be made");
        let named = folder.join("events.txt");
        let watched = Watched::default().and([folder.clone(), named.clone()]);
        let mut seen = vec![watched.looks()];
        let mut change = |name: &str, text: &str| {
            std::fs::write(folder.join(name), text).expect("a file can be written");
            seen.push(watched.looks());
            let [.., before, now] = seen.as_slice() else { return false };
            before != now
        };
        assert!(change("a.yaml", "x"));
        assert!(change("a.yaml", "xy"));
        assert!(change("inner/b.test.yaml", ""));
        assert!(change("events.txt", ""));
        for other in ["inner/.b.yaml.swp", "notes.md", "b.yaml~"] {
            assert!(!change(other, "x"), "{other}");
        }
        std::fs::remove_file(&named).expect("it was there");
        assert_ne!(watched.looks(), *seen.last().expect("some"));
        std::fs::remove_dir_all(&folder).expect("it was there");
    }

    #[test]
    fn sources_are_known_by_their_names() {
        assert!(["a.yaml", "b.test.yml", "c.json", "d.jsonl", "E.YAML"].iter().all(|name| is_source(Path::new(name))));
        assert!(["a", "b.md", "c.yaml~", "d.db"].iter().all(|name| !is_source(Path::new(name))));
    }
}
