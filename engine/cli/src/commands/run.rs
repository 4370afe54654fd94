//! `viewfold run`

use super::load;
use crate::arguments::{Run, RunFormat};
use crate::events::{self, Invocation};
use crate::output::{Failure, Outcome, count, note, print};
use crate::progress::Progress;
use crate::{documents, store};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use viewfold_core::program::{Program, Table};
use viewfold_core::report::{Counts, Report, Trouble};
use viewfold_core::tables::{Purpose, required};
use viewfold_dynamodb::{Limits, Store, execute, tables};
use viewfold_value::{Item, Value};

/// Folds recorded events, and prints what happened and the documents.
pub(crate) fn run(arguments: &Run) -> Result<Outcome, Failure> {
    let program =
        load(&arguments.paths, &arguments.store.table_prefix)?.map_err(|findings| Failure::findings(&findings))?;
    let mut invocations = Vec::new();
    for path in &arguments.events {
        invocations.extend(events::read(path)?);
    }
    store::runtime()?.block_on(fold(arguments, &program, &invocations))
}

async fn fold(arguments: &Run, program: &Program, invocations: &[Invocation]) -> Result<Outcome, Failure> {
    let store = store::connect(&arguments.store.place).await?;
    let needed = required(program);
    // On AWS tables are made on purpose only, with `viewfold tables --create`.
    if !arguments.store.place.aws {
        for (_, table) in &needed {
            tables::create_if_missing(store.client(), table).await.map_err(Failure::new)?;
        }
    }
    let total = carry_out(program, &store, invocations).await?;
    let mut views = Vec::new();
    for (purpose, table) in needed {
        if purpose == Purpose::Documents {
            let items = documents::read(&store, &table, arguments.bookkeeping).await?;
            views.push((table, items));
        }
    }
    match arguments.format {
        RunFormat::Table => {
            for (file, trouble) in &total.troubles {
                note(&describe(file, trouble));
            }
            print(&summary(&total, &views))?;
        }
        RunFormat::Json => print(&for_programs(&total, &views)?)?,
    }
    Ok(if total.troubles.is_empty() { Outcome::Done } else { Outcome::Findings })
}

/// What became of all invocations together.
#[derive(Default)]
struct Total {
    batches: usize,
    records: usize,
    requests: usize,
    projections: Vec<(String, Counts)>,
    /// Each with the file of its invocation.
    troubles: Vec<(String, Trouble)>,
}

impl Total {
    fn add(&mut self, file: &str, report: Report) {
        self.batches += 1;
        self.records += report.records;
        self.requests += report.requests;
        if self.projections.is_empty() {
            self.projections = report.projections.iter().map(|(name, _)| (name.clone(), Counts::default())).collect();
        }
        for ((_, sum), (_, counts)) in self.projections.iter_mut().zip(&report.projections) {
            *sum += *counts;
        }
        self.troubles.extend(report.troubles.into_iter().map(|trouble| (file.to_owned(), trouble)));
    }
}

async fn carry_out(program: &Program, store: &Store, invocations: &[Invocation]) -> Result<Total, Failure> {
    let mut total = Total::default();
    let progress = Progress::new(invocations.len());
    for (number, invocation) in invocations.iter().enumerate() {
        let payload = invocation.payload.get().as_bytes();
        let report = execute(program, payload, store, Limits::default())
            .await
            .map_err(|error| Failure::new(format!("{}: event {}: {error}", invocation.file, number + 1)))?;
        total.add(&invocation.file, report);
        progress.advance(1);
    }
    Ok(total)
}

/// A record that was not applied, in one line.
fn describe(file: &str, trouble: &Trouble) -> String {
    let Trouble { record, sequence, projection, reason, message } = trouble;
    let what = match reason {
        Some(reason) => format!("rejected ({})", reason.code()),
        None => "not applied".to_owned(),
    };
    let by = projection.as_ref().map(|name| format!(" by {name}")).unwrap_or_default();
    format!("{file}: record {record}, sequence number {sequence}: {what}{by}: {message}")
}

fn summary(total: &Total, views: &[(Table, Vec<Item>)]) -> String {
    let mut text = format!(
        "{} read in {}, {} sent\n",
        count(total.records, "event"),
        if total.batches == 1 { "1 batch".to_owned() } else { format!("{} batches", total.batches) },
        count(total.requests, "request"),
    );
    let width = total.projections.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, counts) in &total.projections {
        let Counts { matched, applied, repeated, stale, rejected, failed } = counts;
        text +=
            &format!("  {name:width$}  {matched} matched: {applied} applied, {repeated} repeated, {rejected} rejected");
        if *stale > 0 {
            text += &format!(", {stale} stale");
        }
        if *failed > 0 {
            text += &format!(", {failed} not applied");
        }
        text += "\n";
    }
    for (table, items) in views {
        text += "\n";
        text += &documents::show(table, items);
    }
    text
}

/// The report for programs. Documents keep every digit of their numbers.
#[derive(Serialize)]
struct ForPrograms<'a> {
    batches: usize,
    events: usize,
    requests: usize,
    projections: Map<String, Json>,
    troubles: Vec<Json>,
    documents: BTreeMap<&'a str, Vec<Value>>,
}

fn for_programs(total: &Total, views: &[(Table, Vec<Item>)]) -> Result<String, Failure> {
    let projections = total.projections.iter().map(|(name, counts)| {
        let Counts { matched, applied, repeated, stale, rejected, failed } = counts;
        let counts = json!({
            "matched": matched, "applied": applied, "repeated": repeated,
            "stale": stale, "rejected": rejected, "failed": failed,
        });
        (name.clone(), counts)
    });
    let troubles = total.troubles.iter().map(|(file, Trouble { record, sequence, projection, reason, message })| {
        json!({
            "file": file, "record": record, "sequence": sequence, "projection": projection,
            "reason": reason.map(|reason| reason.code()), "message": message,
        })
    });
    let documents = views.iter().map(|(table, items)| (&*table.name, items.iter().cloned().map(Value::Map).collect()));
    let report = ForPrograms {
        batches: total.batches,
        events: total.records,
        requests: total.requests,
        projections: projections.collect(),
        troubles: troubles.collect(),
        documents: documents.collect(),
    };
    serde_json::to_string_pretty(&report)
        .map(|text| text + "\n")
        .map_err(|error| Failure::new(format!("the report cannot be written: {error}")))
}
