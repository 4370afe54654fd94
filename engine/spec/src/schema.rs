//! The JSON Schema of the projection language, made from the types that read it.

use crate::Projection;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};

/// The schema's own name. It is an identifier, not an address to fetch.
const ID: &str = "urn:viewfold:schema:projection:1";

/// The JSON Schema (2020-12) of projection files, as pretty JSON with a line break at its end.
pub fn projection_schema() -> String {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Projection>();
    schema.insert("$id".into(), ID.into());
    schema.insert("title".into(), "viewfold projection".into());
    // A place for anchors that several parts of a file use.
    schema.insert("patternProperties".into(), serde_json::json!({ "^x-": {} }));
    RecursiveTransform(closed_and_optional).transform(&mut schema);
    let mut text = serde_json::to_string_pretty(schema.as_value()).unwrap_or_default();
    text.push('\n');
    text
}

/// Closes every object with named properties, as the reader does, and takes `null` out of optional keys: a key that is
/// there has a value.
fn closed_and_optional(schema: &mut Schema) {
    if let Some(object) = schema.as_object_mut() {
        if object.contains_key("properties") && !object.contains_key("additionalProperties") {
            object.insert("additionalProperties".into(), false.into());
        }
        if let Some(serde_json::Value::Array(types)) = object.get_mut("type")
            && types.len() == 2
        {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                object.insert("type".into(), only);
            }
        }
        if let Some(serde_json::Value::Array(any)) = object.get("anyOf") {
            let others: Vec<_> = any.iter().filter(|one| **one != serde_json::json!({ "type": "null" })).collect();
            if let [serde_json::Value::Object(only)] = others.as_slice() {
                let only = only.clone();
                object.remove("anyOf");
                for (key, value) in only {
                    object.entry(key).or_insert(value);
                }
            }
        }
    }
}

/// Keeps `JsonSchema` in scope for the types of this crate without a warning where only derives use it.
const _: fn() -> std::borrow::Cow<'static, str> = <Projection as JsonSchema>::schema_name;
