//! The tables that a program needs.

use crate::bookkeeping;
use crate::program::{Guard, Program, Table};
use std::collections::BTreeMap;
use std::sync::Arc;
use viewfold_spec::projection::{KeyAttribute, KeyType};

/// What a table is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Purpose {
    /// Documents of projections.
    Documents,
    /// Ids of events, for `events_table` guards.
    Events,
}

/// Every table that the program writes to, by name, each once.
pub fn required(program: &Program) -> Vec<(Purpose, Table)> {
    let mut tables: BTreeMap<Arc<str>, (Purpose, Table)> = BTreeMap::new();
    for projection in &program.projections {
        // Projections that share a table know all of its indexes.
        let table = &projection.table;
        tables.entry(Arc::clone(&table.name)).or_insert_with(|| (Purpose::Documents, table.clone()));
        if let Guard::EventsTable { table, .. } = &projection.guard {
            tables.entry(Arc::clone(table)).or_insert_with(|| (Purpose::Events, bookkeeping_table(table)));
        }
    }
    tables.into_values().collect()
}

fn bookkeeping_table(name: &Arc<str>) -> Table {
    let key = |name: &str| KeyAttribute { name: name.to_owned(), kind: KeyType::String };
    Table {
        name: Arc::clone(name),
        partition_key: key(bookkeeping::PARTITION_KEY),
        sort_key: Some(key(bookkeeping::SORT_KEY)),
        indexes: Vec::new(),
    }
}
