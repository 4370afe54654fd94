//! One case: its plain run, in an embedded DynamoDB of its own, and its runs under schedules, each in another one.

use super::again;
use super::difference;
use super::files::Loaded;
use super::record::{Record, Records};
use super::scene::{CLOCK, Letter, NO_KEY, Run, Verdict, table};
use crate::events::{self, Invocation};
use crate::fold::fold;
use crate::output::Failure;
use crate::store::Connection;
use serde_json::value::RawValue;
use std::collections::{HashMap, HashSet};
use viewfold_core::program::{Program, Table};
use viewfold_core::report::Fate;
use viewfold_core::tables::{Purpose, required};
use viewfold_spec::test_file::Case;
use viewfold_spec::{Code, Diagnostic};
use viewfold_value::{Item, Value};

/// How a case is run.
pub(crate) struct Way<'a> {
    pub(crate) program: &'a Program,
    /// The projections of which a rule says `any_order: true`.
    pub(crate) any_order: &'a HashSet<String>,
    /// The most schedules.
    pub(crate) schedules: usize,
}

/// Whether a case says nothing of what its events have to make.
pub(crate) fn expects_nothing(case: &Case) -> bool {
    case.documents.is_none() && case.contains.is_none() && case.dead_letters.is_none()
}

/// Runs a case, and where it holds, under as many schedules as are asked for.
pub(crate) async fn run(loaded: &Loaded, case: &Case, way: &Way<'_>) -> Result<Verdict, Failure> {
    let program = way.program;
    let records = Records { loaded, program };
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
    let letters = run.letters(&connection).await?;
    for (place, trouble) in &folded.troubles {
        if trouble.fate == Fate::ComesAgain {
            let by = trouble.projection.as_deref().unwrap_or("every projection");
            differences.push(format!("{place}, record {}: not applied by {by}: {}", trouble.record, trouble.message));
        }
    }
    // What comes again is still to be applied: the tables are not what the events make.
    let done = differences.is_empty();
    if expects_nothing(case) {
        differences.push("the case expects nothing of its events".to_owned());
    }
    differences.extend(tables_differ(&run.records, case, &run.views, &connection).await?);
    let found = if done { Some(run.found(&connection, &letters).await?) } else { None };
    // A case that does not speak of dead letters may have some; where it fails, they are probably why.
    if case.dead_letters.is_some() || !differences.is_empty() {
        differences.extend(letters_differ(case, letters));
    }
    if !differences.is_empty() {
        return Ok(Verdict { differences, found, ..Verdict::default() });
    }
    if way.schedules == 0 {
        return Ok(Verdict::default());
    }
    let plain = run.outcome(&connection).await?;
    again::run(&run, &plain, &invocations, way.any_order, way.schedules).await
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
                    NO_KEY
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
