//! Numbers by Zipf's law: the second comes half as often as the first, the third a third as often.

use fastrand::Rng;

/// Draws numbers from 0, the frequent ones first.
#[derive(Clone, Debug)]
pub(super) struct Zipf {
    /// How many weigh how much together, up to each number.
    sums: Vec<f64>,
}

impl Zipf {
    /// So many numbers. Their weights are 1, 1/2, 1/3, …: divisions and sums come out the same on every machine, powers need
    /// not.
    pub(super) fn new(count: usize) -> Zipf {
        let sums = (1..=count).scan(0.0, |sum, rank| {
            *sum += 1.0 / rank as f64;
            Some(*sum)
        });
        Zipf { sums: sums.collect() }
    }

    pub(super) fn draw(&self, rng: &mut Rng) -> usize {
        let total = self.sums.last().copied().unwrap_or_default();
        let at = rng.f64() * total;
        self.sums.partition_point(|sum| *sum <= at).min(self.sums.len().saturating_sub(1))
    }
}
