//! Batches carried out once: what they cost, and what the store answered.

use crate::events::Invocation;
use crate::explaining::Desk;
use crate::fold::{MAX_ROUNDS, Place, in_a_circle};
use crate::output::{Failure, count, printable};
use crate::progress::Progress;
use crate::store;
use crate::streams::Streams;
use std::sync::Arc;
use viewfold_core::plan::{Answer, Batch};
use viewfold_core::program::Program;
use viewfold_core::report::{Counts, Reason, Report};
use viewfold_dynamodb::cost::Cost;

/// A batch that has been carried out.
pub(crate) struct Carried {
    place: Place,
    /// The payload, as Lambda gives it.
    pub(super) payload: String,
    /// What the store answered, in the order of the requests.
    pub(super) answers: Vec<Answer>,
    /// The records in it.
    pub(super) records: usize,
    /// What became of its events, by projection.
    pub(super) counts: Vec<Counts>,
    pub(super) cost: Cost,
    /// What was wrong with the first event that was not applied, in words.
    first_trouble: Option<String>,
    /// Whether a guard may have forgotten whether it was applied before.
    pub(crate) is_too_old: bool,
}

/// Carries batches out one after the other, each with what comes of it in the streams of views, in an embedded DynamoDB
/// that is empty at first.
pub(crate) async fn carry(
    program: &Program,
    invocations: &[Invocation],
    now: &Arc<str>,
) -> Result<Vec<Carried>, Failure> {
    let desk = Desk::new(program, store::connect_copy(None).await?, now).await?;
    let mut streams = Streams::follow(&desk.connection, program).await?;
    let mut carried = Vec::new();
    let progress = Progress::new(invocations.len(), "Lambda events carried out");
    for invocation in invocations {
        let place = Place { file: invocation.file.clone(), event: Some(invocation.number) };
        let mut waiting = vec![(place, invocation.payload.get().to_owned())];
        let mut rounds = 0;
        while !waiting.is_empty() {
            for (place, payload) in waiting {
                carried.push(carry_one(&desk, place, payload).await?);
            }
            rounds += 1;
            if rounds > MAX_ROUNDS {
                return Err(in_a_circle());
            }
            let place = Place { file: "the stream of a view".to_owned(), event: None };
            waiting = streams.next().await?.into_iter().map(|payload| (place.clone(), payload)).collect();
        }
        progress.advance(1);
    }
    Ok(carried)
}

async fn carry_one(desk: &Desk<'_>, place: Place, payload: String) -> Result<Carried, Failure> {
    let batch = Batch::new(desk.program, payload.as_bytes(), &desk.now);
    let mut batch = batch.map_err(|error| Failure::new(format!("{place}: {error}")))?;
    let mut answers = Vec::new();
    let mut cost = Cost::default();
    while let Some((number, request)) = batch.next() {
        let (sent, answer) = desk.send(batch.projection_of(number), &request).await?;
        cost += sent.cost;
        answers.push(answer.clone());
        batch.answer(number, answer);
    }
    let Report { records, projections, troubles, .. } = batch.finish("the store did not answer");
    Ok(Carried {
        answers,
        records,
        counts: projections.into_iter().map(|(_, counts)| counts).collect(),
        cost,
        is_too_old: troubles.iter().any(|trouble| trouble.reason == Some(Reason::OlderThanGuard)),
        first_trouble: troubles.into_iter().next().map(|trouble| trouble.message),
        place,
        payload,
    })
}

impl Carried {
    /// Whether it is of a file, and not of a view's stream.
    pub(super) fn is_recorded(&self) -> bool {
        self.place.event.is_some()
    }

    /// What became of its events in all projections together.
    fn sum(&self) -> Counts {
        self.counts.iter().fold(Counts::default(), |mut sum, counts| {
            sum += *counts;
            sum
        })
    }

    /// Whether any event of it was applied.
    pub(crate) fn has_applied(&self) -> bool {
        self.sum().applied > 0
    }

    /// That nothing of it was applied, and why: its figures are then those of events that are turned away.
    pub(crate) fn without_work(&self) -> Option<String> {
        let Counts { matched, applied, repeated, stale, waiting, rejected, failed, .. } = self.sum();
        if applied > 0 || !self.is_recorded() {
            return None;
        }
        let place = &self.place;
        if matched + rejected + failed == 0 {
            let events = count(self.records, "event");
            return Some(format!("{place}: no rule matches any of its {events}; what is measured is reading them"));
        }
        let fates = [
            (repeated, "repeated"),
            (stale, "stale"),
            (waiting, "waiting among the dead letters"),
            (rejected, "rejected"),
            (failed, "not taken by the store"),
        ];
        let fates: Vec<String> =
            fates.into_iter().filter(|(count, _)| *count > 0).map(|(count, fate)| format!("{count} {fate}")).collect();
        let why = self.first_trouble.as_deref().map(|message| format!(" (the first: {})", printable(message)));
        Some(format!(
            "{place}: none of its events was applied: {}{}; what is measured is turning them away",
            fates.join(", "),
            why.unwrap_or_default()
        ))
    }
}
