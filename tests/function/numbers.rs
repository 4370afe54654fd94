//! Numbers on their way from the event to the document: digit for digit, up to DynamoDB's 38.

use aws_sdk_dynamodb::types::AttributeValue;
use harness::events::{KinesisStream, TableStream, batch};
use harness::scratch::Folder;
use harness::store::Store;
use serde_json::json;

use crate::{deliver_whole, deploy};

/// Numbers that a 64-bit float would spoil, or a decimal of 28 digits. As DynamoDB writes them: no zeros at either end.
const NUMBERS: [&str; 6] = [
    "12345678901234567890123456789012345678",
    "-12345678901234567890123456789012345678",
    "9007199254740993",
    "0.1234567890123456789012345678901234567",
    "123456789012345678.90123456789012345678",
    "0.1",
];

const FROM_KINESIS: &str = r"projection: amounts
source: { kinesis: { stream: orders, lane: $.id } }
document: { table: Amounts, partition_key: id }
guard: last_event_id
on_error: fail
key: { id: $.id }
rules:
  - name: ordered
    set: { last: $.amount, all: { nested: [$.amount] } }
    add: { total: $.amount }
";

const FROM_A_TABLE: &str = r"projection: amounts
source: { dynamodb: { table: Orders, keys: [id] } }
document: { table: Amounts, partition_key: id }
guard: last_event_id
on_error: fail
key: { id: $.keys.id }
rules:
  - name: ordered
    set: { last: $.new.amount, all: { nested: [$.new.amount] } }
    add: { total: $.new.amount }
";

/// Each number's document has it in an attribute of its own, in a sum and in depth.
async fn assert_digits(store: &Store) {
    let items = store.scan("Amounts").await;
    assert_eq!(items.len(), NUMBERS.len());
    for item in items {
        let AttributeValue::S(id) = &item["id"] else { panic!("a text key, not {:?}", item["id"]) };
        let number = AttributeValue::N(id.clone());
        assert_eq!(item["last"], number);
        assert_eq!(item["total"], number);
        let nested = AttributeValue::L(vec![number]);
        assert_eq!(item["all"], AttributeValue::M([("nested".to_owned(), nested)].into()));
    }
}

#[tokio::test]
async fn digits_of_a_payload_are_kept() {
    let folder = Folder::with("amounts.yaml", FROM_KINESIS);
    let store = Store::start().await;
    let function = deploy(folder.path(), &store).await;
    let mut stream = KinesisStream::new("orders");
    let record = |number| stream.record(number, format!(r#"{{"id":"{number}","amount":{number}}}"#));
    deliver_whole(&function, &batch(NUMBERS.map(record))).await;
    assert_digits(&store).await;
}

#[tokio::test]
async fn digits_of_an_item_are_kept() {
    let folder = Folder::with("amounts.yaml", FROM_A_TABLE);
    let store = Store::start().await;
    let function = deploy(folder.path(), &store).await;
    let mut stream = TableStream::new(&store.table("Orders"), &["id"]);
    let record = |number: &str| stream.insert(json!({ "id": { "S": number }, "amount": { "N": number } }));
    deliver_whole(&function, &batch(NUMBERS.map(record))).await;
    assert_digits(&store).await;
}

#[tokio::test]
async fn sums_are_exact() {
    let folder = Folder::with("amounts.yaml", FROM_KINESIS);
    let store = Store::start().await;
    let function = deploy(folder.path(), &store).await;
    let mut stream = KinesisStream::new("orders");
    let large = "99999999999999999999999999999999999998";
    // In one batch, where they are summed before they are written, and one by one, where the store sums them.
    for (id, amounts, sum) in [("tenths", ["0.1", "0.2"], "0.3"), ("large", [large, "1"], &large.replace("98", "99"))] {
        for together in [true, false] {
            let id = format!("{id} {together}");
            let records = amounts.map(|amount| stream.record(&id, format!(r#"{{"id":"{id}","amount":{amount}}}"#)));
            let batches = if together { vec![batch(records)] } else { records.map(|record| batch([record])).into() };
            for event in batches {
                deliver_whole(&function, &event).await;
            }
            let items = store.scan("Amounts").await;
            let item = items.iter().find(|item| item["id"] == AttributeValue::S(id.clone())).expect("the document");
            assert_eq!(item["total"], AttributeValue::N(sum.to_owned()), "{id}");
        }
    }
}
