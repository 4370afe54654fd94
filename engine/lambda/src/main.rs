//! The generic function: one binary for every stream.
//!
//! At start it reads its folder of projections, refuses an invalid one with the validator's own words, connects to DynamoDB,
//! and makes sure that the views that are live can go on with them. Then each invocation is a batch: it is carried out, reported in the log and in metrics, and answered with the
//! lowest record that was not fully applied.

mod changes;
mod environment;
mod handler;
mod logs;
mod metrics;
mod troubles;

use changes::Changes;
use handler::Function;
use metrics::Metrics;
use std::process::ExitCode;
use std::time::Instant;
use viewfold_dynamodb::deployment::FUNCTION;
use viewfold_dynamodb::{Store, client};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let started = Instant::now();
    // Lambda gives no arguments: whoever does has the file, and wants to know which one it is.
    if std::env::args().nth(1).as_deref() == Some("--version") {
        println!("{FUNCTION}");
        return ExitCode::SUCCESS;
    }
    match serve(started).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // As it is for people to read, and not as one line of JSON.
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(started: Instant) -> Result<(), String> {
    let settings = environment::settings()?;
    logs::start(&settings.logs);
    let (program, deployed) = environment::program(settings.accepted.clone())?;
    let connection = client::from_environment().await;
    let store = if settings.metrics { Store::metered(&connection) } else { Store::new(&connection) };
    let changes = Changes::new(deployed);
    changes.at_start(&store, &program).await?;
    let metrics = settings.metrics.then(|| Metrics::new(started.elapsed(), &settings.logs));
    tracing::info!(projections = program.projections.len(), streams = program.streams.len(), "ready");
    let environment::Settings { logs: logs::Settings { payloads, .. }, requests_in_flight, .. } = settings;
    let function = Function { program, changes, store, metrics, payloads, requests_in_flight };
    function.run().await.map_err(|error| format!("the connection to the Lambda runtime broke: {error}"))
}
