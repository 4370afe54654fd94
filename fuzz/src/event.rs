//! Lambda events: carried out against a store in memory, and delivered again.

use super::store::Store;
use super::{NOW, deployment};
use viewfold_core::compile::DEAD_LETTER_TABLE;
use viewfold_core::dead_letter::Letter;
use viewfold_core::plan::{Batch, Redrive};
use viewfold_core::program::Program;
use viewfold_core::report::Report;
use viewfold_value::Item;

/// The tables of documents.
const DOCUMENTS: [&str; 11] =
    ["Totals", "Types", "Shards", "Lines", "Ordered", "Changes", "Votes", "Copies", "Over", "Notes", "Bus"];

/// Carries an invocation's payload out, twice: the second time changes no document. Its dead letters can be read and redriven.
pub fn run(bytes: &[u8]) {
    let program = deployment::whole();
    let mut store = Store::of(program);
    let Some(report) = deliver(program, &mut store, bytes) else { return };
    assert!(report.first_failure().is_none_or(|trouble| trouble.record < report.records));
    assert_eq!(report.first_failure().is_none(), report.returned.is_empty(), "what failed goes back");
    let after = documents(&store);
    deliver(program, &mut store, bytes).expect("what was a batch is one");
    // An event that comes behind a newer one of its lane, as in no stream, is dropped where the two are in one batch, and
    // applied where the newer one is a dead letter by then that left no mark.
    if report.projections.iter().all(|(_, counts)| counts.stale == 0) {
        assert_eq!(after, documents(&store), "the second delivery changes documents");
    }
    for row in open_letters(&store) {
        redrive(program, &mut store, row);
    }
}

/// One delivery; nothing where the payload is no batch.
fn deliver(program: &Program, store: &mut Store, payload: &[u8]) -> Option<Report> {
    let mut batch = Batch::new(program, payload, NOW).ok()?;
    let mut requests = 0;
    while let Some((number, request)) = batch.next() {
        requests += 1;
        assert!(requests < 10_000, "no end of requests");
        let answer = store.send(&request);
        batch.answer(number, answer);
    }
    Some(batch.finish("unfinished"))
}

/// All documents, without what guards keep on them.
fn documents(store: &Store) -> Vec<Item> {
    let items = DOCUMENTS.iter().flat_map(|table| store.items(table)).cloned();
    let bare = items.map(|mut item| {
        item.retain(|name, _| !name.starts_with("_vf_"));
        item
    });
    bare.collect()
}

fn open_letters(store: &Store) -> Vec<Item> {
    let rows = store.items(DEAD_LETTER_TABLE).into_iter();
    rows.filter(|row| Letter::of((*row).clone()).is_some_and(|letter| letter.is_open())).cloned().collect()
}

/// Redrives one letter, whatever comes of it.
pub(crate) fn redrive(program: &Program, store: &mut Store, row: Item) {
    let Some(letter) = Letter::of(row) else { return };
    // A record that is large is in rows of its own.
    let Ok(record) = letter.record(&[]) else { return };
    let Ok(mut redrive) = Redrive::new(program, letter, &record, NOW) else { return };
    let mut requests = 0;
    while let Some(request) = redrive.next() {
        requests += 1;
        assert!(requests < 1_000, "no end of requests");
        redrive.effects();
        let answer = store.send(&request);
        redrive.answer(answer);
    }
    redrive.finish();
}
