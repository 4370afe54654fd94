//! Tests beside projections.
//!
//! [`files`] finds test files, [`check`] says what is wrong with them before anything runs, [`case`] runs one of their cases in an embedded DynamoDB of its own, [`record`] makes Lambda
//! events of a case's events (those of SQS in [`message`]), and [`difference`] says how tables differ from what they have to be.
//!
//! [`scene`] has what all runs of a case share. A case that holds is run [`again`] under schedules: [`promise`] says what
//! guards promise, [`schedule`] which schedules there are, and [`deliver`] carries one out. [`file`] runs all cases of a
//! file, [`update`] writes what they came to into it, and [`report`] says how it went.

mod again;
mod case;
pub(crate) mod check;
mod deliver;
mod difference;
pub(crate) mod file;
pub(crate) mod files;
mod kind;
mod message;
mod promise;
mod record;
pub(crate) mod report;
mod scene;
mod schedule;
mod update;
