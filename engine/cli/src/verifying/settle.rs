//! What stays different while events are on their way.
//!
//! A view is a little behind its source. So what differs once is looked at again, after a pause: the source is folded anew, and
//! the item read anew. A difference that stays the same, by its values or, where the item goes on counting, by how far the sums are
//! apart, is none of what is on its way.

use super::compare::{Difference, again};
use super::expected::{From, expected};
use super::plain::Compared;
use crate::output::{Failure, count, note};
use crate::store::Connection;
use std::time::Duration;
use viewfold_core::program::Program;

/// How often the source is folded at most.
const PASSES: usize = 4;

/// What differs in the end.
#[derive(Default)]
pub(crate) struct Settled {
    /// What stays different.
    pub(crate) stays: Vec<Difference>,
    /// What keeps changing, and differs each time in another way.
    pub(crate) moves: Vec<Difference>,
    /// The read units that it took.
    pub(crate) read_units: f64,
}

/// What of these differences stays.
pub(crate) async fn settle(
    program: &Program,
    tables: &[Compared],
    live: &Connection,
    from: &From<'_>,
    first: Vec<Difference>,
    (pause, read_units): (Duration, Option<f64>),
) -> Result<Settled, Failure> {
    let mut settled = Settled { moves: first, ..Settled::default() };
    for pass in 2..=PASSES {
        if settled.moves.is_empty() {
            break;
        }
        let things = count(settled.moves.len(), "item");
        note(&format!("{things} not as they have to be: looked at again in {} seconds", pause.as_secs()));
        tokio::time::sleep(pause).await;
        let (private, done) = expected(program, live, from, read_units, pass).await?;
        settled.read_units += done.read_units;
        let now = again(tables, &settled.moves, live, &private.connection).await?;
        let before = std::mem::take(&mut settled.moves);
        for difference in now {
            let was = before.iter().find(|one| one.table == difference.table && one.key == difference.key);
            let apart = |one: &Difference| tables[one.table].apart(one.expected.as_ref(), one.found.as_ref());
            match was {
                Some(was) if apart(was) == apart(&difference) => settled.stays.push(difference),
                _ => settled.moves.push(difference),
            }
        }
    }
    Ok(settled)
}
