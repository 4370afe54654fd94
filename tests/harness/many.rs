//! Many projections, as a large deployment has them: copies of the five systems' files, each with names, tables and matchers of
//! its own. The same number gives the same files.

use std::fs;

use crate::scratch::Folder;
use crate::workspace;

/// The files that are copied, in turn.
const FILES: [&str; 8] = [
    "map-rollup/map.yaml",
    "tournament/stats.yaml",
    "votes/recent_votes.yaml",
    "votes/total_votes.yaml",
    "winner-view/contributions.yaml",
    "winner-view/scores.yaml",
    "winner-view-unordered/contributions.yaml",
    "winner-view-unordered/scores.yaml",
];

/// The JSON Schema that some of them name.
const SCHEMA: &str = "winner-view/retail.schema.json";

/// What a copy has of its own, with its number behind it. (Streams are everybody's, but for those of views.)
const OWN: [&str; 21] = [
    "projection: map_rollup",
    "projection: tournament_stats",
    "projection: recent_votes",
    "projection: total_votes",
    "projection: contributions",
    "projection: scores",
    "table: Map,",
    "table: TaTourneyStats",
    "table: recent_votes",
    "table: recent_votes_events",
    "events_table: Events",
    "table: total_votes",
    "table: Contributions",
    "table: Scores",
    "product/create/1-0-0",
    "product/image/1-0-0",
    "product/purchase/1-0-0",
    "default($.Category, \"None",
    "board: all",
    "role: creator",
    "role: photographer",
];

/// A folder with that many different projections, and nothing else but the schema that they name.
pub fn projections(count: usize) -> Folder {
    let read = |file: &str| {
        let path = workspace().join("projections").join(file);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
    };
    let texts = FILES.map(read);
    let folder = Folder::empty();
    for (number, text) in texts.iter().cycle().take(count).enumerate() {
        // A view and the one over it are of one copy.
        folder.write(&format!("{number:04}.yaml"), &copy(text, number / FILES.len() * FILES.len() + pair(number)));
    }
    let schema = SCHEMA.rsplit('/').next().expect("a path has a last part");
    folder.write(schema, &read(SCHEMA));
    folder
}

/// The number of the pair that a file is in.
fn pair(number: usize) -> usize {
    number % FILES.len() / 2
}

/// The text with a number behind everything that is a copy's own.
fn copy(text: &str, number: usize) -> String {
    let mut own = OWN.to_vec();
    // What begins with another one goes first.
    own.sort_by_key(|what| std::cmp::Reverse(what.len()));
    let mut copied = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        match own.iter().find(|what| rest.starts_with(**what)) {
            Some(what) => {
                let (name, end) = match what.strip_suffix(',') {
                    Some(name) => (name, ","),
                    None => (*what, ""),
                };
                copied.push_str(&format!("{name}{}{number}{end}", if name.ends_with("-0") { "" } else { "_" }));
                rest = &rest[what.len()..];
            }
            None => {
                copied.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    copied
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cli::viewfold;

    #[tokio::test]
    async fn as_many_as_are_asked_for_are_valid_and_differ() {
        let folder = projections(100);
        let mut names = BTreeSet::new();
        for entry in fs::read_dir(folder.path()).expect("the folder is there").flatten() {
            let text = fs::read_to_string(entry.path()).expect("a file can be read");
            names.extend(text.lines().find_map(|line| line.strip_prefix("projection: ")).map(str::to_owned));
        }
        assert_eq!(names.len(), 100);
        viewfold(["validate"]).arg(folder.path()).run().await.expect_status(0);
    }
}
