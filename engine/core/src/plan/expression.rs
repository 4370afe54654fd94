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
use foldhash::HashMap;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use viewfold_value::{Item, Number, NumberError, Value};

/// The longest expression that is sent, in bytes: DynamoDB takes 4 KB.
const MAX_EXPRESSION_BYTES: usize = 4000;

/// The most operators and functions of an expression that is sent: DynamoDB takes 300.
const MAX_OPERATORS: usize = 280;

/// An update and its condition while they are put together.
#[derive(Default)]
pub(super) struct Writer {
    set: String,
    add: String,
    remove: String,
    delete: String,
    conditions: String,
    names: Vec<(String, String)>,
    /// The numbers of the names, once there are so many that looking through them would take long.
    numbers: HashMap<String, usize>,
    values: Vec<(String, Value)>,
}

/// As many names are looked through one by one.
const FEW: usize = 16;

impl Writer {
    /// The number of a name's placeholder.
    fn number(&mut self, name: &str) -> usize {
        let next = self.names.len();
        let known = match next <= FEW {
            true => self.names.iter().position(|(_, own)| own == name),
            false => self.numbers.get(name).copied(),
        };
        if let Some(number) = known {
            return number;
        }
        self.names.push((placeholder('#', next), name.to_owned()));
        if next == FEW {
            self.numbers = self.names.iter().enumerate().map(|(number, (_, name))| (name.clone(), number)).collect();
        } else if next > FEW {
            self.numbers.insert(name.to_owned(), next);
        }
        next
    }

    fn name(&mut self, name: &str) -> String {
        placeholder('#', self.number(name))
    }

    fn path(&mut self, path: &DocumentPath) -> String {
        let mut text = String::with_capacity(4 * path.0.len());
        for name in path.0.iter() {
            if !text.is_empty() {
                text.push('.');
            }
            push_placeholder(&mut text, '#', self.number(name));
        }
        text
    }

    fn value(&mut self, value: Value) -> String {
        let number = self.values.len();
        self.values.push((placeholder(':', number), value));
        placeholder(':', number)
    }

    /// `SET path = value`
    pub(super) fn set(&mut self, path: &DocumentPath, value: Value) {
        let (path, value) = (self.path(path), self.value(value));
        add(&mut self.set, ", ", &[&path, " = ", &value]);
    }

    /// `REMOVE path`
    pub(super) fn remove(&mut self, path: &DocumentPath) {
        let path = self.path(path);
        add(&mut self.remove, ", ", &[&path]);
    }

    /// One more condition.
    fn require(&mut self, parts: &[&str]) {
        add(&mut self.conditions, " AND ", parts);
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
                add(&mut self.set, ", ", &[&path, " = if_not_exists(", &path, ", ", &zero, ") + ", &number]);
            }
            Effect::Add(number) => {
                let value = self.value(Value::Number(*number));
                add(&mut self.add, ", ", &[&path, " ", &value]);
            }
            Effect::AddSet(set) => {
                let value = self.value(set.clone());
                add(&mut self.add, ", ", &[&path, " ", &value]);
            }
            Effect::Set(value) => {
                let value = self.value(value.clone());
                add(&mut self.set, ", ", &[&path, " = ", &value]);
            }
            Effect::SetOnce(value) => {
                let value = self.value(value.clone());
                add(&mut self.set, ", ", &[&path, " = if_not_exists(", &path, ", ", &value, ")"]);
            }
            Effect::SetOnceThenAdd(first, number) => {
                let first = self.value(Value::Number(*first));
                let number = self.value(Value::Number(*number));
                add(&mut self.set, ", ", &[&path, " = if_not_exists(", &path, ", ", &first, ") + ", &number]);
            }
            Effect::Append(list) => {
                let empty = self.value(Value::List(Vec::new()));
                let list = self.value(Value::List(list.clone()));
                let parts = [&path, " = list_append(if_not_exists(", &path, ", ", &empty, "), ", &list, ")"];
                add(&mut self.set, ", ", &parts);
            }
            Effect::Remove => add(&mut self.remove, ", ", &[&path]),
            Effect::RemoveFrom(set) => {
                let set = self.value(set.clone());
                add(&mut self.delete, ", ", &[&path, " ", &set]);
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
            self.require(&["attribute_not_exists(", &name, ")"]);
            if let Some(value) = map.remove(root) {
                self.set(&path, value);
            }
        }
        true
    }

    /// The condition that no item is there; `key` is a key attribute.
    pub(super) fn require_no_item(&mut self, key: &str) {
        let name = self.name(key);
        self.require(&["attribute_not_exists(", &name, ")"]);
    }

    /// The condition that an item is there; `key` is a key attribute.
    pub(super) fn require_item(&mut self, key: &str) {
        let name = self.name(key);
        self.require(&["attribute_exists(", &name, ")"]);
    }

    /// The condition that what stands at a path is what was read.
    pub(super) fn require_unchanged(&mut self, path: &DocumentPath, read: Option<&Value>) {
        let path = self.path(path);
        match read {
            None => self.require(&["attribute_not_exists(", &path, ")"]),
            Some(value) => {
                let value = self.value(value.clone());
                self.require(&[&path, " = ", &value]);
            }
        }
    }

    /// The condition that a mark is not there, or of the same stream and below `first`: then none of the events from
    /// `first` on has been applied. When it fails, the item that comes back says which ones have.
    pub(super) fn require_below(&mut self, at: &DocumentPath, first: &Mark) {
        let mark = self.path(at);
        let below = self.value(Value::String(first.text.clone()));
        let missing = ["(attribute_not_exists(", &mark, ") OR "].concat();
        match first.identity() {
            Some(identity) => {
                let identity = self.value(Value::from(identity));
                self.require(&[&missing, "(", &mark, " >= ", &identity, " AND ", &mark, " < ", &below, "))"]);
            }
            None => self.require(&[&missing, &mark, " < ", &below, ")"]),
        }
    }

    fn condition(conditions: String) -> Option<String> {
        (!conditions.is_empty()).then_some(conditions)
    }

    /// Whether the update would change nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.add.is_empty() && self.remove.is_empty() && self.delete.is_empty()
    }

    /// The update of an item.
    pub(super) fn update(self, table: &Arc<str>, key: Item) -> Action {
        let clauses = [("SET", self.set), ("ADD", self.add), ("REMOVE", self.remove), ("DELETE", self.delete)];
        let mut expression =
            String::with_capacity(clauses.iter().map(|(word, text)| word.len() + text.len() + 2).sum());
        for (word, text) in clauses.iter().filter(|(_, text)| !text.is_empty()) {
            add(&mut expression, " ", &[word, " ", text]);
        }
        Action::Update(Update {
            table: Arc::clone(table),
            key,
            expression,
            condition: Writer::condition(self.conditions),
            names: self.names,
            values: self.values,
        })
    }

    /// The removal of an item, under the writer's conditions.
    pub(super) fn removal(self, table: &Arc<str>, key: Item) -> Action {
        Action::Delete(Delete {
            table: Arc::clone(table),
            key,
            condition: Writer::condition(self.conditions),
            names: self.names,
            values: self.values,
        })
    }

    /// The writer's conditions alone; of a transaction.
    pub(super) fn check(self, table: &Arc<str>, key: Item) -> Action {
        Action::Check(Check {
            table: Arc::clone(table),
            key,
            condition: self.conditions,
            names: self.names,
            values: self.values,
        })
    }

    /// A whole item, under the writer's conditions.
    pub(super) fn put(self, table: &Arc<str>, item: Item) -> Action {
        Action::Put(Put {
            table: Arc::clone(table),
            item,
            condition: Writer::condition(self.conditions),
            names: self.names,
            values: self.values,
        })
    }
}

/// Adds a part to a list, in one piece.
fn add(list: &mut String, separator: &str, parts: &[&str]) {
    let start = if list.is_empty() { "" } else { separator };
    list.reserve(start.len() + parts.iter().map(|part| part.len()).sum::<usize>());
    list.push_str(start);
    parts.iter().for_each(|part| list.push_str(part));
}

/// `#7`, `:7`
fn placeholder(sign: char, number: usize) -> String {
    let mut text = String::with_capacity(4);
    push_placeholder(&mut text, sign, number);
    text
}

fn push_placeholder(text: &mut String, sign: char, number: usize) {
    text.push(sign);
    match u8::try_from(number) {
        Ok(digit @ 0..=9) => text.push(char::from(b'0' + digit)),
        // Writing into a String cannot fail.
        _ => drop(write!(text, "{number}")),
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
        // An operator is a byte at least.
        if expression.len() <= MAX_OPERATORS {
            return true;
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// However many names there are, each has one placeholder of its own.
        #[test]
        fn a_placeholder_stands_for_one_name(names in prop::collection::vec("[a-c]{1,3}", 0..80)) {
            let mut writer = Writer::default();
            for name in &names {
                let number = writer.number(name);
                prop_assert_eq!(&writer.names[number], &(format!("#{number}"), name.clone()));
            }
            let different: std::collections::BTreeSet<&String> = names.iter().collect();
            prop_assert_eq!(writer.names.len(), different.len());
        }
    }

    #[test]
    fn clauses_and_conditions_are_put_together() {
        let path = |names: &[&str]| DocumentPath::from(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        let mut writer = Writer::default();
        writer.set(&path(&["a", "b"]), Value::Null);
        writer.remove(&path(&["c"]));
        writer.set(&path(&["c"]), Value::Null);
        writer.require_unchanged(&path(&["a"]), None);
        writer.require_unchanged(&path(&["d"]), Some(&Value::Null));
        let Action::Update(update) = writer.update(&Arc::from("T"), Item::new()) else { panic!("an update") };
        assert_eq!(update.expression, "SET #0.#1 = :0, #2 = :1 REMOVE #2");
        assert_eq!(update.condition.as_deref(), Some("attribute_not_exists(#0) AND #3 = :2"));
    }
}
