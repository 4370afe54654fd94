//! A view beside that of another version.

use super::compare::by_keys;
use super::plain::compared;
use crate::backfilling::read::{Segments, read};
use crate::output::Failure;
use crate::store::Connection;
use std::collections::BTreeMap;
use viewfold_core::program::{Program, Projection};
use viewfold_dynamodb::inspect::Found;
use viewfold_dynamodb::scan::{Segment, page};
use viewfold_value::Item;

/// How the documents of two versions stand to each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) same: u64,
    pub(crate) different: u64,
    pub(crate) only_old: u64,
    pub(crate) only_new: u64,
}

impl Tally {
    /// In words, without a full stop.
    pub(crate) fn in_words(&self) -> String {
        let Tally { same, different, only_old, only_new } = self;
        format!(
            "{same} documents are the same, {different} differ, {only_old} are in the old one alone, {only_new} in the new one alone"
        )
    }
}

/// Compares the documents of a projection with those in the table of another version. Both go on changing meanwhile: it tells what
/// the change of the rules does, and proves nothing.
pub(crate) async fn beside(
    program: &Program,
    projection: &Projection,
    connection: &Connection,
    (old, found): (&str, &Found),
    read_units: Option<f64>,
) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    let name = &*projection.table.name;
    let views = compared(program);
    let view = views.iter().find(|view| view.has_documents() && *view.table.name == *name);
    let view = view.ok_or_else(|| Failure::new(format!("there is no view {name}")))?;
    let segments = Segments { numbers: 0..4, of: 4 };
    let mut pages = read(&connection.store, old, found, &segments, &BTreeMap::new(), read_units)?;
    while let Some(page) = pages.recv().await {
        // What marks are called is each version's own matter.
        for items in page?.page.items.chunks(100) {
            let keys: Vec<Item> = items.iter().map(|item| view.key(item)).collect();
            let new = by_keys(&connection.store, name, &keys).await?;
            for (old, new) in items.iter().zip(new) {
                match (view.plain(old), new.and_then(|new| view.plain(&new))) {
                    (None, _) => {}
                    (Some(_), None) => tally.only_old += 1,
                    (Some(old), Some(new)) if old == new => tally.same += 1,
                    (Some(_), Some(_)) => tally.different += 1,
                }
            }
        }
    }
    let mut in_new = 0;
    let mut from = None;
    loop {
        let all = Segment { number: 0, of: 1 };
        let page = page(connection.store.client(), name, all, from.as_ref(), None).await;
        let page = page.map_err(|why| Failure::new(format!("the table {name} cannot be read: {why}")))?;
        in_new += page.items.iter().filter(|item| view.plain(item).is_some()).count() as u64;
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    tally.only_new = in_new.saturating_sub(tally.same + tally.different);
    Ok(tally)
}
