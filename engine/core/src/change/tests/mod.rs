//! Pairs of projections, and what the change from one to the other means.

mod classes;
mod deployments;
mod meaning;

use super::{Change, Changed, Class, Deployment, compare};
use crate::compile::{File, Options, compile};
use crate::program::Program;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Counts and last values by an order's id, under a mark on the document.
pub(super) const ORDERS: &str = r"projection: orders
source: { kinesis: { stream: shop, lane: $.id } }
document: { table: Orders, partition_key: id }
guard: last_event_id
let: { amount: '${ $.price * $.count }' }
key: { id: $.id }
rules:
  - name: placed
    when: { $.type: [placed, changed], $.price: { numeric: ['>', 0] } }
    add: { total: '${ amount }', 'by_size.${ $.size }': 1 }
    set: { status: $.type, who: { name: $.name } }
  - name: noted
    when: { $.type: noted }
    append: { notes: { value: $.note, by: $.at, last: 5 } }
derive: { mean: '${ doc.total / 2 }' }
";

/// Counts of what is in a table.
pub(super) const VOTES: &str = r"projection: votes
source: { dynamodb: { table: votes, keys: [id] } }
document: { table: Votes, partition_key: region }
guard: { last_event_id: lane }
rules:
  - name: vote
    retract: true
    when: { $.state: [new, old] }
    key: { region: $.region }
    add: { n: 1 }
";

/// Sums under an events table.
pub(super) const SUMS: &str = r"projection: sums
source: { kinesis: numbers }
document: { table: Sums, partition_key: id }
guard: { events_table: Events, id: $.event, keep_for: 7d }
on_error: skip
key: { id: $.id }
rules: [{ name: number, add: { n: $.n } }]
";

pub(super) fn file(name: &str, text: &str) -> File {
    let source = Arc::new(viewfold_spec::Source { name: name.to_owned(), text: text.to_owned() });
    let projection = viewfold_spec::parse(&source).unwrap_or_else(|findings| panic!("{findings:?}\n{text}"));
    let names = File::schema_names(&projection).into_iter();
    let schemas = names.map(|name| (name.clone(), Ok(format!("{{ \"$id\": {name:?} }}")))).collect::<BTreeMap<_, _>>();
    File { source, projection, schemas }
}

pub(super) fn program(files: &[File]) -> Program {
    match compile(files, &Options::default()) {
        Ok(compiled) => compiled.program,
        Err(findings) => panic!("{}", viewfold_spec::diagnostic::render_all(&findings, false)),
    }
}

/// What the change of a whole deployment means.
pub(super) fn of_files(old: &[&str], new: &[&str]) -> Vec<Changed> {
    let files = |name: &str, texts: &[&str]| texts.iter().map(|text| file(name, text)).collect::<Vec<_>>();
    let (old, new) = (files("old.yaml", old), files("new.yaml", new));
    let (before, now) = (program(&old), program(&new));
    compare(Deployment::new(&old, &before).unwrap(), Deployment::new(&new, &now).unwrap())
}

/// What the change of one projection means.
pub(super) fn of(old: &str, new: &str) -> Vec<Change> {
    let mut all = of_files(&[old], &[new]);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0).changes
}

/// A text with parts replaced, each of which has to be there.
pub(super) fn with(text: &str, parts: &[(&str, &str)]) -> String {
    parts.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "no {from:?} in\n{text}");
        text.replacen(from, to, 1)
    })
}

/// What changes mean, in lines: `class: what`.
pub(super) fn lines(changes: &[Change]) -> Vec<String> {
    changes.iter().map(|change| format!("{}: {}", change.class.text(), change.what)).collect()
}

/// Replaces parts of a text, and holds what that means against what is expected.
#[track_caller]
pub(super) fn means(text: &str, parts: &[(&str, &str)], expected: &[&str]) {
    let changes = of(text, &with(text, parts));
    assert_eq!(lines(&changes), expected, "{parts:?}");
    for change in changes {
        assert!(!change.why.is_empty() && !change.help.is_empty(), "{change:?}");
        assert!(change.class != Class::Same, "{change:?}");
    }
}
