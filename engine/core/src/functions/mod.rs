//! The functions of expressions.
//!
//! They are strict and pure: the same values give the same result, on every machine and at any time. What evaluates only
//! what it needs (`if`, `exists`, `default`, `&&`, `||`) is the evaluator's. A file for each subject; [`operators`] are
//! the operators' meaning.

mod collection;
mod convert;
mod number;
pub mod operators;
mod text;
mod time;

use crate::report::{Problem, Reason};
use std::fmt;
use viewfold_value::{Kind, Number, Value};

/// What a function takes and gives.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// What each parameter takes.
    pub parameters: &'static [Kinds],
    /// How many of the last parameters may be left out.
    pub optional: usize,
    /// Whether the last parameter may be given any number of times.
    pub variadic: bool,
    /// The type of the result, where it is always the same.
    pub result: Option<Kind>,
}

/// The types that a parameter takes; none named: every type.
#[derive(Clone, Copy, Debug)]
pub struct Kinds(pub &'static [Kind]);

impl Kinds {
    /// Whether a value of this type is taken.
    pub fn takes(&self, kind: Kind) -> bool {
        self.0.is_empty() || self.0.contains(&kind)
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(|kind| format!("a {kind}")).collect();
        match names.as_slice() {
            [] => f.write_str("any value"),
            names => f.write_str(&names.join(" or ")),
        }
    }
}

const ANY: Kinds = Kinds(&[]);
const NUMBER: Kinds = Kinds(&[Kind::Number]);
const TEXT: Kinds = Kinds(&[Kind::String]);
const NUMBER_OR_TEXT: Kinds = Kinds(&[Kind::Number, Kind::String]);
const MAP: Kinds = Kinds(&[Kind::Map]);
const COUNTED: Kinds =
    Kinds(&[Kind::String, Kind::Binary, Kind::List, Kind::Map, Kind::StringSet, Kind::NumberSet, Kind::BinarySet]);
const HOLDER: Kinds = Kinds(&[Kind::List, Kind::String, Kind::StringSet, Kind::NumberSet, Kind::BinarySet]);
const LISTED: Kinds = Kinds(&[Kind::List, Kind::StringSet, Kind::NumberSet, Kind::BinarySet]);
const SUMMED: Kinds = Kinds(&[Kind::List, Kind::NumberSet, Kind::Map]);
const PRINTED: Kinds = Kinds(&[Kind::String, Kind::Number, Kind::Boolean]);

type Call = fn(&[Value]) -> Result<Value, Problem>;

macro_rules! functions {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal ($($parameter:ident),* $(; optional $optional:literal)? $(+ $variadic:ident)?) $(-> $result:ident)?, $call:path;)+) => {
        /// A function of expressions.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Function { $($(#[doc = $doc])+ $variant,)+ }

        impl Function {
            /// Every function.
            pub const ALL: &[Function] = &[$(Function::$variant),+];

            /// The name in expressions.
            pub const fn name(self) -> &'static str {
                match self { $(Function::$variant => $name,)+ }
            }

            /// What it takes and gives.
            pub const fn signature(self) -> Signature {
                match self {
                    $(Function::$variant => {
                        #[allow(unused_mut, unused_assignments, reason = "not every function has them")]
                        let mut signature = Signature {
                            parameters: &[$($parameter),*], optional: 0, variadic: false, result: None,
                        };
                        $(signature.optional = $optional;)?
                        $(signature.variadic = stringify!($variadic).len() > 0;)?
                        $(signature.result = Some(Kind::$result);)?
                        signature
                    })+
                }
            }

            const fn function(self) -> Call {
                match self { $(Function::$variant => $call,)+ }
            }
        }
    };
}

functions! {
    /// `len(x)`: the characters of a text, the bytes of binary data, the elements of a list, map or set.
    Len = "len" (COUNTED) -> Number, collection::len;
    /// `contains(list, value)`, `contains(text, text)`
    Contains = "contains" (HOLDER, ANY) -> Boolean, collection::contains;
    /// `contains_any(list, list)`: whether the first holds any element of the second.
    ContainsAny = "contains_any" (LISTED, LISTED) -> Boolean, collection::contains_any;
    /// `min(number, …)`
    Min = "min" (NUMBER + many) -> Number, number::min;
    /// `max(number, …)`
    Max = "max" (NUMBER + many) -> Number, number::max;
    /// `floor(number)`
    Floor = "floor" (NUMBER) -> Number, number::floor;
    /// `ceil(number)`
    Ceil = "ceil" (NUMBER) -> Number, number::ceil;
    /// `round(number)`, `round(number, digits)`: half away from zero.
    Round = "round" (NUMBER, NUMBER; optional 1) -> Number, number::round;
    /// `truncate(number)`, `truncate(number, digits)`: towards zero.
    Truncate = "truncate" (NUMBER, NUMBER; optional 1) -> Number, number::truncate;
    /// `abs(number)`
    Abs = "abs" (NUMBER) -> Number, number::abs;
    /// `fixed(number, digits)`: text with just so many decimals, truncated; never `-0`.
    Fixed = "fixed" (NUMBER, NUMBER) -> String, number::fixed;
    /// `sum(list)`: of the numbers of a list or set, or of the values of a map; 0 where there is none.
    Sum = "sum" (SUMMED) -> Number, collection::sum;
    /// `top_key(map)`: the key of the largest number; of equal ones the first by the order of text.
    TopKey = "top_key" (MAP) -> String, collection::top_key;
    /// `get(map, key)`
    Get = "get" (MAP, TEXT), collection::get;
    /// `set(x, …)`: a set of texts, numbers or binary data; of a list or set, its elements.
    Set = "set" (ANY + many), collection::set;
    /// `text(x)`: a number or boolean as text.
    Text = "text" (PRINTED) -> String, convert::text;
    /// `number(x)`: a text as the number it writes.
    Number = "number" (NUMBER_OR_TEXT) -> Number, convert::number;
    /// `binary(text)`: base64 text as bytes.
    Binary = "binary" (TEXT) -> Binary, convert::binary;
    /// `str::to_lowercase(text)`
    ToLowercase = "str::to_lowercase" (TEXT) -> String, text::to_lowercase;
    /// `str::to_uppercase(text)`
    ToUppercase = "str::to_uppercase" (TEXT) -> String, text::to_uppercase;
    /// `str::trim(text)`
    Trim = "str::trim" (TEXT) -> String, text::trim;
    /// `str::regex_matches(text, pattern)`: whether the pattern is found in the text.
    RegexMatches = "str::regex_matches" (TEXT, TEXT) -> Boolean, text::regex_matches;
    /// `str::regex_replace(text, pattern, replacement)`: every match replaced; `$1` in the replacement is a group.
    RegexReplace = "str::regex_replace" (TEXT, TEXT, TEXT) -> String, text::regex_replace;
    /// `str::from(x)`: as `text(x)`.
    From = "str::from" (PRINTED) -> String, convert::text;
    /// `str::substring(text, start)`, `str::substring(text, start, end)`: by characters, from 0, without the one at `end`.
    Substring = "str::substring" (TEXT, NUMBER, NUMBER; optional 1) -> String, text::substring;
    /// `str::pad(x, width)`: a number or text with zeros in front, so many characters wide.
    Pad = "str::pad" (NUMBER_OR_TEXT, NUMBER) -> String, text::pad;
    /// `str::split(text, separator, index)`: one of the parts, from 0, or from the end where negative.
    Split = "str::split" (TEXT, TEXT, NUMBER) -> String, text::split;
    /// `time::bucket(time, "1h")`: the beginning of the time's stretch of so many `s`, `m`, `h`, `d` or `w`, in UTC.
    TimeBucket = "time::bucket" (NUMBER_OR_TEXT, TEXT) -> String, time::bucket;
    /// `time::format(time, pattern)`, `time::format(time, pattern, zone)`: as strftime writes it.
    TimeFormat = "time::format" (NUMBER_OR_TEXT, TEXT, TEXT; optional 1) -> String, time::format;
    /// `time::epoch_ms(time)`: milliseconds since 1970.
    EpochMs = "time::epoch_ms" (NUMBER_OR_TEXT) -> Number, time::epoch_ms;
    /// `hash::bucket(x, n)`: a whole number from 0, below `n`; the same for the same value always.
    HashBucket = "hash::bucket" (NUMBER_OR_TEXT, NUMBER) -> Number, convert::hash_bucket;
}

impl Function {
    /// The function of a name.
    pub fn named(name: &str) -> Option<Function> {
        Function::ALL.iter().copied().find(|function| function.name() == name)
    }

    /// A first argument for which nothing but the others can be wrong: with it, what a file says about them is checked
    /// before there are events.
    pub fn sample(self) -> Option<Value> {
        match self {
            Function::Round | Function::Truncate | Function::Fixed | Function::Pad | Function::HashBucket => {
                Some(Value::Number(Number::ZERO))
            }
            Function::RegexMatches | Function::RegexReplace => Some(Value::from("")),
            Function::TimeBucket | Function::TimeFormat => Some(Value::from("2026-01-01T00:00:00Z")),
            _ => None,
        }
    }

    /// The result for some arguments.
    ///
    /// # Errors
    ///
    /// Arguments of the wrong count or type, and what the function has no result for.
    pub fn call(self, arguments: &[Value]) -> Result<Value, Problem> {
        let signature = self.signature();
        let few = signature.parameters.len() - signature.optional;
        let too_many = !signature.variadic && arguments.len() > signature.parameters.len();
        if arguments.len() < few || too_many {
            return Err(self.problem(Reason::WrongType, format!("does not take {} values", arguments.len())));
        }
        for (number, argument) in arguments.iter().enumerate() {
            let Some(parameter) = signature.parameters.get(number).or(signature.parameters.last()) else { continue };
            if !parameter.takes(argument.kind()) {
                let message = format!("takes {parameter} here, and this is a {}", argument.kind());
                return Err(self.problem(Reason::WrongType, message));
            }
        }
        self.function()(arguments)
            .map_err(|problem| Problem::new(problem.reason, format!("`{}`: {}", self.name(), problem.message)))
    }

    fn problem(self, reason: Reason, message: String) -> Problem {
        Problem::new(reason, format!("`{}` {message}", self.name()))
    }
}

/// The number of an argument; the types have been checked.
fn number_at(arguments: &[Value], at: usize) -> Result<Number, Problem> {
    match arguments.get(at) {
        Some(Value::Number(number)) => Ok(*number),
        _ => Err(Problem::new(Reason::WrongType, "takes a number here")),
    }
}

/// The text of an argument; the types have been checked.
fn text_at(arguments: &[Value], at: usize) -> Result<&str, Problem> {
    match arguments.get(at) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(Problem::new(Reason::WrongType, "takes a text here")),
    }
}

/// A whole number within bounds.
fn whole_at(arguments: &[Value], at: usize, what: &str, least: i32, most: i32) -> Result<i32, Problem> {
    let number = number_at(arguments, at)?;
    number.to_i32().filter(|whole| (least..=most).contains(whole)).ok_or_else(|| {
        let message = format!("{what} has to be a whole number from {least} to {most}, not {number}");
        Problem::new(Reason::Expression, message)
    })
}

fn expression(message: impl Into<String>) -> Problem {
    Problem::new(Reason::Expression, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use viewfold_value::json;

    fn value(text: &str) -> Value {
        json::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// What a function makes of JSON arguments, as JSON; an error as `!` and its reason's code.
    fn call(name: &str, arguments: &str) -> String {
        let Value::List(arguments) = value(arguments) else { panic!("{arguments}") };
        match Function::named(name).expect(name).call(&arguments) {
            Ok(value) => value.to_string(),
            Err(problem) => format!("!{}", problem.reason.code()),
        }
    }

    #[test]
    fn functions_give_what_they_say() {
        for (name, arguments, result) in [
            ("len", r#"["a😀b"]"#, "3"),
            ("len", "[[1,2]]", "2"),
            ("len", "[1]", "!wrong_type"),
            ("contains", r#"[["a",1],1.0]"#, "true"),
            ("contains", r#"["abc","bc"]"#, "true"),
            ("contains", r#"["abc",1]"#, "!wrong_type"),
            ("contains_any", "[[1,2],[3,2]]", "true"),
            ("min", "[3,1.5,2]", "1.5"),
            ("max", "[3,1.5]", "3"),
            ("floor", "[-1.5]", "-2"),
            ("ceil", "[-1.5]", "-1"),
            ("round", "[2.5]", "3"),
            ("round", "[-2.5]", "-3"),
            ("round", "[1.005,2]", "1.01"),
            ("round", "[155,-1]", "160"),
            ("truncate", "[-1.999,2]", "-1.99"),
            ("abs", "[-3]", "3"),
            ("fixed", "[66.666,2]", "\"66.66\""),
            ("fixed", "[50,2]", "\"50.00\""),
            ("fixed", "[-0.001,2]", "\"0.00\""),
            ("fixed", "[-1.5,0]", "\"-1\""),
            ("fixed", "[1,-1]", "!expression"),
            ("sum", "[[1,2.5]]", "3.5"),
            ("sum", "[[]]", "0"),
            ("sum", r#"[{"a":1,"b":2}]"#, "3"),
            ("sum", r#"[["a"]]"#, "!wrong_type"),
            ("top_key", r#"[{"b":2,"a":2,"c":1}]"#, "\"a\""),
            ("top_key", "[{}]", "!missing_value"),
            ("get", r#"[{"a.b":1},"a.b"]"#, "1"),
            ("get", r#"[{},"a"]"#, "!missing_value"),
            ("set", r#"["b","a","b"]"#, r#"["a","b"]"#),
            ("set", "[[1,1.0]]", "[1]"),
            ("set", r#"["a",1]"#, "!wrong_type"),
            ("set", "[[]]", "!expression"),
            ("text", "[1e2]", "\"100\""),
            ("text", "[true]", "\"true\""),
            ("text", "[null]", "!wrong_type"),
            ("number", r#"["12345678901234567890.5"]"#, "12345678901234567890.5"),
            ("number", r#"["x"]"#, "!expression"),
            ("number", r#"["1e200"]"#, "!bad_number"),
            ("binary", r#"["AQI="]"#, "\"AQI=\""),
            ("binary", r#"["?"]"#, "!expression"),
            ("str::to_uppercase", r#"["straße"]"#, "\"STRASSE\""),
            ("str::trim", r#"["  a "]"#, "\"a\""),
            ("str::from", "[1.50]", "\"1.5\""),
            ("str::substring", r#"["a😀bc",1,3]"#, "\"😀b\""),
            ("str::substring", r#"["abc",1]"#, "\"bc\""),
            ("str::substring", r#"["abc",2,9]"#, "!expression"),
            ("str::pad", "[7,3]", "\"007\""),
            ("str::pad", "[-7,4]", "\"-007\""),
            ("str::pad", r#"["😀",3]"#, "\"00😀\""),
            ("str::pad", "[12345,3]", "\"12345\""),
            ("str::pad", "[1,100000]", "!expression"),
            ("str::split", r#"["a/b/c","/",1]"#, "\"b\""),
            ("str::split", r#"["a/b/c","/",-1]"#, "\"c\""),
            ("str::split", r#"["a","/",1]"#, "!missing_value"),
            ("str::split", r#"["a","",0]"#, "!expression"),
            ("time::bucket", r#"["2026-03-01T10:59:59.999+01:00","1h"]"#, "\"2026-03-01T09:00:00Z\""),
            ("time::bucket", r#"[0,"15m"]"#, "\"1970-01-01T00:00:00Z\""),
            ("time::bucket", r#"[-1,"1d"]"#, "\"1969-12-31T00:00:00Z\""),
            // A Sunday: its week began on the Monday before.
            ("time::bucket", r#"["2026-11-22T00:00:00Z","1w"]"#, "\"2026-11-16T00:00:00Z\""),
            ("time::bucket", r#"["2024-02-29T12:00:00Z","1d"]"#, "\"2024-02-29T00:00:00Z\""),
            ("time::bucket", r#"["2026-01-01","1h"]"#, "!expression"),
            ("time::bucket", r#"["2026-01-01T00:00:00Z","1y"]"#, "!expression"),
            ("time::format", r#"["2026-07-01T22:30:00Z","%Y-%m-%d"]"#, "\"2026-07-01\""),
            ("time::format", r#"["2026-07-01T22:30:00Z","%Y-%m-%d %H:%M","Europe/Berlin"]"#, "\"2026-07-02 00:30\""),
            ("time::format", r#"["2026-07-01T22:30:00Z","%Y","Mars/Base"]"#, "!expression"),
            ("time::epoch_ms", r#"["1970-01-01T00:00:01.5Z"]"#, "1500"),
            ("time::epoch_ms", "[12]", "12"),
            ("hash::bucket", r#"["a",1]"#, "0"),
            ("hash::bucket", r#"["a",0]"#, "!expression"),
        ] {
            assert_eq!(call(name, arguments), result, "{name}{arguments}");
        }
    }

    #[test]
    fn a_bucket_by_hash_never_changes() {
        // Were it to change, every sharded counter would fall apart.
        assert_eq!(call("hash::bucket", r#"["user-1",16]"#), call("hash::bucket", r#"["user-1",16]"#));
        assert_eq!(call("hash::bucket", r#"["abc",1000]"#), "74");
        assert_eq!(call("hash::bucket", r#"[1.0,1000]"#), call("hash::bucket", r#"["1",1000]"#));
    }

    #[test]
    fn names_and_signatures_are_sound() {
        for function in Function::ALL {
            assert_eq!(Function::named(function.name()), Some(*function));
            assert!(function.signature().optional < function.signature().parameters.len());
        }
    }
}
