//! The events of a source of a projection, divided into units.

use super::{Application, Applications, Closing, Context, LeftBehind, MAX_ACTIONS, Seen, Sent, Unit, ordered};
use crate::dead_letter::OpenLetters;
use crate::evaluate::DocumentKey;
use crate::mark::Mark;
use crate::outcomes::Outcomes;
use crate::program::Guard;
use crate::report::Outcome;
use foldhash::HashMap;
use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

/// Divides the events of a source of a projection into units.
///
/// Under `last_event_id` only events above the running maximum of their document or lane are kept: an event that is not
/// had come before, or its order is not what the guard relies on.
pub(in crate::plan) fn divide(
    projection: usize,
    source: usize,
    context: &Context<'_>,
    applications: Applications,
    outcomes: &mut Outcomes,
) -> Vec<Unit> {
    let guard = &context.program.projections[projection].sources[source].guard;
    let groups = match guard {
        Guard::None => by_document(applications),
        Guard::Document { .. } => {
            let mut groups = by_document(applications);
            for group in &mut groups {
                rising(projection, group, |_| "", outcomes);
            }
            groups
        }
        Guard::Lane { .. } => {
            let mut applications = applications;
            rising(projection, &mut applications, |application| application.lane.as_deref().unwrap_or(""), outcomes);
            pack(components(applications), false)
        }
        Guard::EventsTable { order_by: None, .. } => pack(components(applications), true),
        Guard::EventsTable { order_by: Some(_), .. } => {
            let mut groups = by_document(applications);
            for group in &mut groups {
                ordered::sort(projection, group, outcomes);
            }
            groups
        }
    };
    groups.into_iter().map(|pending| Unit::new((projection, source), pending, None)).collect()
}

impl Unit {
    /// Events that are written one after the other; or one that is redriven, with its letter.
    pub(in crate::plan) fn new(
        (projection, source): (usize, usize),
        pending: Applications,
        closing: Option<Closing>,
    ) -> Unit {
        Unit {
            projection,
            source,
            pending: pending.into(),
            covered: 0,
            limit: usize::MAX,
            seen: Seen::default(),
            left_behind: LeftBehind::default(),
            closing,
            falling: Vec::new(),
            unstored: VecDeque::new(),
            sent: Sent::Nothing,
            attempts: 0,
        }
    }
}

/// Leaves out what waits among the dead letters: whole events, or what they do to a document.
pub(in crate::plan) fn without_open(
    projection: usize,
    mut applications: Applications,
    context: &Context<'_>,
    open: &OpenLetters,
    outcomes: &mut Outcomes,
) -> Applications {
    if open.is_empty() {
        return applications;
    }
    let name = &context.program.projections[projection].name;
    applications.retain_mut(|application| {
        let Application { lane_text, sequence, sub, .. } = &**application;
        let Some((whole, documents)) = open.of(name, lane_text, sequence, *sub) else { return true };
        let changes = application.changes.len();
        // What is left of an event of several documents is a part of it.
        application.part |= changes > 1 && !documents.is_empty();
        application.changes.retain(|change| !documents.contains(&change.document.text().as_str()));
        let meant = application.rejection.as_ref().and_then(|failure| failure.document.as_ref());
        let is_left = meant.is_some_and(|document| documents.contains(&document.text().as_str()));
        let nothing = changes > 0 && application.changes.is_empty();
        let waits = whole || is_left || nothing;
        if waits {
            outcomes.note(application.place(projection), Outcome::Waiting);
        }
        !waits
    });
    applications
}

/// Keeps only events above the running maximum of their line.
fn rising(
    projection: usize,
    applications: &mut Applications,
    line: impl Fn(&Application) -> &str,
    outcomes: &mut Outcomes,
) {
    let mut highest: HashMap<&str, Option<&Mark>> = HashMap::default();
    let mut verdicts: Vec<Option<Outcome>> = Vec::with_capacity(applications.len());
    for application in applications.iter() {
        let mark = application.mark.as_ref();
        let highest = highest.entry(line(application)).or_default();
        verdicts.push(match mark.cmp(highest) {
            Ordering::Greater => {
                *highest = mark;
                None
            }
            // No mark at all: an event that could not be evaluated so far.
            _ if mark.is_none() => None,
            Ordering::Equal => Some(Outcome::Repeated),
            Ordering::Less => Some(Outcome::Stale),
        });
    }
    let mut verdicts = verdicts.into_iter();
    applications.retain(|application| match verdicts.next().flatten() {
        None => true,
        Some(outcome) => {
            outcomes.note(application.place(projection), outcome);
            false
        }
    });
}

/// One group for each document, and for each shard where they have marks of their own, in the order in which they come up. An event of several documents is in several groups:
/// nothing but the documents themselves says what has been applied. An event without a document is a group of its own.
fn by_document(applications: Applications) -> Vec<Applications> {
    let mut numbers: HashMap<(DocumentKey, Option<Arc<str>>), usize> = HashMap::default();
    let mut groups: Vec<Applications> = Vec::new();
    let mut group_of = |document: DocumentKey, shard: Option<Arc<str>>, groups: &mut Vec<Applications>| {
        *numbers.entry((document, shard)).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        })
    };
    for mut application in applications {
        // An event that cannot be applied stands in the line of the document it was meant for, if that could be told.
        let meant = application.rejection.as_ref().and_then(|failure| failure.document.clone());
        if let Some(document) = meant {
            application.changes.clear();
            let number = group_of(document, application.shard.clone(), &mut groups);
            groups[number].push(application);
            continue;
        }
        match application.changes.as_slice() {
            [] => groups.push(vec![application]),
            [change] => {
                let number = group_of(change.document.clone(), application.shard.clone(), &mut groups);
                groups[number].push(application);
            }
            _ => {
                application.part = true;
                for change in std::mem::take(&mut application.changes) {
                    let number = group_of(change.document.clone(), application.shard.clone(), &mut groups);
                    let changes = vec![change];
                    groups[number].push(Box::new(Application { changes, ..(*application).clone() }));
                }
            }
        }
    }
    groups
}

/// What an event shares with others: their writes must not run beside each other.
#[derive(PartialEq, Eq, Hash)]
enum Shared<'a> {
    Document(&'a DocumentKey),
    Lane(&'a str),
}

fn shared(application: &Application) -> impl Iterator<Item = Shared<'_>> {
    let changed = application.changes.iter().map(|change| &change.document);
    let contributed = application.contribution.iter().flat_map(|contribution| contribution.keys());
    let documents = changed.chain(contributed).map(Shared::Document);
    documents.chain(application.lane.as_deref().map(Shared::Lane))
}

/// Groups of events that share no document and no lane with any other group, each with the number of documents and lanes in it.
fn components(applications: Applications) -> Vec<(usize, Applications)> {
    // Union-find over the events: events that touch one document belong together.
    fn find(parents: &mut [usize], mut at: usize) -> usize {
        while parents[at] != at {
            parents[at] = parents[parents[at]];
            at = parents[at];
        }
        at
    }
    let mut parents: Vec<usize> = (0..applications.len()).collect();
    // How many documents and lanes an event is the first one of.
    let mut things: Vec<usize> = vec![0; applications.len()];
    let mut first_of: HashMap<Shared<'_>, usize> = HashMap::default();
    for (number, application) in applications.iter().enumerate() {
        for thing in shared(application) {
            let first = *first_of.entry(thing).or_insert_with(|| {
                things[number] += 1;
                number
            });
            let (a, b) = (find(&mut parents, first), find(&mut parents, number));
            parents[a.max(b)] = a.min(b);
        }
    }
    drop(first_of);
    // The root of a group is its first event.
    let mut group_of: Vec<usize> = vec![0; applications.len()];
    let mut groups: Vec<(usize, Applications)> = Vec::new();
    for (number, application) in applications.into_iter().enumerate() {
        let root = find(&mut parents, number);
        if root == number {
            group_of[root] = groups.len();
            groups.push((0, Vec::new()));
        }
        let (count, group) = &mut groups[group_of[root]];
        *count += things[number];
        group.push(application);
    }
    groups
}

/// Puts small groups together, as long as one transaction holds them. `rows`: each event has one of its own.
fn pack(groups: Vec<(usize, Applications)>, rows: bool) -> Vec<Applications> {
    let mut packed: Vec<(usize, Applications)> = Vec::new();
    for (things, group) in groups {
        // A dead letter is a row, too.
        let own = if rows { group.len() } else { 0 };
        let letters = group.iter().filter(|application| application.rejection.is_some()).count();
        let actions = own + letters + things;
        match packed.last_mut() {
            Some((used, pack)) if *used + actions <= MAX_ACTIONS => {
                *used += actions;
                pack.extend(group);
            }
            _ => packed.push((actions, group)),
        }
    }
    packed.into_iter().map(|(_, group)| group).collect()
}
