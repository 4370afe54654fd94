//! What a view has to be: its source, folded once more into a store of this command's own.

use crate::backfilling::carry::Carrier;
use crate::backfilling::chosen::Table;
use crate::backfilling::destination::{Destination, items_of};
use crate::backfilling::files::Files;
use crate::backfilling::read::{Segments, read};
use crate::backfilling::retained::{self, Kinesis, Reached, Stream, carried};
use crate::backfilling::state::Done;
use crate::output::Failure;
use crate::progress::Progress;
use crate::store::{self, Connection};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use viewfold_core::program::Program;
use viewfold_core::tables::required;
use viewfold_dynamodb::inspect::Found;
use viewfold_dynamodb::tables::create_if_missing;

/// Where the source is read.
pub(crate) enum From<'a> {
    /// The tables that the projections read.
    Tables(&'a [(Table, Found)]),
    /// Files of history.
    Files(&'a Files, &'a [Table]),
    /// What Kinesis streams still retain.
    Streams(&'a Kinesis, &'a [Stream]),
}

/// A store that goes when it is no longer needed.
pub(crate) struct Private {
    pub(crate) connection: Connection,
    folder: PathBuf,
}

impl Drop for Private {
    fn drop(&mut self) {
        // What stays behind stands in the system's folder for such.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Private {
    /// An empty one, in a file: a view may be larger than the memory.
    async fn new(number: usize) -> Result<Private, Failure> {
        let folder = std::env::temp_dir().join(format!("viewfold-verify-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder)
            .map_err(|error| Failure::new(format!("{} cannot be made: {error}", folder.display())))?;
        let connection = store::connect_embedded(Some(&folder.join("expected.db"))).await?;
        Ok(Private { connection, folder })
    }
}

/// Folds the source into an empty store; the `number`th time. What of the source cannot be applied has been told.
pub(crate) async fn expected(
    program: &Program,
    live: &Connection,
    from: &From<'_>,
    read_units: Option<f64>,
    number: usize,
) -> Result<(Private, Done), Failure> {
    let private = Private::new(number).await?;
    for needed in required(program) {
        create_if_missing(private.connection.store.client(), &needed).await.map_err(Failure::new)?;
    }
    let mut carrier = Carrier::new(program, &private.connection, None, Done::default());
    carrier.is_silent = number > 1;
    match from {
        From::Tables(tables) => {
            let items: u64 = tables.iter().map(|(_, found)| found.items).sum();
            let progress = Progress::new(usize::try_from(items).unwrap_or(usize::MAX), "items folded");
            for (table, found) in *tables {
                let segments = Segments { numbers: 0..4, of: 4 };
                let mut pages = read(&live.store, &table.name, found, &segments, &BTreeMap::new(), read_units)?;
                while let Some(page) = pages.recv().await {
                    let page = page?.page;
                    let items = page.items.len();
                    carrier.done.read_units += page.read_units;
                    items_of(&mut carrier, found, page.items).await?;
                    progress.advance(items);
                }
            }
        }
        From::Streams(kinesis, streams) => {
            let progress = Progress::stream();
            for stream in *streams {
                let found = kinesis.find(stream).await?;
                let mut pages = retained::read(kinesis, &found, &Reached::default());
                let mut behind: BTreeMap<String, Duration> = BTreeMap::new();
                while let Some(page) = pages.recv().await {
                    let page = page?;
                    carried(&mut carrier, &found, &page).await?;
                    behind.insert(page.shard, page.behind);
                    progress.behind(carrier.done.read, behind.values().max().copied().unwrap_or_default());
                }
            }
        }
        From::Files(files, tables) => {
            let progress = Progress::bytes(files.bytes());
            // An item's table is looked for where it lives.
            let mut into = Destination::of(program, live, tables);
            // What is filled is this command's own, and what speaks against items has been told.
            (into.items_as_inserts, into.is_asked) = (true, true);
            let mut payloads = 0;
            let mut entries = files.entries(Default::default());
            while let Some(entry) = entries.next() {
                let (place, entry) = entry?;
                let done = into.entry(&mut carrier, entry, &mut payloads).await;
                done.map_err(|failure| Failure {
                    message: format!("{}: {}", files.show(place), failure.message),
                    ..failure
                })?;
                progress.reach(entries.bytes_read());
            }
            carrier.flush().await?;
        }
    }
    let done = carrier.done;
    Ok((private, done))
}
