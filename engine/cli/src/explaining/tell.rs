//! One record: what the rules make of it, and what carrying it out alone comes to.

use super::carry::{Desk, Sent};
use crate::fold::Place;
use crate::output::Failure;
use std::sync::Arc;
use viewfold_core::decode::envelope::{self, Record};
use viewfold_core::evaluate::{Change, DocumentKey, Failure as Rejection, Operations};
use viewfold_core::plan::ItemKey;
use viewfold_core::plan::explain::{Explained, Reading, explain, operations_on};
use viewfold_core::program::Guard;
use viewfold_core::report::{Counts, Trouble};
use viewfold_value::Item;

/// What is told of one record.
pub(crate) struct Told {
    /// Where its batch comes from.
    pub(super) place: Place,
    /// The record's number in its batch, from 0.
    pub(super) record: usize,
    pub(super) stream: String,
    pub(super) sequence: String,
    pub(super) events: Vec<Explained>,
    /// The requests for open dead letters.
    pub(super) asked: Vec<Sent>,
    /// One for each projection that reads the stream.
    pub(super) projections: Vec<Part>,
}

impl Told {
    /// What it comes to, projection by projection.
    pub(crate) fn projections(&self) -> &[Part] {
        &self.projections
    }
}

/// What a record comes to in one projection.
pub(crate) struct Part {
    /// The projection's number in the program.
    pub(crate) projection: usize,
    pub(crate) counts: Counts,
    pub(super) troubles: Vec<Trouble>,
    /// What each event of the record meets there: the event's number in [`Told::events`] and the reading's in it.
    pub(super) readings: Vec<Met>,
    pub(super) sent: Vec<Sent>,
    pub(super) documents: Vec<Document>,
}

/// One event in one projection.
pub(super) struct Met {
    pub(super) event: usize,
    pub(super) reading: usize,
    /// The mark that the event's is compared with.
    pub(super) stored: Option<String>,
    /// Whether the guard has a row for the event.
    pub(super) has_row: bool,
    /// What the rules do to each document as it is.
    pub(super) operations: Vec<(DocumentKey, Result<Operations, Rejection>)>,
}

/// A document that a record wrote.
pub(super) struct Document {
    pub(super) table: Arc<str>,
    pub(super) key: Item,
    pub(super) before: Option<Item>,
    pub(super) after: Option<Item>,
}

/// Tells of each record of an invocation, each as a batch of its own.
pub(crate) async fn tell(desk: &Desk<'_>, place: &Place, payload: &str, told: &mut Vec<Told>) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::new(format!("{place}: {error}"));
    let records = envelope::records(payload.as_bytes()).map_err(|error| failed(&error))?;
    for (number, record) in records.iter().enumerate() {
        let one = tell_one(desk, place, number, record).await.map_err(|error| failed(&error.message))?;
        told.push(one);
    }
    Ok(())
}

async fn tell_one(desk: &Desk<'_>, place: &Place, number: usize, record: &Record<'_>) -> Result<Told, Failure> {
    let program = desk.program;
    let events = match program.stream(&record.origin.stream) {
        Some(stream) => explain(record, stream, program, &desk.now),
        // The batch says what is wrong.
        None => Vec::new(),
    };
    let mut readings: Vec<(usize, Met)> = Vec::new();
    for (at, event) in events.iter().enumerate() {
        for (of, reading) in event.readings.iter().enumerate() {
            let met = look(desk, event, (at, of), reading).await?;
            readings.push((reading.projection, met));
        }
    }
    let payload = format!("{{\"Records\":[{}]}}", String::from_utf8_lossy(record.text));
    let (sent, report) = desk.carry(&payload).await?;
    let (mut asked, mut by_projection) = (Vec::new(), Vec::new());
    for one in sent {
        match one.projection {
            None => asked.push(one),
            Some(_) => by_projection.push(one),
        }
    }
    let readers = program.stream(&record.origin.stream).map(|stream| program.streams[stream].readers.as_slice());
    let mut numbers: Vec<usize> = readers.unwrap_or_default().iter().map(|(projection, _)| *projection).collect();
    numbers.dedup();
    let mut projections = Vec::new();
    for projection in numbers {
        let (own, others) = by_projection.into_iter().partition(|one: &Sent| one.projection == Some(projection));
        by_projection = others;
        let name = &program.projections[projection].name;
        let (mine, rest) = readings.into_iter().partition(|(of, _)| *of == projection);
        readings = rest;
        projections.push(Part {
            projection,
            counts: report.projections.get(projection).map(|(_, counts)| *counts).unwrap_or_default(),
            troubles: report.troubles.iter().filter(|one| one.projection.as_ref() == Some(name)).cloned().collect(),
            readings: mine.into_iter().map(|(_, met)| met).collect(),
            documents: documents(&own, &program.projections[projection].table.name),
            sent: own,
        });
    }
    let (stream, sequence) = (record.origin.stream.name().to_owned(), record.sequence().to_owned());
    Ok(Told { place: place.clone(), record: number, stream, sequence, events, asked, projections })
}

/// Looks at the documents and the guard's row as they are before the event.
async fn look(desk: &Desk<'_>, event: &Explained, at: (usize, usize), reading: &Reading) -> Result<Met, Failure> {
    let projection = &desk.program.projections[reading.projection];
    let key =
        |change: &Change| ItemKey { table: Arc::clone(&projection.table.name), key: change.document.item(projection) };
    let keys: Vec<ItemKey> = reading.changes.iter().map(key).collect();
    let items = desk.read(&keys).await?;
    let row = match reading.guard_row(desk.program) {
        Some(key) => desk.read(&[key]).await?.pop().flatten(),
        None => None,
    };
    let stored = reading.stored_mark(desk.program, items.first().and_then(Option::as_ref), row.as_ref());
    let operations = match &event.event {
        Ok(event) => {
            let on = |(change, item): (&Change, &Option<Item>)| {
                (change.document.clone(), operations_on(change, event, projection, item.as_ref()))
            };
            reading.changes.iter().zip(&items).map(on).collect()
        }
        Err(_) => Vec::new(),
    };
    let guard = &projection.sources[reading.source].guard;
    let has_row = row.is_some() && matches!(guard, Guard::EventsTable { .. });
    Ok(Met { event: at.0, reading: at.1, stored, has_row, operations })
}

/// The documents that requests wrote, as they were before the first of these and are behind the last.
fn documents(sent: &[Sent], table: &Arc<str>) -> Vec<Document> {
    let mut documents: Vec<Document> = Vec::new();
    for written in sent.iter().flat_map(|one| &one.written).filter(|written| written.key.table == *table) {
        match documents.iter_mut().find(|document| document.key == written.key.key) {
            Some(document) => document.after.clone_from(&written.after),
            None => documents.push(Document {
                table: Arc::clone(table),
                key: written.key.key.clone(),
                before: written.before.clone(),
                after: written.after.clone(),
            }),
        }
    }
    documents
}
