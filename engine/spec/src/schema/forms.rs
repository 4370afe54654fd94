//! What holds for several keys at once, and the forms of names and paths. Each condition has a message of its own, at the
//! key that is wrong: yaml-language-server shows `errorMessage` there, and its own words for `oneOf` help nobody.

use super::words::{also, words_into};
use serde_json::{Map, Value, json};

/// The name of a projection.
const PROJECTION: &str = "^[A-Za-z0-9_.-]{1,100}$";
/// The name of a Kinesis stream.
const STREAM: &str = "^[A-Za-z0-9_.-]{1,128}$";
/// The name of an SQS queue.
const QUEUE: &str = r"^([A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo)$";
/// The name of a DynamoDB table.
const TABLE: &str = "^[A-Za-z0-9_.-]{3,255}$";
/// The name of a DynamoDB index. `<<` merges maps.
const INDEX: &str = "^(<<|[A-Za-z0-9_.-]{3,255})$";
/// How long an `events_table` remembers.
const LENGTH_OF_TIME: &str = "^[1-9][0-9]{0,4}[hdw]$";
/// A path into the payload. Names with other characters than letters, digits and `_` stand in brackets.
const PATH: &str = r"^\$($|\[|\.(?![^\[]*[\s-]))(.*[^?])?$";
/// A path, or a text with expressions in it.
const ID: &str = r"^\$\$\.id$|\$\{|^\$($|\[|\.(?![^\[]*[\s-]))(.*[^?])?$";
/// A key of `when`: a path or metadata. `<<` merges maps.
const WHEN: &str =
    r"^(<<|\$\$\.(id|sequence|lane|stream|time|now|shard|change)|\$|\$\[.*[^?]|\$\.(?![^\[]*[\s-]).*[^?])$";
/// A text of a pattern, which is no path and no expression.
pub(crate) const LITERAL: &str = r"^(?!\$(\?|\.|\[|\$\.|$))(?![\s\S]*\$\{)";
/// A name for a value in expressions.
const NAME: &str = r"^(<<|(?!(doc|null|true|false|if|exists|default)$)[\p{Alphabetic}_][\p{Alphabetic}\p{N}_]*)$";
/// An attribute path: names, names in brackets, and behind the first name expressions.
const ATTRIBUTE: &str = r#"^(?!_vf_)(?!\$[.\[$])(?![^.\[]*\$\{)(([^.\[${}]+|\[('([^'\\]|\\[\s\S])+'|"([^"\\]|\\[\s\S])+")\])(\.[^.\[${}]+|\.?\[('([^'\\]|\\[\s\S])+'|"([^"\\]|\\[\s\S])+")\])*|[\s\S]+\$\{[\s\S]*\}[\s\S]*)$"#;
/// The name of an attribute of a table, where a value of the event is easily written instead.
const PLAIN: &str = r"^(?!\$($|\.|\[|\$\.))(?![\s\S]*\$\{)[\s\S]+$";
/// A top-level attribute.
const TOP_LEVEL: &str = r#"^(?!_vf_)(?!.*\$\{)([^.\[${}]+|\[('([^'\\]|\\[\s\S])+'|"([^"\\]|\\[\s\S])+")\])$"#;
/// A sequence number of a test's event.
const SEQUENCE: &str = "^[0-9]{1,129}$";

/// What an editor says of a text that has not the form.
pub(super) fn message_of_pattern(pattern: &str) -> Option<&'static str> {
    Some(match pattern {
        PROJECTION => "The name of a projection has 1 to 100 letters, digits, `_`, `-` and `.`.",
        STREAM => "The name of a stream, not its ARN: 1 to 128 letters, digits, `_`, `-` and `.`.",
        QUEUE => {
            "The name of a queue, not its URL or ARN: 1 to 80 letters, digits, `_` and `-`; a FIFO queue's ends in `.fifo`."
        }
        TABLE => "The name of a table, not its ARN: 3 to 255 letters, digits, `_`, `-` and `.`.",
        INDEX => "The name of an index has 3 to 255 letters, digits, `_`, `-` and `.`.",
        LENGTH_OF_TIME => "A length of time is a whole number of hours, days or weeks: `12h`, `30d`, `2w`.",
        PATH => "Expected a path into the payload, without `?`: `$.data.id`, `$['order-id']`.",
        ID => "Expected a path into the payload, or a text made of paths: `$.id`, '${ $.game }/${ $.player }'.",
        WHEN => {
            "The keys of `when` are paths into the event, without `?`, such as `$.type` and `$['order-id']`, or `$$.id`, `$$.sequence`, `$$.lane`, `$$.stream`, `$$.time`, `$$.now`, `$$.shard` and `$$.change`."
        }
        LITERAL => {
            "A pattern is a literal, and this would be compared as a text. `if: $.a == $.b` compares two values."
        }
        NAME => "A name for a value is a letter or `_`, then letters, digits and `_`, and no word of the expressions.",
        ATTRIBUTE => {
            "An attribute is written like `a`, `a.b`, `a['b.c']` or 'a.${ $.key }'; names that start with `_vf_` are viewfold's own."
        }
        TOP_LEVEL => {
            "A top-level attribute is a name without `.`, or one in brackets: `['a.b']`; names that start with `_vf_` are viewfold's own."
        }
        PLAIN => "The name of an attribute of the table is wanted here, not a value of the event: `id`, not `$.id`.",
        SEQUENCE => "A sequence number is 1 to 129 digits in quotes: \"17\".",
        _ => return None,
    })
}

type Object = Map<String, Value>;

/// Adds them to the root and to every definition.
pub(super) fn add(schema: &mut Object, kind: &str) {
    match kind {
        "test" => {}
        _ => projection(schema),
    }
    if let Some(Value::Object(definitions)) = schema.get_mut("$defs") {
        for (name, definition) in definitions {
            if let Value::Object(definition) = definition {
                self::definition(name, definition);
            }
        }
    }
}

fn projection(schema: &mut Object) {
    for key in ["let", "derive"] {
        let form = if key == "let" { NAME } else { TOP_LEVEL };
        set(schema, key, "propertyNames", names(form));
    }
    set(schema, "delete_when", "type", json!(["string", "boolean"]));
    set(
        schema,
        "delete_when",
        "errorMessage",
        json!("Expected an expression that is true or false: `doc.total == 0`."),
    );
    if let Some(Value::Object(sources)) = schema.get_mut("properties").and_then(|keys| keys.get_mut("sources")) {
        also(
            sources,
            when(
                json!({ "type": "object", "maxProperties": 0 }),
                never("Name at least one source: `orders: { kinesis: { stream: orders } }`."),
            ),
        );
    }
    also(
        schema,
        when(
            absent(&["sources"]),
            needs(
                &["source"],
                "The projection has no `source`: `source: { kinesis: { stream: orders, lane: $.id } }`, for example.",
            ),
        ),
    );
    also(schema, when(has("sources"), refused(&["source"], "A projection has `source` or `sources`, not both.")));
    let of_each_rule = |rule: Value| json!({ "properties": { "rules": { "doNotSuggest": true, "items": rule } } });
    let several = json!({ "required": ["sources"], "properties": { "source": false } });
    let message = "Say which source the rule is for: `source: NAME`, one of those under `sources`.";
    also(schema, when(several, of_each_rule(needs(&["source"], message))));
    let message = "The projection has one source, so its rules name none.";
    also(schema, when(absent(&["sources"]), of_each_rule(refused(&["source"], message))));
    let shared = json!({
        "required": ["version", "document"],
        "properties": {
            "version": { "type": "number", "minimum": 2 },
            "document": { "type": "object", "required": ["shared"], "properties": { "shared": { "const": true } } },
        },
    });
    let message = "A version from 2 on has tables of its own, and a projection with `shared: true` has none.";
    also(schema, when(shared, refused(&["version"], message)));
    let message = "The rule has no `key`: write it here, or at the top for all rules.";
    also(schema, when(absent(&["key"]), of_each_rule(needs(&["key"], message))));
}

fn definition(name: &str, schema: &mut Object) {
    match name {
        "Source" => {
            let message =
                "A source is `kinesis`, `dynamodb` or `sqs`: `kinesis: { stream: orders, lane: $.id }`, for example.";
            also(schema, when(absent(&["dynamodb", "sqs"]), needs(&["kinesis"], message)));
            let message =
                "A source is one stream: `kinesis`, `dynamodb` or `sqs`. Several have names, under `sources`.";
            also(schema, when(has("kinesis"), refused(&["dynamodb", "sqs"], message)));
            also(schema, when(has("dynamodb"), refused(&["sqs"], message)));
            set_short(schema, "kinesis", STREAM);
            set_short(schema, "dynamodb", TABLE);
            set_short(schema, "sqs", QUEUE);
        }
        "KinesisSource" => {
            path(schema, "lane");
            a_schema(schema);
            let changes = json!({ "required": ["format"], "properties": { "format": { "const": "dynamodb" } } });
            let message = "`lane` does not go with `format: dynamodb`: the lane of a change is its item, and `keys` says what its key is.";
            let mut by_format = when(changes, refused(&["lane"], message));
            if let Value::Object(by_format) = &mut by_format {
                let message = "`keys` goes with `format: dynamodb`; `lane` says what producers send as partition key.";
                by_format.insert("else".into(), refused(&["keys"], message));
            }
            also(schema, by_format);
            key_names(schema);
        }
        "SqsSource" => {
            path(schema, "lane");
            a_schema(schema);
            let standard =
                json!({ "required": ["queue"], "properties": { "queue": { "pattern": r"^(?!.*\.fifo$)" } } });
            let message = "`lane` goes with a FIFO queue, whose name ends in `.fifo`: the messages of any other come in no order.";
            also(schema, when(standard, refused(&["lane"], message)));
        }
        "DynamodbSource" => {
            a_schema(schema);
            key_names(schema);
        }
        "Guard" => guard(schema),
        "Document" => {
            set(schema, "ttl", "pattern", json!(PLAIN));
            set(schema, "ttl", "patternErrorMessage", json!(message_of_pattern(PLAIN)));
            set(schema, "indexes", "propertyNames", names(INDEX));
            set_short(schema, "partition_key", PLAIN);
            set_short(schema, "sort_key", PLAIN);
        }
        "Index" => {
            set_short(schema, "partition_key", PLAIN);
            set_short(schema, "sort_key", PLAIN);
        }
        "KeyAttribute" => {
            set(schema, "name", "pattern", json!(PLAIN));
            set(schema, "name", "patternErrorMessage", json!(message_of_pattern(PLAIN)));
        }
        "Rule" => rule(schema),
        "Pattern" => one_key(
            schema,
            "A pattern is a map of one key: `{ prefix: a }`. A list of patterns matches any of them; what has to hold at once goes into `matches` or `if`.",
        ),
        "RejectedMap" => {
            one_key(
                schema,
                "`anything-but` takes one of `prefix`, `suffix`, `wildcard` and `equals-ignore-case`, with a text or a list of texts.",
            );
            for key in ["prefix", "suffix"] {
                if let Some(Value::Object(texts)) = schema.get_mut("properties").and_then(|keys| keys.get_mut(key)) {
                    let empty = json!({ "enum": ["", [""]] });
                    also(
                        texts,
                        when(empty, never("Every text starts and ends with the empty text, so none would be left.")),
                    );
                }
            }
        }
        "TypeName" => {
            // Plain `null` is read as the word, too.
            if let Some(Value::Array(words)) = schema.get_mut("enum") {
                words.push(Value::Null);
            }
            schema.insert("type".into(), json!(["string", "null"]));
        }
        "Case" => case(schema),
        "Event" => event(schema),
        "DeadLetter" => {
            let words: Vec<(Value, String)> =
                REASONS.iter().map(|(word, meaning)| ((*word).into(), (*meaning).to_owned())).collect();
            if let Some(Value::Object(reason)) = schema.get_mut("properties").and_then(|keys| keys.get_mut("reason")) {
                words_into(reason, &words);
            }
        }
        _ => {}
    }
}

/// The reasons of dead letters, and what each says.
pub(super) const REASONS: [(&str, &str); 15] = [
    ("undecodable", "The payload is no JSON, or no DynamoDB JSON, or is not in the envelope that `format` names."),
    ("schema", "A JSON Schema does not hold."),
    ("wrong_lane", "The record's partition key, message group or item key is not what `lane` or `keys` say."),
    ("missing_value", "A path found nothing."),
    ("wrong_type", "A value of a type that its place does not take."),
    ("bad_key", "A key that is empty or too long."),
    ("bad_number", "More than 38 digits, or beyond DynamoDB's range."),
    ("expression", "An expression without a value: a division by zero."),
    ("conflict", "Two operations write one attribute of one document."),
    ("other_stream", "The mark belongs to another stream."),
    ("older_than_guard", "The event is older than `keep_for`."),
    ("too_late", "Under `order_by`, a late event of a document of more than 10,000 events."),
    ("too_many_documents", "More documents than fit one transaction."),
    ("too_large", "A value over 400 KB, or an event that changes more than one update holds."),
    ("refused_by_store", "DynamoDB does not take the change: an item over 400 KB."),
];

fn guard(schema: &mut Object) {
    path(schema, "order_by");
    set(schema, "id", "type", json!("string"));
    set(schema, "id", "pattern", json!(ID));
    set(schema, "id", "errorMessage", json!(message_of_pattern(ID)));
    set(schema, "attribute", "minLength", json!(1));
    let message = "A guard is `none`, `last_event_id`, `{last_event_id: document}`, `{last_event_id: shard}`, `{last_event_id: lane}` or `{events_table: NAME}`.";
    also(schema, when(absent(&["events_table"]), needs(&["last_event_id"], message)));
    also(
        schema,
        when(
            has("events_table"),
            refused(&["last_event_id"], "A guard is `last_event_id` or `events_table`, not both."),
        ),
    );
    let message =
        "This key is one of `last_event_id` guards; an `events_table` guard has `id`, `order_by` and `keep_for`.";
    also(schema, when(has("events_table"), refused(&["attribute", "table"], message)));
    let message =
        "This key is one of `events_table` guards; a `last_event_id` guard has `order_by`, `attribute` and `table`.";
    also(schema, when(has("last_event_id"), refused(&["id", "keep_for"], message)));
    let place =
        |place: &str| json!({ "required": ["last_event_id"], "properties": { "last_event_id": { "const": place } } });
    also(
        schema,
        when(
            place("lane"),
            refused(&["attribute"], "`last_event_id: lane` keeps its marks in a table: `table` names it."),
        ),
    );
    for on_document in ["document", "shard"] {
        let message =
            "The mark is kept on the document: `attribute` names it. `table` is a key of `last_event_id: lane`.";
        also(schema, when(place(on_document), refused(&["table"], message)));
    }
    let message = "With `order_by` events are kept for ever: a late one makes the document be folded from all of them.";
    also(schema, when(json!({ "required": ["events_table", "order_by"] }), refused(&["keep_for"], message)));
}

/// What a rule can do, apart from `delete`.
const OPERATIONS: [&str; 8] = ["add", "set", "set_once", "max", "min", "append", "remove", "remove_from"];

fn rule(schema: &mut Object) {
    set(schema, "when", "propertyNames", names(WHEN));
    set(schema, "let", "propertyNames", names(NAME));
    set(schema, "each", "propertyNames", names(NAME));
    if let Some(Value::Object(each)) = schema.get_mut("properties").and_then(|keys| keys.get_mut("each")) {
        one_key(each, "`each` has one name and the list that it goes through: `each: { line: $.lines }`.");
    }
    set(schema, "if", "type", json!(["string", "boolean"]));
    set(schema, "if", "errorMessage", json!("Expected an expression that is true or false: `$.total > 0`."));
    a_schema(schema);
    for key in OPERATIONS {
        match key {
            "remove" => {
                let form = json!({ "type": "string", "pattern": ATTRIBUTE, "patternErrorMessage": message_of_pattern(ATTRIBUTE), "errorMessage": "Expected the name of an attribute." });
                set(schema, key, "items", form);
            }
            _ => set(schema, key, "propertyNames", names(ATTRIBUTE)),
        }
    }
    let mut every: Vec<&str> = OPERATIONS.to_vec();
    every.push("delete");
    // An operation without entries is none; that much is left to `viewfold validate`.
    let message =
        "The rule changes nothing: give it `add`, `set`, `append`, `remove`, `delete: true` or another operation.";
    also(schema, when(absent(&every), needs(&["add"], message)));
    for (key, others, message) in [
        (
            "delete",
            &OPERATIONS[..],
            "The rule deletes the document, so its other operations do nothing. Make it two rules.",
        ),
        ("retract", &OPERATIONS[1..], "A rule with `retract: true` adds numbers and nothing else."),
    ] {
        set(schema, key, "const", json!(true));
        // The only value is put in with the key; an example beside it would be a choice.
        unset(schema, key, "examples");
        set(schema, key, "errorMessage", json!(format!("`{key}` is `true`, or it is not there.")));
        let is_true = json!({ "required": [key], "properties": { key: { "const": true } } });
        also(schema, when(is_true, refused(others, message)));
    }
}

fn case(schema: &mut Object) {
    let message = "The case expects nothing of its events: give it `documents`, `contains` or `dead_letters`.";
    also(schema, when(absent(&["documents", "contains", "dead_letters"]), needs(&["documents"], message)));
    for key in ["given", "documents", "contains"] {
        let items = json!({
            "type": "array",
            "errorMessage": "Expected a list of items: `[{ id: a, total: 5 }]`.",
            "items": { "type": "object", "errorMessage": "An item is a map of attributes: `{ id: a, total: 5 }`." },
        });
        set(schema, key, "additionalProperties", items);
    }
}

fn event(schema: &mut Object) {
    for key in ["new", "old"] {
        set(schema, key, "type", json!("object"));
        set(schema, key, "errorMessage", json!("An item is a map of attributes: `{ id: a, total: 5 }`."));
    }
    let message =
        "An event is one of `payload` and `raw` (Kinesis, SQS), `new` and `old` (DynamoDB, one or both), or `file`.";
    also(schema, when(absent(&["raw", "new", "old", "file"]), needs(&["payload"], message)));
    also(schema, when(has("payload"), refused(&["raw", "new", "old"], message)));
    also(schema, when(has("raw"), refused(&["new", "old"], message)));
    set(schema, "sequence", "pattern", json!(SEQUENCE));
    set(schema, "sequence", "patternErrorMessage", json!(message_of_pattern(SEQUENCE)));
}

fn path(schema: &mut Object, key: &str) {
    set(schema, key, "type", json!("string"));
    set(schema, key, "pattern", json!(PATH));
    set(schema, key, "errorMessage", json!(message_of_pattern(PATH)));
}

/// A JSON Schema: the name of a file, or written out.
fn a_schema(schema: &mut Object) {
    set(schema, "schema", "type", json!(["string", "object", "boolean"]));
    set(
        schema,
        "schema",
        "errorMessage",
        json!("Expected the name of a file beside this one, or a JSON Schema written here."),
    );
}

/// The form of the name that a key takes in place of a map.
fn set_short(schema: &mut Object, key: &str, pattern: &str) {
    if let Some(Value::Object(short)) =
        schema.get_mut("properties").and_then(|keys| keys.get_mut(key)).and_then(|key| key.get_mut("else"))
    {
        short.insert("pattern".into(), pattern.into());
        short.insert("patternErrorMessage".into(), json!(message_of_pattern(pattern)));
    }
}

/// The names in `keys`.
fn key_names(schema: &mut Object) {
    let keys = schema.get_mut("properties").and_then(|properties| properties.get_mut("keys"));
    if let Some(short) = keys.and_then(|keys| keys.pointer_mut("/items/else")).and_then(Value::as_object_mut) {
        short.insert("pattern".into(), PLAIN.into());
        short.insert("patternErrorMessage".into(), json!(message_of_pattern(PLAIN)));
    }
}

fn set(schema: &mut Object, key: &str, keyword: &str, value: Value) {
    if let Some(Value::Object(of_key)) = schema.get_mut("properties").and_then(|keys| keys.get_mut(key)) {
        of_key.insert(keyword.to_owned(), value);
    }
}

fn unset(schema: &mut Object, key: &str, keyword: &str) {
    if let Some(Value::Object(of_key)) = schema.get_mut("properties").and_then(|keys| keys.get_mut(key)) {
        of_key.remove(keyword);
    }
}

/// The form of a map's keys. Completion has snippets for them.
fn names(pattern: &str) -> Value {
    json!({ "pattern": pattern, "patternErrorMessage": message_of_pattern(pattern), "doNotSuggest": true })
}

fn one_key(schema: &mut Object, message: &str) {
    also(schema, when(json!({ "type": "object", "minProperties": 2 }), never(message)));
    also(schema, when(json!({ "type": "object", "maxProperties": 0 }), never(message)));
}

fn when(condition: Value, then: Value) -> Value {
    json!({ "if": condition, "then": then })
}

fn has(key: &str) -> Value {
    json!({ "required": [key] })
}

fn absent(keys: &[&str]) -> Value {
    json!({ "properties": none_of(keys) })
}

fn needs(keys: &[&str], message: &str) -> Value {
    json!({ "required": keys, "errorMessage": message })
}

fn refused(keys: &[&str], message: &str) -> Value {
    json!({ "properties": none_of(keys), "errorMessage": message })
}

fn none_of(keys: &[&str]) -> Object {
    keys.iter().map(|key| ((*key).to_owned(), Value::Bool(false))).collect()
}

/// Nothing is right here. (`not` would say so too, but yaml-language-server has no message for it.)
fn never(message: &str) -> Value {
    json!({ "enum": [], "errorMessage": message })
}
