//! History put through the engine, batch by batch, as the function would do it.

use super::pace::Pace;
use super::state::Done;
use crate::output::{Failure, note, printable};
use crate::store::Connection;
use std::time::Duration;
use viewfold_core::program::Program;
use viewfold_core::report::{Fate, Report};
use viewfold_dynamodb::meter::Meters;
use viewfold_dynamodb::{Limits, Store, execute_metered};

/// The most records of a batch, and about the most bytes.
const MAX_RECORDS: usize = 1000;
const MAX_BYTES: usize = 4 << 20;

/// How often a batch is tried, and how long it waits the first time; each time twice as long.
const ATTEMPTS: u32 = 8;
const PAUSE: Duration = Duration::from_millis(500);

/// The most troubles that are told one by one.
const MAX_TOLD: u64 = 20;

/// Puts batches through the engine.
pub(crate) struct Carrier<'p> {
    program: &'p Program,
    store: Store,
    pace: Pace,
    batch: String,
    records: usize,
    told: u64,
    /// Whether nothing is told of what cannot be applied.
    pub(crate) is_silent: bool,
    /// What has been done.
    pub(crate) done: Done,
}

impl<'p> Carrier<'p> {
    /// Writes through the connection, at most so many units a second.
    pub(crate) fn new(
        program: &'p Program,
        connection: &Connection,
        write_units: Option<f64>,
        done: Done,
    ) -> Carrier<'p> {
        let store = Store::metered(&connection.config);
        Carrier {
            program,
            store,
            pace: Pace::new(write_units),
            batch: String::new(),
            records: 0,
            told: 0,
            is_silent: false,
            done,
        }
    }

    /// Takes a record, and carries out what has been taken where that is enough for a batch.
    pub(crate) async fn record(&mut self, write: impl FnOnce(&mut String)) -> Result<(), Failure> {
        self.batch.push_str(if self.records == 0 { "{\"Records\":[" } else { "," });
        write(&mut self.batch);
        self.records += 1;
        if self.records >= MAX_RECORDS || self.batch.len() >= MAX_BYTES {
            self.flush().await?;
        }
        Ok(())
    }

    /// Whether all that was taken has been carried out.
    pub(crate) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Carries out what has been taken.
    pub(crate) async fn flush(&mut self) -> Result<(), Failure> {
        if self.records == 0 {
            return Ok(());
        }
        let mut batch = std::mem::take(&mut self.batch);
        self.records = 0;
        batch.push_str("]}");
        self.payload(batch.as_bytes()).await?;
        batch.clear();
        self.batch = batch;
        Ok(())
    }

    /// Carries out a batch, again and again until the store has taken all of it.
    pub(crate) async fn payload(&mut self, payload: &[u8]) -> Result<(), Failure> {
        let mut pause = PAUSE;
        for attempt in 1..=ATTEMPTS {
            let meters = Meters::new(self.program);
            let report = execute_metered(self.program, payload, &self.store, Limits::default(), &meters).await;
            let report = report.map_err(|error| Failure::new(error.to_string()))?;
            let units = meters.total().write_units;
            self.done.write_units += units;
            self.count(&report, attempt == 1);
            let Some(trouble) = report.troubles.iter().find(|trouble| trouble.fate == Fate::ComesAgain) else {
                self.pace.took(units).await;
                return Ok(());
            };
            let what = printable(&trouble.message);
            if let Some(reason) = trouble.reason {
                let by = trouble.projection.as_deref().unwrap_or_default();
                return Err(Failure::new(format!(
                    "an item cannot be applied, and `on_error: fail` of {by} does not let the others pass it ({}): {what}",
                    reason.code()
                )));
            }
            if attempt == ATTEMPTS {
                return Err(Failure::new(format!("the store does not take it: {what}")));
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Ok(())
    }

    /// What a batch comes to. What the first attempt applied is known as repeated by the second one.
    fn count(&mut self, report: &Report, is_first: bool) {
        if is_first {
            self.done.read += report.records as u64;
        }
        for (_, counts) in &report.projections {
            self.done.applied += counts.applied as u64;
            if is_first {
                self.done.repeated += (counts.repeated + counts.stale + counts.waiting) as u64;
            }
        }
        for trouble in report.troubles.iter().filter(|trouble| trouble.fate != Fate::ComesAgain) {
            self.done.rejected += 1;
            if self.is_silent {
                continue;
            }
            self.told += 1;
            if self.told <= MAX_TOLD {
                let by = trouble.projection.as_deref().unwrap_or_default();
                let reason = trouble.reason.map_or("", |reason| reason.code());
                note(&printable(&format!(
                    "{by}: {} ({reason}): {}",
                    trouble.fate.text().replace('_', " "),
                    trouble.message
                )));
            } else if self.told == MAX_TOLD + 1 {
                note("… more that cannot be applied are not told one by one: `viewfold dead-letters list` has them");
            }
        }
    }
}
