//! The tables that a program needs.

use crate::bookkeeping;
use crate::dead_letter;
use crate::program::{Guard, Program, StreamIdentity, Table};
use std::collections::BTreeMap;
use std::sync::Arc;
use viewfold_spec::projection::{KeyAttribute, KeyType};

/// What a table is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Purpose {
    /// Documents of projections.
    Documents,
    /// Marks of lanes, for `last_event_id: lane`.
    Marks,
    /// Events, for `events_table` guards.
    Events,
    /// Events that cannot be applied.
    DeadLetters,
}

/// A table that a program needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Needed {
    /// What it is for.
    pub purpose: Purpose,
    /// Its name and keys.
    pub table: Table,
    /// Whether other projections read its stream: views over views need both images.
    pub stream: bool,
}

/// Every table that the program writes to, by name, each once.
pub fn required(program: &Program) -> Vec<Needed> {
    let mut tables: BTreeMap<Arc<str>, Needed> = BTreeMap::new();
    let mut need = |purpose, table: Table, stream| {
        let ttl = table.ttl.clone();
        let needed = tables.entry(Arc::clone(&table.name)).or_insert(Needed { purpose, table, stream });
        needed.table.ttl = needed.table.ttl.take().or(ttl);
    };
    for projection in &program.projections {
        let read = StreamIdentity::Dynamodb(projection.table.name.to_string());
        let mut table = projection.table.clone();
        if table.ttl.is_none() && projection.leaves_rows() && !projection.shared {
            table.ttl = Some(projection.ttl_attribute().to_owned());
        }
        // Projections that share a table know all of its indexes.
        need(Purpose::Documents, table, program.stream(&read).is_some());
    }
    for source in program.projections.iter().flat_map(|projection| &projection.sources) {
        match &source.guard {
            Guard::Lane { table, .. } => need(Purpose::Marks, bookkeeping_table(table), false),
            Guard::EventsTable { table, keep_seconds, .. } => {
                let ttl = keep_seconds.map(|_| bookkeeping::EXPIRES.to_owned());
                need(Purpose::Events, Table { ttl, ..bookkeeping_table(table) }, false);
            }
            Guard::None | Guard::Document { .. } => {}
        }
    }
    if let Some(table) = &program.dead_letters {
        let ttl = Some(dead_letter::EXPIRES.to_owned());
        need(Purpose::DeadLetters, Table { ttl, ..bookkeeping_table(table) }, false);
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
        ttl: None,
    }
}
