//! Every command and flag, once, with its documentation.

pub(crate) mod lifecycle;

use crate::packaging::binary::Architecture;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use viewfold_core::compile::DEAD_LETTER_TABLE;
use viewfold_dynamodb::cost::PRICES;

/// Folds events from Kinesis and DynamoDB streams and SQS queues into DynamoDB documents, exactly once, as YAML projections say.
#[derive(Debug, Parser)]
#[command(name = "viewfold", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  viewfold init my-views
  viewfold validate projections
  viewfold run projections/votes --events examples/votes/events.json
  viewfold test projections --watch
  viewfold bench projections/votes --events examples/votes/events.json
  viewfold diff old/projections/votes projections/votes
  viewfold graph projections/votes
  viewfold run projections/votes --events - --db votes.db --format json < events.json
  viewfold tables projections/votes --create --endpoint http://127.0.0.1:8000
  viewfold template projections/votes > template.yaml
  viewfold dead-letters list --aws
  viewfold redrive projections/votes --all --dry-run --aws
  viewfold backfill projections/votes --dry-run --aws
  viewfold verify projections/tournament --aws
  viewfold package projections/votes
  viewfold doctor projections/votes --aws

Exit codes: 0 done, 1 findings or failures, 2 wrong use.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a new project: a projection, its test, recorded events, schemas for the editor, a CI workflow
    Init(Init),
    /// Check projections: every finding with its place, and what to do about it
    Validate(Validate),
    /// Fold recorded events on this machine, and show what happened and the documents
    Run(Run),
    /// Say what a finding means; or what becomes of recorded events, and what each guard would cost
    Explain(Explain),
    /// Run the tests beside projections (`NAME.test.yaml`) on this machine
    Test(Test),
    /// Measure projections on recorded events: time by stage, requests, write units, dollars
    Bench(Bench),
    /// Say what a change of projections means for the views that are live: deploy it, rebuild, or neither
    Diff(Diff),
    /// Print the tables that projections need as CreateTable requests, or make them
    Tables(Tables),
    /// Print the CloudFormation template of a deployment: functions, mappings, tables, roles, alarms
    Template(Template),
    /// Look at events that could not be applied
    DeadLetters(DeadLetters),
    /// Apply dead letters by the projections as they are now, each exactly once
    Redrive(Redrive),
    /// Fill views with the items of the tables that they read, with what Kinesis streams still retain, or with history out of files
    Backfill(lifecycle::Backfill),
    /// Compare live views with what their sources make of them, and put them right
    Verify(lifecycle::Verify),
    /// Make a view anew under its next version, beside the live one, and say when readers can switch
    Rebuild(lifecycle::Rebuild),
    /// Remove the tables and marks of projections that are not needed any more
    Retire(lifecycle::Retire),
    /// Pack the function and its projections for Lambda, the same bytes every time
    Package(Package),
    /// Compare what is deployed with what projections need, and say what to change; it changes nothing
    Doctor(Doctor),
    /// Print what flows where, as a diagram: streams, projections, tables
    Graph(Graph),
    /// Print the JSON Schema of projection or test files, for editors
    Schema(Schema),
    /// Print completions of commands and flags for a shell
    Completions(Completions),
    /// Print the manual page, or write those of all commands
    Man(Man),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is ever overwritten: where a file of the project is there already, nothing is made at all.

Examples:
  viewfold init my-views
  viewfold init my-table-views --stream dynamodb")]
pub(crate) struct Init {
    /// The folder of the project; made if missing
    #[arg(value_name = "FOLDER", default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Where the events of its projection come from
    #[arg(long, value_enum, default_value_t = StreamKind::Kinesis)]
    pub(crate) stream: StreamKind,
}

/// The kinds of streams.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum StreamKind {
    /// A Kinesis stream of JSON payloads
    Kinesis,
    /// The stream of a DynamoDB table: the changes of its items
    Dynamodb,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Projections that are deployed together must not clash: a folder that holds projections is one deployment, with its \
subfolders. In a folder that holds only folders each of them is one.

Examples:
  viewfold validate
  viewfold validate projections/votes/total_votes.yaml
  viewfold validate --strict
  viewfold validate --format json projections | jq '.[].message'
  viewfold validate --format github projections
  viewfold validate --format sarif projections > viewfold.sarif")]
pub(crate) struct Validate {
    /// Projection files, and folders with all their subfolders
    #[arg(value_name = "PATH", default_value = "projections")]
    pub(crate) paths: Vec<PathBuf>,
    /// Exit with 1 where there are warnings, too
    #[arg(long)]
    pub(crate) strict: bool,
    /// For people, for programs, or for a pull request
    #[arg(long, value_enum, default_value_t = FindingsFormat::Text)]
    pub(crate) format: FindingsFormat,
}

/// How findings are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum FindingsFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// GitHub's workflow commands: annotations of a pull request
    Github,
    /// SARIF 2.1.0, for code scanning and editors
    Sarif,
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
  viewfold run projections/votes --events examples/votes/events.json --watch
  viewfold run projections/votes --events examples/votes/events.json --now 2026-01-02T00:00:00Z
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
    /// The time that the engine's clock shows, for events that were recorded long ago (`keep_for`, `$$.now`); today's unless said
    #[arg(long, value_name = "TIME", value_parser = rfc3339)]
    pub(crate) now: Option<String>,
    /// Run again whenever a projection, schema or event file changes, until Ctrl-C, each time in an empty store in memory
    #[arg(long, conflicts_with = "where")]
    pub(crate) watch: bool,
    /// Show the guards' own attributes (`_vf_...`) of documents too
    #[arg(long)]
    pub(crate) bookkeeping: bool,
    /// A table for people, or JSON for programs
    #[arg(long, value_enum, default_value_t = RunFormat::Table)]
    pub(crate) format: RunFormat,
}

#[derive(Debug, Args)]
#[command(after_help = "\
With the code of a finding: its page. What it means, why, how to fix it, a file before and after. Without anything: all codes.

With projections and `--event`: each event is carried out as a batch of its own, in an embedded DynamoDB in memory, by the same code that the function runs: \
which rules match, and the first pattern that fails in those that do not; what they do to which document; what the guard \
says; every request with its body as AWS takes it and the units it costs. Events behind that, in the streams of views, are \
told of too. It exits with 0 also where events cannot be applied: to say so is its work.

At the end, for each projection, every guard that would be sound for it, with the requests, units and dollars of a million \
events like these.

Examples:
  viewfold explain VF0304
  viewfold explain
  viewfold explain projections/votes --event examples/votes/events.json
  viewfold explain projections/votes --event examples/votes/events.json --brief
  viewfold explain projections/votes --event monday.json --event tuesday.json --format json
  viewfold explain projections/votes --event - --db votes.db < event.json")]
pub(crate) struct Explain {
    /// The code of a finding; or projection files, and folders with all their subfolders
    #[arg(value_name = "CODE|PROJECTIONS")]
    pub(crate) what: Vec<String>,
    /// A file of recorded Lambda events, `-` for standard input; may be given several times
    #[arg(long, value_name = "FILE", requires = "what")]
    pub(crate) event: Vec<PathBuf>,
    /// Start from what is in this file (of `viewfold run --db`); it is copied, and not changed
    #[arg(long, value_name = "FILE", requires = "event")]
    pub(crate) db: Option<PathBuf>,
    /// Leave out the bodies of requests
    #[arg(long, requires = "event")]
    pub(crate) brief: bool,
    /// Do not compare guards
    #[arg(long, requires = "event")]
    pub(crate) no_guards: bool,
    /// The engine's clock, RFC 3339, for `$$.now` and `keep_for`; the system's unless said
    #[arg(long, value_name = "TIME", value_parser = time, requires = "event")]
    pub(crate) now: Option<String>,
    #[command(flatten)]
    pub(crate) prefix: Prefix,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// A time as RFC 3339 text.
fn time(text: &str) -> Result<String, String> {
    match text.parse::<jiff::Timestamp>() {
        Ok(time) => Ok(time.to_string()),
        Err(_) => Err("a time is written like 2026-01-31T12:00:00Z".to_owned()),
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
A test file names projections, and cases: items that are there before, events, and the tables as they have to be \
afterwards. Each case runs in an embedded DynamoDB of its own, by the same code that the function runs.

A case that holds is run again under schedules, as far as the guards of its projections promise the same documents: events \
one by one and in other batches, delivered twice, given up in the middle and bisected, with a crash behind each store call \
and with its answer lost; under `events_table`, in other orders too. They are the same ones every time.

Examples:
  viewfold test
  viewfold test projections/votes
  viewfold test projections --filter 'deleted'
  viewfold test projections --schedules 0
  viewfold test projections --watch
  viewfold test projections --update
  viewfold test projections --format junit > viewfold-tests.xml")]
pub(crate) struct Test {
    /// Test files, and folders with all their subfolders
    #[arg(value_name = "PATH", default_value = "projections")]
    pub(crate) paths: Vec<PathBuf>,
    /// Run only cases whose name contains this
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// The most schedules for each case, sampled evenly from all crashes there could be; 0 for the plain run alone
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) schedules: usize,
    /// Run again whenever a projection, test, schema or file of recorded events changes, until Ctrl-C
    #[arg(long)]
    pub(crate) watch: bool,
    /// Write what came of the events into the cases that fail: `documents`, `dead_letters`, and what `contains` names
    #[arg(long, conflicts_with = "watch")]
    pub(crate) update: bool,
    /// For people, for programs, or for CI systems
    #[arg(long, value_enum, default_value_t = TestFormat::Text)]
    pub(crate) format: TestFormat,
}

/// A time as it is written in RFC 3339.
fn rfc3339(text: &str) -> Result<String, String> {
    match text.parse::<jiff::Timestamp>() {
        // In UTC, as the clock itself.
        Ok(time) => Ok(time.to_string()),
        Err(_) => Err("a time is written like 2026-01-31T12:00:00Z".to_owned()),
    }
}

/// How results of tests are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum TestFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// JUnit XML, for CI systems; what failed goes to stderr, too
    Junit,
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
Each change has a class. same: nothing changes. deploy: it can be deployed on the live view, and holds from then on. rebuild: \
old documents would be wrong or a mix, so the view needs a new `version` and `viewfold rebuild`. unsafe: events would be lost \
or counted twice, and nothing would say so. It exits with 0 for the first two, and with 1 for the others.

Projections are known by their names, whatever their files are called. What they mean is compared, and not how they are written.

With `--events` both versions carry the events out, each in an embedded DynamoDB in memory, and the documents that differ \
are shown: OLD's values first.

Examples:
  viewfold diff old/projections/votes projections/votes
  viewfold diff old/projections/votes projections/votes --events events.json
  viewfold diff old/projections/votes projections/votes --format json | jq -r .class")]
pub(crate) struct Diff {
    /// The projections that are deployed: a file, or a folder with all its subfolders
    #[arg(value_name = "OLD")]
    pub(crate) old: PathBuf,
    /// The projections that are to be deployed
    #[arg(value_name = "NEW")]
    pub(crate) new: PathBuf,
    /// A file of recorded Lambda events, `-` for standard input; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Vec<PathBuf>,
    /// The time that the engine's clock shows, for events that were recorded long ago; today's unless said
    #[arg(long, value_name = "TIME", value_parser = rfc3339, requires = "events")]
    pub(crate) now: Option<String>,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "\
First each Lambda event is carried out once as a batch, one after the other, in an embedded DynamoDB in memory that starts empty, with the chains of views \
behind it: that tells the requests, and by DynamoDB's rules the units, of each. Then the same batches go through the engine again \
and again, with the same answers and without a store: that tells the processor's time, on one core. What the store, the \
network, TLS and the SDK take is not in it.

Stages: decode (a payload to events), match (which rules), evaluate (keys, amounts, values), fold (many events to one change of a \
document), plan (guards, expressions, requests, and what answers mean). Each is the least of its rounds: whatever else the machine does only adds.

Take events as your streams have them, in batches of their size: a batch of 1 event has nothing to fold. Dollars are those of \
DynamoDB on demand alone, table class Standard, without the free tier.

Examples:
  viewfold bench projections/votes --events examples/votes/events.json
  viewfold bench projections/votes --events examples/votes/events.json --repeat 100 --format json
  viewfold bench projections/votes --events monday.json --events tuesday.json --seconds 10
  viewfold bench projections/votes --events examples/votes/events.json --million-writes 0.705 --million-reads 0.141")]
pub(crate) struct Bench {
    /// Projection files, and folders with all their subfolders: one deployment
    #[arg(value_name = "PROJECTIONS", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// A file of recorded Lambda events, `-` for standard input; may be given several times
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) events: Vec<PathBuf>,
    /// Measure for so long, and at least one round
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0, value_parser = seconds, conflicts_with = "repeat")]
    pub(crate) seconds: f64,
    /// Measure so many rounds, however long they take
    #[arg(long, value_name = "ROUNDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeat: Option<u32>,
    /// Dollars for a million write request units, on demand; those of us-east-1 in July 2025 unless said
    #[arg(long, value_name = "DOLLARS", default_value_t = PRICES.million_writes, value_parser = dollars)]
    pub(crate) million_writes: f64,
    /// Dollars for a million read request units, on demand; those of us-east-1 in July 2025 unless said
    #[arg(long, value_name = "DOLLARS", default_value_t = PRICES.million_reads, value_parser = dollars)]
    pub(crate) million_reads: f64,
    /// The engine's clock, for events that were recorded long ago (`keep_for`, `$$.now`); the system's unless said
    #[arg(long, value_name = "TIME", value_parser = rfc3339)]
    pub(crate) now: Option<String>,
    #[command(flatten)]
    pub(crate) prefix: Prefix,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// A time to measure for.
fn seconds(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|seconds| (0.0..=3600.0).contains(seconds));
    number.ok_or_else(|| "a number of seconds from 0 to 3600 is written like 2.5".to_owned())
}

/// A price.
fn dollars(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|dollars: &f64| dollars.is_finite() && *dollars >= 0.0);
    number.ok_or_else(|| "a price in dollars is written like 0.625".to_owned())
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

#[derive(Debug, Args)]
#[command(after_help = "\
One function for each stream that the projections read, with all projections of that stream; the event source mapping that keeps what \
their guards rely on; their tables; a role for each function that allows just what it does; alarms and a dashboard. The function is \
function.zip, the projections are projections.zip, both beside the template.

Tables, streams and buckets stay when the stack goes. The parameter TablePrefix tells the tables of environments apart; names of Kinesis \
streams and of queues are those of the projections in all of them.

Streams and source tables that others own are parameters, as ARNs. Views over views are wired by themselves.

The same projections make the same template, byte for byte: keep it in the repository, and see in its difference what a change of a \
projection does.

Examples:
  viewfold template projections/votes > template.yaml
  viewfold template projections/votes --table-prefix test- > template.yaml
  viewfold template projections/map-rollup --existing Map > template.yaml
  viewfold template projections/winner-view --create-streams --parallelization retail=4 > template.yaml
  viewfold template projections/votes/recent_votes.yaml --filter votes > template.yaml
  viewfold template projections/votes --format json | jq '.Resources | keys'")]
pub(crate) struct Template {
    /// Projection files, and folders with all their subfolders: one deployment
    #[arg(value_name = "PROJECTIONS", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// A table that is there already: it is not made, and the function may use it; may be given several times
    #[arg(long, value_name = "TABLE")]
    pub(crate) existing: Vec<String>,
    /// Make the Kinesis streams and SQS queues too, instead of asking for their ARNs
    #[arg(long)]
    pub(crate) create_streams: bool,
    /// How many batches of a shard are worked on at once, of all streams or of one; refused where a guard does not stand it
    #[arg(long, value_name = "N|STREAM=N", value_parser = parallelization)]
    pub(crate) parallelization: Vec<(Option<String>, i64)>,
    /// Let Lambda drop events of this stream (or `all`) that no rule can match, where that can be proven; says why where it cannot
    #[arg(long, value_name = "STREAM")]
    pub(crate) filter: Vec<String>,
    #[command(flatten)]
    pub(crate) prefix: Prefix,
    /// YAML with comments, or JSON
    #[arg(long, value_enum, default_value_t = TemplateFormat::Yaml)]
    pub(crate) format: TemplateFormat,
}

/// How a template is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum TemplateFormat {
    /// For people, with comments that say why
    Yaml,
    /// For programs
    Json,
}

/// A parallelization factor, of all streams or of one.
fn parallelization(text: &str) -> Result<(Option<String>, i64), String> {
    let (stream, number) = match text.rsplit_once('=') {
        Some(("", _)) => return Err("there is no name before the `=`: it is `4` or `orders=4`".to_owned()),
        Some((stream, number)) => (Some(stream.to_owned()), number),
        None => (None, text),
    };
    match number.parse() {
        Ok(number @ 1..=10) => Ok((stream, number)),
        _ => Err("Lambda takes 1 to 10, as in `4` or `orders=4`".to_owned()),
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
function.zip holds the function alone, `bootstrap`. projections.zip is a layer: the projections, and the JSON Schemas that they name, in \
/opt/projections, where the function looks; tests and everything else stay here. So projections change without the function. \
Put both beside the template that deploys them. The same input gives the same bytes, on every machine.

Without --bootstrap the function is looked for beside `viewfold` itself, then where cargo-lambda puts it: \
target/lambda/bootstrap/bootstrap. One of another machine than --arch is passed over.

Examples:
  viewfold package projections/votes
  viewfold package projections/votes --arch arm64
  viewfold package projections/votes --bootstrap target/lambda/bootstrap/bootstrap --out dist
  viewfold package projections/votes --projections-only")]
pub(crate) struct Package {
    /// Projection files, and folders with all their subfolders: one deployment
    #[arg(value_name = "PROJECTIONS", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// The folder that function.zip and projections.zip go into; made if missing
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) out: PathBuf,
    /// The function's binary
    #[arg(long, value_name = "FILE", conflicts_with = "projections_only")]
    pub(crate) bootstrap: Option<PathBuf>,
    /// The machine that the binary has to be for; the one that it is for unless said
    #[arg(long, value_enum, conflicts_with = "projections_only")]
    pub(crate) arch: Option<Architecture>,
    /// Make projections.zip alone
    #[arg(long)]
    pub(crate) projections_only: bool,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "\
It looks at tables (keys, indexes, TTL, streams), at the streams of source tables, at event source mappings, at a sample of documents and \
of what guards keep, and at open dead letters. It only reads. What the sample does not hold it cannot tell.

With --aws it needs: dynamodb:DescribeTable, DescribeTimeToLive, DescribeContinuousBackups, Scan and Query on the tables of the projections, and \
lambda:ListEventSourceMappings. A call that is refused becomes a finding. With --endpoint or --db, mappings are looked at where \
AWS_ENDPOINT_URL_LAMBDA names an endpoint.

It exits with 1 where there are errors or warnings, with 0 where there is advice at most.

Examples:
  viewfold doctor projections/votes --aws
  viewfold doctor projections/votes --aws --function votes --table-prefix test-
  viewfold doctor projections/votes --aws --format json
  viewfold doctor projections/votes --db votes.db --sample 1000")]
pub(crate) struct Doctor {
    /// Projection files, and folders with all their subfolders: one deployment
    #[arg(value_name = "PROJECTIONS", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Look at the mappings of this function alone; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) function: Vec<String>,
    /// How many items of each table are looked at; 0 for none
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) sample: usize,
    #[command(flatten)]
    pub(crate) store: StoreArguments,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "\
GitHub, GitLab and many editors draw a Mermaid diagram in a README; `dot` of Graphviz draws the other format.

Examples:
  viewfold graph projections/votes
  viewfold graph projections/votes --format markdown >> README.md
  viewfold graph projections/votes --bookkeeping --format dot | dot -Tsvg > votes.svg")]
pub(crate) struct Graph {
    /// Projection files, and folders with all their subfolders: one deployment
    #[arg(value_name = "PROJECTIONS", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Draw the tables of guards and of dead letters too
    #[arg(long)]
    pub(crate) bookkeeping: bool,
    /// Mermaid, Mermaid as a block of Markdown, or DOT
    #[arg(long, value_enum, default_value_t = GraphFormat::Mermaid)]
    pub(crate) format: GraphFormat,
}

/// How a graph is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum GraphFormat {
    /// A Mermaid flowchart
    Mermaid,
    /// A Mermaid flowchart as a block of Markdown, for a README
    Markdown,
    /// For Graphviz
    Dot,
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
pub(crate) struct DeadLetters {
    #[command(subcommand)]
    pub(crate) command: DeadLettersCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLettersCommand {
    /// List them: which event, of which projection, and why it could not be applied
    List(ListLetters),
    /// Show one, with its payload
    Show(ShowLetter),
    /// Close them without applying their events: rubbish, or what has been put right by hand
    Close(CloseLetters),
    /// Print them as Lambda events, a line each, as `viewfold run --events` takes them
    Export(ExportLetters),
}

/// The table of dead letters.
#[derive(Debug, Args)]
pub(crate) struct LetterTable {
    #[command(flatten)]
    pub(crate) store: StoreArguments,
    /// The table of dead letters, without the prefix
    #[arg(long, value_name = "NAME", env = "VIEWFOLD_DEAD_LETTER_TABLE", default_value = DEAD_LETTER_TABLE)]
    pub(crate) table: String,
}

/// Which letters are meant.
#[derive(Debug, Args)]
pub(crate) struct LetterFilter {
    /// Only those of this projection
    #[arg(long, value_name = "NAME")]
    pub(crate) projection: Option<String>,
    /// Only those of this stream or table
    #[arg(long, value_name = "NAME")]
    pub(crate) source: Option<String>,
    /// Only those with this reason, `missing_value` for one
    #[arg(long, value_name = "CODE")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  viewfold dead-letters list --aws
  viewfold dead-letters list --db votes.db --reason missing_value
  viewfold dead-letters list --endpoint http://127.0.0.1:8000 --closed --format json")]
pub(crate) struct ListLetters {
    #[command(flatten)]
    pub(crate) table: LetterTable,
    #[command(flatten)]
    pub(crate) filter: LetterFilter,
    /// Those that have been dealt with, and what came of them, instead of those that wait
    #[arg(long)]
    pub(crate) closed: bool,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  viewfold dead-letters show 3f9a0c11d2e4 --aws
  viewfold dead-letters show 3f9a --db votes.db --format json")]
pub(crate) struct ShowLetter {
    /// Its id, as `list` shows it, or the beginning of it
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) table: LetterTable,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A letter that is closed is not lost: `list --closed` and `show` know it for 90 days. Its event is not applied by a redelivery either, \
where the guard remembers it.

Examples:
  viewfold dead-letters close 3f9a0c11d2e4 --aws
  viewfold dead-letters close 3f9a 77b0 --db votes.db")]
pub(crate) struct CloseLetters {
    /// Their ids, as `list` shows them, or the beginnings of them
    #[arg(value_name = "ID", required = true)]
    pub(crate) ids: Vec<String>,
    #[command(flatten)]
    pub(crate) table: LetterTable,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Each line is a Lambda event of one record, with the letter beside it under `deadLetter`. So a corrected projection can be tried \
on this machine before it is deployed. (Records of one Kinesis aggregate have one sequence number, so that a guard takes the second for a \
repetition: try such letters one by one. `redrive --dry-run` has no such limits.)

Examples:
  viewfold dead-letters export --aws > letters.jsonl
  viewfold run projections/votes --events letters.jsonl")]
pub(crate) struct ExportLetters {
    #[command(flatten)]
    pub(crate) table: LetterTable,
    #[command(flatten)]
    pub(crate) filter: LetterFilter,
    /// Those that have been dealt with instead of those that wait
    #[arg(long)]
    pub(crate) closed: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Correct the projections, deploy them, and redrive: each event is applied by the projections named here, in the transaction that \
closes its letter. The command may be ended at any moment and run again, also while the function runs.

A redriven event is late. Where a rule sets or removes what a newer event may have set, the command asks first. Under \
`retract: true` a letter is closed as superseded when a newer change of its item has been applied.

Examples:
  viewfold redrive projections/votes --all --dry-run --aws
  viewfold redrive projections/votes --id 3f9a0c11d2e4 --aws
  viewfold redrive projections/votes --reason missing_value --yes --db votes.db")]
pub(crate) struct Redrive {
    /// Projection files, and folders with all their subfolders
    #[arg(value_name = "PROJECTIONS", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// The letter with this id, or the beginning of it; may be given several times
    #[arg(long, value_name = "ID", conflicts_with = "all")]
    pub(crate) id: Vec<String>,
    /// Every letter of these projections
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) filter: LetterFilter,
    /// Say what would happen, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask, also where something newer may be overwritten
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) store: StoreArguments,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct StoreArguments {
    #[command(flatten)]
    pub(crate) place: Where,
    #[command(flatten)]
    pub(crate) prefix: Prefix,
}

#[derive(Debug, Args)]
pub(crate) struct Prefix {
    /// Put before every table name, those of sources included
    #[arg(long, value_name = "PREFIX", env = "VIEWFOLD_TABLE_PREFIX", default_value = "", hide_default_value = true)]
    pub(crate) table_prefix: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
An editor that has the schema completes keys, patterns and whole projections, tells what each key means, and underlines \
mistakes of structure while you type; `viewfold validate` finds those and all others.

The first line of a file wires it to its schema, with the path from the file. In VS Code, Neovim, Helix:
  # yaml-language-server: $schema=../../schemas/projection.schema.json
In JetBrains' editors:
  # $schema: ../../schemas/projection.schema.json

Make the schemas anew with every new version of viewfold: an older schema underlines keys that it does not know. Its version \
is in its title, which editors show with each finding.

Examples:
  viewfold schema > schemas/projection.schema.json
  viewfold schema --test > schemas/test.schema.json")]
pub(crate) struct Schema {
    /// The schema of test files (`NAME.test.yaml`) instead
    #[arg(long)]
    pub(crate) test: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  viewfold completions bash > ~/.local/share/bash-completion/completions/viewfold
  viewfold completions zsh > ~/.zfunc/_viewfold
  viewfold completions fish > ~/.config/fish/completions/viewfold.fish")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  viewfold man | man -l -
  viewfold man --out ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// Write a page for each command into this folder (made if missing)
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::{Command, CommandFactory as _, Parser as _};

    #[test]
    fn the_definitions_agree_with_each_other() {
        Arguments::command().debug_assert();
    }

    /// The words of a line of a shell, up to where its output goes.
    fn words(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        for (number, part) in line.split('\'').enumerate() {
            if number % 2 == 1 {
                words.push(part.to_owned());
                continue;
            }
            for word in part.split_whitespace() {
                if ["|", ">", ">>", "<"].contains(&word) {
                    return words;
                }
                words.push(word.to_owned());
            }
        }
        words
    }

    /// Every example of a command and those below it has to be one that is understood.
    fn check_examples(command: &Command, path: &str) -> usize {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let leaf = !command.has_subcommands();
        assert!(!leaf || help.contains("Examples:\n"), "{path} has no examples");
        let mut checked = 0;
        for line in help.lines().filter(|line| line.starts_with("  viewfold ")) {
            let parsed = Arguments::try_parse_from(words(line));
            assert!(
                parsed.is_ok(),
                "{path}: {line}\n{}",
                parsed.err().map(|error| error.to_string()).unwrap_or_default()
            );
            assert!(!leaf || line.trim_start().starts_with(path) || path.ends_with("export"), "{path} shows {line}");
            checked += 1;
        }
        checked
            + command
                .get_subcommands()
                .map(|below| check_examples(below, &format!("{path} {}", below.get_name())))
                .sum::<usize>()
    }

    #[test]
    fn every_command_has_examples_that_are_understood() {
        assert!(check_examples(&Arguments::command(), "viewfold") > 40);
    }
}
