//! When requests came and were answered: what they take of a batch's time, in calls, whatever the machine is busy with.

use std::time::{Duration, Instant};

use super::Operation;

/// One request, from its coming to its answer.
#[derive(Clone, Debug)]
pub struct Call {
    /// What was asked for.
    pub operation: Operation,
    /// When it had come.
    pub came: Instant,
    /// When it was answered.
    pub answered: Instant,
}

/// The requests of a while.
#[derive(Clone, Debug, Default)]
pub struct Calls(pub Vec<Call>);

impl Calls {
    /// How many calls follow one another, each one begun behind the answer to the one before: the time that they take
    /// together, in calls. (Two that might have run beside each other, and did not, count as two.)
    pub fn rounds(&self) -> usize {
        let mut by_coming: Vec<&Call> = self.0.iter().collect();
        by_coming.sort_by_key(|call| call.came);
        // The answers so far, each with the longest row of calls that it ends.
        let mut ends: Vec<(Instant, usize)> = Vec::new();
        for call in by_coming {
            let before = ends.iter().filter(|(answered, _)| *answered <= call.came).map(|(_, rounds)| *rounds).max();
            ends.push((call.answered, before.unwrap_or(0) + 1));
        }
        ends.into_iter().map(|(_, rounds)| rounds).max().unwrap_or(0)
    }

    /// The most that are under way at once.
    pub fn most_in_flight(&self) -> usize {
        let under_way = |at: Instant| self.0.iter().filter(|call| call.came <= at && at < call.answered).count();
        self.0.iter().map(|call| under_way(call.came)).max().unwrap_or(0)
    }

    /// How many are under way on the average, from the first one's coming to the last one's: behind that there is nothing left
    /// to begin.
    pub fn in_flight(&self) -> f64 {
        let came = || self.0.iter().map(|call| call.came);
        let (Some(first), Some(last)) = (came().min(), came().max()) else { return 0.0 };
        let under_way: Duration =
            self.0.iter().map(|call| call.answered.min(last).saturating_duration_since(call.came)).sum();
        under_way.as_secs_f64() / (last - first).as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// Those of one operation.
    pub fn of(&self, operation: &str) -> Calls {
        Calls(self.0.iter().filter(|call| call.operation.name == operation).cloned().collect())
    }

    /// Those that write.
    pub fn writes(&self) -> Calls {
        let writes = |call: &&Call| !matches!(call.operation.name.as_str(), "Query" | "BatchGetItem" | "GetItem");
        Calls(self.0.iter().filter(writes).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls that begin and end at these moments.
    fn calls(moments: &[(u64, u64)]) -> Calls {
        let start = Instant::now();
        let call = |(came, answered): &(u64, u64)| Call {
            operation: Operation { name: "UpdateItem".into(), tables: Vec::new() },
            came: start + Duration::from_millis(*came),
            answered: start + Duration::from_millis(*answered),
        };
        Calls(moments.iter().map(call).collect())
    }

    #[test]
    fn rounds_are_the_longest_row_of_calls() {
        for (moments, rounds, most, average) in [
            (&[][..], 0, 0, 0.0),
            (&[(0, 10), (10, 20), (20, 30)], 3, 1, 1.0),
            (&[(0, 10), (1, 11), (2, 12)], 1, 3, 1.5),
            // Two at a time.
            (&[(0, 10), (0, 10), (10, 20), (10, 20), (20, 30)], 3, 2, 2.0),
            // A long one beside short ones.
            (&[(0, 40), (0, 10), (10, 20), (20, 30)], 3, 2, 2.0),
        ] {
            let calls = calls(moments);
            assert_eq!((calls.rounds(), calls.most_in_flight()), (rounds, most), "{moments:?}");
            assert!((calls.in_flight() - average).abs() < 1e-9, "{moments:?}: {}", calls.in_flight());
        }
    }
}
