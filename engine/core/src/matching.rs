//! From an event to the rules that match it.
//!
//! A stream's rules are not tried one by one. Each rule that asks for one of some values at a place is filed under those
//! values, so that a look-up of the event's value finds just the rules that could match; only those, and the few rules
//! without such a condition, are then tested in full. (AWS event-ruler compiles its patterns for the same reason.)

use crate::event::Event;
use crate::program::{Condition, Rule, Subject, Test};
use crate::report::{Problem, Reason};
use std::collections::HashMap;
use viewfold_value::{Kind, Value};

/// A rule's place in a program: the projection's number, then the rule's.
pub type RuleId = (usize, usize);

/// From the values of an event to the rules they may match.
#[derive(Debug, Default)]
pub struct Index {
    /// For each place that some rule compares with values: the rules by value.
    by_value: Vec<(Subject, HashMap<Value, Vec<RuleId>>)>,
    /// Rules that compare nothing.
    always: Vec<RuleId>,
}

impl Index {
    /// Files a rule under its first condition that names values.
    pub fn insert(&mut self, id: RuleId, rule: &Rule) {
        let selective = rule.when.iter().find_map(|condition| Some((condition.subject, values(&condition.test)?)));
        let Some((subject, values)) = selective else {
            self.always.push(id);
            return;
        };
        let at = match self.by_value.iter().position(|(other, _)| *other == subject) {
            Some(at) => at,
            None => {
                self.by_value.push((subject, HashMap::new()));
                self.by_value.len() - 1
            }
        };
        for value in values {
            let rules = self.by_value[at].1.entry(value.clone()).or_default();
            if rules.last() != Some(&id) {
                rules.push(id);
            }
        }
    }

    /// The rules that may match an event, in the program's order, each once.
    ///
    /// A value that cannot be used may match any rule that looks at it: the full test then says so.
    fn candidates(&self, event: &Event) -> Vec<RuleId> {
        let mut rules = self.always.clone();
        for (subject, by_value) in &self.by_value {
            match event.value(*subject) {
                Ok(None) => {}
                Ok(Some(value)) => {
                    rules.extend(by_value.get(value.as_ref()).into_iter().flatten());
                    each_element(&value, |element| {
                        rules.extend(by_value.get(element).into_iter().flatten());
                        false
                    });
                }
                Err(_) => rules.extend(by_value.values().flatten()),
            }
        }
        rules.sort_unstable();
        rules.dedup();
        rules
    }
}

/// The values one of which a test asks for; nothing for other tests.
fn values(test: &Test) -> Option<Vec<&Value>> {
    match test {
        Test::Equals(value) => Some(vec![value]),
        Test::AnyOf(tests) => {
            let lists: Option<Vec<Vec<&Value>>> = tests.iter().map(values).collect();
            lists.map(|lists| lists.concat())
        }
        Test::Exists(_) | Test::Kind(_) => None,
    }
}

/// What matching an event came to.
#[derive(Debug, Default)]
pub struct Matches {
    /// The rules that match.
    pub rules: Vec<RuleId>,
    /// Projections whose conditions cannot be told for the event, and why.
    pub problems: Vec<(usize, Problem)>,
}

/// The rules that match an event.
pub fn matches<'p>(event: &Event, index: &Index, rule: impl Fn(RuleId) -> &'p Rule) -> Matches {
    let mut matches = Matches::default();
    for id in index.candidates(event) {
        match rule_matches(event, rule(id)) {
            Ok(true) => matches.rules.push(id),
            Ok(false) => {}
            Err(problem) => matches.problems.push((id.0, problem)),
        }
    }
    matches
}

fn rule_matches(event: &Event, rule: &Rule) -> Result<bool, Problem> {
    for Condition { subject, test } in &rule.when {
        let value = event.value(*subject).map_err(|reason| Problem::new(Reason::BadNumber, reason))?;
        if !test.holds(value.as_deref()) {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Test {
    /// Whether the test holds for what a path found.
    pub fn holds(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Test::Exists(wanted), value) => value.is_some() == *wanted,
            (Test::AnyOf(tests), value) => tests.iter().any(|test| test.holds(value)),
            (_, None) => false,
            (Test::Equals(wanted), Some(value)) => value == wanted || each_element(value, |element| element == wanted),
            (Test::Kind(kind), Some(value)) => {
                value.kind() == *kind
                    || match value {
                        Value::List(list) => list.iter().any(|element| element.kind() == *kind),
                        Value::StringSet(_) => *kind == Kind::String,
                        Value::NumberSet(_) => *kind == Kind::Number,
                        Value::BinarySet(_) => *kind == Kind::Binary,
                        _ => false,
                    }
            }
        }
    }
}

/// Calls `found` with the elements of a list or set until it says true; whether it did.
fn each_element(value: &Value, mut found: impl FnMut(&Value) -> bool) -> bool {
    match value {
        Value::List(list) => list.iter().any(found),
        Value::StringSet(set) => set.iter().any(|text| found(&Value::String(text.clone()))),
        Value::NumberSet(set) => set.iter().any(|number| found(&Value::Number(*number))),
        Value::BinarySet(set) => set.iter().any(|bytes| found(&Value::Binary(bytes.clone()))),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use viewfold_value::json;

    fn value(text: &str) -> Value {
        json::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_test_holds_as_eventbridge_has_it() {
        let equals = |text: &str| Test::Equals(value(text));
        for (test, text, holds) in [
            (equals("100"), "1e2", true),
            (equals("\"a\""), "\"A\"", false),
            (equals("null"), "null", true),
            (equals("\"a\""), "[\"b\",\"a\"]", true),
            (equals("1"), "\"1\"", false),
            (Test::AnyOf(vec![equals("1"), equals("2")]), "2", true),
            (Test::Kind(Kind::String), "\"\"", true),
            (Test::Kind(Kind::String), "null", false),
            (Test::Kind(Kind::List), "[]", true),
            (Test::Kind(Kind::Number), "[\"a\",1]", true),
            (Test::Exists(true), "null", true),
            (Test::Exists(false), "null", false),
        ] {
            assert_eq!(test.holds(Some(&value(text))), holds, "{test:?} {text}");
        }
        assert!(Test::Exists(false).holds(None));
        assert!(Test::AnyOf(vec![equals("1"), Test::Exists(false)]).holds(None));
        assert!(!equals("null").holds(None));
        assert!(Test::Equals("b".into()).holds(Some(&Value::StringSet(["a".into(), "b".into()].into()))));
    }
}
