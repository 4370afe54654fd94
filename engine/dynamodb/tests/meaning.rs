//! One meaning: carrying a batch out on a DynamoDB leaves what the plain fold of its events leaves.
//!
//! Random documents (with attributes of others), random events, cut into random batches, some of them delivered again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use viewfold_core::compile::{File, Options, compile};
use viewfold_core::evaluate::Operation;
use viewfold_core::fold::apply;
use viewfold_core::plan::{Action, Answer, Put, Request};
use viewfold_core::program::Program;
use viewfold_core::tables::required;
use viewfold_dynamodb::{Limits, Store, client, execute, tables};
use viewfold_spec::Source;
use viewfold_value::{Item, Value, json};

/// Attributes with dots, spaces and reserved words are just names.
const ATTRIBUTES: [&str; 3] = ["count", "size", "größe 1"];

/// A rule for each thing that an event may do; an event says by `$.do_N` what happens to the Nth attribute.
fn projection(table: &str, guard: &str) -> String {
    let mut rules = String::new();
    for (number, attribute) in ATTRIBUTES.iter().enumerate() {
        for kind in ["add", "set", "set_once"] {
            rules += &format!(
                "  - {{ name: {kind} {number}, any_order: true, when: {{ $.do_{number}: {kind} }}, \
                 {kind}: {{ \"{attribute}\": $.value_{number} }} }}\n"
            );
        }
        rules += &format!(
            "  - {{ name: remove {number}, any_order: true, when: {{ $.do_{number}: remove }}, remove: [\"{attribute}\"] }}\n"
        );
    }
    format!(
        "projection: {table}\n\
         source: {{ kinesis: {{ stream: s, lane: $.id }} }}\n\
         document: {{ table: {table}, partition_key: id }}\n\
         guard: {guard}\n\
         key: {{ id: $.id }}\n\
         rules:\n{rules}"
    )
}

fn program(yaml: &str) -> Program {
    let source = Arc::new(Source { name: "p.yaml".into(), text: yaml.into() });
    let projection = viewfold_spec::parse(&source).unwrap_or_else(|findings| panic!("{findings:?}"));
    compile(&[File { source, projection, schemas: Default::default() }], &Options::default())
        .unwrap_or_else(|findings| panic!("{findings:?}"))
        .program
}

/// One event: the document, and what happens to some of its attributes.
#[derive(Clone, Debug)]
struct Step {
    document: String,
    operations: BTreeMap<usize, Operation>,
}

impl Step {
    fn payload(&self, number: usize) -> String {
        let mut map: BTreeMap<String, Value> = [
            ("id".to_owned(), Value::from(self.document.as_str())),
            ("event".to_owned(), Value::from(&*number.to_string())),
        ]
        .into();
        for (attribute, operation) in &self.operations {
            let (word, value) = match operation {
                Operation::Add(number) => ("add", Some(Value::Number(*number))),
                Operation::AddSet(_) => panic!("JSON has no sets"),
                Operation::Set(value) => ("set", Some(value.clone())),
                Operation::SetOnce(value) => ("set_once", Some(value.clone())),
                Operation::Remove => ("remove", None),
            };
            map.insert(format!("do_{attribute}"), Value::from(word));
            map.extend(value.map(|value| (format!("value_{attribute}"), value)));
        }
        Value::Map(map).to_string()
    }
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => "-?[1-9][0-9]{0,2}(\\.[0-9]{0,2}[1-9])?".prop_map(|n| json::parse(n.as_bytes()).unwrap()),
        1 => "[ab]{0,2}".prop_map(Value::String),
        1 => Just(json::parse(br#"{"a":[1,null,true,{"b":"c"}]}"#).unwrap()),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        4 => "-?[1-9][0-9]{0,9}".prop_map(|n| Operation::Add(n.parse().unwrap())),
        2 => value().prop_map(Operation::Set),
        2 => value().prop_map(Operation::SetOnce),
        1 => Just(Operation::Remove),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    ("[abc]", prop::collection::btree_map(0..ATTRIBUTES.len(), operation(), 1..=3))
        .prop_map(|(document, operations)| Step { document, operations })
}

#[derive(Clone, Debug)]
struct Case {
    /// What is there before, by document: values of the projection's own attributes.
    documents: BTreeMap<String, BTreeMap<usize, Value>>,
    steps: Vec<Step>,
    /// Where the steps are cut into batches.
    cuts: Vec<prop::sample::Index>,
    /// A batch that is delivered a second time.
    again: prop::sample::Index,
}

fn case() -> impl Strategy<Value = Case> {
    (
        prop::collection::btree_map("[abc]", prop::collection::btree_map(0..ATTRIBUTES.len(), value(), 0..3), 0..3),
        prop::collection::vec(step(), 1..12),
        prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        any::<prop::sample::Index>(),
    )
        .prop_map(|(documents, steps, cuts, again)| Case { documents, steps, cuts, again })
}

fn given(id: &str, attributes: &BTreeMap<usize, Value>) -> Item {
    let mut item: Item = attributes.iter().map(|(at, value)| (ATTRIBUTES[*at].to_owned(), value.clone())).collect();
    item.insert("id".into(), id.into());
    item.insert("foreign".into(), "theirs".into());
    item
}

impl Case {
    /// The batches in the order of their delivery, as ranges of steps.
    fn batches(&self) -> Vec<Range<usize>> {
        let mut cuts: Vec<usize> = self.cuts.iter().map(|cut| cut.index(self.steps.len())).collect();
        cuts.extend([0, self.steps.len()]);
        cuts.sort_unstable();
        cuts.windows(2).map(|cut| cut[0]..cut[1]).collect()
    }
}

/// The simplest possible loop: one event after the other, each applied once.
struct Plain<'c> {
    case: &'c Case,
    /// Whether an event that a document refuses holds up what comes behind it on that document.
    waits: bool,
    documents: BTreeMap<String, Item>,
    applied: BTreeSet<usize>,
}

impl Plain<'_> {
    /// Delivers a batch; whether all of it was applied.
    fn deliver(&mut self, batch: Range<usize>) -> bool {
        let mut refused = Vec::new();
        for number in batch {
            let step = &self.case.steps[number];
            if self.applied.contains(&number) || (self.waits && refused.contains(&&step.document)) {
                continue;
            }
            let before = self.documents.get(&step.document).cloned().unwrap_or_default();
            match apply(&before, &step.operations, |attribute| ATTRIBUTES[attribute]) {
                Ok(mut after) => {
                    after.insert("id".into(), step.document.as_str().into());
                    self.documents.insert(step.document.clone(), after);
                    self.applied.insert(number);
                }
                Err(_) => refused.push(&step.document),
            }
        }
        refused.is_empty()
    }
}

/// The documents that the plain loop leaves: as a stream does, it stops at the first batch that fails; one of the batches
/// comes again.
fn plainly(case: &Case, waits: bool) -> BTreeMap<String, Item> {
    let documents = case.documents.iter().map(|(id, attributes)| (id.clone(), given(id, attributes))).collect();
    let mut plain = Plain { case, waits, documents, applied: BTreeSet::new() };
    let mut delivered = Vec::new();
    for batch in case.batches() {
        delivered.push(batch.clone());
        if !plain.deliver(batch) {
            break;
        }
    }
    plain.deliver(delivered[case.again.index(delivered.len())].clone());
    plain.documents
}

fn invocation(steps: &[(usize, &Step)]) -> String {
    let records: Vec<String> = steps
        .iter()
        .map(|(number, step)| {
            let sequence = 1_000 + number;
            let (lane, data) = (&step.document, BASE64.encode(step.payload(*number)));
            format!(
                r#"{{"eventID":"shardId-0:{sequence}","eventSourceARN":"arn:aws:kinesis:eu-west-1:123456789012:stream/s",
                    "kinesis":{{"partitionKey":"{lane}","sequenceNumber":"{sequence}","data":"{data}"}}}}"#
            )
        })
        .collect();
    format!(r#"{{"Records":[{}]}}"#, records.join(","))
}

async fn on_dynamodb(case: &Case, program: &Program, store: &Store) -> BTreeMap<String, Item> {
    let table = &program.projections[0].table.name;
    for (id, attributes) in &case.documents {
        let item = given(id, attributes);
        let put = Action::Put(Put { table: Arc::clone(table), item, unless_exists: "id" });
        assert_eq!(store.send(&Request::Transact(vec![put])).await, Answer::Done);
    }
    let numbered: Vec<(usize, &Step)> = case.steps.iter().enumerate().collect();
    let mut delivered = Vec::new();
    for batch in case.batches() {
        let payload = invocation(&numbered[batch]);
        let report = execute(program, payload.as_bytes(), store, Limits::default()).await.unwrap();
        delivered.push(payload);
        if report.first_failure().is_some() {
            break;
        }
    }
    let again = &delivered[case.again.index(delivered.len())];
    execute(program, again.as_bytes(), store, Limits::default()).await.unwrap();
    let items = store.scan(table).await.unwrap();
    items
        .into_iter()
        .map(|mut item| {
            item.retain(|name, _| !name.starts_with("_vf_"));
            (item["id"].as_str().unwrap_or_default().to_owned(), item)
        })
        .collect()
}

/// Runs random cases, each on tables of its own.
fn check(guard: fn(&str) -> String, waits: bool) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let store = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let database = dynoxide::Database::memory().unwrap();
        tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
        Store::new(&client::to_endpoint(&format!("http://{address}")).await)
    });
    let number = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config { cases: 150, failure_persistence: None, ..Config::default() });
    let result = runner.run(&case(), |case| {
        number.set(number.get() + 1);
        let table = format!("Docs{}", number.get());
        let program = program(&projection(&table, &guard(&table)));
        let there = runtime.block_on(async {
            for (_, table) in required(&program) {
                tables::create_if_missing(store.client(), &table).await.unwrap();
            }
            on_dynamodb(&case, &program, &store).await
        });
        prop_assert_eq!(there, plainly(&case, waits));
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn under_last_event_id() {
    check(|_| "last_event_id".to_owned(), true);
}

#[test]
fn under_an_events_table() {
    check(|table| format!("{{ events_table: {table}Events, id: $.event }}"), false);
}
