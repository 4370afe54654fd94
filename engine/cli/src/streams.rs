//! Chains of views: the streams of tables that a projection writes and another one reads.

use crate::output::Failure;
use crate::store::Connection;
use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::error::DisplayErrorContext;
use aws_sdk_dynamodbstreams::types::{AttributeValue, OperationType, Record, ShardIteratorType};
use std::collections::{BTreeMap, HashMap};
use viewfold_core::program::{Program, StreamIdentity};
use viewfold_value::dynamodb_json::write_item;
use viewfold_value::json::write_text;
use viewfold_value::{Item, Number, Value};

/// The most records of one batch: what Lambda gives a function at most for a stream of a table.
const MAX_RECORDS: usize = 1000;

/// The streams of the views that other projections read, from where they stood when the run began.
pub(crate) struct Streams {
    client: Client,
    followed: Vec<Followed>,
}

struct Followed {
    arn: String,
    /// Where each shard is to be read on; nothing where it has ended.
    shards: BTreeMap<String, Option<String>>,
}

impl Streams {
    /// Takes up the streams of all views that other projections of the program read.
    pub(crate) async fn follow(connection: &Connection, program: &Program) -> Result<Streams, Failure> {
        let store = &connection.store;
        let client = Client::new(&connection.config);
        let mut streams = Streams { client, followed: Vec::new() };
        for stream in &program.streams {
            let StreamIdentity::Dynamodb(table) = &stream.identity else { continue };
            if !program.projections.iter().any(|projection| *projection.table.name == **table) {
                continue;
            }
            let described = store.client().describe_table().table_name(table).send().await;
            let described = described.map_err(|error| broken(table, DisplayErrorContext(&error)))?;
            let arn = described.table.and_then(|table| table.latest_stream_arn);
            let arn =
                arn.ok_or_else(|| Failure::new(format!("the table {table} has no stream, and a view reads it")))?;
            let mut followed = Followed { arn, shards: BTreeMap::new() };
            streams.find_shards(&mut followed, ShardIteratorType::Latest).await?;
            streams.followed.push(followed);
        }
        Ok(streams)
    }

    /// Takes up the shards of a stream that are not known yet.
    async fn find_shards(&self, followed: &mut Followed, from: ShardIteratorType) -> Result<(), Failure> {
        let arn = &followed.arn;
        let described = self.client.describe_stream().stream_arn(arn).send().await;
        let described = described.map_err(|error| broken(arn, DisplayErrorContext(&error)))?;
        for shard in described.stream_description().map(|stream| stream.shards()).unwrap_or_default() {
            let Some(id) = shard.shard_id() else { continue };
            if followed.shards.contains_key(id) {
                continue;
            }
            let iterator = self
                .client
                .get_shard_iterator()
                .stream_arn(arn)
                .shard_id(id)
                .shard_iterator_type(from.clone())
                .send()
                .await;
            let iterator = iterator.map_err(|error| broken(arn, DisplayErrorContext(&error)))?;
            followed.shards.insert(id.to_owned(), iterator.shard_iterator);
        }
        Ok(())
    }

    /// What has come into the streams since, as Lambda events, each of one shard.
    pub(crate) async fn next(&mut self) -> Result<Vec<String>, Failure> {
        let mut events = Vec::new();
        let mut all = std::mem::take(&mut self.followed);
        for followed in &mut all {
            self.find_shards(followed, ShardIteratorType::TrimHorizon).await?;
            for iterator in followed.shards.values_mut() {
                let mut records = Vec::new();
                while let Some(at) = iterator.take() {
                    let answer = self.client.get_records().shard_iterator(at).send().await;
                    let answer = answer.map_err(|error| broken(&followed.arn, DisplayErrorContext(&error)))?;
                    *iterator = answer.next_shard_iterator;
                    let read = answer.records.unwrap_or_default();
                    if read.is_empty() {
                        break;
                    }
                    records.extend(read);
                }
                for records in records.chunks(MAX_RECORDS) {
                    let records = records.iter().map(|record| lambda_record(record, &followed.arn));
                    let records = records.collect::<Result<Vec<String>, Failure>>()?;
                    events.push(format!("{{\"Records\":[{}]}}", records.join(",")));
                }
            }
        }
        self.followed = all;
        Ok(events)
    }
}

fn broken(what: &str, error: impl std::fmt::Display) -> Failure {
    Failure::new(format!("the stream of {what} cannot be read: {error}"))
}

/// A record as Lambda gives it to a function.
fn lambda_record(record: &Record, arn: &str) -> Result<String, Failure> {
    let missing = || Failure::new(format!("a record of {arn} is not complete"));
    let change = record.dynamodb().ok_or_else(missing)?;
    let name = match record.event_name() {
        Some(OperationType::Insert) => "INSERT",
        Some(OperationType::Modify) => "MODIFY",
        Some(OperationType::Remove) => "REMOVE",
        _ => return Err(missing()),
    };
    let mut text = String::from("{\"eventID\":");
    write_text(record.event_id().unwrap_or_default(), &mut text);
    text += &format!(",\"eventName\":\"{name}\",\"eventSource\":\"aws:dynamodb\",\"eventSourceARN\":");
    write_text(arn, &mut text);
    text += ",\"dynamodb\":{\"SequenceNumber\":";
    write_text(change.sequence_number().unwrap_or_default(), &mut text);
    if let Some(time) = change.approximate_creation_date_time() {
        text += &format!(",\"ApproximateCreationDateTime\":{}", time.secs());
    }
    for (key, image) in [("Keys", change.keys()), ("NewImage", change.new_image()), ("OldImage", change.old_image())] {
        if let Some(image) = image {
            text += &format!(",\"{key}\":");
            write_item(&item(image)?, &mut text);
        }
    }
    text += "}}";
    Ok(text)
}

fn item(image: &HashMap<String, AttributeValue>) -> Result<Item, Failure> {
    image.iter().map(|(name, attribute)| Ok((name.clone(), value(attribute)?))).collect()
}

fn value(attribute: &AttributeValue) -> Result<Value, Failure> {
    let number = |digits: &String| {
        Number::parse(digits).map_err(|error| Failure::new(format!("the stream has the number {digits}: {error}")))
    };
    Ok(match attribute {
        AttributeValue::Null(_) => Value::Null,
        AttributeValue::Bool(value) => Value::Bool(*value),
        AttributeValue::N(digits) => Value::Number(number(digits)?),
        AttributeValue::S(text) => Value::String(text.clone()),
        AttributeValue::B(bytes) => Value::Binary(bytes.as_ref().to_vec()),
        AttributeValue::L(list) => Value::List(list.iter().map(value).collect::<Result<_, _>>()?),
        AttributeValue::M(map) => Value::Map(item(map)?),
        AttributeValue::Ss(set) => Value::StringSet(set.iter().cloned().collect()),
        AttributeValue::Ns(set) => Value::NumberSet(set.iter().map(number).collect::<Result<_, _>>()?),
        AttributeValue::Bs(set) => Value::BinarySet(set.iter().map(|bytes| bytes.as_ref().to_vec()).collect()),
        _ => return Err(Failure::new("the stream has a value of an unknown type")),
    })
}
