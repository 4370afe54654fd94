//! What the runs over a file have found, in words for people: one finding for one mistake.

use super::node::{Content, Key, Node, describe};
use super::read::ReadError;
use super::scalar::Scalar;
use crate::diagnostic::{Code, Diagnostic, Source};
use crate::keys::Place;
use crate::shape::Shape;
use crate::{Span, foreign, suggest};
use std::collections::HashSet;
use std::sync::Arc;

/// A key that no type takes.
pub(super) struct Unknown<'t> {
    pub(super) key: &'t Key,
    pub(super) value: &'t Node,
    /// The map that has it.
    pub(super) map: &'t Node,
    /// The keys that it may have.
    pub(super) fields: &'static [&'static str],
}

/// All that was found.
pub(super) struct Found<'t, 's> {
    pub(super) root: &'t Node,
    pub(super) source: &'s Arc<Source>,
    pub(super) failures: Vec<ReadError<'t>>,
    pub(super) unknown: Vec<Unknown<'t>>,
    /// The nodes that were left out of later runs.
    pub(super) left_out: HashSet<usize>,
}

/// What is told of an unknown key.
struct Told<'t> {
    unknown: &'t Unknown<'t>,
    message: String,
    help: String,
    /// The key of the same place that was meant.
    means: Option<&'t str>,
    /// The place that has such a key.
    belongs: Option<Place>,
    /// The key before it, without a value, that it stands below.
    below: Option<&'t str>,
}

impl Found<'_, '_> {
    /// The findings, in the order of their places.
    pub(super) fn findings(&self) -> Vec<Diagnostic> {
        let told: Vec<Told<'_>> = self.unknown.iter().map(|unknown| self.told(unknown)).collect();
        let mut findings: Vec<Diagnostic> = self
            .failures
            .iter()
            .filter(|failure| !self.follows(failure, &told))
            .filter(|failure| failure.node.is_none_or(|node| or_around(self.root, node.id).is_none()))
            .map(|failure| self.finding(failure))
            .collect();
        findings.extend(self.alternatives());
        for (number, one) in told.iter().enumerate() {
            if or_around(self.root, one.unknown.map.id).is_some() {
                continue;
            }
            let same_map = |other: &&Told<'_>| other.unknown.map.id == one.unknown.map.id;
            // What another key of the map is told to stand for has this key, or it stands with others in a wrong place.
            let by_another = told.iter().filter(same_map).any(|other| {
                let place = other.means.and_then(Place::under);
                other.unknown.key.span != one.unknown.key.span
                    && place.is_some_and(|place| place.keys().contains(&one.unknown.key.text.as_str()))
            });
            let together = |other: &&Told<'_>| {
                let kind = |told: &Told<'_>| (told.belongs, told.below.map(str::to_owned));
                same_map(other) && (one.belongs.is_some() || one.below.is_some()) && kind(other) == kind(one)
            };
            if by_another || told[..number].iter().any(|other| together(&other)) {
                continue;
            }
            let names: Vec<&str> =
                told[number..].iter().filter(together).map(|other| other.unknown.key.text.as_str()).collect();
            let message = match (names.as_slice(), Place::of(one.unknown.fields)) {
                ([_, _, ..], Some(place)) => format!("{} are no keys of {}", suggest::list(names), place.name()),
                _ => one.message.clone(),
            };
            let finding = Diagnostic::error(Code::UnknownKey, self.source, one.unknown.key.span, message);
            findings.push(finding.help(one.help.clone()));
        }
        findings.sort_by_key(|finding| finding.span.start);
        findings
    }

    /// One finding for each `$or` of `when`, whatever was found inside of it.
    fn alternatives(&self) -> Vec<Diagnostic> {
        let nodes = self.failures.iter().filter_map(|failure| failure.node);
        let inside = self.unknown.iter().map(|unknown| unknown.map).chain(nodes);
        let mut keys: Vec<&Key> = inside.filter_map(|node| or_around(self.root, node.id)).collect();
        keys.sort_by_key(|key| key.span.start);
        keys.dedup_by_key(|key| key.span);
        let finding = |key: &Key| {
            let message = "`$or` is no key of `when`: everything in it has to match";
            let finding = Diagnostic::error(Code::UnknownKey, self.source, key.span, message);
            finding.help("there is no `$or`: write two rules, or an expression, `if: a || b`")
        };
        keys.into_iter().map(finding).collect()
    }

    fn told<'t>(&'t self, unknown: &'t Unknown<'t>) -> Told<'t> {
        let Unknown { key, value, map, fields } = unknown;
        let place = Place::of(fields);
        let of = place.map_or("this place", Place::name);
        let message = format!("`{}` is no key of {of}", key.text);
        let told = |help: String, means: Option<&'t str>, belongs: Option<Place>| Told {
            unknown,
            message: message.clone(),
            help,
            means,
            belongs,
            below: None,
        };
        let same = |field: &&&str| foreign::plain(field) == foreign::plain(&key.text);
        if let Some(field) = fields.iter().find(same) {
            return told(format!("it is written `{field}`"), Some(field), None);
        }
        let shape = Shape { root: self.root, text: &self.source.text };
        if place == Some(Place::Event)
            && let Some(help) = shape.payload_alone(map)
        {
            return Told { below: Some("payload"), ..told(help, None, None) };
        }
        if let Some(place) = place {
            if let Some((means, help)) = shape.source_with_type(place, map, &key.text) {
                return told(help, Some(means), None);
            }
            if let Some(foreign) = foreign::key(place, &key.text) {
                let help = match (place, foreign.means, &value.content) {
                    (Place::Rule, "when", Content::Map(_)) => "it is written `when: {value}`",
                    (Place::Rule, "when", Content::Scalar { .. }) if shape.written(value).starts_with("$.") => {
                        "a condition is written `if: {value}`"
                    }
                    _ => foreign.help,
                };
                let help = help.replace("{key}", &key.text).replace("{value}", &shape.written(value));
                return told(help, Some(foreign.means), None);
            }
        }
        if place == Some(Place::Pattern)
            && let Some(help) = shape.numeric_without_brackets(map, key)
        {
            return told(help, None, None);
        }
        if let (Some(Place::KeyAttribute), Some(kind)) = (place, shape.type_word(value)) {
            return told(format!("write `{{ name: {}, type: {kind} }}`", key.text), Some("name"), None);
        }
        if let Some(above) = self.empty_above(unknown) {
            let help = format!("indent it further, so that it stands below `{above}:`");
            return Told { below: Some(above), ..told(help, None, None) };
        }
        let near = suggest::nearest(&key.text, fields.iter().copied());
        let elsewhere = place.map(|place| place.others_with(&key.text)).unwrap_or_default();
        match (near, elsewhere.as_slice()) {
            (Some(near), []) => told(format!("did you mean `{near}`?"), Some(near), None),
            (_, [first, ..]) => told(self.where_it_belongs(unknown, &elsewhere), None, Some(*first)),
            (None, []) => {
                let inner = (place == Some(Place::Pattern)).then(|| shape.path_inside(map, &key.text, value)).flatten();
                let help =
                    inner.unwrap_or_else(|| format!("the keys here are {}", suggest::list(fields.iter().copied())));
                told(help, None, None)
            }
        }
    }

    /// The key above an unknown one that has no value: the unknown one was probably meant as a part of it.
    fn empty_above<'t>(&self, unknown: &Unknown<'t>) -> Option<&'t str> {
        let Content::Map(entries) = &unknown.map.content else { return None };
        let at = entries.iter().position(|(key, _)| key.span == unknown.key.span)?;
        let is_unknown = |key: &Key| self.unknown.iter().any(|other| other.key.span == key.span);
        let (above, value) = entries[..at].iter().rev().find(|(key, _)| !is_unknown(key))?;
        let is_empty = value.span.start == value.span.end && matches!(value.content, Content::Scalar { .. });
        let on_a_line =
            self.source.text[..unknown.key.span.start].rsplit('\n').next().unwrap_or_default().trim().is_empty();
        (is_empty && on_a_line).then_some(above.text.as_str())
    }

    /// What to do with a key that another place has.
    fn where_it_belongs(&self, unknown: &Unknown<'_>, places: &[Place]) -> String {
        let key = &unknown.key.text;
        let start = unknown.key.span.start;
        let line = self.source.text[..start].rsplit('\n').next().unwrap_or_default();
        let on_its_own = line.trim().is_empty();
        let Content::Map(siblings) = &unknown.map.content else { return String::new() };
        let sibling = places.iter().find_map(|place| {
            siblings.iter().map(|(key, _)| key.text.as_str()).find(|name| Place::under(name) == Some(*place))
        });
        match (sibling, places) {
            (Some(sibling), _) if on_its_own => {
                format!("it is a key of `{sibling}`: indent it further, so that it stands below `{sibling}:`")
            }
            (Some(sibling), _) => format!("it is a key of `{sibling}`: write it inside, `{sibling}: {{ {key}: … }}`"),
            (None, [Place::Projection, ..]) if on_its_own => {
                format!("`{key}` stands at the top of the file: begin it in the first column")
            }
            (None, [Place::Projection, ..]) => format!("`{key}` stands at the top of the file"),
            (None, [Place::Rule]) => format!("`{key}` stands in a rule: below `rules:`, indented like its `name`"),
            (None, places) => {
                let names: Vec<&str> = places.iter().map(|place| place.name()).collect();
                format!("it is a key of {}", names.join(" and of "))
            }
        }
    }

    /// Whether a failure only follows from what else has been found: a key that is missing because it is misspelt, stands
    /// somewhere else or has a value that was left out, a form that is none because a part of it was left out.
    fn follows(&self, failure: &ReadError<'_>, told: &[Told<'_>]) -> bool {
        let Some(node) = failure.node else { return false };
        let left_out = |node: &Node| self.left_out.contains(&node.id);
        let has_unknown = |map: &Node| self.unknown.iter().any(|unknown| unknown.map.id == map.id);
        if let Some(key) = failure.missing_key {
            let meant = told
                .iter()
                .any(|told| told.unknown.key.text == key || told.means == Some(key) && told.unknown.map.id == node.id);
            let Content::Map(entries) = &node.content else { return meant };
            return meant || entries.iter().any(|(name, value)| name.text == key && left_out(value));
        }
        match &node.content {
            Content::Map(entries) => {
                failure.expected.is_none() && (has_unknown(node) || entries.iter().any(|(_, value)| left_out(value)))
            }
            Content::List(list) => failure.expected.is_none() && list.iter().any(left_out),
            Content::Scalar { meaning, .. } => {
                let Some((parent, key)) = parent(self.root, node.id) else { return false };
                // The keys that belong below stand beside it.
                let is_empty = *meaning == Scalar::Null
                    && told.iter().any(|told| {
                        let is_below = told.below == Some(key.text.as_str());
                        let belongs = told.belongs.is_some() && told.belongs == Place::under(&key.text);
                        told.unknown.map.id == parent.id && (is_below || belongs)
                    });
                // A map of something else where a pattern is wanted.
                let in_no_pattern = self
                    .unknown
                    .iter()
                    .any(|unknown| unknown.map.id == parent.id && Place::of(unknown.fields) == Some(Place::Pattern));
                is_empty || in_no_pattern
            }
        }
    }

    fn finding(&self, failure: &ReadError<'_>) -> Diagnostic {
        let node = failure.node.unwrap_or(self.root);
        let trail = trail(self.root, node.id).unwrap_or_default();
        let shape = Shape { root: self.root, text: &self.source.text };
        let subject = subject(&trail);
        let (mut code, mut message, mut help) = (failure.code, failure.message.clone(), failure.help.clone());
        let mut span = node.span;
        if let Some(expected) = &failure.expected {
            message = match trail.as_slice() {
                [.., "guard"] => format!("this is no guard: it is {}", describe(node)),
                [] => format!("a file is a map of keys, and this is {}", describe(node)),
                _ => format!("{subject} takes {expected}, and this is {}", describe(node)),
            };
            help = shape.help(&trail, node, expected).or(help);
            if expected.starts_with("`true` or")
                && let Some((words, write)) = shape.boolean(node)
            {
                code = Code::YamlWord;
                message = format!("{subject} takes {expected}, and {words}");
                help = Some(write);
            }
        }
        if let Some((key, words, write)) = append_key(self.root, &trail, node, &shape) {
            (span, message, help) = (key.span, words, Some(write));
        }
        if let Some((word, expected)) = failure.word.as_deref() {
            message = match expected {
                [only] => format!("{subject} takes `{only}`, and not `{word}`"),
                _ => format!("{subject} takes one of {}, and not `{word}`", suggest::list(expected.iter().copied())),
            };
            let near = foreign::word(word, expected).or_else(|| suggest::nearest(word, expected.iter().copied()));
            help = near.map(|near| format!("did you mean `{near}`?")).or_else(|| shape.word(&trail, word));
        }
        if let Some(key) = failure.missing_key {
            span = first_line(span, &self.source.text);
            help = shape.missing(key).or(help);
        }
        if let [.., "guard"] = trail.as_slice() {
            help = shape.guard(node).or(help);
        }
        let mut finding = Diagnostic::error(code, self.source, span, message);
        finding.help = help;
        finding
    }
}

/// A key of an entry of `append` that stands beside the entry: where, what to say, and what to write.
fn append_key<'t>(root: &'t Node, trail: &[&str], node: &Node, shape: &Shape<'_>) -> Option<(&'t Key, String, String)> {
    let [.., "append", name] = trail else { return None };
    if !Place::Append.keys().contains(name) || !matches!(node.content, Content::Scalar { .. }) {
        return None;
    }
    let (append, key) = parent(root, node.id)?;
    let Content::Map(entries) = &append.content else { return None };
    let (target, inner) = entries.iter().find_map(|(target, value)| match &value.content {
        Content::Map(inner) => Some((target, inner)),
        _ => None,
    })?;
    let mut parts: Vec<String> =
        inner.iter().map(|(key, value)| format!("{}: {}", key.text, shape.written(value))).collect();
    parts.push(format!("{name}: {}", shape.written(node)));
    let target = &target.text;
    let message = format!("`{name}` belongs into `{target}`");
    Some((key, message, format!("write `{target}: {{ {} }}`", parts.join(", "))))
}

/// What takes the value at the end of a trail.
fn subject(trail: &[&str]) -> String {
    match trail {
        [] => "the file".to_owned(),
        [.., list, "-"] => format!("an entry of `{list}`"),
        [.., key] => format!("`{key}`"),
    }
}

/// The keys on the way to a node; `-` stands for an entry of a list.
fn trail(node: &Node, id: usize) -> Option<Vec<&str>> {
    if node.id == id {
        return Some(Vec::new());
    }
    match &node.content {
        Content::Scalar { .. } => None,
        Content::List(list) => list.iter().find_map(|element| Some([vec!["-"], trail(element, id)?].concat())),
        Content::Map(entries) => {
            entries.iter().find_map(|(key, value)| Some([vec![key.text.as_str()], trail(value, id)?].concat()))
        }
    }
}

/// The `$or` of a `when` that a node stands in.
fn or_around(node: &Node, id: usize) -> Option<&Key> {
    let within = |value: &Node| trail(value, id).is_some();
    match &node.content {
        Content::Scalar { .. } => None,
        Content::List(list) => list.iter().find_map(|element| or_around(element, id)),
        Content::Map(entries) => entries.iter().find_map(|(key, value)| match &value.content {
            Content::Map(patterns) if key.text == "when" => {
                patterns.iter().find(|(key, value)| key.text == "$or" && within(value)).map(|(key, _)| key)
            }
            _ => or_around(value, id),
        }),
    }
}

/// The map that a node is a value of, and its key.
fn parent(node: &Node, id: usize) -> Option<(&Node, &Key)> {
    match &node.content {
        Content::Scalar { .. } => None,
        Content::List(list) => list.iter().find_map(|element| parent(element, id)),
        Content::Map(entries) => entries.iter().find_map(|(key, value)| match value.id == id {
            true => Some((node, key)),
            false => parent(value, id),
        }),
    }
}

/// The first line of a span: enough to show where something is missing.
fn first_line(span: Span, text: &str) -> Span {
    let lines = text.get(span.range()).unwrap_or_default();
    Span::new(span.start, span.start + lines.find('\n').unwrap_or(lines.len()))
}
