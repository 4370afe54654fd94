//! Keys that take a name alone or a map.

use crate::literal::FORM;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// A type whose short form is a name.
pub trait FromName: Sized {
    /// What the short form is, for people: "the name of a table".
    const NAME_IS: &'static str;

    /// The value that the name alone stands for.
    fn from_name(name: &str) -> Self;
}

/// A `T`, written as a map or as a name alone.
#[derive(Clone, PartialEq, Debug)]
pub struct OrName<T>(pub T);

impl<T> std::ops::Deref for OrName<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'de, T: FromName + Deserialize<'de>> Deserialize<'de> for OrName<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms<T>(PhantomData<T>);

        impl<'de, T: FromName + Deserialize<'de>> Visitor<'de> for Forms<T> {
            type Value = OrName<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} or a map", T::NAME_IS)
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<OrName<T>, E> {
                Ok(OrName(T::from_name(name)))
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, map: D) -> Result<OrName<T>, D::Error> {
                T::deserialize(map).map(OrName)
            }
        }

        deserializer.deserialize_newtype_struct(FORM, Forms(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for OrName<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("{}OrName", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        // `if`/`then` rather than `anyOf`: editors then name the very key that is wrong.
        let map = generator.subschema_for::<T>();
        json_schema!({ "if": { "type": "object" }, "then": map, "else": { "type": "string" } })
    }
}
