//! The runs of a case under schedules: what they leave behind has to be what the plain run left.

use super::deliver::{Delivered, deliver, text};
use super::difference;
use super::kind::Kind;
use super::promise::{Extent, Promises};
use super::scene::{Letter, Outcome, Run, Verdict};
use super::schedule::{Records, Schedule};
use crate::events::Invocation;
use crate::output::Failure;
use crate::progress::Progress;
use std::collections::{BTreeSet, HashMap, HashSet};
use viewfold_core::decode::envelope::{self, Body, Record};
use viewfold_core::program::{Program, Table};
use viewfold_core::report::{Fate, Reason};
use viewfold_value::{Item, Number, Value};

/// Runs a case under schedules, at most so many, until one of them comes to something else than the plain run.
pub(super) async fn run(
    run: &Run<'_>,
    plain: &Outcome,
    invocations: &[Invocation],
    any_order: &HashSet<String>,
    most: usize,
) -> Result<Verdict, Failure> {
    let program = run.program();
    let (mut streams, mut texts, mut batches) = (Vec::new(), Vec::new(), Vec::new());
    let mut lanes = Lanes::default();
    for invocation in invocations {
        let first = texts.len();
        let records = envelope::records(invocation.payload.get().as_bytes());
        for record in records.map_err(|error| Failure::new(error.0))? {
            let Some(stream) = program.stream(&record.origin.stream) else { continue };
            lanes.follow(stream, &record);
            streams.push(stream);
            texts.push(text(&record)?);
        }
        batches.push((first..texts.len()).collect());
    }
    let mut promises = Promises {
        program,
        any_order,
        streams: streams.iter().copied().collect(),
        backwards: lanes.backwards(program, &[]),
        given: run.case.given.iter().flatten().map(|(name, _)| name.value.as_str()).collect(),
        letters: &plain.letters,
    };
    let chain = (0..program.projections.len()).any(|projection| promises.reads_views(projection));
    let records = Records { streams, plain: batches, chain };
    let mut again = Again { run, plain, promises: &promises, records: &texts, most, verdict: Verdict::default() };

    // The first ones tell what the others are made of.
    let by_call = again.under(&records.one_call_at_a_time()).await?;
    let Some(by_call) = by_call else { return Ok(again.verdict) };
    let verdict = again.verdict;
    promises.backwards = lanes.backwards(program, &by_call);
    let mut again = Again { run, plain, promises: &promises, records: &texts, most, verdict };
    let calls: Vec<usize> = by_call.iter().map(|delivered| delivered.report.requests).collect();
    let by_event = if records.are_single() { Some(by_call) } else { again.under(&records.one_by_one()).await? };
    let Some(by_event) = by_event else { return Ok(again.verdict) };
    let mut schedules = records.repeats();
    schedules.extend(records.other_batches());
    schedules.extend(records.in_halves(&calls));
    schedules.extend(records.orders(&repeated(&by_event, &promises)));
    let mut promised = vec![Kind::Calls];
    for kind in Kind::PROMISED {
        match promises.of_anything(kind) {
            Ok(()) => {
                promised.push(kind);
                let not_compared = promises.left_out(kind).map(|(name, why)| (kind, name.to_owned(), why));
                again.verdict.schedules.not_compared.extend(not_compared);
            }
            Err(why) => again.verdict.schedules.left_out.push((kind, why)),
        }
    }
    schedules.retain(|schedule| promised.contains(&schedule.kind));
    if promised.contains(&Kind::Faults) {
        let left = most.saturating_sub(again.verdict.schedules.total() + schedules.len());
        schedules.extend(records.faults(&calls, left));
    }
    let progress = Progress::new(schedules.len(), "schedules");
    for schedule in &schedules {
        if again.under(schedule).await?.is_none() {
            break;
        }
        progress.advance(1);
    }
    Ok(again.verdict)
}

/// How the events of a case come, lane by lane.
#[derive(Default)]
struct Lanes {
    /// The highest sequence number of each lane of a stream: its length without zeroes in front, and its digits.
    highest: HashMap<(usize, Vec<u8>), (usize, String)>,
    /// What was there: lanes with sequence numbers, and payloads.
    seen: HashSet<(usize, Vec<u8>, String)>,
    /// How many events of each stream repeat others.
    repeats: HashMap<usize, usize>,
    /// The streams in which an event that is new comes behind a newer one of its lane.
    backwards: HashSet<usize>,
}

impl Lanes {
    fn follow(&mut self, stream: usize, record: &Record<'_>) {
        let (lane, payload) = match &record.body {
            Body::Kinesis(body) => (body.partition_key.as_bytes().to_vec(), body.data.to_string()),
            Body::Sqs(body) => {
                let lane = body.in_group.as_ref().map_or(&record.event_id, |(group, _)| group);
                (lane.as_bytes().to_vec(), body.text.to_string())
            }
            Body::Dynamodb(body) => {
                let images = [&body.new, &body.old].map(|image| image.as_ref().map(|image| image.text));
                (body.keys.unwrap_or_default().as_bytes().to_vec(), format!("{images:?}"))
            }
        };
        let digits = record.sequence().trim_start_matches('0').to_owned();
        let again = !self.seen.insert((stream, lane.clone(), digits.clone()));
        let equal = !self.seen.insert((stream, Vec::new(), payload));
        *self.repeats.entry(stream).or_default() += usize::from(again || equal);
        let place = (digits.len(), digits);
        let highest = self.highest.entry((stream, lane)).or_default();
        if *highest > place && !again {
            self.backwards.insert(stream);
        }
        *highest = std::mem::take(highest).max(place);
    }

    /// The projections for which some events come behind newer ones: by their streams, or where their marks are made of
    /// something else, by what was dropped of a run although it repeats nothing.
    fn backwards(&self, program: &Program, delivered: &[Delivered]) -> HashSet<usize> {
        let projections = program.projections.iter().enumerate();
        let late = projections.filter(|(number, projection)| {
            let mut sources = projection.sources.iter();
            let counts = delivered.iter().filter_map(|delivered| delivered.report.projections.get(*number));
            let dropped: usize = counts.map(|(_, counts)| counts.repeated + counts.stale).sum();
            let repeats = projection.sources.iter().filter_map(|source| self.repeats.get(&source.stream)).sum();
            sources.any(|source| self.backwards.contains(&source.stream)) || dropped > repeats
        });
        late.map(|(number, _)| number).collect()
    }
}

/// The records that repeat others, one record a batch, where their guards know events by their ids.
fn repeated(delivered: &[Delivered], promises: &Promises<'_>) -> HashSet<usize> {
    let repeats = delivered.iter().filter(|delivered| {
        let counts = delivered.report.projections.iter().enumerate();
        let mut by_id = counts.filter(|(number, _)| promises.extent(*number, Kind::Orders) > Extent::Nothing);
        by_id.any(|(_, (_, counts))| counts.repeated + counts.stale > 0)
    });
    repeats.map(|delivered| delivered.batch).collect()
}

/// A case that is run again and again.
struct Again<'a> {
    run: &'a Run<'a>,
    plain: &'a Outcome,
    promises: &'a Promises<'a>,
    records: &'a [String],
    most: usize,
    verdict: Verdict,
}

impl Again<'_> {
    /// Runs the case under a schedule; nothing where it came to something else than the plain run, or there have been
    /// enough schedules.
    async fn under(&mut self, schedule: &Schedule) -> Result<Option<Vec<Delivered>>, Failure> {
        if self.verdict.schedules.total() == self.most {
            return Ok(None);
        }
        *self.verdict.schedules.ran.entry(schedule.sort()).or_default() += 1;
        let connection = self.run.prepare().await?;
        let delivered = deliver(self.run.program(), &connection, schedule, self.records).await?;
        let mut differences = self.not_applied(schedule.kind, &delivered);
        differences.extend(self.compare(schedule.kind, self.run.outcome(&connection).await?));
        if differences.is_empty() {
            return Ok(Some(delivered));
        }
        self.verdict.differences.push(format!("not as in the plain run when {}:", schedule.words));
        self.verdict.differences.extend(differences);
        Ok(None)
    }

    /// The events that are still to come, although nothing went wrong any more.
    fn not_applied(&self, kind: Kind, delivered: &[Delivered]) -> Vec<String> {
        let mut differences = Vec::new();
        for Delivered { batch, report } in delivered {
            for trouble in &report.troubles {
                let by = trouble.projection.as_deref();
                if trouble.fate == Fate::ComesAgain && by.is_none_or(|by| self.extent_of(by, kind) > Extent::Nothing) {
                    let by = by.unwrap_or("every projection");
                    let place = format!("batch {}, record {}", batch + 1, trouble.record);
                    differences.push(format!("{place}: not applied by {by}: {}", trouble.message));
                }
            }
        }
        differences
    }

    fn extent_of(&self, name: &str, kind: Kind) -> Extent {
        let projections = &self.promises.program.projections;
        let number = projections.iter().position(|projection| projection.name == name);
        number.map_or(Extent::Everything, |number| self.promises.extent(number, kind))
    }

    /// How an outcome differs from that of the plain run, as far as it is promised.
    fn compare(&self, kind: Kind, found: Outcome) -> Vec<String> {
        let mut differences = Vec::new();
        let judged = |by: &str| match kind.takes_other_steps() && self.other_sums(by, &found.letters) {
            true => Extent::Nothing,
            false => self.extent_of(by, kind),
        };
        let tables = self.run.views.iter().zip(&self.plain.documents).zip(&found.documents);
        for ((table, expected), found) in tables {
            let projections = self.promises.program.projections.iter();
            let writers = projections.filter(|projection| projection.table.name == table.name);
            let extent = writers.map(|projection| judged(&projection.name)).min();
            differences.extend(match extent {
                Some(Extent::Everything) => difference::of_table(table, expected, found, true, &[]),
                Some(Extent::Sums) => {
                    let (expected, found) = (without_zeroes(table, expected), without_zeroes(table, found));
                    difference::of_table(table, &expected, &found, true, &[])
                }
                Some(Extent::Nothing) | None => Vec::new(),
            });
        }
        let promised = |(_, by, _): &&Letter| judged(by) == Extent::Everything;
        for letter in self.plain.letters.difference(&found.letters).filter(promised) {
            differences.push(format!("there is no dead letter of {}", shown(letter)));
        }
        for letter in found.letters.difference(&self.plain.letters).filter(promised) {
            differences.push(format!("a dead letter was not expected: {}", shown(letter)));
        }
        differences
    }

    /// Whether other events than in the plain run were too much for a document, or for one that is read as a view. What a
    /// batch adds up to is all that the store sees of it: a sum that is too large only in the middle of a batch is in
    /// nobody's way, and at its end it is.
    fn other_sums(&self, by: &str, found: &BTreeSet<Letter>) -> bool {
        let codes = [Reason::BadNumber.code(), Reason::RefusedByStore.code()];
        let mut other = self.plain.letters.symmetric_difference(found);
        let projections = &self.promises.program.projections;
        let number = projections.iter().position(|projection| projection.name == by);
        let reads_views = number.is_some_and(|number| self.promises.reads_views(number));
        other.any(|(_, projection, reason)| (reads_views || projection == by) && codes.contains(&reason.as_str()))
    }
}

fn shown((event, projection, reason): &Letter) -> String {
    let event = event.map_or_else(String::new, |event| format!("event {event}, "));
    format!("{event}projection {projection}, reason {reason}")
}

/// Documents without the attributes that are 0, and without the documents that have no others.
fn without_zeroes(table: &Table, documents: &[Item]) -> Vec<Item> {
    let documents = documents.iter().map(|item| {
        let mut item = item.clone();
        item.retain(|name, value| table.keys().any(|key| key.name == *name) || is_more_than_zero(value));
        item
    });
    documents.filter(|item| item.len() > table.keys().count()).collect()
}

/// Whether something is left of a value without zeroes.
fn is_more_than_zero(value: &mut Value) -> bool {
    match value {
        Value::Number(number) => *number != Number::ZERO,
        Value::Map(map) => {
            map.retain(|_, value| is_more_than_zero(value));
            !map.is_empty()
        }
        _ => true,
    }
}
