//! What the function has in memory: at its peak, with batches as large as Lambda makes them; and whether it grows.

use std::time::Duration;

use harness::cli::make_tables;
use harness::events::{KinesisStream, TableStream, batch};
use harness::function::{Deployment, Function};
use harness::memory::Memory;
use harness::scratch::Folder;
use harness::store::Store;
use serde_json::{Value, json};

use crate::deliver_whole;

/// The largest payload of an invocation, in bytes.
const LARGEST_PAYLOAD: usize = 6 << 20;

/// The most records of a batch.
const MOST_RECORDS: usize = 10_000;

/// The most that the function may have in memory.
const PEAK: u64 = 48_000_000;

/// The most by which it may grow while it does the same again and again.
const GROWTH: u64 = 1_000_000;

/// What an invocation may take: ten thousand rows of events are a lot for the store of the tests where others use it too.
const LONGEST: Duration = Duration::from_secs(600);

/// How many documents the events of a batch have.
const DOCUMENTS: usize = 1_000;

/// Which service a batch comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Kinesis,
    Dynamodb,
}

fn sums(kind: Kind, guard: &str) -> String {
    let (source, new) = match kind {
        Kind::Kinesis => ("kinesis: { stream: numbers, lane: $.id }", "$"),
        Kind::Dynamodb => ("dynamodb: { table: numbers, keys: [event] }", "$.new"),
    };
    let guard = guard.replace('$', new);
    format!(
        "projection: sums\n\
         source: {{ {source} }}\n\
         document: {{ table: Sums, partition_key: id }}\n\
         guard: {guard}\n\
         key: {{ id: {new}.id }}\n\
         rules: [{{ name: number, add: {{ total: {new}.n, numbers: 1 }} }}]\n"
    )
}

/// A batch of so many records that has as many bytes as Lambda hands out, or nearly.
fn full_batch(kind: Kind, store: &Store, count: usize) -> String {
    let of_size = |padding: usize| {
        let mut kinesis = KinesisStream::new("numbers");
        let mut table = TableStream::new(&store.table("numbers"), &["event"]);
        let text = "x".repeat(padding);
        let record = |number: usize| {
            let (id, event) = (format!("document {}", number % DOCUMENTS), format!("{number:06}"));
            match kind {
                Kind::Kinesis => {
                    kinesis.record(&id, json!({ "id": id, "n": 1, "event": event, "text": text }).to_string())
                }
                Kind::Dynamodb => table.insert(json!({
                    "id": { "S": id }, "n": { "N": "1" }, "event": { "S": event }, "text": { "S": text },
                })),
            }
        };
        batch((0..count).map(record)).to_string()
    };
    let room = LARGEST_PAYLOAD.saturating_sub(of_size(0).len()) / count;
    // Payloads of Kinesis are base64, which takes four bytes for three.
    let padding = if kind == Kind::Kinesis { room * 3 / 4 } else { room };
    let payload = of_size(padding.saturating_sub(3));
    assert!(payload.len() <= LARGEST_PAYLOAD, "{count} records are {} bytes", payload.len());
    payload
}

async fn start(kind: Kind, guard: &str) -> (Store, Function, Folder) {
    let folder = Folder::with("projection.yaml", &sums(kind, guard));
    let store = Store::start().await;
    make_tables(folder.path(), &store).await;
    let function = Deployment::new(folder.path(), &store).start().await;
    (store, function, folder)
}

fn memory(function: &Function) -> Option<Memory> {
    Memory::of(function.process_id().expect("the process has a number"))
}

#[tokio::test]
async fn the_largest_batches_fit_into_the_memory_they_may_have() {
    let on_documents = [
        (Kind::Kinesis, "none"),
        (Kind::Kinesis, "last_event_id"),
        (Kind::Kinesis, "{ last_event_id: shard }"),
        (Kind::Dynamodb, "none"),
    ];
    let beside_them = ["{ last_event_id: lane }", "{ events_table: Seen, id: $.event }"];
    let ordered = "{ events_table: Seen, id: $.event, order_by: $.event }";
    let kinds = [Kind::Kinesis, Kind::Dynamodb];
    let beside_them = kinds.into_iter().flat_map(|kind| beside_them.map(|guard| (kind, guard)));
    let mut peaks = Vec::new();
    for (kind, guard) in on_documents.into_iter().chain(beside_them).chain(kinds.map(|kind| (kind, ordered))) {
        // As many records as there can be, and as many as there are of 800 bytes and more.
        for count in [MOST_RECORDS, 5_000] {
            let (store, function, _folder) = start(kind, guard).await;
            let event = full_batch(kind, &store, count);
            deliver_whole_text(&function, &event).await;
            let Some(memory) = memory(&function) else { return };
            println!("{kind:?} {guard}, {count} records: {:.1} MB at the peak", memory.peak as f64 / 1e6);
            peaks.push((memory.peak, kind, guard, count));
        }
    }
    let beyond: Vec<_> = peaks.iter().filter(|(peak, ..)| *peak > PEAK).collect();
    assert!(beyond.is_empty(), "beyond {PEAK} bytes: {beyond:?}");
}

/// As [`deliver_whole`], with the text of an event.
async fn deliver_whole_text(function: &Function, event: &str) {
    let answer = function.invoke_within(event, LONGEST).await;
    let answer = answer.unwrap_or_else(|error| panic!("the invocation failed: {error}\n{}", function.output()));
    assert_eq!(answer, json!({ "batchItemFailures": [] }), "{}", function.output());
}

/// Invokes the function so often, and again until it has been so often in all; by how much it has grown in between.
async fn growth(guard: &str, early: usize, late: usize) -> Option<i64> {
    let (_store, function, _folder) = start(Kind::Kinesis, guard).await;
    let mut stream = KinesisStream::new("numbers");
    let mut before = None;
    for invocation in 1..=late {
        let record = |number: usize| -> Value {
            let id = format!("document {}", number % 5);
            let event = format!("{invocation:06}/{number}");
            stream.record(&id, json!({ "id": id, "n": 1, "event": event }).to_string())
        };
        deliver_whole(&function, &batch((0..5).map(record))).await;
        if invocation == early {
            before = Some(memory(&function)?);
        }
    }
    let grown = memory(&function)?.resident as i64 - before?.resident as i64;
    println!("`{guard}`: {:+.2} MB from invocation {early} to {late}", grown as f64 / 1e6);
    Some(grown)
}

async fn does_not_grow(guards: &[&str], early: usize, late: usize) {
    for guard in guards {
        let Some(grown) = growth(guard, early, late).await else { return };
        assert!(grown < GROWTH as i64, "`{guard}`: {grown} bytes more");
    }
}

#[tokio::test]
async fn a_thousand_invocations_take_no_more_than_two_hundred() {
    does_not_grow(&["last_event_id"], 200, 1_000).await;
}

#[tokio::test]
#[ignore = "it takes minutes; docs/performance.md has the command"]
async fn ten_thousand_invocations_take_no_more_than_a_thousand() {
    does_not_grow(&["last_event_id", "{ events_table: Seen, id: $.event }"], 1_000, 10_000).await;
}
