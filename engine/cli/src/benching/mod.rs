//! `viewfold bench`: what a user's own projections take.
//!
//! ```text
//! batches ─ carry ─> Carried (answers, units) ─ measure ─> Times ─ show ─> stdout
//! ```
//!
//! [`carry`] carries each batch out once, in an embedded DynamoDB, and keeps the store's answers; [`measure`] plays the
//! batches with these answers again and again, without a store, and takes the time of each stage; [`show`] tells both.

pub(crate) mod carry;
pub(crate) mod measure;
pub(crate) mod show;
