//! The index of a stream's rules finds what trying every rule finds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use viewfold_core::compile::{File, Options, compile};
use viewfold_core::decode::{decode, envelope};
use viewfold_core::event::Event;
use viewfold_core::matching::{Candidates, rules_of};
use viewfold_core::program::Program;

/// A program of a projection for each list of rules, every rule a `when`; the second one, and every third, checks lanes.
fn program(projections: &[Vec<Value>]) -> Program {
    let file = |(number, whens): (usize, &Vec<Value>)| {
        let rules = whens.iter().enumerate();
        let rules: Vec<Value> = rules
            .map(|(number, when)| json!({ "when": when, "key": { "id": "all" }, "add": { format!("n{number}"): 1 } }))
            .collect();
        let source = if number % 3 == 1 { "{ kinesis: { stream: s, lane: $.lane } }" } else { "{ kinesis: s }" };
        let text = format!(
            "projection: P{number}\nsource: {source}\ndocument: {{ table: Docs{number}, partition_key: id }}\nguard: none\n\
             on_error: skip\nrules: {}\n",
            json!(rules)
        );
        let source = Arc::new(viewfold_spec::Source { name: format!("P{number}.yaml"), text });
        let projection = viewfold_spec::parse(&source).expect("a projection");
        File { source, projection, schemas: BTreeMap::new() }
    };
    let files: Vec<File> = projections.iter().enumerate().map(file).collect();
    compile(&files, &Options::default()).expect("sound projections").program
}

fn event(program: &Program, payload: &str) -> Option<Event> {
    let record = json!({
        "eventID": "shardId-000000000000:1",
        "eventSourceARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/s",
        "kinesis": { "partitionKey": "k", "sequenceNumber": "1", "data": BASE64.encode(payload) },
    });
    let record = record.to_string();
    let record = envelope::record(record.as_bytes()).expect("a record");
    let now = Arc::from("2026-01-01T00:00:00Z");
    decode(&record, 0, 0, program, &now).pop().and_then(|decoded| decoded.event.ok())
}

/// A text of JSON: the last one is a number that no value holds.
fn value() -> impl Strategy<Value = String> {
    let leaf =
        || prop_oneof![Just("1"), Just("2"), Just("\"a\""), Just("\"b\""), Just("null"), Just("true"), Just("1e999")];
    prop_oneof![
        4 => leaf().prop_map(str::to_owned),
        1 => prop::collection::vec(leaf(), 0..3).prop_map(|list| format!("[{}]", list.join(","))),
        1 => leaf().prop_map(|leaf| format!("[[{leaf}]]")),
        1 => Just("{\"x\":1}".to_owned()),
    ]
}

fn pattern() -> impl Strategy<Value = Value> {
    let single = prop_oneof![
        3 => prop_oneof![Just(json!(1)), Just(json!(2)), Just(json!("a")), Just(json!("b")), Just(json!(null)), Just(json!(true))],
        1 => any::<bool>().prop_map(|exists| json!({ "exists": exists })),
        1 => Just(json!({ "prefix": "a" })),
        1 => Just(json!({ "anything-but": [1, "b"] })),
        1 => Just(json!({ "numeric": [">", 1] })),
        1 => Just(json!({ "type": "list" })),
    ];
    prop_oneof![3 => single.clone(), 1 => prop::collection::vec(single, 1..3).prop_map(Value::Array)]
}

fn when() -> impl Strategy<Value = Value> {
    let conditions = prop::collection::btree_map(prop_oneof![Just("$.a"), Just("$.b"), Just("$.c")], pattern(), 1..4);
    conditions.prop_map(|conditions| json!(conditions))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn the_index_finds_what_trying_every_rule_finds(
        projections in prop::collection::vec(prop::collection::vec(when(), 1..5), 1..5),
        fields in prop::collection::btree_map("[abc]", value(), 0..4),
        lane in prop_oneof![Just(""), Just("k"), Just("other")],
    ) {
        let program = program(&projections);
        let mut fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        if !lane.is_empty() {
            fields.push(format!("\"lane\":\"{lane}\""));
        }
        let event = event(&program, &format!("{{{}}}", fields.join(","))).expect("an event");
        let candidates = Candidates::of(&event, &program);
        let concerned = candidates.readers();
        prop_assert!(concerned.is_sorted());
        for (reader, (number, source)) in program.streams[0].readers.iter().enumerate() {
            let projection = &program.projections[*number];
            let tried = rules_of(&event, projection, *source);
            if concerned.contains(&reader) {
                prop_assert_eq!(candidates.matching(&event, *number, projection), tried);
            } else {
                prop_assert!(matches!(&tried, Ok(rules) if rules.is_empty()), "{:?}", tried);
                prop_assert!(projection.sources[*source].lane.is_none() || lane != "other");
            }
        }
    }
}

#[test]
fn of_a_thousand_projections_an_event_concerns_the_one_that_asks_for_it() {
    // All ask for the same version first; what tells them apart stands in the second condition.
    let projections: Vec<Vec<Value>> =
        (0..1000).map(|number| vec![json!({ "$.version": 1, "$.kind": format!("k{number}") })]).collect();
    let program = program(&projections);
    let event = event(&program, r#"{"version":1,"kind":"k617"}"#).expect("an event");
    assert_eq!(Candidates::of(&event, &program).readers(), [617]);
    // In another lane than every third projection demands.
    let event = self::event(&program, r#"{"version":1,"kind":"k617","lane":"other"}"#).expect("an event");
    let candidates = Candidates::of(&event, &program);
    let concerned = candidates.readers();
    assert_eq!(concerned.len(), 334, "those that demand it have to say so, and the one that matches");
}
