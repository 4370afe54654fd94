//! How many requests a batch costs, counted between the function and its store. What is asked of the table of dead letters
//! is not counted: that is one cheap question for each batch, whatever is in it.

use harness::cli::make_tables;
use harness::documents::Bookkeeping;
use harness::events::{KinesisStream, TableStream, batch};
use harness::function::{Deployment, Function};
use harness::proxy::{Operation, Proxy};
use harness::scratch::Folder;
use harness::store::Store;
use serde_json::{Value, json};

use crate::deliver_whole;

/// Sums of a stream's numbers.
fn sums(lane: &str, guard: &str) -> String {
    format!(
        "projection: sums\n\
         source: {{ kinesis: {{ stream: numbers, lane: {lane} }} }}\n\
         document: {{ table: Sums, partition_key: id }}\n\
         guard: {guard}\n\
         key: {{ id: $.id }}\n\
         rules: [{{ name: number, add: {{ total: $.n, numbers: 1 }} }}]\n"
    )
}

/// Sums of what the items of a table hold, for as long as they hold it.
const HOLDINGS: &str = "\
projection: holdings
source: { dynamodb: { table: Items, keys: [id] } }
document: { table: Sums, partition_key: group }
guard: { last_event_id: lane }
rules: [{ name: item, retract: true, key: { group: $.group }, add: { items: 1, total: $.n } }]
";

/// A function behind a proxy that counts.
struct Counted {
    store: Store,
    proxy: Proxy,
    function: Function,
    _folder: Folder,
}

/// The operations of one delivery.
struct Requests(Vec<Operation>);

impl Counted {
    async fn start(projection: &str) -> Counted {
        let folder = Folder::with("projection.yaml", projection);
        let store = Store::start().await;
        make_tables(folder.path(), &store).await;
        let proxy = Proxy::before(&store).await;
        let deployment = Deployment::new(folder.path(), &store);
        let function = deployment.set("AWS_ENDPOINT_URL_DYNAMODB", proxy.endpoint()).start().await;
        // By now it has written down which projections it has, however busy the machine is.
        deliver_whole(&function, &batch([])).await;
        proxy.take_operations();
        Counted { store, proxy, function, _folder: folder }
    }

    /// Delivers records, which have to be taken; what was asked of the store for it, but for its dead letters.
    async fn deliver(&self, records: &[Value]) -> Requests {
        deliver_whole(&self.function, &batch(records.to_vec())).await;
        let letters = self.store.table("viewfold_dead_letters");
        let about_others = |operation: &Operation| operation.tables.iter().any(|table| *table != letters);
        Requests(self.proxy.take_operations().into_iter().filter(about_others).collect())
    }

    async fn documents(&self) -> Vec<Value> {
        self.store.documents("Sums", Bookkeeping::Hidden).await
    }
}

impl Requests {
    /// The operations by their names, each with how many there were.
    #[track_caller]
    fn are(&self, expected: &[(&str, usize)]) {
        let mut counts = std::collections::BTreeMap::new();
        for operation in &self.0 {
            *counts.entry(operation.name.as_str()).or_insert(0) += 1;
        }
        assert_eq!(counts.into_iter().collect::<Vec<_>>(), expected);
    }

    /// How many items each of the requests was about.
    fn sizes(&self) -> Vec<usize> {
        self.0.iter().map(|operation| operation.tables.len()).collect()
    }
}

/// So many numbers, 1 each, for so many documents in turn; each is a lane of its own where lanes are documents.
fn ones(count: usize, documents: usize) -> Vec<Value> {
    let mut stream = KinesisStream::new("numbers");
    let record = |number: usize| {
        let id = format!("document {}", number % documents);
        stream.record(&id, json!({ "id": id, "n": 1, "event": number }).to_string())
    };
    (0..count).map(record).collect()
}

#[tokio::test]
async fn ten_thousand_events_of_a_document_are_one_update() {
    let counted = Counted::start(&sums("$.id", "last_event_id")).await;
    let records = ones(10_000, 1);
    counted.deliver(&records).await.are(&[("UpdateItem", 1)]);
    let expected = [json!({ "id": "document 0", "total": 10_000, "numbers": 10_000 })];
    assert_eq!(counted.documents().await, expected);
    // The update that fails says which events it is too late for: all of them.
    counted.deliver(&records).await.are(&[("UpdateItem", 1)]);
    assert_eq!(counted.documents().await, expected);
}

#[tokio::test]
async fn a_document_costs_one_update_of_each_batch() {
    let counted = Counted::start(&sums("$.id", "last_event_id")).await;
    let records = ones(10_000, 1_000);
    counted.deliver(&records).await.are(&[("UpdateItem", 1_000)]);
    assert_eq!(counted.documents().await.len(), 1_000);
    counted.deliver(&records).await.are(&[("UpdateItem", 1_000)]);
}

#[tokio::test]
async fn a_document_that_was_ahead_of_the_batch_costs_one_more() {
    let counted = Counted::start(&sums("$.id", "last_event_id")).await;
    let records = ones(1_000, 100);
    // All of the first 50 documents' first five events, and nothing of the other documents'.
    let number = |at: &usize| at % 100 < 50 && *at < 500;
    let before: Vec<Value> = (0..1_000).filter(number).map(|at| records[at].clone()).collect();
    counted.deliver(&before).await.are(&[("UpdateItem", 50)]);
    counted.deliver(&records).await.are(&[("UpdateItem", 50 + 2 * 50)]);
    assert!(counted.documents().await.iter().all(|document| document["total"] == 10));
}

#[tokio::test]
async fn a_batch_of_one_lane_is_one_transaction_of_its_mark_and_document() {
    let counted = Counted::start(&sums("$.id", "{ last_event_id: lane }")).await;
    let records = ones(10_000, 1);
    for _ in 0..2 {
        let requests = counted.deliver(&records).await;
        requests.are(&[("TransactWriteItems", 1)]);
        assert_eq!(requests.sizes(), [2]);
    }
    // Lanes share transactions, of marks and documents and nothing else. (They are packed as if each event had a row of its
    // own, so a third of a transaction stays free here.)
    let counted = Counted::start(&sums("$.id", "{ last_event_id: lane }")).await;
    let requests = counted.deliver(&ones(300, 300)).await;
    assert_eq!(requests.sizes().iter().sum::<usize>(), 2 * 300);
    assert!(requests.0.len() <= 10, "{:?}", requests.sizes());
}

#[tokio::test]
async fn transactions_of_an_events_table_are_full() {
    let projection = sums("$.id", "{ events_table: Seen, id: $.event }");
    let counted = Counted::start(&projection).await;
    let records = ones(1_000, 1);
    let requests = counted.deliver(&records).await;
    requests.are(&[("TransactWriteItems", 11)]);
    // 99 events and their document, ten times; and the last ten events.
    assert_eq!(requests.sizes(), [[100; 10].as_slice(), &[11]].concat());
    // A transaction that is cancelled says which of its events came before: all of them.
    let requests = counted.deliver(&records).await;
    requests.are(&[("TransactWriteItems", 11)]);
    assert_eq!(counted.documents().await, [json!({ "id": "document 0", "total": 1_000, "numbers": 1_000 })]);

    let counted = Counted::start(&projection).await;
    let requests = counted.deliver(&ones(1_000, 1_000)).await;
    requests.are(&[("TransactWriteItems", 20)]);
    assert_eq!(requests.sizes(), [100; 20]);
}

fn item(id: usize, n: usize) -> Value {
    json!({ "id": { "S": id.to_string() }, "group": { "S": "all" }, "n": { "N": n.to_string() } })
}

#[tokio::test]
async fn what_contributes_as_before_writes_nothing() {
    let counted = Counted::start(HOLDINGS).await;
    let mut stream = TableStream::new(&counted.store.table("Items"), &["id"]);
    let made: Vec<Value> = (0..50).map(|id| stream.insert(item(id, 7))).collect();
    let requests = counted.deliver(&made).await;
    requests.are(&[("TransactWriteItems", 1)]);
    assert_eq!(requests.sizes(), [50 + 1]);
    let expected = [json!({ "group": "all", "items": 50, "total": 350 })];
    assert_eq!(counted.documents().await, expected);

    // Whatever else of them changes: what they contributed is read, and nothing is written.
    let noted = |id| {
        let mut noted = item(id, 7);
        noted["note"] = json!({ "S": "said" });
        stream.modify(item(id, 7), noted)
    };
    let changed: Vec<Value> = (0..50).map(noted).collect();
    let requests = counted.deliver(&changed).await;
    requests.are(&[("BatchGetItem", 1)]);
    assert_eq!(requests.sizes(), [50]);
    assert_eq!(counted.documents().await, expected);

    // Items that were there before the projection was: the first change of each adds it, and is remembered.
    let older: Vec<Value> = (50..60).map(|id| stream.modify(item(id, 1), item(id, 2))).collect();
    let requests = counted.deliver(&older).await;
    requests.are(&[("BatchGetItem", 1), ("TransactWriteItems", 1)]);
    assert_eq!(requests.sizes(), [10, 10 + 1]);
    assert_eq!(counted.documents().await, [json!({ "group": "all", "items": 60, "total": 370 })]);

    // Those that go take nothing with them, and are remembered too: ten rows of lanes, and no document.
    let gone: Vec<Value> = (60..70).map(|id| stream.remove(item(id, 1))).collect();
    let requests = counted.deliver(&gone).await;
    requests.are(&[("BatchGetItem", 1), ("TransactWriteItems", 1)]);
    assert_eq!(requests.sizes(), [10, 10]);
    let sums = counted.store.table("Sums");
    assert!(!requests.0.iter().any(|operation| operation.is_about(&sums)));
    assert_eq!(counted.documents().await, [json!({ "group": "all", "items": 60, "total": 370 })]);
}

#[tokio::test]
async fn contributions_that_come_again_are_told_by_one_cancelled_transaction() {
    let counted = Counted::start(HOLDINGS).await;
    let mut stream = TableStream::new(&counted.store.table("Items"), &["id"]);
    let mut records: Vec<Value> = (0..40).map(|id| stream.insert(item(id, 7))).collect();
    records.extend((0..40).map(|id| stream.modify(item(id, 7), item(id, 8))));
    // Inserts are taken for the first events of their lanes: nothing has to be read.
    let requests = counted.deliver(&records).await;
    requests.are(&[("TransactWriteItems", 1)]);
    assert_eq!(requests.sizes(), [40 + 1]);
    let expected = [json!({ "group": "all", "items": 40, "total": 320 })];
    assert_eq!(counted.documents().await, expected);
    let requests = counted.deliver(&records).await;
    requests.are(&[("TransactWriteItems", 1)]);
    assert_eq!(counted.documents().await, expected);
    // Half of them are enough to say so.
    counted.deliver(&records[..40]).await.are(&[("TransactWriteItems", 1)]);
    counted.deliver(&records[40..]).await.are(&[("BatchGetItem", 1)]);
    assert_eq!(counted.documents().await, expected);
}
