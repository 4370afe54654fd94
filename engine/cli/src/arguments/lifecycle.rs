//! The commands of a view's life.

use super::{Format, StoreArguments};
use crate::backfilling::read::Segments;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "\
Run it while the function is live: every item counts as inserted before everything in the table's stream, so that the scan \
and the stream may go on at once, and what the stream has told already is left out. The command may be killed and run again: it \
goes on where it was, as a file beside you says, and what was applied is never applied twice.

What cannot come out right is refused, with the reason: a rule without `retract: true` is made of what happened, and a \
table does not tell that.

A Kinesis stream tells it for as long as it retains its records: --from-stream reads them as the function would, under the same \
marks and ids, up to the end that the stream has when the command begins. Run it before the new version is deployed; stop the \
event source mapping, run the same command once more (it goes on behind what it has), deploy, and start the mapping again.

Examples:
  viewfold backfill projections/votes --dry-run --aws
  viewfold backfill projections/votes --projection total_votes --max-read-units 500 --aws
  viewfold backfill projections/votes --segment 3/16 --aws
  viewfold backfill projections/votes --from exports/01693685827463-2d8752fd/data --aws
  viewfold backfill projections/winner-view --projection contributions --from-stream --aws
  viewfold backfill projections/winner-view --projection contributions --from archive.ndjson.gz --aws")]
pub(crate) struct Backfill {
    /// Projection files, and folders with all their subfolders
    #[arg(value_name = "PROJECTIONS", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Fill this one alone; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) projection: Vec<String>,
    /// Read files in the place of the table: DynamoDB exports (DynamoDB JSON or Ion), recorded Lambda events, payloads one to a
    /// line; plain, gzip or zstd
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub(crate) from: Vec<PathBuf>,
    /// Read what the Kinesis streams of the projections still retain, in the place of tables; one call a second for each shard,
    /// and 1 MB of it
    #[arg(long, conflicts_with_all = ["from", "segments", "segment", "items_as_inserts", "max_read_units"])]
    pub(crate) from_stream: bool,
    /// Take the items for inserts even where the rules are made of what happened to them
    #[arg(long)]
    pub(crate) items_as_inserts: bool,
    /// How many segments of the table are read side by side
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1_000_000), conflicts_with_all = ["segment", "from"])]
    pub(crate) segments: u32,
    /// Read one segment alone, the third of sixteen for one: the others are for other processes
    #[arg(long, value_name = "K/N", value_parser = segment, conflicts_with = "from")]
    pub(crate) segment: Option<Segments>,
    #[command(flatten)]
    pub(crate) limits: Limits,
    /// The file that says how far it has come; `viewfold-backfill-NAME.json` unless said, and of streams
    /// `viewfold-backfill-NAME-stream.json`
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// Begin anew, whatever the file says
    #[arg(long)]
    pub(crate) restart: bool,
    /// Say what it would take, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) store: StoreArguments,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The source is folded once more, into a store of the command's own, and every document of the view is compared with what \
comes of that: what is missing, what has not to be there, what is different, attribute by attribute. A view is a little behind \
its source, so what differs is looked at again; only what stays different is told. Nothing is written, but with --repair, and \
then each item only if it is still as it was.

Examples:
  viewfold verify projections/votes --projection total_votes --aws
  viewfold verify projections/tournament --aws --format json
  viewfold verify projections/tournament --repair --aws
  viewfold verify projections/winner-view --projection contributions --from-stream --aws
  viewfold verify projections/winner-view --projection contributions --from archive.ndjson.gz --aws")]
pub(crate) struct Verify {
    /// Projection files, and folders with all their subfolders
    #[arg(value_name = "PROJECTIONS", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Look at this one alone; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) projection: Vec<String>,
    /// Fold files in the place of the table: exports, recorded Lambda events, payloads one to a line; plain, gzip or zstd
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub(crate) from: Vec<PathBuf>,
    /// Fold what the Kinesis streams of the projections still retain, which has to be all that ever came into them
    #[arg(long, conflicts_with_all = ["from", "items_as_inserts"])]
    pub(crate) from_stream: bool,
    /// Take the items for inserts even where the rules are made of what happened to them
    #[arg(long)]
    pub(crate) items_as_inserts: bool,
    /// Put right what stays different
    #[arg(long)]
    pub(crate) repair: bool,
    /// How long events may be on their way, in seconds: what differs is looked at again after so long
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) settle: u64,
    /// Scan with at most so many read units a second
    #[arg(long, value_name = "N", value_parser = units)]
    pub(crate) max_read_units: Option<f64>,
    #[command(flatten)]
    pub(crate) store: StoreArguments,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Give the changed projection the next `version`, keep the file of the old one, and deploy both: from then on the function keeps \
both up to date. This command makes the new version's tables, fills them as `viewfold backfill` does, compares them with the \
source as `viewfold verify` does, and says how they differ from the old version's and when readers can switch. It may be killed \
and run again. `viewfold retire` removes the old version in the end.

Examples:
  viewfold rebuild projections/tournament/stats.v2.yaml --dry-run --aws
  viewfold rebuild projections/tournament/stats.v2.yaml --aws")]
pub(crate) struct Rebuild {
    #[command(flatten)]
    pub(crate) fill: Backfill,
    /// How long events may be on their way, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) settle: u64,
}

#[derive(Debug, Args)]
#[command(after_help = "\
What is removed: the tables of documents and of events that are the projections' own, and their rows in tables of marks. \
Dead letters stay. Nothing is removed without being asked for: the command says what it would remove, and asks.

Examples:
  viewfold retire old/stats.yaml --deployed projections/tournament --dry-run --aws
  viewfold retire old/stats.yaml --deployed projections/tournament --aws")]
pub(crate) struct Retire {
    /// The files of the projections that are not needed any more
    #[arg(value_name = "PROJECTIONS", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Remove this one alone; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) projection: Vec<String>,
    /// The projections that stay deployed: what these use is not removed
    #[arg(long, value_name = "PROJECTIONS", required = true, num_args = 1..)]
    pub(crate) deployed: Vec<PathBuf>,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) store: StoreArguments,
}

/// What work on a live table may take.
#[derive(Debug, Args)]
pub(crate) struct Limits {
    /// Scan with at most so many read units a second
    #[arg(long, value_name = "N", value_parser = units)]
    pub(crate) max_read_units: Option<f64>,
    /// Write with about so many write units a second at most
    #[arg(long, value_name = "N", value_parser = units)]
    pub(crate) max_write_units: Option<f64>,
    /// Ask before more than this is spent
    #[arg(long, value_name = "DOLLARS", default_value_t = 5.0, value_parser = dollars)]
    pub(crate) max_dollars: f64,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

/// `3/16`: the third of sixteen.
fn segment(text: &str) -> Result<Segments, String> {
    let parts = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
    match parts {
        Some((number, of)) if (1..=of).contains(&number) && of <= 1_000_000 => {
            Ok(Segments { numbers: number - 1..number, of })
        }
        _ => Err("a segment is written `3/16`, the third of sixteen; there are 1,000,000 at most".into()),
    }
}

fn units(text: &str) -> Result<f64, String> {
    let units: f64 = text.parse().map_err(|_| "a number of units a second is wanted, such as 500".to_owned())?;
    if units.is_finite() && units > 0.0 { Ok(units) } else { Err("it has to be more than 0".into()) }
}

fn dollars(text: &str) -> Result<f64, String> {
    let dollars: f64 = text.parse().map_err(|_| "a number of dollars is wanted, such as 5".to_owned())?;
    if dollars.is_finite() && dollars >= 0.0 { Ok(dollars) } else { Err("it has to be 0 or more".into()) }
}
