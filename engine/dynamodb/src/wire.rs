//! The requests as they are sent: operation and body, taken from the SDK behind its serialization.

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use serde_json::Value as Json;
use std::sync::{Arc, Mutex, PoisonError};

/// A request of DynamoDB's API.
#[derive(Clone, PartialEq, Debug)]
pub struct Wired {
    /// `UpdateItem`, `TransactWriteItems`, …
    pub operation: String,
    /// The body, as `aws dynamodb … --cli-input-json` takes it. The names of its maps are sorted: the SDK sends them in any
    /// order.
    pub body: Json,
}

/// Where the requests of a store are written down.
#[derive(Clone, Debug, Default)]
pub struct Wire(Arc<Mutex<Vec<Wired>>>);

impl Wire {
    /// The requests since it was last asked.
    pub fn take(&self) -> Vec<Wired> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Intercept for Wire {
    fn name(&self) -> &'static str {
        "viewfold-wire"
    }

    /// Called once for a request, however often it is tried.
    fn read_after_serialization(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let mut body: Json = serde_json::from_slice(request.body().bytes().unwrap_or_default())?;
        sort(&mut body, false);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Wired { operation, body });
        Ok(())
    }
}

/// The fields of a request whose maps have names of the user's, or placeholders: the SDK sends these in any order.
const NAMED: [&str; 7] =
    ["ExpressionAttributeNames", "ExpressionAttributeValues", "Item", "Key", "Keys", "M", "RequestItems"];

/// Sorts the names of maps that have no order of their own, `#2` before `#10`.
fn sort(json: &mut Json, named: bool) {
    match json {
        Json::Array(list) => list.iter_mut().for_each(|element| sort(element, named)),
        Json::Object(map) => {
            map.iter_mut().for_each(|(name, value)| sort(value, NAMED.contains(&name.as_str())));
            if named {
                let mut entries: Vec<(String, Json)> = std::mem::take(map).into_iter().collect();
                entries.sort_by(|(a, _), (b, _)| (number(a), a).cmp(&(number(b), b)));
                map.extend(entries);
            }
        }
        _ => {}
    }
}

/// The number of a placeholder; 0 for other names.
fn number(name: &str) -> u32 {
    name.get(1..).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn placeholders_are_in_the_order_of_their_numbers_and_fields_in_that_of_the_request() {
        let mut body = json!({
            "Key": { "b": { "S": "x" }, "a": { "N": "1" } },
            "TableName": "Docs",
            "ExpressionAttributeNames": { "#10": "z", "#2": "y" },
        });
        sort(&mut body, false);
        let expected = r##"{"Key":{"a":{"N":"1"},"b":{"S":"x"}},"TableName":"Docs","ExpressionAttributeNames":{"#2":"y","#10":"z"}}"##;
        assert_eq!(body.to_string(), expected);
    }
}
