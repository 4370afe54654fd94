//! Lists, sets and maps on a document that grow for ever: an item of DynamoDB holds 400 KB.

use super::super::Compiler;
use super::super::kinds::kind_of;
use crate::functions::Function;
use crate::path::Step;
use crate::program::{
    Guard, LaneCheck, MetadataName, OperationKind, OperationTerm, Overlap, Projection, Rule, Subject, TargetName, Term,
};
use viewfold_spec::projection as spec;
use viewfold_spec::{Code, Spanned};
use viewfold_value::{Kind, Value};

impl Compiler<'_> {
    /// Checks what a rule adds to lists, sets and maps.
    ///
    /// How many values there will be cannot be known. What is told is what grows by its nature: a list without an end, and
    /// what has a place for each event, each lane, each id, or each stretch of time, or for everything that comes.
    pub(super) fn check_growth(&mut self, rule: &Spanned<spec::Rule>, compiled: &Rule, projection: &Projection) {
        // Documents that go are not there long enough.
        if projection.rules.iter().any(|rule| rule.delete) || projection.ttl.is_some() {
            return;
        }
        for operation in &compiled.operations {
            let path = &operation.target.path;
            if is_emptied(operation, projection) {
                continue;
            }
            let scale = Scale { rule: compiled, projection };
            let found = match &operation.kind {
                OperationKind::Append { last: Some(_), .. } => None,
                OperationKind::Append { value, unique_by, .. } => scale.list(value, unique_by.as_deref()),
                OperationKind::Add(value) if kind_of(value) != Some(Kind::Number) => scale.set(value),
                _ => None,
            };
            let found = found.or_else(|| scale.map(operation));
            let Some((what, why, help)) = found else { continue };
            let span = rule.place_of(path).unwrap_or(rule.span);
            let message = format!("the {what} `{path}` grows for ever: {why}, and an item of DynamoDB holds 400 KB");
            self.warning(Code::Unbounded, span, message).help =
                Some(format!("{help}; if it stays small all the same, say `allow: [unbounded]` in the rule"));
        }
    }
}

/// What grows, why, and what to do.
type Growth = (&'static str, String, &'static str);

/// How many different values terms of a rule have for one document.
struct Scale<'r> {
    rule: &'r Rule,
    projection: &'r Projection,
}

impl Scale<'_> {
    fn list(&self, value: &Term, unique_by: Option<&str>) -> Option<Growth> {
        let (why, help) = match unique_by {
            None => ("every event appends to it".to_owned(), "`last: 100` keeps the newest 100"),
            Some(name) => {
                let entry = match value.resolved() {
                    Term::Map(entries) => entries.iter().find(|(entry, _)| entry == name).map(|(_, term)| term),
                    _ => None,
                };
                if entry.is_some_and(|entry| self.is_bounded(entry)) {
                    return None;
                }
                (
                    format!("it keeps an element for every `{name}`"),
                    "`last: 100` keeps the newest 100, or with `by` the largest",
                )
            }
        };
        Some(("list", why, help))
    }

    /// Sets have an end more often than not: what is told is one that remembers events, or that everything goes into.
    fn set(&self, value: &Term) -> Option<Growth> {
        let Term::Call(Function::Set, elements) = value.resolved() else { return None };
        let why = elements.iter().find_map(|element| {
            self.of_event(element).or_else(|| self.of_time(element)).or_else(|| self.of_everything(element))
        })?;
        Some(("set", why, "a guard remembers events; what else is unique can be a document of its own, by its key"))
    }

    fn map(&self, operation: &OperationTerm) -> Option<Growth> {
        if matches!(operation.kind, OperationKind::Remove | OperationKind::RemoveFrom(_)) {
            return None;
        }
        let why = operation.target.names.iter().find_map(|name| match name {
            TargetName::Fixed(_) => None,
            TargetName::Dynamic(term) => self
                .of_event(term)
                .or_else(|| self.of_time(term))
                .or_else(|| self.of_lane(term))
                .or_else(|| self.of_id(term))
                .or_else(|| self.of_everything(term)),
        })?;
        Some(("map", why, "make each of them a document of its own: put it into the `key`"))
    }

    /// A value that tells each event from all others.
    fn of_event(&self, term: &Term) -> Option<String> {
        let guard = &self.projection.sources[self.rule.source].guard;
        let id = match guard {
            Guard::EventsTable { id, .. } => Some(id),
            _ => None,
        };
        self.part(term, &|part| {
            let of_stream = matches!(
                part,
                Term::Event { subject: Subject::Metadata(MetadataName::Id | MetadataName::Sequence), .. }
            );
            of_stream || id.is_some_and(|id| same_place(id, part))
        })
        .map(|part| format!("every event has another `{}`", part.shown()))
    }

    /// A value that goes on with the time.
    fn of_time(&self, term: &Term) -> Option<String> {
        self.part(term, &|part| match part {
            Term::Event { subject: Subject::Metadata(MetadataName::Time | MetadataName::Now), .. } => true,
            Term::Call(Function::TimeBucket | Function::EpochMs, _) => true,
            Term::Call(Function::TimeFormat, arguments) => match arguments.get(1) {
                Some(Term::Constant(Value::String(format))) => goes_on(format),
                _ => false,
            },
            _ => false,
        })
        .map(|_| "there is always a later time".to_owned())
    }

    /// What the source's lanes are told by.
    fn of_lane(&self, term: &Term) -> Option<String> {
        let source = &self.projection.sources[self.rule.source];
        self.part(term, &|part| match (&source.lane, part) {
            (_, Term::Event { subject: Subject::Metadata(MetadataName::Lane), .. }) => true,
            (Some(LaneCheck::PartitionKey(lane)), part) => same_place(lane, part),
            (Some(LaneCheck::Keys(keys)), Term::Event { path, .. }) => {
                last_name(path).is_some_and(|last| keys.last().is_some_and(|key| key.name == last))
            }
            _ => false,
        })
        .map(|part| format!("it has an entry for every `{}`, and the source has more and more of them", part.shown()))
    }

    /// What is called an id.
    fn of_id(&self, term: &Term) -> Option<String> {
        self.part(term, &|part| match part {
            Term::Event { path, .. } | Term::Element { path, .. } => last_name(path).is_some_and(|name| is_id(&name)),
            _ => false,
        })
        .map(|part| format!("it has an entry for every `{}`", part.shown()))
    }

    /// Anything, in a document that everything goes into.
    fn of_everything(&self, term: &Term) -> Option<String> {
        let one = self.rule.key.iter().all(|part| matches!(part.resolved(), Term::Constant(_)));
        (one && !self.is_bounded(term)).then(|| "all events go into this one document".to_owned())
    }

    /// A part of a term that is found, unless a document has few values of the term anyway.
    fn part<'t>(&self, term: &'t Term, found: &dyn Fn(&Term) -> bool) -> Option<&'t Term> {
        if self.is_bounded(term) {
            return None;
        }
        let term = term.resolved();
        if found(term) {
            return Some(term);
        }
        term.parts().into_iter().find_map(|part| self.part(part, found))
    }

    /// Whether a document can have but a few different values of a term.
    fn is_bounded(&self, term: &Term) -> bool {
        let term = term.resolved();
        if self.rule.key.iter().any(|part| part.resolved() == term) {
            return true;
        }
        match term {
            Term::Constant(_) | Term::Exists(_) => true,
            Term::Call(Function::HashBucket, _) => true,
            Term::Call(Function::TimeFormat, arguments) => match arguments.get(1) {
                Some(Term::Constant(Value::String(format))) => !goes_on(format),
                _ => false,
            },
            Term::Event { subject: Subject::Metadata(name), .. } => {
                matches!(name, MetadataName::Stream | MetadataName::Shard | MetadataName::Change)
            }
            Term::Event { subject, .. } => self.rule.when.iter().any(|condition| {
                condition.subject == *subject && condition.query.is_none() && condition.test.values().is_some()
            }),
            Term::Many { .. } | Term::Document { .. } | Term::Element { .. } => false,
            Term::If(_, then, otherwise) => {
                self.is_bounded(then) && otherwise.as_ref().is_none_or(|otherwise| self.is_bounded(otherwise))
            }
            term => kind_of(term) == Some(Kind::Boolean) || term.parts().into_iter().all(|part| self.is_bounded(part)),
        }
    }
}

/// Whether some rule takes away from what an operation adds to, or sets it anew.
fn is_emptied(operation: &OperationTerm, projection: &Projection) -> bool {
    projection.rules.iter().flat_map(|rule| &rule.operations).any(|other| match &other.kind {
        OperationKind::Remove | OperationKind::RemoveFrom(_) => {
            other.target.overlap(&operation.target) != Overlap::Never
        }
        OperationKind::Set(_) => other.target.is_fixed() && operation.target.names.starts_with(&other.target.names),
        _ => false,
    })
}

/// Whether two terms are the same place of an event, however they are written.
fn same_place(a: &Term, b: &Term) -> bool {
    match (a.resolved(), b.resolved()) {
        (Term::Event { subject: a, .. }, Term::Event { subject: b, .. }) => a == b,
        _ => false,
    }
}

/// Whether times in a format never come again: it has the year, or counts seconds.
fn goes_on(format: &str) -> bool {
    let mut characters = format.chars();
    while let Some(c) = characters.next() {
        if c != '%' {
            continue;
        }
        // Flags and widths stand between `%` and the letter.
        let letter = characters.by_ref().find(|c| c.is_ascii_alphabetic() || matches!(c, '%' | '+'));
        if letter.is_some_and(|letter| "YyCGgFDscxv+".contains(letter)) {
            return true;
        }
    }
    false
}

/// The name that a path ends with.
fn last_name(path: &str) -> Option<String> {
    let path = match path.starts_with('$') {
        true => path.to_owned(),
        // The element of `each`.
        false => format!("$.{path}"),
    };
    match crate::path::parse(&path).ok()?.pop()? {
        Step::Name(name) => Some(name),
        Step::Index(_) => None,
    }
}

/// Whether a name says that its values tell things apart: `id`, `orderId`, `order_id`, `ORDER-ID`, `uuid`.
fn is_id(name: &str) -> bool {
    let lower = name.to_lowercase();
    matches!(lower.as_str(), "id" | "uuid" | "guid")
        || ["_id", "-id", "_uuid", "-uuid"].iter().any(|end| lower.ends_with(end))
        || ["Id", "ID", "Uuid", "UUID"].iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::{goes_on, is_id};

    #[test]
    fn what_never_comes_again_is_told_from_what_does() {
        for format in ["%Y-%m-%d", "%F", "%-y", "at %s"] {
            assert!(goes_on(format), "{format}");
        }
        for format in ["%H:%M", "%A", "%m-%d", "Y%%Y", "%j"] {
            assert!(!goes_on(format), "{format}");
        }
        for name in ["id", "orderId", "order_id", "ORDER-ID", "userID", "uuid"] {
            assert!(is_id(name), "{name}");
        }
        for name in ["paid", "category", "valid", "Grid"] {
            assert!(!is_id(name), "{name}");
        }
    }
}
