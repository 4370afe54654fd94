//! Units of work: what has to be written one request after the other.
//!
//! | guard | a unit is | its write |
//! |---|---|---|
//! | `none`, `last_event_id: document` | one document ([`document`]) | an update |
//! | `last_event_id: lane`, `events_table` | events, and all documents and lanes they touch ([`transaction`]) | a transaction |
//! | `events_table` with `order_by` | one document ([`ordered`]) | a transaction |
//!
//! Small groups share a unit, so that their transactions are packed. Where the store refuses a write for good, its events
//! are halved until the one to blame is alone; it is rejected and the others go on.

mod document;
mod ordered;
mod transaction;
mod write;

use super::expression::Writer;
use super::request::{Action, Answer, Cancellation, ItemKey, Put, Request};
use crate::bookkeeping::{DeadLetter, OrderedEvent, PARTITION_KEY, dead_letter_row};
use crate::decode::envelope::Record;
use crate::evaluate::{Change, Contribution, DocumentKey, Failure};
use crate::event::Event;
use crate::mark::Mark;
use crate::program::{Guard, OnError, Program, Projection, Source};
use crate::report::{Outcome, Outcomes, Problem};
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use viewfold_value::Item;

/// The most actions of a transaction, and the most items of a read ([API reference]).
///
/// [API reference]: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
const MAX_ACTIONS: usize = 100;

/// A margin below a transaction's 4 MB: sizes are counted about.
const MAX_TRANSACTION_BYTES: usize = 3 << 20;

/// A margin below an item's 400 KB: what is larger is left to the store to judge, alone.
const MAX_UPDATE_BYTES: usize = 300 << 10;

/// How often a write is put together anew because what had been read has changed since.
const MAX_ATTEMPTS: u32 = 20;

/// What the units of a batch share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'p> {
    pub(super) program: &'p Program,
    /// The records as Lambda gave them.
    pub(super) records: &'p [&'p [u8]],
    /// The engine's clock, RFC 3339.
    pub(super) now: &'p Arc<str>,
}

/// What one event does in one projection.
#[derive(Clone, Debug)]
pub(super) struct Application {
    /// The record's number.
    pub(super) record: usize,
    /// The event, where it could be decoded.
    pub(super) event: Option<Arc<Event>>,
    /// The record's sequence number.
    pub(super) sequence: String,
    /// Lambda's eventID.
    pub(super) event_id: String,
    /// The record's lane, as far as it could be told.
    pub(super) lane_text: String,
    /// Its place in the order that its guard goes by.
    pub(super) mark: Option<Mark>,
    /// What tells it from all others, under an events table.
    pub(super) id: Option<String>,
    /// Its lane, under a guard by lanes.
    pub(super) lane: Option<String>,
    /// What it does, document by document.
    pub(super) changes: Vec<Change>,
    /// What its item contributes from now on, where rules take back what it did before.
    pub(super) contribution: Option<Contribution>,
    /// Why it cannot be applied.
    pub(super) rejection: Option<Failure>,
}

/// What has been seen of the items that a unit writes.
#[derive(Debug, Default)]
struct Seen {
    /// Documents as they were read, or came back with a condition that failed.
    documents: HashMap<DocumentKey, Option<Item>>,
    /// Documents that have to be read before they are written.
    must_read: HashSet<DocumentKey>,
    /// Documents whose maps on the way to nested attributes are not there.
    without_maps: HashSet<DocumentKey>,
    /// Documents that are written attribute by attribute as wholes: what one event does to their maps is more than an
    /// update expression holds.
    as_wholes: HashSet<DocumentKey>,
    /// Rows of lanes as they were read, or came back with a condition that failed.
    lanes: HashMap<String, Option<Item>>,
    /// Events that were applied to the document before, under `events_table` with `order_by`.
    ordered: Option<Vec<OrderedEvent>>,
}

/// Events whose writes follow one another.
#[derive(Debug)]
pub(super) struct Unit {
    /// The projection's number.
    pub(super) projection: usize,
    /// The number of the source in the projection.
    source: usize,
    /// What is still to be written, in order.
    pending: VecDeque<Application>,
    /// How many of the pending events the request in flight covers.
    covered: usize,
    /// How many events the next request may cover: fewer while a culprit is looked for.
    limit: usize,
    seen: Seen,
    /// What the request in flight is for.
    sent: Sent,
    /// How often what had been read had changed since, one time after the other.
    attempts: u32,
}

/// What a request is for.
#[derive(Debug, Default)]
enum Sent {
    #[default]
    Nothing,
    /// Items are read.
    Read(Vec<Target>),
    /// The events of a document are read.
    Rows,
    /// Something is written, action by action.
    Write(Vec<Target>),
    /// The first pending event is put away as a dead letter, and perhaps a mark moved past it.
    DeadLetter { with_mark: bool },
}

/// What an action of a request is about.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Target {
    Document(DocumentKey),
    Lane(String),
    /// The row of an event, by its place among the pending.
    Event(usize),
    /// The dead letter of an event.
    DeadLetter,
}

impl Target {
    fn document(&self) -> Option<&DocumentKey> {
        match self {
            Target::Document(document) => Some(document),
            Target::Lane(_) | Target::Event(_) | Target::DeadLetter => None,
        }
    }
}

/// What comes next in a unit.
enum Step {
    /// This request.
    Send(Request, Sent),
    /// Another look: something about the pending events has changed.
    Again,
}

/// Divides the events of a source of a projection into units.
///
/// Under `last_event_id` only events above the running maximum of their document or lane are kept: an event that is not
/// had come before, or its order is not what the guard relies on.
pub(super) fn divide(
    projection: usize,
    source: usize,
    context: &Context<'_>,
    applications: Vec<Application>,
    outcomes: &mut Outcomes,
) -> Vec<Unit> {
    let guard = &context.program.projections[projection].sources[source].guard;
    let groups = match guard {
        Guard::None => by_document(applications),
        Guard::Document { .. } => {
            let mut groups = by_document(applications);
            for group in &mut groups {
                rising(projection, group, |_| String::new(), outcomes);
            }
            groups
        }
        Guard::Lane { .. } => {
            let mut applications = applications;
            let lane = |application: &Application| application.lane.clone().unwrap_or_default();
            rising(projection, &mut applications, lane, outcomes);
            pack(components(applications))
        }
        Guard::EventsTable { order_by: None, .. } => pack(components(applications)),
        Guard::EventsTable { order_by: Some(_), .. } => {
            let mut groups = by_document(applications);
            for group in &mut groups {
                ordered::sort(projection, group, outcomes);
            }
            groups
        }
    };
    let unit = |pending: Vec<Application>| Unit {
        projection,
        source,
        pending: pending.into(),
        covered: 0,
        limit: usize::MAX,
        seen: Seen::default(),
        sent: Sent::Nothing,
        attempts: 0,
    };
    groups.into_iter().map(unit).collect()
}

/// Keeps only events above the running maximum of their line.
fn rising(
    projection: usize,
    applications: &mut Vec<Application>,
    line: impl Fn(&Application) -> String,
    outcomes: &mut Outcomes,
) {
    let mut highest: HashMap<String, Option<Mark>> = HashMap::new();
    applications.retain(|application| {
        let highest = highest.entry(line(application)).or_default();
        let outcome = match application.mark.cmp(highest) {
            Ordering::Greater => {
                highest.clone_from(&application.mark);
                return true;
            }
            // No mark at all: an event that could not be evaluated so far.
            _ if application.mark.is_none() => return true,
            Ordering::Equal => Outcome::Repeated,
            Ordering::Less => Outcome::Stale,
        };
        outcomes.note(application.record, Some(projection), outcome);
        false
    });
}

/// One group for each document, in the order in which they come up. An event of several documents is in several groups:
/// nothing but the documents themselves says what has been applied. An event without a document is a group of its own.
fn by_document(applications: Vec<Application>) -> Vec<Vec<Application>> {
    let mut numbers: HashMap<DocumentKey, usize> = HashMap::new();
    let mut groups: Vec<Vec<Application>> = Vec::new();
    let mut group_of = |document: DocumentKey, groups: &mut Vec<Vec<Application>>| {
        *numbers.entry(document).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        })
    };
    for mut application in applications {
        let changes = std::mem::take(&mut application.changes);
        // An event that cannot be applied stands in the line of the document it was meant for, if that could be told.
        let meant = application.rejection.as_ref().and_then(|failure| failure.document.clone());
        if let Some(document) = meant {
            let number = group_of(document, &mut groups);
            groups[number].push(application);
            continue;
        }
        if changes.is_empty() {
            groups.push(vec![application]);
            continue;
        }
        for change in changes {
            let number = group_of(change.document.clone(), &mut groups);
            groups[number].push(Application { changes: vec![change], ..application.clone() });
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

/// Groups of events that share no document and no lane with any other group.
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
    let mut first_of: HashMap<Shared<'_>, usize> = HashMap::new();
    for (number, application) in applications.iter().enumerate() {
        for thing in shared(application) {
            let first = *first_of.entry(thing).or_insert(number);
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
        let things: HashSet<Shared<'_>> = group.iter().flat_map(shared).collect();
        let actions = group.len() + things.len();
        drop(things);
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

impl Unit {
    fn parts<'p>(&self, context: &Context<'p>) -> (&'p Projection, &'p Source) {
        let projection = &context.program.projections[self.projection];
        (projection, &projection.sources[self.source])
    }

    /// The next request, made of as many pending events as fit; none when nothing is pending.
    pub(super) fn request(&mut self, context: &Context<'_>, outcomes: &mut Outcomes) -> Option<Request> {
        let (_, source) = self.parts(context);
        // Every look brings an event further, or halves what is looked at: more of them would be a mistake of ours, which
        // must not hold up the stream for ever.
        let mut looks = 1000 + 64 * self.pending.len();
        while !self.pending.is_empty() {
            looks -= 1;
            if looks == 0 {
                self.fail("viewfold finds no request that brings its events further; please report this", outcomes);
                return None;
            }
            if self.attempts > MAX_ATTEMPTS {
                let message = "what was to be written kept changing while it was being written; others write to it too";
                self.fail(message, outcomes);
                return None;
            }
            let step = match (&source.guard, self.front_rejected()) {
                (Guard::EventsTable { order_by: None, .. } | Guard::Lane { .. }, rejected) => {
                    match self.settled_without_row(rejected, context, outcomes) {
                        Some(step) => step,
                        None => self.transaction(context, outcomes),
                    }
                }
                (Guard::EventsTable { order_by: Some(_), .. }, rejected) => {
                    // What only the document speaks against is folded like the others.
                    let has_changes = self.pending.front().is_some_and(|front| !front.changes.is_empty());
                    if rejected && !has_changes {
                        self.put_away(context, outcomes)
                    } else {
                        self.ordered(context, outcomes)
                    }
                }
                (_, true) => self.put_away(context, outcomes),
                (Guard::None | Guard::Document { .. }, false) => self.document(context, outcomes),
            };
            if let Step::Send(request, sent) = step {
                self.sent = sent;
                return Some(request);
            }
        }
        None
    }

    fn front_rejected(&self) -> bool {
        self.pending.front().is_some_and(|application| application.rejection.is_some())
    }

    /// Takes the answer to the request in flight; whether there may be another request.
    pub(super) fn answer(&mut self, context: &Context<'_>, answer: Answer, outcomes: &mut Outcomes) -> bool {
        let sent = std::mem::take(&mut self.sent);
        match (sent, answer) {
            (_, Answer::Failed(message)) => self.fail(&message, outcomes),
            (Sent::Read(targets), Answer::Items(items)) => {
                for (target, item) in targets.into_iter().zip(items) {
                    self.see(&target, item, context, outcomes);
                }
            }
            (Sent::Rows, Answer::Rows(rows)) => self.ordered_rows(rows, context, outcomes),
            (Sent::Write(_), Answer::Done) => {
                let (projection, _) = self.parts(context);
                for application in self.pending.drain(..self.covered) {
                    outcomes.note(application.record, Some(self.projection), application.outcome(projection));
                }
                // What was read is not what is there any more.
                self.seen.documents.clear();
                self.seen.lanes.clear();
                self.seen.ordered = None;
                self.seen.without_maps.clear();
                self.seen.as_wholes.clear();
                self.limit = self.covered.saturating_mul(4).max(self.limit);
                self.attempts = 0;
            }
            (Sent::Write(targets), answer) => self.write_answered(targets, answer, context, outcomes),
            (Sent::DeadLetter { with_mark }, answer) => self.put_away_answered(with_mark, answer, context, outcomes),
            (_, answer) => self.fail(&format!("the store gave an answer to another request: {answer:?}"), outcomes),
        }
        !self.pending.is_empty()
    }

    fn write_answered(&mut self, targets: Vec<Target>, answer: Answer, context: &Context<'_>, outcomes: &mut Outcomes) {
        let reasons = match answer {
            Answer::ConditionFailed(item) => vec![Cancellation::ConditionFailed(item)],
            Answer::NoParent(message) => vec![Cancellation::NoParent(message)],
            Answer::Refused(message) => vec![Cancellation::Refused(message)],
            Answer::Cancelled(reasons) => reasons,
            other => return self.fail(&format!("the store gave an answer to another request: {other:?}"), outcomes),
        };
        self.attempts += 1;
        let (mut refused, mut failed, mut learned) = (None, None, false);
        let mut repeated: HashSet<usize> = HashSet::new();
        let documents: Vec<DocumentKey> = targets.iter().filter_map(Target::document).cloned().collect();
        for (target, reason) in targets.into_iter().zip(reasons) {
            match (target, reason) {
                (_, Cancellation::None) => {}
                (Target::Event(number), Cancellation::ConditionFailed(_)) => {
                    repeated.insert(number);
                }
                // A dead letter that is there has been put away before.
                (Target::DeadLetter, Cancellation::ConditionFailed(_)) => {}
                (target, Cancellation::ConditionFailed(item)) => {
                    learned = true;
                    self.see(&target, item, context, outcomes);
                }
                (Target::Document(document), Cancellation::NoParent(_)) => {
                    learned = true;
                    if !self.seen.without_maps.insert(document.clone()) {
                        // Something that is no map may stand in the way: reading will tell.
                        self.seen.must_read.insert(document);
                    }
                }
                (_, Cancellation::NoParent(message) | Cancellation::Refused(message)) => refused = Some(message),
                (_, Cancellation::Failed(message)) => failed = Some(message),
            }
        }
        if !repeated.is_empty() {
            // The places count from the first pending event, and nothing was taken away in front of them: rows of
            // events and rows of lanes are not written together.
            let mut number = 0;
            let projection = self.projection;
            self.pending.retain(|application| {
                let is_repeated = repeated.contains(&number);
                number += 1;
                if is_repeated {
                    outcomes.note(application.record, Some(projection), Outcome::Repeated);
                }
                !is_repeated
            });
            self.attempts = 0;
        } else if learned {
            // Another look with what is known now.
        } else if let Some(message) = refused {
            self.halve(message, documents);
            self.attempts = 0;
        } else {
            self.fail(failed.as_deref().unwrap_or("the transaction was cancelled without a reason"), outcomes);
        }
    }

    /// Keeps what has been seen of an item, and drops the events that it says were applied before.
    fn see(&mut self, target: &Target, item: Option<Item>, context: &Context<'_>, outcomes: &mut Outcomes) {
        match target {
            Target::Document(document) => {
                // The rows that were read belong to the version that was read.
                self.seen.ordered = None;
                let dropped = self.drop_marked(item.as_ref(), context, outcomes);
                // A blind write that met its own mark is made anew from what is left, without what was seen.
                if dropped == 0 || self.seen.must_read.contains(document) {
                    self.seen.documents.insert(document.clone(), item);
                } else {
                    self.attempts = 0;
                }
            }
            Target::Lane(lane) => {
                self.see_lane(lane, item, context, outcomes);
            }
            Target::Event(_) | Target::DeadLetter => {}
        }
    }

    /// Covers half as many events the next time. The event that is alone is looked at beside its documents, which tell
    /// more exactly what is wrong; where they have been read, it is rejected.
    fn halve(&mut self, message: String, documents: Vec<DocumentKey>) {
        if self.covered > 1 {
            self.limit = self.covered / 2;
            return;
        }
        self.limit = usize::MAX;
        let unread = |document: &&DocumentKey| !self.seen.must_read.contains(*document);
        if documents.iter().any(|document| unread(&document)) {
            self.limit = 1;
            self.seen.must_read.extend(documents);
            return;
        }
        let problem = Problem::new(crate::report::Reason::RefusedByStore, message);
        self.reject_whole(0, problem);
    }

    /// Marks a pending event as one that cannot be applied whatever comes before it: nothing of it is tried again, and what
    /// its item contributed before stays.
    fn reject_whole(&mut self, number: usize, failure: impl Into<Failure>) {
        self.reject(number, failure);
        if let Some(application) = self.pending.get_mut(number) {
            application.changes.clear();
            application.contribution = None;
        }
    }

    /// Marks a pending event as one that cannot be applied.
    fn reject(&mut self, number: usize, failure: impl Into<Failure>) {
        if let Some(application) = self.pending.get_mut(number) {
            let mut failure = failure.into();
            let mut documents = application.changes.iter().map(|change| &change.document);
            if let (Some(only), None) = (documents.next(), documents.next()) {
                failure.document.get_or_insert_with(|| only.clone());
            }
            application.rejection = Some(failure);
        }
    }

    /// The write of a single event that is more than an update expression holds: its attributes are set as wholes the next
    /// time, and if they were, the event is rejected.
    fn widen(&mut self, document: DocumentKey) {
        self.seen.must_read.insert(document.clone());
        if !self.seen.as_wholes.insert(document) {
            let message =
                "the event changes more attributes than one update of DynamoDB holds: its expression has 4 KB";
            self.reject_whole(0, Problem::new(crate::report::Reason::TooLarge, message));
        }
    }

    /// Gives up: everything that is pending has failed.
    pub(super) fn fail(&mut self, message: &str, outcomes: &mut Outcomes) {
        for application in self.pending.drain(..) {
            outcomes.note(application.record, Some(self.projection), Outcome::Failed(message.to_owned()));
        }
    }

    /// Where the projection keeps no dead letters: the outcome of a first event that cannot be applied. The rest goes on,
    /// or waits for it (`on_error: fail`).
    fn settled_without_row(&mut self, rejected: bool, context: &Context<'_>, outcomes: &mut Outcomes) -> Option<Step> {
        let (projection, _) = self.parts(context);
        // What an item contributed before is taken back even where its new image is skipped.
        let takes_back = self.pending.front().is_some_and(|front| front.contribution.is_some());
        match projection.on_error {
            _ if !rejected => return None,
            OnError::DeadLetter => return None,
            OnError::Skip if takes_back => return None,
            OnError::Skip | OnError::Fail => {}
        }
        let application = self.pending.pop_front()?;
        let problem = application.rejection.as_ref().map(|rejection| rejection.problem.clone())?;
        let held = projection.on_error == OnError::Fail;
        let outcome = if held { Outcome::Rejected(problem) } else { Outcome::Skipped(problem) };
        outcomes.note(application.record, Some(self.projection), outcome);
        if held {
            self.fail("an earlier event could not be applied, and `on_error: fail` makes what follows wait", outcomes);
        }
        Some(Step::Again)
    }

    /// The dead letter of the first pending event. Where the document has a mark, it is moved past the event in the same
    /// transaction, so that the event is a repeat when it comes again.
    fn put_away(&mut self, context: &Context<'_>, outcomes: &mut Outcomes) -> Step {
        if let Some(step) = self.settled_without_row(true, context, outcomes) {
            return step;
        }
        let (projection, source) = self.parts(context);
        let Some(application) = self.pending.front() else { return Step::Again };
        let mark = match (&source.guard, &application.mark, &application.rejection) {
            (Guard::Document { attribute, .. }, Some(mark), Some(Failure { document: Some(document), .. })) => {
                Some(write::mark_only(projection, document, attribute, mark))
            }
            _ => None,
        };
        let Some(letter) = application.dead_letter(projection, source, context, mark.is_some()) else {
            self.fail("there is no table of dead letters", outcomes);
            return Step::Again;
        };
        self.covered = 1;
        match mark {
            Some(mark) => Step::Send(Request::Transact(vec![mark, letter]), Sent::DeadLetter { with_mark: true }),
            None => Step::Send(Request::Write(letter), Sent::DeadLetter { with_mark: false }),
        }
    }

    fn put_away_answered(&mut self, with_mark: bool, answer: Answer, context: &Context<'_>, outcomes: &mut Outcomes) {
        self.attempts += 1;
        match (answer, with_mark) {
            // A letter that is there has been put away before.
            (Answer::Done, _) | (Answer::ConditionFailed(_), false) => self.dead_lettered(context, outcomes),
            (Answer::Cancelled(reasons), true) => match reasons.into_iter().next() {
                Some(Cancellation::ConditionFailed(None)) => {
                    // There is no document to mark: the letter alone.
                    if let Some(rejection) = self.pending.front_mut().and_then(|front| front.rejection.as_mut()) {
                        rejection.document = None;
                    }
                }
                Some(Cancellation::ConditionFailed(item)) => {
                    if self.drop_marked(item.as_ref(), context, outcomes) == 0 {
                        self.fail("the document's mark is none that its events compare with", outcomes);
                    }
                }
                Some(Cancellation::None) => self.dead_lettered(context, outcomes),
                other => self.fail(&format!("the dead letter could not be written: {other:?}"), outcomes),
            },
            (answer, _) => self.fail(&format!("the dead letter could not be written: {answer:?}"), outcomes),
        }
    }

    fn dead_lettered(&mut self, context: &Context<'_>, outcomes: &mut Outcomes) {
        self.attempts = 0;
        if let Some(application) = self.pending.pop_front() {
            let (projection, _) = self.parts(context);
            outcomes.note(application.record, Some(self.projection), application.outcome(projection));
        }
    }

    /// The key of a document, for reading it.
    fn document_key(&self, document: &DocumentKey, projection: &Projection) -> ItemKey {
        ItemKey { table: Arc::clone(&projection.table.name), key: document.item(projection) }
    }
}

impl Application {
    /// What an event does, before anything is known about it.
    pub(super) fn new(event: &Arc<Event>) -> Application {
        Application {
            record: event.record,
            event: Some(Arc::clone(event)),
            sequence: event.metadata.sequence.clone(),
            event_id: event.metadata.id.clone(),
            lane_text: event.metadata.lane.text(),
            mark: None,
            id: None,
            lane: None,
            changes: Vec::new(),
            contribution: None,
            rejection: None,
        }
    }

    /// A record that is no event.
    pub(super) fn undecodable(record: &Record<'_>, number: usize, lane: String, problem: Problem) -> Application {
        Application {
            record: number,
            event: None,
            sequence: record.sequence().to_owned(),
            event_id: record.event_id.clone(),
            lane_text: lane,
            mark: None,
            id: None,
            lane: None,
            changes: Vec::new(),
            contribution: None,
            rejection: Some(problem.into()),
        }
    }

    /// What has become of the event once its part of a write is done.
    fn outcome(&self, projection: &Projection) -> Outcome {
        match &self.rejection {
            None => Outcome::Applied,
            Some(rejection) if projection.on_error == OnError::Skip => Outcome::Skipped(rejection.problem.clone()),
            Some(rejection) => Outcome::DeadLettered(rejection.problem.clone()),
        }
    }

    /// The dead letter of the event; nothing where the program has no table for it. Beside other writes of a transaction
    /// it is put whether it is there or not: they say whether the event is new.
    fn dead_letter(
        &self,
        projection: &Projection,
        source: &Source,
        context: &Context<'_>,
        beside: bool,
    ) -> Option<Action> {
        let rejection = self.rejection.as_ref()?;
        let table = context.program.dead_letters.as_ref()?;
        let record = context.records.get(self.record).map(|bytes| String::from_utf8_lossy(bytes)).unwrap_or_default();
        let row = dead_letter_row(&DeadLetter {
            projection,
            source,
            lane: &self.lane_text,
            sequence: &self.sequence,
            id: &self.event_id,
            rule: rejection.rule.as_deref(),
            document: rejection.document.as_ref(),
            reason: rejection.problem.reason.code(),
            message: &rejection.problem.message,
            record: &record,
            now: context.now,
        });
        Some(match beside {
            true => Writer::default().put(table, row),
            false => Action::Put(Put::new_item(Arc::clone(table), row, PARTITION_KEY)),
        })
    }
}
