//! Patterns of `when` to tests.

use super::Compiler;
use super::facts::CHANGES;
use super::term::Place;
use crate::pattern::{Bound, NumberRange, Part, RegularExpression, Test, TextTest, Wildcard, WildcardError};
use viewfold_spec::projection::{Affix, Pattern};
use viewfold_spec::{Code, Literal, Span, Spanned, suggest};
use viewfold_value::{Number, Value};

/// What to do instead of a path in a pattern.
const COMPARE_WITH_IF: &str = "`if: $.new.a == $.old.a` compares two values of an event";

/// What a `numeric` looks like.
const NUMERIC_FORM: &str = "`[\"=\", 5]`, `[\">\", 0]` or `[\">\", 0, \"<=\", 100]`";

/// The operators of `numeric`.
const OPERATORS: [&str; 5] = ["=", ">", ">=", "<", "<="];

impl Compiler<'_> {
    /// The test of a pattern; nothing after an error.
    pub(super) fn test(&mut self, pattern: &Spanned<Pattern>) -> Option<Test> {
        Some(match &pattern.value {
            Pattern::Exists(exists) => Test::Exists(*exists),
            Pattern::Type(name) => Test::Kind(name.kind()),
            Pattern::AnyOf(patterns) => Test::AnyOf(self.tests(patterns)?),
            Pattern::AnythingBut(patterns) => Test::AnythingBut(self.tests(patterns)?),
            Pattern::Prefix(affix) => self.affix(Part::Start, affix)?,
            Pattern::Suffix(affix) => self.affix(Part::End, affix)?,
            Pattern::EqualsIgnoreCase(text) => {
                self.check_literal(text, text.span)?;
                Test::Text(TextTest::new(Part::Whole, text, true))
            }
            Pattern::Wildcard(text) => self.wildcard(text)?,
            Pattern::Numeric(list) => self.numeric(list)?,
            Pattern::Matches(text) => self.regular_expression(text)?,
            Pattern::Equals(literal) => Test::Equals(match literal {
                Literal::Null | Literal::Number(_) | Literal::Bool(_) => {
                    self.check_plain(&Spanned { value: literal.clone(), span: pattern.span });
                    match literal {
                        Literal::Bool(value) => Value::Bool(*value),
                        Literal::Number(number) => Value::Number(*number),
                        _ => Value::Null,
                    }
                }
                Literal::Text(text) => {
                    self.check_literal(text, pattern.span)?;
                    self.check_plain(&Spanned { value: literal.clone(), span: pattern.span });
                    self.check_pattern_text(text, pattern.span);
                    Value::from(text.as_str())
                }
                Literal::List(_) | Literal::Map(_) => {
                    self.error(
                        Code::WrongForm,
                        pattern.span,
                        "a pattern compares with a text, number, boolean or null",
                    );
                    return None;
                }
            }),
        })
    }

    /// `$$.change` is one of three words.
    pub(super) fn check_change(&mut self, pattern: &Spanned<Pattern>, test: &Test) {
        let found = self.findings.len();
        self.check_change_words(pattern);
        if self.findings.len() == found && !CHANGES.iter().any(|change| test.holds(Some(&Value::from(*change)))) {
            self.error(Code::BadPattern, pattern.span, "no change matches this pattern").help =
                Some(format!("a change is one of {}", suggest::list(CHANGES)));
        }
    }

    fn check_change_words(&mut self, pattern: &Spanned<Pattern>) {
        let wrong = match &pattern.value {
            Pattern::AnyOf(patterns) | Pattern::AnythingBut(patterns) => {
                patterns.iter().for_each(|pattern| self.check_change_words(pattern));
                return;
            }
            Pattern::Equals(Literal::Text(text)) if !CHANGES.contains(&text.as_str()) => text,
            _ => return,
        };
        let lower = wrong.to_lowercase();
        let meant = match lower.as_str() {
            "update" | "updated" | "put" | "change" | "modified" => Some("modify"),
            "delete" | "deleted" | "removed" => Some("remove"),
            "create" | "created" | "add" | "inserted" | "new" => Some("insert"),
            _ => suggest::nearest(&lower, CHANGES),
        };
        let message = format!("`$$.change` is `insert`, `modify` or `remove`, and never `{wrong}`");
        self.error(Code::BadPattern, pattern.span, message).help = Some(match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("it is one of {}", suggest::list(CHANGES)),
        });
    }

    /// All tests, with the findings of all patterns.
    fn tests(&mut self, patterns: &[Spanned<Pattern>]) -> Option<Vec<Test>> {
        let tests: Vec<Option<Test>> = patterns.iter().map(|pattern| self.test(pattern)).collect();
        tests.into_iter().collect()
    }

    /// A text of a pattern that looks as if it stood for something else is an error; nothing then.
    fn check_literal(&mut self, text: &str, span: Span) -> Option<()> {
        if crate::path::is_path(text) || text.starts_with("$$.") || text.contains("${") {
            let message = format!("a pattern is a literal: this would be compared with the text `{text}`");
            self.error(Code::BadPath, span, message).help = Some(COMPARE_WITH_IF.into());
            return None;
        }
        Some(())
    }

    fn affix(&mut self, part: Part, affix: &Spanned<Affix>) -> Option<Test> {
        // A path alone, but as a part of a text a dollar sign.
        if affix.text != "$" {
            self.check_literal(&affix.text, affix.span)?;
        }
        Some(Test::Text(TextTest::new(part, &affix.text, affix.ignore_case)))
    }

    fn wildcard(&mut self, text: &Spanned<String>) -> Option<Test> {
        self.check_literal(text, text.span)?;
        let (at, message, help) = match Wildcard::parse(text) {
            // Without `*`, an equality: rules are found by those.
            Ok(wildcard) => {
                return Some(match wildcard.literal() {
                    Some(literal) => Test::Equals(Value::from(literal)),
                    None => Test::Wildcard(wildcard),
                });
            }
            Err(WildcardError::Consecutive(at)) => (at, "`**` is no wildcard", "one `*` stands for any characters"),
            Err(WildcardError::Escape(at)) => (
                at,
                "a `\\` in a wildcard comes before `*` or `\\`",
                "`\\*` is the asterisk itself and `\\\\` the backslash, in single quotes",
            ),
        };
        let span = self.inside(Place { text, at, span: text.span }, 1);
        self.error(Code::BadPattern, span, message).help = Some(help.into());
        None
    }

    fn regular_expression(&mut self, text: &Spanned<String>) -> Option<Test> {
        // `$` is the end of the text, so that `$.a` would compile and match nothing.
        if crate::path::is_path(text) || text.starts_with("$$.") {
            self.check_literal(text, text.span)?;
        }
        self.check_regex_escape(text);
        match RegularExpression::new(text) {
            Ok(expression) => Some(Test::Matches(expression)),
            Err(reason) => {
                let help = match reason.as_str() {
                    _ if text.contains("${") => Some(COMPARE_WITH_IF),
                    reason if reason.starts_with("look-around") || reason.starts_with("backreferences") => Some(
                        "expressions run in linear time, which these cannot; a list of patterns or `if` may say the same",
                    ),
                    reason if reason.contains("too large") => Some(
                        "nested repetitions multiply, and `\\w` is the letters of all scripts: `[A-Za-z0-9_]` is far smaller",
                    ),
                    _ => None,
                };
                let finding = self.error(Code::BadPattern, text.span, format!("a bad regular expression: {reason}"));
                finding.help = help.map(str::to_owned);
                None
            }
        }
    }

    fn numeric(&mut self, list: &Spanned<Vec<Spanned<Literal>>>) -> Option<Test> {
        let (pairs, []) = list.as_chunks::<2>() else { return self.no_numeric(list.span) };
        if !(1..=2).contains(&pairs.len()) {
            return self.no_numeric(list.span);
        }
        let comparisons: Vec<_> = pairs.iter().map(|[operator, number]| self.comparison(operator, number)).collect();
        let comparisons: Vec<(&str, Number)> = comparisons.into_iter().collect::<Option<_>>()?;
        if let [("=", number)] = comparisons.as_slice() {
            return Some(Test::Equals(Value::Number(*number)));
        }
        let (mut lower, mut upper) = (None, None);
        for (operator, number) in &comparisons {
            let side = match *operator {
                ">" | ">=" => &mut lower,
                "<" | "<=" => &mut upper,
                _ => return self.no_numeric(list.span),
            };
            let bound = Bound { number: *number, inclusive: operator.ends_with('=') };
            if side.replace(bound).is_some() {
                let message = "two bounds on one side, where one of them is enough";
                self.error(Code::BadPattern, list.span, message).help =
                    Some("two bounds are a lower and an upper one: `[\">\", 0, \"<=\", 100]`".into());
                return None;
            }
        }
        let range = NumberRange::new(lower, upper);
        if range.is_none() {
            let message = match comparisons.as_slice() {
                [(a, x), (b, y)] => format!("no number is both {a} {x} and {b} {y}"),
                _ => "no number is within these bounds".to_owned(),
            };
            self.error(Code::BadPattern, list.span, message).help =
                Some("for numbers outside a range, write a list of two patterns: either may match".into());
        }
        range.map(Test::Numeric)
    }

    fn no_numeric(&mut self, span: Span) -> Option<Test> {
        let message = "`numeric` takes one comparison, or a lower and an upper bound";
        self.error(Code::BadPattern, span, message).help = Some(format!("as in {NUMERIC_FORM}"));
        None
    }

    /// An operator and the number it compares with.
    fn comparison(&mut self, operator: &Spanned<Literal>, number: &Spanned<Literal>) -> Option<(&'static str, Number)> {
        let known = match &operator.value {
            Literal::Text(text) => OPERATORS.into_iter().find(|known| *known == text.as_str()),
            _ => None,
        };
        if known.is_none() {
            let (message, meant) = match &operator.value {
                Literal::Text(text) if text.is_empty() => (
                    "there is no operator here".to_owned(),
                    Some("without quotes `>` begins a block of text in YAML: write `\">\"`"),
                ),
                Literal::Text(text) => (
                    format!("`{text}` is no operator of `numeric`"),
                    match text.as_str() {
                        "==" => Some("did you mean `=`?"),
                        "=>" => Some("did you mean `>=`?"),
                        "=<" => Some("did you mean `<=`?"),
                        "!=" | "<>" => Some("`{anything-but: 5}` is every value but 5"),
                        _ => None,
                    },
                ),
                _ => ("an operator is expected here".to_owned(), None),
            };
            self.error(Code::BadPattern, operator.span, message).help =
                Some(meant.map_or_else(|| format!("the operators are {}", suggest::list(OPERATORS)), str::to_owned));
        }
        let value = match &number.value {
            Literal::Number(value) => Some(*value),
            Literal::Text(text) => {
                // A path or a template gets its own words.
                self.check_literal(text, number.span)?;
                let help = Number::parse(text).is_ok().then(|| format!("without the quotes: {text}"));
                let message = format!("`numeric` compares with numbers, and this is the text `{text}`");
                self.error(Code::BadPattern, number.span, message).help = help;
                None
            }
            _ => {
                self.error(Code::BadPattern, number.span, "`numeric` compares with numbers, and this is none");
                None
            }
        };
        Some((known?, value?))
    }
}
