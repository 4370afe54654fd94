//! A file's text, by lines or by JSON values, with as much of it in memory as the largest of them.

use super::Trouble;
use super::unpack::{self, Unpacked};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// The longest line and the longest value: an item has up to 400 KB and a Lambda event 6 MB, and what is much more than
/// that is none of them.
pub(super) const MAX_BYTES: usize = 64 << 20;

/// How much is read at once.
const CHUNK: u64 = 256 << 10;

/// A file that is read.
pub(super) struct Input {
    path: PathBuf,
    reader: Unpacked,
    packed: Option<&'static str>,
    /// What is read; what stands before `start` is used up.
    buffer: Vec<u8>,
    start: usize,
    ended: bool,
    /// Why it cannot be read on, behind what is in the buffer.
    broken: Option<io::Error>,
    /// The line that `start` is in, from 1.
    line: u64,
}

impl Input {
    pub(super) fn open(path: &Path, read: Arc<AtomicU64>) -> Result<Input, Trouble> {
        let opened = unpack::open(path, read);
        let (reader, packed) = opened.map_err(|error| Trouble::of_file(path, format!("cannot be read: {error}")))?;
        let mut input = Input {
            path: path.to_owned(),
            reader,
            packed,
            buffer: Vec::new(),
            start: 0,
            ended: false,
            broken: None,
            line: 1,
        };
        // A byte order mark is no part of the text.
        while input.rest().len() < BYTE_ORDER_MARK.len() && input.fill()? {}
        if input.rest().starts_with(&BYTE_ORDER_MARK) {
            input.start += BYTE_ORDER_MARK.len();
        }
        Ok(input)
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// What is read and not yet used.
    pub(super) fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// Something wrong at this line.
    pub(super) fn trouble(&self, line: u64, what: impl Into<String>) -> Trouble {
        Trouble::at(&self.path, line, what)
    }

    /// Reads on; `false` at the end of the file.
    pub(super) fn fill(&mut self) -> Result<bool, Trouble> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        // What was read before an error is used first: the count of lines then stands where the data breaks off.
        if self.broken.is_none() {
            let length = self.buffer.len();
            let result = (&mut self.reader).take(CHUNK).read_to_end(&mut self.buffer);
            self.broken = result.err();
            self.ended = self.broken.is_none() && self.buffer.len() == length;
            if self.buffer.len() > length {
                return Ok(true);
            }
        }
        let Some(error) = self.broken.take() else { return Ok(false) };
        let what = match self.packed {
            Some(packed) => {
                format!(
                    "the {packed} data ends here or is broken ({error}); copy the file again from where it comes from"
                )
            }
            None => format!("the file cannot be read on: {error}"),
        };
        Err(self.trouble(self.line + newlines(&self.buffer), what))
    }

    /// How many bytes the line has that is next, with its end; 0 at the end of the file.
    fn line_length(&mut self) -> Result<usize, Trouble> {
        let mut seen = 0;
        loop {
            if let Some(at) = self.rest()[seen..].iter().position(|byte| *byte == b'\n') {
                return Ok(seen + at + 1);
            }
            seen = self.rest().len();
            self.check_length(seen, "line")?;
            if !self.fill()? {
                return Ok(seen);
            }
        }
    }

    /// The line that is next, which stays next.
    pub(super) fn peek_line(&mut self) -> Result<&[u8], Trouble> {
        let length = self.line_length()?;
        Ok(self.rest()[..length].trim_ascii())
    }

    /// The next line that is not blank, without the blanks at its ends, and which one it is.
    pub(super) fn next_line(&mut self) -> Result<Option<(u64, &[u8])>, Trouble> {
        loop {
            let length = self.line_length()?;
            if length == 0 {
                return Ok(None);
            }
            let (line, start) = (self.line, self.start);
            self.start += length;
            self.line += 1;
            if !self.buffer[start..self.start].trim_ascii().is_empty() {
                return Ok(Some((line, self.buffer[start..self.start].trim_ascii())));
            }
        }
    }

    /// The first byte that is not blank, which is next then; nothing at the end of the file.
    pub(super) fn next_mark(&mut self) -> Result<Option<u8>, Trouble> {
        loop {
            let rest = self.rest();
            let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let mark = rest.get(blanks).copied();
            self.go(blanks);
            if mark.is_some() || !self.fill()? {
                return Ok(mark);
            }
        }
    }

    /// Uses up so many bytes of what is read.
    pub(super) fn go(&mut self, bytes: usize) {
        let end = (self.start + bytes).min(self.buffer.len());
        self.line += newlines(&self.buffer[self.start..end]);
        self.start = end;
    }

    /// How many bytes the JSON object has that is next; whether there is sound JSON between its braces is not looked at.
    pub(super) fn object_length(&mut self) -> Result<usize, Trouble> {
        let (mut at, mut depth, mut in_text, mut escaped) = (0, 0usize, false, false);
        loop {
            while let Some(byte) = self.rest().get(at) {
                at += 1;
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' if in_text => escaped = true,
                    b'"' => in_text = !in_text,
                    _ if in_text => {}
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth = depth.saturating_sub(1);
                        if depth == 0 {
                            return Ok(at);
                        }
                    }
                    _ => {}
                }
            }
            self.check_length(at, "event")?;
            if !self.fill()? {
                let what = "the JSON that begins here has no end; copy the file again from where it comes from";
                return Err(self.trouble(self.line, what));
            }
        }
    }

    fn check_length(&self, length: usize, what: &str) -> Result<(), Trouble> {
        match length > MAX_BYTES {
            true => {
                let limit = MAX_BYTES >> 20;
                let hint = "check that it is a file of history, with an entry to a line";
                Err(self.trouble(self.line, format!("a {what} of more than {limit} MiB; {hint}")))
            }
            false => Ok(()),
        }
    }
}

const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_not_in_memory() {
        let path = std::env::temp_dir().join(format!("viewfold-input-{}", std::process::id()));
        std::fs::write(&path, format!("{{\"a\":\"{}\"}}\n", "x".repeat(1000)).repeat(3000)).unwrap();
        let mut input = Input::open(&path, Arc::default()).unwrap();
        let mut lines = 0;
        while input.next_line().unwrap().is_some() {
            lines += 1;
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(lines, 3000);
        assert!(input.buffer.capacity() < 4 * CHUNK as usize, "{}", input.buffer.capacity());
    }
}
