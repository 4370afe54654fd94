//! A pull reader of JSON text: whoever reads asks for what it needs, and skips the rest.

use crate::scan::{self, Broken, Type, What, broken};
use std::borrow::Cow;

/// A reader that stands at a place in a JSON text.
///
/// Texts and keys are the JSON text's own, unless an escape stands in them; numbers are their digits.
#[derive(Clone, Debug)]
pub struct Reader<'t> {
    text: &'t str,
    at: usize,
}

/// The byte that a value begins with: it tells the value's type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Start(u8);

impl Start {
    /// `null`
    pub const NULL: Start = Start(b'n');
    /// `true`
    pub const TRUE: Start = Start(b't');
    /// `false`
    pub const FALSE: Start = Start(b'f');
    /// A text.
    pub const STRING: Start = Start(b'"');
    /// A list.
    pub const ARRAY: Start = Start(b'[');
    /// An object.
    pub const OBJECT: Start = Start(b'{');

    /// Whether it is a number.
    pub const fn is_number(self) -> bool {
        matches!(self.0, b'-' | b'0'..=b'9')
    }
}

impl<'t> Reader<'t> {
    /// A reader at the beginning of a text.
    pub const fn new(text: &'t str) -> Reader<'t> {
        Reader { text, at: 0 }
    }

    /// A reader at a byte of a text.
    pub const fn at_byte(text: &'t str, at: usize) -> Reader<'t> {
        Reader { text, at }
    }

    const fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    /// The text between two places. What the reader goes by is ASCII, so no character is cut.
    #[inline]
    fn part(&self, from: usize, to: usize) -> &'t str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// Where the reader stands: at this byte.
    #[inline]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// The text from a place to where the reader stands.
    #[inline]
    pub fn since(&self, start: usize) -> &'t str {
        self.part(start, self.at)
    }

    /// Goes past a text where just that stands here; whether it does.
    #[inline]
    pub fn take(&mut self, text: &str) -> bool {
        let stands_here = self.bytes().get(self.at..).is_some_and(|rest| rest.starts_with(text.as_bytes()));
        self.at += if stands_here { text.len() } else { 0 };
        stands_here
    }

    /// What the next value begins with, behind white space.
    ///
    /// # Errors
    ///
    /// When there is none.
    #[inline]
    pub fn peek(&mut self) -> Result<Start, Broken> {
        self.at = scan::past_space(self.bytes(), self.at);
        match self.bytes().get(self.at) {
            Some(byte) => Ok(Start(*byte)),
            None => broken(What::ValueEnds, self.at),
        }
    }

    /// Skips the value that begins with `start`.
    ///
    /// # Errors
    ///
    /// When it is no JSON.
    #[inline]
    pub fn skip(&mut self, start: Start) -> Result<(), Broken> {
        debug_assert_eq!(self.bytes().get(self.at), Some(&start.0));
        self.at = scan::value_end(self.bytes(), self.at)?;
        Ok(())
    }

    /// Skips the next value.
    ///
    /// # Errors
    ///
    /// When it is no JSON.
    #[inline]
    pub fn skip_next(&mut self) -> Result<(), Broken> {
        let start = self.peek()?;
        self.skip(start)
    }

    /// Reads the `null` that begins here.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn null(&mut self) -> Result<(), Broken> {
        self.at = scan::word_end(self.bytes(), self.at, b"null")?;
        Ok(())
    }

    /// Reads the truth value that begins with `start`.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn bool(&mut self, start: Start) -> Result<bool, Broken> {
        let word: &[u8] = match start {
            Start::TRUE => b"true",
            Start::FALSE => b"false",
            other => return self.wrong(Type::Bool, other),
        };
        self.at = scan::word_end(self.bytes(), self.at, word)?;
        Ok(start == Start::TRUE)
    }

    /// The digits of the number that begins with `start`.
    ///
    /// # Errors
    ///
    /// When it is no number, or one of more than 4,300 digits.
    #[inline]
    pub fn number(&mut self, start: Start) -> Result<&'t str, Broken> {
        if !start.is_number() {
            return self.wrong(Type::Float, start);
        }
        let from = self.at;
        self.at = scan::number_end(self.bytes(), from)?;
        Ok(self.since(from))
    }

    /// Reads the text that begins here.
    ///
    /// # Errors
    ///
    /// When it does not end, or with a wrong escape or a control character.
    #[inline]
    pub fn string(&mut self) -> Result<Cow<'t, str>, Broken> {
        let from = self.at + 1;
        let end = scan::plain_end(self.bytes(), from);
        match self.bytes().get(end) {
            Some(b'"') => {
                self.at = end + 1;
                Ok(Cow::Borrowed(self.part(from, end)))
            }
            _ => self.string_with_escapes(from, end).map(Cow::Owned),
        }
    }

    /// Reads a text whose first character that does not stand for itself is at `end`.
    #[inline(never)]
    fn string_with_escapes(&mut self, mut from: usize, mut end: usize) -> Result<String, Broken> {
        let mut text = String::new();
        loop {
            match self.bytes().get(end) {
                Some(b'"') => {
                    text.push_str(self.part(from, end));
                    self.at = end + 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    text.push_str(self.part(from, end));
                    let (character, behind) = scan::escape(self.bytes(), end)?;
                    text.push(character);
                    (from, end) = (behind, scan::plain_end(self.bytes(), behind));
                }
                Some(_) => return broken(What::Control, end),
                None => return broken(What::StringEnds, end),
            }
        }
    }

    /// Reads the next value, a text.
    ///
    /// # Errors
    ///
    /// As [`Reader::string`], and when it is none.
    #[inline]
    pub fn next_string(&mut self) -> Result<Cow<'t, str>, Broken> {
        match self.peek()? {
            Start::STRING => self.string(),
            other => self.wrong(Type::String, other),
        }
    }

    /// Reads the next value, a truth value.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn next_bool(&mut self) -> Result<bool, Broken> {
        let start = self.peek()?;
        self.bool(start)
    }

    /// Goes into the list that is the next value: what its first element begins with; nothing where it is empty.
    ///
    /// # Errors
    ///
    /// When it is no list.
    #[inline]
    pub fn next_array(&mut self) -> Result<Option<Start>, Broken> {
        match self.peek()? {
            Start::ARRAY => self.array(),
            other => self.wrong(Type::Array, other),
        }
    }

    /// Goes into the list that begins here.
    ///
    /// # Errors
    ///
    /// When the text ends.
    pub fn array(&mut self) -> Result<Option<Start>, Broken> {
        self.at = scan::past_space(self.bytes(), self.at + 1);
        match self.bytes().get(self.at) {
            Some(b']') => {
                self.at += 1;
                Ok(None)
            }
            Some(byte) => Ok(Some(Start(*byte))),
            None => broken(What::ListEnds, self.at),
        }
    }

    /// What the next element of a list begins with, behind an element; nothing where the list ends.
    ///
    /// # Errors
    ///
    /// When it neither goes on nor ends.
    #[inline]
    pub fn next_element(&mut self) -> Result<Option<Start>, Broken> {
        self.at = scan::past_space(self.bytes(), self.at);
        match self.bytes().get(self.at) {
            Some(b',') => {
                self.at += 1;
                match self.peek()? {
                    Start(b']') => broken(What::TrailingComma, self.at),
                    start => Ok(Some(start)),
                }
            }
            Some(b']') => {
                self.at += 1;
                Ok(None)
            }
            Some(_) => broken(What::NoCommaInList, self.at),
            None => broken(What::ListEnds, self.at),
        }
    }

    /// Goes into the object that is the next value: its first key, nothing where it is empty.
    ///
    /// # Errors
    ///
    /// When it is no object, or begins with no key.
    #[inline]
    pub fn next_object(&mut self) -> Result<Option<Cow<'t, str>>, Broken> {
        match self.peek()? {
            Start::OBJECT => self.object(),
            other => self.wrong(Type::Object, other),
        }
    }

    /// Goes into the object that begins here.
    ///
    /// # Errors
    ///
    /// When it begins with no key.
    #[inline]
    pub fn object(&mut self) -> Result<Option<Cow<'t, str>>, Broken> {
        self.at = scan::past_space(self.bytes(), self.at + 1);
        match self.bytes().get(self.at) {
            Some(b'"') => self.key().map(Some),
            Some(b'}') => {
                self.at += 1;
                Ok(None)
            }
            Some(_) => broken(What::NoKey, self.at),
            None => broken(What::ObjectEnds, self.at),
        }
    }

    /// The next key of an object, behind a value; nothing where the object ends.
    ///
    /// # Errors
    ///
    /// When it neither goes on nor ends.
    #[inline]
    pub fn next_key(&mut self) -> Result<Option<Cow<'t, str>>, Broken> {
        self.at = scan::past_space(self.bytes(), self.at);
        match self.bytes().get(self.at) {
            Some(b',') => {
                self.at = scan::past_space(self.bytes(), self.at + 1);
                match self.bytes().get(self.at) {
                    Some(b'"') => self.key().map(Some),
                    Some(b'}') => broken(What::TrailingComma, self.at),
                    Some(_) => broken(What::NoKey, self.at),
                    None => broken(What::ValueEnds, self.at),
                }
            }
            Some(b'}') => {
                self.at += 1;
                Ok(None)
            }
            Some(_) => broken(What::NoCommaInObject, self.at),
            None => broken(What::ObjectEnds, self.at),
        }
    }

    /// A key and its colon.
    #[inline]
    fn key(&mut self) -> Result<Cow<'t, str>, Broken> {
        let key = self.string()?;
        self.at = scan::past_colon(self.bytes(), self.at)?;
        Ok(key)
    }

    /// The end of the text.
    ///
    /// # Errors
    ///
    /// When anything but white space follows.
    pub fn finish(&mut self) -> Result<(), Broken> {
        self.at = scan::past_space(self.bytes(), self.at);
        if self.at == self.text.len() { Ok(()) } else { broken(What::Trailing, self.at) }
    }

    /// Why the value that begins with `start` is not of the type that was expected.
    #[cold]
    fn wrong<T>(&self, expected: Type, start: Start) -> Result<T, Broken> {
        let found = match start {
            Start::NULL => Type::Null,
            Start::TRUE | Start::FALSE => Type::Bool,
            Start::STRING => Type::String,
            Start::ARRAY => Type::Array,
            Start::OBJECT => Type::Object,
            start if start.is_number() => {
                let end = scan::number_end(self.bytes(), self.at)?;
                match self.part(self.at, end).contains(['.', 'e', 'E']) {
                    true => Type::Float,
                    false => Type::Int,
                }
            }
            _ => return broken(What::NoValue, self.at),
        };
        broken(What::Wrong(expected, found), self.at)
    }
}
