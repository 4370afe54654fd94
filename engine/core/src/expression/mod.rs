//! Expressions: the text between `${` and `}`.
//!
//! ```text
//! text ─ cut ─> evalexpr's own text, operands apart ─ evalexpr ─> its tree ─ syntax ─> Expression
//! ```
//!
//! evalexpr gives the grammar and the tree, and no more: it would read `$.order-id` as a subtraction and thirty digits as a
//! float. So [`cut`] takes paths, names and number literals out before it parses, each with its place, and evaluation is
//! ours, over exact numbers.

mod cut;
mod habits;
mod syntax;

pub use syntax::{Binary, Expression, Kind, SyntaxError, Unary, parse};

/// Functions that evaluate only what they need: they are terms of their own.
pub(crate) const LAZY: [&str; 3] = ["if", "exists", "default"];

/// Names that mean something in every expression.
pub(crate) const RESERVED: [&str; 4] = ["doc", "null", "true", "false"];
