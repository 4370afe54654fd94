//! An event that is redriven: what it does, and the end of its dead letter, in one transaction.
//!
//! The open row of the letter says that the event has not been applied, and goes with the write that applies it; so however
//! often that is tried, it happens once. What the guard remembers of newer events stays as it is: a mark is never lowered.

use super::super::expression::{Forms, Writer, new_row, put};
use super::super::request::Action;
use super::place::MarkPlace;
use super::write::OnDocument;
use super::{Context, Target, Unit};
use crate::bookkeeping::{self, MARK, WAYS};
use crate::dead_letter::Letter;
use crate::evaluate::{Change, DocumentKey, Operation, Operations};
use crate::mark::{Mark, Standing};
use crate::outcomes::Outcomes;
use crate::program::{DocumentPath, Guard, Source};
use crate::report::{Ending, Outcome};
use crate::sorted_map::Attributes;
use std::sync::Arc;
use viewfold_value::{Item, Value};

/// The letter that goes with the write.
#[derive(Debug)]
pub(in crate::plan) struct Closing {
    pub(in crate::plan) letter: Letter,
    /// The table of dead letters.
    pub(in crate::plan) table: Arc<str>,
    pub(in crate::plan) ending: Ending,
    /// A row that stands where the letter's is to go: it was closed before, and written again by a version of the function
    /// that still could not apply it.
    before: Option<Item>,
    /// The row of the event among those of its document (`order_by`), as one that could not be applied.
    pub(super) row: Option<Item>,
    /// Whether somebody else closed the letter in the meantime.
    pub(in crate::plan) gone: bool,
}

impl Closing {
    pub(in crate::plan) fn new(letter: Letter, table: Arc<str>, ending: Ending) -> Closing {
        Closing { letter, table, ending, before: None, row: None, gone: false }
    }

    /// What closes the letter.
    pub(super) fn actions(&self, version: &str, context: &Context<'_>) -> Vec<(Action, Target)> {
        let mut open = Writer::new(context.forms);
        open.require_item(&WAYS.key);
        let mut actions = vec![(open.removal(&self.table, self.letter.key()), Target::Open)];
        let row = self.letter.done(self.ending.text(), version, context.now);
        match &self.before {
            None => actions.push((new_row(context.forms, &self.table, row), Target::Done)),
            // It says already that the event was applied.
            Some(before)
                if self.ending == Ending::Repeated && before.get("effect") == Some(&Value::from("applied")) => {}
            Some(before) => {
                let mut writer = Writer::new(context.forms);
                for name in ["effect", "redriven"] {
                    writer.require_unchanged(&DocumentPath::attribute(name), before.get(name));
                }
                actions.push((writer.put(&self.table, row), Target::Done));
            }
        }
        actions
    }
}

impl Letter {
    /// What closes the letter without applying its event: somebody has decided so.
    pub fn dropped(&self, table: &Arc<str>, now: &str) -> Vec<Action> {
        let forms = Forms::default();
        let mut open = Writer::new(&forms);
        open.require_item(&WAYS.key);
        vec![open.removal(table, self.key()), put(table, self.done("dropped", "", now))]
    }
}

impl Unit {
    /// What closes the letter of an event that is redriven.
    pub(super) fn closing_actions(&self, context: &Context<'_>) -> Vec<(Action, Target)> {
        let (projection, _) = self.parts(context);
        let closing = self.closing.iter();
        closing.flat_map(|closing| closing.actions(&projection.hash, context)).collect()
    }

    /// Nothing of the event is left to be applied: its letter is closed alone.
    pub(super) fn close_as(&mut self, ending: Ending) {
        if let Some(closing) = &mut self.closing {
            closing.ending = ending;
        }
        for application in &mut self.pending {
            application.changes.clear();
            application.contribution = None;
        }
    }

    /// Takes what stands in the way of closing the letter.
    pub(super) fn see_letter(&mut self, target: &Target, item: Option<Item>, context: &Context<'_>) {
        let (_, source) = self.parts(context);
        // With `order_by` the event's own row says whether it is in the document: it may have fallen out again.
        let has_rows = matches!(source.guard, Guard::EventsTable { order_by: Some(_), .. });
        let Some(closing) = &mut self.closing else { return };
        if *target == Target::Open {
            closing.gone = true;
            self.pending.clear();
            return;
        }
        let applied = item.as_ref().and_then(|item| item.get("effect")).and_then(Value::as_str) == Some("applied");
        closing.before = item;
        if applied && !has_rows {
            self.close_as(Ending::Repeated);
        }
    }

    /// Takes the document of an event that is redriven: what was redriven before is left out.
    pub(super) fn see_document_again(&mut self, document: &DocumentKey, item: &Item, context: &Context<'_>) {
        let (projection, source) = self.parts(context);
        let Some(front) = self.pending.front_mut() else { return };
        let place = MarkPlace::of(projection, source, front);
        let Some((place, mark)) = place.zip(front.mark.as_ref()) else { return };
        if place.was_redriven(item, mark) {
            front.changes.retain(|change| change.document != *document);
            if front.changes.is_empty() {
                self.close_as(Ending::Repeated);
            }
        }
    }

    /// Takes the row of the lane of an event that is redriven: under `retract: true` a newer change of the item has taken its
    /// place.
    pub(super) fn see_lane_again(&mut self, item: Option<&Item>, retracts: bool) {
        let stored = item.and_then(|item| item.get(MARK)).and_then(Value::as_str);
        let own = self.pending.front().and_then(|front| front.mark.as_ref());
        let Some(own) = own else { return };
        let is_below = |stored: &str| own.text != stored && own.standing(stored) != Standing::Above;
        if retracts && stored.is_some_and(is_below) {
            self.close_as(Ending::Superseded);
        } else if !retracts && item.is_some_and(|item| bookkeeping::redriven_of(item).contains(&own.text)) {
            self.close_as(Ending::Repeated);
        }
    }

    /// The row of the lane of an event that is redriven: its mark stays, and the event is kept beside it unless the mark is past
    /// it already. Nothing where it is.
    pub(super) fn lane_again(
        &self,
        table: &Arc<str>,
        key: Attributes,
        name: &str,
        mark: &Mark,
        context: &Context<'_>,
    ) -> Option<Action> {
        let seen = self.seen.lanes.get(name).and_then(Option::as_ref);
        let stored = seen.and_then(|row| row.get(MARK)).and_then(Value::as_str);
        if stored.is_some_and(|stored| mark.standing(stored) == Standing::AtOrBelow) {
            return None;
        }
        let mut redriven = seen.map(bookkeeping::redriven_of).unwrap_or_default();
        redriven.insert(mark.text.clone());
        let mut writer = Writer::new(context.forms);
        match seen {
            Some(row) => {
                for way in [&WAYS.mark, &WAYS.redriven] {
                    writer.require_unchanged(way, way.get(row));
                }
            }
            None => writer.require_missing(&WAYS.key),
        }
        Some(writer.put(table, bookkeeping::lane_row(key, stored, &redriven, None)))
    }

    /// What a document keeps of an event that is redriven.
    pub(super) fn redriven_on_document<'u>(&'u self, context: &Context<'u>) -> OnDocument<'u> {
        let (projection, source) = self.parts(context);
        let Some(front) = self.pending.front().filter(|_| self.closing.is_some()) else { return OnDocument::Nothing };
        match MarkPlace::of(projection, source, front).zip(front.mark.as_ref()) {
            Some((place, mark)) => OnDocument::Redriven { place, mark },
            None => OnDocument::Nothing,
        }
    }

    /// Whether no newer event has changed a document, as far as its mark tells.
    pub(in crate::plan) fn is_newest(&self, context: &Context<'_>, document: &DocumentKey) -> bool {
        let (projection, source) = self.parts(context);
        let Some(front) = self.pending.front() else { return true };
        let place = MarkPlace::of(projection, source, front);
        let Some((place, mark)) = place.zip(front.mark.as_ref()) else { return false };
        match self.seen.documents.get(document) {
            Some(Some(item)) => match place.stored(item) {
                Ok(Some(stored)) => stored == mark.text || mark.standing(stored) == Standing::Above,
                Ok(None) => true,
                Err(_) => false,
            },
            Some(None) => true,
            None => false,
        }
    }

    /// What the event does, document by document.
    pub(in crate::plan) fn changes(&self) -> Vec<Change> {
        let Some(front) = self.pending.front() else { return Vec::new() };
        let mut changes = front.changes.clone();
        for (document, sums) in front.contribution.iter().flatten() {
            let mut operations = Operations::default();
            operations.by_path.extend(sums.iter().map(|(path, sum)| (path.clone(), Operation::Add(*sum))));
            changes.push(Change { document: document.clone(), operations, deferred: Vec::new() });
        }
        changes
    }

    /// What came of the letter; nothing where somebody else has closed it.
    pub(in crate::plan) fn closed(&self) -> Option<Ending> {
        self.closing.as_ref().filter(|closing| !closing.gone).map(|closing| closing.ending)
    }

    /// The source of the events.
    pub(in crate::plan) fn source_of<'p>(&self, context: &Context<'p>) -> &'p Source {
        self.parts(context).1
    }

    /// What became of the event, for [`Outcomes`].
    pub(super) fn still_rejected(&mut self, outcomes: &mut Outcomes) {
        if let Some(application) = self.pending.pop_front()
            && let Some(rejection) = &application.rejection
        {
            let outcome = Outcome::DeadLettered(rejection.problem.clone());
            outcomes.note(application.place(self.projection), outcome);
        }
    }
}
