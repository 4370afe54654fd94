//! Batches played again and again, without a store. Times are the processor's: how busy the machine is does not count.

use super::carry::Carried;
use crate::output::Failure;
use crate::progress::Progress;
use cpu_time::ThreadTime;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use viewfold_core::plan::Batch;
use viewfold_core::program::Program;
use viewfold_core::stages;

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Effort {
    /// So many rounds.
    Rounds(u32),
    /// As many rounds as begin in this time, and at least one.
    Time(Duration),
}

/// What all batches together take in the stages, each in the fastest of its rounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(super) rounds: u32,
    pub(super) decode: Duration,
    pub(super) matching: Duration,
    pub(super) evaluate: Duration,
    pub(super) fold: Duration,
    /// All stages, and the planning.
    pub(super) whole: Duration,
}

impl Times {
    /// What is left for the planning.
    pub(super) fn plan(&self) -> Duration {
        self.whole.saturating_sub(self.decode + self.matching + self.evaluate + self.fold)
    }

    /// Takes over what is less.
    fn least(&mut self, other: &Times) {
        self.decode = self.decode.min(other.decode);
        self.matching = self.matching.min(other.matching);
        self.evaluate = self.evaluate.min(other.evaluate);
        self.fold = self.fold.min(other.fold);
        self.whole = self.whole.min(other.whole);
    }
}

/// Measures batches.
pub(crate) fn measure(
    program: &Program,
    batches: &[Carried],
    now: &Arc<str>,
    effort: Effort,
) -> Result<Times, Failure> {
    // The first round fills caches, and shows that the batches come out as they did in the store.
    let mut times = round(program, batches, now)?;
    let started = Instant::now();
    let total = match effort {
        Effort::Rounds(rounds) => rounds as usize,
        Effort::Time(time) => 1 + (time.as_nanos() / times.whole.as_nanos().max(1) / 2) as usize,
    };
    let progress = Progress::new(total, "rounds");
    let mut rounds = 0;
    let goes_on = |rounds: u32| match effort {
        Effort::Rounds(all) => rounds < all,
        Effort::Time(time) => rounds == 0 || started.elapsed() < time,
    };
    while goes_on(rounds) {
        times.least(&round(program, batches, now)?);
        rounds += 1;
        progress.advance(1);
    }
    Ok(Times { rounds, ..times })
}

/// All batches once.
fn round(program: &Program, batches: &[Carried], now: &Arc<str>) -> Result<Times, Failure> {
    let none = Duration::ZERO;
    let mut times = Times { rounds: 1, decode: none, matching: none, evaluate: none, fold: none, whole: none };
    for batch in batches {
        let payload = batch.payload.as_bytes();
        let read = || stages::envelope(program, payload).map(|records| stages::decode(program, &records, now));
        let (time, events) = timed(read);
        let events = events.map_err(|error| Failure::new(error.to_string()))?;
        times.decode += time;
        let (time, matched) = timed(|| stages::matching(program, &events));
        times.matching += time;
        let (time, evaluated) = timed(|| stages::evaluate(program, &matched));
        times.evaluate += time;
        times.fold += timed(|| stages::fold(program, &evaluated)).0;
        times.whole += whole(program, batch, now)?;
    }
    Ok(times)
}

/// One batch, by the code that the function runs, with the answers that the store gave.
fn whole(program: &Program, batch: &Carried, now: &Arc<str>) -> Result<Duration, Failure> {
    let mut answers = batch.answers.clone().into_iter();
    let start = ThreadTime::now();
    let playing = Batch::new(program, batch.payload.as_bytes(), now);
    let mut playing = playing.map_err(|error| Failure::new(error.to_string()))?;
    while let Some((number, request)) = playing.next() {
        black_box(request);
        let Some(answer) = answers.next() else { return Err(otherwise()) };
        playing.answer(number, answer);
    }
    black_box(playing.finish("the store did not answer"));
    let time = start.elapsed();
    if answers.next().is_some() { Err(otherwise()) } else { Ok(time) }
}

fn otherwise() -> Failure {
    Failure::new("a batch made other requests than before, given the same answers; please report this")
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = ThreadTime::now();
    let result = black_box(work());
    (start.elapsed(), result)
}
