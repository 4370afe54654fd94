//! The filter of a mapping, where one was asked for.

use super::Wishes;
use super::function::Function;
use viewfold_core::filter::{self, Filter};
use viewfold_core::program::Program;

/// A filter, or why there is none.
pub(super) struct Pushdown {
    /// Lambda's patterns, as JSON.
    pub(super) patterns: Option<Vec<String>>,
    /// What to know about it, or why there is none.
    pub(super) why: String,
}

/// The filter of a function's mapping; nothing where none was asked for.
pub(super) fn of(function: &Function<'_>, program: &Program, wishes: &Wishes) -> Option<Pushdown> {
    let is_wanted = |name: &String| name == "all" || name == function.identity.name();
    wishes.filters.iter().any(is_wanted).then(|| match filter::of_stream(program, function.number) {
        Ok(Filter { patterns, notes }) => Pushdown { patterns: Some(patterns), why: notes.join(" ") },
        Err(why) => Pushdown { patterns: None, why },
    })
}
