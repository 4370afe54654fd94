//! An event source mapping as Lambda has it.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::types::EventSourceMappingConfiguration;
use viewfold_core::decode::stream_of;
use viewfold_core::program::StreamIdentity;
use viewfold_dynamodb::inspect::Unread;

/// A mapping. Where it says nothing of a setting, Lambda's default is in force.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Mapping {
    pub(crate) uuid: String,
    /// The stream, and where it is a table's its label; none of a source that is no stream.
    pub(crate) stream: Option<(StreamIdentity, Option<String>)>,
    /// The function's name, without a version.
    pub(crate) function: String,
    pub(crate) state: String,
    /// What the last batch came to.
    pub(crate) last_result: Option<String>,
    pub(crate) starting_position: Option<String>,
    pub(crate) factor: u32,
    /// Finite retries; none where they are endless.
    pub(crate) retries: Option<i32>,
    /// The age in seconds at which records are given up; none where the stream's retention says.
    pub(crate) record_age: Option<i32>,
    /// The ARN of what batches go to that are given up.
    pub(crate) destination: Option<String>,
    pub(crate) bisects: bool,
    pub(crate) reports_failures: bool,
    pub(crate) tumbling_seconds: i32,
    /// The patterns of its filter.
    pub(crate) filters: Vec<String>,
    /// Why its filter cannot be used.
    pub(crate) filter_error: Option<String>,
}

/// All mappings of the account and region.
///
/// # Errors
///
/// When they could not be looked at.
pub(super) async fn all(client: &Client) -> Result<Vec<Mapping>, Unread> {
    let mut mappings = Vec::new();
    let mut pages = client.list_event_source_mappings().into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| Unread::of("lambda:ListEventSourceMappings", &error))?;
        mappings.extend(page.event_source_mappings().iter().map(Mapping::of));
    }
    Ok(mappings)
}

impl Mapping {
    fn of(found: &EventSourceMappingConfiguration) -> Mapping {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let finite = |number: Option<i32>| number.filter(|number| *number >= 0);
        let destination = found.destination_config().and_then(|config| config.on_failure());
        let filters = found.filter_criteria().map(|criteria| criteria.filters()).unwrap_or_default();
        Mapping {
            uuid: text(found.uuid()),
            stream: found.event_source_arn().and_then(stream_of),
            function: function_name(found.function_arn().unwrap_or_default()).to_owned(),
            state: text(found.state()),
            last_result: found.last_processing_result().map(str::to_owned),
            starting_position: found.starting_position().map(|position| position.as_str().to_owned()),
            factor: found.parallelization_factor().and_then(|factor| u32::try_from(factor).ok()).unwrap_or(1),
            retries: finite(found.maximum_retry_attempts()),
            record_age: finite(found.maximum_record_age_in_seconds()),
            destination: destination.and_then(|destination| destination.destination()).map(str::to_owned),
            bisects: found.bisect_batch_on_function_error().unwrap_or(false),
            reports_failures: found
                .function_response_types()
                .iter()
                .any(|kind| kind.as_str() == "ReportBatchItemFailures"),
            tumbling_seconds: found.tumbling_window_in_seconds().unwrap_or(0),
            filters: filters.iter().filter_map(|filter| filter.pattern().map(str::to_owned)).collect(),
            filter_error: found.filter_criteria_error().map(|error| text(error.message())),
        }
    }
}

/// The name in `arn:aws:lambda:REGION:ACCOUNT:function:NAME`, which may go on with a version.
fn function_name(arn: &str) -> &str {
    arn.split(':').nth(6).unwrap_or(arn)
}
