//! What one record meets in each projection that reads its stream, for people who want to know why.
//!
//! Nothing is decided here: every verdict is asked of what carries batches out. Where the document decides, the caller
//! reads it and asks [`operations_on`].

use super::grouping::Grouping;
use super::unit::{Application, MarkPlace};
use crate::bookkeeping;
use crate::decode::{self, Decoded, envelope::Record};
use crate::evaluate::{
    self, Change, DocumentKey, Failure, Operation, Operations, Scope, deferred_operations, evaluate,
};
use crate::event::Event;
use crate::fold::{Effect, State};
use crate::matching::{Miss, first_miss};
use crate::plan::ItemKey;
use crate::program::{Guard, OperationTerm, Program, Projection, Rule, Term};
use crate::report::Problem;
use crate::sorted_map::SortedMap;
use std::borrow::Cow;
use std::sync::Arc;
use viewfold_value::{Item, Value};

/// One event of a record, and what every projection that reads its stream makes of it.
#[derive(Debug)]
pub struct Explained {
    /// The place of the event in its record: the sub-sequence inside of an aggregate, else 0.
    pub sub: u32,
    /// The event's id, as far as it could be told.
    pub id: String,
    /// The event's lane, as far as it could be told.
    pub lane: Option<String>,
    /// The event, or why there is none.
    pub event: Result<Arc<Event>, Problem>,
    /// One for each projection and source that reads the stream; none where there is no event.
    pub readings: Vec<Reading>,
}

/// What one projection makes of an event.
#[derive(Debug)]
pub struct Reading {
    /// The projection's number in the program.
    pub projection: usize,
    /// The number of the source in the projection.
    pub source: usize,
    /// The verdict on each rule of the source, in the order of the file.
    pub verdicts: Vec<Verdict>,
    /// What the rules together do, document by document; empty where the event is rejected.
    pub changes: Vec<Change>,
    /// Why the event cannot be applied, as far as that can be told without its documents.
    pub failure: Option<Failure>,
    application: Application,
}

/// What became of one rule.
#[derive(Debug)]
pub struct Verdict {
    /// The rule's number in the projection.
    pub rule: usize,
    /// Whether it matches, and what follows.
    pub met: Met,
}

/// Whether a rule matches an event.
#[derive(Debug)]
pub enum Met {
    /// The item is gone, and a rule with `retract: true` looks at images that are there.
    Gone,
    /// The first condition of `when` that does not hold: its number there, and what its path finds.
    Missed(usize, Option<Value>),
    /// Whether it matches cannot be told.
    Unusable(Problem),
    /// It matches.
    Matched {
        /// What its values read of the event: each path as the file has it, and what it finds.
        values: Vec<(Arc<str>, Option<Value>)>,
        /// What it does; for a rule with `retract: true` what the item contributes.
        does: Result<Vec<Change>, Failure>,
        /// Why it does nothing, where it does.
        idle: Option<&'static str>,
    },
}

/// Explains a record: each of its events.
pub fn explain(record: &Record<'_>, stream: usize, program: &Program, now: &Arc<str>) -> Vec<Explained> {
    let decoded = decode::decode(record, 0, stream, program, now).into_iter();
    decoded
        .map(|Decoded { sub, lane, id, event }| {
            let event = event.map(Arc::new);
            let readers = program.streams[stream].readers.iter();
            let readings = match &event {
                Ok(event) => readers.map(|reader| read(event, *reader, program, now)).collect(),
                Err(_) => Vec::new(),
            };
            let lane = lane.map(|lane| lane.text().to_string());
            Explained { sub, id: id.to_string(), lane, event, readings }
        })
        .collect()
}

fn read(event: &Arc<Event>, reader: (usize, usize), program: &Program, now: &Arc<str>) -> Reading {
    let (number, source) = reader;
    let projection = &program.projections[number];
    let of_source = projection.rules.iter().enumerate().filter(|(_, rule)| rule.source == source);
    let verdicts = of_source.map(|(at, rule)| Verdict { rule: at, met: met(event, projection, at, rule) }).collect();
    let (application, failure) = Grouping::new(program, now).alone(event, reader);
    let changes = if failure.is_some() { Vec::new() } else { application.changes.clone() };
    Reading { projection: number, source, verdicts, changes, failure, application }
}

fn met(event: &Event, projection: &Projection, number: usize, rule: &Rule) -> Met {
    match first_miss(event, rule) {
        Err(problem) => Met::Unusable(problem),
        Ok(Some(Miss::Gone)) => Met::Gone,
        Ok(Some(Miss::Condition(missed, found))) => {
            let at = rule.when.iter().position(|condition| std::ptr::eq(condition, missed)).unwrap_or_default();
            Met::Missed(at, found.map(std::borrow::Cow::into_owned))
        }
        Ok(None) => {
            let does = match rule.retract {
                true => evaluate::contribution(event, projection, &[number]).map(as_changes),
                false => evaluate::changes(event, projection, &[number]),
            };
            let idle = does.as_ref().is_ok_and(Vec::is_empty).then(|| why_idle(event, rule));
            Met::Matched { values: values_read(event, rule), does, idle }
        }
    }
}

/// What an item contributes, as the sums that it comes to.
fn as_changes(contribution: evaluate::Contribution) -> Vec<Change> {
    let change = |(document, sums): (DocumentKey, SortedMap<_, _>)| {
        let by_path = sums.into_iter().map(|(path, number)| (path, Operation::Add(number))).collect();
        Change { document, operations: Operations { by_path, delete: false }, deferred: Vec::new() }
    };
    contribution.into_iter().map(change).collect()
}

/// Why a rule that matches does nothing.
fn why_idle(event: &Event, rule: &Rule) -> &'static str {
    let scope = Scope { event: Some(event), ..Scope::default() };
    match (&rule.each, &rule.condition) {
        (Some(_), Some(_)) => "`each` finds no element for which `if` is true",
        (Some(_), None) => "`each` finds no element, or all values are nothing",
        (None, Some(condition)) if evaluate(condition, &scope) != Ok(Some(Value::Bool(true))) => "its `if` is false",
        _ => "all its values are nothing",
    }
}

/// What a rule's values read of the event, each path once.
fn values_read(event: &Event, rule: &Rule) -> Vec<(Arc<str>, Option<Value>)> {
    let mut values: Vec<(Arc<str>, Option<Value>)> = Vec::new();
    let terms = rule.each.iter().chain(&rule.condition).chain(&rule.key);
    let terms = terms.chain(rule.operations.iter().flat_map(OperationTerm::terms));
    for term in terms {
        term.any(&mut |part| {
            if let Term::Event { path, .. } | Term::Many { path, .. } = part
                && !values.iter().any(|(known, _)| known == path)
            {
                let found = evaluate(part, &Scope { event: Some(event), ..Scope::default() });
                values.push((Arc::clone(path), found.ok().flatten()));
            }
            false
        });
    }
    values
}

/// What a change does to a document as the store has it.
///
/// # Errors
///
/// Where a rule that looks at the document cannot be evaluated.
pub fn operations_on(
    change: &Change,
    event: &Event,
    projection: &Projection,
    item: Option<&Item>,
) -> Result<Operations, Failure> {
    let state = State::new(item.cloned(), projection);
    deferred_operations(change, Some(event), projection, state.document()).map(Cow::into_owned)
}

impl Reading {
    /// Whether any rule matches.
    pub fn matches(&self) -> bool {
        self.verdicts.iter().any(|verdict| matches!(verdict.met, Met::Matched { .. }))
    }

    /// What the event has to say to its guard: a mark, or an id. Nothing under `guard: none`, and where it has none.
    pub fn mark(&self) -> Option<&str> {
        let mark = self.application.mark.as_ref().map(|mark| mark.text.as_str());
        mark.or(self.application.id.as_deref())
    }

    /// The row of a table of the guard's own that says whether the event came before.
    pub fn guard_row(&self, program: &Program) -> Option<ItemKey> {
        let projection = &program.projections[self.projection];
        let source = &projection.sources[self.source];
        let key = match &source.guard {
            Guard::None | Guard::Document { .. } => return None,
            Guard::Lane { .. } => {
                bookkeeping::lane_key(projection, source, self.application.lane.as_deref()?).into_iter().collect()
            }
            Guard::EventsTable { order_by: None, .. } => {
                bookkeeping::event_row(projection, source, self.application.id.as_deref()?, None).into_iter().collect()
            }
            Guard::EventsTable { order_by: Some(_), .. } => {
                let document = &self.changes.first()?.document;
                let mark = self.application.mark.as_ref()?;
                bookkeeping::row(
                    bookkeeping::ordered_partition(projection, document),
                    bookkeeping::ordered_sort(&mark.text, self.application.id.as_deref()?),
                )
            }
        };
        Some(ItemKey { table: Arc::clone(source.guard.table()?), key })
    }

    /// The mark that the event is compared with: on its document, or in the row of its lane.
    pub fn stored_mark(&self, program: &Program, document: Option<&Item>, row: Option<&Item>) -> Option<String> {
        let projection = &program.projections[self.projection];
        let source = &projection.sources[self.source];
        match &source.guard {
            Guard::Document { .. } => {
                let place = MarkPlace::of(projection, source, &self.application)?;
                place.stored(document?).ok().flatten().map(str::to_owned)
            }
            Guard::Lane { .. } => row?.get(bookkeeping::MARK)?.as_str().map(str::to_owned),
            Guard::None | Guard::EventsTable { .. } => None,
        }
    }

    /// Why the documents have to be read before they are written, with the rule where one is to blame. Empty where the write
    /// is blind.
    pub fn reads_first(&self, program: &Program) -> Vec<String> {
        let projection = &program.projections[self.projection];
        let source = &projection.sources[self.source];
        let mut why = Vec::new();
        if !projection.derive.is_empty() {
            why.push("`derive` computes attributes from the document".to_owned());
        }
        if projection.delete_when.is_some() {
            why.push("`delete_when` looks at the document after the change".to_owned());
        }
        let deletes = projection.rules.iter().filter(|rule| rule.delete);
        why.extend(deletes.map(|rule| format!("`delete` in `{}`: what stays of a document depends on it", rule.name)));
        if matches!(source.guard, Guard::EventsTable { order_by: Some(_), .. }) {
            why.push("`order_by` with an events table puts the event among those of its document".to_owned());
        }
        for Verdict { rule, met } in &self.verdicts {
            let (Met::Matched { does: Ok(changes), .. }, rule) = (met, &projection.rules[*rule]) else { continue };
            if rule.reads_document() {
                why.push(format!("`{}` looks at `doc.`", rule.name));
            }
            let operations = changes.iter().flat_map(|change| &change.operations.by_path);
            for (path, operation) in operations.filter(|(path, operation)| !Effect::is_blind(path, operation)) {
                let what = match operation {
                    Operation::Max(_) => "`max` compares with what is there",
                    Operation::Min(_) => "`min` compares with what is there",
                    Operation::Append(_) => "`append` with `last`, `by` or `unique_by` looks at the list",
                    _ => "DynamoDB adds to and deletes from sets at the top level only",
                };
                let told = format!("`{path}` in `{}`: {what}", rule.name);
                if !why.contains(&told) {
                    why.push(told);
                }
            }
        }
        why
    }

    /// Whether the row of the event's lane is read first: it says what the item contributed before.
    pub fn reads_lane(&self, program: &Program) -> bool {
        let source = &program.projections[self.projection].sources[self.source];
        source.retracts && !self.application.is_insert
    }
}
