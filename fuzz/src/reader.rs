//! JSON text: the first byte says which values are skipped. What [`Reader`] reads of it is held against jiter, another pull parser:
//! they take the same texts, with the same parts, and say the same of the others.

use jiter::{Jiter, JiterError, JiterErrorType, JsonErrorType, Peek};
use viewfold_value::{Broken, Reader, Start};

/// Reads the text behind the first byte.
pub fn run(bytes: &[u8]) {
    let Some((choices, text)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    // Eight of the same: deeper down, choices come again.
    check(text, u64::from_le_bytes([*choices; 8]));
}

/// What is read of a text, step by step.
type Steps = Vec<String>;

/// What the reader does with the value that begins with `start`: bits of `choices` say which values are skipped.
fn ours(reader: &mut Reader<'_>, start: Start, choices: u64, depth: u32, steps: &mut Steps) -> Result<(), Broken> {
    steps.push(format!("at {}", reader.at()));
    if choices >> (depth % 64) & 1 == 1 || depth > 250 {
        let from = reader.at();
        reader.skip(start)?;
        steps.push(reader.since(from).to_owned());
        return Ok(());
    }
    match start {
        Start::NULL => reader.null()?,
        Start::TRUE | Start::FALSE => steps.push(reader.bool(start)?.to_string()),
        Start::STRING => steps.push(reader.string()?.into_owned()),
        Start::ARRAY => {
            let mut next = reader.array()?;
            while let Some(start) = next {
                ours(reader, start, choices.rotate_right(1), depth + 1, steps)?;
                next = reader.next_element()?;
            }
        }
        Start::OBJECT => {
            let mut key = reader.object()?;
            while let Some(name) = key {
                steps.push(name.into_owned());
                let start = reader.peek()?;
                ours(reader, start, choices.rotate_right(1), depth + 1, steps)?;
                key = reader.next_key()?;
            }
        }
        _ => steps.push(reader.number(start)?.to_owned()),
    }
    Ok(())
}

fn theirs(reader: &mut Jiter<'_>, peek: Peek, choices: u64, depth: u32, steps: &mut Steps) -> Result<(), JiterError> {
    steps.push(format!("at {}", reader.current_index()));
    if choices >> (depth % 64) & 1 == 1 || depth > 250 {
        let from = reader.current_index();
        reader.known_skip(peek)?;
        steps.push(String::from_utf8_lossy(reader.slice_to_current(from)).into_owned());
        return Ok(());
    }
    match peek {
        Peek::Null => reader.known_null()?,
        Peek::True | Peek::False => steps.push(reader.known_bool(peek)?.to_string()),
        Peek::String => steps.push(reader.known_str()?.to_owned()),
        Peek::Array => {
            let mut next = reader.known_array()?;
            while let Some(peek) = next {
                theirs(reader, peek, choices.rotate_right(1), depth + 1, steps)?;
                next = reader.array_step()?;
            }
        }
        Peek::Object => {
            let mut key = reader.known_object()?.map(str::to_owned);
            while let Some(name) = key {
                steps.push(name);
                let peek = reader.peek()?;
                theirs(reader, peek, choices.rotate_right(1), depth + 1, steps)?;
                key = reader.next_key()?.map(str::to_owned);
            }
        }
        _ => steps.push(String::from_utf8_lossy(reader.known_number_bytes(peek)?).into_owned()),
    }
    Ok(())
}

/// Reads a text with both, and holds one against the other.
pub fn check(text: &str, choices: u64) {
    let (mut our_steps, mut their_steps) = (Steps::new(), Steps::new());
    let mut our = || {
        let mut reader = Reader::new(text);
        let start = reader.peek()?;
        ours(&mut reader, start, choices, 0, &mut our_steps)?;
        reader.finish()
    };
    let mut their = || {
        let mut reader = Jiter::new(text.as_bytes());
        let peek = reader.peek()?;
        theirs(&mut reader, peek, choices, 0, &mut their_steps)?;
        reader.finish()
    };
    let our = our().map_err(|error: Broken| error.to_string());
    let their = their().map_err(|error: JiterError| format!("{} at byte {}", error.error_type, error.index));
    assert_eq!((our, our_steps), (their, their_steps), "{text:?} {choices:x}");
    wrong_types(text);
}

/// What is said of a value that is not of the type that was expected.
fn wrong_types(text: &str) {
    type Ours = fn(&mut Reader<'_>) -> Result<(), Broken>;
    type Theirs = fn(&mut Jiter<'_>) -> Result<(), JiterError>;
    let pairs: [(Ours, Theirs); 5] = [
        (|reader| reader.next_string().map(drop), |reader| reader.next_str().map(drop)),
        (|reader| reader.next_bool().map(drop), |reader| reader.next_bool().map(drop)),
        (|reader| reader.next_array().map(drop), |reader| reader.next_array().map(drop)),
        (|reader| reader.next_object().map(drop), |reader| reader.next_object().map(drop)),
        (|reader| reader.skip_next(), |reader| reader.next_skip()),
    ];
    for (ours, theirs) in pairs {
        let our = ours(&mut Reader::new(text)).map_err(|error| error.to_string());
        let their = theirs(&mut Jiter::new(text.as_bytes()));
        // A number that is too long for a machine's is not looked at by us where no number is expected.
        let too_long = JiterErrorType::JsonError(JsonErrorType::NumberOutOfRange);
        if their.as_ref().is_err_and(|error| error.error_type == too_long) {
            assert!(our.is_err(), "{text:?}");
            continue;
        }
        let their = their.map_err(|error| format!("{} at byte {}", error.error_type, error.index));
        assert_eq!(our, their, "{text:?}");
    }
}
