//! The table of dead letters: what is in it, and redriving it.

use crate::Store;
use std::sync::Arc;
use viewfold_core::dead_letter::{EXPIRES, Letter};
use viewfold_core::plan::{Action, Answer, ItemKey, Put, Redrive, Redriven, Request};
use viewfold_core::program::Program;
use viewfold_value::{Item, Value};

/// Every letter of a table: those that wait to be dealt with, or those that have been. They are in the order of their events:
/// by source, projection, lane and sequence number.
///
/// # Errors
///
/// A sentence: what the store said.
pub async fn letters(store: &Store, table: &str, open: bool) -> Result<Vec<Letter>, String> {
    let rows = store.scan(table).await?;
    let mut letters: Vec<Letter> =
        rows.into_iter().filter_map(Letter::of).filter(|letter| letter.is_open() == open).collect();
    letters.sort_by_cached_key(|letter| {
        let column = |name: &str| letter.column(name).to_owned();
        let sequence = column("sequence");
        (column("source"), column("projection"), column("lane"), sequence.len(), sequence, letter.sub())
    });
    Ok(letters)
}

/// The record of a letter as Lambda gave it; empty where its event is kept elsewhere.
///
/// # Errors
///
/// A sentence: what the store said, or that a part of the record is missing.
pub async fn record(store: &Store, table: &str, letter: &Letter) -> Result<String, String> {
    let table: Arc<str> = Arc::from(table);
    let keys: Vec<ItemKey> =
        letter.part_keys().into_iter().map(|key| ItemKey { table: Arc::clone(&table), key }).collect();
    let mut parts = Vec::with_capacity(keys.len());
    for some in keys.chunks(100) {
        match store.send(&Request::Read(some.to_vec())).await {
            Answer::Items(items) => parts.extend(items),
            other => return Err(format!("the parts of the record cannot be read: {other:?}")),
        }
    }
    letter.record(&parts)
}

/// What is to become of a letter whose event has been looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// It is redriven.
    Redrive,
    /// It is left as it is.
    Leave,
}

/// Redrives a letter. `decide` is asked once, when it is known what the event does, and before anything is written. Nothing
/// where it leaves the letter.
///
/// The command may end at any moment: what has been written of a letter is all of it or nothing.
///
/// # Errors
///
/// A sentence, where the letter is none of these projections', or its record cannot be read.
pub async fn redrive(
    store: &Store,
    program: &Program,
    letter: &Letter,
    now: &str,
    mut decide: impl FnMut(&Redrive<'_>) -> Decision,
) -> Result<Option<Redriven>, String> {
    let table = program.dead_letters.clone().ok_or("these projections have no table of dead letters")?;
    let record = record(store, &table, letter).await?;
    let mut redrive = Redrive::new(program, letter.clone(), &record, now)?;
    let mut asked = false;
    while let Some(request) = redrive.next() {
        if request.writes() && !asked {
            asked = true;
            if decide(&redrive) == Decision::Leave {
                return Ok(None);
            }
        }
        redrive.answer(store.send(&request).await);
    }
    let redriven = redrive.finish();
    if matches!(redriven, Redriven::Closed(_)) {
        let_expire(store, &table, letter, now).await;
    }
    Ok(Some(redriven))
}

/// Closes a letter without applying its event.
///
/// # Errors
///
/// A sentence: what the store said, or that somebody else has closed it.
pub async fn drop(store: &Store, table: &str, letter: &Letter, now: &str) -> Result<(), String> {
    let table: Arc<str> = Arc::from(table);
    match store.send(&Request::Transact(letter.dropped(&table, now))).await {
        Answer::Done => {
            let_expire(store, &table, letter, now).await;
            Ok(())
        }
        Answer::Cancelled(_) => Err("it was closed in the meantime".to_owned()),
        Answer::Failed(message) | Answer::Refused(message) => Err(message),
        other => Err(format!("{other:?}")),
    }
}

/// Lets the parts of a closed letter's record expire with it. Where that fails they stay, and are in nobody's way.
async fn let_expire(store: &Store, table: &Arc<str>, letter: &Letter, now: &str) {
    let done = letter.done("", "", now);
    let Some(expires) = done.get(EXPIRES) else { return };
    for key in letter.part_keys() {
        let read = Request::Read(vec![ItemKey { table: Arc::clone(table), key }]);
        let Answer::Items(items) = store.send(&read).await else { continue };
        for mut item in items.into_iter().flatten() {
            item.insert(EXPIRES.to_owned(), Value::clone(expires));
            store.send(&put(table, item)).await;
        }
    }
}

fn put(table: &Arc<str>, item: Item) -> Request {
    let table = Arc::clone(table);
    Request::Write(Action::Put(Put { table, item: item.into(), form: Arc::default(), values: Vec::new() }))
}
