//! Records as Lambda writes them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::padding::write_text;
use crate::aws::{ACCOUNT, REGION};

/// Seconds since 1970 of the first record: 1 March 2026, 8 o'clock.
const FIRST_SECOND: u64 = 1_772_352_000;

/// The `number`th record of a shard.
pub(super) fn kinesis(stream: &str, number: u64, partition_key: &str, payload: &str) -> String {
    let sequence = format!("49590338271490256608559692538361571095921575{:012}", number * 16 + 2);
    let mut key = String::new();
    write_text(&mut key, partition_key);
    let time = milliseconds(number);
    format!(
        "{{\"kinesis\":{{\"kinesisSchemaVersion\":\"1.0\",\"partitionKey\":{key},\"sequenceNumber\":\"{sequence}\",\
         \"data\":\"{}\",\"approximateArrivalTimestamp\":{}.{:03}}},\"eventSource\":\"aws:kinesis\",\
         \"eventVersion\":\"1.0\",\"eventID\":\"shardId-000000000000:{sequence}\",\"eventName\":\"aws:kinesis:record\",\
         \"invokeIdentityArn\":\"arn:aws:iam::{ACCOUNT}:role/views\",\"awsRegion\":\"{REGION}\",\
         \"eventSourceARN\":\"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{stream}\"}}",
        BASE64_STANDARD.encode(payload),
        time / 1000,
        time % 1000,
    )
}

/// The `number`th change of a table. Key and images are the inside of objects, in DynamoDB's JSON.
pub(super) fn change(table: &str, number: u64, key: &str, old: Option<&str>, new: Option<&str>) -> String {
    let name = match (old, new) {
        (None, _) => "INSERT",
        (_, None) => "REMOVE",
        _ => "MODIFY",
    };
    // Real ids are 32 digits of a hash; these are as unlike their neighbours.
    let id = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let image = |name: &str, item: Option<&str>| match item {
        Some(item) => format!(",\"{name}\":{{{item}}}"),
        None => String::new(),
    };
    let images = image("NewImage", new) + &image("OldImage", old);
    format!(
        "{{\"eventID\":\"{id:032x}\",\"eventName\":\"{name}\",\"eventVersion\":\"1.1\",\"eventSource\":\"aws:dynamodb\",\
         \"awsRegion\":\"{REGION}\",\"dynamodb\":{{\"ApproximateCreationDateTime\":{},\"Keys\":{{{key}}}{images},\
         \"SequenceNumber\":\"{}\",\"SizeBytes\":{},\"StreamViewType\":\"NEW_AND_OLD_IMAGES\"}},\
         \"eventSourceARN\":\"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}/stream/2026-03-01T08:00:00.000\"}}",
        milliseconds(number) / 1000,
        100_000_000_000_000_001_013 + u128::from(number) * 1013,
        key.len() + images.len(),
    )
}

/// An attribute in DynamoDB's JSON.
pub(super) fn attribute(name: &str, kind: &str, text: &str) -> String {
    let mut out = String::new();
    write_text(&mut out, name);
    out.push_str(":{\"");
    out.push_str(kind);
    out.push_str("\":");
    write_text(&mut out, text);
    out.push('}');
    out
}

/// A field in JSON.
pub(super) fn field(name: &str, text: &str) -> String {
    let mut out = String::new();
    write_text(&mut out, name);
    out.push(':');
    write_text(&mut out, text);
    out
}

/// Three records come in a millisecond.
fn milliseconds(number: u64) -> u64 {
    FIRST_SECOND * 1000 + number / 3
}
