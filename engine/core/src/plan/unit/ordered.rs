//! One document under `events_table` with `order_by`: it is what its events make in their order, however they arrive.
//!
//! The document has a version: a count of its writes, and the highest event in it. Events above that one are folded onto
//! the document. A late one makes all of the document's events be read and folded anew. Either write is conditional on
//! the version, in one transaction with the rows of the new events.

use super::super::expression::{Writer, fits, new_row, put};
use super::super::request::{Action, ItemKey, Request};
use super::letters::Beside;
use super::write::{self, OnDocument};
use super::{Application, Applications, Context, Ending, LeftBehind, MAX_ACTIONS, Sent, Step, Target, Unit};
use crate::bookkeeping::{self, OrderedEvent};
use crate::dead_letter::open_letters;
use crate::evaluate::{Change, DocumentKey, Failure, changes, deferred_operations};
use crate::event::Event;
use crate::fold::State;
use crate::mark::Mark;
use crate::outcomes::Outcomes;
use crate::program::{Guard, OnError, Projection, Source};
use crate::report::{Outcome, Problem, Reason};
use std::collections::BTreeMap;
use std::sync::Arc;
use viewfold_value::{Item, Value};

/// The most events of a document that are folded anew for a late one.
const MAX_EVENTS: usize = 10_000;

/// Puts a document's events into their order; of equal ones the first stays.
pub(super) fn sort(projection: usize, group: &mut Applications, outcomes: &mut Outcomes) {
    group.sort_by(|a, b| rank(a).cmp(&rank(b)));
    let mut last: Option<(String, String)> = None;
    group.retain(|application| {
        let (order, id) = rank(application);
        let this = (order.to_owned(), id.to_owned());
        if application.rejection.is_none() && last.as_ref() == Some(&this) {
            outcomes.note(application.place(projection), Outcome::Repeated);
            return false;
        }
        // One that cannot be applied has no row, and another event of its id may be one that can.
        if application.rejection.is_none() {
            last = Some(this);
        }
        true
    });
}

fn rank(application: &Application) -> (&str, &str) {
    let order = application.mark.as_ref().map_or("", |mark| &mark.text);
    (order, application.id.as_deref().unwrap_or_default())
}

/// Whether the events table may have a row of the event. One that cannot be evaluated has none, and is not looked for: it
/// may stand beside another one of its order and id, and no read takes a key twice.
fn may_have_row(application: &Application) -> bool {
    !application.changes.is_empty()
}

/// A document's version: how often it was written, and the order and id of the highest event in it.
struct Version {
    writes: u64,
    order: String,
    id: String,
}

impl Version {
    fn of(item: Option<&Item>, projection: &Projection) -> Option<Version> {
        let text = item?.get(&projection.version_attribute())?.as_str()?;
        let Ok(Value::List(parts)) = viewfold_value::json::parse(text.as_bytes()) else { return None };
        match parts.as_slice() {
            [Value::Number(writes), Value::String(order), Value::String(id)] => {
                Some(Version { writes: writes.to_string().parse().ok()?, order: order.clone(), id: id.clone() })
            }
            _ => None,
        }
    }

    fn text(&self) -> String {
        let writes = Value::Number(self.writes.into());
        Value::List(vec![writes, Value::from(self.order.as_str()), Value::from(self.id.as_str())]).to_string()
    }
}

/// What folding events in their order came to.
struct Folded {
    state: State,
    /// The covered events that cannot be applied, by their place.
    failures: BTreeMap<usize, Failure>,
    /// Events that were applied before and cannot be now that a late one is before them, with what is wrong; or that could
    /// not be, and can now.
    turned: Vec<(OrderedEvent, Option<Failure>)>,
}

/// The dead letter of an event that cannot be applied, where the projection keeps them.
fn letter(
    application: &Application,
    projection: &Projection,
    source: &Source,
    context: &Context<'_>,
) -> Option<Action> {
    let keeps = projection.on_error == OnError::DeadLetter;
    keeps.then(|| application.dead_letter(projection, source, context, Beside::Guard)).flatten()
}

/// The sort key of a dead letter.
fn sort_key(letter: Option<&Action>) -> String {
    match letter {
        Some(Action::Put(put)) => {
            put.item.get(bookkeeping::SORT_KEY).and_then(Value::as_str).unwrap_or_default().to_owned()
        }
        _ => String::new(),
    }
}

impl Unit {
    /// The next request of a unit of one document whose events are ordered.
    pub(super) fn ordered(&mut self, context: &Context<'_>, outcomes: &mut Outcomes) -> Step {
        let (projection, source) = self.parts(context);
        let Guard::EventsTable { table, .. } = &source.guard else { return Step::Again };
        let Some(document) = self.pending.front().and_then(|front| front.changes.first()) else {
            if let Some(application) = self.pending.pop_front() {
                outcomes.note(application.place(self.projection), Outcome::Applied);
            }
            return Step::Again;
        };
        let document = document.document.clone();
        let partition = bookkeeping::ordered_partition(projection, &document);
        let Some(item) = self.seen.documents.get(&document).cloned() else {
            let request = Request::Read(vec![self.document_key(&document, projection)]);
            return Step::Send(request, Sent::Read(vec![Target::Document(document)]));
        };
        let version = Version::of(item.as_ref(), projection);
        let late = version.as_ref().is_some_and(|version| {
            self.pending.front().is_some_and(|front| rank(front) <= (version.order.as_str(), version.id.as_str()))
        });
        // What comes again is told by its own row; all of the document's are read for an event that is late and new.
        let redrives = self.closing.is_some();
        let late = late || redrives;
        let is_unknown = |application: &Application| {
            let (order, id) = rank(application);
            may_have_row(application) && !self.seen.new.contains(&(order.to_owned(), id.to_owned()))
        };
        let any_unknown = self.pending.iter().take(MAX_ACTIONS).any(|application| is_unknown(application));
        if late && self.seen.ordered.is_none() && any_unknown && !redrives {
            let count = self.pending.len().min(MAX_ACTIONS);
            let keys = self.pending.iter().take(count).filter(|application| may_have_row(application));
            let keys = keys.map(|application| {
                let (order, id) = rank(application);
                ItemKey {
                    table: Arc::clone(table),
                    key: bookkeeping::row(partition.clone(), bookkeeping::ordered_sort(order, id)),
                }
            });
            return Step::Send(Request::Read(keys.collect()), Sent::OwnRows(count));
        }
        if late && self.seen.ordered.is_none() {
            let request = Request::Query {
                table: Arc::clone(table),
                partition: (bookkeeping::PARTITION_KEY.to_owned(), Value::String(partition)),
                limit: MAX_EVENTS,
                attributes: &[],
            };
            return Step::Send(request, Sent::Rows);
        }
        // All of the pending events are new: rows that are there were dropped when they were read. One that could not be
        // evaluated has no change to fold, and becomes a dead letter when it is the first.
        let foldable = self.pending.iter().take_while(|application| !application.changes.is_empty()).count();
        self.covered = self.limit.min(MAX_ACTIONS - 1).min(foldable).max(1);
        let Folded { state, mut failures, turned } = match (&self.seen.ordered, late) {
            (Some(before), true) => self.anew(&document, item, before, projection),
            _ => self.on_top(&document, item, projection),
        };
        // What an earlier version kept of older events is not enough to fold them anew: the late one waits, and they stay.
        let not_kept = |failure: &Failure| failure.problem.message.contains(bookkeeping::NOT_KEPT);
        if let Some(failure) = turned.iter().find_map(|(_, failure)| failure.clone().filter(not_kept)) {
            let message = format!(
                "it is late, and an older event of its document cannot be folded anew: {}",
                failure.problem.message
            );
            self.reject_whole(0, Problem::new(Reason::TooLate, message));
            return Step::Again;
        }
        if redrives && let Some(failure) = failures.remove(&0) {
            self.pending[0].rejection = Some(Box::new(failure));
            return Step::Again;
        }
        // The document, and what closes a letter.
        let own = 1 + 2 * usize::from(redrives);
        if projection.on_error == OnError::Fail {
            let first_turned = turned.iter().find_map(|(_, failure)| failure.clone());
            if let Some(first) = failures.keys().next().copied().filter(|first| *first > 0) {
                self.limit = first;
                return Step::Again;
            }
            if let Some(failure) = failures.remove(&0).or(first_turned) {
                self.pending[0].rejection = Some(Box::new(failure));
                return self.settled_without_row(true, context, outcomes).unwrap_or(Step::Again);
            }
        } else if 2 * turned.len() + self.covered + failures.len() + own > MAX_ACTIONS
            && (self.covered > 1 || !turned.is_empty())
        {
            if self.covered > 1 {
                self.limit = self.covered / 2;
                return Step::Again;
            }
            let message = format!("it is late, and with it {} later events turn out differently", turned.len());
            self.reject_whole(0, Problem::new(Reason::TooLate, message));
            return Step::Again;
        }
        self.record_failures(failures);
        if self.store_parts(context) {
            return Step::Again;
        }
        let guard = OnDocument::Version(self.next_version(version.as_ref()));
        let as_wholes = self.seen.as_wholes.contains(&document);
        let update = write::known(projection, &document, &state, &guard, as_wholes, context);
        let goes_on = self.covered < self.pending.len();
        let mut left_behind = LeftBehind::default();
        if let (true, Some(item)) = (goes_on, write::left_behind(projection, &state, &guard)) {
            left_behind.documents.insert(document.clone(), Some(item));
            // Rows that had been read for a late event, and the new ones: whoever writes another one changes the version.
            left_behind.ordered = self.seen.ordered.clone().filter(|_| late);
        }
        let mut targets: Vec<Target> = Vec::new();
        let mut actions: Vec<Action> = Vec::new();
        for (action, target) in self.closing_actions(context) {
            actions.push(action);
            targets.push(target);
        }
        let before = self.closing.as_ref().and_then(|closing| closing.row.clone());
        for (number, application) in self.pending.range(..self.covered).enumerate() {
            let Some(mut ordered) = ordered_event(application, self.source) else { continue };
            let letter = letter(application, projection, source, context);
            ordered.letter = application.rejection.as_ref().map(|_| sort_key(letter.as_ref()));
            let row = bookkeeping::ordered_row(&partition, &ordered, projection, context.program);
            left_behind.put(&ordered);
            if let Some(before) = &before {
                // The version says that nothing has come between.
                actions.push(put(table, bookkeeping::with_older_values(row, before)));
                targets.push(Target::DeadLetter);
            } else {
                actions.push(new_row(context.forms, table, row));
                targets.push(Target::Event(number));
            }
            if let Some(letter) = letter {
                actions.push(letter);
                targets.push(Target::DeadLetter);
            }
        }
        self.falling = turned
            .iter()
            .filter_map(|(ordered, failure)| Some((Arc::clone(&ordered.event), failure.clone()?)))
            .collect();
        for (mut ordered, failure) in turned {
            let source = &projection.sources[ordered.source];
            let letter = match (failure, &ordered.letter) {
                (Some(failure), _) => {
                    let mut application = Application::new(&ordered.event);
                    application.rejection = Some(Box::new(failure));
                    application.mark = Some(Mark::stored(&ordered.order));
                    application.id = Some(ordered.id.clone());
                    let letter = letter(&application, projection, source, context);
                    ordered.letter = Some(sort_key(letter.as_ref()));
                    letter
                }
                (None, before) => {
                    let gone =
                        before.as_ref().filter(|sort| !sort.is_empty()).zip(context.program.dead_letters.as_ref());
                    let gone = gone.map(|(sort, table)| {
                        let key = bookkeeping::row(open_letters(&source.bookkeeping), sort.clone());
                        Writer::new(context.forms).removal(table, key)
                    });
                    ordered.letter = None;
                    gone
                }
            };
            let row = bookkeeping::ordered_row(&partition, &ordered, projection, context.program);
            left_behind.put(&ordered);
            actions.push(put(table, row));
            targets.push(Target::DeadLetter);
            if let Some(letter) = letter {
                actions.push(letter);
                targets.push(Target::DeadLetter);
            }
        }
        if let Some(update) = update {
            actions.push(update);
            targets.push(Target::Document(document));
        }
        if actions.len() > MAX_ACTIONS || !actions.iter().all(fits) {
            match targets.last() {
                _ if self.covered > 1 => self.limit = self.covered / 2,
                Some(Target::Document(document)) => self.widen(document.clone()),
                _ => self.fail("a row of the events table does not fit a request", outcomes),
            }
            return Step::Again;
        }
        left_behind.ordered = left_behind.ordered.filter(|events| events.len() <= MAX_EVENTS);
        self.left_behind = left_behind;
        Step::Send(Request::Transact(actions), Sent::Write(targets))
    }

    /// An event that cannot be applied is kept like the others: with a late event before it, it may be one that can.
    fn record_failures(&mut self, mut failures: BTreeMap<usize, Failure>) {
        for (number, application) in self.pending.range_mut(..self.covered).enumerate() {
            application.rejection = failures.remove(&number).map(|mut failure| {
                let document = application.changes.first().map(|change| change.document.clone());
                failure.document = failure.document.or(document);
                Box::new(failure)
            });
        }
    }

    /// The version of the document once the covered events are in it.
    fn next_version(&self, version: Option<&Version>) -> String {
        let highest = self.pending.range(..self.covered).map(|application| rank(application)).max().unwrap_or_default();
        let before = version.map(|version| (version.order.as_str(), version.id.as_str()));
        let (order, id) = before.map_or(highest, |before| before.max(highest));
        let writes = version.map_or(0, |version| version.writes) + 1;
        Version { writes, order: order.to_owned(), id: id.to_owned() }.text()
    }

    /// The covered events folded onto the document.
    fn on_top(&self, document: &DocumentKey, item: Option<Item>, projection: &Projection) -> Folded {
        let key = document.item(projection);
        let mut state = State::new(item, projection);
        let mut failures = BTreeMap::new();
        for (number, application) in self.pending.range(..self.covered).enumerate() {
            let (Some(change), Some(event)) = (application.changes.first(), &application.event) else { continue };
            if let Err(failure) = fold(&mut state, change, Some(event), &key, projection) {
                failures.insert(number, failure);
            }
        }
        Folded { state, failures, turned: Vec::new() }
    }

    /// All events of the document folded in their order, the covered ones among them.
    fn anew(
        &self,
        document: &DocumentKey,
        item: Option<Item>,
        before: &[OrderedEvent],
        projection: &Projection,
    ) -> Folded {
        let key = document.item(projection);
        let mut folded =
            Folded { state: State::before_all_events(item, projection), failures: BTreeMap::new(), turned: Vec::new() };
        let new = self.pending.range(..self.covered).enumerate();
        let new =
            new.filter_map(|(number, application)| Some((Some(number), ordered_event(application, self.source)?)));
        let old = before.iter().map(|ordered| (None, ordered.clone()));
        let mut all: Vec<(Option<usize>, OrderedEvent)> = old.chain(new).collect();
        all.sort_by(|(_, a), (_, b)| (&a.order, &a.id).cmp(&(&b.order, &b.id)));
        for (number, ordered) in all {
            let result = event_changes(&ordered, projection).and_then(|changes| {
                match changes.into_iter().find(|change| change.document == *document) {
                    Some(change) => fold(&mut folded.state, &change, Some(&ordered.event), &key, projection),
                    None => Ok(()),
                }
            });
            let failure = result.err().map(|mut failure| {
                failure.document.get_or_insert_with(|| document.clone());
                failure
            });
            match (number, failure) {
                (Some(number), Some(failure)) => drop(folded.failures.insert(number, failure)),
                (None, failure) if failure.is_some() != ordered.letter.is_some() => {
                    folded.turned.push((ordered, failure));
                }
                _ => {}
            }
        }
        folded
    }

    /// Drops the first pending events whose rows are there, and keeps of the others that they are new.
    pub(super) fn own_rows(&mut self, count: usize, rows: &[Option<Item>], outcomes: &mut Outcomes) {
        let (projection, mut number) = (self.projection, 0);
        let new = &mut self.seen.new;
        let mut rows = rows.iter();
        self.pending.retain(|application| {
            let looked_for = number < count && may_have_row(application);
            let is_there = looked_for && rows.next().is_some_and(Option::is_some);
            number += 1;
            // What only the document spoke against when it was last looked at has a row like the others.
            if is_there {
                outcomes.note(application.place(projection), Outcome::Repeated);
                return false;
            }
            if looked_for {
                let (order, id) = rank(application);
                new.insert((order.to_owned(), id.to_owned()));
            }
            true
        });
    }

    /// Takes the rows of the document's events, and drops the pending ones that are among them.
    pub(super) fn ordered_rows(&mut self, rows: Option<Vec<Item>>, context: &Context<'_>, outcomes: &mut Outcomes) {
        let (projection, _) = self.parts(context);
        let Some(rows) = rows else {
            let message = format!("its document has more than {MAX_EVENTS} events, too many to be folded anew");
            self.reject_whole(0, Problem::new(Reason::TooLate, message));
            return;
        };
        let mut events = Vec::with_capacity(rows.len());
        for row in &rows {
            match bookkeeping::ordered_event(row, projection, context.program, context.now) {
                Some(event) => events.push(event),
                None => return self.fail("a row of the events table is none that viewfold has written", outcomes),
            }
        }
        if self.closing.is_some() {
            return self.ordered_rows_again(events, context);
        }
        let number = self.projection;
        self.pending.retain(|application| {
            let is_there = may_have_row(application)
                && events.iter().any(|event| (event.order.as_str(), event.id.as_str()) == rank(application));
            if is_there {
                outcomes.note(application.place(number), Outcome::Repeated);
            }
            !is_there
        });
        self.seen.ordered = Some(events);
    }
}

impl LeftBehind {
    /// A row that is new, or that takes the place of another one.
    fn put(&mut self, ordered: &OrderedEvent) {
        let Some(events) = &mut self.ordered else { return };
        match events.iter_mut().find(|event| (&event.order, &event.id) == (&ordered.order, &ordered.id)) {
            Some(event) => event.clone_from(ordered),
            None => events.push(ordered.clone()),
        }
    }
}

impl Unit {
    /// Takes the rows of the document of an event that is redriven: its own, which says that it could not be applied, is left
    /// out, so that it is folded like a new one.
    fn ordered_rows_again(&mut self, mut events: Vec<OrderedEvent>, context: &Context<'_>) {
        let (projection, _) = self.parts(context);
        let Some(front) = self.pending.front_mut() else { return };
        let own = rank(front);
        let at = events.iter().position(|event| (event.order.as_str(), event.id.as_str()) == own);
        match at.map(|at| (at, events[at].letter.is_some())) {
            Some((_, false)) => self.close_as(Ending::Repeated),
            Some((at, true)) => {
                let own = events.remove(at);
                // A letter of an event that had been applied has no record: the row has the event.
                if front.event.is_none() {
                    let document = front.changes.first().map(|change| change.document.clone());
                    match event_changes(&own, projection) {
                        Ok(changes) => {
                            front.changes = changes;
                            front.changes.retain(|change| Some(&change.document) == document.as_ref());
                        }
                        Err(failure) => front.rejection = Some(Box::new(failure)),
                    }
                    front.event = Some(own.event);
                }
                if let Some(closing) = &mut self.closing {
                    closing.row = own.row;
                }
            }
            None if front.event.is_none() => self.close_as(Ending::Nothing),
            None => {}
        }
        self.seen.ordered = Some(events);
        // As the rules are now, it does nothing to the document.
        if self.pending.front().is_some_and(|front| front.changes.is_empty() && front.rejection.is_none()) {
            self.close_as(match self.closing.as_ref().map(|closing| closing.ending) {
                Some(Ending::Repeated) => Ending::Repeated,
                _ => Ending::Nothing,
            });
        }
    }
}

fn ordered_event(application: &Application, source: usize) -> Option<OrderedEvent> {
    let (order, id) = rank(application);
    Some(OrderedEvent {
        order: order.to_owned(),
        id: id.to_owned(),
        source,
        event: Arc::clone(application.event.as_ref()?),
        letter: None,
        row: None,
    })
}

/// The changes of an event whose rules are looked for again.
fn event_changes(ordered: &OrderedEvent, projection: &Projection) -> Result<Vec<Change>, Failure> {
    let rules = crate::matching::rules_of(&ordered.event, projection, ordered.source)?;
    changes(&ordered.event, projection, &rules)
}

fn fold(
    state: &mut State,
    change: &Change,
    event: Option<&Event>,
    key: &Item,
    projection: &Projection,
) -> Result<(), Failure> {
    let operations = deferred_operations(change, event, projection, state.document())?;
    if operations.is_empty() {
        return Ok(());
    }
    Ok(state.fold(&operations, key, projection)?)
}
