//! The way of a batch, stage by stage, to measure what each takes.
//!
//! [`plan::Batch`](crate::plan::Batch) takes one event after the other through these, and knows of lanes, guards and dead
//! letters besides. Here a stage is done with all events before the next one begins, and nothing comes of it: it is for clocks
//! and counters alone. What a batch takes beyond all of them together is its planning.

use crate::decode::envelope::{self, EnvelopeError, Record};
use crate::decode::{Decoded, Decoder};
use crate::evaluate::{self, Change, DocumentKey, Operation, Operations, deferred_operations};
use crate::event::Event;
use crate::fold::{Effects, State};
use crate::matching::Candidates;
use crate::program::Program;
use std::collections::HashMap;
use std::sync::Arc;

/// A record, and the number of the stream that it comes from.
#[derive(Debug)]
pub struct Read<'i> {
    record: Record<'i>,
    stream: usize,
}

/// The rules of a projection that match an event.
#[derive(Debug)]
pub struct Matched<'e> {
    event: &'e Event,
    projection: usize,
    rules: Vec<usize>,
}

/// What an event does in a projection.
#[derive(Debug)]
pub struct Evaluated<'e> {
    event: &'e Event,
    projection: usize,
    changes: Vec<Change>,
}

/// A document while events are folded onto it.
#[derive(Debug)]
enum Folding {
    /// Whatever it holds.
    Blind(Effects),
    /// As a new one.
    Known(Box<State>),
}

/// Takes a payload apart into records; those of streams that no projection reads are left out.
///
/// # Errors
///
/// As [`envelope::records`].
pub fn envelope<'i>(program: &Program, payload: &'i [u8]) -> Result<Vec<Read<'i>>, EnvelopeError> {
    let records = envelope::records(payload)?.into_iter();
    let read = records.filter_map(|record| Some(Read { stream: program.stream(&record.origin.stream)?, record }));
    Ok(read.collect())
}

/// Decodes records; what is no event is left out.
pub fn decode(program: &Program, records: &[Read<'_>], now: &Arc<str>) -> Vec<Event> {
    let mut decoder = Decoder::new(program, now);
    let mut events = Vec::new();
    for (number, read) in records.iter().enumerate() {
        decoder.record(&read.record, number, read.stream, |Decoded { event, .. }| events.extend(event));
    }
    events
}

/// Finds the rules that match, and checks payloads against their sources' schemas; where that cannot be told, none match.
pub fn matching<'e>(program: &Program, events: &'e [Event]) -> Vec<Matched<'e>> {
    let mut all = Vec::new();
    for event in events {
        let candidates = Candidates::of(event, program);
        let stream = &program.streams[event.stream];
        for number in candidates.readers() {
            let (projection, source) = &stream.readers[*number];
            let reader = &program.projections[*projection];
            let schema = reader.sources[*source].schema.as_ref();
            if schema.is_some_and(|schema| schema.check(event).is_err()) {
                continue;
            }
            let rules = candidates.matching(event, *projection, reader).unwrap_or_default();
            if !rules.is_empty() {
                all.push(Matched { event, projection: *projection, rules });
            }
        }
    }
    all
}

/// Evaluates rules: keys, amounts, values. What an item contributes under `retract: true` is taken for what it adds; an event
/// that cannot be evaluated does nothing.
pub fn evaluate<'e>(program: &Program, matched: &[Matched<'e>]) -> Vec<Evaluated<'e>> {
    let evaluated = matched.iter().filter_map(|Matched { event, projection, rules }| {
        let reader = &program.projections[*projection];
        let mut changes = evaluate::changes(event, reader, rules).ok()?;
        if rules.iter().any(|rule| reader.rules[*rule].retract) {
            for (document, sums) in evaluate::contribution(event, reader, rules).ok()? {
                let by_path = sums.into_iter().map(|(path, amount)| (path, Operation::Add(amount))).collect();
                changes.push(Change {
                    document,
                    operations: Operations { by_path, delete: false },
                    deferred: Vec::new(),
                });
            }
        }
        Some(Evaluated { event, projection: *projection, changes })
    });
    evaluated.collect()
}

/// Folds what events do, document by document: into effects where the projection never reads its documents, else onto a
/// document that is new. How many documents there are.
pub fn fold(program: &Program, evaluated: &[Evaluated<'_>]) -> usize {
    let mut documents: HashMap<(usize, &DocumentKey), Folding> = HashMap::new();
    for Evaluated { event, projection: number, changes } in evaluated {
        let projection = &program.projections[*number];
        for change in changes {
            let folding = documents.entry((*number, &change.document)).or_insert_with(|| {
                match projection.always_reads() || !change.deferred.is_empty() {
                    true => Folding::Known(Box::new(State::new(None, projection))),
                    false => Folding::Blind(Effects::default()),
                }
            });
            if let Folding::Blind(effects) = folding {
                match effects.with(&change.operations).filter(|_| change.deferred.is_empty()) {
                    Some(merged) => {
                        effects.become_merged(merged);
                        continue;
                    }
                    None => *folding = Folding::Known(Box::new(State::new(None, projection))),
                }
            }
            let Folding::Known(state) = folding else { continue };
            if let Ok(operations) = deferred_operations(change, Some(event), projection, state.document()) {
                // What cannot be folded is a dead letter; that is the planning's to say.
                let _ = state.fold(&operations, &change.document.item(projection), projection);
            }
        }
    }
    documents.len()
}
