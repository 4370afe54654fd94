//! What Kinesis streams still retain, as Lambda gives it to the function.
//!
//! [`shards`] says which shards a stream has and which of them come before which, [`read`] reads them up to their ends, parents
//! before children, [`reached`] remembers how far they have been read and tells what was trimmed meanwhile, [`record`] writes
//! records as Lambda does, and [`carried`] hands them to the engine.

mod reached;
mod read;
mod record;
mod shards;

pub(crate) use reached::Reached;
pub(crate) use read::{Page, read};
pub(crate) use shards::Shard;

use super::carry::Carrier;
use crate::arguments::Where;
use crate::output::Failure;
use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::retry::RetryConfig;
use aws_sdk_kinesis::config::timeout::TimeoutConfig;
use aws_sdk_kinesis::error::DisplayErrorContext;
use std::time::Duration;
use tokio::time::Instant;
use viewfold_core::program::{Program, StreamIdentity};
use viewfold_dynamodb::client;

/// How often a request is tried that was throttled or not answered. The function reads the same shards, and all that read one
/// share its five calls a second: pauses begin at a second and double.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_secs(1);

/// How long one attempt may take: an answer has up to 10 MiB.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);

/// A Kinesis stream that projections read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Stream {
    /// Its name.
    pub(crate) name: String,
    /// The projections that read it.
    pub(crate) projections: Vec<String>,
}

/// A Kinesis stream as it is set up.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) arn: String,
    /// When it was made, in milliseconds since 1970: one that was made anew has the name and the ARN of the one before.
    pub(crate) made: i64,
    /// How long it keeps its records, in milliseconds.
    pub(crate) retention: i64,
    pub(crate) shards: Vec<Shard>,
    /// When it was looked at: what comes later is not waited for.
    pub(crate) began: Began,
}

/// When reading began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Began {
    /// By a clock that nobody sets.
    pub(crate) instant: Instant,
    /// By this machine's clock, in milliseconds since 1970.
    pub(crate) millis: i64,
}

/// Kinesis, on AWS or where the environment says.
#[derive(Clone, Debug)]
pub(crate) struct Kinesis {
    client: Client,
}

impl Kinesis {
    /// Connects as the environment says; `AWS_ENDPOINT_URL_KINESIS` names another endpoint than AWS's.
    pub(crate) async fn from_environment() -> Kinesis {
        let config = client::for_service("KINESIS").await;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .build();
        let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(PAUSE);
        let config = aws_sdk_kinesis::config::Builder::from(&config).timeout_config(timeouts).retry_config(retries);
        Kinesis { client: Client::from_conf(config.build()) }
    }

    /// Looks at a stream.
    ///
    /// # Errors
    ///
    /// When there is none, or it could not be looked at.
    pub(crate) async fn find(&self, stream: &Stream) -> Result<Found, Failure> {
        let began = Began { instant: Instant::now(), millis: jiff::Timestamp::now().as_millisecond() };
        let name = &stream.name;
        let answer = self.client.describe_stream_summary().stream_name(name).send().await;
        let answer = answer.map_err(|error| {
            let is_missing = error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception());
            match is_missing {
                true => Failure::new(format!(
                    "there is no Kinesis stream {name} in this account and region, which {} reads",
                    stream.projections.join(", ")
                )),
                false => unreadable(name, &DisplayErrorContext(&error)),
            }
        })?;
        let summary = answer.stream_description_summary.ok_or_else(|| unreadable(name, &"it is not described"))?;
        let made = summary.stream_creation_timestamp.to_millis().unwrap_or_default();
        let retention = i64::from(summary.retention_period_hours) * 3_600_000;
        let shards = shards::of(&self.client, name).await?;
        Ok(Found { name: name.clone(), arn: summary.stream_arn, made, retention, shards, began })
    }

    /// The shards that a stream has now.
    ///
    /// # Errors
    ///
    /// When it could not be looked at.
    pub(crate) async fn shards(&self, found: &Found) -> Result<Vec<Shard>, Failure> {
        shards::of(&self.client, &found.name).await
    }
}

impl Found {
    /// The time before which records may have been trimmed, in milliseconds since 1970.
    fn oldest(&self) -> i64 {
        jiff::Timestamp::now().as_millisecond() - self.retention
    }

    /// Whether it still has all that ever came, as far as one can know: it is younger than what it retains.
    pub(crate) fn is_whole(&self) -> bool {
        self.made >= self.oldest()
    }

    /// When it was made, and how long it keeps records, for people.
    pub(crate) fn age(&self) -> String {
        format!("is of {} and keeps its records for {} hours", time(self.made), self.retention / 3_600_000)
    }
}

/// The Kinesis streams that the program's projections read.
pub(crate) fn streams(program: &Program) -> Vec<Stream> {
    let read = program.streams.iter().filter(|stream| !stream.readers.is_empty());
    read.filter_map(|stream| match &stream.identity {
        StreamIdentity::Kinesis(name) => {
            let readers = stream.readers.iter().map(|(number, _)| program.projections[*number].name.clone());
            let mut projections: Vec<String> = readers.collect();
            projections.dedup();
            Some(Stream { name: name.clone(), projections })
        }
        StreamIdentity::Dynamodb(_) | StreamIdentity::Sqs(_) => None,
    })
    .collect()
}

/// Makes sure that there is a Kinesis to read.
///
/// # Errors
///
/// When the command works on something else than AWS.
pub(crate) fn needs_aws(place: &Where) -> Result<(), Failure> {
    match place.aws {
        true => Ok(()),
        false => Err(Failure::wrong_use(
            "--from-stream reads Kinesis on AWS, and goes with --aws; AWS_ENDPOINT_URL_KINESIS and AWS_ENDPOINT_URL_DYNAMODB name \
             other places",
        )),
    }
}

/// Puts a page through the engine, whole: its records are of one shard, as those of the function's batches are.
///
/// # Errors
///
/// When the store does not take them.
pub(crate) async fn carried(carrier: &mut Carrier<'_>, found: &Found, page: &Page) -> Result<(), Failure> {
    for record in &page.records {
        carrier.record(|text| record::write(&found.arn, &page.shard, record, text)).await?;
    }
    carrier.flush().await
}

/// Milliseconds since 1970 as a time for people, to the second.
pub(crate) fn time(millis: i64) -> String {
    jiff::Timestamp::from_second(millis.div_euclid(1000)).map(|time| time.to_string()).unwrap_or_default()
}

fn unreadable(stream: &str, why: &dyn std::fmt::Display) -> Failure {
    Failure::new(format!(
        "the Kinesis stream {stream} cannot be read ({why}); reading it takes kinesis:DescribeStreamSummary, kinesis:ListShards, \
         kinesis:GetShardIterator and kinesis:GetRecords"
    ))
}
