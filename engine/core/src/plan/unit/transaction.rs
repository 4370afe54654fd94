//! Events that are remembered beside the documents, by their id or by their lane's mark: a prefix of them becomes one
//! transaction of documents and rows.

use super::super::expression::{Writer, fits, new_row};
use super::super::request::{Action, ItemKey, Request};
use super::folding::{Documents, Folding, difference};
use super::letters::Beside;
use super::write::{self, OnDocument, epoch_seconds};
use super::{Application, Context, Ending, LeftBehind, MAX_ACTIONS, MAX_TRANSACTION_BYTES, Sent, Step, Target, Unit};
use crate::bookkeeping::{self, MARK, REJECTED, WAYS};
use crate::evaluate::{Contribution, DocumentKey};
use crate::mark::Mark;
use crate::outcomes::Outcomes;
use crate::program::{Guard, OnError};
use crate::report::{Problem, Reason};
use crate::sorted_map::Attributes;
use foldhash::{HashMap, HashSet};
use std::borrow::Cow;
use std::sync::Arc;
use viewfold_value::{Item, Value};

/// A lane while its events are folded. Events are named by their place among the pending.
struct Lane {
    name: Arc<str>,
    /// The first event, and the last one: both have marks.
    first: usize,
    last: usize,
    /// What its item contributed before, where rules take that back.
    before: Contribution,
    /// The event that says what its item contributes now.
    newest: Option<usize>,
    /// Whether its row has to be written.
    changed: bool,
    /// Whether its newest event cannot be applied.
    rejected: bool,
}

/// What folding a prefix came to.
enum Prefix {
    /// It can be written.
    Folded { documents: Vec<(DocumentKey, Folding)>, lanes: Vec<Lane> },
    /// Documents have to be read first.
    Read(Vec<DocumentKey>),
    /// Something about the pending events has changed.
    Again,
}

impl Unit {
    /// The next request of a unit of events and the documents they touch.
    pub(super) fn transaction(&mut self, context: &Context<'_>, outcomes: &mut Outcomes) -> Step {
        let (projection, source) = self.parts(context);
        let unread = self.unread_lanes(context);
        if let (Guard::Lane { table, .. }, false) = (&source.guard, unread.is_empty()) {
            let keys = unread.iter().map(|lane| {
                let key = bookkeeping::lane_key(projection, source, lane);
                ItemKey { table: Arc::clone(table), key: key.into_iter().collect() }
            });
            let request = Request::Read(keys.collect());
            return Step::Send(request, Sent::Read(unread.into_iter().map(Target::Lane).collect()));
        }
        let (documents, lanes) = match self.prefix(context) {
            Prefix::Folded { documents, lanes } => (documents, lanes),
            Prefix::Again => return Step::Again,
            Prefix::Read(documents) => {
                let keys = documents.iter().map(|document| self.document_key(document, projection)).collect();
                return Step::Send(
                    Request::Read(keys),
                    Sent::Read(documents.into_iter().map(Target::Document).collect()),
                );
            }
        };
        if self.store_parts(context) {
            return Step::Again;
        }
        let Some((actions, targets)) = self.actions(documents, lanes, context) else { return Step::Again };
        let bytes: usize = actions.iter().map(size).sum();
        if self.covered > 1 && (bytes > MAX_TRANSACTION_BYTES || !actions.iter().all(fits)) {
            self.limit = self.covered / 2;
            return Step::Again;
        }
        if bytes > MAX_TRANSACTION_BYTES {
            let message = format!("the event changes about {bytes} bytes; a transaction of DynamoDB has 4 MB");
            self.reject_whole(0, Problem::new(Reason::TooLarge, message));
            return Step::Again;
        }
        let large = targets.iter().zip(&actions).find(|(_, action)| !fits(action)).map(|(target, _)| target.clone());
        if let Some(target) = large {
            match target {
                Target::Document(document) => self.widen(document),
                _ => self.fail("a row of the guard does not fit a request", outcomes),
            }
            return Step::Again;
        }
        if actions.is_empty() {
            // Everything stays as it is.
            for application in self.pending.drain(..self.covered) {
                outcomes.note(application.place(self.projection), application.outcome(projection));
            }
            return Step::Again;
        }
        let request = match <[Action; 1]>::try_from(actions) {
            Ok([only]) => Request::Write(only),
            Err(actions) => Request::Transact(actions),
        };
        Step::Send(request, Sent::Write(targets))
    }

    /// Lanes whose rows have to be read before their events can be folded: what an item contributed before is there. An
    /// insert is taken to be the first event of its lane; a row that is there all the same fails the write, and comes
    /// back with it.
    fn unread_lanes(&self, context: &Context<'_>) -> Vec<Arc<str>> {
        let (_, source) = self.parts(context);
        if !source.retracts && self.closing.is_none() {
            return Vec::new();
        }
        let mut met: HashSet<&str> = HashSet::default();
        let mut unread = Vec::new();
        for application in self.pending.iter().take(self.limit.min(MAX_ACTIONS)) {
            let Some(lane) = application.lane.as_ref().filter(|lane| met.insert(&***lane)) else { continue };
            let is_new = application.is_insert && self.closing.is_none();
            if !is_new && !self.seen.lanes.contains_key(lane) {
                unread.push(Arc::clone(lane));
            }
        }
        unread
    }

    /// Whether the row of an event's lane has to be read before the event can be folded.
    fn is_unread(&self, application: &Application, folded: &HashMap<Arc<str>, usize>) -> bool {
        application.lane.as_ref().is_some_and(|lane| {
            !application.is_insert && !self.seen.lanes.contains_key(lane) && !folded.contains_key(lane)
        })
    }

    /// Folds as many pending events as one transaction holds.
    fn prefix(&mut self, context: &Context<'_>) -> Prefix {
        let (projection, source) = self.parts(context);
        let by_lanes = matches!(source.guard, Guard::Lane { .. });
        let mut documents = Documents::default();
        let mut lanes: Vec<Lane> = Vec::new();
        let mut lane_places: HashMap<Arc<str>, usize> = HashMap::default();
        // What closes a letter that is redriven takes two actions.
        let mut rows = 2 * usize::from(self.closing.is_some());
        self.covered = 0;
        self.left_behind = LeftBehind::default();
        for number in 0..self.pending.len().min(self.limit) {
            let application = &self.pending[number];
            let lettered = application.rejection.is_some();
            if source.retracts && self.is_unread(application, &lane_places) {
                break;
            }
            if lettered && number > 0 && projection.on_error == OnError::Fail {
                break;
            }
            // A record that is in the batch twice has one letter, and a transaction has one action for an item.
            let has_letter = |other: &Application| {
                other.rejection.is_some() && (&other.sequence, other.sub) == (&application.sequence, application.sub)
            };
            if lettered && self.pending.range(..number).any(|other| has_letter(other)) {
                break;
            }
            // What the item's contribution changes is added to what the event does.
            let mut changes = match &application.contribution {
                _ if lettered => Cow::Owned(Vec::new()),
                Some(_) => Cow::Owned(application.changes.clone()),
                None => Cow::Borrowed(application.changes.as_slice()),
            };
            let mut lane_at = None;
            if let (true, Some(name), Some(_)) = (by_lanes, &application.lane, &application.mark) {
                let at = match lane_places.get(name) {
                    Some(at) => *at,
                    None => {
                        let Some(lane) = self.lane(name, number) else {
                            let message = "the row of the event's lane is none that viewfold has written";
                            self.reject(number, Problem::new(Reason::OtherStream, message));
                            return Prefix::Again;
                        };
                        lane_places.insert(Arc::clone(name), lanes.len());
                        lanes.push(lane);
                        lanes.len() - 1
                    }
                };
                lane_at = Some(at);
                if let Some(contribution) = &application.contribution {
                    let newest = lanes[at].newest.and_then(|newest| self.pending[newest].contribution.as_ref());
                    let before = newest.unwrap_or(&lanes[at].before);
                    if let Err(problem) = difference(before, contribution, changes.to_mut()) {
                        drop(changes);
                        self.reject_whole(number, problem);
                        return Prefix::Again;
                    }
                }
            }
            // An event has one change for each document.
            let new = changes.iter().filter(|change| !documents.places.contains_key(&change.document)).count();
            rows += usize::from(!by_lanes) + usize::from(lettered);
            let actions = rows + lanes.len() + documents.places.len() + new;
            if actions > MAX_ACTIONS {
                if number > 0 {
                    // The lane's entry, if it is new, covers nothing: it has not changed.
                    break;
                }
                let message = format!(
                    "the event touches {} documents, more than one transaction of {MAX_ACTIONS} actions holds",
                    changes.len()
                );
                drop(changes);
                self.reject_whole(number, Problem::new(Reason::TooManyDocuments, message));
                return Prefix::Again;
            }
            let has_changes = !changes.is_empty();
            let again = self.closing.is_some();
            let folded = changes.iter().try_for_each(|change| {
                documents.fold(change, application.event.as_deref(), &mut self.seen, again, projection)
            });
            drop(changes);
            if let Err(failure) = folded {
                self.reject_whole(number, failure);
                return Prefix::Again;
            }
            if let Some(at) = lane_at {
                let lane = &mut lanes[at];
                let is_new = self.seen.lanes.get(&lane.name).is_none_or(Option::is_none);
                // What stays as it was needs no write, but for a lane that has no row yet.
                lane.changed |= has_changes || lettered || !source.retracts || is_new || lane.rejected;
                lane.rejected = lettered;
                lane.last = number;
                if application.contribution.is_some() {
                    lane.newest = Some(number);
                }
            }
            self.covered += 1;
        }
        if !documents.needs.is_empty() {
            documents.needs.truncate(MAX_ACTIONS);
            return Prefix::Read(documents.needs);
        }
        Prefix::Folded { documents: documents.folded, lanes }
    }

    /// A lane before its first event in a transaction.
    fn lane(&self, name: &Arc<str>, first: usize) -> Option<Lane> {
        let row = self.seen.lanes.get(name).and_then(Option::as_ref);
        let before = row.map_or_else(|| Some(Contribution::new()), bookkeeping::contribution_of)?;
        let rejected = row.is_some_and(|row| row.contains_key(REJECTED));
        Some(Lane { name: Arc::clone(name), first, last: first, before, newest: None, changed: false, rejected })
    }

    /// The mark of an event that has one.
    fn mark(&self, number: usize) -> Option<&Mark> {
        self.pending.get(number).and_then(|application| application.mark.as_ref())
    }

    /// The actions of a transaction, and what each is about. Nothing where a document has to be read after all.
    fn actions(
        &mut self,
        documents: Vec<(DocumentKey, Folding)>,
        lanes: Vec<Lane>,
        context: &Context<'_>,
    ) -> Option<(Vec<Action>, Vec<Target>)> {
        let (projection, source) = self.parts(context);
        let mut actions = Vec::new();
        let mut targets = Vec::new();
        for (action, target) in self.closing_actions(context) {
            actions.push(action);
            targets.push(target);
        }
        if self.closing.as_ref().is_some_and(|closing| closing.ending != Ending::Applied) {
            return Some((actions, targets));
        }
        let is_guarded = self.closing.as_ref().is_some_and(|closing| closing.letter.is_guarded());
        let many = self.covered > 1 || !documents.is_empty() || lanes.iter().any(|lane| lane.changed);
        for (number, application) in self.pending.range(..self.covered).enumerate() {
            if let (Guard::EventsTable { table, keep_seconds, .. }, Some(id), false) =
                (&source.guard, &application.id, is_guarded)
            {
                let expires = keep_seconds.map(|seconds| epoch_seconds(context.now) + seconds);
                let row = bookkeeping::event_row(projection, source, id, expires);
                actions.push(new_row(context.forms, table, row));
                targets.push(Target::Event(number));
            }
            let is_guarded = application.id.is_some() || (application.lane.is_some() && application.mark.is_some());
            let beside = match is_guarded {
                true => Beside::Guard,
                false if many => Beside::Others,
                false => Beside::Nothing,
            };
            if projection.on_error == OnError::DeadLetter
                && let Some(letter) = application.dead_letter(projection, source, context, beside)
            {
                actions.push(letter);
                targets.push(Target::DeadLetter);
            }
        }
        if let Guard::Lane { table, .. } = &source.guard {
            for lane in lanes.into_iter().filter(|lane| lane.changed) {
                let (Some(first), Some(last)) = (self.mark(lane.first), self.mark(lane.last)) else { continue };
                let name = lane.name;
                let key = bookkeeping::lane_key(projection, source, &name);
                if self.closing.is_some() && !source.retracts {
                    if let Some(action) = self.lane_again(table, key, &name, last, context) {
                        actions.push(action);
                        targets.push(Target::Lane(name));
                    }
                    continue;
                }
                let newest = lane.newest.and_then(|newest| self.pending[newest].contribution.as_ref());
                let contribution = source.retracts.then_some(newest.unwrap_or(&lane.before));
                let seen = self.seen.lanes.get(&name).and_then(Option::as_ref);
                let mut redriven = seen.map(bookkeeping::redriven_of).unwrap_or_default();
                redriven.retain(|mark| !last.has_passed(mark));
                let mut row = bookkeeping::lane_row(key, Some(&last.text), &redriven, contribution);
                if lane.rejected && source.retracts {
                    row.insert(REJECTED.to_owned(), Value::Bool(true));
                }
                let mut writer = Writer::new(context.forms);
                match seen {
                    Some(row) => {
                        // What is redriven changes the contribution and leaves the mark.
                        for way in [&WAYS.mark, &WAYS.redriven, &WAYS.contributes] {
                            writer.require_unchanged(way, way.get(row));
                        }
                    }
                    None if source.retracts => writer.require_missing(&WAYS.key),
                    None => {
                        writer.require_below(&WAYS.mark, first);
                        writer.require_missing(&WAYS.redriven);
                    }
                }
                actions.push(writer.put(table, row));
                targets.push(Target::Lane(name));
            }
        }
        let mut left_behind = Vec::new();
        for (document, folding) in documents {
            let action = match folding {
                Folding::Known(state, _) => {
                    let as_wholes = self.seen.as_wholes.contains(&document);
                    let guard = self.redriven_on_document(context);
                    // What need not be read again is written blind again: that depends on nobody else.
                    let reads = projection.always_reads() || self.seen.must_read.contains(&document);
                    if self.covered < self.pending.len()
                        && reads
                        && let Some(item) = write::left_behind(projection, &state, &guard)
                    {
                        left_behind.push((document.clone(), Some(item)));
                    }
                    write::known(projection, &document, &state, &guard, as_wholes, context)
                }
                Folding::Blind(effects) => {
                    let without_maps = self.seen.without_maps.contains(&document);
                    let action =
                        write::blind(projection, &document, &effects, without_maps, &OnDocument::Nothing, context);
                    if action.is_none() {
                        self.seen.must_read.insert(document);
                        return None;
                    }
                    action
                }
            };
            if let Some(action) = action {
                actions.push(action);
                targets.push(Target::Document(document));
            }
        }
        self.left_behind.documents.extend(left_behind);
        Some((actions, targets))
    }

    /// Keeps what has been seen of a lane's row, and drops the events that its mark says were applied before.
    pub(super) fn see_lane(&mut self, lane: &str, item: Option<Item>, context: &Context<'_>, outcomes: &mut Outcomes) {
        let (_, source) = self.parts(context);
        if self.closing.is_some() {
            self.see_lane_again(item.as_ref(), source.retracts);
            self.seen.lanes.insert(Arc::from(lane), item);
            return;
        }
        let redriven = item.as_ref().map(bookkeeping::redriven_of).unwrap_or_default();
        if !redriven.is_empty() {
            let was_redriven = |application: &Application, mark: &Mark| {
                application.lane.as_deref() == Some(lane) && redriven.contains(&mark.text)
            };
            if self.drop_redriven(was_redriven, outcomes) > 0 {
                self.attempts = 0;
            }
        }
        if let Some(stored) = item.as_ref().and_then(|item| item.get(MARK)).and_then(Value::as_str) {
            let in_lane = |application: &Application| application.lane.as_deref() == Some(lane);
            if self.drop_standing(stored, in_lane, outcomes) > 0 {
                self.attempts = 0;
            }
        }
        if source.retracts || !redriven.is_empty() {
            self.seen.lanes.insert(Arc::from(lane), item);
        }
    }
}

/// The bytes of an action, about.
fn size(action: &Action) -> usize {
    let values = |values: &[Value]| values.iter().map(Value::size).sum::<usize>();
    let item = |item: &Attributes| item.iter().map(|(name, value)| name.len() + value.size()).sum::<usize>();
    512 + match action {
        Action::Update(update) => values(&update.values) + item(&update.key) + update.form.expression.len(),
        Action::Put(put) => values(&put.values) + item(&put.item),
        Action::Delete(delete) => values(&delete.values) + item(&delete.key),
        Action::Check(check) => values(&check.values) + item(&check.key),
    }
}
