//! What became of a batch: counts, problems, and what goes back to the stream.

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

    /// What is wrong, without anything of the event: for logs.
    pub const fn in_words(self) -> &'static str {
        match self {
            Reason::Undecodable => "the payload is not what its stream carries",
            Reason::WrongLane => "the record's lane is not what the projection says",
            Reason::MissingValue => "a value is missing",
            Reason::WrongType => "a value has a type that its place does not take",
            Reason::BadKey => "a value of the document's key is empty, too long or of another type",
            Reason::BadNumber => "a number is beyond what DynamoDB holds exactly",
            Reason::OtherStream => {
                "the event is of another stream, or of an earlier life of it, than its document's mark"
            }
            Reason::Conflict => "two rules write the same attribute of one document",
            Reason::Schema => "the payload does not satisfy its JSON Schema",
            Reason::Expression => "an expression has no value",
            Reason::OlderThanGuard => "the event is older than its guard remembers",
            Reason::TooLate => "the event is late, and its document has too many events to be folded anew",
            Reason::TooManyDocuments => "the event changes more documents than one transaction holds",
            Reason::TooLarge => "a value, or the whole change, is larger than DynamoDB takes",
            Reason::RefusedByStore => "DynamoDB refuses the change for good",
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
    /// The store could not take it now. The sentence has nothing of an event or a document in it, unlike that of a
    /// [`Problem`]: it goes into logs.
    Failed(String),
}

impl Outcome {
    /// The outcome of an event whose documents had these two: the worse one counts.
    pub(crate) fn and(self, other: Outcome) -> Outcome {
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
    /// Events of the projection's sources.
    pub events: usize,
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
    /// Events that were put into the table of dead letters, those of earlier batches included that fell out of their
    /// document.
    pub dead_letters: usize,
    /// Writes that were not carried out since an item had changed after it was read: somebody else writes to it, too.
    pub conflicts: usize,
    /// When the events reached their stream.
    pub times: Times,
}

/// When events reached their stream, in milliseconds since 1970. Events that do not say are left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Times {
    /// How many events say it.
    pub events: u64,
    /// All their times together.
    pub sum: i128,
    /// The earliest.
    pub earliest: Option<i64>,
}

impl Times {
    /// One more event.
    pub(crate) fn add(&mut self, time: i64) {
        *self += Times { events: 1, sum: time.into(), earliest: Some(time) };
    }
}

impl std::ops::AddAssign for Times {
    fn add_assign(&mut self, more: Times) {
        self.events += more.events;
        self.sum += more.sum;
        self.earliest = self.earliest.into_iter().chain(more.earliest).min();
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, more: Counts) {
        self.events += more.events;
        self.matched += more.matched;
        self.applied += more.applied;
        self.repeated += more.repeated;
        self.stale += more.stale;
        self.waiting += more.waiting;
        self.rejected += more.rejected;
        self.failed += more.failed;
        self.dead_letters += more.dead_letters;
        self.conflicts += more.conflicts;
        self.times += more.times;
    }
}

/// An event that was not applied, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trouble {
    /// The record's number in the batch, from 0.
    pub record: usize,
    /// The record's sequence number; of a standard queue the message's id.
    pub sequence: String,
    /// The event's place in its record: the sub-sequence inside of an aggregate, else 0.
    pub sub: u32,
    /// The event's lane; empty where it could not be told.
    pub lane: String,
    /// The projection.
    pub projection: Option<String>,
    /// The rule, where one is to blame.
    pub rule: Option<String>,
    /// The reason's code; none where the store could not take it now.
    pub reason: Option<Reason>,
    /// One sentence. With a reason, it may quote the event.
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
