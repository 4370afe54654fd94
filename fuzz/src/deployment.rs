//! A deployment with every kind of guard, source and way of dealing with events that cannot be applied.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use viewfold_core::compile::{File, Options, compile};
use viewfold_core::program::Program;
use viewfold_spec::Source;

const FILES: [&str; 11] = [
    // The document's own mark.
    r#"projection: totals
source: { kinesis: { stream: orders, lane: $.id } }
document: { table: Totals, partition_key: id }
guard: last_event_id
key: { id: $.id }
delete_when: doc.n == 0
rules:
  - { name: any, when: { $.type: [order, free, 1] }, add: { n: $.n, 'by.${ $.type }': 1 }, set: { last: '${ $.text? }' }, set_once: { first: $.event } }
  - { name: lines, when: { $.type: order }, each: { line: $.lines? }, max: { top: '${ line.price }' }, append: { log: { value: '${ line.sku }', last: 3 } } }
  - { name: tags, when: { $.type: [order, free], $.tags: { exists: true } }, set: { tags: '${ set($.tags) }' } }
  - { name: gone, when: { $.type: gone }, delete: true }
  - { name: cheap, when: { $.type: order, '$.lines[?@.price < 5].sku': [{ prefix: s }, { wildcard: "t*" }] }, min: { least: $.n } }
derive: { double: '${ default(doc.n, 0) * 2 }' }
"#,
    // A mark of each lane, and what cannot be applied is dropped.
    r#"projection: lanes
source: { kinesis: { stream: orders, lane: $.id } }
document: { table: Types, partition_key: type }
guard: { last_event_id: lane, table: Marks }
on_error: skip
rules:
  - { name: any, key: { type: $.type }, add: { n: 1, 'by.${ $.id }': $.n } }
"#,
    // A mark of each shard, and what cannot be applied comes again.
    r#"projection: shards
source: { kinesis: { stream: orders, lane: $.id } }
document: { table: Shards, partition_key: type }
guard: { last_event_id: shard }
on_error: fail
rules:
  - { name: any, key: { type: $.type }, add: { n: $.n } }
"#,
    // Every event remembered.
    r#"projection: events
source: { kinesis: { stream: orders, lane: $.id } }
document: { table: Lines, partition_key: sku }
guard: { events_table: Events, id: $.event }
rules:
  - { name: lines, each: { line: $.lines }, key: { sku: '${ line.sku }' }, add: { n: '${ line.price }' } }
"#,
    // The document is what its events make in their order.
    r#"projection: ordered
source: { kinesis: { stream: orders, lane: $.id } }
document: { table: Ordered, partition_key: id }
guard: { events_table: Ordered_events, id: $.event, order_by: $.order }
key: { id: $.id }
rules:
  - { name: any, when: { $.type: order }, add: { n: $.n }, append: { all: { value: $.event } }, set: { ratio: '${ 10 / default(doc.n, 1) }' } }
  - { name: gone, when: { $.type: gone }, delete: true }
"#,
    // Changes of a table, by way of Kinesis.
    r#"projection: changes
source: { kinesis: { stream: changes, format: dynamodb, keys: [id] } }
document: { table: Changes, partition_key: id }
guard: { events_table: Changes_events, order_by: $.new.version }
key: { id: $.keys.id }
rules:
  - { name: any, when: { $$.change: [insert, modify] }, add: { changes: 1 }, set: { state: $.new.state, seen: $$.time } }
"#,
    // Sums that are taken back.
    r#"projection: votes
source: { dynamodb: { table: votes, keys: [id] } }
document: { table: Votes, partition_key: region }
guard: { last_event_id: lane, table: Marks }
delete_when: doc.n == 0 && doc.weight == 0
rules:
  - { name: vote, retract: true, when: { $.region: { type: string } }, key: { region: $.region }, add: { n: 1, weight: $.weight? } }
"#,
    // Values with all their types.
    r#"projection: copies
source: { dynamodb: { table: votes, keys: [id] } }
document: { table: Copies, partition_key: id }
guard: last_event_id
key: { id: $.keys.id }
rules:
  - { name: copied, when: { $$.change: [insert, modify] }, set: { all: $.new, found: '$.new..n' } }
  - { name: gone, when: { $$.change: remove }, delete: true }
"#,
    // Notifications of SNS by a queue, in any order.
    r#"projection: notes
source: { sqs: { queue: notes, format: sns } }
document: { table: Notes, partition_key: id }
guard: { events_table: Notes_events, keep_for: 30d }
key: { id: $.id }
rules:
  - { name: any, add: { n: $.n }, max: { last: $$.time }, append: { by: { value: $$.id, by: $$.id, last: 3 } } }
"#,
    // Events of EventBridge by a FIFO queue, in an order of their own.
    r#"projection: bus
source: { sqs: { queue: bus.fifo, format: eventbridge, lane: $.detail.id } }
document: { table: Bus, partition_key: id }
guard: { events_table: Bus_events, order_by: $.detail.order }
key: { id: $$.lane }
rules:
  - { name: any, when: { "$['detail-type']": [order] }, add: { n: $.detail.n }, set: { last: $.source, number: $$.sequence } }
"#,
    // A view over a view.
    r#"projection: over
source: { dynamodb: { table: Totals, keys: [id] } }
document: { table: Over, partition_key: all }
guard: { last_event_id: lane, table: Marks }
rules:
  - { name: total, retract: true, key: { all: all }, add: { n: '${ if(exists($.n), $.n, 0) }', documents: 1 } }
"#,
];

static PROGRAM: LazyLock<Program> = LazyLock::new(|| program(&FILES));

/// The deployment, compiled.
pub(crate) fn whole() -> &'static Program {
    &PROGRAM
}

/// Projections that are known to be right, compiled.
pub(crate) fn program(files: &[&str]) -> Program {
    let files = files.iter().map(|text| {
        let source = Arc::new(Source { name: "p.yaml".into(), text: (*text).to_owned() });
        let projection = viewfold_spec::parse(&source).unwrap_or_else(|findings| panic!("{findings:#?}"));
        File { source, projection, schemas: BTreeMap::new() }
    });
    let files: Vec<File> = files.collect();
    compile(&files, &Options::default()).unwrap_or_else(|findings| panic!("{findings:#?}")).program
}
