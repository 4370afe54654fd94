//! Items that are put right, each only if it is still as it was when it was compared.
//!
//! A document and the rows of the lanes that contribute to it say the same, and an event that is on its way goes by the rows. So
//! those that differ together are put right together, in one transaction: between two writes such an event would count twice.

use super::compare::Difference;
use super::plain::Compared;
use super::settle::Settled;
use crate::output::Failure;
use crate::progress::Progress;
use crate::store::Connection;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use viewfold_core::program::Program;
use viewfold_dynamodb::correct::{Corrected, Correction, MAX_TOGETHER, correct};
use viewfold_value::Item;

/// What became of a difference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// It was only told.
    Told,
    /// The item was written as it has to be.
    Repaired,
    /// The item has changed meanwhile, or one that goes with it: nothing was written.
    Changed,
    /// It differs each time in another way, or one that goes with it does.
    Moving,
    /// More items go with it than a transaction takes: nothing was written.
    TooMany,
}

impl Fate {
    /// The word for it in reports.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Fate::Told => "differs",
            Fate::Repaired => "repaired",
            Fate::Changed => "changed meanwhile",
            Fate::Moving => "keeps changing",
            Fate::TooMany => "hangs together with more than 100 items",
        }
    }
}

/// Puts items right that stay different; what became of each.
pub(crate) async fn repair(
    program: &Program,
    tables: &[Compared],
    live: &Connection,
    settled: &Settled,
) -> Result<Vec<Fate>, Failure> {
    let Settled { stays, moves, .. } = settled;
    let progress = Progress::new(stays.len(), "items repaired");
    let mut fates = vec![Fate::Told; stays.len()];
    for together in groups(program, tables, stays, moves) {
        let is_moving = together.iter().any(|number| *number >= stays.len());
        let own: Vec<usize> = together.into_iter().filter(|number| *number < stays.len()).collect();
        let fate = match own.len() {
            _ if is_moving => Fate::Moving,
            number if number > MAX_TOGETHER => Fate::TooMany,
            _ => {
                let corrections: Vec<Correction<'_>> =
                    own.iter().map(|number| correction(tables, &stays[*number])).collect();
                let written = correct(live.store.client(), &corrections).await.map_err(|why| {
                    let done = fates.iter().filter(|fate| **fate == Fate::Repaired).count();
                    let table = corrections.first().map(|one| one.table).unwrap_or_default();
                    Failure::new(format!("{table} cannot be written to, after {done} repairs: {why}"))
                })?;
                match written {
                    Corrected::Written => Fate::Repaired,
                    Corrected::Changed => Fate::Changed,
                }
            }
        };
        progress.advance(own.len());
        own.into_iter().for_each(|number| fates[number] = fate);
    }
    Ok(fates)
}

fn correction<'c>(tables: &'c [Compared], difference: &'c Difference) -> Correction<'c> {
    let Difference { table, key, expected, found } = difference;
    let table = &tables[*table];
    let after = table.corrected(expected.as_ref(), found.as_ref());
    Correction { table: &table.table.name, key, before: found.as_ref(), after }
}

/// What goes together of all that differs, by numbers: first those that stay, then those that move.
fn groups(program: &Program, tables: &[Compared], stays: &[Difference], moves: &[Difference]) -> Vec<Vec<usize>> {
    let all = || stays.iter().chain(moves).enumerate();
    let place = |one: &Difference| (Arc::clone(&tables[one.table].table.name), one.key.clone());
    // The first number of a group stands for it.
    let mut firsts: Vec<usize> = (0..stays.len() + moves.len()).collect();
    // Documents that have no difference of their own still tie the rows to each other that contribute to them.
    let mut of_document: HashMap<(Arc<str>, Item), usize> = all().map(|(number, one)| (place(one), number)).collect();
    for (number, one) in all() {
        let rows = one.expected.iter().chain(&one.found);
        for document in rows.flat_map(|row| tables[one.table].contributes_to(program, row)) {
            let other = *of_document.entry(document).or_insert(number);
            let (a, b) = (first(&firsts, number), first(&firsts, other));
            firsts[a.max(b)] = a.min(b);
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (number, _) in all() {
        groups.entry(first(&firsts, number)).or_default().push(number);
    }
    groups.into_values().collect()
}

fn first(firsts: &[usize], mut number: usize) -> usize {
    while firsts[number] != number {
        number = firsts[number];
    }
    number
}
