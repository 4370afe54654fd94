//! What to do now: a batch's changes to requests, and the store's answers to what comes next.
//!
//! A [`Batch`] is a state machine without I/O: [`Batch::next`] hands out requests that may be sent at once, and
//! [`Batch::answer`] takes what became of each. Work is divided into units (see [`unit`]), one for each document, or for
//! each group of events and documents that share transactions; a unit has one request in flight at a time, and its next
//! one is made only from a known answer. So a test can play every order of answers, and the DynamoDB side only carries
//! requests.
//!
//! Before anything is written, the open dead letters of the batch's sources are asked for (normally there is none), while
//! the records are decoded: an event among them is left to be redriven.

pub mod explain;
mod expression;
mod grouping;
pub mod redrive;
pub mod request;
mod returned;
mod unit;

pub use redrive::{Redrive, Redriven};
pub use request::{Action, Answer, Cancellation, Check, Delete, Form, ItemKey, Put, Request, Update};

use crate::bookkeeping::PARTITION_KEY;
use crate::dead_letter::{self, OpenLetters};
use crate::decode::Decoder;
use crate::decode::envelope::{self, Record};
use crate::mapping;
use crate::outcomes::Outcomes;
use crate::program::Program;
use crate::report::{Outcome, Report};
use expression::Forms;
use grouping::{Grouping, Groups};
use returned::{Message, returned};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;
use unit::{Context, Unit};
use viewfold_value::Value;

/// A batch that is being carried out.
#[derive(Debug)]
pub struct Batch<'p> {
    program: &'p Program,
    /// The records as Lambda gave them.
    records: Vec<&'p [u8]>,
    /// The sequence number of each record.
    sequences: Vec<Cow<'p, str>>,
    /// Those that are messages of a queue.
    messages: Vec<Message>,
    now: Arc<str>,
    forms: Forms,
    outcomes: Outcomes,
    /// Records that have not been decoded, each with its stream.
    undecoded: Vec<(Record<'p>, usize)>,
    first: First,
    units: Vec<Unit>,
    /// The units that may send a request, the last one first.
    ready: Vec<usize>,
    requests: usize,
    /// How many events the first request of a unit may cover.
    events_per_request: usize,
}

/// What comes before the units: which events wait among the dead letters is asked while the others are decoded.
#[derive(Debug, Default)]
struct First {
    /// Requests for open dead letters that have not been handed out.
    unasked: Vec<Request>,
    /// How many of them have not been answered.
    unanswered: usize,
    open: OpenLetters,
    /// What the events do, until the answers are there.
    groups: Option<Groups>,
    /// Why the open dead letters cannot be told.
    failure: Option<String>,
}

/// The requests for open dead letters are numbered from here, units from 0.
const ASKED: usize = usize::MAX / 2;

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
    /// When the payload is no stream event, or a record comes from a stream that no projection reads, or that lacks the
    /// images that projections read: a wiring mistake must not look like success.
    pub fn new(program: &'p Program, payload: &'p [u8], now: &str) -> Result<Batch<'p>, BatchError> {
        let records = envelope::records(payload).map_err(|error| BatchError(error.0))?;
        let mut streams = Vec::with_capacity(records.len());
        for (number, record) in records.iter().enumerate() {
            let stream = program.stream(&record.origin.stream).ok_or_else(|| unread_stream(program, number, record))?;
            check_images(program, stream, number, record)?;
            streams.push(stream);
        }
        let mut batch = Batch {
            program,
            records: records.iter().map(|record| record.text).collect(),
            sequences: records.iter().map(|record| record.borrowed_sequence().clone()).collect(),
            messages: Message::all(&records),
            now: Arc::from(now),
            forms: Forms::default(),
            outcomes: Outcomes::default(),
            first: First { unasked: open_letters(program, &streams), ..First::default() },
            units: Vec::new(),
            ready: Vec::new(),
            requests: 0,
            events_per_request: usize::MAX,
            undecoded: records.into_iter().zip(streams).collect(),
        };
        batch.first.unanswered = batch.first.unasked.len();
        Ok(batch)
    }

    /// Lets the first request of a document, or of documents that share transactions, cover at most so many events, as if it had
    /// been found too large: for tests, which see in a batch of a few events how requests follow one another.
    #[must_use]
    pub fn with_events_per_request(self, most: usize) -> Batch<'p> {
        Batch { events_per_request: most, ..self }
    }

    /// Decodes the records, matches their events and evaluates the rules.
    fn decode(&mut self) {
        let mut grouping = Grouping::new(self.program, &self.now);
        let mut decoder = Decoder::new(self.program, &self.now);
        for (number, (record, stream)) in std::mem::take(&mut self.undecoded).into_iter().enumerate() {
            grouping.record(number, &record, stream, &mut decoder, &mut self.outcomes);
        }
        self.first.groups = Some(grouping.finish());
    }

    /// Divides what the events do into units, once it is known which of them wait among the dead letters.
    fn divide(&mut self, groups: Groups) {
        let context = Context { program: self.program, records: &self.records, now: &self.now, forms: &self.forms };
        for ((projection, source), applications) in groups {
            let applications =
                unit::without_open(projection, applications, &context, &self.first.open, &mut self.outcomes);
            self.units.extend(unit::divide(projection, source, &context, applications, &mut self.outcomes));
        }
        self.units.iter_mut().for_each(|unit| unit.cover_at_most(self.events_per_request));
        self.ready = (0..self.units.len()).rev().collect();
        // The longest first, or it would be the last one to be done, with nothing beside it.
        self.ready.sort_by_key(|number| self.units[*number].length(&context));
    }

    /// A request that may be sent now, with the number to answer it by. Nothing while all that is left waits for answers.
    #[allow(clippy::should_implement_trait, reason = "it is no iterator: answers bring new requests")]
    pub fn next(&mut self) -> Option<(usize, Request)> {
        if let Some(request) = self.first.unasked.pop() {
            self.requests += 1;
            return Some((ASKED + self.first.unasked.len(), request));
        }
        // The requests are under way by now.
        if !self.undecoded.is_empty() {
            self.decode();
        }
        if self.first.unanswered == 0
            && let Some(groups) = self.first.groups.take()
        {
            self.divide(groups);
        }
        let context = Context { program: self.program, records: &self.records, now: &self.now, forms: &self.forms };
        while let Some(number) = self.ready.pop() {
            if let Some(request) = self.units[number].request(&context, &mut self.outcomes) {
                self.requests += 1;
                return Some((number, request));
            }
        }
        None
    }

    /// The number of the projection that a request is for; none where it asks for the open dead letters of all.
    pub fn projection_of(&self, number: usize) -> Option<usize> {
        self.units.get(number).map(Unit::projection)
    }

    /// Takes the answer to the request with this number.
    pub fn answer(&mut self, number: usize, answer: Answer) {
        if number >= ASKED {
            return self.told(answer);
        }
        let context = Context { program: self.program, records: &self.records, now: &self.now, forms: &self.forms };
        let Some(unit) = self.units.get_mut(number) else { return };
        if unit.answer(&context, answer, &mut self.outcomes) {
            self.ready.push(number);
        }
    }

    /// Takes the open dead letters of a source. Without them nothing can be done: an event that is among them would be
    /// applied now, and again when it is redriven.
    fn told(&mut self, answer: Answer) {
        match answer {
            Answer::Rows(Some(rows)) => {
                self.first.unanswered = self.first.unanswered.saturating_sub(1);
                self.first.open.extend(rows);
            }
            answer => {
                let message = match answer {
                    Answer::Failed(message) | Answer::Refused(message) => message,
                    other => other.kind().to_owned(),
                };
                self.first.failure.get_or_insert(format!("the open dead letters could not be read: {message}"));
            }
        }
    }

    /// Ends the batch. What has not been answered for has failed, for the given reason.
    pub fn finish(mut self, unfinished: &str) -> Report {
        if !self.undecoded.is_empty() {
            self.decode();
        }
        let unfinished = self.first.failure.as_deref().unwrap_or(unfinished).to_owned();
        for ((projection, _), applications) in self.first.groups.take().into_iter().flatten() {
            for application in applications {
                self.outcomes.note(application.place(projection), Outcome::Failed(unfinished.clone()));
            }
        }
        let unfinished = unfinished.as_str();
        for unit in &mut self.units {
            unit.fail(unfinished, &mut self.outcomes);
        }
        let mut report = self.outcomes.report(self.program, &self.sequences, self.requests);
        report.returned = returned(&self.messages, &report.troubles);
        report
    }
}

/// The requests for the open dead letters of the sources that streams feed.
fn open_letters(program: &Program, streams: &[usize]) -> Vec<Request> {
    let Some(table) = &program.dead_letters else { return Vec::new() };
    // Those of projections that drop events by now are asked for, too: they may have kept them before.
    let streams: BTreeSet<usize> = streams.iter().copied().collect();
    let readers = streams.iter().flat_map(|stream| &program.streams[*stream].readers);
    let sources: BTreeSet<&str> = readers
        .map(|(projection, source)| program.projections[*projection].sources[*source].bookkeeping.as_str())
        .collect();
    let request = |partition: String| Request::Query {
        table: Arc::clone(table),
        partition: (PARTITION_KEY.to_owned(), Value::String(partition)),
        limit: usize::MAX,
        attributes: &dead_letter::OPEN_ATTRIBUTES,
    };
    sources.into_iter().map(dead_letter::open_letters).map(request).collect()
}

fn unread_stream(program: &Program, number: usize, record: &Record<'_>) -> BatchError {
    let known: Vec<String> = program.streams.iter().map(|stream| stream.identity.to_string()).collect();
    BatchError(format!(
        "record {number} comes from the {}, which no projection reads (they read: {}); \
         check the function's event source mapping and its projections",
        record.origin.stream,
        known.join(", ")
    ))
}

/// A stream that is set up without the images that projections read would look like one of items without attributes.
fn check_images(program: &Program, stream: usize, number: usize, record: &Record<'_>) -> Result<(), BatchError> {
    let Some(view) = record.view.as_deref() else { return Ok(()) };
    match mapping::missing_image(program, stream, view) {
        None => Ok(()),
        Some(name) => Err(BatchError(format!(
            "record {number} of the {} has no {name} image, which projections read: the stream is set to {view}; it has to be \
             NEW_AND_OLD_IMAGES",
            record.origin.stream
        ))),
    }
}
