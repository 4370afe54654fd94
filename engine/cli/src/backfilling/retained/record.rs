//! Records of Kinesis as Lambda gives them to a function: marks, lanes and ids are those that the function sees.

use aws_sdk_kinesis::types::Record;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use viewfold_value::json::write_text;

/// Writes a record of a shard ([Lambda's form]).
///
/// [Lambda's form]: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
pub(super) fn write(stream_arn: &str, shard: &str, record: &Record, text: &mut String) {
    let number = &record.sequence_number;
    text.push_str("{\"eventID\":");
    write_text(&format!("{shard}:{number}"), text);
    text.push_str(
        ",\"eventName\":\"aws:kinesis:record\",\"eventSource\":\"aws:kinesis\",\"eventVersion\":\"1.0\",\"eventSourceARN\":",
    );
    write_text(stream_arn, text);
    text.push_str(",\"kinesis\":{\"kinesisSchemaVersion\":\"1.0\",\"sequenceNumber\":");
    write_text(number, text);
    text.push_str(",\"partitionKey\":");
    write_text(record.partition_key().unwrap_or_default(), text);
    if let Some(millis) = arrived(record) {
        text.push_str(&format!(
            ",\"approximateArrivalTimestamp\":{}.{:03}",
            millis.div_euclid(1000),
            millis.rem_euclid(1000)
        ));
    }
    text.push_str(",\"data\":\"");
    BASE64.encode_string(record.data.as_ref(), text);
    text.push_str("\"}}");
}

/// When a record came, in milliseconds since 1970.
pub(super) fn arrived(record: &Record) -> Option<i64> {
    record.approximate_arrival_timestamp().and_then(|time| time.to_millis().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_kinesis::primitives::{Blob, DateTime};

    #[test]
    fn a_record_is_what_lambda_makes_of_it() {
        let record = Record::builder()
            .sequence_number("49590338271490256608559692538361571095921575989136588898")
            .approximate_arrival_timestamp(DateTime::from_millis(1_545_084_650_087))
            .data(Blob::new("Hello, this is a test."))
            .partition_key("1\"é")
            .build()
            .unwrap();
        let mut text = String::new();
        write("arn:aws:kinesis:us-east-2:123456789012:stream/s", "shardId-000000000006", &record, &mut text);
        let written: serde_json::Value = serde_json::from_str(&text).unwrap();
        let expected = serde_json::json!({
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": "1\"é",
                "sequenceNumber": "49590338271490256608559692538361571095921575989136588898",
                "data": "SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==",
                "approximateArrivalTimestamp": 1_545_084_650.087,
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": "shardId-000000000006:49590338271490256608559692538361571095921575989136588898",
            "eventName": "aws:kinesis:record",
            "eventSourceARN": "arn:aws:kinesis:us-east-2:123456789012:stream/s",
        });
        assert_eq!(written, expected);
    }
}
