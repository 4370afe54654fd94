//! Carries plans out on DynamoDB.
//!
//! ```text
//! folder ─ deployment ─> Program        environment ─ client ─> Store
//!
//! payload ─ execute ─> (core's Batch: requests out, answers in) ─> Report
//! ```
//!
//! [`store`] sends one request and says what became of it, [`execute`](mod@execute) keeps a batch's requests in flight until all are
//! answered, [`wire`] writes requests down as they are sent, [`meter`] what they take, [`sdk`] makes the SDK's types of them, [`cost`] says what they cost, [`correct`](mod@correct) puts an item right, [`dead_letters`] lists and redrives what could not be applied, [`tables`] makes the tables that a program needs, [`inspect`] looks at those that are there, [`scan`](mod@scan) reads one page by page, [`deployment`] reads a folder of projections, [`changes`] compares them with those that were deployed before. The meaning
//! of everything is `viewfold-core`'s; nothing here looks into a document.

mod attribute;
pub mod changes;
pub mod client;
pub mod correct;
pub mod cost;
pub mod dead_letters;
pub mod deployment;
pub mod execute;
pub mod inspect;
pub mod meter;
pub mod scan;
pub mod sdk;
pub mod store;
pub mod tables;
pub mod wire;

pub use execute::{Limits, execute, execute_at, execute_metered};
pub use store::Store;
