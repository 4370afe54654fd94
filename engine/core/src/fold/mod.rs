//! What events do to a document.
//!
//! [`apply`] is the meaning: one event's operations on one document, plainly. [`Effect`] is the shortcut: what the
//! operations of *many* events do to one attribute, whatever stands there, so that a batch is one write. Where no single
//! effect can say it, there is none, and the batch is cut between the two events.

mod document;
mod effect;

pub use document::{Refusal, apply};
pub use effect::{Effect, Effects, Merged};
