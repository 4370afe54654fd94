//! The live view beside what it has to be, page by page.

use super::plain::Compared;
use crate::backfilling::read::{Segments, read};
use crate::output::Failure;
use crate::progress::Progress;
use crate::store::Connection;
use std::collections::BTreeMap;
use viewfold_core::plan::{Answer, ItemKey, Request};
use viewfold_dynamodb::Store;
use viewfold_dynamodb::inspect;
use viewfold_dynamodb::scan::{Segment, page};
use viewfold_value::Item;

/// The most items that are read at once, by one key each.
const MAX_READ: usize = 100;

/// The most differences that are looked into: beyond, a view is not repaired but made anew.
pub(crate) const MAX_DIFFERENCES: usize = 100_000;

/// An item that is not as it has to be.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Difference {
    /// The number of its table among those that are compared.
    pub(crate) table: usize,
    pub(crate) key: Item,
    /// As it has to be, whole; none where there is to be none.
    pub(crate) expected: Option<Item>,
    /// As it is, whole; none where there is none.
    pub(crate) found: Option<Item>,
}

/// What a comparison came to.
#[derive(Default)]
pub(crate) struct Comparison {
    /// How many items the view has.
    pub(crate) items: u64,
    /// The read units that it took.
    pub(crate) read_units: f64,
    pub(crate) differences: Vec<Difference>,
}

impl Difference {
    /// The difference between two items of a key; none where they count as the same.
    fn of(
        number: usize,
        table: &Compared,
        key: Item,
        expected: Option<Item>,
        found: Option<Item>,
    ) -> Option<Difference> {
        let (as_told, as_is) = table.both(expected.as_ref(), found.as_ref());
        (as_told != as_is).then_some(Difference { table: number, key, expected, found })
    }
}

/// Compares all items of all tables. Those of the private store are used up.
pub(crate) async fn all(
    tables: &[Compared],
    live: &Connection,
    private: &Connection,
    read_units: Option<f64>,
) -> Result<Comparison, Failure> {
    let mut comparison = Comparison::default();
    for (number, table) in tables.iter().enumerate() {
        let name = &*table.table.name;
        let found = inspect::table(live.store.client(), name).await;
        let found = found.map_err(|why| Failure::new(format!("the table {name} cannot be looked at: {why}")))?;
        let found =
            found.ok_or_else(|| Failure::new(format!("there is no table {name}: nothing has been deployed here")))?;
        let segments = Segments { numbers: 0..4, of: 4 };
        let progress = Progress::new(usize::try_from(found.items).unwrap_or(usize::MAX), "items compared");
        let mut pages = read(&live.store, name, &found, &segments, &BTreeMap::new(), read_units)?;
        while let Some(page) = pages.recv().await {
            let page = page?.page;
            comparison.read_units += page.read_units;
            progress.advance(page.items.len());
            for items in page.items.chunks(MAX_READ) {
                let keys: Vec<Item> = items.iter().map(|item| table.key(item)).collect();
                let expected = by_keys(&private.store, name, &keys).await?;
                let seen: Vec<&Item> =
                    keys.iter().zip(&expected).filter(|(_, item)| item.is_some()).map(|(key, _)| key).collect();
                viewfold_dynamodb::tables::delete_items(private.store.client(), name, &seen)
                    .await
                    .map_err(Failure::new)?;
                for ((item, key), expected) in items.iter().zip(keys).zip(expected) {
                    comparison.items += u64::from(table.plain(item).is_some() && table.has_documents());
                    comparison.add(Difference::of(number, table, key, expected, Some(item.clone())))?;
                }
            }
        }
        // What is left has not been found.
        let mut from = None;
        loop {
            let whole = Segment { number: 0, of: 1 };
            let left = page(private.store.client(), name, whole, from.as_ref(), None).await;
            let left = left.map_err(|why| Failure::new(format!("what was expected cannot be read: {why}")))?;
            for item in left.items {
                comparison.add(Difference::of(number, table, table.key(&item), Some(item), None))?;
            }
            from = left.next;
            if from.is_none() {
                break;
            }
        }
    }
    Ok(comparison)
}

/// Compares those items again that differed.
pub(crate) async fn again(
    tables: &[Compared],
    differed: &[Difference],
    live: &Connection,
    private: &Connection,
) -> Result<Vec<Difference>, Failure> {
    let mut differences = Vec::new();
    for (number, table) in tables.iter().enumerate() {
        let keys: Vec<Item> = differed.iter().filter(|one| one.table == number).map(|one| one.key.clone()).collect();
        for keys in keys.chunks(MAX_READ) {
            let expected = by_keys(&private.store, &table.table.name, keys).await?;
            let found = by_keys(&live.store, &table.table.name, keys).await?;
            let pairs = keys.iter().cloned().zip(expected).zip(found);
            differences.extend(
                pairs.filter_map(|((key, expected), found)| Difference::of(number, table, key, expected, found)),
            );
        }
    }
    Ok(differences)
}

impl Comparison {
    fn add(&mut self, difference: Option<Difference>) -> Result<(), Failure> {
        self.differences.extend(difference);
        if self.differences.len() > MAX_DIFFERENCES {
            return Err(Failure::new(format!(
                "more than {MAX_DIFFERENCES} items are not as they have to be: this is not the view of that source, or most of it is \
                 missing; fill it with `viewfold backfill`, or make it anew with `viewfold rebuild`"
            )));
        }
        Ok(())
    }
}

/// Items of a table by their keys.
pub(crate) async fn by_keys(store: &Store, table: &str, keys: &[Item]) -> Result<Vec<Option<Item>>, Failure> {
    let keys = keys.iter().map(|key| ItemKey { table: table.into(), key: key.clone() }).collect();
    match store.send(&Request::Read(keys)).await {
        Answer::Items(items) => Ok(items),
        Answer::Failed(why) => Err(Failure::new(format!("{table} cannot be read: {why}"))),
        answer => Err(Failure::new(format!("{table} cannot be read: the store answered with {}", answer.kind()))),
    }
}
