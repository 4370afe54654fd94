//! What requests cost: request units, and dollars for a million of them.
//!
//! The rules are those of [read and write operations] and of [on-demand capacity]: a write takes a unit for each kilobyte of
//! the item, the larger one of before and after, also when its condition fails; in a transaction two. A consistent read takes a
//! unit for each 4 KB. An index of a table takes units of its own where its items change. Sizes are [item sizes], which AWS
//! itself gives about for numbers.
//!
//! [read and write operations]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
//! [on-demand capacity]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html
//! [item sizes]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html

use viewfold_core::program::{Table, TableIndex};
use viewfold_value::Item;

/// The bytes of an item that one write unit is for.
const WRITE_UNIT_BYTES: usize = 1024;

/// The bytes of items that one unit of a consistent read is for.
const READ_UNIT_BYTES: usize = 4096;

/// What AWS asks for in a region.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Prices {
    /// The region.
    pub region: &'static str,
    /// When the prices were looked up, year and month.
    pub as_of: &'static str,
    /// Dollars for a million write request units of a standard table, on demand.
    pub million_writes: f64,
    /// Dollars for a million read request units of a standard table, on demand.
    pub million_reads: f64,
}

/// The prices that costs are told in: DynamoDB on demand, table class Standard, without the free tier
/// (<https://aws.amazon.com/dynamodb/pricing/on-demand/>).
pub const PRICES: Prices =
    Prices { region: "us-east-1", as_of: "2025-07", million_writes: 0.625, million_reads: 0.125 };

/// What requests take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cost {
    /// How many requests.
    pub requests: u64,
    /// Write request units.
    pub writes: u64,
    /// Read request units.
    pub reads: u64,
}

impl Cost {
    /// What it costs in dollars.
    pub fn dollars(&self) -> f64 {
        self.dollars_at(PRICES.million_writes, PRICES.million_reads)
    }

    /// What it costs in dollars, given those for a million units of each kind.
    pub fn dollars_at(&self, million_writes: f64, million_reads: f64) -> f64 {
        let millions = |units: u64| units as f64 / 1e6;
        millions(self.writes) * million_writes + millions(self.reads) * million_reads
    }

    /// What a million events take, given that so many took this.
    pub fn for_a_million(&self, events: u64) -> Cost {
        let scaled = |count: u64| (count * 1_000_000).checked_div(events).unwrap_or(0);
        Cost { requests: scaled(self.requests), writes: scaled(self.writes), reads: scaled(self.reads) }
    }
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, more: Cost) {
        self.requests += more.requests;
        self.writes += more.writes;
        self.reads += more.reads;
    }
}

/// The size of an item in bytes, about.
pub fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.size()).sum()
}

/// The units of a write, its indexes' included, given the item before and after it. A condition that is checked without a
/// write takes as many.
pub fn write_units(before: Option<&Item>, after: Option<&Item>, table: Option<&Table>, in_transaction: bool) -> u64 {
    let units = units(larger(before, after), WRITE_UNIT_BYTES) * if in_transaction { 2 } else { 1 };
    let indexes = table.iter().flat_map(|table| &table.indexes);
    units + indexes.map(|index| index_units(before, after, index)).sum::<u64>()
}

/// The units of a consistent read of items one by one.
pub fn read_units<'i>(items: impl IntoIterator<Item = Option<&'i Item>>) -> u64 {
    items.into_iter().map(|item| units(item.map_or(0, size), READ_UNIT_BYTES)).sum()
}

/// The units of a consistent query: its items count together.
pub fn query_units<'i>(rows: impl IntoIterator<Item = &'i Item>) -> u64 {
    units(rows.into_iter().map(size).sum(), READ_UNIT_BYTES)
}

fn larger(before: Option<&Item>, after: Option<&Item>) -> usize {
    before.map_or(0, size).max(after.map_or(0, size))
}

fn units(bytes: usize, of: usize) -> u64 {
    bytes.div_ceil(of).max(1) as u64
}

/// An index that has all attributes: it takes a write where an item comes, goes or changes in it, and two where the item's
/// key in the index changes.
fn index_units(before: Option<&Item>, after: Option<&Item>, index: &TableIndex) -> u64 {
    let key = |item: Option<&Item>| {
        let names = std::iter::once(&index.partition_key).chain(&index.sort_key);
        names.map(|key| item?.get(&key.name).cloned()).collect::<Option<Vec<_>>>()
    };
    match (key(before), key(after)) {
        (None, None) => 0,
        (Some(_), None) => units(larger(before, None), WRITE_UNIT_BYTES),
        (None, Some(_)) => units(larger(None, after), WRITE_UNIT_BYTES),
        (Some(old), Some(new)) if old != new => {
            units(larger(before, None), WRITE_UNIT_BYTES) + units(larger(None, after), WRITE_UNIT_BYTES)
        }
        (Some(_), Some(_)) if before == after => 0,
        (Some(_), Some(_)) => units(larger(before, after), WRITE_UNIT_BYTES),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use viewfold_spec::projection::{KeyAttribute, KeyType};
    use viewfold_value::Value;

    fn item(attributes: &[(&str, &str)]) -> Item {
        attributes.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()
    }

    #[test]
    fn a_write_takes_a_unit_for_each_kilobyte_of_the_larger_item() {
        let (small, exact) = (item(&[("id", "1")]), item(&[("id", &"x".repeat(1022))]));
        let over = item(&[("id", &"x".repeat(1023))]);
        assert_eq!(write_units(None, Some(&small), None, false), 1);
        assert_eq!(write_units(None, Some(&exact), None, false), 1);
        assert_eq!(write_units(Some(&over), Some(&small), None, false), 2);
        assert_eq!(write_units(Some(&over), None, None, true), 4);
        assert_eq!(write_units(None, None, None, true), 2);
    }

    #[test]
    fn a_consistent_read_takes_a_unit_for_each_four_kilobytes() {
        let large = item(&[("id", &"x".repeat(5000))]);
        assert_eq!(read_units([None, Some(&large)]), 3);
        assert_eq!(query_units([]), 1);
        assert_eq!(query_units([&large, &large]), 3);
    }

    #[test]
    fn an_index_takes_units_where_its_items_change() {
        let key = |name: &str| KeyAttribute { name: name.to_owned(), kind: KeyType::String };
        let index = TableIndex { name: "ByPlan".into(), partition_key: key("plan"), sort_key: None };
        let table = Table {
            name: Arc::from("Docs"),
            partition_key: key("id"),
            sort_key: None,
            indexes: vec![index],
            ttl: None,
        };
        let (without, free, paid) =
            (item(&[("id", "1")]), item(&[("id", "1"), ("plan", "free")]), item(&[("id", "1"), ("plan", "paid")]));
        for (before, after, units) in [
            (None, Some(&without), 1),
            (None, Some(&free), 2),
            (Some(&free), Some(&free), 1),
            (Some(&free), Some(&paid), 3),
            (Some(&paid), Some(&without), 2),
        ] {
            assert_eq!(write_units(before, after, Some(&table), false), units, "{before:?} {after:?}");
        }
    }

    #[test]
    fn a_million_events_cost_what_the_table_of_prices_says() {
        let cost = Cost { requests: 3, writes: 4, reads: 2 }.for_a_million(2);
        assert_eq!(cost, Cost { requests: 1_500_000, writes: 2_000_000, reads: 1_000_000 });
        assert!((cost.dollars() - (2.0 * 0.625 + 0.125)).abs() < 1e-9);
        assert_eq!(Cost::default().for_a_million(0), Cost::default());
    }
}
