//! What the runs of a case share: what is there before, what is looked at afterwards.

use super::kind::Kind;
use super::record::Records;
use super::schedule::Sort;
use crate::output::Failure;
use crate::store::{Connection, connect_embedded};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use viewfold_core::dead_letter;
use viewfold_core::plan::{Action, Answer, Put, Request};
use viewfold_core::program::{Guard, Program, Table};
use viewfold_core::tables::{Needed, Purpose};
use viewfold_dynamodb::tables;
use viewfold_spec::test_file::Case;
use viewfold_spec::{Code, Diagnostic, Spanned};
use viewfold_value::Item;

/// The engine's clock in tests: an hour behind the first event that has no `time` of its own.
pub(super) const CLOCK: &str = "2026-01-01T01:00:00Z";

/// What became of a case.
#[derive(Default)]
pub(crate) struct Verdict {
    /// How it differs from what is expected, a line each.
    pub(crate) differences: Vec<String>,
    pub(crate) schedules: Tally,
    /// What the plain run left behind, where that alone is what differs.
    pub(crate) found: Option<Found>,
}

/// The schedules that a case was run under.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) ran: BTreeMap<Sort, usize>,
    /// The kinds that it was not run under, as its guards promise nothing there, and why.
    pub(crate) left_out: Vec<(Kind, BTreeSet<&'static str>)>,
    /// The projections that were not compared under the schedules of a kind that others were compared under, and why.
    pub(crate) not_compared: Vec<(Kind, String, &'static str)>,
}

impl Tally {
    /// How many they were.
    pub(crate) fn total(&self) -> usize {
        self.ran.values().sum()
    }
}

/// What a plain run left behind.
pub(crate) struct Found {
    /// The tables of documents, each with its items and the attributes that are no part of a document unless a case names
    /// them.
    pub(crate) tables: Vec<(Table, Vec<Item>, Vec<String>)>,
    pub(crate) letters: Vec<Letter>,
}

/// What the runs of a case share.
pub(super) struct Run<'a> {
    pub(super) records: Records<'a>,
    pub(super) case: &'a Case,
    pub(super) needed: &'a [Needed],
    /// The tables of documents.
    pub(super) views: Vec<&'a Table>,
    /// The number of the event of each record, by its sequence number.
    pub(super) numbers: HashMap<String, usize>,
}

/// What a dead letter of a case is known by: the number of its event, its projection and its reason.
pub(crate) type Letter = (Option<usize>, String, String);

/// What a run leaves behind.
pub(super) struct Outcome {
    /// The documents of each table, without marks: an event that changes nothing need not move one.
    pub(super) documents: Vec<Vec<Item>>,
    pub(super) letters: BTreeSet<Letter>,
}

impl Run<'_> {
    pub(super) fn program(&self) -> &Program {
        self.records.program
    }

    /// A DynamoDB with what is there before.
    pub(super) async fn prepare(&self) -> Result<Connection, Failure> {
        let connection = connect_embedded(None).await?;
        for table in self.needed {
            tables::create_if_missing(connection.store.client(), table).await.map_err(Failure::new)?;
        }
        give(&self.records, self.case, &self.views, &connection).await?;
        Ok(connection)
    }

    /// What is in the tables, for the case that is to say so.
    pub(super) async fn found(&self, connection: &Connection, letters: &[(Letter, String)]) -> Result<Found, Failure> {
        let mut tables = Vec::new();
        for table in &self.views {
            let items = crate::documents::read(&connection.store, self.program(), table, false).await?;
            let ignored = self.program().bookkeeping(&table.name).into_iter().map(str::to_owned).collect();
            tables.push(((*table).clone(), items, ignored));
        }
        Ok(Found { tables, letters: letters.iter().map(|(letter, _)| letter.clone()).collect() })
    }

    pub(super) async fn outcome(&self, connection: &Connection) -> Result<Outcome, Failure> {
        let mut documents = Vec::new();
        for table in &self.views {
            let mut found = crate::documents::read(&connection.store, self.program(), table, false).await?;
            let writers = self.program().projections.iter().filter(|projection| projection.table.name == table.name);
            for source in writers.flat_map(|projection| &projection.sources) {
                let Guard::Document { attribute, .. } = &source.guard else { continue };
                for item in &mut found {
                    item.remove(attribute);
                }
            }
            documents.push(found);
        }
        let letters = self.letters(connection).await?.into_iter().map(|(letter, _)| letter).collect();
        Ok(Outcome { documents, letters })
    }

    /// The dead letters, each with its message.
    pub(super) async fn letters(&self, connection: &Connection) -> Result<Vec<(Letter, String)>, Failure> {
        let Some(table) = self.needed.iter().find(|needed| needed.purpose == Purpose::DeadLetters) else {
            return Ok(Vec::new());
        };
        let rows = connection.store.scan(&table.table.name).await.map_err(Failure::new)?;
        let letters = rows.into_iter().filter_map(dead_letter::Letter::of).map(|letter| {
            let text = |name: &str| letter.column(name).to_owned();
            let event = self.numbers.get(letter.column("sequence")).copied();
            ((event, text("projection"), text("reason")), text("message"))
        });
        let mut letters: Vec<(Letter, String)> = letters.collect();
        letters.sort();
        Ok(letters)
    }
}

/// What is said of an item of a case without its key.
pub(super) const NO_KEY: &str = "the document has no key: every key attribute of its table";

/// Puts the items that are there before.
async fn give(records: &Records<'_>, case: &Case, views: &[&Table], connection: &Connection) -> Result<(), Failure> {
    for (name, items) in case.given.iter().flatten() {
        let table = table(records, name, views)?;
        for literal in &items.value {
            let item = records.item(literal)?;
            if table.keys().any(|key| !item.contains_key(&key.name)) {
                let finding = Diagnostic::error(Code::WrongForm, &records.loaded.source, literal.span, NO_KEY);
                return Err(Failure::findings(&[finding]));
            }
            let put = Put { table: Arc::clone(&table.name), item: item.into(), form: Arc::default(), values: vec![] };
            match connection.store.send(&Request::Write(Action::Put(put))).await {
                Answer::Done => {}
                Answer::Refused(message) | Answer::Failed(message) => {
                    let finding = Diagnostic::error(Code::WrongForm, &records.loaded.source, literal.span, message);
                    return Err(Failure::findings(&[finding.help("an item has all key attributes of its table")]));
                }
                other => return Err(Failure::new(format!("the item could not be put: {other:?}"))),
            }
        }
    }
    Ok(())
}

/// The table of documents of this name.
pub(super) fn table<'t>(
    records: &Records<'_>,
    name: &Spanned<String>,
    views: &[&'t Table],
) -> Result<&'t Table, Failure> {
    views.iter().find(|table| *table.name == *name.value).copied().ok_or_else(|| {
        let names: Vec<&str> = views.iter().map(|table| &*table.name).collect();
        let message = format!("`{}` is no table of these projections", name.value);
        let finding = Diagnostic::error(Code::UnknownName, &records.loaded.source, name.span, message);
        Failure::findings(&[finding.help(match viewfold_spec::suggest::nearest(&name.value, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", viewfold_spec::suggest::list(names)),
        })])
    })
}
