//! Messages of SQS queues, standard and FIFO, with and without the envelopes of SNS and EventBridge.

use std::time::Duration;

use harness::cli::{make_tables, viewfold};
use harness::documents::Bookkeeping;
use harness::events::{Queue, batch, bus_event, failures, message_id, notification};
use harness::function::{Deployment, Function};
use harness::proxy::{Fault, Proxy};
use harness::scratch::Folder;
use harness::store::Store;
use serde_json::{Value, json};

use crate::{deliver, deliver_whole, deploy};

/// Adds what orders come to, by customer.
fn totals(source: &str, guard: &str, more: &str) -> String {
    format!(
        "projection: totals\nsource: {{ sqs: {source} }}\ndocument: {{ table: Totals, partition_key: customer }}\n\
         guard: {guard}\nkey: {{ customer: $.customer }}\n{more}rules:\n  - name: ordered\n    add: {{ orders: 1, total: $.amount }}\n"
    )
}

fn order(customer: &str, amount: u32) -> String {
    json!({ "customer": customer, "amount": amount }).to_string()
}

async fn documents(store: &Store) -> Vec<Value> {
    store.documents("Totals", Bookkeeping::Hidden).await
}

fn total(customer: &str, orders: u32, total: u32) -> Value {
    json!({ "customer": customer, "orders": orders, "total": total })
}

#[tokio::test]
async fn messages_of_a_standard_queue_count_once_in_any_order() {
    let folder = Folder::with("totals.yaml", &totals("orders", "{ events_table: Seen, keep_for: 30d }", ""));
    let store = Store::start().await;
    let function = deploy(folder.path(), &store).await;
    let mut queue = Queue::new("orders");
    let [a, b, c] =
        [("ann", 1), ("ben", 2), ("ann", 4)].map(|(customer, amount)| queue.message(order(customer, amount)));

    deliver_whole(&function, &batch([c.clone(), a.clone(), c.clone()])).await;
    deliver_whole(&function, &batch([b.clone(), a.clone()])).await;
    deliver_whole(&function, &batch([a.clone(), b, c])).await;
    assert_eq!(documents(&store).await, [total("ann", 2, 5), total("ben", 1, 2)]);

    // Its sender sent it twice, or a dead-letter queue gave it back: to SQS that is another message.
    deliver_whole(&function, &batch([queue.redriven(&a)])).await;
    assert_eq!(documents(&store).await[0], total("ann", 3, 6));
}

#[tokio::test]
async fn an_id_of_the_payload_catches_what_was_sent_twice() {
    let guard = "{ events_table: Seen, id: $.id }";
    let folder = Folder::with("totals.yaml", &totals("{ queue: orders.fifo, lane: $.customer }", guard, ""));
    let store = Store::start().await;
    let function = deploy(folder.path(), &store).await;
    let mut queue = Queue::new("orders.fifo");
    let body = json!({ "id": "o-1", "customer": "ann", "amount": 3 }).to_string();
    let first = queue.in_group("ann", body.clone());
    let (again, redriven) = (queue.in_group("ann", body), queue.redriven(&first));

    deliver_whole(&function, &batch([first, again])).await;
    deliver_whole(&function, &batch([redriven])).await;
    assert_eq!(documents(&store).await, [total("ann", 1, 3)]);
}

#[tokio::test]
async fn what_sns_sends_twice_has_one_id() {
    let source = "{ queue: orders, format: sns }";
    let folder = Folder::with("totals.yaml", &totals(source, "{ events_table: Seen }", ""));
    let store = Store::start().await;
    let function = deploy(folder.path(), &store).await;
    let mut queue = Queue::new("orders");
    let body = notification("n-1", &order("ann", 3));
    let [first, again, other] =
        [body.clone(), body, notification("n-2", &order("ann", 4))].map(|body| queue.message(body));
    // With raw delivery there is no envelope.
    let raw = queue.message(order("ann", 8));

    deliver_whole(&function, &batch([first, other])).await;
    deliver_whole(&function, &batch([again, raw])).await;
    assert_eq!(documents(&store).await, [total("ann", 2, 7)]);
    let letters = store.letters().await;
    assert_eq!(letters.len(), 1, "{letters:?}");
}

#[tokio::test]
async fn events_of_eventbridge_are_matched_by_its_own_patterns() {
    let folder = Folder::with(
        "totals.yaml",
        "projection: totals\nsource: { sqs: { queue: events, format: eventbridge } }\n\
         document: { table: Totals, partition_key: customer }\nguard: { events_table: Seen }\n\
         key: { customer: $.detail.customer }\nrules:\n  - name: ordered\n\
         \x20   when:\n      $.source: [{ prefix: sh }]\n      \"$['detail-type']\": [order placed]\n\
         \x20     $.detail.amount: [{ numeric: ['>', 0] }]\n    add: { orders: 1, total: $.detail.amount }\n    max: { last: $$.id }\n",
    );
    let store = Store::start().await;
    let function = deploy(folder.path(), &store).await;
    let mut queue = Queue::new("events");
    let event =
        |id: &str, kind: &str, amount: u32| bus_event(id, kind, &json!({ "customer": "ann", "amount": amount }));
    let bodies = [
        event("e-1", "order placed", 5),
        event("e-2", "order placed", 0),
        event("e-3", "order sent", 7),
        event("e-1", "order placed", 5),
        event("e-4", "order placed", 2),
    ];
    let messages = bodies.map(|body| queue.message(body));
    deliver_whole(&function, &batch(messages)).await;
    assert_eq!(documents(&store).await, [json!({ "customer": "ann", "orders": 2, "total": 7, "last": "e-4" })]);
}

/// A function before whose store there is a proxy.
async fn behind_proxy(folder: &Folder, store: &Store) -> (Function, Proxy) {
    make_tables(folder.path(), store).await;
    let proxy = Proxy::before(store).await;
    let function =
        Deployment::new(folder.path(), store).set("AWS_ENDPOINT_URL_DYNAMODB", proxy.endpoint()).start().await;
    (function, proxy)
}

/// What an invocation reports that gives up soon.
async fn deliver_soon(function: &Function, event: &Value) -> Vec<String> {
    let answer = function.invoke_within(event, Duration::from_secs(10)).await.expect("an answer in time");
    failures(&answer).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn of_a_standard_queue_each_message_that_failed_comes_again_alone() {
    let folder = Folder::with("totals.yaml", &totals("orders", "none", "allow: [unguarded]\n"));
    let store = Store::start().await;
    let (function, proxy) = behind_proxy(&folder, &store).await;
    let mut queue = Queue::new("orders");
    let messages = ["ann", "ben", "cid", "ben", "dan"].map(|customer| queue.message(order(customer, 1)));

    proxy.about(r#""customer":{"S":"ben"}"#, Fault::Throttled);
    let failed = deliver_soon(&function, &batch(messages.clone())).await;
    assert_eq!(failed, [message_id(&messages[1]), message_id(&messages[3])]);
    assert_eq!(documents(&store).await, ["ann", "cid", "dan"].map(|customer| total(customer, 1, 1)));

    proxy.calm();
    deliver_whole(&function, &batch([messages[3].clone(), messages[1].clone()])).await;
    assert_eq!(documents(&store).await[1], total("ben", 2, 2));
}

#[tokio::test]
async fn of_a_fifo_queue_what_is_behind_it_in_its_group_comes_again_too() {
    let folder = Folder::with(
        "last.yaml",
        "projection: last\nsource: { sqs: orders.fifo }\ndocument: { table: Totals, partition_key: customer }\n\
         guard: none\nallow: [unguarded]\nkey: { customer: $.customer }\nrules: [{ set: { last: $.amount } }]\n",
    );
    let store = Store::start().await;
    let (function, proxy) = behind_proxy(&folder, &store).await;
    let mut queue = Queue::new("orders.fifo");
    let sent = [("a", "ann", 1), ("a", "ben", 2), ("b", "dan", 3), ("a", "cid", 4), ("b", "dan", 5), ("a", "ann", 6)];
    let messages = sent.map(|(group, customer, amount)| queue.in_group(group, order(customer, amount)));

    proxy.about(r#""customer":{"S":"ben"}"#, Fault::Throttled);
    let failed = deliver_soon(&function, &batch(messages.clone())).await;
    assert_eq!(failed, [1, 3, 5].map(|number: usize| message_id(&messages[number])));

    proxy.calm();
    deliver_whole(&function, &batch([1, 3, 5].map(|number: usize| messages[number].clone()))).await;
    let last = [("ann", 6), ("ben", 2), ("cid", 4), ("dan", 5)];
    assert_eq!(documents(&store).await, last.map(|(customer, last)| json!({ "customer": customer, "last": last })));
}

#[tokio::test]
async fn under_on_error_fail_a_message_waits_alone_or_with_its_group() {
    let guard = "{ events_table: Seen }";
    for (queue, source, waiting) in
        [("orders", "orders", vec![1]), ("orders.fifo", "{ queue: orders.fifo, lane: $.customer }", vec![1, 3])]
    {
        let folder = Folder::with("totals.yaml", &totals(source, guard, "on_error: fail\n"));
        let store = Store::start().await;
        let function = deploy(folder.path(), &store).await;
        let mut queue = Queue::new(queue);
        let bodies =
            [("ann", order("ann", 1)), ("ann", "{oops".into()), ("ben", order("ben", 2)), ("ann", order("ann", 4))];
        let messages = bodies.map(|(group, body)| queue.in_group(group, body));

        let expected: Vec<&str> = waiting.iter().map(|number: &usize| message_id(&messages[*number])).collect();
        assert_eq!(deliver(&function, &batch(messages.clone())).await, expected);
        let again = waiting.iter().map(|number| messages[*number].clone());
        assert_eq!(deliver(&function, &batch(again)).await, expected, "as long as it cannot be read");
        let ann = if waiting.len() > 1 { total("ann", 1, 1) } else { total("ann", 2, 5) };
        assert_eq!(documents(&store).await, [ann, total("ben", 1, 2)]);
    }
}

#[tokio::test]
async fn what_cannot_be_applied_is_a_dead_letter_and_redriven() {
    for (name, source) in [("orders", "orders"), ("orders.fifo", "{ queue: orders.fifo, lane: $.customer }")] {
        let folder = Folder::with("totals.yaml", &totals(source, "{ events_table: Seen }", ""));
        let store = Store::start().await;
        let function = deploy(folder.path(), &store).await;
        let mut queue = Queue::new(name);
        let other = json!({ "customer": "ann", "sum": 8 }).to_string();
        let bodies = [order("ann", 1), "{oops".to_owned(), other, order("ann", 2)];
        let messages = bodies.map(|body| queue.in_group("ann", body));
        deliver_whole(&function, &batch(messages.clone())).await;
        // What comes again, for its answer was lost, is found among the letters.
        deliver_whole(&function, &batch(messages)).await;
        assert_eq!(documents(&store).await, [total("ann", 2, 3)]);
        assert_eq!(store.letters().await.len(), 2);

        let corrected =
            totals(source, "{ events_table: Seen }", "").replace("$.amount", "'${ default($.amount, $.sum) }'");
        folder.write("totals.yaml", &corrected);
        let redrive = viewfold(["redrive"]).arg(folder.path()).args(["--all", "--yes"]);
        let output = redrive.at(&store).run().await.expect_status(1);
        assert!(output.stdout.contains("applied") && output.stdout.contains("undecodable"), "{output:?}");
        assert_eq!(documents(&store).await, [total("ann", 3, 11)]);
    }
}

#[tokio::test]
async fn a_message_without_what_it_is_given_back_by_fails_the_invocation() {
    let folder = Folder::with("totals.yaml", &totals("orders.fifo", "{ events_table: Seen }", ""));
    let store = Store::start().await;
    let function = deploy(folder.path(), &store).await;
    let mut message = Queue::new("orders.fifo").in_group("a", order("ann", 1));
    message["attributes"] = json!({});
    let error = function.invoke(&batch([message])).await.expect_err("no message of a FIFO queue");
    assert!(error.message.contains("MessageGroupId"), "{error}");
    let error = function.invoke(&batch([Queue::new("orders").message("{}")])).await.expect_err("nobody reads it");
    assert!(error.message.contains("SQS queue orders, which no projection reads"), "{error}");
}
