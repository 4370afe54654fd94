//! Keeps a batch's requests in flight until all are answered.

use crate::Store;
use crate::meter::Meters;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use viewfold_core::plan::{Answer, Batch, BatchError};
use viewfold_core::program::Program;
use viewfold_core::report::Report;

/// What a batch may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many requests are in flight at a time.
    pub requests_in_flight: usize,
    /// When the batch has to be answered for: no request is started in the last part of the time before, and what is in
    /// flight then is given up and reported as not done.
    pub deadline: Option<Instant>,
}

/// No request is started in the last part of the time: a tenth of it, and at most this.
const LONGEST_MARGIN: Duration = Duration::from_secs(1);

impl Default for Limits {
    /// 32 requests at a time, and no deadline.
    fn default() -> Limits {
        Limits { requests_in_flight: 32, deadline: None }
    }
}

/// The last moments of a batch.
struct Times {
    /// No request is started from here on.
    last_start: Instant,
    /// Requests in flight are given up here: the answer has to reach the platform.
    last_wait: Instant,
}

impl Times {
    fn until(deadline: Instant) -> Times {
        let margin = (deadline.saturating_duration_since(Instant::now()) / 10).min(LONGEST_MARGIN);
        Times { last_start: deadline - margin, last_wait: deadline - margin / 2 }
    }
}

/// Carries a batch out: decodes the payload, writes what it changes, and says what became of it.
///
/// # Errors
///
/// When the payload is no batch of this program. Everything else, a store that does not answer included, is in the
/// report.
pub async fn execute(program: &Program, payload: &[u8], store: &Store, limits: Limits) -> Result<Report, BatchError> {
    execute_at(program, payload, store, limits, &jiff::Timestamp::now().to_string()).await
}

/// As [`execute`], with the engine's clock at a time of the caller's, RFC 3339: tests of projections come out the same on
/// every day.
///
/// # Errors
///
/// As [`execute`].
pub async fn execute_at(
    program: &Program,
    payload: &[u8],
    store: &Store,
    limits: Limits,
    now: &str,
) -> Result<Report, BatchError> {
    let mut batch = Batch::new(program, payload, now)?;
    carry_out(&mut batch, store, limits, None).await;
    Ok(batch.finish(OUT_OF_TIME))
}

/// As [`execute`], and writes down what the requests take. The store has to be a [metered](Store::metered) one.
///
/// # Errors
///
/// As [`execute`].
pub async fn execute_metered(
    program: &Program,
    payload: &[u8],
    store: &Store,
    limits: Limits,
    meters: &Meters,
) -> Result<Report, BatchError> {
    let mut batch = Batch::new(program, payload, &jiff::Timestamp::now().to_string())?;
    carry_out(&mut batch, store, limits, Some(meters)).await;
    Ok(batch.finish(OUT_OF_TIME))
}

/// What is said of what has not been answered.
const OUT_OF_TIME: &str = "the invocation's time was up before the store had answered";

/// Sends a batch's requests until all are answered or the time is up.
async fn carry_out(batch: &mut Batch<'_>, store: &Store, limits: Limits, meters: Option<&Meters>) {
    let mut in_flight: JoinSet<(usize, Answer)> = JoinSet::new();
    let times = limits.deadline.map(Times::until);
    loop {
        let may_start = times.as_ref().is_none_or(|times| Instant::now() < times.last_start);
        while may_start && in_flight.len() < limits.requests_in_flight.max(1) {
            let Some((number, request)) = batch.next() else { break };
            let store = store.clone();
            let meter = meters.map(|meters| meters.of(batch.projection_of(number)).clone());
            in_flight.spawn(async move {
                let sent = store.send(&request);
                let answer = match meter {
                    Some(meter) => meter.measure(sent).await,
                    None => sent.await,
                };
                (number, answer)
            });
            // The request sets out before more of the batch is worked on.
            tokio::task::yield_now().await;
        }
        let answered = match &times {
            None => in_flight.join_next().await,
            Some(times) => match timeout_at(times.last_wait, in_flight.join_next()).await {
                Ok(answered) => answered,
                Err(_) => break,
            },
        };
        match answered {
            Some(Ok((number, answer))) => batch.answer(number, answer),
            // A task that panicked answers for nothing: its unit is reported as not done.
            Some(Err(_)) => {}
            None => break,
        }
    }
    // Everything in flight is stopped before the answer, so that nothing is written behind it.
    in_flight.shutdown().await;
}
