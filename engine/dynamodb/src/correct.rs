//! An item put right: written as it has to be, if it is still as it was when it was looked at.

use crate::attribute::{item_to_sdk, to_sdk};
use crate::inspect::Unread;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;
use viewfold_value::{Item, Value};

/// The most attributes whose values the condition of a write names: an expression may have [300 operators].
///
/// [300 operators]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const MAX_ATTRIBUTES: usize = 100;

/// What became of a correction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Corrected {
    /// It was written.
    Written,
    /// Nothing was written: the item is not as it was any more.
    Changed,
}

/// The names and values of an expression.
#[derive(Default)]
struct Expression {
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Expression {
    fn name(&mut self, name: &str) -> String {
        let place = format!("#{}", self.names.len());
        self.names.insert(place.clone(), name.to_owned());
        place
    }

    fn value(&mut self, value: &Value) -> String {
        let place = format!(":{}", self.values.len());
        self.values.insert(place.clone(), to_sdk(value));
        place
    }

    fn is(&mut self, name: &str, value: Option<&Value>) -> String {
        let name = self.name(name);
        match value {
            Some(value) => format!("{name} = {}", self.value(value)),
            None => format!("attribute_not_exists({name})"),
        }
    }
}

/// Writes an item as `after`, provided that it is as `before`; none stands for an item that is not there. Attributes that both have
/// alike are not written. Of an item of more than a hundred attributes those are looked at that are written, and those of guards.
///
/// # Errors
///
/// When the store did not take it.
pub async fn correct(
    client: &Client,
    table: &str,
    key: &Item,
    before: Option<&Item>,
    after: Option<&Item>,
) -> Result<Corrected, Unread> {
    let mut expression = Expression::default();
    let none = Item::new();
    let (was, will) = (before.unwrap_or(&none), after.unwrap_or(&none));
    let attributes = || {
        was.keys().chain(will.keys().filter(|name| !was.contains_key(*name))).filter(|name| !key.contains_key(*name))
    };
    let changed: Vec<&String> = attributes().filter(|name| was.get(*name) != will.get(*name)).collect();
    let conditions: Vec<String> = match before {
        None => key.keys().take(1).map(|name| expression.is(name, None)).collect(),
        Some(_) => {
            let all = was.len() <= MAX_ATTRIBUTES;
            let looked_at = attributes().filter(|name| all || name.starts_with("_vf_") || changed.contains(name));
            let own: Vec<String> = looked_at.map(|name| expression.is(name, was.get(name))).collect();
            let there = key.iter().take(1).map(|(name, value)| expression.is(name, Some(value))).collect::<Vec<_>>();
            there.into_iter().chain(own).collect()
        }
    };
    let condition = conditions.join(" AND ");
    let key = item_to_sdk(key);
    let sent = match (before, after) {
        (_, None) => {
            let request = client.delete_item().table_name(table).set_key(Some(key)).condition_expression(condition);
            let request = request.set_expression_attribute_names(Some(expression.names));
            let values = Some(expression.values).filter(|values| !values.is_empty());
            request.set_expression_attribute_values(values).send().await.map(drop).map_err(|error| judged(&error))
        }
        (None, Some(item)) => {
            let request = client.put_item().table_name(table).set_item(Some(item_to_sdk(item)));
            let request =
                request.condition_expression(condition).set_expression_attribute_names(Some(expression.names));
            request.send().await.map(drop).map_err(|error| judged(&error))
        }
        (Some(_), Some(_)) => {
            let (mut sets, mut removes) = (Vec::new(), Vec::new());
            for name in changed {
                let place = expression.name(name);
                match will.get(name) {
                    Some(value) => sets.push(format!("{place} = {}", expression.value(value))),
                    None => removes.push(place),
                }
            }
            let clause = |word: &str, parts: &[String]| match parts {
                [] => String::new(),
                parts => format!("{word} {} ", parts.join(", ")),
            };
            let update = format!("{}{}", clause("SET", &sets), clause("REMOVE", &removes));
            let request =
                client.update_item().table_name(table).set_key(Some(key)).update_expression(update.trim_end());
            let request =
                request.condition_expression(condition).set_expression_attribute_names(Some(expression.names));
            let request = request.set_expression_attribute_values(Some(expression.values));
            request.send().await.map(drop).map_err(|error| judged(&error))
        }
    };
    match sent {
        Ok(()) => Ok(Corrected::Written),
        Err(None) => Ok(Corrected::Changed),
        Err(Some(why)) => Err(why),
    }
}

/// Why a write was not taken; nothing where its condition did not hold.
fn judged<E, R>(error: &SdkError<E, R>) -> Option<Unread>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    let code = error.as_service_error().and_then(|error| error.code());
    (code != Some("ConditionalCheckFailedException")).then(|| Unread::of("a correction", error))
}
