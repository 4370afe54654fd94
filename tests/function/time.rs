//! What a batch takes in time: how many calls of the store follow one another, and how many are under way at once, counted by a
//! proxy that makes every call slow. The figures are of calls and not of seconds, so that they are the same on every machine.
//!
//! `docs/performance.md` has the table that [`beside_one_call_for_each_event`] prints.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue::{N, S};
use harness::cli::make_tables;
use harness::documents::Bookkeeping;
use harness::events::{KinesisStream, batch, failures};
use harness::function::{Deployment, Function};
use harness::proxy::{Call, Calls, Proxy};
use harness::scratch::Folder;
use harness::store::Store;
use serde_json::{Value, json};

use crate::deliver_whole;

/// What a call takes where the store's own work, and the function's, are not to count.
const LONG: Duration = Duration::from_millis(100);

/// What a call of DynamoDB takes.
const USUAL: Duration = Duration::from_millis(5);

/// What an invocation may take: the store behind the proxy is no quick one.
const LONGEST: Duration = Duration::from_secs(600);

/// Every guard of sums whose documents are lanes.
const GUARDS: [&str; 6] = [
    "none",
    "last_event_id",
    "{ last_event_id: shard }",
    "{ last_event_id: lane }",
    "{ events_table: Seen, id: $.event }",
    "{ events_table: Seen, id: $.event, order_by: $.event }",
];

fn sums(guard: &str) -> String {
    format!(
        "projection: sums\n\
         source: {{ kinesis: {{ stream: numbers, lane: $.id }} }}\n\
         document: {{ table: Sums, partition_key: id }}\n\
         guard: {guard}\n\
         key: {{ id: $.id }}\n\
         rules: [{{ name: number, add: {{ total: $.n, numbers: 1 }} }}]\n"
    )
}

/// A function behind a proxy, and the stream that feeds it.
struct Timed {
    store: Store,
    proxy: Proxy,
    function: Function,
    stream: KinesisStream,
    events: usize,
    _folder: Folder,
}

impl Timed {
    async fn start(guard: &str, environment: &[(&str, &str)]) -> Timed {
        let folder = Folder::with("projection.yaml", &sums(guard));
        let store = Store::start().await;
        make_tables(folder.path(), &store).await;
        let proxy = Proxy::before(&store).await;
        let deployment = Deployment::new(folder.path(), &store).set("AWS_ENDPOINT_URL_DYNAMODB", proxy.endpoint());
        let deployment = environment.iter().fold(deployment, |deployment, (name, value)| deployment.set(name, value));
        let function = deployment.start().await;
        Timed { store, proxy, function, stream: KinesisStream::new("numbers"), events: 0, _folder: folder }
    }

    /// The next event of a document: 1.
    fn event(&mut self, id: &str) -> Value {
        self.events += 1;
        // Text, which orders events as well as a number does.
        let event = format!("{:09}", self.events);
        self.stream.record(id, json!({ "id": id, "n": 1, "event": event }).to_string())
    }

    /// The next events, for so many documents in turn.
    fn events(&mut self, count: usize, documents: usize) -> Value {
        batch((0..count).map(|number| self.event(&format!("document {}", number % documents))))
    }

    /// Delivers events to documents that are there, at so much a call; the calls, and how long it took.
    async fn deliver(&mut self, count: usize, documents: usize, latency: Duration) -> (Calls, Duration) {
        let first = self.events(documents, documents);
        deliver_whole(&self.function, &first).await;
        let event = self.events(count, documents);
        self.proxy.slow(latency);
        self.proxy.take_calls();
        let start = Instant::now();
        let answer = self.function.invoke_within(&event, LONGEST).await.expect("the function answers");
        assert_eq!(failures(&answer), [""; 0], "{}", self.function.output());
        let took = start.elapsed();
        self.proxy.slow(Duration::ZERO);
        let calls = self.proxy.take_calls();
        let sums = self.store.documents("Sums", Bookkeeping::Hidden).await;
        assert_eq!(sums.len(), documents);
        assert!(sums.iter().all(|document| document["total"] == count / documents + 1), "{sums:?}");
        (calls, took)
    }
}

/// How many calls follow one another for so many events of one document, the question for open dead letters among them.
fn rounds_of_a_document(guard: &str, events: usize) -> usize {
    match guard {
        // A row for each event: 99 of them and the document are a transaction, and no two of these go on at once.
        "{ events_table: Seen, id: $.event }" => 1 + events.div_ceil(99),
        // The document is read once: what a transaction leaves behind is known to the next one.
        "{ events_table: Seen, id: $.event, order_by: $.event }" => 1 + 1 + events.div_ceil(99),
        _ => 2,
    }
}

#[tokio::test]
async fn a_hot_document_takes_the_time_of_as_many_calls_as_its_guard_needs() {
    for guard in GUARDS {
        let events = if guard.contains("events_table") { 1_000 } else { 10_000 };
        let (calls, _) = Timed::start(guard, &[]).await.deliver(events, 1, USUAL).await;
        let expected = rounds_of_a_document(guard, events);
        assert_eq!((calls.rounds(), calls.0.len()), (expected, expected), "{guard}");
    }
}

#[tokio::test]
async fn many_documents_keep_the_configured_number_of_calls_in_flight() {
    for (setting, in_flight) in [(&[][..], 32), (&[("VIEWFOLD_REQUESTS_IN_FLIGHT", "8")], 8)] {
        let (calls, _) =
            Timed::start("last_event_id", setting).await.deliver(100 * in_flight, 10 * in_flight, LONG).await;
        let writes = calls.writes();
        assert_eq!((writes.0.len(), writes.most_in_flight()), (10 * in_flight, in_flight));
        // Ten rounds and no more, give or take a machine that is busy with something else.
        assert!(writes.rounds() <= 13, "{} rounds", writes.rounds());
        assert!(writes.in_flight() > 0.7 * in_flight as f64, "{} of {in_flight}", writes.in_flight());
    }
}

/// One document of many events beside many of a few: the long row of transactions is begun first, and the others go on beside it.
#[tokio::test]
async fn the_longest_row_of_transactions_is_begun_first() {
    let mut timed = Timed::start("{ events_table: Seen, id: $.event }", &[("VIEWFOLD_REQUESTS_IN_FLIGHT", "2")]).await;
    let mut records: Vec<Value> = Vec::new();
    // Twelve documents of 90 events, a transaction each; and behind them one of 990, ten transactions.
    for (document, count) in (0..12).map(|document| (document, 90)).chain([(12, 990)]) {
        records.extend((0..count).map(|_| timed.event(&format!("document {document}"))));
    }
    timed.proxy.slow(LONG);
    timed.proxy.take_calls();
    deliver_whole(&timed.function, &batch(records)).await;
    let Calls(mut writes) = timed.proxy.take_calls().writes();
    assert_eq!(writes.len(), 12 + 10);
    writes.sort_by_key(|call| call.came);
    // A full transaction has 99 events and their document: those of the long row, and of no other.
    let (long, short): (Vec<Call>, Vec<Call>) =
        writes.iter().cloned().partition(|call| call.operation.tables.len() == 100);
    assert_eq!(long.len(), 10);
    assert!(writes[..2].iter().any(|call| call.came == long[0].came), "the long row is not among the first two");
    // The other one of the two may be answered at the same time; nothing else may come between.
    for [before, after] in long.array_windows() {
        let between = short.iter().filter(|call| before.answered <= call.came && call.came <= after.came).count();
        assert!(between <= 1, "{between} transactions of other documents went before the next one of the long row");
    }
}

/// What every processor did that viewfold replaces: for each event one call, and the next event when it is answered. This one
/// remembers nothing, so it is the cheapest of them.
async fn one_call_for_each_event(proxy: &Proxy, store: &Store, events: usize, documents: usize) -> (Calls, Duration) {
    let client = Client::from_conf(store.client().config().to_builder().endpoint_url(proxy.endpoint()).build());
    let table = store.table("Sums");
    proxy.slow(USUAL);
    proxy.take_calls();
    let start = Instant::now();
    for number in 0..events {
        let update = client.update_item().table_name(&table).key("id", S(format!("document {}", number % documents)));
        let update = update.update_expression("ADD #t :n, numbers :one").expression_attribute_names("#t", "total");
        let update =
            update.expression_attribute_values(":n", N("1".into())).expression_attribute_values(":one", N("1".into()));
        update.send().await.expect("the store takes it");
    }
    let took = start.elapsed();
    proxy.slow(Duration::ZERO);
    (proxy.take_calls(), took)
}

#[tokio::test]
#[ignore = "it measures, and takes minutes; docs/performance.md has the command"]
async fn beside_one_call_for_each_event() {
    const EVENTS: usize = 10_000;
    println!(
        "\n| {EVENTS} events | calls | calls' time | in flight | time, of one call per event |\n|---|---|---|---|---|"
    );
    for documents in [1, 1_000] {
        let name = if documents == 1 { "1 document".to_owned() } else { format!("{documents} documents") };
        let bare = Timed::start("none", &[]).await;
        // A tenth of the events says as much, ten times sooner.
        let (calls, took) = one_call_for_each_event(&bare.proxy, &bare.store, EVENTS / 10, documents).await;
        assert_eq!(calls.rounds(), EVENTS / 10);
        let one_by_one = took * 10;
        println!("| {name}, one call per event | {EVENTS} | {EVENTS} | 1.0 | 1 |");
        for guard in GUARDS {
            let (calls, took) = Timed::start(guard, &[]).await.deliver(EVENTS, documents, USUAL).await;
            let operations: BTreeMap<&str, usize> = calls.0.iter().fold(BTreeMap::new(), |mut counts, call| {
                *counts.entry(call.operation.name.as_str()).or_default() += 1;
                counts
            });
            let operations: Vec<String> = operations.iter().map(|(name, count)| format!("{count} {name}")).collect();
            println!(
                "| {name}, `{guard}` | {} ({}) | {} | {:.1} | 1/{:.0} |",
                calls.0.len(),
                operations.join(", "),
                calls.rounds(),
                calls.writes().in_flight(),
                one_by_one.as_secs_f64() / took.as_secs_f64()
            );
        }
    }
}
