//! Items put right: written as they have to be, if they are still as they were when they were looked at.

use crate::attribute::{item_to_sdk, to_sdk};
use crate::inspect::Unread;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};
use std::collections::HashMap;
use viewfold_value::{Item, Value};

/// The most attributes whose values the condition of a write names: an expression may have [300 operators].
///
/// [300 operators]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const MAX_ATTRIBUTES: usize = 100;

/// The most items that are put right together: a [transaction] has so many.
///
/// [transaction]: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
pub const MAX_TOGETHER: usize = 100;

/// An item to be written as `after`, provided that it is as `before`; none stands for an item that is not there.
#[derive(Clone, Debug)]
pub struct Correction<'c> {
    /// Its table.
    pub table: &'c str,
    /// Its key.
    pub key: &'c Item,
    /// As it was when it was looked at.
    pub before: Option<&'c Item>,
    /// As it has to be.
    pub after: Option<Item>,
}

/// What became of a correction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Corrected {
    /// All of it was written.
    Written,
    /// Nothing was written: an item is not as it was any more, or somebody else is just writing it.
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

/// Puts items right, all of them or none, [`MAX_TOGETHER`] at most. Attributes that an item has already as it has to are not written.
/// Of an item of more than a hundred attributes those are looked at that are written, and those of guards.
///
/// # Errors
///
/// When the store did not take it.
pub async fn correct(client: &Client, corrections: &[Correction<'_>]) -> Result<Corrected, Unread> {
    let actions = corrections.iter().map(action).collect::<Result<Vec<_>, _>>();
    let actions = actions.map_err(|error| Unread::Refused(format!("a correction cannot be built: {error}")))?;
    match client.transact_write_items().set_transact_items(Some(actions)).send().await {
        Ok(_) => Ok(Corrected::Written),
        Err(error) if is_changed(&error) => Ok(Corrected::Changed),
        Err(error) => Err(Unread::of("a correction", &error)),
    }
}

fn action(correction: &Correction<'_>) -> Result<TransactWriteItem, BuildError> {
    let Correction { table, key, before, after } = correction;
    let mut expression = Expression::default();
    let none = Item::new();
    let (was, will) = (before.unwrap_or(&none), after.as_ref().unwrap_or(&none));
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
    let action = TransactWriteItem::builder();
    Ok(match (before, after) {
        (_, None) => {
            let delete = Delete::builder().table_name(*table).set_key(Some(item_to_sdk(*key)));
            let delete = delete.condition_expression(condition).set_expression_attribute_names(Some(expression.names));
            let values = Some(expression.values).filter(|values| !values.is_empty());
            action.delete(delete.set_expression_attribute_values(values).build()?)
        }
        (None, Some(item)) => {
            let put = Put::builder().table_name(*table).set_item(Some(item_to_sdk(item)));
            let put = put.condition_expression(condition).set_expression_attribute_names(Some(expression.names));
            action.put(put.build()?)
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
            let text = format!("{}{}", clause("SET", &sets), clause("REMOVE", &removes));
            let update = Update::builder().table_name(*table).set_key(Some(item_to_sdk(*key)));
            let update = update.update_expression(text.trim_end()).condition_expression(condition);
            let update = update.set_expression_attribute_names(Some(expression.names));
            action.update(update.set_expression_attribute_values(Some(expression.values)).build()?)
        }
    }
    .build())
}

/// Whether an item is not as it was, or is just being written by somebody else; and no item has another trouble.
fn is_changed(error: &SdkError<TransactWriteItemsError>) -> bool {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return false;
    };
    let codes = || cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code());
    let is_of_others = |code: &str| matches!(code, "ConditionalCheckFailed" | "TransactionConflict");
    codes().any(is_of_others) && codes().all(|code| code == "None" || is_of_others(code))
}
