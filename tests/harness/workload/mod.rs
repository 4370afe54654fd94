//! Batches as large and as mixed as real ones, always the same from the same seed: for benches, and for `viewfold bench`.
//!
//! A [`Workload`] says which system's events, how many, and how large. Few documents get most of the events ([`zipf`]), and
//! most of each event is nothing that a rule reads ([`padding`]). Everything is written as text, byte by byte, so that
//! neither a clock nor a library's order of keys has a part in it.
//!
//! ```sh
//! cargo run --release -p viewfold-tests --example workload -- votes 10000 200-4096 > events.json
//! ```

mod padding;
mod record;
mod systems;
mod zipf;

use std::ops::RangeInclusive;
use std::path::PathBuf;

use crate::workspace;

/// The most bytes that Lambda hands to a function at once.
pub const LARGEST_PAYLOAD: usize = 6 * 1024 * 1024;

/// The most records of a stream that Lambda puts into a batch.
pub const MOST_RECORDS: usize = 10_000;

/// Bytes of payloads as streams have them: 200 to 4096, as many below 900 as above.
pub const PAYLOADS: RangeInclusive<usize> = 200..=4096;

/// Payloads of nothing but what rules read: just so do 10,000 Kinesis records fit into an invocation.
pub const BARE: RangeInclusive<usize> = 0..=0;

/// What the events are about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum System {
    /// Votes from a Kinesis stream, for `tests/workloads/votes-kinesis`.
    VotesKinesis,
    /// Votes from the stream of a table, for `projections/votes`.
    Votes,
    /// Games, for `projections/tournament`.
    Tournament,
    /// Points on maps, for `projections/map-rollup`.
    MapRollup,
    /// Products that are made, photographed and bought, for `projections/winner-view`.
    WinnerView,
    /// The same in any order, and some twice, for `projections/winner-view-unordered`.
    WinnerViewUnordered,
}

impl System {
    /// All of them.
    pub const ALL: [System; 6] = [
        System::VotesKinesis,
        System::Votes,
        System::Tournament,
        System::MapRollup,
        System::WinnerView,
        System::WinnerViewUnordered,
    ];

    /// Its name: that of the folder of its projections.
    pub fn name(self) -> &'static str {
        match self {
            System::VotesKinesis => "votes-kinesis",
            System::Votes => "votes",
            System::Tournament => "tournament",
            System::MapRollup => "map-rollup",
            System::WinnerView => "winner-view",
            System::WinnerViewUnordered => "winner-view-unordered",
        }
    }

    /// The system of a name.
    pub fn named(name: &str) -> Option<System> {
        System::ALL.into_iter().find(|system| system.name() == name)
    }

    /// The folder of its projections.
    pub fn projections(self) -> PathBuf {
        let folder = match self {
            System::VotesKinesis => "tests/workloads",
            _ => "projections",
        };
        workspace().join(folder).join(self.name())
    }
}

/// Events to generate.
#[derive(Clone, Debug)]
pub struct Workload {
    system: System,
    seed: u64,
    records: usize,
    payload: RangeInclusive<usize>,
    keys: usize,
}

impl Workload {
    /// As many events as fit into an invocation, of [`PAYLOADS`] bytes each, on 1,000 keys.
    pub fn new(system: System) -> Workload {
        Workload { system, seed: 1, records: MOST_RECORDS, payload: PAYLOADS, keys: 1000 }
    }

    /// The seed: 1 unless set.
    pub fn seed(self, seed: u64) -> Workload {
        Workload { seed, ..self }
    }

    /// At most so many records in a batch.
    pub fn records(self, records: usize) -> Workload {
        Workload { records: records.min(MOST_RECORDS), ..self }
    }

    /// The bytes of an event's payload, or of an item: those rise evenly in their logarithm. What rules read is there in any
    /// case.
    pub fn payload(self, payload: RangeInclusive<usize>) -> Workload {
        Workload { payload, ..self }
    }

    /// How many keys there are: regions, players, maps or products.
    pub fn keys(self, keys: usize) -> Workload {
        Workload { keys: keys.max(1), ..self }
    }

    /// The first batch.
    pub fn batch(&self) -> Vec<u8> {
        self.batches(1).pop().unwrap_or_default()
    }

    /// So many batches, each going on where the one before ended.
    pub fn batches(&self, count: usize) -> Vec<Vec<u8>> {
        let mut stream = systems::Stream::new(self.system, self.seed, self.keys, self.payload.clone());
        let mut waiting = None;
        (0..count).map(|_| self.fill(&mut stream, &mut waiting)).collect()
    }

    /// Records until one more would be too many, or too much: that one waits for the next batch.
    fn fill(&self, stream: &mut systems::Stream, waiting: &mut Option<String>) -> Vec<u8> {
        let mut batch = b"{\"Records\":[".to_vec();
        for number in 0..self.records {
            let record = waiting.take().unwrap_or_else(|| stream.next());
            // A comma before it, and the two brackets behind the last one.
            if batch.len() + record.len() + 3 > LARGEST_PAYLOAD {
                *waiting = Some(record);
                break;
            }
            if number > 0 {
                batch.push(b',');
            }
            batch.extend_from_slice(record.as_bytes());
        }
        batch.extend_from_slice(b"]}");
        batch
    }
}

/// How many records a generated batch has.
pub fn count(batch: &[u8]) -> usize {
    String::from_utf8_lossy(batch).matches("\"eventSourceARN\":").count()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Write as _;
    use std::fs;

    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use serde_json::Value;

    use super::*;

    fn records(batch: &[u8]) -> Vec<Value> {
        let Value::Object(mut event) = serde_json::from_slice(batch).expect("a batch is JSON") else {
            panic!("a batch is an object")
        };
        let Value::Array(records) = event["Records"].take() else { panic!("it has records") };
        records
    }

    /// FNV-1a: a number that any byte changes.
    fn hash(bytes: &[u8]) -> u64 {
        bytes
            .iter()
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let mut found = String::from(
            "# The bytes of each workload's first batch, and their hash: figures of before and after are of the same events.\n\
             # After a change of the generator: UPDATE_SNAPSHOTS=1 cargo test -p viewfold-tests --lib -- workload\n",
        );
        for system in System::ALL {
            let few = |seed| Workload::new(system).records(100).seed(seed).batch();
            assert_eq!(few(1), few(1));
            assert_ne!(few(1), few(2));
            let batch = Workload::new(system).batch();
            let _ = writeln!(found, "{} {} {:016x}", system.name(), batch.len(), hash(&batch));
        }
        let file = workspace().join("tests/workloads/batches.txt");
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            fs::write(&file, &found).expect("the file can be written");
        }
        assert_eq!(fs::read_to_string(&file).expect("the file can be read"), found, "{}", file.display());
    }

    #[test]
    fn batches_stay_within_what_lambda_hands_out() {
        for system in System::ALL {
            for payload in [PAYLOADS, BARE] {
                let batch = Workload::new(system).payload(payload.clone()).batch();
                let count = super::count(&batch);
                assert!(batch.len() <= LARGEST_PAYLOAD && count <= MOST_RECORDS, "{system:?} {count}");
                let is_full = count == MOST_RECORDS || batch.len() > LARGEST_PAYLOAD - 16 * 1024;
                assert!(is_full, "{system:?} {payload:?}: {count} records, {} bytes", batch.len());
                // Just these are as many as can be.
                assert!(payload != BARE || system != System::VotesKinesis || count == MOST_RECORDS, "{count}");
            }
        }
    }

    #[test]
    fn a_batch_goes_on_where_the_one_before_ended() {
        let workload = Workload::new(System::Votes).records(50);
        let (both, one) = (workload.batches(2), workload.clone().records(100).batch());
        let number = |record: &Value| record["dynamodb"]["SequenceNumber"].clone();
        let numbers: Vec<Value> = both.iter().flat_map(|batch| records(batch)).map(|record| number(&record)).collect();
        assert_eq!(numbers, records(&one).iter().map(number).collect::<Vec<_>>());
    }

    #[test]
    fn payloads_are_as_large_as_asked_for() {
        for system in [System::VotesKinesis, System::WinnerView] {
            let sizes: Vec<usize> = records(&Workload::new(system).records(2000).batch())
                .iter()
                .map(|record| record["kinesis"]["data"].as_str().expect("a record has data"))
                .map(|data| BASE64_STANDARD.decode(data).expect("data is base64").len())
                .collect();
            let (least, most) = (sizes.iter().min().copied(), sizes.iter().max().copied());
            assert!(least >= Some(200) && most <= Some(4096), "{system:?} {least:?} {most:?}");
            let small = sizes.iter().filter(|size| **size < 900).count();
            assert!((700..1300).contains(&small), "{system:?}: {small} of 2000 are small");
        }
    }

    #[test]
    fn few_keys_get_most_of_the_events() {
        let mut regions: BTreeMap<String, usize> = BTreeMap::new();
        for record in records(&Workload::new(System::VotesKinesis).payload(BARE).batch()) {
            *regions.entry(record["kinesis"]["partitionKey"].to_string()).or_default() += 1;
        }
        let mut counts: Vec<usize> = regions.into_values().collect();
        counts.sort_unstable_by_key(|count| std::cmp::Reverse(*count));
        assert!(counts.len() > 600 && counts.len() <= 1000, "{}", counts.len());
        // By Zipf's law the first of a thousand has 13 in a hundred.
        assert!((1200..1500).contains(&counts[0]), "{}", counts[0]);
        assert!(counts[..10].iter().sum::<usize>() > 3500, "{counts:?}");
    }

    #[test]
    fn changes_of_a_table_follow_from_each_other() {
        for system in [System::Votes, System::Tournament, System::MapRollup] {
            let mut items: BTreeMap<String, Value> = BTreeMap::new();
            let mut changes: BTreeMap<String, usize> = BTreeMap::new();
            for record in records(&Workload::new(system).payload(BARE).batch()) {
                let (change, name) = (&record["dynamodb"], record["eventName"].as_str().unwrap_or_default());
                let key = change["Keys"].to_string();
                assert_eq!(items.get(&key), change.get("OldImage"), "{system:?} {name} {key}");
                match change.get("NewImage") {
                    Some(new) => items.insert(key, new.clone()),
                    None => items.remove(&key),
                };
                *changes.entry(name.to_owned()).or_default() += 1;
            }
            assert!(changes["INSERT"] > changes["MODIFY"] && changes["MODIFY"] > changes["REMOVE"], "{changes:?}");
        }
    }
}
