//! Whether the function can go on with live views: asked once, at start, or before the first batch where the store did not
//! answer then.

use jiff::Timestamp;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::timeout;
use viewfold_core::program::Program;
use viewfold_dynamodb::Store;
use viewfold_dynamodb::changes::{Deployed, NotFollowed};

/// How long a start waits for the store: the first batch asks it as well, only later.
const LONGEST: Duration = Duration::from_secs(1);

/// The question, and whether it has been answered.
#[derive(Debug)]
pub(crate) struct Changes {
    deployed: Deployed,
    is_answered: AtomicBool,
}

impl Changes {
    pub(crate) fn new(deployed: Deployed) -> Changes {
        Changes { deployed, is_answered: AtomicBool::new(false) }
    }

    /// Asks at start, which also opens the connection while the platform still gives the CPU of a start. A store that does not
    /// answer is no failure of the start: the first batch tells it, with what it could not do.
    ///
    /// # Errors
    ///
    /// What has changed, where a live view cannot go on with it.
    pub(crate) async fn at_start(&self, store: &Store, program: &Program) -> Result<(), String> {
        match timeout(LONGEST, self.ask(store, program)).await {
            Ok(Ok(())) => {}
            Ok(Err(NotFollowed::Refused(message))) => {
                return Err(format!(
                    "error: {message}\nthe function does not start: a live view cannot follow its projection"
                ));
            }
            Ok(Err(NotFollowed::Unknown(error))) => {
                tracing::debug!("the connection is left to the first batch: {error}");
            }
            Err(_) => tracing::debug!("the connection is left to the first batch: no answer within {LONGEST:?}"),
        }
        Ok(())
    }

    /// Asks before a batch, unless it has been answered.
    ///
    /// # Errors
    ///
    /// Why no batch can be applied: all of it comes again.
    pub(crate) async fn before_batch(&self, store: &Store, program: &Program) -> Result<(), NotFollowed> {
        match self.is_answered.load(Ordering::Relaxed) {
            true => Ok(()),
            false => self.ask(store, program).await,
        }
    }

    async fn ask(&self, store: &Store, program: &Program) -> Result<(), NotFollowed> {
        for note in self.deployed.follow(store, program, &Timestamp::now().to_string()).await? {
            tracing::info!("{note}");
        }
        self.is_answered.store(true, Ordering::Relaxed);
        Ok(())
    }
}
