//! What an event changes, document by document.

use super::DocumentKey;
use super::operation::{Operation, Operations, check_key};
use super::term::{self, Scope, evaluate};
use crate::event::Event;
use crate::program::{
    DocumentPath, KeyLimits, MAX_PARTITION_KEY_BYTES, MAX_SORT_KEY_BYTES, Projection, Rule, Term, key_kind,
};
use crate::report::{Problem, Reason};
use crate::sorted_map::SortedMap;
use std::borrow::Cow;
use std::sync::Arc;
use viewfold_spec::projection::KeyAttribute;
use viewfold_value::{Number, Value};

/// What an event does to one document.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which document.
    pub document: DocumentKey,
    /// What is known to happen to it, whatever it holds.
    pub operations: Operations,
    /// Rules that can be evaluated only with the document.
    pub deferred: Vec<Deferred>,
}

/// A rule that waits for the document.
#[derive(Clone, PartialEq, Debug)]
pub struct Deferred {
    /// The rule's number in its projection.
    pub rule: usize,
    /// The element that `each` is at.
    pub element: Option<Value>,
}

/// Why an event cannot be applied.
#[derive(Clone, PartialEq, Debug)]
pub struct Failure {
    /// What is wrong.
    pub problem: Problem,
    /// The rule that is to blame, where one is.
    pub rule: Option<String>,
    /// The document that the rule would have changed, where that could be told.
    pub document: Option<DocumentKey>,
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Failure {
        Failure { problem, rule: None, document: None }
    }
}

impl Failure {
    fn of(problem: Problem, rule: &Rule, document: Option<DocumentKey>) -> Failure {
        Failure { problem, rule: Some(rule.name.clone()), document }
    }
}

impl Change {
    fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.deferred.is_empty()
    }
}

/// The changes of an event, given the rules of one projection that match it: one for each document. Rules with
/// `retract: true` are left out: see [`contribution`].
///
/// All rules are evaluated before any of them counts: one error is the whole event's.
///
/// # Errors
///
/// A value that is missing or of the wrong type, a key that is none, two rules that write the same attribute.
pub fn changes(event: &Event, projection: &Projection, rules: &[usize]) -> Result<Vec<Change>, Failure> {
    let mut changes: Vec<Change> = Vec::new();
    for number in rules {
        let rule = &projection.rules[*number];
        if rule.retract {
            continue;
        }
        let mut blamed = None;
        check_schema(event, rule).map_err(|problem| Failure::of(problem, rule, None))?;
        // What the elements of `each` do to a document comes together first.
        let mut of_rule: Vec<(DocumentKey, Operations)> = Vec::with_capacity(1);
        each(event, rule, |element| {
            let scope = Scope { event: Some(event), document: None, element };
            // A condition over the document waits for it, and with it the rule; the key never does.
            let waits = rule.reads_document();
            if !waits && !holds(rule, &scope)? {
                return Ok(());
            }
            let document = key(projection, rule, &scope)?;
            blamed = Some(document.clone());
            if waits {
                let change = entry(&mut changes, document);
                change.deferred.push(Deferred { rule: *number, element: element.cloned() });
                return Ok(());
            }
            let at = of_rule.iter().position(|(other, _)| *other == document).unwrap_or_else(|| {
                of_rule.push((document, Operations::of_rule(rule)));
                of_rule.len() - 1
            });
            of_rule[at].1.add_rule(projection, rule, &scope)
        })
        .and_then(|()| {
            of_rule.into_iter().try_for_each(|(document, operations)| {
                blamed = Some(document.clone());
                entry(&mut changes, document).operations.merge(operations, &rule.name)
            })
        })
        .map_err(|problem| Failure::of(problem, rule, blamed.take()))?;
    }
    // A rule all of whose values are nothing changes nothing.
    changes.retain(|change| !change.is_empty());
    // Ten thousand of them wait for their writes.
    changes.iter_mut().for_each(|change| change.operations.by_path.shrink());
    Ok(changes)
}

/// The operations of a change, with those of its deferred rules, on a document. The event is looked at for the latter alone.
///
/// # Errors
///
/// As [`changes`].
pub fn deferred_operations<'c>(
    change: &'c Change,
    event: Option<&Event>,
    projection: &Projection,
    document: &viewfold_value::Item,
) -> Result<Cow<'c, Operations>, Failure> {
    if change.deferred.is_empty() {
        return Ok(Cow::Borrowed(&change.operations));
    }
    let mut operations = change.operations.clone();
    for elements in change.deferred.chunk_by(|a, b| a.rule == b.rule) {
        let Some(rule) = elements.first().map(|first| &projection.rules[first.rule]) else { continue };
        let mut of_rule = Operations::default();
        let added = elements.iter().try_for_each(|Deferred { element, .. }| {
            let scope = Scope { event, document: Some(document), element: element.as_ref() };
            if holds(rule, &scope)? { of_rule.add_rule(projection, rule, &scope) } else { Ok(()) }
        });
        added
            .and_then(|()| operations.merge(of_rule, &rule.name))
            .map_err(|problem| Failure::of(problem, rule, Some(change.document.clone())))?;
    }
    Ok(Cow::Owned(operations))
}

/// What an item contributes, by document and attribute.
pub type Contribution = SortedMap<DocumentKey, SortedMap<DocumentPath, Number>>;

/// What the item of an event contributes once the event has happened, given the rules with `retract: true` whose `when`
/// matches: nothing where there is no new image.
///
/// # Errors
///
/// As [`changes`].
pub fn contribution(event: &Event, projection: &Projection, rules: &[usize]) -> Result<Contribution, Failure> {
    let mut contribution = Contribution::new();
    for number in rules {
        let rule = &projection.rules[*number];
        if !rule.retract {
            continue;
        }
        let named = |problem: Problem| Failure::of(problem, rule, None);
        check_schema(event, rule).map_err(named)?;
        each(event, rule, |element| {
            let scope = Scope { event: Some(event), document: None, element };
            if !holds(rule, &scope)? {
                return Ok(());
            }
            let document = key(projection, rule, &scope)?;
            let mut operations = Operations::of_rule(rule);
            operations.add_rule(projection, rule, &scope)?;
            let sums = contribution.get_or_default(document);
            sums.reserve(operations.by_path.len());
            for (path, operation) in operations.by_path {
                let Operation::Add(number) = operation else {
                    let message = format!("`add` on `{path}` takes a number in a rule with `retract: true`");
                    return Err(Problem::new(Reason::WrongType, message));
                };
                let sum = match sums.get(&path) {
                    None => number,
                    Some(before) => before.checked_add(number).map_err(|error| {
                        Problem::new(Reason::BadNumber, format!("the sum for `{path}` is no number: {error}"))
                    })?,
                };
                sums.insert(path, sum);
            }
            Ok(())
        })
        .map_err(named)?;
    }
    contribution.retain(|_, sums| !sums.is_empty());
    Ok(contribution)
}

fn entry(changes: &mut Vec<Change>, document: DocumentKey) -> &mut Change {
    let at = match changes.iter().position(|change| change.document == document) {
        Some(at) => at,
        None => {
            // Most events change one document.
            if changes.is_empty() {
                changes.reserve_exact(1);
            }
            changes.push(Change { document, operations: Operations::default(), deferred: Vec::new() });
            changes.len() - 1
        }
    };
    &mut changes[at]
}

/// Calls `apply` for each element of the rule's `each`, or once.
fn each(
    event: &Event,
    rule: &Rule,
    mut apply: impl FnMut(Option<&Value>) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let Some(term) = &rule.each else { return apply(None) };
    let Some(value) = evaluate(term, &Scope { event: Some(event), ..Scope::default() })? else { return Ok(()) };
    match value {
        Value::List(list) => list.iter().try_for_each(|element| apply(Some(element))),
        Value::StringSet(set) => set.into_iter().try_for_each(|text| apply(Some(&Value::String(text)))),
        Value::NumberSet(set) => set.into_iter().try_for_each(|number| apply(Some(&Value::Number(number)))),
        Value::BinarySet(set) => set.into_iter().try_for_each(|bytes| apply(Some(&Value::Binary(bytes)))),
        other => {
            let message = format!("`each` takes a list or a set, and {} is a {}", term.shown(), other.kind());
            Err(Problem::new(Reason::WrongType, message))
        }
    }
}

/// Whether the rule's `if` holds.
fn holds(rule: &Rule, scope: &Scope<'_>) -> Result<bool, Problem> {
    match &rule.condition {
        Some(term) => term::holds(term, scope),
        None => Ok(true),
    }
}

/// Checks the payload against the rule's own schema.
fn check_schema(event: &Event, rule: &Rule) -> Result<(), Problem> {
    match &rule.schema {
        Some(check) => check.check(event),
        None => Ok(()),
    }
}

fn key(projection: &Projection, rule: &Rule, scope: &Scope<'_>) -> Result<DocumentKey, Problem> {
    let value = |attribute: &KeyAttribute, term: &Term, max_bytes: usize| -> Result<Value, Problem> {
        let name = &attribute.name;
        let value = evaluate(term, scope)?.ok_or_else(|| {
            let message = format!("the key `{name}` has no value: {} finds nothing", term.shown());
            Problem::new(Reason::MissingValue, message)
        })?;
        let limits = KeyLimits { kind: key_kind(attribute.kind), max_bytes };
        check_key(&value, limits, || format!("the key `{name}`"), term)?;
        Ok(value)
    };
    let partition = |term| value(&projection.table.partition_key, term, MAX_PARTITION_KEY_BYTES);
    Ok(DocumentKey(match (rule.key.as_slice(), &projection.table.sort_key) {
        ([first, second, ..], Some(key)) => Arc::new([partition(first)?, value(key, second, MAX_SORT_KEY_BYTES)?]),
        ([first, ..], _) => Arc::new([partition(first)?]),
        ([], _) => Arc::new([]),
    }))
}

impl crate::program::SchemaCheck {
    /// Checks the values of an event against the schema; values that are not there are not checked.
    ///
    /// # Errors
    ///
    /// The first thing that does not satisfy it.
    pub fn check(&self, event: &Event) -> Result<(), Problem> {
        for (slot, name) in &self.slots {
            let value = event
                .value(crate::program::Subject::Slot(*slot))
                .map_err(|reason| Problem::new(Reason::BadNumber, format!("{name}: {reason}")))?;
            if let Some(value) = value {
                self.schema.check(&value).map_err(|error| {
                    Problem::new(Reason::Schema, format!("{name} does not fit the schema: {error}"))
                })?;
            }
        }
        Ok(())
    }
}
