//! What a backfill takes, before it begins.

use super::chosen::Table;
use crate::output::count;
use viewfold_core::program::{Guard, Program};
use viewfold_dynamodb::cost::{Cost, PRICES};
use viewfold_dynamodb::inspect::Found;

/// The bytes that half a read unit is for, where reads are eventually consistent.
const BYTES_OF_A_READ: u64 = 8192;

/// What filling from a table takes at most, by DynamoDB's own count of its items.
///
/// A document that many items belong to is written once for a batch of them, so most backfills take less.
pub(crate) fn of_table(program: &Program, table: &Table, found: &Found) -> Cost {
    let mut cost = Cost { reads: found.bytes.div_ceil(BYTES_OF_A_READ), ..Cost::default() };
    for (number, source) in &program.streams[table.stream].readers {
        let projection = &program.projections[*number];
        let rules = projection.rules.iter().filter(|rule| rule.source == *source).count() as u64;
        let document = 1 + projection.table.indexes.len() as u64;
        // A row for the item's lane, or its id, is written with its documents; a transaction takes twice as much.
        let units = match projection.sources[*source].guard {
            Guard::None | Guard::Document { .. } => rules * document,
            Guard::Lane { .. } | Guard::EventsTable { .. } => 2 * (1 + rules * document),
        };
        cost += Cost { writes: found.items * units, ..Cost::default() };
    }
    cost
}

/// An estimate in words, a line.
pub(crate) fn in_words(table: &Table, found: &Found, cost: Cost) -> String {
    format!(
        "{}: about {} of {} bytes for {}; at most {} read units and {} write units, {:.2} dollars ({}, on demand, {})",
        table.name,
        count(usize::try_from(found.items).unwrap_or(usize::MAX), "item"),
        found.bytes,
        table.projections.join(", "),
        cost.reads,
        cost.writes,
        cost.dollars(),
        PRICES.region,
        PRICES.as_of
    )
}
