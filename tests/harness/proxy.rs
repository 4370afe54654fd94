//! What is between a function and its store: a proxy that counts what is asked for, and that fails, loses and delays it as
//! networks and a busy DynamoDB do.
//!
//! A request that has come in is carried out to its end, whoever waits for the answer: one of a process that was killed
//! may still change a table, a good while later ([`Proxy::quiet`] waits for the last of them).

use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fastrand::Rng;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Map, Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::store::Store;

mod calls;

pub use calls::{Call, Calls};

/// Of so many requests one meets a fault of its own.
const ONE_IN: usize = 8;

/// Of so many requests one begins a spell, in which all fare alike.
const SPELL_ONE_IN: usize = 250;

/// The longest that a request or an answer is held back: beyond the time limits that tests give to functions.
const LONGEST_DELAY: Duration = Duration::from_millis(400);

/// One request to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// `UpdateItem`, `TransactWriteItems`, …
    pub name: String,
    /// The table of each item that it is about, in the order of the request, as it is named in the store; of a `Query` or
    /// `Scan` the one table.
    pub tables: Vec<String>,
}

/// An operation on a table, as a policy allows it: `PutItem`, and the table's name in the store. What a transaction does counts by
/// its actions.
pub type Access = (String, String);

/// What may befall a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is refused with a status of 500, and not carried out.
    Broken,
    /// It is refused for lack of throughput.
    Throttled,
    /// The connection breaks before it is carried out.
    Lost,
    /// It is carried out, and the connection breaks before the answer.
    AnswerLost,
    /// It is carried out, and answered with a status of 500.
    AnswerBroken,
    /// It is carried out a while after it has come.
    LateRequest(Duration),
    /// It is answered a while after it was carried out.
    LateAnswer(Duration),
    /// A write meets another writer's transaction, and is not carried out; in a transaction the item of this number does,
    /// counted round and round. Anything else is throttled.
    Conflict(usize),
    /// A read of many items leaves some of them out. Anything else is throttled.
    Partial,
}

/// When requests meet faults.
#[derive(Debug)]
enum Weather {
    Calm,
    /// Now and then, as a seed says, and at times for a while.
    Faults {
        rng: Rng,
        spell: Option<(Fault, usize)>,
    },
    /// All requests of an operation, with the same one.
    Always(&'static str, Fault),
    /// All requests with this in their bodies, with the same one.
    About(String, Fault),
}

/// A running proxy. Its connections end when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    /// The store's URL.
    store: String,
    /// Held while the store works on a request, where it takes one at a time only.
    serial: Option<tokio::sync::Mutex<()>>,
    client: Client<HttpConnector, Full<Bytes>>,
    weather: Mutex<Weather>,
    operations: Mutex<Vec<Operation>>,
    calls: Mutex<Vec<Call>>,
    /// What every request takes beside what the store itself does.
    latency: Mutex<Duration>,
    accesses: Mutex<BTreeSet<Access>>,
    /// How many requests have come and are not carried out and answered yet.
    under_way: watch::Sender<usize>,
}

/// The connection ends here, without an answer.
#[derive(Debug)]
struct Broken;

impl Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the connection is broken on purpose")
    }
}

impl std::error::Error for Broken {}

impl Proxy {
    /// A proxy before a store. It passes everything on until told otherwise.
    pub async fn before(store: &Store) -> Proxy {
        assert!(store.endpoint().starts_with("http://"), "the proxy does not speak TLS to {}", store.endpoint());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of the loopback can be had");
        let address = listener.local_addr().expect("a bound socket has an address");
        let mut connector = HttpConnector::new();
        // With Nagle's algorithm every answer would wait 40 ms for an acknowledgement.
        connector.set_nodelay(true);
        let shared = Arc::new(Shared {
            store: store.endpoint().trim_end_matches('/').to_owned(),
            serial: store.is_serial().then(tokio::sync::Mutex::default),
            client: Client::builder(TokioExecutor::new()).build(connector),
            weather: Mutex::new(Weather::Calm),
            operations: Mutex::default(),
            calls: Mutex::default(),
            latency: Mutex::default(),
            accesses: Mutex::default(),
            under_way: watch::Sender::new(0),
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Proxy { address, shared, server }
    }

    /// The URL that takes the store's place.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on requests meet faults, as the seed says.
    pub fn fail(&self, seed: u64) {
        *lock(&self.shared.weather) = Weather::Faults { rng: Rng::with_seed(seed), spell: None };
    }

    /// From now on all requests of an operation meet this fault, and no others do.
    pub fn always(&self, operation: &'static str, fault: Fault) {
        *lock(&self.shared.weather) = Weather::Always(operation, fault);
    }

    /// From now on all requests that have this in their bodies meet this fault, and no others do.
    pub fn about(&self, text: &str, fault: Fault) {
        *lock(&self.shared.weather) = Weather::About(text.to_owned(), fault);
    }

    /// From now on everything is passed on.
    pub fn calm(&self) {
        *lock(&self.shared.weather) = Weather::Calm;
    }

    /// From now on every request takes that much longer.
    pub fn slow(&self, latency: Duration) {
        *lock(&self.shared.latency) = latency;
    }

    /// The requests that have been answered since the last call.
    pub fn take_calls(&self) -> Calls {
        Calls(std::mem::take(&mut *lock(&self.shared.calls)))
    }

    /// The requests that have come since the last call, in the order in which they came.
    pub fn take_operations(&self) -> Vec<Operation> {
        std::mem::take(&mut *lock(&self.shared.operations))
    }

    /// What has been done to which tables since the last call, or asked for.
    pub fn take_accesses(&self) -> BTreeSet<Access> {
        std::mem::take(&mut *lock(&self.shared.accesses))
    }

    /// Waits until everything that has come is carried out.
    pub async fn quiet(&self) {
        let mut under_way = self.shared.under_way.subscribe();
        under_way.wait_for(|count| *count == 0).await.expect("the sender lives as long as the proxy");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // The connections go with the task that holds them.
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap_or_else(|error| panic!("the proxy ended: {error}"));
        while connections.try_join_next().is_some() {}
        connections.spawn(connection(stream, Arc::clone(&shared)));
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    // It may have been closed in the meantime.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(Arc::clone(&shared), request));
    // It ends with an error when the other side is killed, and when it is broken on purpose.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Broken> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    let operation = Operation::of(&head.headers, &json);
    let fault = lock(&shared.weather).next(&operation, &body);
    lock(&shared.accesses).extend(operation.accesses(&json));
    lock(&shared.operations).push(operation.clone());
    shared.under_way.send_modify(|count| *count += 1);
    let came = Instant::now();
    let latency = *lock(&shared.latency);
    let exchange = tokio::spawn(async move {
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        let answer = shared.exchange(head, body, json, &operation, fault).await;
        lock(&shared.calls).push(Call { operation, came, answered: Instant::now() });
        shared.under_way.send_modify(|count| *count -= 1);
        answer
    });
    exchange.await.map_err(|_| Broken)?
}

impl Shared {
    /// Carries a request out as far as its fault lets it.
    async fn exchange(
        &self,
        head: Parts,
        body: Bytes,
        json: Value,
        operation: &Operation,
        fault: Option<Fault>,
    ) -> Result<Response<Full<Bytes>>, Broken> {
        match fault {
            None => self.forward(head, body).await,
            Some(Fault::Broken) => Ok(broken()),
            Some(Fault::Throttled) => Ok(throttled()),
            Some(Fault::Lost) => Err(Broken),
            Some(Fault::AnswerLost) => {
                self.forward(head, body).await?;
                Err(Broken)
            }
            Some(Fault::AnswerBroken) => {
                self.forward(head, body).await?;
                Ok(broken())
            }
            Some(Fault::LateRequest(delay)) => {
                tokio::time::sleep(delay).await;
                self.forward(head, body).await
            }
            Some(Fault::LateAnswer(delay)) => {
                let answer = self.forward(head, body).await;
                tokio::time::sleep(delay).await;
                answer
            }
            Some(Fault::Conflict(place)) => Ok(conflict(operation, place)),
            Some(Fault::Partial) => self.partially(head, json).await,
        }
    }

    async fn forward(&self, mut head: Parts, body: Bytes) -> Result<Response<Full<Bytes>>, Broken> {
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        head.uri = Uri::try_from(format!("{}{path}", self.store)).map_err(|_| Broken)?;
        without_framing(&mut head.headers);
        let _turn = match &self.serial {
            Some(serial) => Some(serial.lock().await),
            None => None,
        };
        let answer = match self.client.request(Request::from_parts(head, Full::new(body))).await {
            Ok(answer) => answer,
            Err(error) => {
                let message = format!("the store behind the proxy cannot be reached: {error:?}");
                return Ok(failure(StatusCode::BAD_GATEWAY, "BadGateway", json!({ "message": message })));
            }
        };
        let (mut head, body) = answer.into_parts();
        let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
        without_framing(&mut head.headers);
        Ok(Response::from_parts(head, Full::new(body)))
    }

    /// A read of all items but the last one, which is said to be still to be read.
    async fn partially(&self, mut head: Parts, mut json: Value) -> Result<Response<Full<Bytes>>, Broken> {
        let tables = json["RequestItems"].as_object_mut();
        let several = tables.and_then(|tables| {
            let entry =
                tables.iter_mut().find(|(_, entry)| entry["Keys"].as_array().is_some_and(|keys| keys.len() > 1));
            let (table, entry) = entry?;
            let left_out = entry["Keys"].as_array_mut()?.pop()?;
            let mut unprocessed = entry.clone();
            unprocessed["Keys"] = json!([left_out]);
            Some((table.clone(), unprocessed))
        });
        let Some((table, unprocessed)) = several else { return Ok(throttled()) };
        // What is checked by them is another body.
        head.headers.remove("x-amz-content-sha256");
        let (head, body) = self.forward(head, json.to_string().into()).await?.into_parts();
        let Ok(body) = body.collect().await;
        let body = body.to_bytes();
        let mut answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        if head.status != StatusCode::OK || !answer.is_object() {
            return Ok(Response::from_parts(head, Full::new(body)));
        }
        answer["UnprocessedKeys"] = Map::from_iter([(table, unprocessed)]).into();
        let mut response = Response::new(Full::new(answer.to_string().into()));
        *response.headers_mut() = head.headers;
        response.headers_mut().remove("x-amz-crc32");
        Ok(response)
    }
}

impl Operation {
    fn of(headers: &HeaderMap, body: &Value) -> Operation {
        let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
        let name = target.rsplit('.').next().unwrap_or_default().to_owned();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let tables = match name.as_str() {
            "TransactWriteItems" | "TransactGetItems" => {
                let items = body["TransactItems"].as_array().into_iter().flatten();
                items
                    .flat_map(|item| item.as_object().into_iter().flatten())
                    .filter_map(|(_, action)| text(&action["TableName"]))
                    .collect()
            }
            "BatchGetItem" | "BatchWriteItem" => {
                let tables = body["RequestItems"].as_object().into_iter().flatten();
                let count = |entry: &Value| entry["Keys"].as_array().or_else(|| entry.as_array()).map_or(0, Vec::len);
                tables.flat_map(|(table, entry)| std::iter::repeat_n(table.clone(), count(entry))).collect()
            }
            _ => text(&body["TableName"]).into_iter().collect(),
        };
        Operation { name, tables }
    }

    /// What a policy has to allow for it.
    fn accesses(&self, body: &Value) -> Vec<Access> {
        if self.name != "TransactWriteItems" {
            let name = if self.tables.is_empty() { vec![String::new()] } else { self.tables.clone() };
            return name.into_iter().map(|table| (self.name.clone(), table)).collect();
        }
        let items = body["TransactItems"].as_array().into_iter().flatten();
        let actions = items.flat_map(|item| item.as_object().into_iter().flatten());
        let access = |(action, what): (&String, &Value)| {
            let action = if action == "ConditionCheck" { "ConditionCheckItem".into() } else { format!("{action}Item") };
            (action, what["TableName"].as_str().unwrap_or_default().to_owned())
        };
        actions.map(access).collect()
    }

    /// Whether it is about an item of this table, named as in the store.
    pub fn is_about(&self, table: &str) -> bool {
        self.tables.iter().any(|name| name == table)
    }

    fn writes_one_item(&self) -> bool {
        matches!(self.name.as_str(), "UpdateItem" | "PutItem" | "DeleteItem")
    }
}

impl Weather {
    /// What befalls the next request.
    fn next(&mut self, operation: &Operation, body: &[u8]) -> Option<Fault> {
        match self {
            Weather::Calm => None,
            Weather::Always(name, fault) => (operation.name == *name).then_some(*fault),
            Weather::About(text, fault) => {
                let found = body.windows(text.len()).any(|part| part == text.as_bytes());
                found.then_some(*fault)
            }
            Weather::Faults { rng, spell } => {
                if let Some((fault, left)) = spell {
                    let fault = *fault;
                    *left -= 1;
                    if *left == 0 {
                        *spell = None;
                    }
                    return Some(fault);
                }
                if rng.usize(0..SPELL_ONE_IN) == 0 {
                    *spell = Some((random_fault(rng), rng.usize(4..24)));
                }
                (rng.usize(0..ONE_IN) == 0).then(|| random_fault(rng))
            }
        }
    }
}

fn random_fault(rng: &mut Rng) -> Fault {
    // Most delays are short: others go on meanwhile.
    let delay = LONGEST_DELAY.mul_f64(rng.f64().powi(4));
    match rng.u8(0..12) {
        0 => Fault::Broken,
        1 => Fault::Throttled,
        2 => Fault::Lost,
        3 | 4 => Fault::AnswerLost,
        5 | 6 => Fault::AnswerBroken,
        7 => Fault::LateRequest(delay),
        8 => Fault::LateAnswer(delay),
        9 => Fault::Partial,
        _ => Fault::Conflict(rng.usize(0..100)),
    }
}

/// Headers that say how a message is carried, and not what it says: each side of the proxy has its own.
fn without_framing(headers: &mut HeaderMap) {
    for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        headers.remove(name);
    }
}

/// An error as DynamoDB words it.
fn failure(status: StatusCode, code: &str, mut body: Value) -> Response<Full<Bytes>> {
    body["__type"] = format!("com.amazonaws.dynamodb.v20120810#{code}").into();
    let mut response = Response::new(Full::new(body.to_string().into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    response
}

fn broken() -> Response<Full<Bytes>> {
    let message = "The request processing has failed because of an unknown error, exception or failure.";
    failure(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", json!({ "message": message }))
}

fn throttled() -> Response<Full<Bytes>> {
    let message = "The level of configured provisioned throughput for the table was exceeded.";
    failure(StatusCode::BAD_REQUEST, "ProvisionedThroughputExceededException", json!({ "message": message }))
}

/// What a write is told that meets another writer's transaction: one of a transaction's items has the conflict.
fn conflict(operation: &Operation, place: usize) -> Response<Full<Bytes>> {
    let message = "Transaction is ongoing for the item";
    if operation.writes_one_item() {
        return failure(StatusCode::BAD_REQUEST, "TransactionConflictException", json!({ "message": message }));
    }
    if operation.name != "TransactWriteItems" {
        return throttled();
    }
    let count = operation.tables.len();
    let mut reasons = vec![json!({ "Code": "None" }); count];
    if let Some(place) = place.checked_rem(count) {
        reasons[place] = json!({ "Code": "TransactionConflict", "Message": message });
    }
    let codes: Vec<&str> = reasons.iter().filter_map(|reason| reason["Code"].as_str()).collect();
    let message =
        format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", codes.join(", "));
    let body = json!({ "Message": message, "CancellationReasons": reasons });
    failure(StatusCode::BAD_REQUEST, "TransactionCanceledException", body)
}

/// A lock that stays usable when a test has panicked with it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::Client as Sdk;
    use aws_sdk_dynamodb::config::retry::RetryConfig;
    use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
    use aws_sdk_dynamodb::types::AttributeValue::{N, S};
    use aws_sdk_dynamodb::types::{
        AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, KeysAndAttributes, Put,
        ScalarAttributeType, TransactWriteItem,
    };

    use super::*;
    use crate::documents::Bookkeeping;

    /// A store with an empty table `counts`, a proxy before it, and a client of the proxy that asks only once.
    async fn counts() -> (Store, Proxy, Sdk) {
        let store = Store::start().await;
        let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash);
        let kind = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S);
        let create = store.client().create_table().table_name(store.table("counts"));
        let create = create.billing_mode(BillingMode::PayPerRequest).key_schema(key.build().expect("a key"));
        create.attribute_definitions(kind.build().expect("a type")).send().await.expect("the table can be made");
        let proxy = Proxy::before(&store).await;
        let config = store.client().config().to_builder().endpoint_url(proxy.endpoint());
        let client = Sdk::from_conf(config.retry_config(RetryConfig::disabled()).build());
        (store, proxy, client)
    }

    /// Adds one to the count of `a`; the code of the error, if there is one and it has one.
    async fn add(client: &Sdk, store: &Store) -> Result<(), Option<String>> {
        let update = client.update_item().table_name(store.table("counts")).key("id", S("a".into()));
        let update = update.update_expression("ADD n :n").expression_attribute_values(":n", N("1".into()));
        update.send().await.map(drop).map_err(|error| error.code().map(str::to_owned))
    }

    async fn count(store: &Store) -> u64 {
        let documents = store.documents("counts", Bookkeeping::Hidden).await;
        documents.first().map_or(0, |document| document["n"].as_u64().expect("a count"))
    }

    fn keys(names: &[&str]) -> KeysAndAttributes {
        let keys = names.iter().map(|name| [("id".to_owned(), S((*name).to_owned()))].into());
        KeysAndAttributes::builder().set_keys(Some(keys.collect())).build().expect("keys")
    }

    async fn put_both(client: &Sdk, table: &str) -> Result<(), aws_sdk_dynamodb::Error> {
        let put = |id: &str| {
            let put = Put::builder().table_name(table).item("id", AttributeValue::S(id.to_owned()));
            TransactWriteItem::builder().put(put.build().expect("a put")).build()
        };
        let transaction = client.transact_write_items().transact_items(put("a")).transact_items(put("b"));
        transaction.send().await.map(drop).map_err(Into::into)
    }

    #[tokio::test]
    async fn requests_pass_and_are_written_down() {
        let (store, proxy, client) = counts().await;
        let table = store.table("counts");
        add(&client, &store).await.expect("it passes");
        put_both(&client, &table).await.expect("it passes");
        let read = client.batch_get_item().request_items(&table, keys(&["a", "b", "c"])).send().await;
        assert_eq!(read.expect("it passes").responses.expect("an answer")[&table].len(), 2);
        let expected = [("UpdateItem", 1), ("TransactWriteItems", 2), ("BatchGetItem", 3)];
        let expected =
            expected.map(|(name, items)| Operation { name: name.into(), tables: vec![table.clone(); items] });
        assert_eq!(proxy.take_operations(), expected);
        assert_eq!(proxy.take_operations(), []);
    }

    #[tokio::test]
    async fn faults_are_what_they_say() {
        let (store, proxy, client) = counts().await;
        let a_while = Duration::from_millis(50);
        let broken = Err(Some("InternalServerError".to_owned()));
        let throttled = Err(Some("ProvisionedThroughputExceededException".to_owned()));
        let conflict = Err(Some("TransactionConflictException".to_owned()));
        for (fault, answer, is_applied) in [
            (Fault::Broken, broken.clone(), 0),
            (Fault::Throttled, throttled, 0),
            (Fault::Lost, Err(None), 0),
            (Fault::AnswerLost, Err(None), 1),
            (Fault::AnswerBroken, broken, 1),
            (Fault::LateRequest(a_while), Ok(()), 1),
            (Fault::LateAnswer(a_while), Ok(()), 1),
            (Fault::Conflict(7), conflict, 0),
        ] {
            let before = count(&store).await;
            proxy.always("UpdateItem", fault);
            let start = Instant::now();
            assert_eq!(add(&client, &store).await, answer, "{fault:?}");
            assert_eq!(count(&store).await, before + is_applied, "{fault:?}");
            // That the others are quicker is nothing that a busy machine has to keep.
            let is_late = matches!(fault, Fault::LateRequest(_) | Fault::LateAnswer(_));
            assert!(!is_late || start.elapsed() >= a_while, "{fault:?}");
            proxy.calm();
            assert_eq!(add(&client, &store).await, Ok(()), "calm after {fault:?}");
        }
    }

    #[tokio::test]
    async fn a_transaction_that_meets_another_one_says_where() {
        let (store, proxy, client) = counts().await;
        proxy.always("TransactWriteItems", Fault::Conflict(3));
        let error = put_both(&client, &store.table("counts")).await.expect_err("a conflict");
        let aws_sdk_dynamodb::Error::TransactionCanceledException(cancelled) = error else { panic!("{error:?}") };
        let codes: Vec<_> = cancelled.cancellation_reasons().iter().map(|reason| reason.code()).collect();
        assert_eq!(codes, [Some("None"), Some("TransactionConflict")]);
        assert_eq!(store.scan("counts").await.len(), 0);
    }

    #[tokio::test]
    async fn what_is_left_out_of_a_read_can_be_read() {
        let (store, proxy, client) = counts().await;
        let table = store.table("counts");
        put_both(&client, &table).await.expect("it passes");
        proxy.always("BatchGetItem", Fault::Partial);
        let read = client.batch_get_item().request_items(&table, keys(&["a", "b"])).send().await.expect("it passes");
        assert_eq!(read.responses.expect("an answer")[&table].len(), 1);
        assert_eq!(read.unprocessed_keys, Some([(table.clone(), keys(&["b"]))].into()));
        let alone = client.batch_get_item().request_items(&table, keys(&["b"])).send().await;
        let error = alone.expect_err("nothing is left to leave out");
        assert_eq!(error.code(), Some("ProvisionedThroughputExceededException"));
    }

    #[tokio::test]
    async fn a_request_arrives_though_nobody_waits_for_it() {
        let (store, proxy, client) = counts().await;
        proxy.always("UpdateItem", Fault::LateRequest(Duration::from_millis(100)));
        let waited = tokio::time::timeout(Duration::from_millis(50), add(&client, &store)).await;
        assert!(waited.is_err());
        assert_eq!(count(&store).await, 0);
        proxy.quiet().await;
        assert_eq!(count(&store).await, 1);
    }

    #[test]
    fn a_seed_says_what_fails() {
        let operation = Operation { name: "UpdateItem".into(), tables: vec!["counts".into()] };
        let schedule = |seed| {
            let mut weather = Weather::Faults { rng: Rng::with_seed(seed), spell: None };
            (0..2_000).map(|_| weather.next(&operation, b"")).collect::<Vec<_>>()
        };
        assert_eq!(schedule(1), schedule(1));
        assert_ne!(schedule(1), schedule(2));
        let failed = schedule(1).iter().flatten().count();
        assert!((150..700).contains(&failed), "{failed} of 2000 fail");
    }
}
