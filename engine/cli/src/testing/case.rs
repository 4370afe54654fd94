//! One case: its plain run, in an embedded DynamoDB of its own, and its runs under schedules, each in another one.

use super::again;
use super::difference;
use super::files::Loaded;
use super::record::{Record, Records};
use crate::events::{self, Invocation};
use crate::fold::fold;
use crate::output::Failure;
use crate::store::{Connection, connect_embedded};
use serde_json::value::RawValue;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use viewfold_core::plan::{Action, Answer, Put, Request};
use viewfold_core::program::{Guard, Program, Table};
use viewfold_core::report::Fate;
use viewfold_core::tables::{Needed, Purpose, required};
use viewfold_dynamodb::tables;
use viewfold_spec::test_file::Case;
use viewfold_spec::{Code, Diagnostic, Spanned};
use viewfold_value::{Item, Value};

/// The engine's clock in tests: an hour behind the first event that has no `time` of its own.
pub(super) const CLOCK: &str = "2026-01-01T01:00:00Z";

/// What became of a case.
#[derive(Default)]
pub(crate) struct Verdict {
    /// How it differs from what is expected, a line each.
    pub(crate) differences: Vec<String>,
    /// How many schedules it was run under.
    pub(crate) schedules: usize,
}

/// What the runs of a case share.
pub(super) struct Run<'a> {
    records: Records<'a>,
    pub(super) case: &'a Case,
    needed: &'a [Needed],
    /// The tables of documents.
    pub(super) views: Vec<&'a Table>,
    /// The number of the event of each record, by its sequence number.
    numbers: HashMap<String, usize>,
}

/// Runs a case, and where it holds, under as many schedules as are asked for.
pub(crate) async fn run(
    loaded: &Loaded,
    case: &Case,
    program: &Program,
    any_order: &HashSet<String>,
    most_schedules: usize,
) -> Result<Verdict, Failure> {
    let records = Records { loaded, program };
    if case.documents.is_none() && case.contains.is_none() && case.dead_letters.is_none() {
        let finding = Diagnostic::error(
            Code::MissingKey,
            &loaded.source,
            case.name.span,
            "the case expects nothing of its events",
        );
        return Err(Failure::findings(&[finding.help("give it `documents`, `contains` or `dead_letters`")]));
    }
    let needed = required(program);
    let documents = needed.iter().filter(|needed| needed.purpose == Purpose::Documents);
    let views = documents.map(|needed| &needed.table).collect();
    let mut run = Run { records, case, needed: &needed, views, numbers: HashMap::new() };
    let connection = run.prepare().await?;
    let (invocations, numbers) = invocations(&run.records, case)?;
    run.numbers = numbers;
    let folded = fold(program, &connection, &invocations, true, Some(CLOCK)).await?;
    if let Some(failure) = folded.stopped {
        return Err(failure);
    }
    let mut differences = Vec::new();
    for (place, trouble) in &folded.troubles {
        if trouble.fate == Fate::ComesAgain {
            let by = trouble.projection.as_deref().unwrap_or("every projection");
            differences.push(format!("{place}, record {}: not applied by {by}: {}", trouble.record, trouble.message));
        }
    }
    differences.extend(tables_differ(&run.records, case, &run.views, &connection).await?);
    let letters = run.letters(&connection).await?;
    // A case that does not speak of dead letters may have some; where it fails, they are probably why.
    if case.dead_letters.is_some() || !differences.is_empty() {
        differences.extend(letters_differ(case, letters.clone()));
    }
    if !differences.is_empty() || most_schedules == 0 {
        return Ok(Verdict { differences, schedules: 0 });
    }
    let plain = run.outcome(&connection).await?;
    again::run(&run, &plain, &invocations, any_order, most_schedules).await
}

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
    async fn letters(&self, connection: &Connection) -> Result<Vec<(Letter, String)>, Failure> {
        let Some(table) = self.needed.iter().find(|needed| needed.purpose == Purpose::DeadLetters) else {
            return Ok(Vec::new());
        };
        let rows = connection.store.scan(&table.table.name).await.map_err(Failure::new)?;
        let text = |row: &Item, name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let letters = rows.iter().map(|row| {
            let event = self.numbers.get(&text(row, "sequence")).copied();
            ((event, text(row, "projection"), text(row, "reason")), text(row, "message"))
        });
        let mut letters: Vec<(Letter, String)> = letters.collect();
        letters.sort();
        Ok(letters)
    }
}

/// Puts the items that are there before.
async fn give(records: &Records<'_>, case: &Case, views: &[&Table], connection: &Connection) -> Result<(), Failure> {
    for (name, items) in case.given.iter().flatten() {
        let table = table(records, name, views)?;
        for literal in &items.value {
            let item = records.item(literal)?;
            let put = Put { table: Arc::clone(&table.name), item, condition: None, names: vec![], values: vec![] };
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

fn table<'t>(records: &Records<'_>, name: &Spanned<String>, views: &[&'t Table]) -> Result<&'t Table, Failure> {
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

/// The case's events as invocations, one for each run of events of one stream, and the number of the event of each record.
fn invocations(records: &Records<'_>, case: &Case) -> Result<(Vec<Invocation>, HashMap<String, usize>), Failure> {
    let mut invocations = Vec::new();
    let mut numbers = HashMap::new();
    let mut open: Vec<Record> = Vec::new();
    let close = |open: &mut Vec<Record>, invocations: &mut Vec<Invocation>| -> Result<(), Failure> {
        if open.is_empty() {
            return Ok(());
        }
        let texts: Vec<String> = open.drain(..).map(|record| record.text).collect();
        let payload = RawValue::from_string(format!("{{\"Records\":[{}]}}", texts.join(",")))
            .map_err(|error| Failure::new(format!("the events are no JSON: {error}")))?;
        let number = invocations.len() + 1;
        invocations.push(Invocation { file: records.loaded.source.name.clone(), number, payload });
        Ok(())
    };
    for (at, event) in case.events.iter().enumerate() {
        if let Some(file) = &event.file {
            close(&mut open, &mut invocations)?;
            invocations.extend(events::read(&records.loaded.folder.join(&file.value))?);
            continue;
        }
        let record = records.record(event, at + 1)?;
        if open.last().is_some_and(|before| before.stream != record.stream) {
            close(&mut open, &mut invocations)?;
        }
        numbers.entry(record.sequence.clone()).or_insert(record.event);
        open.push(record);
    }
    close(&mut open, &mut invocations)?;
    Ok((invocations, numbers))
}

async fn tables_differ(
    records: &Records<'_>,
    case: &Case,
    views: &[&Table],
    connection: &Connection,
) -> Result<Vec<String>, Failure> {
    let mut differences = Vec::new();
    for (tables, whole) in [(&case.documents, true), (&case.contains, false)] {
        for (name, items) in tables.iter().flatten() {
            let table = table(records, name, views)?;
            let expected: Vec<Item> = items.iter().map(|item| records.item(item)).collect::<Result<_, _>>()?;
            for (number, (item, literal)) in expected.iter().zip(&items.value).enumerate() {
                let key = |item: &Item| -> Vec<Option<Value>> {
                    table.keys().map(|key| item.get(&key.name).cloned()).collect()
                };
                let message = if key(item).contains(&None) {
                    "the document has no key: every key attribute of its table"
                } else if expected[..number].iter().any(|other| key(other) == key(item)) {
                    "a document of this key stands here twice"
                } else {
                    continue;
                };
                let finding = Diagnostic::error(Code::WrongForm, &records.loaded.source, literal.span, message);
                return Err(Failure::findings(&[finding]));
            }
            let found = crate::documents::read(&connection.store, records.program, table, false).await?;
            let ignored = records.program.bookkeeping(&table.name);
            differences.extend(difference::of_table(table, &expected, &found, whole, &ignored));
        }
    }
    Ok(differences)
}

/// What a dead letter of a case is known by: the number of its event, its projection and its reason.
pub(super) type Letter = (Option<usize>, String, String);

/// How dead letters, each with its message, differ from those that there have to be.
fn letters_differ(case: &Case, mut found: Vec<(Letter, String)>) -> Vec<String> {
    let mut differences = Vec::new();
    for expected in case.dead_letters.iter().flat_map(|letters| letters.value.iter()) {
        let event = expected.event.as_ref().and_then(|event| usize::try_from(event.value).ok());
        let is_it = |((number, projection, reason), _): &(Letter, String)| {
            (expected.event.is_none() || *number == event)
                && expected.projection.as_ref().is_none_or(|name| name.value == *projection)
                && expected.reason.as_ref().is_none_or(|code| code.value == *reason)
        };
        match found.iter().position(is_it) {
            Some(at) => drop(found.remove(at)),
            None => {
                let shown = [
                    expected.event.as_ref().map(|event| format!("event {}", event.value)),
                    expected.projection.as_ref().map(|name| format!("projection {}", name.value)),
                    expected.reason.as_ref().map(|code| format!("reason {}", code.value)),
                ];
                let shown: Vec<String> = shown.into_iter().flatten().collect();
                differences.push(format!("there is no dead letter of {}", shown.join(", ")));
            }
        }
    }
    let what = if case.dead_letters.is_some() { "a dead letter was not expected" } else { "there is a dead letter" };
    for ((event, projection, reason), message) in found {
        let event = event.map_or_else(String::new, |event| format!("event {event}, "));
        differences.push(format!("{what}: {event}projection {projection}, reason {reason}: {message}"));
    }
    differences
}
