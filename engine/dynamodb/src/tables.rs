//! The tables that a program needs, as CreateTable requests.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, DisplayErrorContext};
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType as KeyRole, Projection,
    ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType, TableStatus, TimeToLiveSpecification,
};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::time::Duration;
use viewfold_core::program::Table;
use viewfold_core::tables::Needed;
use viewfold_spec::projection::{KeyAttribute, KeyType};

/// How long a table may take to become active.
const MAX_WAIT: Duration = Duration::from_secs(300);

/// The CreateTable request of a table, as `aws dynamodb create-table --cli-input-json` takes it. (Its TTL takes a request
/// of its own: `update-time-to-live`.)
pub fn create_request(needed: &Needed) -> Json {
    let table = &needed.table;
    let schema = |partition: &KeyAttribute, sort: &Option<KeyAttribute>| -> Vec<Json> {
        std::iter::once(json!({ "AttributeName": partition.name, "KeyType": "HASH" }))
            .chain(sort.iter().map(|key| json!({ "AttributeName": key.name, "KeyType": "RANGE" })))
            .collect()
    };
    let definitions: Vec<Json> = attribute_types(table)
        .into_iter()
        .map(|(name, kind)| json!({ "AttributeName": name, "AttributeType": scalar(kind).as_str() }))
        .collect();
    let mut request = json!({
        "TableName": &*table.name,
        "AttributeDefinitions": definitions,
        "KeySchema": schema(&table.partition_key, &table.sort_key),
        "BillingMode": "PAY_PER_REQUEST",
    });
    if !table.indexes.is_empty() {
        let indexes = table.indexes.iter().map(|index| {
            json!({
                "IndexName": index.name,
                "KeySchema": schema(&index.partition_key, &index.sort_key),
                "Projection": { "ProjectionType": "ALL" },
            })
        });
        request["GlobalSecondaryIndexes"] = indexes.collect();
    }
    if needed.stream {
        request["StreamSpecification"] = json!({ "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" });
    }
    request
}

/// Makes a table unless it is there, and waits until it can be written to; whether it was made.
///
/// # Errors
///
/// A sentence: what the store said, or that the table has another key than the projections say.
pub async fn create_if_missing(client: &Client, needed: &Needed) -> Result<bool, String> {
    let table = &needed.table;
    let name = &*table.name;
    if let Some(found) = describe(client, name).await? {
        check_key(table, &found)?;
        if needed.stream {
            check_stream(name, &found)?;
        }
        return Ok(false);
    }
    let build = |error: BuildError| format!("the request for {name} could not be built: {error}");
    let mut request = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(key_schema(&table.partition_key, table.sort_key.as_ref()).map_err(build)?));
    for (attribute, kind) in attribute_types(table) {
        let definition = AttributeDefinition::builder()
            .attribute_name(attribute)
            .attribute_type(scalar(kind))
            .build()
            .map_err(build)?;
        request = request.attribute_definitions(definition);
    }
    for index in &table.indexes {
        let index = GlobalSecondaryIndex::builder()
            .index_name(&index.name)
            .set_key_schema(Some(key_schema(&index.partition_key, index.sort_key.as_ref()).map_err(build)?))
            .projection(Projection::builder().projection_type(ProjectionType::All).build())
            .build()
            .map_err(build)?;
        request = request.global_secondary_indexes(index);
    }
    if needed.stream {
        let stream = StreamSpecification::builder()
            .stream_enabled(true)
            .stream_view_type(StreamViewType::NewAndOldImages)
            .build()
            .map_err(build)?;
        request = request.stream_specification(stream);
    }
    if let Err(error) = request.send().await {
        // Somebody else may have made it in the meantime.
        let raced = error.as_service_error().is_some_and(|error| error.is_resource_in_use_exception());
        if !raced {
            return Err(format!("the table {name} could not be made: {}", DisplayErrorContext(&error)));
        }
    }
    wait_until_active(client, name).await?;
    if let Some(attribute) = &table.ttl {
        let ttl = TimeToLiveSpecification::builder().enabled(true).attribute_name(attribute).build().map_err(build)?;
        client
            .update_time_to_live()
            .table_name(name)
            .time_to_live_specification(ttl)
            .send()
            .await
            .map_err(|error| format!("the TTL of {name} could not be switched on: {}", DisplayErrorContext(&error)))?;
    }
    Ok(true)
}

/// Views over a table need its stream, with both images.
fn check_stream(name: &str, found: &aws_sdk_dynamodb::types::TableDescription) -> Result<(), String> {
    let stream = found.stream_specification();
    let fine = stream.is_some_and(|stream| {
        stream.stream_enabled() && stream.stream_view_type() == Some(&StreamViewType::NewAndOldImages)
    });
    if fine {
        return Ok(());
    }
    Err(format!(
        "the table {name} is read by another projection and has no stream with NEW_AND_OLD_IMAGES: switch it on"
    ))
}

async fn describe(client: &Client, name: &str) -> Result<Option<aws_sdk_dynamodb::types::TableDescription>, String> {
    match client.describe_table().table_name(name).send().await {
        Ok(answer) => Ok(answer.table),
        Err(error) if error.as_service_error().is_some_and(DescribeTableError::is_resource_not_found_exception) => {
            Ok(None)
        }
        Err(error) => Err(format!("the table {name} could not be looked up: {}", DisplayErrorContext(&error))),
    }
}

async fn wait_until_active(client: &Client, name: &str) -> Result<(), String> {
    let mut pause = Duration::from_millis(50);
    let mut waited = Duration::ZERO;
    loop {
        let status = describe(client, name).await?.and_then(|table| table.table_status);
        if status == Some(TableStatus::Active) {
            return Ok(());
        }
        if waited >= MAX_WAIT {
            return Err(format!("the table {name} was not active after {} seconds", MAX_WAIT.as_secs()));
        }
        tokio::time::sleep(pause).await;
        waited += pause;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

fn check_key(table: &Table, found: &aws_sdk_dynamodb::types::TableDescription) -> Result<(), String> {
    let types: BTreeMap<&str, &ScalarAttributeType> = found
        .attribute_definitions()
        .iter()
        .map(|definition| (definition.attribute_name(), definition.attribute_type()))
        .collect();
    let there: Vec<String> = found
        .key_schema()
        .iter()
        .map(|key| {
            format!("{} ({})", key.attribute_name(), types.get(key.attribute_name()).map_or("?", |kind| kind.as_str()))
        })
        .collect();
    let wanted: Vec<String> = table.keys().map(|key| format!("{} ({})", key.name, scalar(key.kind).as_str())).collect();
    if there == wanted {
        return Ok(());
    }
    Err(format!(
        "the table {} has the key {}, and the projections need {}",
        table.name,
        there.join(", "),
        wanted.join(", ")
    ))
}

fn key_schema(partition: &KeyAttribute, sort: Option<&KeyAttribute>) -> Result<Vec<KeySchemaElement>, BuildError> {
    let element = |key: &KeyAttribute, role: KeyRole| {
        KeySchemaElement::builder().attribute_name(&key.name).key_type(role).build()
    };
    std::iter::once(element(partition, KeyRole::Hash)).chain(sort.map(|key| element(key, KeyRole::Range))).collect()
}

/// Every key attribute of the table and its indexes with its type.
fn attribute_types(table: &Table) -> BTreeMap<&str, KeyType> {
    let indexes = table.indexes.iter().flat_map(|index| std::iter::once(&index.partition_key).chain(&index.sort_key));
    table.keys().chain(indexes).map(|key| (key.name.as_str(), key.kind)).collect()
}

fn scalar(kind: KeyType) -> ScalarAttributeType {
    match kind {
        KeyType::String => ScalarAttributeType::S,
        KeyType::Number => ScalarAttributeType::N,
        KeyType::Binary => ScalarAttributeType::B,
    }
}
