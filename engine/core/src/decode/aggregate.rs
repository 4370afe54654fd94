//! Records of the Kinesis Producer Library, which puts many of a producer's records into one of Kinesis ([format]): four magic
//! bytes, a protobuf message, and the MD5 digest of the message.
//!
//! [format]: https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md

use md5::{Digest as _, Md5};
use prost::Message;

const MAGIC: [u8; 4] = [0xf3, 0x89, 0x9a, 0xc2];

/// The bytes of an MD5 digest.
const DIGEST: usize = 16;

/// The message, as far as it says something about events.
#[derive(Clone, PartialEq, Message)]
struct AggregatedRecord {
    #[prost(string, repeated, tag = "1")]
    partition_key_table: Vec<String>,
    #[prost(message, repeated, tag = "3")]
    records: Vec<UserRecord>,
}

/// One of the producer's records.
#[derive(Clone, PartialEq, Message)]
struct UserRecord {
    /// Its partition key's place in the table.
    #[prost(uint64, tag = "1")]
    partition_key_index: u64,
    #[prost(bytes = "vec", tag = "3")]
    data: Vec<u8>,
}

/// The records inside of an aggregate, in their order: partition key and payload; a key that is missing from the aggregate's
/// table is nothing. Nothing at all where the bytes are no aggregate: without the magic bytes or with another digest they are
/// a payload like any other, as AWS's own libraries have it.
pub(super) fn taken_apart(bytes: &[u8]) -> Option<Vec<(Option<String>, Vec<u8>)>> {
    let rest = bytes.strip_prefix(&MAGIC)?;
    let (message, digest) = rest.split_at_checked(rest.len().checked_sub(DIGEST)?)?;
    if Md5::digest(message).as_slice() != digest {
        return None;
    }
    let AggregatedRecord { partition_key_table, records } = AggregatedRecord::decode(message).ok()?;
    let key = |index: u64| partition_key_table.get(usize::try_from(index).ok()?).cloned();
    Some(records.into_iter().map(|record| (key(record.partition_key_index), record.data)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aggregate(records: &[(u64, &str)]) -> Vec<u8> {
        let records = records
            .iter()
            .map(|(index, data)| UserRecord { partition_key_index: *index, data: data.as_bytes().to_vec() });
        let message =
            AggregatedRecord { partition_key_table: vec!["a".into(), "b".into()], records: records.collect() };
        let message = message.encode_to_vec();
        [&MAGIC[..], &message, Md5::digest(&message).as_slice()].concat()
    }

    #[test]
    fn records_come_out_in_their_order_with_their_keys() {
        let all = taken_apart(&aggregate(&[(1, "first"), (0, "second"), (7, "third")])).expect("an aggregate");
        let key = |text: &str| Some(text.to_owned());
        assert_eq!(all, [(key("b"), b"first".to_vec()), (key("a"), b"second".to_vec()), (None, b"third".to_vec())]);
        assert_eq!(taken_apart(&aggregate(&[])), Some(Vec::new()));
    }

    #[test]
    fn what_is_no_aggregate_is_left_alone() {
        let mut wrong_digest = aggregate(&[(0, "x")]);
        *wrong_digest.last_mut().expect("a digest") ^= 1;
        let whole = aggregate(&[(0, "x")]);
        for bytes in [&b""[..], b"{}", &MAGIC, &wrong_digest, &whole[..whole.len() - 1], &whole[1..]] {
            assert_eq!(taken_apart(bytes), None, "{bytes:?}");
        }
    }
}
