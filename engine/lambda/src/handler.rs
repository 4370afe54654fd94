//! One invocation: a batch in, the lowest failed record out.

use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;
use viewfold_core::program::Program;
use viewfold_core::report::{Report, Trouble};
use viewfold_dynamodb::{Limits, Store, client, execute};

/// Answers invocations until the platform ends the function.
pub(crate) async fn run(program: Program) -> Result<(), Error> {
    let store = Store::new(&client::from_environment().await);
    tracing::info!(projections = program.projections.len(), streams = program.streams.len(), "ready");
    let (program, store) = (&program, &store);
    lambda_runtime::run(service_fn(move |event| invocation(program, store, event))).await
}

async fn invocation(program: &Program, store: &Store, event: LambdaEvent<Box<RawValue>>) -> Result<Json, Diagnostic> {
    let limits = Limits { deadline: Some(deadline(event.context.deadline)), ..Limits::default() };
    let report = execute(program, event.payload.get().as_bytes(), store, limits).await.map_err(|error| {
        tracing::error!(request = event.context.request_id, "{error}");
        Diagnostic { error_type: "viewfold.NotOurBatch".to_owned(), error_message: error.0 }
    })?;
    log(&report, &event.context.request_id);
    Ok(answer(&report))
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

fn log(report: &Report, request: &str) {
    for Trouble { record, sequence, projection, reason, message, fate } in &report.troubles {
        let reason = reason.map_or("store", |reason| reason.code());
        let projection = projection.as_deref();
        let fate = fate.text();
        tracing::warn!(request, record, sequence, projection, reason, fate, "{message}");
    }
    for (projection, counts) in report.projections.iter().filter(|(_, counts)| counts.matched > 0) {
        tracing::info!(
            request,
            projection,
            matched = counts.matched,
            applied = counts.applied,
            repeated = counts.repeated,
            stale = counts.stale,
            waiting = counts.waiting,
            rejected = counts.rejected,
            failed = counts.failed,
            "events"
        );
    }
    tracing::info!(request, records = report.records, requests = report.requests, "batch");
}
