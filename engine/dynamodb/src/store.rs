//! One request to DynamoDB, and what became of it.

use crate::attribute::{item_from_sdk, item_to_sdk, to_sdk};
use crate::client::SdkConfig;
use crate::meter;
use crate::wire::Wire;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete as SdkDelete, KeysAndAttributes, Put as SdkPut,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update as SdkUpdate,
};
use std::collections::HashMap;
use std::time::Duration;
use viewfold_core::plan::{Action, Answer, Cancellation, Form, ItemKey, Request};
use viewfold_value::{Item, Value};

/// How often a request is tried that met another writer's transaction on the same item. (Throttling and lost connections
/// are the SDK's to retry.)
const CONFLICT_ATTEMPTS: u32 = 8;

/// The longest pause before the second attempt; it doubles with each further one.
const CONFLICT_PAUSE: Duration = Duration::from_millis(20);

/// DynamoDB, as plans see it.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
}

/// What an attempt came to.
enum Attempt {
    Final(Answer),
    Conflict(Answer),
}

impl Store {
    /// A store behind a connection.
    pub fn new(connection: &SdkConfig) -> Store {
        Store { client: Client::new(connection) }
    }

    /// A store behind a connection that writes down in [meters](crate::meter) what its requests take.
    pub fn metered(connection: &SdkConfig) -> Store {
        let config = aws_sdk_dynamodb::config::Builder::from(connection).interceptor(meter::Measure).build();
        Store { client: Client::from_conf(config) }
    }

    /// A store behind a connection, and where each request that it sends is written down.
    pub fn recorded(connection: &SdkConfig) -> (Store, Wire) {
        let wire = Wire::default();
        let config = aws_sdk_dynamodb::config::Builder::from(connection).interceptor(wire.clone()).build();
        (Store { client: Client::from_conf(config) }, wire)
    }

    /// The client itself, for everything that is not carrying out plans.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Every item of a table, read consistently.
    ///
    /// # Errors
    ///
    /// A sentence: what the store said.
    pub async fn scan(&self, table: &str) -> Result<Vec<Item>, String> {
        let mut items = Vec::new();
        let mut pages = self.client.scan().table_name(table).consistent_read(true).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| message(&error, table))?;
            for item in page.items() {
                items.push(item_from_sdk(item).map_err(|error| error.to_string())?);
            }
        }
        Ok(items)
    }

    /// Sends a request until it is answered, again after a conflict with another writer.
    ///
    /// An answer that a request failed does not say that it was not carried out: the connection may have been lost on the
    /// way back. Guarded writes may be sent again all the same.
    pub async fn send(&self, request: &Request) -> Answer {
        let mut pause = CONFLICT_PAUSE;
        for _ in 1..CONFLICT_ATTEMPTS {
            match self.attempt(request).await {
                Attempt::Final(answer) => return answer,
                Attempt::Conflict(_) => meter::note_again(),
            }
            tokio::time::sleep(pause.mul_f64(fastrand::f64())).await;
            pause *= 2;
        }
        match self.attempt(request).await {
            Attempt::Final(answer) | Attempt::Conflict(answer) => answer,
        }
    }

    async fn attempt(&self, request: &Request) -> Attempt {
        match request {
            Request::Read(keys) => self.read(keys).await,
            Request::Query { table, partition, limit, attributes } => {
                self.query(table, partition, *limit, attributes).await
            }
            Request::Write(action) => self.write(action).await,
            Request::Transact(actions) => self.transact(actions).await,
        }
    }

    /// Reads items one by one key; keys that the store leaves out for lack of throughput are asked for again.
    async fn read(&self, keys: &[ItemKey]) -> Attempt {
        let mut found: HashMap<(&str, Vec<u8>), Item> = HashMap::new();
        let names: HashMap<&str, Vec<&String>> =
            keys.iter().map(|key| (&*key.table, key.key.keys().collect())).collect();
        let mut wanted: HashMap<String, KeysAndAttributes> = HashMap::new();
        for ItemKey { table, key } in keys {
            let entry = wanted.remove(&**table);
            let mut all = entry.map(|entry| entry.keys).unwrap_or_default();
            all.push(item_to_sdk(key));
            match KeysAndAttributes::builder().set_keys(Some(all)).consistent_read(true).build() {
                Ok(entry) => drop(wanted.insert(table.to_string(), entry)),
                Err(error) => return Attempt::Final(Answer::Failed(format!("the read could not be built: {error}"))),
            }
        }
        let tables = wanted.keys().cloned().collect::<Vec<_>>().join(", ");
        let mut pause = CONFLICT_PAUSE;
        let mut attempts = 0;
        while !wanted.is_empty() {
            if attempts == CONFLICT_ATTEMPTS {
                return Attempt::Final(Answer::Failed(format!("{tables}: throttled, the items could not all be read")));
            }
            if attempts > 0 {
                meter::note_again();
                tokio::time::sleep(pause.mul_f64(fastrand::f64())).await;
                pause *= 2;
            }
            attempts += 1;
            let answer = match self.client.batch_get_item().set_request_items(Some(wanted)).send().await {
                Ok(answer) => answer,
                Err(error) => return Attempt::Final(judge(&error, &tables)),
            };
            for (table, items) in answer.responses.unwrap_or_default() {
                let Some((table, names)) = names.get_key_value(table.as_str()) else { continue };
                for item in &items {
                    match item_from_sdk(item) {
                        Ok(item) => drop(found.insert((*table, identity(&item, names)), item)),
                        Err(error) => return Attempt::Final(Answer::Failed(error.to_string())),
                    }
                }
            }
            wanted = answer.unprocessed_keys.unwrap_or_default();
        }
        let items = keys.iter().map(|ItemKey { table, key }| {
            let names = names.get(&**table).map(Vec::as_slice).unwrap_or_default();
            found.get(&(&**table, identity(key, names))).cloned()
        });
        Attempt::Final(Answer::Items(items.collect()))
    }

    /// Reads a partition consistently, page by page.
    async fn query(&self, table: &str, (name, value): &(String, Value), limit: usize, attributes: &[&str]) -> Attempt {
        let mut rows = Vec::new();
        let mut query = self
            .client
            .query()
            .table_name(table)
            .key_condition_expression("#0 = :0")
            .expression_attribute_names("#0", name)
            .expression_attribute_values(":0", to_sdk(value))
            .consistent_read(true);
        let mut projected = Vec::new();
        for (number, attribute) in attributes.iter().enumerate() {
            let placeholder = format!("#{}", number + 1);
            query = query.expression_attribute_names(&placeholder, *attribute);
            projected.push(placeholder);
        }
        if !projected.is_empty() {
            query = query.projection_expression(projected.join(", "));
        }
        let mut pages = query.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error) => return Attempt::Final(judge(&error, table)),
            };
            for item in page.items() {
                match item_from_sdk(item) {
                    Ok(item) => rows.push(item),
                    Err(error) => return Attempt::Final(Answer::Failed(error.to_string())),
                }
            }
            if rows.len() > limit {
                return Attempt::Final(Answer::Rows(None));
            }
        }
        Attempt::Final(Answer::Rows(Some(rows)))
    }

    async fn write(&self, action: &Action) -> Attempt {
        let all_old = ReturnValuesOnConditionCheckFailure::AllOld;
        match action {
            Action::Update(update) => {
                let result = self
                    .client
                    .update_item()
                    .table_name(&*update.table)
                    .set_key(Some(item_to_sdk(&update.key)))
                    .set_update_expression(expression(&update.form))
                    .set_condition_expression(update.form.condition.clone())
                    .set_expression_attribute_names(names(&update.form))
                    .set_expression_attribute_values(values(&update.values))
                    .set_return_values_on_condition_check_failure(update.form.condition.is_some().then_some(all_old))
                    .send()
                    .await;
                written(result.map(drop), &update.table)
            }
            Action::Put(put) => {
                let result = self
                    .client
                    .put_item()
                    .table_name(&*put.table)
                    .set_item(Some(item_to_sdk(&put.item)))
                    .set_condition_expression(put.form.condition.clone())
                    .set_expression_attribute_names(names(&put.form))
                    .set_expression_attribute_values(values(&put.values))
                    .set_return_values_on_condition_check_failure(put.form.condition.is_some().then_some(all_old))
                    .send()
                    .await;
                written(result.map(drop), &put.table)
            }
            Action::Check(check) => {
                Attempt::Final(Answer::Failed(format!("{}: a condition is no write of its own", check.table)))
            }
            Action::Delete(delete) => {
                let result = self
                    .client
                    .delete_item()
                    .table_name(&*delete.table)
                    .set_key(Some(item_to_sdk(&delete.key)))
                    .set_condition_expression(delete.form.condition.clone())
                    .set_expression_attribute_names(names(&delete.form))
                    .set_expression_attribute_values(values(&delete.values))
                    .set_return_values_on_condition_check_failure(delete.form.condition.is_some().then_some(all_old))
                    .send()
                    .await;
                written(result.map(drop), &delete.table)
            }
        }
    }

    async fn transact(&self, actions: &[Action]) -> Attempt {
        let items: Result<Vec<TransactWriteItem>, _> = actions.iter().map(transaction_item).collect();
        let items = match items {
            Ok(items) => items,
            Err(error) => {
                return Attempt::Final(Answer::Failed(format!("the transaction could not be built: {error}")));
            }
        };
        let error = match self.client.transact_write_items().set_transact_items(Some(items)).send().await {
            Ok(_) => return Attempt::Final(Answer::Done),
            Err(error) => error,
        };
        let tables = tables(actions);
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                let reasons = cancelled.cancellation_reasons();
                let conflict = reasons.iter().any(|reason| is_transient(reason.code().unwrap_or_default()));
                if reasons.iter().any(|reason| reason.code() == Some("TransactionConflict")) {
                    meter::note_conflict();
                }
                let condition = reasons.iter().any(|reason| reason.code() == Some("ConditionalCheckFailed"));
                let answer = Answer::Cancelled(reasons.iter().map(cancellation).collect());
                if conflict && !condition { Attempt::Conflict(answer) } else { Attempt::Final(answer) }
            }
            // The same transaction is still being carried out, after an answer that was lost.
            Some(TransactWriteItemsError::TransactionInProgressException(_)) => {
                Attempt::Conflict(Answer::Failed(message(&error, &tables)))
            }
            _ => Attempt::Final(judge(&error, &tables)),
        }
    }
}

/// What became of a write of one item.
fn written<E>(result: Result<(), SdkError<E>>, table: &str) -> Attempt
where
    E: ProvideErrorMetadata + std::error::Error + ConditionFailure + 'static,
{
    let Err(error) = result else { return Attempt::Final(Answer::Done) };
    if let Some(item) = error.as_service_error().and_then(ConditionFailure::failed_on) {
        return Attempt::Final(condition_failed(item, Answer::ConditionFailed, Answer::Failed));
    }
    match error.as_service_error().and_then(|error| error.code()) {
        Some("TransactionConflictException") => {
            meter::note_conflict();
            Attempt::Conflict(Answer::Failed(message(&error, table)))
        }
        Some("ItemCollectionSizeLimitExceededException") => Attempt::Final(Answer::Refused(message(&error, table))),
        _ => Attempt::Final(judge(&error, table)),
    }
}

/// An error of a write that may say that its condition did not hold.
trait ConditionFailure {
    /// The item as it is, if the store says, where the condition did not hold.
    fn failed_on(&self) -> Option<Option<&HashMap<String, AttributeValue>>>;
}

macro_rules! condition_failure {
    ($($error:ty)+) => {
        $(impl ConditionFailure for $error {
            fn failed_on(&self) -> Option<Option<&HashMap<String, AttributeValue>>> {
                match self {
                    Self::ConditionalCheckFailedException(failed) => Some(failed.item()),
                    _ => None,
                }
            }
        })+
    };
}

condition_failure! {
    aws_sdk_dynamodb::operation::update_item::UpdateItemError
    aws_sdk_dynamodb::operation::put_item::PutItemError
    aws_sdk_dynamodb::operation::delete_item::DeleteItemError
}

/// The values of an item's key, as bytes that are the same for the same key only.
fn identity(item: &Item, names: &[&String]) -> Vec<u8> {
    let values = names.iter().map(|name| item.get(*name).map(|value| (value.kind(), value.to_string())));
    format!("{:?}", values.collect::<Vec<_>>()).into_bytes()
}

fn expression(form: &Form) -> Option<String> {
    (!form.expression.is_empty()).then(|| form.expression.clone())
}

fn names(form: &Form) -> Option<HashMap<String, String>> {
    let names = form.names.iter().enumerate().map(|(number, name)| (placeholder('#', number), name.clone()));
    (!form.names.is_empty()).then(|| names.collect())
}

fn values(values: &[Value]) -> Option<HashMap<String, AttributeValue>> {
    let named = values.iter().enumerate().map(|(number, value)| (placeholder(':', number), to_sdk(value)));
    (!values.is_empty()).then(|| named.collect())
}

/// `#7`, `:7`
fn placeholder(sign: char, number: usize) -> String {
    let mut text = String::with_capacity(4);
    text.push(sign);
    match u8::try_from(number) {
        Ok(digit @ 0..=9) => text.push(char::from(b'0' + digit)),
        _ => text.push_str(&number.to_string()),
    }
    text
}

/// An action in the SDK's own type.
pub(crate) fn transaction_item(action: &Action) -> Result<TransactWriteItem, aws_sdk_dynamodb::error::BuildError> {
    let all_old = |form: &Form| form.condition.is_some().then_some(ReturnValuesOnConditionCheckFailure::AllOld);
    Ok(match action {
        Action::Update(update) => {
            let update = SdkUpdate::builder()
                .table_name(&*update.table)
                .set_key(Some(item_to_sdk(&update.key)))
                .update_expression(&update.form.expression)
                .set_condition_expression(update.form.condition.clone())
                .set_expression_attribute_names(names(&update.form))
                .set_expression_attribute_values(values(&update.values))
                .set_return_values_on_condition_check_failure(all_old(&update.form))
                .build()?;
            TransactWriteItem::builder().update(update).build()
        }
        Action::Put(put) => {
            let put = SdkPut::builder()
                .table_name(&*put.table)
                .set_item(Some(item_to_sdk(&put.item)))
                .set_condition_expression(put.form.condition.clone())
                .set_expression_attribute_names(names(&put.form))
                .set_expression_attribute_values(values(&put.values))
                .set_return_values_on_condition_check_failure(all_old(&put.form))
                .build()?;
            TransactWriteItem::builder().put(put).build()
        }
        Action::Delete(delete) => {
            let delete = SdkDelete::builder()
                .table_name(&*delete.table)
                .set_key(Some(item_to_sdk(&delete.key)))
                .set_condition_expression(delete.form.condition.clone())
                .set_expression_attribute_names(names(&delete.form))
                .set_expression_attribute_values(values(&delete.values))
                .set_return_values_on_condition_check_failure(all_old(&delete.form))
                .build()?;
            TransactWriteItem::builder().delete(delete).build()
        }
        Action::Check(check) => {
            let check = ConditionCheck::builder()
                .table_name(&*check.table)
                .set_key(Some(item_to_sdk(&check.key)))
                .set_condition_expression(check.form.condition.clone())
                .set_expression_attribute_names(names(&check.form))
                .set_expression_attribute_values(values(&check.values))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .build()?;
            TransactWriteItem::builder().condition_check(check).build()
        }
    })
}

/// The tables of a transaction, for messages.
fn tables(actions: &[Action]) -> String {
    let mut tables: Vec<&str> = actions.iter().map(|action| &**action.table()).collect();
    tables.sort_unstable();
    tables.dedup();
    tables.join(", ")
}

fn condition_failed<T>(
    item: Option<&HashMap<String, AttributeValue>>,
    answer: impl FnOnce(Option<Item>) -> T,
    failed: impl FnOnce(String) -> T,
) -> T {
    match item.map(item_from_sdk).transpose() {
        Ok(item) => answer(item),
        Err(error) => failed(error.to_string()),
    }
}

/// Codes of cancellation reasons: see `TransactionCanceledException` in the [API reference].
///
/// [API reference]: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
fn cancellation(reason: &CancellationReason) -> Cancellation {
    let code = reason.code().unwrap_or("None");
    let message = match reason.message() {
        Some(message) => format!("{code}: {}", unquoted(message)),
        None => code.to_owned(),
    };
    match code {
        "None" => Cancellation::None,
        "ConditionalCheckFailed" => {
            condition_failed(reason.item(), Cancellation::ConditionFailed, Cancellation::Failed)
        }
        "ItemCollectionSizeLimitExceeded" => Cancellation::Refused(message),
        "ValidationError" if is_about_parent(&message) => Cancellation::NoParent(message),
        "ValidationError" if is_about_data(&message) => Cancellation::Refused(message),
        _ => Cancellation::Failed(message),
    }
}

/// Cancellations that another attempt may get past.
fn is_transient(code: &str) -> bool {
    matches!(code, "TransactionConflict" | "ProvisionedThroughputExceeded" | "ThrottlingError")
}

/// Whether a request that failed for another reason than its condition can ever succeed.
fn judge<E, R>(error: &SdkError<E, R>, table: &str) -> Answer
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    let service = error.as_service_error();
    let validation = service.and_then(|error| error.code()) == Some("ValidationException");
    if validation && service.and_then(|error| error.message()).is_some_and(is_about_parent) {
        return Answer::NoParent(message(error, table));
    }
    if validation && service.and_then(|error| error.message()).is_some_and(is_about_data) {
        Answer::Refused(message(error, table))
    } else {
        Answer::Failed(message(error, table))
    }
}

/// Whether a validation message says that a nested path leads through something that is not there, or is no map.
fn is_about_parent(message: &str) -> bool {
    message.contains("document path provided in the update expression is invalid")
}

/// Whether a validation message is about the values of this one write, and not about how the table or the function is set
/// up. Only what is known to be about values is: everything else comes again, and nothing is given up.
fn is_about_data(message: &str) -> bool {
    const ABOUT_DATA: [&str; 11] = [
        // Keys of indexes.
        "secondary index key",
        "Size of hashkey has exceeded",
        "Size of rangekey has exceeded",
        "incorrect data type",
        "incorrect operand type",
        "Type mismatch",
        "maximum allowed size",
        "Number overflow",
        "Number underflow",
        "significant digits",
        "Nesting Levels have exceeded",
    ];
    !message.contains("Expression size") && ABOUT_DATA.iter().any(|words| message.contains(words))
}

/// An error for people: code, message and table, and what to do where that is plain.
fn message<E, R>(error: &SdkError<E, R>, table: &str) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    let Some(service) = error.as_service_error() else {
        return format!("DynamoDB did not answer ({table}): {}", DisplayErrorContext(error));
    };
    let code = service.code().unwrap_or("an unknown error");
    let text = service.message().unwrap_or("without a message");
    let advice = match code {
        "ResourceNotFoundException" => "; make it with `viewfold tables PROJECTIONS --create`",
        "AccessDeniedException" => "; the function's role does not allow this",
        "ProvisionedThroughputExceededException" | "ThrottlingException" | "RequestLimitExceeded" => {
            "; the table is throttled"
        }
        _ => "",
    };
    format!("{code} ({table}): {}{advice}", unquoted(text))
}

/// The store's words without what it quotes: that may be a value of a document, and messages go into logs.
fn unquoted(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['\'', '"', '`']) {
        let (before, quoted) = rest.split_at(start);
        plain.push_str(before);
        let mark = &quoted[..1];
        // An apostrophe inside of a word quotes nothing.
        let in_word = before.ends_with(char::is_alphanumeric) && quoted[1..].starts_with(char::is_alphanumeric);
        match (in_word, quoted[1..].rfind(mark)) {
            (true, _) => {
                plain.push_str(mark);
                rest = &quoted[1..];
            }
            // To the last one: what is quoted may have quotes of its own.
            (false, Some(end)) => {
                plain.push('…');
                rest = &quoted[1 + end + 1..];
            }
            (false, None) => {
                plain.push('…');
                rest = "";
            }
        }
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::{is_about_data, unquoted};

    #[test]
    fn what_the_store_quotes_is_left_out() {
        for (text, plain) in [
            ("Value 'it's secret' at 'key' is too long", "Value … is too long"),
            ("Member \"a\" can't be", "Member … can't be"),
            ("an open 'quote", "an open …"),
            ("The conditional request failed", "The conditional request failed"),
        ] {
            assert_eq!(unquoted(text), plain);
        }
    }

    #[test]
    fn only_what_is_known_to_be_about_values_is_given_up() {
        for (message, about_data) in [
            ("An operand in the update expression has an incorrect data type", true),
            ("Item size to update has exceeded the maximum allowed size", true),
            ("Number overflow. Attempting to store a number with magnitude larger than supported range", true),
            ("Invalid UpdateExpression: Expression size has exceeded the maximum allowed size;", false),
            ("The provided key element does not match the schema", false),
            ("1 validation error detected", false),
        ] {
            assert_eq!(is_about_data(message), about_data, "{message}");
        }
    }
}
