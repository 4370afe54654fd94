//! Kinesis, as producers and the command line see it.
//!
//! | | |
//! |---|---|
//! | [`Kinesis::pretended`] | one in the test's process, with what AWS documents: numbers that rise over all shards, closed shards, trimming, limits |
//! | [`Kinesis::of`] | what a moto serves; its numbers begin anew in each shard, it never trims, and a shard that was split goes on taking records |

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::aws::{ACCESS_KEY_ID, ACCOUNT, REGION};
use crate::store::Store;

mod pretended;

pub use pretended::{Control, Trimmed};

/// A Kinesis that listens somewhere.
#[derive(Debug)]
pub struct Kinesis {
    endpoint: String,
    server: Option<pretended::Server>,
}

impl Kinesis {
    /// One with no streams in it, in this process.
    pub async fn pretended() -> Kinesis {
        let server = pretended::Server::start().await;
        Kinesis { endpoint: server.endpoint(), server: Some(server) }
    }

    /// That of the moto which serves a store.
    pub fn of(moto: &Store) -> Kinesis {
        Kinesis { endpoint: moto.endpoint().to_owned(), server: None }
    }

    /// Its URL.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What makes the pretended one misbehave.
    pub fn control(&self) -> &Arc<Control> {
        self.server.as_ref().expect("only the pretended one can be told what to do").control()
    }

    /// Sends a request; its answer.
    pub async fn post(&self, operation: &str, body: &Value) -> Value {
        let scope = format!("Credential={ACCESS_KEY_ID}/20260101/{REGION}/kinesis/aws4_request");
        let request = Request::post(&self.endpoint)
            .header("x-amz-target", format!("Kinesis_20131202.{operation}"))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-date", "20260101T000000Z")
            .header("authorization", format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"))
            .body(Full::<Bytes>::from(body.to_string()))
            .unwrap_or_else(|error| panic!("no request: {error}"));
        let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let answer = client.request(request).await;
        let answer = answer.unwrap_or_else(|error| panic!("{operation} is not answered: {error}"));
        let status = answer.status();
        let bytes = answer.into_body().collect().await.expect("the answer can be read").to_bytes();
        assert_eq!(status, 200, "{operation} {body}: {}", String::from_utf8_lossy(&bytes));
        if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).expect("the answer is JSON") }
    }

    /// Makes a stream with so many shards.
    pub async fn make(&self, stream: &str, shards: u32) {
        self.post("CreateStream", &json!({ "StreamName": stream, "ShardCount": shards })).await;
    }

    /// Puts a record.
    pub async fn put(&self, stream: &str, partition_key: &str, payload: impl AsRef<[u8]>) {
        let data = BASE64_STANDARD.encode(payload);
        self.post("PutRecord", &json!({ "StreamName": stream, "PartitionKey": partition_key, "Data": data })).await;
    }

    /// Splits a shard in the middle of its range.
    pub async fn split(&self, stream: &str, shard: &str) {
        let shards = self.post("ListShards", &json!({ "StreamName": stream, "MaxResults": 1000 })).await;
        let shards = shards["Shards"].as_array().expect("shards").clone();
        let range = &shards.iter().find(|one| one["ShardId"] == shard).expect("the shard is there")["HashKeyRange"];
        let bound = |name: &str| range[name].as_str().and_then(|key| key.parse::<u128>().ok()).expect("a key");
        let (start, end) = (bound("StartingHashKey"), bound("EndingHashKey"));
        let middle = (start + (end - start) / 2).to_string();
        let split = json!({ "StreamName": stream, "ShardToSplit": shard, "NewStartingHashKey": middle });
        self.post("SplitShard", &split).await;
    }

    /// All records of a stream's shards, shard by shard in the order of their ids, as Lambda gives them to a function.
    pub async fn records(&self, stream: &str) -> Vec<Vec<Value>> {
        let mut all = Vec::new();
        let mut list = json!({ "StreamName": stream });
        loop {
            let shards = self.post("ListShards", &list).await;
            for shard in shards["Shards"].as_array().expect("shards") {
                all.push(self.records_of(stream, shard["ShardId"].as_str().expect("an id")).await);
            }
            match &shards["NextToken"] {
                Value::String(token) => list = json!({ "NextToken": token }),
                _ => return all,
            }
        }
    }

    async fn records_of(&self, stream: &str, shard: &str) -> Vec<Value> {
        let from = json!({ "StreamName": stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON" });
        let mut iterator = self.post("GetShardIterator", &from).await["ShardIterator"].clone();
        let mut records = Vec::new();
        while iterator.is_string() {
            let answer = self.post("GetRecords", &json!({ "ShardIterator": iterator })).await;
            let read = answer["Records"].as_array().expect("records");
            if read.is_empty() {
                break;
            }
            records.extend(read.iter().map(|record| lambda_record(stream, shard, record)));
            iterator = answer["NextShardIterator"].clone();
        }
        records
    }
}

fn lambda_record(stream: &str, shard: &str, record: &Value) -> Value {
    let number = record["SequenceNumber"].as_str().expect("a record has a number");
    json!({
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": number,
            "data": record["Data"],
            "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"],
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": format!("{shard}:{number}"),
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": format!("arn:aws:iam::{ACCOUNT}:role/lambda-role"),
        "awsRegion": REGION,
        "eventSourceARN": format!("arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{stream}"),
    })
}

/// The time of day, since 1970.
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set to a time after 1970")
}
