//! Expressions, and texts with values in them: compiled at every place that takes them, and evaluated.

use super::{lambda, values};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use viewfold_core::compile::{File, Options, compile, constant};
use viewfold_core::decode::Decoded;
use viewfold_core::evaluate::{Scope, evaluate};
use viewfold_core::program::{Program, Term};
use viewfold_spec::diagnostic::render_all;
use viewfold_spec::{Literal, Source, Span, Spanned};
use viewfold_value::{Item, Value, json};

const PAYLOAD: &str = r#"{"id":"a","n":3,"x":-0.125,"large":99999999999999999999999999999999999999,"tiny":1e-130,"long":1e999,
    "digits":123456789012345678901234567890123456789012345,"text":"Größe 1","empty":"","yes":true,"none":null,
    "list":[3,1,2],"words":["b","a","ß"],"lines":[{"sku":"s","price":12.5},{"sku":"t","price":3}],"map":{"a":{"b":1}},
    "time":"2026-01-31T12:00:00.5+01:00","ms":1767225600123}"#;

static DOCUMENT: LazyLock<Item> = LazyLock::new(|| {
    let text = r#"{"id":{"S":"a"},"n":{"N":"0.5"},"text":{"S":"x"},"yes":{"BOOL":false},"none":{"NULL":true},
        "tags":{"SS":["a","b"]},"numbers":{"NS":["1","2.5"]},"blob":{"B":"AQI="},"blobs":{"BS":["AQ=="]},
        "list":{"L":[{"N":"1"},{"S":"y"}]},"map":{"M":{"a":{"M":{"b":{"N":"7"}}}}}}"#;
    values::item(text.as_bytes()).expect("an item")
});

/// The places: a value, a condition, an attribute that is derived, a key, a name.
const PLACES: [&str; 5] = [
    "rules: [{ set: { value: TEXT } }]",
    "rules: [{ if: TEXT, set: { value: 1 } }]",
    "rules: [{ set: { value: 1 } }]\nderive: { derived: TEXT }",
    "rules: [{ each: { line: $.lines }, append: { all: { value: TEXT } } }]",
    "let: { named: TEXT }\nrules: [{ set: { value: '${ named }' }, add: { 'by.${ named }': 1 } }]",
];

/// Compiles and evaluates the text: as it stands where it has `${` in it, else as an expression.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let text = if text.contains("${") { text.to_owned() } else { format!("${{ {text} }}") };
    let alone = alone(&text);
    for place in PLACES {
        let Some(program) = program(place, &text) else { continue };
        for value in evaluated(&program) {
            // What depends on nothing has one value wherever it stands.
            if let (Ok(constant), "rules: [{ set: { value: TEXT } }]") = (&alone, place) {
                assert_eq!(value.as_ref(), Some(constant), "{text}");
            }
        }
    }
}

/// The value of a text that depends on nothing.
fn alone(text: &str) -> Result<Value, ()> {
    let source = Arc::new(Source { name: "expression".into(), text: text.to_owned() });
    let span = Span { start: 0, end: text.len() };
    let literal = Spanned { value: Literal::Text(text.to_owned()), span };
    constant(&source, &literal).map_err(|findings| drop(render_all(&findings, false)))
}

/// A projection with a text at a place.
pub(crate) fn program(place: &str, text: &str) -> Option<Program> {
    // JSON's texts are YAML's.
    let text = format!(
        "projection: p\nsource: {{ kinesis: {{ stream: orders, lane: $.id }} }}\n\
         document: {{ table: Docs, partition_key: id }}\nguard: last_event_id\nkey: {{ id: $.id }}\n{}\n",
        place.replace("TEXT", &Value::from(text).to_string())
    );
    let source = Arc::new(Source { name: "p.yaml".into(), text });
    let show = |findings: Vec<viewfold_spec::Diagnostic>| drop(render_all(&findings, false));
    let projection = viewfold_spec::parse(&source).map_err(show).ok()?;
    let file = File { source, projection, schemas: BTreeMap::new() };
    compile(&[file], &Options::default()).map_err(show).ok().map(|compiled| compiled.program)
}

/// The values of a program's terms; nothing in place of those that have none.
fn evaluated(program: &Program) -> Vec<Option<Value>> {
    let event = events(program, PAYLOAD).pop().and_then(|decoded| decoded.event.ok()).expect("the payload is right");
    let element = json::parse(br#"{"sku":"s","price":12.5}"#).expect("JSON");
    let projection = &program.projections[0];
    let terms = projection.rules.iter().flat_map(|rule| rule.terms());
    let terms: Vec<&Term> = terms.chain(projection.derive.iter().map(|(_, term)| term)).collect();
    let mut found = Vec::new();
    for term in terms {
        for document in [None, Some(&*DOCUMENT)] {
            let scope = Scope { event: Some(&event), document, element: Some(&element) };
            let value = evaluate(term, &scope);
            assert_eq!(value, evaluate(term, &scope));
            if let Ok(value) = value {
                value.iter().for_each(values::check);
                found.push(value);
            }
        }
    }
    found
}

/// What a payload comes to.
pub(crate) fn events(program: &Program, payload: &str) -> Vec<Decoded> {
    lambda::decoded(program, &lambda::kinesis("orders", 1, "a", payload.as_bytes()))
}
