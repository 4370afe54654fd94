//! Tests beside projections.
//!
//! [`files`] finds test files, [`case`] runs one of their cases in an embedded DynamoDB of its own, [`record`] makes Lambda
//! events of a case's events, and [`difference`] says how tables differ from what they have to be.

pub(crate) mod case;
pub(crate) mod difference;
pub(crate) mod files;
mod record;
