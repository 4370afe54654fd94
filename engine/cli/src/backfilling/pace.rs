//! How fast something may be taken: so many units a second.

use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// A limit of units a second, over the whole of the work; none where nothing was said.
#[derive(Debug)]
pub(crate) struct Pace {
    a_second: Option<f64>,
    /// When all that was taken so far may have been taken.
    free: Instant,
}

impl Pace {
    /// A limit that begins now.
    pub(crate) fn new(a_second: Option<f64>) -> Pace {
        Pace { a_second, free: Instant::now() }
    }

    /// Notes what was taken, and waits until more may be.
    pub(crate) async fn took(&mut self, units: f64) {
        let Some(a_second) = self.a_second else { return };
        // What was not taken while there was nothing to take is not made up for later.
        let from = self.free.max(Instant::now());
        self.free = from + Duration::try_from_secs_f64(units / a_second).unwrap_or_default();
        sleep_until(self.free).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn units_take_their_time() {
        let start = Instant::now();
        let mut pace = Pace::new(Some(100.0));
        for _ in 0..3 {
            pace.took(5.0).await;
        }
        assert!(start.elapsed() >= Duration::from_millis(150));
        let start = Instant::now();
        Pace::new(None).took(1e9).await;
        assert!(start.elapsed() < Duration::from_secs(60));
    }
}
