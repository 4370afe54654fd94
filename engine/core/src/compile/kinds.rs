//! The types of terms, as far as they can be known before any event.

use crate::expression::{Binary, Unary};
use crate::functions::Function;
use crate::program::{Subject, Term};
use viewfold_value::Kind;

/// The type that a term's value always has, where it has one.
pub(crate) fn kind_of(term: &Term) -> Option<Kind> {
    match term {
        Term::Constant(value) => Some(value.kind()),
        Term::Event { subject: Subject::Metadata(_), .. } | Term::Text(_) => Some(Kind::String),
        Term::Event { .. } | Term::Document { .. } | Term::Element { .. } => None,
        Term::Many { .. } | Term::List(_) => Some(Kind::List),
        Term::Map(_) => Some(Kind::Map),
        Term::Call(function, _) => function.signature().result,
        Term::Unary(Unary::Negate, _) => Some(Kind::Number),
        Term::Unary(Unary::Not, _) | Term::Exists(_) => Some(Kind::Boolean),
        Term::Binary(operator, left, right) => match operator {
            // Texts are joined by it, too.
            Binary::Add => kind_of(left).or_else(|| kind_of(right)),
            Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Remainder | Binary::Power => {
                Some(Kind::Number)
            }
            _ => Some(Kind::Boolean),
        },
        Term::If(_, then, None) => kind_of(then),
        Term::If(_, a, Some(b)) | Term::Default(a, b) => kind_of(a).filter(|kind| kind_of(b) == Some(*kind)),
        Term::Let(term) => kind_of(term),
    }
}

/// Whether a term may come to nothing.
pub(super) fn may_be_nothing(term: &Term) -> bool {
    match term {
        Term::Event { optional, .. }
        | Term::Many { optional, .. }
        | Term::Document { optional, .. }
        | Term::Element { optional, .. } => *optional,
        Term::If(_, _, None) => true,
        Term::If(_, then, Some(otherwise)) => may_be_nothing(then) || may_be_nothing(otherwise),
        Term::Default(_, otherwise) => may_be_nothing(otherwise),
        Term::Constant(_) | Term::List(_) | Term::Map(_) | Term::Exists(_) => false,
        // A set of no elements is nothing.
        Term::Call(Function::Set, elements) => elements
            .iter()
            .any(|element| matches!(kind_of(element), None | Some(Kind::List)) || may_be_nothing(element)),
        Term::Text(_) | Term::Call(..) | Term::Unary(..) | Term::Binary(..) | Term::Let(_) => {
            term.parts().into_iter().any(may_be_nothing)
        }
    }
}

/// Whether a term's value can be a number.
pub(super) fn may_be_number(term: &Term) -> bool {
    kind_of(term).is_none_or(|kind| kind == Kind::Number)
}
