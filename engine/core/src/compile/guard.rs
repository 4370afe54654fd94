//! `guard:`, and whether it keeps what it promises.

use super::Compiler;
use super::term::{Role, Terms};
use crate::expression::Binary;
use crate::program::{Guard, LaneCheck, MetadataName, OrderBy, Projection, Rule, Source, Step, Subject, Term};
use viewfold_spec::projection as spec;
use viewfold_spec::{Code, Literal, Severity, Span, Spanned};
use viewfold_value::Kind;

/// The table of marks unless a guard names another.
const MARKS_TABLE: &str = "viewfold_marks";

impl Compiler<'_> {
    pub(super) fn guard(
        &mut self,
        guard: &Spanned<spec::Guard>,
        projection: &str,
        source: Option<&str>,
        terms: &mut Terms<'_>,
    ) -> Option<Guard> {
        Some(match &guard.value {
            spec::Guard::None => Guard::None,
            spec::Guard::LastEventId(guard) => {
                let order_by = match &guard.order_by {
                    Some(path) if path.value != Literal::Text("$$.sequence".into()) => {
                        OrderBy::Payload(self.path_term(path, "`order_by`", terms)?)
                    }
                    _ => OrderBy::Sequence,
                };
                match guard.place {
                    spec::MarkPlace::Document | spec::MarkPlace::Shard => {
                        let attribute = match &guard.attribute {
                            Some(name) if name.is_empty() => {
                                self.error(Code::WrongForm, name.span, "the attribute's name is empty");
                                return None;
                            }
                            Some(name) => name.value.clone(),
                            None => default_mark_attribute(projection, source),
                        };
                        Guard::Document { attribute, by_shard: guard.place == spec::MarkPlace::Shard, order_by }
                    }
                    spec::MarkPlace::Lane => {
                        let table = guard.table.as_ref().map_or(MARKS_TABLE, |table| table.value.as_str());
                        if let Some(table) = &guard.table {
                            self.table_name(&table.value, table.span);
                        }
                        Guard::Lane { table: self.prefixed(table), order_by }
                    }
                }
            }
            spec::Guard::EventsTable(spec::EventsTable { table, id, order_by, keep_for }) => {
                self.table_name(&table.value, table.span);
                terms.role = Role::Id;
                let id = match id {
                    Some(id) if id.value == Literal::Text("$$.id".into()) => Term::metadata(MetadataName::Id),
                    // An id may be put together: '${ $.game }/${ $.player }'.
                    Some(id) if matches!(&id.value, Literal::Text(text) if text.contains("${")) => {
                        let term = self.term(id, terms)?;
                        if super::kinds::may_be_nothing(&term)
                            || !matches!(super::kinds::kind_of(&term), None | Some(Kind::String | Kind::Number))
                        {
                            let message = "`id` is a text or a number that every event has";
                            self.error(Code::BadOperand, id.span, message);
                            return None;
                        }
                        term
                    }
                    Some(path) => self.path_term(path, "`id`", terms)?,
                    None => Term::metadata(MetadataName::Id),
                };
                let order_by = match order_by {
                    Some(path) => Some(self.path_term(path, "`order_by`", terms)?),
                    None => None,
                };
                let keep_seconds = match keep_for {
                    Some(length) => Some(self.keep_for(length, order_by.is_some())?),
                    None => None,
                };
                Guard::EventsTable { table: self.prefixed(&table.value), id, order_by, keep_seconds }
            }
        })
    }

    /// The seconds of `keep_for`.
    fn keep_for(&mut self, length: &Spanned<String>, ordered: bool) -> Option<i64> {
        if ordered {
            let message =
                "with `order_by` events are kept for ever: a late one makes the document be folded from all of them";
            self.error(Code::WrongForm, length.span, message).help = Some("remove `keep_for`".into());
            return None;
        }
        let text = length.value.as_str();
        let unit = match text.as_bytes().last() {
            Some(b'h') => 3600,
            Some(b'd') => 86_400,
            Some(b'w') => 7 * 86_400,
            _ => 0,
        };
        let count: i64 = text.get(..text.len().saturating_sub(1)).and_then(|count| count.parse().ok()).unwrap_or(0);
        if unit == 0 || !(1..=99_999).contains(&count) {
            let message = format!("`{text}` is no length of time");
            self.error(Code::WrongForm, length.span, message).help = Some(
                "a whole number of hours, days or weeks, `30d` for one: longer than the stream keeps its records"
                    .into(),
            );
            return None;
        }
        Some(count * unit)
    }

    /// Checks the guards against the lanes and the rules' keys.
    pub(super) fn check_guards(&mut self, spec: &spec::Projection, projection: &Projection) {
        for (number, source) in projection.sources.iter().enumerate() {
            let span = self.guard_span(spec, number);
            match &source.guard {
                Guard::Document { attribute, by_shard, .. } => {
                    let taken = projection.attributes.contains(attribute)
                        || projection.table.keys().any(|key| key.name == *attribute);
                    let shared = projection.sources[..number].iter().any(
                        |other| matches!(&other.guard, Guard::Document { attribute: theirs, .. } if theirs == attribute),
                    );
                    if taken {
                        let message =
                            format!("the guard keeps its mark in `{attribute}`, which is written otherwise too");
                        self.error(Code::ReservedAttribute, span, message).help =
                            Some("give the mark an attribute of its own with `attribute`".into());
                    } else if shared {
                        let message =
                            format!("two sources keep their marks in `{attribute}`: each needs one of its own");
                        self.error(Code::SharedAttribute, span, message).help =
                            Some("leave `attribute` out, or give each source a guard of its own".into());
                    }
                    // A stream without order has been told already.
                    if !by_shard && source.keeps_order {
                        self.check_lanes(spec, projection, number);
                    }
                }
                Guard::EventsTable { order_by: Some(_), .. } if projection.sources.len() > 1 => {
                    let message =
                        "`order_by` with an events table takes one source: orders of two streams do not compare";
                    self.error(Code::UnsoundGuard, span, message);
                }
                Guard::Lane { .. } if source.lane.is_none() && source.retracts => {
                    let message = "`retract: true` needs to know the source's key";
                    self.error(Code::BadRetract, span, message).help =
                        Some("give the source `keys`, the key attributes of its table".into());
                }
                Guard::Lane { .. } | Guard::EventsTable { .. } | Guard::None => {}
            }
        }
    }

    /// The place of the guard of a source.
    pub(super) fn guard_span(&self, spec: &spec::Projection, source: usize) -> viewfold_spec::Span {
        let own = spec.sources.as_ref().and_then(|sources| sources.0.get(source)).map(|(_, source)| source);
        let own = own.or(spec.source.as_ref()).and_then(|source| source.guard.as_ref());
        own.unwrap_or(&spec.guard).span
    }

    /// Whether a key has a text that stands for a path without its `$`, which has been told: here that is an error, and all else
    /// follows from it.
    fn path_without_dollar(&mut self, key: Span) -> bool {
        let source = self.source;
        let in_key = |span: Span| key.start <= span.start && span.end <= key.end;
        let mut findings = self.findings.iter_mut();
        let found = findings.find(|finding| {
            let written = source.text.get(finding.span.range()).unwrap_or_default();
            finding.code == Code::BadPath && in_key(finding.span) && written.trim_matches(['"', '\'']).starts_with('.')
        });
        found.map(|finding| finding.severity = Severity::Error).is_some()
    }

    /// Under `last_event_id: document` all events of a document have to come in one lane: the key contains the lane.
    fn check_lanes(&mut self, spec: &spec::Projection, projection: &Projection, number: usize) {
        let source = &projection.sources[number];
        let rules = spec.rules.iter().zip(&projection.rules).filter(|(_, rule)| rule.source == number);
        let is_kinesis = spec.sources.as_ref().and_then(|sources| sources.0.get(number)).map(|(_, source)| source);
        let is_kinesis = is_kinesis.or(spec.source.as_ref()).is_some_and(|source| source.kinesis.is_some());
        let others = match is_kinesis {
            true => {
                "; or use `{last_event_id: lane}`, which keeps a mark for each lane in a table, `{last_event_id: shard}`, which \
                 keeps one for each shard on the document, or `{events_table: NAME}`"
            }
            false => "; or use `{last_event_id: lane}`, which keeps a mark for each lane, or `{events_table: NAME}`",
        };
        let Some(lane) = &source.lane else {
            if rules.clone().all(|(_, rule)| rule.key.iter().any(lane_itself)) {
                return;
            }
            // What is wrong with it has been told there.
            let of_source = spec.sources.as_ref().and_then(|sources| sources.0.get(number)).map(|(_, source)| source);
            let of_source = of_source.or(spec.source.as_ref());
            if of_source.and_then(|source| source.kinesis.as_ref()).is_some_and(|kinesis| kinesis.lane.is_some()) {
                return;
            }
            let what = match spec.source.as_ref().is_some_and(|source| source.dynamodb.is_some()) {
                false => "`lane`, what producers send as partition key",
                true => "`keys`, the key attributes of the source's table",
            };
            let message = "`last_event_id` on the document is sound only where all events of a document come in one \
                           lane, and the source does not say its lanes";
            let span = self.guard_span(spec, number);
            self.error(Code::UnsoundGuard, span, message).help = Some(format!("give the source {what}{others}"));
            return;
        };
        let mut told: Vec<viewfold_spec::Span> = Vec::new();
        for (rule, compiled) in rules {
            // A rule that takes back where it cannot has a finding of its own.
            if in_one_lane(compiled, source) || compiled.retract {
                continue;
            }
            let span = rule.key.as_ref().or(spec.key.as_ref()).map_or(rule.span, |key| key.span);
            if told.contains(&span) {
                continue;
            }
            told.push(span);
            if self.path_without_dollar(span) {
                continue;
            }
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
                 one lane says nothing about the others (as with a person's score over many products: event 17 of one \
                 product would make event 12 of another look like a repeat, and its score would be lost)",
                compiled.name
            );
            // `id: id` where `id: $.id` is meant.
            let text = compiled.key.iter().find_map(|part| match part {
                Term::Constant(viewfold_value::Value::String(text)) if shown.ends_with(&format!(".{text}`")) => {
                    Some(text)
                }
                _ => None,
            });
            let (message, help) = match text {
                Some(text) => (
                    format!(
                        "`{text}` is a text here, so all events of `{}` go into one document, whatever their lane",
                        compiled.name
                    ),
                    format!("did you mean {shown}?"),
                ),
                None => (message, format!("make {shown} a part of the key as it stands{others}")),
            };
            self.error(Code::UnsoundGuard, span, message).help = Some(help);
        }
    }
}

/// The mark's attribute unless the guard names one.
pub(super) fn default_mark_attribute(projection: &str, source: Option<&str>) -> String {
    match source {
        None => format!("_vf_{projection}"),
        Some(source) => format!("_vf_{projection}_{source}"),
    }
}

/// Whether all events of a document of a rule come in one lane.
pub(super) fn in_one_lane(rule: &Rule, source: &Source) -> bool {
    rule.key.iter().any(lane_itself) || source.lane.as_ref().is_some_and(|lane| determines(&rule.key, lane))
}

fn lane_itself(part: &Term) -> bool {
    matches!(part, Term::Event { subject: Subject::Metadata(MetadataName::Lane), optional: false, .. })
}

/// Whether a document's key contains its events' lane, part by part, as it stands.
fn determines(key: &[Term], lane: &LaneCheck) -> bool {
    match lane {
        LaneCheck::PartitionKey(Term::Event { subject, .. }) => key.iter().any(
            |part| matches!(lane_in_text(part), Some(Term::Event { subject: other, optional: false, .. }) if other == subject),
        ),
        LaneCheck::PartitionKey(_) => false,
        LaneCheck::Keys(keys) => keys.iter().all(|name| {
            let steps = [Step::Name("keys".into()), Step::Name(name.name.clone())];
            key.iter().any(|part| match part.resolved() {
                Term::Event { path, .. } => crate::path::parse(path).is_ok_and(|path| path == steps),
                _ => false,
            })
        }),
    }
}

/// The one value that a part of a key is, or that stands in it between texts that never change: `'C#${ $.customer }'`.
///
/// Two events with the same such text have the same value as text. That may be a number in the one and its digits as a text in
/// the other; a partition key is a text in both cases, the same one, and records whose partition key is another are refused.
/// Two values in one text say nothing: `a` and `bc` make the same text as `ab` and `c`.
fn lane_in_text(part: &Term) -> Option<&Term> {
    let is_text = |term: &Term| matches!(term.resolved(), Term::Constant(viewfold_value::Value::String(_)));
    match part.resolved() {
        term @ Term::Event { .. } => Some(term),
        Term::Text(pieces) => {
            let mut values = pieces.iter().filter(|piece| !is_text(piece));
            match (values.next(), values.next()) {
                (Some(value), None) => lane_in_text(value),
                _ => None,
            }
        }
        Term::Binary(Binary::Add, text, value) | Term::Binary(Binary::Add, value, text) if is_text(text) => {
            lane_in_text(value)
        }
        _ => None,
    }
}
