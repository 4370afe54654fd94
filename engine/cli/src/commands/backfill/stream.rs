//! `viewfold backfill --from-stream`: what Kinesis streams still retain.

use super::{described, resumes, state_file, told_where};
use crate::arguments::lifecycle::Backfill;
use crate::arguments::{Format, Where};
use crate::backfilling::carry::Carrier;
use crate::backfilling::chosen;
use crate::backfilling::destination::agreed_for_stream;
use crate::backfilling::retained::{self, Found, Kinesis, Stream, carried, read};
use crate::backfilling::state::{Done, Kept};
use crate::output::{Failure, count, note, print};
use crate::progress::Progress;
use crate::store::Connection;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;
use viewfold_core::program::Program;

/// Makes sure that there is a stream to read, and somewhere to read it.
pub(super) fn check(program: &Program, place: &Where) -> Result<(), Failure> {
    retained::needs_aws(place)?;
    if retained::streams(program).is_empty() {
        return Err(Failure::wrong_use(
            "none of these projections reads a Kinesis stream; without --from-stream the items of tables are read",
        ));
    }
    chosen::tell_not_of_kinesis(program);
    Ok(())
}

/// Fills the views; what was done, or nothing where it was only to be said what there is.
pub(super) async fn fill(
    arguments: &Backfill,
    program: &Program,
    connection: &Connection,
) -> Result<Option<Done>, Failure> {
    let kinesis = Kinesis::from_environment().await;
    let mut streams: Vec<(Stream, Found)> = Vec::new();
    for stream in retained::streams(program) {
        let found = kinesis.find(&stream).await?;
        streams.push((stream, found));
    }
    if arguments.dry_run {
        dry_run(arguments, &streams)?;
        return Ok(None);
    }
    let names: Vec<&str> = streams.iter().map(|(stream, _)| &*stream.name).collect();
    let from = format!("what the Kinesis streams {} retain", names.join(", "));
    let mut kept = Kept::open(state_file(arguments, program), described(arguments, program, &from), arguments.restart)?;
    match kept.state.filled_until.take() {
        Some(until) => {
            kept.state.done = Done::default();
            note(&format!("goes on with what came after {until}, as {} says", kept.path().display()));
        }
        None => told_where(&kept),
    }
    if !kept.is_continued {
        for (stream, found) in &streams {
            let retention = (&*stream.name, found.retention / 1000);
            agreed_for_stream(program, connection, retention, arguments.limits.yes).await?;
        }
    }
    let progress = Progress::stream();
    let mut carrier = Carrier::new(program, connection, arguments.limits.max_write_units, kept.state.done);
    for (stream, found) in &streams {
        if !found.is_whole() && !kept.is_continued {
            note(&format!("the stream {} {}: what came before is not in it", stream.name, found.age()));
        }
        let reached = kept.state.streams.entry(found.arn.clone()).or_default();
        reached.begin(found)?;
        let mut pages = read(&kinesis, found, reached);
        let mut behind: BTreeMap<String, Duration> = BTreeMap::new();
        while let Some(page) = pages.recv().await {
            let page = page.inspect_err(|_| resumes(&kept))?;
            carried(&mut carrier, found, &page).await.inspect_err(|_| resumes(&kept))?;
            behind.insert(page.shard.clone(), page.behind);
            kept.state.done = carrier.done;
            kept.state.streams.entry(found.arn.clone()).or_default().carried(&page.shard, page.place);
            kept.write()?;
            progress.behind(carrier.done.read, behind.values().max().copied().unwrap_or_default());
        }
        let shards = kinesis.shards(found).await.inspect_err(|_| resumes(&kept))?;
        kept.state.streams.entry(found.arn.clone()).or_default().finished(found, &shards);
        kept.write()?;
    }
    drop(progress);
    let began = streams.iter().map(|(_, found)| found.began.millis).min().unwrap_or_default();
    kept.state.filled_until = Some(retained::time(began));
    kept.write()?;
    note(&format!(
        "what came until {} is in; {} says so: the same command goes on there",
        retained::time(began),
        kept.path().display()
    ));
    Ok(Some(carrier.done))
}

/// Says what there is to read.
fn dry_run(arguments: &Backfill, streams: &[(Stream, Found)]) -> Result<(), Failure> {
    match arguments.format {
        Format::Text => {
            let line = |(stream, found): &(Stream, Found)| {
                format!(
                    "{}: {} for {}; the stream {}. Kinesis does not say how much is in it\n",
                    stream.name,
                    count(found.shards.len(), "shard"),
                    stream.projections.join(", "),
                    found.age()
                )
            };
            print(&streams.iter().map(line).collect::<String>())
        }
        Format::Json => {
            let stream = |(stream, found): &(Stream, Found)| {
                json!({
                    "stream": stream.name, "shards": found.shards.len(), "made": retained::time(found.made),
                    "retention_hours": found.retention / 3_600_000,
                })
            };
            let streams: Vec<serde_json::Value> = streams.iter().map(stream).collect();
            print(&format!("{:#}\n", json!({ "streams": streams })))
        }
    }
}
