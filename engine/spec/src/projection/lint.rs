//! `allow:`

use crate::Code;
use schemars::JsonSchema;
use serde::Deserialize;

/// A warning that can be meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lint {
    /// A value that depends on the clock (`$$.now`): VF0601.
    ClockDependent,
    /// A rule that no event can match: VF0602.
    NeverMatches,
    /// A list, set or map that grows for ever: VF0603.
    Unbounded,
    /// `guard: none` where a repeated event counts twice: VF0604.
    Unguarded,
    /// A `let` that nothing uses: VF0605.
    UnusedLet,
    /// `derive`, or an attribute, that needs what the first event of a document may not write: VF0607.
    MissingAtFirst,
}

impl Lint {
    /// The code of the warning.
    pub const fn code(self) -> Code {
        match self {
            Lint::ClockDependent => Code::ClockDependent,
            Lint::NeverMatches => Code::NeverMatches,
            Lint::Unbounded => Code::Unbounded,
            Lint::Unguarded => Code::Unguarded,
            Lint::UnusedLet => Code::UnusedLet,
            Lint::MissingAtFirst => Code::MissingAtFirst,
        }
    }
}
