//! What the fuzz targets do with the bytes that they are given: one module for each kind of input from outside.
//!
//! Nothing here depends on the fuzzer, so that `engine/core/tests/corpus.rs` takes this file in by its path and goes through
//! the corpus with the stable toolchain, as a test like any other.

pub mod dead_letter;
pub mod event;
pub mod expression;
pub mod ion;
pub mod mark;
pub mod path;
pub mod projection;
pub mod reader;
pub mod record;
pub mod test_file;

mod deployment;
mod lambda;
#[path = "../../engine/core/tests/chaos/store.rs"]
#[allow(dead_code, reason = "the schedules need more of it")]
mod store;
mod values;

/// A target: its name, which its corpus has, too, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 10] = [
    ("projection", projection::run),
    ("test_file", test_file::run),
    ("event", event::run),
    ("record", record::run),
    ("expression", expression::run),
    ("path", path::run),
    ("mark", mark::run),
    ("dead_letter", dead_letter::run),
    ("ion", ion::run),
    ("reader", reader::run),
];

/// The engine's clock.
const NOW: &str = "2026-01-01T00:00:00Z";
