//! [Amazon Ion] text, as DynamoDB's exports write items, to [`Value`], every digit kept.
//!
//! What exports use is read, and nothing else is guessed at: structs, lists, sets (lists with an annotation,
//! `$dynamodb_SS::["a"]`), strings, decimals and whole numbers, blobs, `true`, `false`, `null`. The rest of Ion (floats,
//! timestamps, symbols, clobs, S-expressions, comments) has no place in an item, and is an error that names it. Where a
//! name comes twice in a struct, the last one counts, as in [`json`](crate::json).
//!
//! [Amazon Ion]: https://amazon-ion.github.io/ion-docs/docs/spec.html

use crate::json::{MAX_DEPTH, ReadError, keep_first, parse_number, utf8};
use crate::{Kind, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::collections::{BTreeMap, BTreeSet};

/// What each line of an export begins with: the version of Ion that its text is in.
pub const VERSION: &str = "$ion_1_0";

/// Reads one Ion text: [`VERSION`], which may be missing, and a value.
///
/// # Errors
///
/// When the text is none of what exports write, is not UTF-8, has anything after the value, or holds a number that
/// DynamoDB cannot.
pub fn parse(text: &[u8]) -> Result<Value, ReadError> {
    utf8(text)?;
    let mut reader = Reader { text, at: 0 };
    reader.skip_blanks();
    if reader.rest().starts_with(b"$ion_") {
        let version = reader.token();
        if version != VERSION {
            return Err(reader.wrong(format!("`{version}` is a version of Ion that is not read, {VERSION} is")));
        }
        reader.skip_blanks();
    }
    let value = reader.value(0)?;
    reader.skip_blanks();
    match reader.rest() {
        [] => Ok(value),
        _ => Err(reader.wrong("something behind the value".into())),
    }
}

/// A text that is UTF-8, and how far it is read.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn wrong(&self, what: String) -> ReadError {
        ReadError::Syntax(format!("{what} at byte {}", self.at))
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)) {
            self.at += 1;
        }
    }

    /// Goes over these bytes, if they are next.
    fn take(&mut self, expected: &[u8]) -> bool {
        let is_next = self.rest().starts_with(expected);
        self.at += if is_next { expected.len() } else { 0 };
        is_next
    }

    /// What numbers, names and key words are made of.
    fn token(&mut self) -> &'a str {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_$.+-".contains(byte);
        let rest = self.rest();
        let length = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        self.at += length;
        // ASCII alone.
        std::str::from_utf8(&rest[..length]).unwrap_or_default()
    }

    fn value(&mut self, depth: u32) -> Result<Value, ReadError> {
        if depth > MAX_DEPTH {
            return Err(ReadError::Syntax(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        match self.peek() {
            Some(b'{') if self.rest().starts_with(b"{{") => self.blob().map(Value::Binary),
            Some(b'{') => self.fields(depth),
            Some(b'[') => self.list(depth).map(Value::List),
            Some(b'"') => self.quoted(b'"').map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'\'' | b'$' | b'_' | b'a'..=b'z' | b'A'..=b'Z') => self.word(depth),
            Some(b'(') => Err(self.wrong("an S-expression, which DynamoDB has no type for,".into())),
            Some(_) => Err(self.wrong(format!("`{}` instead of a value", self.next_char()))),
            None => Err(self.wrong("the end instead of a value".into())),
        }
    }

    fn next_char(&self) -> char {
        let rest = std::str::from_utf8(self.rest()).unwrap_or_default();
        rest.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    /// A key word, or the annotation that makes a list a set.
    fn word(&mut self, depth: u32) -> Result<Value, ReadError> {
        let start = self.at;
        let quoted = self.peek() == Some(b'\'');
        let word = if quoted { self.quoted(b'\'')? } else { self.token().to_owned() };
        let end = self.at;
        self.skip_blanks();
        if self.take(b"::") {
            self.skip_blanks();
            return self.set(&word, start, depth);
        }
        self.at = end;
        match word.as_str() {
            _ if quoted => {}
            "null" => return Ok(Value::Null),
            "true" => return Ok(Value::Bool(true)),
            "false" => return Ok(Value::Bool(false)),
            "nan" => return Err(ReadError::Unusable("`nan` is no number that DynamoDB has".into())),
            // A null knows what it might have been, and DynamoDB's does not.
            _ if word.strip_prefix("null.").is_some_and(|kind| NULLS.contains(&kind)) => return Ok(Value::Null),
            _ => {}
        }
        self.at = start;
        Err(self.wrong(format!("the symbol `{word}`, which DynamoDB has no type for,")))
    }

    fn set(&mut self, annotation: &str, start: usize, depth: u32) -> Result<Value, ReadError> {
        let kind = match annotation {
            "$dynamodb_SS" => Kind::String,
            "$dynamodb_NS" => Kind::Number,
            "$dynamodb_BS" => Kind::Binary,
            other => {
                self.at = start;
                return Err(self.wrong(format!("`{other}::` is no annotation of DynamoDB's")));
            }
        };
        if self.peek() != Some(b'[') {
            return Err(self.wrong(format!("no list behind `{annotation}::`")));
        }
        let list = self.list(depth)?;
        if let Some(odd) = list.iter().find(|value| value.kind() != kind) {
            return Err(self.wrong(format!("a {} in a set of {kind} values", odd.kind())));
        }
        Ok(match kind {
            Kind::String => Value::StringSet(elements(list, |value| match value {
                Value::String(text) => Some(text),
                _ => None,
            })),
            Kind::Number => Value::NumberSet(elements(list, |value| match value {
                Value::Number(number) => Some(number),
                _ => None,
            })),
            _ => Value::BinarySet(elements(list, |value| match value {
                Value::Binary(bytes) => Some(bytes),
                _ => None,
            })),
        })
    }

    fn list(&mut self, depth: u32) -> Result<Vec<Value>, ReadError> {
        let mut list = Vec::new();
        let mut unusable = None;
        self.at += 1;
        loop {
            self.skip_blanks();
            if self.take(b"]") {
                return unusable.map_or(Ok(list), Err);
            }
            list.extend(keep_first(self.value(depth + 1), &mut unusable)?);
            self.step(b']')?;
        }
    }

    fn fields(&mut self, depth: u32) -> Result<Value, ReadError> {
        let mut map = BTreeMap::new();
        let mut unusable = None;
        self.at += 1;
        loop {
            self.skip_blanks();
            if self.take(b"}") {
                return unusable.map_or(Ok(Value::Map(map)), Err);
            }
            let name = self.name()?;
            self.skip_blanks();
            if !self.take(b":") {
                return Err(self.wrong(format!("no `:` behind the name `{name}`")));
            }
            self.skip_blanks();
            map.extend(keep_first(self.value(depth + 1), &mut unusable)?.map(|value| (name, value)));
            self.step(b'}')?;
        }
    }

    /// A name: an identifier, or anything in quotes.
    fn name(&mut self) -> Result<String, ReadError> {
        if let Some(quote @ (b'"' | b'\'')) = self.peek() {
            return self.quoted(quote);
        }
        let start = self.at;
        let name = self.token();
        let is_identifier = name.starts_with(|c: char| c == '_' || c == '$' || c.is_ascii_alphabetic())
            && !name.contains(['.', '+', '-']);
        // `$7` is no name, but the number of one in a table of symbols.
        let is_number = name.strip_prefix('$').is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
        if is_identifier && (!is_number || name == "$") {
            return Ok(name.to_owned());
        }
        self.at = start;
        Err(self.wrong(match name {
            "" => "no name of a field".to_owned(),
            _ => format!("`{name}` is no name of a field unless it is in quotes"),
        }))
    }

    /// Goes over the comma behind a value, which may stand behind the last one, too.
    fn step(&mut self, end: u8) -> Result<(), ReadError> {
        self.skip_blanks();
        match self.take(b",") || self.peek() == Some(end) {
            true => Ok(()),
            false => Err(self.wrong(format!("neither `,` nor `{}` behind a value", char::from(end)))),
        }
    }

    /// A decimal or a whole number: `103.`, `6d2`, `-1.5`, `1_000`.
    fn number(&mut self) -> Result<Value, ReadError> {
        let start = self.at;
        let token = self.token();
        let (sign, digits) = token.strip_prefix('-').map_or(("", token), |digits| ("-", digits));
        let (mantissa, exponent) = digits.split_once(['d', 'D']).unwrap_or((digits, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let starts_well = whole == "0" || !whole.starts_with('0');
        let exponent_digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let is_decimal = starts_well
            && is_digits(whole)
            && (fraction.is_empty() || is_digits(fraction))
            && exponent_digits.bytes().all(|byte| byte.is_ascii_digit())
            && !exponent_digits.is_empty();
        if !is_decimal {
            self.at = start;
            let hint = match token.contains(['e', 'E']) && !token.contains(['x', 'X', 'b', 'B']) {
                true => "; with `e` it is a float, exports have decimals, which have `d`,",
                false => "",
            };
            let shown: String = token.chars().take(60).collect();
            return Err(self.wrong(format!("`{shown}` is no decimal and no whole number{hint}")));
        }
        let point = if fraction.is_empty() { "" } else { "." };
        let text = format!("{sign}{whole}{point}{fraction}e{exponent}").replace('_', "");
        parse_number(text.strip_suffix("e0").unwrap_or(&text)).map(Value::Number)
    }

    /// `{{aGk=}}`, blanks allowed anywhere.
    fn blob(&mut self) -> Result<Vec<u8>, ReadError> {
        self.at += 2;
        let length = self.rest().iter().position(|byte| *byte == b'}');
        let inner = self.rest().get(..length.unwrap_or_default()).unwrap_or_default();
        if length.is_none() || !self.rest().get(inner.len()..).is_some_and(|rest| rest.starts_with(b"}}")) {
            return Err(self.wrong("a blob without an end".into()));
        }
        if inner.iter().any(|byte| matches!(byte, b'"' | b'\'')) {
            return Err(self.wrong("a clob, which DynamoDB has no type for,".into()));
        }
        let text: Vec<u8> = inner.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let bytes = BASE64.decode(text).map_err(|error| self.wrong(format!("a blob that is no base64 ({error})")))?;
        self.at += inner.len() + 2;
        Ok(bytes)
    }

    /// A text in quotes, with what is escaped in it.
    fn quoted(&mut self, quote: u8) -> Result<String, ReadError> {
        if quote == b'\'' && self.rest().starts_with(b"'''") {
            return Err(self.wrong("a text in three quotes, which exports do not have,".into()));
        }
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let is_plain = |byte: u8| byte != quote && byte != b'\\' && (byte >= b' ' || matches!(byte, 9 | 11 | 12));
            let length = rest.iter().position(|byte| !is_plain(*byte)).unwrap_or(rest.len());
            // Both ends are at ASCII characters.
            text.push_str(std::str::from_utf8(&rest[..length]).map_err(|error| self.wrong(error.to_string()))?);
            self.at += length;
            match self.peek() {
                Some(byte) if byte == quote => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.extend(self.escape()?),
                Some(_) => return Err(self.wrong("a control character in a text".into())),
                None => return Err(self.wrong("a text without an end".into())),
            }
        }
    }

    fn escape(&mut self) -> Result<Option<char>, ReadError> {
        let start = self.at;
        self.at += 2;
        let c = match self.text.get(start + 1) {
            Some(b'0') => '\0',
            Some(b'a') => '\u{7}',
            Some(b'b') => '\u{8}',
            Some(b't') => '\t',
            Some(b'n') => '\n',
            Some(b'f') => '\u{c}',
            Some(b'r') => '\r',
            Some(b'v') => '\u{b}',
            Some(plain @ (b'"' | b'\'' | b'?' | b'\\' | b'/')) => char::from(*plain),
            Some(b'\n') => return Ok(None),
            Some(b'x') => return self.code_point(start, 2).map(Some),
            Some(b'u') => return self.code_point(start, 4).map(Some),
            Some(b'U') => return self.code_point(start, 8).map(Some),
            _ => {
                self.at = start;
                return Err(self.wrong("a `\\` with nothing behind it that it could escape".into()));
            }
        };
        Ok(Some(c))
    }

    /// A character by its number; two of four digits where UTF-16 needs them.
    fn code_point(&mut self, start: usize, digits: usize) -> Result<char, ReadError> {
        let mut number = self.hexadecimal(digits);
        if let Some(high @ 0xd800..0xdc00) = number.filter(|_| digits == 4) {
            let low = if self.take(b"\\u") { self.hexadecimal(4) } else { None };
            number = low
                .filter(|low| (0xdc00..0xe000).contains(low))
                .map(|low| 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
        }
        number.and_then(char::from_u32).ok_or_else(|| {
            self.at = start;
            self.wrong("an escaped character that there is not".into())
        })
    }

    fn hexadecimal(&mut self, digits: usize) -> Option<u32> {
        let text = std::str::from_utf8(self.rest().get(..digits)?).ok()?;
        self.at += digits;
        // A sign is no digit.
        text.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(())?;
        u32::from_str_radix(text, 16).ok()
    }
}

/// The types that a null may have.
const NULLS: [&str; 13] = [
    "null",
    "bool",
    "int",
    "float",
    "decimal",
    "timestamp",
    "symbol",
    "string",
    "clob",
    "blob",
    "list",
    "sexp",
    "struct",
];

fn elements<T: Ord>(list: Vec<Value>, of: impl Fn(Value) -> Option<T>) -> BTreeSet<T> {
    list.into_iter().filter_map(of).collect()
}

/// Digits, with an underscore between some of them.
fn is_digits(text: &str) -> bool {
    text.split('_').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
