//! Where the entries of files go: items and changes to the projections that read their table, events and payloads to those that
//! read their stream.

use super::ask::ask;
use super::carry::Carrier;
use super::chosen::{self, Table};
use super::files::Entry;
use crate::output::{Failure, count};
use crate::store::Connection;
use viewfold_core::backfill::{Found as FoundItem, write_payload, write_record};
use viewfold_core::program::{Guard, LaneCheck, Payload, Program, Projection, Source, StreamIdentity, Subject, Term};
use viewfold_dynamodb::inspect::{self, Found};
use viewfold_value::Item;

/// Where the entries of files go.
pub(crate) struct Destination<'a> {
    program: &'a Program,
    connection: &'a Connection,
    tables: &'a [Table],
    /// The table that items are of, with its ARN and key, once there was one.
    table: Option<(String, Vec<String>)>,
    /// Whether items are taken for inserts, whatever the rules are made of.
    pub(crate) items_as_inserts: bool,
    /// Whether somebody has agreed that events go into views with something in them, or goes on with what was agreed.
    pub(crate) is_asked: bool,
    /// Not to ask.
    pub(crate) yes: bool,
}

/// Puts items of a table through the engine.
///
/// # Errors
///
/// When the store does not take them.
pub(crate) async fn items_of(carrier: &mut Carrier<'_>, table: &Found, items: Vec<Item>) -> Result<(), Failure> {
    for item in items {
        let keys = key_of(&item, table.keys.iter().map(|(name, _)| name.as_str()));
        let found = FoundItem { keys: &keys, new: Some(&item), old: None, order: 0 };
        carrier.record(|text| write_record(&table.arn, found, text)).await?;
    }
    carrier.flush().await
}

impl<'a> Destination<'a> {
    /// For the projections of a program. `connection` has the tables that items are of, and views.
    pub(crate) fn of(program: &'a Program, connection: &'a Connection, tables: &'a [Table]) -> Destination<'a> {
        Destination { program, connection, tables, table: None, items_as_inserts: false, is_asked: false, yes: false }
    }

    /// Carries out an entry, or keeps it for a batch.
    ///
    /// # Errors
    ///
    /// When it belongs to none of the projections, or the store does not take it.
    pub(crate) async fn entry(
        &mut self,
        carrier: &mut Carrier<'_>,
        entry: Entry,
        payloads: &mut u64,
    ) -> Result<(), Failure> {
        match entry {
            Entry::Item(item) => {
                let (arn, names) = self.table().await?;
                let keys = key_of(&item, names.iter().map(String::as_str));
                let found = FoundItem { keys: &keys, new: Some(&item), old: None, order: 0 };
                carrier.record(|text| write_record(arn, found, text)).await
            }
            Entry::Change { keys, new, old, written_micros } => {
                let (arn, _) = self.table().await?;
                let found = FoundItem { keys: &keys, new: new.as_ref(), old: old.as_ref(), order: written_micros };
                carrier.record(|text| write_record(arn, found, text)).await
            }
            Entry::Lambda(payload) => {
                self.agreed(false).await?;
                carrier.flush().await?;
                carrier.payload(&payload).await
            }
            Entry::Payload(payload) => {
                self.agreed(true).await?;
                let stream = self.stream()?;
                *payloads += 1;
                let (program, order) = (self.program, *payloads);
                carrier.record(|text| write_payload(program, stream, order, &payload, text)).await
            }
        }
    }

    /// Asks before events go into views that have something in them: unlike the items of a table, an event is not made up for
    /// by a newer one, and a guard that goes by marks leaves out whatever lies below a mark.
    async fn agreed(&mut self, payloads: bool) -> Result<(), Failure> {
        if std::mem::replace(&mut self.is_asked, true) {
            return Ok(());
        }
        for projection in self.program.projections.iter().filter(|projection| is_in_doubt(projection, payloads)) {
            if !has_documents(self.connection, projection).await? {
                continue;
            }
            let what = format!(
                "{} has documents already: events in the files that are older than what a document's guard has seen are taken \
                 for known and left out, and payloads that came by the stream as well may count twice; fill a view with its \
                 history before its stream is switched on",
                projection.name
            );
            ask(&what, self.yes)?;
        }
        Ok(())
    }

    /// The ARN and the key of the table that items are of.
    async fn table(&mut self) -> Result<&(String, Vec<String>), Failure> {
        if self.table.is_none() {
            let [table] = self.tables else {
                return Err(Failure::wrong_use(format!(
                    "this is an item of a table, and these projections read {}; --projection NAME chooses those that read its table",
                    count(self.tables.len(), "table")
                )));
            };
            chosen::check(self.program, self.tables, self.items_as_inserts)?;
            let stated = self.program.streams[table.stream].readers.iter().find_map(|(projection, source)| match &self
                .program
                .projections[*projection]
                .sources[*source]
                .lane
            {
                Some(LaneCheck::Keys(keys)) => Some(keys.iter().map(|key| key.name.clone()).collect::<Vec<String>>()),
                _ => None,
            });
            let found = found(self.connection, &table.name).await?;
            let there = found.as_ref().map(|found| found.keys.iter().map(|(name, _)| name.clone()).collect());
            let keys = there.or(stated).ok_or_else(|| {
                Failure::new(format!(
                    "there is no table {}, and no `keys:` says what the key of its items is",
                    table.name
                ))
            })?;
            let arn = found.map_or_else(|| format!("arn:aws:dynamodb:::table/{}", table.name), |found| found.arn);
            self.table = Some((arn, keys));
        }
        self.table.as_ref().ok_or_else(|| Failure::new("there is no table"))
    }

    /// The stream that payloads are of.
    fn stream(&self) -> Result<usize, Failure> {
        let streams = self.program.streams.iter().enumerate().filter(|(_, stream)| {
            matches!(stream.identity, StreamIdentity::Kinesis(_))
                && stream.payload == Payload::Json
                && !stream.readers.is_empty()
        });
        let streams: Vec<usize> = streams.map(|(number, _)| number).collect();
        match streams[..] {
            [stream] => Ok(stream),
            _ => Err(Failure::wrong_use(format!(
                "this is the payload of a stream's record, and these projections read {} of payloads from Kinesis; --projection \
                 NAME chooses those that read its stream",
                count(streams.len(), "stream")
            ))),
        }
    }
}

/// The key attributes of an item.
pub(crate) fn key_of<'n>(item: &Item, names: impl Iterator<Item = &'n str>) -> Item {
    names.filter_map(|name| Some((name.to_owned(), item.get(name)?.clone()))).collect()
}

/// A table as it is set up; nothing where there is none of that name.
///
/// # Errors
///
/// When it could not be looked at.
pub(crate) async fn found(connection: &Connection, table: &str) -> Result<Option<Found>, Failure> {
    let found = inspect::table(connection.store.client(), table).await;
    found.map_err(|why| Failure::new(format!("the table {table} cannot be looked at: {why}")))
}

/// Asks before what a stream retains goes into views where it may not come out right. Unlike the items of a table, an event is
/// not made up for by a newer one.
///
/// # Errors
///
/// When the answer is no, when there is nobody to ask, and when a view cannot be looked at.
pub(crate) async fn agreed_for_stream(
    program: &Program,
    connection: &Connection,
    (stream, retention_seconds): (&str, i64),
    yes: bool,
) -> Result<(), Failure> {
    for projection in &program.projections {
        let name = &projection.name;
        let is_read = |source: &&Source| matches!(&program.streams[source.stream].identity, StreamIdentity::Kinesis(own) if own == stream);
        let mut may_be_behind = false;
        for source in projection.sources.iter().filter(is_read) {
            match &source.guard {
                Guard::None => ask(
                    &format!(
                        "{name} has `guard: none`: an event that is read twice counts twice, by this command after a kill, and by the                          function where it begins before the end of what was filled"
                    ),
                    yes,
                )?,
                // Less the margin that the guard keeps for clocks that do not agree.
                Guard::EventsTable { keep_seconds: Some(keep), .. }
                    if keep - (keep / 10).min(86_400) < retention_seconds =>
                {
                    ask(
                        &format!(
                            "{name} takes no event that is older than its `keep_for`, {} hours less a margin, and the stream {stream} retains {}: those                          become dead letters (older_than_guard); a longer `keep_for` lets them in",
                            keep / 3600,
                            retention_seconds / 3600
                        ),
                        yes,
                    )?
                }
                Guard::EventsTable { .. } => {}
                _ if source.retracts => {}
                Guard::Document { .. } | Guard::Lane { .. } => may_be_behind = true,
            }
        }
        if may_be_behind && has_documents(connection, projection).await? {
            ask(
                &format!(
                    "{name} has documents already: events of the stream {stream} that are older than what a document's guard has seen                      are taken for known and left out, also where they never were in the view; fill a view before the function folds                      newer events into it, an existing one under its next `version`"
                ),
                yes,
            )?;
        }
    }
    Ok(())
}

/// Whether there is something in a view.
async fn has_documents(connection: &Connection, projection: &Projection) -> Result<bool, Failure> {
    let table = &projection.table.name;
    let sample = inspect::sample(connection.store.client(), table, 1).await;
    let sample = sample.map_err(|why| Failure::new(format!("the table {table} cannot be read: {why}")))?;
    Ok(!sample.items.is_empty())
}

/// Whether events out of files come out right only where nothing has come before them. Under `retract` the newest change of an
/// item is all that counts, and a table of events knows each event that has an id of its own.
fn is_in_doubt(projection: &Projection, payloads: bool) -> bool {
    projection.sources.iter().any(|source| match &source.guard {
        _ if source.retracts => false,
        Guard::EventsTable { id, .. } => payloads && reads_stream(id),
        Guard::None | Guard::Document { .. } | Guard::Lane { .. } => true,
    })
}

/// Whether an id is the stream's own: payloads out of files are numbered anew.
fn reads_stream(id: &Term) -> bool {
    id.any(&mut |part| matches!(part, Term::Event { subject: Subject::Metadata(_), .. }))
}
