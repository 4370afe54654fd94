//! Lambda events.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::sync::Arc;
use viewfold_core::decode::{Decoded, decode, envelope};
use viewfold_core::program::Program;
use viewfold_value::Value;

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A record of a Kinesis stream.
pub(crate) fn kinesis(stream: &str, sequence: u64, key: &str, data: &[u8]) -> String {
    let arn = quoted(&format!("arn:aws:kinesis:eu-west-1:123456789012:stream/{stream}"));
    format!(
        r#"{{"eventID":"shardId-000000000000:{sequence}","eventSourceARN":{arn},"kinesis":{{"partitionKey":{},"sequenceNumber":"{sequence}","approximateArrivalTimestamp":1767225600.5,"data":"{}"}}}}"#,
        quoted(key),
        BASE64.encode(data)
    )
}

/// A record of a DynamoDB stream; `parts` are its keys and images, in DynamoDB JSON.
pub(crate) fn dynamodb(table: &str, sequence: u64, change: &str, parts: &str) -> String {
    let arn = format!("arn:aws:dynamodb:eu-west-1:123456789012:table/{table}/stream/2026-01-01T00:00:00.000");
    format!(
        r#"{{"eventID":"e{sequence}","eventName":"{change}","eventSourceARN":{},"dynamodb":{{"SequenceNumber":"{sequence}","ApproximateCreationDateTime":1767225600,{parts}}}}}"#,
        quoted(&arn)
    )
}

/// A message of a queue.
pub(crate) fn sqs(queue: &str, sequence: u64, group: &str, body: &str) -> String {
    let arn = quoted(&format!("arn:aws:sqs:eu-west-1:123456789012:{queue}"));
    format!(
        r#"{{"messageId":"m{sequence}","eventSourceARN":{arn},"body":{},"attributes":{{"SentTimestamp":"1767225600500","MessageGroupId":{},"SequenceNumber":"{sequence}"}}}}"#,
        quoted(body),
        quoted(group)
    )
}

/// A notification of SNS.
pub(crate) fn notification(id: &str, message: &str) -> String {
    format!(
        r#"{{"Type":"Notification","MessageId":"{id}","Message":{},"Timestamp":"2026-01-01T00:00:00.5Z"}}"#,
        quoted(message)
    )
}

/// An event of EventBridge.
pub(crate) fn bus_event(id: &str, detail: &str) -> String {
    format!(
        r#"{{"version":"0","id":"{id}","detail-type":"order","source":"shop","time":"2026-01-01T00:00:00Z","detail":{detail}}}"#
    )
}

/// The payload of an invocation.
pub(crate) fn invocation(records: &[String]) -> String {
    format!(r#"{{"Records":[{}]}}"#, records.join(","))
}

/// The events of a record that is well-formed and of a stream that the program reads.
pub(crate) fn decoded(program: &Program, record: &str) -> Vec<Decoded> {
    let record = envelope::record(record.as_bytes()).expect("a record");
    let stream = program.stream(&record.origin.stream).expect("a stream of the program");
    decode(&record, 0, stream, program, &Arc::from(super::NOW))
}
