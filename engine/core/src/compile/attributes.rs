//! The attributes that a projection writes.

use super::Compiler;
use crate::program::{OperationKind, Overlap, Projection};
use viewfold_spec::projection as spec;
use viewfold_spec::{Code, Span};

/// Every top-level attribute that a projection writes, each once.
pub(super) fn written(projection: &Projection) -> Vec<String> {
    let operations = projection.rules.iter().flat_map(|rule| &rule.operations);
    let targets = operations.map(|operation| operation.target.root());
    let mut attributes: Vec<String> = Vec::new();
    for name in targets.chain(projection.derive.iter().map(|(name, _)| name.as_str())) {
        if !attributes.iter().any(|known| known == name) {
            attributes.push(name.to_owned());
        }
    }
    attributes
}

/// Every top-level attribute that a file writes, each with a place.
pub(super) fn places(projection: &spec::Projection) -> Vec<(String, Span)> {
    let rules = projection.rules.iter().flat_map(|rule| rule.written()).map(|(_, name)| name);
    let derived = projection.derive.iter().flatten().map(|(name, _)| name);
    let mut places: Vec<(String, Span)> = Vec::new();
    for name in rules.chain(derived) {
        let root = super::target::root(&name.value);
        if !places.iter().any(|(known, _)| *known == root) {
            places.push((root, name.span));
        }
    }
    places
}

impl Compiler<'_> {
    /// What is derived is written by nothing else; the TTL attribute is no key.
    pub(super) fn check_attributes(&mut self, spec: &spec::Projection, projection: &Projection) {
        let mut derived: Vec<String> = Vec::new();
        for (written, _) in spec.derive.iter().flatten() {
            let name = super::target::root(&written.value);
            let by_rule = spec
                .rules
                .iter()
                .flat_map(|rule| rule.written())
                .find(|(_, path)| super::target::root(&path.value) == name);
            if let Some((key, path)) = by_rule {
                let message = format!("`{name}` is derived, so no rule can write it too");
                let finding = self.error(Code::ConflictingRules, path.span, message);
                finding.related = Some((written.span, "derived here".into()));
                finding.help = Some(format!("remove it from `{key}`, or give one of them another name"));
            }
            if derived.contains(&name) {
                self.error(Code::ConflictingRules, written.span, format!("`{name}` is derived twice"));
            }
            derived.push(name);
        }
        self.check_list_orders(spec, projection);
        if let Some(ttl) = &spec.document.ttl
            && projection.table.keys().any(|key| key.name == ttl.value)
        {
            let message = format!("`{}` is part of the document's key and cannot be its TTL", ttl.value);
            self.error(Code::ReservedAttribute, ttl.span, message);
        }
    }

    /// A list is kept in one order: that of arrival, or that of `by`.
    fn check_list_orders(&mut self, spec: &spec::Projection, projection: &Projection) {
        let appends = |rule: usize| {
            projection.rules[rule].operations.iter().filter_map(|operation| match &operation.kind {
                OperationKind::Append { by, .. } => Some((&operation.target, by.is_some())),
                _ => None,
            })
        };
        for second in 0..projection.rules.len() {
            for first in 0..second {
                for (target, ordered) in appends(second) {
                    let other = appends(first)
                        .any(|(before, other)| other != ordered && before.overlap(target) != Overlap::Never);
                    if other && let Some(rule) = spec.rules.get(second) {
                        let span = rule.place_of(&target.path).unwrap_or(rule.span);
                        let message =
                            format!("`{}` is appended to with `by` by one rule and without it by another", target.path);
                        self.warning(Code::ConflictingRules, span, message).help =
                            Some("a list is kept in one order: give both `by`, or neither".into());
                    }
                }
            }
        }
    }

    /// What guards and deletions keep on a document has names of its own.
    pub(super) fn check_bookkeeping(&mut self, spec: &spec::Projection, projection: &Projection) {
        let names = projection.bookkeeping_attributes();
        for (number, (name, what)) in names.iter().enumerate() {
            if let Some((_, other)) = names[..number].iter().find(|(other, _)| other == name) {
                let message = format!("{other} and {what} would both be in the attribute `{name}`");
                self.error(Code::ReservedAttribute, spec.projection.span, message).help = Some(
                    "choose another name for the projection, its sources, the mark's `attribute` or the `ttl`".into(),
                );
            }
        }
    }
}
