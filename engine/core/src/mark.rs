//! Marks: text that sorts like the order of events.
//!
//! A sequence number has up to 129 digits and its width changes, so neither a DynamoDB number nor the raw digits would do:
//! a mark has the count of digits in front of them, and the stream's identity in front of that.

use crate::backfill::LABEL;
use crate::evaluate::{Scope, evaluate};
use crate::event::Event;
use crate::program::{OrderBy, StreamIdentity, Term};
use crate::report::{Problem, Reason};
use viewfold_value::{Number, Value};

/// The position of an event in the order that its guard goes by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Mark {
    /// The text as it is stored.
    pub text: String,
    /// The length of the stream's identity in front of the text, without a DynamoDB stream's label; 0 where a value of
    /// the payload orders the events.
    identity: usize,
    /// The length of the identity with the label.
    numbering: usize,
}

/// How a mark that is stored stands to the mark of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// The event is above the mark: it has not been applied.
    Above,
    /// The event is at the mark or below: it has been applied.
    AtOrBelow,
    /// The two do not compare: another stream, or an earlier numbering of it.
    Other,
}

impl Mark {
    /// The mark of an event of `stream`.
    ///
    /// # Errors
    ///
    /// As [`Mark::of_value`].
    pub fn of(event: &Event, stream: &StreamIdentity, order_by: &OrderBy) -> Result<Mark, Problem> {
        match order_by {
            OrderBy::Sequence => Ok(Mark::of_sequence(event, stream)),
            OrderBy::Payload(term) => Mark::of_value(event, term),
        }
    }

    /// The mark of a value of the payload: text as it stands, a whole number of any length as its digits.
    ///
    /// # Errors
    ///
    /// When it is missing, or neither a text nor a whole number from 0.
    pub fn of_value(event: &Event, term: &Term) -> Result<Mark, Problem> {
        let text = match identifying(event, term, "`order_by`")? {
            Identifying::Text(text) => text,
            Identifying::Digits(digits) => numbered(&digits),
            Identifying::Number(number) => {
                let message = format!("the value of `order_by` is {number}; a number has to be whole and not negative");
                return Err(Problem::new(Reason::WrongType, message));
            }
        };
        Ok(Mark { text, identity: 0, numbering: 0 })
    }

    fn of_sequence(event: &Event, stream: &StreamIdentity) -> Mark {
        let metadata = &event.metadata;
        let label = match stream {
            StreamIdentity::Dynamodb(_) => Some(metadata.label.as_deref().unwrap_or("-")),
            StreamIdentity::Kinesis(_) | StreamIdentity::Sqs(_) => None,
        };
        // The label, the count of digits, the digits, and the sub-sequence.
        let room = label.map_or(0, |label| label.len() + 1) + 4 + metadata.sequence.len() + 11;
        let mut text = identity_before(stream, room);
        let identity = text.len();
        if let Some(label) = label {
            text.push_str(label);
            text.push('/');
        }
        let numbering = text.len();
        push_numbered(&mut text, &metadata.sequence);
        if let StreamIdentity::Kinesis(_) = stream {
            // The sub-sequence of a record inside of an aggregate.
            text.push('/');
            push_digits(&mut text, metadata.sub, 10);
        }
        Mark { text, identity, numbering }
    }

    /// A mark of a value of the payload, as it was stored.
    pub fn stored(text: &str) -> Mark {
        Mark { text: text.to_owned(), identity: 0, numbering: 0 }
    }

    /// The stream's identity in front of the mark; nothing where a value of the payload orders the events.
    pub fn identity(&self) -> Option<&str> {
        (self.identity > 0).then(|| &self.text[..self.identity])
    }

    /// Whether another event's mark, of the same numbering, is this one or below.
    pub fn has_passed(&self, other: &str) -> bool {
        other.starts_with(&self.text[..self.numbering]) && other <= self.text.as_str()
    }

    /// Whether it is of an item that was found in the table, and lies before everything in the table's stream.
    fn is_of_backfill(&self) -> bool {
        self.text[self.identity..self.numbering].strip_suffix('/') == Some(LABEL)
    }

    /// How this mark stands to one that is stored.
    pub fn standing(&self, stored: &str) -> Standing {
        let numbering = &self.text[..self.numbering];
        if stored.starts_with(numbering) {
            if self.text.as_str() > stored { Standing::Above } else { Standing::AtOrBelow }
        } else if stored.starts_with(&self.text[..self.identity]) && stored < numbering {
            // The stream was switched off and on since: a new numbering, above the old one.
            Standing::Above
        } else if self.is_of_backfill() && stored.starts_with(&self.text[..self.identity]) {
            // The stream has told of the item before the scan came to it.
            Standing::AtOrBelow
        } else {
            Standing::Other
        }
    }
}

/// How the marks of a stream's events begin, where its sequence numbers order them. (No guard of a queue goes by its numbers: the
/// compiler refuses those that would.)
pub fn identity(stream: &StreamIdentity) -> String {
    identity_before(stream, 0)
}

/// The same, with room for so many bytes behind it.
fn identity_before(stream: &StreamIdentity, room: usize) -> String {
    let (service, name) = match stream {
        StreamIdentity::Kinesis(name) => ("kinesis/", name),
        StreamIdentity::Dynamodb(table) => ("dynamodb/", table),
        StreamIdentity::Sqs(queue) => ("sqs/", queue),
    };
    let mut text = String::with_capacity(service.len() + name.len() + 1 + room);
    text.push_str(service);
    text.push_str(name);
    text.push('/');
    text
}

/// What orders an event, or tells it from others.
pub(crate) enum Identifying {
    /// A text that is not empty.
    Text(String),
    /// A whole number from 0, of any length.
    Digits(String),
    /// Any other number.
    Number(Number),
}

/// The value of a guard's path; `what` is its key, for messages.
///
/// # Errors
///
/// When it is missing, empty, or neither a text nor a number.
pub(crate) fn identifying(event: &Event, term: &Term, what: &str) -> Result<Identifying, Problem> {
    if let Term::Event { subject, .. } = term
        && let Some(digits) = event.long_number(*subject)
    {
        return Ok(Identifying::Digits(digits.to_owned()));
    }
    match evaluate(term, &Scope { event: Some(event), ..Scope::default() })? {
        Some(Value::String(text)) if text.is_empty() => {
            Err(Problem::new(Reason::BadKey, format!("the value of {what} is an empty text")))
        }
        Some(Value::String(text)) => Ok(Identifying::Text(text)),
        Some(Value::Number(number)) => Ok(match number.whole_digits() {
            Some(digits) => Identifying::Digits(digits),
            None => Identifying::Number(number),
        }),
        Some(other) => {
            let message = format!("the value of {what} is a {}; it has to be a text or a number", other.kind());
            Err(Problem::new(Reason::WrongType, message))
        }
        None => Err(Problem::new(Reason::MissingValue, format!("the value of {what} is missing"))),
    }
}

/// `NNN/DIGITS`: sorts like the number.
fn numbered(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + 4);
    push_numbered(&mut text, digits);
    text
}

fn push_numbered(text: &mut String, digits: &str) {
    let digits = digits.trim_start_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    // A number has far less than 1000 digits.
    push_digits(text, u32::try_from(digits.len()).unwrap_or(u32::MAX), 3);
    text.push('/');
    text.push_str(digits);
}

/// A number with zeros in front of it, so that it has at least so many digits.
fn push_digits(text: &mut String, number: u32, width: u32) {
    let Some(last) = number.checked_ilog10() else {
        // Nearly always: a record is no aggregate.
        return text.extend(std::iter::repeat_n('0', width.max(1) as usize));
    };
    for place in (0..width.max(last + 1)).rev() {
        let digit = 10u32.checked_pow(place).map_or(0, |power| number / power % 10);
        text.push(char::from(b'0' + u8::try_from(digit).unwrap_or(0)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_order_of_marks_is_the_order_of_numbers(a in "[0-9]{1,129}", b in "[0-9]{1,129}") {
            let number = |text: &str| {
                let digits = text.trim_start_matches('0').to_owned();
                (digits.len(), digits)
            };
            prop_assert_eq!(numbered(&a).cmp(&numbered(&b)), number(&a).cmp(&number(&b)));
        }
    }

    #[test]
    fn digits_have_zeros_in_front() {
        let shown = |number, width| {
            let mut text = String::new();
            push_digits(&mut text, number, width);
            text
        };
        for number in [0, 1, 9, 10, 99, 100, 1234, u32::MAX] {
            assert_eq!((shown(number, 3), shown(number, 10)), (format!("{number:03}"), format!("{number:010}")));
        }
    }

    fn mark(label: &str, digits: &str) -> Mark {
        let identity = "dynamodb/votes/".to_owned();
        let numbering = format!("{identity}{label}/");
        Mark { identity: identity.len(), numbering: numbering.len(), text: numbering + &numbered(digits) }
    }

    #[test]
    fn another_numbering_is_no_repeat() {
        let stored = mark("2026-02", "500").text;
        assert_eq!(mark("2026-02", "499").standing(&stored), Standing::AtOrBelow);
        assert_eq!(mark("2026-02", "500").standing(&stored), Standing::AtOrBelow);
        assert_eq!(mark("2026-02", "1000").standing(&stored), Standing::Above);
        assert_eq!(mark("2026-03", "1").standing(&stored), Standing::Above);
        assert_eq!(mark("2026-01", "999").standing(&stored), Standing::Other);
        assert_eq!(mark("2026-02", "1").standing("dynamodb/other/2026-02/003/500"), Standing::Other);
    }

    #[test]
    fn an_item_of_the_table_lies_before_everything_in_its_stream() {
        let found = mark(LABEL, "0");
        for label in ["-", "2026-02"] {
            let of_stream = mark(label, "1");
            assert_eq!(found.standing(&of_stream.text), Standing::AtOrBelow);
            assert_eq!(of_stream.standing(&found.text), Standing::Above);
        }
        assert_eq!(found.standing(&found.text), Standing::AtOrBelow);
        assert_eq!(mark(LABEL, "17").standing(&found.text), Standing::Above);
        assert_eq!(found.standing("dynamodb/other/2026-02/003/500"), Standing::Other);
    }
}
