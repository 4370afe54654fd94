//! Invocations carried out one after the other, and the chains of views behind them.

use crate::events::Invocation;
use crate::output::Failure;
use crate::progress::Progress;
use crate::store::Connection;
use crate::streams::Streams;
use viewfold_core::program::Program;
use viewfold_core::report::{Counts, Report, Trouble};
use viewfold_dynamodb::{Limits, execute, execute_at};

/// The most rounds through the streams of views: more than any chain is long, unless it goes round in a circle.
pub(crate) const MAX_ROUNDS: usize = 1000;

/// Why there is no end of the rounds.
pub(crate) fn in_a_circle() -> Failure {
    Failure::new(format!("the views still feed each other after {MAX_ROUNDS} rounds: do they go round in a circle?"))
}

/// What became of all invocations together.
#[derive(Default)]
pub(crate) struct Folded {
    /// The batches of the files.
    pub(crate) batches: usize,
    /// The events in them.
    pub(crate) events: usize,
    /// The events that came out of the streams of views.
    pub(crate) from_views: usize,
    pub(crate) requests: usize,
    pub(crate) projections: Vec<(String, Counts)>,
    /// Each with the place of its batch.
    pub(crate) troubles: Vec<(Place, Trouble)>,
    /// What ended the work before its time.
    pub(crate) stopped: Option<Failure>,
}

/// Where a batch comes from.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The file, or the stream of a view.
    pub(crate) file: String,
    /// The number of the Lambda event in it, from 1; none for a view's.
    pub(crate) event: Option<usize>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.event {
            Some(event) => write!(f, "{}: event {event}", self.file),
            None => f.write_str(&self.file),
        }
    }
}

impl Folded {
    fn add(&mut self, place: &Place, report: Report) {
        match place.event {
            Some(_) => {
                self.batches += 1;
                self.events += report.records;
            }
            None => self.from_views += report.records,
        }
        self.requests += report.requests;
        if self.projections.is_empty() {
            self.projections = report.projections.iter().map(|(name, _)| (name.clone(), Counts::default())).collect();
        }
        for ((_, sum), (_, counts)) in self.projections.iter_mut().zip(&report.projections) {
            *sum += *counts;
        }
        self.troubles.extend(report.troubles.into_iter().map(|trouble| (place.clone(), trouble)));
    }
}

/// Carries invocations out, and with `chain` what comes of it in the streams of views that other projections read. The
/// engine's clock is the system's unless `now` says a time.
pub(crate) async fn fold(
    program: &Program,
    connection: &Connection,
    invocations: &[Invocation],
    chain: bool,
    now: Option<&str>,
) -> Result<Folded, Failure> {
    let mut folded = Folded::default();
    let mut streams = match chain {
        true => Some(Streams::follow(connection, program).await?),
        false => None,
    };
    let progress = Progress::new(invocations.len(), "records");
    for invocation in invocations {
        let place = Place { file: invocation.file.clone(), event: Some(invocation.number) };
        if !carry_out(program, connection, invocation.payload.get(), &place, now, &mut folded).await {
            return Ok(folded);
        }
        progress.advance(1);
    }
    if let Some(streams) = &mut streams {
        carry_on(program, connection, streams, now, &mut folded).await?;
    }
    Ok(folded)
}

/// Carries out what is in the streams of views, until nothing more comes of it.
pub(crate) async fn carry_on(
    program: &Program,
    connection: &Connection,
    streams: &mut Streams,
    now: Option<&str>,
    folded: &mut Folded,
) -> Result<(), Failure> {
    for _ in 0..MAX_ROUNDS {
        let events = streams.next().await?;
        if events.is_empty() {
            return Ok(());
        }
        let place = Place { file: "the stream of a view".to_owned(), event: None };
        for payload in events {
            if !carry_out(program, connection, &payload, &place, now, folded).await {
                return Ok(());
            }
        }
    }
    folded.stopped = Some(in_a_circle());
    Ok(())
}

/// Carries one batch out; whether the next one may come.
async fn carry_out(
    program: &Program,
    connection: &Connection,
    payload: &str,
    place: &Place,
    now: Option<&str>,
    folded: &mut Folded,
) -> bool {
    let (payload, store, limits) = (payload.as_bytes(), &connection.store, Limits::default());
    let result = match now {
        Some(now) => execute_at(program, payload, store, limits, now).await,
        None => execute(program, payload, store, limits).await,
    };
    match result {
        Ok(report) => {
            folded.add(place, report);
            true
        }
        Err(error) => {
            folded.stopped = Some(Failure::new(format!("{place}: {error}")));
            false
        }
    }
}
