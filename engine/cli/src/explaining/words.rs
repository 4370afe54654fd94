//! Guards and operations in words.

use viewfold_core::evaluate::Operations;
use viewfold_core::program::{Guard, MetadataName, OrderBy, Source};

/// A guard as it is written, for people.
pub(super) fn guard_name(source: &Source) -> String {
    let by = |order: &OrderBy| match order {
        OrderBy::Sequence => String::new(),
        OrderBy::Payload(term) => format!(", order_by: {}", term.shown()),
    };
    match &source.guard {
        Guard::None => "none".to_owned(),
        Guard::Document { by_shard: false, order_by, .. } => format!("last_event_id: document{}", by(order_by)),
        Guard::Document { by_shard: true, order_by, .. } => format!("last_event_id: shard{}", by(order_by)),
        Guard::Lane { order_by, .. } => format!("last_event_id: lane{}", by(order_by)),
        Guard::EventsTable { table, id, order_by, .. } => {
            let id = match id.shown() {
                words if words.starts_with("the ") => "'${ … }'".to_owned(),
                path => path,
            };
            let id =
                if id == format!("$$.{}", MetadataName::Id.text()) { String::new() } else { format!(", id: {id}") };
            let order = order_by.as_ref().map(|term| format!(", order_by: {}", term.shown())).unwrap_or_default();
            format!("events_table: {table}{id}{order}")
        }
    }
}

/// What happens to a document, in words for each attribute.
pub(super) fn in_words(operations: &Operations) -> Vec<String> {
    let mut words: Vec<String> = operations.by_path.iter().map(|(path, operation)| operation.in_words(path)).collect();
    if operations.delete {
        words.push("delete".to_owned());
    }
    words
}
