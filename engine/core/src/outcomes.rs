//! What became of each event, gathered while a batch is carried out.

use crate::evaluate::Failure;
use crate::event::Event;
use crate::program::Program;
use crate::report::{Counts, Fate, Outcome, Report, Times, Trouble};
use foldhash::HashMap;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

/// An event in a projection, and what there is to say of it should it not be applied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The record's number.
    pub(crate) record: usize,
    /// The event's place in its record.
    pub(crate) sub: u32,
    /// The projection's number.
    pub(crate) projection: usize,
    /// The event's lane, as far as it could be told.
    pub(crate) lane: &'a str,
    /// The rule, where one is to blame.
    pub(crate) rule: Option<&'a str>,
}

/// Gathers outcomes while a batch is carried out.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    /// What became of events, as it became known, by record, place in it, and projection.
    noted: Vec<((usize, u32, usize), Outcome)>,
    /// Lane and rule of the events that are not applied.
    blames: HashMap<(usize, u32, usize), Blame>,
    fallen: Vec<Fallen>,
    /// The events of each stream, and when they reached it.
    came: HashMap<usize, (usize, Times)>,
    /// Writes of each projection that met another writer.
    conflicts: HashMap<usize, usize>,
}

#[derive(Debug)]
struct Blame {
    lane: String,
    rule: Option<String>,
}

/// An event of an earlier batch that fell out of its document.
#[derive(Debug)]
struct Fallen {
    /// The record that brought it about.
    record: usize,
    projection: usize,
    event: Arc<Event>,
    rule: Option<String>,
    outcome: Outcome,
}

impl Outcomes {
    /// Notes that an event of a stream is in the batch, and when it reached the stream.
    pub(crate) fn come(&mut self, stream: usize, time: Option<jiff::Timestamp>) {
        let (events, times) = self.came.entry(stream).or_default();
        *events += 1;
        if let Some(time) = time {
            times.add(time.as_millisecond());
        }
    }

    /// Notes that a write of a projection was not carried out since what it had read has changed.
    pub(crate) fn met_another_writer(&mut self, projection: usize) {
        *self.conflicts.entry(projection).or_default() += 1;
    }

    /// Notes what became of an event in a projection. Where it has several documents there, the worse outcome counts.
    pub(crate) fn note(&mut self, place: Place<'_>, outcome: Outcome) {
        let Place { record, sub, projection, lane, rule } = place;
        let key = (record, sub, projection);
        if outcome.is_trouble() {
            let blame = self.blames.entry(key).or_insert_with(|| Blame { lane: lane.to_owned(), rule: None });
            if let Some(rule) = rule {
                blame.rule.get_or_insert_with(|| rule.to_owned());
            }
        }
        self.noted.push((key, outcome));
    }

    /// Notes that an event of an earlier batch fell out of its document, and what became of it.
    pub(crate) fn fall(&mut self, record: usize, projection: usize, event: Arc<Event>, failure: Failure, skips: bool) {
        let Failure { problem, rule, .. } = failure;
        let outcome = if skips { Outcome::Skipped(problem) } else { Outcome::DeadLettered(problem) };
        self.fallen.push(Fallen { record, projection, event, rule, outcome });
    }

    /// Leaves out what became of events of earlier batches.
    pub(crate) fn without_fallen(self) -> Outcomes {
        Outcomes { fallen: Vec::new(), ..self }
    }

    /// The report, given the records' sequence numbers.
    pub(crate) fn report(mut self, program: &Program, sequences: &[Cow<'_, str>], requests: usize) -> Report {
        let names = program.projections.iter().map(|projection| projection.name.clone());
        let mut report = Report {
            records: sequences.len(),
            requests,
            projections: names.map(|name| (name, Counts::default())).collect(),
            troubles: Vec::new(),
            returned: Vec::new(),
        };
        for (number, (_, counts)) in report.projections.iter_mut().enumerate() {
            // A projection that reads a stream twice has each of its events once all the same.
            let streams: BTreeSet<usize> =
                program.projections[number].sources.iter().map(|source| source.stream).collect();
            for (events, times) in streams.iter().filter_map(|stream| self.came.get(stream)) {
                counts.events += events;
                counts.times += *times;
            }
            counts.conflicts = self.conflicts.remove(&number).unwrap_or_default();
        }
        // Those of one event stay in the order in which they were noted.
        self.noted.sort_by_key(|(event, _)| *event);
        let mut noted = self.noted.into_iter().peekable();
        while let Some(((record, sub, projection), mut outcome)) = noted.next() {
            while let Some((_, other)) = noted.next_if(|(event, _)| *event == (record, sub, projection)) {
                outcome = outcome.and(other);
            }
            let Some((name, counts)) = report.projections.get_mut(projection) else { continue };
            count(counts, &outcome);
            let Some((reason, message, fate)) = outcome.trouble() else { continue };
            let Blame { lane, rule } =
                self.blames.remove(&(record, sub, projection)).unwrap_or(Blame { lane: String::new(), rule: None });
            let sequence = sequences.get(record).map_or_else(String::new, |sequence| sequence.to_string());
            let projection = Some(name.clone());
            report.troubles.push(Trouble { record, sequence, sub, lane, projection, rule, reason, message, fate });
        }
        for Fallen { record, projection, event, rule, outcome } in self.fallen {
            let Some((name, counts)) = report.projections.get_mut(projection) else { continue };
            counts.dead_letters += usize::from(matches!(outcome, Outcome::DeadLettered(_)));
            let Some((reason, message, fate)) = outcome.trouble() else { continue };
            report.troubles.push(Trouble {
                record,
                sequence: event.metadata.sequence.to_string(),
                sub: event.metadata.sub,
                lane: event.metadata.lane.text().to_string(),
                projection: Some(name.clone()),
                rule,
                reason,
                message: format!("applied before, it cannot be behind this late event: {message}"),
                fate,
            });
        }
        report
    }
}

fn count(counts: &mut Counts, outcome: &Outcome) {
    counts.matched += 1;
    let of_its_kind = match outcome {
        Outcome::Applied => &mut counts.applied,
        Outcome::Repeated => &mut counts.repeated,
        Outcome::Stale => &mut counts.stale,
        Outcome::Waiting => &mut counts.waiting,
        Outcome::DeadLettered(_) | Outcome::Skipped(_) | Outcome::Rejected(_) => &mut counts.rejected,
        Outcome::Failed(_) => &mut counts.failed,
    };
    *of_its_kind += 1;
    counts.dead_letters += usize::from(matches!(outcome, Outcome::DeadLettered(_)));
}

impl Outcome {
    fn is_trouble(&self) -> bool {
        !matches!(self, Outcome::Applied | Outcome::Repeated | Outcome::Stale | Outcome::Waiting)
    }

    /// Why the event was not applied, and what becomes of it; nothing where all is well with it.
    fn trouble(self) -> Option<(Option<crate::report::Reason>, String, Fate)> {
        match self {
            Outcome::Applied | Outcome::Repeated | Outcome::Stale | Outcome::Waiting => None,
            Outcome::DeadLettered(problem) => Some((Some(problem.reason), problem.message, Fate::DeadLetter)),
            Outcome::Skipped(problem) => Some((Some(problem.reason), problem.message, Fate::Skipped)),
            Outcome::Rejected(problem) => Some((Some(problem.reason), problem.message, Fate::ComesAgain)),
            Outcome::Failed(message) => Some((None, message, Fate::ComesAgain)),
        }
    }
}
