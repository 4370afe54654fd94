//! Values that may depend on the event, the document, or both: what texts, paths and `${…}` of a file became.

use super::{DocumentPath, MetadataName, Step, Subject};
use crate::expression::{Binary, Unary};
use crate::functions::Function;
use crate::query::Query;
use std::sync::Arc;
use viewfold_value::Value;

/// A value that may depend on the event or the document.
#[derive(Clone, PartialEq, Debug)]
pub enum Term {
    /// The same for every event.
    Constant(Value),
    /// A part of the event, by its path as the file has it.
    Event {
        /// Where it comes from.
        subject: Subject,
        /// Whether it may be missing (`?`).
        optional: bool,
        /// The path as written, for messages.
        path: Arc<str>,
    },
    /// The list of what a path finds that can find many.
    Many {
        /// The slot of the value that the query looks into.
        slot: usize,
        /// What it looks for there.
        query: Query,
        /// Whether finding nothing is nothing (`?`) rather than an empty list.
        optional: bool,
        /// The path as written, for messages.
        path: Arc<str>,
    },
    /// `doc.a.b`: a part of the document.
    Document {
        /// The way from the document.
        steps: Vec<Step>,
        /// Whether it may be missing (`?`).
        optional: bool,
        /// The path as written, for messages.
        path: Arc<str>,
    },
    /// `line.price`: the element that `each` is at, or a part of it.
    Element {
        /// The way from the element.
        steps: Vec<Step>,
        /// Whether it may be missing (`?`).
        optional: bool,
        /// The path as written, for messages.
        path: Arc<str>,
    },
    /// A list of terms.
    List(Vec<Term>),
    /// A map of terms.
    Map(Vec<(String, Term)>),
    /// `'${ first } ${ last }'`: text with values in place.
    Text(Vec<Term>),
    /// A function and its arguments.
    Call(Function, Vec<Term>),
    /// An operator with one operand.
    Unary(Unary, Box<Term>),
    /// An operator with two operands; `&&` and `||` evaluate the second one only where they need it.
    Binary(Binary, Box<Term>, Box<Term>),
    /// `if(c, a, b)`, `if(c, a)`: only what is needed is evaluated.
    If(Box<Term>, Box<Term>, Option<Box<Term>>),
    /// `exists(x)`
    Exists(Box<Term>),
    /// `default(x, y)`
    Default(Box<Term>, Box<Term>),
    /// A value of `let`, where it is used: shared, so that a file of many names stays small.
    Let(Arc<Term>),
}

impl Term {
    /// A name of `$$.…`.
    pub fn metadata(name: MetadataName) -> Term {
        let path = Arc::from(format!("$$.{}", name.text()));
        Term::Event { subject: Subject::Metadata(name), optional: false, path }
    }

    /// What a value of `let` stands for; any other term itself.
    pub fn resolved(&self) -> &Term {
        match self {
            Term::Let(term) => term.resolved(),
            term => term,
        }
    }

    /// The terms that this one is made of.
    pub fn parts(&self) -> Vec<&Term> {
        match self {
            Term::Constant(_)
            | Term::Event { .. }
            | Term::Many { .. }
            | Term::Document { .. }
            | Term::Element { .. } => Vec::new(),
            Term::List(terms) | Term::Text(terms) | Term::Call(_, terms) => terms.iter().collect(),
            Term::Map(entries) => entries.iter().map(|(_, term)| term).collect(),
            Term::Unary(_, term) | Term::Exists(term) => vec![term],
            Term::Let(term) => vec![term],
            Term::Binary(_, left, right) | Term::Default(left, right) => vec![left, right],
            Term::If(condition, then, otherwise) => {
                [Some(&**condition), Some(&**then), otherwise.as_deref()].into_iter().flatten().collect()
            }
        }
    }

    /// Whether this term or any in it is one of those that `test` looks for.
    pub fn any(&self, test: &mut impl FnMut(&Term) -> bool) -> bool {
        test(self) || self.parts().into_iter().any(|part| part.any(test))
    }

    /// Whether the value depends on the document.
    pub fn reads_document(&self) -> bool {
        self.any(&mut |term| matches!(term, Term::Document { .. }))
    }

    /// The paths of the document that the value depends on.
    pub fn document_paths<'t>(&'t self, into: &mut Vec<&'t [Step]>) {
        if let Term::Document { steps, .. } = self {
            into.push(steps);
        }
        for part in self.parts() {
            part.document_paths(into);
        }
    }

    /// The slots that the value depends on.
    pub fn slots(&self, into: &mut Vec<usize>) {
        match self {
            Term::Event { subject: Subject::Slot(slot), .. } | Term::Many { slot, .. } => into.push(*slot),
            _ => {}
        }
        for part in self.parts() {
            part.slots(into);
        }
    }

    /// A term for people: the path as it was written, or the value.
    pub fn shown(&self) -> String {
        match self {
            Term::Constant(value) => value.to_string(),
            Term::Event { path, .. }
            | Term::Many { path, .. }
            | Term::Document { path, .. }
            | Term::Element { path, .. } => path.to_string(),
            Term::List(_) => "the list".to_owned(),
            Term::Map(_) => "the map".to_owned(),
            Term::Text(_) => "the text".to_owned(),
            Term::Let(term) => term.shown(),
            _ => "the expression".to_owned(),
        }
    }
}

/// The attribute that an operation writes: the way to it from the document.
#[derive(Clone, PartialEq, Debug)]
pub struct Target {
    /// The names on the way; the first one is never dynamic.
    pub names: Vec<TargetName>,
    /// The path as written.
    pub path: Arc<str>,
    /// The path itself, where it is the same for every event.
    pub fixed: Option<DocumentPath>,
}

/// One name on the way to an attribute.
#[derive(Clone, PartialEq, Debug)]
pub enum TargetName {
    /// It stands in the file.
    Fixed(String),
    /// It comes from the event.
    Dynamic(Term),
}

impl Target {
    /// A target of these names, which the file has as `path`.
    pub fn new(names: Vec<TargetName>, path: &str) -> Target {
        let fixed = names.iter().map(|name| match name {
            TargetName::Fixed(name) => Some(name.clone()),
            TargetName::Dynamic(_) => None,
        });
        let fixed = fixed.collect::<Option<Vec<String>>>().map(DocumentPath::from);
        Target { names, path: Arc::from(path), fixed }
    }

    /// The top-level attribute.
    pub fn root(&self) -> &str {
        match self.names.first() {
            Some(TargetName::Fixed(name)) => name,
            _ => "",
        }
    }

    /// Whether the path is the same for every event.
    pub fn is_fixed(&self) -> bool {
        self.fixed.is_some()
    }

    /// Whether two paths could be the same, or one lead through the other, in some event.
    pub fn overlap(&self, other: &Target) -> Overlap {
        let mut sure = true;
        for (a, b) in self.names.iter().zip(&other.names) {
            match (a, b) {
                (TargetName::Fixed(a), TargetName::Fixed(b)) if a != b => return Overlap::Never,
                (TargetName::Fixed(_), TargetName::Fixed(_)) => {}
                _ => sure = false,
            }
        }
        match sure {
            true if self.names.len() == other.names.len() => Overlap::Same,
            true => Overlap::Inside,
            // One is shorter than the other and ends before the name that is not known.
            false
                if self.names.len() != other.names.len() && (self.is_prefix_of(other) || other.is_prefix_of(self)) =>
            {
                Overlap::Inside
            }
            false => Overlap::Perhaps,
        }
    }

    fn is_prefix_of(&self, other: &Target) -> bool {
        self.names.len() < other.names.len() && self.names.iter().zip(&other.names).all(|(a, b)| a == b)
    }
}

/// How two attribute paths stand to each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overlap {
    /// They never meet.
    Never,
    /// They are the same path.
    Same,
    /// One leads through the other.
    Inside,
    /// That depends on the event.
    Perhaps,
}
