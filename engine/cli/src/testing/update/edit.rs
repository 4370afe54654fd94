//! Edits of a YAML file by the places of its nodes: everything else in it stays as it is.

use super::yaml::{Tree, entry_lines, key, value_of};
use std::ops::Range;
use std::sync::Arc;
use viewfold_spec::yaml::node::{Content, Node};
use viewfold_spec::{Source, Span};
use viewfold_value::{Item, Value};

/// Why a value cannot be put into a file.
pub(super) type Unwritable = String;

/// Edits of a file that have been gathered.
pub(super) struct Edits<'s> {
    source: &'s Arc<Source>,
    edits: Vec<(Range<usize>, String)>,
}

/// An entry of a map or an element of a list that is to be added.
pub(super) enum Added {
    Entry(String, Tree),
    Element(Tree),
}

impl<'s> Edits<'s> {
    pub(super) fn of(source: &'s Arc<Source>) -> Edits<'s> {
        Edits { source, edits: Vec::new() }
    }

    /// The text of the file with all edits.
    pub(super) fn applied(mut self) -> Result<String, Unwritable> {
        self.edits.sort_by_key(|(range, _)| (range.start, range.end));
        let (mut text, mut at) = (String::new(), 0);
        for (range, new) in &self.edits {
            if range.start < at {
                return Err("the changes stand in each other's way".to_owned());
            }
            text += &self.source.text[at..range.start];
            text += new;
            at = range.end;
        }
        Ok(text + &self.source.text[at..])
    }

    fn line_break(&self) -> &'static str {
        if self.source.text.contains("\r\n") { "\r\n" } else { "\n" }
    }

    fn line_start(&self, at: usize) -> usize {
        self.source.text[..at].rfind('\n').map_or(0, |found| found + 1)
    }

    /// Where the line ends, its line break not included.
    fn line_end(&self, at: usize) -> usize {
        let text = &self.source.text;
        let end = text[at..].find('\n').map_or(text.len(), |found| at + found);
        if end > at && text.as_bytes()[end - 1] == b'\r' { end - 1 } else { end }
    }

    /// Puts a value in the place of a node.
    pub(super) fn replace(&mut self, node: &Node, tree: &Tree) {
        // In one line: whether the node stands in a flow or in a block, that may stand there.
        self.edits.push((node.span.range(), tree.inline()));
    }

    /// Brings a node to a value by as small a change as there is.
    pub(super) fn value(&mut self, node: &Node, wanted: &Value) -> Result<(), Unwritable> {
        let now = value_of(self.source, node);
        if now.as_ref() == Some(wanted) {
            return Ok(());
        }
        match (&node.content, &now, wanted) {
            (Content::Map(_), Some(Value::Map(_)), Value::Map(wanted)) if whole(node) => {
                return self.map(node, wanted, &|_| true);
            }
            (Content::List(list), Some(Value::List(_)), Value::List(wanted))
                if whole(node) && list.len() == wanted.len() =>
            {
                return list.iter().zip(wanted).try_for_each(|(element, wanted)| self.value(element, wanted));
            }
            (Content::List(list), Some(Value::List(now)), Value::List(wanted))
                if whole(node) && wanted.starts_with(now) && !now.is_empty() =>
            {
                let added = wanted[list.len()..].iter().map(|value| Ok(Added::Element(tree(value)?)));
                let added: Vec<Added> = added.collect::<Result<_, Unwritable>>()?;
                return self.reshape(node, &vec![true; list.len()], &added);
            }
            _ => {}
        }
        self.replace(node, &tree(wanted)?);
        Ok(())
    }

    /// Brings the entries of a map to those of an item. Those that the item lacks are removed, where they may be; those
    /// that the map lacks are added.
    pub(super) fn map(&mut self, node: &Node, wanted: &Item, may_add: &dyn Fn(&str) -> bool) -> Result<(), Unwritable> {
        let Content::Map(entries) = &node.content else {
            self.replace(node, &tree(&Value::Map(wanted.clone()))?);
            return Ok(());
        };
        if !whole(node) {
            // What comes by an alias or `<<` stands elsewhere, too.
            let kept =
                wanted.iter().filter(|(name, _)| may_add(name) || entries.iter().any(|(key, _)| key.text == **name));
            let kept: Item = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
            if value_of(self.source, node) != Some(Value::Map(kept.clone())) {
                self.replace(node, &tree(&Value::Map(kept))?);
            }
            return Ok(());
        }
        for (key, value) in entries {
            if let Some(wanted) = wanted.get(&key.text) {
                self.value(value, wanted)?;
            }
        }
        let keep: Vec<bool> = entries.iter().map(|(key, _)| wanted.contains_key(&key.text)).collect();
        let new = wanted.iter().filter(|(name, _)| may_add(name) && !entries.iter().any(|(key, _)| key.text == **name));
        let added = new.map(|(name, value)| {
            let key = key(name).ok_or_else(|| format!("`{name}` cannot be written as a key"))?;
            Ok(Added::Entry(key, tree(value)?))
        });
        let added: Vec<Added> = added.collect::<Result<_, Unwritable>>()?;
        self.reshape(node, &keep, &added)
    }

    /// Removes the members of a map or list that are not kept, and adds others at its end.
    pub(super) fn reshape(&mut self, node: &Node, keep: &[bool], added: &[Added]) -> Result<(), Unwritable> {
        let members = members(node);
        if added.is_empty() && keep.iter().all(|keep| *keep) {
            return Ok(());
        }
        let Some(last) = keep.iter().rposition(|keep| *keep) else {
            return self.refill(node, added);
        };
        if self.is_flow(node) {
            // In front of a kept one up to the next; behind the last kept one all that is left.
            for (at, member) in members.iter().enumerate().take(last).filter(|(at, _)| !keep[*at]) {
                self.edits.push((member.start..members[at + 1].start, String::new()));
            }
            let end = members[members.len() - 1].end;
            let added: String = added.iter().map(|added| format!(", {}", added.inline())).collect();
            self.edits.push((members[last].end..end, added));
            return Ok(());
        }
        for (at, member) in members.iter().enumerate().filter(|(at, _)| !keep[*at]) {
            let start = self.line_start(member.start);
            let before = self.source.text[start..member.start].trim();
            let own_lines = if matches!(node.content, Content::List(_)) {
                before.starts_with('-') && !before[1..].trim_start().starts_with('-')
            } else {
                before.is_empty()
            };
            if own_lines {
                let end = self.line_end(member.end);
                let next = end + self.source.text[end..].find('\n').map_or(0, |found| found + 1);
                self.edits.push((start..next, String::new()));
            } else if at < last {
                // The first entry of a map that is an element of a list: its dash stays.
                self.edits.push((member.start..members[at + 1].start, String::new()));
            } else {
                return Err("the case is written in a way that cannot be edited".to_owned());
            }
        }
        let lines = self.block_lines(node, added).into_iter();
        let text: String = lines.map(|line| format!("{}{line}", self.line_break())).collect();
        let end = self.line_end(members[last].end);
        self.edits.push((end..end, text));
        Ok(())
    }

    /// Members of a block in its own style: the elements of a list as its last one is.
    fn block_lines(&self, node: &Node, added: &[Added]) -> Vec<String> {
        let as_block = match &node.content {
            Content::List(list) => list.last().is_some_and(|last| {
                matches!(&last.content, Content::Map(entries) if !entries.is_empty()) && !self.is_flow(last)
            }),
            _ => false,
        };
        added.iter().flat_map(|added| added.lines(self.indent(node), as_block)).collect()
    }

    /// Puts members in the place of all that are there.
    fn refill(&mut self, node: &Node, added: &[Added]) -> Result<(), Unwritable> {
        if !self.is_flow(node) && !added.is_empty() {
            let text = self.block_lines(node, added).join(self.line_break());
            // The first line's indent is there.
            self.edits.push((node.span.range(), text.trim_start().to_owned()));
            return Ok(());
        }
        let inner: Vec<String> = added.iter().map(Added::inline).collect();
        let inner = inner.join(", ");
        let text = match &node.content {
            Content::Map(_) if inner.is_empty() => "{}".to_owned(),
            Content::Map(_) => format!("{{ {inner} }}"),
            _ => format!("[{inner}]"),
        };
        // A block that begins on a line of its own goes up to its key.
        let before = &self.source.text[..node.span.start];
        let start = before.trim_end().len();
        let own_line = before[start..].contains('\n') && before[..start].ends_with(':');
        if own_line {
            self.edits.push((start..node.span.end, format!(" {text}")));
        } else {
            self.edits.push((node.span.range(), text));
        }
        Ok(())
    }

    /// Whether a map or list is written in braces or brackets.
    fn is_flow(&self, node: &Node) -> bool {
        self.source.text[node.span.start..].starts_with(['{', '['])
    }

    /// How far the members of a block are indented.
    fn indent(&self, node: &Node) -> usize {
        self.source.text[self.line_start(node.span.start)..node.span.start].chars().count()
    }
}

impl Added {
    fn inline(&self) -> String {
        match self {
            Added::Entry(key, value) => format!("{key}: {}", value.inline()),
            Added::Element(value) => value.inline(),
        }
    }

    fn lines(&self, indent: usize, as_block: bool) -> Vec<String> {
        match self {
            Added::Entry(key, value) => entry_lines(key, value, indent),
            Added::Element(value) => value.item_lines(indent, as_block),
        }
    }
}

fn tree(value: &Value) -> Result<Tree, Unwritable> {
    Tree::of(value).ok_or_else(|| format!("a test file has no way to write {value}"))
}

/// The places of the entries of a map, or of the elements of a list.
fn members(node: &Node) -> Vec<Range<usize>> {
    match &node.content {
        Content::Map(entries) => {
            entries.iter().map(|(key, value)| key.span.start..value.span.end.max(key.span.end)).collect()
        }
        Content::List(list) => list.iter().map(|element| element.span.range()).collect(),
        Content::Scalar { .. } => Vec::new(),
    }
}

/// Whether all that a map or list holds stands in its own place: nothing comes by an alias of it, or by `<<`.
fn whole(node: &Node) -> bool {
    let Span { start, end } = node.span;
    members(node).iter().all(|member| start <= member.start && member.end <= end)
}
