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
        let on_terminal = std::io::stderr().is_terminal();
        if self.bar.is_hidden() && self.started.elapsed() > PATIENCE && on_terminal {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_position(things);
        // In a log a bar is of no use; a line now and then is.
        if !on_terminal && self.told.get().elapsed() > INTERVAL {
            self.told.set(Instant::now());
            let length = self.bar.length().unwrap_or(0).max(things);
            let left = HumanDuration(self.bar.eta());
            note(&format!("{things} of about {length}, {:.0} a second, {left} left", self.bar.per_sec()));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
