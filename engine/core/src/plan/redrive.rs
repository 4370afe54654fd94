//! One dead letter, redriven: the event is evaluated by the projection as it is now, and applied in the transaction that closes
//! its letter.
//!
//! A [`Redrive`] is a state machine like [`Batch`](super::Batch), with one request in flight at a time.

use super::expression::Forms;
use super::grouping::Grouping;
use super::request::{Answer, Request};
use super::unit::{Application, Closing, Context, Unit};
use crate::dead_letter::Letter;
use crate::decode::{self, Decoded, envelope};
use crate::evaluate::{Change, DocumentKey, Operation, Operations};
use crate::event::Event;
use crate::mark::Mark;
use crate::outcomes::Outcomes;
use crate::program::{Guard, OperationKind, Payload, Program, Projection};
use crate::report::{Ending, Problem, Reason};
use std::borrow::Cow;
use std::sync::Arc;

/// A dead letter that is being redriven.
#[derive(Debug)]
pub struct Redrive<'p> {
    program: &'p Program,
    now: Arc<str>,
    forms: Forms,
    projection: usize,
    unit: Unit,
    outcomes: Outcomes,
    /// Whether the event was older than its guard remembers.
    forgotten: bool,
    /// Why the event still cannot be applied, where that was known at once.
    rejected: Option<Problem>,
}

/// What became of a dead letter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Redriven {
    /// It is closed: the event was applied, or nothing of it was left to be.
    Closed(Ending),
    /// It stays open: the event still cannot be applied.
    Still(Problem),
    /// Somebody else has closed it.
    Gone,
    /// The store could not take it now: it stays open.
    Failed(String),
}

/// What an event does to a document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Effect {
    /// The document's key.
    pub document: String,
    /// Its operations, in words: `add total 3`.
    pub operations: Vec<String>,
    /// What may be wrong with redriving it, in words: a newer event may be undone, or the event counted twice.
    pub doubts: Vec<String>,
}

impl<'p> Redrive<'p> {
    /// Decodes the letter's record and evaluates it by its projection. `record` is the text of [`Letter::record`], `now` the
    /// engine's clock, RFC 3339.
    ///
    /// # Errors
    ///
    /// When the letter is of none of the program's projections or sources, or its record is not of the source's stream: a
    /// sentence.
    pub fn new(program: &'p Program, letter: Letter, record: &str, now: &str) -> Result<Redrive<'p>, String> {
        let table = program.dead_letters.clone().ok_or("these projections have no table of dead letters")?;
        let (projection, source) = reader(program, &letter, record)?;
        let forgotten = letter.column("reason") == Reason::OlderThanGuard.code();
        let now: Arc<str> = Arc::from(now);
        let forms = Forms::default();
        let stream = program.projections[projection].sources[source].stream;
        // One that was applied, and cannot be now that a late event is before it, is kept among the events of its document.
        let event = match of_document(&letter) {
            Some(application) if record.is_empty() => {
                let unit = Unit::new(
                    (projection, source),
                    vec![Box::new(application)],
                    Some(Closing::new(letter, table, Ending::Applied)),
                );
                let outcomes = Outcomes::default();
                return Ok(Redrive { program, now, forms, projection, unit, outcomes, forgotten, rejected: None });
            }
            _ => event(program, stream, &letter, record, &now)?,
        };
        let mut ending = Ending::Applied;
        let mut rejected = None;
        let application = match event {
            Err(problem) => {
                rejected = Some(problem);
                None
            }
            Ok(None) => None,
            Ok(Some(event)) => match Grouping::redriven(program, &now, &event, (projection, source)) {
                Ok(Some(mut application)) => {
                    if letter.is_part() {
                        let document = letter.column("document");
                        let touched = application.changes.iter().map(|change| change.document.text());
                        let touched = touched.collect::<Vec<String>>().join(", ");
                        application.changes.retain(|change| change.document.text() == document);
                        if application.changes.is_empty() && !touched.is_empty() {
                            return Err(format!(
                                "it is about the document {document} alone, which the event does not change any more (it \
                                 changes {touched}); put it right by hand, and close it with `viewfold dead-letters close`"
                            ));
                        }
                    }
                    let nothing = application.changes.is_empty() && application.contribution.is_none();
                    if nothing {
                        ending = Ending::Nothing;
                    }
                    Some(application)
                }
                Ok(None) => {
                    ending = Ending::Nothing;
                    Some(Application::new(&event))
                }
                Err(failure) => {
                    rejected = Some(failure.problem);
                    None
                }
            },
        };
        // What is about no document any more is closed, too.
        let application = match (application, &rejected) {
            (None, None) => {
                ending = Ending::Nothing;
                Some(Application::of_letter(&letter))
            }
            (application, _) => application,
        };
        let pending = application.map(Box::new).into_iter().collect();
        let unit = Unit::new((projection, source), pending, Some(Closing::new(letter, table, ending)));
        Ok(Redrive { program, now, forms, projection, unit, outcomes: Outcomes::default(), forgotten, rejected })
    }

    /// What the event does, document by document. What is doubtful about it is exact once a request that writes has been handed
    /// out: documents have been read by then.
    pub fn effects(&self) -> Vec<Effect> {
        let projection = &self.program.projections[self.projection];
        let context = Context { program: self.program, records: &[], now: &self.now, forms: &self.forms };
        self.unit.changes().iter().map(|change| self.effect(change, projection, &context)).collect()
    }

    fn effect(&self, change: &Change, projection: &Projection, context: &Context<'_>) -> Effect {
        let mut operations: Vec<String> = Vec::new();
        let mut overwrites: Vec<String> = Vec::new();
        let mut note = |text: String, replaces: bool| {
            if replaces {
                overwrites.push(text.clone());
            }
            operations.push(text);
        };
        if change.operations.delete {
            note("delete".to_owned(), true);
        }
        for (path, operation) in &change.operations.by_path {
            let replaces = matches!(operation, Operation::Set(_) | Operation::Remove | Operation::RemoveFrom(_));
            note(operation.in_words(path), replaces);
        }
        for deferred in &change.deferred {
            let rule = &projection.rules[deferred.rule];
            if rule.delete {
                note("delete".to_owned(), true);
            }
            for operation in &rule.operations {
                let kind = &operation.kind;
                let replaces =
                    matches!(kind, OperationKind::Set(_) | OperationKind::Remove | OperationKind::RemoveFrom(_));
                note(format!("{} {}", kind.name(), operation.target.path), replaces);
            }
        }
        // With `order_by` the document is what its events make in their order, whenever they come.
        let source = self.unit.source_of(context);
        let keeps_order = matches!(source.guard, Guard::EventsTable { order_by: Some(_), .. });
        if keeps_order || self.unit.is_newest(context, &change.document) {
            overwrites.clear();
        }
        let document = change.document.shown(projection);
        let mut doubts = Vec::new();
        if !overwrites.is_empty() {
            doubts.push(format!("{} in {document} may overwrite what is newer", overwrites.join(", ")));
        }
        // Nobody knows whether it had been applied before its guard forgot it.
        if self.forgotten && !operations.is_empty() {
            doubts.push(format!("{} in {document} may have been applied before", operations.join(", ")));
        }
        Effect { document, operations, doubts }
    }

    /// What is to come of the letter, as far as it is known: exact once a request that writes has been handed out.
    pub fn ending(&self) -> Option<Ending> {
        self.unit.closed()
    }

    /// The next request; nothing when the letter is done with.
    #[allow(clippy::should_implement_trait, reason = "it is no iterator: answers bring new requests")]
    pub fn next(&mut self) -> Option<Request> {
        let context = Context { program: self.program, records: &[], now: &self.now, forms: &self.forms };
        self.unit.request(&context, &mut self.outcomes)
    }

    /// Takes the answer to the request in flight.
    pub fn answer(&mut self, answer: Answer) {
        let context = Context { program: self.program, records: &[], now: &self.now, forms: &self.forms };
        self.unit.answer(&context, answer, &mut self.outcomes);
    }

    /// What became of the letter.
    pub fn finish(mut self) -> Redriven {
        if let Some(problem) = self.rejected {
            return Redriven::Still(problem);
        }
        self.unit.fail("the command ended before the store had answered", &mut self.outcomes);
        let ending = match self.unit.closed() {
            None => return Redriven::Gone,
            Some(ending) => ending,
        };
        // What fell out behind the event has letters of its own.
        let report = self.outcomes.without_fallen().report(self.program, &[Cow::Borrowed("")], 0);
        match report.troubles.into_iter().next() {
            None => Redriven::Closed(ending),
            Some(trouble) => match trouble.reason {
                Some(reason) => Redriven::Still(Problem::new(reason, trouble.message)),
                None => Redriven::Failed(trouble.message),
            },
        }
    }
}

/// The projection and source of a letter. A stream, a table and a queue may have one name: the record says which it is.
fn reader(program: &Program, letter: &Letter, record: &str) -> Result<(usize, usize), String> {
    let name = letter.column("projection");
    let projection = program.projections.iter().position(|projection| projection.name == name);
    let projection = projection.ok_or_else(|| format!("it is of the projection `{name}`, which is not among these"))?;
    let source = letter.column("source");
    let stream = envelope::record(record.as_bytes()).ok().and_then(|record| program.stream(&record.origin.stream));
    let sources = program.projections[projection].sources.iter().enumerate();
    let named = sources.filter(|(_, other)| other.bookkeeping == source);
    let found = named.clone().find(|(_, other)| Some(other.stream) == stream).or_else(|| named.clone().next());
    let found = found.map(|(number, _)| number);
    let found = found.ok_or_else(|| format!("it came from `{source}`, which `{name}` does not read any more"))?;
    Ok((projection, found))
}

/// An event that is among those of its document (`order_by`).
fn of_document(letter: &Letter) -> Option<Application> {
    let document = DocumentKey::parse(letter.column("document"))?;
    let (order, id) = (letter.column("order"), letter.column("event"));
    if order.is_empty() || id.is_empty() {
        return None;
    }
    let mut application = Application::of_letter(letter);
    application.mark = Some(Mark::stored(order));
    application.id = Some(id.to_owned());
    application.changes = vec![Change { document, operations: Operations::default(), deferred: Vec::new() }];
    Some(application)
}

/// The event of a letter; nothing where its record is about no document.
fn event(
    program: &Program,
    stream: usize,
    letter: &Letter,
    record: &str,
    now: &Arc<str>,
) -> Result<Result<Option<Arc<Event>>, Problem>, String> {
    let record = envelope::record(record.as_bytes()).map_err(|error| format!("its record cannot be read: {error}"))?;
    if program.stream(&record.origin.stream) != Some(stream) {
        return Err(format!("its record is of the {}, which its source is not", record.origin.stream));
    }
    let decoded = decode::decode(&record, 0, stream, program, now);
    let several = decoded.len() > 1;
    let found = decoded.into_iter().find(|decoded| !several || decoded.sub == letter.sub());
    let Some(Decoded { event, .. }) = found else { return Ok(Ok(None)) };
    Ok(event.map(|mut event| {
        // Of an aggregate the letter has just this one.
        event.metadata.sub = letter.sub();
        if program.streams[stream].payload == Payload::Json {
            event.metadata.id = Arc::from(letter.column("id"));
        }
        Some(Arc::new(event))
    }))
}
