//! Rules that no event matches, and rules that cannot be applied to any event that they match.

use super::super::Compiler;
use super::super::facts::{self, CHANGES, Contradiction};
use super::super::kinds::may_be_nothing;
use crate::expression::Binary;
use crate::path::Step;
use crate::program::{Condition, MetadataName, Payload, Rule, Stream, Subject, Term};
use viewfold_spec::projection::{self as spec, Pattern};
use viewfold_spec::{Code, Literal, Span, Spanned};
use viewfold_value::Value;

/// A pattern of `when` as it is written, and what it came to.
#[derive(Clone, Copy)]
struct Written<'r> {
    path: &'r Spanned<String>,
    pattern: &'r Spanned<Pattern>,
    condition: &'r Condition,
}

/// Why nothing can be at a place.
struct Absence {
    /// The pattern that says so.
    other: Span,
    /// The same in words.
    why: String,
    /// Whether it is the kind of change that has no such image.
    by_change: bool,
}

impl Compiler<'_> {
    /// Checks whether a rule can match an event, and be applied to it.
    pub(super) fn check_matching(
        &mut self,
        projection: &spec::Projection,
        rule: &Spanned<spec::Rule>,
        compiled: &Rule,
        stream: &Stream,
    ) {
        let entries: Vec<_> = rule.when.iter().flatten().collect();
        // A pattern with an error has a finding of its own.
        if entries.len() != compiled.when.len() {
            return;
        }
        let written: Vec<Written<'_>> = entries
            .into_iter()
            .zip(&compiled.when)
            .map(|((path, pattern), condition)| Written { path, pattern, condition })
            .collect();
        if self.check_patterns(&written, stream) && self.check_changes(&written, stream) {
            self.check_needs(projection, rule, compiled, &written, stream);
            self.check_images(projection, rule, compiled, stream);
        }
        self.check_condition(rule, compiled);
    }

    /// Whether no two patterns of the rule contradict each other.
    fn check_patterns(&mut self, written: &[Written<'_>], stream: &Stream) -> bool {
        for (number, second) in written.iter().enumerate() {
            let found = written[..number]
                .iter()
                .find_map(|first| Some((first, facts::contradict(first.condition, second.condition, stream)?)));
            let Some((first, why)) = found else { continue };
            let (a, b) = (first.path.as_str(), second.path.as_str());
            let (message, help) = match why {
                Contradiction::Values => (
                    format!(
                        "this rule never matches: `{b}` is the same place as `{a}`, and no value matches both patterns"
                    ),
                    format!(
                        "either of two values is a list of patterns: `{a}: [x, y]`; for a list that holds both write \
                         `if: contains({a}, \"x\") && contains({a}, \"y\")`"
                    ),
                ),
                Contradiction::FirstMissing => missing(a, second),
                Contradiction::SecondMissing => missing(b, first),
                Contradiction::Shapes => (
                    format!("this rule never matches: `{a}` and `{b}` take one value for a list and for a map"),
                    "a name leads into a map, `[0]` into a list".to_owned(),
                ),
            };
            let finding = self.warning(Code::NeverMatches, second.pattern.span, message);
            finding.label = Some(format!("`{b}`"));
            finding.related = Some((first.pattern.span, "contradicts this".into()));
            finding.help = Some(help);
            return false;
        }
        true
    }

    /// Whether some change of an item has the images that the patterns look at.
    fn check_changes(&mut self, written: &[Written<'_>], stream: &Stream) -> bool {
        let mut left = [true; 3];
        for (number, second) in written.iter().enumerate() {
            let own = facts::changes(second.condition, stream);
            // What nothing passes by itself has a finding of its own.
            if own == [false; 3] {
                return false;
            }
            let before = left;
            left = facts::both(left, own);
            if left != [false; 3] {
                continue;
            }
            // The one that leaves nothing together with this one, or else the last that left less.
            let others = || written[..number].iter().rev();
            let alone = |other: &&Written<'_>| facts::both(facts::changes(other.condition, stream), own) == [false; 3];
            let first = others()
                .find(alone)
                .or_else(|| others().find(|other| facts::changes(other.condition, stream) != [true; 3]));
            let Some(first) = first else { return false };
            let words: Vec<&str> =
                CHANGES.into_iter().zip(before).filter(|(_, is)| *is).map(|(word, _)| word).collect();
            let message = format!("this rule never matches: {}", images(&words, own));
            let finding = self.warning(Code::NeverMatches, second.pattern.span, message);
            finding.label = Some(format!("`{}`", second.path.value));
            finding.related = Some((first.pattern.span, "contradicts this".into()));
            finding.help =
                Some("an `insert` has `$.new`, a `remove` has `$.old`, a `modify` has both; make it two rules".into());
            return false;
        }
        true
    }

    /// Checks that what has to be there for the rule can be.
    fn check_needs(
        &mut self,
        projection: &spec::Projection,
        rule: &Spanned<spec::Rule>,
        compiled: &Rule,
        written: &[Written<'_>],
        stream: &Stream,
    ) {
        for (term, span) in needs(projection, rule, compiled) {
            let mut paths = Vec::new();
            strict(term, &mut paths);
            for (slot, path) in paths {
                let steps = stream.paths.steps(slot);
                let Some(Absence { other, why, by_change }) = absent(steps, written, stream) else { continue };
                let span = self.part(span, path);
                let message = format!("this rule can never be applied: `{path}` has to be there, and {why}");
                let finding = self.error(Code::AlwaysFails, span, message);
                finding.related = Some((other, "because of this".into()));
                finding.help = Some(match (path.strip_prefix("$.new"), path.strip_prefix("$.old")) {
                    (Some(rest), _) if by_change => format!("a `remove` has `$.old`: did you mean `$.old{rest}`?"),
                    (_, Some(rest)) if by_change => format!(
                        "an `insert` has `$.new`: did you mean `$.new{rest}`? `default({path}, 0)` has a value all the same"
                    ),
                    _ => format!(
                        "every event that it matches would be a dead letter; `default({path}, 0)` has a value all the same"
                    ),
                });
                return;
            }
        }
        // A list that may be missing and always is.
        if let (Some(Term::Event { subject: Subject::Slot(slot), optional, path }), Some(each)) =
            (&compiled.each, &rule.each)
        {
            let steps = stream.paths.steps(*slot);
            let span = each.0.first().map_or(each.span, |(_, list)| list.span);
            if let (true, Some(Absence { other, why, .. })) = (*optional, absent(steps, written, stream)) {
                let message = format!("this rule never does anything: {why}, so there is nothing to go through");
                let finding = self.warning(Code::NeverMatches, span, message);
                finding.related = Some((other, "because of this".into()));
            } else if let Some(inside) = written.iter().find(|other| {
                facts::needed(other.condition, stream)
                    .and_then(|needed| needed.strip_prefix(steps))
                    .is_some_and(|rest| matches!(rest.first(), Some(Step::Name(_))))
            }) {
                let message = format!(
                    "this rule can never be applied: `each` goes through a list, and `{path}` is a map where `{}` is there",
                    inside.path.value
                );
                let finding = self.error(Code::AlwaysFails, span, message);
                finding.related = Some((inside.path.span, "because of this".into()));
                finding.help = Some(format!("parts of elements are found by `{path}[*]`"));
            }
        }
    }

    /// Both images of an item, needed by a rule that takes every change: no `insert` has `$.old`, no `remove` `$.new`.
    fn check_images(
        &mut self,
        projection: &spec::Projection,
        rule: &Spanned<spec::Rule>,
        compiled: &Rule,
        stream: &Stream,
    ) {
        let left = compiled.when.iter().map(|other| facts::changes(other, stream)).fold([true; 3], facts::both);
        // A condition that asks which change it is, or what is there, may leave out the others.
        let asks = |term: &Term| {
            matches!(term, Term::Exists(_) | Term::Event { subject: Subject::Metadata(MetadataName::Change), .. })
        };
        let leaves_out = compiled.condition.as_ref().is_some_and(|condition| condition.any(&mut |term| asks(term)));
        if stream.payload != Payload::Change || compiled.retract || left != [true; 3] || leaves_out {
            return;
        }
        let (mut new, mut old) = (None, None);
        for (term, span) in needs(projection, rule, compiled) {
            let mut paths = Vec::new();
            strict(term, &mut paths);
            for (slot, path) in paths {
                match stream.paths.steps(slot).first() {
                    Some(Step::Name(image)) if image == "new" => new = new.or(Some((path, span))),
                    Some(Step::Name(image)) if image == "old" => old = old.or(Some((path, span))),
                    _ => {}
                }
            }
        }
        let (Some((new, _)), Some((old, span))) = (new, old) else { return };
        let span = self.part(span, old);
        let message = format!("`{old}` is not there for an `insert`, and `{new}` not for a `remove`");
        self.warning(Code::AlwaysFails, span, message).help = Some(
            "take only changes that have both: `when: { $$.change: modify }`; a sum of what items contribute is kept by \
             `retract: true`"
                .into(),
        );
    }

    /// An `if` that is false for every event.
    fn check_condition(&mut self, rule: &Spanned<spec::Rule>, compiled: &Rule) {
        let (Some(Term::Constant(Value::Bool(false))), Some(written)) =
            (compiled.condition.as_ref().map(Term::resolved), &rule.r#if)
        else {
            return;
        };
        let help = match &written.value {
            Literal::Bool(_) => "remove the rule, or say `allow: [never_matches]` in it while it is switched off",
            _ => "nothing in it depends on the event: `$.status` is a value of the event, \"status\" is a text",
        };
        self.warning(
            Code::NeverMatches,
            written.span,
            "this rule never does anything: its `if` is false for every event",
        )
        .help = Some(help.into());
    }

    /// The place of a path in a value, where it stands in it as it is; else the whole value's.
    fn part(&self, span: Span, path: &str) -> Span {
        let text = self.source.text.get(span.range()).unwrap_or_default();
        let goes_on = |at: usize| {
            text[at + path.len()..].starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '[' | '.'))
        };
        let found = text.match_indices(path).map(|(at, _)| at).find(|at| !goes_on(*at));
        found.map_or(span, |at| Span::new(span.start + at, span.start + at + path.len()))
    }
}

/// Words for a path that is needed and a pattern that leaves nothing there.
fn missing(needed: &str, denied: &Written<'_>) -> (String, String) {
    let path = denied.path.as_str();
    let what = match facts::is_missing(&denied.condition.test) {
        true => "has to be missing",
        false => "must be no map",
    };
    (
        format!("this rule never matches: `{needed}` has to be there, and `{path}` {what}"),
        format!("all patterns of `when` have to match: make it two rules, or remove the pattern of `{path}`"),
    )
}

/// Why none of the changes that are left has what a pattern wants.
fn images(left: &[&str], wanted: [bool; 3]) -> String {
    let left = format!("a change that is `{}`", left.join("` or `"));
    match wanted {
        [false, true, true] => format!("{left} has no old image"),
        [true, true, false] => format!("{left} has no new image"),
        _ => format!("the other patterns match {left}"),
    }
}

/// Why nothing can be at these steps for an event that matches.
fn absent(steps: &[Step], written: &[Written<'_>], stream: &Stream) -> Option<Absence> {
    if let Some(other) = written.iter().find(|other| facts::leaves_nothing(other.condition, steps, stream)) {
        let why = match facts::is_missing(&other.condition.test) {
            true => format!("`when` takes only events without `{}`", other.path.value),
            false => format!("`when` takes only events whose `{}` is no map", other.path.value),
        };
        return Some(Absence { other: other.pattern.span, why, by_change: false });
    }
    if stream.payload != Payload::Change {
        return None;
    }
    let Some(Step::Name(image)) = steps.first() else { return None };
    let left = written
        .iter()
        .map(|other| facts::changes(other.condition, stream))
        .fold(facts::having_image(image), facts::both);
    let other = written.iter().find(|other| facts::changes(other.condition, stream) != [true; 3])?;
    let kind = if image == "old" { "an `insert` has no old image" } else { "a `remove` has no new image" };
    (left == [false; 3]).then(|| Absence { other: other.pattern.span, why: kind.to_owned(), by_change: true })
}

/// The values of a rule that are evaluated for every event that it matches, in their order, with their places.
fn needs<'r>(
    projection: &'r spec::Projection,
    rule: &'r Spanned<spec::Rule>,
    compiled: &'r Rule,
) -> Vec<(&'r Term, Span)> {
    let mut all = Vec::new();
    if let (Some(term), Some(each)) = (&compiled.each, &rule.each) {
        all.push((term, each.0.first().map_or(each.span, |(_, list)| list.span)));
    }
    if let (Some(term), Some(condition)) = (&compiled.condition, &rule.r#if) {
        all.push((term, condition.span));
    }
    if let Some(key) = rule.key.as_ref().or(projection.key.as_ref()) {
        all.extend(compiled.key.iter().map(|term| (term, key.span)));
    }
    for operation in &compiled.operations {
        let name = rule.place_of(&operation.target.path).unwrap_or(rule.span);
        let value = rule.value_of(operation.kind.name(), &operation.target.path).unwrap_or(name);
        let whole = Span::new(name.start.min(value.start), value.end.max(name.end));
        for term in operation.terms() {
            all.push((term, whole));
            // An operation is left out where a part of it is nothing.
            if may_be_nothing(term) {
                break;
            }
        }
    }
    all
}

/// The slots that have to be filled for a term to have a value, with their paths.
fn strict<'t>(term: &'t Term, into: &mut Vec<(usize, &'t str)>) {
    match term {
        Term::Event { subject: Subject::Slot(slot), optional: false, path } => into.push((*slot, path)),
        Term::Exists(_) | Term::Default(..) => {}
        Term::If(condition, ..) => strict(condition, into),
        Term::Binary(Binary::And | Binary::Or, first, _) => strict(first, into),
        Term::List(_) | Term::Map(_) | Term::Let(_) => {
            term.parts().into_iter().for_each(|part| strict(part, into));
        }
        term => {
            for part in term.parts() {
                strict(part, into);
                // What comes behind nothing is not looked at.
                if may_be_nothing(part) {
                    break;
                }
            }
        }
    }
}
