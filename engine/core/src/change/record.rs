//! What is kept of the projections that were deployed last: the function compares with it when it starts.
//!
//! | row | pk | sk |
//! |---|---|---|
//! | a projection | `projections` | `PROJECTION` |
//!
//! The rows stand in the table of marks, or in that of dead letters ([`Program::record_table`]): the function may read and write
//! there. A row has the hash of the file and of
//! the schemas that it names, their texts (packed where they are large), and the hash of the version before, as long as that
//! one may go on beside it: while a deployment goes round, and after it was taken back, instances of both start.

use super::{Change, Class, Deployment, Fate, compare};
use crate::bookkeeping::{SORT_KEY, join, row};
use crate::compile::{File, Options, compile};
use crate::program::{MAX_SORT_KEY_BYTES, Program};
use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use viewfold_spec::Source;
use viewfold_value::{Item, Value};

/// The partition key of the rows.
pub const PARTITION: &str = "projections";

/// The attribute that holds the hash: rows are written on the condition that it is as it was read.
pub const HASH: &str = "hash";

/// What tells whether anything has changed at all; the files themselves are large, and rarely needed.
pub const HEADS: [&str; 4] = ["projection", HASH, "before", SORT_KEY];

/// The most bytes of a file that are kept as text.
const MAX_TEXT_BYTES: usize = 16 << 10;

/// The most bytes of packed files: an item has 400 KB.
const MAX_PACKED_BYTES: usize = 350 << 10;

/// The most bytes that are unpacked.
const MAX_UNPACKED_BYTES: u64 = 64 << 20;

/// What tells a projection from another one of its name: of its text and of the schemas that it names the first 16 hexadecimal
/// digits of the SHA-256.
pub fn hash(file: &File) -> String {
    let mut digest = Sha256::new();
    digest.update(file.source.text.as_bytes());
    for (name, text) in &file.schemas {
        let text = text.as_deref().unwrap_or_default();
        digest.update(format!("\0{name}\0{}\0{text}", text.len()).as_bytes());
    }
    let mut hash = String::new();
    for byte in &digest.finalize()[..8] {
        // Writing into a String cannot fail.
        let _ = write!(hash, "{byte:02x}");
    }
    hash
}

/// A row of a projection.
fn written(name: &str, file: &File, before: Option<&str>, now: &str) -> Item {
    let mut item = row(PARTITION.to_owned(), join(&[name], MAX_SORT_KEY_BYTES));
    let hash = hash(file);
    let texts = [("projection", Some(name)), (HASH, Some(&hash)), ("before", before), ("recorded", Some(now))];
    item.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::from(text?)))));
    let schemas: Map<String, Json> =
        file.schemas.iter().filter_map(|(name, text)| Some((name.clone(), json!(text.as_ref().ok()?)))).collect();
    let files = json!({ "text": file.source.text, "schemas": schemas }).to_string();
    if files.len() <= MAX_TEXT_BYTES {
        item.insert("files".to_owned(), Value::String(files));
        return item;
    }
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    // Writing into memory cannot fail.
    let _ = packer.write_all(files.as_bytes());
    let packed = packer.finish().unwrap_or_default();
    // What is larger is known by its hash alone.
    if packed.len() <= MAX_PACKED_BYTES {
        item.insert("packed".to_owned(), Value::Binary(packed));
    }
    item
}

/// The file of a row; nothing where it is not there, or not as it can be read.
fn recorded(row: &Item) -> Option<File> {
    let files = match (row.get("files"), row.get("packed")) {
        (Some(Value::String(text)), _) => text.clone(),
        (_, Some(Value::Binary(packed))) => {
            let mut text = String::new();
            let unpacked = flate2::read::GzDecoder::new(packed.as_slice()).take(MAX_UNPACKED_BYTES);
            std::io::BufReader::new(unpacked).read_to_string(&mut text).ok()?;
            text
        }
        _ => return None,
    };
    let files: Json = serde_json::from_str(&files).ok()?;
    let name = format!("{} as it was deployed before", column(row, "projection")?);
    let source = Arc::new(Source { name, text: files.get("text")?.as_str()?.to_owned() });
    let projection = viewfold_spec::parse(&source).ok()?;
    let schemas = files.get("schemas")?.as_object()?.iter();
    let schemas = schemas.filter_map(|(name, text)| Some((name.clone(), Ok(text.as_str()?.to_owned()))));
    Some(File { source, projection, schemas: schemas.collect() })
}

fn column<'i>(row: &'i Item, name: &str) -> Option<&'i str> {
    row.get(name).and_then(Value::as_str)
}

/// A row to write.
#[derive(Clone, PartialEq, Debug)]
pub struct Write {
    /// The whole row.
    pub row: Item,
    /// The hash that has to be there still; nothing where no row may be there.
    pub replaces: Option<String>,
}

/// What a start comes to.
#[derive(Debug, Default)]
pub struct Judgement {
    /// What is to be written down.
    pub writes: Vec<Write>,
    /// What changes from now on, a line for each projection.
    pub notes: Vec<String>,
    /// Why the function must not start; empty where it may.
    pub refused: Vec<String>,
}

impl Judgement {
    /// Whether every projection is as it was, or as the version before: rows that have no more than [`HEADS`] say as much.
    pub fn is_settled(&self) -> bool {
        self.writes.is_empty() && self.refused.is_empty()
    }
}

/// Compares the projections of a deployment with the rows of those that were deployed before. `accepted` has the hash of each
/// projection that may start whatever its change means.
pub fn judge(
    files: &[File],
    program: &Program,
    options: &Options,
    rows: &[Item],
    accepted: &BTreeMap<String, String>,
    now: &str,
) -> Judgement {
    let mut judgement = Judgement::default();
    let row_of = |name: &str| rows.iter().find(|row| column(row, "projection") == Some(name));
    let sort_of = |name: &str| join(&[name], MAX_SORT_KEY_BYTES);
    let mut old: Vec<File> = Vec::new();
    // Those to be judged, each with the hash of its row.
    let mut open: Vec<(&str, &File, Option<&str>)> = Vec::new();
    for (file, projection) in files.iter().zip(&program.projections) {
        let (name, hash) = (projection.name.as_str(), hash(file));
        let row = row_of(name).or_else(|| rows.iter().find(|row| column(row, SORT_KEY) == Some(&sort_of(name))));
        let Some(row) = row else {
            open.push((name, file, None));
            continue;
        };
        if column(row, HASH) == Some(&hash) {
            old.push(file.clone());
        } else if column(row, "before") == Some(&hash) {
            old.push(file.clone());
            judgement.notes.push(format!(
                "`{name}` is the version before the one that was deployed last ({}): it goes on beside it",
                column(row, HASH).unwrap_or_default()
            ));
        } else {
            open.push((name, file, column(row, HASH).or(Some(""))));
            old.extend(recorded(row));
        }
    }
    if open.is_empty() {
        return judgement;
    }
    if open.iter().any(|(_, _, before)| before.is_none()) {
        // One of them may be what another one was called.
        let is_here = |row: &&Item| !program.projections.iter().any(|one| column(row, "projection") == Some(&one.name));
        old.extend(rows.iter().filter(is_here).filter_map(recorded));
    }
    let all = changes(&old, files, program, options);
    let ways_back = changes_back(files, &old, options);
    for (name, file, before) in open {
        let (fate, changes) = match all.iter().find(|(known, ..)| known == name) {
            Some((_, fate, changes)) => (fate.clone(), changes.clone()),
            None => (Fate::Added, Vec::new()),
        };
        let hash = hash(file);
        let unknown = before.is_some() && fate == Fate::Added;
        let class = changes.iter().map(|change| change.class).max().unwrap_or(Class::Same);
        let may_go_on = class.can_be_deployed() && !unknown;
        if !may_go_on && accepted.get(name) != Some(&hash) {
            judgement.refused.push(refusal(name, &hash, unknown, &changes));
            continue;
        }
        // Nor does one go on beside it, or come back, that would lose events: one that knows nothing of deleted documents counts into
        // the rows that they leave behind.
        let goes_back = ways_back.iter().any(|(known, class)| known == name && *class != Class::Unsafe);
        let stays = before.filter(|_| may_go_on && goes_back);
        judgement.writes.push(Write { row: written(name, file, stays, now), replaces: before.map(str::to_owned) });
        if before.is_some() {
            let whats: Vec<&str> = changes.iter().map(|change| change.what.as_str()).collect();
            judgement.notes.push(match (may_go_on, whats.is_empty()) {
                (true, true) => format!("`{name}` says the same in other words"),
                (true, false) => format!("`{name}` has changed, from now on: {}", whats.join("; ")),
                (false, _) => {
                    format!(
                        "`{name}` has changed, and was told to start all the same ({}): {}",
                        class.text(),
                        whats.join("; ")
                    )
                }
            });
        }
    }
    judgement
}

/// What it would mean to go back from these projections to those before, one by one.
fn changes_back(files: &[File], old: &[File], options: &Options) -> Vec<(String, Class)> {
    let back = |before: &File| {
        let before = std::slice::from_ref(before);
        let program = compile(before, options).ok()?.program;
        let class = |(_, _, changes): OfOne| changes.iter().map(|change| change.class).max().unwrap_or(Class::Same);
        let all = changes(files, before, &program, options).into_iter();
        let name = program.projections.first()?.name.clone();
        let of_it = all.filter(|(known, ..)| *known == name).map(class).max();
        Some((name, of_it?))
    };
    old.iter().filter_map(back).collect()
}

type OfOne = (String, Fate, Vec<Change>);

/// What has changed, projection by projection. What was deployed before may not go together any more: then each projection is
/// compared for itself.
fn changes(old: &[File], files: &[File], program: &Program, options: &Options) -> Vec<OfOne> {
    let told = |old: Deployment<'_>, new: Deployment<'_>| -> Vec<OfOne> {
        compare(old, new).into_iter().map(|one| (one.name, one.fate, one.changes)).collect()
    };
    if let Ok(before) = compile(old, options)
        && let (Some(before), Some(now)) = (Deployment::new(old, &before.program), Deployment::new(files, program))
    {
        return told(before, now);
    }
    let mut all = Vec::new();
    for file in files {
        let new = std::slice::from_ref(file);
        let same = |other: &&File| other.projection.projection.value == file.projection.projection.value;
        let Some(before) = old.iter().find(same).map(std::slice::from_ref) else { continue };
        if let (Ok(a), Ok(b)) = (compile(before, options), compile(new, options))
            && let (Some(a), Some(b)) = (Deployment::new(before, &a.program), Deployment::new(new, &b.program))
        {
            all.extend(told(a, b));
        }
    }
    all
}

fn refusal(name: &str, hash: &str, unknown: bool, changes: &[Change]) -> String {
    let mut text = format!("the view of `{name}` is live, and cannot go on with this projection:\n");
    if unknown {
        text += "  what was deployed before is not kept, or cannot be read any more: what has changed is not known\n";
    }
    for Change { class, what, place, why, help } in changes.iter().filter(|change| !change.class.can_be_deployed()) {
        let _ = write!(text, "  {}: {what}\n    --> {place}\n    why: {why}\n    do: {help}\n", class.text());
    }
    let _ = write!(text, "  to start it all the same: VIEWFOLD_ACCEPT_CHANGES={name}={hash}");
    text
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ORDERS, file, program, with};
    use super::*;

    const NOW: &str = "2026-01-01T00:00:00Z";

    /// What starts a deployment comes to: its table, and what it says.
    fn start(rows: &mut Vec<Item>, texts: &[&str], accepted: &[(&str, String)]) -> Judgement {
        let files: Vec<File> = texts.iter().map(|text| file("new.yaml", text)).collect();
        let accepted = accepted.iter().map(|(name, hash)| ((*name).to_owned(), hash.clone())).collect();
        let judgement = judge(&files, &program(&files), &Options::default(), rows, &accepted, NOW);
        for Write { row, replaces } in &judgement.writes {
            let there = rows.iter().position(|other| other.get(SORT_KEY) == row.get(SORT_KEY));
            let hash = there.map(|at| column(&rows.remove(at), HASH).unwrap_or_default().to_owned());
            assert_eq!(hash, *replaces);
            rows.push(row.clone());
        }
        judgement
    }

    #[test]
    fn the_first_start_writes_down_what_it_has() {
        let mut rows = Vec::new();
        let first = start(&mut rows, &[ORDERS], &[]);
        assert_eq!((first.writes.len(), first.notes.len(), first.refused.len()), (1, 0, 0));
        let again = start(&mut rows, &[ORDERS], &[]);
        assert_eq!((again.writes.len(), again.notes.len(), again.refused.len()), (0, 0, 0));
    }

    #[test]
    fn the_version_before_goes_on_beside_the_new_one() {
        let mut rows = Vec::new();
        let more = with(ORDERS, &[("set: {", "set: { at: $.at,")]);
        start(&mut rows, &[ORDERS], &[]);
        let second = start(&mut rows, &[&more], &[]);
        assert_eq!(second.notes, ["`orders` has changed, from now on: `at` is new (`set`, rule `placed`)"]);
        let older = start(&mut rows, &[ORDERS], &[]);
        assert!(older.writes.is_empty() && older.refused.is_empty(), "{older:?}");
        assert!(start(&mut rows, &[&more], &[]).notes.is_empty());
        // What comes after it leaves the first one behind.
        start(&mut rows, &[&format!("# More.\n{more}")], &[]);
        assert!(start(&mut rows, &[ORDERS], &[]).refused[0].contains("nothing writes `at` any more"));
    }

    #[test]
    fn a_version_that_knows_nothing_of_deleted_documents_does_not_come_back() {
        let mut rows = Vec::new();
        let deletes = with(ORDERS, &[("derive:", "  - { name: gone, when: { $.type: gone }, delete: true }\nderive:")]);
        start(&mut rows, &[ORDERS], &[]);
        assert!(start(&mut rows, &[&deletes], &[]).refused.is_empty());
        let back = start(&mut rows, &[ORDERS], &[]);
        assert!(back.writes.is_empty() && back.refused[0].contains("unsafe"), "{back:?}");
    }

    #[test]
    fn what_cannot_follow_does_not_start_unless_it_is_told() {
        let mut rows = Vec::new();
        let other = with(ORDERS, &[("guard: last_event_id", "guard: { last_event_id: document, order_by: $.n }")]);
        start(&mut rows, &[ORDERS], &[]);
        let refused = start(&mut rows, &[&other], &[]).refused.remove(0);
        let hash = hash(&file("new.yaml", &other));
        assert!(refused.contains("unsafe: `order_by` is another one\n    --> new.yaml:4:8"), "{refused}");
        assert!(refused.ends_with(&format!("VIEWFOLD_ACCEPT_CHANGES=orders={hash}")), "{refused}");
        // What was accepted is this change, and no other.
        let later = with(&other, &[("order_by: $.n", "order_by: $.m")]);
        assert_eq!(start(&mut rows, &[&later], &[("orders", hash.clone())]).refused.len(), 1);
        let told = start(&mut rows, &[&other], &[("orders", hash)]);
        assert!(told.refused.is_empty() && told.notes[0].contains("told to start"), "{told:?}");
        assert_eq!(start(&mut rows, &[ORDERS], &[]).refused.len(), 1);
    }

    #[test]
    fn another_name_on_a_live_table_is_found() {
        let mut rows = Vec::new();
        start(&mut rows, &[ORDERS], &[]);
        let renamed = with(ORDERS, &[("projection: orders", "projection: purchases")]);
        let refused = start(&mut rows, &[&renamed], &[]).refused.remove(0);
        assert!(refused.contains("`orders` is called `purchases` now"), "{refused}");
        let second = with(ORDERS, &[("source:", "version: 2\nsource:")]);
        assert!(start(&mut rows, &[&second], &[]).refused.is_empty());
    }

    #[test]
    fn large_files_and_their_schemas_are_read_as_they_were_written() {
        let words: String = (0..4000).map(|number| format!("# {number} is a number\n")).collect();
        let text = with(&format!("{words}{ORDERS}"), &[("lane: $.id", "lane: $.id, schema: a.schema.json")]);
        let large = file("a.yaml", &text);
        let row = written("orders", &large, None, NOW);
        assert!(row.contains_key("packed") && !row.contains_key("files"));
        let read = recorded(&row).unwrap();
        assert_eq!((read.source.text.as_str(), hash(&read)), (text.as_str(), hash(&large)));
        assert_ne!(hash(&large), hash(&File { schemas: BTreeMap::new(), ..large.clone() }));
        // Without its text nobody knows what has changed.
        let mut rows = vec![row];
        rows[0].remove("packed");
        assert!(start(&mut rows, &[ORDERS], &[]).refused[0].contains("not known"));
    }
}
