//! What is offered in test files.

use super::{Object, Snippet, at, offer};
use serde_json::json;

/// Adds the snippets of test files.
pub(super) fn add(schema: &mut Object) {
    offer(Some(schema), test_files());
    at(schema, "Case", None, cases());
    at(schema, "Event", None, events());
    let payload = json!("{ ${1:type}: ${2:placed} }");
    at(schema, "Event", Some("payload"), vec![("{ name: value }", "A JSON object.", payload)]);
    for key in ["new", "old"] {
        at(schema, "Event", Some(key), vec![("{ id: a }", "An item.", json!("{ ${1:id}: ${2:a} }"))]);
    }
    at(
        schema,
        "DeadLetter",
        None,
        vec![(
            "dead letter",
            "An event that could not be applied.",
            json!({ "event": "${1:1}", "projection": "${2:NAME}", "reason": "${3:missing_value}" }),
        )],
    );
    for key in ["given", "documents", "contains"] {
        let table = json!({ "${1:Table}": "[{ ${2:id}: ${3:a}, ${4:count}: ${5:1} }]" });
        at(schema, "Case", Some(key), vec![("items of a table", "A table, and its items.", table)]);
    }
}

fn test_files() -> Vec<Snippet> {
    vec![(
        "test of a projection",
        "A whole test file: one case with an event and the document that it makes.",
        json!({
            "projections": ["${1:order_totals.yaml}"],
            "cases": [{
                "name": "${2:one order}",
                "events": ["payload: { type: ${3:placed}, ${4:customer}: ${5:ann}, ${6:amount}: ${7:10} }"],
                "documents": { "${8:OrderTotals}": "[{ ${4:customer}: ${5:ann}, ${9:orders}: 1, ${10:total}: ${7:10} }]" },
                "dead_letters": "[]",
            }],
        }),
    )]
}

fn cases() -> Vec<Snippet> {
    vec![(
        "case with events and documents",
        "Events, and the documents that they have to make.",
        json!({
            "name": "${1:one order}",
            "events": ["payload: { ${2:type}: ${3:placed} }"],
            "documents": { "${4:Table}": "[{ ${5:id}: ${6:a} }]" },
        }),
    )]
}

fn events() -> Vec<Snippet> {
    vec![
        (
            "Kinesis event",
            "A record of a Kinesis stream: its JSON payload.",
            json!({ "payload": "{ ${1:type}: ${2:placed} }" }),
        ),
        (
            "SQS message",
            "A message of an SQS queue: what `$` is. `format: sns` and `eventbridge` have it put into an envelope.",
            json!({ "payload": "{ ${1:type}: ${2:placed} }" }),
        ),
        ("item inserted", "An item that is new in a DynamoDB table.", json!({ "new": "{ ${1:id}: ${2:a} }" })),
        (
            "item changed",
            "An item of a DynamoDB table before and after a change.",
            json!({ "old": "{ ${1:id}: ${2:a}, ${3:total}: 1 }", "new": "{ ${1:id}: ${2:a}, ${3:total}: 2 }" }),
        ),
        ("item removed", "An item that is no longer in a DynamoDB table.", json!({ "old": "{ ${1:id}: ${2:a} }" })),
        ("rubbish record", "A Kinesis record that is no JSON.", json!({ "raw": "'${1:\\{oops}'", "lane": "${2:a}" })),
        ("recorded events", "A file of recorded Lambda events.", json!({ "file": "${1:events.json}" })),
    ]
}
