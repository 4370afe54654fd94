//! Every command and flag, once, with its documentation.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Folds events from Kinesis and DynamoDB streams into DynamoDB documents, exactly once, as YAML projections say.
#[derive(Debug, Parser)]
#[command(name = "viewfold", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  viewfold validate projections
  viewfold run projections/votes --events examples/votes/events.json
  viewfold test projections
  viewfold run projections/votes --events - --db votes.db --format json < events.json
  viewfold tables projections/votes --create --endpoint http://127.0.0.1:8000

Exit codes: 0 done, 1 findings or failures, 2 wrong use.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check projections: every finding with its place, and what to do about it
    Validate(Validate),
    /// Fold recorded events on this machine, and show what happened and the documents
    Run(Run),
    /// Run the tests beside projections (`NAME.test.yaml`) on this machine
    Test(Test),
    /// Print the tables that projections need as CreateTable requests, or make them
    Tables(Tables),
    /// Print the JSON Schema of projection or test files, for editors
    Schema(Schema),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Projections that are deployed together must not clash: a folder that holds projections is one deployment, with its \
subfolders. In a folder that holds only folders each of them is one.

Examples:
  viewfold validate
  viewfold validate projections/votes/total_votes.yaml
  viewfold validate --format json projections | jq '.[].message'")]
pub(crate) struct Validate {
    /// Projection files, and folders with all their subfolders
    #[arg(value_name = "PATH", default_value = "projections")]
    pub(crate) paths: Vec<PathBuf>,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Events are Lambda events, {\"Records\": [...]}, as the function gets them: one, several after each other (JSON lines), or a \
list of them. Each is carried out as one batch, by the same code that the function runs.

Examples:
  viewfold run projections/votes --events examples/votes/events.json
  viewfold run projections/votes --events examples/votes/events.json --db votes.db
  viewfold run projections/votes --events monday.json --events tuesday.json --format json
  viewfold run projections/votes --events - --endpoint http://127.0.0.1:8000 < events.json")]
pub(crate) struct Run {
    /// Projection files, and folders with all their subfolders
    #[arg(value_name = "PROJECTIONS", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// A file of recorded Lambda events, `-` for standard input; may be given several times
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) events: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) store: StoreArguments,
    /// Show the guards' own attributes (`_vf_...`) of documents too
    #[arg(long)]
    pub(crate) bookkeeping: bool,
    /// A table for people, or JSON for programs
    #[arg(long, value_enum, default_value_t = RunFormat::Table)]
    pub(crate) format: RunFormat,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A test file names projections, and cases: items that are there before, events, and the tables as they have to be \
afterwards. Each case runs in an embedded DynamoDB of its own, by the same code that the function runs.

Examples:
  viewfold test
  viewfold test projections/votes
  viewfold test projections --filter 'deleted'")]
pub(crate) struct Test {
    /// Test files, and folders with all their subfolders
    #[arg(value_name = "PATH", default_value = "projections")]
    pub(crate) paths: Vec<PathBuf>,
    /// Run only cases whose name contains this
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum RunFormat {
    /// For people
    Table,
    /// For programs
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  viewfold tables projections/votes
  viewfold tables projections/votes --format table
  viewfold tables projections/votes --create --endpoint http://127.0.0.1:8000
  viewfold tables projections/votes --create --aws")]
pub(crate) struct Tables {
    /// Projection files, and folders with all their subfolders
    #[arg(value_name = "PROJECTIONS", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Make the tables that are missing
    #[arg(long, requires = "where")]
    pub(crate) create: bool,
    #[command(flatten)]
    pub(crate) store: StoreArguments,
    /// CreateTable requests, or a table for people
    #[arg(long, value_enum, default_value_t = RunFormat::Json)]
    pub(crate) format: RunFormat,
}

/// Which DynamoDB is meant.
#[derive(Debug, Args)]
#[group(id = "where", multiple = false)]
pub(crate) struct Where {
    /// Keep the data in this file, in the embedded DynamoDB (made if missing)
    #[arg(long, value_name = "FILE")]
    pub(crate) db: Option<PathBuf>,
    /// Use the DynamoDB API at this address
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// Use AWS, with the region and credentials of the environment
    #[arg(long)]
    pub(crate) aws: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StoreArguments {
    #[command(flatten)]
    pub(crate) place: Where,
    /// Put before every table name, those of sources included
    #[arg(long, value_name = "PREFIX", env = "VIEWFOLD_TABLE_PREFIX", default_value = "", hide_default_value = true)]
    pub(crate) table_prefix: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  viewfold schema > schemas/projection.schema.json
  viewfold schema --test > schemas/test.schema.json")]
pub(crate) struct Schema {
    /// The schema of test files (`NAME.test.yaml`) instead
    #[arg(long)]
    pub(crate) test: bool,
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::CommandFactory as _;

    #[test]
    fn the_definitions_agree_with_each_other() {
        Arguments::command().debug_assert();
    }
}
