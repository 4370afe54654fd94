//! Carries a schedule out, one store call at a time: so each has a number, and something can go wrong at it.
//!
//! The plain run of a case goes the function's own way, with many calls in flight. Here the same batch is driven call by
//! call: it hands out requests and takes answers, and does not know who carries them.

use super::scene::CLOCK;
use super::schedule::{Course, Cut, FaultKind, Schedule};
use crate::fold::{MAX_ROUNDS, in_a_circle};
use crate::output::Failure;
use crate::store::Connection;
use crate::streams::Streams;
use viewfold_core::decode::envelope::{self, Record};
use viewfold_core::plan::{Answer, Batch};
use viewfold_core::program::Program;
use viewfold_core::report::Report;

/// A batch that was carried out to its end.
#[derive(Debug)]
pub(super) struct Delivered {
    /// Its number among the batches of the schedule, from 0; those of views' streams count on behind the case's.
    pub(super) batch: usize,
    pub(super) report: Report,
}

/// The records of a Lambda event, as they came.
fn records(payload: &str) -> Result<Vec<String>, Failure> {
    let records = envelope::records(payload.as_bytes()).map_err(|error| Failure::new(error.0))?;
    records.iter().map(text).collect()
}

/// A record as it came.
pub(super) fn text(record: &Record<'_>) -> Result<String, Failure> {
    let text = std::str::from_utf8(record.text);
    text.map(str::to_owned).map_err(|error| Failure::new(format!("a record is no text: {error}")))
}

/// Delivers records as the schedule says, and what comes of it in the streams of views; what was carried out to its end.
pub(super) async fn deliver(
    program: &Program,
    connection: &Connection,
    schedule: &Schedule,
    records: &[String],
) -> Result<Vec<Delivered>, Failure> {
    let mut streams = Streams::follow(connection, program).await?;
    let mut delivery = Delivery { program, connection, course: &schedule.course, batches: 0, delivered: Vec::new() };
    let batches: Vec<Vec<&str>> =
        (schedule.batches.iter()).map(|batch| batch.iter().map(|record| records[*record].as_str()).collect()).collect();
    for batch in &batches {
        delivery.batch(batch).await?;
    }
    let of_views = delivery.chain(&mut streams, schedule.cut).await?;
    if schedule.course == Course::AllTwice {
        for batch in &batches {
            delivery.batch(batch).await?;
        }
        for batch in &of_views {
            delivery.batch(&batch.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        }
        delivery.chain(&mut streams, schedule.cut).await?;
    }
    Ok(delivery.delivered)
}

/// A schedule that is being carried out.
struct Delivery<'a> {
    program: &'a Program,
    connection: &'a Connection,
    course: &'a Course,
    /// How many batches have come so far.
    batches: usize,
    delivered: Vec<Delivered>,
}

impl Delivery<'_> {
    /// Carries out what has come into the streams of views, until nothing comes any more; the batches that it came in.
    async fn chain(&mut self, streams: &mut Streams, cut: Cut) -> Result<Vec<Vec<String>>, Failure> {
        let mut batches = Vec::new();
        for _ in 0..MAX_ROUNDS {
            let payloads = streams.next().await?;
            if payloads.is_empty() {
                return Ok(batches);
            }
            for payload in payloads {
                for batch in cut.batches(&records(&payload)?) {
                    self.batch(&batch.iter().map(String::as_str).collect::<Vec<_>>()).await?;
                    batches.push(batch);
                }
            }
        }
        Err(in_a_circle())
    }

    /// One batch, with what the schedule has in store for it.
    async fn batch(&mut self, records: &[&str]) -> Result<(), Failure> {
        let number = self.batches;
        self.batches += 1;
        match self.course {
            Course::Once | Course::AllTwice => {}
            Course::EachTwice => self.whole(number, records).await?,
            Course::InHalves(calls) if records.len() > 1 => {
                let half = calls.get(number).copied().unwrap_or_default().div_ceil(2);
                self.attempt(records, Some((half, FaultKind::Crash))).await?;
                let (first, second) = records.split_at(records.len() / 2);
                self.whole(number, first).await?;
                return self.whole(number, second).await;
            }
            Course::InHalves(_) => {}
            Course::Fault(fault) if fault.batch == number => {
                let report = self.attempt(records, Some((fault.call, fault.kind))).await?;
                // Lambda sends what was reported as failed; after a crash, all.
                let back = |record: usize| report.as_ref().is_none_or(|report| report.comes_again(record));
                let again: Vec<&str> =
                    records.iter().enumerate().filter(|(record, _)| back(*record)).map(|(_, text)| *text).collect();
                return if again.is_empty() { Ok(()) } else { self.whole(number, &again).await };
            }
            Course::Fault(_) => {}
        }
        self.whole(number, records).await
    }

    /// Carries a batch out to its end.
    async fn whole(&mut self, batch: usize, records: &[&str]) -> Result<(), Failure> {
        let report = self.attempt(records, None).await?;
        self.delivered.extend(report.map(|report| Delivered { batch, report }));
        Ok(())
    }

    /// Carries a batch out, with what happens at one of its calls; nothing where the process ended.
    async fn attempt(&self, records: &[&str], fault: Option<(usize, FaultKind)>) -> Result<Option<Report>, Failure> {
        let payload = format!("{{\"Records\":[{}]}}", records.join(","));
        let mut batch = Batch::new(self.program, payload.as_bytes(), CLOCK).map_err(|error| Failure::new(error.0))?;
        let mut calls = 0;
        while let Some((number, request)) = batch.next() {
            let answer = self.connection.store.send(&request).await;
            calls += 1;
            let fault = fault.filter(|(call, _)| *call == calls).map(|(_, kind)| kind);
            match fault {
                None => batch.answer(number, answer),
                Some(FaultKind::AnswerLost) => batch.answer(number, Answer::Failed("the answer was lost".to_owned())),
                Some(FaultKind::Crash) => return Ok(None),
            }
        }
        Ok(Some(batch.finish("the batch was not done")))
    }
}

#[cfg(test)]
mod tests {
    use super::{Delivered, deliver};
    use crate::store::connect_embedded;
    use crate::testing::kind::Kind;
    use crate::testing::schedule::{Course, Cut, Fault, FaultKind, Schedule};
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use viewfold_core::compile::{File, Options, compile};
    use viewfold_core::program::Program;
    use viewfold_core::tables::required;
    use viewfold_dynamodb::tables;
    use viewfold_spec::Source;

    /// Counts, and counts of their changes, under guards of the test's choice.
    fn program(guard: &str, guard_of_view: &str) -> Program {
        let projections = [
            format!(
                "projection: counts\nsource: {{ kinesis: {{ stream: s, lane: $.id }} }}\n\
                 document: {{ table: Counts, partition_key: id }}\nguard: {guard}\nkey: {{ id: $.id }}\n\
                 rules: [{{ add: {{ n: 1 }} }}]\n"
            ),
            format!(
                "projection: changes\nsource: {{ dynamodb: {{ table: Counts, keys: [id] }} }}\n\
                 document: {{ table: Changes, partition_key: id }}\nguard: {guard_of_view}\n\
                 key: {{ id: $.keys.id }}\nrules: [{{ add: {{ n: 1 }} }}]\n"
            ),
        ];
        let files = projections.map(|text| {
            let source = Arc::new(Source { name: "a projection".to_owned(), text });
            let projection = viewfold_spec::parse(&source).expect("a projection");
            File { source, projection, schemas: BTreeMap::new() }
        });
        compile(&files, &Options::default()).expect("projections").program
    }

    /// A record of the lane, with its number.
    fn record(lane: &str, number: usize) -> String {
        let data = match lane {
            "a" => "eyJpZCI6ImEifQ==",
            _ => "eyJpZCI6ImIifQ==",
        };
        format!(
            "{{\"eventID\":\"{number}\",\"eventSource\":\"aws:kinesis\",\
             \"eventSourceARN\":\"arn:aws:kinesis:us-east-1:123456789012:stream/s\",\"kinesis\":{{\
             \"partitionKey\":\"{lane}\",\"sequenceNumber\":\"{number}\",\"data\":\"{data}\",\
             \"approximateArrivalTimestamp\":1767225600}}}}"
        )
    }

    /// What three events in two batches, `a b` and `b`, come to: the counts of both documents, then those of their changes.
    async fn counts(program: &Program, course: Course) -> (Vec<Delivered>, [String; 4]) {
        let connection = connect_embedded(None).await.expect("a database");
        for table in required(program) {
            tables::create_if_missing(connection.store.client(), &table).await.expect("a table");
        }
        let records = [record("a", 1), record("b", 2), record("b", 3)];
        let batches = vec![vec![0, 1], vec![2]];
        let schedule = Schedule { kind: Kind::Faults, words: String::new(), batches, cut: Cut::Nowhere, course };
        let delivered = deliver(program, &connection, &schedule, &records).await.expect("a delivery");
        let mut counts = Vec::new();
        for table in ["Counts", "Changes"] {
            let items = connection.store.scan(table).await.expect("a table");
            for id in ["a", "b"] {
                let is_it = |item: &&viewfold_value::Item| item.get("id").and_then(|id| id.as_str()) == Some(id);
                let count = items.iter().find(is_it).and_then(|item| item.get("n"));
                counts.push(count.map_or_else(String::new, ToString::to_string));
            }
        }
        (delivered, counts.try_into().expect("four counts"))
    }

    fn courses() -> [(Course, [&'static str; 4]); 7] {
        let fault = |batch, call, kind| Course::Fault(Fault { batch, call, kind });
        [
            (Course::Once, ["1", "2", "1", "2"]),
            (Course::EachTwice, ["2", "4", "4", "8"]),
            (Course::AllTwice, ["2", "4", "3", "6"]),
            // The first batch asks for open dead letters and has two documents, and the first of these was written; so it is
            // with the view's.
            (Course::InHalves(vec![4, 1, 4]), ["2", "2", "4", "2"]),
            (fault(0, 2, FaultKind::Crash), ["2", "2", "2", "2"]),
            (fault(0, 3, FaultKind::AnswerLost), ["1", "3", "1", "3"]),
            // The third batch is the view's.
            (fault(2, 2, FaultKind::Crash), ["1", "2", "2", "2"]),
        ]
    }

    /// Without a guard everything that comes again counts again: so what schedules do is done.
    #[tokio::test]
    async fn what_comes_again_counts_again_where_nothing_guards_it() {
        let program = program("none", "none");
        for (course, expected) in courses() {
            let (_, found) = counts(&program, course.clone()).await;
            assert_eq!(found, expected.map(str::to_owned), "{course:?}");
        }
    }

    #[tokio::test]
    async fn what_comes_again_counts_once_where_guards_are() {
        let program = program("last_event_id", "last_event_id");
        for (course, _) in courses() {
            let (delivered, found) = counts(&program, course.clone()).await;
            // A batch in two halves changes its documents in as many steps: here each half has one.
            assert_eq!(found, ["1", "2", "1", "2"].map(str::to_owned), "{course:?}");
            assert!(delivered.iter().all(|delivered| delivered.report.first_failure().is_none()), "{course:?}");
        }
    }
}
