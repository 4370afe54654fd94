//! The documents of a table, read back and shown.

use crate::output::{Failure, count, printable};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table as Grid};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use viewfold_core::program::{Program, Table, is_deleted_row};
use viewfold_dynamodb::Store;
use viewfold_value::{Item, Value};

/// Every document of a table in the order of its key, without the guards' own attributes, and without the rows that deleted
/// documents leave behind, unless they are asked for.
pub(crate) async fn read(
    store: &Store,
    program: &Program,
    table: &Table,
    bookkeeping: bool,
) -> Result<Vec<Item>, Failure> {
    let mut items = store.scan(&table.name).await.map_err(Failure::new)?;
    if !bookkeeping {
        let own = program.bookkeeping(&table.name);
        items.retain(|item| !is_deleted_row(item.keys(), |name| table.keys().any(|key| key.name == name), &own));
        for item in &mut items {
            item.retain(|name, _| !name.starts_with("_vf_"));
        }
    }
    items.sort_by_cached_key(|item| {
        table.keys().map(|key| item.get(&key.name).map(sortable).unwrap_or_default()).collect::<Vec<_>>()
    });
    Ok(items)
}

/// A text that sorts like the key: numbers by value, as far as people look at them.
fn sortable(value: &Value) -> (viewfold_value::Number, String) {
    match value {
        Value::Number(number) => (*number, String::new()),
        Value::String(text) => (viewfold_value::Number::ZERO, text.clone()),
        other => (viewfold_value::Number::ZERO, other.to_string()),
    }
}

/// A table's documents for people: key attributes first, then the others by name.
pub(crate) fn show(table: &Table, items: &[Item]) -> String {
    let mut text = String::new();
    // Writing into a String cannot fail.
    let _ = writeln!(text, "{} ({})", table.name, count(items.len(), "document"));
    if items.is_empty() {
        return text;
    }
    let keys: Vec<&str> = table.keys().map(|key| key.name.as_str()).collect();
    let others: BTreeSet<&str> =
        items.iter().flat_map(|item| item.keys()).map(String::as_str).filter(|name| !keys.contains(name)).collect();
    let columns: Vec<&str> = keys.into_iter().chain(others).collect();
    let mut grid = Grid::new();
    grid.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    grid.set_header(&columns);
    for item in items {
        grid.add_row(columns.iter().map(|column| item.get(*column).map(cell).unwrap_or_default()));
    }
    for (number, column) in columns.iter().enumerate() {
        let numeric = items.iter().filter_map(|item| item.get(*column)).all(|value| matches!(value, Value::Number(_)));
        if numeric && let Some(column) = grid.column_mut(number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let _ = writeln!(text, "{grid}");
    text
}

/// The most characters of a cell; what is cut off is in `--format json`.
const MAX_CELL: usize = 48;

/// A value in a cell: texts without quotes, everything else as JSON. Control characters are escaped: a document must not
/// be able to write on the terminal.
fn cell(value: &Value) -> String {
    let text: String = match value {
        Value::String(text) => printable(text),
        other => printable(&other.to_string()),
    };
    if text.chars().count() <= MAX_CELL {
        return text;
    }
    text.chars().take(MAX_CELL - 1).chain(['…']).collect()
}
