//! Units of work: what has to be written one request after the other.
//!
//! | guard | a unit is | its write |
//! |---|---|---|
//! | `none`, `last_event_id: document` | one document ([`document`]) | an update |
//! | `last_event_id: shard` | one document and one shard ([`document`]) | an update |
//! | `last_event_id: lane`, `events_table` | events, and all documents and lanes they touch ([`transaction`]) | a transaction |
//! | `events_table` with `order_by` | one document ([`ordered`]) | a transaction |
//!
//! Small groups share a unit, so that their transactions are packed. Where the store refuses a write for good, its events
//! are halved until the one to blame is alone; it is rejected and the others go on.

mod closing;
mod divide;
mod document;
mod folding;
mod letters;
mod ordered;
mod place;
mod transaction;
mod write;

pub(super) use closing::Closing;
pub(super) use divide::{divide, without_open};
pub(super) use place::MarkPlace;
pub(super) use write::epoch_seconds;

use super::expression::Forms;
use super::request::{Action, Answer, Cancellation, ItemKey, Request};
use crate::bookkeeping::OrderedEvent;
use crate::dead_letter::Letter;
use crate::decode::envelope::Record;
use crate::evaluate::{Change, Contribution, DocumentKey, Failure};
use crate::event::Event;
use crate::mark::Mark;
use crate::outcomes::{Outcomes, Place};
use crate::program::{Guard, OnError, Program, Projection, Source};
use crate::report::{Ending, Outcome, Problem};
use foldhash::{HashMap, HashSet};
use std::collections::VecDeque;
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
    /// The expressions of the batch's writes.
    pub(super) forms: &'p Forms,
}

/// What the events of a batch do in a projection. Each stays where it is, and lists point to it: while ten thousand are divided
/// among documents, lists of the whole would be there several times.
pub(super) type Applications = Vec<Box<Application>>;

/// What one event does in one projection.
#[derive(Clone, Debug)]
pub(super) struct Application {
    /// The record's number.
    pub(super) record: usize,
    /// The event, where rules look at it once more. Of any other nothing is left but what is here: ten thousand of them wait for
    /// their writes.
    pub(super) event: Option<Arc<Event>>,
    /// Whether its item is new: the first event of its lane, unless it comes again.
    pub(super) is_insert: bool,
    /// The record's sequence number.
    pub(super) sequence: Arc<str>,
    /// The event's place in its record.
    pub(super) sub: u32,
    /// Lambda's eventID.
    pub(super) event_id: Arc<str>,
    /// The record's lane, as far as it could be told.
    pub(super) lane_text: Arc<str>,
    /// Its place in the order that its guard goes by.
    pub(super) mark: Option<Mark>,
    /// What tells it from all others, under an events table.
    pub(super) id: Option<String>,
    /// Its lane, under a guard by lanes.
    pub(super) lane: Option<Arc<str>>,
    /// Its shard, under a guard by shards.
    pub(super) shard: Option<Arc<str>>,
    /// What it does, document by document.
    pub(super) changes: Vec<Change>,
    /// What its item contributes from now on, where rules take back what it did before.
    pub(super) contribution: Option<Contribution>,
    /// Why it cannot be applied: nearly never, and room for that in each of ten thousand would be a quarter of them.
    pub(super) rejection: Option<Box<Failure>>,
    /// Whether its document has been found missing: there is no mark to move past it.
    pub(super) unmarked: bool,
    /// Whether this is only what the event does to one of several documents.
    pub(super) part: bool,
    /// Whether the parts of its dead letter are stored that no row of it holds.
    pub(super) stored: bool,
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
    lanes: HashMap<Arc<str>, Option<Item>>,
    /// Events that were applied to the document before, under `events_table` with `order_by`.
    ordered: Option<Vec<OrderedEvent>>,
    /// Events, by their order and id, of which it is known that they have no row.
    new: HashSet<(String, String)>,
}

/// Events whose writes follow one another.
#[derive(Debug)]
pub(super) struct Unit {
    /// The projection's number.
    pub(super) projection: usize,
    /// The number of the source in the projection.
    source: usize,
    /// What is still to be written, in order.
    pending: VecDeque<Box<Application>>,
    /// How many of the pending events the request in flight covers.
    covered: usize,
    /// How many events the next request may cover: fewer while a culprit is looked for.
    limit: usize,
    seen: Seen,
    left_behind: LeftBehind,
    /// The dead letter of the event, where one is redriven.
    closing: Option<Closing>,
    /// Events of earlier batches that the write in flight turns into dead letters.
    falling: Vec<(Arc<Event>, Failure)>,
    /// Parts of dead letters that are stored before anything else is.
    unstored: VecDeque<Action>,
    /// What the request in flight is for.
    sent: Sent,
    /// How often what had been read had changed since, one time after the other.
    attempts: u32,
}

impl Seen {
    /// Whether it is known what was there when the request was made.
    fn has(&self, target: &Target) -> bool {
        match target {
            Target::Document(document) => self.documents.contains_key(document),
            Target::Lane(lane) => self.lanes.contains_key(lane),
            Target::Event(_) | Target::DeadLetter | Target::Open | Target::Done => false,
        }
    }
}

/// What is known to be there once the request in flight has been carried out: a write needs no read of what the write before it
/// has left behind.
#[derive(Debug, Default)]
struct LeftBehind {
    documents: HashMap<DocumentKey, Option<Item>>,
    /// The events of the document, under `events_table` with `order_by`, where they had been read.
    ordered: Option<Vec<OrderedEvent>>,
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
    /// The rows of so many pending events are looked for.
    OwnRows(usize),
    /// Something is written, action by action.
    Write(Vec<Target>),
    /// A part of a dead letter is stored.
    Part,
    /// The first pending event is put away as a dead letter, and perhaps a mark moved past it.
    DeadLetter { with_document: bool },
}

/// What an action of a request is about.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Target {
    Document(DocumentKey),
    Lane(Arc<str>),
    /// The row of an event, by its place among the pending.
    Event(usize),
    /// The dead letter of an event.
    DeadLetter,
    /// The open row of a letter that is closed.
    Open,
    /// The row of a letter that has been closed.
    Done,
}

impl Target {
    fn document(&self) -> Option<&DocumentKey> {
        match self {
            Target::Document(document) => Some(document),
            Target::Lane(_) | Target::Event(_) | Target::DeadLetter | Target::Open | Target::Done => None,
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

impl Unit {
    fn parts<'p>(&self, context: &Context<'p>) -> (&'p Projection, &'p Source) {
        let projection = &context.program.projections[self.projection];
        (projection, &projection.sources[self.source])
    }

    /// The next request, made of as many pending events as fit; none when nothing is pending.
    pub(super) fn request(&mut self, context: &Context<'_>, outcomes: &mut Outcomes) -> Option<Request> {
        let (_, source) = self.parts(context);
        self.left_behind = LeftBehind::default();
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
            if let Some(part) = self.unstored.pop_front() {
                self.sent = Sent::Part;
                return Some(Request::Write(part));
            }
            if let Some(closing) = &self.closing {
                let orders = matches!(source.guard, Guard::EventsTable { order_by: Some(_), .. });
                let applies = closing.ending == Ending::Applied;
                let step = match self.front_rejected() {
                    true => {
                        self.still_rejected(outcomes);
                        Step::Again
                    }
                    false if orders && applies => self.ordered(context, outcomes),
                    false => self.transaction(context, outcomes),
                };
                match step {
                    Step::Again => continue,
                    Step::Send(request, sent) => {
                        self.sent = sent;
                        return Some(request);
                    }
                }
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
            (Sent::Part, Answer::Done) => {}
            (Sent::Rows, Answer::Rows(rows)) => self.ordered_rows(rows, context, outcomes),
            (Sent::OwnRows(count), Answer::Items(items)) => self.own_rows(count, &items, outcomes),
            (Sent::Write(_), Answer::Done) => self.written(context, outcomes),
            // A dead letter that is there has been put away before, and there was nothing else to write.
            (Sent::Write(targets), Answer::ConditionFailed(_)) if targets == [Target::DeadLetter] => {
                self.written(context, outcomes);
            }
            (Sent::Write(targets), answer) => self.write_answered(targets, answer, context, outcomes),
            (Sent::DeadLetter { with_document }, answer) => {
                self.put_away_answered(with_document, answer, context, outcomes);
            }
            (_, answer) => self.fail(&not_asked_for(&answer), outcomes),
        }
        !self.pending.is_empty()
    }

    /// The covered events are done.
    fn written(&mut self, context: &Context<'_>, outcomes: &mut Outcomes) {
        let (projection, _) = self.parts(context);
        for (event, failure) in std::mem::take(&mut self.falling) {
            if let Some(front) = self.pending.front() {
                let skips = projection.on_error == OnError::Skip;
                outcomes.fall(front.record, self.projection, event, failure, skips);
            }
        }
        for application in self.pending.drain(..self.covered) {
            outcomes.note(application.place(self.projection), application.outcome(projection));
        }
        // What was read is not what is there any more.
        let LeftBehind { documents, ordered } = std::mem::take(&mut self.left_behind);
        self.seen = Seen { must_read: std::mem::take(&mut self.seen.must_read), documents, ordered, ..Seen::default() };
        self.limit = self.covered.saturating_mul(4).max(self.limit);
        self.attempts = 0;
    }

    fn write_answered(&mut self, targets: Vec<Target>, answer: Answer, context: &Context<'_>, outcomes: &mut Outcomes) {
        let reasons = match answer {
            Answer::ConditionFailed(item) => vec![Cancellation::ConditionFailed(item)],
            Answer::NoParent(message) => vec![Cancellation::NoParent(message)],
            Answer::Refused(message) => vec![Cancellation::Refused(message)],
            Answer::Cancelled(reasons) => reasons,
            other => return self.fail(&not_asked_for(&other), outcomes),
        };
        self.attempts += 1;
        let changed_since = targets
            .iter()
            .zip(&reasons)
            .any(|(target, reason)| matches!(reason, Cancellation::ConditionFailed(_)) && self.seen.has(target));
        if changed_since {
            outcomes.met_another_writer(self.projection);
        }
        let (mut refused, mut failed, mut learned) = (None, None, false);
        let mut repeated: HashSet<usize> = HashSet::default();
        let documents: Vec<DocumentKey> = targets.iter().filter_map(Target::document).cloned().collect();
        for (target, reason) in targets.into_iter().zip(reasons) {
            match (target, reason) {
                (_, Cancellation::None) => {}
                (Target::Event(number), Cancellation::ConditionFailed(_)) => {
                    repeated.insert(number);
                }
                // A dead letter that is there has been put away before.
                (Target::DeadLetter, Cancellation::ConditionFailed(_)) => {}
                (target @ (Target::Open | Target::Done), Cancellation::ConditionFailed(item)) => {
                    learned = true;
                    self.see_letter(&target, item, context);
                }
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
        if self.closing.is_some() && !repeated.is_empty() {
            self.close_as(Ending::Repeated);
        } else if !repeated.is_empty() {
            // The places count from the first pending event, and nothing was taken away in front of them: rows of
            // events and rows of lanes are not written together.
            let mut number = 0;
            let projection = self.projection;
            self.pending.retain(|application| {
                let is_repeated = repeated.contains(&number);
                number += 1;
                if is_repeated {
                    outcomes.note(application.place(projection), Outcome::Repeated);
                }
                !is_repeated
            });
            self.attempts = 0;
        } else if learned {
            // Another look with what is known now.
        } else if let Some(message) = refused {
            self.attempts = 0;
            self.halve(message, documents, outcomes);
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
                if self.closing.is_some() {
                    if let Some(item) = &item {
                        self.see_document_again(document, item, context);
                    }
                    self.seen.documents.insert(document.clone(), item);
                    return;
                }
                let dropped = self.drop_marked(item.as_ref(), context, outcomes);
                // What was read before is not what is there. A blind write that met its own mark is made anew from what is
                // left, without what was seen; unless the document has more than its mark to say of its events.
                let (projection, source) = self.parts(context);
                let place = self.pending.front().and_then(|front| MarkPlace::of(projection, source, front));
                let says_more = place.zip(item.as_ref()).is_some_and(|(place, item)| place.has_redriven(item));
                let was_blind = !self.seen.documents.contains_key(document)
                    && !self.seen.must_read.contains(document)
                    && !projection.always_reads()
                    && !says_more;
                if dropped > 0 {
                    self.attempts = 0;
                }
                if dropped == 0 || !was_blind {
                    self.seen.documents.insert(document.clone(), item);
                }
            }
            Target::Lane(lane) => {
                self.see_lane(lane, item, context, outcomes);
            }
            Target::Event(_) | Target::DeadLetter | Target::Open | Target::Done => {}
        }
    }

    /// Covers half as many events the next time. The event that is alone is looked at beside its documents, which tell
    /// more exactly what is wrong; where they have been read, it is rejected. Where nothing was left of it but its letter and
    /// what its guard keeps, the store would refuse them for ever.
    fn halve(&mut self, message: String, documents: Vec<DocumentKey>, outcomes: &mut Outcomes) {
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
        let is_bare =
            |front: &Application| front.rejection.is_some() && front.changes.is_empty() && front.contribution.is_none();
        if self.pending.front().is_some_and(|front| is_bare(front)) {
            return self.fail(&format!("the dead letter could not be written: {message}"), outcomes);
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
            application.rejection = Some(Box::new(failure));
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

    /// Lets the next request cover at most so many events.
    pub(super) fn cover_at_most(&mut self, most: usize) {
        self.limit = most;
    }

    /// How many requests follow one another, about: units with many of them are begun first.
    pub(super) fn length(&self, context: &Context<'_>) -> usize {
        match self.parts(context).1.guard {
            Guard::None | Guard::Document { .. } => 1,
            Guard::Lane { .. } | Guard::EventsTable { .. } => self.pending.len().div_ceil(MAX_ACTIONS - 1),
        }
    }

    /// The number of the projection that the unit is of.
    pub(super) fn projection(&self) -> usize {
        self.projection
    }

    /// Gives up: everything that is pending has failed.
    pub(super) fn fail(&mut self, message: &str, outcomes: &mut Outcomes) {
        self.unstored.clear();
        for application in self.pending.drain(..) {
            outcomes.note(application.place(self.projection), Outcome::Failed(message.to_owned()));
        }
    }

    /// The key of a document, for reading it.
    fn document_key(&self, document: &DocumentKey, projection: &Projection) -> ItemKey {
        ItemKey { table: Arc::clone(&projection.table.name), key: document.item(projection) }
    }
}

/// For logs: nothing of an item is in it.
fn not_asked_for(answer: &Answer) -> String {
    format!("the store gave an answer to another request: {}", answer.kind())
}

impl Application {
    /// The event in a projection, for [`Outcomes`].
    pub(super) fn place(&self, projection: usize) -> Place<'_> {
        let rule = self.rejection.as_ref().and_then(|rejection| rejection.rule.as_deref());
        Place { record: self.record, sub: self.sub, projection, lane: &self.lane_text, rule }
    }

    /// An event of which nothing is known but where it comes from.
    fn bare(record: usize, sequence: Arc<str>, (sub, event_id): (u32, Arc<str>), lane_text: Arc<str>) -> Application {
        Application {
            record,
            event: None,
            is_insert: false,
            sequence,
            sub,
            event_id,
            lane_text,
            mark: None,
            id: None,
            lane: None,
            shard: None,
            changes: Vec::new(),
            contribution: None,
            rejection: None,
            unmarked: false,
            part: false,
            stored: false,
        }
    }

    /// What an event does, before anything is known about it.
    pub(super) fn new(event: &Arc<Event>) -> Application {
        Application { event: Some(Arc::clone(event)), ..Application::without_event(event) }
    }

    /// As [`Application::new`], without the event itself.
    pub(super) fn without_event(event: &Event) -> Application {
        let metadata = &event.metadata;
        let event_id = (metadata.sub, Arc::clone(&metadata.id));
        let lane = Arc::clone(metadata.lane.text());
        let bare = Application::bare(event.record, Arc::clone(&metadata.sequence), event_id, lane);
        Application { is_insert: metadata.change == Some("insert"), ..bare }
    }

    /// A record that is no event.
    pub(super) fn undecodable(
        record: &Record<'_>,
        number: usize,
        event: (u32, Arc<str>),
        lane: Arc<str>,
        problem: Problem,
    ) -> Application {
        let bare = Application::bare(number, Arc::from(record.sequence()), event, lane);
        Application { rejection: Some(Box::new(problem.into())), ..bare }
    }

    /// An event of which nothing is known but its letter: one that is about no document any more, or that is among the events
    /// of its document (`order_by`).
    pub(super) fn of_letter(letter: &Letter) -> Application {
        let text = |name: &str| Arc::<str>::from(letter.column(name));
        Application::bare(0, text("sequence"), (letter.sub(), text("id")), text("lane"))
    }

    /// What has become of the event once its part of a write is done.
    fn outcome(&self, projection: &Projection) -> Outcome {
        match &self.rejection {
            None => Outcome::Applied,
            Some(rejection) if projection.on_error == OnError::Skip => Outcome::Skipped(rejection.problem.clone()),
            Some(rejection) => Outcome::DeadLettered(rejection.problem.clone()),
        }
    }
}
