//! Recorded Lambda events: one, several after each other, or lists of them, over as many lines as they like; and payloads.

use super::Trouble;
use super::input::Input;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What an event has its records under.
pub(super) const RECORDS: &str = "Records";

/// Where in a file of events it is read on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Position {
    #[default]
    Outside,
    /// Behind the `[` of a list.
    InList,
    /// Behind an event of a list.
    BehindEvent,
    /// Behind a comma in a list.
    BehindComma,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, rename = "Records")]
    records: &'a RawValue,
}

/// The next event and its line, or that there is one more, where it is gone over; nothing at the end.
pub(super) fn next(input: &mut Input, position: &mut Position, skip: bool) -> Result<Option<(u64, Vec<u8>)>, Trouble> {
    loop {
        let next = match (input.next_mark()?, *position) {
            (None, Position::Outside) => return Ok(None),
            (Some(b'['), Position::Outside) => Position::InList,
            (Some(b']'), Position::InList | Position::BehindEvent) => Position::Outside,
            (Some(b','), Position::BehindEvent) => Position::BehindComma,
            (Some(b'{'), Position::Outside) => return event(input, skip).map(Some),
            (Some(b'{'), Position::InList | Position::BehindComma) => {
                *position = Position::BehindEvent;
                return event(input, skip).map(Some);
            }
            (None, _) => {
                let what = "the list of events has no end; copy the file again from where it comes from";
                return Err(input.trouble(input.line(), what));
            }
            (Some(mark), _) => {
                let mark = char::from(mark).escape_default();
                let what = format!("`{mark}` between events; a Lambda event is {{\"Records\": [...]}}");
                return Err(input.trouble(input.line(), what));
            }
        };
        *position = next;
        input.go(1);
    }
}

fn event(input: &mut Input, skip: bool) -> Result<(u64, Vec<u8>), Trouble> {
    let (line, length) = (input.line(), input.object_length()?);
    let bytes = if skip { Vec::new() } else { input.rest()[..length].to_vec() };
    input.go(length);
    if skip {
        return Ok((line, bytes));
    }
    match serde_json::from_slice::<Event<'_>>(&bytes) {
        Ok(event) if event.records.get().starts_with('[') => Ok((line, bytes)),
        Ok(_) => Err(input.trouble(line, "`Records` is no list; a Lambda event is {\"Records\": [...]}")),
        Err(error) => {
            let line = line + (error.line() as u64).saturating_sub(1);
            let what = format!("this is no Lambda event, {{\"Records\": [...]}}: {}", words(&error));
            Err(input.trouble(line, what))
        }
    }
}

/// One line as a payload: a JSON object or array.
pub(super) fn payload(line: &[u8]) -> Result<Vec<u8>, String> {
    let hint = "each line has to be a JSON object or array, as the producer sent it; mend the line or take it out";
    match serde_json::from_slice::<&RawValue>(line) {
        Ok(value) if value.get().starts_with(['{', '[']) => Ok(line.to_vec()),
        Ok(_) => Err(format!("a JSON value by itself is no payload; {hint}")),
        Err(error) => Err(format!("this line is no JSON: {}; {hint}", words(&error))),
    }
}

/// What is wrong with a JSON text, the line left to the place.
pub(super) fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(what) => format!("{what} at byte {}", error.column()),
        None => text,
    }
}
