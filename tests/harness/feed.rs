//! The stream of a table of the store, as Lambda hands it to a function: for views over views.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodbstreams::types::{AttributeValue, Record, ShardIteratorType};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use crate::aws;
use crate::store::Store;

/// What comes out of a table's stream, from its beginning.
#[derive(Debug)]
pub struct Feed {
    client: Client,
    arn: String,
    /// Where each shard is to be read on; nothing where it has ended.
    shards: BTreeMap<String, Option<String>>,
}

impl Feed {
    /// The stream of a table, which has to have one.
    pub async fn of(store: &Store, table: &str) -> Feed {
        let name = store.table(table);
        let described = store.client().describe_table().table_name(&name).send().await;
        let described = described.unwrap_or_else(|error| panic!("there is no table {name}: {error:?}"));
        let arn = described.table.and_then(|table| table.latest_stream_arn);
        let arn = arn.unwrap_or_else(|| panic!("the table {name} has no stream"));
        let credentials = Credentials::new(aws::ACCESS_KEY_ID, aws::SECRET_ACCESS_KEY, None, None, "test");
        let config = aws_sdk_dynamodbstreams::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(store.endpoint())
            .region(Region::new(aws::REGION))
            .credentials_provider(credentials)
            .build();
        Feed { client: Client::from_conf(config), arn, shards: BTreeMap::new() }
    }

    /// The records that have come since, as Lambda gives them.
    pub async fn next(&mut self) -> Vec<Value> {
        let described = self.client.describe_stream().stream_arn(&self.arn).send().await;
        let described = described.unwrap_or_else(|error| panic!("the stream cannot be described: {error:?}"));
        for shard in described.stream_description().map(|stream| stream.shards()).unwrap_or_default() {
            let id = shard.shard_id().expect("a shard has an id");
            if !self.shards.contains_key(id) {
                let iterator = self.client.get_shard_iterator().stream_arn(&self.arn).shard_id(id);
                let iterator = iterator.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await;
                let iterator = iterator.unwrap_or_else(|error| panic!("the shard {id} cannot be read: {error:?}"));
                self.shards.insert(id.to_owned(), iterator.shard_iterator);
            }
        }
        let mut records = Vec::new();
        for iterator in self.shards.values_mut() {
            while let Some(at) = iterator.take() {
                let answer = self.client.get_records().shard_iterator(at).send().await;
                let answer = answer.unwrap_or_else(|error| panic!("the stream cannot be read: {error:?}"));
                *iterator = answer.next_shard_iterator;
                let read = answer.records.unwrap_or_default();
                if read.is_empty() {
                    break;
                }
                records.extend(read.iter().map(|record| lambda_record(record, &self.arn)));
            }
        }
        records
    }
}

fn lambda_record(record: &Record, arn: &str) -> Value {
    let change = record.dynamodb().expect("a record has a change");
    let time = change.approximate_creation_date_time().map(|time| time.secs());
    let mut dynamodb = json!({
        "Keys": image(change.keys().expect("a change has keys")),
        "SequenceNumber": change.sequence_number(),
        "ApproximateCreationDateTime": time,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    });
    for (name, item) in [("NewImage", change.new_image()), ("OldImage", change.old_image())] {
        if let Some(item) = item {
            dynamodb[name] = image(item);
        }
    }
    json!({
        "eventID": record.event_id(),
        "eventName": record.event_name().map(|name| name.as_str()),
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": aws::REGION,
        "dynamodb": dynamodb,
        "eventSourceARN": arn,
    })
}

fn image(item: &HashMap<String, AttributeValue>) -> Value {
    Value::Object(item.iter().map(|(name, value)| (name.clone(), typed(value))).collect::<Map<_, _>>())
}

fn typed(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(digits) => json!({ "N": digits }),
        AttributeValue::B(bytes) => json!({ "B": BASE64_STANDARD.encode(bytes) }),
        AttributeValue::Bool(value) => json!({ "BOOL": value }),
        AttributeValue::Null(_) => json!({ "NULL": true }),
        AttributeValue::L(elements) => json!({ "L": elements.iter().map(typed).collect::<Vec<_>>() }),
        AttributeValue::M(entries) => json!({ "M": image(entries) }),
        AttributeValue::Ss(elements) => json!({ "SS": elements }),
        AttributeValue::Ns(elements) => json!({ "NS": elements }),
        AttributeValue::Bs(elements) => {
            json!({ "BS": elements.iter().map(|bytes| BASE64_STANDARD.encode(bytes)).collect::<Vec<_>>() })
        }
        other => panic!("an attribute value of a type that DynamoDB did not have: {other:?}"),
    }
}
