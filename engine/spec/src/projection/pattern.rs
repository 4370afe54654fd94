//! The patterns of `when:`

use crate::literal::FORM;
use crate::{Literal, Spanned};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use viewfold_value::{Kind, Number};

/// What a value has to be like for a rule to apply.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// That value: a text, number, boolean or null.
    Equals(Literal),
    /// Any of these.
    AnyOf(Vec<Spanned<Pattern>>),
    /// `{exists: true}`, `{exists: false}`
    Exists(bool),
    /// `{type: string}`
    Type(TypeName),
}

/// A value's type, as patterns name it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TypeName {
    /// Text.
    String,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// Null.
    Null,
    /// A list.
    List,
    /// A map.
    Map,
    /// Bytes.
    Binary,
    /// A set of texts.
    StringSet,
    /// A set of numbers.
    NumberSet,
    /// A set of bytes.
    BinarySet,
}

impl TypeName {
    /// The type itself.
    pub const fn kind(self) -> Kind {
        match self {
            TypeName::String => Kind::String,
            TypeName::Number => Kind::Number,
            TypeName::Boolean => Kind::Boolean,
            TypeName::Null => Kind::Null,
            TypeName::List => Kind::List,
            TypeName::Map => Kind::Map,
            TypeName::Binary => Kind::Binary,
            TypeName::StringSet => Kind::StringSet,
            TypeName::NumberSet => Kind::NumberSet,
            TypeName::BinarySet => Kind::BinarySet,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename = "Pattern")]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
struct PatternMap {
    /// `true`: the path finds something, null included. `false`: it finds nothing.
    exists: Option<bool>,
    /// The value has this type.
    #[serde(rename = "type")]
    kind: Option<TypeName>,
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;

        impl<'de> Visitor<'de> for Forms {
            type Value = Pattern;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value, a list of patterns, or a pattern such as `{exists: true}`")
            }

            fn visit_unit<E: Error>(self) -> Result<Pattern, E> {
                Ok(Pattern::Equals(Literal::Null))
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Pattern, E> {
                Ok(Pattern::Equals(Literal::Bool(value)))
            }

            fn visit_bytes<E: Error>(self, digits: &[u8]) -> Result<Pattern, E> {
                let digits = std::str::from_utf8(digits).map_err(E::custom)?;
                Number::parse(digits).map(|number| Pattern::Equals(Literal::Number(number))).map_err(E::custom)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Pattern, E> {
                Ok(Pattern::Equals(Literal::Text(text.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Pattern, A::Error> {
                let mut patterns = Vec::new();
                while let Some(pattern) = list.next_element()? {
                    patterns.push(pattern);
                }
                if patterns.is_empty() {
                    return Err(A::Error::custom(
                        "an empty list of patterns matches nothing\nhelp: name at least one value",
                    ));
                }
                Ok(Pattern::AnyOf(patterns))
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, map: D) -> Result<Pattern, D::Error> {
                match PatternMap::deserialize(map)? {
                    PatternMap { exists: Some(exists), kind: None } => Ok(Pattern::Exists(exists)),
                    PatternMap { exists: None, kind: Some(kind) } => Ok(Pattern::Type(kind)),
                    _ => Err(D::Error::custom(
                        "a pattern is a map of exactly one key\nhelp: `{exists: true}` or `{type: string}`, for example",
                    )),
                }
            }
        }

        deserializer.deserialize_newtype_struct(FORM, Forms)
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> Cow<'static, str> {
        "PatternForms".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let map = generator.subschema_for::<PatternMap>();
        json_schema!({
            "description": "A value (equality), a list (any of these), or a pattern such as `{exists: true}`.",
            "if": { "type": "object" },
            "then": map,
            "else": {
                "if": { "type": "array" },
                "then": { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/PatternForms" } },
                "else": { "type": ["string", "number", "boolean", "null"] },
            },
        })
    }
}
