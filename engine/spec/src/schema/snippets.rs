//! What an editor offers to put in: whole projections, rules and tests, and the forms of sources, guards and patterns.
//!
//! A body is a map, which is put in as lines of YAML and leaves out keys that are there already, or a text, put in as it
//! stands. `${1:name}` is a place to fill in; a `$` that is meant stands behind a backslash.

mod of_tests;

use serde_json::{Map, Value, json};

type Object = Map<String, Value>;

/// A snippet: its label, what it is for, and what is put in.
type Snippet = (&'static str, &'static str, Value);

/// Adds them to the root, to keys and to definitions.
pub(super) fn add(schema: &mut Object, kind: &str) {
    if kind == "test" {
        return of_tests::add(schema);
    }
    offer(Some(schema), projections());
    for (key, snippet) in [
        ("key", ("key attribute", "A key attribute of the table, and its value.", json!({ "${1:id}": r"\$.${2:id}" }))),
        (
            "let",
            (
                "named value",
                "A value with a name, to be used in `${ }`.",
                json!({ "${1:total}": r"'\${ \$.${2:price} * \$.${3:count} \}'" }),
            ),
        ),
        (
            "derive",
            (
                "derived attribute",
                "An attribute that is computed from the document after each change.",
                json!({ "${1:average}": r"'\${ round(doc.${2:total} / doc.${3:count}, 2) \}'" }),
            ),
        ),
    ] {
        offer(key_of(schema, key), vec![snippet]);
    }
    offer(key_of(schema, "guard"), guards());
    at(schema, "Source", None, sources());
    let stream = json!(r"{ stream: ${1:orders}, lane: \$.${2:id} }");
    at(
        schema,
        "Source",
        Some("kinesis"),
        vec![("{ stream, lane }", "The stream, and what producers send as partition key.", stream)],
    );
    let table = json!("{ table: ${1:Orders}, keys: [${2:id}] }");
    at(schema, "Source", Some("dynamodb"), vec![("{ table, keys }", "The table, and its key attributes.", table)]);
    let queue = json!(r"{ queue: ${1:orders}, format: ${2|sns,eventbridge,json|} }");
    at(schema, "Source", Some("sqs"), vec![("{ queue, format }", "The queue, and what a message's body is.", queue)]);
    at(schema, "Source", Some("guard"), guards());
    at(schema, "Rule", None, rules());
    for (key, snippets) in operations() {
        at(schema, "Rule", Some(key), snippets);
    }
    at(schema, "Append", None, appends());
    at(schema, "PatternForms", None, patterns());
}

fn at(schema: &mut Object, definition: &str, key: Option<&str>, snippets: Vec<Snippet>) {
    let definition = schema.get_mut("$defs").and_then(|definitions| definitions.get_mut(definition));
    let definition = definition.and_then(Value::as_object_mut);
    match (definition, key) {
        (Some(definition), Some(key)) => offer(key_of(definition, key), snippets),
        (definition, _) => offer(definition, snippets),
    }
}

fn key_of<'s>(schema: &'s mut Object, key: &str) -> Option<&'s mut Object> {
    schema.get_mut("properties")?.get_mut(key)?.as_object_mut()
}

fn offer(schema: Option<&mut Object>, snippets: Vec<Snippet>) {
    let made = snippets.into_iter().map(|(label, description, body)| {
        json!({ "label": label, "description": description.replace('`', ""), "markdownDescription": description, "body": body })
    });
    let made: Vec<Value> = made.collect();
    if let Some(schema) = schema.filter(|_| !made.is_empty()) {
        schema.insert("defaultSnippets".into(), made.into());
    }
}

fn projections() -> Vec<Snippet> {
    vec![
        (
            "projection of a Kinesis stream",
            "A whole projection: events of a Kinesis stream, counted and added up on one document for each key.",
            json!({
                "projection": "${1:order_totals}",
                "source": r"{ kinesis: { stream: ${2:orders}, lane: \$.${3:customer} } }",
                "document": "{ table: ${4:OrderTotals}, partition_key: ${3:customer} }",
                "guard": "last_event_id",
                "key": r"{ ${3:customer}: \$.${3:customer} }",
                "rules": [{
                    "name": "${5:placed}",
                    "when": r"{ \$.${6:type}: ${5:placed} }",
                    "add": r"{ ${7:orders}: 1, ${8:total}: \$.${9:amount} }",
                }],
            }),
        ),
        (
            "projection of an SQS queue",
            "A whole projection: messages of a queue, counted and added up on one document for each key, each of them once.",
            json!({
                "projection": "${1:order_totals}",
                "source": "{ sqs: { queue: ${2:orders}, format: ${3|json,sns,eventbridge|} } }",
                "document": "{ table: ${4:OrderTotals}, partition_key: ${5:customer} }",
                "guard": "{ events_table: ${6:OrderEvents}, keep_for: ${7:30d} }",
                "key": r"{ ${5:customer}: \$.${5:customer} }",
                "rules": [{
                    "name": "${8:placed}",
                    "when": r"{ \$.${9:type}: ${8:placed} }",
                    "add": r"{ ${10:orders}: 1, ${11:total}: \$.${12:amount} }",
                }],
            }),
        ),
        (
            "projection of a table's changes",
            "A whole projection: the changes of a DynamoDB table, written to one document for each item.",
            json!({
                "projection": "${1:profile_view}",
                "source": "{ dynamodb: { table: ${2:Profiles}, keys: [${3:id}] } }",
                "document": "{ table: ${4:ProfileView}, partition_key: ${3:id} }",
                "guard": "last_event_id",
                "key": r"{ ${3:id}: \$.keys.${3:id} }",
                "rules": [
                    {
                        "name": "${5:written}",
                        "when": r"{ \$\$.change: [insert, modify] }",
                        "set": r"{ ${6:name}: \$.new.${6:name} }",
                    },
                    { "name": "removed", "when": r"{ \$\$.change: remove }", "delete": true },
                ],
            }),
        ),
        (
            "projection that counts a table's items",
            "A whole projection: how many items of a DynamoDB table there are for each value of an attribute, as they come, change and go.",
            json!({
                "projection": "${1:votes_by_region}",
                "source": "{ dynamodb: { table: ${2:Votes}, keys: [${3:id}] } }",
                "document": "{ table: ${4:VotesByRegion}, partition_key: ${5:region} }",
                "guard": "{ last_event_id: lane }",
                "delete_when": "doc.${6:votes} == 0",
                "rules": [{
                    "name": "${7:a vote}",
                    "retract": true,
                    "key": r"{ ${5:region}: \$.${5:region} }",
                    "add": "{ ${6:votes}: 1 }",
                }],
            }),
        ),
    ]
}

fn sources() -> Vec<Snippet> {
    vec![
        (
            "Kinesis stream",
            "A Kinesis stream of JSON. `lane` is what producers send as partition key.",
            json!({ "kinesis": r"{ stream: ${1:orders}, lane: \$.${2:id} }" }),
        ),
        (
            "DynamoDB stream",
            "The changes of a DynamoDB table: `$` is `{keys, new, old}`.",
            json!({ "dynamodb": "{ table: ${1:Orders}, keys: [${2:id}] }" }),
        ),
        (
            "changes of a table through Kinesis",
            "What \"Kinesis Data Streams for DynamoDB\" writes. Its guard is an `events_table`.",
            json!({ "kinesis": "{ stream: ${1:orders}, format: dynamodb, keys: [${2:id}] }" }),
        ),
        (
            "SQS queue",
            "A queue of JSON messages, which come in any order. Its guard is an `events_table`.",
            json!({ "sqs": "${1:orders}" }),
        ),
        (
            "SQS FIFO queue",
            "A FIFO queue of JSON messages. `lane` is what senders use as message group; the guard is an `events_table`.",
            json!({ "sqs": r"{ queue: ${1:orders}.fifo, lane: \$.${2:id} }" }),
        ),
        (
            "topic of SNS, through a queue",
            "A queue that is subscribed to a topic: `$` is the JSON in `Message`. Its guard is an `events_table`.",
            json!({ "sqs": "{ queue: ${1:orders}, format: sns }" }),
        ),
        (
            "events of EventBridge, through a queue",
            "A queue that a rule of EventBridge sends to: `$.detail`, `$['detail-type']`. Its guard is an `events_table`.",
            json!({ "sqs": "{ queue: ${1:orders}, format: eventbridge }" }),
        ),
    ]
}

fn guards() -> Vec<Snippet> {
    vec![
        (
            "last_event_id, on the document",
            "The newest event is remembered on the document, at no cost. All events of a document have to come in one lane: take it where you can.",
            json!("last_event_id"),
        ),
        (
            "{ last_event_id: lane }",
            "The newest event of each lane is remembered in a table of marks, in one transaction with the documents: one document may be fed by many lanes. `retract` needs it.",
            json!("{ last_event_id: lane }"),
        ),
        (
            "{ last_event_id: shard }",
            "The newest event of each shard of a Kinesis stream is remembered on the document: one document may be fed by many lanes. Needs parallelization factor 1.",
            json!("{ last_event_id: shard }"),
        ),
        (
            "{ events_table: NAME, id, keep_for }",
            "Every event's id is remembered in a table, in one transaction with the documents: any order, any source, and what a producer sent twice.",
            json!(r"{ events_table: ${1:Events}, id: \$.${2:id}, keep_for: ${3:30d} }"),
        ),
        (
            "{ events_table: NAME, id, order_by }",
            "Every event is kept; a late one is put in its place, and its document made anew.",
            json!(r"{ events_table: ${1:Events}, id: \$.${2:id}, order_by: \$.${3:version} }"),
        ),
        ("none", "Nothing is remembered: a repeated event counts again.", json!("none")),
    ]
}

fn rules() -> Vec<Snippet> {
    vec![
        (
            "rule that counts",
            "Counts events and adds up a value of theirs.",
            json!({ "name": "${1:placed}", "when": r"{ \$.${2:type}: ${1:placed} }", "add": r"{ ${3:orders}: 1, ${4:total}: \$.${5:amount} }" }),
        ),
        (
            "rule that sets",
            "Copies values of the event to the document.",
            json!({ "name": "${1:changed}", "when": r"{ \$.${2:type}: ${1:changed} }", "set": r"{ ${3:status}: \$.${4:status} }" }),
        ),
        (
            "rule for each element",
            "Applies to each element of a list: one event, many documents.",
            json!({ "name": "${1:lines}", "each": r"{ ${2:line}: \$.${3:lines} }", "key": r"{ ${4:sku}: '\${ ${2:line}.${4:sku} \}' }", "add": r"{ ${5:sold}: '\${ ${2:line}.${6:count} \}' }" }),
        ),
        (
            "rule that retracts",
            "For the stream of a table: each item counts for as long as it is there.",
            json!({ "name": "${1:open}", "retract": true, "key": r"{ ${2:team}: \$.${2:team} }", "add": "{ ${3:count}: 1 }" }),
        ),
        (
            "rule that deletes",
            "Deletes the document.",
            json!({ "name": "${1:removed}", "when": r"{ \$\$.change: remove }", "delete": true }),
        ),
    ]
}

fn operations() -> Vec<(&'static str, Vec<Snippet>)> {
    let value = || json!({ "${1:name}": r"\$.${2:name}" });
    let path = || json!({ r"\$.${1:type}": "${2:placed}" });
    vec![
        (
            "when",
            vec![
                ("value at a path", "A path into the payload, and the value or pattern that has to be there.", path()),
                (
                    "change of an item",
                    "What happened to the item: `insert`, `modify`, `remove`.",
                    json!({ r"\$\$.change": "${1|insert,modify,remove,[insert\\, modify]|}" }),
                ),
            ],
        ),
        (
            "each",
            vec![("name and list", "A name for the element, and the list.", json!({ "${1:line}": r"\$.${2:lines}" }))],
        ),
        (
            "let",
            vec![(
                "named value",
                "A value with a name, to be used in `${ }`.",
                json!({ "${1:total}": r"'\${ \$.${2:price} * \$.${3:count} \}'" }),
            )],
        ),
        (
            "key",
            vec![(
                "key attribute",
                "A key attribute of the table, and its value.",
                json!({ "${1:id}": r"\$.${2:id}" }),
            )],
        ),
        (
            "add",
            vec![
                ("count", "Counts.", json!({ "${1:count}": "${2:1}" })),
                ("add a value", "Adds a value of the event.", json!({ "${1:total}": r"\$.${2:amount}" })),
                (
                    "add to a set",
                    "Adds to a set of different values.",
                    json!({ "${1:tags}": r"'\${ set(\$.${2:tag}) \}'" }),
                ),
            ],
        ),
        ("set", vec![("value", "A value of the event.", value())]),
        ("set_once", vec![("first value", "A value of the event, where there is none yet.", value())]),
        ("max", vec![("largest value", "The largest value so far.", json!({ "${1:best}": r"\$.${2:score}" }))]),
        ("min", vec![("smallest value", "The smallest value so far.", json!({ "${1:first}": r"\$.${2:at}" }))]),
        (
            "append",
            vec![
                (
                    "last elements",
                    "The last elements by arrival.",
                    json!({ "${1:recent}": { "value": r"\$.${2:text}", "last": "${3:10}" } }),
                ),
                (
                    "top elements",
                    "The largest elements, in order, each once.",
                    json!({ "${1:top}": { "value": r"{ ${2:player}: \$.${2:player}, ${3:score}: \$.${3:score} }", "by": r"\$.${3:score}", "last": "${4:10}", "unique_by": "${2:player}" } }),
                ),
            ],
        ),
        (
            "remove_from",
            vec![(
                "elements of a set",
                "Elements to take out of a set.",
                json!({ "${1:tags}": r"'\${ set(\$.${2:tag}) \}'" }),
            )],
        ),
    ]
}

fn appends() -> Vec<Snippet> {
    vec![
        ("last elements", "The last elements by arrival.", json!({ "value": r"\$.${1:text}", "last": "${2:10}" })),
        (
            "elements in order",
            "The largest elements by a value, in its order.",
            json!({ "value": r"\$.${1:text}", "by": r"\$.${2:at}", "last": "${3:10}" }),
        ),
    ]
}

fn patterns() -> Vec<Snippet> {
    vec![
        ("[a, b]", "A list matches where one of its patterns does.", json!("[${1:placed}, ${2:changed}]")),
        ("{ prefix: a }", "A text that starts like this.", json!("{ prefix: ${1:order-} }")),
        ("{ suffix: z }", "A text that ends like this.", json!("{ suffix: ${1:.png} }")),
        (
            "{ wildcard: a*z }",
            "A text in which each `*` stands for any characters.",
            json!("{ wildcard: '${1:orders/*/lines/*}' }"),
        ),
        (
            "{ equals-ignore-case: a }",
            "A text, upper and lower case being the same.",
            json!("{ equals-ignore-case: ${1:north} }"),
        ),
        ("{ anything-but: [a, b] }", "Any value that is there but these.", json!("{ anything-but: [${1:test}] }")),
        ("{ numeric: [>, 0] }", "A number that compares like this.", json!("{ numeric: ['>', ${1:0}] }")),
        (
            "{ numeric: [>=, 0, <, 100] }",
            "A number between two bounds.",
            json!("{ numeric: ['>=', ${1:0}, '<', ${2:100}] }"),
        ),
        (
            "{ exists: true }",
            "The path finds something, or, with `false`, it does not.",
            json!("{ exists: ${1|true,false|} }"),
        ),
        ("{ type: string }", "A value of this type.", json!("{ type: ${1|string,number,boolean,list,map|} }")),
        (
            "{ matches: '^[A-Z]+$' }",
            "A text in which a regular expression finds a match.",
            json!("{ matches: '${1:^[A-Z]+}' }"),
        ),
    ]
}
