//! The DynamoDB that a test's binaries write to, and what the test sees of it.
//!
//! | | |
//! |---|---|
//! | [`Store::start`] | dynoxide, in memory, in the test's process; or what listens at `VIEWFOLD_TEST_ENDPOINT` if that is set |
//! | [`Store::moto`] | moto, a second opinion by other people; skipped, loudly, where it is not installed |
//!
//! Tables are named as in projections everywhere; that they may have a prefix in the store is this module's business.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::aws;
use crate::documents::{self, Bookkeeping, Item};
use crate::scratch::unique_name;

mod embedded;
mod moto;

/// Names an endpoint to use in place of the embedded store.
const ENDPOINT: &str = "VIEWFOLD_TEST_ENDPOINT";

/// A DynamoDB with no tables in it but the test's own.
#[derive(Debug)]
pub struct Store {
    endpoint: String,
    table_prefix: String,
    client: Client,
    server: Server,
}

/// What has to be kept for the endpoint to stay alive.
#[derive(Debug)]
enum Server {
    Embedded { _server: embedded::Server },
    Moto { _server: moto::Server },
    Elsewhere,
}

impl Store {
    /// The store that tests use: empty, and nobody else's.
    pub async fn start() -> Store {
        match std::env::var(ENDPOINT) {
            Ok(endpoint) => {
                // Others may be there too, at the same time or from an earlier run.
                Store::at(endpoint, format!("viewfold-test-{}-", unique_name()), Server::Elsewhere)
            }
            Err(std::env::VarError::NotPresent) => {
                let server = embedded::Server::start().await;
                Store::at(server.endpoint(), String::new(), Server::Embedded { _server: server })
            }
            Err(error) => panic!("{ENDPOINT} is set, but not readable: {error}"),
        }
    }

    /// A moto server. None when moto is not installed, after saying so; on a build server that is a failure.
    pub async fn moto() -> Option<Store> {
        let server = moto::Server::start().await?;
        Some(Store::at(server.endpoint(), String::new(), Server::Moto { _server: server }))
    }

    /// The same store, with that before the name of every table.
    pub fn with_table_prefix(mut self, prefix: &str) -> Store {
        self.table_prefix.push_str(prefix);
        self
    }

    fn at(endpoint: String, table_prefix: String, server: Server) -> Store {
        let credentials = Credentials::new(aws::ACCESS_KEY_ID, aws::SECRET_ACCESS_KEY, None, None, "test");
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(&endpoint)
            .region(Region::new(aws::REGION))
            .credentials_provider(credentials)
            .build();
        Store { endpoint, table_prefix, client: Client::from_conf(config), server }
    }

    /// The URL of the store.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Whether requests must not run beside each other. moto puts a transaction's tables back as they were when it is
    /// cancelled, with all that others wrote to them meanwhile.
    pub fn is_serial(&self) -> bool {
        matches!(self.server, Server::Moto { .. })
    }

    /// A client of the store, for what this module has no word for.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The name that a table of the projections has in the store: its own, perhaps with a prefix.
    pub fn table(&self, name: &str) -> String {
        format!("{}{name}", self.table_prefix)
    }

    /// What a process that works on this store needs in its environment, besides being told the endpoint.
    pub fn environment(&self) -> Vec<(&str, &str)> {
        let mut environment = aws::environment().to_vec();
        environment.push(("VIEWFOLD_TABLE_PREFIX", &self.table_prefix));
        environment
    }

    /// Sends a request as it stands, without an SDK; the HTTP status of the answer.
    pub async fn post(&self, operation: &str, body: &Value) -> u16 {
        let request = Request::post(&self.endpoint)
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-date", "20260101T000000Z")
            .header(
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential={}/20260101/{}/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
                    aws::ACCESS_KEY_ID,
                    aws::REGION
                ),
            )
            .body(Full::<Bytes>::from(body.to_string()))
            .unwrap_or_else(|error| panic!("no request: {error}"));
        let client: HttpClient<_, Full<Bytes>> = HttpClient::builder(TokioExecutor::new()).build_http();
        let answer = client.request(request).await;
        answer.unwrap_or_else(|error| panic!("{operation} is not answered: {error}")).status().as_u16()
    }

    /// Makes a table that people write to, with a stream. Its key's attributes have their types (`S`, `N`, `B`) beside them,
    /// partition key first.
    pub async fn make_source(&self, table: &str, keys: &[(&str, &str)]) {
        let types = keys.iter().map(|(name, kind)| json!({ "AttributeName": name, "AttributeType": kind }));
        let schema = keys.iter().zip(["HASH", "RANGE"]);
        let schema = schema.map(|((name, _), kind)| json!({ "AttributeName": name, "KeyType": kind }));
        let request = json!({
            "TableName": self.table(table), "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": types.collect::<Vec<_>>(), "KeySchema": schema.collect::<Vec<_>>(),
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
        });
        assert_eq!(self.post("CreateTable", &request).await, 200, "{request}");
    }

    /// Puts items in DynamoDB JSON into a table.
    pub async fn put<'i>(&self, table: &str, items: impl IntoIterator<Item = &'i Value>) {
        let puts: Vec<Value> = items.into_iter().map(|item| json!({ "PutRequest": { "Item": item } })).collect();
        for some in puts.chunks(25) {
            let request = json!({ "RequestItems": { self.table(table): some } });
            assert_eq!(self.post("BatchWriteItem", &request).await, 200, "{request}");
        }
    }

    /// Every item of a table, guard bookkeeping included, in the store's order.
    pub async fn scan(&self, table: &str) -> Vec<Item> {
        let mut items = Vec::new();
        let scan = self.client.scan().table_name(self.table(table)).consistent_read(true);
        let mut pages = scan.into_paginator().items().send();
        while let Some(item) = pages.next().await {
            let item = item.unwrap_or_else(|error| panic!("cannot scan {table}: {}", full(&error)));
            items.push(item.into_iter().collect());
        }
        items
    }

    /// The rows of dead letters: the others in their table say what was deployed.
    pub async fn letters(&self) -> Vec<Item> {
        let mut rows = self.scan("viewfold_dead_letters").await;
        rows.retain(|row| row.get("pk").and_then(|key| key.as_s().ok()).is_none_or(|key| key != "projections"));
        rows
    }

    /// The documents of a table, sorted, as plain JSON (see [`documents`]).
    pub async fn documents(&self, table: &str, bookkeeping: Bookkeeping) -> Vec<Value> {
        documents::from_items(self.scan(table).await, bookkeeping)
    }

    /// The tables of this test, sorted, named as in projections.
    pub async fn tables(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut pages = self.client.list_tables().into_paginator().items().send();
        while let Some(name) = pages.next().await {
            let name = name.unwrap_or_else(|error| panic!("cannot list the tables: {}", full(&error)));
            names.extend(name.strip_prefix(&self.table_prefix).map(str::to_owned));
        }
        names.sort();
        names
    }
}

/// An SDK error with all that led to it; by itself it says only "service error".
fn full(error: &dyn std::error::Error) -> String {
    aws_sdk_dynamodb::error::DisplayErrorContext(error).to_string()
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::{AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType};
    use aws_sdk_dynamodb::types::{PutRequest, ScalarAttributeType, WriteRequest};

    use super::*;

    /// A table of more than one page: a scan stops at a megabyte.
    async fn fill(store: &Store, table: &str) {
        let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash);
        let kind = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S);
        let create = store.client().create_table().table_name(store.table(table));
        let create = create.billing_mode(BillingMode::PayPerRequest);
        let create =
            create.key_schema(key.build().expect("a key")).attribute_definitions(kind.build().expect("a type"));
        create.send().await.expect("the table can be made");
        let text = "x".repeat(100_000);
        let put = |number: usize| {
            let item = PutRequest::builder()
                .item("id", AttributeValue::S(number.to_string()))
                .item("text", AttributeValue::S(text.clone()));
            WriteRequest::builder().put_request(item.build().expect("an item")).build()
        };
        let write = store.client().batch_write_item();
        let write = write.request_items(store.table(table), (0..25).map(put).collect());
        write.send().await.expect("the items can be put");
    }

    async fn holds_what_is_put(store: Store) {
        fill(&store, "large").await;
        assert_eq!(store.tables().await, ["large"]);
        assert_eq!(store.scan("large").await.len(), 25);
        let documents = store.documents("large", Bookkeeping::Hidden).await;
        assert_eq!(documents[1]["id"], "1");
        assert_eq!(documents[2]["id"], "10", "documents are sorted as text");
    }

    #[tokio::test]
    async fn the_embedded_store_holds_what_is_put() {
        holds_what_is_put(Store::start().await).await;
    }

    #[tokio::test]
    async fn a_prefix_is_the_stores_business() {
        holds_what_is_put(Store::start().await.with_table_prefix("blue_")).await;
    }

    #[tokio::test]
    async fn moto_holds_what_is_put() {
        if let Some(store) = Store::moto().await {
            holds_what_is_put(store).await;
        }
    }
}
