//! The connection to DynamoDB, opened while the platform still gives the CPU of a start.

use std::time::Duration;
use tokio::time::timeout;
use viewfold_core::program::Program;
use viewfold_dynamodb::Store;

/// How long a start waits for the connection: the first batch opens it as well, only later.
const LONGEST: Duration = Duration::from_secs(1);

/// Loads credentials and opens a connection, by the request with which every batch begins: no other is sure to be allowed. A
/// failure is no failure of the start: the first batch tells it, with what it could not do.
pub(crate) async fn warm(store: &Store, program: &Program) {
    match timeout(LONGEST, store.warm(program)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!("the connection is left to the first batch: {error}"),
        Err(_) => tracing::debug!("the connection is left to the first batch: no answer within {LONGEST:?}"),
    }
}
