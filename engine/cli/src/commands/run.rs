//! `viewfold run`

use super::load_one;
use super::test::with_schemas;
use crate::arguments::{Run, RunFormat};
use crate::events::{self, Invocation};
use crate::fold::{Folded, Place, fold};
use crate::output::{Failure, Outcome, count, known_by, note, print, printable, warn};
use crate::watch::{self, Watched};
use crate::{documents, store};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::path::Path;
use viewfold_core::program::{Program, Table};
use viewfold_core::report::{Counts, Fate, Reason, Trouble};
use viewfold_core::tables::{Needed, Purpose, required};
use viewfold_dynamodb::tables;
use viewfold_value::{Item, Value};

/// Folds recorded events, and prints what happened and the documents.
pub(crate) fn run(arguments: &Run) -> Result<Outcome, Failure> {
    if !arguments.watch {
        return once(arguments);
    }
    if arguments.events.iter().any(|path| path == Path::new("-")) {
        return Err(Failure::wrong_use("--watch takes events from files: standard input is read once"));
    }
    let watched = || {
        let projections = arguments.paths.iter().flat_map(|path| with_schemas(path));
        Watched::default().and(projections).and(arguments.events.clone())
    };
    watch::repeat(watched, || once(arguments))
}

fn once(arguments: &Run) -> Result<Outcome, Failure> {
    let compiled = load_one(&arguments.paths, &arguments.store.prefix.table_prefix)?;
    warn(&compiled.warnings);
    let mut invocations = Vec::new();
    for path in &arguments.events {
        invocations.extend(events::read(path)?);
    }
    store::runtime()?.block_on(carry_out(arguments, &compiled.program, &invocations))
}

async fn carry_out(arguments: &Run, program: &Program, invocations: &[Invocation]) -> Result<Outcome, Failure> {
    let connection = store::connect(&arguments.store.place).await?;
    let needed = required(program);
    let aws = arguments.store.place.aws;
    // On AWS tables are made on purpose only, with `viewfold tables --create`.
    if !aws {
        for table in &needed {
            tables::create_if_missing(connection.store.client(), table).await.map_err(Failure::new)?;
        }
    }
    // On AWS the deployed functions read the streams of views.
    let mut folded = fold(program, &connection, invocations, !aws, arguments.now.as_deref()).await?;
    let mut views = Vec::new();
    for Needed { purpose, table, .. } in needed {
        if purpose == Purpose::Documents {
            let items = documents::read(&connection.store, program, &table, arguments.bookkeeping).await?;
            views.push((table, items));
        }
    }
    match arguments.format {
        RunFormat::Table => {
            for (place, trouble) in &folded.troubles {
                note(&describe(place, trouble));
            }
            let too_old = |(_, trouble): &(Place, Trouble)| trouble.reason == Some(Reason::OlderThanGuard);
            if arguments.now.is_none() && folded.troubles.iter().any(too_old) {
                note("(events were recorded longer ago than `keep_for`: --now TIME sets the clock to when they came)");
            }
            print(&summary(&folded, &views))?;
        }
        RunFormat::Json => print(&for_programs(&folded, &views)?)?,
    }
    if let Some(failure) = folded.stopped.take() {
        return Err(failure);
    }
    let held = folded.troubles.iter().any(|(_, trouble)| trouble.fate != Fate::Skipped);
    Ok(if held { Outcome::Findings } else { Outcome::Done })
}

/// A record that was not applied, in one line.
fn describe(place: &Place, trouble: &Trouble) -> String {
    let Trouble { record, sequence, projection, reason, message, fate, .. } = trouble;
    let what = match (reason, fate) {
        (Some(reason), Fate::DeadLetter) => format!("put into the dead letters ({})", reason.code()),
        (Some(reason), Fate::Skipped) => format!("skipped ({})", reason.code()),
        (Some(reason), Fate::ComesAgain) => format!("rejected ({})", reason.code()),
        (None, _) => "not applied".to_owned(),
    };
    let by = projection.as_ref().map(|name| format!(" by {name}")).unwrap_or_default();
    printable(&format!("{place}, record {record}, {}: {what}{by}: {message}", known_by(sequence)))
}

fn summary(total: &Folded, views: &[(Table, Vec<Item>)]) -> String {
    let batches = if total.batches == 1 { "1 batch".to_owned() } else { format!("{} batches", total.batches) };
    let mut text = format!("{} read in {batches}", count(total.events, "event"));
    if total.from_views > 0 {
        text += &format!(", {} more from views", total.from_views);
    }
    text += &format!(", {} sent\n", count(total.requests, "request"));
    let width = total.projections.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, counts) in &total.projections {
        let Counts { matched, applied, repeated, stale, waiting, rejected, failed, .. } = counts;
        text +=
            &format!("  {name:width$}  {matched} matched: {applied} applied, {repeated} repeated, {rejected} rejected");
        if *stale > 0 {
            text += &format!(", {stale} stale");
        }
        if *waiting > 0 {
            text += &format!(", {waiting} waiting among the dead letters");
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
    from_views: usize,
    requests: usize,
    projections: Map<String, Json>,
    troubles: Vec<Json>,
    documents: BTreeMap<&'a str, Vec<Value>>,
}

fn for_programs(total: &Folded, views: &[(Table, Vec<Item>)]) -> Result<String, Failure> {
    let projections = total.projections.iter().map(|(name, counts)| {
        let Counts { matched, applied, repeated, stale, waiting, rejected, failed, .. } = counts;
        let counts = json!({
            "matched": matched, "applied": applied, "repeated": repeated,
            "stale": stale, "waiting": waiting, "rejected": rejected, "failed": failed,
        });
        (name.clone(), counts)
    });
    let troubles = total.troubles.iter().map(|(place, trouble)| {
        let Trouble { record, sequence, projection, reason, message, fate, .. } = trouble;
        json!({
            "file": place.file, "event": place.event, "record": record, "sequence": sequence, "projection": projection,
            "reason": reason.map(|reason| reason.code()), "fate": fate.text(), "message": message,
        })
    });
    let documents = views.iter().map(|(table, items)| (&*table.name, items.iter().cloned().map(Value::Map).collect()));
    let report = ForPrograms {
        batches: total.batches,
        events: total.events,
        from_views: total.from_views,
        requests: total.requests,
        projections: projections.collect(),
        troubles: troubles.collect(),
        documents: documents.collect(),
    };
    serde_json::to_string_pretty(&report)
        .map(|text| text + "\n")
        .map_err(|error| Failure::new(format!("the report cannot be written: {error}")))
}
