//! The patterns of `when:`
//!
//! Their names and forms are those of EventBridge rules; `type` and `matches` are this language's own.

use crate::literal::FORM;
use crate::schema::LITERAL;
use crate::{Literal, Spanned};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use viewfold_value::{Kind, Number};

/// What a value has to be like for a rule to apply.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// That value: a text, number, boolean or null.
    Equals(Literal),
    /// Any of these.
    AnyOf(Vec<Spanned<Pattern>>),
    /// `{prefix: a}`, `{prefix: {equals-ignore-case: a}}`
    Prefix(Spanned<Affix>),
    /// `{suffix: z}`, `{suffix: {equals-ignore-case: z}}`
    Suffix(Spanned<Affix>),
    /// `{wildcard: "a*z"}`
    Wildcard(Spanned<String>),
    /// `{equals-ignore-case: x}`
    EqualsIgnoreCase(Spanned<String>),
    /// `{anything-but: …}`: none of these, each an `Equals`, `Prefix`, `Suffix`, `Wildcard` or `EqualsIgnoreCase`.
    AnythingBut(Vec<Spanned<Pattern>>),
    /// `{numeric: [">", 0, "<=", 100]}`: the list as it is written.
    Numeric(Spanned<Vec<Spanned<Literal>>>),
    /// `{exists: true}`, `{exists: false}`
    Exists(bool),
    /// `{type: string}`
    Type(TypeName),
    /// `{matches: '^[A-Z]+$'}`
    Matches(Spanned<String>),
}

/// The text of a `prefix` or `suffix`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Affix {
    /// The text.
    pub text: String,
    /// Whether upper and lower case are the same.
    pub ignore_case: bool,
}

/// A value's type, as patterns name it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TypeName {
    /// Text.
    String,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// Null.
    Null,
    /// A list.
    List,
    /// A map.
    Map,
    /// Bytes.
    Binary,
    /// A set of texts.
    StringSet,
    /// A set of numbers.
    NumberSet,
    /// A set of bytes.
    BinarySet,
}

impl TypeName {
    /// The type itself.
    pub const fn kind(self) -> Kind {
        match self {
            TypeName::String => Kind::String,
            TypeName::Number => Kind::Number,
            TypeName::Boolean => Kind::Boolean,
            TypeName::Null => Kind::Null,
            TypeName::List => Kind::List,
            TypeName::Map => Kind::Map,
            TypeName::Binary => Kind::Binary,
            TypeName::StringSet => Kind::StringSet,
            TypeName::NumberSet => Kind::NumberSet,
            TypeName::BinarySet => Kind::BinarySet,
        }
    }
}

/// A pattern: one key of these.
#[derive(Deserialize, JsonSchema)]
#[serde(rename = "Pattern")]
pub(crate) struct PatternMap {
    /// A text that starts with this one. `{equals-ignore-case: a}` in place of the text ignores upper and lower case.
    #[schemars(example = &"com.nordstrom/product/", example = &serde_json::json!({ "equals-ignore-case": "ab" }))]
    prefix: Option<Spanned<Affix>>,
    /// A text that ends with this one. `{equals-ignore-case: z}` in place of the text ignores upper and lower case.
    #[schemars(example = &".png", example = &serde_json::json!({ "equals-ignore-case": ".png" }))]
    suffix: Option<Spanned<Affix>>,
    /// A text in which each `*` stands for any characters, or none. `\*` is the asterisk itself, `\\` the backslash;
    /// `**` is an error.
    #[schemars(example = &"orders/*/lines/*")]
    wildcard: Option<Spanned<Text>>,
    /// This text, upper and lower case being the same.
    #[serde(rename = "equals-ignore-case")]
    #[schemars(example = &"north")]
    equals_ignore_case: Option<Spanned<Text>>,
    /// Any value that is there but this one, or but these: a value, a list of values, or one of `prefix`, `suffix`,
    /// `wildcard` and `equals-ignore-case` with a text or a list of texts. Of a list in the event, one element that is
    /// none of these is enough.
    #[serde(rename = "anything-but")]
    #[schemars(
        example = &"test",
        example = &serde_json::json!(["test", "canary"]),
        example = &serde_json::json!({ "prefix": ["test-", "canary-"] })
    )]
    anything_but: Option<Rejected>,
    /// A number that compares like this, to the last digit: an operator (`=`, `>`, `>=`, `<`, `<=`) and a number, or a
    /// lower and an upper bound. A text of digits is no number.
    #[schemars(example = &serde_json::json!([">", 0, "<=", 100]), example = &serde_json::json!(["=", 5]))]
    numeric: Option<Spanned<Comparisons>>,
    /// `true`: the path finds something; null, an empty text, list or map count. `false`: it finds nothing.
    #[schemars(example = &true)]
    exists: Option<bool>,
    /// The value has this type.
    #[serde(rename = "type")]
    #[schemars(example = &"string")]
    kind: Option<TypeName>,
    /// A text in which this regular expression (without look-around and back-references) finds a match. It may match
    /// anywhere: `^` and `$` are the text's start and end.
    #[schemars(example = &"^[A-Z]+$")]
    matches: Option<Spanned<Text>>,
}

impl PatternMap {
    /// The one pattern of the map; the keys that are there, when they are not one.
    fn pattern(self) -> Result<Pattern, Vec<&'static str>> {
        fn text(text: Spanned<Text>) -> Spanned<String> {
            Spanned { value: text.value.0, span: text.span }
        }
        let mut found: Vec<(&str, Pattern)> = [
            self.prefix.map(|affix| ("prefix", Pattern::Prefix(affix))),
            self.suffix.map(|affix| ("suffix", Pattern::Suffix(affix))),
            self.wildcard.map(|pattern| ("wildcard", Pattern::Wildcard(text(pattern)))),
            self.equals_ignore_case.map(|pattern| ("equals-ignore-case", Pattern::EqualsIgnoreCase(text(pattern)))),
            self.anything_but.map(|rejected| ("anything-but", Pattern::AnythingBut(rejected.0))),
            self.numeric.map(|list| ("numeric", Pattern::Numeric(Spanned { value: list.value.0, span: list.span }))),
            self.exists.map(|exists| ("exists", Pattern::Exists(exists))),
            self.kind.map(|kind| ("type", Pattern::Type(kind))),
            self.matches.map(|pattern| ("matches", Pattern::Matches(text(pattern)))),
        ]
        .into_iter()
        .flatten()
        .collect();
        match (found.pop(), found.as_slice()) {
            (Some((_, pattern)), []) => Ok(pattern),
            (last, _) => Err(found.iter().map(|(key, _)| *key).chain(last.map(|(key, _)| key)).collect()),
        }
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;

        impl<'de> Visitor<'de> for Forms {
            type Value = Pattern;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value, a list of patterns, or a pattern such as `{exists: true}`")
            }

            fn visit_unit<E: Error>(self) -> Result<Pattern, E> {
                Ok(Pattern::Equals(Literal::Null))
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Pattern, E> {
                Ok(Pattern::Equals(Literal::Bool(value)))
            }

            fn visit_bytes<E: Error>(self, digits: &[u8]) -> Result<Pattern, E> {
                number(digits).map(Pattern::Equals)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Pattern, E> {
                Ok(Pattern::Equals(Literal::Text(text.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Pattern, A::Error> {
                let patterns = elements(list)?;
                if patterns.is_empty() {
                    return Err(A::Error::custom(
                        "an empty list of patterns matches nothing\nhelp: name at least one value",
                    ));
                }
                Ok(Pattern::AnyOf(patterns))
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, map: D) -> Result<Pattern, D::Error> {
                PatternMap::deserialize(map)?.pattern().map_err(|keys| match keys.as_slice() {
                    [] => D::Error::custom(
                        "a pattern is a map of one key, and this has none\nhelp: `{exists: true}` or `{prefix: a}`, for example",
                    ),
                    keys => D::Error::custom(format!(
                        "a pattern is a map of one key, and this has {}\nhelp: a list of patterns matches any of them; \
                         what has to hold at once goes into `matches` or `if`",
                        crate::suggest::list(keys.iter().copied())
                    )),
                })
            }
        }

        deserializer.deserialize_newtype_struct(FORM, Forms)
    }
}

/// The number that comes as its digits.
fn number<E: Error>(digits: &[u8]) -> Result<Literal, E> {
    let digits = std::str::from_utf8(digits).map_err(E::custom)?;
    Number::parse(digits).map(Literal::Number).map_err(E::custom)
}

fn elements<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(mut list: A) -> Result<Vec<T>, A::Error> {
    let mut elements = Vec::new();
    while let Some(element) = list.next_element()? {
        elements.push(element);
    }
    Ok(elements)
}

/// A scalar where a text has to stand.
fn no_text<E: Error>(what: &str, written: &str) -> E {
    E::custom(format!(
        "expected a text, found {what} {written}\nhelp: if a text is meant, put it in quotes: \"{written}\""
    ))
}

/// The visits of scalars that are no text, by a visitor that wants one.
macro_rules! wants_text {
    () => {
        fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
            Err(no_text("the boolean", if value { "true" } else { "false" }))
        }

        fn visit_bytes<E: Error>(self, digits: &[u8]) -> Result<Self::Value, E> {
            Err(no_text("the number", &String::from_utf8_lossy(digits)))
        }
    };
}

/// A text, and no list of them: EventBridge takes such lists within `anything-but` only.
struct Text(String);

fn one_text<E: Error>() -> E {
    E::custom(
        "expected a text, found a list\nhelp: a list of patterns matches any of them: `[{prefix: a}, {prefix: b}]`",
    )
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;

        impl<'de> Visitor<'de> for Form {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Text, A::Error> {
                Err(one_text())
            }

            wants_text!();
        }

        deserializer.deserialize_newtype_struct(FORM, Form)
    }
}

impl JsonSchema for Text {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        text_schema()
    }
}

/// A text that is compared as it stands.
fn text_schema() -> Schema {
    json_schema!({ "type": "string", "pattern": LITERAL })
}

/// The text of a `prefix` or `suffix` whose case does not count.
#[derive(Deserialize, JsonSchema)]
struct IgnoreCase {
    /// The text, upper and lower case being the same.
    #[serde(rename = "equals-ignore-case")]
    #[schemars(example = &"north")]
    text: Text,
}

impl<'de> Deserialize<'de> for Affix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;

        impl<'de> Visitor<'de> for Forms {
            type Value = Affix;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or `{equals-ignore-case: …}`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Affix, E> {
                Ok(Affix { text: text.to_owned(), ignore_case: false })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Affix, A::Error> {
                Err(one_text())
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, map: D) -> Result<Affix, D::Error> {
                IgnoreCase::deserialize(map).map(|IgnoreCase { text }| Affix { text: text.0, ignore_case: true })
            }

            wants_text!();
        }

        deserializer.deserialize_newtype_struct(FORM, Forms)
    }
}

impl JsonSchema for Affix {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Affix".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let map = generator.subschema_for::<IgnoreCase>();
        json_schema!({ "if": { "type": "object" }, "then": map, "else": text_schema() })
    }
}

/// The list of a `numeric`. What its elements have to be is checked where their places are at hand.
struct Comparisons(Vec<Spanned<Literal>>);

impl<'de> Deserialize<'de> for Comparisons {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;

        impl<'de> Visitor<'de> for Form {
            type Value = Comparisons;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list such as `[\">\", 0, \"<=\", 100]`")
            }

            fn visit_bytes<E: Error>(self, digits: &[u8]) -> Result<Comparisons, E> {
                let digits = String::from_utf8_lossy(digits);
                Err(E::custom(format!(
                    "expected {}, found the number {digits}\nhelp: `[\"=\", {digits}]`, or just {digits} without `numeric`",
                    Expecting(self)
                )))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Comparisons, A::Error> {
                elements(list).map(Comparisons)
            }
        }

        struct Expecting(Form);

        impl fmt::Display for Expecting {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.expecting(f)
            }
        }

        deserializer.deserialize_newtype_struct(FORM, Form)
    }
}

impl JsonSchema for Comparisons {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Comparisons".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let operator = |operators: &[&str], message: &str| json_schema!({ "enum": operators, "errorMessage": message });
        let number = json_schema!({ "type": "number" });
        let one_of = "The operators are `=`, `>`, `>=`, `<` and `<=`.";
        let range = "Two comparisons are a lower and an upper bound: `[\">\", 0, \"<=\", 100]`.";
        let (lower, upper) = ([">", ">="], ["<", "<="]);
        let bounds = |first: &[&str], second: &[&str]| {
            json_schema!({
                "if": { "type": "array", "minItems": 3, "prefixItems": [{ "enum": first }] },
                "then": { "minItems": 4, "prefixItems": [{}, {}, operator(second, range)] },
            })
        };
        json_schema!({
            "type": "array",
            "errorMessage": "Expected a list such as `[\">\", 0]`, `[\"=\", 5]` or `[\">\", 0, \"<=\", 100]`.",
            "prefixItems": [operator(&["=", ">", ">=", "<", "<="], one_of), number, {}, number],
            "minItems": 2,
            "maxItems": 4,
            "allOf": [bounds(&lower, &upper), bounds(&upper, &lower), bounds(&["="], &[])],
        })
    }
}

/// What `anything-but` rejects, each as a pattern.
struct Rejected(Vec<Spanned<Pattern>>);

/// What texts are left out by: one key of these.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct RejectedMap {
    /// Texts that start with this one, or with one of these.
    #[schemars(example = &"test-", example = &serde_json::json!(["test-", "canary-"]))]
    prefix: Option<Texts>,
    /// Texts that end with this one, or with one of these.
    #[schemars(example = &".tmp", example = &serde_json::json!([".tmp", ".bak"]))]
    suffix: Option<Texts>,
    /// Texts that match this wildcard, or one of these.
    #[schemars(example = &"*/tmp/*")]
    wildcard: Option<Texts>,
    /// This text or one of these, upper and lower case being the same.
    #[serde(rename = "equals-ignore-case")]
    #[schemars(example = &"north", example = &serde_json::json!(["north", "south"]))]
    equals_ignore_case: Option<Texts>,
}

impl RejectedMap {
    fn patterns<E: Error>(self) -> Result<Vec<Spanned<Pattern>>, E> {
        fn affix(text: &Spanned<String>) -> Spanned<Affix> {
            Spanned { value: Affix { text: text.value.clone(), ignore_case: false }, span: text.span }
        }
        type Make = fn(Spanned<String>) -> Pattern;
        let forms: [(&str, Option<Texts>, Make); 4] = [
            ("prefix", self.prefix, |text| Pattern::Prefix(affix(&text))),
            ("suffix", self.suffix, |text| Pattern::Suffix(affix(&text))),
            ("wildcard", self.wildcard, Pattern::Wildcard),
            ("equals-ignore-case", self.equals_ignore_case, Pattern::EqualsIgnoreCase),
        ];
        let mut found = forms.into_iter().filter_map(|(key, texts, make)| Some((key, texts?, make)));
        let (Some((key, texts, make)), None) = (found.next(), found.next()) else {
            return Err(E::custom(
                "`anything-but` takes one pattern\nhelp: one of `prefix`, `suffix`, `wildcard` and `equals-ignore-case`, \
                 with a text or a list of texts",
            ));
        };
        let never = matches!(key, "prefix" | "suffix");
        let patterns = texts.0.into_iter().map(|text| match text.is_empty() && never {
            true => Err(E::custom(format!(
                "every text has the empty {key}, so no text would be left\nhelp: `{{type: …}}` asks for values that are no text"
            ))),
            false => Ok(Spanned { span: text.span, value: make(text) }),
        });
        patterns.collect()
    }
}

/// A text or a list of texts.
struct Texts(Vec<Spanned<String>>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        enum Form {
            One(String),
            Many(Vec<Spanned<Text>>),
        }

        struct Forms;

        impl<'de> Visitor<'de> for Forms {
            type Value = Form;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Form, E> {
                Ok(Form::One(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Form, A::Error> {
                let texts = elements(list)?;
                if texts.is_empty() {
                    return Err(A::Error::custom("an empty list leaves nothing out\nhelp: name at least one text"));
                }
                Ok(Form::Many(texts))
            }

            wants_text!();
        }

        impl<'de> Deserialize<'de> for Form {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_newtype_struct(FORM, Forms)
            }
        }

        let form = Spanned::<Form>::deserialize(deserializer)?;
        Ok(Texts(match form.value {
            Form::One(text) => vec![Spanned { value: text, span: form.span }],
            Form::Many(texts) => {
                texts.into_iter().map(|text| Spanned { value: text.value.0, span: text.span }).collect()
            }
        }))
    }
}

impl JsonSchema for Texts {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Texts".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "if": { "type": "array" },
            "then": { "type": "array", "minItems": 1, "items": text_schema() },
            "else": text_schema(),
        })
    }
}

/// A value of an `anything-but`: no list and no map.
struct Plain(Literal);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;

        fn nested<T, E: Error>(what: &str) -> Result<T, E> {
            Err(E::custom(format!(
                "`anything-but` lists texts, numbers, booleans and null, and this is {what}\nhelp: \
                 `{{anything-but: {{prefix: [a, b]}}}}` is how patterns are left out"
            )))
        }

        impl<'de> Visitor<'de> for Form {
            type Value = Plain;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E: Error>(self) -> Result<Plain, E> {
                Ok(Plain(Literal::Null))
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Plain, E> {
                Ok(Plain(Literal::Bool(value)))
            }

            fn visit_bytes<E: Error>(self, digits: &[u8]) -> Result<Plain, E> {
                number(digits).map(Plain)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Plain, E> {
                Ok(Plain(Literal::Text(text.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Plain, A::Error> {
                nested("a list")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, _: D) -> Result<Plain, D::Error> {
                nested("a map")
            }
        }

        deserializer.deserialize_newtype_struct(FORM, Form)
    }
}

impl<'de> Deserialize<'de> for Rejected {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        enum Form {
            One(Literal),
            Many(Vec<Spanned<Plain>>),
            Nested(Vec<Spanned<Pattern>>),
        }

        struct Forms;

        impl<'de> Visitor<'de> for Forms {
            type Value = Form;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value, a list of values, or a pattern such as `{prefix: a}`")
            }

            fn visit_unit<E: Error>(self) -> Result<Form, E> {
                Ok(Form::One(Literal::Null))
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Form, E> {
                Ok(Form::One(Literal::Bool(value)))
            }

            fn visit_bytes<E: Error>(self, digits: &[u8]) -> Result<Form, E> {
                number(digits).map(Form::One)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Form, E> {
                Ok(Form::One(Literal::Text(text.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Form, A::Error> {
                let values = elements(list)?;
                if values.is_empty() {
                    return Err(A::Error::custom(
                        "an empty list leaves nothing out\nhelp: `{exists: true}` is any value",
                    ));
                }
                Ok(Form::Many(values))
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, map: D) -> Result<Form, D::Error> {
                RejectedMap::deserialize(map)?.patterns().map(Form::Nested)
            }
        }

        impl<'de> Deserialize<'de> for Form {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_newtype_struct(FORM, Forms)
            }
        }

        let form = Spanned::<Form>::deserialize(deserializer)?;
        Ok(Rejected(match form.value {
            Form::One(value) => vec![Spanned { value: Pattern::Equals(value), span: form.span }],
            Form::Many(values) => values
                .into_iter()
                .map(|value| Spanned { value: Pattern::Equals(value.value.0), span: value.span })
                .collect(),
            Form::Nested(patterns) => patterns,
        }))
    }
}

impl JsonSchema for Rejected {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Rejected".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let map = generator.subschema_for::<RejectedMap>();
        let scalar = json_schema!({
            "type": ["string", "number", "boolean", "null"],
            "pattern": LITERAL,
            "errorMessage": "`anything-but` lists texts, numbers, booleans and null. Patterns are left out like this: \
                             `{ anything-but: { prefix: [a, b] } }`.",
        });
        json_schema!({
            "if": { "type": "object" },
            "then": map,
            "else": {
                "if": { "type": "array" },
                "then": { "type": "array", "minItems": 1, "items": scalar },
                "else": scalar,
            },
        })
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> Cow<'static, str> {
        "PatternForms".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let map = generator.subschema_for::<PatternMap>();
        json_schema!({
            "description": "A value (equality), a list (any of these), or a pattern: `{ prefix: a }`, `{ numeric: ['>', 0] }`, \
                            `{ type: string }`, `{ exists: false }`, `{ anything-but: [a, b] }` and others.",
            "if": { "type": "object" },
            "then": map,
            "else": {
                "if": { "type": "array" },
                "then": { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/PatternForms" } },
                "else": { "pattern": LITERAL },
            },
        })
    }
}
