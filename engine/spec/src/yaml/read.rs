//! A serde deserializer over the tree of a file that finds everything at once.
//!
//! serde's derived code stops at its first error. [`read`] therefore runs it again and again: a run that fails leaves
//! its finding, and the node it failed on is left out of the next run, until a run ends well or has nothing left to leave
//! out. Files are small, so the runs cost nothing that a person could notice.

use super::node::{Content, Key, Node, describe};
use super::scalar::Scalar;
use crate::diagnostic::{Code, Diagnostic, Source};
use crate::literal;
use crate::{Span, span, suggest};
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
    let state = State { left_out: RefCell::default(), unknown: RefCell::default() };
    let mut findings: Vec<Diagnostic> = Vec::new();
    let result = loop {
        let error = match T::deserialize(Reader { node: root, state: &state, top: true }) {
            Ok(value) => break Some(value),
            Err(error) => error,
        };
        let (span, id) = error.place.unwrap_or((root.span, root.id));
        if !state.follows(root, id, &error) {
            let span = if error.missing_key.is_some() { first_line(span, &source.text) } else { span };
            let mut finding = Diagnostic::error(error.code, source, span, error.message);
            finding.help = error.help;
            findings.push(finding);
        }
        if id == root.id || findings.len() >= MAX_FINDINGS || !state.left_out.borrow_mut().insert(id) {
            break None;
        }
    };
    for unknown in state.unknown.into_inner() {
        let mut finding = Diagnostic::error(Code::UnknownKey, source, unknown.span, unknown.message);
        finding.help = unknown.help;
        findings.push(finding);
    }
    match result {
        Some(value) if findings.is_empty() => Ok(value),
        _ => {
            findings.sort_by_key(|finding| finding.span.start);
            Err(findings)
        }
    }
}

/// What the runs over one file share.
struct State {
    /// The nodes that an earlier run failed on.
    left_out: RefCell<HashSet<usize>>,
    /// Keys that no type takes; each is found in every run, and kept once.
    unknown: RefCell<Vec<UnknownKey>>,
}

struct UnknownKey {
    span: Span,
    /// The map that has it.
    map: usize,
    /// The key that was probably meant.
    near: Option<&'static str>,
    message: String,
    help: Option<String>,
}

impl State {
    /// Whether an error of the node `id` only follows from what has been found in it: a key that is missing because it is
    /// misspelt or because its value was left out, a form that is none because a part of it was left out.
    fn follows(&self, root: &Node, id: usize, error: &ReadError) -> bool {
        let unknown = self.unknown.borrow();
        let mut inside = unknown.iter().filter(|unknown| unknown.map == id);
        let left_out = |node: &Node| self.left_out.borrow().contains(&node.id);
        let Some(node) = find(root, id) else { return false };
        match (&error.missing_key, &node.content) {
            (Some(key), Content::Map(entries)) => {
                inside.any(|unknown| unknown.near == Some(key.as_str()))
                    || entries.iter().any(|(name, value)| name.text == *key && left_out(value))
            }
            (None, Content::Map(entries)) => {
                inside.next().is_some() || entries.iter().any(|(_, value)| left_out(value))
            }
            (None, Content::List(list)) => list.iter().any(left_out),
            _ => false,
        }
    }
}

/// The node with a number.
fn find(node: &Node, id: usize) -> Option<&Node> {
    if node.id == id {
        return Some(node);
    }
    match &node.content {
        Content::Scalar { .. } => None,
        Content::List(list) => list.iter().find_map(|element| find(element, id)),
        Content::Map(entries) => entries.iter().find_map(|(_, value)| find(value, id)),
    }
}

/// The first line of a span: enough to show where something is missing.
fn first_line(span: Span, text: &str) -> Span {
    let lines = text.get(span.range()).unwrap_or_default();
    Span::new(span.start, span.start + lines.find('\n').unwrap_or(lines.len()))
}

/// Why a run failed.
#[derive(Debug)]
struct ReadError {
    code: Code,
    message: String,
    help: Option<String>,
    /// The span and the id of the node.
    place: Option<(Span, usize)>,
    missing_key: Option<String>,
}

impl ReadError {
    fn new(code: Code, message: impl Into<String>) -> ReadError {
        ReadError { code, message: message.into(), help: None, place: None, missing_key: None }
    }

    fn help(mut self, help: Option<String>) -> ReadError {
        self.help = help;
        self
    }

    /// The error at the innermost node that it passed through.
    fn at(mut self, node: &Node) -> ReadError {
        self.place.get_or_insert((node.span, node.id));
        self
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ReadError {}

impl de::Error for ReadError {
    fn custom<M: fmt::Display>(message: M) -> ReadError {
        // A `help: ` line inside a message of one of our own types becomes the finding's help.
        let text = message.to_string();
        match text.split_once("\nhelp: ") {
            Some((message, help)) => ReadError::new(Code::WrongForm, message).help(Some(help.to_owned())),
            None => ReadError::new(Code::WrongForm, text),
        }
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> ReadError {
        let found = match found {
            de::Unexpected::Unit | de::Unexpected::Option => "nothing".to_owned(),
            de::Unexpected::Str(text) => format!("the text `{text}`"),
            de::Unexpected::Seq => "a list".to_owned(),
            de::Unexpected::Map | de::Unexpected::NewtypeStruct => "a map".to_owned(),
            // The digits of a number come as bytes.
            de::Unexpected::Bytes(digits) => format!("the number {}", String::from_utf8_lossy(digits)),
            other => format!("the {other}"),
        };
        ReadError::new(Code::WrongForm, format!("expected {}, found {found}", in_words(expected)))
    }

    fn missing_field(field: &'static str) -> ReadError {
        let mut error = ReadError::new(Code::MissingKey, format!("the key `{field}` is missing here"));
        error.missing_key = Some(field.to_owned());
        error
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> ReadError {
        let message = match expected {
            [only] => format!("expected `{only}`, found `{variant}`"),
            _ => format!("`{variant}` is none of {}", suggest::list(expected.iter().copied())),
        };
        let near = suggest::nearest(variant, expected.iter().copied());
        ReadError::new(Code::UnknownWord, message).help(near.map(|word| format!("did you mean `{word}`?")))
    }
}

/// What serde's derived code expects, in the words of a file.
fn in_words(expected: &dyn de::Expected) -> String {
    let text = expected.to_string();
    match text.split_once(' ') {
        Some(("struct", name)) => format!("a map: the keys of {}", plain_name(name)),
        _ if matches!(text.as_str(), "u64" | "u32" | "usize") => "a whole number from 0".to_owned(),
        _ => text,
    }
}

/// `TestFile` is `a test file`.
fn plain_name(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    let article = if words.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {words}")
}

/// The deserializer of one node.
struct Reader<'t, 's> {
    node: &'t Node,
    state: &'s State,
    /// Whether the node is the file's top, where `x-…` keys are ignored.
    top: bool,
}

impl<'t> Reader<'t, '_> {
    fn child(&self, node: &'t Node) -> Self {
        Reader { node, state: self.state, top: false }
    }

    fn wrong<T>(&self, visitor: &dyn de::Expected) -> Result<T, ReadError> {
        let message = format!("expected {}, found {}", in_words(visitor), describe(self.node));
        let takes_text =
            ["text", "name"].iter().any(|word| message.split(", found").next().is_some_and(|m| m.contains(word)));
        let help = match &self.node.content {
            Content::Scalar { text, meaning: Scalar::Bool(_) | Scalar::Number(_) | Scalar::BadNumber(_) }
                if takes_text =>
            {
                Some(format!("if a text is meant, put it in quotes: \"{text}\""))
            }
            _ => None,
        };
        Err(ReadError::new(Code::WrongForm, message).help(help).at(self.node))
    }

    fn map<V: Visitor<'t>>(self, fields: Option<&'static [&'static str]>, visitor: V) -> Result<V::Value, ReadError> {
        let Content::Map(entries) = &self.node.content else { return self.wrong(&visitor) };
        let node = self.node;
        let entries = Entries { reader: self, rest: entries.iter(), value: None, fields };
        visitor.visit_map(entries).map_err(|error| error.at(node))
    }
}

macro_rules! as_any {
    ($($method:ident)+) => {
        $(fn $method<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError> {
            self.deserialize_any(visitor)
        })+
    };
}

impl<'t> de::Deserializer<'t> for Reader<'t, '_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError> {
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

    fn deserialize_str<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.content {
            Content::Scalar { text, meaning: Scalar::Text } => {
                visitor.visit_borrowed_str(text).map_err(|error: ReadError| error.at(self.node))
            }
            _ => self.wrong(&"a text"),
        }
    }

    fn deserialize_string<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_seq<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.content {
            Content::List(_) => self.deserialize_any(visitor),
            _ => self.wrong(&"a list"),
        }
    }

    fn deserialize_tuple<V: Visitor<'t>>(self, _: usize, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'t>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.map(None, visitor)
    }

    fn deserialize_struct<V: Visitor<'t>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.map(Some(fields), visitor)
    }

    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_some(self)
    }

    fn deserialize_unit_struct<V: Visitor<'t>>(self, _: &'static str, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(self, name: &'static str, visitor: V) -> Result<V::Value, ReadError> {
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
    ) -> Result<V::Value, ReadError> {
        match &self.node.content {
            Content::Scalar { text, meaning: Scalar::Text | Scalar::Null } => {
                let word = if text.is_empty() { "null" } else { text };
                visitor.visit_enum(Word(word)).map_err(|error| error.at(self.node))
            }
            _ => self.wrong(&"one word"),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_unit()
    }
}

fn bad_number(text: &str, error: viewfold_value::NumberError) -> ReadError {
    ReadError::new(Code::BadNumber, format!("the number {text}: {error}"))
        .help(Some(format!("if a text is meant, put it in quotes: \"{text}\"")))
}

/// The elements of a list.
struct Elements<'t, 's, 'r> {
    reader: &'r Reader<'t, 's>,
    rest: std::slice::Iter<'t, Node>,
}

impl<'t> SeqAccess<'t> for Elements<'t, '_, '_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'t>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
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
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'t>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        while let Some((key, value)) = self.rest.next() {
            if self.reader.state.left_out.borrow().contains(&value.id) {
                continue;
            }
            if let Some(fields) = self.fields
                && !fields.contains(&key.text.as_str())
            {
                if !(self.reader.top && key.text.starts_with("x-")) {
                    self.unknown(key, fields);
                }
                continue;
            }
            self.value = Some(value);
            return seed.deserialize(KeyReader(key)).map(Some).map_err(|error| error.at(value));
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'t>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        match self.value.take() {
            Some(node) => seed.deserialize(self.reader.child(node)).map_err(|error| error.at(node)),
            None => Err(ReadError::new(Code::WrongForm, "a value without a key")),
        }
    }
}

impl Entries<'_, '_> {
    fn unknown(&self, key: &Key, fields: &'static [&'static str]) {
        let mut unknown = self.reader.state.unknown.borrow_mut();
        if unknown.len() >= MAX_FINDINGS || unknown.iter().any(|other| other.span == key.span) {
            return;
        }
        let near = suggest::nearest(&key.text, fields.iter().copied());
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the keys here are {}", suggest::list(fields.iter().copied())),
        };
        let message = format!("`{}` is no key that this place has", key.text);
        unknown.push(UnknownKey { span: key.span, map: self.reader.node.id, near, message, help: Some(help) });
    }
}

/// The deserializer of a key, which is always text.
struct KeyReader<'t>(&'t Key);

impl<'de> de::Deserializer<'de> for KeyReader<'de> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_borrowed_str(&self.0.text)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
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
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'t>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
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
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'t>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
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
    type Error = ReadError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'t>>(self, seed: V) -> Result<(V::Value, Self), ReadError> {
        let value = seed.deserialize(de::value::BorrowedStrDeserializer::new(self.0))?;
        Ok((value, self))
    }
}

impl<'t> VariantAccess<'t> for Word<'t> {
    type Error = ReadError;

    fn unit_variant(self) -> Result<(), ReadError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'t>>(self, _: T) -> Result<T::Value, ReadError> {
        Err(ReadError::new(Code::WrongForm, format!("`{}` takes a value", self.0)))
    }

    fn tuple_variant<V: Visitor<'t>>(self, _: usize, _: V) -> Result<V::Value, ReadError> {
        Err(ReadError::new(Code::WrongForm, format!("`{}` takes values", self.0)))
    }

    fn struct_variant<V: Visitor<'t>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, ReadError> {
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
                "a:1:1 `nam` is no key that this place has",
                "a:2:8 expected a whole number from 0, found the text `many`",
                "a:3:11 expected a text, found the number 1",
                "a:3:17 expected a text, found a list",
            ]
        );
        assert_eq!(read("count: 1\n").unwrap_err(), ["a:1:1 the key `name` is missing here"]);
        assert_eq!(read("name:\n").unwrap_err(), ["a:1:5 expected a text, found nothing"]);
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
