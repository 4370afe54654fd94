//! What sources demand of every event of their stream, whether a rule of theirs matches it or not: its lane, and what its
//! payload is like.
//!
//! A thousand projections that read one stream mostly demand the same of it, so a stream keeps each demand once, and an event is
//! held against it once.

use crate::evaluate::{Scope, evaluate};
use crate::event::{Event, Lane};
use crate::program::{LaneCheck, Projection, SchemaCheck, Source, StreamIdentity, Term, key_kind};
use crate::report::{Problem, Reason};
use std::sync::Arc;
use viewfold_spec::projection::KeyAttribute;
use viewfold_value::Value;

/// A demand, and the sources that have it.
#[derive(Debug)]
pub struct Demand {
    /// One of them, which stands for all: the projection's number, and that of the source in it.
    example: (usize, usize),
    /// All of them, as numbers of the stream's `readers`.
    pub(crate) readers: Vec<usize>,
}

impl Demand {
    /// What the sources that read a stream demand, each demand once.
    pub(crate) fn of_stream(readers: &[(usize, usize)], projections: &[Projection]) -> Vec<Demand> {
        let source = |(projection, source): (usize, usize)| &projections[projection].sources[source];
        let mut demands: Vec<Demand> = Vec::new();
        for (number, reader) in readers.iter().enumerate() {
            let own = source(*reader);
            if own.lane.is_none() && own.schema.is_none() {
                continue;
            }
            match demands.iter_mut().find(|demand| own.demands_as(source(demand.example))) {
                Some(demand) => demand.readers.push(number),
                None => demands.push(Demand { example: *reader, readers: vec![number] }),
            }
        }
        demands
    }

    /// Whether an event that no rule matches is as it has to be.
    pub(crate) fn is_met(&self, event: &Event, stream: &StreamIdentity, projections: &[Projection]) -> bool {
        let source = &projections[self.example.0].sources[self.example.1];
        let fits = source.schema.as_ref().is_none_or(|schema| schema.check(event).is_ok());
        fits && check_lane(event, source, stream, true).is_ok()
    }
}

impl Source {
    /// Whether an event is as this source demands just when it is as the other one does.
    fn demands_as(&self, other: &Source) -> bool {
        let same_schema = match (&self.schema, &other.schema) {
            (Some(own), Some(other)) => own.is(other),
            (None, None) => true,
            _ => false,
        };
        same_schema && self.lane == other.lane
    }
}

impl SchemaCheck {
    /// Whether it is the same one. (What is written in a file is compiled once, however many projections name it.)
    fn is(&self, other: &SchemaCheck) -> bool {
        Arc::ptr_eq(&self.schema, &other.schema) && self.slots == other.slots
    }
}

fn required(event: &Event, term: &Term) -> Result<Value, Problem> {
    evaluate(term, &Scope { event: Some(event), ..Scope::default() })?
        .ok_or_else(|| Problem::new(Reason::MissingValue, "the value that the guard needs is missing"))
}

/// Checks a record's lane against what the file says: an event in another lane has not the order that is relied on.
/// Events that no rule matches need not have what the lane is made of.
///
/// # Errors
///
/// What the lane is, and what it has to be.
pub(crate) fn check_lane(
    event: &Event,
    source: &Source,
    stream: &StreamIdentity,
    unmatched: bool,
) -> Result<(), Problem> {
    let word = if stream.is_queue() { "message group" } else { "partition key" };
    let wrong = |message: String| Err(Problem::new(Reason::WrongLane, message));
    match (&source.lane, &event.metadata.lane) {
        (Some(LaneCheck::PartitionKey(term)), Lane::PartitionKey(key)) => {
            // What nearly every event has is compared where it stands.
            if let Term::Event { subject, .. } = term
                && let Ok(Some(value)) = event.value(*subject)
                && value.as_str() == Some(key)
            {
                return Ok(());
            }
            let expected = match required(event, term) {
                Ok(Value::String(text)) => text,
                Ok(Value::Number(number)) => number.to_string(),
                Err(_) if unmatched => return Ok(()),
                Err(problem) => return Err(problem),
                Ok(other) => return wrong(format!("the lane is {other}, which is no {word}")),
            };
            if expected != **key {
                return wrong(format!("the {word} is `{key}`, and by `lane` it has to be `{expected}`"));
            }
        }
        (Some(LaneCheck::Keys(keys)), Lane::Item(item)) => {
            let key = item.key();
            let has = |wanted: &KeyAttribute| {
                key.iter().any(|(name, value)| *name == wanted.name && value.kind() == key_kind(wanted.kind))
            };
            let fits = key.len() == keys.len() && keys.iter().all(has);
            if !fits {
                let names: Vec<String> =
                    keys.iter().map(|key| format!("{} ({})", key.name, key_kind(key.kind))).collect();
                let found = item.text();
                return wrong(format!("the item's key is {found}, and by `keys` it has to be {}", names.join(", ")));
            }
        }
        _ => {}
    }
    Ok(())
}
