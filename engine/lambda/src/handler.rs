//! One invocation: a batch in, the lowest failed record out.

use crate::changes::Changes;
use crate::metrics::Metrics;
use crate::troubles::{self, Invocation};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, timeout};
use viewfold_core::program::Program;
use viewfold_core::report::Report;
use viewfold_dynamodb::changes::NotFollowed;
use viewfold_dynamodb::meter::Meters;
use viewfold_dynamodb::{Limits, Store, execute_metered};

/// The function once it has started.
#[derive(Debug)]
pub(crate) struct Function {
    /// What it carries out.
    pub(crate) program: Program,
    /// Whether live views can go on with it.
    pub(crate) changes: Changes,
    /// Where.
    pub(crate) store: Store,
    /// Where it writes metrics, if it does.
    pub(crate) metrics: Option<Metrics>,
    /// Whether logs may have payloads.
    pub(crate) payloads: bool,
    /// How many requests to the store are in flight at a time.
    pub(crate) requests_in_flight: usize,
}

impl Function {
    /// Answers invocations until the platform ends the function.
    pub(crate) async fn run(&self) -> Result<(), Error> {
        lambda_runtime::run(service_fn(|event| self.invocation(event))).await
    }

    async fn invocation(&self, event: LambdaEvent<Box<RawValue>>) -> Result<Json, Diagnostic> {
        let begun = Instant::now();
        let LambdaEvent { payload, context } = event;
        let payload = payload.get().as_bytes();
        let invocation = Invocation::new(&context);
        let until = deadline(context.deadline);
        let deadline = match self.may_go_on(until).await {
            Ok(()) => until,
            Err(NotFollowed::Refused(error_message)) => {
                let Invocation { request, trace } = invocation;
                tracing::error!(requestId = request, xrayTraceId = trace, "{error_message}");
                return Err(Diagnostic { error_type: "viewfold.ChangeNotFollowed".to_owned(), error_message });
            }
            Err(NotFollowed::Unknown(why)) => {
                let Invocation { request, trace } = invocation;
                tracing::error!(
                    requestId = request,
                    xrayTraceId = trace,
                    "whether live views can go on with these projections is not known: {why}"
                );
                // Nothing is started any more: all of the batch comes again.
                begun
            }
        };
        let limits = Limits { requests_in_flight: self.requests_in_flight, deadline: Some(deadline) };
        let meters = Meters::new(&self.program);
        let report = execute_metered(&self.program, payload, &self.store, limits, &meters).await.map_err(|error| {
            let Invocation { request, trace } = invocation;
            tracing::error!(requestId = request, xrayTraceId = trace, "{error}");
            Diagnostic { error_type: "viewfold.NotOurBatch".to_owned(), error_message: error.0 }
        })?;
        let answer = answer(&report);
        troubles::log(&report, &invocation, self.payloads.then_some(payload));
        tracing::debug!(
            requestId = invocation.request,
            xrayTraceId = invocation.trace,
            records = report.records,
            requests = report.requests,
            "batch"
        );
        if let Some(metrics) = &self.metrics {
            metrics.write(&report, &meters, &context.env_config.function_name, &invocation, begun.elapsed());
        }
        Ok(answer)
    }
}

impl Function {
    /// Whether live views can go on with the projections, as far as it can be told before the time is up.
    async fn may_go_on(&self, until: Instant) -> Result<(), NotFollowed> {
        let left = until.saturating_duration_since(Instant::now());
        // The answer has to reach the platform.
        let asked = timeout(left.mul_f64(0.8), self.changes.before_batch(&self.store, &self.program)).await;
        asked.unwrap_or_else(|_| Err(NotFollowed::Unknown("the store did not answer in time".into())))
    }
}

/// The platform's deadline, milliseconds since 1970, on this process's clock.
fn deadline(milliseconds: u64) -> Instant {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant::now() + Duration::from_millis(milliseconds).saturating_sub(now)
}

/// The partial batch response: what the stream or queue sends again.
fn answer(report: &Report) -> Json {
    let back = report.returned.iter();
    let failures: Vec<Json> = back.map(|returned| json!({ "itemIdentifier": returned.identifier })).collect();
    json!({ "batchItemFailures": failures })
}
