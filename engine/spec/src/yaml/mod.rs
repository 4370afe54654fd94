//! YAML text to typed values, with the place of everything and all findings at once.
//!
//! [`compose`](node::compose) turns the parser's events into a tree of [`Node`](node::Node)s that keep their places and
//! how each scalar was written; [`read`](read::read) deserializes that tree into any type that implements serde's
//! `Deserialize`, and goes on behind a finding by leaving the offending part out. [`within`](place::within) finds parts of
//! a scalar's text in the file, and [`recover`] finds what else is wrong with a file whose YAML is broken.

mod accident;
mod found;
pub mod node;
pub mod place;
pub mod read;
pub(crate) mod recover;
pub mod scalar;
mod scan;
