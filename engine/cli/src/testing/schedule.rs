//! The schedules that a case is run under: in which batches its events come, and what goes wrong.
//!
//! All of them are fixed: a case comes to the same ones every time.

use super::kind::Kind;
use fastrand::Rng;
use std::collections::HashSet;

/// The most records of a batch, where batches are cut at other places.
const LARGEST: usize = 4;

/// One way to deliver a case's events.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Schedule {
    pub(super) kind: Kind,
    /// For people, behind `when`.
    pub(super) words: String,
    /// The batches, as numbers of records.
    pub(super) batches: Vec<Vec<usize>>,
    /// Where the batches of views' streams are cut.
    pub(super) cut: Cut,
    pub(super) course: Course,
}

impl Schedule {
    /// What sort of schedule it is, for people.
    pub(super) fn sort(&self) -> Sort {
        match (&self.course, self.kind) {
            (Course::EachTwice | Course::AllTwice, _) => Sort::Twice,
            (Course::InHalves(_), _) => Sort::Halves,
            (Course::Fault(Fault { kind: FaultKind::Crash, .. }), _) => Sort::Crash,
            (Course::Fault(Fault { kind: FaultKind::AnswerLost, .. }), _) => Sort::AnswerLost,
            (Course::Once, Kind::Orders) => Sort::Orders,
            (Course::Once, Kind::Batches) if self.cut == Cut::Everywhere => Sort::OneByOne,
            (Course::Once, Kind::Batches) => Sort::Batches,
            (Course::Once, _) => Sort::Calls,
        }
    }
}

/// The sorts of schedules that people are told of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Sort {
    Calls,
    OneByOne,
    Batches,
    Twice,
    Halves,
    Crash,
    AnswerLost,
    Orders,
}

impl Sort {
    /// Behind a number.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Sort::Calls => "one store call at a time",
            Sort::OneByOne => "one event per batch",
            Sort::Batches => "in other batches",
            Sort::Twice => "delivered twice",
            Sort::Halves => "given up and in halves",
            Sort::Crash => "with a crash",
            Sort::AnswerLost => "with an answer lost",
            Sort::Orders => "in other orders",
        }
    }

    /// For programs.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Sort::Calls => "one_call_at_a_time",
            Sort::OneByOne => "one_event_per_batch",
            Sort::Batches => "other_batches",
            Sort::Twice => "delivered_twice",
            Sort::Halves => "in_halves",
            Sort::Crash => "crash",
            Sort::AnswerLost => "answer_lost",
            Sort::Orders => "other_orders",
        }
    }
}

/// How the batches go.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Course {
    /// Each once.
    Once,
    /// Each twice, one behind the other.
    EachTwice,
    /// All of them, and then all of them again.
    AllTwice,
    /// Each is given up after half of its store calls, of which the plain run had so many, and comes again in two halves.
    InHalves(Vec<usize>),
    /// Something happens at a store call, and then events come again.
    Fault(Fault),
}

/// Something that happens at a store call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Fault {
    /// The number of the batch, from 0; views' batches count on behind the case's.
    pub(super) batch: usize,
    /// The number of the call in the batch, from 1.
    pub(super) call: usize,
    pub(super) kind: FaultKind,
}

/// What happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FaultKind {
    /// The process ends behind the call, and the whole batch comes again.
    Crash,
    /// The call is carried out and nobody gets to know; the rest of the batch goes on, and what is reported as failed
    /// comes again.
    AnswerLost,
}

/// Where batches are cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cut {
    /// Nowhere: what follows each other from one stream is one batch.
    Nowhere,
    /// Behind each record.
    Everywhere,
    /// Here and there.
    Seeded(u64),
}

impl Cut {
    /// The sizes of the batches of so many records.
    fn sizes(self, records: usize) -> Vec<usize> {
        let mut rng = match self {
            Cut::Nowhere => return vec![records],
            Cut::Everywhere => return vec![1; records],
            Cut::Seeded(seed) => Rng::with_seed(seed),
        };
        let mut sizes = Vec::new();
        let mut left = records;
        while left > 0 {
            let size = rng.usize(1..=LARGEST).min(left);
            sizes.push(size);
            left -= size;
        }
        sizes
    }

    /// The batches of records that come one after the other.
    pub(super) fn batches<T: Clone>(self, records: &[T]) -> Vec<Vec<T>> {
        let mut rest = records;
        let sizes = self.sizes(records.len()).into_iter();
        let batches = sizes.map(|size| {
            let (batch, behind) = rest.split_at(size);
            rest = behind;
            batch.to_vec()
        });
        batches.filter(|batch| !batch.is_empty()).collect()
    }
}

/// What schedules are made of.
pub(super) struct Records {
    /// The stream of each record, in the order of the case.
    pub(super) streams: Vec<usize>,
    /// The batches of the plain run.
    pub(super) plain: Vec<Vec<usize>>,
    /// Whether there are views over views: their streams have batches, too.
    pub(super) chain: bool,
}

impl Records {
    /// Records in an order of their own, as batches of one stream each.
    fn cut(&self, order: &[usize], cut: Cut) -> Vec<Vec<usize>> {
        let runs = order.chunk_by(|a, b| self.streams[*a] == self.streams[*b]);
        runs.flat_map(|run| cut.batches(run)).collect()
    }

    fn schedule(&self, kind: Kind, words: impl Into<String>, course: Course) -> Schedule {
        Schedule { kind, words: words.into(), batches: self.plain.clone(), cut: Cut::Nowhere, course }
    }

    /// The plain run, one store call at a time. It tells how many there are.
    pub(super) fn one_call_at_a_time(&self) -> Schedule {
        self.schedule(Kind::Calls, "the store is called once at a time", Course::Once)
    }

    /// Whether the plain run itself has batches of one event only.
    pub(super) fn are_single(&self) -> bool {
        !self.chain && self.plain.iter().all(|batch| batch.len() == 1)
    }

    /// The plain run, with one event per batch. It tells which events repeat others.
    pub(super) fn one_by_one(&self) -> Schedule {
        Schedule {
            batches: (0..self.streams.len()).map(|record| vec![record]).collect(),
            cut: Cut::Everywhere,
            ..self.schedule(Kind::Batches, "each batch has one event", Course::Once)
        }
    }

    /// Everything comes twice.
    pub(super) fn repeats(&self) -> Vec<Schedule> {
        vec![
            self.schedule(Kind::Repeats, "every batch is delivered twice", Course::EachTwice),
            self.schedule(Kind::Repeats, "all events are delivered again behind the last one", Course::AllTwice),
        ]
    }

    /// Other batches of the same events.
    pub(super) fn other_batches(&self) -> Vec<Schedule> {
        let order: Vec<usize> = (0..self.streams.len()).collect();
        let mut seen = HashSet::from([self.plain.clone(), self.one_by_one().batches]);
        let cuts = [Cut::Nowhere, Cut::Seeded(1), Cut::Seeded(2), Cut::Seeded(3)].into_iter();
        let other = cuts.filter_map(|cut| {
            let batches = self.cut(&order, cut);
            let words = format!("the batches have {} events", shown(batches.iter().map(Vec::len)));
            let schedule = Schedule { cut, batches, ..self.schedule(Kind::Batches, words, Course::Once) };
            seen.insert(schedule.batches.clone()).then_some(schedule)
        });
        other.collect()
    }

    /// Lambda's `BisectBatchOnFunctionError`; with the calls of each batch of the plain run.
    pub(super) fn in_halves(&self, calls: &[usize]) -> Option<Schedule> {
        let words = "every batch is given up in the middle and comes again in two halves";
        let course = Course::InHalves(calls.to_vec());
        (self.chain || self.plain.iter().any(|batch| batch.len() > 1))
            .then(|| self.schedule(Kind::Faults, words, course))
    }

    /// Other orders of the events. Those that repeat another one stay behind: which of two counts is the one that comes
    /// first.
    pub(super) fn orders(&self, repeated: &HashSet<usize>) -> Vec<Schedule> {
        let (last, first): (Vec<usize>, Vec<usize>) =
            (0..self.streams.len()).partition(|record| repeated.contains(record));
        let mut backwards = first.clone();
        backwards.reverse();
        let mut orders = vec![(backwards, "the events come backwards".to_owned())];
        for seed in [1, 2] {
            let mut shuffled = first.clone();
            Rng::with_seed(seed).shuffle(&mut shuffled);
            let words = format!("the events come in the order {}", shown(shuffled.iter().map(|record| record + 1)));
            orders.push((shuffled, words));
        }
        let mut seen = HashSet::from([first]);
        let other = orders.into_iter().filter_map(|(mut order, words)| {
            let new = seen.insert(order.clone());
            order.extend(&last);
            let batches = self.cut(&order, Cut::Nowhere);
            new.then(|| Schedule { batches, ..self.schedule(Kind::Orders, words, Course::Once) })
        });
        other.collect()
    }

    /// What can go wrong at each call of the plain run, which had so many in each batch: at most so many of them, from all
    /// over the run.
    pub(super) fn faults(&self, calls: &[usize], most: usize) -> Vec<Schedule> {
        let mut faults = Vec::new();
        for (batch, calls) in calls.iter().enumerate() {
            for call in 1..=*calls {
                // A crash behind the last call is a batch that comes twice.
                if call < *calls {
                    faults.push(Fault { batch, call, kind: FaultKind::Crash });
                }
                faults.push(Fault { batch, call, kind: FaultKind::AnswerLost });
            }
        }
        let some = most.min(faults.len());
        let sampled = (0..some).map(|at| faults[at * faults.len() / some]);
        sampled.map(|fault| self.schedule(Kind::Faults, self.of_fault(fault), Course::Fault(fault))).collect()
    }

    fn of_fault(&self, Fault { batch, call, kind }: Fault) -> String {
        let place = match batch.checked_sub(self.plain.len()) {
            None => format!("store call {call} of batch {}", batch + 1),
            Some(of_views) => format!("store call {call} of batch {} of the views' streams", of_views + 1),
        };
        match kind {
            FaultKind::Crash => format!("the batch is delivered again after a crash behind {place}"),
            FaultKind::AnswerLost => format!("events are delivered again after the answer to {place} was lost"),
        }
    }
}

/// The most numbers that are shown to people.
const MAX_SHOWN: usize = 20;

fn shown(numbers: impl ExactSizeIterator<Item = usize>) -> String {
    let more = if numbers.len() > MAX_SHOWN { ", …" } else { "" };
    let numbers: Vec<String> = numbers.take(MAX_SHOWN).map(|number| number.to_string()).collect();
    format!("{}{more}", numbers.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{Course, Cut, Fault, FaultKind, Records};
    use std::collections::HashSet;

    fn records() -> Records {
        Records { streams: vec![0, 0, 0, 1, 1, 0], plain: vec![vec![0, 1, 2], vec![3, 4], vec![5]], chain: false }
    }

    #[test]
    fn a_batch_has_the_records_of_one_stream_in_their_order() {
        for cut in [Cut::Nowhere, Cut::Everywhere, Cut::Seeded(1), Cut::Seeded(7)] {
            let batches = records().cut(&[5, 0, 3, 1, 2, 4], cut);
            assert_eq!(batches.concat(), [5, 0, 3, 1, 2, 4]);
            assert!(batches.iter().all(|batch| {
                batch.iter().all(|record| (*record == 3 || *record == 4) == (batch[0] == 3 || batch[0] == 4))
            }));
        }
        assert_eq!(records().one_by_one().batches.len(), 6);
        // What is in no way another schedule is none.
        let single = Records { streams: vec![0], plain: vec![vec![0]], chain: false };
        assert!(single.other_batches().is_empty() && single.in_halves(&[1]).is_none());
        assert!(single.orders(&HashSet::new()).is_empty());
    }

    #[test]
    fn events_that_repeat_others_stay_behind() {
        let orders = records().orders(&HashSet::from([1]));
        assert_eq!(orders[0].batches, [vec![5], vec![4, 3], vec![2, 0, 1]]);
        assert!(orders.iter().all(|schedule| schedule.batches.concat().last() == Some(&1)));
    }

    #[test]
    fn faults_are_sampled_all_over_the_run() {
        let faults = |most| -> Vec<Fault> {
            let schedules = records().faults(&[2, 0, 3, 1], most).into_iter();
            schedules
                .map(|schedule| match schedule.course {
                    Course::Fault(fault) => fault,
                    other => panic!("no fault: {other:?}"),
                })
                .collect()
        };
        let all = faults(60);
        assert_eq!(all.len(), 1 + 2 + 2 + 3 + 1);
        assert_eq!(all[0], Fault { batch: 0, call: 1, kind: FaultKind::Crash });
        assert_eq!(all[8], Fault { batch: 3, call: 1, kind: FaultKind::AnswerLost });
        assert_eq!(faults(3), [all[0], all[3], all[6]]);
        assert_eq!(faults(0), []);
        let words: Vec<String> =
            records().faults(&[2, 0, 3, 1], 60).into_iter().map(|schedule| schedule.words).collect();
        assert_eq!(words[0], "the batch is delivered again after a crash behind store call 1 of batch 1");
        assert_eq!(
            words[8],
            "events are delivered again after the answer to store call 1 of batch 1 of the views' streams was lost"
        );
    }
}
