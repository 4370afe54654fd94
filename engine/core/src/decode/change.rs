//! Changes of items that reach Kinesis by "[Kinesis Data Streams for DynamoDB]": the payload of a record is nearly a record
//! of a DynamoDB stream, as JSON.
//!
//! DynamoDB may put a change into the stream twice, each time under a new sequence number. The same change has the same
//! item and the same creation time, and that is its id.
//!
//! [Kinesis Data Streams for DynamoDB]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/kds.html

use super::envelope::{ChangeRecord, DynamodbBody};
use super::{read_item, undecodable};
use crate::event::Lane;
use crate::report::Problem;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// A change.
pub(super) struct Change<'b> {
    pub(super) body: DynamodbBody<'b>,
    pub(super) lane: Lane,
    /// `TABLE/KEY/MICROSECONDS`. Where the stream gives milliseconds only, which an item can change twice in, a digest of the
    /// images stands behind them.
    pub(super) id: String,
}

/// Reads the payload of a record.
///
/// # Errors
///
/// When it is no JSON, or says no key or no creation time.
pub(super) fn read(bytes: &[u8]) -> Result<Change<'_>, Problem> {
    let ChangeRecord { table, body, created, is_exact } = ChangeRecord::read(bytes)
        .map_err(|error| undecodable(format!("the payload is no change of an item: {error}")))?;
    let keys = body.keys.ok_or_else(|| undecodable("the change names no key of its item"))?;
    let lane = Lane::of_item(read_item(keys)?);
    let created = created.ok_or_else(|| undecodable("the change has no `ApproximateCreationDateTime`"))?;
    let mut id = format!("{table}/{}/{created}", lane.text());
    if !is_exact {
        let mut digest = Sha256::new();
        for image in [&body.old, &body.new] {
            // As values, so that it does not matter how they are written.
            digest.update(
                image
                    .as_ref()
                    .map(|image| read_item(image.text))
                    .transpose()?
                    .map_or_else(String::new, |item| format!("{item:?}")),
            );
            digest.update([0]);
        }
        id.push('/');
        for byte in &digest.finalize()[..16] {
            // Writing into a String cannot fail.
            let _ = write!(id, "{byte:02x}");
        }
    }
    Ok(Change { body, lane, id })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(time: &str, images: &str) -> String {
        format!(
            r#"{{"eventID":"e","eventName":"MODIFY","recordFormat":"application/json","tableName":"orders","userIdentity":null,
                "dynamodb":{{"Keys":{{"id":{{"S":"1"}}}},{images}{time},"SizeBytes":9}},"eventSource":"aws:dynamodb"}}"#
        )
    }

    #[test]
    fn a_change_is_known_by_its_item_and_its_time() {
        let exact = |micros: u64| {
            let time = format!(
                r#""ApproximateCreationDateTime":{micros},"ApproximateCreationDateTimePrecision":"MICROSECOND""#
            );
            read(change(&time, "").as_bytes())
                .map(|change| (change.id, change.body.created.map(|time| time.to_string())))
                .unwrap()
        };
        let (id, time) = exact(1_700_000_000_123_456);
        assert_eq!(id, r#"orders/{"id":"1"}/1700000000123456"#);
        assert_eq!(time.as_deref(), Some("2023-11-14T22:13:20.123456Z"));
        assert_ne!(id, exact(1_700_000_000_123_457).0);
    }

    #[test]
    fn two_changes_of_one_millisecond_are_told_apart_by_what_they_change() {
        let coarse = |image: &str| {
            let images = format!(r#""NewImage":{{"id":{{"S":"1"}},"n":{{"N":"{image}"}}}},"#);
            let time = r#""ApproximateCreationDateTime":1700000000123"#;
            read(change(time, &images).as_bytes()).map(|change| change.id).unwrap()
        };
        assert!(coarse("1").starts_with(r#"orders/{"id":"1"}/1700000000123000/"#));
        assert_eq!(coarse("1"), coarse("1.0"));
        assert_ne!(coarse("1"), coarse("2"));
    }

    #[test]
    fn what_is_no_change_says_so() {
        for (payload, words) in [
            ("[]", "is no change of an item"),
            ("{}", "names no key"),
            (r#"{"dynamodb":{"Keys":{"id":{"S":"1"}}}}"#, "ApproximateCreationDateTime"),
            (r#"{"dynamodb":{"Keys":{"id":1}}}"#, "no DynamoDB JSON"),
        ] {
            let error = read(payload.as_bytes()).err().map(|problem| problem.message).unwrap_or_default();
            assert!(error.contains(words), "{payload}: {error}");
        }
    }
}
