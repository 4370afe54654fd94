//! What becomes of an event that cannot be applied: a dead letter, perhaps with the move of its document's mark; or nothing, or
//! a wait, as `on_error` says.

use super::super::expression::{new_row, put};
use super::super::request::{Action, Answer, Cancellation, Request};
use super::place::{MarkMove, MarkPlace};
use super::write;
use super::{Application, Context, MAX_ACTIONS, MAX_TRANSACTION_BYTES, Sent, Step, Unit};
use crate::dead_letter::DeadLetter;
use crate::evaluate::Failure;
use crate::mark::Standing;
use crate::outcomes::Outcomes;
use crate::program::{Guard, OnError, Projection, Source};
use crate::report::Outcome;

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
        outcomes.note(application.place(self.projection), outcome);
        if held {
            self.fail("an earlier event could not be applied, and `on_error: fail` makes what follows wait", outcomes);
        }
        Some(Step::Again)
    }

    /// The dead letter of the first pending event. Where the document has a mark, it is moved past the event in the same
    /// transaction, so that the event is a repeat when it comes again. Where there is no document, that has to stay so until
    /// the letter is there: by then, another version of the projection may have applied the event.
    pub(super) fn put_away(&mut self, context: &Context<'_>, outcomes: &mut Outcomes) -> Step {
        if let Some(step) = self.settled_without_row(true, context, outcomes) {
            return step;
        }
        self.covered = self.rejected_run(context);
        if self.store_parts(context) {
            return Step::Again;
        }
        let (projection, source) = self.parts(context);
        let Some(application) = self.pending.front() else { return Step::Again };
        let last = self.pending.get(self.covered - 1).and_then(|application| application.mark.as_ref());
        // What stands for the event on its document: the mark that moves past it, or that there is no document.
        let place = MarkPlace::of(projection, source, application);
        let document = match (place, &application.mark, application.rejection.as_deref()) {
            (Some(place), Some(mark), Some(Failure { document: Some(document), .. })) => {
                // An item that has been seen and is not there is seen again by the condition.
                let seen = self.seen.documents.get(document).and_then(Option::as_ref);
                let without_maps = self.seen.without_maps.contains(document);
                // A mark that belongs to another stream stays.
                let stored = seen.and_then(|item| place.stored(item).ok()?);
                let is_below = stored.is_none_or(|stored| mark.standing(stored) == Standing::Above);
                let to = MarkMove { place, first: mark, last: last.unwrap_or(mark) };
                match application.unmarked {
                    true => Some((write::no_document(projection, document, context), Beside::Nothing)),
                    false if is_below => {
                        Some((write::mark_only(projection, document, &to, seen, without_maps, context), Beside::Guard))
                    }
                    false => None,
                }
            }
            _ => None,
        };
        let beside = document.as_ref().map_or(Beside::Nothing, |(_, beside)| *beside);
        // Without the move of a mark, each letter by itself says whether it is there.
        let covered = if beside == Beside::Guard { self.covered } else { 1 };
        let covered = self.pending.range(..covered);
        let letters: Vec<Action> =
            covered.filter_map(|application| application.dead_letter(projection, source, context, beside)).collect();
        self.covered = letters.len();
        let Some(letter) = letters.first() else {
            self.fail("there is no table of dead letters", outcomes);
            return Step::Again;
        };
        match document {
            Some((document, _)) => {
                let actions = std::iter::once(document).chain(letters).collect();
                Step::Send(Request::Transact(actions), Sent::DeadLetter { with_document: true })
            }
            None => Step::Send(Request::Write(letter.clone()), Sent::DeadLetter { with_document: false }),
        }
    }

    /// How many events from the first on are put away together: those that cannot be applied to the same document, as far as
    /// one transaction holds their letters.
    fn rejected_run(&self, context: &Context<'_>) -> usize {
        let document = |application: &Application| {
            let rejection = application.rejection.as_ref().filter(|_| application.mark.is_some());
            rejection.and_then(|rejection| rejection.document.clone())
        };
        let Some(first) = self.pending.front().and_then(|front| document(front)) else { return 1 };
        let mut bytes = 0;
        let run = self.pending.iter().take(MAX_ACTIONS - 1).take_while(|application| {
            bytes += context.records.get(application.record).map_or(0, |record| record.len());
            document(application).as_ref() == Some(&first) && bytes < MAX_TRANSACTION_BYTES
        });
        run.count().max(1)
    }

    pub(super) fn put_away_answered(
        &mut self,
        with_document: bool,
        answer: Answer,
        context: &Context<'_>,
        outcomes: &mut Outcomes,
    ) {
        self.attempts += 1;
        let front = self.pending.front();
        let document = front.and_then(|front| front.rejection.as_ref()?.document.clone());
        let unmarked = front.is_some_and(|front| front.unmarked);
        let reasons = match (answer, with_document) {
            // A letter that is there has been put away before.
            (Answer::Done, _) | (Answer::ConditionFailed(_), false) => return self.dead_lettered(context, outcomes),
            (Answer::Cancelled(reasons), true) => reasons,
            (answer, _) => {
                return self.fail(&format!("the dead letter could not be written: {}", answer.kind()), outcomes);
            }
        };
        let mut reasons = reasons.into_iter();
        match (reasons.next(), reasons.next()) {
            // There is no document to mark, or there is one by now.
            (Some(Cancellation::ConditionFailed(None)), _) if !unmarked => self.set_unmarked(true),
            (Some(Cancellation::ConditionFailed(_)), _) if unmarked => {
                self.seen.documents.clear();
                self.set_unmarked(false);
            }
            (Some(Cancellation::ConditionFailed(item)), _) => {
                // Somebody else is further: what was read is not what is there any more.
                self.seen.documents.clear();
                if self.drop_marked(item.as_ref(), context, outcomes) == 0
                    && let Some(document) = document
                {
                    self.seen.documents.insert(document, item);
                }
            }
            // There is no map of marks yet.
            (Some(Cancellation::NoParent(_)), _) => self.seen.without_maps.extend(document),
            (Some(Cancellation::None), Some(Cancellation::ConditionFailed(_))) if self.covered == 1 => {
                self.dead_lettered(context, outcomes);
            }
            (first, second) => {
                let kinds: Vec<&str> = first.iter().chain(&second).map(Cancellation::kind).collect();
                self.fail(&format!("the dead letter could not be written: {}", kinds.join(", ")), outcomes);
            }
        }
    }

    fn set_unmarked(&mut self, unmarked: bool) {
        if let Some(front) = self.pending.front_mut() {
            front.unmarked = unmarked;
        }
    }

    fn dead_lettered(&mut self, context: &Context<'_>, outcomes: &mut Outcomes) {
        self.attempts = 0;
        let (projection, _) = self.parts(context);
        for application in self.pending.drain(..self.covered.min(self.pending.len())) {
            outcomes.note(application.place(self.projection), application.outcome(projection));
        }
    }
}

impl Application {
    /// The dead letter of the event; nothing where it needs none. `guarded`: the guard remembers the event in the same
    /// transaction.
    fn letter<'a>(
        &'a self,
        projection: &'a Projection,
        source: &'a Source,
        context: &Context<'a>,
        guarded: bool,
    ) -> Option<DeadLetter<'a>> {
        let rejection = self.rejection.as_ref()?;
        Some(DeadLetter {
            projection,
            source,
            lane: &self.lane_text,
            sequence: &self.sequence,
            sub: self.sub,
            id: &self.event_id,
            rule: rejection.rule.as_deref(),
            document: rejection.document.as_ref(),
            ordered: match &source.guard {
                Guard::EventsTable { order_by: Some(_), .. } => {
                    self.mark.as_ref().zip(self.id.as_ref()).map(|(mark, id)| (mark.text.as_str(), id.as_str()))
                }
                _ => None,
            },
            part: self.part,
            guarded,
            reason: rejection.problem.reason.code(),
            message: &rejection.problem.message,
            record: context.records.get(self.record).copied().unwrap_or_default(),
            now: context.now,
        })
    }

    /// The row of the event's dead letter; nothing where the program has no table for it. Beside other writes of a
    /// transaction it is put whether it is there or not: they say whether the event is new.
    pub(super) fn dead_letter(
        &self,
        projection: &Projection,
        source: &Source,
        context: &Context<'_>,
        beside: Beside,
    ) -> Option<Action> {
        let table = context.program.dead_letters.as_ref()?;
        let (row, _) = self.letter(projection, source, context, beside == Beside::Guard)?.rows();
        Some(match beside {
            Beside::Guard | Beside::Others => put(table, row),
            Beside::Nothing => new_row(context.forms, table, row),
        })
    }
}

/// What a dead letter is written beside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Beside {
    /// Nothing.
    Nothing,
    /// What other events do.
    Others,
    /// What its guard remembers of the event.
    Guard,
}

impl Unit {
    /// Makes the parts of dead letters that their rows do not hold the next requests, for the covered events; whether there
    /// are any. Nothing is lost where they are stored and their letters never are.
    pub(super) fn store_parts(&mut self, context: &Context<'_>) -> bool {
        let (projection, source) = self.parts(context);
        let Some(table) = context.program.dead_letters.as_ref().filter(|_| projection.on_error == OnError::DeadLetter)
        else {
            return false;
        };
        for application in self.pending.range_mut(..self.covered) {
            // Compressed or not, a record that is no larger than that is in its row.
            let is_large =
                context.records.get(application.record).is_some_and(|record| record.len() > LARGE_RECORD_BYTES);
            if !is_large || application.stored {
                continue;
            }
            let Some(letter) = application.letter(projection, source, context, false) else { continue };
            let (_, parts) = letter.rows();
            application.stored = true;
            self.unstored.extend(parts.into_iter().map(|part| put(table, part)));
        }
        !self.unstored.is_empty()
    }
}

/// Records that are not larger than this have no parts.
const LARGE_RECORD_BYTES: usize = 300 << 10;
