//! Update and condition expressions ([language], [limits]).
//!
//! Every name goes through a `#` placeholder, so that reserved words, dots and any other characters are just names.
//!
//! A write is put together as a list of clauses, each a kind and a path, and their values. What the clauses say as text is its
//! [`Form`]: it does not depend on the values, and the writes of most documents of a batch have the same, so [`Forms`] keeps
//! them.
//!
//! [language]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
//! [limits]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html

use super::request::{Action, Check, Delete, Form, Put, Update};
use crate::bookkeeping::WAYS;
use crate::fold::{Effect, Effects};
use crate::mark::Mark;
use crate::program::DocumentPath;
use crate::sorted_map::Attributes;
use foldhash::HashMap;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use viewfold_value::{Item, Number, NumberError, Value};

/// The longest expression that is sent, in bytes: DynamoDB takes 4 KB.
const MAX_EXPRESSION_BYTES: usize = 4000;

/// The most operators and functions of an expression that is sent: DynamoDB takes 300.
const MAX_OPERATORS: usize = 280;

/// The most forms that are kept. Where paths come out of events, each write may have one of its own.
const MAX_FORMS: usize = 256;

/// What one clause says about its path. Each `:v` is one of the write's values, in the order of the clauses.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Kind {
    /// `SET path = :v`
    Set,
    /// `SET path = if_not_exists(path, :v)`
    SetOnce,
    /// `SET path = if_not_exists(path, :v) + :v`
    SetOnceThenAdd,
    /// `SET path = list_append(if_not_exists(path, :v), :v)`
    Append,
    /// `ADD path :v`
    Add,
    /// `REMOVE path`
    Remove,
    /// `DELETE path :v`
    RemoveFrom,
    /// The condition `attribute_exists(path)`
    Exists,
    /// The condition `attribute_not_exists(path)`
    Missing,
    /// The condition `path = :v`
    Is,
    /// The condition `(attribute_not_exists(path) OR path < :v)`
    Below,
    /// The condition `(attribute_not_exists(path) OR (path >= :v AND path < :v))`
    Within,
}

/// A part of a write.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Clause {
    kind: Kind,
    path: DocumentPath,
}

/// The forms of a batch's writes, by their clauses.
#[derive(Debug, Default)]
pub(super) struct Forms(RefCell<HashMap<Vec<Clause>, Arc<Form>>>);

impl Forms {
    fn of(&self, clauses: Vec<Clause>) -> Arc<Form> {
        if let Some(form) = self.0.borrow().get(&clauses) {
            return Arc::clone(form);
        }
        let form = Arc::new(form(&clauses));
        let mut known = self.0.borrow_mut();
        if known.len() < MAX_FORMS {
            known.insert(clauses, Arc::clone(&form));
        }
        form
    }
}

/// The names of a form, and the texts of its paths.
#[derive(Default)]
struct Names<'c> {
    names: Vec<&'c str>,
    numbers: HashMap<&'c str, usize>,
}

impl<'c> Names<'c> {
    fn path(&mut self, path: &'c DocumentPath) -> String {
        let mut text = String::new();
        for name in path.0.iter() {
            let number = *self.numbers.entry(name).or_insert_with(|| {
                self.names.push(name);
                self.names.len() - 1
            });
            let dot = if text.is_empty() { "" } else { "." };
            // Writing into a String cannot fail.
            let _ = write!(text, "{dot}#{number}");
        }
        text
    }
}

/// What clauses say as text.
fn form(clauses: &[Clause]) -> Form {
    let (mut set, mut add, mut remove, mut delete, mut conditions) = (vec![], vec![], vec![], vec![], vec![]);
    let mut names = Names::default();
    let mut values = 0..;
    for Clause { kind, path } in clauses {
        let path = names.path(path);
        let mut value = || format!(":{}", values.next().unwrap_or_default());
        match kind {
            Kind::Set => set.push(format!("{path} = {}", value())),
            Kind::SetOnce => set.push(format!("{path} = if_not_exists({path}, {})", value())),
            Kind::SetOnceThenAdd => {
                set.push(format!("{path} = if_not_exists({path}, {}) + {}", value(), value()));
            }
            Kind::Append => {
                set.push(format!("{path} = list_append(if_not_exists({path}, {}), {})", value(), value()));
            }
            Kind::Add => add.push(format!("{path} {}", value())),
            Kind::Remove => remove.push(path),
            Kind::RemoveFrom => delete.push(format!("{path} {}", value())),
            Kind::Exists => conditions.push(format!("attribute_exists({path})")),
            Kind::Missing => conditions.push(format!("attribute_not_exists({path})")),
            Kind::Is => conditions.push(format!("{path} = {}", value())),
            Kind::Below => conditions.push(format!("(attribute_not_exists({path}) OR {path} < {})", value())),
            Kind::Within => conditions.push(format!(
                "(attribute_not_exists({path}) OR ({path} >= {} AND {path} < {}))",
                value(),
                value()
            )),
        }
    }
    let clauses = [("SET", set), ("ADD", add), ("REMOVE", remove), ("DELETE", delete)];
    let clauses = clauses.into_iter().filter(|(_, parts)| !parts.is_empty());
    let clauses: Vec<String> = clauses.map(|(word, parts)| format!("{word} {}", parts.join(", "))).collect();
    Form {
        expression: clauses.join(" "),
        condition: (!conditions.is_empty()).then(|| conditions.join(" AND ")),
        names: names.names.into_iter().map(str::to_owned).collect(),
    }
}

/// An update and its condition while they are put together.
pub(super) struct Writer<'f> {
    forms: &'f Forms,
    clauses: Vec<Clause>,
    values: Vec<Value>,
}

impl<'f> Writer<'f> {
    pub(super) fn new(forms: &'f Forms) -> Writer<'f> {
        Writer { forms, clauses: Vec::with_capacity(4), values: Vec::with_capacity(4) }
    }

    fn clause(&mut self, kind: Kind, path: &DocumentPath) {
        self.clauses.push(Clause { kind, path: path.clone() });
    }

    /// `SET path = value`
    pub(super) fn set(&mut self, path: &DocumentPath, value: Value) {
        self.clause(Kind::Set, path);
        self.values.push(value);
    }

    /// `REMOVE path`
    pub(super) fn remove(&mut self, path: &DocumentPath) {
        self.clause(Kind::Remove, path);
    }

    /// Effects on a document whose parent maps are all there.
    pub(super) fn effects(&mut self, effects: &Effects) {
        for (path, effect) in effects.iter() {
            self.effect(path, effect);
        }
    }

    fn effect(&mut self, path: &DocumentPath, effect: &Effect) {
        let kind = match effect {
            // `ADD` works on top-level attributes only.
            Effect::Add(_) if path.is_nested() => Kind::SetOnceThenAdd,
            Effect::Add(_) | Effect::AddSet(_) => Kind::Add,
            Effect::Set(_) => Kind::Set,
            Effect::SetOnce(_) => Kind::SetOnce,
            Effect::SetOnceThenAdd(..) => Kind::SetOnceThenAdd,
            Effect::Append(_) => Kind::Append,
            Effect::Remove => Kind::Remove,
            Effect::RemoveFrom(_) => Kind::RemoveFrom,
        };
        self.clause(kind, path);
        match effect {
            Effect::Add(number) => {
                if path.is_nested() {
                    self.values.push(Value::Number(Number::ZERO));
                }
                self.values.push(Value::Number(*number));
            }
            Effect::AddSet(value) | Effect::Set(value) | Effect::SetOnce(value) | Effect::RemoveFrom(value) => {
                self.values.push(value.clone());
            }
            Effect::SetOnceThenAdd(first, number) => {
                self.values.extend([Value::Number(*first), Value::Number(*number)]);
            }
            Effect::Append(list) => self.values.extend([Value::List(Vec::new()), Value::List(list.clone())]),
            Effect::Remove => {}
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
            self.require_missing(&path);
            if let Some(value) = map.remove(root) {
                self.set(&path, value);
            }
        }
        true
    }

    /// The condition that nothing stands at a path; of a key attribute, that no item is there.
    pub(super) fn require_missing(&mut self, path: &DocumentPath) {
        self.clause(Kind::Missing, path);
    }

    /// The condition that an item is there; `key` is a key attribute.
    pub(super) fn require_item(&mut self, key: &DocumentPath) {
        self.clause(Kind::Exists, key);
    }

    /// The condition that what stands at a path is what was read.
    pub(super) fn require_unchanged(&mut self, path: &DocumentPath, read: Option<&Value>) {
        match read {
            None => self.require_missing(path),
            Some(value) => {
                self.clause(Kind::Is, path);
                self.values.push(value.clone());
            }
        }
    }

    /// The condition that a mark is not there, or of the same stream and below `first`: then none of the events from
    /// `first` on has been applied. When it fails, the item that comes back says which ones have.
    pub(super) fn require_below(&mut self, path: &DocumentPath, first: &Mark) {
        match first.identity() {
            Some(identity) => {
                self.clause(Kind::Within, path);
                self.values.push(Value::from(identity));
            }
            None => self.clause(Kind::Below, path),
        }
        self.values.push(Value::String(first.text.clone()));
    }

    /// Whether the update would change nothing.
    pub(super) fn is_empty(&self) -> bool {
        let is_condition = |kind| matches!(kind, Kind::Exists | Kind::Missing | Kind::Is | Kind::Below | Kind::Within);
        self.clauses.iter().all(|clause| is_condition(clause.kind))
    }

    /// The update of an item.
    pub(super) fn update(self, table: &Arc<str>, key: impl Into<Attributes>) -> Action {
        let form = self.forms.of(self.clauses);
        Action::Update(Update { table: Arc::clone(table), key: key.into(), form, values: self.values })
    }

    /// The removal of an item, under the writer's conditions.
    pub(super) fn removal(self, table: &Arc<str>, key: impl Into<Attributes>) -> Action {
        let form = self.forms.of(self.clauses);
        Action::Delete(Delete { table: Arc::clone(table), key: key.into(), form, values: self.values })
    }

    /// The writer's conditions alone; of a transaction.
    pub(super) fn check(self, table: &Arc<str>, key: impl Into<Attributes>) -> Action {
        let form = self.forms.of(self.clauses);
        Action::Check(Check { table: Arc::clone(table), key: key.into(), form, values: self.values })
    }

    /// A whole item, under the writer's conditions.
    pub(super) fn put(self, table: &Arc<str>, item: impl Into<Attributes>) -> Action {
        let form = self.forms.of(self.clauses);
        Action::Put(Put { table: Arc::clone(table), item: item.into(), form, values: self.values })
    }
}

/// A row of bookkeeping that must not be there.
pub(super) fn new_row(forms: &Forms, table: &Arc<str>, row: impl Into<Attributes>) -> Action {
    let mut writer = Writer::new(forms);
    writer.require_missing(&WAYS.key);
    writer.put(table, row)
}

/// A whole item, whatever is there.
pub(super) fn put(table: &Arc<str>, item: impl Into<Attributes>) -> Action {
    Action::Put(Put { table: Arc::clone(table), item: item.into(), form: Arc::default(), values: Vec::new() })
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
    let form = action.form();
    fits(&form.expression) && form.condition.as_deref().is_none_or(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(names: &[&str]) -> DocumentPath {
        DocumentPath::from(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    proptest! {
        /// However many names there are, each has one placeholder of its own.
        #[test]
        fn a_placeholder_stands_for_one_name(names in prop::collection::vec("[a-c]{1,3}", 0..80)) {
            let clauses: Vec<Clause> =
                names.iter().map(|name| Clause { kind: Kind::Remove, path: DocumentPath::attribute(name) }).collect();
            let form = form(&clauses);
            let different: std::collections::BTreeSet<&String> = names.iter().collect();
            prop_assert_eq!(form.names.len(), different.len());
            let removed: Vec<&str> = form.expression.trim_start_matches("REMOVE ").split(", ").collect();
            let named = removed.iter().filter_map(|part| form.names.get(part.strip_prefix('#')?.parse::<usize>().ok()?));
            prop_assert!(named.eq(&names), "{:?}", form);
        }
    }

    #[test]
    fn clauses_and_conditions_are_put_together() {
        let forms = Forms::default();
        let mut writer = Writer::new(&forms);
        writer.set(&path(&["a", "b"]), Value::Null);
        writer.remove(&path(&["c"]));
        writer.set(&path(&["c"]), Value::Null);
        writer.require_unchanged(&path(&["a"]), None);
        writer.require_unchanged(&path(&["d"]), Some(&Value::Null));
        let Action::Update(update) = writer.update(&Arc::from("T"), Item::new()) else { panic!("an update") };
        assert_eq!(update.form.expression, "SET #0.#1 = :0, #2 = :1 REMOVE #2");
        assert_eq!(update.form.condition.as_deref(), Some("attribute_not_exists(#0) AND #3 = :2"));
        assert_eq!(update.form.names, ["a", "b", "c", "d"]);
        assert_eq!(update.values.len(), 3);
    }

    #[test]
    fn every_kind_of_clause_has_its_text() {
        let kinds = [
            (Kind::Set, "SET #0 = :0"),
            (Kind::SetOnce, "SET #0 = if_not_exists(#0, :0)"),
            (Kind::SetOnceThenAdd, "SET #0 = if_not_exists(#0, :0) + :1"),
            (Kind::Append, "SET #0 = list_append(if_not_exists(#0, :0), :1)"),
            (Kind::Add, "ADD #0 :0"),
            (Kind::Remove, "REMOVE #0"),
            (Kind::RemoveFrom, "DELETE #0 :0"),
            (Kind::Exists, "attribute_exists(#0)"),
            (Kind::Missing, "attribute_not_exists(#0)"),
            (Kind::Is, "#0 = :0"),
            (Kind::Below, "(attribute_not_exists(#0) OR #0 < :0)"),
            (Kind::Within, "(attribute_not_exists(#0) OR (#0 >= :0 AND #0 < :1))"),
        ];
        for (kind, text) in kinds {
            let form = form(&[Clause { kind, path: path(&["a"]) }]);
            let found = if form.expression.is_empty() { form.condition.unwrap_or_default() } else { form.expression };
            assert_eq!(found, text);
        }
    }

    #[test]
    fn writes_of_one_form_share_its_texts() {
        let forms = Forms::default();
        let update = |name: &str, value: u64| {
            let mut writer = Writer::new(&forms);
            writer.set(&path(&[name]), Value::Number(value.into()));
            match writer.update(&Arc::from("T"), Item::new()) {
                Action::Update(update) => update.form,
                other => panic!("{other:?}"),
            }
        };
        assert!(Arc::ptr_eq(&update("a", 1), &update("a", 2)));
        assert_ne!(update("a", 1), update("b", 1));
        // However many there are, not more than some are kept, and each is right.
        for number in 0..2 * MAX_FORMS {
            assert_eq!(update(&format!("n{number}"), 1).names, [format!("n{number}")]);
        }
        assert_eq!(forms.0.borrow().len(), MAX_FORMS);
    }
}
