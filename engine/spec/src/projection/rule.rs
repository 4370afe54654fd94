//! `rules:`

use super::pattern::Pattern;
use crate::{Entries, Literal, Span, Spanned};
use schemars::JsonSchema;
use serde::Deserialize;

/// A rule: which events it applies to, which document they belong to, and what they do to it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Rule {
    /// The rule's name, for people and reports.
    pub name: Option<Spanned<String>>,
    /// Paths and what they must find: every one has to match. A path that finds nothing does not match (but for
    /// `{exists: false}`). A rule without `when` matches every event of its source.
    #[schemars(example = &serde_json::json!({ "$.type": ["placed", "changed"], "$.total": { "type": "number" } }))]
    pub when: Option<Entries<Spanned<Pattern>>>,
    /// The document's key for this rule, in place of the projection's `key`.
    #[schemars(example = &serde_json::json!({ "region": "$.new.region", "improvement": "$.new.improvement" }))]
    pub key: Option<Spanned<Entries<Spanned<Literal>>>>,
    /// Attributes and the number to add to each, from 0, or the set whose elements are added.
    #[schemars(example = &serde_json::json!({ "total_votes": 1, "revenue": "$.amount" }))]
    pub add: Option<Entries<Spanned<Literal>>>,
    /// Attributes and the value each is set to.
    #[schemars(example = &serde_json::json!({ "updated": "$.at" }))]
    pub set: Option<Entries<Spanned<Literal>>>,
    /// Attributes and the value each is set to unless it is already there.
    #[schemars(example = &serde_json::json!({ "created": "$.at" }))]
    pub set_once: Option<Entries<Spanned<Literal>>>,
    /// Attributes to remove.
    #[schemars(example = &serde_json::json!(["note"]))]
    pub remove: Option<Vec<Spanned<String>>>,
    /// Says that the outcome may depend on the order in which events are applied, where the guard gives none: `set`,
    /// `remove` and `set_once` are refused otherwise.
    pub any_order: Option<bool>,
}

impl Rule {
    /// Where the rule writes an attribute.
    pub fn place_of(&self, attribute: &str) -> Option<Span> {
        [&self.add, &self.set, &self.set_once]
            .into_iter()
            .flatten()
            .flatten()
            .map(|(name, _)| name)
            .chain(self.remove.iter().flatten())
            .find(|name| name.value == attribute)
            .map(|name| name.span)
    }
}
