//! The tables that a program needs, as CreateTable requests.

use crate::attribute::item_to_sdk;
use crate::inspect::{self, Found, Unread};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, DisplayErrorContext};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, DeleteRequest, GlobalSecondaryIndex, KeySchemaElement, KeyType as KeyRole,
    Projection, ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType, TableStatus,
    TimeToLiveSpecification, WriteRequest,
};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::time::Duration;
use viewfold_core::program::Table;
use viewfold_core::tables::Needed;
use viewfold_spec::projection::{KeyAttribute, KeyType};
use viewfold_value::Item;

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

/// Deletes items by their keys, whatever they are.
///
/// # Errors
///
/// A sentence: what the store said.
pub async fn delete_items(client: &Client, table: &str, keys: &[&Item]) -> Result<(), String> {
    // The most that one request takes.
    for keys in keys.chunks(25) {
        let delete = |key: &&Item| {
            let delete = DeleteRequest::builder().set_key(Some(item_to_sdk(*key))).build();
            delete.map(|delete| WriteRequest::builder().delete_request(delete).build())
        };
        let requests =
            keys.iter().map(delete).collect::<Result<Vec<_>, BuildError>>().map_err(|error| error.to_string())?;
        let mut left = Some(std::collections::HashMap::from([(table.to_owned(), requests)]));
        let mut pause = Duration::from_millis(20);
        while let Some(requests) = left.filter(|left| !left.is_empty()) {
            let answer = client.batch_write_item().set_request_items(Some(requests)).send().await;
            let answer = answer.map_err(|error| format!("{table}: {}", DisplayErrorContext(&error)))?;
            left = answer.unprocessed_items;
            if left.as_ref().is_some_and(|left| !left.is_empty()) {
                if pause > MAX_WAIT {
                    return Err(format!("{table}: throttled, the items could not all be deleted"));
                }
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
    }
    Ok(())
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
        if let Some(difference) = key_difference(table.keys(), &found.keys) {
            return Err(format!("the table {name} {difference}"));
        }
        return match stream_difference(&found).filter(|_| needed.stream) {
            Some(difference) => Err(format!("the table {name} {difference}: switch it on")),
            None => Ok(false),
        };
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

/// What is wrong with the stream of a table that other projections read; nothing where it brings both images.
pub fn stream_difference(found: &Found) -> Option<&'static str> {
    let fine = found.view.as_deref() == Some(StreamViewType::NewAndOldImages.as_str());
    (!fine).then_some("is read by another projection and has no stream with NEW_AND_OLD_IMAGES")
}

async fn describe(client: &Client, name: &str) -> Result<Option<Found>, String> {
    inspect::table(client, name).await.map_err(|why| {
        let (Unread::Denied { message: why, .. } | Unread::Refused(why) | Unread::Silent(why)) = why;
        format!("the table {name} could not be looked up: {why}")
    })
}

async fn wait_until_active(client: &Client, name: &str) -> Result<(), String> {
    let mut pause = Duration::from_millis(50);
    let mut waited = Duration::ZERO;
    loop {
        let found = describe(client, name).await?;
        if found.is_some_and(|table| table.status == TableStatus::Active.as_str()) {
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

/// How the key of a table, or of an index, differs from what projections need: what is there, and what they need.
pub fn key_difference<'k>(
    wanted: impl Iterator<Item = &'k KeyAttribute>,
    found: &[(String, String)],
) -> Option<String> {
    let there: Vec<String> = found.iter().map(|(name, kind)| format!("{name} ({kind})")).collect();
    let wanted: Vec<String> = wanted.map(|key| format!("{} ({})", key.name, scalar(key.kind).as_str())).collect();
    (there != wanted)
        .then(|| format!("has the key {}, and the projections need {}", there.join(", "), wanted.join(", ")))
}

fn key_schema(partition: &KeyAttribute, sort: Option<&KeyAttribute>) -> Result<Vec<KeySchemaElement>, BuildError> {
    let element = |key: &KeyAttribute, role: KeyRole| {
        KeySchemaElement::builder().attribute_name(&key.name).key_type(role).build()
    };
    std::iter::once(element(partition, KeyRole::Hash)).chain(sort.map(|key| element(key, KeyRole::Range))).collect()
}

/// Every key attribute of the table and its indexes with its type.
pub fn attribute_types(table: &Table) -> BTreeMap<&str, KeyType> {
    let indexes = table.indexes.iter().flat_map(|index| std::iter::once(&index.partition_key).chain(&index.sort_key));
    table.keys().chain(indexes).map(|key| (key.name.as_str(), key.kind)).collect()
}

/// How the API calls the type of a key.
pub fn scalar(kind: KeyType) -> ScalarAttributeType {
    match kind {
        KeyType::String => ScalarAttributeType::S,
        KeyType::Number => ScalarAttributeType::N,
        KeyType::Binary => ScalarAttributeType::B,
    }
}
