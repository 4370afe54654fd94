//! From an event to the rules that match it.
//!
//! A stream's rules are not tried one by one: a look-up of the event's values in the program's [`Index`] finds just the
//! rules that could match, and only those are tested in full.

use crate::event::Event;
use crate::program::{Condition, Index, Rule, RuleId, Test};
use crate::report::{Problem, Reason};
use viewfold_value::{Kind, Value};

impl Index {
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
