//! Logical ids: readable, and the same for as long as what they stand for has its name.

use sha2::{Digest as _, Sha256};
use std::collections::HashMap;

/// Ids that have been given, each to one thing.
#[derive(Debug, Default)]
pub(super) struct Names {
    given: HashMap<String, String>,
}

impl Names {
    /// The id of a thing: `total_votes` and `Table` make `TotalVotesTable`. Where another thing has that already (`total-votes`),
    /// a few digits of the name's digest stand behind it.
    pub(super) fn id(&mut self, name: &str, suffix: &str) -> String {
        let plain = format!("{}{suffix}", camel(name));
        let whole = format!("{name}\n{suffix}");
        match self.given.get(&plain) {
            Some(owner) if *owner != whole => {
                let digest = Sha256::digest(name.as_bytes());
                let digits: String = digest[..3].iter().map(|byte| format!("{byte:02X}")).collect();
                format!("{}{digits}{suffix}", camel(name))
            }
            _ => {
                self.given.insert(plain.clone(), whole);
                plain
            }
        }
    }
}

/// The letters and digits of a name, each of its words with a capital.
pub(super) fn camel(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| format!("{}{}", word[..1].to_ascii_uppercase(), &word[1..])).collect()
}

/// The words of an id or a name, for names of alarms: `total-votes`.
pub(super) fn dashed(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_readable_and_differ() {
        let mut names = Names::default();
        assert_eq!(names.id("total_votes", "Table"), "TotalVotesTable");
        assert_eq!(names.id("TaTourney", "Table"), "TaTourneyTable");
        assert_eq!(names.id("total_votes", "Table"), "TotalVotesTable");
        let other = names.id("total-votes", "Table");
        assert!(other.starts_with("TotalVotes") && other.ends_with("Table") && other != "TotalVotesTable", "{other}");
        assert_eq!(names.id("orders.fifo", "Queue"), "OrdersFifoQueue");
    }
}
