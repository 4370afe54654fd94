//! What events do to a document.
//!
//! [`apply`] is the meaning: one event's operations on one document, plainly. [`Effect`] is the shortcut: what the
//! operations of *many* events do to one attribute, whatever stands there, so that a batch is one write without reading.
//! Where no single effect can say it, the document is read, [`State`] holds it, and the plain fold does the rest.

mod append;
mod document;
mod draft;
mod effect;
mod state;

pub use document::{Refusal, apply};
pub(crate) use document::{compare, union};
pub use effect::{Effect, Effects, Merged};
pub use state::State;
