//! No event that a rule matches is dropped by the filter that is derived from the rules.
//!
//! Lambda's side is [`lambda`], written from its documentation and that of event-ruler, which it runs, and from nothing of the engine.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use viewfold_core::compile::{File, Options, compile};
use viewfold_core::decode::{decode, envelope};
use viewfold_core::filter::{self, Filter};
use viewfold_core::matching::Candidates;
use viewfold_core::program::Program;

/// What Lambda does with a record and a pattern.
mod lambda {
    use serde_json::Value;
    use std::collections::BTreeMap;

    /// A value that is no object and no list: its path, and which element of which list it came by.
    struct Leaf<'v> {
        path: Vec<&'v str>,
        value: &'v Value,
        elements: BTreeMap<usize, usize>,
    }

    /// Whether a record passes a pattern. `data` of a Kinesis record is what its JSON says; a record whose data is no JSON object is dropped
    /// by a pattern that looks into it.
    pub(super) fn passes(pattern: &Value, record: &Value) -> bool {
        if pattern.get("data").is_some_and(Value::is_object) && !record["data"].is_object() {
            return false;
        }
        let mut leaves = Vec::new();
        flatten(record, &mut Vec::new(), &mut BTreeMap::new(), &mut 0, &mut leaves);
        let mut fields = Vec::new();
        fields_of(pattern, &mut Vec::new(), &mut fields);
        consistent(&fields, &leaves, &BTreeMap::new())
    }

    fn flatten<'v>(
        value: &'v Value,
        path: &mut Vec<&'v str>,
        elements: &mut BTreeMap<usize, usize>,
        lists: &mut usize,
        leaves: &mut Vec<Leaf<'v>>,
    ) {
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    path.push(key);
                    flatten(value, path, elements, lists, leaves);
                    path.pop();
                }
            }
            Value::Array(list) => {
                *lists += 1;
                let number = *lists;
                for (index, value) in list.iter().enumerate() {
                    elements.insert(number, index);
                    flatten(value, path, elements, lists, leaves);
                }
                elements.remove(&number);
            }
            value => leaves.push(Leaf { path: path.clone(), value, elements: elements.clone() }),
        }
    }

    fn fields_of<'p>(pattern: &'p Value, path: &mut Vec<&'p str>, fields: &mut Vec<(Vec<&'p str>, &'p Vec<Value>)>) {
        match pattern {
            Value::Object(object) => {
                for (key, below) in object {
                    path.push(key);
                    fields_of(below, path, fields);
                    path.pop();
                }
            }
            Value::Array(choices) => fields.push((path.clone(), choices)),
            other => panic!("a pattern's leaves are lists: {other}"),
        }
    }

    /// All fields have to match, and leaves of one list to be of one element.
    fn consistent(fields: &[(Vec<&str>, &Vec<Value>)], leaves: &[Leaf<'_>], chosen: &BTreeMap<usize, usize>) -> bool {
        let Some(((path, choices), rest)) = fields.split_first() else { return true };
        let mut there = leaves.iter().filter(|leaf| leaf.path == *path).peekable();
        if there.peek().is_none() && choices.iter().any(|choice| *choice == serde_json::json!({ "exists": false })) {
            return consistent(rest, leaves, chosen);
        }
        there.any(|leaf| {
            let fits = leaf.elements.iter().all(|(list, index)| chosen.get(list).is_none_or(|other| other == index));
            let both = chosen.iter().chain(&leaf.elements).map(|(list, index)| (*list, *index)).collect();
            fits && choices.iter().any(|choice| choice_takes(choice, leaf.value)) && consistent(rest, leaves, &both)
        })
    }

    fn choice_takes(choice: &Value, leaf: &Value) -> bool {
        let Value::Object(operator) = choice else {
            // Texts are compared letter by letter, and the engine writes neither numbers nor booleans.
            assert!(choice.is_string() || choice.is_null(), "{choice}");
            return choice == leaf;
        };
        let (name, operand) = operator.iter().next().expect("an operator");
        let texts = || operand.as_str().zip(leaf.as_str());
        match name.as_str() {
            "prefix" => texts().is_some_and(|(prefix, text)| text.starts_with(prefix)),
            "suffix" => texts().is_some_and(|(suffix, text)| text.ends_with(suffix)),
            "exists" => operand == true,
            "anything-but" => operand.as_array().is_some_and(|others| !others.contains(leaf)),
            other => panic!("an operator that Lambda's documentation does not name: {other}"),
        }
    }
}

/// A program of one rule for each `when`, divided into two projections.
fn program(source: &str, whens: &[Value]) -> Option<Program> {
    let file = |name: &str, whens: &[Value]| {
        // Each adds to an attribute of its own: more than one may match an event.
        let rules = whens.iter().enumerate();
        let rules: Vec<Value> = rules
            .map(|(number, when)| json!({ "when": when, "key": { "id": "all" }, "add": { format!("n{number}"): 1 } }))
            .collect();
        let text = format!(
            "projection: {name}\nsource: {source}\ndocument: {{ table: {name}Docs, partition_key: id }}\nguard: none\n\
             on_error: skip\nrules: {}\n",
            json!(rules)
        );
        let source = Arc::new(viewfold_spec::Source { name: format!("{name}.yaml"), text });
        let projection = viewfold_spec::parse(&source).ok()?;
        Some(File { source, projection, schemas: BTreeMap::new() })
    };
    let (one, two) = whens.split_at(whens.len().div_ceil(2));
    let files: Option<Vec<File>> = [("One", one), ("Two", two)]
        .into_iter()
        .filter(|(_, whens)| !whens.is_empty())
        .map(|(n, w)| file(n, w))
        .collect();
    let mut files = files?;
    // The table is a view itself, whose deleted documents leave rows behind.
    if source.starts_with("{ dynamodb") {
        let text = "projection: P\nsource: { kinesis: { stream: s, lane: $.id } }\ndocument: { table: items, partition_key: id }\n\
                    guard: last_event_id\nkey: { id: $.id }\nrules: [{ when: { $.gone: true }, delete: true }]\n";
        let source = Arc::new(viewfold_spec::Source { name: "P.yaml".into(), text: text.into() });
        let projection = viewfold_spec::parse(&source).expect("a projection");
        files.push(File { source, projection, schemas: BTreeMap::new() });
    }
    compile(&files, &Options::default()).ok().map(|compiled| compiled.program)
}

/// Whether any rule matches an event, by the engine's own matching.
fn matches(program: &Program, record: &Value) -> bool {
    let event = json!({ "Records": [record] }).to_string();
    let records = envelope::records(event.as_bytes()).expect("a Lambda event");
    let now = Arc::from("2026-01-01T00:00:00Z");
    decode(&records[0], 0, 0, program, &now).into_iter().filter_map(|decoded| decoded.event.ok()).any(|event| {
        program.projections.iter().enumerate().any(|(number, projection)| {
            let rules = Candidates::of(&event, program).matching(&event, number, projection);
            rules.is_ok_and(|rules| !rules.is_empty())
        })
    })
}

fn passes(filter: &Filter, record: &Value) -> bool {
    filter.patterns.iter().any(|pattern| {
        let pattern = serde_json::from_str(pattern).expect("a pattern is JSON");
        lambda::passes(&pattern, record)
    })
}

fn text() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["x", "xy", "y", "X", "", "K", "k", "ς", "Σ", "5"]).prop_map(str::to_owned)
}

/// A pattern of a `when`.
fn pattern() -> impl Strategy<Value = Value> {
    let one = prop_oneof![
        6 => text().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => Just(json!(5)),
        1 => Just(json!(true)),
        2 => text().prop_map(|text| json!({ "prefix": text })),
        2 => text().prop_map(|text| json!({ "suffix": text })),
        1 => text().prop_map(|text| json!({ "equals-ignore-case": text })),
        1 => prop::sample::select(vec!["x*", "*y", "x*y", "*", "*x*", "xy"]).prop_map(|w| json!({ "wildcard": w })),
        2 => prop::collection::vec(text(), 1..3).prop_map(|texts| json!({ "anything-but": texts })),
        1 => Just(json!({ "anything-but": [5, "x"] })),
        1 => Just(json!({ "numeric": [">", 0] })),
        1 => any::<bool>().prop_map(|exists| json!({ "exists": exists })),
        1 => prop::sample::select(vec!["string", "number", "boolean", "null", "list", "map"]).prop_map(|k| json!({ "type": k })),
        1 => Just(json!({ "matches": "^x" })),
    ];
    let one = one.boxed();
    prop_oneof![3 => one.clone(), 2 => prop::collection::vec(one, 1..4).prop_map(Value::from)]
}

fn when(paths: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::collection::btree_map(prop::sample::select(paths.to_vec()), pattern(), 1..4).prop_map(|when| json!(when))
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(5)),
        Just(json!(0)),
        Just(serde_json::from_str::<Value>("5.0").expect("a number")),
        Just(serde_json::from_str::<Value>("5e9").expect("a number")),
    ]
}

/// What stands somewhere in a payload.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => text().prop_map(Value::from),
        1 => number(),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[abc]", inner, 0..3).prop_map(|map| json!(map)),
        ]
    })
}

fn payload() -> impl Strategy<Value = Value> {
    prop_oneof![8 => prop::collection::btree_map("[abc]", value(), 0..4).prop_map(|map| json!(map)), 1 => value()]
}

/// An attribute of an item, with its type.
fn attribute() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        5 => text().prop_map(|text| json!({ "S": text })),
        1 => Just(json!({ "N": "5" })),
        1 => Just(json!({ "NULL": true })),
        1 => any::<bool>().prop_map(|value| json!({ "BOOL": value })),
        1 => prop::collection::btree_set(text(), 1..3).prop_map(|set| json!({ "SS": set })),
        1 => Just(json!({ "NS": ["5"] })),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|list| json!({ "L": list })),
            prop::collection::btree_map("[ab]", inner, 0..3).prop_map(|map| json!({ "M": map })),
        ]
    })
}

/// An item, which may be the row that a deleted document left behind.
fn item() -> impl Strategy<Value = Value> {
    let item = (prop::collection::btree_map("[ab]", attribute(), 0..3), prop::bool::weighted(0.15));
    item.prop_map(|(attributes, is_deleted)| {
        let mut item = json!({ "id": { "S": "x" } });
        match is_deleted {
            true => item["_vf_P_deleted"] = json!({ "N": "1" }),
            false => item.as_object_mut().expect("an object").extend(attributes),
        }
        item
    })
}

/// The body of a change: the part that DynamoDB's streams and Kinesis have in common.
fn change() -> impl Strategy<Value = (&'static str, Value)> {
    (prop::sample::select(vec!["INSERT", "MODIFY", "REMOVE"]), item(), item()).prop_map(|(name, new, old)| {
        let mut body = json!({ "Keys": { "id": { "S": "x" } }, "ApproximateCreationDateTime": 1_700_000_000 });
        if name != "REMOVE" {
            body["NewImage"] = new;
        }
        if name != "INSERT" {
            body["OldImage"] = old;
        }
        (name, body)
    })
}

fn kinesis_record(data: &str) -> Value {
    json!({
        "eventID": "shardId-000000000000:1", "eventSource": "aws:kinesis", "eventName": "aws:kinesis:record",
        "eventSourceARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/s",
        "kinesis": { "partitionKey": "p", "sequenceNumber": "1", "data": BASE64.encode(data) },
    })
}

/// A value that fulfils a pattern, mostly.
fn fulfilling(pattern: &Value) -> Value {
    let text = |operator: &str| pattern[operator].as_str().unwrap_or_default().to_owned();
    match pattern {
        Value::Array(any) => any.first().map_or(Value::Null, fulfilling),
        Value::Object(operator) => match operator.keys().next().map_or("", String::as_str) {
            "prefix" => json!(text("prefix") + "z"),
            "suffix" => json!("z".to_owned() + &text("suffix")),
            "equals-ignore-case" => json!(text("equals-ignore-case").to_uppercase()),
            "wildcard" => json!(text("wildcard").replace('*', "z")),
            "anything-but" => json!("z"),
            "numeric" => json!(7),
            "matches" => json!("xz"),
            "type" => match text("type").as_str() {
                "number" => json!(7),
                "boolean" => json!(false),
                "null" => Value::Null,
                "list" => json!(["z"]),
                "map" => json!({ "z": "z" }),
                _ => json!("z"),
            },
            _ => json!("z"),
        },
        literal => literal.clone(),
    }
}

/// How an event is made of conditions: of which rule's, if of any's, and whether its values stand in lists.
type Planted = (Option<prop::sample::Index>, bool);

fn planted() -> impl Strategy<Value = Planted> {
    (prop::option::weighted(0.7, any::<prop::sample::Index>()), prop::bool::weighted(0.2))
}

/// Puts values into an event that fulfil the conditions of a rule.
fn plant(event: &mut Value, whens: &[Value], (rule, in_lists): &Planted) {
    let Some(rule) = rule else { return };
    for (path, pattern) in rule.get(whens).as_object().expect("a map of conditions") {
        let Some(path) = path.strip_prefix("$.") else { continue };
        let value = fulfilling(pattern);
        let value = if *in_lists { json!(["other", value]) } else { value };
        let mut at = &mut *event;
        for step in path.replace(['[', ']'], ".").split('.').filter(|step| !step.is_empty()) {
            at = match step.parse::<usize>().ok().or((step == "*").then_some(0)) {
                None => {
                    if !at.is_object() {
                        *at = json!({});
                    }
                    &mut at[step]
                }
                Some(number) => {
                    let list = std::iter::repeat_n(json!("other"), number + 1).collect();
                    *at = list;
                    &mut at[number]
                }
            };
        }
        *at = value;
    }
}

/// Puts values into the images of a change that fulfil the conditions of a rule.
fn plant_in_change(body: &mut Value, whens: &[Value], planted: &Planted) {
    let mut images = json!({});
    plant(&mut images, whens, planted);
    for (image, name) in [("new", "NewImage"), ("old", "OldImage")] {
        let (Some(planted), Some(there)) = (images[image].as_object(), body[name].as_object_mut()) else { continue };
        there.extend(planted.iter().map(|(name, value)| (name.clone(), attribute_of(value))));
    }
}

/// A JSON value as DynamoDB writes it.
fn attribute_of(value: &Value) -> Value {
    match value {
        Value::Null => json!({ "NULL": true }),
        Value::Bool(value) => json!({ "BOOL": value }),
        Value::Number(number) => json!({ "N": number.to_string() }),
        Value::String(text) => json!({ "S": text }),
        Value::Array(list) => json!({ "L": list.iter().map(attribute_of).collect::<Vec<_>>() }),
        Value::Object(map) => {
            let map: BTreeMap<&String, Value> = map.iter().map(|(name, value)| (name, attribute_of(value))).collect();
            json!({ "M": map })
        }
    }
}

/// Checks one event; whether the filter drops it.
fn check(program: &Program, record: &Value, seen_by_lambda: &Value, seen: &Seen) -> Result<(), TestCaseError> {
    let Ok(filter) = filter::of_stream(program, 0) else { return Ok(()) };
    seen.filtered.fetch_add(1, Relaxed);
    prop_assert!(filter.patterns.len() <= filter::MAX_PATTERNS);
    let (matched, passed) = (matches(program, record), passes(&filter, seen_by_lambda));
    seen.matched.fetch_add(usize::from(matched), Relaxed);
    seen.dropped.fetch_add(usize::from(!passed), Relaxed);
    prop_assert!(passed || !matched, "{:?}\ndrop {}", filter.patterns, seen_by_lambda);
    Ok(())
}

/// How often something came up: a test that never sees it shows nothing.
#[derive(Default)]
struct Seen {
    filtered: AtomicUsize,
    matched: AtomicUsize,
    dropped: AtomicUsize,
}

impl Seen {
    fn enough(&self) {
        let seen = [&self.filtered, &self.matched, &self.dropped].map(|count| count.load(Relaxed));
        assert!(seen.iter().all(|count| *count > 200), "filters, matched, dropped: {seen:?}");
    }
}

const CASES: u32 = 4_000;

fn run<S: Strategy>(strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() };
    let rng = proptest::test_runner::TestRng::deterministic_rng(config.rng_algorithm);
    let result = proptest::test_runner::TestRunner::new_with_rng(config, rng).run(&strategy, test);
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn nothing_that_a_rule_matches_is_dropped_from_kinesis() {
    const PATHS: &[&str] = &["$.a", "$.b", "$.a.b", "$.b.c", "$.c[0]", "$.c[*]", "$.a[1].b", "$$.lane"];
    let seen = Seen::default();
    run((prop::collection::vec(when(PATHS), 1..8), payload(), planted()), |(whens, mut payload, planted)| {
        let Some(program) = program("{ kinesis: s }", &whens) else { return Ok(()) };
        plant(&mut payload, &whens, &planted);
        let record = kinesis_record(&payload.to_string());
        check(&program, &record, &json!({ "partitionKey": "p", "data": payload }), &seen)
    });
    seen.enough();
}

#[test]
fn nothing_that_a_rule_matches_is_dropped_from_a_table() {
    const PATHS: &[&str] = &["$.new.a", "$.old.a", "$.new.a.b", "$.keys.id", "$.new.b", "$$.change"];
    let seen = Seen::default();
    run(
        (prop::collection::vec(when_of_change(PATHS), 1..8), change(), planted()),
        |(whens, (name, mut body), planted)| {
            plant_in_change(&mut body, &whens, &planted);
            let Some(program) = program("{ dynamodb: { table: items, keys: [id] } }", &whens) else { return Ok(()) };
            let mut record = json!({
                "eventID": "1", "eventName": name, "eventSource": "aws:dynamodb",
                "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/items/stream/2026-01-01T00:00:00.000",
                "dynamodb": body,
            });
            record["dynamodb"]["SequenceNumber"] = json!("100000000000000000001");
            check(&program, &record, &record, &seen)
        },
    );
    seen.enough();
}

#[test]
fn nothing_that_a_rule_matches_is_dropped_from_changes_by_kinesis() {
    const PATHS: &[&str] = &["$.new.a", "$.old.a", "$.new.a.b", "$.keys.id", "$$.change"];
    let seen = Seen::default();
    run(
        (prop::collection::vec(when_of_change(PATHS), 1..8), change(), planted()),
        |(whens, (name, mut body), planted)| {
            plant_in_change(&mut body, &whens, &planted);
            let source = "{ kinesis: { stream: s, format: dynamodb, keys: [id] } }";
            let Some(program) = program(source, &whens) else { return Ok(()) };
            let data = json!({ "eventID": "e", "eventName": name, "tableName": "items", "dynamodb": body });
            check(&program, &kinesis_record(&data.to_string()), &json!({ "data": data }), &seen)
        },
    );
    seen.enough();
}

/// Conditions of which every other is about the kind of change.
fn when_of_change(paths: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let changes = prop_oneof![
        Just(json!("insert")),
        Just(json!(["insert", "modify"])),
        Just(json!("remove")),
        Just(json!({ "anything-but": "remove" })),
    ];
    (when(paths), proptest::option::of(changes)).prop_map(|(mut when, change)| {
        match change {
            Some(change) => when["$$.change"] = change,
            None => drop(when.as_object_mut().and_then(|when| when.remove("$$.change"))),
        }
        when
    })
}

/// The filter of rules, or why there is none.
fn told(source: &str, whens: &[Value]) -> String {
    let program = program(source, whens).expect("a program");
    match filter::of_stream(&program, 0) {
        Ok(filter) => filter.patterns.join("\n"),
        Err(why) => why,
    }
}

#[test]
fn a_filter_says_no_more_than_it_can() {
    let kinesis = "{ kinesis: s }";
    let table = "{ dynamodb: { table: items, keys: [id] } }";
    assert_eq!(
        told(
            kinesis,
            &[json!({ "$.type": "sold" }), json!({ "$.type": ["made", "sold"], "$.n": { "numeric": [">", 0] } })]
        ),
        r#"{"data":{"type":["made","sold"],"n":[{"exists":true}]}}"#.replace(
            r#""type":["made","sold"],"n":[{"exists":true}]"#,
            r#""n":[{"exists":true}],"type":["made","sold"]"#
        ) + "\n"
            + r#"{"data":{"type":["sold"]}}"#
    );
    assert_eq!(
        told(table, &[json!({ "$$.change": "insert", "$.new.state": "open" })]),
        r#"{"dynamodb":{"NewImage":{"state":{"S":["open",{"exists":false}]}}},"eventName":["INSERT","MODIFY"]}"#
    );
    for (when, why) in [
        (json!({ "$.a": { "exists": false } }), "asks for nothing that Lambda's filters can tell"),
        (json!({ "$.a": { "anything-but": "x" } }), "asks for nothing that Lambda's filters can tell"),
        (json!({}), "matches every event"),
    ] {
        let told = told(kinesis, &[when]);
        assert!(told.starts_with("no filter: rule `rule 1` of projection `One`") && told.ends_with(why), "{told}");
    }
    // More than five: what all of them ask for, and else nothing.
    let rule = |number: usize| json!({ "$.type": format!("t{number}"), format!("$.a{number}"): "x" });
    let many: Vec<Value> = (0..6).map(rule).collect();
    assert_eq!(told(kinesis, &many), r#"{"data":{"type":["t0","t1","t2","t3","t4","t5"]}}"#);
    let apart: Vec<Value> = (0..6).map(|number| json!({ format!("$.a{number}"): "x" })).collect();
    assert!(told(kinesis, &apart).contains("Lambda takes 5 patterns"), "{}", told(kinesis, &apart));
}
