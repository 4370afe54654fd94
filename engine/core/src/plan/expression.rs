//! Update and condition expressions ([language], [limits]).
//!
//! Every name goes through a `#` placeholder, so that reserved words, dots and any other characters are just names.
//!
//! [language]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
//! [limits]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html

use super::request::Update;
use crate::evaluate::DocumentKey;
use crate::fold::{Effect, Effects};
use crate::mark::Mark;
use crate::program::Projection;
use std::sync::Arc;
use viewfold_value::Value;

/// How many attributes one expression may touch: far below its 4 KB and its 300 operators.
pub(super) const MAX_ATTRIBUTES: usize = 100;

/// An update expression while it is put together.
#[derive(Default)]
struct Writer {
    set: Vec<String>,
    add: Vec<String>,
    remove: Vec<String>,
    names: Vec<(String, String)>,
    values: Vec<(String, Value)>,
}

impl Writer {
    fn name(&mut self, name: &str) -> String {
        if let Some((placeholder, _)) = self.names.iter().find(|(_, known)| known == name) {
            return placeholder.clone();
        }
        let placeholder = format!("#{}", self.names.len());
        self.names.push((placeholder.clone(), name.to_owned()));
        placeholder
    }

    fn value(&mut self, value: Value) -> String {
        let placeholder = format!(":{}", self.values.len());
        self.values.push((placeholder.clone(), value));
        placeholder
    }

    fn effect(&mut self, attribute: &str, effect: &Effect) {
        let name = self.name(attribute);
        match effect {
            Effect::Add(number) => {
                let value = self.value(Value::Number(*number));
                self.add.push(format!("{name} {value}"));
            }
            Effect::AddSet(set) => {
                let value = self.value(set.clone());
                self.add.push(format!("{name} {value}"));
            }
            Effect::Set(value) => {
                let value = self.value(value.clone());
                self.set.push(format!("{name} = {value}"));
            }
            Effect::SetOnce(value) => {
                let value = self.value(value.clone());
                self.set.push(format!("{name} = if_not_exists({name}, {value})"));
            }
            Effect::SetOnceThenAdd(first, number) => {
                let first = self.value(Value::Number(*first));
                let number = self.value(Value::Number(*number));
                self.set.push(format!("{name} = if_not_exists({name}, {first}) + {number}"));
            }
            Effect::Remove => self.remove.push(name),
        }
    }

    fn finish(self, projection: &Projection, document: &DocumentKey, condition: Option<String>) -> Update {
        let clauses = [("SET", self.set), ("ADD", self.add), ("REMOVE", self.remove)];
        let clauses = clauses.into_iter().filter(|(_, parts)| !parts.is_empty());
        let expression: Vec<String> = clauses.map(|(word, parts)| format!("{word} {}", parts.join(", "))).collect();
        Update {
            table: Arc::clone(&projection.table.name),
            key: document.item(projection),
            expression: expression.join(" "),
            condition,
            names: self.names,
            values: self.values,
        }
    }
}

/// The update that brings effects to a document, without a condition.
pub(super) fn update(projection: &Projection, document: &DocumentKey, effects: &Effects) -> Update {
    writer(projection, effects).finish(projection, document, None)
}

/// The update that also moves the document's mark from anywhere below `first` to `last`.
///
/// The condition holds when no mark is there, or when the mark is of the same stream and below the first event: then none
/// of the events has been applied. When it fails, the item that comes back says which ones have.
pub(super) fn marked_update(
    projection: &Projection,
    document: &DocumentKey,
    effects: &Effects,
    attribute: &str,
    first: &Mark,
    last: &Mark,
) -> Update {
    let mut writer = writer(projection, effects);
    let mark = writer.name(attribute);
    let last = writer.value(Value::String(last.text.clone()));
    let below = writer.value(Value::String(first.text.clone()));
    writer.set.push(format!("{mark} = {last}"));
    let condition = match first.identity() {
        Some(identity) => {
            let identity = writer.value(Value::from(identity));
            format!("attribute_not_exists({mark}) OR ({mark} >= {identity} AND {mark} < {below})")
        }
        None => format!("attribute_not_exists({mark}) OR {mark} < {below}"),
    };
    writer.finish(projection, document, Some(condition))
}

fn writer(projection: &Projection, effects: &Effects) -> Writer {
    let mut writer = Writer::default();
    for (attribute, effect) in effects.iter() {
        writer.effect(&projection.attributes[attribute].name, effect);
    }
    writer
}
