//! Values of `let` that nothing uses.

use super::super::Compiler;
use std::collections::HashSet;
use viewfold_spec::projection as spec;
use viewfold_spec::{Code, Entries, Literal, Severity, Span, Spanned};

impl Compiler<'_> {
    /// Checks the values of `let` against those that are used.
    pub(in super::super) fn check_lets(&mut self, spec: &spec::Projection) {
        // What has an error may be what uses it.
        if self.findings.iter().any(|finding| finding.severity == Severity::Error) {
            return;
        }
        let used = &std::mem::take(&mut self.used_lets);
        let of_rules = spec.rules.iter().filter_map(|rule| rule.r#let.as_ref());
        for (entries, at_top) in
            spec.r#let.iter().map(|entries| (entries, true)).chain(of_rules.map(|entries| (entries, false)))
        {
            for (name, literal) in entries {
                if used.contains(&literal.span) {
                    continue;
                }
                let shadow = at_top.then(|| shadow(spec, name, used)).flatten();
                let message = match shadow {
                    Some(_) => format!("nothing uses this `{}`: rules that use one have their own", name.value),
                    None => format!("nothing uses the value `{}`", name.value),
                };
                let finding = self.warning(Code::UnusedLet, name.span, message);
                finding.related = shadow.map(|span| (span, "the rule's own stands in front of it".into()));
                finding.help = Some(match user(entries, name, used) {
                    Some(other) => format!("only `{other}` has it, which nothing uses either; remove both"),
                    None => "remove it; a value is used in `${ }`, in `if` and in other values by its name".to_owned(),
                });
            }
        }
    }
}

/// A rule's own value of the same name, where that one is used.
fn shadow(spec: &spec::Projection, name: &Spanned<String>, used: &HashSet<Span>) -> Option<Span> {
    spec.rules
        .iter()
        .filter_map(|rule| rule.r#let.as_ref())
        .flatten()
        .find_map(|(own, literal)| (own.value == name.value && used.contains(&literal.span)).then_some(own.span))
}

/// The name of another value that nothing uses and that has this one in its text.
fn user<'s>(entries: &'s Entries<Spanned<Literal>>, name: &Spanned<String>, used: &HashSet<Span>) -> Option<&'s str> {
    let has = |literal: &Literal| match literal {
        Literal::Text(text) => {
            text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '$'))).any(|word| word == name.value)
        }
        _ => false,
    };
    entries
        .iter()
        .find(|(other, literal)| other.value != name.value && !used.contains(&literal.span) && has(literal))
        .map(|(other, _)| other.value.as_str())
}
