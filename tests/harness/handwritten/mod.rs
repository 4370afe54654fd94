//! Handlers of two systems as a good engineer writes them by hand in Rust: what the engine is compared with.
//!
//! They are no toys: events count once after a repeated delivery and after a crash, a batch is folded in memory and written
//! with the fewest requests, what is in the store is never overwritten unseen. They have what the engine cannot have: types
//! that are made for their events alone, that borrow from the payload, and requests whose expressions are constants. What they
//! make are the SDK's own types. No line of the engine is in them.
//!
//! A lane, a mark and a dead letter are what they are in `docs/guards.md`.

pub mod tournament;
pub mod votes;

use std::collections::HashMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use aws_sdk_dynamodb::operation::update_item::UpdateItemInput;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, TransactWriteItem};

use crate::store::Store;

/// An item, or its key.
pub type Item = HashMap<String, AttributeValue>;

/// Where a handler writes to.
#[allow(async_fn_in_trait, reason = "nobody asks whether the futures of tests can change threads")]
pub trait Table {
    /// Reads items by their keys, at most 100, consistently; those that are there, in any order.
    async fn read(&self, keys: Vec<(&'static str, Item)>) -> Vec<Item>;

    /// Updates an item; where the condition fails, the item as it is.
    async fn update(&self, update: UpdateItemInput) -> Result<(), Item>;

    /// Carries a transaction out; false where one of its conditions fails.
    async fn transact(&self, actions: Vec<TransactWriteItem>) -> bool;
}

/// A text.
fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number.
fn number(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// Attributes by name.
fn item<const N: usize>(attributes: [(&str, AttributeValue); N]) -> Item {
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A sequence number as text that sorts like the number.
fn mark(sequence: &str) -> String {
    format!("{:03}/{sequence}", sequence.len())
}

/// Whether one sequence number is above another.
fn is_above(sequence: &str, other: &str) -> bool {
    (sequence.len(), sequence) > (other.len(), other)
}

/// A table that is empty whenever it is asked, and takes everything: the answers that a bench gives to both sides.
#[derive(Debug, Default)]
pub struct Nowhere;

impl Table for Nowhere {
    async fn read(&self, keys: Vec<(&'static str, Item)>) -> Vec<Item> {
        std::hint::black_box(keys);
        Vec::new()
    }

    async fn update(&self, update: UpdateItemInput) -> Result<(), Item> {
        std::hint::black_box(update);
        Ok(())
    }

    async fn transact(&self, actions: Vec<TransactWriteItem>) -> bool {
        std::hint::black_box(actions);
        true
    }
}

/// What a future comes to that waits for nothing: one on [`Nowhere`].
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the future waits for something"),
    }
}

impl Table for Store {
    async fn read(&self, keys: Vec<(&'static str, Item)>) -> Vec<Item> {
        let mut wanted: HashMap<String, Vec<Item>> = HashMap::new();
        for (table, key) in keys {
            wanted.entry(self.table(table)).or_default().push(key);
        }
        let mut request = self.client().batch_get_item();
        for (table, keys) in wanted {
            let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
            request = request.request_items(table, keys.expect("there are keys"));
        }
        let answer = request.send().await.unwrap_or_else(|error| panic!("the store cannot be read: {error:?}"));
        answer.responses.unwrap_or_default().into_values().flatten().collect()
    }

    async fn update(&self, update: UpdateItemInput) -> Result<(), Item> {
        let request = self
            .client()
            .update_item()
            .table_name(self.table(update.table_name().unwrap_or_default()))
            .set_key(update.key)
            .set_update_expression(update.update_expression)
            .set_condition_expression(update.condition_expression)
            .set_expression_attribute_names(update.expression_attribute_names)
            .set_expression_attribute_values(update.expression_attribute_values)
            .set_return_values_on_condition_check_failure(update.return_values_on_condition_check_failure);
        let Err(error) = request.send().await else { return Ok(()) };
        match error.into_service_error() {
            aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException(failed) => {
                Err(failed.item.unwrap_or_default())
            }
            other => panic!("the store did not take an update: {other:?}"),
        }
    }

    async fn transact(&self, mut actions: Vec<TransactWriteItem>) -> bool {
        for action in &mut actions {
            if let Some(put) = &mut action.put {
                put.table_name = self.table(&put.table_name);
            }
            if let Some(update) = &mut action.update {
                update.table_name = self.table(&update.table_name);
            }
        }
        let answer = self.client().transact_write_items().set_transact_items(Some(actions)).send().await;
        let Err(error) = answer else { return true };
        let error = error.into_service_error();
        assert!(error.is_transaction_canceled_exception(), "the store did not take a transaction: {error:?}");
        false
    }
}
