//! One document, without a guard or with its mark on it: a prefix of its events is one update.
//!
//! The update is blind where the events' effects can be said whatever the document holds. Else the document is read
//! first, its events are folded onto it, and the write is conditional on everything that was read.

use super::super::expression::fits;
use super::super::request::{Action, Request};
use super::place::{MarkMove, MarkPlace};
use super::write::{self, OnDocument};
use super::{Context, MAX_UPDATE_BYTES, Sent, Step, Target, Unit};
use crate::evaluate::{DocumentKey, Failure, deferred_operations};
use crate::fold::{Effects, State};
use crate::mark::{Mark, Standing};
use crate::outcomes::Outcomes;
use crate::report::{Outcome, Problem, Reason};
use viewfold_value::Item;

impl Unit {
    /// The next write of a unit of one document.
    pub(super) fn document(&mut self, context: &Context<'_>, outcomes: &mut Outcomes) -> Step {
        let (projection, _) = self.parts(context);
        let Some(document) = self.pending.front().and_then(|front| front.changes.first()) else {
            // Nothing to write: the event has been dealt with.
            if let Some(application) = self.pending.pop_front() {
                outcomes.note(application.place(self.projection), Outcome::Applied);
            }
            return Step::Again;
        };
        let document = document.document.clone();
        let seen = self.seen.documents.get(&document).cloned();
        let must_read = projection.always_reads() || self.seen.must_read.contains(&document);
        let action = match seen {
            Some(item) => self.known_document(&document, item, context),
            None if must_read => {
                let request = Request::Read(vec![self.document_key(&document, projection)]);
                return Step::Send(request, Sent::Read(vec![Target::Document(document)]));
            }
            None => self.blind_document(&document, context),
        };
        match action {
            Fold::Write(action) if !fits(&action) && self.covered > 1 => {
                self.limit = self.covered / 2;
                Step::Again
            }
            Fold::Write(action) if !fits(&action) => {
                self.widen(document);
                Step::Again
            }
            Fold::Write(action) => Step::Send(Request::Write(action), Sent::Write(vec![Target::Document(document)])),
            Fold::Read => {
                self.seen.must_read.insert(document);
                Step::Again
            }
            Fold::Again => Step::Again,
            Fold::NothingToWrite => {
                for application in self.pending.drain(..self.covered) {
                    outcomes.note(application.place(self.projection), Outcome::Applied);
                }
                Step::Again
            }
        }
    }

    /// The update of as many pending events as can be said without knowing the document.
    fn blind_document(&mut self, document: &DocumentKey, context: &Context<'_>) -> Fold {
        let (projection, _) = self.parts(context);
        let mut effects = Effects::default();
        self.covered = 0;
        for application in self.pending.iter().take(self.limit) {
            let Some(change) = application.changes.first().filter(|_| application.rejection.is_none()) else { break };
            if !change.deferred.is_empty() {
                return Fold::Read;
            }
            let Some(merged) = effects.with(&change.operations) else { return Fold::Read };
            if self.covered > 0 && merged.size > MAX_UPDATE_BYTES {
                break;
            }
            effects.become_merged(merged);
            self.covered += 1;
        }
        let without_maps = self.seen.without_maps.contains(document);
        match write::blind(projection, document, &effects, without_maps, &self.on_document(context), context) {
            Some(action) => Fold::Write(action),
            None => Fold::Read,
        }
    }

    /// The write of as many pending events as there are, on the document as it was read.
    fn known_document(&mut self, document: &DocumentKey, item: Option<Item>, context: &Context<'_>) -> Fold {
        let (projection, _) = self.parts(context);
        let key = document.item(projection);
        let mut state = State::new(item, projection);
        self.covered = 0;
        let mut culprit = None;
        for (number, application) in self.pending.iter().take(self.limit).enumerate() {
            let Some(change) = application.changes.first() else { break };
            let event = application.event.as_deref();
            if application.rejection.is_some() {
                break;
            }
            let folded = deferred_operations(change, event, projection, state.document()).and_then(|operations| {
                if operations.is_empty() {
                    return Ok(());
                }
                state.fold(&operations, &key, projection).map_err(Failure::from)
            });
            if let Err(failure) = folded {
                culprit = Some((number, failure));
                break;
            }
            self.covered += 1;
        }
        if let Some((number, failure)) = culprit {
            self.reject(number, failure);
            if number == 0 {
                return Fold::Again;
            }
        }
        let as_wholes = self.seen.as_wholes.contains(document);
        match write::known(projection, document, &state, &self.on_document(context), as_wholes, context) {
            Some(action) => Fold::Write(action),
            None => Fold::NothingToWrite,
        }
    }

    /// What the write of the covered events does to the guard's own attributes.
    fn on_document<'u>(&'u self, context: &Context<'u>) -> OnDocument<'u> {
        let (projection, source) = self.parts(context);
        let mut marks = self.pending.range(..self.covered).filter_map(|application| application.mark.as_ref());
        let place = self.pending.front().and_then(|front| MarkPlace::of(projection, source, front));
        match place.zip(marks.next()) {
            Some((place, first)) => {
                OnDocument::Mark(MarkMove { place, first, last: marks.next_back().unwrap_or(first) })
            }
            None => OnDocument::Nothing,
        }
    }

    /// Drops the events that the mark on a document says were applied before; how many.
    pub(super) fn drop_marked(&mut self, item: Option<&Item>, context: &Context<'_>, outcomes: &mut Outcomes) -> usize {
        let (projection, source) = self.parts(context);
        let place = self.pending.front().and_then(|front| MarkPlace::of(projection, source, front));
        let Some((place, item)) = place.zip(item) else { return 0 };
        let stored = match place.stored(item) {
            Ok(stored) => stored.unwrap_or_default(),
            Err(other) => {
                let attribute = place.attribute();
                let message = format!("the document's `{attribute}` is {other}, which is no mark: others write to it");
                let count = self.pending.len();
                self.fail(&message, outcomes);
                return count;
            }
        };
        let redriven = self.drop_redriven(|_, mark| place.was_redriven(item, mark), outcomes);
        if stored.is_empty() {
            return redriven;
        }
        redriven + self.drop_standing(stored, |_| true, outcomes)
    }

    /// Drops the events that were redriven while the mark of their line was below them; how many.
    pub(super) fn drop_redriven(
        &mut self,
        was_redriven: impl Fn(&super::Application, &Mark) -> bool,
        outcomes: &mut Outcomes,
    ) -> usize {
        let before = self.pending.len();
        let projection = self.projection;
        self.pending.retain(|application| {
            let is_done = application.mark.as_ref().is_some_and(|mark| was_redriven(application, mark));
            if is_done {
                outcomes.note(application.place(projection), Outcome::Repeated);
            }
            !is_done
        });
        before - self.pending.len()
    }

    /// Drops the events of a line that are at a mark or below; how many. Those that do not compare with it are rejected.
    pub(super) fn drop_standing(
        &mut self,
        stored: &str,
        in_line: impl Fn(&super::Application) -> bool,
        outcomes: &mut Outcomes,
    ) -> usize {
        let before = self.pending.len();
        let projection = self.projection;
        let mut rejected = 0;
        self.pending.retain_mut(|application| {
            if !in_line(application) {
                return true;
            }
            match application.mark.as_ref().map(|mark: &Mark| mark.standing(stored)) {
                Some(Standing::AtOrBelow) => {
                    outcomes.note(application.place(projection), Outcome::Repeated);
                    false
                }
                Some(Standing::Other) if application.rejection.is_none() => {
                    let message =
                        format!("what its mark says comes from another stream, or from a later one: {stored}");
                    rejected += 1;
                    // The mark stays as it is, for it belongs to the other stream: no document is named here.
                    application.rejection = Some(Box::new(Problem::new(Reason::OtherStream, message).into()));
                    application.mark = None;
                    application.contribution = None;
                    application.changes.clear();
                    true
                }
                _ => true,
            }
        });
        before - self.pending.len() + rejected
    }
}

/// What folding some events came to.
enum Fold {
    Write(Action),
    /// The document has to be read first.
    Read,
    /// Something about the pending events has changed.
    Again,
    /// The events leave everything as it is.
    NothingToWrite,
}
