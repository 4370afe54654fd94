//! Keeps a batch's requests in flight until all are answered.

use crate::Store;
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

/// No request is started when less than this is left.
const LAST_START: Duration = Duration::from_millis(1_000);

/// Requests in flight are given up when less than this is left: the answer has to reach the platform.
const LAST_WAIT: Duration = Duration::from_millis(200);

impl Default for Limits {
    /// 32 requests at a time, and no deadline.
    fn default() -> Limits {
        Limits { requests_in_flight: 32, deadline: None }
    }
}

/// Carries a batch out: decodes the payload, writes what it changes, and says what became of it.
///
/// # Errors
///
/// When the payload is no batch of this program. Everything else, a store that does not answer included, is in the
/// report.
pub async fn execute(program: &Program, payload: &[u8], store: &Store, limits: Limits) -> Result<Report, BatchError> {
    let now = jiff::Timestamp::now().to_string();
    let mut batch = Batch::new(program, payload, &now)?;
    let mut in_flight: JoinSet<(usize, Answer)> = JoinSet::new();
    let out_of_time = "the invocation's time was up before the store had answered";
    loop {
        let may_start = limits.deadline.is_none_or(|deadline| Instant::now() + LAST_START < deadline);
        while may_start && in_flight.len() < limits.requests_in_flight.max(1) {
            let Some((number, request)) = batch.next() else { break };
            let store = store.clone();
            in_flight.spawn(async move { (number, store.send(&request).await) });
        }
        let answered = match limits.deadline {
            None => in_flight.join_next().await,
            Some(deadline) => match timeout_at(deadline - LAST_WAIT, in_flight.join_next()).await {
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
    Ok(batch.finish(out_of_time))
}
