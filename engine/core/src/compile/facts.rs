//! What the patterns of `when` say together about an event: what has to be there, what cannot be, and where they
//! contradict each other.

use crate::path::Step;
use crate::pattern::{Test, disjoint};
use crate::program::{Condition, MetadataName, Payload, Stream, Subject};
use viewfold_value::{Item, Value};

/// What a change of an item can be.
pub(super) const CHANGES: [&str; 3] = ["insert", "modify", "remove"];

/// Why two patterns never hold for one event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Contradiction {
    /// They look at one place, and no single value passes both.
    Values,
    /// The first one needs something at a place where the second one leaves nothing.
    FirstMissing,
    /// The second one needs something at a place where the first one leaves nothing.
    SecondMissing,
    /// One needs a map and the other a list.
    Shapes,
}

/// The steps of the place that a pattern looks at; nothing for metadata.
fn place<'p>(condition: &Condition, stream: &'p Stream) -> Option<&'p [Step]> {
    match condition.subject {
        Subject::Slot(slot) => Some(stream.paths.steps(slot)),
        Subject::Metadata(_) => None,
    }
}

/// The steps of the place where a pattern needs something; nothing where a missing value does as well.
pub(super) fn needed<'p>(condition: &Condition, stream: &'p Stream) -> Option<&'p [Step]> {
    if condition.test.holds(None) { None } else { place(condition, stream) }
}

/// Whether a test holds for what is missing and for nothing else.
pub(super) fn is_missing(test: &Test) -> bool {
    match test {
        Test::Exists(exists) => !exists,
        Test::AnyOf(tests) => !tests.is_empty() && tests.iter().all(is_missing),
        _ => false,
    }
}

/// Whether a pattern holds for such events only as have nothing at these steps.
pub(super) fn leaves_nothing(condition: &Condition, steps: &[Step], stream: &Stream) -> bool {
    let Some(rest) = place(condition, stream).and_then(|place| steps.strip_prefix(place)) else { return false };
    // What a query finds says little about what it looks into.
    if condition.query.is_some() {
        return false;
    }
    match rest.first() {
        // A list may pass any test, by its elements.
        None | Some(Step::Index(_)) => is_missing(&condition.test),
        // No pattern looks into a map, so all maps pass or none does.
        Some(Step::Name(_)) => !condition.test.holds(Some(&Value::Map(Item::new()))),
    }
}

/// Why two patterns contradict each other; nothing where they do not, or where it cannot be told.
pub(super) fn contradict(first: &Condition, second: &Condition, stream: &Stream) -> Option<Contradiction> {
    if first.subject == second.subject && first.query == second.query {
        let apart = match &first.query {
            None => disjoint(&first.test, &second.test),
            // What is found is a list.
            Some(_) => {
                (is_missing(&first.test) && !second.test.holds(None))
                    || (is_missing(&second.test) && !first.test.holds(None))
            }
        };
        return apart.then_some(Contradiction::Values);
    }
    let (one, other) = (needed(first, stream), needed(second, stream));
    if one.is_some_and(|steps| leaves_nothing(second, steps, stream)) {
        return Some(Contradiction::FirstMissing);
    }
    if other.is_some_and(|steps| leaves_nothing(first, steps, stream)) {
        return Some(Contradiction::SecondMissing);
    }
    let differ = one?.iter().zip(other?).find(|(one, other)| one != other);
    matches!(differ, Some((Step::Name(_), Step::Index(_)) | (Step::Index(_), Step::Name(_))))
        .then_some(Contradiction::Shapes)
}

/// Which of [`CHANGES`] a pattern holds for.
pub(super) fn changes(condition: &Condition, stream: &Stream) -> [bool; 3] {
    if condition.subject == Subject::Metadata(MetadataName::Change) {
        return CHANGES.map(|change| condition.test.holds(Some(&Value::from(change))));
    }
    if stream.payload != Payload::Change {
        return [true; 3];
    }
    match needed(condition, stream).and_then(|steps| steps.first()) {
        Some(Step::Name(image)) => having_image(image),
        _ => [true; 3],
    }
}

/// Which of [`CHANGES`] have an image of this name.
pub(super) fn having_image(image: &str) -> [bool; 3] {
    CHANGES.map(|change| !matches!((change, image), ("insert", "old") | ("remove", "new")))
}

/// What both leave.
pub(super) fn both(a: [bool; 3], b: [bool; 3]) -> [bool; 3] {
    [a[0] && b[0], a[1] && b[1], a[2] && b[2]]
}

/// Whether no event can match the patterns of both rules.
pub(super) fn exclude(a: &[Condition], b: &[Condition], stream: &Stream) -> bool {
    let all = a.iter().chain(b).map(|condition| changes(condition, stream)).fold([true; 3], both);
    all == [false; 3] || a.iter().any(|first| b.iter().any(|second| contradict(first, second, stream).is_some()))
}
