//! Rows of the tables that guards keep beside the documents.
//!
//! They have text keys `pk` and `sk`; the parts of a key are joined by `/` and escaped, so that no two different events
//! have one row. A key that is too long for DynamoDB is replaced by its SHA-256.

use crate::program::{MAX_PARTITION_KEY_BYTES, Projection};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use viewfold_value::{Item, Value};

/// The partition key of bookkeeping tables.
pub const PARTITION_KEY: &str = "pk";

/// The sort key of bookkeeping tables.
pub const SORT_KEY: &str = "sk";

/// The row that stands for an event in an events table: pk `PROJECTION/SOURCE/ID`, sk `-`.
pub fn event_row(projection: &Projection, id: &str) -> Item {
    let key = join([projection.name.as_str(), projection.source.as_str(), id]);
    [(PARTITION_KEY.to_owned(), Value::String(key)), (SORT_KEY.to_owned(), Value::from("-"))].into()
}

/// The parts of a key as one text, `%` and `/` in them written as `%25` and `%2F`.
fn join<const N: usize>(parts: [&str; N]) -> String {
    let key = parts.map(|part| part.replace('%', "%25").replace('/', "%2F")).join("/");
    if key.len() <= MAX_PARTITION_KEY_BYTES {
        return key;
    }
    let mut digest = String::from("sha256/");
    for byte in Sha256::digest(key.as_bytes()) {
        // Writing into a String cannot fail.
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn different_parts_never_make_one_key() {
        assert_eq!(join(["p", "s", "1"]), "p/s/1");
        assert_eq!(join(["p/s", "1", "%"]), "p%2Fs/1/%25");
        let long = join(["p", "s", &"x".repeat(3000)]);
        assert_eq!(long.len(), 7 + 64);
        assert_ne!(long, join(["p", "s", &"x".repeat(3001)]));
    }
}
