//! The generic function: one binary for every stream.
//!
//! At start it reads its folder of projections, refuses an invalid one with the validator's own words, and connects to
//! DynamoDB. Then each invocation is a batch: it is carried out, reported in the log, and answered with the lowest record
//! that was not fully applied.

mod environment;
mod handler;

use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")))
        .without_time()
        .with_target(false)
        .init();
    let program = match environment::program() {
        Ok(program) => program,
        Err(message) => {
            // As it is for people to read, and not as one line of JSON.
            eprintln!("{message}");
            return ExitCode::FAILURE;
        }
    };
    match handler::run(program).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the connection to the Lambda runtime broke: {error}");
            ExitCode::FAILURE
        }
    }
}
