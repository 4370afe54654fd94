//! Carries a schedule out, one store call at a time: so each has a number, and something can go wrong at it.
//!
//! The plain run of a case goes the function's own way, with many calls in flight. Here the same batch is driven call by
//! call: it hands out requests and takes answers, and does not know who carries them.

use super::case::CLOCK;
use super::schedule::{Course, Cut, FaultKind, Schedule};
use crate::fold::{MAX_ROUNDS, in_a_circle};
use crate::output::Failure;
use crate::store::Connection;
use crate::streams::Streams;
use viewfold_core::decode::envelope;
use viewfold_core::plan::{Answer, Batch};
use viewfold_core::program::{Program, StreamIdentity};
use viewfold_core::report::Report;

/// A batch that was carried out to its end.
#[derive(Debug)]
pub(super) struct Delivered {
    /// Its number among the batches of the schedule, from 0; those of views' streams count on behind the case's.
    pub(super) batch: usize,
    pub(super) report: Report,
}

/// The records of a Lambda event: their streams, and as they came.
pub(super) fn records(payload: &str) -> Result<Vec<(StreamIdentity, String)>, Failure> {
    let records = envelope::records(payload.as_bytes()).map_err(|error| Failure::new(error.to_string()))?;
    let text = |text: &[u8]| String::from_utf8(text.to_vec()).map_err(|error| Failure::new(error.to_string()));
    records.into_iter().map(|record| Ok((record.stream, text(record.text)?))).collect()
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
                let records: Vec<String> = records(&payload)?.into_iter().map(|(_, text)| text).collect();
                for batch in cut.batches(&records) {
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
                // Lambda sends the lowest record that was reported as failed, and all behind it; after a crash, all.
                let from = report.map(|report| report.first_failure().map_or(records.len(), |first| first.record));
                let again = records.get(from.unwrap_or(0)..).unwrap_or_default();
                return if again.is_empty() { Ok(()) } else { self.whole(number, again).await };
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
