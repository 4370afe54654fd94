//! What to do now: a batch's changes to requests, and the store's answers to what comes next.
//!
//! A [`Batch`] is a state machine without I/O: [`Batch::next`] hands out requests that may be sent at once, and
//! [`Batch::answer`] takes what became of each. Work is divided into units (see [`unit`]), one for each document, or for
//! each group of events and documents that share transactions; a unit has one request in flight at a time, and its next
//! one is made only from a known answer. So a test can play every order of answers, and the DynamoDB side only carries
//! requests.

mod expression;
mod grouping;
pub mod request;
mod unit;

pub use request::{Action, Answer, Cancellation, Delete, ItemKey, Put, Request, Update};

use crate::decode::envelope::{self, Record};
use crate::program::Program;
use crate::report::{Outcomes, Report};
use grouping::Grouping;
use std::sync::Arc;
use unit::{Context, Unit};

/// A batch that is being carried out.
#[derive(Debug)]
pub struct Batch<'p> {
    program: &'p Program,
    /// The records as Lambda gave them.
    records: Vec<&'p [u8]>,
    /// The sequence number of each record.
    sequences: Vec<String>,
    now: Arc<str>,
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
    pub fn new(program: &'p Program, payload: &'p [u8], now: &str) -> Result<Batch<'p>, BatchError> {
        let records = envelope::records(payload).map_err(|error| BatchError(error.0))?;
        let mut streams = Vec::with_capacity(records.len());
        for (number, record) in records.iter().enumerate() {
            streams.push(program.stream(&record.stream).ok_or_else(|| unread_stream(program, number, record))?);
        }
        let mut batch = Batch {
            program,
            records: records.iter().map(|record| record.text).collect(),
            sequences: records.iter().map(|record| record.sequence().to_owned()).collect(),
            now: Arc::from(now),
            outcomes: Outcomes::default(),
            units: Vec::new(),
            ready: Vec::new(),
            requests: 0,
        };
        let mut grouping = Grouping::new(program, &batch.now);
        for (number, (record, stream)) in records.iter().zip(&streams).enumerate() {
            grouping.record(number, record, *stream, &mut batch.outcomes);
        }
        let groups = grouping.finish();
        let context = Context { program, records: &batch.records, now: &batch.now };
        for ((projection, source), applications) in groups {
            batch.units.extend(unit::divide(projection, source, &context, applications, &mut batch.outcomes));
        }
        batch.ready = (0..batch.units.len()).rev().collect();
        Ok(batch)
    }

    /// A request that may be sent now, with the number to answer it by. Nothing while all that is left waits for answers.
    #[allow(clippy::should_implement_trait, reason = "it is no iterator: answers bring new requests")]
    pub fn next(&mut self) -> Option<(usize, Request)> {
        let context = Context { program: self.program, records: &self.records, now: &self.now };
        while let Some(number) = self.ready.pop() {
            if let Some(request) = self.units[number].request(&context, &mut self.outcomes) {
                self.requests += 1;
                return Some((number, request));
            }
        }
        None
    }

    /// Takes the answer to the request with this number.
    pub fn answer(&mut self, number: usize, answer: Answer) {
        let context = Context { program: self.program, records: &self.records, now: &self.now };
        let Some(unit) = self.units.get_mut(number) else { return };
        if unit.answer(&context, answer, &mut self.outcomes) {
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
