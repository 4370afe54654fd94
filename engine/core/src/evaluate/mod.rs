//! A matching rule and an event to the change of a document.
//!
//! [`term`] gives terms their values, [`change`] makes changes of rules: key, conditions, operations.

mod change;
mod operation;
mod term;

pub use change::{Change, Contribution, Deferred, Failure, changes, contribution, deferred_operations};
pub(crate) use operation::check_ttl;
pub use operation::{Append, Operation, Operations};
pub use term::{Scope, evaluate};

use crate::program::Projection;
use crate::sorted_map::Attributes;
use std::sync::Arc;
use viewfold_value::{Item, Value};

/// The key of a document: a value for each key attribute of its table, in the table's order. They are shared by all that have
/// the key.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct DocumentKey(pub Arc<[Value]>);

impl DocumentKey {
    /// The key as attributes of the projection's table.
    pub fn item(&self, projection: &Projection) -> Item {
        self.named(projection).collect()
    }

    /// The same in one piece of memory.
    pub fn attributes(&self, projection: &Projection) -> Attributes {
        let mut attributes = Attributes::with_capacity(self.0.len());
        attributes.extend(self.named(projection));
        attributes
    }

    fn named(&self, projection: &Projection) -> impl Iterator<Item = (String, Value)> {
        projection.table.keys().zip(self.0.iter()).map(|(key, value)| (key.name.clone(), value.clone()))
    }

    /// The key as one text, for bookkeeping: the same text for the same key only.
    pub fn text(&self) -> String {
        Value::List(self.0.to_vec()).to_string()
    }

    /// The key for people: its attributes as JSON.
    pub fn shown(&self, projection: &Projection) -> String {
        Value::Map(self.item(projection)).to_string()
    }

    /// The key that a text of [`DocumentKey::text`] stands for; nothing where it is none.
    pub fn parse(text: &str) -> Option<DocumentKey> {
        match viewfold_value::json::parse(text.as_bytes()) {
            Ok(Value::List(parts)) => Some(DocumentKey(parts.into())),
            _ => None,
        }
    }
}
