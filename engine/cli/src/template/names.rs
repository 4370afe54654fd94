//! Logical ids: readable, and the same for as long as what they stand for has its name.

use sha2::{Digest as _, Sha256};
use std::collections::HashMap;

/// Ids that have been given, each to one thing.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Each id, and what it is of.
    given: HashMap<String, String>,
}

impl Names {
    /// The id of a thing: `total_votes` and `Table` make `TotalVotesTable`. Where another thing has that already (`total-votes`),
    /// a few digits of the name's digest stand behind it.
    pub(super) fn id(&mut self, name: &str, suffix: &str) -> String {
        self.id_of(&camel(name), suffix, name)
    }

    /// The id of a thing that is told from all others by `whole`, where its words and suffix make one that is free.
    pub(super) fn id_of(&mut self, words: &str, suffix: &str, whole: &str) -> String {
        let whole = format!("{whole}\n{suffix}");
        let mut words = shortened(words, suffix);
        loop {
            let id = format!("{words}{suffix}");
            match self.given.get(&id) {
                Some(owner) if *owner != whole => words = shortened(&format!("{words}{}", digits(&whole)), suffix),
                Some(_) => return id,
                None => {
                    self.given.insert(id.clone(), whole);
                    return id;
                }
            }
        }
    }
}

/// The most characters of an id's words and suffix: what is made of it in turn has to stay within CloudFormation's 255, and an alarm's
/// name, which has the stack's in front, too.
const MOST: usize = 90;

/// Words that leave room for their suffix: of long ones the beginning, and a few digits of the digest of the whole.
fn shortened(words: &str, suffix: &str) -> String {
    let room = MOST.saturating_sub(suffix.len());
    if words.len() <= room {
        return words.to_owned();
    }
    let digits = digits(words);
    format!("{}{digits}", &words[..words.floor_char_boundary(room.saturating_sub(digits.len()))])
}

/// A few digits that tell a text from others.
fn digits(text: &str) -> String {
    Sha256::digest(text.as_bytes())[..3].iter().map(|byte| format!("{byte:02X}")).collect()
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
        assert_eq!(names.id("total-votes", "Table"), other);
        assert_eq!(names.id("orders.fifo", "Queue"), "OrdersFifoQueue");
        let long = names.id(&"a".repeat(255), "Table");
        assert!(long.len() <= MOST && long.ends_with("Table") && long != names.id(&"a".repeat(254), "Table"), "{long}");
    }

    #[test]
    fn an_id_with_digits_is_taken_too() {
        let mut names = Names::default();
        let first = names.id("a-b", "Table");
        let second = names.id("a_b", "Table");
        let third = names.id(second.trim_end_matches("Table"), "Table");
        assert!(first != second && second != third && first != third, "{first} {second} {third}");
    }
}
