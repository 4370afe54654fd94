//! Takes paths, names and numbers out of an expression before evalexpr sees it.

use super::SyntaxError;
use viewfold_spec::Code;
use viewfold_value::Number;

/// The first character of the identifiers that stand for what was taken out: of a private use area, so that no text of a
/// user means it.
const MARK: char = '\u{e000}';

/// What was taken out of an expression.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Piece {
    /// `$.a['b']`, `$$.time`, `doc.a`, `line.price`: a root and steps, as they were written.
    Path(String),
    /// A bare name: a value, or a function.
    Name(String),
    /// A number literal.
    Number(Number),
    /// A text literal, its escapes undone.
    Text(String),
}

/// An expression without its operands.
#[derive(Debug)]
pub(super) struct Cut {
    /// What evalexpr parses.
    pub(super) text: String,
    /// What was taken out, with the byte it began at.
    pub(super) pieces: Vec<(Piece, usize)>,
    /// How many operators and parentheses there are, one for each character: the tree is no deeper than these and the
    /// pieces together.
    pub(super) operators: usize,
}

/// The number of the piece that an identifier of the cut text stands for.
pub(super) fn piece_number(identifier: &str) -> Option<usize> {
    identifier.strip_prefix(MARK)?.parse().ok()
}

/// Cuts an expression.
///
/// # Errors
///
/// At what the language does not have: text in single quotes, comments, assignments, numbers that are none.
pub(super) fn cut(expression: &str) -> Result<Cut, SyntaxError> {
    let mut cut = Cut { text: String::with_capacity(expression.len()), pieces: Vec::new(), operators: 0 };
    let mut at = 0;
    while let Some(c) = expression[at..].chars().next() {
        let rest = &expression[at..];
        let width = c.len_utf8();
        let end = match c {
            '"' => {
                let length =
                    text_literal(rest).ok_or_else(|| SyntaxError::new(at, "this text has no closing quote"))?;
                cut.take(Piece::Text(unescaped(&rest[1..length - 1], at + 1)?), at);
                at += length;
                continue;
            }
            '\'' => {
                let end = rest[1..].find('\'').map(|end| end + 1);
                let error = SyntaxError::new(at, "text stands in double quotes in an expression");
                return Err(match end {
                    Some(end) => error.length(end + 1).help(format!("write \"{}\"", &rest[1..end])),
                    None => error.help("write \"…\""),
                });
            }
            '/' if rest.starts_with("//") || rest.starts_with("/*") => {
                let error = SyntaxError::new(at, "an expression has no comments");
                let help = "for whole division write `floor(a / b)`; for a comment, `#` outside of the value";
                let (value, otherwise) = (expression[..at].trim(), rest[2..].trim());
                // jq fills in a missing value so.
                return Err(
                    match rest.starts_with("//")
                        && value.starts_with('$')
                        && !value.contains(' ')
                        && !otherwise.is_empty()
                    {
                        true => error
                            .help(format!("a missing value is filled in with `default({value}, {otherwise})`; {help}")),
                        false => error.help(help),
                    },
                );
            }
            ';' => return Err(SyntaxError::new(at, "an expression is one value: it has no `;`")),
            '=' if rest.starts_with("===") => {
                let error = SyntaxError::new(at, "two values are compared with `==`").length(3);
                return Err(error.help("write `==`"));
            }
            '=' if rest.starts_with("==") => {
                cut.text.push_str("==");
                at += 2;
                continue;
            }
            '!' | '<' | '>' if rest[1..].starts_with('=') => {
                cut.text.push_str(&rest[..2]);
                at += 2;
                continue;
            }
            '=' => {
                let error = SyntaxError::new(at, "an expression changes nothing: it has no assignments");
                return Err(error.help("to compare, write `==`"));
            }
            MARK => return Err(SyntaxError::new(at, "this character has no place in an expression")),
            '$' => path_end(expression, at + if rest.starts_with("$$") { 2 } else { 1 })?,
            c if c.is_ascii_digit() => {
                let (number, end) = number(expression, at)?;
                cut.take(Piece::Number(number), at);
                at = end;
                continue;
            }
            c if is_name_start(c) => {
                let name_end = name_end(expression, at + width);
                match expression.as_bytes().get(name_end) {
                    Some(b'.' | b'[') => path_end(expression, name_end)?,
                    _ => name_end,
                }
            }
            _ => {
                cut.operators += usize::from(!c.is_whitespace());
                cut.text.push(c);
                at += width;
                continue;
            }
        };
        let written = &expression[at..end];
        match written {
            "true" | "false" => cut.text.push_str(written),
            _ if written.contains(['$', '.', '[']) => cut.take(Piece::Path(written.to_owned()), at),
            _ => cut.take(Piece::Name(written.to_owned()), at),
        }
        at = end;
    }
    Ok(cut)
}

impl Cut {
    fn take(&mut self, piece: Piece, at: usize) {
        self.text.push(MARK);
        self.text.push_str(&self.pieces.len().to_string());
        self.pieces.push((piece, at));
    }
}

/// The bytes of a text in double quotes, both quotes included.
fn text_literal(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// A text literal without its quotes: `\"` and `\\` are the only escapes, as evalexpr has it.
fn unescaped(text: &str, at: usize) -> Result<String, SyntaxError> {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.char_indices();
    while let Some((place, c)) = characters.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match characters.next() {
            Some((_, c @ ('"' | '\\'))) => plain.push(c),
            other => {
                let c = other.map_or(' ', |(_, c)| c);
                let error = SyntaxError::new(at + place, format!("`\\{c}` is no escape in a text"));
                return Err(error.help("there are `\\\"` and `\\\\`; any other character stands for itself"));
            }
        }
    }
    Ok(plain)
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_' || !c.is_ascii() && !c.is_whitespace()
}

/// Behind a name: letters, digits, `_`, and the `::` of functions.
fn name_end(text: &str, mut at: usize) -> usize {
    loop {
        let rest = &text[at..];
        match rest.chars().next() {
            Some(c) if is_name_start(c) || c.is_ascii_digit() => at += c.len_utf8(),
            Some(':') if rest.starts_with("::") => at += 2,
            _ => return at,
        }
    }
}

/// Behind a path whose root ends at `at`: `.name`, `.*`, `..name` and `[…]`, and a `?` for a value that may be missing.
fn path_end(text: &str, mut at: usize) -> Result<usize, SyntaxError> {
    let start = text[..at].rfind(|c: char| !(is_name_start(c) || c.is_ascii_digit() || c == '$')).map_or(0, |c| c + 1);
    loop {
        let rest = &text[at..];
        let next = rest.trim_start_matches('.').chars().next();
        at = match rest.as_bytes().first() {
            Some(b'.') => {
                let dots = rest.len() - rest.trim_start_matches('.').len();
                match next {
                    Some('*') => at + dots + 1,
                    Some('[') if dots == 2 => at + dots,
                    Some(c) if dots <= 2 && is_name_start(c) => name_end_of_path(text, at + dots),
                    _ => {
                        let odd = rest[dots..].find([' ', ',', ')', '(', '+', '*', '/']).unwrap_or(rest.len() - dots);
                        let path = &text[start..at + dots + odd];
                        return Err(match crate::path::bracketed(path).filter(|_| dots == 1 && odd > 0) {
                            Some(path) => SyntaxError::new(at + 1, "this name of a path needs brackets (RFC 9535)")
                                .length(odd)
                                .code(Code::UnbracketedName)
                                .help(format!("write `{}`", path.replace('\'', "\""))),
                            None => SyntaxError::new(at + dots, "a name is expected behind the `.` of a path"),
                        });
                    }
                }
            }
            Some(b'[') => bracket_end(text, at)?,
            Some(b'?') => return Ok(at + 1),
            _ => return Ok(at),
        };
    }
}

/// Behind a name of a path, which has no `::`.
fn name_end_of_path(text: &str, at: usize) -> usize {
    let end = text[at..].find(|c: char| !(is_name_start(c) || c.is_ascii_digit()));
    end.map_or(text.len(), |end| at + end)
}

/// Behind the `]` that closes the bracket at `at`.
fn bracket_end(text: &str, at: usize) -> Result<usize, SyntaxError> {
    let mut depth = 0;
    let mut quote = None;
    let mut escaped = false;
    for (offset, c) in text[at..].char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') => {
                depth -= 1;
                if depth == 0 {
                    return Ok(at + offset + 1);
                }
            }
            (None, _) => {}
        }
    }
    Err(SyntaxError::new(at, "this `[` is never closed"))
}

/// The number that starts at `at`, and where it ends.
fn number(text: &str, at: usize) -> Result<(Number, usize), SyntaxError> {
    let digits = |from: usize| text[from..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |end| from + end);
    let byte = |at: usize| text.as_bytes().get(at).copied();
    if let Some(length) = date_length(&text[at..]) {
        let date = &text[at..at + length];
        return Err(SyntaxError::new(at, format!("`{date}` is read as a subtraction of numbers"))
            .length(length)
            .help(format!("a date stands in quotes: \"{date}\"")));
    }
    let mut end = digits(at);
    if byte(end) == Some(b'.') && byte(end + 1).is_some_and(|next| next.is_ascii_digit()) {
        end = digits(end + 1);
    }
    if matches!(byte(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(byte(end + 1), Some(b'+' | b'-')));
        if byte(end + 1 + sign).is_some_and(|next| next.is_ascii_digit()) {
            end = digits(end + 1 + sign);
        }
    }
    if text[end..].starts_with(|c: char| is_name_start(c) || c == '.') {
        let length =
            text[at..].find(|c: char| !(is_name_start(c) || c.is_ascii_digit() || c == '.')).unwrap_or(text.len() - at);
        let written = &text[at..at + length];
        let error = SyntaxError::new(at, format!("`{written}` is no number")).length(length);
        let digits = written.replace('_', "");
        return Err(match Number::parse(&digits) {
            Ok(_) => error.help(format!("write {digits}")),
            Err(_) => error.help("a number is written like `12`, `0.5` or `1e6`"),
        });
    }
    let number =
        Number::parse(&text[at..end]).map_err(|error| SyntaxError::new(at, format!("this number: {error}")))?;
    Ok((number, end))
}

/// The length of a date such as `2026-01-31`, with its time if there is one, that a text starts with.
fn date_length(text: &str) -> Option<usize> {
    let form = |(at, byte): (usize, &u8)| if matches!(at, 4 | 7) { *byte == b'-' } else { byte.is_ascii_digit() };
    let day = text.as_bytes().get(..10)?;
    let rest = text.get(10..)?;
    let ends = !rest.starts_with(|c: char| c.is_ascii_digit());
    (ends && day.iter().enumerate().all(form)).then(|| {
        let time = rest.strip_prefix('T').map_or(0, |time| {
            1 + time.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '+'))).unwrap_or(time.len())
        });
        10 + time
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<String> {
        let cut = cut(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        cut.pieces
            .iter()
            .map(|(piece, at)| match piece {
                Piece::Path(path) => format!("{at} {path}"),
                Piece::Name(name) => format!("{at} {name}"),
                Piece::Number(number) => format!("{at} {number}"),
                Piece::Text(text) => format!("{at} {text:?}"),
            })
            .collect()
    }

    #[test]
    fn operands_are_taken_out_whole() {
        for (text, expected) in [
            ("$.a - 1", &["0 $.a", "6 1"][..]),
            ("$['order-id']*2.50", &["0 $['order-id']", "14 2.5"]),
            ("$.a*$.b", &["0 $.a", "4 $.b"]),
            ("$.a[?@.x == ']'].y? + doc.n", &["0 $.a[?@.x == ']'].y?", "22 doc.n"]),
            ("$..x", &["0 $..x"]),
            ("$$.time", &["0 $$.time"]),
            ("if(exists($.a?), line.price, wins)", &["0 if", "3 exists", "10 $.a?", "17 line.price", "29 wins"]),
            ("time::bucket(t, \"$.x 'y'\")", &["0 time::bucket", "13 t", "16 \"$.x 'y'\""]),
            ("123456789012345678901234567890 >= 1e3", &["0 123456789012345678901234567890", "34 1000"]),
            ("größe != true", &["0 größe"]),
            ("$ == $[0]", &["0 $", "5 $[0]"]),
        ] {
            assert_eq!(pieces(text), expected, "{text}");
        }
    }

    #[test]
    fn what_the_language_does_not_have_is_told_at_its_place() {
        for (text, at) in [
            ("1 + 'a'", 4),
            ("1 // 2", 2),
            ("a /* b */", 2),
            ("a = 1", 2),
            ("a; b", 1),
            ("\"a", 0),
            ("$.a[0", 3),
            ("$. + 1", 2),
            ("0x10", 0),
            ("1.2.3", 0),
            ("a += 1", 3),
        ] {
            assert_eq!(cut(text).unwrap_err().at, at, "{text}");
        }
    }
}
