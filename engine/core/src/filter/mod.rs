//! Lambda's event filters, derived from what rules match: events that no rule can match need not be sent to the function.
//!
//! A filter must never drop an event that a rule matches, under Lambda's own rules of matching, which are not these. So each condition
//! becomes a pattern only where every value that fulfils it passes the pattern ([`pattern`]); all others are left out, which makes the
//! filter wider. A rule's pattern is all that is left of its conditions, a stream's filter the patterns of all its rules, and where a
//! rule has none left there is no filter.
//!
//! What a filter leaves out is not even looked at: the [notes](Filter::notes) say what that means.

mod merge;
mod path;
mod pattern;

use crate::program::{Condition, MetadataName, Payload, Program, Projection, Rule, StreamIdentity, Subject};
use pattern::Wanted;
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use viewfold_value::Value;

/// The most patterns of an event source mapping ([quota]).
///
/// [quota]: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
pub const MAX_PATTERNS: usize = 5;

/// The most characters of a pattern.
const MAX_PATTERN_BYTES: usize = 4096;

/// The filter of a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filter {
    /// Patterns as JSON: an event that matches one of them is sent to the function.
    pub patterns: Vec<String>,
    /// What to know before it is used, a sentence each.
    pub notes: Vec<String>,
}

/// What an event has to be like to match a rule, by the path of each value in Lambda's record.
type Pattern = BTreeMap<Vec<String>, Wanted>;

/// The filter of a stream's events.
///
/// # Errors
///
/// Why there is none, as a sentence.
pub fn of_stream(program: &Program, stream: usize) -> Result<Filter, String> {
    let known = &program.streams[stream];
    let record = match (&known.identity, known.payload) {
        (StreamIdentity::Kinesis(_), Payload::Change) => Shape::Change(&["data"]),
        (StreamIdentity::Kinesis(_), Payload::Json | Payload::Sns | Payload::Eventbridge) => Shape::Json,
        (StreamIdentity::Dynamodb(_), _) => Shape::Change(&[]),
        (StreamIdentity::Sqs(_), _) => {
            return Err("no filter: SQS deletes messages that its filter drops, and none could be redriven".to_owned());
        }
    };
    let mut patterns = Vec::new();
    for (projection, source) in &known.readers {
        let projection = &program.projections[*projection];
        let Projection { name, .. } = projection;
        if projection.sources[*source].retracts {
            return Err(format!(
                "no filter: projection `{name}` has `retract: true`, which has to see every change of an item: what the item contributed \
                 may go by rules that are no more"
            ));
        }
        if projection.sources[*source].schema.is_some() {
            return Err(format!(
                "no filter: projection `{name}` has a `schema` for every event of its source, and events that are dropped are never checked"
            ));
        }
        for rule in projection.rules.iter().filter(|rule| rule.source == *source) {
            let pattern = of_rule(rule, &record, known);
            if pattern.is_empty() {
                let why = match rule.when.is_empty() {
                    true => "matches every event",
                    false => "asks for nothing that Lambda's filters can tell",
                };
                return Err(format!("no filter: rule `{}` of projection `{name}` {why}", rule.name));
            }
            patterns.push(pattern);
        }
    }
    let patterns = merge::at_most(patterns, MAX_PATTERNS).ok_or_else(|| {
        format!(
            "no filter: Lambda takes {MAX_PATTERNS} patterns, the rules need more, and have no condition in common that Lambda could tell"
        )
    })?;
    let patterns: Vec<String> = patterns.iter().map(text).collect();
    if patterns.iter().any(|pattern| pattern.len() > MAX_PATTERN_BYTES) {
        return Err(format!(
            "no filter: a pattern would have more than the {MAX_PATTERN_BYTES} characters that Lambda takes"
        ));
    }
    Ok(Filter { patterns, notes: notes(&record) })
}

/// What a record of a stream looks like to Lambda's filter.
enum Shape<'s> {
    /// A JSON payload, under `data`.
    Json,
    /// A change of an item, below these keys.
    Change(&'s [&'s str]),
}

/// The pattern of a rule: empty where nothing can be told.
fn of_rule(rule: &Rule, record: &Shape<'_>, stream: &crate::program::Stream) -> Pattern {
    let mut pattern = Pattern::new();
    for condition in &rule.when {
        let Some((path, wanted)) = of_condition(condition, record, stream) else { continue };
        // Two conditions on one value: either is wide enough alone. The same goes for a path that leads through another.
        let is_in_the_way = |other: &Vec<String>| other.starts_with(&path) || path.starts_with(other);
        if !pattern.keys().any(is_in_the_way) {
            pattern.insert(path, wanted);
        }
    }
    pattern
}

/// The pattern of a condition and where it stands; nothing where all that could be said might be too narrow.
fn of_condition(
    condition: &Condition,
    record: &Shape<'_>,
    stream: &crate::program::Stream,
) -> Option<(Vec<String>, Wanted)> {
    match (condition.subject, record) {
        _ if condition.query.is_some() => None,
        (Subject::Slot(slot), Shape::Json) => {
            Some((path::of_payload(stream.paths.steps(slot))?, pattern::of_json(&condition.test)?))
        }
        (Subject::Slot(slot), Shape::Change(above)) => {
            Some((path::of_image(stream.paths.steps(slot), above)?, pattern::of_text_attribute(&condition.test)?))
        }
        (Subject::Metadata(MetadataName::Change), Shape::Change(above)) => {
            let holds = |change: &str| condition.test.holds(Some(&Value::from(change)));
            let path = above.iter().chain(&["eventName"]).map(|key| (*key).to_owned()).collect();
            Some((path, event_names(holds)?))
        }
        (Subject::Metadata(_), _) => None,
    }
}

/// The names of the changes that a test holds for; nothing where it holds for all.
///
/// An item that becomes the row of a deleted document is a remove, and one that stops being such a row an insert: DynamoDB calls both a
/// modification.
fn event_names(holds: impl Fn(&str) -> bool) -> Option<Wanted> {
    let mut names = Vec::new();
    for (change, name) in [("insert", "INSERT"), ("modify", "MODIFY"), ("remove", "REMOVE")] {
        if holds(change) {
            names.extend([name, "MODIFY"]);
        }
    }
    names.sort_unstable();
    names.dedup();
    let some = !names.is_empty() && names.len() < 3;
    some.then(|| Wanted::texts(names))
}

fn notes(record: &Shape<'_>) -> Vec<String> {
    let mut notes = vec![
        "Events that no rule can match do not reach the function: their lanes are not checked, and its metrics do not count them."
            .to_owned(),
    ];
    if !matches!(record, Shape::Change([])) {
        notes.push(
            "Lambda drops every record that is no plain JSON: what cannot be decoded is no dead letter any more but gone, and so are \
             compressed records and aggregates of the Kinesis Producer Library. Take no filter where producers send those."
                .to_owned(),
        );
    }
    notes
}

/// A pattern as JSON: paths as objects within objects.
fn text(pattern: &Pattern) -> String {
    let mut root = Map::new();
    for (path, wanted) in pattern {
        let Some((last, above)) = path.split_last() else { continue };
        let mut at = &mut root;
        for key in above {
            let next = at.entry(key.clone()).or_insert_with(|| Json::Object(Map::new()));
            // No path leads through another.
            let Json::Object(below) = next else { return String::new() };
            at = below;
        }
        at.insert(last.clone(), wanted.json());
    }
    Json::Object(root).to_string()
}
