//! Whether a view is what its source makes of it.
//!
//! ```text
//! source ─ expected ─> a private store ─┐
//!                                       ├─ compare ─> differences ─ settle ─> those that stay ─ repair
//! the live view ────────────────────────┘
//! ```
//!
//! The source is folded once more, by the same engine, into a store of this command's own ([`expected`]); what is there is
//! compared with it document by document ([`compare`]), in the light of what is no difference ([`plain`]). While the view is live,
//! events are on their way: what differs is looked at again ([`settle`]), and only what stays as it is is told ([`show`]) and
//! put right ([`repair`]). [`beside`] compares two versions of a view.

pub(crate) mod beside;
pub(crate) mod compare;
pub(crate) mod expected;
pub(crate) mod plain;
pub(crate) mod repair;
pub(crate) mod settle;
pub(crate) mod show;
