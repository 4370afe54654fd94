//! The guards that would be sound for a projection, each with what the same events cost under it.
//!
//! Whether a guard is sound is asked of the compiler: the file is compiled with that guard in the place of its own. What it
//! costs is measured: the events are carried out under it.

use super::carry::Desk;
use super::words::guard_name;
use crate::output::Failure;
use crate::progress::Progress;
use crate::store::connect_embedded;
use std::collections::BTreeMap;
use std::sync::Arc;
use viewfold_core::compile::{File, Options, compile};
use viewfold_core::decode::envelope;
use viewfold_core::program::{Program, StreamIdentity};
use viewfold_core::report::Counts;
use viewfold_dynamodb::cost::Cost;
use viewfold_spec::diagnostic::Severity;
use viewfold_spec::projection::Guard;
use viewfold_spec::{Literal, Source, Spanned, parse};

/// The most records that guards are compared on.
pub(crate) const MAX_RECORDS: usize = 200;

/// The records of a batch: what Lambda takes from a stream unless told otherwise.
const BATCH: usize = 100;

/// The guards of a projection, compared.
pub(crate) struct Compared {
    /// The projection's number in the program.
    pub(crate) projection: usize,
    /// The events that its rules matched.
    pub(crate) events: usize,
    pub(crate) guards: Vec<Compare>,
    /// Whether there were more records than were taken.
    pub(crate) is_cut: bool,
}

/// One guard.
pub(crate) struct Compare {
    /// The guard as it is written.
    pub(crate) name: String,
    /// Whether it is the projection's own.
    pub(crate) yours: bool,
    /// What the events cost under it, or why it would not be sound.
    pub(crate) measured: Result<Measured, String>,
}

/// What the same events cost, alone and together.
#[derive(Clone, Copy)]
pub(crate) struct Measured {
    /// Each as a batch of its own.
    pub(crate) alone: Cost,
    /// In batches of 100, as far as they come from one stream and shard.
    pub(crate) batched: Cost,
    /// How many of them were applied, each as a batch of its own: late events may be lost, repeated ones count again.
    pub(crate) applied: usize,
}

/// A record, for batches: which stream and shard it is of, and its text.
type Record = ((StreamIdentity, String), String);

/// Compares the guards of a projection on the invocations that were told of.
pub(crate) async fn compare(
    files: &[File],
    options: &Options,
    program: &Program,
    projection: usize,
    invocations: &[String],
    now: &Arc<str>,
) -> Result<Compared, Failure> {
    let all = records(program, projection, invocations)?;
    let is_cut = all.len() > MAX_RECORDS;
    let records = &all[..all.len().min(MAX_RECORDS)];
    let mut compared = Compared { projection, events: 0, guards: Vec::new(), is_cut };
    let own = kind(&files[projection].projection.guard.value);
    let candidates = candidates(&files[projection]);
    let progress = Progress::new((candidates.len() + 1) * records.len() * 2, "records under other guards");
    let (measured, events) = measure(program, projection, records, now, &progress).await?;
    compared.events = events;
    let name = guard_name(&program.projections[projection].sources[0]);
    compared.guards.push(Compare { name, yours: true, measured: Ok(measured) });
    for (which, text) in candidates {
        if which == own {
            continue;
        }
        let (name, measured) = match with_guard(files, projection, &text, options) {
            Ok(program) => {
                let (measured, _) = measure(&program, projection, records, now, &progress).await?;
                (guard_name(&program.projections[projection].sources[0]), Ok(measured))
            }
            Err(why) => (which.name().to_owned(), Err(why)),
        };
        compared.guards.push(Compare { name, yours: false, measured });
    }
    Ok(compared)
}

/// The kinds of guards.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    None,
    Document,
    Shard,
    Lane,
    Events,
    Ordered,
}

impl Which {
    const fn name(self) -> &'static str {
        match self {
            Which::None => "none",
            Which::Document => "last_event_id: document",
            Which::Shard => "last_event_id: shard",
            Which::Lane => "last_event_id: lane",
            Which::Events => "events_table",
            Which::Ordered => "events_table with order_by",
        }
    }
}

fn kind(guard: &Guard) -> Which {
    use viewfold_spec::projection::MarkPlace;
    match guard {
        Guard::None => Which::None,
        Guard::LastEventId(last) => match last.place {
            MarkPlace::Document => Which::Document,
            MarkPlace::Shard => Which::Shard,
            MarkPlace::Lane => Which::Lane,
        },
        Guard::EventsTable(table) if table.order_by.is_some() => Which::Ordered,
        Guard::EventsTable(_) => Which::Events,
    }
}

/// Every guard that could be written, with what the file's own says of ids and order.
fn candidates(file: &File) -> Vec<(Which, String)> {
    let (order_by, id) = match &file.projection.guard.value {
        Guard::None => (None, None),
        Guard::LastEventId(last) => (last.order_by.as_ref(), None),
        Guard::EventsTable(table) => (table.order_by.as_ref(), table.id.as_ref()),
    };
    let entry = |name: &str, literal: Option<&Spanned<Literal>>| match literal.map(|literal| &literal.value) {
        // A JSON string is one of YAML.
        Some(Literal::Text(text)) => format!(", {name}: {}", serde_json::Value::from(text.as_str())),
        _ => String::new(),
    };
    let (order_by, id) = (entry("order_by", order_by), entry("id", id));
    let mut all = vec![
        (Which::None, "none".to_owned()),
        (Which::Document, format!("{{ last_event_id: document{order_by} }}")),
        (Which::Shard, format!("{{ last_event_id: shard{order_by} }}")),
        (Which::Lane, format!("{{ last_event_id: lane{order_by} }}")),
        (Which::Events, format!("{{ events_table: viewfold_events{id} }}")),
    ];
    // What orders events is a value of the payload that only its author knows.
    if !order_by.is_empty() {
        all.push((Which::Ordered, format!("{{ events_table: viewfold_events{id}{order_by} }}")));
    }
    all
}

/// The deployment with another guard in one of its files.
///
/// # Errors
///
/// Why that guard would not be sound.
fn with_guard(files: &[File], projection: usize, guard: &str, options: &Options) -> Result<Program, String> {
    let mut files = files.to_vec();
    let file = &mut files[projection];
    let (text, span) = (&file.source.text, file.projection.guard.span);
    let end = span.start + text[span.start..span.end].trim_end().len();
    let text = format!("{}{guard}{}", &text[..span.start], &text[end..]);
    let source = Arc::new(Source { name: file.source.name.clone(), text });
    let first = |findings: Vec<viewfold_spec::Diagnostic>| {
        let error = findings.into_iter().find(|finding| finding.severity == Severity::Error);
        error.map_or_else(String::new, |error| format!("{} ({})", error.message, error.code.text()))
    };
    file.projection = parse(&source).map_err(first)?;
    file.source = source;
    compile(&files, options).map(|compiled| compiled.program).map_err(first)
}

/// The records of the streams that a projection reads.
fn records(program: &Program, projection: usize, invocations: &[String]) -> Result<Vec<Record>, Failure> {
    let mut all = Vec::new();
    for payload in invocations {
        let records = envelope::records(payload.as_bytes()).map_err(|error| Failure::new(error.to_string()))?;
        for record in records {
            let stream = program.stream(&record.origin.stream);
            let reads = |stream: usize| program.streams[stream].readers.iter().any(|(reader, _)| *reader == projection);
            if stream.is_some_and(reads) {
                let shard = record.event_id.rsplit_once(':').map_or("", |(shard, _)| shard).to_owned();
                all.push(((record.origin.stream.clone(), shard), String::from_utf8_lossy(record.text).into_owned()));
            }
        }
    }
    Ok(all)
}

/// What records cost under a program, and the events of them that the projection's rules matched.
async fn measure(
    program: &Program,
    projection: usize,
    records: &[Record],
    now: &Arc<str>,
    progress: &Progress,
) -> Result<(Measured, usize), Failure> {
    let alone: Vec<Vec<&str>> = records.iter().map(|(_, text)| vec![text.as_str()]).collect();
    let (alone, counts) = carry(program, projection, &alone, now, progress).await?;
    let mut by_shard: BTreeMap<&(StreamIdentity, String), Vec<&str>> = BTreeMap::new();
    for (shard, text) in records {
        by_shard.entry(shard).or_default().push(text);
    }
    let batches: Vec<Vec<&str>> =
        by_shard.values().flat_map(|texts| texts.chunks(BATCH).map(<[&str]>::to_vec)).collect();
    let (batched, _) = carry(program, projection, &batches, now, progress).await?;
    Ok((Measured { alone, batched, applied: counts.applied }, counts.matched))
}

/// What batches cost a projection on a store of its own.
async fn carry(
    program: &Program,
    projection: usize,
    batches: &[Vec<&str>],
    now: &Arc<str>,
    progress: &Progress,
) -> Result<(Cost, Counts), Failure> {
    let desk = Desk::new(program, connect_embedded(None).await?, now).await?;
    let (mut cost, mut sum) = (Cost::default(), Counts::default());
    for batch in batches {
        let (sent, report) = desk.carry(&format!("{{\"Records\":[{}]}}", batch.join(","))).await?;
        for one in sent.iter().filter(|one| one.projection == Some(projection)) {
            cost += one.cost;
        }
        sum += report.projections.get(projection).map(|(_, counts)| *counts).unwrap_or_default();
        progress.advance(batch.len());
    }
    Ok((cost, sum))
}
