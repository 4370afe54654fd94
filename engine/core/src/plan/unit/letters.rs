//! What becomes of an event that cannot be applied: a dead letter, perhaps with the move of its document's mark; or nothing, or
//! a wait, as `on_error` says.

use super::super::expression::Writer;
use super::super::request::{Action, Answer, Cancellation, Put, Request};
use super::place::{MarkMove, MarkPlace};
use super::write;
use super::{Application, Context, Sent, Step, Unit};
use crate::bookkeeping::{DeadLetter, PARTITION_KEY, dead_letter_row};
use crate::evaluate::Failure;
use crate::mark::Standing;
use crate::program::{OnError, Projection, Source};
use crate::report::{Outcome, Outcomes};
use std::sync::Arc;

impl Unit {
    /// Where the projection keeps no dead letters: the outcome of a first event that cannot be applied. The rest goes on,
    /// or waits for it (`on_error: fail`).
    pub(super) fn settled_without_row(
        &mut self,
        rejected: bool,
        context: &Context<'_>,
        outcomes: &mut Outcomes,
    ) -> Option<Step> {
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
    pub(super) fn put_away(&mut self, context: &Context<'_>, outcomes: &mut Outcomes) -> Step {
        if let Some(step) = self.settled_without_row(true, context, outcomes) {
            return step;
        }
        let (projection, source) = self.parts(context);
        let Some(application) = self.pending.front() else { return Step::Again };
        let place = MarkPlace::of(projection, source, application);
        let mark = match (place, &application.mark, &application.rejection) {
            (Some(place), Some(mark), Some(Failure { document: Some(document), .. })) if !application.unmarked => {
                let to = MarkMove { place, first: mark, last: mark };
                // An item that has been seen and is not there is seen again by the condition.
                let seen = self.seen.documents.get(document).and_then(Option::as_ref);
                let without_maps = self.seen.without_maps.contains(document);
                // A mark that belongs to another stream stays.
                let stored = seen.and_then(|item| to.place.stored(item).ok()?);
                let is_below = stored.is_none_or(|stored| mark.standing(stored) == Standing::Above);
                is_below.then(|| write::mark_only(projection, document, &to, seen, without_maps))
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

    pub(super) fn put_away_answered(
        &mut self,
        with_mark: bool,
        answer: Answer,
        context: &Context<'_>,
        outcomes: &mut Outcomes,
    ) {
        self.attempts += 1;
        match (answer, with_mark) {
            // A letter that is there has been put away before.
            (Answer::Done, _) | (Answer::ConditionFailed(_), false) => self.dead_lettered(context, outcomes),
            (Answer::Cancelled(reasons), true) => match reasons.into_iter().next() {
                Some(Cancellation::ConditionFailed(None)) => {
                    // There is no document to mark: the letter alone.
                    if let Some(front) = self.pending.front_mut() {
                        front.unmarked = true;
                    }
                }
                Some(Cancellation::ConditionFailed(item)) => {
                    // Somebody else is further: what was read is not what is there any more.
                    let front = self.pending.front();
                    let document = front.and_then(|front| front.rejection.as_ref()?.document.clone());
                    self.seen.documents.clear();
                    if self.drop_marked(item.as_ref(), context, outcomes) == 0
                        && let Some(document) = document
                    {
                        self.seen.documents.insert(document, item);
                    }
                }
                Some(Cancellation::NoParent(_)) => {
                    // There is no map of marks yet.
                    let front = self.pending.front();
                    let document = front.and_then(|front| front.rejection.as_ref()?.document.clone());
                    self.seen.without_maps.extend(document);
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
}

impl Application {
    /// The dead letter of the event; nothing where the program has no table for it. Beside other writes of a transaction
    /// it is put whether it is there or not: they say whether the event is new.
    pub(super) fn dead_letter(
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
            sub: self.sub,
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
