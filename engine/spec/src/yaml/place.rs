//! Places inside of scalars: where in the file some bytes of a scalar's text stand.
//!
//! A text is not what the file has: quotes, escapes, the indentation of blocks and folded line breaks are gone from it. So the
//! two are walked through side by side.

use crate::Span;

/// The place in `file` of `length` bytes at `at` of the text of the scalar at `span`. Nothing where the text does not stand
/// there, as with an alias.
pub fn within(file: &str, span: Span, text: &str, at: usize, length: usize) -> Option<Span> {
    let raw = file.get(span.range())?;
    let places = match raw.as_bytes().first()? {
        b'"' => quoted(raw, text, '"'),
        b'\'' => quoted(raw, text, '\''),
        _ => plain(raw, text).or_else(|| block(file, span.start, text)),
    };
    let places = match places {
        Some(places) => places,
        // A part of a scalar, without its quotes.
        None => {
            let start = raw.find(text)?;
            (start..=start + text.len()).collect()
        }
    };
    let start = span.start + *places.get(at)?;
    let end = span.start + *places.get((at + length).min(text.len()))?;
    Some(Span::new(start, end.max(start)))
}

/// The place of each byte of a text, and of its end, as it is found out from the beginning on.
struct Walk<'t> {
    text: &'t str,
    places: Vec<usize>,
}

impl<'t> Walk<'t> {
    fn new(text: &'t str) -> Walk<'t> {
        Walk { text, places: Vec::with_capacity(text.len() + 1) }
    }

    /// The next character of the text.
    fn next(&self) -> Option<char> {
        self.text.get(self.places.len()..)?.chars().next()
    }

    /// Notes where the text's next character stands.
    fn take(&mut self, at: usize) -> Option<()> {
        let width = self.next()?.len_utf8();
        self.places.extend((0..width).map(|byte| at + byte));
        Some(())
    }

    /// Notes where all the line breaks that come next in the text stand.
    fn take_breaks(&mut self, at: usize) -> Option<()> {
        while self.next() == Some('\n') {
            self.take(at)?;
        }
        Some(())
    }

    fn end(mut self, at: usize) -> Option<Vec<usize>> {
        (self.places.len() == self.text.len()).then(|| {
            self.places.push(at);
            self.places
        })
    }
}

/// The blanks at the beginning of a text, and whether a line breaks among them.
fn blanks(rest: &str) -> (usize, bool) {
    let length = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    (length, rest[..length].contains('\n'))
}

/// Line breaks inside of a flow scalar: one is a space, more are one less.
fn fold(walk: &mut Walk<'_>, at: usize) -> Option<()> {
    match walk.next() {
        Some(' ') => walk.take(at),
        _ => walk.take_breaks(at),
    }
}

fn plain(raw: &str, text: &str) -> Option<Vec<usize>> {
    let mut walk = Walk::new(text);
    let mut at = 0;
    while let Some(c) = raw[at..].chars().next() {
        if let (length, true) = blanks(&raw[at..]) {
            fold(&mut walk, at)?;
            at += length;
            continue;
        }
        if walk.next() != Some(c) {
            break;
        }
        walk.take(at)?;
        at += c.len_utf8();
    }
    walk.end(at)
}

fn quoted(raw: &str, text: &str, quote: char) -> Option<Vec<usize>> {
    let mut walk = Walk::new(text);
    let mut at = 1;
    loop {
        let rest = &raw[at..];
        let c = rest.chars().next()?;
        if let (length, true) = blanks(rest) {
            fold(&mut walk, at)?;
            at += length;
        } else if c == quote && quote == '\'' && rest.starts_with("''") {
            walk.take(at)?;
            at += 2;
        } else if c == quote {
            return walk.end(at);
        } else if c == '\\' && quote == '"' {
            at = escape(&mut walk, raw, at)?;
        } else {
            walk.take(at)?;
            at += c.len_utf8();
        }
    }
}

/// Behind the escape at `at`.
fn escape(walk: &mut Walk<'_>, raw: &str, at: usize) -> Option<usize> {
    let digits = match raw[at + 1..].chars().next()? {
        '\r' | '\n' => {
            let (length, _) = blanks(&raw[at + 1..]);
            return Some(at + 1 + length);
        }
        'x' => 2,
        'u' => 4,
        'U' => 8,
        c => {
            walk.take(at)?;
            return Some(at + 1 + c.len_utf8());
        }
    };
    let end = at + 2 + digits;
    // A character beyond the first 65,536 may be written as two escapes.
    let pair = digits == 4 && raw.get(end..)?.starts_with("\\u") && walk.next()?.len_utf8() == 4;
    walk.take(at)?;
    Some(if pair { end + 6 } else { end })
}

/// A block: its first line that is not empty begins at `start` of the file. All places count from there.
fn block(file: &str, start: usize, text: &str) -> Option<Vec<usize>> {
    let mut walk = Walk::new(text);
    walk.take_breaks(0)?;
    let mut at = file[..start].rfind('\n')? + 1;
    let indent = start - at;
    for line in file[at..].split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        if !content.trim().is_empty() {
            for (offset, c) in content.get(indent..)?.char_indices() {
                if walk.next() != Some(c) {
                    return None;
                }
                walk.take(at + indent + offset - start)?;
            }
            // One line break of a folded block is a space.
            let behind = at + content.len() - start;
            match walk.next() {
                Some(' ') => walk.take(behind)?,
                _ => walk.take_breaks(behind)?,
            }
            if walk.next().is_none() {
                return walk.end(behind);
            }
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::within;
    use crate::Span;
    use crate::diagnostic::Source;
    use crate::yaml::node::{Content, compose};
    use std::sync::Arc;

    /// Where `part` of the value of `a` stands, by line and column, and what stands there.
    fn place(file: &str, part: &str) -> Option<(usize, usize, String)> {
        let source = Arc::new(Source { name: "a".into(), text: file.into() });
        let root = compose(&source).unwrap_or_else(|findings| panic!("{file}: {findings:?}"));
        let Content::Map(entries) = root.content else { panic!("no map: {file}") };
        let node = &entries.last()?.1;
        let Content::Scalar { text, .. } = &node.content else { panic!("no scalar: {file}") };
        let at = text.find(part).unwrap_or_else(|| panic!("no {part} in {text:?}"));
        let span = within(file, node.span, text, at, part.len())?;
        let (line, column) = source.position(span.start);
        Some((line, column, file[span.range()].to_owned()))
    }

    #[test]
    fn parts_of_scalars_are_found_in_the_file() {
        for (file, part, line, column, there) in [
            ("a: x yy z", "yy", 1, 6, "yy"),
            ("a: 'x yy'", "yy", 1, 7, "yy"),
            ("a: 'it''s yy'", "yy", 1, 11, "yy"),
            ("a: 'it''s yy'", "'s", 1, 7, "''s"),
            ("a: \"x\\tyy\"", "yy", 1, 8, "yy"),
            ("a: \"\\u00e9 \\x41 \\ud83d\\ude00 yy\"", "yy", 1, 30, "yy"),
            ("a: \"say \\\"yy\\\"\"", "\"yy\"", 1, 9, "\\\"yy\\\""),
            ("a: x\n  b yy\n", "yy", 2, 5, "yy"),
            ("a: 'x\n\n  b yy'\n", "b yy", 3, 3, "b yy"),
            ("a: \"x \\\n   b yy\"\n", "yy", 2, 6, "yy"),
            ("a: |\n  x\n  b yy\n", "yy", 3, 5, "yy"),
            ("a: |-\n  x\n\n    b yy\n  c\n", "yy", 4, 7, "yy"),
            ("a: >\n  x\n  b yy\n", "yy", 3, 5, "yy"),
            ("a: >-\n\n  x\n\n  b yy\n   more\n  c\n", "c", 7, 3, "c"),
            ("a: >-\r\n  x\r\n  b yy\r\n", "yy", 3, 5, "yy"),
            ("a: |\n  x\n  # yy\nb: |\n  yy\n", "yy", 5, 3, "yy"),
            ("a: |\n  x\n  # yy\n", "yy", 3, 5, "yy"),
        ] {
            assert_eq!(place(file, part), Some((line, column, there.to_owned())), "{file:?}");
        }
        assert_eq!(place("x: &x yy\na: *x", "yy"), None);
        assert_eq!(within("ab", Span::new(5, 9), "x", 0, 1), None);
    }
}
