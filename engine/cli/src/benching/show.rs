//! What was measured, for people and for programs.

use super::carry::Carried;
use super::measure::Times;
use crate::arguments::Bench;
use crate::output::{Failure, count};
use serde_json::{Map, Value as Json, json};
use std::fmt::Write as _;
use std::time::Duration;
use viewfold_core::program::Program;
use viewfold_core::report::Counts;
use viewfold_dynamodb::cost::{Cost, PRICES};

/// What DynamoDB asks for, on demand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prices {
    million_writes: f64,
    million_reads: f64,
}

impl Prices {
    pub(crate) fn of(arguments: &Bench) -> Prices {
        Prices { million_writes: arguments.million_writes, million_reads: arguments.million_reads }
    }

    /// Whether they are those that nobody had to say.
    fn are_ours(self) -> bool {
        self.million_writes == PRICES.million_writes && self.million_reads == PRICES.million_reads
    }
}

/// Everything that is told.
pub(crate) struct Told {
    batches: usize,
    /// The events of files.
    events: usize,
    from_views: usize,
    bytes: usize,
    rounds: u32,
    /// Nanoseconds of an event.
    stages: [(&'static str, f64); 5],
    whole: f64,
    cost: Cost,
    prices: Prices,
    projections: Vec<(String, Counts)>,
}

impl Told {
    pub(crate) fn new(program: &Program, batches: &[Carried], times: &Times, prices: Prices) -> Told {
        let records = |recorded: bool| -> usize {
            batches.iter().filter(|batch| batch.is_recorded() == recorded).map(|batch| batch.records).sum()
        };
        let (events, from_views) = (records(true), records(false));
        let each = |time: Duration| time.as_nanos() as f64 / (events + from_views).max(1) as f64;
        let mut cost = Cost::default();
        let names = program.projections.iter().map(|projection| projection.name.clone());
        let mut projections: Vec<(String, Counts)> = names.map(|name| (name, Counts::default())).collect();
        for batch in batches {
            cost += batch.cost;
            for ((_, sum), counts) in projections.iter_mut().zip(&batch.counts) {
                *sum += *counts;
            }
        }
        Told {
            batches: batches.iter().filter(|batch| batch.is_recorded()).count(),
            events,
            from_views,
            bytes: batches.iter().map(|batch| batch.payload.len()).sum(),
            rounds: times.rounds,
            stages: [
                ("decode", each(times.decode)),
                ("match", each(times.matching)),
                ("evaluate", each(times.evaluate)),
                ("fold", each(times.fold)),
                ("plan", each(times.plan())),
            ],
            whole: each(times.whole),
            cost,
            prices,
            projections,
        }
    }

    /// What it costs per event of the files: what comes of it in views is part of its cost.
    fn per_event(&self, count: u64) -> f64 {
        count as f64 / self.events.max(1) as f64
    }

    fn per_second(&self) -> f64 {
        1e9 / self.whole.max(1.0)
    }

    fn megabytes_per_second(&self) -> f64 {
        let bytes_per_event = self.bytes as f64 / (self.events + self.from_views).max(1) as f64;
        self.per_second() * bytes_per_event / 1e6
    }

    /// Dollars for a million events, by their own count and not rounded.
    fn dollars(&self) -> f64 {
        self.per_event(1_000_000) * self.cost.dollars_at(self.prices.million_writes, self.prices.million_reads)
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let batches = if self.batches == 1 { "1 batch".to_owned() } else { format!("{} batches", self.batches) };
        let mut text = format!("{} in {batches}", count(self.events, "event"));
        if self.from_views > 0 {
            let _ = write!(text, ", {} more from views", self.from_views);
        }
        let _ = writeln!(
            text,
            ", {} bytes each, {}",
            self.bytes / (self.events + self.from_views).max(1),
            count(self.rounds as usize, "round")
        );
        for (name, Counts { matched, applied, repeated, stale, waiting, rejected, failed, .. }) in &self.projections {
            let _ = write!(
                text,
                "  {name}  {matched} matched: {applied} applied, {repeated} repeated, {rejected} rejected"
            );
            for (number, fate) in [(stale, "stale"), (waiting, "waiting"), (failed, "not applied")] {
                if *number > 0 {
                    let _ = write!(text, ", {number} {fate}");
                }
            }
            text.push('\n');
        }
        let _ = writeln!(text, "\nprocessor, one core, without the store:");
        for (stage, nanoseconds) in self.stages {
            let share = 100.0 * nanoseconds / self.whole.max(1.0);
            let _ = writeln!(text, "  {stage:<9}{nanoseconds:>9.0} ns an event {share:>4.0} %");
        }
        let _ = writeln!(text, "  {:<9}{:>9.0} ns an event", "all", self.whole);
        let _ = writeln!(text, "  {:.0} events and {:.1} MB a second", self.per_second(), self.megabytes_per_second());
        let _ = writeln!(text, "\nDynamoDB, an event:");
        for (name, number) in
            [("requests", self.cost.requests), ("write units", self.cost.writes), ("read units", self.cost.reads)]
        {
            let _ = writeln!(text, "  {name:<11}{:>9.4}", self.per_event(number));
        }
        let Prices { million_writes, million_reads } = self.prices;
        let whose = match self.prices.are_ours() {
            true => format!(" ({}, {})", PRICES.region, PRICES.as_of),
            false => String::new(),
        };
        let _ = writeln!(
            text,
            "  ${:.4} for a million events, at ${million_writes} a million write units and ${million_reads} a million read units{whose}",
            self.dollars()
        );
        text
    }

    /// For programs.
    pub(crate) fn json(&self) -> Result<String, Failure> {
        let mut stages: Map<String, Json> =
            self.stages.iter().map(|(name, time)| ((*name).to_owned(), json!(time))).collect();
        stages.insert("all".to_owned(), json!(self.whole));
        let projections: Map<String, Json> = self
            .projections
            .iter()
            .map(|(name, counts)| {
                let Counts { matched, applied, repeated, stale, waiting, rejected, failed, .. } = counts;
                let counts = json!({
                    "matched": matched, "applied": applied, "repeated": repeated, "stale": stale, "waiting": waiting,
                    "rejected": rejected, "failed": failed,
                });
                (name.clone(), counts)
            })
            .collect();
        let report = json!({
            "batches": self.batches,
            "events": self.events,
            "from_views": self.from_views,
            "bytes": self.bytes,
            "rounds": self.rounds,
            "projections": projections,
            "nanoseconds_per_event": stages,
            "events_per_second": self.per_second(),
            "megabytes_per_second": self.megabytes_per_second(),
            "requests_per_event": self.per_event(self.cost.requests),
            "write_units_per_event": self.per_event(self.cost.writes),
            "read_units_per_event": self.per_event(self.cost.reads),
            "dollars_per_million_events": self.dollars(),
            "prices": {
                "region": self.prices.are_ours().then_some(PRICES.region),
                "as_of": self.prices.are_ours().then_some(PRICES.as_of),
                "million_writes": self.prices.million_writes,
                "million_reads": self.prices.million_reads,
            },
        });
        serde_json::to_string_pretty(&report)
            .map(|text| text + "\n")
            .map_err(|error| Failure::new(format!("the report cannot be written: {error}")))
    }
}
