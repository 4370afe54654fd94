//! A batch carried out request by request, with what each request is, does and costs.

use crate::output::Failure;
use crate::store::Connection;
use std::collections::HashMap;
use std::sync::Arc;
use viewfold_core::plan::{Action, Answer, Batch, Cancellation, ItemKey, Request};
use viewfold_core::program::{Program, Table};
use viewfold_core::report::Report;
use viewfold_core::tables::{Needed, required};
use viewfold_dynamodb::cost::{Cost, query_units, read_units, write_units};
use viewfold_dynamodb::wire::{Wire, Wired};
use viewfold_dynamodb::{Store, tables};
use viewfold_value::Item;

/// A program, and a DynamoDB in which its events are carried out one by one.
pub(crate) struct Desk<'p> {
    pub(crate) program: &'p Program,
    pub(crate) connection: Connection,
    /// Sends what is explained; [`Connection::store`] what only looks.
    recorded: Store,
    wire: Wire,
    tables: HashMap<Arc<str>, Table>,
    pub(crate) now: Arc<str>,
}

/// A request that was sent.
pub(crate) struct Sent {
    /// The projection that it is for; none where it asks for the open dead letters of a source.
    pub(super) projection: Option<usize>,
    /// As it was sent; several times where it met another writer.
    pub(super) wired: Vec<Wired>,
    pub(crate) cost: Cost,
    /// What became of it.
    pub(super) answer: String,
    /// The items that it writes, before and behind it.
    pub(super) written: Vec<Written>,
}

/// An item that a request writes.
pub(super) struct Written {
    pub(super) key: ItemKey,
    pub(super) before: Option<Item>,
    pub(super) after: Option<Item>,
}

impl<'p> Desk<'p> {
    /// Makes the tables that the program needs.
    pub(crate) async fn new(program: &'p Program, connection: Connection, now: &Arc<str>) -> Result<Desk<'p>, Failure> {
        let mut all = HashMap::new();
        for needed in required(program) {
            tables::create_if_missing(connection.store.client(), &needed).await.map_err(Failure::new)?;
            let Needed { table, .. } = needed;
            all.insert(Arc::clone(&table.name), table);
        }
        let (recorded, wire) = Store::recorded(&connection.config);
        Ok(Desk { program, connection, recorded, wire, tables: all, now: Arc::clone(now) })
    }

    /// Carries a batch out, one request at a time.
    pub(super) async fn carry(&self, payload: &str) -> Result<(Vec<Sent>, Report), Failure> {
        let batch = Batch::new(self.program, payload.as_bytes(), &self.now);
        let mut batch = batch.map_err(|error| Failure::new(error.to_string()))?;
        let mut all = Vec::new();
        while let Some((number, request)) = batch.next() {
            let (sent, answer) = self.send(batch.projection_of(number), &request).await?;
            all.push(sent);
            batch.answer(number, answer);
        }
        Ok((all, batch.finish("the store did not answer")))
    }

    /// Sends a request that is for a projection, or for all.
    pub(crate) async fn send(&self, projection: Option<usize>, request: &Request) -> Result<(Sent, Answer), Failure> {
        let keys = self.written_keys(request);
        let before = self.read(&keys).await?;
        let answer = self.recorded.send(request).await;
        let wired = self.wire.take();
        let after = self.read(&keys).await?;
        let written: Vec<Written> = keys
            .into_iter()
            .zip(before.into_iter().zip(after))
            .map(|(key, (before, after))| Written { key, before, after })
            .collect();
        let cost = self.cost(request, &answer, &written, wired.len());
        Ok((Sent { projection, wired, cost, answer: in_words(&answer), written }, answer))
    }

    /// Items as they are, without a trace.
    pub(super) async fn read(&self, keys: &[ItemKey]) -> Result<Vec<Option<Item>>, Failure> {
        let mut items = Vec::with_capacity(keys.len());
        // The most keys of one read.
        for some in keys.chunks(100) {
            match self.connection.store.send(&Request::Read(some.to_vec())).await {
                Answer::Items(read) => items.extend(read),
                other => return Err(Failure::new(format!("the tables cannot be read: {}", in_words(&other)))),
            }
        }
        Ok(items)
    }

    /// The keys of the items that a request writes, or checks.
    fn written_keys(&self, request: &Request) -> Vec<ItemKey> {
        let actions = match request {
            Request::Write(action) => std::slice::from_ref(action),
            Request::Transact(actions) => actions.as_slice(),
            Request::Read(_) | Request::Query { .. } => return Vec::new(),
        };
        let key = |action: &Action| {
            let key = match action {
                Action::Update(update) => update.key.clone().into_iter().collect(),
                Action::Delete(delete) => delete.key.clone().into_iter().collect(),
                Action::Check(check) => check.key.clone().into_iter().collect(),
                Action::Put(put) => {
                    let names = self.tables.get(&put.table).into_iter().flat_map(Table::keys);
                    names.filter_map(|key| Some((key.name.clone(), put.item.get(&key.name)?.clone()))).collect()
                }
            };
            ItemKey { table: Arc::clone(action.table()), key }
        };
        actions.iter().map(key).collect()
    }

    fn cost(&self, request: &Request, answer: &Answer, written: &[Written], sent: usize) -> Cost {
        let requests = sent.max(1) as u64;
        let in_transaction = matches!(request, Request::Transact(_));
        let units = |item: &Written| {
            let table = self.tables.get(&item.key.table);
            write_units(item.before.as_ref(), item.after.as_ref(), table, in_transaction)
        };
        let writes = written.iter().map(units).sum();
        let reads = match answer {
            Answer::Items(items) => read_units(items.iter().map(Option::as_ref)),
            Answer::Rows(rows) => query_units(rows.iter().flatten()),
            _ => 0,
        };
        Cost { requests, writes, reads }
    }
}

/// What became of a request.
fn in_words(answer: &Answer) -> String {
    match answer {
        Answer::Done => "done".to_owned(),
        Answer::Items(items) => match items.iter().flatten().count() {
            0 => "nothing is there".to_owned(),
            found if found == items.len() => "found".to_owned(),
            found => format!("{found} of {} are there", items.len()),
        },
        Answer::Rows(Some(rows)) if rows.is_empty() => "nothing is there".to_owned(),
        Answer::Rows(Some(rows)) => format!("{} found", rows.len()),
        Answer::Rows(None) => "more than are taken".to_owned(),
        Answer::ConditionFailed(_) => "its condition does not hold".to_owned(),
        Answer::NoParent(_) => "a map on the way to a nested attribute is not there".to_owned(),
        Answer::Cancelled(reasons) => {
            let why = reasons.iter().find_map(|reason| match reason {
                Cancellation::None => None,
                Cancellation::ConditionFailed(_) => Some("a condition does not hold".to_owned()),
                Cancellation::NoParent(_) => Some("a map on the way to a nested attribute is not there".to_owned()),
                Cancellation::Refused(message) | Cancellation::Failed(message) => Some(message.clone()),
            });
            format!("cancelled: {}", why.unwrap_or_else(|| "no reason is given".to_owned()))
        }
        Answer::Refused(message) => format!("refused: {message}"),
        Answer::Failed(message) => format!("failed: {message}"),
    }
}
