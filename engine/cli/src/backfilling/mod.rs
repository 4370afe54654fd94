//! The history that a view is filled with, while its stream keeps it up to date.
//!
//! [`chosen`] says what is to be filled and whether it comes out right, [`estimate`] what it takes, [`read`] brings the items of
//! tables, [`files`] what is in files, for its [`destination`], [`retained`] what Kinesis streams still have, [`carry`] puts them through the engine, at the [`pace`] that was asked for, [`ask`] asks
//! where something may not be meant, and [`state`] remembers how far it has come.

pub(crate) mod ask;
pub(crate) mod carry;
pub(crate) mod chosen;
pub(crate) mod destination;
pub(crate) mod estimate;
pub(crate) mod files;
pub(crate) mod pace;
pub(crate) mod read;
pub(crate) mod retained;
pub(crate) mod state;
