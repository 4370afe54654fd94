//! What a change of projections means, told: [`text`] for people, [`json`] for programs, [`documents`] on recorded events.

pub(crate) mod documents;
pub(crate) mod json;
pub(crate) mod text;
