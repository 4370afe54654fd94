//! Tests beside projections.
//!
//! [`files`] finds test files, [`case`] runs one of their cases in an embedded DynamoDB of its own, [`record`] makes Lambda
//! events of a case's events, and [`difference`] says how tables differ from what they have to be.
//!
//! [`scene`] has what all runs of a case share. A case that holds is run [`again`] under schedules: [`promise`] says what guards promise, [`schedule`] which schedules
//! there are, and [`deliver`] carries one out.

mod again;
pub(crate) mod case;
mod deliver;
pub(crate) mod difference;
pub(crate) mod files;
mod promise;
mod record;
pub(crate) mod scene;
mod schedule;
