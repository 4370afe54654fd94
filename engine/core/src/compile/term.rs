//! Values of a file to terms: texts that are paths, metadata or plain text.

use super::Compiler;
use super::path::{self, PathError};
use crate::program::{MetadataName, PathTree, Step, StreamIdentity, Subject, Term};
use std::sync::Arc;
use viewfold_spec::{Code, Literal, Span, Spanned, suggest};
use viewfold_value::Value;

/// What the terms of a stream refer to.
pub(super) struct Terms<'s> {
    pub(super) paths: &'s mut PathTree,
    pub(super) identity: &'s StreamIdentity,
}

impl Compiler<'_> {
    /// The term of a value; nothing after an error.
    pub(super) fn term(&mut self, literal: &Spanned<Literal>, terms: &mut Terms<'_>) -> Option<Term> {
        Some(match &literal.value {
            Literal::Null => Term::Constant(Value::Null),
            Literal::Bool(value) => Term::Constant(Value::Bool(*value)),
            Literal::Number(number) => Term::Constant(Value::Number(*number)),
            Literal::Text(text) => return self.text(text, literal.span, terms),
            Literal::List(list) => {
                let list: Vec<Option<Term>> = list.iter().map(|element| self.term(element, terms)).collect();
                let list: Vec<Term> = list.into_iter().collect::<Option<_>>()?;
                match constants(&list) {
                    Some(values) => Term::Constant(Value::List(values)),
                    None => Term::List(list),
                }
            }
            Literal::Map(entries) => {
                let entries: Vec<Option<(String, Term)>> =
                    entries.iter().map(|(key, value)| Some((key.value.clone(), self.term(value, terms)?))).collect();
                let (names, values): (Vec<String>, Vec<Term>) =
                    entries.into_iter().collect::<Option<Vec<_>>>()?.into_iter().unzip();
                match constants(&values) {
                    Some(values) => Term::Constant(Value::Map(names.into_iter().zip(values).collect())),
                    None => Term::Map(names.into_iter().zip(values).collect()),
                }
            }
        })
    }

    fn text(&mut self, text: &str, span: Span, terms: &mut Terms<'_>) -> Option<Term> {
        if text.contains("${") {
            self.error(Code::BadExpression, span, "expressions in `${…}` are not part of the language yet").help =
                Some("take the value from the event with a path such as `$.data.id`".into());
            return None;
        }
        if !text.starts_with("$$.") && !path::is_path(text) {
            return Some(Term::Constant(Value::from(text)));
        }
        let (path, optional) = match text.strip_suffix('?') {
            Some(path) => (path, true),
            None => (text, false),
        };
        let subject = self.subject(path, span, terms)?;
        Some(Term::Event { subject, optional, path: Arc::from(path) })
    }

    /// Where a path of the file, `$.…` or `$$.…` without its `?`, leads.
    pub(super) fn subject(&mut self, path: &str, span: Span, terms: &mut Terms<'_>) -> Option<Subject> {
        if let Some(name) = path.strip_prefix("$$.") {
            return self.metadata(name, span, terms.identity).map(Subject::Metadata);
        }
        match path::parse(path) {
            Ok(steps) => {
                self.check_root(&steps, path, span, terms.identity)?;
                Some(Subject::Slot(terms.paths.insert(&steps)))
            }
            Err(PathError { message, at, help }) => {
                let span = at.and_then(|at| self.inside(path, at, span)).unwrap_or(span);
                self.error(Code::BadPath, span, message).help = help;
                None
            }
        }
    }

    /// The payload of a DynamoDB stream has `keys`, `new` and `old`, and nothing else.
    fn check_root(&mut self, steps: &[Step], path: &str, span: Span, identity: &StreamIdentity) -> Option<()> {
        const IMAGES: [&str; 3] = ["keys", "new", "old"];
        let wrong = match (identity, steps.first()) {
            (StreamIdentity::Dynamodb(_), Some(Step::Name(name))) if !IMAGES.contains(&name.as_str()) => name,
            _ => return Some(()),
        };
        let message = format!("`{path}` finds nothing: a DynamoDB stream's event has `keys`, `new` and `old`");
        let help = match suggest::nearest(wrong, IMAGES) {
            Some(near) => format!("did you mean `$.{near}`?"),
            None => format!("did you mean `$.new.{wrong}`?"),
        };
        self.error(Code::BadPath, span, message).help = Some(help);
        None
    }

    fn metadata(&mut self, name: &str, span: Span, identity: &StreamIdentity) -> Option<MetadataName> {
        let kinesis_only = matches!(identity, StreamIdentity::Dynamodb(_));
        let given = |name: &MetadataName| match name {
            MetadataName::Shard => !kinesis_only,
            MetadataName::Change => kinesis_only,
            _ => true,
        };
        let found = MetadataName::ALL.into_iter().filter(given).find(|known| known.text() == name);
        if found.is_none() {
            let names: Vec<&str> =
                MetadataName::ALL.iter().filter(|name| given(name)).map(|name| name.text()).collect();
            let message = format!("`$$.{name}` is nothing that this source says about an event");
            self.error(Code::UnknownMetadata, span, message).help = Some(match suggest::nearest(name, names.clone()) {
                Some(near) => format!("did you mean `$$.{near}`?"),
                None => format!("there are {}", suggest::list(names)),
            });
        }
        found
    }

    /// A value that has to be a path into the payload.
    pub(super) fn path_term(&mut self, literal: &Spanned<Literal>, what: &str, terms: &mut Terms<'_>) -> Option<Term> {
        match &literal.value {
            Literal::Text(text) if path::is_path(text) && !text.ends_with('?') => self.term(literal, terms),
            _ => {
                let message = format!("{what} is a path into the payload that always finds something");
                self.error(Code::BadPath, literal.span, message).help = Some("for example `$.data.id`".into());
                None
            }
        }
    }

    /// The place of a byte of `text` in the file, where the text stands there as it is, quotes apart.
    fn inside(&self, text: &str, at: usize, span: Span) -> Option<Span> {
        let written = self.file.source.text.get(span.range())?;
        let start = span.start + written.find(text)?;
        let width = text[at..].chars().next().map_or(1, char::len_utf8);
        Some(Span::new(start + at, start + at + width))
    }
}

fn constants(terms: &[Term]) -> Option<Vec<Value>> {
    terms
        .iter()
        .map(|term| match term {
            Term::Constant(value) => Some(value.clone()),
            _ => None,
        })
        .collect()
}
