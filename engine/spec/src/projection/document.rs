//! `document:`

use super::short::{FromName, OrName};
use crate::{Entries, Spanned};
use schemars::JsonSchema;
use serde::Deserialize;

/// The table that holds a projection's documents, and its key.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Document {
    /// The table's name.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_.-]{3,255}$"), example = &"Contributions")]
    pub table: Spanned<String>,
    /// The table's partition key: a name (text), or a map of `name` and `type`.
    #[schemars(example = &"productId")]
    pub partition_key: Spanned<OrName<KeyAttribute>>,
    /// The table's sort key, where it has one.
    #[schemars(example = &serde_json::json!({ "name": "day", "type": "number" }))]
    pub sort_key: Option<Spanned<OrName<KeyAttribute>>>,
    /// The table's global secondary indexes, by name. They are made with the table; all attributes are projected.
    #[schemars(example = &serde_json::json!({ "ProductsByCreator": { "partition_key": "creator" } }))]
    pub indexes: Option<Entries<Index>>,
    /// The attribute by which DynamoDB lets items expire (TTL), in seconds since 1970. The table is made with it; rules
    /// set it like any other attribute.
    #[schemars(example = &"expires")]
    pub ttl: Option<Spanned<String>>,
    /// Says that others write to the same items. Deleting a document then removes only the projection's own attributes.
    /// Implied where two loaded projections share the table.
    #[schemars(example = &true)]
    pub shared: Option<bool>,
}

/// The key of a global secondary index.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Index {
    /// The index's partition key: a name (text), or a map of `name` and `type`.
    #[schemars(example = &"creator")]
    pub partition_key: Spanned<OrName<KeyAttribute>>,
    /// The index's sort key, where it has one.
    #[schemars(example = &serde_json::json!({ "name": "total", "type": "number" }))]
    pub sort_key: Option<Spanned<OrName<KeyAttribute>>>,
}

/// A key attribute.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
pub struct KeyAttribute {
    /// The attribute's name.
    #[schemars(example = &"day")]
    pub name: String,
    /// The attribute's type; `string` unless said.
    #[serde(default, rename = "type")]
    #[schemars(example = &"number")]
    pub kind: KeyType,
}

/// The types that a key attribute can have.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyType {
    /// Text.
    #[default]
    String,
    /// A number.
    Number,
    /// Bytes.
    Binary,
}

impl FromName for KeyAttribute {
    const NAME_IS: &'static str = "the name of a key attribute";

    fn from_name(name: &str) -> Self {
        KeyAttribute { name: name.to_owned(), kind: KeyType::String }
    }
}
