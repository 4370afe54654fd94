//! `derive` and `delete_when`: what they look at, and in which order attributes are computed.

use super::Compiler;
use crate::expression::Binary;
use crate::program::{OperationKind, Projection, Step, Table, Term};
use std::collections::HashSet;
use viewfold_spec::diagnostic::Severity;
use viewfold_spec::{Code, Span, Spanned, projection as spec, suggest};
use viewfold_value::{Number, Value};

use super::term::Terms;

impl Compiler<'_> {
    /// `derive` and `delete_when`.
    pub(super) fn derived(&mut self, spec: &spec::Projection, table: &Table) -> (Vec<(String, Term)>, Option<Term>) {
        let mut terms = Terms::of_document(spec.r#let.iter().collect());
        let mut derive = Vec::new();
        for (name, literal) in spec.derive.iter().flatten() {
            let plain = super::target::parse(&name.value)
                .is_ok_and(|names| matches!(names.as_slice(), [super::target::Name::Fixed(_)]));
            if !plain {
                let message = format!("`derive` computes top-level attributes, and `{}` is none", name.value);
                self.error(Code::WrongForm, name.span, message).help =
                    Some("a name with a dot in it is written ['a.b']".into());
                continue;
            }
            let root = super::target::root(&name.value);
            let fine = self.check_attribute(&root, name.span, table);
            if let Some(term) = self.term(literal, &mut terms)
                && fine
            {
                derive.push((name, root, term));
            }
        }
        let delete_when =
            spec.delete_when.as_ref().and_then(|condition| self.condition(condition, "delete_when", &mut terms));
        (self.in_order(derive), delete_when)
    }

    /// Derived attributes, each behind those that it is derived from.
    fn in_order(&mut self, mut left: Vec<(&Spanned<String>, String, Term)>) -> Vec<(String, Term)> {
        let mut ordered = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let waits = |(_, name, term): &(&Spanned<String>, String, Term)| {
                left.iter().any(|(_, other, _)| other != name && looks_at(term, other))
            };
            match left.iter().position(|derived| !waits(derived)) {
                Some(next) => {
                    let (_, name, term) = left.remove(next);
                    ordered.push((name, term));
                }
                None => {
                    let names = suggest::list(left.iter().map(|(_, name, _)| name.as_str()));
                    let span = left[0].0.span;
                    self.error(Code::BadExpression, span, format!("{names} are derived from each other")).help =
                        Some("derive them from attributes that rules write".into());
                    ordered.extend(left.drain(..).map(|(_, name, term)| (name, term)));
                }
            }
        }
        ordered
    }

    /// Attributes of the document that nothing writes are probably misspelt.
    pub(super) fn check_document_names(&mut self, projection: &Projection) {
        // What has an error of its own may be what writes it.
        if self.findings.iter().any(|finding| finding.severity == Severity::Error) {
            return;
        }
        let mut told: HashSet<Span> = HashSet::new();
        for (name, span) in std::mem::take(&mut self.document_names) {
            let known = projection.attributes.contains(&name) || projection.table.keys().any(|key| key.name == name);
            if known || projection.shared || !told.insert(span) {
                continue;
            }
            let names = projection.attributes.iter().map(String::as_str);
            let help = match suggest::nearest(&name, names) {
                Some(near) => format!("did you mean `doc.{near}`?"),
                None => "where others write it to the same items, say `shared: true` in `document`".to_owned(),
            };
            self.warning(Code::UnknownName, span, format!("no rule writes `{name}`")).help = Some(help);
        }
    }
}

/// Whether a value is computed from an attribute of the document.
pub(super) fn looks_at(term: &Term, attribute: &str) -> bool {
    let mut paths = Vec::new();
    term.document_paths(&mut paths);
    paths.iter().any(|steps| matches!(steps.first(), Some(Step::Name(name)) if name == attribute))
}

/// `delete_when` of a projection that does nothing but add numbers, whose sums begin at 0: one that has not been added to
/// is 0 there, so that it does not matter which came first.
pub(super) fn sums_from_zero(condition: Term, projection: &Projection) -> Term {
    let sums = projection.rules.iter().all(|rule| !rule.delete)
        && projection.rules.iter().flat_map(|rule| &rule.operations).all(
            |operation| matches!(&operation.kind, OperationKind::Add(value) if super::kinds::may_be_number(value)),
        );
    if sums { from_zero(condition, projection) } else { condition }
}

fn from_zero(condition: Term, projection: &Projection) -> Term {
    let boxed = |term: Box<Term>| Box::new(from_zero(*term, projection));
    match condition {
        Term::Binary(operator @ (Binary::And | Binary::Equal), a, b) => Term::Binary(operator, boxed(a), boxed(b)),
        Term::Document { steps, optional: false, path } => {
            let is_sum = matches!(steps.as_slice(), [Step::Name(name)]
                if projection.rules.iter().flat_map(|rule| &rule.operations).any(|operation| *operation.target.path == **name));
            let document = Term::Document { steps, optional: false, path };
            match is_sum {
                true => Term::Default(Box::new(document), Box::new(Term::Constant(Value::Number(Number::ZERO)))),
                false => document,
            }
        }
        other => other,
    }
}
