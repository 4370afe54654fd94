//! Items that are put right, each only if it is still as it was when it was compared.

use super::compare::Difference;
use super::plain::Compared;
use crate::output::Failure;
use crate::progress::Progress;
use crate::store::Connection;
use viewfold_dynamodb::correct::{Corrected, correct};

/// What became of a difference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// It was only told.
    Told,
    /// The item was written as it has to be.
    Repaired,
    /// The item has changed meanwhile: nothing was written.
    Changed,
    /// It differs each time in another way.
    Moving,
}

impl Fate {
    /// The word for it in reports.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Fate::Told => "differs",
            Fate::Repaired => "repaired",
            Fate::Changed => "changed meanwhile",
            Fate::Moving => "keeps changing",
        }
    }
}

/// Puts items right, one after the other; what became of each.
pub(crate) async fn repair(
    tables: &[Compared],
    live: &Connection,
    differences: &[Difference],
) -> Result<Vec<Fate>, Failure> {
    let progress = Progress::new(differences.len(), "items repaired");
    let mut fates = Vec::with_capacity(differences.len());
    for Difference { table, key, expected, found } in differences {
        let table = &tables[*table];
        let after = table.corrected(expected.as_ref(), found.as_ref());
        let written = correct(live.store.client(), &table.table.name, key, found.as_ref(), after.as_ref()).await;
        let written = written.map_err(|why| {
            let done = fates.iter().filter(|fate| **fate == Fate::Repaired).count();
            Failure::new(format!("{} cannot be written to, after {done} repairs: {why}", table.table.name))
        })?;
        fates.push(match written {
            Corrected::Written => Fate::Repaired,
            Corrected::Changed => Fate::Changed,
        });
        progress.advance(1);
    }
    Ok(fates)
}
