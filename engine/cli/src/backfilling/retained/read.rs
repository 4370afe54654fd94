//! The records of a stream, from where each shard stood up to the end that it had when reading began.
//!
//! Parents are read before their children, for what they have of a partition key is older; shards that have nothing to do with
//! each other are read side by side.

use super::reached::{Place, Reached, lost};
use super::record::arrived;
use super::shards::Shard;
use super::{Found, Kinesis, unreadable};
use crate::backfilling::pace::Pace;
use crate::output::Failure;
use aws_sdk_kinesis::error::DisplayErrorContext;
use aws_sdk_kinesis::operation::get_records::GetRecordsOutput;
use aws_sdk_kinesis::operation::get_shard_iterator::GetShardIteratorOutput;
use aws_sdk_kinesis::types::{Record, ShardIteratorType};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// How many shards are read at a time.
const SIDE_BY_SIDE: usize = 8;

/// A shard allows five calls and 2 MB a second, to all that read it together ([limits]). The function's own reading takes one
/// call and up to 1 MB of it, and is not to be held up: this command takes as much, a fifth and a half.
///
/// [limits]: https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
const CALLS_A_SECOND: f64 = 1.0;
const BYTES_A_SECOND: f64 = 1_000_000.0;

/// How many records the first answer may have; those behind it go by how large records are. Kinesis gives 10,000 at most.
const FIRST_PAGE: i32 = 100;
const LARGEST_PAGE: f64 = 10_000.0;

/// How far from what is trimmed the next read looks whether it came in time, in milliseconds.
const EDGE: i64 = 60_000;

/// What clocks of Kinesis may be apart.
const MARGIN: Duration = Duration::from_secs(1);

/// Records of a shard, and how far it has been read once they have been dealt with.
#[derive(Debug)]
pub(crate) struct Page {
    /// The shard's id.
    pub(crate) shard: String,
    /// In their order; may be none.
    pub(crate) records: Vec<Record>,
    /// Where to go on.
    pub(crate) place: Place,
    /// How far from the shard's end it is.
    pub(crate) behind: Duration,
}

/// Reads a stream, and hands out page by page as they come: those of a shard in their order, those of a parent before those of
/// its children. Nothing more comes behind a failure.
pub(crate) fn read(kinesis: &Kinesis, found: &Found, reached: &Reached) -> mpsc::Receiver<Result<Page, Failure>> {
    let (sender, receiver) = mpsc::channel(1);
    let reader = Arc::new(Reader { kinesis: kinesis.clone(), found: found.clone(), sender });
    tokio::spawn(all(reader, reached.clone()));
    receiver
}

/// Reads all shards.
async fn all(reader: Arc<Reader>, reached: Reached) {
    let shards = reader.found.shards.iter().filter(|shard| !reached.place(&shard.id).is_done);
    let mut waiting: Vec<Shard> = shards.cloned().collect();
    let mut unread: BTreeSet<String> = waiting.iter().map(|shard| shard.id.clone()).collect();
    let mut running = JoinSet::new();
    loop {
        let is_ready = |shard: &Shard| !shard.parents.iter().any(|parent| unread.contains(parent));
        while running.len() < SIDE_BY_SIDE
            && let Some(at) = waiting.iter().position(is_ready)
        {
            let shard = waiting.remove(at);
            let (reader, place) = (Arc::clone(&reader), reached.place(&shard.id));
            running.spawn(async move {
                let read = reader.shard(&shard, place).await;
                (shard.id, read)
            });
        }
        match running.join_next().await {
            None if waiting.is_empty() => return,
            None => return reader.fail("its shards are each other's parents").await,
            Some(Ok((id, Ok(())))) => unread.remove(&id),
            // Nobody takes it any more: the work has ended elsewhere.
            Some(Ok((_, Err(Stop::Left)))) => return,
            Some(Ok((_, Err(Stop::Failed(failure))))) => {
                let _ = reader.sender.send(Err(failure)).await;
                return;
            }
            Some(Err(error)) => return reader.fail(&error.to_string()).await,
        };
    }
}

/// Why a shard is not read on.
enum Stop {
    /// Nobody takes its records any more.
    Left,
    Failed(Failure),
}

struct Reader {
    kinesis: Kinesis,
    found: Found,
    sender: mpsc::Sender<Result<Page, Failure>>,
}

impl Reader {
    /// Reads a shard from a place to its end: that which it had when reading began, or its very last record where it is closed.
    async fn shard(&self, shard: &Shard, mut place: Place) -> Result<(), Stop> {
        let mut pace = Pace::new(Some(CALLS_A_SECOND));
        let mut most = FIRST_PAGE;
        let mut iterator: Option<String> = None;
        // The record that has to come first, where it is read on: it is in the view already, and shows that nothing is missing.
        let mut known: Option<String> = None;
        let mut took_time = false;
        if place.behind.is_none() && place.is_trimmed(self.found.oldest()) {
            return Err(Stop::Failed(lost(&self.found, &shard.id, &place)));
        }
        loop {
            // What comes next may have been trimmed while the view took a page, and Kinesis does not say so.
            let is_in_doubt = std::mem::take(&mut took_time) && place.is_trimmed(self.found.oldest() + EDGE);
            let at = match iterator.take().filter(|_| !is_in_doubt) {
                Some(iterator) => iterator,
                None => {
                    known.clone_from(&place.behind);
                    self.open(shard, &place).await?
                }
            };
            let answer = self.kinesis.client.get_records().shard_iterator(&at).limit(most).send().await;
            let answer = match answer {
                Ok(answer) => answer,
                // It is good for five minutes, and the view may have taken longer. It is opened anew where it stands.
                Err(error) if error.as_service_error().is_some_and(|error| error.is_expired_iterator_exception()) => {
                    pace.took(1.0).await;
                    continue;
                }
                Err(error) => {
                    return Err(Stop::Failed(unreadable(&self.found.name, &DisplayErrorContext(&error))));
                }
            };
            let behind = Duration::from_millis(answer.millis_behind_latest.unwrap_or_default().unsigned_abs());
            let end = self.end(shard, &answer, behind);
            let GetRecordsOutput { mut records, next_shard_iterator, .. } = answer;
            let (calls, larger) = taken(&records, most);
            // An iterator of a record that was trimmed need not come to those that are left: it brings nothing, and stays as far
            // behind as the stream retains records.
            let is_stuck = records.is_empty() && behind.as_millis() as i64 >= self.found.retention - EDGE;
            if known.is_some() && end.is_none() && is_stuck {
                iterator = Some(self.open_anew(shard, &place).await?);
                known = None;
                pace.took(calls).await;
                continue;
            }
            if known.is_some() && (!records.is_empty() || end.is_some()) {
                let is_there = records.first().map(|record| &record.sequence_number) == known.as_ref();
                if is_there {
                    records.remove(0);
                } else if place.is_trimmed(self.found.oldest()) {
                    return Err(Stop::Failed(lost(&self.found, &shard.id, &place)));
                }
                known = None;
            }
            if let Some(last) = records.last() {
                took_time = true;
                place.behind = Some(last.sequence_number.clone());
                place.whole_until = arrived(last).or(place.whole_until);
            }
            if let Some(end) = end {
                place.whole_until = place.whole_until.max(Some(self.found.began.millis));
                place.is_done = end == End::Closed;
            }
            let page = Page { shard: shard.id.clone(), records, place: place.clone(), behind };
            self.sender.send(Ok(page)).await.map_err(|_| Stop::Left)?;
            if end.is_some() {
                return Ok(());
            }
            (iterator, most) = (next_shard_iterator, larger);
            pace.took(calls).await;
        }
    }

    /// Where a shard goes on: with the last record that is in the view, once more.
    async fn open(&self, shard: &Shard, place: &Place) -> Result<String, Stop> {
        let Some(number) = &place.behind else { return self.open_oldest(shard).await };
        let request = self.kinesis.client.get_shard_iterator().stream_name(&self.found.name).shard_id(&shard.id);
        let request = request.shard_iterator_type(ShardIteratorType::AtSequenceNumber).starting_sequence_number(number);
        match request.send().await {
            Ok(answer) => self.iterator(shard, answer),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_invalid_argument_exception()) => {
                self.open_anew(shard, place).await
            }
            Err(error) => Err(Stop::Failed(unreadable(&self.found.name, &DisplayErrorContext(&error)))),
        }
    }

    /// Where a shard goes on whose last record was trimmed: with the oldest that is left. What may have come between has to be
    /// in the view.
    async fn open_anew(&self, shard: &Shard, place: &Place) -> Result<String, Stop> {
        match place.is_trimmed(self.found.oldest()) {
            true => Err(Stop::Failed(lost(&self.found, &shard.id, place))),
            false => self.open_oldest(shard).await,
        }
    }

    async fn open_oldest(&self, shard: &Shard) -> Result<String, Stop> {
        let request = self.kinesis.client.get_shard_iterator().stream_name(&self.found.name).shard_id(&shard.id);
        match request.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await {
            Ok(answer) => self.iterator(shard, answer),
            Err(error) => Err(Stop::Failed(unreadable(&self.found.name, &DisplayErrorContext(&error)))),
        }
    }

    fn iterator(&self, shard: &Shard, answer: GetShardIteratorOutput) -> Result<String, Stop> {
        let missing = || unreadable(&self.found.name, &format!("{} has no iterator", shard.id));
        answer.shard_iterator.ok_or_else(|| Stop::Failed(missing()))
    }

    /// Whether an answer goes to the end.
    fn end(&self, shard: &Shard, answer: &GetRecordsOutput, behind: Duration) -> Option<End> {
        if answer.next_shard_iterator.is_none() {
            return Some(End::Closed);
        }
        if shard.is_closed {
            // Its children wait until there is nothing left, and not only nothing new.
            return (behind.is_zero() && answer.records.is_empty()).then_some(End::Closed);
        }
        // By Kinesis's own clock: it is as far behind now as reading has taken at most, so it was nothing behind when that began.
        // The clocks of this machine and of Kinesis need not agree.
        let is_newer = behind + MARGIN <= self.found.began.instant.elapsed();
        (behind.is_zero() || is_newer).then_some(End::Open)
    }

    async fn fail(&self, why: &str) {
        let _ = self.sender.send(Err(unreadable(&self.found.name, &why))).await;
    }
}

/// What an end is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// More may come.
    Open,
    /// Nothing comes any more.
    Closed,
}

/// How many calls an answer counts for, by its bytes, and how many records the next one may have to be no larger than one call's.
fn taken(records: &[Record], most: i32) -> (f64, i32) {
    if records.is_empty() {
        return (1.0, most);
    }
    let bytes: usize = records.iter().map(|record| record.data.as_ref().len()).sum();
    let average = (bytes as f64 / records.len() as f64).max(1.0);
    let next = (BYTES_A_SECOND / CALLS_A_SECOND / average).clamp(1.0, LARGEST_PAGE);
    ((bytes as f64 / BYTES_A_SECOND).max(1.0), next as i32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_kinesis::primitives::Blob;

    #[test]
    fn pages_go_by_how_large_records_are() {
        let of = |bytes: usize| {
            Record::builder().sequence_number("1").data(Blob::new(vec![0; bytes])).partition_key("a").build().unwrap()
        };
        assert_eq!(taken(&[], 100), (1.0, 100));
        assert_eq!(taken(&[of(10), of(10)], 100), (1.0, 10_000));
        assert_eq!(taken(&vec![of(20_000); 100], 100), (2.0, 50));
        assert_eq!(taken(&[of(9_000_000)], 100), (9.0, 1));
    }
}
