//! A serde deserializer over the tree of a file that finds everything at once.
//!
//! serde's derived code stops at its first error. [`read`] therefore runs it again and again: a run that fails leaves
//! its finding, and the node it failed on is left out of the next run, until a run ends well or has nothing left to leave
//! out. Files are small, so the runs cost nothing that a person could notice.

use super::found::{Found, Unknown};
use super::node::{Content, Key, Node};
use super::scalar::Scalar;
use crate::diagnostic::{Code, Diagnostic, Source};
use crate::literal;
use crate::span;
use serde::Deserialize;
use serde::de::{self, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor};
use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// More findings than this in one file are not looked for.
const MAX_FINDINGS: usize = 100;

/// Reads a typed value from a tree.
///
/// # Errors
///
/// Every key, word and value of the tree that the type does not take.
pub fn read<'t, T: Deserialize<'t>>(root: &'t Node, source: &Arc<Source>) -> Result<T, Vec<Diagnostic>> {
    match read_most(root, source) {
        (Some(value), findings) if findings.is_empty() => Ok(value),
        (_, findings) => Err(findings),
    }
}

/// Reads what can be read: a value without the parts that its type does not take, where one is left, and every key, word and
/// value that had to be left out.
pub fn read_most<'t, T: Deserialize<'t>>(root: &'t Node, source: &Arc<Source>) -> (Option<T>, Vec<Diagnostic>) {
    let state = State { left_out: RefCell::default(), unknown: RefCell::default() };
    let mut failures: Vec<ReadError<'t>> = Vec::new();
    let result = loop {
        let error = match T::deserialize(Reader { node: root, state: &state, top: true }) {
            Ok(value) => break Some(value),
            Err(error) => error,
        };
        let id = error.node.unwrap_or(root).id;
        failures.push(error);
        if id == root.id || failures.len() >= MAX_FINDINGS || !state.left_out.borrow_mut().insert(id) {
            break None;
        }
    };
    let State { left_out, unknown } = state;
    let found = Found { root, source, failures, unknown: unknown.into_inner(), left_out: left_out.into_inner() };
    (result, found.findings())
}

/// What the runs over one file share.
struct State<'t> {
    /// The nodes that an earlier run failed on.
    left_out: RefCell<HashSet<usize>>,
    /// Keys that no type takes; each is found in every run, and kept once.
    unknown: RefCell<Vec<Unknown<'t>>>,
}

/// Why a run failed.
#[derive(Debug)]
pub(super) struct ReadError<'t> {
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) help: Option<String>,
    /// The node that it failed on.
    pub(super) node: Option<&'t Node>,
    pub(super) missing_key: Option<&'static str>,
    /// What was expected, where the node has another form.
    pub(super) expected: Option<Box<str>>,
    /// The word that is none of those that are taken.
    pub(super) word: Option<Box<(String, &'static [&'static str])>>,
}

impl<'t> ReadError<'t> {
    fn new(code: Code, message: impl Into<String>) -> Self {
        let message = message.into();
        ReadError { code, message, help: None, node: None, missing_key: None, expected: None, word: None }
    }

    fn help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    /// The error at the innermost node that it passed through.
    fn at(mut self, node: &'t Node) -> Self {
        self.node.get_or_insert(node);
        self
    }
}

impl fmt::Display for ReadError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ReadError<'_> {}

impl de::Error for ReadError<'_> {
    fn custom<M: fmt::Display>(message: M) -> Self {
        // A `help: ` line inside a message of one of our own types becomes the finding's help.
        let text = message.to_string();
        match text.split_once("\nhelp: ") {
            Some((message, help)) => ReadError::new(Code::WrongForm, message).help(Some(help.to_owned())),
            None => ReadError::new(Code::WrongForm, text),
        }
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        ReadError::of_form(expected)
    }

    fn missing_field(field: &'static str) -> Self {
        let mut error = ReadError::new(Code::MissingKey, format!("the key `{field}` is missing here"));
        error.missing_key = Some(field);
        error
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let mut error = ReadError::new(Code::UnknownWord, String::new());
        error.word = Some(Box::new((variant.to_owned(), expected)));
        error
    }
}

impl ReadError<'_> {
    fn of_form(expected: &dyn de::Expected) -> Self {
        let mut error = ReadError::new(Code::WrongForm, String::new());
        error.expected = Some(in_words(expected).into());
        error
    }
}

/// What serde's derived code expects, in the words of a file.
fn in_words(expected: &dyn de::Expected) -> String {
    let text = expected.to_string();
    match text.as_str() {
        "u64" | "u32" | "usize" => "a whole number from 0".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        text if text.starts_with("struct ") => "a map".to_owned(),
        _ => text,
    }
}

/// The deserializer of one node.
struct Reader<'t, 's> {
    node: &'t Node,
    state: &'s State<'t>,
    /// Whether the node is the file's top, where `x-…` keys are ignored.
    top: bool,
}

impl<'t> Reader<'t, '_> {
    fn child(&self, node: &'t Node) -> Self {
        Reader { node, state: self.state, top: false }
    }

    fn wrong<T>(&self, expected: &dyn de::Expected) -> Result<T, ReadError<'t>> {
        Err(ReadError::of_form(expected).at(self.node))
    }

    fn map<V: Visitor<'t>>(
        self,
        fields: Option<&'static [&'static str]>,
        visitor: V,
    ) -> Result<V::Value, ReadError<'t>> {
        let Content::Map(entries) = &self.node.content else { return self.wrong(&visitor) };
        let node = self.node;
        let entries = Entries { reader: self, rest: entries.iter(), value: None, fields };
        visitor.visit_map(entries).map_err(|error| error.at(node))
    }
}

macro_rules! as_any {
    ($($method:ident)+) => {
        $(fn $method<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError<'t>> {
            self.deserialize_any(visitor)
        })+
    };
}

impl<'t> de::Deserializer<'t> for Reader<'t, '_> {
    type Error = ReadError<'t>;

    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError<'t>> {
        let node = self.node;
        match &node.content {
            Content::List(list) => {
                let elements = Elements { reader: &self, rest: list.iter() };
                visitor.visit_seq(elements).map_err(|error| error.at(node))
            }
            Content::Map(_) => self.map(None, visitor),
            Content::Scalar { text, meaning } => match meaning {
                Scalar::Null => visitor.visit_unit(),
                Scalar::Bool(value) => visitor.visit_bool(*value),
                Scalar::Text => visitor.visit_borrowed_str(text),
                Scalar::BadNumber(error) => Err(bad_number(text, *error)),
                Scalar::Number(_) => match text.parse::<u64>() {
                    Ok(number) => visitor.visit_u64(number),
                    Err(_) => return self.wrong(&visitor),
                },
            }
            .map_err(|error| error.at(node)),
        }
    }

    as_any! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64
        deserialize_bytes deserialize_byte_buf deserialize_unit deserialize_char
    }

    fn deserialize_str<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError<'t>> {
        match &self.node.content {
            Content::Scalar { text, meaning: Scalar::Text } => {
                visitor.visit_borrowed_str(text).map_err(|error: ReadError<'t>| error.at(self.node))
            }
            _ => self.wrong(&"a text"),
        }
    }

    fn deserialize_string<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError<'t>> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError<'t>> {
        self.deserialize_str(visitor)
    }

    fn deserialize_seq<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError<'t>> {
        match &self.node.content {
            Content::List(_) => self.deserialize_any(visitor),
            _ => self.wrong(&"a list"),
        }
    }

    fn deserialize_tuple<V: Visitor<'t>>(self, _: usize, visitor: V) -> Result<V::Value, ReadError<'t>> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'t>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, ReadError<'t>> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError<'t>> {
        self.map(None, visitor)
    }

    fn deserialize_struct<V: Visitor<'t>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError<'t>> {
        self.map(Some(fields), visitor)
    }

    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError<'t>> {
        visitor.visit_some(self)
    }

    fn deserialize_unit_struct<V: Visitor<'t>>(self, _: &'static str, visitor: V) -> Result<V::Value, ReadError<'t>> {
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError<'t>> {
        let node = self.node;
        match name {
            span::SPANNED => visitor.visit_seq(SpannedParts { reader: self, next: 0 }),
            // A map is read as a struct, with its fields known; every other form as what it is.
            literal::FORM if matches!(node.content, Content::Map(_)) => visitor.visit_newtype_struct(self),
            literal::SCALAR | literal::FORM => match &node.content {
                Content::Scalar { meaning: Scalar::BadNumber(error), text } => Err(bad_number(text, *error)),
                // No value of a file is bytes: they stand for a number's digits here.
                Content::Scalar { meaning: Scalar::Number(number), .. } => {
                    visitor.visit_bytes(number.to_string().as_bytes())
                }
                _ => self.deserialize_any(visitor),
            },
            _ => visitor.visit_newtype_struct(self),
        }
        .map_err(|error| error.at(node))
    }

    fn deserialize_enum<V: Visitor<'t>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError<'t>> {
        match &self.node.content {
            Content::Scalar { text, meaning: Scalar::Text | Scalar::Null } => {
                let word = if text.is_empty() { "null" } else { text };
                visitor.visit_enum(Word(word)).map_err(|error| error.at(self.node))
            }
            _ => self.wrong(&"one word"),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError<'t>> {
        visitor.visit_unit()
    }
}

fn bad_number<'t>(text: &str, error: viewfold_value::NumberError) -> ReadError<'t> {
    ReadError::new(Code::BadNumber, format!("the number {text}: {error}"))
        .help(Some(format!("if a text is meant, put it in quotes: \"{text}\"")))
}

/// The elements of a list.
struct Elements<'t, 's, 'r> {
    reader: &'r Reader<'t, 's>,
    rest: std::slice::Iter<'t, Node>,
}

impl<'t> SeqAccess<'t> for Elements<'t, '_, '_> {
    type Error = ReadError<'t>;

    fn next_element_seed<T: DeserializeSeed<'t>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError<'t>> {
        let left_out = self.reader.state.left_out.borrow();
        let node = self.rest.find(|node| !left_out.contains(&node.id));
        drop(left_out);
        node.map(|node| seed.deserialize(self.reader.child(node)).map_err(|error| error.at(node))).transpose()
    }
}

/// The entries of a map; of a struct when `fields` are known.
struct Entries<'t, 's> {
    reader: Reader<'t, 's>,
    rest: std::slice::Iter<'t, (Key, Node)>,
    value: Option<&'t Node>,
    fields: Option<&'static [&'static str]>,
}

impl<'t> MapAccess<'t> for Entries<'t, '_> {
    type Error = ReadError<'t>;

    fn next_key_seed<K: DeserializeSeed<'t>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError<'t>> {
        for (key, value) in self.rest.by_ref() {
            if self.reader.state.left_out.borrow().contains(&value.id) {
                continue;
            }
            if let Some(fields) = self.fields
                && !fields.contains(&key.text.as_str())
            {
                let mut unknown = self.reader.state.unknown.borrow_mut();
                let told = unknown.len() >= MAX_FINDINGS || unknown.iter().any(|other| other.key.span == key.span);
                if !(told || self.reader.top && key.text.starts_with("x-")) {
                    unknown.push(Unknown { key, value, map: self.reader.node, fields });
                }
                continue;
            }
            self.value = Some(value);
            return seed.deserialize(KeyReader(key)).map(Some).map_err(|error| error.at(value));
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'t>>(&mut self, seed: V) -> Result<V::Value, ReadError<'t>> {
        match self.value.take() {
            Some(node) => seed.deserialize(self.reader.child(node)).map_err(|error| error.at(node)),
            None => Err(ReadError::new(Code::WrongForm, "a value without a key")),
        }
    }
}

/// The deserializer of a key, which is always text.
struct KeyReader<'t>(&'t Key);

impl<'de> de::Deserializer<'de> for KeyReader<'de> {
    type Error = ReadError<'de>;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError<'de>> {
        visitor.visit_borrowed_str(&self.0.text)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError<'de>> {
        match name {
            span::SPANNED => visitor.visit_seq(KeyParts { key: self.0, next: 0 }),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Start, end and value of a [`Spanned`](crate::Spanned).
struct SpannedParts<'t, 's> {
    reader: Reader<'t, 's>,
    next: usize,
}

impl<'t> SeqAccess<'t> for SpannedParts<'t, '_> {
    type Error = ReadError<'t>;

    fn next_element_seed<T: DeserializeSeed<'t>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError<'t>> {
        self.next += 1;
        let span = self.reader.node.span;
        match self.next {
            1 => seed.deserialize(span.start.into_deserializer()).map(Some),
            2 => seed.deserialize(span.end.into_deserializer()).map(Some),
            _ => seed.deserialize(self.reader.child(self.reader.node)).map(Some),
        }
    }
}

/// Start, end and text of a key.
struct KeyParts<'t> {
    key: &'t Key,
    next: usize,
}

impl<'t> SeqAccess<'t> for KeyParts<'t> {
    type Error = ReadError<'t>;

    fn next_element_seed<T: DeserializeSeed<'t>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError<'t>> {
        self.next += 1;
        match self.next {
            1 => seed.deserialize(self.key.span.start.into_deserializer()),
            2 => seed.deserialize(self.key.span.end.into_deserializer()),
            _ => seed.deserialize(KeyReader(self.key)),
        }
        .map(Some)
    }
}

/// A word as the variant of an enum.
struct Word<'t>(&'t str);

impl<'t> EnumAccess<'t> for Word<'t> {
    type Error = ReadError<'t>;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'t>>(self, seed: V) -> Result<(V::Value, Self), ReadError<'t>> {
        let value = seed.deserialize(de::value::BorrowedStrDeserializer::new(self.0))?;
        Ok((value, self))
    }
}

impl<'t> VariantAccess<'t> for Word<'t> {
    type Error = ReadError<'t>;

    fn unit_variant(self) -> Result<(), ReadError<'t>> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'t>>(self, _: T) -> Result<T::Value, ReadError<'t>> {
        Err(ReadError::new(Code::WrongForm, format!("`{}` takes a value", self.0)))
    }

    fn tuple_variant<V: Visitor<'t>>(self, _: usize, _: V) -> Result<V::Value, ReadError<'t>> {
        Err(ReadError::new(Code::WrongForm, format!("`{}` takes values", self.0)))
    }

    fn struct_variant<V: Visitor<'t>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, ReadError<'t>> {
        Err(ReadError::new(Code::WrongForm, format!("`{}` takes a map", self.0)))
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::Source;
    use crate::{Entries, Literal, Spanned};
    use serde::Deserialize;
    use std::sync::Arc;

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "what is read is compared by its Debug form")]
    struct Sample {
        name: Spanned<String>,
        count: Option<u64>,
        values: Option<Entries<Spanned<Literal>>>,
        list: Option<Vec<String>>,
    }

    fn read(text: &str) -> Result<Sample, Vec<String>> {
        let source = Arc::new(Source { name: "a".into(), text: text.into() });
        super::super::node::compose(&source).and_then(|node| super::read(&node, &source)).map_err(|findings| {
            findings.iter().map(|finding| format!("{} {}", finding.place(), finding.message)).collect()
        })
    }

    #[test]
    fn places_and_digits_are_kept() {
        let sample = read("name: 'é'\ncount: 3\nvalues: { on: NO, n: 12345678901234567890.50, x: null }\n").unwrap();
        assert_eq!((sample.name.span.start, sample.name.span.end, sample.name.as_str()), (6, 10, "é"));
        let values = sample.values.unwrap();
        assert_eq!(values.get("on").unwrap().value, Literal::Text("NO".into()));
        assert!(
            matches!(&values.get("n").unwrap().value, Literal::Number(n) if n.to_string() == "12345678901234567890.5")
        );
        assert_eq!(values.get("x").unwrap().value, Literal::Null);
    }

    #[test]
    fn everything_is_found_at_once_and_nothing_that_only_follows() {
        assert_eq!(
            read("nam: x\ncount: many\nlist: [a, 1, b, [c]]\n").unwrap_err(),
            [
                "a:1:1 `nam` is no key of this place",
                "a:2:8 `count` takes a whole number from 0, and this is the text `many`",
                "a:3:11 an entry of `list` takes a text, and this is the number 1",
                "a:3:17 an entry of `list` takes a text, and this is a list",
            ]
        );
        assert_eq!(read("count: 1\n").unwrap_err(), ["a:1:1 the key `name` is missing here"]);
        assert_eq!(read("name:\n").unwrap_err(), ["a:1:5 `name` takes a text, and this is empty"]);
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..10 {
            let before = format!("*a{}, ", level - 1).repeat(10);
            text += &format!("a{level}: &a{level} [{before}]\n");
        }
        let error = read(&text).unwrap_err().remove(0);
        assert!(error.contains("aliases counted each time"), "{error}");
        assert!(read(&format!("name: {}", "[".repeat(100))).is_err());
    }
}
