//! The JSON Schemas of the projection language and of its tests, made from the types that read them.

use crate::{Projection, TestFile};
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};

/// The JSON Schema (2020-12) of projection files, as pretty JSON with a line break at its end.
pub fn projection_schema() -> String {
    schema_of::<Projection>("urn:viewfold:schema:projection:1", "viewfold projection")
}

/// The JSON Schema (2020-12) of test files, as pretty JSON with a line break at its end.
pub fn test_schema() -> String {
    schema_of::<TestFile>("urn:viewfold:schema:test:1", "viewfold test")
}

/// The identifier is no address to fetch.
fn schema_of<T: JsonSchema>(id: &str, title: &str) -> String {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    schema.insert("$id".into(), id.into());
    schema.insert("title".into(), title.into());
    // A place for anchors that several parts of a file use.
    schema.insert("patternProperties".into(), serde_json::json!({ "^x-": {} }));
    RecursiveTransform(as_read).transform(&mut schema);
    let mut text = serde_json::to_string_pretty(schema.as_value()).unwrap_or_default();
    text.push('\n');
    text
}

/// Closes every object with named properties, as the reader does, takes `null` out of optional keys (a key that is there
/// has a value), and unwraps descriptions.
fn as_read(schema: &mut Schema) {
    if let Some(object) = schema.as_object_mut() {
        if let Some(serde_json::Value::String(description)) = object.get_mut("description") {
            *description = unwrapped(description);
        }
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

/// A doc comment's paragraphs without the line breaks that it was wrapped with.
fn unwrapped(text: &str) -> String {
    text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    /// The schemas that editors get are those that these types make. After a change of the language, write them anew:
    /// `cargo run -- schema > schemas/projection.schema.json` and `cargo run -- schema --test > schemas/test.schema.json`
    #[test]
    fn the_schemas_that_are_checked_in_are_up_to_date() {
        for (name, schema) in
            [("projection.schema.json", super::projection_schema()), ("test.schema.json", super::test_schema())]
        {
            let path = format!("{}/../../schemas/{name}", env!("CARGO_MANIFEST_DIR"));
            let checked_in = std::fs::read_to_string(path).expect("the schema is checked in");
            assert!(checked_in == schema, "schemas/{name} is not what the types make: write it anew");
        }
    }
}
