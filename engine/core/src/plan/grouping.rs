//! What each event does in each projection that reads its stream.

use super::unit::{Application, Applications, epoch_seconds};
use crate::decode::{Decoded, Decoder, envelope::Record};
use crate::demands::check_lane;
use crate::evaluate::{self, Contribution, Failure};
use crate::event::{Event, Lane};
use crate::mark::{Identifying, Mark, identifying};
use crate::matching::Candidates;
use crate::outcomes::Outcomes;
use crate::program::{Guard, OnError, Program, Source};
use crate::report::{Outcome, Problem, Reason};
use foldhash::{HashMap, HashSet};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The applications of a batch, by projection and source.
pub(super) type Groups = BTreeMap<(usize, usize), Applications>;

/// Sorts what a batch's events do by projection and source.
pub(super) struct Grouping<'p> {
    program: &'p Program,
    now: &'p Arc<str>,
    groups: Groups,
    /// Room for the rules that an event may match.
    candidates: Candidates,
    /// The ids that each projection with an unordered events table has seen in this batch.
    seen: HashMap<usize, HashSet<String>>,
    /// The lanes that wait behind an event that could not be applied, by projection (`on_error: fail`). No lane at all
    /// stands for every lane: that of the event could not be told.
    stopped: HashMap<usize, HashSet<Option<Lane>>>,
    /// Whether a person has said that the events have not been applied, however old they are.
    redrives: bool,
}

impl<'p> Grouping<'p> {
    pub(super) fn new(program: &'p Program, now: &'p Arc<str>) -> Grouping<'p> {
        Grouping {
            program,
            now,
            groups: Groups::new(),
            candidates: Candidates::default(),
            seen: HashMap::default(),
            stopped: HashMap::default(),
            redrives: false,
        }
    }

    /// What an event does that is redriven; nothing where it changes nothing.
    ///
    /// # Errors
    ///
    /// Why it still cannot be applied.
    pub(super) fn redriven(
        program: &'p Program,
        now: &'p Arc<str>,
        event: &Arc<Event>,
        reader: (usize, usize),
    ) -> Result<Option<Application>, Failure> {
        let grouping = Grouping { redrives: true, ..Grouping::new(program, now) };
        let mut application = Application::new(event);
        let candidates = Candidates::of(event, program);
        let applied = grouping.applied(event, reader, &candidates, &mut application)?;
        Ok(matches!(applied, Applied::Changes).then_some(application))
    }

    /// What an event does in a projection, whatever its batch, and why it cannot be applied, where it cannot.
    pub(super) fn alone(&self, event: &Arc<Event>, reader: (usize, usize)) -> (Application, Option<Failure>) {
        let mut application = Application::new(event);
        let candidates = Candidates::of(event, self.program);
        let failure = self.applied(event, reader, &candidates, &mut application).err();
        (application, failure)
    }

    pub(super) fn finish(self) -> Groups {
        self.groups
    }

    /// Decodes a record, and notes what it does.
    pub(super) fn record(
        &mut self,
        number: usize,
        record: &Record<'_>,
        stream: usize,
        decoder: &mut Decoder<'_>,
        outcomes: &mut Outcomes,
    ) {
        let found = |Decoded { sub, lane, id, event }| match event {
            Ok(event) => self.decoded(event, outcomes),
            Err(problem) => {
                outcomes.come(stream, None);
                for reader in &self.program.streams[stream].readers {
                    let shown = lane.as_ref().map_or_else(|| Arc::from(""), |lane: &Lane| Arc::clone(lane.text()));
                    let event = (sub, Arc::clone(&id));
                    let application = Application::undecodable(record, number, event, shown, problem.clone());
                    self.reject(*reader, application, lane.clone(), outcomes);
                }
            }
        };
        decoder.record(record, number, stream, found);
    }

    /// Notes what an event does.
    fn decoded(&mut self, mut event: Event, outcomes: &mut Outcomes) {
        outcomes.come(event.stream, event.metadata.time);
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.look_up(&event, self.program);
        let mut looks_again: Vec<(usize, usize)> = Vec::new();
        for reader in candidates.readers() {
            let reader = self.program.streams[event.stream].readers[*reader];
            if self.event(&event, reader, &candidates, outcomes) {
                looks_again.push(reader);
            }
        }
        self.candidates = candidates;
        if looks_again.is_empty() {
            return;
        }
        event.slots.shrink();
        let event = Arc::new(event);
        for reader in looks_again {
            if let Some(application) = self.groups.get_mut(&reader).and_then(|group| group.last_mut()) {
                application.event = Some(Arc::clone(&event));
            }
        }
    }

    /// An event that cannot be applied: into the dead letters, dropped, or held up with its lane; whether it joins its group.
    fn reject(
        &mut self,
        reader: (usize, usize),
        application: Application,
        lane: Option<Lane>,
        outcomes: &mut Outcomes,
    ) -> bool {
        let projection = &self.program.projections[reader.0];
        let Some(rejection) = &application.rejection else { return false };
        let problem = rejection.problem.clone();
        match projection.on_error {
            OnError::DeadLetter => {
                self.groups.entry(reader).or_default().push(Box::new(application));
                return true;
            }
            // What its item contributed before has to be taken back all the same.
            OnError::Skip if application.contribution.is_some() => {
                self.groups.entry(reader).or_default().push(Box::new(application));
                return true;
            }
            OnError::Skip => outcomes.note(application.place(reader.0), Outcome::Skipped(problem)),
            OnError::Fail => {
                self.stopped.entry(reader.0).or_default().insert(lane);
                outcomes.note(application.place(reader.0), Outcome::Rejected(problem));
            }
        }
        false
    }

    fn is_stopped(&self, projection: usize, lane: &Lane) -> bool {
        self.stopped.get(&projection).is_some_and(|lanes| lanes.contains(&None) || lanes.contains(&Some(lane.clone())))
    }

    /// Notes what an event does in a projection; whether the last one of the projection's group is this event, and has to have
    /// it at hand.
    fn event(
        &mut self,
        event: &Event,
        reader: (usize, usize),
        candidates: &Candidates,
        outcomes: &mut Outcomes,
    ) -> bool {
        let projection = &self.program.projections[reader.0];
        let source = &projection.sources[reader.1];
        let is_ordered = matches!(source.guard, Guard::EventsTable { order_by: Some(_), .. });
        let mut application = Application::without_event(event);
        let result = self.applied(event, reader, candidates, &mut application);
        match result {
            Ok(Applied::Nothing) => {}
            // An event that came before in this batch: one row says that it did, whatever became of it.
            Ok(Applied::Changes) | Err(_) if !self.is_first(reader, &application) => {
                outcomes.note(application.place(reader.0), Outcome::Repeated);
            }
            Ok(_) | Err(_) if self.is_stopped(reader.0, &event.metadata.lane) => {
                let message =
                    "an earlier event of its lane could not be applied, and `on_error: fail` holds the lane up";
                outcomes.note(application.place(reader.0), Outcome::Failed(message.into()));
            }
            Ok(Applied::WithoutChange) => outcomes.note(application.place(reader.0), Outcome::Applied),
            Ok(Applied::Changes) => {
                let waits = application.changes.iter().any(|change| !change.deferred.is_empty());
                self.groups.entry(reader).or_default().push(Box::new(application));
                return waits || is_ordered;
            }
            Err(failure) => {
                application.rejection = Some(Box::new(failure));
                application.changes.clear();
                // An item that cannot be evaluated contributes nothing.
                if source.retracts && application.mark.is_some() {
                    application.contribution = Some(Contribution::new());
                }
                return self.reject(reader, application, Some(event.metadata.lane.clone()), outcomes) && is_ordered;
            }
        }
        false
    }

    /// Whether an event is the first of its id in the batch, under a guard that goes by ids alone.
    fn is_first(&mut self, reader: (usize, usize), application: &Application) -> bool {
        let guard = &self.program.projections[reader.0].sources[reader.1].guard;
        match (guard, &application.id) {
            (Guard::EventsTable { order_by: None, .. }, Some(id)) => {
                self.seen.entry(reader.0).or_default().insert(id.clone())
            }
            _ => true,
        }
    }

    /// Fills in what an event does in a projection.
    fn applied(
        &self,
        event: &Event,
        reader: (usize, usize),
        candidates: &Candidates,
        application: &mut Application,
    ) -> Result<Applied, Failure> {
        let projection = &self.program.projections[reader.0];
        let source = &projection.sources[reader.1];
        // What the guard goes by comes first: an event that cannot be applied is remembered by it, too.
        let guarded = self.guard(event, source, application);
        if let Some(check) = &source.schema {
            check.check(event)?;
        }
        let rules = candidates.matching(event, reader.0, projection)?;
        check_lane(event, source, &self.program.streams[source.stream].identity, rules.is_empty())?;
        if rules.is_empty() && !source.retracts {
            return Ok(Applied::Nothing);
        }
        guarded?;
        if source.retracts {
            application.contribution = Some(evaluate::contribution(event, projection, &rules)?);
        }
        application.changes = evaluate::changes(event, projection, &rules)?;
        if application.changes.is_empty() && application.contribution.is_none() {
            return Ok(Applied::WithoutChange);
        }
        Ok(Applied::Changes)
    }

    /// What the guard of an event's source goes by.
    fn guard(&self, event: &Event, source: &Source, application: &mut Application) -> Result<(), Problem> {
        let identity = &self.program.streams[source.stream].identity;
        match &source.guard {
            Guard::None => {}
            Guard::Document { order_by, by_shard, .. } => {
                application.mark = Some(Mark::of(event, identity, order_by)?);
                if *by_shard {
                    let Some(shard) = event.metadata.shard.clone() else {
                        application.mark = None;
                        let message = "the record does not say its shard, which its mark belongs to";
                        return Err(Problem::new(Reason::MissingValue, message));
                    };
                    application.shard = Some(shard);
                }
            }
            Guard::Lane { order_by, .. } => {
                application.lane = Some(Arc::clone(event.metadata.lane.text()));
                application.mark = Some(Mark::of(event, identity, order_by)?);
            }
            Guard::EventsTable { id, order_by, keep_seconds, .. } => {
                application.id = Some(match identifying(event, id, "`id`")? {
                    Identifying::Text(text) | Identifying::Digits(text) => text,
                    Identifying::Number(number) => number.to_string(),
                });
                if let (Some(keep), Some(time), false) = (keep_seconds, event.metadata.time, self.redrives) {
                    // A margin for clocks that do not agree.
                    let oldest = keep - (keep / 10).min(86_400);
                    if epoch_seconds(self.now) - time.as_second() > oldest {
                        let message = format!(
                            "it is of {time}, and by `keep_for` its guard may have forgotten whether it came before"
                        );
                        return Err(Problem::new(Reason::OlderThanGuard, message));
                    }
                }
                if let Some(term) = order_by {
                    application.mark = Some(Mark::of_value(event, term)?);
                }
            }
        }
        Ok(())
    }
}

/// What an event does.
enum Applied {
    /// No rule matches it.
    Nothing,
    /// Rules match it, and change nothing.
    WithoutChange,
    Changes,
}
