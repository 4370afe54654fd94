//! `viewfold verify`

use super::load_one;
use crate::arguments::Format;
use crate::arguments::lifecycle::Verify;
use crate::backfilling::chosen::{self, Table};
use crate::backfilling::destination::found;
use crate::backfilling::files::Files;
use crate::backfilling::retained::{self, Kinesis, Stream};
use crate::output::{Failure, Outcome, count, note, print, warn};
use crate::store::{self, Connection};
use crate::verifying::compare::{Comparison, Difference, all};
use crate::verifying::expected::{From, expected};
use crate::verifying::plain::{Compared, compared};
use crate::verifying::repair::{Fate, repair};
use crate::verifying::settle::{Settled, settle};
use crate::verifying::show::{ForPrograms, for_people, for_programs};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;
use viewfold_core::program::Program;

/// Compares live views with what their sources make of them, and puts them right where that is asked for.
pub(crate) fn run(arguments: &Verify) -> Result<Outcome, Failure> {
    let compiled = load_one(&arguments.paths, &arguments.store.prefix.table_prefix)?;
    warn(&compiled.warnings);
    let program = chosen::chosen(compiled.program, &arguments.projection)?;
    let tables = chosen::tables(&program);
    if let (false, Some((name, view))) = (arguments.from.is_empty(), chosen::views_of_views(&program).first()) {
        return Err(Failure::wrong_use(format!(
            "{name} reads the view {view}, of which files have no events: verify it against that view's table, with `--projection {name}` \
             and without --from, and the others with --from"
        )));
    }
    let files = match arguments.from.is_empty() {
        _ if arguments.from_stream => {
            check_streams(&program, arguments)?;
            None
        }
        false => Some(Files::find(&arguments.from)?),
        true => {
            let fed: Vec<&str> = program.projections.iter().map(|projection| projection.name.as_str()).collect();
            let is_of_table = |name: &str| tables.iter().any(|table| table.projections.iter().any(|own| own == name));
            if let Some(name) = fed.iter().find(|name| !is_of_table(name)) {
                return Err(Failure::wrong_use(format!(
                    "the source of {name} is no table: --from-stream folds what its Kinesis stream retains, --from PATH folds its events \
                     from files, --projection NAME chooses others"
                )));
            }
            chosen::check(&program, &tables, arguments.items_as_inserts)?;
            None
        }
    };
    store::runtime()?.block_on(async {
        let live = store::connect_kept(&arguments.store.place, "the view is").await?;
        let streams = match arguments.from_stream {
            true => Some((Kinesis::from_environment().await, retained::streams(&program))),
            false => None,
        };
        let source = match (&streams, &files) {
            (Some((kinesis, streams)), _) => {
                are_whole(kinesis, streams, arguments.repair).await?;
                Source::Streams(kinesis, streams)
            }
            (None, Some(files)) => Source::Files(files, &tables),
            (None, None) => Source::Tables(&tables),
        };
        let verified = verify(&program, &live, source, (arguments.settle, arguments.max_read_units)).await?;
        let fates = match arguments.repair {
            true => repair(&program, &verified.views, &live, &verified.settled).await?,
            false => vec![Fate::Told; verified.settled.stays.len()],
        };
        report(arguments, verified, &fates)
    })
}

/// Makes sure that streams have all that the views are made of.
fn check_streams(program: &Program, arguments: &Verify) -> Result<(), Failure> {
    retained::needs_aws(&arguments.store.place)?;
    match chosen::read_besides(program, chosen::is_of_kinesis).first() {
        None => Ok(()),
        Some((name, others)) => Err(Failure::wrong_use(format!(
            "{name} is made of {others}, too, which no Kinesis stream has: --projection NAME chooses others"
        ))),
    }
}

/// Says which streams may no longer have all that the views are made of. Nothing is put right by such.
async fn are_whole(kinesis: &Kinesis, streams: &[Stream], is_to_repair: bool) -> Result<(), Failure> {
    for stream in streams {
        let found = kinesis.find(stream).await?;
        if found.is_whole() {
            continue;
        }
        let what = format!(
            "the stream {} {}: what came before is not in it, and a document that is made of that too is said to be different",
            stream.name,
            found.age()
        );
        if is_to_repair {
            return Err(Failure::wrong_use(format!(
                "{what}; --repair would take it out of the view, and goes with an archive that is whole: --from PATH"
            )));
        }
        note(&what);
    }
    Ok(())
}

/// Where the source is read.
pub(super) enum Source<'a> {
    /// The tables that the projections read.
    Tables(&'a [Table]),
    /// Files in the place of the tables.
    Files(&'a Files, &'a [Table]),
    /// What Kinesis streams still retain.
    Streams(&'a Kinesis, &'a [Stream]),
}

/// A view beside what its source makes of it.
pub(super) struct Verified {
    pub(super) views: Vec<Compared>,
    /// How many documents there are.
    pub(super) documents: u64,
    pub(super) settled: Settled,
    read_units: f64,
    /// How many events of the source cannot be applied.
    rejected: u64,
}

/// Compares views with what their sources make of them.
pub(super) async fn verify(
    program: &Program,
    live: &Connection,
    source: Source<'_>,
    (settle_seconds, read_units): (u64, Option<f64>),
) -> Result<Verified, Failure> {
    let mut sources = Vec::new();
    if let Source::Tables(tables) = source {
        for table in tables {
            let there = found(live, &table.name).await?;
            let missing = || {
                Failure::new(format!("there is no table {}, which {} reads", table.name, table.projections.join(", ")))
            };
            sources.push((table.clone(), there.ok_or_else(missing)?));
        }
    }
    let from = match source {
        Source::Tables(_) => From::Tables(&sources),
        Source::Files(files, tables) => From::Files(files, tables),
        Source::Streams(kinesis, streams) => From::Streams(kinesis, streams),
    };
    let views = compared(program);
    let (private, done) = expected(program, live, &from, read_units, 1).await?;
    let Comparison { items, read_units: comparing, differences } =
        all(&views, live, &private.connection, read_units).await?;
    drop(private);
    let pause = Duration::from_secs(settle_seconds);
    let settled = settle(program, &views, live, &from, differences, (pause, read_units)).await?;
    let read_units = done.read_units + comparing + settled.read_units;
    Ok(Verified { views, documents: items, settled, read_units, rejected: done.rejected })
}

/// The report for programs.
#[derive(Serialize)]
struct Report {
    documents: u64,
    rejected: u64,
    read_units: u64,
    differences: Vec<ForPrograms>,
}

fn report(arguments: &Verify, verified: Verified, fates: &[Fate]) -> Result<Outcome, Failure> {
    let Verified { views, documents, settled, read_units, rejected } = verified;
    let Settled { stays, moves, .. } = settled;
    let all: Vec<(&Difference, Fate)> =
        stays.iter().zip(fates.iter().copied()).chain(moves.iter().map(|one| (one, Fate::Moving))).collect();
    let read_units = read_units.ceil() as u64;
    match arguments.format {
        Format::Text => {
            for (difference, fate) in &all {
                print(&for_people(&views[difference.table], difference, *fate))?;
            }
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            all.iter().for_each(|(_, fate)| *counts.entry(fate.text()).or_default() += 1);
            let counts: Vec<String> = counts.iter().map(|(fate, number)| format!("{number} {fate}")).collect();
            let counts = if counts.is_empty() { "all as they have to be".to_owned() } else { counts.join(", ") };
            let documents = count(usize::try_from(documents).unwrap_or(usize::MAX), "document");
            print(&format!("{documents}: {counts}; {read_units} read units\n"))?;
            if rejected > 0 {
                note(&format!(
                    "{} of the source cannot be applied, and are in no document",
                    count(usize::try_from(rejected).unwrap_or(usize::MAX), "event")
                ));
            }
        }
        Format::Json => {
            let differences = all.iter().map(|(one, fate)| for_programs(&views[one.table], one, *fate)).collect();
            let report = Report { documents, rejected, read_units, differences };
            let text = serde_json::to_string_pretty(&report);
            print(&(text.map_err(|error| Failure::new(format!("the report cannot be written: {error}")))? + "\n"))?;
        }
    }
    let is_right = all.iter().all(|(_, fate)| *fate == Fate::Repaired);
    Ok(if is_right { Outcome::Done } else { Outcome::Findings })
}
