//! `viewfold explain … --event`: what becomes of each event, and why; and what each guard would cost.
//!
//! ```text
//! record ─ tell ─> Told (verdicts, and by carry the requests) ─ show | json ─> stdout
//! ```
//!
//! [`tell`] asks the engine what the rules make of a record, [`carry`] carries it out alone, request by request, with what
//! each one costs; [`guards`] does the same under every guard that would be sound. [`show`] is for people, [`json`] for
//! programs.

mod carry;
pub(crate) mod guards;
pub(crate) mod json;
pub(crate) mod show;
pub(crate) mod tell;
mod words;

pub(crate) use carry::Desk;
