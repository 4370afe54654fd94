//! One meaning: carrying batches out on a DynamoDB leaves what the plain fold of their events leaves.
//!
//! Random documents (with attributes of others), random events of every operation on plain and dynamic paths, cut into
//! random batches, some of them delivered again; with and without derived attributes and deletion; under every guard.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use viewfold_core::compile::{DEAD_LETTER_TABLE, File, Options, compile};
use viewfold_core::evaluate::{Append, Operation, Operations};
use viewfold_core::fold::apply;
use viewfold_core::plan::{Action, Answer, Put, Request};
use viewfold_core::program::{DocumentPath, Program, is_deleted_row};
use viewfold_core::tables::required;
use viewfold_dynamodb::{Limits, Store, client, execute, tables};
use viewfold_spec::Source;
use viewfold_value::{Item, Value, json};

/// Where operations write: names with dots, spaces and reserved words are just names; two lead into maps, one of them with
/// a name of the event.
const PATHS: [&str; 5] = ["count", "['size.of']", "größe 1", "map.fixed", "keys.${ $.key }"];

/// Every operation, as a rule writes it; `PATH` and `VALUE` stand for what each rule has in their place.
const RULES: [(&str, &str); 11] = [
    ("add", "add: { 'PATH': VALUE }"),
    ("add_set", "add: { 'PATH': '${ set(VALUE) }' }"),
    ("set", "set: { 'PATH': VALUE }"),
    ("set_once", "set_once: { 'PATH': VALUE }"),
    ("max", "max: { 'PATH': VALUE }"),
    ("min", "min: { 'PATH': VALUE }"),
    ("append", "append: { 'PATH': { value: VALUE } }"),
    ("append_last", "append: { 'PATH': { value: VALUE, last: 2 } }"),
    ("append_by", "append: { 'PATH': { value: { k: VALUE, v: $.number }, last: 3, by: $.by, unique_by: k } }"),
    ("remove", "remove: ['PATH']"),
    ("remove_from", "remove_from: { 'PATH': '${ set(VALUE) }' }"),
];

/// What a projection has beside its rules.
const EXTRAS: [&str; 2] =
    ["", "derive: { total: '${ default(doc.count, 0) }' }\ndelete_when: default(doc.count, 1) == 0\n"];

fn projection(table: &str, guard: &str, extra: &str) -> String {
    let mut rules = String::new();
    for (number, path) in PATHS.iter().enumerate() {
        for (kind, rule) in RULES {
            let path = path.replace('\'', "''");
            let rule = rule.replace("PATH", &path).replace("VALUE", &format!("$.value_{number}"));
            rules += &format!(
                "  - {{ name: {kind} {number}, any_order: true, when: {{ $.do: change, $.do_{number}: {kind} }}, {rule} }}\n"
            );
        }
    }
    format!(
        "projection: {table}\n\
         source: {{ kinesis: {{ stream: s, lane: $.id }} }}\n\
         document: {{ table: {table}, partition_key: id }}\n\
         guard: {guard}\n\
         key: {{ id: $.id }}\n\
         {extra}\
         rules:\n{rules}\
         \x20 - {{ name: look, any_order: true, when: {{ $.do: change, $.look: true }}, set: {{ seen: '${{ default(doc.count, \"nothing\") }}' }} }}\n\
         \x20 - {{ name: bad, any_order: true, when: {{ $.do: bad }}, set: {{ seen: $.missing }} }}\n\
         \x20 - {{ name: wide, any_order: true, when: {{ $.do: wide }}, each: {{ name: $.names }}, add: {{ 'wide.${{ name }}': 1 }} }}\n\
         \x20 - {{ name: delete, any_order: true, when: {{ $.do: delete }}, delete: true }}\n"
    )
}

fn program(yaml: &str) -> Program {
    let source = Arc::new(Source { name: "p.yaml".into(), text: yaml.into() });
    let projection = viewfold_spec::parse(&source).unwrap_or_else(|findings| panic!("{findings:?}"));
    let file = File { source, projection, schemas: BTreeMap::new() };
    compile(&[file], &Options::default()).unwrap_or_else(|findings| panic!("{findings:#?}")).program
}

/// What an event does to one path: the operation's word and value.
#[derive(Clone, Debug)]
struct Doing {
    word: &'static str,
    value: Value,
}

/// One event: the document, and what happens to it.
#[derive(Clone, Debug)]
struct Step {
    document: String,
    /// `change`, `delete`, `bad` (it cannot be evaluated) or `wide` (more than one update expression holds).
    what: &'static str,
    look: bool,
    /// The name that stands in the dynamic path.
    key: String,
    doings: BTreeMap<usize, Doing>,
}

impl Step {
    fn payload(&self, number: usize) -> Value {
        let text = |text: &str| Value::from(text);
        let whole = |number: usize| Value::Number(number.to_string().parse().unwrap());
        let mut map: BTreeMap<String, Value> = [
            ("id".to_owned(), text(&self.document)),
            ("event".to_owned(), text(&format!("e{number}"))),
            ("number".to_owned(), whole(number)),
            ("by".to_owned(), whole(number * 7 % 5)),
            ("key".to_owned(), text(&self.key)),
            ("do".to_owned(), text(self.what)),
            ("names".to_owned(), Value::List(wide_names().map(Value::String).collect())),
            ("look".to_owned(), Value::Bool(self.look)),
        ]
        .into();
        for (path, Doing { word, value }) in &self.doings {
            map.insert(format!("do_{path}"), text(word));
            map.insert(format!("value_{path}"), value.clone());
        }
        Value::Map(map)
    }

    /// What the rules make of the event on a document, written down by hand.
    fn operations(&self, number: usize, document: &Item) -> Operations {
        let mut operations = Operations::default();
        match self.what {
            "delete" => {
                operations.delete = true;
                return operations;
            }
            "wide" => {
                let one = || Operation::Add("1".parse().unwrap());
                let path = |name: String| DocumentPath::from(vec!["wide".to_owned(), name]);
                operations.by_path = wide_names().map(|name| (path(name), one())).collect();
                return operations;
            }
            _ => {}
        }
        let names = |path: usize| match path {
            0 => vec!["count"],
            1 => vec!["size.of"],
            2 => vec!["größe 1"],
            3 => vec!["map", "fixed"],
            _ => vec!["keys", &self.key],
        };
        for (path, Doing { word, value }) in &self.doings {
            let value = value.clone();
            let whole = |number: usize| Value::Number(number.to_string().parse().unwrap());
            let append = |value, last| Operation::Append(vec![Append { value, last, by: None, unique_by: None }]);
            let operation = match (*word, value) {
                ("add", Value::Number(number)) => Operation::Add(number),
                ("add_set", value) => Operation::AddSet(set(value)),
                ("set", value) => Operation::Set(value),
                ("set_once", value) => Operation::SetOnce(value),
                ("max", value) => Operation::Max(value),
                ("min", value) => Operation::Min(value),
                ("append", value) => append(value, None),
                ("append_last", value) => append(value, Some(2)),
                ("append_by", value) => Operation::Append(vec![Append {
                    value: Value::Map([("k".to_owned(), value), ("v".to_owned(), whole(number))].into()),
                    last: Some(3),
                    by: Some((whole(number * 7 % 5), format!("shardId-0:{}", 1000 + number))),
                    unique_by: Some("k".into()),
                }]),
                ("remove", _) => Operation::Remove,
                ("remove_from", value) => Operation::RemoveFrom(set(value)),
                other => panic!("{other:?}"),
            };
            let path = DocumentPath(names(*path).into_iter().map(str::to_owned).collect());
            operations.by_path.insert(path, operation);
        }
        if self.look {
            let seen = document.get("count").cloned().unwrap_or(Value::from("nothing"));
            operations.by_path.insert(DocumentPath::attribute("seen"), Operation::Set(seen));
        }
        operations
    }
}

/// More names than one update expression holds.
fn wide_names() -> impl Iterator<Item = String> {
    (0..130).map(|number| format!("n{number}"))
}

fn set(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::NumberSet([number].into()),
        Value::String(text) => Value::StringSet([text].into()),
        other => panic!("{other}"),
    }
}

fn number() -> impl Strategy<Value = Value> {
    "-?[1-9][0-9]?(\\.[1-9])?".prop_map(|n| json::parse(n.as_bytes()).unwrap())
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![3 => number(), 1 => "[ab]{1,2}".prop_map(Value::String)]
}

fn value() -> impl Strategy<Value = Value> {
    let whole = json::parse(br#"{"fixed":[1,null,true,{"b":"c"}]}"#).unwrap();
    prop_oneof![3 => scalar(), 1 => Just(whole), 1 => Just(json::parse(b"[1]").unwrap()), 1 => Just(Value::Null)]
}

fn doing() -> impl Strategy<Value = Doing> {
    let one = |word: &'static str, value: BoxedStrategy<Value>| value.prop_map(move |value| Doing { word, value });
    prop_oneof![
        8 => one("add", number().boxed()),
        2 => one("add_set", scalar().boxed()),
        2 => one("set", value().boxed()),
        2 => one("set_once", value().boxed()),
        2 => one("max", scalar().boxed()),
        1 => one("min", scalar().boxed()),
        2 => one("append", value().boxed()),
        1 => one("append_last", value().boxed()),
        2 => one("append_by", scalar().boxed()),
        1 => one("remove", Just(Value::Null).boxed()),
        1 => one("remove_from", scalar().boxed()),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    (
        "[abc]",
        prop_oneof![34 => Just("change"), 2 => Just("delete"), 2 => Just("bad"), 1 => Just("wide")],
        prop::bool::weighted(0.15),
        prop_oneof![Just("x"), Just("A.b c"), Just("'\"😀"), Just("size")],
        prop::collection::btree_map(0..PATHS.len(), doing(), 1..=2),
    )
        .prop_map(|(document, what, look, key, doings)| Step { document, what, look, key: key.to_owned(), doings })
}

#[derive(Clone, Debug)]
struct Case {
    /// What is there before, by document.
    documents: BTreeMap<String, BTreeMap<String, Value>>,
    steps: Vec<Step>,
    /// Where the steps are cut into batches.
    cuts: Vec<prop::sample::Index>,
    /// Where a run of events that is delivered a second time begins and ends.
    again: (prop::sample::Index, prop::sample::Index),
    /// Where an event of an ordered view is moved to.
    moves: Vec<(prop::sample::Index, prop::sample::Index)>,
    extra: bool,
}

fn given_value() -> impl Strategy<Value = (String, Value)> {
    let name = prop_oneof![Just("count"), Just("size.of"), Just("map"), Just("keys")];
    let value = prop_oneof![
        3 => number(),
        1 => Just(Value::from("text")),
        2 => Just(json::parse(br#"{"fixed":3,"other":"theirs"}"#).unwrap()),
    ];
    (name.prop_map(str::to_owned), value)
}

fn case() -> impl Strategy<Value = Case> {
    (
        prop::collection::btree_map("[abc]", prop::collection::vec(given_value(), 0..3), 0..3),
        prop::collection::vec(step(), 1..14),
        prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        any::<(prop::sample::Index, prop::sample::Index)>(),
        prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..4),
        any::<bool>(),
    )
        .prop_map(|(given, steps, cuts, again, moves, extra)| {
            let documents = given.into_iter().map(|(id, values)| (id, values.into_iter().collect())).collect();
            Case { documents, steps, cuts, again, moves, extra }
        })
}

fn given(id: &str, attributes: &BTreeMap<String, Value>) -> Item {
    let mut item: Item = attributes.clone();
    item.insert("id".into(), id.into());
    item.insert("foreign".into(), "theirs".into());
    item
}

/// How a guard lets events be delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Delivery {
    /// Once each, in order.
    Once,
    /// In order, and some again.
    Again,
    /// In any order, and some again; what is there before has none of the projection's attributes.
    AnyOrder,
}

impl Case {
    /// The batches in the order of their delivery, as ranges of the delivered events.
    fn batches(&self) -> Vec<Range<usize>> {
        let mut cuts: Vec<usize> = self.cuts.iter().map(|cut| cut.index(self.steps.len())).collect();
        cuts.extend([0, self.steps.len()]);
        cuts.sort_unstable();
        cuts.windows(2).map(|cut| cut[0]..cut[1]).collect()
    }

    /// The events' numbers in the order of their delivery.
    fn delivered(&self, delivery: Delivery) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.steps.len()).collect();
        if delivery == Delivery::AnyOrder {
            for (from, to) in &self.moves {
                let event = order.remove(from.index(order.len()));
                order.insert(to.index(order.len() + 1), event);
            }
        }
        order
    }

    fn given(&self, delivery: Delivery) -> BTreeMap<String, Item> {
        let own = |attributes: &BTreeMap<String, Value>| match delivery {
            Delivery::AnyOrder => BTreeMap::new(),
            _ => attributes.clone(),
        };
        self.documents.iter().map(|(id, attributes)| (id.clone(), given(id, &own(attributes)))).collect()
    }

    /// The simplest possible loop: one event after the other, in order, each once; one that cannot be evaluated, or that its
    /// document refuses, is left out. The documents, and how many events are left out.
    fn plainly(&self, program: &Program, delivery: Delivery) -> (BTreeMap<String, Item>, usize) {
        let projection = &program.projections[0];
        let mut documents = self.given(delivery);
        let mut left_out = 0;
        for (number, step) in self.steps.iter().enumerate() {
            if step.what == "bad" {
                left_out += 1;
                continue;
            }
            let before = documents.get(&step.document).cloned().unwrap_or_default();
            let key: Item = [("id".to_owned(), Value::from(step.document.as_str()))].into();
            let operations = step.operations(number, &before);
            if operations.is_empty() {
                continue;
            }
            match apply(&before, &operations, &key, projection) {
                Ok(after) => drop(documents.insert(step.document.clone(), after)),
                Err(_) => left_out += 1,
            }
        }
        documents.retain(|_, item| !item.is_empty());
        (documents.into_iter().map(|(id, item)| (id, without_bookkeeping(item))).collect(), left_out)
    }
}

fn without_bookkeeping(mut item: Item) -> Item {
    item.retain(|name, _| !name.starts_with("_vf_"));
    item
}

fn invocation(steps: &[(usize, &Step)]) -> String {
    let records: Vec<String> = steps
        .iter()
        .map(|(number, step)| {
            let sequence = 1_000 + number;
            let (lane, data) = (&step.document, BASE64.encode(step.payload(*number).to_string()));
            format!(
                r#"{{"eventID":"shardId-0:{sequence}","eventSourceARN":"arn:aws:kinesis:eu-west-1:123456789012:stream/s",
                    "kinesis":{{"partitionKey":"{lane}","sequenceNumber":"{sequence}","data":"{data}"}}}}"#
            )
        })
        .collect();
    format!(r#"{{"Records":[{}]}}"#, records.join(","))
}

async fn on_dynamodb(
    case: &Case,
    program: &Program,
    store: &Store,
    delivery: Delivery,
) -> Result<(BTreeMap<String, Item>, usize), TestCaseError> {
    let table = &program.projections[0].table.name;
    for item in case.given(delivery).into_values() {
        let put = Action::Put(Put::new_item(Arc::clone(table), item, "id"));
        assert_eq!(store.send(&Request::Write(put)).await, Answer::Done);
    }
    let delivered = case.delivered(delivery);
    let numbered: Vec<(usize, &Step)> = delivered.iter().map(|number| (*number, &case.steps[*number])).collect();
    let mut payloads: Vec<String> = case.batches().into_iter().map(|batch| invocation(&numbered[batch])).collect();
    if delivery != Delivery::Once {
        let (from, to) = (case.again.0.index(numbered.len()), case.again.1.index(numbered.len()));
        payloads.push(invocation(&numbered[from.min(to)..=from.max(to)]));
    }
    for payload in payloads {
        let report = execute(program, payload.as_bytes(), store, Limits::default()).await.unwrap();
        prop_assert_eq!(report.first_failure(), None);
    }
    let letters = store.scan(DEAD_LETTER_TABLE).await.unwrap();
    let letters = letters.iter().filter(|row| row["projection"].as_str() == Some(table)).count();
    let items = store.scan(table).await.unwrap();
    let documents = items.into_iter().filter(|item| !is_deleted_row(item.keys(), |name| name == "id", &["_vf_ttl"]));
    let documents = documents.map(|item| {
        let item = without_bookkeeping(item);
        (item["id"].as_str().unwrap_or_default().to_owned(), item)
    });
    Ok((documents.collect(), letters))
}

/// Runs random cases, each on tables of its own.
fn check(delivery: Delivery, guard: fn(&str) -> String) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let store = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let database = dynoxide::Database::memory().unwrap();
        tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
        Store::new(&client::to_endpoint(&format!("http://{address}")).await)
    });
    let number = std::cell::Cell::new(0);
    let cases = std::env::var("VIEWFOLD_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(150);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let met = std::cell::RefCell::new(BTreeSet::new());
    let result = runner.run(&case(), |case| {
        number.set(number.get() + 1);
        met.borrow_mut().extend(case.steps.iter().flat_map(|step| step.doings.values().map(|doing| doing.word)));
        let table = format!("Docs{}", number.get());
        let program = program(&projection(&table, &guard(&table), EXTRAS[usize::from(case.extra)]));
        let there = runtime.block_on(async {
            for needed in required(&program) {
                tables::create_if_missing(store.client(), &needed).await.unwrap();
            }
            on_dynamodb(&case, &program, &store, delivery).await
        })?;
        prop_assert_eq!(there, case.plainly(&program, delivery));
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error:#}"));
    assert_eq!(met.borrow().len(), RULES.len(), "every operation came up");
}

#[test]
fn without_a_guard() {
    check(Delivery::Once, |_| "none".to_owned());
}

#[test]
fn under_last_event_id() {
    check(Delivery::Again, |_| "last_event_id".to_owned());
}

#[test]
fn under_last_event_id_of_lanes() {
    check(Delivery::Again, |table| format!("{{ last_event_id: lane, table: {table}Marks }}"));
}

#[test]
fn under_an_events_table() {
    check(Delivery::Again, |table| format!("{{ events_table: {table}Events, id: $.event }}"));
}

#[test]
fn under_an_ordered_events_table() {
    check(Delivery::AnyOrder, |table| format!("{{ events_table: {table}Events, id: $.event, order_by: $.number }}"));
}
