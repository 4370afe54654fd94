//! Recorded Lambda events from files.

use crate::output::Failure;
use serde_json::value::RawValue;
use std::io::Read as _;
use std::path::Path;

/// One recorded invocation.
#[derive(Debug)]
pub(crate) struct Invocation {
    /// The file it comes from, for messages.
    pub(crate) file: String,
    /// Its number in the file, from 1.
    pub(crate) number: usize,
    /// The payload, `{"Records": [...]}`.
    pub(crate) payload: Box<RawValue>,
}

/// Reads the invocations of a file: one, several after each other, or a list of them. `-` is standard input.
pub(crate) fn read(path: &Path) -> Result<Vec<Invocation>, Failure> {
    let stdin = path == Path::new("-");
    let file = if stdin { "standard input".to_owned() } else { path.display().to_string() };
    let mut text = String::new();
    let result = if stdin {
        std::io::stdin().lock().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(path).map(|read| text = read)
    };
    result.map_err(|error| Failure::wrong_use(format!("{file} cannot be read: {error}")))?;
    let mut payloads = Vec::new();
    // The position of an error inside the stream counts from the beginning of the text.
    for value in serde_json::Deserializer::from_str(&text).into_iter::<Box<RawValue>>() {
        let value = value.map_err(|error| broken(&file, &error))?;
        if value.get().trim_start().starts_with('[') {
            let list: Vec<Box<RawValue>> = serde_json::from_str(value.get()).map_err(|error| broken(&file, &error))?;
            payloads.extend(list);
        } else {
            payloads.push(value);
        }
    }
    if payloads.is_empty() {
        return Err(Failure::new(format!("{file} has no events: a Lambda event is {{\"Records\": [...]}}")));
    }
    let numbered = payloads.into_iter().enumerate();
    Ok(numbered.map(|(at, payload)| Invocation { file: file.clone(), number: at + 1, payload }).collect())
}

fn broken(file: &str, error: &serde_json::Error) -> Failure {
    Failure::new(format!("{file}:{}:{}: this is no JSON: {error}", error.line(), error.column()))
}
