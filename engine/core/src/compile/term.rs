//! Values of a file to terms: texts that are paths, metadata, templates or plain text.

use super::template::{self, Part};
use super::{Compiler, reads};
use crate::evaluate::{Scope, evaluate};
use crate::path::{self, PathError};
use crate::program::{MetadataName, PathTree, Payload, Step, StreamIdentity, Subject, Term};
use crate::query::{self, Query};
use std::collections::HashMap;
use std::sync::Arc;
use viewfold_spec::yaml::place::within;
use viewfold_spec::{Code, Entries, Literal, Span, Spanned, suggest};
use viewfold_value::{Kind, Value};

/// What the terms at a place of a file may refer to.
pub(super) struct Terms<'s> {
    /// The event; none where there is only the document (`derive`, `delete_when`).
    pub(super) event: Option<EventTerms<'s>>,
    /// The values of `let`, the rule's own before the projection's.
    pub(super) lets: Vec<&'s Entries<Spanned<Literal>>>,
    /// The `let`s that have been compiled for this place, with their weight; nothing after an error.
    pub(super) compiled: HashMap<String, Option<(Arc<Term>, usize)>>,
    /// The `let`s that are being compiled: one that comes up again refers to itself.
    pub(super) compiling: Vec<String>,
    /// The name of `each`, in a rule that has one.
    pub(super) element: Option<String>,
    /// Whether `doc.` may be used here; where not, why.
    pub(super) document: Result<(), &'static str>,
    /// What the value is for.
    pub(super) role: Role,
}

/// What a value is for, as far as that makes a difference for the clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Role {
    /// It goes into the document, or decides what does.
    Value,
    /// Whether the rule applies.
    Condition,
    /// Which document it is.
    Key,
    /// Which event it is.
    Id,
}

/// What terms that depend on an event refer to.
pub(super) struct EventTerms<'s> {
    pub(super) paths: &'s mut PathTree,
    pub(super) identity: &'s StreamIdentity,
    pub(super) payload: Payload,
    /// Whether `$` is one image of an item (`retract: true`) rather than the event.
    pub(super) image: bool,
}

/// What an event of EventBridge has ([structure]), one of a replay included.
///
/// [structure]: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
const EVENT_KEYS: [&str; 10] =
    ["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail", "replay-name"];

impl<'s> Terms<'s> {
    /// Terms over an event alone.
    pub(super) fn of_event(paths: &'s mut PathTree, identity: &'s StreamIdentity, payload: Payload) -> Terms<'s> {
        Terms {
            event: Some(EventTerms { paths, identity, payload, image: false }),
            lets: Vec::new(),
            compiled: HashMap::new(),
            compiling: Vec::new(),
            element: None,
            document: Err("there is no document yet where this value is needed"),
            role: Role::Value,
        }
    }

    /// Terms over a document alone.
    pub(super) fn of_document(lets: Vec<&'s Entries<Spanned<Literal>>>) -> Terms<'s> {
        Terms {
            event: None,
            lets,
            compiled: HashMap::new(),
            compiling: Vec::new(),
            element: None,
            document: Ok(()),
            role: Role::Value,
        }
    }
}

/// A place inside a text of the file.
#[derive(Clone, Copy)]
pub(super) struct Place<'t> {
    /// The whole text, as it means.
    pub(super) text: &'t str,
    /// Where in it, in bytes.
    pub(super) at: usize,
    /// Where the text stands in the file.
    pub(super) span: Span,
}

impl Compiler<'_> {
    /// The term of a value; nothing after an error.
    pub(super) fn term(&mut self, literal: &Spanned<Literal>, terms: &mut Terms<'_>) -> Option<Term> {
        if !matches!(literal.value, Literal::Text(_)) {
            self.check_plain(literal);
        }
        Some(match &literal.value {
            Literal::Null => Term::Constant(Value::Null),
            Literal::Bool(value) => Term::Constant(Value::Bool(*value)),
            Literal::Number(number) => Term::Constant(Value::Number(*number)),
            Literal::Text(text) => return self.text(text, literal.span, terms),
            Literal::List(list) => {
                let list: Vec<Option<Term>> = list.iter().map(|element| self.term(element, terms)).collect();
                folded(Term::List(list.into_iter().collect::<Option<_>>()?))
            }
            Literal::Map(entries) => {
                let entries: Vec<Option<(String, Term)>> =
                    entries.iter().map(|(key, value)| Some((key.value.clone(), self.term(value, terms)?))).collect();
                folded(Term::Map(entries.into_iter().collect::<Option<_>>()?))
            }
        })
    }

    fn text(&mut self, text: &str, span: Span, terms: &mut Terms<'_>) -> Option<Term> {
        if text.contains("${") {
            if path::is_path(text) {
                let message = "a path has no `${…}` in it, and a text with values does not start like a path";
                self.error(Code::BadPath, span, message).help = Some(
                    "text with values is written '${ $.first } ${ $.last }'; `get(map, key)` takes the entry of a key"
                        .into(),
                );
                return None;
            }
            return self.template(text, span, terms);
        }
        if text.starts_with("$$.") || path::is_path(text) {
            return self.path(text, Place { text, at: 0, span }, terms);
        }
        if let Some(name) = text.strip_prefix('$')
            && name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '[' | ']'))
        {
            let message = format!("`{text}` is no path, and would be taken as text");
            self.error(Code::BadPath, span, message).help =
                Some(format!("did you mean `$.{name}`? For the text itself write '${{ \"{text}\" }}'"));
            return None;
        }
        let of_element =
            |name: &str| text.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let is_name =
            terms.element.as_deref().is_some_and(of_element) || terms.lets.iter().any(|lets| lets.get(text).is_some());
        let looks_like_one =
            (text.contains("doc.") && text.len() > 4 && (text.starts_with("doc.") || text.contains(' ')))
                || text.starts_with("-$.")
                || (text.starts_with("{{") && text.ends_with("}}"))
                || (text.starts_with("$ {") && text.ends_with('}'));
        if is_name || looks_like_one {
            let message = format!("`{text}` is taken as text here");
            let inner = text.strip_prefix('$').unwrap_or(text).trim_matches(['{', '}', ' ']);
            let inner = if text.starts_with("$ ") || text.starts_with("{{") { inner } else { text };
            self.warning(Code::BadExpression, span, message).help =
                Some(format!("for an expression's value write '${{ {inner} }}'"));
        } else {
            self.check_plain(&Spanned { value: Literal::Text(text.to_owned()), span });
            self.check_event_name(text, span);
        }
        Some(Term::Constant(Value::from(text)))
    }

    /// A text with `${…}` in it: one expression alone has its own type, anything else is text.
    fn template(&mut self, text: &str, span: Span, terms: &mut Terms<'_>) -> Option<Term> {
        let parts = match template::split(text) {
            Ok(parts) => parts,
            Err(_) if self.cut_off(span) => return None,
            Err(at) => {
                let place = self.inside(Place { text, at, span }, 2);
                self.error(Code::BadExpression, place, "this `${` has no `}`").help = Some(
                    "an expression is written '${ … }', the whole value in single quotes, so that YAML leaves `}`, `,`, \
                     `: ` and ` #` alone"
                        .into(),
                );
                return None;
            }
        };
        if let [Part::Expression { text: expression, at }] = parts.as_slice() {
            return self.expression(expression, Place { text, at: *at, span }, terms);
        }
        let is_blank = |part: &Part<'_>| matches!(part, Part::Text(text) if text.trim().is_empty());
        if parts.iter().filter(|part| !is_blank(part)).count() == 1
            && !parts.iter().any(|part| matches!(part, Part::Text(text) if !text.trim().is_empty()))
        {
            let (message, help) = match text.ends_with('\n') {
                true => (
                    "this text ends with a line break, so the value is a text, and not the expression's value",
                    "write `>-`, which leaves the line break out",
                ),
                false => (
                    "there are blanks beside this `${ }`, so the value is a text, and not the expression's value",
                    "remove them; `text(x)` makes a text of a value",
                ),
            };
            self.warning(Code::UnquotedText, span, message).help = Some(help.into());
        }
        for part in &parts {
            if let Part::Text(part) = part
                && part.contains("$.")
            {
                self.check_plain(&Spanned { value: Literal::Text(text.to_owned()), span });
            }
        }
        let mut pieces = Vec::with_capacity(parts.len());
        let mut fine = true;
        for part in parts {
            let piece = match part {
                Part::Text(text) => Some(Term::Constant(Value::from(text))),
                Part::Expression { text: expression, at } => {
                    let place = Place { text, at, span };
                    let piece = self.expression(expression, place, terms);
                    piece.filter(|piece| self.goes_into_text(piece, place, expression))
                }
            };
            match piece {
                Some(piece) => pieces.push(piece),
                None => fine = false,
            }
        }
        fine.then(|| folded(Term::Text(pieces)))
    }

    fn goes_into_text(&mut self, term: &Term, place: Place<'_>, expression: &str) -> bool {
        match super::kinds::kind_of(term) {
            None | Some(Kind::String | Kind::Number | Kind::Boolean) => true,
            Some(kind) => {
                let span = self.inside(place, expression.len());
                self.error(Code::BadOperand, span, format!("a {kind} cannot stand inside of a text")).help =
                    Some("texts, numbers and booleans can".into());
                false
            }
        }
    }

    /// A path, `$.…` or `$$.…`, perhaps with a `?` behind it.
    pub(super) fn path(&mut self, written: &str, place: Place<'_>, terms: &mut Terms<'_>) -> Option<Term> {
        let (path, optional) = match written.strip_suffix('?') {
            Some(path) => (path, true),
            None => (written, false),
        };
        let (subject, query) = self.subject(path, place, terms)?;
        let shown = Arc::from(path);
        Some(match (subject, query) {
            (Subject::Slot(slot), Some(query)) => Term::Many { slot, query, optional, path: shown },
            (subject, _) => Term::Event { subject, optional, path: shown },
        })
    }

    /// Where a path of the file, `$.…` or `$$.…` without its `?`, leads, and what to look for there.
    pub(super) fn subject(
        &mut self,
        path: &str,
        place: Place<'_>,
        terms: &mut Terms<'_>,
    ) -> Option<(Subject, Option<Query>)> {
        let span = self.inside(place, path.len());
        let Some(event) = &mut terms.event else {
            let (here, help) = match terms.document {
                Ok(()) => {
                    ("only the document", "the document's attributes are `doc.NAME`; it may be changed by any event")
                }
                Err(_) => {
                    ("no event", "write the value itself; a text that looks like a path is written '${ \"$.99\" }'")
                }
            };
            let message = format!("`{path}` is a part of an event, and here is {here}");
            self.error(Code::BadPath, span, message).help = Some(help.into());
            return None;
        };
        let (identity, payload, image) = (event.identity.clone(), event.payload, event.image);
        if let Some(name) = path.strip_prefix("$$.") {
            if image {
                let message = "a rule with `retract: true` knows nothing but one image of the item";
                self.error(Code::UnknownMetadata, span, message).help =
                    Some("what an item contributes must not depend on when it was changed".into());
                return None;
            }
            let name = self.metadata(name, span, (&identity, payload))?;
            if name == MetadataName::Now {
                self.clock(span, terms.role);
            }
            return Some((Subject::Metadata(name), None));
        }
        let compiled = match query::compile(path) {
            Ok(compiled) => compiled,
            Err(PathError { message, at, code, help }) => {
                let span = match at {
                    Some((at, length)) => self.inside(Place { at: place.at + at, ..place }, length),
                    None => span,
                };
                self.error(code, span, message).help = help;
                return None;
            }
        };
        if let Some(Step::Name(first)) = compiled.steps.first()
            && terms.element.as_deref() == Some(first)
        {
            let message = format!("`{path}` is a value of the whole event, and the element of `each` is `{first}`");
            self.warning(Code::BadPath, span, message).help =
                Some(format!("did you mean '${{ {} }}'?", path.trim_start_matches("$.")));
        }
        let Some(event) = &mut terms.event else { return None };
        let mut steps = compiled.steps;
        self.reads.extend(reads::Read::of(&identity, &steps, image, span));
        if image {
            self.check_image(&steps, path, span)?;
            steps.insert(0, Step::Name("new".into()));
        } else {
            self.check_root(&steps, path, span, payload)?;
            self.check_envelope(&steps, path, span, payload);
        }
        Some((Subject::Slot(event.paths.insert(&steps)), compiled.rest))
    }

    /// A change of an item has `keys`, `new` and `old`, and nothing else.
    fn check_root(&mut self, steps: &[Step], path: &str, span: Span, payload: Payload) -> Option<()> {
        if let (Payload::Change, [_, .., Step::Name(last)]) = (payload, steps)
            && ["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"].contains(&last.as_str())
            && let Some(value) = path.strip_suffix(&format!(".{last}"))
        {
            let message =
                format!("the values of an item are read without their types: `{last}` is looked for in the value");
            self.warning(Code::BadPath, span, message).help = Some(format!("did you mean `{value}`?"));
        }
        const IMAGES: [&str; 3] = ["keys", "new", "old"];
        let wrong = match (payload, steps.first()) {
            (Payload::Change, Some(Step::Name(name))) if !IMAGES.contains(&name.as_str()) => name,
            _ => return Some(()),
        };
        let message = format!("`{path}` finds nothing: a change of an item has `keys`, `new` and `old`");
        let rest = path.strip_prefix(&format!("$.{wrong}")).unwrap_or_default();
        let image = match wrong.as_str() {
            "NewImage" | "newImage" | "new_image" | "after" => Some("new"),
            "OldImage" | "oldImage" | "old_image" | "before" => Some("old"),
            "Keys" | "key" => Some("keys"),
            _ => suggest::nearest(wrong, IMAGES),
        };
        let help = match image {
            Some(image) => format!("did you mean `$.{image}{rest}`?"),
            None => format!("did you mean `$.new.{wrong}{rest}`?"),
        };
        self.error(Code::BadPath, span, message).help = Some(help);
        None
    }

    /// What a path looks for in the envelope of a message, and does not find there.
    fn check_envelope(&mut self, steps: &[Step], path: &str, span: Span, payload: Payload) {
        let Some(Step::Name(first)) = steps.first() else { return };
        let (message, help) = match payload {
            Payload::Eventbridge if !EVENT_KEYS.contains(&first.as_str()) => {
                let rest = path.strip_prefix('$').unwrap_or(path);
                let help = match suggest::nearest(first, EVENT_KEYS) {
                    Some("detail-type") => "did you mean `$['detail-type']`?".to_owned(),
                    Some(near) => format!("did you mean `$.{near}`, or `$.detail{rest}`?"),
                    None => format!("did you mean `$.detail{rest}`?"),
                };
                (format!("`{path}` finds nothing: what an event of EventBridge carries is in its `detail`"), help)
            }
            Payload::Sns if first == "Message" && steps.len() > 1 => {
                let inner = path.strip_prefix("$.Message").unwrap_or_default();
                let message =
                    format!("`{path}` looks for `Message` in what stands in the `Message` of the notification");
                (message, format!("did you mean `${inner}`?"))
            }
            _ => return,
        };
        self.warning(Code::BadPath, span, message).help = Some(help);
    }

    /// In a rule with `retract: true` `$` is the item itself.
    fn check_image(&mut self, steps: &[Step], path: &str, span: Span) -> Option<()> {
        let [Step::Name(root), Step::Name(name), ..] = steps else { return Some(()) };
        if !matches!(root.as_str(), "new" | "old" | "keys") {
            return Some(());
        }
        // An attribute may be called so. Who means it says so by the brackets.
        if !path.starts_with("$.") {
            return Some(());
        }
        let message = format!("with `retract: true` `$` is one image of the item: `{path}` looks for `{root}` in it");
        self.error(Code::BadPath, span, message).help =
            Some(format!("did you mean `$.{name}`? An attribute that is called `{root}` is `$['{root}'].{name}`"));
        None
    }

    fn metadata(
        &mut self,
        name: &str,
        span: Span,
        (identity, payload): (&StreamIdentity, Payload),
    ) -> Option<MetadataName> {
        let given = |name: &MetadataName| match name {
            MetadataName::Shard => matches!(identity, StreamIdentity::Kinesis(_)),
            MetadataName::Sequence | MetadataName::Lane => identity.has_lanes(),
            MetadataName::Change => payload == Payload::Change,
            _ => true,
        };
        let found = MetadataName::ALL.into_iter().filter(given).find(|known| known.text() == name);
        if found.is_none() {
            let names: Vec<&str> =
                MetadataName::ALL.iter().filter(|name| given(name)).map(|name| name.text()).collect();
            let message = format!("`$$.{name}` is nothing that this source says about an event");
            let meant = super::foreign::metadata(name).filter(|meant| names.contains(meant));
            let of_lanes = [MetadataName::Sequence, MetadataName::Lane].iter().any(|known| known.text() == name);
            if of_lanes {
                self.error(Code::UnknownMetadata, span, message).help = Some(
                    "the messages of a standard queue have no order and no groups; those of a FIFO queue, whose name ends in \
                     `.fifo`, have"
                        .into(),
                );
                return None;
            }
            self.error(Code::UnknownMetadata, span, message).help =
                Some(match suggest::nearest(name, names.clone()).or(meant) {
                    Some(near) => format!("did you mean `$$.{near}`?"),
                    None if name.starts_with(|c: char| c.is_alphabetic()) => {
                        format!("there are {}; a value of the payload is `$.{name}`", suggest::list(names))
                    }
                    None => format!("there are {}", suggest::list(names)),
                });
        }
        found
    }

    /// A value that has to be a path into the payload.
    pub(super) fn path_term(&mut self, literal: &Spanned<Literal>, what: &str, terms: &mut Terms<'_>) -> Option<Term> {
        let text = match &literal.value {
            Literal::Text(text) if path::is_path(text) && !text.ends_with('?') => text,
            _ => {
                let message = format!("{what} has to be a path into the payload, without `?`");
                let help = match &literal.value {
                    Literal::Text(text) if text.contains("${") => {
                        "what is put together from several values is no path: let the producer send it as one value"
                            .to_owned()
                    }
                    Literal::Text(text) if text.ends_with('?') => format!("write `{}`", text.trim_end_matches('?')),
                    Literal::Text(text) if text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.')) => {
                        format!("did you mean `$.{text}`?")
                    }
                    _ => "for example `$.data.id`".to_owned(),
                };
                self.error(Code::BadPath, literal.span, message).help = Some(help);
                return None;
            }
        };
        match self.path(text, Place { text, at: 0, span: literal.span }, terms)? {
            Term::Many { .. } => {
                let message = format!("{what} is one value, and `{text}` can find many");
                self.error(Code::BadPath, literal.span, message);
                None
            }
            term => Some(term),
        }
    }

    /// The place in the file of some bytes of a text; the whole text's where they do not stand there, as with an alias.
    pub(super) fn inside(&self, place: Place<'_>, length: usize) -> Span {
        let Place { text, at, span } = place;
        let width = text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        within(&self.source.text, span, text, at, length.max(width)).unwrap_or(span)
    }
}

/// The term, or its value where it is the same for every event.
fn folded(term: Term) -> Term {
    let constant = term.parts().iter().all(|part| matches!(part, Term::Constant(_)));
    match (constant, evaluate(&term, &Scope::default())) {
        (true, Ok(Some(value))) => Term::Constant(value),
        _ => term,
    }
}
