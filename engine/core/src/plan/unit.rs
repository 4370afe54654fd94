//! Units of work: what has to be written one request after the other.
//!
//! Under `last_event_id: document`, and without a guard, a unit is one document with its events in their order: a prefix
//! of them becomes one update. Under an events table a unit is a group of events and all the documents they touch: a
//! prefix becomes one transaction of documents and ids. Small groups share a unit, so that their transactions are packed.
//!
//! Where the store refuses a write for good, the prefix is halved until the event to blame is alone; it is rejected and
//! the others go on.

use super::expression;
use super::request::{Action, Answer, Cancellation, Put, Request};
use crate::bookkeeping;
use crate::evaluate::{Change, DocumentKey};
use crate::fold::Effects;
use crate::mark::{Mark, Standing};
use crate::program::{Guard, Projection};
use crate::report::{Outcome, Outcomes, Problem, Reason};
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet, VecDeque};

/// The most actions of a transaction ([API reference]).
///
/// [API reference]: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
const MAX_ACTIONS: usize = 100;

/// A margin below a transaction's 4 MB: sizes are counted about.
const MAX_TRANSACTION_BYTES: usize = 3 << 20;

/// A margin below an item's 400 KB: what is larger is left to the store to judge, alone.
const MAX_UPDATE_BYTES: usize = 300 << 10;

/// What one event does in one projection.
#[derive(Debug)]
pub(super) struct Application {
    /// The record's number.
    pub(super) record: usize,
    /// Its place in the order of its document, under `last_event_id`.
    pub(super) mark: Option<Mark>,
    /// What tells it from all others, under an events table.
    pub(super) id: Option<String>,
    /// What it does, document by document.
    pub(super) changes: Vec<Change>,
}

/// Events whose writes follow one another.
#[derive(Debug)]
pub(super) struct Unit {
    /// The projection's number.
    pub(super) projection: usize,
    /// What is still to be written, in order.
    pending: VecDeque<Application>,
    /// How many of the pending events the request in flight covers.
    covered: usize,
    /// How many events the next request may cover: fewer while a culprit is looked for.
    limit: usize,
}

/// Divides a projection's events into units.
///
/// Under `last_event_id` only events above the running maximum of their document are kept: an event that is not had come
/// before, or its order is not what the guard relies on.
pub(super) fn divide(
    projection: usize,
    guard: &Guard,
    applications: Vec<Application>,
    outcomes: &mut Outcomes,
) -> Vec<Unit> {
    let mut groups = match guard {
        Guard::None | Guard::Document { .. } => by_document(applications),
        Guard::EventsTable { .. } => pack(components(applications)),
    };
    if let Guard::Document { .. } = guard {
        for group in &mut groups {
            let mut highest: Option<Mark> = None;
            group.retain(|application| {
                let outcome = match application.mark.cmp(&highest) {
                    Ordering::Greater => {
                        highest.clone_from(&application.mark);
                        return true;
                    }
                    Ordering::Equal => Outcome::Repeated,
                    Ordering::Less => Outcome::Stale,
                };
                outcomes.note(application.record, Some(projection), outcome);
                false
            });
        }
    }
    groups
        .into_iter()
        .map(|pending| Unit { projection, pending: pending.into(), covered: 0, limit: usize::MAX })
        .collect()
}

/// One group for each document, in the order in which they come up. An event of several documents is in several groups:
/// nothing but the documents themselves says what has been applied.
fn by_document(applications: Vec<Application>) -> Vec<Vec<Application>> {
    let mut numbers: HashMap<DocumentKey, usize> = HashMap::new();
    let mut groups: Vec<Vec<Application>> = Vec::new();
    for Application { record, mark, id, changes } in applications {
        for change in changes {
            let number = *numbers.entry(change.document.clone()).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[number].push(Application { record, mark: mark.clone(), id: id.clone(), changes: vec![change] });
        }
    }
    groups
}

/// Groups of events that share no document with any other group.
fn components(applications: Vec<Application>) -> Vec<Vec<Application>> {
    // Union-find over the events: events that touch one document belong together.
    fn find(parents: &mut [usize], mut at: usize) -> usize {
        while parents[at] != at {
            parents[at] = parents[parents[at]];
            at = parents[at];
        }
        at
    }
    let mut parents: Vec<usize> = (0..applications.len()).collect();
    let mut first_of: HashMap<&DocumentKey, usize> = HashMap::new();
    for (number, application) in applications.iter().enumerate() {
        for change in &application.changes {
            let first = *first_of.entry(&change.document).or_insert(number);
            let (a, b) = (find(&mut parents, first), find(&mut parents, number));
            parents[a.max(b)] = a.min(b);
        }
    }
    drop(first_of);
    let mut numbers: HashMap<usize, usize> = HashMap::new();
    let mut groups: Vec<Vec<Application>> = Vec::new();
    for (number, application) in applications.into_iter().enumerate() {
        let root = find(&mut parents, number);
        let group = *numbers.entry(root).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(application);
    }
    groups
}

/// Puts small groups together, as long as one transaction holds them.
fn pack(groups: Vec<Vec<Application>>) -> Vec<Vec<Application>> {
    let mut packed: Vec<(usize, Vec<Application>)> = Vec::new();
    for group in groups {
        let documents: HashSet<&DocumentKey> =
            group.iter().flat_map(|application| &application.changes).map(|change| &change.document).collect();
        let actions = group.len() + documents.len();
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

/// The documents of a prefix of events, each with what the events do to it.
#[derive(Default)]
struct Folded {
    events: usize,
    documents: Vec<(DocumentKey, Effects)>,
}

impl Unit {
    /// The next request, made of as many pending events as fit; none when nothing is pending.
    pub(super) fn request(&mut self, projection: &Projection) -> Option<Request> {
        let folded = self.fold();
        self.covered = folded.events;
        let covered = self.pending.range(..self.covered);
        match &projection.guard {
            Guard::None => {
                let (document, effects) = folded.documents.first()?;
                Some(Request::Update(expression::update(projection, document, effects)))
            }
            Guard::Document { attribute, .. } => {
                let (document, effects) = folded.documents.first()?;
                let mut marks = covered.filter_map(|application| application.mark.as_ref());
                let first = marks.next()?;
                let last = marks.next_back().unwrap_or(first);
                let update = expression::marked_update(projection, document, effects, attribute, first, last);
                Some(Request::Update(update))
            }
            Guard::EventsTable { table, .. } => {
                if folded.events == 0 {
                    return None;
                }
                // The ids come first: an event's place among the pending is its place among the actions.
                let puts = covered.map(|application| {
                    let id = application.id.as_deref().unwrap_or_default();
                    let item = bookkeeping::event_row(projection, id);
                    Action::Put(Put { table: table.clone(), item, unless_exists: bookkeeping::PARTITION_KEY })
                });
                let updates = folded
                    .documents
                    .iter()
                    .map(|(document, effects)| Action::Update(expression::update(projection, document, effects)));
                Some(Request::Transact(puts.chain(updates).collect()))
            }
        }
    }

    /// Folds the longest prefix of the pending events that one request can hold, and one event in any case.
    fn fold(&self) -> Folded {
        let mut folded = Folded::default();
        let mut numbers: HashMap<&DocumentKey, usize> = HashMap::new();
        let mut size = 0;
        for application in self.pending.iter().take(self.limit) {
            let mut merged = Vec::with_capacity(application.changes.len());
            let mut new_documents = 0;
            let mut new_size = size;
            let mut fits = true;
            for change in &application.changes {
                let nothing = Effects::default();
                let effects = match numbers.get(&change.document) {
                    Some(number) => &folded.documents[*number].1,
                    None => {
                        new_documents += 1;
                        &nothing
                    }
                };
                let Some(next) = effects.with(&change.operations) else {
                    fits = false;
                    break;
                };
                new_size += next.size - effects.size().min(next.size);
                fits &= next.attributes <= expression::MAX_ATTRIBUTES && next.size <= MAX_UPDATE_BYTES;
                merged.push(next);
            }
            // An id row for each event, and an update for each document.
            let actions = folded.events + 1 + folded.documents.len() + new_documents;
            fits &= new_size <= MAX_TRANSACTION_BYTES && (application.id.is_none() || actions <= MAX_ACTIONS);
            if folded.events > 0 && !fits {
                break;
            }
            for (change, next) in application.changes.iter().zip(merged) {
                let number = *numbers.entry(&change.document).or_insert_with(|| {
                    folded.documents.push((change.document.clone(), Effects::default()));
                    folded.documents.len() - 1
                });
                folded.documents[number].1.become_merged(next);
            }
            folded.events += 1;
            size = new_size;
        }
        folded
    }

    /// Takes the answer to the request in flight; whether there may be another request.
    pub(super) fn answer(&mut self, projection: &Projection, answer: Answer, outcomes: &mut Outcomes) -> bool {
        match answer {
            Answer::Done => {
                for application in self.pending.drain(..self.covered) {
                    outcomes.note(application.record, Some(self.projection), Outcome::Applied);
                }
                self.limit = usize::MAX;
            }
            Answer::ConditionFailed(item) => self.already_applied(projection, item, outcomes),
            Answer::Cancelled(reasons) => self.cancelled(reasons, outcomes),
            Answer::Refused(message) => self.refused(projection, message, outcomes),
            Answer::Failed(message) => self.fail(&message, outcomes),
        }
        !self.pending.is_empty()
    }

    /// The document's mark says which of the events had been applied before.
    fn already_applied(
        &mut self,
        projection: &Projection,
        item: Option<viewfold_value::Item>,
        outcomes: &mut Outcomes,
    ) {
        let Guard::Document { attribute, .. } = &projection.guard else {
            return self.fail("the store reports a failed condition for a write that has none", outcomes);
        };
        let stored = item.as_ref().and_then(|item| item.get(attribute));
        let Some(stored) = stored.and_then(viewfold_value::Value::as_str) else {
            let message = format!(
                "the write's condition failed, and the document's `{attribute}` holds no mark that could say why; \
                 something else writes this attribute, or the store does not return the item"
            );
            return self.fail(&message, outcomes);
        };
        let before = self.pending.len();
        let projection = self.projection;
        self.pending.retain(|application| {
            let outcome = match application.mark.as_ref().map(|mark| mark.standing(stored)) {
                Some(Standing::Above) => return true,
                Some(Standing::AtOrBelow) | None => Outcome::Repeated,
                Some(Standing::Other) => Outcome::Rejected(Problem::new(
                    Reason::OtherStream,
                    format!("the document was last changed by an event of another stream, or of a later one: {stored}"),
                )),
            };
            outcomes.note(application.record, Some(projection), outcome);
            false
        });
        if self.pending.len() == before {
            // The mark is below all of the events: the condition should have held.
            self.fail("the document's mark changed while it was being written", outcomes);
        }
    }

    /// The transaction's cancellation says which events had been applied before, or who is to blame.
    fn cancelled(&mut self, reasons: Vec<Cancellation>, outcomes: &mut Outcomes) {
        let refused = reasons.iter().find_map(|reason| match reason {
            Cancellation::Refused(message) => Some(message.clone()),
            _ => None,
        });
        let failed = reasons.iter().find_map(|reason| match reason {
            Cancellation::Failed(message) => Some(message.clone()),
            _ => None,
        });
        let mut repeated = reasons
            .iter()
            .take(self.covered)
            .map(|reason| matches!(reason, Cancellation::ConditionFailed(_)))
            .collect::<VecDeque<bool>>();
        if repeated.contains(&true) {
            let projection = self.projection;
            self.pending.retain(|application| {
                let repeated = repeated.pop_front().unwrap_or(false);
                if repeated {
                    outcomes.note(application.record, Some(projection), Outcome::Repeated);
                }
                !repeated
            });
        } else if let Some(message) = refused {
            self.halve(message, outcomes);
        } else {
            self.fail(failed.as_deref().unwrap_or("the transaction was cancelled without a reason"), outcomes);
        }
    }

    /// The store can never take the write: one of its events is to blame.
    fn refused(&mut self, projection: &Projection, message: String, outcomes: &mut Outcomes) {
        let alone = self.covered <= 1;
        self.halve(message, outcomes);
        if alone && matches!(projection.guard, Guard::Document { .. }) {
            // A later mark on the document would make this event a repeat when it comes again.
            self.fail("an earlier event of the same document was refused by the store and waits", outcomes);
        }
    }

    /// Covers half as many events the next time; rejects the event that is alone.
    fn halve(&mut self, message: String, outcomes: &mut Outcomes) {
        if self.covered > 1 {
            self.limit = self.covered / 2;
            return;
        }
        self.limit = usize::MAX;
        if let Some(culprit) = self.pending.pop_front() {
            let problem = Problem::new(Reason::RefusedByStore, message);
            outcomes.note(culprit.record, Some(self.projection), Outcome::Rejected(problem));
        }
    }

    /// Gives up: everything that is pending has failed.
    pub(super) fn fail(&mut self, message: &str, outcomes: &mut Outcomes) {
        for application in self.pending.drain(..) {
            outcomes.note(application.record, Some(self.projection), Outcome::Failed(message.to_owned()));
        }
    }
}
