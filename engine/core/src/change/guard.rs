//! `guard`: what is remembered of events, and whether it counts for the new version.

use super::meaning::Meaning;
use super::{At, Pair, Side};
use crate::program::{Guard, OrderBy, StreamIdentity};
use viewfold_spec::Span;

/// The shortest time for which streams keep their records, in seconds.
const DAY: i64 = 86_400;

impl<'a> Side<'a> {
    /// Where the guard of a source stands.
    fn guard_span(self, source: usize) -> Span {
        let own = self.source(source).and_then(|source| source.guard.as_ref());
        own.unwrap_or(&self.spec().guard).span
    }
}

impl Pair<'_> {
    pub(super) fn guards(&mut self) {
        for (before, now) in self.source_pairs() {
            let (Some(before), Some(now)) = (before, now) else { continue };
            let (was, is) = (&self.old.projection.sources[before], &self.new.projection.sources[now]);
            // Of another stream nothing is remembered, and that has been said.
            if self.old.identity(was) == self.new.identity(is) {
                self.guard(before, now);
            }
        }
    }

    fn guard(&mut self, before: usize, now: usize) {
        let (old, new) = (self.old, self.new);
        let at = At::New(new.guard_span(now));
        let (were, are) = (Meaning::of_source(old, before), Meaning::of_source(new, now));
        let order = |meaning: Meaning<'_>, order: &OrderBy| match order {
            OrderBy::Sequence => None,
            OrderBy::Payload(term) => Some(meaning.term(term)),
        };
        let (was, is) = (&old.projection.sources[before].guard, &new.projection.sources[now].guard);
        match (was, is) {
            (Guard::None, Guard::None) => {}
            (
                Guard::Document { attribute: a, by_shard: x, order_by: o },
                Guard::Document { attribute: b, by_shard: y, order_by: p },
            ) if x == y => {
                if a != b {
                    let why = format!(
                        "the marks are in `{a}`: in `{b}` there are none, so events that come again count again"
                    );
                    self.refuse(at, format!("the mark is in `{b}`, and was in `{a}`"), why);
                }
                self.order_by(at, order(were, o) != order(are, p));
            }
            (Guard::Lane { table: a, order_by: o }, Guard::Lane { table: b, order_by: p }) => {
                if a != b {
                    let why = format!(
                        "the marks are in `{a}`: in `{b}` there are none, so events that come again count again"
                    );
                    self.refuse(at, format!("the marks are in the table `{b}`, and were in `{a}`"), why);
                }
                self.order_by(at, order(were, o) != order(are, p));
            }
            (
                Guard::EventsTable { table: a, id: i, order_by: o, keep_seconds: k },
                Guard::EventsTable { table: b, id: j, order_by: p, keep_seconds: l },
            ) if o.is_some() == p.is_some() => {
                if a != b {
                    let why = format!(
                        "events are remembered in `{a}`: in `{b}` there are none, so those that come again count again"
                    );
                    self.refuse(at, format!("the events table is `{b}`, and was `{a}`"), why);
                }
                if were.term(i) != are.term(j) {
                    let why =
                        "events are remembered by their old ids: one that comes again has a new one, and counts again";
                    self.refuse(at, "the `id` of events is another one", why);
                }
                self.order_by(at, were.optional(o.as_ref()) != are.optional(p.as_ref()));
                self.keep_for(at, *k, *l, now);
            }
            (Guard::None, Guard::EventsTable { order_by: Some(_), .. })
            | (Guard::EventsTable { .. }, Guard::EventsTable { .. }) => {
                let why = "with `order_by` a document is folded anew from the rows of its events, and those that came before have none: \
                           they would be lost with the first late event";
                let what = match is {
                    Guard::EventsTable { order_by: Some(_), .. } => "the guard has an `order_by` now",
                    _ => "the guard has no `order_by` any more",
                };
                match is {
                    Guard::EventsTable { order_by: Some(_), .. } => self.refuse(at, what, why),
                    _ => {
                        self.refuse(at, what, "the rows of events have other keys: those that come again are not known")
                    }
                }
            }
            (Guard::None, _) => {
                let what = format!("the guard is {} now, and there was none", kind(is));
                let why = "events are remembered from now on; one that was applied just before and comes again counts once more, as it \
                           did without a guard";
                self.deploy(at, what, why);
            }
            (_, Guard::None) => {
                let why = "nothing is remembered any more: every event that comes again counts again, and after a guard comes back \
                           it knows nothing of those between";
                self.refuse(at, format!("there is no guard any more, and it was {}", kind(was)), why);
            }
            _ => {
                let what = format!("the guard is {}, and was {}", kind(is), kind(was));
                let why =
                    "what the old guard remembers says nothing to the new one: events that come again count again";
                self.refuse(at, what, why);
            }
        }
    }

    fn order_by(&mut self, at: At, is_another: bool) {
        if is_another {
            let why = "marks of the old order do not compare with those of the new one: events would be lost, or counted twice";
            self.refuse(at, "`order_by` is another one", why);
        }
    }

    fn keep_for(&mut self, at: At, was: Option<i64>, is: Option<i64>, source: usize) {
        let (long, forever) = (|seconds: Option<i64>| seconds.map_or("for ever".to_owned(), length), i64::MAX);
        let (before, now) = (was.unwrap_or(forever), is.unwrap_or(forever));
        if before == now {
            return;
        }
        let what = format!("events are remembered {}, and were {}", long(is), long(was));
        let is_queue = matches!(self.new.identity(&self.new.projection.sources[source]), StreamIdentity::Sqs(_));
        let least = if is_queue { 4 * DAY } else { DAY };
        if now < before && now < least {
            let why = format!(
                "the stream keeps its records for {} at least: those that come after `keep_for` are refused (`older_than_guard`), \
                 and lost where `on_error` drops them",
                length(least).trim_start_matches("for ")
            );
            self.refuse(at, what, why);
        } else if now < before {
            let why = "an event that comes after that time is a dead letter (`older_than_guard`) from now on; keep it above what the \
                       stream keeps its records for";
            self.deploy(at, what, why);
        } else {
            let why = format!(
                "events from now on are remembered {}; those before were written down {}: until they are all gone, do not \
                 start the stream from further back than that",
                long(is),
                long(was)
            );
            self.deploy(at, what, why);
        }
    }
}

/// A guard in the language's words.
fn kind(guard: &Guard) -> &'static str {
    match guard {
        Guard::None => "`none`",
        Guard::Document { by_shard: false, .. } => "`{last_event_id: document}`",
        Guard::Document { by_shard: true, .. } => "`{last_event_id: shard}`",
        Guard::Lane { .. } => "`{last_event_id: lane}`",
        Guard::EventsTable { .. } => "`{events_table: …}`",
    }
}

/// A length of time as `keep_for` has it.
fn length(seconds: i64) -> String {
    match seconds {
        seconds if seconds % DAY == 0 => format!("for {}d", seconds / DAY),
        seconds => format!("for {}h", seconds / 3600),
    }
}
