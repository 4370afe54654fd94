//! Where the parts of a JSON text end.
//!
//! Most bytes of an event are read by no rule: they are checked to be JSON, and skipped. That is what a batch's decoding
//! takes longest for, so texts are looked through eight bytes at a time, and long ones by blocks that a compiler makes vector
//! instructions of. `tests/reader.rs` holds all of it against another parser.

use std::fmt;

/// How deep a value that is skipped may be nested: it takes no stack, but two hundred levels are no event's.
const MAX_SKIPPED: usize = 200;

/// The most digits of a whole number: what has more is no number, but made to harm.
const MAX_WHOLE: usize = 4300;

/// Why a text is no JSON, and at which byte that shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Broken {
    pub(crate) what: What,
    pub(crate) at: usize,
}

/// What is wrong with a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum What {
    ListEnds,
    ObjectEnds,
    StringEnds,
    ValueEnds,
    NoColon,
    NoCommaInList,
    NoCommaInObject,
    NoIdent,
    NoValue,
    Escape,
    Number,
    NumberTooLong,
    Control,
    NoKey,
    LoneSurrogate,
    HalfSurrogate,
    TrailingComma,
    Trailing,
    TooDeep,
    /// It is JSON, but another type than this one.
    Wrong(Type, Type),
}

/// The type of a JSON value, as a finding names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Type {
    Null,
    Bool,
    Int,
    Float,
    String,
    Array,
    Object,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            What::ListEnds => "EOF while parsing a list",
            What::ObjectEnds => "EOF while parsing an object",
            What::StringEnds => "EOF while parsing a string",
            What::ValueEnds => "EOF while parsing a value",
            What::NoColon => "expected `:`",
            What::NoCommaInList => "expected `,` or `]`",
            What::NoCommaInObject => "expected `,` or `}`",
            What::NoIdent => "expected ident",
            What::NoValue => "expected value",
            What::Escape => "invalid escape",
            What::Number => "invalid number",
            What::NumberTooLong => "number out of range",
            What::Control => "control character (\\u0000-\\u001F) found while parsing a string",
            What::NoKey => "key must be a string",
            What::LoneSurrogate => "lone leading surrogate in hex escape",
            What::HalfSurrogate => "unexpected end of hex escape",
            What::TrailingComma => "trailing comma",
            What::Trailing => "trailing characters",
            What::TooDeep => "recursion limit exceeded",
            What::Wrong(expected, found) => {
                return write!(f, "expected {} but found {} at byte {}", expected.name(), found.name(), self.at);
            }
        };
        write!(f, "{what} at byte {}", self.at)
    }
}

impl Type {
    const fn name(self) -> &'static str {
        match self {
            Type::Null => "null",
            Type::Bool => "bool",
            Type::Int => "int",
            Type::Float => "float",
            Type::String => "string",
            Type::Array => "array",
            Type::Object => "object",
        }
    }
}

/// An error at a byte.
pub(crate) const fn broken<T>(what: What, at: usize) -> Result<T, Broken> {
    Err(Broken { what, at })
}

/// The first byte from `at` on that is no white space.
#[inline(always)]
pub(crate) fn past_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Behind the value that begins at `at`.
pub(crate) fn value_end(bytes: &[u8], mut at: usize) -> Result<usize, Broken> {
    match bytes.get(at) {
        Some(b'"') => return string_end(bytes, at),
        Some(b'{' | b'[') => {}
        _ => return scalar_end(bytes, at),
    }
    // Whether those around the innermost list or object are objects, a bit for each.
    let mut around = [0u64; MAX_SKIPPED.div_ceil(64)];
    let mut depth = 0;
    let mut in_object = false;
    loop {
        if in_object {
            at = key_end(bytes, at)?;
        }
        match bytes.get(at) {
            Some(b'"') => at = string_end(bytes, at)?,
            Some(open @ (b'{' | b'[')) => {
                let is_object = *open == b'{';
                let first = past_space(bytes, at + 1);
                let opens = match (bytes.get(first), is_object) {
                    (Some(b'"'), true) => true,
                    (Some(b'}'), true) | (Some(b']'), false) => false,
                    (Some(_), true) => return broken(What::NoKey, first),
                    (None, true) => return broken(What::ObjectEnds, first),
                    (Some(_), false) => true,
                    (None, false) => return broken(What::ListEnds, first),
                };
                at = first;
                if opens {
                    if depth > MAX_SKIPPED - 1 {
                        let value = if is_object { key_end(bytes, at)? } else { at };
                        return broken(What::TooDeep, value);
                    }
                    let (word, bit) = (&mut around[depth / 64], 1u64 << (depth % 64));
                    *word = if in_object { *word | bit } else { *word & !bit };
                    depth += 1;
                    in_object = is_object;
                    continue;
                }
                at += 1;
            }
            _ => at = scalar_end(bytes, at)?,
        }
        // Behind a value: another one follows, or what it stands in ends.
        loop {
            let Some(outer) = depth.checked_sub(1) else { return Ok(at) };
            at = past_space(bytes, at);
            match (bytes.get(at), in_object) {
                (Some(b','), true) => {
                    at = past_space(bytes, at + 1);
                    match bytes.get(at) {
                        Some(b'"') => break,
                        Some(b'}') => return broken(What::TrailingComma, at),
                        Some(_) => return broken(What::NoKey, at),
                        None => return broken(What::ValueEnds, at),
                    }
                }
                (Some(b','), false) => {
                    at = past_space(bytes, at + 1);
                    match bytes.get(at) {
                        Some(b']') => return broken(What::TrailingComma, at),
                        _ => break,
                    }
                }
                (Some(b'}'), true) | (Some(b']'), false) => {
                    at += 1;
                    depth = outer;
                    in_object = around[depth / 64] >> (depth % 64) & 1 == 1;
                }
                (Some(_), true) => return broken(What::NoCommaInObject, at),
                (Some(_), false) => return broken(What::NoCommaInList, at),
                (None, true) => return broken(What::ObjectEnds, at),
                (None, false) => return broken(What::ListEnds, at),
            }
        }
    }
}

/// The value behind the key that begins at `at`, and the colon behind that.
#[inline(always)]
fn key_end(bytes: &[u8], at: usize) -> Result<usize, Broken> {
    let at = past_colon(bytes, string_end(bytes, at)?)?;
    let at = past_space(bytes, at);
    if at == bytes.len() { broken(What::ValueEnds, at) } else { Ok(at) }
}

/// Behind the colon that follows a key.
#[inline(always)]
pub(crate) fn past_colon(bytes: &[u8], at: usize) -> Result<usize, Broken> {
    let at = past_space(bytes, at);
    match bytes.get(at) {
        Some(b':') => Ok(at + 1),
        Some(_) => broken(What::NoColon, at),
        None => broken(What::ObjectEnds, at),
    }
}

/// Behind a value that is neither text nor list nor object.
#[inline(always)]
fn scalar_end(bytes: &[u8], at: usize) -> Result<usize, Broken> {
    match bytes.get(at) {
        Some(b'-' | b'0'..=b'9') => number_end(bytes, at),
        Some(b't') => word_end(bytes, at, b"true"),
        Some(b'f') => word_end(bytes, at, b"false"),
        Some(b'n') => word_end(bytes, at, b"null"),
        Some(_) => broken(What::NoValue, at),
        None => broken(What::ValueEnds, at),
    }
}

/// Behind a word that begins as `word` does.
#[inline(always)]
pub(crate) fn word_end(bytes: &[u8], at: usize, word: &[u8]) -> Result<usize, Broken> {
    match bytes.get(at..at + word.len()) {
        Some(found) if found == word => Ok(at + word.len()),
        _ => wrong_word(bytes, at, word),
    }
}

#[cold]
fn wrong_word(bytes: &[u8], at: usize, word: &[u8]) -> Result<usize, Broken> {
    let same = bytes[at..].iter().zip(word).take_while(|(found, expected)| found == expected).count();
    let what = if at + same == bytes.len() { What::ValueEnds } else { What::NoIdent };
    broken(what, at + same)
}

/// Behind the number that begins at `at`.
#[inline(always)]
pub(crate) fn number_end(bytes: &[u8], at: usize) -> Result<usize, Broken> {
    let start = match bytes.get(at) {
        Some(b'-') => at + 1,
        _ => at,
    };
    let end = match bytes.get(start) {
        Some(b'0') => match bytes.get(start + 1) {
            Some(b'0'..=b'9') => return broken(What::Number, start + 1),
            _ => start + 1,
        },
        Some(b'1'..=b'9') => digits_end(bytes, start + 1),
        Some(_) => return broken(What::Number, start),
        None => return broken(What::ValueEnds, start),
    };
    if end - start > MAX_WHOLE {
        return broken(What::NumberTooLong, start + MAX_WHOLE + 1);
    }
    match bytes.get(end) {
        Some(b'.' | b'e' | b'E') => fraction_end(bytes, end),
        _ => Ok(end),
    }
}

/// Behind a number's decimals and exponent, which begin at `at`.
fn fraction_end(bytes: &[u8], mut at: usize) -> Result<usize, Broken> {
    if bytes.get(at) == Some(&b'.') {
        at = some_digits_end(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        at = some_digits_end(bytes, at + 1 + sign)?;
    }
    Ok(at)
}

/// Behind one digit or more.
#[inline(always)]
fn some_digits_end(bytes: &[u8], at: usize) -> Result<usize, Broken> {
    match bytes.get(at) {
        Some(b'0'..=b'9') => Ok(digits_end(bytes, at + 1)),
        Some(_) => broken(What::Number, at),
        None => broken(What::ValueEnds, at),
    }
}

/// Behind any digits.
#[inline(always)]
fn digits_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b'0'..=b'9') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Behind the text whose quote is at `at`.
#[inline(always)]
pub(crate) fn string_end(bytes: &[u8], at: usize) -> Result<usize, Broken> {
    let mut at = plain_end(bytes, at + 1);
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at = plain_end(bytes, escape(bytes, at)?.1),
            Some(_) => return broken(What::Control, at),
            None => return broken(What::StringEnds, at),
        }
    }
}

/// The first byte from `at` on that cannot stand in a text for itself: a quote, a backslash or a control character.
#[inline(always)]
pub(crate) fn plain_end(bytes: &[u8], at: usize) -> usize {
    // Most texts, and nearly all keys, end within three words.
    let Some(words) = bytes.get(at..).and_then(<[u8]>::first_chunk::<24>) else { return long_plain_end(bytes, at) };
    let (words, _) = words.as_chunks();
    let mut before = at;
    for word in words {
        let found = special(u64::from_le_bytes(*word));
        if found != 0 {
            return before + found.trailing_zeros() as usize / 8;
        }
        before += 8;
    }
    long_plain_end(bytes, before)
}

/// The same for texts that go on.
#[inline(never)]
fn long_plain_end(bytes: &[u8], at: usize) -> usize {
    let mut rest = bytes.get(at..).unwrap_or_default();
    let mut words = 0;
    while let Some((word, behind)) = rest.split_first_chunk() {
        let found = special(u64::from_le_bytes(*word));
        if found != 0 {
            return bytes.len() - rest.len() + found.trailing_zeros() as usize / 8;
        }
        rest = behind;
        words += 1;
        if words == 6 {
            rest = past_plain_blocks(rest);
        }
    }
    bytes.len() - rest.len() + rest.iter().position(|byte| !is_plain(*byte)).unwrap_or(rest.len())
}

const fn is_plain(byte: u8) -> bool {
    byte >= b' ' && byte != b'"' && byte != b'\\'
}

/// The highest bit of each byte that is not plain, of eight. Above the lowest one that is set there may be others, by a
/// borrow ([bit twiddling]).
///
/// [bit twiddling]: https://graphics.stanford.edu/~seander/bithacks.html#HasLessInWord
#[inline(always)]
const fn special(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let control = word.wrapping_sub(EACH * b' ' as u64);
    let quote = (word ^ (EACH * b'"' as u64)).wrapping_sub(EACH);
    let backslash = (word ^ (EACH * b'\\' as u64)).wrapping_sub(EACH);
    (control | quote | backslash) & !word & (EACH * 0x80)
}

/// What follows behind as many whole blocks of plain bytes as there are.
#[inline(always)]
fn past_plain_blocks(bytes: &[u8]) -> &[u8] {
    // Without a way out in the middle, a compiler makes vector instructions of it: less than one for a byte.
    let is_special = |byte: u8| u8::from(byte < b' ') | u8::from(byte == b'"') | u8::from(byte == b'\\');
    let (blocks, _) = bytes.as_chunks::<64>();
    let plain = blocks.iter().take_while(|block| block.iter().fold(0, |found, byte| found | is_special(*byte)) == 0);
    bytes.get(64 * plain.count()..).unwrap_or_default()
}

/// The character that the escape at `at` stands for, and behind it.
#[inline(always)]
pub(crate) fn escape(bytes: &[u8], at: usize) -> Result<(char, usize), Broken> {
    let character = match bytes.get(at + 1) {
        Some(byte @ (b'"' | b'\\' | b'/')) => char::from(*byte),
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return code_point(bytes, at + 2),
        Some(_) => return broken(What::Escape, at + 1),
        None => return broken(What::StringEnds, at + 1),
    };
    Ok((character, at + 2))
}

/// The character of the four hexadecimal digits at `at`, or of those and another escape behind them, and behind it.
fn code_point(bytes: &[u8], at: usize) -> Result<(char, usize), Broken> {
    let first = four_digits(bytes, at)?;
    let at = at + 4;
    let code = match first {
        0xdc00..=0xdfff => return broken(What::LoneSurrogate, at - 1),
        0xd800..=0xdbff => {
            match (bytes.get(at), bytes.get(at + 1)) {
                (Some(b'\\'), Some(b'u')) => {}
                (Some(b'\\') | None, None) | (None, Some(_)) => return broken(What::StringEnds, bytes.len()),
                (Some(b'\\'), Some(_)) => return broken(What::HalfSurrogate, at + 1),
                (Some(_), _) => return broken(What::HalfSurrogate, at),
            }
            let second = four_digits(bytes, at + 2)?;
            if !(0xdc00..=0xdfff).contains(&second) {
                return broken(What::LoneSurrogate, at + 5);
            }
            let code = ((first - 0xd800) << 10 | (second - 0xdc00)) + 0x1_0000;
            return char::from_u32(code).map_or_else(|| broken(What::Escape, at), |found| Ok((found, at + 6)));
        }
        code => code,
    };
    char::from_u32(code).map_or_else(|| broken(What::Escape, at), |found| Ok((found, at)))
}

fn four_digits(bytes: &[u8], at: usize) -> Result<u32, Broken> {
    let Some(digits) = bytes.get(at..at + 4) else { return broken(What::StringEnds, bytes.len()) };
    let mut value = 0;
    for (number, digit) in digits.iter().enumerate() {
        let Some(digit) = char::from(*digit).to_digit(16) else { return broken(What::Escape, at + number) };
        value = value << 4 | digit;
    }
    Ok(value)
}
