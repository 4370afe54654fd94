//! The items of a table, several segments of it read side by side.

use super::pace::Pace;
use super::state::Position;
use crate::output::Failure;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc};
use viewfold_dynamodb::Store;
use viewfold_dynamodb::inspect::Found;
use viewfold_dynamodb::scan::{Page, Segment, page};

/// A page of a segment, and where the segment is to be gone on with once it has been dealt with.
pub(crate) struct Read {
    pub(crate) segment: u32,
    pub(crate) page: Page,
    pub(crate) position: Position,
}

/// The segments that are read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Segments {
    pub(crate) numbers: Range<u32>,
    pub(crate) of: u32,
}

/// Reads segments from where they stood, and hands out page by page as they come; nothing more comes behind a failure.
/// No more than a page of each waits to be taken.
pub(crate) fn read(
    store: &Store,
    table: &str,
    found: &Found,
    segments: &Segments,
    positions: &BTreeMap<u32, Position>,
    read_units: Option<f64>,
) -> Result<mpsc::Receiver<Result<Read, Failure>>, Failure> {
    let (sender, receiver) = mpsc::channel(1);
    let pace = Arc::new(Mutex::new(Pace::new(read_units)));
    let most = read_units.map(|a_second| items_of_a_page(found, a_second));
    for number in segments.numbers.clone() {
        let from = match positions.get(&number) {
            Some(Position::End) => continue,
            Some(position) => position.key()?,
            None => None,
        };
        let (client, table, sender, pace) =
            (store.client().clone(), table.to_owned(), sender.clone(), Arc::clone(&pace));
        let segment = Segment { number, of: segments.of };
        tokio::spawn(async move {
            let mut from = from;
            loop {
                let read = page(&client, &table, segment, from.as_ref(), most).await;
                let read = read.map_err(|why| Failure::new(format!("the table {table} cannot be read: {why}")));
                let is_broken = read.is_err();
                let read = read.map(|page| {
                    from = page.next.clone();
                    Read { segment: number, position: Position::behind(page.next.as_ref()), page }
                });
                let units = read.as_ref().map_or(0.0, |read| read.page.read_units);
                // Nobody takes it any more: the work has ended elsewhere.
                if sender.send(read).await.is_err() || is_broken || from.is_none() {
                    return;
                }
                pace.lock().await.took(units).await;
            }
        });
    }
    Ok(receiver)
}

/// How many items a page may have so that it takes no more than a second's units.
fn items_of_a_page(found: &Found, a_second: f64) -> u32 {
    let bytes = found.bytes.checked_div(found.items).unwrap_or(0).max(1) as f64;
    // An eventually consistent unit is for 8 KB.
    let items = (a_second * 8192.0 / bytes).clamp(1.0, 100_000.0);
    items as u32
}
