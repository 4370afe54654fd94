//! What the whole-system tests stand on: everything around viewfold's two binaries that AWS would be in production.
//!
//! A test is a chain of these, left to right:
//!
//! ```text
//! events, golden ─> function (bootstrap + runtime_api) ─> (proxy) ─> store ─> documents
//!                   cli (viewfold)                     ────────────┘
//! ```
//!
//! The binaries are the real release builds ([`binaries`]), they are driven only through their documented interfaces,
//! and what they did is read from outside ([`store::Store::documents`]). Nothing here links viewfold's own crates: a
//! mistake in them cannot hide behind the same mistake in a test.
//!
//! Set-up that fails panics with a message that says what to do; only what a test wants to look at is a `Result`.

use std::path::Path;

pub mod aws;
pub mod binaries;
pub mod cli;
pub mod documents;
pub mod editor;
pub mod events;
pub mod feed;
pub mod function;
pub mod golden;
pub mod handwritten;
pub mod kinesis;
pub mod lambda_api;
pub mod lint;
pub mod many;
pub mod memory;
pub mod optional;
pub mod oracle;
pub mod proxy;
pub mod random;
pub mod runtime_api;
pub mod scratch;
pub mod store;
pub mod workload;

/// The root of the workspace, where `projections/`, `examples/` and `schemas/` are.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the test crate is a folder of the workspace")
}
