//! What guards promise: how much of a case's outcome has to be that of its plain run, whatever the schedule.
//!
//! A schedule is run where some projection of the case is promised something under it, and nothing else is compared. What
//! is not promised is left out here, each with the reason why.

use super::kind::Kind;
use super::scene::Letter;
use std::collections::{BTreeSet, HashSet};
use viewfold_core::expression::Binary;
use viewfold_core::program::{Guard, OnError, Program, Projection, Source, StreamIdentity, Term};
use viewfold_core::report::Reason;
use viewfold_value::{Number, Value};

/// How much of a projection's outcome has to be that of the plain run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Extent {
    Nothing,
    /// The documents, but for zeroes: where an item passed by on its way, its sums are 0 or not there.
    Sums,
    /// The documents and the dead letters.
    Everything,
}

/// Why nothing is promised.
type Why = &'static str;

const ARRIVAL_COUNTS: Why = "a rule says `any_order: true`: what comes again arrives later";

/// What the answer depends on.
pub(super) struct Promises<'a> {
    pub(super) program: &'a Program,
    /// The projections of which a rule says `any_order: true`.
    pub(super) any_order: &'a HashSet<String>,
    /// The streams that the case's events come from.
    pub(super) streams: BTreeSet<usize>,
    /// The projections for whose marks some events come behind newer ones.
    pub(super) backwards: HashSet<usize>,
    /// The tables in which items are given.
    pub(super) given: HashSet<&'a str>,
    /// The dead letters of the plain run.
    pub(super) letters: &'a BTreeSet<Letter>,
}

impl Promises<'_> {
    /// How much of what a projection makes is promised under schedules of a kind.
    pub(super) fn extent(&self, projection: usize, kind: Kind) -> Extent {
        self.at_depth(projection, kind, 0).unwrap_or(Extent::Nothing)
    }

    /// Whether anything is promised under schedules of a kind to a projection that the case has events for; where nothing
    /// is, why.
    pub(super) fn of_anything(&self, kind: Kind) -> Result<(), BTreeSet<&'static str>> {
        let projections = (0..self.program.projections.len()).filter(|number| self.has_events(*number));
        let promised: Vec<_> = projections.map(|number| self.at_depth(number, kind, 0)).collect();
        if promised.iter().any(Result::is_ok) {
            return Ok(());
        }
        Err(promised.into_iter().filter_map(Result::err).collect())
    }

    /// The projections to which nothing is promised under schedules of a kind, though something is to others, and why.
    pub(super) fn left_out(&self, kind: Kind) -> impl Iterator<Item = (&str, &'static str)> {
        let projections = (0..self.program.projections.len()).filter(|number| self.has_events(*number));
        projections.filter_map(move |number| {
            let why = self.at_depth(number, kind, 0).err()?;
            Some((self.program.projections[number].name.as_str(), why))
        })
    }

    fn has_events(&self, projection: usize) -> bool {
        let mut sources = self.program.projections[projection].sources.iter();
        sources.any(|source| self.streams.contains(&source.stream)) || self.reads_views(projection)
    }

    /// How much is promised; where it is nothing, why.
    fn at_depth(&self, number: usize, kind: Kind, depth: usize) -> Result<Extent, Why> {
        let projection = &self.program.projections[number];
        // What such views come to depends on every step.
        if depth > self.program.projections.len() {
            return Err("the views feed each other in a circle");
        }
        let any_order = self.any_order.contains(&projection.name);
        let mut extent = Extent::Everything;
        for (at, source) in projection.sources.iter().enumerate() {
            let writers = self.writers(source.stream);
            let guarded = !kind.repeats() || !matches!(source.guard, Guard::None);
            let counts_again = "the guard is `none`: what comes again counts again";
            if self.streams.contains(&source.stream) {
                if !guarded {
                    return Err(counts_again);
                }
                self.of_events(number, source, kind, any_order)?;
            }
            if writers.is_empty() {
                continue;
            }
            for writer in writers {
                if self.at_depth(writer, kind, depth + 1)? != Extent::Everything {
                    return Err("the view reads a view that sees each step of its own documents");
                }
            }
            // The changes of a view come in the order that its documents were written in, which is nobody's.
            if !guarded {
                return Err(counts_again);
            }
            if any_order {
                return Err(ARRIVAL_COUNTS);
            }
            if kind.takes_other_steps() && !sums_alone(projection, at) {
                return Err("the view sees each step in which the documents under it are written");
            }
            if kind.takes_other_steps() {
                extent = Extent::Sums;
            }
        }
        Ok(extent)
    }

    /// Whether the outcome of the case's own events is promised; where it is not, why.
    fn of_events(&self, number: usize, source: &Source, kind: Kind, any_order: bool) -> Result<(), Why> {
        let promised_unless = |not: bool, why: Why| if not { Err(why) } else { Ok(()) };
        let projection = &self.program.projections[number];
        // A mark keeps the order of a stream, which has one. An event behind a newer one is dropped, unless the newer one
        // came in another batch and left no mark: it changed nothing, or had no document that it could be applied to.
        let marks = matches!(source.guard, Guard::Document { .. } | Guard::Lane { .. });
        if marks && kind.takes_other_steps() {
            promised_unless(self.backwards.contains(&number), "a new event comes behind a newer one of its lane")?;
        }
        match kind {
            Kind::Calls | Kind::Repeats | Kind::Batches => Ok(()),
            // With `any_order` the order of arrival counts, and what comes again arrives later than it did. (Where any order
            // will do by itself, a document's events still go one after the other until one of them fails.)
            Kind::Faults => promised_unless(any_order, ARRIVAL_COUNTS),
            Kind::Orders => {
                let order_by = match &source.guard {
                    Guard::EventsTable { order_by, .. } => order_by.as_ref(),
                    Guard::None if !source.has_lanes => None,
                    _ => return Err("the guard is no `events_table`: events come in the order of their lanes"),
                };
                promised_unless(any_order, ARRIVAL_COUNTS)?;
                // An event that waits until it can be applied makes those behind it wait: their order counts.
                let held = projection.on_error == OnError::Fail;
                promised_unless(held, "under `on_error: fail` an event that waits holds up others")?;
                match order_by {
                    // What was there before has no place in the order of the events: a late one folds without it.
                    Some(_) => promised_unless(
                        self.given.contains(&*projection.table.name),
                        "the documents that are `given` have no place in the order",
                    ),
                    // Which of the events no longer fits a document (two sums of which one is too large) is a matter of
                    // order, and so is what became of the others then.
                    None => promised_unless(
                        self.documents_reject(projection),
                        "a document made an event impossible: which one, is a matter of order",
                    ),
                }
            }
        }
    }

    /// Whether an event of the plain run could not be applied for what was in its document, as far as reasons tell.
    fn documents_reject(&self, projection: &Projection) -> bool {
        let by_events = [
            Reason::Undecodable,
            Reason::Schema,
            Reason::WrongLane,
            Reason::BadKey,
            Reason::OlderThanGuard,
            Reason::TooManyDocuments,
        ];
        let looks = projection.always_reads() || projection.rules.iter().any(|rule| rule.reads_document());
        let or = if looks { &[][..] } else { &[Reason::MissingValue, Reason::Expression][..] };
        let by_event = |code: &str| by_events.iter().chain(or).any(|reason| reason.code() == code);
        self.letters.iter().any(|(_, name, reason)| *name == projection.name && !by_event(reason))
    }

    /// The projections that write the table whose stream it is.
    fn writers(&self, stream: usize) -> Vec<usize> {
        let StreamIdentity::Dynamodb(table) = &self.program.streams[stream].identity else { return Vec::new() };
        let projections = self.program.projections.iter().enumerate();
        projections.filter(|(_, writer)| *writer.table.name == **table).map(|(number, _)| number).collect()
    }

    /// Whether a projection reads the documents of another one. Its dead letters are of changes on the way, too.
    pub(super) fn reads_views(&self, projection: usize) -> bool {
        self.program.projections[projection].sources.iter().any(|source| !self.writers(source.stream).is_empty())
    }
}

/// Whether all that the changes of a view do is sum up what its documents are in the end: a rule that counts changes, or
/// looks at one, depends on the steps in which the documents were written, as do values derived from a sum on the way.
fn sums_alone(projection: &Projection, source: usize) -> bool {
    let mut rules = projection.rules.iter().filter(|rule| rule.source == source);
    rules.all(|rule| rule.retract)
        && projection.derive.is_empty()
        && projection.delete_when.as_ref().is_none_or(back_at_zero)
}

/// Whether a condition is `doc.a == 0`, joined by `&&`.
fn back_at_zero(condition: &Term) -> bool {
    match condition {
        Term::Binary(Binary::And, a, b) => back_at_zero(a) && back_at_zero(b),
        Term::Binary(Binary::Equal, a, b) => {
            let zero = Term::Constant(Value::Number(Number::ZERO));
            let sum = |term: &Term| matches!(term, Term::Document { .. });
            (sum(a) && **b == zero) || (sum(b) && **a == zero)
        }
        _ => false,
    }
}
