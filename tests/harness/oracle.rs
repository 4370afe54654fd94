//! What the systems' tables have to hold, worked out by the simplest loop over the events that does it.
//!
//! Nothing here knows of batches, guards or stores, and nothing is shared with the engine: where the two agree, it is
//! not because they are the same code. Results are documents as [`crate::documents::sorted`] orders them.

pub mod map_rollup;
pub mod tournament;
pub mod votes;
pub mod winner_view;
