//! A request in the SDK's own types, as far as it has any before it is sent: for measuring what that takes.

use crate::attribute::{item_to_sdk, to_sdk};
use crate::store::transaction_item;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use std::collections::HashMap;
use viewfold_core::plan::Request;

/// What of a request is made for the SDK.
#[derive(Debug)]
pub enum Built {
    /// The keys of a read.
    Keys(Vec<HashMap<String, AttributeValue>>),
    /// The value of a query.
    Value(AttributeValue),
    /// The actions of a write or of a transaction. That of a write by itself has other names, and the same parts.
    Actions(Vec<TransactWriteItem>),
}

/// Makes the SDK's types of a request.
///
/// # Errors
///
/// As the SDK's builders: never, unless a request lacks a part.
pub fn built(request: &Request) -> Result<Built, BuildError> {
    Ok(match request {
        Request::Read(keys) => Built::Keys(keys.iter().map(|key| item_to_sdk(&key.key)).collect()),
        Request::Query { partition: (_, value), .. } => Built::Value(to_sdk(value)),
        Request::Write(action) => Built::Actions(vec![transaction_item(action)?]),
        Request::Transact(actions) => Built::Actions(actions.iter().map(transaction_item).collect::<Result<_, _>>()?),
    })
}
