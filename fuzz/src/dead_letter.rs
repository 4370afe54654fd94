//! Rows of the table of dead letters, in DynamoDB JSON: read, and redriven.

use super::store::Store;
use super::{NOW, deployment, event, values};
use viewfold_core::compile::DEAD_LETTER_TABLE;
use viewfold_core::dead_letter::Letter;
use viewfold_value::{Item, Value};

/// Reads a row, closes it and redrives it.
pub fn run(bytes: &[u8]) {
    let Some(row) = values::item(bytes) else { return };
    let Some(letter) = Letter::of(row.clone()) else { return };
    assert_eq!(letter.row(), &row);
    letter.sub();
    letter.is_part();
    letter.is_guarded();
    let parts = letter.part_keys();
    let none = vec![None; parts.len()];
    if let Ok(record) = letter.record(&none) {
        assert_eq!(letter.record(&none).as_deref(), Ok(record.as_str()));
    }

    let done = Letter::of(letter.done("applied", "v", NOW)).expect("a letter that was dealt with is a letter");
    assert!(!done.is_open());
    assert_eq!(done.key(), letter.done_key());
    assert_eq!(done.short_id(), letter.short_id());

    let program = deployment::whole();
    let mut store = Store::of(program);
    let mut rest = row.clone();
    let key: Item = letter.key();
    rest.retain(|name, _| !key.contains_key(name));
    for (name, value) in rest {
        store.touch(DEAD_LETTER_TABLE, &key, &name, value);
    }
    event::redrive(program, &mut store, row);
    values::check(&Value::Map(letter.row().clone()));
}
