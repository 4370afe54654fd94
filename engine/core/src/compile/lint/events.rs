//! Tables of events that remember too little: ids that several events share, and times that are too short.

use super::super::{Compiler, facts};
use crate::program::{Guard, LaneCheck, MetadataName, Program, Projection, Source, Step, Subject, Term};
use viewfold_spec::projection as spec;
use viewfold_spec::{Code, Literal};

/// The shortest time for which a stream keeps its records: that of DynamoDB, and that of Kinesis unless it is told to keep
/// them longer.
const KEPT_BY_STREAMS: i64 = 86_400;

/// How long a queue of SQS keeps its messages unless it is told otherwise.
const KEPT_BY_QUEUES: i64 = 4 * 86_400;

impl Compiler<'_> {
    /// Checks the guards that keep events in a table.
    pub(super) fn check_events_tables(&mut self, spec: &spec::Projection, projection: &Projection, program: &Program) {
        for (number, source) in projection.sources.iter().enumerate() {
            let Guard::EventsTable { id, keep_seconds, .. } = &source.guard else { continue };
            let own = spec.sources.as_ref().and_then(|sources| sources.0.get(number)).map(|(_, source)| source);
            let own = own.or(spec.source.as_ref()).and_then(|source| source.guard.as_ref());
            let spec::Guard::EventsTable(written) = &own.unwrap_or(&spec.guard).value else { continue };
            let (kept, keeps, help) = match program.streams[source.stream].identity.is_queue() {
                true => (
                    KEPT_BY_QUEUES,
                    "queues keep messages for 4 days unless they are told otherwise, and for 14 at most",
                    "longer than the queue and then its dead-letter queue keep a message: `30d` covers the 14 days that each keeps \
                     one at most",
                ),
                false => (
                    KEPT_BY_STREAMS,
                    "streams keep records for 24 hours or more",
                    "longer than the stream keeps its records: `2d`, or more where it keeps them longer",
                ),
            };
            if let Some(length) = written.keep_for.as_ref().filter(|_| keep_seconds.is_some_and(|s| s < kept)) {
                let message = format!(
                    "{keeps}, so an event may come when its `keep_for` of `{}` is over, and nobody knows whether it came before",
                    length.value
                );
                self.warning(Code::UnsoundGuard, length.span, message).help = Some(help.into());
            }
            let Some(place) = &written.id else { continue };
            if is_of_lane(id, source.lane.as_ref()) && !has_one_event_per_lane(source, number, projection, program) {
                let shown = match &place.value {
                    Literal::Text(text) => text.as_str(),
                    _ => "id",
                };
                let message = format!(
                    "every event of a lane has this `id`, `{shown}`, so only the first event of each would count"
                );
                let one = match &source.lane {
                    Some(LaneCheck::Keys(_)) => "if an item never changes, match `$$.change: insert` in `when`",
                    _ => "if a lane has but one event, leave `lane` out of the source",
                };
                self.warning(Code::UnsoundGuard, place.span, message).help = Some(format!(
                    "take what tells the events of a lane apart: a value of their own, or `$$.id`; {one}"
                ));
            }
        }
    }
}

/// Whether a value is the same for all events of a lane.
fn is_of_lane(id: &Term, lane: Option<&LaneCheck>) -> bool {
    match (id.resolved(), lane) {
        (Term::Constant(_), _) => true,
        (Term::Event { subject: Subject::Metadata(MetadataName::Lane), .. }, _) => true,
        (Term::Event { subject, .. }, Some(LaneCheck::PartitionKey(Term::Event { subject: lane, .. }))) => {
            subject == lane
        }
        (Term::Event { path, .. }, Some(LaneCheck::Keys(keys))) => crate::path::parse(path).is_ok_and(|path| {
            matches!(path.as_slice(), [Step::Name(of), Step::Name(name)]
                if of == "keys" && keys.iter().any(|key| key.name == *name))
        }),
        (Term::Text(_) | Term::Call(..), _) => id.resolved().parts().into_iter().all(|part| is_of_lane(part, lane)),
        _ => false,
    }
}

/// Whether the rules look at no changes of items but their insertion, or their removal: an item has one of each.
fn has_one_event_per_lane(source: &Source, number: usize, projection: &Projection, program: &Program) -> bool {
    let stream = &program.streams[source.stream];
    let rules = projection.rules.iter().filter(|rule| rule.source == number);
    let seen = rules.fold([false; 3], |seen, rule| {
        let own = rule.when.iter().map(|condition| facts::changes(condition, stream)).fold([true; 3], facts::both);
        [seen[0] || own[0], seen[1] || own[1], seen[2] || own[2]]
    });
    seen.into_iter().filter(|seen| *seen).count() <= 1 && !seen[1]
}
