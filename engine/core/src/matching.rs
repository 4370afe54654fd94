//! From an event to the rules that match it.
//!
//! A stream's rules are not tried one by one: a look-up of the event's values in the program's [`Index`] finds just the
//! rules that could match, and only those are tested in full.

use crate::event::Event;
use crate::pattern::any_leaf;
use crate::program::index::Place;
use crate::program::{Condition, Index, Program, Projection, Rule, RuleId};
use crate::report::{Problem, Reason};
use std::borrow::Cow;
use viewfold_value::Value;

impl Index {
    /// Puts the rules that may match an event in the place of those that are there, in the program's order, each once.
    fn candidates(&self, event: &Event, rules: &mut Vec<RuleId>) {
        rules.clear();
        rules.extend_from_slice(&self.always);
        // What the event has is looked up: of the places that a thousand rules look at it has a few.
        for (slot, _) in event.slots.iter() {
            if let Some(place) = self.of_slot(slot) {
                place.candidates(event, rules);
            }
        }
        for place in &self.of_metadata {
            place.candidates(event, rules);
        }
        rules.sort_unstable();
        rules.dedup();
    }
}

impl Place {
    /// Adds the rules that what an event has here brings.
    ///
    /// A value that cannot be used may match any rule that looks at it: the full test then says so.
    fn candidates(&self, event: &Event, rules: &mut Vec<RuleId>) {
        let Place { subject, by_value, any_value } = self;
        match event.value(*subject) {
            Ok(None) => {}
            Ok(Some(value)) => {
                rules.extend(any_value);
                rules.extend(by_value.get(value.as_ref()).into_iter().flatten());
                if value.has_elements() {
                    any_leaf(&value, &mut |element| {
                        rules.extend(by_value.get(element).into_iter().flatten());
                        false
                    });
                }
            }
            Err(_) => rules.extend(by_value.values().flatten().chain(any_value)),
        }
    }
}

/// The rules that may match an event, by the projections of its stream.
#[derive(Debug, Default)]
pub struct Candidates {
    rules: Vec<RuleId>,
    readers: Vec<usize>,
}

impl Candidates {
    /// Looks an event up in its stream's index.
    pub fn of(event: &Event, program: &Program) -> Candidates {
        let mut candidates = Candidates::default();
        candidates.look_up(event, program);
        candidates
    }

    /// As [`Candidates::of`], in the place of those of another event.
    pub fn look_up(&mut self, event: &Event, program: &Program) {
        let Candidates { rules, readers: concerned } = self;
        let stream = &program.streams[event.stream];
        stream.index.candidates(event, rules);
        concerned.clear();
        concerned.extend_from_slice(&stream.attentive);
        for demand in &stream.demands {
            if !demand.is_met(event, &stream.identity, &program.projections) {
                concerned.extend(&demand.readers);
            }
        }
        for of_projection in rules.chunk_by(|(a, _), (b, _)| a == b) {
            let Some((projection, _)) = of_projection.first() else { continue };
            let first = stream.readers.partition_point(|(reader, _)| reader < projection);
            let readers = stream.readers.iter().skip(first).take_while(|(reader, _)| reader == projection);
            concerned.extend((first..).zip(readers).map(|(number, _)| number));
        }
        concerned.sort_unstable();
        concerned.dedup();
    }

    /// The readers of the event's stream that it may concern, as numbers of the stream's `readers` and in their order: those whose
    /// rules it may match, those that demand something else of it, and those that look at every event.
    pub fn readers(&self) -> &[usize] {
        &self.readers
    }

    /// The numbers of the rules of a projection that match.
    ///
    /// # Errors
    ///
    /// Where a condition cannot be told: the value it looks at cannot be used.
    pub fn matching(&self, event: &Event, number: usize, projection: &Projection) -> Result<Vec<usize>, Problem> {
        let first = self.rules.partition_point(|(owner, _)| *owner < number);
        let own = self.rules[first..].iter().take_while(|(owner, _)| *owner == number);
        let mut rules = Vec::new();
        for (_, rule) in own {
            if matches(event, &projection.rules[*rule])? {
                rules.push(*rule);
            }
        }
        Ok(rules)
    }
}

/// The numbers of the rules of a projection's source that match an event, each tested in full.
///
/// # Errors
///
/// As [`Candidates::matching`].
pub fn rules_of(event: &Event, projection: &Projection, source: usize) -> Result<Vec<usize>, Problem> {
    let mut rules = Vec::new();
    for (number, rule) in projection.rules.iter().enumerate() {
        if rule.source == source && matches(event, rule)? {
            rules.push(number);
        }
    }
    Ok(rules)
}

fn matches(event: &Event, rule: &Rule) -> Result<bool, Problem> {
    Ok(first_miss(event, rule)?.is_none())
}

/// Why a rule's `when` does not match an event.
#[derive(Debug)]
pub enum Miss<'a> {
    /// The item is gone: it has no image that a rule with `retract: true` could look at.
    Gone,
    /// The first of its conditions that does not hold, and what its path found.
    Condition(&'a Condition, Option<Cow<'a, Value>>),
}

/// Why a rule's `when` does not match an event; nothing where it does.
///
/// # Errors
///
/// Where a condition cannot be told, since the value it looks at cannot be used, and all others hold: where one of them does
/// not, the rule does not match, whatever stands in its other places. (So it is the same by which condition a rule is found.)
pub fn first_miss<'a>(event: &'a Event, rule: &'a Rule) -> Result<Option<Miss<'a>>, Problem> {
    if rule.retract && event.metadata.change == Some("remove") {
        return Ok(Some(Miss::Gone));
    }
    let mut unknown = None;
    for condition in &rule.when {
        match found(event, condition) {
            Ok(found) if !condition.test.holds(found.as_deref()) => return Ok(Some(Miss::Condition(condition, found))),
            Ok(_) => {}
            Err(problem) => drop(unknown.get_or_insert(problem)),
        }
    }
    unknown.map_or(Ok(None), Err)
}

/// What a condition's path finds; a path that can find many and finds none has found nothing.
fn found<'e>(
    event: &'e Event,
    Condition { subject, query, .. }: &Condition,
) -> Result<Option<Cow<'e, Value>>, Problem> {
    let value = event.value(*subject).map_err(|reason| Problem::new(Reason::BadNumber, reason))?;
    let (Some(query), Some(value)) = (query, &value) else { return Ok(value) };
    let found = query.find(value).map_err(|error| Problem::new(Reason::Expression, error))?;
    Ok((!found.is_empty()).then_some(Cow::Owned(Value::List(found))))
}
