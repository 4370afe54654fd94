//! Update and condition expressions ([language], [limits]).
//!
//! Every name goes through a `#` placeholder, so that reserved words, dots and any other characters are just names.
//!
//! [language]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
//! [limits]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html

use super::request::{Action, Check, Delete, Put, Update};
use crate::fold::{Effect, Effects};
use crate::mark::Mark;
use crate::program::DocumentPath;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use viewfold_value::{Item, Number, NumberError, Value};

/// The longest expression that is sent, in bytes: DynamoDB takes 4 KB.
const MAX_EXPRESSION_BYTES: usize = 4000;

/// The most operators and functions of an expression that is sent: DynamoDB takes 300.
const MAX_OPERATORS: usize = 280;

/// An update and its condition while they are put together.
#[derive(Default)]
pub(super) struct Writer {
    set: Vec<String>,
    add: Vec<String>,
    remove: Vec<String>,
    delete: Vec<String>,
    conditions: Vec<String>,
    names: Vec<(String, String)>,
    placeholders: HashMap<String, usize>,
    values: Vec<(String, Value)>,
}

impl Writer {
    fn name(&mut self, name: &str) -> String {
        let next = self.names.len();
        let number = *self.placeholders.entry(name.to_owned()).or_insert(next);
        let placeholder = format!("#{number}");
        if number == next {
            self.names.push((placeholder.clone(), name.to_owned()));
        }
        placeholder
    }

    fn path(&mut self, path: &DocumentPath) -> String {
        let names: Vec<String> = path.0.iter().map(|name| self.name(name)).collect();
        names.join(".")
    }

    fn value(&mut self, value: Value) -> String {
        let placeholder = format!(":{}", self.values.len());
        self.values.push((placeholder.clone(), value));
        placeholder
    }

    /// `SET path = value`
    pub(super) fn set(&mut self, path: &DocumentPath, value: Value) {
        let (path, value) = (self.path(path), self.value(value));
        self.set.push(format!("{path} = {value}"));
    }

    /// `REMOVE path`
    pub(super) fn remove(&mut self, path: &DocumentPath) {
        let path = self.path(path);
        self.remove.push(path);
    }

    /// Effects on a document whose parent maps are all there.
    pub(super) fn effects(&mut self, effects: &Effects) {
        for (path, effect) in effects.iter() {
            self.effect(path, effect);
        }
    }

    fn effect(&mut self, at: &DocumentPath, effect: &Effect) {
        let path = self.path(at);
        match effect {
            Effect::Add(number) if at.is_nested() => {
                // `ADD` works on top-level attributes only.
                let zero = self.value(Value::Number(Number::ZERO));
                let number = self.value(Value::Number(*number));
                self.set.push(format!("{path} = if_not_exists({path}, {zero}) + {number}"));
            }
            Effect::Add(number) => {
                let value = self.value(Value::Number(*number));
                self.add.push(format!("{path} {value}"));
            }
            Effect::AddSet(set) => {
                let value = self.value(set.clone());
                self.add.push(format!("{path} {value}"));
            }
            Effect::Set(value) => {
                let value = self.value(value.clone());
                self.set.push(format!("{path} = {value}"));
            }
            Effect::SetOnce(value) => {
                let value = self.value(value.clone());
                self.set.push(format!("{path} = if_not_exists({path}, {value})"));
            }
            Effect::SetOnceThenAdd(first, number) => {
                let first = self.value(Value::Number(*first));
                let number = self.value(Value::Number(*number));
                self.set.push(format!("{path} = if_not_exists({path}, {first}) + {number}"));
            }
            Effect::Append(list) => {
                let empty = self.value(Value::List(Vec::new()));
                let list = self.value(Value::List(list.clone()));
                self.set.push(format!("{path} = list_append(if_not_exists({path}, {empty}), {list})"));
            }
            Effect::Remove => self.remove.push(path),
            Effect::RemoveFrom(set) => {
                let set = self.value(set.clone());
                self.delete.push(format!("{path} {set}"));
            }
        }
    }

    /// Effects on a document none of whose maps on the way to nested attributes is there: each map is set as a whole,
    /// under the condition that it is not there. False where that cannot be said: the document has to be read.
    #[must_use]
    pub(super) fn effects_with_maps(&mut self, effects: &Effects) -> bool {
        let mut maps: BTreeMap<&str, Item> = BTreeMap::new();
        for (path, effect) in effects.iter() {
            if !path.is_nested() {
                self.effect(path, effect);
                continue;
            }
            // What is removed may have been put there by an event before: whether its maps are made is not known.
            let Ok(Some(value)) = alone(effect) else { return false };
            if path.set(maps.entry(path.root()).or_default(), value).is_err() {
                return false;
            }
        }
        for (root, mut map) in maps {
            let path = DocumentPath::attribute(root);
            let name = self.path(&path);
            self.conditions.push(format!("attribute_not_exists({name})"));
            if let Some(value) = map.remove(root) {
                self.set(&path, value);
            }
        }
        true
    }

    /// The condition that no item is there; `key` is a key attribute.
    pub(super) fn require_no_item(&mut self, key: &str) {
        let name = self.name(key);
        self.conditions.push(format!("attribute_not_exists({name})"));
    }

    /// The condition that an item is there; `key` is a key attribute.
    pub(super) fn require_item(&mut self, key: &str) {
        let name = self.name(key);
        self.conditions.push(format!("attribute_exists({name})"));
    }

    /// The condition that what stands at a path is what was read.
    pub(super) fn require_unchanged(&mut self, path: &DocumentPath, read: Option<&Value>) {
        let condition = match read {
            None => format!("attribute_not_exists({})", self.path(path)),
            Some(value) => {
                let (path, value) = (self.path(path), self.value(value.clone()));
                format!("{path} = {value}")
            }
        };
        self.conditions.push(condition);
    }

    /// The condition that a mark is not there, or of the same stream and below `first`: then none of the events from
    /// `first` on has been applied. When it fails, the item that comes back says which ones have.
    pub(super) fn require_below(&mut self, at: &DocumentPath, first: &Mark) {
        let mark = self.path(at);
        let below = self.value(Value::String(first.text.clone()));
        let condition = match first.identity() {
            Some(identity) => {
                let identity = self.value(Value::from(identity));
                format!("(attribute_not_exists({mark}) OR ({mark} >= {identity} AND {mark} < {below}))")
            }
            None => format!("(attribute_not_exists({mark}) OR {mark} < {below})"),
        };
        self.conditions.push(condition);
    }

    fn condition(conditions: &[String]) -> Option<String> {
        (!conditions.is_empty()).then(|| conditions.join(" AND "))
    }

    /// Whether the update would change nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.add.is_empty() && self.remove.is_empty() && self.delete.is_empty()
    }

    /// The update of an item.
    pub(super) fn update(self, table: &Arc<str>, key: Item) -> Action {
        let clauses = [("SET", self.set), ("ADD", self.add), ("REMOVE", self.remove), ("DELETE", self.delete)];
        let clauses = clauses.into_iter().filter(|(_, parts)| !parts.is_empty());
        let expression: Vec<String> = clauses.map(|(word, parts)| format!("{word} {}", parts.join(", "))).collect();
        Action::Update(Update {
            table: Arc::clone(table),
            key,
            expression: expression.join(" "),
            condition: Writer::condition(&self.conditions),
            names: self.names,
            values: self.values,
        })
    }

    /// The removal of an item, under the writer's conditions.
    pub(super) fn removal(self, table: &Arc<str>, key: Item) -> Action {
        Action::Delete(Delete {
            table: Arc::clone(table),
            key,
            condition: Writer::condition(&self.conditions),
            names: self.names,
            values: self.values,
        })
    }

    /// The writer's conditions alone; of a transaction.
    pub(super) fn check(self, table: &Arc<str>, key: Item) -> Action {
        Action::Check(Check {
            table: Arc::clone(table),
            key,
            condition: self.conditions.join(" AND "),
            names: self.names,
            values: self.values,
        })
    }

    /// A whole item, under the writer's conditions.
    pub(super) fn put(self, table: &Arc<str>, item: Item) -> Action {
        Action::Put(Put {
            table: Arc::clone(table),
            item,
            condition: Writer::condition(&self.conditions),
            names: self.names,
            values: self.values,
        })
    }
}

/// What an effect leaves where nothing was.
fn alone(effect: &Effect) -> Result<Option<Value>, NumberError> {
    Ok(match effect {
        Effect::Add(number) => Some(Value::Number(*number)),
        Effect::AddSet(value) | Effect::Set(value) | Effect::SetOnce(value) => Some(value.clone()),
        Effect::SetOnceThenAdd(first, number) => Some(Value::Number(first.checked_add(*number)?)),
        Effect::Append(list) => Some(Value::List(list.clone())),
        Effect::Remove | Effect::RemoveFrom(_) => None,
    })
}

/// Whether DynamoDB takes the action's expressions.
pub(super) fn fits(action: &Action) -> bool {
    let fits = |expression: &str| {
        let operators = expression.matches(['=', '<', '>', '+', '(', '.', ',']).count();
        expression.len() <= MAX_EXPRESSION_BYTES && operators + expression.matches("AND").count() <= MAX_OPERATORS
    };
    let condition = match action {
        Action::Update(update) => {
            if !fits(&update.expression) {
                return false;
            }
            &update.condition
        }
        Action::Put(put) => &put.condition,
        Action::Delete(delete) => &delete.condition,
        Action::Check(check) => return fits(&check.condition),
    };
    condition.as_deref().is_none_or(fits)
}
