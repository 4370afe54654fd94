//! `viewfold backfill`

mod stream;

use super::load_one;
use crate::arguments::lifecycle::{Backfill, Limits};
use crate::arguments::{Format, Where};
use crate::backfilling::ask::ask;
use crate::backfilling::carry::Carrier;
use crate::backfilling::chosen::{self, Table};
use crate::backfilling::destination::{Destination, found, items_of};
use crate::backfilling::estimate;
use crate::backfilling::files::Files;
use crate::backfilling::read::{Segments, read};
use crate::backfilling::state::{Done, Kept};
use crate::output::{Failure, Outcome, count, note, print, warn};
use crate::progress::Progress;
use crate::store::{self, Connection};
use serde_json::json;
use std::path::PathBuf;
use viewfold_core::program::Program;
use viewfold_core::tables::required;
use viewfold_dynamodb::cost::{Cost, PRICES};
use viewfold_dynamodb::tables::create_if_missing;

/// Fills views with the items of the tables that they read, with what Kinesis streams still retain, or with history out of
/// files.
pub(crate) fn run(arguments: &Backfill) -> Result<Outcome, Failure> {
    let compiled = load_one(&arguments.paths, &arguments.store.prefix.table_prefix)?;
    warn(&compiled.warnings);
    let program = chosen::chosen(compiled.program, &arguments.projection)?;
    let tables = chosen::tables(&program);
    if arguments.from_stream {
        stream::check(&program, &arguments.store.place)?;
    } else if arguments.from.is_empty() {
        if tables.is_empty() {
            return Err(Failure::wrong_use(
                "none of these projections reads a DynamoDB table; what came through a Kinesis stream is filled by --from-stream as \
                 far as the stream retains it, and from files by --from PATH",
            ));
        }
        chosen::check(&program, &tables, arguments.items_as_inserts)?;
        chosen::tell_left_out(&program);
    }
    if arguments.from_stream || !arguments.from.is_empty() {
        for (name, view) in chosen::views_of_views(&program) {
            note(&format!(
                "{name} reads the view {view}, of which there are no events here: fill it behind this, with `--projection {name}` alone"
            ));
        }
    }
    store::runtime()?.block_on(async {
        let place = &arguments.store.place;
        let connection = store::connect_kept(place, "the tables are").await?;
        if !arguments.dry_run {
            prepare(&program, &connection, place.aws).await?;
        }
        match fill(arguments, &program, &connection, &tables).await? {
            Some(done) => report(arguments, done),
            None => Ok(Outcome::Done),
        }
    })
}

/// Fills the views; what was done, or nothing where it was only to be said what it would take.
pub(super) async fn fill(
    arguments: &Backfill,
    program: &Program,
    connection: &Connection,
    tables: &[Table],
) -> Result<Option<Done>, Failure> {
    if arguments.from_stream {
        return stream::fill(arguments, program, connection).await;
    }
    match arguments.from.is_empty() {
        true => from_tables(arguments, program, connection, tables).await,
        false => from_files(arguments, program, connection, tables).await,
    }
}

/// Sees to the tables that are written to. On AWS they are made on purpose only.
async fn prepare(program: &Program, connection: &Connection, aws: bool) -> Result<(), Failure> {
    for needed in required(program) {
        if !aws {
            create_if_missing(connection.store.client(), &needed).await.map_err(Failure::new)?;
        } else if found(connection, &needed.table.name).await?.is_none() {
            return Err(Failure::new(format!(
                "there is no table {}: deploy the projections first (`viewfold template`), or make it (`viewfold tables --create --aws`)",
                needed.table.name
            )));
        }
    }
    Ok(())
}

async fn from_tables(
    arguments: &Backfill,
    program: &Program,
    connection: &Connection,
    tables: &[Table],
) -> Result<Option<Done>, Failure> {
    let segments =
        arguments.segment.clone().unwrap_or(Segments { numbers: 0..arguments.segments, of: arguments.segments });
    let share = segments.numbers.len() as f64 / f64::from(segments.of);
    let mut sources = Vec::new();
    let mut cost = Cost::default();
    let mut lines = Vec::new();
    for table in tables {
        let found = found(connection, &table.name).await?.ok_or_else(|| {
            Failure::new(format!("there is no table {}, which {} reads", table.name, table.projections.join(", ")))
        })?;
        if found.view.is_none() {
            note(&format!(
                "{} has no stream that is switched on: what changes from now on does not reach its views",
                table.name
            ));
        }
        let estimate = estimate::of_table(program, table, &found);
        lines.push(estimate::in_words(table, &found, estimate));
        cost += estimate;
        sources.push((table, found));
    }
    if arguments.dry_run {
        dry_run(arguments, &lines, cost)?;
        return Ok(None);
    }
    lines.iter().for_each(|line| note(line));
    allowed(&arguments.limits, cost.dollars() * share)?;
    let mut kept = Kept::open(
        state_file(arguments, program),
        described(arguments, program, &of_tables(arguments)),
        arguments.restart,
    )?;
    told_where(&kept);
    let items: f64 = sources.iter().map(|(_, found)| found.items as f64 * share).sum();
    let progress = Progress::new(items as usize, "items");
    progress.advance(usize::try_from(kept.state.done.read).unwrap_or(usize::MAX));
    let mut carrier = Carrier::new(program, connection, arguments.limits.max_write_units, kept.state.done);
    for (table, found) in &sources {
        let positions = kept.state.tables.entry(found.arn.clone()).or_default().clone();
        let (read_units, store) = (arguments.limits.max_read_units, &connection.store);
        let mut pages = read(store, &table.name, found, &segments, &positions, read_units)?;
        while let Some(read) = pages.recv().await {
            let read = read.inspect_err(|_| resumes(&kept))?;
            let items = read.page.items.len();
            items_of(&mut carrier, found, read.page.items).await.inspect_err(|_| resumes(&kept))?;
            carrier.done.read_units += read.page.read_units;
            kept.state.done = carrier.done;
            kept.state.tables.entry(found.arn.clone()).or_default().insert(read.segment, read.position);
            kept.write()?;
            progress.advance(items);
        }
    }
    drop(progress);
    kept.finish();
    Ok(Some(carrier.done))
}

async fn from_files(
    arguments: &Backfill,
    program: &Program,
    connection: &Connection,
    tables: &[Table],
) -> Result<Option<Done>, Failure> {
    let files = Files::find(&arguments.from).map_err(|trouble| Failure::wrong_use(trouble.to_string()))?;
    if arguments.dry_run {
        let names: Vec<String> = files.paths().iter().map(|path| path.display().to_string()).collect();
        print(&match arguments.format {
            Format::Text => {
                let listed: String = names.iter().map(|name| format!("{name}\n")).collect();
                format!("{listed}{} with {} bytes\n", count(names.len(), "file"), files.bytes())
            }
            Format::Json => format!("{:#}\n", json!({ "files": names, "bytes": files.bytes() })),
        })?;
        return Ok(None);
    }
    let mut destination = Destination::of(program, connection, tables);
    destination.items_as_inserts = arguments.items_as_inserts;
    destination.yes = arguments.limits.yes;
    let mut kept = Kept::open(
        state_file(arguments, program),
        described(arguments, program, &of_files(arguments, &files)),
        arguments.restart,
    )?;
    told_where(&kept);
    destination.is_asked = kept.is_continued;
    let progress = Progress::bytes(files.bytes());
    let mut carrier = Carrier::new(program, connection, arguments.limits.max_write_units, kept.state.done);
    let mut entries = files.entries(kept.state.files.unwrap_or_default());
    let mut payloads = kept.state.payloads;
    while let Some(entry) = entries.next() {
        let (place, entry) = entry.inspect_err(|_| resumes(&kept))?;
        let done = destination.entry(&mut carrier, entry, &mut payloads).await;
        done.map_err(|failure| Failure { message: format!("{}: {}", files.show(place), failure.message), ..failure })
            .inspect_err(|_| resumes(&kept))?;
        if carrier.is_empty() {
            kept.state.files = Some(place.next());
            kept.state.payloads = payloads;
            kept.state.done = carrier.done;
            kept.write()?;
        }
        progress.reach(entries.bytes_read());
    }
    carrier.flush().await.inspect_err(|_| resumes(&kept))?;
    drop(progress);
    kept.finish();
    Ok(Some(carrier.done))
}

fn dry_run(arguments: &Backfill, lines: &[String], cost: Cost) -> Result<(), Failure> {
    match arguments.format {
        Format::Text => print(&lines.iter().map(|line| format!("{line}\n")).collect::<String>()),
        Format::Json => print(&format!(
            "{:#}\n",
            json!({ "at_most": { "read_units": cost.reads, "write_units": cost.writes, "dollars": cost.dollars() } })
        )),
    }
}

/// Asks where it may cost more than was said.
fn allowed(limits: &Limits, dollars: f64) -> Result<(), Failure> {
    if dollars <= limits.max_dollars {
        return Ok(());
    }
    let question = format!("this may cost {dollars:.2} dollars, more than --max-dollars {}", limits.max_dollars);
    ask(&question, limits.yes)
}

fn of_tables(arguments: &Backfill) -> String {
    match &arguments.segment {
        None => format!("tables in {} segments", arguments.segments),
        Some(segment) => format!("segment {} of {} of tables", segment.numbers.start + 1, segment.of),
    }
}

fn of_files(arguments: &Backfill, files: &Files) -> String {
    let paths: Vec<String> = arguments.from.iter().map(|path| path.display().to_string()).collect();
    // Where to go on is a file's number: with one more among them it would be in another file.
    format!("{} ({}, {})", paths.join(", "), count(files.paths().len(), "file"), files.digest())
}

/// What is filled, and from where: whoever goes on has to mean the same.
fn described(arguments: &Backfill, program: &Program, from: &str) -> String {
    let projections = program.projections.iter().map(|projection| format!("{} ({})", projection.name, projection.hash));
    let projections = projections.collect::<Vec<_>>().join(", ");
    let place = match &arguments.store.place {
        Where { aws: true, .. } => "AWS".to_owned(),
        Where { endpoint: Some(url), .. } => url.clone(),
        Where { db, .. } => db.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
    };
    format!("{projections} from {from}, at {place} with prefix '{}'", arguments.store.prefix.table_prefix)
}

/// The file that says how far it has come.
fn state_file(arguments: &Backfill, program: &Program) -> PathBuf {
    if let Some(path) = &arguments.state {
        return path.clone();
    }
    let name = program.projections.first().map(|projection| projection.name.as_str()).unwrap_or_default();
    let more = match program.projections.len() {
        0 | 1 => String::new(),
        number => format!("-and-{}-more", number - 1),
    };
    let segment = arguments.segment.as_ref();
    let segment =
        segment.map(|segment| format!("-{}-of-{}", segment.numbers.start + 1, segment.of)).unwrap_or_default();
    // This one stays when it is done, and is not to be in the way of the others.
    let stream = if arguments.from_stream { "-stream" } else { "" };
    PathBuf::from(format!("viewfold-backfill-{name}{more}{segment}{stream}.json"))
}

fn told_where(kept: &Kept) {
    if kept.is_continued {
        let read = kept.state.done.read;
        note(&format!("goes on behind the first {read}, as {} says; --restart begins anew", kept.path().display()));
    }
}

/// Says how to go on after a failure.
fn resumes(kept: &Kept) {
    if kept.state.done.read > 0 {
        note(&format!("{} says how far it has come: the same command goes on there", kept.path().display()));
    }
}

fn report(arguments: &Backfill, done: Done) -> Result<Outcome, Failure> {
    let what = if arguments.from.is_empty() && !arguments.from_stream { "item" } else { "event" };
    let Done { read, applied, repeated, rejected, read_units, write_units } = done;
    let cost = Cost { requests: 0, writes: write_units.ceil() as u64, reads: read_units.ceil() as u64 };
    match arguments.format {
        Format::Text => print(&format!(
            "{} read: {applied} applied, {repeated} known already, {rejected} that cannot be applied\n\
             {} read units and {} write units, {:.2} dollars ({}, on demand, {})\n",
            count(usize::try_from(read).unwrap_or(usize::MAX), what),
            cost.reads,
            cost.writes,
            cost.dollars(),
            PRICES.region,
            PRICES.as_of
        ))?,
        Format::Json => {
            let report = json!({
                "read": read, "applied": applied, "repeated": repeated, "rejected": rejected,
                "read_units": cost.reads, "write_units": cost.writes, "dollars": cost.dollars(),
            });
            print(&format!("{report:#}\n"))?;
        }
    }
    Ok(if rejected > 0 { Outcome::Findings } else { Outcome::Done })
}
