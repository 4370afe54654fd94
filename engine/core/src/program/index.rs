//! From the values of an event to the rules they may match.

use super::{Projection, Rule, Subject};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use viewfold_value::Value;

/// A rule's place in a program: the projection's number, then the rule's.
pub type RuleId = (usize, usize);

/// The rules of a stream by what they ask for.
///
/// Each rule that asks for one of some values at a place is filed under those values, so that a look-up finds just the
/// rules that could match, however many there are. (AWS event-ruler compiles its patterns for the same reason.) A rule is filed
/// once, under that of its conditions whose values the fewest rules ask for: what a thousand rules have in common tells nothing
/// about any of them.
#[derive(Debug, Default)]
pub struct Index {
    /// The places that rules look at and slots hold.
    places: Vec<Place>,
    /// The number of its place for each slot, where rules look at it.
    by_slot: Vec<Option<usize>>,
    /// The places that rules look at in what the stream says about the event.
    pub(crate) of_metadata: Vec<Place>,
    /// Rules that could match an event whatever it holds.
    pub(crate) always: Vec<RuleId>,
}

/// A place in events that rules look at.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) subject: Subject,
    /// The rules that ask for one of some values there, by value.
    pub(crate) by_value: HashMap<Value, Vec<RuleId>, RandomState>,
    /// Those that ask for something else there, and match no event that has nothing there.
    pub(crate) any_value: Vec<RuleId>,
}

/// What a condition asks for at a place.
type Asked<'r> = (Subject, Option<Vec<&'r Value>>);

impl Index {
    /// The index of the rules of the sources that a stream feeds.
    pub(crate) fn of_stream(stream: usize, projections: &[Projection]) -> Index {
        let rules: Vec<(RuleId, Vec<Asked<'_>>)> = projections
            .iter()
            .enumerate()
            .flat_map(|(number, projection)| {
                let of_stream = |(_, rule): &(usize, &Rule)| projection.sources[rule.source].stream == stream;
                let rules = projection.rules.iter().enumerate().filter(of_stream);
                rules.map(move |(at, rule)| ((number, at), asked(rule)))
            })
            .collect();
        let mut asking: HashMap<(Subject, &Value), usize, RandomState> = HashMap::default();
        for (_, asked) in &rules {
            for (subject, values) in asked {
                for value in values.iter().flatten() {
                    *asking.entry((*subject, value)).or_default() += 1;
                }
            }
        }
        let mut index = Index::default();
        for (id, asked) in &rules {
            // The most rules that an event of one of the values would bring.
            let crowd = |(subject, values): &&Asked<'_>| match values {
                Some(values) => values.iter().map(|value| asking[&(*subject, *value)]).max().unwrap_or(0),
                None => usize::MAX,
            };
            let Some((subject, values)) = asked.iter().min_by_key(crowd) else {
                index.always.push(*id);
                continue;
            };
            let place = index.place(*subject);
            match values {
                None => place.any_value.push(*id),
                Some(values) => {
                    for value in values {
                        let rules = place.by_value.entry((*value).clone()).or_default();
                        if rules.last() != Some(id) {
                            rules.push(*id);
                        }
                    }
                }
            }
        }
        index
    }

    /// The place of a slot, where rules look at it.
    pub(crate) fn of_slot(&self, slot: usize) -> Option<&Place> {
        self.by_slot.get(slot).copied().flatten().map(|at| &self.places[at])
    }

    /// The place of a subject, which is made unless it is there.
    fn place(&mut self, subject: Subject) -> &mut Place {
        let new = || Place { subject, by_value: HashMap::default(), any_value: Vec::new() };
        match subject {
            Subject::Slot(slot) => {
                if self.by_slot.len() <= slot {
                    self.by_slot.resize(slot + 1, None);
                }
                let at = *self.by_slot[slot].get_or_insert_with(|| {
                    self.places.push(new());
                    self.places.len() - 1
                });
                &mut self.places[at]
            }
            Subject::Metadata(_) => {
                let at = self.of_metadata.iter().position(|place| place.subject == subject).unwrap_or_else(|| {
                    self.of_metadata.push(new());
                    self.of_metadata.len() - 1
                });
                &mut self.of_metadata[at]
            }
        }
    }
}

/// What the conditions of a rule ask for, those left out that an event with nothing at their place may satisfy.
fn asked(rule: &Rule) -> Vec<Asked<'_>> {
    let conditions = rule.when.iter().filter(|condition| !condition.test.holds(None));
    // What a query finds is not a place that could be looked up.
    let plain = conditions.filter(|condition| condition.query.is_none());
    plain.map(|condition| (condition.subject, condition.test.values())).collect()
}
