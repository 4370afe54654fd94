//! The tree of a YAML file.

use super::accident::{accidents, reference_words, tag_words};
use super::scalar::{self, Scalar};
use crate::diagnostic::{Code, Diagnostic, Source};
use crate::{Span, suggest};
use granit_parser::{Event, Parser, ScalarStyle};
use std::collections::HashMap;
use std::sync::Arc;

/// The largest file that is read, in bytes: a projection has some kilobytes.
pub const MAX_BYTES: usize = 1 << 20;

/// The most nodes a file may have once its aliases are resolved: an alias bomb ends here.
pub const MAX_NODES: usize = 100_000;

/// How deep maps and lists may be nested.
pub const MAX_DEPTH: usize = 64;

/// One value of the file.
#[derive(Clone, Debug)]
pub struct Node {
    /// The place.
    pub span: Span,
    /// Its number in the file, for remembering what was wrong; the same for all uses of an alias.
    pub id: usize,
    /// What it is.
    pub content: Content,
}

/// What a [`Node`] is.
#[derive(Clone, Debug)]
pub enum Content {
    /// A text, number, boolean or null.
    Scalar {
        /// The text after YAML's own unescaping.
        text: String,
        /// What it means.
        meaning: Scalar,
    },
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Map(Vec<(Key, Node)>),
}

/// The key of a map's entry. Keys are text, whatever they look like.
#[derive(Clone, Debug)]
pub struct Key {
    /// The text.
    pub text: String,
    /// The place.
    pub span: Span,
}

/// Reads the one YAML document of a file into a tree.
///
/// # Errors
///
/// When the text is no YAML, is too large, has more than one document, a duplicate key, a custom tag, or a key that is
/// no text. Duplicate keys and tags are all found at once; broken syntax ends the reading.
pub fn compose(source: &Arc<Source>) -> Result<Node, Vec<Diagnostic>> {
    if source.text.len() > MAX_BYTES {
        let message = format!("the file is larger than {} MiB", MAX_BYTES >> 20);
        return Err(vec![Diagnostic::error(Code::NotYaml, source, Span::default(), message)]);
    }
    let mut composer = Composer {
        source,
        parser: Parser::new_from_str(&source.text),
        anchors: HashMap::new(),
        findings: Vec::new(),
        ids: 0,
        nodes: 0,
        tag: None,
    };
    match composer.document() {
        Ok(node) if composer.findings.is_empty() => Ok(node),
        Ok(_) => Err(composer.findings),
        Err(finding) => {
            composer.findings.push(*finding);
            Err(composer.findings)
        }
    }
}

type Composed<T> = Result<T, Box<Diagnostic>>;

struct Composer<'s> {
    source: &'s Arc<Source>,
    parser: Parser<'s, granit_parser::StrInput<'s>>,
    anchors: HashMap<usize, Node>,
    findings: Vec<Diagnostic>,
    ids: usize,
    nodes: usize,
    /// Where the tag of the latest event begins, if it has one.
    tag: Option<usize>,
}

impl<'s> Composer<'s> {
    fn error(&self, span: Span, message: impl Into<String>) -> Box<Diagnostic> {
        Box::new(Diagnostic::error(Code::NotYaml, self.source, span, message))
    }

    fn next(&mut self) -> Composed<(Event<'s>, Span)> {
        match self.parser.next() {
            Some(Ok((event, span))) => {
                self.tag = span.tag_start().and_then(|tag| tag.byte_offset());
                Ok((event, span.byte_range().map_or(Span::default(), |range| Span::new(range.start, range.end))))
            }
            Some(Err(error)) => {
                let at = error.marker().byte_offset().unwrap_or(0).min(self.source.text.len());
                for accident in accidents(&self.source.text, at, error.kind()) {
                    let finding = Diagnostic::error(accident.code, self.source, accident.span, accident.message);
                    self.findings.push(finding.help(accident.help));
                }
                // The last one ends the reading.
                let last = self.findings.pop();
                Err(last.map_or_else(|| self.error(Span::new(at, at + 1), "this is no YAML"), Box::new))
            }
            None => {
                let end = self.source.text.len();
                Err(self.error(Span::new(end, end), "the file ends in the middle of a value"))
            }
        }
    }

    fn document(&mut self) -> Composed<Node> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentEnd => {}
                Event::DocumentStart(..) if root.is_some() => {
                    let finding = self.error(span, "a second YAML document: one file holds one projection");
                    return Err(Box::new(
                        finding.help("make it a file of its own; `viewfold validate` takes a folder"),
                    ));
                }
                Event::DocumentStart(..) => {
                    let (event, span) = self.next()?;
                    root = Some(self.node(event, span, 0)?);
                }
                Event::StreamEnd => {
                    return root.ok_or_else(|| {
                        let help = "a projection begins with its name, `projection: NAME`";
                        Box::new(self.error(Span::default(), "the file is empty").help(help))
                    });
                }
                _ => return Err(self.error(span, "this does not belong to the document")),
            }
        }
    }

    fn node(&mut self, event: Event<'s>, span: Span, depth: usize) -> Composed<Node> {
        if depth > MAX_DEPTH {
            return Err(self.error(span, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.ids += 1;
        self.count(1, span)?;
        let id = self.ids;
        let mut quoted = false;
        if let Some(tag) = event.tag() {
            if tag.is_yaml_core_schema_tag("str") {
                quoted = true;
            } else {
                let written = self.written(self.tag.unwrap_or(span.start), span.end);
                let text = self.source.text.get(written.range()).unwrap_or_default();
                let (message, help) = match text.starts_with("!!") {
                    false => tag_words(text),
                    // `!!set { a, b }`: its elements are keys without values.
                    true if text.starts_with("!!set") => {
                        let rest = self.source.text.get(written.start..).unwrap_or_default();
                        (
                            "a set is no value of YAML's here: it is written by an expression".to_owned(),
                            format!("write '${{ set({}) }}'", set_elements(rest)),
                        )
                    }
                    true => (
                        format!("a projection has no use for the tag `{}`", text.split(' ').next().unwrap_or(text)),
                        "write the value without it; bytes are '${ binary(\"aGk=\") }'".to_owned(),
                    ),
                };
                let code = if !text.starts_with("!!") { Code::UnquotedText } else { Code::NotYaml };
                self.findings.push(Diagnostic::error(code, self.source, written, message).help(help));
            }
        }
        let (anchor, span, content) = match event {
            Event::Alias(anchor) => {
                let Some(target) = self.anchors.get(&anchor).cloned() else {
                    return Err(self.error(span, "an alias inside of its own anchor"));
                };
                self.count(size(&target), span)?;
                return Ok(Node { span, ..target });
            }
            Event::Scalar(text, style, anchor, _) => {
                let text = text.into_owned();
                let meaning = if quoted || style != ScalarStyle::Plain { Scalar::Text } else { scalar::plain(&text) };
                (anchor, span, Content::Scalar { text, meaning })
            }
            Event::SequenceStart(_, anchor, _) => {
                let mut list = Vec::new();
                let end = loop {
                    let (event, span) = self.next()?;
                    if matches!(event, Event::SequenceEnd) {
                        break span.end;
                    }
                    list.push(self.node(event, span, depth + 1)?);
                };
                (anchor, Span::new(span.start, end), Content::List(list))
            }
            Event::MappingStart(_, anchor, _) => {
                let (entries, end) = self.entries(depth)?;
                (anchor, Span::new(span.start, end), Content::Map(entries))
            }
            _ => return Err(self.error(span, "a value is expected here")),
        };
        if anchor != 0 && span.start == span.end && matches!(content, Content::Scalar { meaning: Scalar::Null, .. }) {
            let at = self.source.text[..span.start].rfind('&').unwrap_or(span.start);
            let written = self.written(at, span.start);
            let text = self.source.text.get(written.range()).unwrap_or_default();
            let (message, help) = reference_words("", '&', text, "");
            self.findings.push(Diagnostic::error(Code::UnquotedText, self.source, written, message).help(help));
        }
        let span =
            if matches!(content, Content::Scalar { .. }) { self.without_blanks(span) } else { self.trimmed(span) };
        let node = Node { span, id, content };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    /// The entries up to the end of the map, merge keys (`<<`) resolved, and where the map ends.
    fn entries(&mut self, depth: usize) -> Composed<(Vec<(Key, Node)>, usize)> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut merged: Vec<(Key, Node)> = Vec::new();
        let mut second = false;
        let end = loop {
            let (event, span) = self.next()?;
            let key = match event {
                Event::MappingEnd => break span.end,
                Event::Scalar(text, ..) => Key { text: text.into_owned(), span },
                _ => return Err(self.error(span, "the key of a map has to be a text")),
            };
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            if self.lacks_space(&key, &value) {
                continue;
            }
            if key.text == "<<" {
                self.merge(value, &mut merged)?;
            } else if let Some((first, _)) = entries.iter().find(|(other, _)| other.text == key.text) {
                // The keys of a second rule or case without its `- `: one finding for all of them.
                if second {
                    continue;
                }
                second = key.text == "name";
                let help = match key.text.as_str() {
                    "name" => "if another rule begins here, write `- ` before it; otherwise remove one of them",
                    _ => "put both into one entry, or remove one",
                };
                self.findings.push(
                    Diagnostic::error(
                        Code::DuplicateKey,
                        self.source,
                        key.span,
                        format!("the key `{}` stands twice in this map", key.text),
                    )
                    .related(first.span, "first here")
                    .help(help),
                );
            } else {
                entries.push((key, value));
            }
        };
        for (key, value) in merged {
            if !entries.iter().any(|(other, _)| other.text == key.text) {
                entries.push((key, value));
            }
        }
        Ok((entries, end))
    }

    /// A key that has swallowed its value, as in `{a:1}` and `{a = 1}`, or a blank that is none.
    fn lacks_space(&mut self, key: &Key, value: &Node) -> bool {
        let written = self.source.text.get(key.span.range()).unwrap_or_default();
        let is_plain = written == key.text;
        let is_empty = value.span.start == value.span.end && matches!(value.content, Content::Scalar { .. });
        let (message, help) = if is_plain && written.contains('\u{a0}') {
            (
                "a non-breaking space (U+00A0) stands here, which looks like a space, and is text to YAML".to_owned(),
                "write a plain space in its place; it often comes with text that is pasted from a web page".to_owned(),
            )
        } else if let (true, Some((name, rest))) = (is_plain && is_empty, key.text.split_once(':')) {
            (
                format!("`{written}` is read as a key without a value: a space is missing behind the `:`"),
                format!("write `{}: {}`", name.trim_end(), rest.trim_start()),
            )
        } else if let (true, Some((name, rest))) = (is_plain && is_empty, key.text.split_once('=')) {
            (
                format!("`{written}` is read as a key without a value: a key and its value stand around `: `"),
                format!("write `{}: {}`", name.trim_end(), rest.trim_start()),
            )
        } else {
            return false;
        };
        self.findings.push(Diagnostic::error(Code::UnquotedText, self.source, key.span, message).help(help));
        true
    }

    fn merge(&mut self, value: Node, merged: &mut Vec<(Key, Node)>) -> Composed<()> {
        match value.content {
            Content::Map(entries) => merged.extend(entries),
            Content::List(list) => {
                for node in list {
                    self.merge(node, merged)?;
                }
            }
            Content::Scalar { .. } => return Err(self.error(value.span, "`<<` merges maps; this is none")),
        }
        Ok(())
    }

    fn count(&mut self, nodes: usize, span: Span) -> Composed<()> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return Err(self.error(span, format!("more than {MAX_NODES} values, aliases counted each time")));
        }
        Ok(())
    }

    /// What begins at `start`, on its line.
    fn written(&self, start: usize, end: usize) -> Span {
        let text = self.source.text.get(start..end).unwrap_or_default();
        let line = text.split(['\n', '\r']).next().unwrap_or_default();
        Span::new(start, start + line.trim_end().len())
    }

    fn without_blanks(&self, span: Span) -> Span {
        let text = self.source.text.get(span.range()).unwrap_or("");
        Span::new(span.start, span.start + text.trim_end().len())
    }

    /// A block's span reaches to the next token; the blanks, comments and line breaks before that are not part of it.
    fn trimmed(&self, span: Span) -> Span {
        let text = self.source.text.get(span.range()).unwrap_or("");
        let mut end = span.start + text.trim_end().len();
        if text.contains('\n') {
            let mut kept = 0;
            let mut at = 0;
            for line in text.split_inclusive('\n') {
                at += line.len();
                if !line.trim().is_empty() && !line.trim_start().starts_with('#') {
                    kept = at - (line.len() - line.trim_end().len());
                }
            }
            end = span.start + kept;
        }
        Span::new(span.start, end)
    }
}

fn size(node: &Node) -> usize {
    match &node.content {
        Content::Scalar { .. } => 1,
        Content::List(list) => 1 + list.iter().map(size).sum::<usize>(),
        Content::Map(entries) => 1 + entries.iter().map(|(_, value)| size(value)).sum::<usize>(),
    }
}

/// What a node is, in a user's words: "a list", "the number 3".
pub fn describe(node: &Node) -> String {
    match &node.content {
        Content::List(_) => "a list".to_owned(),
        Content::Map(entries) => match entries.as_slice() {
            [] => "an empty map".to_owned(),
            entries => {
                format!("a map with {}", suggest::list(entries.iter().take(4).map(|(key, _)| key.text.as_str())))
            }
        },
        Content::Scalar { text, meaning } => match meaning {
            Scalar::Null if node.span.start == node.span.end => "empty".to_owned(),
            Scalar::Null => format!("`{text}`, nothing"),
            Scalar::Bool(_) => format!("the boolean {text}"),
            Scalar::Number(_) | Scalar::BadNumber(_) => format!("the number {text}"),
            Scalar::Text if text.len() <= 60 && !text.contains('\n') => format!("the text `{text}`"),
            Scalar::Text => "a text".to_owned(),
        },
    }
}

/// The elements of the set behind `!!set`, as an expression writes them.
fn set_elements(text: &str) -> String {
    let inner = text.split_once('{').and_then(|(before, inner)| (before.trim() == "!!set").then_some(inner));
    let elements = inner.and_then(|inner| inner.split_once('}')).map(|(elements, _)| elements.split(','));
    let elements: Vec<String> = elements
        .into_iter()
        .flatten()
        .map(|element| element.trim().trim_start_matches("? ").trim_matches(['"', '\'']).to_owned())
        .filter(|element| !element.is_empty())
        .map(|element| if element.parse::<f64>().is_ok() { element } else { format!("\"{element}\"") })
        .collect();
    if elements.is_empty() { "\"a\", \"b\"".to_owned() } else { elements.join(", ") }
}
