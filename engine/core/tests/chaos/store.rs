//! A DynamoDB in memory, as far as the engine's requests go: items, update and condition expressions, transactions. What it
//! does with an expression is written from the developer guide, and shares nothing with the engine but its types.

use std::collections::BTreeMap;
use std::sync::Arc;
use viewfold_core::plan::{Action, Answer, Cancellation, Check, Delete, Put, Request, Update};
use viewfold_core::program::Program;
use viewfold_core::tables::required;
use viewfold_value::{Item, Number, Value};

/// The tables, each with the names of its key attributes and its items.
#[derive(Clone, Default)]
pub(crate) struct Store {
    tables: BTreeMap<Arc<str>, (Vec<String>, Items)>,
}

/// Items by the values of their key attributes.
type Items = BTreeMap<Vec<Value>, Item>;

/// Why an action is not carried out.
enum Fault {
    Condition(Option<Item>),
    NoParent,
    Refused(&'static str),
}

type Path = Vec<String>;

impl Store {
    /// The tables that a program needs, empty.
    pub(crate) fn of(program: &Program) -> Store {
        let mut store = Store::default();
        for needed in required(program) {
            let keys = needed.table.keys().map(|key| key.name.clone()).collect();
            store.tables.insert(Arc::clone(&needed.table.name), (keys, BTreeMap::new()));
        }
        store
    }

    /// All items of a table.
    pub(crate) fn items(&self, table: &str) -> Vec<&Item> {
        self.tables[table].1.values().collect()
    }

    /// Puts or changes an attribute of an item, as another writer does.
    pub(crate) fn touch(&mut self, table: &str, key: &Item, name: &str, value: Value) {
        let key_of = self.key(table, key);
        let items = &mut self.tables.get_mut(table).expect("a table").1;
        items.entry(key_of).or_insert_with(|| key.clone()).insert(name.to_owned(), value);
    }

    fn key(&self, table: &str, item: &Item) -> Vec<Value> {
        self.tables[table].0.iter().map(|name| item[name].clone()).collect()
    }

    /// Carries a request out.
    pub(crate) fn send(&mut self, request: &Request) -> Answer {
        match request {
            Request::Read(keys) => {
                assert!(keys.len() <= 100, "a read of {} items", keys.len());
                for (number, key) in keys.iter().enumerate() {
                    // DynamoDB refuses the whole read.
                    assert!(!keys[..number].contains(key), "a read of one item twice: {key:?}");
                }
                let items =
                    keys.iter().map(|key| self.tables[&key.table].1.get(&self.key(&key.table, &key.key)).cloned());
                Answer::Items(items.collect())
            }
            Request::Query { table, partition: (name, value), limit, .. } => {
                let rows: Vec<Item> =
                    self.tables[table].1.values().filter(|item| item.get(name) == Some(value)).cloned().collect();
                Answer::Rows((rows.len() <= *limit).then_some(rows))
            }
            Request::Write(action) => match self.act(action) {
                Ok(()) => Answer::Done,
                Err(Fault::Condition(item)) => Answer::ConditionFailed(item),
                Err(Fault::NoParent) => Answer::NoParent("the path is invalid".into()),
                Err(Fault::Refused(why)) => Answer::Refused(why.into()),
            },
            Request::Transact(actions) => {
                assert!(actions.len() <= 100, "a transaction of {} actions", actions.len());
                let mut met: Vec<(Arc<str>, Vec<Value>)> = Vec::new();
                let mut after = self.clone();
                let mut reasons = Vec::new();
                for action in actions {
                    let key = match action {
                        Action::Update(Update { key, .. }) | Action::Delete(Delete { key, .. }) => key,
                        Action::Put(Put { item, .. }) => item,
                        Action::Check(check) => &check.key,
                    };
                    let key: Item = key.clone().into_iter().collect();
                    let item = (Arc::clone(action.table()), self.key(action.table(), &key));
                    assert!(!met.contains(&item), "two actions on one item: {item:?}");
                    met.push(item);
                    reasons.push(match after.act(action) {
                        Ok(()) => Cancellation::None,
                        Err(Fault::Condition(item)) => Cancellation::ConditionFailed(item),
                        Err(Fault::NoParent) => Cancellation::NoParent("the path is invalid".into()),
                        Err(Fault::Refused(why)) => Cancellation::Refused(why.into()),
                    });
                }
                if reasons.iter().all(|reason| *reason == Cancellation::None) {
                    *self = after;
                    Answer::Done
                } else {
                    Answer::Cancelled(reasons)
                }
            }
        }
    }

    fn act(&mut self, action: &Action) -> Result<(), Fault> {
        let (table, key, values) = match action {
            Action::Update(Update { table, key, values, .. })
            | Action::Delete(Delete { table, key, values, .. })
            | Action::Check(Check { table, key, values, .. }) => (table, key, values),
            Action::Put(Put { table, item, values, .. }) => (table, item, values),
        };
        let form = action.form();
        let key: Item = key.clone().into_iter().collect();
        let id = self.key(table, &key);
        let before = self.tables[table].1.get(&id).cloned();
        let empty = Item::new();
        let scope = Scope { item: before.as_ref().unwrap_or(&empty), names: &form.names, values };
        if let Some(condition) = &form.condition
            && !scope.condition(condition)
        {
            return Err(Fault::Condition(before));
        }
        let after = match action {
            Action::Check(_) => return Ok(()),
            Action::Delete(_) => None,
            Action::Put(put) => Some(put.item.clone().into_iter().collect()),
            Action::Update(_) => {
                let mut after = before.clone().unwrap_or(key);
                scope.update(&form.expression, &mut after)?;
                Some(after)
            }
        };
        let items = &mut self.tables.get_mut(table).expect("a table").1;
        match after {
            Some(item) => drop(items.insert(id, item)),
            None => drop(items.remove(&id)),
        }
        Ok(())
    }
}

/// The number of a placeholder.
fn placed(text: &str, sign: char) -> Option<usize> {
    text.strip_prefix(sign)?.parse().ok()
}

/// An item before an action, and the placeholders of its expressions.
struct Scope<'a> {
    item: &'a Item,
    names: &'a [String],
    values: &'a [Value],
}

impl Scope<'_> {
    fn path(&self, text: &str) -> Path {
        let name = |part: &str| {
            let found = placed(part, '#').and_then(|number| self.names.get(number));
            found.unwrap_or_else(|| panic!("no name {part}")).clone()
        };
        text.trim().split('.').map(name).collect()
    }

    fn value(&self, text: &str) -> &Value {
        let found = placed(text.trim(), ':').and_then(|number| self.values.get(number));
        found.unwrap_or_else(|| panic!("no value {text}"))
    }

    fn get(&self, path: &Path) -> Option<&Value> {
        let mut value = self.item.get(&path[0])?;
        for name in &path[1..] {
            let Value::Map(map) = value else { return None };
            value = map.get(name)?;
        }
        Some(value)
    }

    /// The engine's conditions: comparisons, `attribute_exists`, `attribute_not_exists`, joined by AND, and OR in
    /// parentheses.
    fn condition(&self, text: &str) -> bool {
        let text = text.trim();
        let parts = split(text, " AND ");
        if parts.len() > 1 {
            return parts.into_iter().all(|part| self.condition(part));
        }
        let parts = split(text, " OR ");
        if parts.len() > 1 {
            return parts.into_iter().any(|part| self.condition(part));
        }
        if let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            return self.condition(inner);
        }
        if let Some(path) = text.strip_prefix("attribute_exists(").and_then(|rest| rest.strip_suffix(')')) {
            return self.get(&self.path(path)).is_some();
        }
        if let Some(path) = text.strip_prefix("attribute_not_exists(").and_then(|rest| rest.strip_suffix(')')) {
            return self.get(&self.path(path)).is_none();
        }
        for (word, holds) in [
            (">=", (|a: &Value, b: &Value| a >= b) as fn(&Value, &Value) -> bool),
            ("<", |a, b| a < b),
            ("=", |a, b| a == b),
        ] {
            if let Some((path, value)) = text.split_once(&format!(" {word} ")) {
                let (found, value) = (self.get(&self.path(path)), self.value(value));
                return found.is_some_and(|found| found.kind() == value.kind() && holds(found, value));
            }
        }
        panic!("a condition that this store does not know: {text}");
    }

    /// All parts see the item as it was.
    fn update(&self, expression: &str, after: &mut Item) -> Result<(), Fault> {
        let mut met: Vec<Path> = Vec::new();
        for (clause, part) in clauses(expression) {
            let (path, rest) = part.trim().split_once(' ').unwrap_or((part.trim(), ""));
            let path = self.path(path);
            assert!(
                !met.iter().any(|other| other.starts_with(&path) || path.starts_with(other)),
                "paths overlap: {expression} {:?}",
                self.names
            );
            met.push(path.clone());
            let before = self.get(&path);
            let value = match clause {
                "SET" => Some(self.operand(rest.trim_start_matches("= "))?),
                "REMOVE" => None,
                "ADD" => {
                    assert_eq!(path.len(), 1, "ADD of a nested attribute");
                    Some(match (before, self.value(rest)) {
                        (None, value) => value.clone(),
                        (Some(Value::Number(a)), Value::Number(b)) => add(*a, *b)?,
                        (Some(Value::StringSet(a)), Value::StringSet(b)) => Value::StringSet(a | b),
                        (Some(Value::NumberSet(a)), Value::NumberSet(b)) => Value::NumberSet(a | b),
                        _ => return Err(Fault::Refused("incorrect data type")),
                    })
                }
                "DELETE" => match (before, self.value(rest)) {
                    (None, _) => None,
                    (Some(Value::StringSet(a)), Value::StringSet(b)) => {
                        let rest = a - b;
                        (!rest.is_empty()).then_some(Value::StringSet(rest))
                    }
                    (Some(Value::NumberSet(a)), Value::NumberSet(b)) => {
                        let rest = a - b;
                        (!rest.is_empty()).then_some(Value::NumberSet(rest))
                    }
                    _ => return Err(Fault::Refused("incorrect data type")),
                },
                other => panic!("{other}"),
            };
            let mut map = &mut *after;
            for name in &path[..path.len() - 1] {
                map = match map.get_mut(name) {
                    Some(Value::Map(next)) => next,
                    _ => return Err(Fault::NoParent),
                };
            }
            match value {
                Some(value) => drop(map.insert(path[path.len() - 1].clone(), value)),
                None => drop(map.remove(&path[path.len() - 1])),
            }
        }
        Ok(())
    }

    /// `:v`, `if_not_exists(p, :v)`, `list_append(a, b)`, `a + b`.
    fn operand(&self, text: &str) -> Result<Value, Fault> {
        let text = text.trim();
        let sum = split(text, " + ");
        if let [a, b] = sum[..] {
            return match (self.operand(a)?, self.operand(b)?) {
                (Value::Number(a), Value::Number(b)) => add(a, b),
                _ => Err(Fault::Refused("incorrect operand type")),
            };
        }
        if let Some(inner) = text.strip_prefix("if_not_exists(").and_then(|rest| rest.strip_suffix(')')) {
            let (path, value) = inner.split_once(", ").expect("two operands");
            return match self.get(&self.path(path)) {
                Some(value) => Ok(value.clone()),
                None => self.operand(value),
            };
        }
        if let Some(inner) = text.strip_prefix("list_append(").and_then(|rest| rest.strip_suffix(')')) {
            let [a, b] = split(inner, ", ")[..] else { panic!("two operands: {text}") };
            return match (self.operand(a)?, self.operand(b)?) {
                (Value::List(a), Value::List(b)) => Ok(Value::List([a, b].concat())),
                _ => Err(Fault::Refused("incorrect operand type")),
            };
        }
        Ok(self.value(text).clone())
    }
}

fn add(a: Number, b: Number) -> Result<Value, Fault> {
    a.checked_add(b).map(Value::Number).map_err(|_| Fault::Refused("Number overflow"))
}

/// The parts of a text between separators that stand outside of parentheses.
fn split<'t>(text: &'t str, separator: &str) -> Vec<&'t str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth == 0 && at >= start && text[at..].starts_with(separator) => {
                parts.push(&text[start..at]);
                start = at + separator.len();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// The parts of an update expression, each with its clause.
fn clauses(expression: &str) -> Vec<(&str, &str)> {
    let mut starts: Vec<(usize, &str)> = ["SET ", "ADD ", "REMOVE ", "DELETE "]
        .into_iter()
        .flat_map(|word| expression.match_indices(word).filter(|(at, _)| *at == 0 || expression[..*at].ends_with(' ')))
        .collect();
    starts.sort();
    let mut parts = Vec::new();
    for (number, (at, word)) in starts.iter().enumerate() {
        let end = starts.get(number + 1).map_or(expression.len(), |(next, _)| *next);
        let clause = &expression[at + word.len()..end];
        parts.extend(split(clause.trim(), ", ").into_iter().map(|part| (word.trim(), part)));
    }
    parts
}

/// The same request without its conditions on a table.
pub(crate) fn without_conditions(request: &Request, table: &str) -> Request {
    let bare = |action: &Action| {
        let mut action = action.clone();
        if **action.table() == *table {
            match &mut action {
                Action::Update(Update { form, .. })
                | Action::Put(Put { form, .. })
                | Action::Delete(Delete { form, .. })
                | Action::Check(Check { form, .. }) => Arc::make_mut(form).condition = None,
            }
        }
        action
    };
    match request {
        Request::Write(action) => Request::Write(bare(action)),
        Request::Transact(actions) => Request::Transact(actions.iter().map(bare).collect()),
        other => other.clone(),
    }
}
