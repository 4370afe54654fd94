//! Lambda events as Lambda sends them, from streams whose sequence numbers rise with every record.
//!
//! A record is a [`Value`], so that a test can spoil it in any way before it goes into a [`batch`].

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::aws::{ACCOUNT, REGION};

/// A Lambda event of these records.
pub fn batch(records: impl IntoIterator<Item = Value>) -> Value {
    json!({ "Records": records.into_iter().collect::<Vec<_>>() })
}

/// The sequence number of a record: what `batchItemFailures` names it by.
pub fn sequence_number(record: &Value) -> &str {
    record["kinesis"]["sequenceNumber"]
        .as_str()
        .or_else(|| record["dynamodb"]["SequenceNumber"].as_str())
        .unwrap_or_else(|| panic!("a record without a sequence number: {record}"))
}

/// The sequence numbers that a function's answer reports in `batchItemFailures`, in its order.
///
/// Panics when the answer is not of the form that Lambda accepts: anything else would be taken for success, or fail the
/// batch.
pub fn failures(answer: &Value) -> Vec<&str> {
    let entries = answer["batchItemFailures"].as_array();
    let entries = entries.unwrap_or_else(|| panic!("an answer without the list batchItemFailures: {answer}"));
    let identifier = |entry: &'_ Value| entry["itemIdentifier"].as_str().is_some_and(|text| !text.is_empty());
    assert!(entries.iter().all(identifier), "an entry without itemIdentifier: {answer}");
    entries.iter().filter_map(|entry| entry["itemIdentifier"].as_str()).collect()
}

/// Seconds since 1970 of a stream's first record: a little while ago, so that no guard finds its events too old.
fn first_second() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set to a time after 1970");
    now.as_secs() - 3600
}

/// One shard of a Kinesis stream.
#[derive(Clone, Debug)]
pub struct KinesisStream {
    name: String,
    shard: String,
    count: u64,
    first_second: u64,
}

impl KinesisStream {
    /// The first shard of the stream of that name.
    pub fn new(name: &str) -> KinesisStream {
        KinesisStream { name: name.to_owned(), shard: shard_id(0), count: 0, first_second: first_second() }
    }

    /// The same stream's shard of that number.
    pub fn shard(mut self, number: u32) -> KinesisStream {
        self.shard = shard_id(number);
        self
    }

    /// The next record of the shard; its payload may be anything.
    pub fn record(&mut self, partition_key: &str, payload: impl AsRef<[u8]>) -> Value {
        self.count += 1;
        let sequence_number = format!("49571669009522853278119462494300940056686602{:012}", self.count);
        json!({
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": partition_key,
                "sequenceNumber": sequence_number,
                "data": BASE64_STANDARD.encode(payload),
                "approximateArrivalTimestamp": (self.first_second + self.count) as f64 + 0.25,
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": format!("{}:{sequence_number}", self.shard),
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": format!("arn:aws:iam::{ACCOUNT}:role/lambda-role"),
            "awsRegion": REGION,
            "eventSourceARN": format!("arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{}", self.name),
        })
    }
}

/// An SQS queue; one whose name ends in `.fifo` is a FIFO queue.
#[derive(Clone, Debug)]
pub struct Queue {
    name: String,
    count: u64,
    first_second: u64,
}

impl Queue {
    /// The queue of that name.
    pub fn new(name: &str) -> Queue {
        Queue { name: name.to_owned(), count: 0, first_second: first_second() }
    }

    /// The next message; its body may be anything. In a FIFO queue all are of one group.
    pub fn message(&mut self, body: impl Into<String>) -> Value {
        self.in_group("all", body)
    }

    /// The next message of a group. (Of a standard queue the group is left out.)
    pub fn in_group(&mut self, group: &str, body: impl Into<String>) -> Value {
        self.count += 1;
        let milliseconds = ((self.first_second + self.count) * 1000 + 250).to_string();
        let mut attributes = json!({
            "ApproximateReceiveCount": "1",
            "SentTimestamp": milliseconds,
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": milliseconds,
        });
        if self.name.ends_with(".fifo") {
            attributes["MessageGroupId"] = group.into();
            attributes["MessageDeduplicationId"] = format!("deduplication-{}", self.count).into();
            attributes["SequenceNumber"] = format!("188494967{:011}", self.count).into();
        }
        let of_queue = self.name.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        json!({
            "messageId": format!("{:08x}-4d1f-4e2a-8b6c-{:012x}", of_queue as u32, self.count),
            "receiptHandle": format!("AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a{}", self.count),
            "body": body.into(),
            "attributes": attributes,
            "messageAttributes": {},
            "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{}", self.name),
            "awsRegion": REGION,
        })
    }

    /// A message once more, as a dead-letter queue gives it back: with another id, and a FIFO queue's next number.
    pub fn redriven(&mut self, message: &Value) -> Value {
        let group = message["attributes"]["MessageGroupId"].as_str().unwrap_or_default().to_owned();
        self.in_group(&group, message["body"].as_str().unwrap_or_default())
    }
}

/// The id of a message: what `batchItemFailures` names it by.
pub fn message_id(message: &Value) -> &str {
    message["messageId"].as_str().unwrap_or_else(|| panic!("a message without an id: {message}"))
}

/// The body that SNS makes of a message for a queue, without raw delivery.
pub fn notification(id: &str, message: &str) -> String {
    let body = json!({
        "Type": "Notification",
        "MessageId": id,
        "TopicArn": format!("arn:aws:sns:{REGION}:{ACCOUNT}:orders"),
        "Subject": "an order",
        "Message": message,
        "Timestamp": time_of(first_second()),
        "SignatureVersion": "1",
        "Signature": "EXAMPLEpH+DcEwjAPg8O9mY8dReBSwksfg2S7WKQcikcNKWLQjwu6A4VbeS0QHVCkhRS7fUQvi2egU3N858fiTDN6bkkOxYDVrY0Ad8L10Hs3zH81mtnPk5uvvolIC1CXGu43obcgFxeL3khZl8IKvO61GWB6jI9b5+gLPoBc1Q=",
        "SigningCertURL": format!("https://sns.{REGION}.amazonaws.com/SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem"),
        "UnsubscribeURL": format!("https://sns.{REGION}.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:{REGION}:{ACCOUNT}:orders:c9135db0"),
        "MessageAttributes": { "kind": { "Type": "String", "Value": "order" } },
    });
    body.to_string()
}

/// An event of EventBridge, as a rule sends it to a queue.
pub fn bus_event(id: &str, detail_type: &str, detail: &Value) -> String {
    let body = json!({
        "version": "0",
        "id": id,
        "detail-type": detail_type,
        "source": "shop",
        "account": ACCOUNT,
        "time": time_of(first_second()),
        "region": REGION,
        "resources": [],
        "detail": detail,
    });
    body.to_string()
}

/// Seconds since 1970 as RFC 3339.
fn time_of(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).expect("a time of these centuries");
    jiff::Timestamp::from_second(seconds).expect("a time of these centuries").to_string()
}

fn shard_id(number: u32) -> String {
    format!("shardId-{number:012}")
}

/// The DynamoDB stream of a table. Items are in DynamoDB's JSON (`{"id": {"S": "1"}}`).
#[derive(Clone, Debug)]
pub struct TableStream {
    table: String,
    keys: Vec<String>,
    label: String,
    next: u128,
    count: u64,
    first_second: u64,
}

impl TableStream {
    /// The stream of the table of that name, whose key consists of those attributes.
    pub fn new(table: &str, keys: &[&str]) -> TableStream {
        TableStream {
            table: table.to_owned(),
            keys: keys.iter().map(|&key| key.to_owned()).collect(),
            label: "2024-05-01T12:00:00.000".to_owned(),
            next: 100_000_000_000_000_000_001,
            count: 0,
            first_second: first_second(),
        }
    }

    /// The table's stream of another label: what it has after its stream was switched off and on.
    pub fn label(mut self, label: &str) -> TableStream {
        self.label = label.to_owned();
        self
    }

    /// The stream with that sequence number on its next record; later ones go up from there, into more digits if need
    /// be.
    pub fn starting_at(mut self, sequence_number: u128) -> TableStream {
        self.next = sequence_number;
        self
    }

    /// The record of an item's making.
    pub fn insert(&mut self, new: Value) -> Value {
        let keys = self.keys_of(&new);
        self.record("INSERT", json!({ "Keys": keys, "NewImage": new }))
    }

    /// The record of an item's change.
    pub fn modify(&mut self, old: Value, new: Value) -> Value {
        let keys = self.keys_of(&new);
        self.record("MODIFY", json!({ "Keys": keys, "NewImage": new, "OldImage": old }))
    }

    /// The record of an item's removal.
    pub fn remove(&mut self, old: Value) -> Value {
        let keys = self.keys_of(&old);
        self.record("REMOVE", json!({ "Keys": keys, "OldImage": old }))
    }

    /// A recorded change that lacks what tells it from others, or has the same for all: ARN, id, time and sequence
    /// number become this stream's next.
    pub fn complete(&mut self, recorded: &Value) -> Value {
        let event_name = recorded["eventName"].as_str();
        let event_name = event_name.unwrap_or_else(|| panic!("a record without an eventName: {recorded}"));
        self.record(event_name, recorded["dynamodb"].clone())
    }

    fn record(&mut self, event_name: &str, mut change: Value) -> Value {
        let sequence_number = self.next;
        self.next += 1;
        self.count += 1;
        change["ApproximateCreationDateTime"] = (self.first_second + self.count).into();
        change["SequenceNumber"] = sequence_number.to_string().into();
        change["SizeBytes"] = change.to_string().len().into();
        change["StreamViewType"] = "NEW_AND_OLD_IMAGES".into();
        json!({
            // Real ids are 32 digits of a hash; these are as unlike their neighbours and as stable.
            "eventID": format!("{:032x}", sequence_number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)),
            "eventName": event_name,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": REGION,
            "dynamodb": change,
            "eventSourceARN": format!(
                "arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{}/stream/{}", self.table, self.label
            ),
        })
    }

    fn keys_of(&self, item: &Value) -> Value {
        let key = |name: &String| (name.clone(), item[name].clone());
        self.keys.iter().map(key).collect()
    }
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::event::{dynamodb, kinesis, streams};

    use super::*;

    #[test]
    fn kinesis_records_are_what_aws_sends() {
        let mut stream = KinesisStream::new("retail").shard(2);
        let records = [stream.record("A", r#"{"id":"A"}"#), stream.record("B", [0xff, 0x00])];
        let event = serde_json::from_value(batch(records.clone()));
        let event: kinesis::KinesisEvent = event.expect("AWS's types read the event");

        let [first, second] = &event.records[..] else { panic!("two records went in") };
        assert_eq!(first.event_source.as_deref(), Some("aws:kinesis"));
        assert_eq!(first.event_source_arn.as_deref(), Some("arn:aws:kinesis:us-east-1:123456789012:stream/retail"));
        assert_eq!(first.event_name.as_deref(), Some("aws:kinesis:record"));
        assert_eq!(first.kinesis.partition_key, "A");
        assert_eq!(first.kinesis.data.0, br#"{"id":"A"}"#);
        assert_eq!(second.kinesis.data.0, [0xff, 0x00]);

        let number = &first.kinesis.sequence_number;
        assert_eq!(number, sequence_number(&records[0]));
        assert_eq!(number.len(), 56);
        assert_eq!(first.event_id.as_deref(), Some(format!("shardId-000000000002:{number}").as_str()));
        assert!(*number < second.kinesis.sequence_number);
        assert!(first.kinesis.approximate_arrival_timestamp.0 < second.kinesis.approximate_arrival_timestamp.0);
    }

    #[test]
    fn table_stream_records_are_what_aws_sends() {
        let mut stream = TableStream::new("votes", &["id"]).starting_at(999_999_999_999_999_999_999);
        let before = json!({"id": {"S": "1"}, "region": {"S": "SOUTH"}});
        let after = json!({"id": {"S": "1"}, "region": {"S": "NORTH"}});
        let records =
            [stream.insert(before.clone()), stream.modify(before.clone(), after.clone()), stream.remove(after)];
        let event = serde_json::from_value(batch(records.clone()));
        let event: dynamodb::Event = event.expect("AWS's types read the event");

        let names: Vec<&str> = event.records.iter().map(|record| record.event_name.as_str()).collect();
        assert_eq!(names, ["INSERT", "MODIFY", "REMOVE"]);
        let source = event.records[0].event_source_arn.as_deref();
        let expected = "arn:aws:dynamodb:us-east-1:123456789012:table/votes/stream/2024-05-01T12:00:00.000";
        assert_eq!(source, Some(expected));
        let numbers: Vec<_> = event.records.iter().map(|record| record.change.sequence_number.as_deref()).collect();
        let expected = ["999999999999999999999", "1000000000000000000000", "1000000000000000000001"];
        assert_eq!(numbers, expected.map(Some));
        let ids: std::collections::BTreeSet<_> = event.records.iter().map(|record| &record.event_id).collect();
        assert_eq!(ids.len(), 3);

        let as_is = serde_json::to_value(&event.records[1].change.keys).expect("keys can be written");
        assert_eq!(as_is, json!({"id": {"S": "1"}}));
        assert_eq!(event.records[1].change.old_image.len(), 2);
        assert_eq!(event.records[1].change.new_image.len(), 2);
        assert!(event.records[0].change.old_image.is_empty());
        assert!(event.records[2].change.new_image.is_empty());
        let times: Vec<_> = event.records.iter().map(|r| r.change.approximate_creation_date_time).collect();
        assert!(times.is_sorted());
    }

    #[test]
    fn messages_are_told_apart_and_numbered_in_fifo_queues_alone() {
        let (mut standard, mut fifo) = (Queue::new("orders"), Queue::new("orders.fifo"));
        let first = standard.message("{}");
        let again = standard.redriven(&first);
        let (a, b) = (fifo.in_group("A", "{}"), fifo.in_group("B", "{}"));
        let ids: std::collections::BTreeSet<_> = [&first, &again, &a, &b].into_iter().map(message_id).collect();
        assert_eq!((ids.len(), &again["body"]), (4, &first["body"]));
        assert_eq!(first["eventSourceARN"], "arn:aws:sqs:us-east-1:123456789012:orders");
        assert_eq!(first["attributes"].get("MessageGroupId"), None);
        assert_eq!(b["attributes"]["MessageGroupId"], "B");
        let number = |message: &Value| message["attributes"]["SequenceNumber"].as_str().map(str::to_owned);
        assert!(number(&a) < number(&b) && number(&a).is_some_and(|number| number.len() == 20));
    }

    #[test]
    fn answers_are_what_lambda_accepts() {
        let answer = json!({"batchItemFailures": [{"itemIdentifier": "17"}]});
        assert_eq!(failures(&answer), ["17"]);
        let parsed: streams::KinesisEventResponse =
            serde_json::from_value(answer).expect("AWS's types read the answer");
        assert_eq!(parsed.batch_item_failures[0].item_identifier.as_deref(), Some("17"));
        assert_eq!(failures(&json!({"batchItemFailures": []})), [""; 0]);
    }

    #[test]
    #[should_panic(expected = "without itemIdentifier")]
    fn an_empty_identifier_is_refused() {
        failures(&json!({"batchItemFailures": [{"itemIdentifier": ""}]}));
    }
}
