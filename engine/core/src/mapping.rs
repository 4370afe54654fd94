//! What an event source mapping of a stream may be set to, so that the guards of its projections hold.
//!
//! A mapping is Lambda's: it takes batches off a stream and gives them to the function. Two of its settings can break what a
//! guard promises, and no guard would notice: how many batches of a shard are under way at once, and whether a batch that
//! keeps failing is given up.

use crate::program::{Guard, Program, Projection, StreamIdentity};

/// The highest parallelization factor that Lambda takes.
pub const MAX_FACTOR: u32 = 10;

/// The view type of a table's stream that brings everything.
const BOTH_IMAGES: &str = "NEW_AND_OLD_IMAGES";

/// The highest legal parallelization factor of a stream, and what limits it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Factor<'p> {
    /// The highest one.
    pub highest: u32,
    /// The first projection whose guard needs it to be that low; none where Lambda itself is the limit.
    pub limited_by: Option<&'p str>,
}

/// The highest parallelization factor with which the guards of a stream's projections hold.
///
/// Above 1, Lambda keeps the order of each lane and no other. `last_event_id: shard` remembers the newest event of a *shard*: a
/// batch that is overtaken by another one of its shard would look like a repetition. All other guards go by lane or by event.
///
/// (Aggregates of the Kinesis Producer Library need factor 1 too, except under `events_table`: whether a stream has any cannot be
/// told from projections.)
pub fn highest_factor(program: &Program, stream: usize) -> Factor<'_> {
    let by_shard = |guard: &Guard| matches!(guard, Guard::Document { by_shard: true, .. });
    let limited_by =
        guards(program, stream).find(|(_, guard)| by_shard(guard)).map(|(projection, _)| &*projection.name);
    Factor { highest: if limited_by.is_some() { 1 } else { MAX_FACTOR }, limited_by }
}

/// The first projection of a stream that forbids its mapping to give up a batch (finite retries, a maximum age); none where
/// all have an `events_table`, and of a queue, whose mapping gives nothing up: the queue itself does.
///
/// A batch that was given up lies behind the marks that later events leave: fed to the function once more it would look
/// repeated, and under `none` nothing would tell whether it had been applied. An `events_table` knows each event by itself.
pub fn needs_endless_retries(program: &Program, stream: usize) -> Option<&str> {
    if program.streams[stream].identity.is_queue() {
        return None;
    }
    let forgets = |guard: &Guard| !matches!(guard, Guard::EventsTable { .. });
    guards(program, stream).find(|(_, guard)| forgets(guard)).map(|(projection, _)| &*projection.name)
}

/// The guards of a stream's projections, each with its projection.
fn guards(program: &Program, stream: usize) -> impl Iterator<Item = (&Projection, &Guard)> {
    program.streams[stream].readers.iter().map(|(projection, source)| {
        let projection = &program.projections[*projection];
        (projection, &projection.sources[*source].guard)
    })
}

/// The image that projections read from the changes of a table's items and that a stream of this view type does not bring:
/// `new` or `old`.
pub fn missing_image(program: &Program, stream: usize, view: &str) -> Option<&'static str> {
    let stream = &program.streams[stream];
    if !matches!(stream.identity, StreamIdentity::Dynamodb(_)) || view == BOTH_IMAGES {
        return None;
    }
    let images = [("new", "NEW_IMAGE"), ("old", "OLD_IMAGE")];
    images.into_iter().find(|(name, alone)| stream.paths.reads(name) && *alone != view).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::{File, Options, compile};
    use std::sync::Arc;
    use viewfold_spec::Source;

    fn program(projections: &[(&str, &str, &str)]) -> Program {
        let files = projections.iter().map(|(name, source, guard)| {
            let text = format!(
                "projection: {name}\nsource: {source}\ndocument: {{ table: view_{name}, partition_key: id }}\nguard: {guard}\n\
                 rules: [{{ key: {{ id: $.keys.id }}, add: {{ count: 1 }} }}]\n"
            );
            let source = Arc::new(Source { name: format!("{name}.yaml"), text });
            File { projection: viewfold_spec::parse(&source).unwrap(), source, schemas: Default::default() }
        });
        compile(&files.collect::<Vec<_>>(), &Options::default()).unwrap().program
    }

    const KINESIS: &str = "{ kinesis: { stream: s, lane: $.keys.id } }";
    const TABLE: &str = "{ dynamodb: { table: items, keys: [id] } }";

    #[test]
    fn the_mark_of_a_shard_needs_one_batch_at_a_time() {
        let one = program(&[("a", KINESIS, "last_event_id"), ("b", KINESIS, "{ last_event_id: shard }")]);
        assert_eq!(highest_factor(&one, 0), Factor { highest: 1, limited_by: Some("b") });
        for guard in ["none", "last_event_id", "{ last_event_id: lane }", "{ events_table: ids }"] {
            let any = program(&[("a", KINESIS, guard)]);
            assert_eq!(highest_factor(&any, 0), Factor { highest: MAX_FACTOR, limited_by: None }, "{guard}");
        }
    }

    #[test]
    fn a_batch_may_be_given_up_where_each_event_is_known_by_itself() {
        let ids = program(&[("a", KINESIS, "{ events_table: ids }")]);
        assert_eq!(needs_endless_retries(&ids, 0), None);
        let mixed = program(&[("a", KINESIS, "{ events_table: ids }"), ("b", KINESIS, "last_event_id")]);
        assert_eq!(needs_endless_retries(&mixed, 0), Some("b"));
    }

    #[test]
    fn images_that_are_read_have_to_be_there() {
        let keys = program(&[("a", TABLE, "{ last_event_id: lane }")]);
        assert_eq!(missing_image(&keys, 0, "KEYS_ONLY"), None);
        let text = String::from(
            "projection: p\nsource: { dynamodb: { table: items, keys: [id] } }\n\
             document: { table: view, partition_key: id }\nguard: { last_event_id: lane }\n\
             rules: [{ key: { id: $.new.group }, add: { count: $.old.count } }]\n",
        );
        let source = Arc::new(Source { name: "p.yaml".into(), text });
        let file = File { projection: viewfold_spec::parse(&source).unwrap(), source, schemas: Default::default() };
        let both = compile(&[file], &Options::default()).unwrap().program;
        assert_eq!(missing_image(&both, 0, "NEW_AND_OLD_IMAGES"), None);
        assert_eq!(missing_image(&both, 0, "NEW_IMAGE"), Some("old"));
        assert_eq!(missing_image(&both, 0, "OLD_IMAGE"), Some("new"));
        assert_eq!(missing_image(&both, 0, "KEYS_ONLY"), Some("new"));
    }
}
