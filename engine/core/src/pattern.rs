//! Compiled patterns: what `when` asks of a value.
//!
//! Names and meaning are those of EventBridge rules, as [AWS's event-ruler] implements them, over the values that
//! DynamoDB has. A list or a set matches when any of its elements does, lists within lists included; that goes for
//! `anything-but` too: `[a, b]` matches `{anything-but: a}`, because of `b`.
//!
//! Where this differs from event-ruler, and why:
//!
//! - **Maps, and empty lists.** event-ruler takes an event apart into its leaves, so that a map, or a list without
//!   elements, is not there at all: `exists: true` does not match it, `exists: false` does. Here `exists` is whether the
//!   path finds something, which is what a document's attribute would be set to. A map is a value, but no pattern except
//!   `exists`, `type` and `anything-but` can match it. An empty list has no element that could match anything.
//! - **Numbers** are compared to the last digit, not as doubles, and a number's notation never counts. In `numeric`,
//!   the upper bound may come first, and `[">=", 5, "<=", 5]` is 5.
//! - **`anything-but`** takes booleans, null and a mixture of types; event-ruler takes texts or numbers.
//! - **Upper and lower case** are the same character by character, in both directions (Unicode's simple case folding,
//!   near enough): `ß` is `ẞ` but not `ss`, and the Greek `σ` is `ς`. event-ruler compares with the pattern's characters
//!   in upper and lower case, where the pattern `ß` matches `SS`, but the pattern `ss` does not match `ß`.
//! - **Texts** of a pattern are texts. event-ruler reads those that look like an IP address as one, so that an IPv6
//!   address matches all of its notations; there is no `cidr` here either.
//!
//! As there, `prefix`, `suffix`, `wildcard` and `equals-ignore-case` match texts only, so that within `anything-but` they
//! leave every value that is no text; and `\` in a wildcard comes before `*` or `\` and nothing else.
//!
//! [AWS's event-ruler]: https://github.com/aws/event-ruler

use regex::{Regex, RegexBuilder};
use viewfold_value::{Kind, Number, Value};

/// The most memory of a compiled regular expression, in bytes. `\w`, with the letters of all scripts, takes about 50 kB
/// each time: `\w{1,64}` stays below it, `\w{1,100}` does not. `[A-Za-z0-9_]{1,1000}` is no trouble.
const MAX_REGEX_SIZE: usize = 4 << 20;

/// A compiled pattern.
#[derive(Clone, PartialEq, Debug)]
pub enum Test {
    /// The value equals this one.
    Equals(Value),
    /// Any of these.
    AnyOf(Vec<Test>),
    /// There is a value, and none of these holds for it. (For an element of a list: `[a, b]` is anything but `a`.)
    AnythingBut(Vec<Test>),
    /// Whether there is a value.
    Exists(bool),
    /// The value is of this type; of a list, any element is, or the list itself.
    Kind(Kind),
    /// A text that is, or starts or ends with, a given one.
    Text(TextTest),
    /// A text that fits a wildcard.
    Wildcard(Wildcard),
    /// A number within bounds.
    Numeric(NumberRange),
    /// A text in which a regular expression finds something.
    Matches(RegularExpression),
}

impl Test {
    /// Whether the test holds for what a path found; a path that can find many and finds none has found nothing.
    pub fn holds(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Test::Exists(wanted), value) => value.is_some() == *wanted,
            (Test::AnyOf(tests), value) => tests.iter().any(|test| test.holds(value)),
            (_, None) => false,
            (Test::Kind(kind), Some(value)) => has_kind(value, *kind),
            (_, Some(value)) => any_leaf(value, &mut |leaf| self.passes(leaf)),
        }
    }

    /// Whether the test holds for a value that is no list and no set.
    fn passes(&self, leaf: &Value) -> bool {
        match (self, leaf) {
            (Test::Equals(wanted), leaf) => leaf == wanted,
            (Test::AnyOf(tests), leaf) => tests.iter().any(|test| test.passes(leaf)),
            (Test::AnythingBut(tests), leaf) => !tests.iter().any(|test| test.passes(leaf)),
            (Test::Exists(wanted), _) => *wanted,
            (Test::Kind(kind), leaf) => leaf.kind() == *kind,
            (Test::Text(test), Value::String(text)) => test.passes(text),
            (Test::Wildcard(wildcard), Value::String(text)) => wildcard.passes(text),
            (Test::Matches(expression), Value::String(text)) => expression.0.is_match(text),
            (Test::Numeric(range), Value::Number(number)) => range.contains(*number),
            (Test::Text(_) | Test::Wildcard(_) | Test::Matches(_) | Test::Numeric(_), _) => false,
        }
    }

    /// The values one of which the test asks for; nothing for tests that other values could pass too.
    pub(crate) fn values(&self) -> Option<Vec<&Value>> {
        match self {
            Test::Equals(value) => Some(vec![value]),
            Test::AnyOf(tests) => {
                let lists: Option<Vec<Vec<&Value>>> = tests.iter().map(Test::values).collect();
                lists.map(|lists| lists.concat())
            }
            _ => None,
        }
    }

    /// The type that a single value has to have to pass, where the test asks for one.
    fn kind(&self) -> Option<Kind> {
        match self {
            Test::Equals(value) => Some(value.kind()),
            Test::Kind(kind) => Some(*kind),
            Test::Text(_) | Test::Wildcard(_) | Test::Matches(_) => Some(Kind::String),
            Test::Numeric(_) => Some(Kind::Number),
            Test::AnyOf(_) | Test::AnythingBut(_) | Test::Exists(_) => None,
        }
    }

    /// What texts have to start and end with to pass, where the test says so.
    fn affixes(&self) -> Option<Affixes> {
        match self {
            Test::Text(TextTest { part, text, .. }) => {
                let text = folded(text);
                Some(match part {
                    Part::Whole => Affixes { start: text.clone(), end: text, whole: true },
                    Part::Start => Affixes { start: text, end: String::new(), whole: false },
                    Part::End => Affixes { start: String::new(), end: text, whole: false },
                })
            }
            Test::Wildcard(Wildcard { first, rest }) => Some(match rest {
                None => Affixes { start: folded(first), end: folded(first), whole: true },
                Some((_, last)) => Affixes { start: folded(first), end: folded(last), whole: false },
            }),
            _ => None,
        }
    }
}

/// Whether no single value passes both tests; false where that cannot be told.
///
/// (A list or a set can pass both: it is matched element by element. Two rules then meet in one event after all, which
/// is an error of that event.)
pub fn disjoint(a: &Test, b: &Test) -> bool {
    match (a, b) {
        (Test::AnyOf(tests), other) | (other, Test::AnyOf(tests)) => tests.iter().all(|test| disjoint(test, other)),
        (Test::Exists(a), Test::Exists(b)) => a != b,
        (Test::Exists(exists), _) | (_, Test::Exists(exists)) => !exists,
        (Test::Kind(kind), other) | (other, Test::Kind(kind)) => disjoint_kind(*kind, other),
        (Test::Equals(value), other) | (other, Test::Equals(value)) => !other.passes(value),
        (Test::AnythingBut(tests), other) | (other, Test::AnythingBut(tests)) => {
            tests.iter().any(|test| covers(test, other))
        }
        (Test::Numeric(a), Test::Numeric(b)) => a.disjoint(b),
        _ if a.kind() != b.kind() => true,
        _ => match (a.affixes(), b.affixes()) {
            (Some(a), Some(b)) => a.disjoint(&b),
            _ => false,
        },
    }
}

/// Whether no value of a type passes a test. Where lists or sets are asked for by name, what their elements could pass
/// counts as well.
fn disjoint_kind(kind: Kind, test: &Test) -> bool {
    let few: &[Value] = match kind {
        Kind::Null => &[Value::Null],
        Kind::Boolean => &[Value::Bool(false), Value::Bool(true)],
        _ => &[],
    };
    match test.kind() {
        Some(other) => kind != other && !may_hold(kind, other) && !may_hold(other, kind),
        None => !few.is_empty() && !few.iter().any(|value| test.passes(value)),
    }
}

/// Whether a value of one type may have elements of another.
fn may_hold(container: Kind, element: Kind) -> bool {
    match container {
        Kind::List => true,
        Kind::StringSet => element == Kind::String,
        Kind::NumberSet => element == Kind::Number,
        Kind::BinarySet => element == Kind::Binary,
        _ => false,
    }
}

/// Whether all values that pass the second test pass the first, as far as can be told.
fn covers(wide: &Test, narrow: &Test) -> bool {
    if wide == narrow {
        return true;
    }
    let Test::Text(wide) = wide else { return false };
    let (start, end) = match narrow {
        Test::Text(TextTest { part: Part::Start, text, ignore_case: false }) => (text.as_str(), ""),
        Test::Text(TextTest { part: Part::End, text, ignore_case: false }) => ("", text.as_str()),
        Test::Wildcard(Wildcard { first, rest: Some((_, last)) }) => (first.as_str(), last.as_str()),
        _ => return false,
    };
    match wide.part {
        Part::Whole => false,
        Part::Start => wide.passes(start),
        Part::End => wide.passes(end),
    }
}

/// Calls `found` with a value, or with the elements of a list or set, and of lists within it, until it says true; whether
/// it did.
pub(crate) fn any_leaf(value: &Value, found: &mut dyn FnMut(&Value) -> bool) -> bool {
    match value {
        Value::List(list) => list.iter().any(|element| any_leaf(element, found)),
        Value::StringSet(set) => set.iter().any(|text| found(&Value::String(text.clone()))),
        Value::NumberSet(set) => set.iter().any(|number| found(&Value::Number(*number))),
        Value::BinarySet(set) => set.iter().any(|bytes| found(&Value::Binary(bytes.clone()))),
        leaf => found(leaf),
    }
}

fn has_kind(value: &Value, kind: Kind) -> bool {
    value.kind() == kind
        || match value {
            Value::List(list) => list.iter().any(|element| has_kind(element, kind)),
            Value::StringSet(set) => kind == Kind::String && !set.is_empty(),
            Value::NumberSet(set) => kind == Kind::Number && !set.is_empty(),
            Value::BinarySet(set) => kind == Kind::Binary && !set.is_empty(),
            _ => false,
        }
}

/// A part of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The whole text.
    Whole,
    /// Its start.
    Start,
    /// Its end.
    End,
}

/// What a part of a text has to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TextTest {
    part: Part,
    /// In lower case where the case does not count.
    text: String,
    ignore_case: bool,
}

impl TextTest {
    /// The test of a part, letter by letter or in any case.
    pub fn new(part: Part, text: &str, ignore_case: bool) -> TextTest {
        TextTest { part, text: if ignore_case { folded(text) } else { text.to_owned() }, ignore_case }
    }

    /// The part and its text, where every letter counts as it stands.
    pub(crate) fn exactly(&self) -> Option<(Part, &str)> {
        (!self.ignore_case).then_some((self.part, self.text.as_str()))
    }

    fn passes(&self, text: &str) -> bool {
        if !self.ignore_case {
            return match self.part {
                Part::Whole => text == self.text,
                Part::Start => text.starts_with(&self.text),
                Part::End => text.ends_with(&self.text),
            };
        }
        let mut wanted = self.text.chars();
        let mut found = text.chars().map(fold);
        match self.part {
            Part::Whole => wanted.eq(found),
            Part::Start => wanted.all(|c| found.next() == Some(c)),
            Part::End => wanted.rev().all(|c| found.next_back() == Some(c)),
        }
    }
}

/// A character without its case. Never more than one: so texts that are equal but for their case have characters that
/// are, one by one, and every part of them too.
fn fold(c: char) -> char {
    fn single(mut to: impl Iterator<Item = char>, c: char) -> char {
        match (to.next(), to.next()) {
            (Some(only), None) => only,
            _ => c,
        }
    }
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    // By way of the upper case, which characters share that have several lower ones: σ and ς, µ and μ.
    let upper = single(c.to_uppercase(), c);
    single(upper.to_lowercase(), upper)
}

fn folded(text: &str) -> String {
    text.chars().map(fold).collect()
}

/// What texts start and end with, without their case.
struct Affixes {
    start: String,
    end: String,
    /// Whether that is the whole text, start and end being the same.
    whole: bool,
}

impl Affixes {
    fn disjoint(&self, other: &Affixes) -> bool {
        fn fits(a: &Affixes, b: &Affixes) -> bool {
            // What is whole has no room for a longer start or end.
            let start = a.start.starts_with(&b.start) || (!a.whole && b.start.starts_with(&a.start));
            let end = a.end.ends_with(&b.end) || (!a.whole && b.end.ends_with(&a.end));
            start && end
        }
        !fits(self, other) || !fits(other, self)
    }
}

/// A text in which every `*` stands for any characters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wildcard {
    /// What stands before the first `*`, or the whole text.
    first: String,
    /// What stands between the `*`, and behind the last one.
    rest: Option<(Vec<String>, String)>,
}

/// Why a text is no [`Wildcard`], and where in it, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WildcardError {
    /// `**`
    Consecutive(usize),
    /// A `\` that is not before `*` or `\`.
    Escape(usize),
}

impl Wildcard {
    /// Reads a wildcard: `\*` and `\\` are the characters themselves.
    ///
    /// # Errors
    ///
    /// `**`, and a `\` before anything else, as in event-ruler.
    pub fn parse(text: &str) -> Result<Wildcard, WildcardError> {
        let mut pieces = Vec::new();
        let mut piece = String::new();
        let mut characters = text.char_indices().peekable();
        while let Some((at, c)) = characters.next() {
            match (c, characters.peek()) {
                ('*', Some((_, '*'))) => return Err(WildcardError::Consecutive(at)),
                ('*', _) => pieces.push(std::mem::take(&mut piece)),
                ('\\', Some((_, escaped @ ('*' | '\\')))) => {
                    piece.push(*escaped);
                    characters.next();
                }
                ('\\', _) => return Err(WildcardError::Escape(at)),
                (c, _) => piece.push(c),
            }
        }
        let mut pieces = pieces.into_iter();
        Ok(match pieces.next() {
            None => Wildcard { first: piece, rest: None },
            Some(first) => Wildcard { first, rest: Some((pieces.collect(), piece)) },
        })
    }

    /// The text that is the only one to fit, where there is no `*`.
    pub fn literal(&self) -> Option<&str> {
        self.rest.is_none().then_some(self.first.as_str())
    }

    /// What texts that fit start and end with.
    pub(crate) fn ends(&self) -> (&str, &str) {
        let last = self.rest.as_ref().map_or(self.first.as_str(), |(_, last)| last);
        (&self.first, last)
    }

    /// Each piece is taken where it comes first: what is left for the others is then as long as can be, so nothing is
    /// ever tried twice.
    fn passes(&self, text: &str) -> bool {
        let Some((middle, last)) = &self.rest else { return text == self.first };
        let rest = text.strip_prefix(self.first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str()));
        let Some(mut rest) = rest else { return false };
        middle.iter().all(|piece| match rest.find(piece.as_str()) {
            Some(at) => {
                rest = &rest[at + piece.len()..];
                true
            }
            None => false,
        })
    }
}

/// An end of a range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bound {
    /// The number.
    pub number: Number,
    /// Whether the number itself is within.
    pub inclusive: bool,
}

/// The numbers between two bounds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NumberRange {
    lower: Option<Bound>,
    upper: Option<Bound>,
}

impl NumberRange {
    /// The range; nothing when no number is in it.
    pub fn new(lower: Option<Bound>, upper: Option<Bound>) -> Option<NumberRange> {
        let empty = match (lower, upper) {
            (Some(lower), Some(upper)) => {
                lower.number > upper.number || (lower.number == upper.number && !(lower.inclusive && upper.inclusive))
            }
            _ => false,
        };
        (!empty).then_some(NumberRange { lower, upper })
    }

    fn contains(&self, number: Number) -> bool {
        let inside = |bound: Bound, beyond: bool| beyond || (bound.inclusive && bound.number == number);
        self.lower.is_none_or(|bound| inside(bound, number > bound.number))
            && self.upper.is_none_or(|bound| inside(bound, number < bound.number))
    }

    fn disjoint(&self, other: &NumberRange) -> bool {
        // Two ranges share a number unless the one ends before the other begins.
        NumberRange::new(self.lower, other.upper).is_none() || NumberRange::new(other.lower, self.upper).is_none()
    }
}

/// A compiled regular expression. It takes time in step with the text, whatever it is.
#[derive(Clone, Debug)]
pub struct RegularExpression(Regex);

impl PartialEq for RegularExpression {
    fn eq(&self, other: &RegularExpression) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl RegularExpression {
    /// Compiles an expression.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in a few words.
    pub fn new(text: &str) -> Result<RegularExpression, String> {
        let compiled = RegexBuilder::new(text).size_limit(MAX_REGEX_SIZE).build();
        compiled.map(RegularExpression).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            // The crate's message draws the expression with a caret below; the reason is its last line.
            other => {
                let message = other.to_string();
                let reason = message.lines().last().unwrap_or_default();
                reason.strip_prefix("error: ").unwrap_or(reason).to_owned()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::{File, Options, compile};
    use std::sync::Arc;
    use std::time::{Duration, Instant};
    use viewfold_spec::Source;
    use viewfold_spec::diagnostic::render_all;
    use viewfold_value::json;

    /// The test of a pattern as a file has it.
    fn test(pattern: &str) -> Test {
        let text = format!(
            "projection: p\nsource: {{ kinesis: s }}\ndocument: {{ table: Docs, partition_key: id }}\nguard: none\n\
             key: {{ id: $.id }}\nrules:\n  - when: {{ $.a: {pattern} }}\n    add: {{ n: 1 }}\n"
        );
        let source = Arc::new(Source { name: "p.yaml".into(), text });
        let program = viewfold_spec::parse(&source)
            .and_then(|projection| {
                compile(&[File { source, projection, schemas: Default::default() }], &Options::default())
            })
            .unwrap_or_else(|findings| panic!("{}", render_all(&findings, false)));
        program.program.projections[0].rules[0].when[0].test.clone()
    }

    fn value(text: &str) -> Value {
        json::parse(text.as_bytes()).unwrap()
    }

    fn check(pattern: &str, passing: &[&str], failing: &[&str]) {
        let test = test(pattern);
        for (values, holds) in [(passing, true), (failing, false)] {
            for text in values {
                assert_eq!(test.holds(Some(&value(text))), holds, "{pattern} of {text}");
            }
        }
    }

    #[test]
    fn values_are_equal_as_dynamodb_has_it() {
        check("100", &["1e2", "100.0", "[1, 100]"], &["\"100\"", "100.0000000001", "[]", "{\"a\":100}"]);
        check("\"1\"", &["\"1\""], &["1", "\"1.0\"", "true"]);
        check("a", &["\"a\"", "[\"b\",\"a\"]", "[[],[[\"a\"]]]"], &["\"A\"", "\"a \"", "{\"a\":\"a\"}", "[[\"b\"]]"]);
        check("NO", &["\"NO\""], &["false", "\"no\""]);
        check("true", &["true", "[false,true]"], &["\"true\"", "false", "1"]);
        check("null", &["null", "[null]"], &["\"\"", "\"null\"", "0", "false", "[]", "{}"]);
        check("\"\"", &["\"\""], &["null", "[]"]);
        check("[a, 1, null, {prefix: b}]", &["\"a\"", "1.0", "null", "\"bc\""], &["\"ab\"", "2", "true"]);
        let big = "12345678901234567890123456789012345678";
        check(big, &[big, "1.2345678901234567890123456789012345678e37"], &["12345678901234567890123456789012345679"]);
    }

    #[test]
    fn texts_start_end_and_fold() {
        check(
            "{prefix: ab}",
            &["\"ab\"", "\"abc\"", "[1,\"abc\"]"],
            &["\"a\"", "\"Ab\"", "\"cab\"", "12", "null", "{}"],
        );
        check("{prefix: \"\"}", &["\"\"", "\"x\""], &["1", "null", "[]"]);
        check("{prefix: \"👩\"}", &["\"👩‍🚀\"", "\"\\ud83d\\udc69!\""], &["\"👨\"", "\"\\ud83d\\udc68\""]);
        check("{prefix: $}", &["\"$5\""], &["\"5$\""]);
        check("{suffix: .png}", &["\"a.png\"", "\".png\""], &["\"a.PNG\"", "\"apng\"", "\"png\""]);
        check("{prefix: {equals-ignore-case: äb}}", &["\"ÄBc\"", "\"äb\""], &["\"ä\"", "\"a\u{308}b\"", "1"]);
        check("{suffix: {equals-ignore-case: É.Png}}", &["\"xé.PNG\""], &["\"e.png\"", "\".png\""]);
        check(
            "{equals-ignore-case: Straße}",
            &["\"STRAẞE\"", "\"straße\""],
            &["\"STRASSE\"", "\"straß\"", "\"straßen\""],
        );
        check("{equals-ignore-case: ΟΔΟΣ}", &["\"οδος\"", "\"οδοσ\""], &["\"οδο\""]);
        check("{equals-ignore-case: \"𐐀k\"}", &["\"𐐨K\"", "\"𐐨\u{212a}\""], &["\"𐐨\""]);
        check("{equals-ignore-case: İ}", &["\"İ\""], &["\"i\""]);
        check("{equals-ignore-case: \"1\"}", &["\"1\""], &["1"]);
    }

    #[test]
    fn a_wildcard_stands_for_any_characters() {
        check(
            "{wildcard: \"a*z\"}",
            &["\"az\"", "\"a*z\"", "\"aé\\nz\""],
            &["\"a\"", "\"za\"", "\"azb\"", "\"Az\"", "5"],
        );
        check("{wildcard: \"*\"}", &["\"\"", "\"x\""], &["1", "null"]);
        check("{wildcard: \"ab*ba\"}", &["\"abba\""], &["\"aba\"", "\"ab\""]);
        check("{wildcard: \"*a*ab*\"}", &["\"aab\"", "\"xaxaby\""], &["\"ab\"", "\"aba\""]);
        check("{wildcard: 'a\\*b\\\\*'}", &["\"a*b\\\\\"", "\"a*b\\\\x\""], &["\"axb\\\\\"", "\"a*b\""]);
        check("{wildcard: plain?}", &["\"plain?\""], &["\"plains\"", "\"plain\""]);
        assert_eq!(test("{wildcard: plain}"), Test::Equals("plain".into()));
        assert_eq!(Wildcard::parse("a**"), Err(WildcardError::Consecutive(1)));
        assert_eq!(Wildcard::parse("é\\n"), Err(WildcardError::Escape(2)));
        assert_eq!(Wildcard::parse("é\\"), Err(WildcardError::Escape(2)));
        assert!(Wildcard::parse("*\\**").is_ok());
    }

    #[test]
    fn long_texts_take_time_in_step_with_their_length() {
        let long = Value::from("a".repeat(400_000).as_str());
        let wildcard = format!("{{wildcard: \"{}b\"}}", "a*".repeat(100));
        let started = Instant::now();
        for pattern in
            [wildcard.as_str(), "{wildcard: \"*a*aab*a*\"}", "{matches: '^(a+)+b'}", "{matches: '(a|aa)*$b'}"]
        {
            assert!(!test(pattern).holds(Some(&long)), "{pattern}");
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    }

    #[test]
    fn anything_but_wants_a_value_that_is_none_of_these() {
        check(
            "{anything-but: a}",
            &["\"b\"", "\"A\"", "null", "1", "{}", "{\"a\":\"a\"}"],
            &["\"a\"", "[\"a\"]", "[]"],
        );
        check(
            "{anything-but: [a, b]}",
            &["[\"a\",\"c\"]", "[[\"c\"]]", "[{}]"],
            &["\"a\"", "\"b\"", "[\"a\",\"b\"]", "[[]]"],
        );
        check("{anything-but: [100, x, true, null]}", &["\"100\"", "101", "false"], &["1e2", "\"x\"", "true", "null"]);
        check("{anything-but: null}", &["0", "\"\"", "{}"], &["null", "[null]"]);
        check("{anything-but: {prefix: a}}", &["\"b\"", "\"\"", "1", "null"], &["\"a\"", "\"ab\""]);
        check("{anything-but: {suffix: [.png, .gif]}}", &["\"a.jpg\""], &["\"a.png\"", "\"a.gif\""]);
        check("{anything-but: {wildcard: \"*/lib/*\"}}", &["\"/lib\""], &["\"/lib/\""]);
        check("{anything-but: {equals-ignore-case: [a, É]}}", &["\"b\""], &["\"A\"", "\"é\""]);
        check("[{anything-but: a}, a]", &["\"a\"", "\"b\"", "1"], &["[]"]);
        assert!(!test("{anything-but: a}").holds(None));
    }

    #[test]
    fn numbers_are_compared_to_the_last_digit() {
        check(
            "{numeric: [\">\", 0, \"<=\", 100]}",
            &["1e2", "0.1", "1e-130", "[-1,5]"],
            &["0", "-0", "-1", "100.0000000000000000000000000000000001", "\"5\"", "null", "true"],
        );
        check("{numeric: [\"<=\", 100, \">\", 0]}", &["100"], &["0", "101"]);
        check("{numeric: [\"=\", 1.0]}", &["1", "10e-1"], &["1.0000000000000000000000000000000000001", "\"1\""]);
        check("{numeric: [\">=\", 5, \"<=\", 5]}", &["5.0"], &["4.99", "5.01"]);
        check("{numeric: [<, -1.5]}", &["-2"], &["-1.5", "-1"]);
        check("{numeric: [\">=\", 9007199254740993]}", &["9007199254740993"], &["9007199254740992"]);
        assert_eq!(test("{numeric: [=, 1e2]}"), test("100"));
    }

    #[test]
    fn presence_types_and_regular_expressions() {
        check("{exists: true}", &["null", "\"\"", "[]", "{}", "0", "[[]]"], &[]);
        check("{exists: false}", &[], &["null", "[]", "{}"]);
        assert!(test("{exists: false}").holds(None));
        assert!(test("[1, {exists: false}]").holds(None));
        for pattern in
            ["null", "{exists: true}", "{type: \"null\"}", "{matches: ''}", "{numeric: [<, 1]}", "{wildcard: \"*\"}"]
        {
            assert!(!test(pattern).holds(None), "{pattern}");
        }
        check("{type: string}", &["\"\"", "[1,\"\"]", "[[\"\"]]"], &["null", "1", "[]", "[1]", "{\"a\":\"\"}"]);
        check("{type: list}", &["[]", "[1]"], &["{}", "\"\""]);
        check("{type: map}", &["{}", "[{}]"], &["[]"]);
        check("{matches: '^[A-Z]+$'}", &["\"AB\"", "[1,\"A\"]"], &["\"Ab\"", "\"\"", "\"A\\n\"", "1"]);
        check("{matches: b}", &["\"abc\""], &["\"ac\""]);
        check("{matches: '(?i)^é\\d\\p{Greek}$'}", &["\"É5σ\""], &["\"É5s\""]);
        assert!(RegularExpression::new(r"\w{1,100}").unwrap_err().contains("too large"));
        for text in [r"^\w{1,64}$", r"^[\w-]{1,36}$", r"^\d{500}$", "^[A-Za-z0-9_]{1,1000}$"] {
            assert!(RegularExpression::new(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn sets_match_by_their_elements() {
        let texts = Value::StringSet(["a".into(), "bc".into()].into());
        let numbers = Value::NumberSet([Number::parse("1").unwrap(), Number::parse("2.50").unwrap()].into());
        let bytes = Value::BinarySet([vec![1]].into());
        for (pattern, value, holds) in [
            ("a", &texts, true),
            ("b", &texts, false),
            ("{prefix: b}", &texts, true),
            ("{anything-but: a}", &texts, true),
            ("{anything-but: [a, bc]}", &texts, false),
            ("{type: string_set}", &texts, true),
            ("{type: string}", &texts, true),
            ("{type: number}", &texts, false),
            ("2.5", &numbers, true),
            ("{numeric: [\">\", 2]}", &numbers, true),
            ("{numeric: [\">\", 3]}", &numbers, false),
            ("{matches: '1'}", &numbers, false),
            ("{type: binary}", &bytes, true),
            ("{anything-but: a}", &bytes, true),
            ("a", &bytes, false),
        ] {
            assert_eq!(test(pattern).holds(Some(value)), holds, "{pattern} of {value:?}");
        }
    }

    #[test]
    fn patterns_exclude_each_other_where_no_single_value_passes_both() {
        for (a, b, disjoint_) in [
            ("a", "b", true),
            ("a", "a", false),
            ("1", "1.0", false),
            ("1", "\"1\"", true),
            ("[a, b]", "[c, {prefix: d}]", true),
            ("[a, db]", "[c, {prefix: d}]", false),
            ("a", "{anything-but: a}", true),
            ("a", "{anything-but: b}", false),
            ("[a, b]", "{anything-but: [b, a, c]}", true),
            ("{anything-but: a}", "{anything-but: b}", false),
            ("{anything-but: {prefix: a}}", "{prefix: ab}", true),
            ("{anything-but: {prefix: ab}}", "{prefix: a}", false),
            ("{anything-but: {prefix: a}}", "{wildcard: \"ab*\"}", true),
            ("{anything-but: {suffix: [z, b]}}", "{suffix: ab}", true),
            ("{anything-but: {wildcard: \"a*b\"}}", "{wildcard: \"a*b\"}", true),
            ("{anything-but: {equals-ignore-case: a}}", "{equals-ignore-case: A}", true),
            ("{anything-but: {equals-ignore-case: a}}", "A", true),
            ("{anything-but: null}", "{type: \"null\"}", true),
            ("{anything-but: [true]}", "{type: boolean}", false),
            ("{anything-but: [true, false]}", "{type: boolean}", true),
            ("{prefix: a}", "{prefix: b}", true),
            ("{prefix: a}", "{prefix: ab}", false),
            ("{prefix: A}", "{prefix: {equals-ignore-case: ab}}", false),
            ("{prefix: A}", "{prefix: {equals-ignore-case: b}}", true),
            ("{prefix: a}", "{suffix: b}", false),
            ("{suffix: xa}", "{suffix: xb}", true),
            ("{prefix: abc}", "{equals-ignore-case: AB}", true),
            ("{prefix: ab}", "{equals-ignore-case: ABC}", false),
            ("{wildcard: \"a*\"}", "{wildcard: \"b*\"}", true),
            ("{wildcard: \"a*\"}", "{wildcard: \"*b\"}", false),
            ("{matches: a}", "{matches: b}", false),
            ("{matches: ^a}", "b", true),
            ("{matches: a}", "{numeric: [\">\", 1]}", true),
            ("{numeric: [\">\", 1]}", "{numeric: [\"<=\", 1]}", true),
            ("{numeric: [\">=\", 1]}", "{numeric: [\"<=\", 1]}", false),
            ("{numeric: [\">\", 1, \"<\", 3]}", "{numeric: [\">\", 2]}", false),
            ("{numeric: [\">\", 1]}", "1", true),
            ("{type: string}", "{type: number}", true),
            ("{type: string}", "{prefix: a}", false),
            ("{type: number}", "{prefix: a}", true),
            ("{type: list}", "{type: string}", false),
            ("{type: list}", "a", false),
            ("{type: string_set}", "{prefix: a}", false),
            ("{type: string_set}", "{type: number_set}", true),
            ("{type: map}", "{anything-but: a}", false),
            ("{exists: false}", "{anything-but: a}", true),
            ("{exists: false}", "{exists: true}", true),
            ("{exists: false}", "[a, {exists: false}]", false),
            ("{exists: true}", "a", false),
        ] {
            assert_eq!(disjoint(&test(a), &test(b)), disjoint_, "{a} and {b}");
            assert_eq!(disjoint(&test(b), &test(a)), disjoint_, "{b} and {a}");
        }
    }

    #[test]
    fn values_are_known_where_only_they_pass() {
        assert_eq!(test("[a, {wildcard: b}, {numeric: [=, 1]}]").values().map(|values| values.len()), Some(3));
        assert_eq!(test("[a, {prefix: b}]").values(), None);
        assert_eq!(test("{anything-but: a}").values(), None);
    }
}
