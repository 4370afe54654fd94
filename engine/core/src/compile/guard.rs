//! `guard:`, and whether it keeps what it promises.

use super::Compiler;
use super::term::Terms;
use crate::program::{Guard, LaneCheck, MetadataName, OperationKind, OrderBy, Rule, Step, Subject, Table, Term};
use std::sync::Arc;
use viewfold_spec::projection as spec;
use viewfold_spec::{Code, Literal, Spanned};

impl Compiler<'_> {
    pub(super) fn guard(
        &mut self,
        guard: &Spanned<spec::Guard>,
        projection: &str,
        terms: &mut Terms<'_>,
    ) -> Option<Guard> {
        Some(match &guard.value {
            spec::Guard::None => Guard::None,
            spec::Guard::LastEventId(spec::LastEventId { place: spec::MarkPlace::Document, order_by, attribute }) => {
                let order_by = match order_by {
                    Some(path) if path.value != Literal::Text("$$.sequence".into()) => {
                        OrderBy::Payload(self.path_term(path, "`order_by`", terms)?)
                    }
                    _ => OrderBy::Sequence,
                };
                let attribute = match attribute {
                    Some(name) if name.is_empty() => {
                        self.error(Code::WrongForm, name.span, "the attribute's name is empty");
                        return None;
                    }
                    Some(name) => name.value.clone(),
                    None => default_mark_attribute(projection),
                };
                Guard::Document { attribute, order_by }
            }
            spec::Guard::EventsTable(spec::EventsTable { table, id }) => {
                self.table_name(&table.value, table.span);
                let id = match id {
                    Some(path) if path.value != Literal::Text("$$.id".into()) => self.path_term(path, "`id`", terms)?,
                    _ => Term::Event {
                        subject: Subject::Metadata(MetadataName::Id),
                        optional: false,
                        path: Arc::from("$$.id"),
                    },
                };
                Guard::EventsTable { table: self.prefixed(&table.value), id }
            }
        })
    }

    /// Checks the guard against the lanes, the rules' keys and what the rules do.
    pub(super) fn check_guard(
        &mut self,
        spec: &spec::Projection,
        guard: Option<&Guard>,
        lane: Option<&LaneCheck>,
        table: &Table,
        rules: &[Rule],
        attributes: &[String],
    ) {
        match guard {
            Some(Guard::Document { attribute, .. }) => {
                if attributes.contains(attribute) || table.keys().any(|key| key.name == *attribute) {
                    let message = format!("the guard keeps its mark in `{attribute}`, which is written otherwise too");
                    self.error(Code::ReservedAttribute, spec.guard.span, message).help =
                        Some("give the mark an attribute of its own with `attribute`".into());
                }
                self.check_lanes(spec, lane, rules);
            }
            Some(Guard::EventsTable { .. }) => self.check_order(spec, rules, attributes),
            Some(Guard::None) | None => {}
        }
    }

    /// Under `last_event_id` all events of a document have to come in one lane: the key contains the lane.
    fn check_lanes(&mut self, spec: &spec::Projection, lane: Option<&LaneCheck>, rules: &[Rule]) {
        let what = match &spec.source.kinesis {
            Some(_) => "`lane`, what producers send as partition key",
            None => "`keys`, the key attributes of the source's table",
        };
        let others = "; or use `{events_table: NAME}`, which needs no order";
        let lane_itself = |part: &Term| {
            matches!(part, Term::Event { subject: Subject::Metadata(MetadataName::Lane), optional: false, .. })
        };
        // Rules without a key have had an error already.
        let mut keyed = rules.iter().filter(|rule| !rule.key.is_empty());
        let Some(lane) = lane else {
            if keyed.all(|rule| rule.key.iter().any(lane_itself)) {
                return;
            }
            let message = "`last_event_id` is sound only where all events of a document come in one lane, and the \
                           source does not say its lanes";
            self.error(Code::UnsoundGuard, spec.guard.span, message).help =
                Some(format!("give the source {what}{others}"));
            return;
        };
        for (rule, compiled) in spec.rules.iter().zip(rules) {
            if compiled.key.is_empty() || compiled.key.iter().any(lane_itself) || determines(&compiled.key, lane) {
                continue;
            }
            let span = rule.key.as_ref().or(spec.key.as_ref()).map_or(rule.span, |key| key.span);
            let shown = match lane {
                LaneCheck::PartitionKey(Term::Event { path, .. }) => format!("`{path}`"),
                LaneCheck::PartitionKey(_) => "the lane".to_owned(),
                LaneCheck::Keys(keys) => {
                    let keys: Vec<String> = keys.iter().map(|key| format!("`$.keys.{}`", key.name)).collect();
                    keys.join(" and ")
                }
            };
            let message = format!(
                "the key of `{}` does not contain {shown}, so its document is fed by many lanes, and the newest event of \
                 one lane says nothing about the others",
                compiled.name
            );
            self.error(Code::UnsoundGuard, span, message).help =
                Some(format!("make {shown} a part of the key as it stands{others}"));
        }
    }

    /// An unordered events table gives no order: only operations that need none are sound.
    fn check_order(&mut self, spec: &spec::Projection, rules: &[Rule], attributes: &[String]) {
        for (rule, compiled) in spec.rules.iter().zip(rules) {
            if rule.any_order.unwrap_or(false) {
                continue;
            }
            for operation in &compiled.operations {
                let alone = match operation.kind {
                    OperationKind::Add => true,
                    OperationKind::SetOnce => {
                        operation.value.as_ref().is_some_and(|value| fixed_by(value, &compiled.key))
                    }
                    OperationKind::Set | OperationKind::Remove => false,
                };
                // What other rules do to the attribute: sums do not mind each other, and neither do equal values.
                let together = rules.iter().flat_map(|rule| &rule.operations).all(|other| {
                    other.attribute != operation.attribute
                        || other.kind == operation.kind
                            && (other.kind == OperationKind::Add || other.value == operation.value)
                });
                if alone && together {
                    continue;
                }
                let name = &attributes[operation.attribute];
                let word = operation.kind.name();
                let span = rule.place_of(name).unwrap_or(rule.span);
                let others = if alone { " with what other rules do to it" } else { "" };
                let message = format!(
                    "the outcome of `{word}` on `{name}`{others} depends on the order of events, and this guard applies \
                     them in any order"
                );
                self.error(Code::OrderDependent, span, message).help = Some(
                    "if any order will do, say `any_order: true` in the rule; `last_event_id` keeps the order of a lane"
                        .into(),
                );
            }
        }
    }
}

/// The mark's attribute unless the guard names one.
pub(super) fn default_mark_attribute(projection: &str) -> String {
    format!("_vf_{projection}")
}

/// Whether a document's key contains its events' lane, part by part, as it stands.
fn determines(key: &[Term], lane: &LaneCheck) -> bool {
    match lane {
        LaneCheck::PartitionKey(lane) => key.contains(lane),
        LaneCheck::Keys(keys) => keys.iter().all(|name| {
            let steps = [Step::Name("keys".into()), Step::Name(name.name.clone())];
            key.iter().any(|part| match part {
                Term::Event { path, .. } => super::parse_path(path).is_ok_and(|path| path == steps),
                _ => false,
            })
        }),
    }
}

/// Whether a value is the same for all events of a document: a constant, or a part of the key.
fn fixed_by(value: &Term, key: &[Term]) -> bool {
    match value {
        Term::Constant(_) => true,
        Term::Event { .. } => key.contains(value),
        Term::List(terms) => terms.iter().all(|term| fixed_by(term, key)),
        Term::Map(entries) => entries.iter().all(|(_, term)| fixed_by(term, key)),
    }
}
