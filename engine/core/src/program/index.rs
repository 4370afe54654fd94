//! From the values of an event to the rules they may match.

use super::{Rule, Subject};
use crate::matching::indexed;
use std::collections::HashMap;
use viewfold_value::Value;

/// A rule's place in a program: the projection's number, then the rule's.
pub type RuleId = (usize, usize);

/// The rules of a stream by the values they ask for.
///
/// Each rule that asks for one of some values at a place is filed under those values, so that a look-up finds just the
/// rules that could match, however many there are. (AWS event-ruler compiles its patterns for the same reason.)
#[derive(Debug, Default)]
pub struct Index {
    /// For each place that some rule compares with values: the rules by value.
    pub(crate) by_value: Vec<(Subject, HashMap<Value, Vec<RuleId>>)>,
    /// Rules that compare nothing.
    pub(crate) always: Vec<RuleId>,
}

impl Index {
    /// Files a rule under its first condition that names values.
    pub fn insert(&mut self, id: RuleId, rule: &Rule) {
        let selective = rule.when.iter().find_map(|condition| Some((indexed(condition)?, condition.test.values()?)));
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
}
