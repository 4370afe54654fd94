//! The tree of a YAML file.

use super::accident::{Accident, accident};
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
}

impl<'s> Composer<'s> {
    fn error(&self, span: Span, message: impl Into<String>) -> Box<Diagnostic> {
        Box::new(Diagnostic::error(Code::NotYaml, self.source, span, message))
    }

    fn next(&mut self) -> Composed<(Event<'s>, Span)> {
        match self.parser.next() {
            Some(Ok((event, span))) => {
                Ok((event, span.byte_range().map_or(Span::default(), |range| Span::new(range.start, range.end))))
            }
            Some(Err(error)) => {
                let at = error.marker().byte_offset().unwrap_or(0).min(self.source.text.len());
                let text = error.to_string();
                // The parser's own message ends with a position, which the diagnostic shows better.
                let text = text.split(" at char ").next().unwrap_or(&text);
                Err(match accident(&self.source.text, at) {
                    Some(Accident { at, message, help }) => {
                        Box::new(self.error(Span::new(at, at + 1), message).help(help))
                    }
                    None => self.error(Span::new(at, at + 1), format!("this is no YAML: {text}")),
                })
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
                    return Err(self.error(span, "a second YAML document: one file holds one projection"));
                }
                Event::DocumentStart(..) => {
                    let (event, span) = self.next()?;
                    root = Some(self.node(event, span, 0)?);
                }
                Event::StreamEnd => {
                    return root.ok_or_else(|| self.error(Span::default(), "the file is empty"));
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
            } else if tag.is_custom() {
                self.findings.push(
                    Diagnostic::error(Code::NotYaml, self.source, span, format!("`{tag}` is read as a YAML tag"))
                        .help("put the whole text in quotes: text that starts with `!` is a tag to YAML"),
                );
            } else {
                self.findings.push(Diagnostic::error(
                    Code::NotYaml,
                    self.source,
                    span,
                    format!("the tag `{tag}` has no meaning in a projection; remove it"),
                ));
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
        let node = Node { span: self.trimmed(span), id, content };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    /// The entries up to the end of the map, merge keys (`<<`) resolved, and where the map ends.
    fn entries(&mut self, depth: usize) -> Composed<(Vec<(Key, Node)>, usize)> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut merged: Vec<(Key, Node)> = Vec::new();
        let end = loop {
            let (event, span) = self.next()?;
            let key = match event {
                Event::MappingEnd => break span.end,
                Event::Scalar(text, ..) => Key { text: text.into_owned(), span },
                _ => return Err(self.error(span, "the key of a map has to be a text")),
            };
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            if key.text == "<<" {
                self.merge(value, &mut merged)?;
            } else if let Some((first, _)) = entries.iter().find(|(other, _)| other.text == key.text) {
                self.findings.push(
                    Diagnostic::error(
                        Code::DuplicateKey,
                        self.source,
                        key.span,
                        format!("the key `{}` stands twice in this map", key.text),
                    )
                    .related(first.span, "first here")
                    .help("put both into one entry, or remove one"),
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
            Scalar::Null => "nothing".to_owned(),
            Scalar::Bool(_) => format!("the boolean {text}"),
            Scalar::Number(_) | Scalar::BadNumber(_) => format!("the number {text}"),
            Scalar::Text => "a text".to_owned(),
        },
    }
}
