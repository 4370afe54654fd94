//! Requests to the store and its answers, in the engine's own terms.

use crate::sorted_map::Attributes;
use std::sync::Arc;
use viewfold_value::{Item, Value};

/// One request.
#[derive(Clone, PartialEq, Debug)]
pub enum Request {
    /// `BatchGetItem`, read consistently: at most 100 items.
    Read(Vec<ItemKey>),
    /// `Query` of all items of a partition, read consistently, at most so many.
    Query {
        /// The table.
        table: Arc<str>,
        /// The name and value of the partition key.
        partition: (String, Value),
        /// The most items to return.
        limit: usize,
        /// The attributes to return; all of them where none is named.
        attributes: &'static [&'static str],
    },
    /// `UpdateItem`, `PutItem` or `DeleteItem`.
    Write(Action),
    /// `TransactWriteItems`: at most 100 actions on as many items.
    Transact(Vec<Action>),
}

/// An item by its key.
#[derive(Clone, PartialEq, Debug)]
pub struct ItemKey {
    /// The table.
    pub table: Arc<str>,
    /// The key attributes.
    pub key: Item,
}

/// One action, alone or of a transaction.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// `Update`
    Update(Update),
    /// `Put`
    Put(Put),
    /// `Delete`
    Delete(Delete),
    /// `ConditionCheck`, of a transaction
    Check(Check),
}

/// What a write says as text. Writes of one form differ in their tables, keys and values.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Form {
    /// The update expression; empty where nothing is updated.
    pub expression: String,
    /// The condition expression.
    pub condition: Option<String>,
    /// The names behind the placeholders `#0`, `#1` and so on of both expressions.
    pub names: Vec<String>,
}

/// An update of one item.
#[derive(Clone, PartialEq, Debug)]
pub struct Update {
    /// The table.
    pub table: Arc<str>,
    /// The item's key.
    pub key: Attributes,
    /// Its expressions.
    pub form: Arc<Form>,
    /// The values behind the placeholders `:0`, `:1` and so on.
    pub values: Vec<Value>,
}

/// A whole item.
#[derive(Clone, PartialEq, Debug)]
pub struct Put {
    /// The table.
    pub table: Arc<str>,
    /// The whole item.
    pub item: Attributes,
    /// Its expressions.
    pub form: Arc<Form>,
    /// The values behind the placeholders `:0`, `:1` and so on.
    pub values: Vec<Value>,
}

impl Put {
    /// A new item: no item with its key may be there. `key` is one of the item's key attributes.
    pub fn new_item(table: Arc<str>, item: impl Into<Attributes>, key: &str) -> Put {
        let condition = Some("attribute_not_exists(#0)".to_owned());
        let form = Form { expression: String::new(), condition, names: vec![key.to_owned()] };
        Put { table, item: item.into(), form: Arc::new(form), values: Vec::new() }
    }
}

/// The removal of an item.
#[derive(Clone, PartialEq, Debug)]
pub struct Delete {
    /// The table.
    pub table: Arc<str>,
    /// The item's key.
    pub key: Attributes,
    /// Its expressions.
    pub form: Arc<Form>,
    /// The values behind the placeholders `:0`, `:1` and so on.
    pub values: Vec<Value>,
}

/// A condition on an item that is not written.
#[derive(Clone, PartialEq, Debug)]
pub struct Check {
    /// The table.
    pub table: Arc<str>,
    /// The item's key.
    pub key: Attributes,
    /// Its expressions.
    pub form: Arc<Form>,
    /// The values behind the placeholders `:0`, `:1` and so on.
    pub values: Vec<Value>,
}

impl Request {
    /// Whether it changes anything.
    pub fn writes(&self) -> bool {
        matches!(self, Request::Write(_) | Request::Transact(_))
    }
}

impl Action {
    /// The table that the action writes to.
    pub fn table(&self) -> &Arc<str> {
        match self {
            Action::Update(update) => &update.table,
            Action::Put(put) => &put.table,
            Action::Delete(delete) => &delete.table,
            Action::Check(check) => &check.table,
        }
    }

    /// The action's expressions.
    pub fn form(&self) -> &Form {
        match self {
            Action::Update(update) => &update.form,
            Action::Put(put) => &put.form,
            Action::Delete(delete) => &delete.form,
            Action::Check(check) => &check.form,
        }
    }
}

/// What became of a request.
#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// It was carried out.
    Done,
    /// The items that were asked for, in the order of the request; nothing where there is none.
    Items(Vec<Option<Item>>),
    /// All items of the partition; nothing where there are more than asked for.
    Rows(Option<Vec<Item>>),
    /// Its condition did not hold; the item as it is, if the store says (`ALL_OLD`).
    ConditionFailed(Option<Item>),
    /// A nested path leads through a map that is not there.
    NoParent(String),
    /// The transaction was cancelled; why, for each of its actions.
    Cancelled(Vec<Cancellation>),
    /// The store can never take it: the item would be too large, an attribute is of another type, a number overflows.
    Refused(String),
    /// The store could not take it now, or nobody knows whether it did.
    Failed(String),
}

impl Answer {
    /// What it is, for logs: nothing of an item is in it, nor the store's own words, which may quote a value.
    pub fn kind(&self) -> &'static str {
        match self {
            Answer::Done => "done",
            Answer::Items(_) => "items",
            Answer::Rows(_) => "rows",
            Answer::ConditionFailed(_) => "its condition did not hold",
            Answer::NoParent(_) => "a map on the way to a nested attribute is not there",
            Answer::Cancelled(_) => "the transaction was cancelled",
            Answer::Refused(_) => "the store can never take it",
            Answer::Failed(_) => "the store could not take it now",
        }
    }
}

impl Cancellation {
    /// As [`Answer::kind`].
    pub fn kind(&self) -> &'static str {
        match self {
            Cancellation::None => "nothing against it",
            Cancellation::ConditionFailed(_) => "its condition did not hold",
            Cancellation::NoParent(_) => "a map on the way to a nested attribute is not there",
            Cancellation::Refused(_) => "the store can never take it",
            Cancellation::Failed(_) => "the store could not take it now",
        }
    }
}

/// An action's part in the cancellation of its transaction.
#[derive(Clone, PartialEq, Debug)]
pub enum Cancellation {
    /// None: another action is to blame.
    None,
    /// Its condition did not hold.
    ConditionFailed(Option<Item>),
    /// A nested path leads through a map that is not there.
    NoParent(String),
    /// The store can never take it.
    Refused(String),
    /// The store could not take it now.
    Failed(String),
}
