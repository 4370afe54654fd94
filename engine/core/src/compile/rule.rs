//! `rules:`, checked against the table and against each other.

use super::Compiler;
use super::term::Terms;
use crate::program::{Condition, OperationKind, OperationTerm, Rule, Table, Term, Test, key_kind};
use viewfold_spec::projection::{self as spec, Pattern};
use viewfold_spec::{Code, Entries, Literal, Span, Spanned, suggest};
use viewfold_value::{Kind, Value};

impl Compiler<'_> {
    pub(super) fn rules(
        &mut self,
        projection: &spec::Projection,
        table: &Table,
        attributes: &mut Vec<String>,
        terms: &mut Terms<'_>,
    ) -> Vec<Rule> {
        if projection.rules.is_empty() {
            self.error(Code::EmptyRule, projection.rules.span, "a projection without rules does nothing");
        }
        let shared_key = projection.key.as_ref().map(|key| (key, self.key(key, table, terms)));
        let mut rules = Vec::new();
        for (number, rule) in projection.rules.iter().enumerate() {
            let name = rule.name.as_ref().map_or_else(|| format!("rule {}", number + 1), |name| name.value.clone());
            let when = self.when(rule, terms);
            let key = match (&rule.key, &shared_key) {
                (Some(key), _) => self.key(key, table, terms),
                (None, Some((_, key))) => key.clone(),
                (None, None) => {
                    let span = rule.name.as_ref().map_or(rule.span, |name| name.span);
                    self.error(Code::MissingKey, span, format!("the rule `{name}` has no `key`")).help =
                        Some("write `key:` in the rule, or at the top for all rules".into());
                    None
                }
            };
            let operations = self.operations(rule, &name, table, attributes, terms);
            // After an error the rule is kept without its key, so that the checks between rules find theirs too.
            rules.push(Rule { name, when, key: key.unwrap_or_default(), operations });
        }
        self.conflicts(projection, &rules, attributes);
        rules
    }

    fn when(&mut self, rule: &spec::Rule, terms: &mut Terms<'_>) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for (path, pattern) in rule.when.iter().flatten() {
            let written = path.value.as_str();
            if !written.starts_with("$$.") && !super::path::is_path(written) {
                self.error(Code::BadPath, path.span, format!("`{written}` is no path")).help =
                    Some(format!("the keys of `when` are paths into the event: `$.{written}`"));
                continue;
            }
            if written.ends_with('?') {
                self.error(Code::BadPath, path.span, "a path of `when` takes no `?`").help =
                    Some("a missing value does not match; `{exists: false}` matches just that".into());
                continue;
            }
            let test = self.test(pattern);
            if let (Some(subject), Some(test)) = (self.subject(written, path.span, terms), test) {
                conditions.push(Condition { subject, test });
            }
        }
        conditions
    }

    fn test(&mut self, pattern: &Spanned<Pattern>) -> Option<Test> {
        Some(match &pattern.value {
            Pattern::Exists(exists) => Test::Exists(*exists),
            Pattern::Type(name) => Test::Kind(name.kind()),
            Pattern::AnyOf(patterns) => {
                let tests: Vec<Option<Test>> = patterns.iter().map(|pattern| self.test(pattern)).collect();
                Test::AnyOf(tests.into_iter().collect::<Option<_>>()?)
            }
            Pattern::Equals(literal) => Test::Equals(match literal {
                Literal::Null => Value::Null,
                Literal::Bool(value) => Value::Bool(*value),
                Literal::Number(number) => Value::Number(*number),
                Literal::Text(text) => {
                    if super::path::is_path(text) || text.starts_with("$$.") || text.contains("${") {
                        let message = format!("a pattern is a literal: this would be compared with the text `{text}`");
                        self.error(Code::BadPath, pattern.span, message).help =
                            Some("patterns cannot compare two values of an event".into());
                        return None;
                    }
                    Value::from(text.as_str())
                }
                Literal::List(_) | Literal::Map(_) => return None,
            }),
        })
    }

    /// A term for each key attribute of the table, in the table's order; nothing after an error.
    fn key(
        &mut self,
        key: &Spanned<Entries<Spanned<Literal>>>,
        table: &Table,
        terms: &mut Terms<'_>,
    ) -> Option<Vec<Term>> {
        let names: Vec<&str> = table.keys().map(|key| key.name.as_str()).collect();
        let mut fine = true;
        for (name, _) in key.iter() {
            if !names.contains(&name.value.as_str()) {
                fine = false;
                let message = format!("`{}` is no key attribute of `{}`", name.value, table.name);
                self.error(Code::KeyMismatch, name.span, message).help =
                    Some(match suggest::nearest(&name.value, names.iter().copied()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("its key is {}", suggest::list(names.iter().copied())),
                    });
            }
        }
        let mut values = Vec::new();
        for attribute in table.keys() {
            let Some(literal) = key.get(&attribute.name) else {
                fine = false;
                let message = format!("the key has no value for `{}`", attribute.name);
                self.error(Code::KeyMismatch, key.span, message).help =
                    Some("a key names every key attribute of the table".into());
                continue;
            };
            let Some(term) = self.term(literal, terms) else {
                fine = false;
                continue;
            };
            fine &= self.check_key_value(literal.span, &term, &attribute.name, key_kind(attribute.kind));
            values.push(term);
        }
        fine.then_some(values)
    }

    fn check_key_value(&mut self, span: Span, term: &Term, name: &str, kind: Kind) -> bool {
        let message = match term {
            Term::Event { optional: true, .. } => {
                let message = format!("the key `{name}` always needs a value, so its path takes no `?`");
                self.error(Code::KeyMismatch, span, message).help = Some("an event without it is an error".into());
                return false;
            }
            Term::Event { .. } => return true,
            Term::Constant(value) if value.kind() == kind && value.size() > 0 => return true,
            Term::Constant(value) if value.kind() == kind => format!("the key `{name}` cannot be empty"),
            Term::Constant(value) => format!("the key `{name}` is a {kind}, and this is a {}", value.kind()),
            Term::List(_) | Term::Map(_) => format!("the key `{name}` is a {kind}, and this is not"),
        };
        self.error(Code::KeyMismatch, span, message);
        false
    }

    fn operations(
        &mut self,
        rule: &Spanned<spec::Rule>,
        rule_name: &str,
        table: &Table,
        attributes: &mut Vec<String>,
        terms: &mut Terms<'_>,
    ) -> Vec<OperationTerm> {
        let groups = [
            (OperationKind::Add, &rule.add),
            (OperationKind::Set, &rule.set),
            (OperationKind::SetOnce, &rule.set_once),
        ];
        let mut operations: Vec<OperationTerm> = Vec::new();
        let mut written: Vec<(String, Span)> = Vec::new();
        for (kind, entries) in groups {
            for (name, literal) in entries.iter().flatten() {
                let Some(attribute) = self.attribute(name, table, attributes, &mut written) else { continue };
                let Some(value) = self.term(literal, terms) else { continue };
                if kind == OperationKind::Add
                    && let Some(found) = never_added(&value)
                {
                    let message = format!("`add` takes a number or a set, and this is a {found}");
                    self.error(Code::BadOperand, literal.span, message).help =
                        Some("use `set` to give the attribute a value".into());
                    continue;
                }
                operations.push(OperationTerm { attribute, kind, value: Some(value) });
            }
        }
        for name in rule.remove.iter().flatten() {
            let Some(attribute) = self.attribute(name, table, attributes, &mut written) else { continue };
            operations.push(OperationTerm { attribute, kind: OperationKind::Remove, value: None });
        }
        if written.is_empty() {
            let span = rule.name.as_ref().map_or(rule.span, |name| name.span);
            self.error(Code::EmptyRule, span, format!("the rule `{rule_name}` changes nothing")).help =
                Some("give it `add`, `set`, `set_once` or `remove`".into());
        }
        operations
    }

    /// The number of an attribute that a rule writes, if it may be written.
    fn attribute(
        &mut self,
        name: &Spanned<String>,
        table: &Table,
        attributes: &mut Vec<String>,
        written: &mut Vec<(String, Span)>,
    ) -> Option<usize> {
        let text = name.value.as_str();
        if let Some((_, first)) = written.iter().find(|(other, _)| other == text) {
            let first = *first;
            let finding = self.error(Code::ConflictingRules, name.span, format!("this rule writes `{text}` twice"));
            finding.related = Some((first, "first here".into()));
            finding.help = Some("an attribute takes one operation of a rule".into());
            return None;
        }
        written.push((text.to_owned(), name.span));
        if table.keys().any(|key| key.name == text) {
            let message = format!("`{text}` is part of the document's key, which cannot be changed");
            self.error(Code::ReservedAttribute, name.span, message).help =
                Some("the key's value goes into `key`; it is on the document by itself".into());
            return None;
        }
        if text.starts_with("_vf_") {
            let message = format!("attributes that start with `_vf_` are viewfold's own: `{text}`");
            self.error(Code::ReservedAttribute, name.span, message).help = Some("choose another name".into());
            return None;
        }
        if text.is_empty() || text.contains(['.', '[', ']', '$', '{', '}', '\'', '"']) {
            let message = format!("`{text}` is no attribute name: nested attributes are not part of the language yet");
            self.error(Code::WrongForm, name.span, message);
            return None;
        }
        Some(match attributes.iter().position(|known| known == text) {
            Some(at) => at,
            None => {
                attributes.push(text.to_owned());
                attributes.len() - 1
            }
        })
    }

    /// Two rules that may both match an event, have the same key and write the same attribute contradict each other.
    fn conflicts(&mut self, projection: &spec::Projection, rules: &[Rule], attributes: &[String]) {
        for (second, rule) in rules.iter().enumerate() {
            for (first, other) in rules[..second].iter().enumerate() {
                if rule.key != other.key || exclude(&rule.when, &other.when) {
                    continue;
                }
                for operation in &rule.operations {
                    if !other.operations.iter().any(|before| before.attribute == operation.attribute) {
                        continue;
                    }
                    let name = &attributes[operation.attribute];
                    let place = |number: usize| projection.rules[number].place_of(name).unwrap_or_default();
                    let (here, there) = (place(second), place(first));
                    let message =
                        format!("`{name}` is written by two rules that can match one event: `{}` and this", other.name);
                    let finding = self.error(Code::ConflictingRules, here, message);
                    finding.related = Some((there, "the other one".into()));
                    finding.help = Some("give them values of one path in `when` that exclude each other".into());
                }
            }
        }
    }
}

/// Whether no event can match both: some place has to equal one of two sets of values that share none.
fn exclude(a: &[Condition], b: &[Condition]) -> bool {
    a.iter().any(|a| b.iter().any(|b| a.subject == b.subject && disjoint(&a.test, &b.test)))
}

/// Whether no single value passes both tests. (A list can pass both: it is matched element by element. Two rules then
/// meet in one event after all, which is an error of that event.)
fn disjoint(a: &Test, b: &Test) -> bool {
    match (a, b) {
        (Test::AnyOf(tests), other) | (other, Test::AnyOf(tests)) => tests.iter().all(|test| disjoint(test, other)),
        (Test::Equals(a), Test::Equals(b)) => a != b,
        (Test::Equals(value), Test::Kind(kind)) | (Test::Kind(kind), Test::Equals(value)) => value.kind() != *kind,
        (Test::Kind(a), Test::Kind(b)) => a != b,
        (Test::Exists(a), Test::Exists(b)) => a != b,
        (Test::Exists(exists), _) | (_, Test::Exists(exists)) => !exists,
    }
}

/// The kind of a value that `add` can never take.
fn never_added(term: &Term) -> Option<Kind> {
    match term {
        Term::Constant(Value::Number(_)) | Term::Event { subject: crate::program::Subject::Slot(_), .. } => None,
        Term::Constant(value) => Some(value.kind()),
        Term::Event { .. } => Some(Kind::String),
        Term::List(_) => Some(Kind::List),
        Term::Map(_) => Some(Kind::Map),
    }
}
