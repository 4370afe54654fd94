//! `rules:`, checked against the table and against each other.

use super::kinds::{kind_of, may_be_nothing};
use super::term::{Place, Role, Terms};
use super::{Compiler, facts};
use crate::expression::Binary;
use crate::functions::Function;
use crate::program::{Condition, OperationKind, OperationTerm, Overlap, Program, Rule, Source, Table, Term, key_kind};
use std::sync::Arc;
use viewfold_spec::projection as spec;
use viewfold_spec::{Code, Entries, Literal, Span, Spanned, suggest};
use viewfold_value::{Kind, Value};

impl Compiler<'_> {
    /// The rules, each with its place in the file. A rule that has errors is kept without its key, so that the checks
    /// between rules find theirs too.
    pub(super) fn rules(
        &mut self,
        projection: &spec::Projection,
        sources: &[Source],
        table: &Table,
        program: &mut Program,
    ) -> Vec<Rule> {
        if projection.rules.is_empty() {
            self.error(Code::EmptyRule, projection.rules.span, "a projection without rules does nothing");
        }
        let mut rules = Vec::new();
        for (number, rule) in projection.rules.iter().enumerate() {
            if let Some(rule) = self.rule(projection, rule, number, sources, table, program) {
                rules.push(rule);
            }
        }
        if rules.len() == projection.rules.len() {
            self.conflicts(projection, &rules, sources, program);
        }
        for (number, rule) in projection.rules.iter().enumerate() {
            let Some(name) = &rule.name else { continue };
            if projection.rules[..number]
                .iter()
                .any(|other| other.name.as_ref().is_some_and(|other| other.value == name.value))
            {
                let message = format!("another rule is called `{}` too", name.value);
                self.warning(Code::UnknownName, name.span, message).help =
                    Some("reports and dead letters name rules: give each a name of its own".into());
            }
        }
        rules
    }

    fn rule(
        &mut self,
        projection: &spec::Projection,
        rule: &Spanned<spec::Rule>,
        number: usize,
        sources: &[Source],
        table: &Table,
        program: &mut Program,
    ) -> Option<Rule> {
        let name = rule.name.as_ref().map_or_else(|| format!("rule {}", number + 1), |name| name.value.clone());
        let source = self.rule_source(rule, &name, sources)?;
        let retract = rule.retract.as_ref().is_some_and(|retract| retract.value);
        let stream = &mut program.streams[sources[source].stream];
        let (identity, payload) = (stream.identity.clone(), stream.payload);
        let lets: Vec<&Entries<Spanned<Literal>>> = rule.r#let.iter().chain(&projection.r#let).collect();
        let mut terms = Terms::of_event(&mut stream.paths, &identity, payload);
        terms.lets = lets;
        if let Some(event) = &mut terms.event {
            event.image = retract;
        }
        terms.role = Role::Condition;
        let when = self.when(rule, &mut terms);
        let schema = rule.schema.as_ref().and_then(|schema| self.schema(schema, payload, retract, &mut terms));
        let each = self.each(rule, &mut terms);
        terms.document = if retract { Err("what an item contributes must not depend on the document") } else { Ok(()) };
        let condition = rule.r#if.as_ref().and_then(|condition| self.condition(condition, "if", &mut terms));
        // The key says which document it is, so it cannot look into it; a `let` that does is compiled anew for it.
        let for_rule = std::mem::replace(&mut terms.document, Err("the key says which document it is"));
        let compiled = std::mem::take(&mut terms.compiled);
        terms.role = Role::Key;
        let key = match (&rule.key, &projection.key) {
            (Some(key), _) | (None, Some(key)) => self.key(key, table, &mut terms),
            (None, None) => {
                self.error(Code::MissingKey, rule.place(rule.span), format!("the rule `{name}` has no `key`")).help =
                    Some("write `key:` in the rule, or at the top for all rules".into());
                None
            }
        };
        terms.document = for_rule;
        terms.compiled = compiled;
        terms.role = Role::Value;
        let operations = self.operations(rule, table, &mut terms);
        self.unused_lets_of(rule, &mut terms);
        let delete = rule.delete.as_ref().is_some_and(|delete| delete.value);
        if rule.written().is_empty() && rule.delete.is_none() {
            self.error(Code::EmptyRule, rule.place(rule.span), format!("the rule `{name}` changes nothing")).help =
                Some("give it `add`, `set`, `set_once`, `append`, `remove` or another operation".into());
        }
        self.check_delete(rule, delete);
        Some(Rule {
            name,
            source,
            when,
            schema,
            each,
            condition,
            key: key.unwrap_or_default(),
            operations,
            delete,
            retract,
        })
    }

    /// Values of `let` that nothing uses are looked at all the same.
    fn unused_lets_of(&mut self, rule: &spec::Rule, terms: &mut Terms<'_>) {
        self.is_unused = true;
        for (_, literal) in rule.r#let.iter().flatten() {
            if !self.used_lets.contains(&literal.span) {
                self.term(literal, terms);
            }
        }
        self.is_unused = false;
    }

    /// The number of the source that a rule is for.
    fn rule_source(&mut self, rule: &Spanned<spec::Rule>, name: &str, sources: &[Source]) -> Option<usize> {
        let names: Vec<&str> = sources.iter().filter_map(|source| source.name.as_deref()).collect();
        match (&rule.source, names.is_empty()) {
            (None, true) => Some(0),
            (None, false) => {
                let message = format!("the rule `{name}` does not say which source it is for");
                self.error(Code::MissingKey, rule.place(rule.span), message).help =
                    Some(format!("give it `source:`, one of {}", suggest::list(names)));
                None
            }
            (Some(written), true) => {
                let message = "the projection has one source, so its rules name none";
                self.error(Code::WrongForm, written.span, message).help = Some("remove `source` here".into());
                Some(0)
            }
            (Some(written), false) => {
                let found = sources.iter().position(|source| source.name.as_deref() == Some(&written.value));
                if found.is_none() {
                    let help = match suggest::nearest(&written.value, names.iter().copied()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("there are {}", suggest::list(names)),
                    };
                    let message = format!("`{}` is no source of this projection", written.value);
                    self.error(Code::UnknownName, written.span, message).help = Some(help);
                }
                found
            }
        }
    }

    fn when(&mut self, rule: &spec::Rule, terms: &mut Terms<'_>) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for (path, pattern) in rule.when.iter().flatten() {
            let written = path.value.as_str();
            if !written.starts_with("$$.") && !crate::path::is_path(written) {
                let help = match written.strip_prefix('$') {
                    _ if spec::RULE_KEYS.contains(&written) => {
                        format!("`{written}` is a key of the rule: write it beside `when`, not in it")
                    }
                    Some("or") => "there is no `$or`: write two rules, or an expression, `if: a || b`".to_owned(),
                    Some(rest) => format!("did you mean `$.{rest}`?"),
                    None if terms.lets.iter().any(|lets| lets.get(written).is_some()) => {
                        let condition = condition_of(written, &pattern.value);
                        let lets = terms.lets.iter();
                        // It is meant to be used here.
                        self.used_lets.extend(lets.filter_map(|lets| lets.get(written)).map(|literal| literal.span));
                        format!("`when` knows no `let`: write `if: {condition}`")
                    }
                    None => format!("the keys of `when` are paths into the event: `$.{written}`"),
                };
                self.error(Code::BadPath, path.span, format!("`{written}` is no path")).help = Some(help);
                continue;
            }
            // What stands in brackets is a filter.
            let outside = written.split('[').next().unwrap_or(written);
            if [" == ", " != ", " > ", " < ", " >= ", " <= ", " && ", " || "]
                .iter()
                .any(|operator| outside.contains(operator))
            {
                let message = "a key of `when` is a path, and this is an expression";
                self.error(Code::BadPath, path.span, message).help = Some(format!("write `if: {written}` in the rule"));
                continue;
            }
            if written.ends_with('?') {
                self.error(Code::BadPath, path.span, "a path of `when` takes no `?`").help =
                    Some("a missing value does not match; `{exists: false}` matches just that".into());
                continue;
            }
            let test = self.test(pattern);
            if let ("$$.change", Some(test)) = (written, &test) {
                self.check_change(pattern, test);
            }
            let place = Place { text: written, at: 0, span: path.span };
            if let (Some((subject, query)), Some(test)) = (self.subject(written, place, terms), test) {
                let (path, pattern) = (Arc::from(written), self.on_one_line(pattern.span));
                conditions.push(Condition { path, pattern, subject, query, test });
            }
        }
        conditions
    }

    /// A part of the file on one line; the lines of a list as `[a, b]`.
    fn on_one_line(&self, span: Span) -> Arc<str> {
        let text = self.source.text.get(span.start..span.end).unwrap_or_default().trim_end();
        let lines = text.lines().map(|line| line.split(" #").next().unwrap_or_default().trim());
        let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
        if lines.iter().all(|line| line.starts_with("- ")) && !lines.is_empty() {
            let elements: Vec<&str> = lines.iter().map(|line| line[2..].trim()).collect();
            return Arc::from(format!("[{}]", elements.join(", ")));
        }
        Arc::from(lines.join(" "))
    }

    fn each(&mut self, rule: &spec::Rule, terms: &mut Terms<'_>) -> Option<Term> {
        let each = rule.each.as_ref()?;
        let [(name, value)] = each.0.as_slice() else {
            self.error(Code::WrongForm, each.span, "`each` has one name and the list that it goes through").help =
                Some("for example `each: { line: $.lines }`".into());
            return None;
        };
        let fine = self.check_name(name);
        if terms.lets.iter().any(|lets| lets.get(&name.value).is_some()) {
            self.error(Code::WrongForm, name.span, format!("`{}` is a name of `let` already", name.value));
            return None;
        }
        let term = self.term(value, terms)?;
        match kind_of(&term) {
            None | Some(Kind::List | Kind::StringSet | Kind::NumberSet | Kind::BinarySet) => {}
            Some(kind) => {
                let message = format!("`each` goes through a list or a set, and this is a {kind}");
                self.error(Code::BadOperand, value.span, message).help = Some("for example `$.lines`".into());
                return None;
            }
        }
        if fine {
            terms.element = Some(name.value.clone());
            // Values of `let` may use the element from here on.
            terms.compiled.clear();
        }
        Some(term)
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
                        None if names.len() == 1 => format!(
                            "its key is `{}`; a second key attribute is said in `document`: `sort_key: {}`",
                            names[0], name.value
                        ),
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
                    Some(format!("a key names every key attribute of the table: add `{}: …`", attribute.name));
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
        if let Term::Event { optional: true, .. } = term {
            let message = format!("the key `{name}` always needs a value, so its path takes no `?`");
            self.error(Code::KeyMismatch, span, message).help = Some("an event without it is an error".into());
            return false;
        }
        if may_be_nothing(term) {
            let message = format!("the key `{name}` always needs a value, and this may have none");
            self.error(Code::KeyMismatch, span, message).help =
                Some("`default(x, y)` gives one where there is none; `if` in the rule leaves the event out".into());
            return false;
        }
        if let Term::Constant(Value::String(text)) = term
            && text.contains('.')
            && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
            && kind == Kind::String
            // What the text is meant to be has been told there.
            && !self.findings.iter().any(|finding| finding.span == span)
        {
            let message = format!("the key `{name}` is the text `{text}` for every event");
            self.warning(Code::KeyMismatch, span, message).help = Some(format!("did you mean `$.{text}`?"));
        }
        let message = match (term, kind_of(term)) {
            (Term::Constant(value), Some(found)) if found == kind && value.size() == 0 => {
                format!("the key `{name}` cannot be empty")
            }
            (_, None) => return true,
            (_, Some(found)) if found == kind => return true,
            (_, Some(found)) => format!("the key `{name}` is a {kind}, and this is a {found}"),
        };
        let help = match (term, kind) {
            (Term::Constant(Value::Number(number)), Kind::String) => Some(format!("for a text write \"{number}\"")),
            (_, Kind::String) => Some("`text(x)` converts".to_owned()),
            _ => None,
        };
        self.error(Code::KeyMismatch, span, message).help = help;
        false
    }

    fn operations(&mut self, rule: &spec::Rule, table: &Table, terms: &mut Terms<'_>) -> Vec<OperationTerm> {
        let mut operations: Vec<(OperationTerm, Span)> = Vec::new();
        type Valued<'r> = (&'r Option<Entries<Spanned<Literal>>>, fn(Term) -> OperationKind);
        let valued: [Valued<'_>; 6] = [
            (&rule.add, OperationKind::Add),
            (&rule.set, OperationKind::Set),
            (&rule.set_once, OperationKind::SetOnce),
            (&rule.max, OperationKind::Max),
            (&rule.min, OperationKind::Min),
            (&rule.remove_from, OperationKind::RemoveFrom),
        ];
        for (entries, kind) in valued {
            for (name, literal) in entries.iter().flatten() {
                let target = self.target(name, terms);
                let Some(value) = self.term(literal, terms) else { continue };
                let Some(target) = target else { continue };
                let kind = kind(value);
                if self.check_operand(&kind, literal.span, terms.element.as_deref()) {
                    operations.push((OperationTerm { target, kind }, name.span));
                }
            }
        }
        for (name, append) in rule.append.iter().flatten() {
            let target = self.target(name, terms);
            let kind = self.append(append, terms);
            if let (Some(target), Some(kind)) = (target, kind) {
                operations.push((OperationTerm { target, kind }, name.span));
            }
        }
        for name in rule.remove.iter().flatten() {
            if let Some(target) = self.target(name, terms) {
                operations.push((OperationTerm { target, kind: OperationKind::Remove }, name.span));
            }
        }
        let mut kept: Vec<(OperationTerm, Span)> = Vec::new();
        for (operation, span) in operations {
            if self.check_attribute(operation.target.root(), span, table)
                && self.check_typed(&operation, span, table)
                && self.check_overlap(&operation, span, &kept)
            {
                kept.push((operation, span));
            }
        }
        kept.into_iter().map(|(operation, _)| operation).collect()
    }

    fn append(&mut self, append: &Spanned<spec::Append>, terms: &mut Terms<'_>) -> Option<OperationKind> {
        let value = self.term(&append.value.value, terms);
        let by = match &append.by {
            None => None,
            Some(by) => {
                let term = self.term(by, terms)?;
                if let Term::Constant(value) = &term {
                    let message = format!("`by` is the same for every element: {value}");
                    let help = match &by.value {
                        Literal::Text(text) => format!("did you mean `$.{text}`?"),
                        _ => "a path of the event, `$.at` for one, or `$$.time`".to_owned(),
                    };
                    self.error(Code::BadOperand, by.span, message).help = Some(help);
                    return None;
                }
                match kind_of(&term) {
                    None | Some(Kind::Number | Kind::String) => {}
                    Some(kind) => {
                        let message = format!("`by` is a number or a text, and this is a {kind}");
                        self.error(Code::BadOperand, by.span, message);
                        return None;
                    }
                }
                Some(term)
            }
        };
        let last = match &append.last {
            None => None,
            Some(last) => match usize::try_from(last.value) {
                Ok(count) if (1..=10_000).contains(&count) => Some(count),
                _ => {
                    let message = format!("`last` is a number from 1 to 10000, not {}", last.value);
                    self.error(Code::WrongForm, last.span, message);
                    return None;
                }
            },
        };
        let value = value?;
        if let (Some(unique), Some(kind)) = (&append.unique_by, kind_of(&value))
            && kind != Kind::Map
        {
            let message = format!("`unique_by` names an entry of the element, and the element is a {kind}");
            self.error(Code::BadOperand, unique.span, message);
            return None;
        }
        if let Some(unique) = &append.unique_by {
            let lacks = match &value {
                Term::Map(entries) => !entries.iter().any(|(name, _)| *name == unique.value),
                Term::Constant(Value::Map(map)) => !map.contains_key(&unique.value),
                _ => unique.value.starts_with("$."),
            };
            if lacks {
                let message = format!("the element has no entry `{}`", unique.value);
                self.error(Code::BadOperand, unique.span, message).help =
                    Some("`unique_by` is the name of an entry of the element, which is a map: `unique_by: id`".into());
                return None;
            }
        }
        let unique_by = append.unique_by.as_ref().map(|name| name.value.clone());
        Some(OperationKind::Append { value, last, by, unique_by })
    }

    /// Whether rules may write an attribute.
    pub(super) fn check_attribute(&mut self, root: &str, span: Span, table: &Table) -> bool {
        if table.keys().any(|key| key.name == root) {
            let message = format!("`{root}` is part of the document's key, which cannot be changed");
            self.error(Code::ReservedAttribute, span, message).help =
                Some("the key's value goes into `key`; it is on the document by itself".into());
            return false;
        }
        if root.starts_with("_vf_") {
            let message = format!("attributes that start with `_vf_` are viewfold's own: `{root}`");
            self.error(Code::ReservedAttribute, span, message).help = Some("choose another name".into());
            return false;
        }
        true
    }

    /// Attributes whose type is given: keys of indexes, and the TTL.
    fn check_typed(&mut self, operation: &OperationTerm, span: Span, table: &Table) -> bool {
        let root = operation.target.root();
        let (what, wanted) = match (table.index_key(root), table.ttl.as_deref() == Some(root)) {
            (Some(limits), _) => ("a key of an index", limits.kind),
            (None, true) => ("the TTL, in epoch seconds", Kind::Number),
            (None, false) => return true,
        };
        let name = operation.kind.name();
        let found = operation.kind.value().and_then(kind_of);
        let message = match &operation.kind {
            _ if operation.target.names.len() > 1 => format!("`{root}` is {what}, and no map"),
            OperationKind::Append { .. } | OperationKind::RemoveFrom(_) => {
                format!("`{root}` is {what}, which `{name}` does not go with")
            }
            OperationKind::Add(_) if wanted != Kind::Number => {
                format!("`{root}` is {what}, a {wanted}, which `add` does not go with")
            }
            _ => match found {
                Some(found) if found != wanted => format!("`{root}` is {what}, a {wanted}, and this is a {found}"),
                _ => {
                    self.check_seconds(operation, span, table);
                    return true;
                }
            },
        };
        let adds = matches!(operation.kind, OperationKind::Add(_)) && operation.target.names.len() == 1;
        let help = match wanted {
            Kind::Number if table.ttl.as_deref() == Some(root) && found == Some(Kind::String) => {
                "the second of a time is '${ floor(time::epoch_ms($.at) / 1000) }'; `number(x)` makes a number of a text of \
                 digits"
                    .to_owned()
            }
            // A sum has no text: the key is what has to be said otherwise.
            Kind::String if adds => number_key(table, root),
            Kind::String => "`text(x)` converts; DynamoDB refuses the item otherwise".to_owned(),
            _ => "`number(x)` converts".to_owned(),
        };
        self.error(Code::BadOperand, span, message).help = Some(help);
        false
    }

    /// Milliseconds where DynamoDB reads seconds: the document would be kept for thousands of years.
    fn check_seconds(&mut self, operation: &OperationTerm, span: Span, table: &Table) {
        let Some(value) = operation.kind.value() else { return };
        let of_time = value.any(&mut |term| matches!(term, Term::Call(Function::EpochMs, _)));
        let divided = value.any(&mut |term| matches!(term, Term::Binary(Binary::Divide, ..)));
        if of_time && !divided && table.ttl.as_deref() == Some(operation.target.root()) {
            let message = "the TTL is in seconds, and `time::epoch_ms` gives milliseconds";
            self.warning(Code::BadOperand, span, message).help =
                Some("seconds are '${ floor(time::epoch_ms($.at) / 1000) }'".into());
        }
    }

    fn check_overlap(&mut self, operation: &OperationTerm, span: Span, others: &[(OperationTerm, Span)]) -> bool {
        for (other, first) in others {
            let (path, before) = (&operation.target.path, &other.target.path);
            let message = match operation.target.overlap(&other.target) {
                Overlap::Never | Overlap::Perhaps => continue,
                Overlap::Same => format!("this rule writes `{path}` twice"),
                Overlap::Inside => format!("this rule writes both `{before}` and `{path}`, one inside of the other"),
            };
            let finding = self.error(Code::ConflictingRules, span, message);
            finding.related = Some((*first, "first here".into()));
            finding.help = Some("an attribute takes one operation of a rule".into());
            return false;
        }
        true
    }

    fn check_delete(&mut self, rule: &spec::Rule, delete: bool) {
        let Some(written) = &rule.delete else { return };
        if !delete {
            self.error(Code::WrongForm, written.span, "`delete` is `true`, or it is not there").help =
                Some("remove the key".into());
        } else if let Some((key, name)) = rule.written().first() {
            let message = format!("the rule deletes the document, so its `{key}` does nothing");
            self.error(Code::ConflictingRules, name.span, message).help = Some("make it two rules".into());
        }
    }

    /// Two rules that may both match an event, may have the same key and write the same attribute contradict each other.
    fn conflicts(&mut self, projection: &spec::Projection, rules: &[Rule], sources: &[Source], program: &Program) {
        for (second, rule) in rules.iter().enumerate() {
            let stream = &program.streams[sources[rule.source].stream];
            for (first, other) in rules[..second].iter().enumerate() {
                // What an item contributed is taken back by an event that its rule does not match.
                let excluded = rule.retract == other.retract && facts::exclude(&rule.when, &other.when, stream);
                let apart = rule.source != other.source || rule.key != other.key || excluded;
                if apart || rule.key.is_empty() {
                    continue;
                }
                let (Some(here), Some(there)) = (projection.rules.get(second), projection.rules.get(first)) else {
                    continue;
                };
                if rule.delete != other.delete {
                    let message =
                        format!("an event can match both `{}` and this rule, and one of them deletes", other.name);
                    let finding = self.error(Code::ConflictingRules, here.place(here.span), message);
                    finding.related = Some((there.place(there.span), "the other one".into()));
                    finding.help = Some("give them values of one path in `when` that exclude each other".into());
                    continue;
                }
                for operation in &rule.operations {
                    let met = other.operations.iter().find(|before| {
                        matches!(operation.target.overlap(&before.target), Overlap::Same | Overlap::Inside)
                    });
                    let Some(before) = met else { continue };
                    let name = &operation.target.path;
                    let place = |rule: &spec::Rule, path: &str| rule.place_of(path).unwrap_or_default();
                    let (here, there) = (place(here, name), place(there, &before.target.path));
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

/// The condition of `if` that says what a pattern over a value of `let` was meant to say, where that is simple.
fn condition_of(name: &str, pattern: &spec::Pattern) -> String {
    match pattern {
        spec::Pattern::Equals(Literal::Text(text)) => format!("{name} == \"{text}\""),
        spec::Pattern::Equals(Literal::Number(number)) => format!("{name} == {number}"),
        spec::Pattern::Equals(Literal::Bool(true)) => name.to_owned(),
        spec::Pattern::Numeric(list) => {
            let comparisons = list.as_chunks::<2>().0.iter().filter_map(|[operator, number]| {
                match (&operator.value, &number.value) {
                    (Literal::Text(operator), Literal::Number(number)) => {
                        Some(format!("{name} {} {number}", if operator == "=" { "==" } else { operator.as_str() }))
                    }
                    _ => None,
                }
            });
            let comparisons: Vec<String> = comparisons.collect();
            if comparisons.is_empty() { format!("{name} > 0") } else { comparisons.join(" && ") }
        }
        _ => format!("{name} == …"),
    }
}

/// How an index says that its key `name` is a number.
fn number_key(table: &Table, name: &str) -> String {
    let is_sort = table.indexes.iter().any(|index| index.sort_key.as_ref().is_some_and(|key| key.name == name));
    let key = if is_sort { "sort_key" } else { "partition_key" };
    format!("the index says that its key is a number: `{key}: {{ name: {name}, type: number }}`")
}
