//! One text for one meaning: what is written in different ways, and does the same, has the same text.
//!
//! Paths are as they are, however they were written; names of `let` and `each` are gone. Where two texts differ, the meaning
//! may still be the same (`a + b`, `b + a`): a change is then found where there is none, which is the harmless way to be wrong.

use super::Side;
use crate::compile::File;
use crate::pattern::Test;
use crate::program::{Condition, PathTree, Subject, Target, TargetName, Term};
use std::fmt::Write as _;
use viewfold_spec::{Literal, Spanned};
use viewfold_value::{Value, json};

/// The meaning of terms over the events of a source.
#[derive(Clone, Copy)]
pub(super) struct Meaning<'p> {
    paths: Option<&'p PathTree>,
}

impl<'p> Meaning<'p> {
    /// Over the events of a source of a projection.
    pub(super) fn of_source(side: Side<'p>, source: usize) -> Meaning<'p> {
        let source = side.projection.sources.get(source);
        Meaning { paths: source.and_then(|source| side.program.streams.get(source.stream)).map(|stream| &stream.paths) }
    }

    /// Over documents alone.
    pub(super) fn of_documents() -> Meaning<'static> {
        Meaning { paths: None }
    }

    pub(super) fn term(self, term: &Term) -> String {
        let mut text = String::new();
        self.write(term, &mut text);
        text
    }

    pub(super) fn optional(self, term: Option<&Term>) -> Option<String> {
        term.map(|term| self.term(term))
    }

    pub(super) fn terms(self, terms: &[Term]) -> Vec<String> {
        terms.iter().map(|term| self.term(term)).collect()
    }

    fn write(self, term: &Term, into: &mut String) {
        // Writing into a String cannot fail.
        let _ = match term {
            Term::Let(term) => return self.write(term, into),
            Term::Constant(value) => write!(into, "{value:?}"),
            Term::Event { subject, optional, .. } => write!(into, "{}{}", self.subject(*subject), mark(*optional)),
            Term::Many { path, optional, .. } => write!(into, "(many {path}{})", mark(*optional)),
            Term::Document { steps, optional, .. } => write!(into, "(doc {steps:?}{})", mark(*optional)),
            Term::Element { steps, optional, .. } => write!(into, "(element {steps:?}{})", mark(*optional)),
            Term::List(terms) => return self.call("list", terms, into),
            Term::Text(terms) => return self.call("text", terms, into),
            Term::Call(function, terms) => return self.call(&format!("{function:?}"), terms, into),
            Term::Map(entries) => {
                let mut entries: Vec<String> =
                    entries.iter().map(|(name, term)| format!("{name:?}: {}", self.term(term))).collect();
                entries.sort();
                write!(into, "(map {})", entries.join(", "))
            }
            Term::Unary(operator, term) => write!(into, "({operator:?} {})", self.term(term)),
            Term::Binary(operator, left, right) => {
                write!(into, "({operator:?} {} {})", self.term(left), self.term(right))
            }
            Term::If(condition, then, otherwise) => {
                let otherwise = self.optional(otherwise.as_deref()).unwrap_or_default();
                write!(into, "(if {} {} {otherwise})", self.term(condition), self.term(then))
            }
            Term::Exists(term) => write!(into, "(exists {})", self.term(term)),
            Term::Default(term, otherwise) => write!(into, "(default {} {})", self.term(term), self.term(otherwise)),
        };
    }

    fn call(self, name: &str, terms: &[Term], into: &mut String) {
        let _ = write!(into, "({name} {})", self.terms(terms).join(" "));
    }

    fn subject(self, subject: Subject) -> String {
        match subject {
            Subject::Metadata(name) => format!("$$.{}", name.text()),
            Subject::Slot(slot) => self.paths.and_then(|paths| paths.text(slot)).unwrap_or("$?").to_owned(),
        }
    }

    /// The names on the way to an attribute.
    pub(super) fn target(self, target: &Target) -> Vec<String> {
        let names = target.names.iter().map(|name| match name {
            TargetName::Fixed(name) => format!("{name:?}"),
            TargetName::Dynamic(term) => self.term(term),
        });
        names.collect()
    }

    /// Where a condition looks, and what it asks for there.
    pub(super) fn condition(self, condition: &Condition) -> (String, Vec<String>) {
        let place = match &condition.query {
            None => self.subject(condition.subject),
            Some(_) => condition.path.to_string(),
        };
        (place, alternatives(&condition.test))
    }
}

fn mark(optional: bool) -> &'static str {
    if optional { "?" } else { "" }
}

/// The tests one of which has to hold, each once and in one order: `A` and `[A]` ask for the same.
fn alternatives(test: &Test) -> Vec<String> {
    let mut all = match test {
        Test::AnyOf(tests) => tests.iter().flat_map(alternatives).collect(),
        Test::AnythingBut(tests) => {
            let mut tests: Vec<String> = tests.iter().flat_map(alternatives).collect();
            tests.sort();
            tests.dedup();
            vec![format!("(anything-but {})", tests.join(" "))]
        }
        test => vec![format!("{test:?}")],
    };
    all.sort();
    all.dedup();
    all
}

/// What a JSON Schema says, where it can be read; the text of one that is no JSON.
pub(super) fn schema(file: &File, schema: Option<&Spanned<Literal>>) -> Option<String> {
    let value = match &schema?.value {
        Literal::Text(name) => {
            let text = match file.schemas.get(name) {
                Some(Ok(text)) => text,
                Some(Err(_)) | None => return Some(String::new()),
            };
            match json::parse(text.as_bytes()) {
                Ok(value) => value,
                Err(_) => return Some(text.clone()),
            }
        }
        inline => plain(inline),
    };
    Some(format!("{value:?}"))
}

fn plain(literal: &Literal) -> Value {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Number(number) => Value::Number(*number),
        Literal::Text(text) => Value::String(text.clone()),
        Literal::List(list) => Value::List(list.iter().map(|element| plain(&element.value)).collect()),
        Literal::Map(entries) => {
            Value::Map(entries.iter().map(|(name, value)| (name.value.clone(), plain(&value.value))).collect())
        }
    }
}
