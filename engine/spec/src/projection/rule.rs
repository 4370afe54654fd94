//! `rules:`

use super::lint::Lint;
use super::pattern::Pattern;
use crate::{Entries, Literal, Span, Spanned};
use schemars::JsonSchema;
use serde::Deserialize;

/// A rule: which events it applies to, which document they belong to, and what they do to it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Rule {
    /// The rule's name, for people and reports.
    #[schemars(example = &"order placed")]
    pub name: Option<Spanned<String>>,
    /// The name of the source whose events the rule is for, where the projection has several.
    #[schemars(example = &"payments")]
    pub source: Option<Spanned<String>>,
    /// Paths and what they must find: every one has to match. A path that finds nothing does not match (but for
    /// `{exists: false}`). A rule without `when` matches every event of its source.
    #[schemars(example = &serde_json::json!({ "$.type": ["placed", "changed"], "$.total": { "type": "number" } }))]
    pub when: Option<Entries<Spanned<Pattern>>>,
    /// A JSON Schema that the payload of every event that `when` matches has to satisfy (of a DynamoDB event: each image):
    /// the name of a file beside this one, or the schema itself.
    #[schemars(example = &"order.schema.json")]
    pub schema: Option<Spanned<Literal>>,
    /// Applies the rule to every element of a list or set, in its order; the element has this name in `${ }`.
    #[schemars(example = &serde_json::json!({ "line": "$.lines" }))]
    pub each: Option<Spanned<Entries<Spanned<Literal>>>>,
    /// Named values of this rule, beside those of the projection.
    #[schemars(example = &serde_json::json!({ "total": "${ line.price * line.count }" }))]
    pub r#let: Option<Entries<Spanned<Literal>>>,
    /// An expression that has to be true, for what patterns cannot say.
    #[schemars(example = &"$.new.score > $.old.score")]
    pub r#if: Option<Spanned<Literal>>,
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
    /// Attributes and a number or text; the larger one of it and what is there is kept. Reads the document.
    #[schemars(example = &serde_json::json!({ "best": "$.score" }))]
    pub max: Option<Entries<Spanned<Literal>>>,
    /// Attributes and a number or text; the smaller one of it and what is there is kept. Reads the document.
    #[schemars(example = &serde_json::json!({ "first": "$.at" }))]
    pub min: Option<Entries<Spanned<Literal>>>,
    /// List attributes and the element to append to each.
    #[schemars(example = &serde_json::json!({ "recent": { "value": "$.text", "last": 10 } }))]
    pub append: Option<Entries<Spanned<Append>>>,
    /// Attributes to remove.
    #[schemars(example = &serde_json::json!(["note"]))]
    pub remove: Option<Vec<Spanned<String>>>,
    /// Set attributes and the set whose elements are removed from each.
    #[schemars(example = &serde_json::json!({ "tags": "${ set($.tag) }" }))]
    pub remove_from: Option<Entries<Spanned<Literal>>>,
    /// `true` deletes the document.
    #[schemars(example = &true)]
    pub delete: Option<Spanned<bool>>,
    /// `true`: each item of the source's table contributes what the rule adds for as long as it exists like that. A change
    /// takes back what the item contributed before; a removal takes it back for good. `$` is one image of the item. For
    /// DynamoDB sources under `{last_event_id: lane}`; numeric `add` only.
    #[schemars(example = &true)]
    pub retract: Option<Spanned<bool>>,
    /// Says that the outcome may depend on the order in which events are applied, where the guard gives none: `set`,
    /// `remove` and the like are refused otherwise.
    #[schemars(example = &true)]
    pub any_order: Option<bool>,
    /// Warnings that are known and meant, in this rule.
    #[schemars(example = &serde_json::json!(["unbounded"]))]
    pub allow: Option<Vec<Spanned<Lint>>>,
}

/// An element to append to a list, and which elements the list keeps.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Append {
    /// The element.
    #[schemars(example = &"$.text")]
    pub value: Spanned<Literal>,
    /// How many elements the list keeps, 1 to 10,000: the last ones by arrival, or by `by`. All of them unless said.
    #[schemars(range(min = 1, max = 10000), example = &10)]
    pub last: Option<Spanned<u64>>,
    /// What orders the elements: a number or text. The list is kept in this order, so the order of arrival does not
    /// matter.
    #[schemars(example = &"$$.time")]
    pub by: Option<Spanned<Literal>>,
    /// The name of an entry of the element, which is a map: an element with an equal entry is replaced.
    #[schemars(example = &"id")]
    pub unique_by: Option<Spanned<String>>,
}

impl Rule {
    /// Every attribute path that the rule writes, with the key it stands under.
    pub fn written(&self) -> Vec<(&'static str, &Spanned<String>)> {
        fn names<'a, T>(
            key: &'static str,
            entries: &'a Option<Entries<T>>,
        ) -> impl Iterator<Item = (&'static str, &'a Spanned<String>)> {
            entries.iter().flatten().map(move |(name, _)| (key, name))
        }
        names("add", &self.add)
            .chain(names("set", &self.set))
            .chain(names("set_once", &self.set_once))
            .chain(names("max", &self.max))
            .chain(names("min", &self.min))
            .chain(names("append", &self.append))
            .chain(self.remove.iter().flatten().map(|name| ("remove", name)))
            .chain(names("remove_from", &self.remove_from))
            .collect()
    }

    /// Where the rule writes an attribute.
    pub fn place_of(&self, attribute: &str) -> Option<Span> {
        self.written().into_iter().find(|(_, name)| name.value == attribute).map(|(_, name)| name.span)
    }

    /// Where the value of an attribute stands that the rule writes with an operation's key.
    pub fn value_of(&self, key: &str, attribute: &str) -> Option<Span> {
        let values = match key {
            "add" => &self.add,
            "set" => &self.set,
            "set_once" => &self.set_once,
            "max" => &self.max,
            "min" => &self.min,
            "remove_from" => &self.remove_from,
            "append" => return self.append.as_ref()?.get(attribute).map(|append| append.span),
            _ => return None,
        };
        values.as_ref()?.get(attribute).map(|value| value.span)
    }

    /// Where to point when the whole rule is meant: its name, or its beginning.
    pub fn place(&self, whole: Span) -> Span {
        self.name.as_ref().map_or(whole, |name| name.span)
    }
}
