//! What became of a batch: counts, problems, and what goes back to the stream.

use std::collections::BTreeMap;
use std::fmt;

/// Why an event could not be applied although the store was willing: it is the same every time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Reason {
    /// The record's payload is not what its stream carries: no JSON, no DynamoDB JSON.
    Undecodable,
    /// The record's lane is not what the file says.
    WrongLane,
    /// A path found nothing.
    MissingValue,
    /// A value of a type that its place does not take.
    WrongType,
    /// An empty text, or too long a one, where a key needs one.
    BadKey,
    /// A number that DynamoDB cannot hold exactly.
    BadNumber,
    /// An event of another stream, or of an earlier life of the stream, than the document's mark.
    OtherStream,
    /// Two rules that write the same attribute of one document for this event.
    Conflict,
    /// The payload or an image does not satisfy its JSON Schema.
    Schema,
    /// An expression that has no value for this event: a division by zero, for one.
    Expression,
    /// An event that is older than its guard remembers.
    OlderThanGuard,
    /// A late event of a document that has too many events to be folded anew.
    TooLate,
    /// An event of more documents than one transaction holds.
    TooManyDocuments,
    /// A value, or what an event changes in all, that is more than DynamoDB takes.
    TooLarge,
    /// What the store itself found wrong with the change.
    RefusedByStore,
}

// The last one: nobody is left out of the list.
const _: () = assert!(Reason::RefusedByStore as usize + 1 == Reason::ALL.len());

impl Reason {
    /// Every reason.
    pub const ALL: [Reason; 15] = [
        Reason::Undecodable,
        Reason::WrongLane,
        Reason::MissingValue,
        Reason::WrongType,
        Reason::BadKey,
        Reason::BadNumber,
        Reason::OtherStream,
        Reason::Conflict,
        Reason::Schema,
        Reason::Expression,
        Reason::OlderThanGuard,
        Reason::TooLate,
        Reason::TooManyDocuments,
        Reason::TooLarge,
        Reason::RefusedByStore,
    ];

    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Reason::Undecodable => "undecodable",
            Reason::WrongLane => "wrong_lane",
            Reason::MissingValue => "missing_value",
            Reason::WrongType => "wrong_type",
            Reason::BadKey => "bad_key",
            Reason::BadNumber => "bad_number",
            Reason::OtherStream => "other_stream",
            Reason::Conflict => "conflict",
            Reason::Schema => "schema",
            Reason::Expression => "expression",
            Reason::OlderThanGuard => "older_than_guard",
            Reason::TooLate => "too_late",
            Reason::TooManyDocuments => "too_many_documents",
            Reason::TooLarge => "too_large",
            Reason::RefusedByStore => "refused_by_store",
        }
    }
}

/// Why an event could not be applied, for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The reason's code.
    pub reason: Reason,
    /// One sentence.
    pub message: String,
}

impl Problem {
    /// A problem.
    pub fn new(reason: Reason, message: impl Into<String>) -> Problem {
        Problem { reason, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.code(), self.message)
    }
}

/// What became of one event in one projection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Its changes are in the documents (or there were none to make).
    Applied,
    /// It had been applied before.
    Repeated,
    /// It waits among the dead letters to be redriven.
    Waiting,
    /// It came behind a later event of its own batch: its order is not what the guard was promised.
    Stale,
    /// It can never be applied as it is, and was put into the table of dead letters.
    DeadLettered(Problem),
    /// It can never be applied as it is, and was dropped (`on_error: skip`).
    Skipped(Problem),
    /// It can never be applied as it is, and comes again (`on_error: fail`).
    Rejected(Problem),
    /// The store could not take it now.
    Failed(String),
}

impl Outcome {
    /// The outcome of an event whose documents had these two: the worse one counts.
    fn and(self, other: Outcome) -> Outcome {
        let rank = |outcome: &Outcome| match outcome {
            Outcome::Repeated => 0,
            Outcome::Stale => 1,
            Outcome::Applied => 2,
            Outcome::Waiting => 3,
            Outcome::Skipped(_) => 4,
            Outcome::DeadLettered(_) => 5,
            Outcome::Rejected(_) => 6,
            Outcome::Failed(_) => 7,
        };
        if rank(&other) > rank(&self) { other } else { self }
    }
}

/// What came of a dead letter that was closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// The event was applied.
    Applied,
    /// As the projection is now, the event changes nothing.
    Nothing,
    /// A newer change of the item has taken its place (`retract: true`).
    Superseded,
    /// The event had been applied before.
    Repeated,
}

impl Ending {
    /// The word for it in rows and reports.
    pub const fn text(self) -> &'static str {
        match self {
            Ending::Applied => "applied",
            Ending::Nothing => "nothing",
            Ending::Superseded => "superseded",
            Ending::Repeated => "repeated",
        }
    }
}

/// How many events had which outcome in a projection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Events that a rule matched.
    pub matched: usize,
    /// Events applied now.
    pub applied: usize,
    /// Events that had been applied before.
    pub repeated: usize,
    /// Events behind a later one of their own batch.
    pub stale: usize,
    /// Events that are left among the dead letters, where they wait to be redriven.
    pub waiting: usize,
    /// Events that can never be applied as they are, whatever became of them.
    pub rejected: usize,
    /// Events that the store could not take.
    pub failed: usize,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, more: Counts) {
        self.matched += more.matched;
        self.applied += more.applied;
        self.repeated += more.repeated;
        self.stale += more.stale;
        self.waiting += more.waiting;
        self.rejected += more.rejected;
        self.failed += more.failed;
    }
}

/// An event that was not applied, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trouble {
    /// The record's number in the batch, from 0.
    pub record: usize,
    /// The record's sequence number; of a standard queue the message's id.
    pub sequence: String,
    /// The projection; none where the record could not even be decoded.
    pub projection: Option<String>,
    /// The reason's code; none where the store could not take it now.
    pub reason: Option<Reason>,
    /// One sentence.
    pub message: String,
    /// What becomes of the event.
    pub fate: Fate,
}

/// What becomes of an event that was not applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It is in the table of dead letters.
    DeadLetter,
    /// It was dropped.
    Skipped,
    /// It comes again.
    ComesAgain,
}

impl Fate {
    /// The word for it in logs and reports.
    pub const fn text(self) -> &'static str {
        match self {
            Fate::DeadLetter => "dead_letter",
            Fate::Skipped => "skipped",
            Fate::ComesAgain => "comes_again",
        }
    }
}

/// What became of a batch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Records in the batch.
    pub records: usize,
    /// Requests sent to the store; a request that was retried counts once.
    pub requests: usize,
    /// What became of the events, by projection, in the program's order.
    pub projections: Vec<(String, Counts)>,
    /// Every event that was not applied, in the order of the batch.
    pub troubles: Vec<Trouble>,
    /// The records that go back to their stream or queue, as it takes them back.
    pub returned: Vec<Returned>,
}

/// A record that goes back to where it came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Returned {
    /// The record's number in the batch, from 0.
    pub record: usize,
    /// What Lambda knows it by: a stream's sequence number, or a message's id.
    pub identifier: String,
    /// Whether it comes again alone: a stream sends all that is behind it, too.
    pub alone: bool,
}

impl Report {
    /// Whether Lambda sends a record again ([partial batch responses]).
    ///
    /// [partial batch responses]: https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
    pub fn comes_again(&self, record: usize) -> bool {
        self.returned.iter().any(|back| back.record == record || (!back.alone && back.record < record))
    }

    /// The lowest record that was not fully applied.
    pub fn first_failure(&self) -> Option<&Trouble> {
        self.troubles.iter().find(|trouble| trouble.fate == Fate::ComesAgain)
    }
}

/// Gathers outcomes while a batch is carried out.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    /// By record and projection; `None` is the record itself.
    by_event: BTreeMap<(usize, Option<usize>), Outcome>,
    /// Events of earlier batches that fell out of their document: the record that brought it about, the projection, and the
    /// event's own sequence number.
    fallen: Vec<(usize, usize, String, Outcome)>,
}

impl Outcomes {
    /// Notes what became of an event in a projection. Where it has several documents there, the worse outcome counts.
    pub(crate) fn note(&mut self, record: usize, projection: Option<usize>, outcome: Outcome) {
        let key = (record, projection);
        let outcome = match self.by_event.remove(&key) {
            Some(before) => before.and(outcome),
            None => outcome,
        };
        self.by_event.insert(key, outcome);
    }

    /// Notes that an event of an earlier batch fell out of its document, and what became of it.
    pub(crate) fn fall(&mut self, record: usize, projection: usize, sequence: String, outcome: Outcome) {
        self.fallen.push((record, projection, sequence, outcome));
    }

    /// Leaves out what became of events of earlier batches.
    pub(crate) fn without_fallen(self) -> Outcomes {
        Outcomes { fallen: Vec::new(), ..self }
    }

    /// The report, given the projections' names and the records' sequence numbers.
    pub(crate) fn report<'n>(
        self,
        projections: impl IntoIterator<Item = &'n str>,
        sequences: &[String],
        requests: usize,
    ) -> Report {
        let mut report = Report {
            records: sequences.len(),
            requests,
            projections: projections.into_iter().map(|name| (name.to_owned(), Counts::default())).collect(),
            troubles: Vec::new(),
            returned: Vec::new(),
        };
        for ((record, projection), outcome) in self.by_event {
            let mut ignored = (String::new(), Counts::default());
            let (name, counts) = match projection.and_then(|projection| report.projections.get_mut(projection)) {
                Some(entry) => (Some(entry.0.clone()), &mut entry.1),
                None => (None, &mut ignored.1),
            };
            counts.matched += 1;
            let (reason, message, fate) = match outcome {
                Outcome::Applied => {
                    counts.applied += 1;
                    continue;
                }
                Outcome::Repeated => {
                    counts.repeated += 1;
                    continue;
                }
                Outcome::Stale => {
                    counts.stale += 1;
                    continue;
                }
                Outcome::Waiting => {
                    counts.waiting += 1;
                    continue;
                }
                Outcome::DeadLettered(problem) => {
                    counts.rejected += 1;
                    (Some(problem.reason), problem.message, Fate::DeadLetter)
                }
                Outcome::Skipped(problem) => {
                    counts.rejected += 1;
                    (Some(problem.reason), problem.message, Fate::Skipped)
                }
                Outcome::Rejected(problem) => {
                    counts.rejected += 1;
                    (Some(problem.reason), problem.message, Fate::ComesAgain)
                }
                Outcome::Failed(message) => {
                    counts.failed += 1;
                    (None, message, Fate::ComesAgain)
                }
            };
            let sequence = sequences.get(record).cloned().unwrap_or_default();
            report.troubles.push(Trouble { record, sequence, projection: name, reason, message, fate });
        }
        for (record, projection, sequence, outcome) in self.fallen {
            let (problem, fate) = match outcome {
                Outcome::DeadLettered(problem) => (problem, Fate::DeadLetter),
                Outcome::Skipped(problem) => (problem, Fate::Skipped),
                _ => continue,
            };
            let projection = report.projections.get(projection).map(|(name, _)| name.clone());
            let message = format!("applied before, it cannot be behind this late event: {}", problem.message);
            let reason = Some(problem.reason);
            report.troubles.push(Trouble { record, sequence, projection, reason, message, fate });
        }
        report
    }
}
