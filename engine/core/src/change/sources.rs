//! `source`, `sources`: where events come from, and what is checked of each.

use super::meaning::{Meaning, schema};
use super::{At, Pair, Side};
use crate::program::{Guard, LaneCheck, Payload, Source, StreamIdentity};
use viewfold_spec::{Literal, Span, Spanned, projection as spec};

impl<'a> Side<'a> {
    pub(super) fn identity(self, source: &Source) -> &'a StreamIdentity {
        &self.program.streams[source.stream].identity
    }

    fn payload(self, source: &Source) -> Payload {
        self.program.streams[source.stream].payload
    }

    /// A source as the file has it.
    pub(super) fn source(self, number: usize) -> Option<&'a Spanned<spec::Source>> {
        let spec = self.spec();
        match &spec.sources {
            Some(sources) => sources.value.0.get(number).map(|(_, source)| source),
            None => spec.source.as_ref(),
        }
    }

    pub(super) fn source_span(self, number: usize) -> Span {
        self.source(number).map_or(self.spec().projection.span, |source| source.span)
    }

    fn schema(self, number: usize) -> Option<&'a Spanned<Literal>> {
        let source = &self.source(number)?.value;
        let kinesis = source.kinesis.as_ref().and_then(|kinesis| kinesis.schema.as_ref());
        let dynamodb = source.dynamodb.as_ref().and_then(|dynamodb| dynamodb.schema.as_ref());
        let sqs = source.sqs.as_ref().and_then(|sqs| sqs.schema.as_ref());
        kinesis.or(dynamodb).or(sqs)
    }

    /// A source in words.
    fn named(self, number: usize) -> String {
        let source = &self.projection.sources[number];
        let identity = self.identity(source);
        match &source.name {
            Some(name) => format!("source `{name}` ({identity})"),
            None => format!("the {identity}"),
        }
    }
}

impl Pair<'_> {
    /// Which source of the old version is which of the new one: the same stream, or else the same name.
    pub(super) fn source_pairs(&self) -> Vec<(Option<usize>, Option<usize>)> {
        let (old, new) = (self.old, self.new);
        let mut left: Vec<usize> = (0..old.projection.sources.len()).collect();
        let mut pairs: Vec<(Option<usize>, Option<usize>)> = Vec::new();
        for (number, source) in new.projection.sources.iter().enumerate() {
            let same = |other: &usize| old.identity(&old.projection.sources[*other]) == new.identity(source);
            pairs.push((left.iter().position(same).map(|at| left.remove(at)), Some(number)));
        }
        for (before, now) in &mut pairs {
            let Some(source) = now.map(|number| &new.projection.sources[number]) else { continue };
            if before.is_none() {
                let same = |other: &usize| old.projection.sources[*other].name == source.name;
                *before = left.iter().position(same).map(|at| left.remove(at));
            }
        }
        pairs.extend(left.into_iter().map(|number| (Some(number), None)));
        pairs
    }

    /// The number in the new version of a source of the old one.
    pub(super) fn source_now(&self, old: usize) -> Option<usize> {
        self.source_pairs().into_iter().find(|(before, _)| *before == Some(old)).and_then(|(_, now)| now)
    }

    pub(super) fn sources(&mut self) {
        for pair in self.source_pairs() {
            match pair {
                (Some(before), Some(now)) => self.source(before, now),
                (None, Some(now)) => {
                    let what = format!("{} is new", self.new.named(now));
                    let at = At::New(self.new.source_span(now));
                    self.deploy(at, what, "its events count from those on that the stream still has");
                }
                (Some(before), None) => {
                    let what = format!("{} is gone", self.old.named(before));
                    let at = At::Old(self.old.source_span(before));
                    let why = "what its events did stays in the documents; those that come from now on are not read";
                    self.deploy(at, what, why);
                }
                (None, None) => {}
            }
        }
    }

    fn source(&mut self, before: usize, now: usize) {
        let (old, new) = (self.old, self.new);
        let (was, is) = (&old.projection.sources[before], &new.projection.sources[now]);
        let at = At::New(new.source_span(now));
        let (from, to) = (old.identity(was), new.identity(is));
        if from != to {
            let what = format!("its events come from the {to}, and came from the {from}");
            let why = "marks and ids are kept under the stream they came from: an event that both streams have counts twice, one \
                       that only the old one still has is lost, and documents may refuse the new one's events (`other_stream`)";
            self.refuse(at, what, why);
            return;
        }
        if old.payload(was) != new.payload(is) {
            let what = format!("the `format` of the {to} is another one");
            let why = "`$` and `$$.id` are something else from now on: what is still in the stream cannot be read as it was written, \
                       and what was applied before is not known again";
            self.refuse(at, what, why);
            return;
        }
        self.lane(before, now);
        let (was, is) = (schema(old.file, old.schema(before)), schema(new.file, new.schema(now)));
        if was != is {
            let (at, words, why) = match (new.schema(now), old.schema(before)) {
                (Some(schema), was) => (
                    At::New(schema.span),
                    if was.is_some() { "another one" } else { "new" },
                    "events that do not satisfy it are errors from now on; those that were applied stay applied",
                ),
                (None, was) => (
                    At::Old(was.map_or(old.source_span(before), |schema| schema.span)),
                    "gone",
                    "from now on no payload is checked; what was refused stays refused until it is redriven",
                ),
            };
            let what = format!("the `schema` of the {to} is {words}");
            match new.projection.sources[now].retracts {
                true => self.matching(true, at, what, why),
                false => self.deploy(at, what, why),
            }
        }
    }

    /// What is said of the stream's lanes.
    fn lane(&mut self, before: usize, now: usize) {
        let (old, new) = (self.old, self.new);
        let (was, is) = (&old.projection.sources[before], &new.projection.sources[now]);
        let of = |side: Side<'_>, number: usize, source: &Source| match &source.lane {
            None => None,
            Some(LaneCheck::PartitionKey(term)) => Some(Meaning::of_source(side, number).term(term)),
            Some(LaneCheck::Keys(keys)) => {
                let mut keys: Vec<String> = keys.iter().map(|key| format!("{} {:?}", key.name, key.kind)).collect();
                keys.sort();
                Some(keys.join(", "))
            }
        };
        let (from, to) = (of(old, before, was), of(new, now, is));
        let key = match (&was.lane, &is.lane) {
            (_, Some(LaneCheck::Keys(_))) | (Some(LaneCheck::Keys(_)), None) => "keys",
            _ => "lane",
        };
        let at = At::New(new.source_span(now));
        let stream = new.identity(is);
        match (from, to) {
            (from, to) if from == to => {}
            (None, _) => {
                let why = "records that disagree are dead letters (`wrong_lane`) from now on; marks stay as they are";
                self.deploy(at, format!("the {stream} has `{key}` now"), why);
            }
            (_, None) => {
                let why = "records are not held against it from now on; marks stay as they are";
                self.deploy(at, format!("the {stream} has no `{key}` any more"), why);
            }
            _ if matches!(is.guard, Guard::Document { .. } | Guard::Lane { .. }) => {
                let why = "a lane is what marks go by: of an event in another lane than those before it nobody knows whether it is \
                           newer, so events would be lost or counted twice";
                self.refuse(at, format!("`{key}` of the {stream} is another one"), why);
            }
            _ => {
                let why =
                    "the guard does not go by lanes: records that disagree are dead letters (`wrong_lane`) from now on";
                self.deploy(at, format!("`{key}` of the {stream} is another one"), why);
            }
        }
    }
}
