//! The JSON Schemas of the projection language and of its tests, for editors: made from the types that read the files.
//!
//! ```text
//! types ─ schemars ─> keys, types, descriptions
//!         words    ─> how yaml-language-server shows them, and what it says
//!         forms    ─> what holds for several keys at once, names and paths
//!         snippets ─> what can be put in
//! ```
//!
//! A schema accepts every file that the reader accepts, and refuses what can be refused without understanding an
//! expression. Keys that JSON Schema does not know (`errorMessage`, `patternErrorMessage`, `markdownDescription`,
//! `markdownEnumDescriptions`, `defaultSnippets`, `doNotSuggest`) are read by yaml-language-server and by nobody else.

mod forms;
mod snippets;
mod words;

pub(crate) use forms::LITERAL;

use crate::{Projection, TestFile};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// The JSON Schema (2020-12) of projection files, as pretty JSON with a line break at its end.
pub fn projection_schema() -> String {
    schema_of::<Projection>("projection")
}

/// The JSON Schema (2020-12) of test files, as pretty JSON with a line break at its end.
pub fn test_schema() -> String {
    schema_of::<TestFile>("test")
}

/// The number in `$id` goes up when files that were right before are no longer.
const EDITION: u32 = 1;

fn schema_of<T: JsonSchema>(kind: &str) -> String {
    let made = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value();
    let Value::Object(mut made) = made else { return String::new() };
    let version = env!("CARGO_PKG_VERSION");
    let option = if kind == "test" { " --test" } else { "" };
    let mut schema = Map::new();
    schema.insert("$schema".into(), made.remove("$schema").unwrap_or_default());
    // The identifier is no address to fetch.
    schema.insert("$id".into(), format!("urn:viewfold:schema:{kind}:{EDITION}").into());
    // Editors show the title with every finding and description, so a schema of another version can be told.
    schema.insert("title".into(), format!("viewfold {version} {kind}").into());
    schema.insert(
        "$comment".into(),
        format!("Made by `viewfold schema{option}` {version}. Make it anew with every new version: an older schema does not know new keys.")
            .into(),
    );
    made.remove("title");
    schema.append(&mut made);
    // A place for anchors that several parts of a file use.
    schema.insert("patternProperties".into(), json!({ "^x-": {} }));
    words::refine(&mut schema);
    forms::add(&mut schema, kind);
    snippets::add(&mut schema, kind);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    /// The schemas that editors get are those that these types make. After a change of the language,
    /// `UPDATE_SNAPSHOTS=1 cargo test -p viewfold-spec schema` writes them anew, as `viewfold schema` does.
    #[test]
    fn the_schemas_that_are_checked_in_are_up_to_date() {
        for (name, schema) in
            [("projection.schema.json", super::projection_schema()), ("test.schema.json", super::test_schema())]
        {
            let path = format!("{}/../../schemas/{name}", env!("CARGO_MANIFEST_DIR"));
            if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
                std::fs::write(&path, &schema).expect("the schema can be written");
            }
            let checked_in = std::fs::read_to_string(path).expect("the schema is checked in");
            assert!(checked_in == schema, "schemas/{name} is not what the types make: write it anew");
        }
    }
}
