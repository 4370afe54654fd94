//! What is there: tables as they are set up, and some of their items. Nothing here writes.

use crate::attribute::{item_from_sdk, to_sdk};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, PointInTimeRecoveryStatus, TableDescription, TimeToLiveStatus,
};
use viewfold_core::bookkeeping::PARTITION_KEY;
use viewfold_value::{Item, Value};

/// A table as it is set up.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// `ACTIVE`, unless it is being made, changed or deleted.
    pub status: String,
    /// The key attributes with their types (`S`, `N`, `B`), partition key first.
    pub keys: Vec<(String, String)>,
    /// The global secondary indexes.
    pub indexes: Vec<FoundIndex>,
    /// What its stream brings of each change; none where it has no stream that is switched on.
    pub view: Option<String>,
    /// The label of its newest stream, switched on or off.
    pub label: Option<String>,
    /// The ARN of its newest stream, switched on or off.
    pub stream_arn: Option<String>,
    /// Whether its capacity is provisioned.
    pub provisioned: bool,
    /// Whether it cannot be deleted by accident.
    pub protected: bool,
    /// Its ARN.
    pub arn: String,
    /// How many items it has, by DynamoDB's own count, which is hours old at most.
    pub items: u64,
    /// How many bytes these have.
    pub bytes: u64,
}

/// A global secondary index as it is set up.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FoundIndex {
    /// Its name.
    pub name: String,
    /// As [`Found::keys`].
    pub keys: Vec<(String, String)>,
    /// `ACTIVE`, unless it is being made, changed or deleted.
    pub status: String,
}

/// Why something could not be looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unread {
    /// The action is not allowed to whoever asks.
    Denied {
        /// As policies call it: `dynamodb:DescribeTable`.
        action: String,
        /// What the service said.
        message: String,
    },
    /// The service refused for another reason.
    Refused(String),
    /// Nobody answered, or nothing could be asked: no region, no credentials, no connection.
    Silent(String),
}

impl std::fmt::Display for Unread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unread::Denied { action, message } => write!(f, "{action} is not allowed: {message}"),
            Unread::Refused(message) | Unread::Silent(message) => f.write_str(message),
        }
    }
}

impl Unread {
    /// What an error of an SDK means.
    pub fn of<E, R>(action: &str, error: &SdkError<E, R>) -> Unread
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: std::fmt::Debug,
    {
        let Some(service) = error.as_service_error() else {
            return Unread::Silent(format!("{action}: {}", DisplayErrorContext(error)));
        };
        let code = service.code().unwrap_or("an unknown error");
        let message = format!("{code}: {}", service.message().unwrap_or("without a message"));
        match code {
            "AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation" => {
                Unread::Denied { action: action.to_owned(), message }
            }
            "UnrecognizedClientException" | "InvalidSignatureException" | "ExpiredTokenException" => {
                Unread::Silent(format!("{action}: {message}"))
            }
            _ => Unread::Refused(format!("{action}: {message}")),
        }
    }
}

/// A table; nothing where there is none of that name.
///
/// # Errors
///
/// When it could not be looked at.
pub async fn table(client: &Client, name: &str) -> Result<Option<Found>, Unread> {
    match client.describe_table().table_name(name).send().await {
        Ok(answer) => Ok(answer.table.as_ref().map(found)),
        Err(error) if error.as_service_error().is_some_and(DescribeTableError::is_resource_not_found_exception) => {
            Ok(None)
        }
        Err(error) => Err(Unread::of("dynamodb:DescribeTable", &error)),
    }
}

fn found(table: &TableDescription) -> Found {
    let keys = |schema: &[KeySchemaElement]| keys(schema, table.attribute_definitions());
    let text = |text: &str| text.to_owned();
    let stream = table.stream_specification().filter(|stream| stream.stream_enabled());
    let billing = table.billing_mode_summary().and_then(|billing| billing.billing_mode());
    // Tables that never were on demand have no summary, only throughput.
    let reads = table.provisioned_throughput().and_then(|throughput| throughput.read_capacity_units());
    let number = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
    Found {
        arn: table.table_arn().map(text).unwrap_or_default(),
        items: number(table.item_count()),
        bytes: number(table.table_size_bytes()),
        status: table.table_status().map(|status| text(status.as_str())).unwrap_or_default(),
        keys: keys(table.key_schema()),
        indexes: table
            .global_secondary_indexes()
            .iter()
            .map(|index| FoundIndex {
                name: index.index_name().map(text).unwrap_or_default(),
                keys: keys(index.key_schema()),
                status: match index.backfilling() {
                    Some(true) => "BACKFILLING".to_owned(),
                    _ => index.index_status().map(|status| text(status.as_str())).unwrap_or_default(),
                },
            })
            .collect(),
        view: stream.and_then(|stream| stream.stream_view_type()).map(|view| text(view.as_str())),
        label: table.latest_stream_label().map(text),
        stream_arn: table.latest_stream_arn().map(text),
        provisioned: match billing {
            Some(mode) => *mode == BillingMode::Provisioned,
            None => reads.is_some_and(|units| units > 0),
        },
        protected: table.deletion_protection_enabled().unwrap_or(false),
    }
}

fn keys(schema: &[KeySchemaElement], types: &[AttributeDefinition]) -> Vec<(String, String)> {
    let kind = |name: &str| {
        let definition = types.iter().find(|definition| definition.attribute_name() == name);
        definition.map_or("?", |definition| definition.attribute_type().as_str()).to_owned()
    };
    let mut keys: Vec<&KeySchemaElement> = schema.iter().collect();
    // The partition key is `HASH`, the sort key `RANGE`: in that order, whatever order they came in.
    keys.sort_by_key(|key| key.key_type().as_str().to_owned());
    keys.iter().map(|key| (key.attribute_name().to_owned(), kind(key.attribute_name()))).collect()
}

/// The attribute by which a table lets items expire; nothing where that is switched off.
///
/// # Errors
///
/// When it could not be looked at.
pub async fn ttl(client: &Client, name: &str) -> Result<Option<String>, Unread> {
    let answer = client.describe_time_to_live().table_name(name).send().await;
    let answer = answer.map_err(|error| Unread::of("dynamodb:DescribeTimeToLive", &error))?;
    let on = [Some(&TimeToLiveStatus::Enabled), Some(&TimeToLiveStatus::Enabling)];
    let ttl = answer.time_to_live_description.filter(|ttl| on.contains(&ttl.time_to_live_status()));
    Ok(ttl.and_then(|ttl| ttl.attribute_name))
}

/// Whether a table can be put back to any moment of the last days.
///
/// # Errors
///
/// When it could not be looked at.
pub async fn has_backups(client: &Client, name: &str) -> Result<bool, Unread> {
    let answer = client.describe_continuous_backups().table_name(name).send().await;
    let answer = answer.map_err(|error| Unread::of("dynamodb:DescribeContinuousBackups", &error))?;
    let backups = answer.continuous_backups_description.and_then(|backups| backups.point_in_time_recovery_description);
    let status = backups.and_then(|backups| backups.point_in_time_recovery_status);
    Ok(status == Some(PointInTimeRecoveryStatus::Enabled))
}

/// Some items, and whether they are all that there are.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sample {
    /// The items.
    pub items: Vec<Item>,
    /// Whether there are no others.
    pub is_all: bool,
}

/// The first items of a table, in no order. (The reads are eventually consistent: half the cost, and good enough to look at.)
///
/// # Errors
///
/// When they could not be read.
pub async fn sample(client: &Client, name: &str, most: usize) -> Result<Sample, Unread> {
    let mut sample = Sample::default();
    let mut start = None;
    while sample.items.len() < most {
        let left = i32::try_from(most - sample.items.len()).unwrap_or(i32::MAX);
        let request = client.scan().table_name(name).limit(left).set_exclusive_start_key(start);
        let page = request.send().await.map_err(|error| Unread::of("dynamodb:Scan", &error))?;
        take(&mut sample.items, page.items())?;
        start = page.last_evaluated_key;
        if start.is_none() {
            sample.is_all = true;
            break;
        }
    }
    Ok(sample)
}

/// The first items of a partition of a bookkeeping table.
///
/// # Errors
///
/// When they could not be read.
pub async fn partition(client: &Client, name: &str, partition: &str, most: usize) -> Result<Sample, Unread> {
    let mut sample = Sample::default();
    let mut start = None;
    while sample.items.len() < most {
        let left = i32::try_from(most - sample.items.len()).unwrap_or(i32::MAX);
        let request = client
            .query()
            .table_name(name)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", PARTITION_KEY)
            .expression_attribute_values(":pk", to_sdk(&Value::from(partition)))
            .limit(left)
            .set_exclusive_start_key(start);
        let page = request.send().await.map_err(|error| Unread::of("dynamodb:Query", &error))?;
        take(&mut sample.items, page.items())?;
        start = page.last_evaluated_key;
        if start.is_none() {
            sample.is_all = true;
            break;
        }
    }
    Ok(sample)
}

fn take(
    items: &mut Vec<Item>,
    page: &[std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>],
) -> Result<(), Unread> {
    for item in page {
        items.push(item_from_sdk(item).map_err(|error| Unread::Refused(error.to_string()))?);
    }
    Ok(())
}
