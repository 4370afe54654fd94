//! `viewfold bench`

use crate::arguments::{Bench, Format};
use crate::benching::{carry, measure, show};
use crate::commands::load_one;
use crate::events;
use crate::output::{Failure, Outcome, note, print, warn};
use crate::store;
use std::sync::Arc;
use std::time::Duration;

/// Carries recorded events out once, measures them again and again, and prints what both told.
pub(crate) fn run(arguments: &Bench) -> Result<Outcome, Failure> {
    let compiled = load_one(&arguments.paths, &arguments.prefix.table_prefix)?;
    warn(&compiled.warnings);
    let program = &compiled.program;
    let mut invocations = Vec::new();
    for path in &arguments.events {
        invocations.extend(events::read(path)?);
    }
    let now: Arc<str> = Arc::from(arguments.now.clone().unwrap_or_else(|| jiff::Timestamp::now().to_string()));
    let batches = store::runtime()?.block_on(carry::carry(program, &invocations, &now))?;
    for told in batches.iter().filter_map(carry::Carried::without_work) {
        note(&told);
    }
    if arguments.now.is_none() && batches.iter().any(|batch| batch.is_too_old) {
        note("(events were recorded longer ago than `keep_for`: --now TIME sets the clock to when they came)");
    }
    let effort = match arguments.repeat {
        Some(rounds) => measure::Effort::Rounds(rounds),
        None => measure::Effort::Time(Duration::from_secs_f64(arguments.seconds)),
    };
    let times = measure::measure(program, &batches, &now, effort)?;
    let prices = show::Prices::of(arguments);
    let told = show::Told::new(program, &batches, &times, prices);
    print(&match arguments.format {
        Format::Text => told.text(),
        Format::Json => told.json()?,
    })?;
    // Figures of nothing but refusals say nothing of the projections.
    Ok(if batches.iter().any(carry::Carried::has_applied) { Outcome::Done } else { Outcome::Findings })
}
