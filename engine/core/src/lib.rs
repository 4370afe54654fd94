//! What projections mean, and what to do about a batch of events. No I/O, no async, no clock.
//!
//! ```text
//! spec ─ compile ─> Program                                       once, at start
//!
//! payload ─ decode ─> Event ─ matching ─> Rule ─ evaluate ─> Change
//!         ─ fold ─> Effects ─ plan ─> Request ─> (the store) ─> Answer ─> … ─> Report
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | [`compile`] | projection files to a [`program::Program`]: paths, keys, guards checked |
//! | [`decode`] | a Lambda invocation's payload to [`event::Event`]s |
//! | [`matching`] | from an event to the rules that match it |
//! | [`evaluate`] | from a rule and an event to the change of a document |
//! | [`fold`] | what one event, or many, do to a document |
//! | [`bookkeeping`], [`dead_letter`] | rows that guards keep beside the documents, and those of events that cannot be applied |
//! | [`mapping`] | what an event source mapping may be set to, so that guards hold |
//! | [`mark`] | the position of an event in its order, as text |
//! | [`path`], [`query`] | JSONPath: paths that find one value, and those that find many |
//! | [`plan`] | requests, their expressions and conditions, and what their answers mean |
//! | [`report`] | what became of a batch |
//! | [`sorted_map`] | the small maps that events' changes are made of |
//! | [`backfill`] | items of a table as events |
//! | [`tables`], [`access`] | what a deployment needs: tables, and what the function does to each |
//! | [`filter`] | what Lambda need not send to the function |
//! | [`change`] | what a change of projections means for live views |
//! | [`stages`] | the stages of a batch one by one, to be measured |
//!
//! [`plan::Batch`] is the way in: make one of a payload, send the requests it hands out, give it the answers, and ask for
//! the report.

pub mod access;
pub mod backfill;
pub mod bookkeeping;
pub mod change;
pub mod compile;
pub mod dead_letter;
pub mod decode;
pub mod demands;
pub mod evaluate;
pub mod event;
pub mod expression;
pub mod filter;
pub mod fold;
pub mod functions;
pub mod mapping;
pub mod mark;
pub mod matching;
mod outcomes;
pub mod path;
pub mod pattern;
pub mod plan;
pub mod program;
pub mod query;
pub mod report;
pub mod schema;
pub mod sorted_map;
pub mod stages;
pub mod tables;
