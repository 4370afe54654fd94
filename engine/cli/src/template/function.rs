//! What is deployed for a stream: which projections its function carries out, where its events come from, and what its event source
//! mapping may be set to.

use super::Wishes;
use super::names::Names;
use super::tables::Tables;
use viewfold_core::mapping;
use viewfold_core::program::{Payload, Program, Projection, Source, StreamIdentity};

/// The function of a stream.
pub(super) struct Function<'p> {
    /// The stream's number in the program.
    pub(super) number: usize,
    pub(super) identity: &'p StreamIdentity,
    /// What the ids of everything that belongs to it begin with: `VotesChanges`.
    pub(super) id: String,
    /// The stream for people: `the changes of table votes`.
    pub(super) told: String,
    /// The names of its projections, sorted.
    pub(super) projections: Vec<&'p str>,
    /// Those of them whose events can become dead letters.
    pub(super) lettered: Vec<&'p str>,
    pub(super) origin: Origin,
    pub(super) parallelization: Parallelization,
    /// Whether batches may be given up: events that were left out do no harm when they are brought again.
    pub(super) may_give_up: bool,
}

/// Where the stream's ARN comes from.
pub(super) enum Origin {
    /// A parameter of the template.
    Parameter,
    /// A stream or queue that is made here.
    Made,
    /// The stream of a table that is made here, by the table's id.
    View(String),
}

/// How many batches of a shard may be worked on at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Parallelization {
    pub(super) chosen: i64,
    /// The most that every guard on the stream stands.
    pub(super) most: i64,
}

impl Function<'_> {
    pub(super) fn id(&self, suffix: &str) -> String {
        format!("{}{suffix}", self.id)
    }

    /// The ARN's parameter.
    pub(super) fn arn_parameter(&self) -> String {
        self.id(if self.is_queue() { "Arn" } else { "StreamArn" })
    }

    pub(super) fn is_kinesis(&self) -> bool {
        matches!(self.identity, StreamIdentity::Kinesis(_))
    }

    pub(super) fn is_queue(&self) -> bool {
        matches!(self.identity, StreamIdentity::Sqs(_))
    }

    pub(super) fn is_fifo(&self) -> bool {
        self.is_queue() && self.identity.name().ends_with(".fifo")
    }
}

/// The functions of a deployment, by their streams' names; and notes on what was asked for.
///
/// # Errors
///
/// What was asked for and cannot be.
pub(super) fn all<'p>(
    program: &'p Program,
    wishes: &Wishes,
    tables: &Tables<'_>,
    names: &mut Names,
    notes: &mut Vec<String>,
) -> Result<Vec<Function<'p>>, String> {
    let mut streams: Vec<(usize, &StreamIdentity)> =
        program.streams.iter().map(|stream| &stream.identity).enumerate().collect();
    streams.sort_by_key(|(_, identity)| *identity);
    for (stream, _) in &wishes.parallelization {
        if let Some(name) = stream {
            wishes.check_stream(program, name, "--parallelization")?;
        }
    }
    let mut functions = Vec::new();
    for (number, identity) in streams {
        let readers = readers(program, number);
        let mut projections: Vec<&str> = readers.iter().map(|(projection, _)| projection.name.as_str()).collect();
        projections.sort_unstable();
        projections.dedup();
        let keeps = |name: &&str| {
            let keeps = |projection: &Projection| {
                projection.name == *name && projection.on_error == viewfold_core::program::OnError::DeadLetter
            };
            program.dead_letters.is_some() && program.projections.iter().any(keeps)
        };
        let lettered = projections.iter().copied().filter(keeps).collect();
        let name = identity.name();
        let (id, told) = match identity {
            StreamIdentity::Kinesis(_) => (names.id(name, ""), format!("Kinesis stream {name}")),
            StreamIdentity::Dynamodb(_) => (names.id(name, "Changes"), format!("the changes of table {name}")),
            StreamIdentity::Sqs(_) => (names.id(name, "Queue"), format!("SQS queue {name}")),
        };
        let origin = match identity {
            StreamIdentity::Dynamodb(table) => match tables.id(table) {
                Some(id) => Origin::View(id.to_owned()),
                None => Origin::Parameter,
            },
            StreamIdentity::Kinesis(_) | StreamIdentity::Sqs(_) if wishes.create_streams => Origin::Made,
            StreamIdentity::Kinesis(_) | StreamIdentity::Sqs(_) => Origin::Parameter,
        };
        let may_give_up = mapping::needs_endless_retries(program, number).is_none();
        let parallelization = parallelization(program, number, wishes)?;
        let is_json = program.streams[number].payload == Payload::Json;
        if parallelization.chosen > 1 && matches!(identity, StreamIdentity::Kinesis(_)) && is_json && !may_give_up {
            notes.push(format!(
                "{told}: with a parallelization factor above 1 no producer may aggregate records (Kinesis Producer Library): \
                 Lambda keeps the order of their outer keys only"
            ));
        }
        functions.push(Function {
            number,
            identity,
            id,
            told,
            projections,
            lettered,
            origin,
            parallelization,
            may_give_up,
        });
    }
    Ok(functions)
}

/// The projections that read a stream, each with the source that does.
pub(super) fn readers(program: &Program, stream: usize) -> Vec<(&Projection, &Source)> {
    let readers = program.streams[stream].readers.iter();
    let reader = |(projection, source): &(usize, usize)| {
        let projection = &program.projections[*projection];
        (projection, &projection.sources[*source])
    };
    readers.map(reader).collect()
}

/// The parallelization factor that was asked for.
///
/// Above 1 Lambda works on several batches of a shard at once, and keeps the order of each partition key, or item, only. A mark
/// for a whole shard would take the events of one batch for repeats of the other's.
fn parallelization(program: &Program, number: usize, wishes: &Wishes) -> Result<Parallelization, String> {
    let identity = &program.streams[number].identity;
    let wish = wishes.parallelization_of(identity.name());
    if let (StreamIdentity::Sqs(_), Some((name, _))) = (identity, wish) {
        let is_meant = |name: &str| {
            let others = program.streams.iter().filter(|stream| !stream.identity.is_queue());
            !others.into_iter().any(|stream| stream.identity.name() == name)
        };
        // Of a queue and a stream of one name, the stream is meant.
        return match name.filter(|name| is_meant(name)) {
            None => Ok(Parallelization { chosen: 1, most: 1 }),
            Some(name) => Err(format!(
                "--parallelization {name}: an SQS queue has no parallelization factor; how many batches are worked on at once is the \
                 template's parameter for its maximum concurrency"
            )),
        };
    }
    let highest = mapping::highest_factor(program, number);
    let most = i64::from(highest.highest);
    let chosen = wish.map_or(1, |(_, chosen)| chosen);
    if let (Some(projection), true) = (highest.limited_by, chosen > most) {
        return Err(format!(
            "--parallelization {}={chosen}: projection `{projection}` has `guard: {{ last_event_id: shard }}`, which needs a \
             parallelization factor of {most}: above it Lambda works on several batches of one shard at once, and the shard's mark \
             would take events of one for repeats of another's. Take {most}, or a guard that stands more: \
             `{{ last_event_id: lane }}`, `events_table`",
            identity.name(),
        ));
    }
    Ok(Parallelization { chosen, most })
}
