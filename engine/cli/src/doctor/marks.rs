//! The marks of one projection: which attributes hold them, and whether one is of the stream that it is for.

use viewfold_core::mark::identity;
use viewfold_core::program::{Guard, OrderBy, Program, Projection, Source};
use viewfold_value::{Item, Value};

/// Every attribute that a projection of this name may ever have kept something in: under its guard, or under another one.
pub(super) fn own_attributes(projection: &Projection) -> Vec<String> {
    let name = &projection.name;
    let mut own = vec![format!("_vf_{name}")];
    own.extend(projection.sources.iter().filter_map(|source| Some(format!("_vf_{name}_{}", source.name.as_ref()?))));
    own.extend([
        projection.deleted_attribute(),
        projection.redriven_attribute(),
        projection.by_attribute(),
        projection.version_attribute(),
    ]);
    own.extend(projection.bookkeeping_attributes().into_iter().map(|(attribute, _)| attribute));
    own
}

/// The attributes of a document that hold a projection's marks; none where its guards keep them elsewhere.
pub(super) fn mark_attributes(projection: &Projection) -> Vec<&str> {
    let marks = projection.sources.iter().filter_map(|source| match &source.guard {
        Guard::Document { attribute, .. } => Some(attribute.as_str()),
        _ => None,
    });
    marks.collect()
}

/// What is wrong with what a document has where a source keeps its mark; nothing where it has none, or it is as it has to be.
pub(super) fn wrong_mark(program: &Program, source: &Source, item: &Item) -> Option<String> {
    let Guard::Document { attribute, by_shard, order_by } = &source.guard else { return None };
    match (item.get(attribute)?, by_shard) {
        (Value::String(mark), false) => wrong_stream(program, source, order_by, mark),
        (Value::Map(marks), true) => marks.values().find_map(|mark| match mark {
            Value::String(mark) => wrong_stream(program, source, order_by, mark),
            other => Some(format!("a {} where the mark of a shard has to be", other.kind())),
        }),
        (Value::Map(_), false) => Some("the marks of shards, from `last_event_id: shard`".to_owned()),
        (Value::String(_), true) => Some("one mark, from `last_event_id`, and none for each shard".to_owned()),
        (other, _) => Some(format!("a {}, which is no mark", other.kind())),
    }
}

/// Whether a mark is of another stream than the source's, or ordered by something else.
pub(super) fn wrong_stream(program: &Program, source: &Source, order_by: &OrderBy, mark: &str) -> Option<String> {
    let looks_numbered = mark.starts_with("kinesis/") || mark.starts_with("dynamodb/");
    match order_by {
        OrderBy::Payload(_) => looks_numbered.then(|| format!("`{mark}`, a mark from before `order_by`")),
        OrderBy::Sequence => {
            let own = identity(&program.streams[source.stream].identity);
            let what = if looks_numbered { "of another stream" } else { "of an `order_by` that is no more" };
            (!mark.starts_with(&own))
                .then(|| format!("`{mark}`, a mark {what}; those of its source begin with `{own}`"))
        }
    }
}
