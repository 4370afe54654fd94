//! What to do now: a batch's changes to requests, and the store's answers to what comes next.
//!
//! A [`Batch`] is a state machine without I/O: [`Batch::next`] hands out requests that may be sent at once, and
//! [`Batch::answer`] takes what became of each. Work is divided into units (see [`unit`]), one for each document, or for
//! each group of events and documents that share transactions; a unit has one request in flight at a time, and its next
//! one is made only from a known answer. So a test can play every order of answers, and the DynamoDB side only carries
//! requests.

mod expression;
pub mod request;
mod unit;

pub use request::{Action, Answer, Cancellation, Put, Request, Update};

use crate::decode::envelope::Record;
use crate::decode::{self, envelope};
use crate::evaluate::{self, Change};
use crate::event::{Event, Lane};
use crate::mark::Mark;
use crate::matching;
use crate::program::{Guard, LaneCheck, Program, Projection, Reader, Rule};
use crate::report::{Outcome, Outcomes, Problem, Reason, Report};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use unit::{Application, Unit};

/// A batch that is being carried out.
#[derive(Debug)]
pub struct Batch<'p> {
    program: &'p Program,
    /// The sequence number of each record.
    sequences: Vec<String>,
    outcomes: Outcomes,
    units: Vec<Unit>,
    /// The units that may send a request, the last one first.
    ready: Vec<usize>,
    requests: usize,
}

/// Why an invocation is not a batch of this program. Nothing of it is applied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BatchError(pub String);

impl std::fmt::Display for BatchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BatchError {}

impl<'p> Batch<'p> {
    /// Decodes an invocation's payload, matches its events, evaluates the rules and groups the changes.
    ///
    /// `now` is the engine's clock as RFC 3339 text, for `$$.now`.
    ///
    /// # Errors
    ///
    /// When the payload is no stream event, or a record comes from a stream that no projection reads: a wiring mistake
    /// must not look like success.
    pub fn new(program: &'p Program, payload: &[u8], now: &str) -> Result<Batch<'p>, BatchError> {
        let records = envelope::records(payload).map_err(|error| BatchError(error.0))?;
        let mut streams = Vec::with_capacity(records.len());
        for (number, record) in records.iter().enumerate() {
            streams.push(program.stream(&record.stream).ok_or_else(|| unread_stream(program, number, record))?);
        }
        let mut outcomes = Outcomes::default();
        let mut grouping =
            Grouping { program, by_projection: HashMap::new(), seen: HashMap::new(), stopped: HashMap::new() };
        let now: Arc<str> = Arc::from(now);
        for (number, (record, stream)) in records.iter().zip(&streams).enumerate() {
            match decode::decode(record, number, *stream, program, &now) {
                Ok(event) => grouping.event(&event, &mut outcomes),
                Err(problem) => {
                    grouping.undecodable(*stream, record);
                    outcomes.note(number, None, Outcome::Rejected(problem));
                }
            }
        }
        let units = grouping.units(&mut outcomes);
        let ready = (0..units.len()).rev().collect();
        let sequences = records.iter().map(|record| record.sequence().to_owned()).collect();
        Ok(Batch { program, sequences, outcomes, units, ready, requests: 0 })
    }

    /// A request that may be sent now, with the number to answer it by. Nothing while all that is left waits for answers.
    #[allow(clippy::should_implement_trait, reason = "it is no iterator: answers bring new requests")]
    pub fn next(&mut self) -> Option<(usize, Request)> {
        while let Some(number) = self.ready.pop() {
            let unit = &mut self.units[number];
            let projection = &self.program.projections[unit.projection];
            if let Some(request) = unit.request(projection) {
                self.requests += 1;
                return Some((number, request));
            }
        }
        None
    }

    /// Takes the answer to the request with this number.
    pub fn answer(&mut self, number: usize, answer: Answer) {
        let Some(unit) = self.units.get_mut(number) else { return };
        let projection = &self.program.projections[unit.projection];
        let more = unit.answer(projection, answer, &mut self.outcomes);
        if more {
            self.ready.push(number);
        }
    }

    /// Ends the batch. What has not been answered for has failed, for the given reason.
    pub fn finish(mut self, unfinished: &str) -> Report {
        for unit in &mut self.units {
            unit.fail(unfinished, &mut self.outcomes);
        }
        let names = self.program.projections.iter().map(|projection| projection.name.as_str());
        self.outcomes.report(names, &self.sequences, self.requests)
    }
}

fn unread_stream(program: &Program, number: usize, record: &Record<'_>) -> BatchError {
    let known: Vec<String> = program.streams.iter().map(|stream| stream.identity.to_string()).collect();
    BatchError(format!(
        "record {number} comes from the {}, which no projection reads (they read: {}); \
         check the function's event source mapping and its projections",
        record.stream,
        known.join(", ")
    ))
}

/// Sorts the changes of a batch's events into units.
struct Grouping<'p> {
    program: &'p Program,
    by_projection: HashMap<usize, Vec<Application>>,
    /// The ids that each projection with an events table has seen in this batch.
    seen: HashMap<usize, HashSet<String>>,
    /// The lanes that wait behind an event that could not be applied, by projection (`on_error: fail`). No lane at all
    /// stands for every lane: that of the event could not be told.
    stopped: HashMap<usize, HashSet<Option<Lane>>>,
}

impl Grouping<'_> {
    /// A record that is no event holds up its lane like an event that cannot be applied.
    fn undecodable(&mut self, stream: usize, record: &Record<'_>) {
        let lane = decode::lane(record).ok();
        for reader in &self.program.streams[stream].readers {
            self.stop(reader.projection, lane.clone());
        }
    }

    fn stop(&mut self, projection: usize, lane: Option<Lane>) {
        if self.program.projections[projection].error_stops_lane {
            self.stopped.entry(projection).or_default().insert(lane);
        }
    }

    fn is_stopped(&self, projection: usize, lane: &Lane) -> bool {
        self.stopped.get(&projection).is_some_and(|lanes| lanes.contains(&None) || lanes.contains(&Some(lane.clone())))
    }

    fn event(&mut self, event: &Event, outcomes: &mut Outcomes) {
        let stream = &self.program.streams[event.stream];
        let matches = matching::matches(event, &stream.index, |(projection, rule)| {
            &self.program.projections[projection].rules[rule]
        });
        let mut failed: Vec<usize> = Vec::new();
        for (projection, problem) in matches.problems {
            failed.push(projection);
            self.stop(projection, Some(event.metadata.lane.clone()));
            outcomes.note(event.record, Some(projection), Outcome::Rejected(problem));
        }
        for reader in &stream.readers {
            if failed.contains(&reader.projection) {
                continue;
            }
            let projection = &self.program.projections[reader.projection];
            let rules: Vec<&Rule> = matches
                .rules
                .iter()
                .filter(|(owner, _)| *owner == reader.projection)
                .map(|(_, rule)| &projection.rules[*rule])
                .collect();
            if rules.is_empty() {
                continue;
            }
            if self.is_stopped(reader.projection, &event.metadata.lane) {
                let message =
                    "an earlier event of its lane could not be applied, and `on_error: fail` holds the lane up";
                outcomes.note(event.record, Some(reader.projection), Outcome::Failed(message.into()));
                continue;
            }
            match self.application(event, reader, projection, &rules) {
                Ok(Some(application)) => {
                    self.by_projection.entry(reader.projection).or_default().push(application);
                }
                Ok(None) => outcomes.note(event.record, Some(reader.projection), Outcome::Applied),
                Err(Skip::Repeated) => outcomes.note(event.record, Some(reader.projection), Outcome::Repeated),
                Err(Skip::Rejected(problem)) => {
                    self.stop(reader.projection, Some(event.metadata.lane.clone()));
                    outcomes.note(event.record, Some(reader.projection), Outcome::Rejected(problem));
                }
            }
        }
    }

    /// What an event does in a projection; nothing where it changes nothing.
    fn application(
        &mut self,
        event: &Event,
        reader: &Reader,
        projection: &Projection,
        rules: &[&Rule],
    ) -> Result<Option<Application>, Skip> {
        check_lane(event, reader)?;
        let changes: Vec<Change> = evaluate::changes(event, projection, rules)?;
        if changes.is_empty() {
            return Ok(None);
        }
        let mut application = Application { record: event.record, mark: None, id: None, changes };
        match &projection.guard {
            Guard::None => {}
            Guard::Document { order_by, .. } => {
                let identity = &self.program.streams[event.stream].identity;
                let mark = Mark::of(event, identity, order_by, |term| required(event, term))?;
                application.mark = Some(mark);
            }
            Guard::EventsTable { id, .. } => {
                let id = match required(event, id)? {
                    viewfold_value::Value::String(text) if !text.is_empty() => text,
                    viewfold_value::Value::Number(number) => number.to_string(),
                    other => {
                        let message = format!("the event's id is {other}; it has to be a text or a number");
                        return Err(Problem::new(Reason::WrongType, message).into());
                    }
                };
                if !self.seen.entry(reader.projection).or_default().insert(id.clone()) {
                    return Err(Skip::Repeated);
                }
                application.id = Some(id);
            }
        }
        Ok(Some(application))
    }

    fn units(self, outcomes: &mut Outcomes) -> Vec<Unit> {
        let mut by_projection: Vec<_> = self.by_projection.into_iter().collect();
        by_projection.sort_unstable_by_key(|(projection, _)| *projection);
        by_projection
            .into_iter()
            .flat_map(|(projection, applications)| {
                unit::divide(projection, &self.program.projections[projection].guard, applications, outcomes)
            })
            .collect()
    }
}

/// Why an event makes no request of its own.
enum Skip {
    Repeated,
    Rejected(Problem),
}

impl From<Problem> for Skip {
    fn from(problem: Problem) -> Skip {
        Skip::Rejected(problem)
    }
}

fn required(event: &Event, term: &crate::program::Term) -> Result<viewfold_value::Value, Problem> {
    evaluate::evaluate(event, term)?
        .ok_or_else(|| Problem::new(Reason::MissingValue, "the value that the guard needs is missing"))
}

/// Checks a record's lane against what the file says: an event in another lane has not the order that is relied on.
fn check_lane(event: &Event, reader: &Reader) -> Result<(), Problem> {
    let wrong = |message: String| Err(Problem::new(Reason::WrongLane, message));
    match (&reader.lane, &event.metadata.lane) {
        (Some(LaneCheck::PartitionKey(term)), Lane::PartitionKey(key)) => {
            let expected = match required(event, term)? {
                viewfold_value::Value::String(text) => text,
                viewfold_value::Value::Number(number) => number.to_string(),
                other => return wrong(format!("the lane is {other}, which is no partition key")),
            };
            if expected != *key {
                return wrong(format!("the partition key is `{key}`, and by `lane` it has to be `{expected}`"));
            }
        }
        (Some(LaneCheck::Keys(keys)), Lane::Item(item)) => {
            let fits = item.len() == keys.len()
                && keys.iter().all(|key| {
                    item.get(&key.name).is_some_and(|value| value.kind() == crate::program::key_kind(key.kind))
                });
            if !fits {
                let names: Vec<String> =
                    keys.iter().map(|key| format!("{} ({})", key.name, crate::program::key_kind(key.kind))).collect();
                let found = viewfold_value::Value::Map(item.clone());
                return wrong(format!("the item's key is {found}, and by `keys` it has to be {}", names.join(", ")));
            }
        }
        _ => {}
    }
    Ok(())
}
