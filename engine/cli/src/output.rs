//! What goes where: results to stdout, everything else to stderr, colour on terminals only.

use std::io::{self, IsTerminal as _, Write as _};
use viewfold_spec::Diagnostic;
use viewfold_spec::diagnostic::render_all;

/// How a command ended that did its work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// Exit code 0.
    Done,
    /// Exit code 1: there are findings, or events were not applied.
    Findings,
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    /// One or more sentences.
    pub(crate) message: String,
    /// 1 for failures, 2 for wrong use.
    pub(crate) code: u8,
}

impl Failure {
    /// Exit code 1.
    pub(crate) fn new(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), code: 1 }
    }

    /// Exit code 2: the command was not used as it can be.
    pub(crate) fn wrong_use(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), code: 2 }
    }

    /// The findings of invalid files.
    pub(crate) fn findings(findings: &[Diagnostic]) -> Failure {
        let text = render_all(findings, io::stderr().is_terminal());
        Failure::new(format!("{text}{}", count(findings.len(), "error")))
    }
}

/// Writes results to stdout. A reader that has gone away is no failure: whoever pipes into `head` has what was wanted.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::new(format!("stdout cannot be written to: {error}"))),
    }
}

/// Writes to stderr. Where that is not possible there is nobody to tell.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Shows findings that do not keep projections from running.
pub(crate) fn warn(warnings: &[Diagnostic]) {
    if !warnings.is_empty() {
        note(render_all(warnings, io::stderr().is_terminal()).trim_end());
    }
}

/// Says what went wrong.
pub(crate) fn complain(message: &str) {
    // Findings speak for themselves, each with its own `error`.
    if message.starts_with("error") || message.contains("\u{1b}[") {
        note(message)
    } else {
        note(&format!("error: {message}"))
    }
}

/// A text of an event or a document without what could write on a terminal, or turn the order of its characters round.
pub(crate) fn printable(text: &str) -> String {
    let is_odd = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if is_odd(c) { clean.extend(c.escape_default()) } else { clean.push(c) }
    }
    clean
}

/// What a record is known by: its sequence number, or of a standard queue the id of the message.
pub(crate) fn known_by(sequence: &str) -> String {
    match sequence.bytes().all(|byte| byte.is_ascii_digit()) {
        true => format!("sequence number {sequence}"),
        false => format!("message {sequence}"),
    }
}

/// `1 error`, `2 errors`.
pub(crate) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn nothing_of_an_event_writes_on_the_terminal() {
        assert_eq!(printable("\u{1b}]0;x\u{7} a\nb \u{202e}c é"), "\\u{1b}]0;x\\u{7} a\\nb \\u{202e}c é");
    }
}
