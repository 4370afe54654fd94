//! Requests to the store and its answers, in the engine's own terms.

use std::sync::Arc;
use viewfold_value::{Item, Value};

/// One request.
#[derive(Clone, PartialEq, Debug)]
pub enum Request {
    /// `UpdateItem`
    Update(Update),
    /// `TransactWriteItems`: at most 100 actions on as many items.
    Transact(Vec<Action>),
}

/// One action of a transaction.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// `Update`
    Update(Update),
    /// `Put`
    Put(Put),
}

/// An update of one item.
#[derive(Clone, PartialEq, Debug)]
pub struct Update {
    /// The table.
    pub table: Arc<str>,
    /// The item's key.
    pub key: Item,
    /// The update expression.
    pub expression: String,
    /// The condition expression.
    pub condition: Option<String>,
    /// The names behind the `#…` placeholders.
    pub names: Vec<(String, String)>,
    /// The values behind the `:…` placeholders.
    pub values: Vec<(String, Value)>,
}

/// A new item.
#[derive(Clone, PartialEq, Debug)]
pub struct Put {
    /// The table.
    pub table: Arc<str>,
    /// The whole item.
    pub item: Item,
    /// An attribute of the item's key: the condition is that no item has it yet.
    pub unless_exists: &'static str,
}

/// What became of a request.
#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// It was carried out.
    Done,
    /// Its condition did not hold; the item as it is, if the store says (`ALL_OLD`).
    ConditionFailed(Option<Item>),
    /// The transaction was cancelled; why, for each of its actions.
    Cancelled(Vec<Cancellation>),
    /// The store can never take it: the item would be too large, an attribute is of another type, a number overflows.
    Refused(String),
    /// The store could not take it now, or nobody knows whether it did.
    Failed(String),
}

/// An action's part in the cancellation of its transaction.
#[derive(Clone, PartialEq, Debug)]
pub enum Cancellation {
    /// None: another action is to blame.
    None,
    /// Its condition did not hold.
    ConditionFailed(Option<Item>),
    /// The store can never take it.
    Refused(String),
    /// The store could not take it now.
    Failed(String),
}
