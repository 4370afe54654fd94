//! From what a rule asks of a value to a pattern of Lambda's that every such value passes.
//!
//! Lambda matches as EventBridge does: it takes a record apart into its leaves, values that are no objects and no lists, and a pattern
//! asks for one of the leaves at a path. What follows from that, and from how [`Test`] differs:
//!
//! | condition | in JSON | of an attribute |
//! |---|---|---|
//! | a text, `prefix`, `suffix` | the same | the same, or no text there |
//! | `null` | the same | nothing |
//! | numbers, booleans, `numeric` | a leaf: Lambda's numbers are doubles within bounds | nothing: numbers are texts under `N` |
//! | `equals-ignore-case`, `matches` | a leaf: it folds other letters than we do, and knows no expressions | nothing |
//! | `wildcard` | its start, or its end | the same, or no text there |
//! | `type` of a leaf | a leaf | nothing |
//! | `type: map`, `list`; `exists: true` | nothing: a map and an empty list have no leaf | nothing |
//! | `exists: false` | nothing: what is no object has no leaf either, and is dropped | nothing |
//! | `anything-but` | nothing: a map passes it here, and has no leaf | of texts: the same, or no text there |
//!
//! "Or no text there": an attribute may be a list or a set with such a text in it. Its type is a key of its own (`S`), so that a filter
//! can ask for that not to be there.

use crate::pattern::{Part, Test};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use viewfold_value::{Kind, Value};

/// What a leaf has to be: one of these.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Wanted(BTreeSet<Matcher>);

/// One pattern.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Matcher {
    Null,
    Text(String),
    Prefix(String),
    Suffix(String),
    AnythingBut(BTreeSet<String>),
    /// Any leaf.
    Exists,
    /// No leaf.
    Absent,
}

impl Wanted {
    /// One of these texts.
    pub(super) fn texts(texts: impl IntoIterator<Item = &'static str>) -> Wanted {
        Wanted(texts.into_iter().map(|text| Matcher::Text(text.to_owned())).collect())
    }

    fn one(matcher: Matcher) -> Wanted {
        Wanted(BTreeSet::from([matcher]))
    }

    /// What passes either of two; nothing where that is everything.
    pub(super) fn or(&self, other: &Wanted) -> Option<Wanted> {
        let mut all: BTreeSet<Matcher> = self.0.union(&other.0).cloned().collect();
        if all.contains(&Matcher::Exists) {
            if all.contains(&Matcher::Absent) {
                return None;
            }
            all = BTreeSet::from([Matcher::Exists]);
        }
        Some(Wanted(all))
    }

    /// Whether everything that passes the other passes this.
    pub(super) fn covers(&self, other: &Wanted) -> bool {
        let covers = |matcher: &Matcher| {
            self.0.contains(matcher) || (*matcher != Matcher::Absent && self.0.contains(&Matcher::Exists))
        };
        other.0.iter().all(covers)
    }

    /// As Lambda takes it.
    pub(super) fn json(&self) -> Json {
        let matcher = |matcher: &Matcher| match matcher {
            Matcher::Null => Json::Null,
            Matcher::Text(text) => json!(text),
            Matcher::Prefix(text) => json!({ "prefix": text }),
            Matcher::Suffix(text) => json!({ "suffix": text }),
            Matcher::AnythingBut(texts) => json!({ "anything-but": texts }),
            Matcher::Exists => json!({ "exists": true }),
            Matcher::Absent => json!({ "exists": false }),
        };
        self.0.iter().map(matcher).collect()
    }
}

/// What a leaf of a JSON payload has to be.
pub(super) fn of_json(test: &Test) -> Option<Wanted> {
    let wanted = match test {
        Test::Equals(Value::Null) => Matcher::Null,
        Test::Equals(Value::Number(_) | Value::Bool(_)) => Matcher::Exists,
        Test::Kind(Kind::String | Kind::Number | Kind::Boolean | Kind::Null) => Matcher::Exists,
        Test::Numeric(_) | Test::Matches(_) => Matcher::Exists,
        Test::Text(_) | Test::Wildcard(_) | Test::Equals(Value::String(_)) => text(test).unwrap_or(Matcher::Exists),
        Test::AnyOf(tests) => return any_of(tests, of_json),
        Test::Equals(_) | Test::Kind(_) | Test::Exists(_) | Test::AnythingBut(_) => return None,
    };
    Some(Wanted::one(wanted))
}

/// What an attribute of an item has to be where it is a text.
pub(super) fn of_text_attribute(test: &Test) -> Option<Wanted> {
    let wanted = match test {
        Test::AnyOf(tests) => return any_of(tests, of_text_attribute),
        Test::AnythingBut(tests) => {
            // A value of another type is no text, and passes for that.
            let texts = tests.iter().map(|test| match test {
                Test::Equals(Value::String(text)) => Some(text.clone()),
                _ => None,
            });
            Matcher::AnythingBut(texts.collect::<Option<BTreeSet<String>>>().filter(|texts| !texts.is_empty())?)
        }
        test => text(test)?,
    };
    Some(Wanted(BTreeSet::from([wanted, Matcher::Absent])))
}

fn any_of(tests: &[Test], each: impl Fn(&Test) -> Option<Wanted>) -> Option<Wanted> {
    let mut all: Option<Wanted> = None;
    for test in tests {
        let wanted = each(test)?;
        all = Some(match all {
            None => wanted,
            Some(all) => all.or(&wanted)?,
        });
    }
    all
}

/// What asks for a text; nothing where Lambda could not tell.
fn text(test: &Test) -> Option<Matcher> {
    let start_or_end = |start: &str, end: &str| match (start, end) {
        ("", "") => None,
        ("", end) => Some(Matcher::Suffix(end.to_owned())),
        (start, _) => Some(Matcher::Prefix(start.to_owned())),
    };
    match test {
        Test::Equals(Value::String(text)) => Some(Matcher::Text(text.clone())),
        Test::Text(test) => match test.exactly()? {
            (Part::Whole, text) => Some(Matcher::Text(text.to_owned())),
            (Part::Start, text) => start_or_end(text, ""),
            (Part::End, text) => start_or_end("", text),
        },
        Test::Wildcard(wildcard) => match wildcard.literal() {
            Some(text) => Some(Matcher::Text(text.to_owned())),
            None => {
                let (start, end) = wildcard.ends();
                start_or_end(start, end)
            }
        },
        _ => None,
    }
}
