//! Progress on work that takes longer than a second: a bar on a terminal, elsewhere a line now and then.

use crate::output::note;
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::cell::Cell;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

/// Work shorter than this shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often a line is written where stderr is no terminal.
const INTERVAL: Duration = Duration::from_secs(30);

/// A bar that appears after a second, if stderr is a terminal; a line every half minute where it is none.
pub(crate) struct Progress {
    started: Instant,
    told: Cell<Instant>,
    bar: ProgressBar,
}

impl Progress {
    /// Progress over so many things, `records` for one.
    pub(crate) fn new(total: usize, things: &str) -> Progress {
        Progress::shown(total as u64, &format!("{{bar:40}} {{pos}}/{{len}} {things}, {{per_sec}}, {{eta}} left"))
    }

    /// Progress over so many bytes.
    pub(crate) fn bytes(total: u64) -> Progress {
        Progress::shown(total, "{bar:40} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left")
    }

    /// Progress over a stream: towards its end, in seconds of what came into it.
    pub(crate) fn stream() -> Progress {
        Progress::shown(0, "{bar:40} {msg}, {eta} left")
    }

    /// So many records have been read, and the shard that is furthest from its end is so far from it.
    pub(crate) fn behind(&self, records: u64, furthest: Duration) {
        let seconds = furthest.as_secs();
        let length = self.bar.length().unwrap_or(0).max(seconds);
        self.bar.set_length(length);
        let far = HumanDuration(furthest);
        self.bar.set_message(format!("{records} records, {far} behind the end"));
        if self.moved(length - seconds) {
            note(&format!("{records} records read, {far} behind the end"));
        }
    }

    fn shown(total: u64, template: &str) -> Progress {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Progress { started: Instant::now(), told: Cell::new(Instant::now()), bar }
    }

    /// So many more are done.
    pub(crate) fn advance(&self, things: usize) {
        self.reach(self.bar.position() + things as u64);
    }

    /// So many are done.
    pub(crate) fn reach(&self, things: u64) {
        // In a log a bar is of no use; a line now and then is.
        if self.moved(things) {
            let length = self.bar.length().unwrap_or(0).max(things);
            let left = HumanDuration(self.bar.eta());
            note(&format!("{things} of about {length}, {:.0} a second, {left} left", self.bar.per_sec()));
        }
    }

    /// Moves the bar; whether it is time for a line, where there is no terminal.
    fn moved(&self, things: u64) -> bool {
        let on_terminal = std::io::stderr().is_terminal();
        if self.bar.is_hidden() && self.started.elapsed() > PATIENCE && on_terminal {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_position(things);
        let is_time = !on_terminal && self.told.get().elapsed() > INTERVAL;
        if is_time {
            self.told.set(Instant::now());
        }
        is_time
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
