//! A Kinesis in this process: as much of its API as producers and readers of shards need, by AWS's documentation.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::now;
use crate::aws::{ACCOUNT, REGION};

/// How many shards one answer has: so few that a stream of three needs two.
const SHARDS_OF_A_PAGE: usize = 2;

/// A served Kinesis. It goes when this is dropped.
#[derive(Debug)]
pub(super) struct Server {
    port: u16,
    control: Arc<Control>,
    task: JoinHandle<()>,
}

/// What is in it, and what it does wrong.
#[derive(Debug, Default)]
pub struct Control(Mutex<State>);

/// What becomes of an iterator of a record that was trimmed. AWS's documentation does not say; all of these have been seen, or
/// cannot be ruled out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Trimmed {
    /// It brings nothing, and stays behind by all that the stream retains.
    #[default]
    Stays,
    /// It goes on with the oldest record that is left.
    Skips,
    /// It cannot be had.
    Refused,
}

#[derive(Debug, Default)]
struct State {
    trimmed: Trimmed,
    streams: BTreeMap<String, Stream>,
    /// How many records there ever were: numbers rise over all shards.
    count: u64,
    throttled: usize,
    expired: usize,
    calls: BTreeMap<String, usize>,
}

#[derive(Debug)]
struct Stream {
    shards: Vec<Shard>,
    retention_hours: u64,
    made: f64,
}

#[derive(Debug)]
struct Shard {
    range: (u128, u128),
    parents: Vec<String>,
    records: Vec<Record>,
    /// The last of those that were trimmed.
    trimmed: Option<String>,
    is_open: bool,
}

#[derive(Debug)]
struct Record {
    number: String,
    key: String,
    data: Value,
    came: f64,
}

impl Control {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses the next calls of `GetRecords` because others read the shard.
    pub fn throttle(&self, calls: usize) {
        self.state().throttled = calls;
    }

    /// Says of the next calls of `GetRecords` that their iterators are too old.
    pub fn expire(&self, calls: usize) {
        self.state().expired = calls;
    }

    /// What becomes of iterators of records that were trimmed.
    pub fn answer_for_trimmed(&self, trimmed: Trimmed) {
        self.state().trimmed = trimmed;
    }

    /// Forgets the oldest records of each shard, as many as that.
    pub fn trim(&self, stream: &str, records: usize) {
        for shard in &mut self.state().streams.get_mut(stream).expect("the stream is there").shards {
            let mut gone = shard.records.drain(..records.min(shard.records.len()));
            shard.trimmed = gone.next_back().map(|record| record.number).or(shard.trimmed.take());
        }
    }

    /// Says how long a stream keeps its records. What is in it stays.
    pub fn retain(&self, stream: &str, hours: u64) {
        self.state().streams.get_mut(stream).expect("the stream is there").retention_hours = hours;
    }

    /// Says that a stream has been there for years.
    pub fn age(&self, stream: &str) {
        self.state().streams.get_mut(stream).expect("the stream is there").made = 1_600_000_000.0;
    }

    /// How often an operation was called.
    pub fn calls(&self, operation: &str) -> usize {
        self.state().calls.get(operation).copied().unwrap_or_default()
    }
}

impl Server {
    pub(super) async fn start() -> Server {
        let control = Arc::new(Control::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of the loopback can be had");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let shared = Arc::clone(&control);
        let answer = move |headers: HeaderMap, body: String| {
            let shared = Arc::clone(&shared);
            async move {
                let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
                let operation = target.rsplit('.').next().unwrap_or_default();
                let body: Value = serde_json::from_str(&body).expect("requests are JSON");
                match shared.state().answer(operation, &body) {
                    Ok(answer) => (StatusCode::OK, answer.to_string()),
                    Err(kind) => {
                        (StatusCode::BAD_REQUEST, json!({ "__type": kind, "message": "it is pretended" }).to_string())
                    }
                }
            }
        };
        let router = Router::new().route("/", post(answer));
        let task =
            tokio::spawn(async move { axum::serve(listener, router).await.expect("the pretended Kinesis goes on") });
        Server { port, control, task }
    }

    pub(super) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn control(&self) -> &Arc<Control> {
        &self.control
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    fn answer(&mut self, operation: &str, body: &Value) -> Result<Value, &'static str> {
        *self.calls.entry(operation.to_owned()).or_default() += 1;
        let name = body["StreamName"].as_str().unwrap_or_default();
        if operation == "CreateStream" {
            let count = u128::from(body["ShardCount"].as_u64().expect("a number of shards"));
            let step = u128::MAX / count;
            let end = |number| if number + 1 == count { u128::MAX } else { (number + 1) * step - 1 };
            let shards = (0..count).map(|number| Shard::new((number * step, end(number)), &[]));
            let made = now().as_secs_f64();
            self.streams.insert(name.to_owned(), Stream { shards: shards.collect(), retention_hours: 24, made });
            return Ok(json!({}));
        }
        if operation == "GetRecords" {
            return self.records(body);
        }
        let (token, start) = body["NextToken"].as_str().and_then(|token| token.rsplit_once(' ')).unwrap_or((name, "0"));
        let stream = self.streams.get_mut(token).ok_or("ResourceNotFoundException")?;
        match operation {
            "PutRecord" => {
                self.count += 1;
                let number = format!("49571669009522853278119462494300940056686602{:012}", self.count);
                let key = body["PartitionKey"].as_str().expect("a key").to_owned();
                let at = hashed(&key);
                let is_its = |shard: &&mut Shard| shard.is_open && shard.range.0 <= at && at <= shard.range.1;
                let shard = stream.shards.iter_mut().find(is_its).expect("a shard for each key");
                let record =
                    Record { number: number.clone(), key, data: body["Data"].clone(), came: now().as_secs_f64() };
                shard.records.push(record);
                Ok(json!({ "SequenceNumber": number, "ShardId": "" }))
            }
            "SplitShard" => {
                let number = number_of(body["ShardToSplit"].as_str().expect("a shard"));
                let middle = body["NewStartingHashKey"].as_str().and_then(|key| key.parse().ok()).expect("a key");
                let (shard, parent) = (&mut stream.shards[number], id_of(number));
                shard.is_open = false;
                let (start, end) = shard.range;
                stream.shards.push(Shard::new((start, middle - 1), &[&parent]));
                stream.shards.push(Shard::new((middle, end), &[&parent]));
                Ok(json!({}))
            }
            "MergeShards" => {
                let [one, other] = ["ShardToMerge", "AdjacentShardToMerge"]
                    .map(|name| number_of(body[name].as_str().expect("a shard")));
                let range = (stream.shards[one].range.0, stream.shards[other].range.1);
                stream.shards[one].is_open = false;
                stream.shards[other].is_open = false;
                stream.shards.push(Shard::new(range, &[&id_of(one), &id_of(other)]));
                Ok(json!({}))
            }
            "DescribeStreamSummary" => Ok(json!({ "StreamDescriptionSummary": {
                "StreamName": name,
                "StreamARN": format!("arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{name}"),
                "StreamStatus": "ACTIVE",
                "RetentionPeriodHours": stream.retention_hours,
                "StreamCreationTimestamp": stream.made,
                "EnhancedMonitoring": [],
                "OpenShardCount": stream.shards.iter().filter(|shard| shard.is_open).count(),
            } })),
            "ListShards" => {
                let start: usize = start.parse().expect("a token of this server");
                let most = body["MaxResults"].as_u64().map_or(SHARDS_OF_A_PAGE, |most| most as usize);
                let shards: Vec<Value> =
                    stream.shards.iter().enumerate().skip(start).take(most).map(described).collect();
                let end = start + shards.len();
                let token = (end < stream.shards.len()).then(|| format!("{token} {end}"));
                Ok(json!({ "Shards": shards, "NextToken": token }))
            }
            "GetShardIterator" => {
                let shard = body["ShardId"].as_str().expect("a shard");
                let from = match body["ShardIteratorType"].as_str() {
                    Some("AT_SEQUENCE_NUMBER") => body["StartingSequenceNumber"].as_str().expect("a number"),
                    _ => "0",
                };
                let numbered = &stream.shards[number_of(shard)];
                if from != "0" && self.trimmed == Trimmed::Refused && numbered.is_trimmed(from) {
                    return Err("InvalidArgumentException");
                }
                Ok(json!({ "ShardIterator": format!("{name} {shard} {from}") }))
            }
            other => panic!("the pretended Kinesis has no {other}"),
        }
    }

    fn records(&mut self, body: &Value) -> Result<Value, &'static str> {
        if self.throttled > 0 {
            self.throttled -= 1;
            return Err("ProvisionedThroughputExceededException");
        }
        if self.expired > 0 {
            self.expired -= 1;
            return Err("ExpiredIteratorException");
        }
        let iterator: Vec<&str> = body["ShardIterator"].as_str().expect("an iterator").split(' ').collect();
        let [name, id, from] = iterator[..] else { panic!("an iterator of this server") };
        let stream = &self.streams[name];
        let shard = &stream.shards[number_of(id)];
        if from != "0" && self.trimmed == Trimmed::Stays && shard.is_trimmed(from) {
            let behind = stream.retention_hours * 3_600_000;
            return Ok(
                json!({ "Records": [], "NextShardIterator": body["ShardIterator"], "MillisBehindLatest": behind }),
            );
        }
        let mut left =
            shard.records.iter().filter(|record| (record.number.len(), &*record.number) >= (from.len(), from));
        let most = body["Limit"].as_u64().unwrap_or(10_000) as usize;
        let read: Vec<&Record> = left.by_ref().take(most).collect();
        let next = left.next();
        let behind = match (read.last(), next) {
            (Some(last), Some(_)) => ((now().as_secs_f64() - last.came) * 1000.0).max(1.0) as u64,
            _ => 0,
        };
        // Numbers of this server end in twelve digits that count; the next one is free.
        let after = |number: &str| {
            let (start, count) = number.split_at(number.len() - 12);
            format!("{start}{:012}", count.parse::<u64>().expect("digits") + 1)
        };
        let next_number = match (next, read.last()) {
            (Some(next), _) => Some(next.number.clone()),
            (None, _) if !shard.is_open => None,
            (None, Some(last)) => Some(after(&last.number)),
            (None, None) => Some(from.to_owned()),
        };
        let children: Vec<Value> = match next_number {
            Some(_) => Vec::new(),
            None => stream
                .shards
                .iter()
                .enumerate()
                .filter(|(_, child)| child.parents.iter().any(|parent| parent == id))
                .map(|(number, child)| {
                    json!({ "ShardId": id_of(number), "ParentShards": child.parents, "HashKeyRange": range(child) })
                })
                .collect(),
        };
        let records = read.iter().map(|record| {
            json!({
                "SequenceNumber": record.number, "PartitionKey": record.key, "Data": record.data,
                "ApproximateArrivalTimestamp": (record.came * 1000.0).floor() / 1000.0,
            })
        });
        Ok(json!({
            "Records": records.collect::<Vec<_>>(),
            "NextShardIterator": next_number.map(|number| format!("{name} {id} {number}")),
            "MillisBehindLatest": behind,
            "ChildShards": if children.is_empty() { Value::Null } else { children.into() },
        }))
    }
}

impl Shard {
    fn new(range: (u128, u128), parents: &[&str]) -> Shard {
        let parents = parents.iter().map(|&parent| parent.to_owned()).collect();
        Shard { range, parents, records: Vec::new(), trimmed: None, is_open: true }
    }

    fn is_trimmed(&self, number: &str) -> bool {
        self.trimmed.as_ref().is_some_and(|trimmed| (number.len(), number) <= (trimmed.len(), trimmed))
    }
}

fn range(shard: &Shard) -> Value {
    json!({ "StartingHashKey": shard.range.0.to_string(), "EndingHashKey": shard.range.1.to_string() })
}

fn described((number, shard): (usize, &Shard)) -> Value {
    let mut numbers = json!({ "StartingSequenceNumber": "0" });
    if !shard.is_open {
        numbers["EndingSequenceNumber"] = "1".into();
    }
    json!({
        "ShardId": id_of(number),
        "ParentShardId": shard.parents.first(),
        "AdjacentParentShardId": shard.parents.get(1),
        "HashKeyRange": range(shard),
        "SequenceNumberRange": numbers,
    })
}

fn id_of(number: usize) -> String {
    format!("shardId-{number:012}")
}

fn number_of(id: &str) -> usize {
    id.strip_prefix("shardId-").and_then(|number| number.parse().ok()).expect("the id of a shard")
}

/// Where a partition key is in the range of all: anything that spreads keys will do (FNV-1a).
fn hashed(key: &str) -> u128 {
    let mixed = key.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    });
    mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}
