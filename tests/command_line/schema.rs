//! `viewfold schema`: the JSON Schema that editors use.

use harness::cli::viewfold;
use serde_json::Value;

use crate::{file, json};

#[tokio::test]
async fn it_is_the_one_that_is_checked_in() {
    let output = viewfold(["schema"]).run().await.expect_status(0);
    assert_eq!(output.stdout, file("schemas/projection.schema.json"));
}

#[tokio::test]
async fn it_describes_every_key_of_a_projection() {
    let schema = json(&viewfold(["schema"]).run().await.expect_status(0).stdout);
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    for key in ["projection", "description", "source", "document", "guard", "key", "rules", "on_error"] {
        let described = schema["properties"][key]["description"].as_str();
        assert!(described.is_some_and(|text| !text.is_empty()), "nothing is said about {key}");
    }
    assert_eq!(schema["additionalProperties"], Value::Bool(false));
}
