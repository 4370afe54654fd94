//! The attributes of documents: which are new, gone, or called otherwise, and which cannot go on from what is there.

use super::meaning::Meaning;
use super::operations::takes_away;
use super::{At, Pair, Side, rules};
use crate::compile::kind_of;
use crate::program::OperationKind;
use std::collections::BTreeSet;
use viewfold_spec::Span;
use viewfold_value::Kind;

/// Something that writes an attribute.
struct Write {
    /// The names on the way to it.
    way: Vec<String>,
    /// The way as the file has it.
    shown: String,
    /// The key of the operation, or `derive`.
    word: &'static str,
    /// What is written, whatever the attribute.
    effect: String,
    /// The type that it leaves there, where that is known.
    kind: Option<Kind>,
    /// Where it stands.
    span: Span,
}

impl Write {
    /// Whether it goes on from what is there, which has to be of its type.
    fn goes_on(&self) -> bool {
        matches!(self.word, "add" | "append" | "max" | "min")
    }
}

/// Everything that writes an attribute, in the order of the file.
fn writes(side: Side<'_>) -> Vec<Write> {
    let mut all = Vec::new();
    for rule in rules::of(side) {
        for operation in rule.rule.operations.iter().filter(|operation| !takes_away(&operation.kind)) {
            let kind = match &operation.kind {
                OperationKind::Append { .. } => Some(Kind::List),
                kind => kind.value().and_then(kind_of),
            };
            // What is added without being a set is a number, or an error.
            let kind = kind.or(matches!(operation.kind, OperationKind::Add(_)).then_some(Kind::Number));
            all.push(Write {
                way: rule.meaning.target(&operation.target),
                shown: operation.target.path.to_string(),
                word: operation.kind.name(),
                effect: format!("{} {:?}", rule.effect(operation), rule.rule.name),
                kind,
                span: rule.name_span(operation),
            });
        }
    }
    for (name, term) in &side.projection.derive {
        let span = side.spec().derive.as_ref().and_then(|entries| {
            entries.iter().find(|(written, _)| written.value == *name).map(|(written, _)| written.span)
        });
        all.push(Write {
            way: vec![format!("{name:?}")],
            shown: name.clone(),
            word: "derive",
            effect: Meaning::of_documents().term(term),
            kind: kind_of(term),
            span: span.unwrap_or(side.spec().projection.span),
        });
    }
    all
}

impl Pair<'_> {
    /// Whether anything writes an attribute in the new version.
    pub(super) fn writes_now(&self, way: &[String]) -> bool {
        writes(self.new).iter().any(|write| write.way == way)
    }

    /// Whether anything wrote an attribute in the old version.
    pub(super) fn wrote_before(&self, way: &[String]) -> bool {
        writes(self.old).iter().any(|write| write.way == way)
    }

    /// Whether anything wrote an attribute in the old version in a way.
    pub(super) fn wrote_like(&self, way: &[String], word: &str) -> bool {
        writes(self.old).iter().any(|write| write.way == way && write.word == word)
    }

    pub(super) fn attributes(&mut self) {
        let (old, new) = (writes(self.old), writes(self.new));
        let mut told: BTreeSet<&[String]> = BTreeSet::new();
        for write in &old {
            let gone = !new.iter().any(|other| other.way == write.way);
            if !gone || !told.insert(&write.way) {
                continue;
            }
            let is_new = |other: &&Write| !old.iter().any(|write| write.way == other.way);
            let shown = &write.shown;
            match new.iter().filter(is_new).find(|other| other.effect == write.effect) {
                Some(other) => {
                    let what = format!("`{shown}` is called `{}` now", other.shown);
                    let why = format!(
                        "old documents keep `{shown}` as it is, and `{}` begins from nothing: readers would find some of it in each",
                        other.shown
                    );
                    self.rebuild(At::New(other.span), what, why);
                }
                None => {
                    let why = "it stays in old documents as it is now, and goes out of date";
                    self.rebuild(
                        At::Old(write.span),
                        format!("nothing writes `{shown}` any more (`{}`)", write.word),
                        why,
                    );
                }
            }
        }
        self.types(&old, &new);
    }

    /// What cannot go on from what old documents have there: every event for them would be refused.
    fn types(&mut self, old: &[Write], new: &[Write]) {
        for write in new {
            let same_place = || old.iter().filter(|other| other.way == write.way);
            let known = same_place().any(|other| other.word == write.word && other.kind == write.kind);
            let other =
                same_place().find_map(|other| other.kind.filter(|kind| write.kind.is_some_and(|is| is != *kind)));
            if let (true, false, Some(kind)) = (write.goes_on(), known, other) {
                let what = format!("`{}`: `{}` meets a {kind} in old documents", write.shown, write.word);
                let why = "every event for such a document is refused: it becomes a dead letter, or is lost where `on_error` drops it";
                self.refuse(At::New(write.span), what, why);
            }
            let below = |other: &&Write| other.way.len() < write.way.len() && write.way.starts_with(&other.way);
            let was_there = old.iter().any(|other| other.way.len() > 1 && other.way.first() == write.way.first());
            if let Some(other) = old.iter().find(below).filter(|_| !was_there)
                && other.kind.is_none_or(|kind| kind != Kind::Map)
            {
                let what = format!(
                    "`{}` stands in `{}`, which old documents have as a value of its own",
                    write.shown, other.shown
                );
                let why = "where that is no map, every event for such a document is refused";
                self.refuse(At::New(write.span), what, why);
            }
        }
    }
}
