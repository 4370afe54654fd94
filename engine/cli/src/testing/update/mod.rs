//! Writes into a test file what the events of a case made: its `documents`, the attributes that it `contains`, and its
//! `dead_letters`. All else stays as it is: comments, order, style.
//!
//! [`yaml`] writes values, [`edit`] puts them into the file. Nothing here is trusted: who updates a case reads the new text,
//! asks [`elsewhere_the_same`], and runs the case.

mod edit;
#[cfg(test)]
mod tests;
mod yaml;

use super::scene::{Found, Letter};
use edit::{Added, Edits, Unwritable};
use similar::{ChangeTag, TextDiff};
use std::sync::Arc;
use viewfold_core::program::Table;
use viewfold_spec::Source;
use viewfold_spec::yaml::node::{Content, Node, compose};
use viewfold_value::{Item, Number, Value};
use yaml::{Tree, key, value_of};

/// The keys of a case that are written.
const WRITTEN: [&str; 3] = ["documents", "contains", "dead_letters"];

/// How much of a table is written anew where one of its documents differs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Grain {
    /// What differs.
    Values,
    /// All of its documents: where values come by aliases from elsewhere.
    Tables,
}

/// The texts that the file may have afterwards, the one with the smallest change first; an error says why there is none.
pub(super) fn candidates(source: &Arc<Source>, case: usize, found: &Found) -> Result<Vec<String>, Unwritable> {
    let root = compose(source).map_err(|_| "the file is no YAML any more".to_owned())?;
    let node = case_node(&root, case).ok_or("the case is not there any more")?;
    let texts = [Grain::Values, Grain::Tables].map(|grain| updated(source, node, found, grain));
    let (texts, errors): (Vec<_>, Vec<_>) = texts.into_iter().partition(Result::is_ok);
    match (texts.is_empty(), errors.into_iter().next()) {
        (true, Some(Err(error))) => Err(error),
        _ => Ok(texts.into_iter().flatten().collect()),
    }
}

/// Whether two versions of a file are the same but for what is written into a case.
pub(super) fn elsewhere_the_same(before: &Arc<Source>, after: &Arc<Source>, case: usize) -> bool {
    let (Ok(before), Ok(after)) = (compose(before), compose(after)) else { return false };
    let (Some(case_before), Some(case_after)) = (case_node(&before, case), case_node(&after, case)) else {
        return false;
    };
    let (case_before, case_after) = (case_before.id, case_after.id);
    same(&before, &after, &|before, after, key| {
        before.id == case_before && after.id == case_after && WRITTEN.contains(&key)
    })
}

/// The lines that two versions of a file differ in.
pub(super) fn changed_lines(before: &str, after: &str) -> String {
    let difference = TextDiff::from_lines(before, after);
    let changes = difference.iter_all_changes().filter_map(|change| {
        let sign = match change.tag() {
            ChangeTag::Equal => return None,
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
        };
        Some(format!("{sign} {}\n", change.value().trim_end_matches(['\r', '\n'])))
    });
    changes.collect()
}

/// Whether two nodes say the same, but for the entries of maps that `apart` names. What `<<` or an alias brings counts as
/// if it stood there.
fn same(a: &Node, b: &Node, apart: &dyn Fn(&Node, &Node, &str) -> bool) -> bool {
    match (&a.content, &b.content) {
        (Content::Scalar { text, meaning }, Content::Scalar { text: other_text, meaning: other_meaning }) => {
            text == other_text && meaning == other_meaning
        }
        (Content::List(list), Content::List(other)) => {
            list.len() == other.len() && list.iter().zip(other).all(|(a, b)| same(a, b, apart))
        }
        (Content::Map(entries), Content::Map(others)) => {
            let left = |entries: &[(viewfold_spec::yaml::node::Key, Node)]| -> Vec<usize> {
                (0..entries.len()).filter(|at| !apart(a, b, &entries[*at].0.text)).collect()
            };
            let (mine, theirs) = (left(entries), left(others));
            mine.len() == theirs.len()
                && mine.iter().zip(&theirs).all(|(mine, theirs)| {
                    let ((key, value), (other_key, other)) = (&entries[*mine], &others[*theirs]);
                    key.text == other_key.text && same(value, other, apart)
                })
        }
        _ => false,
    }
}

fn entry<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let Content::Map(entries) = &node.content else { return None };
    entries.iter().find(|(key, _)| key.text == name).map(|(_, value)| value)
}

fn case_node(root: &Node, case: usize) -> Option<&Node> {
    match &entry(root, "cases")?.content {
        Content::List(cases) => cases.get(case),
        _ => None,
    }
}

fn updated(source: &Arc<Source>, case: &Node, found: &Found, grain: Grain) -> Result<String, Unwritable> {
    let mut edits = Edits::of(source);
    let [documents, contains, letters] = WRITTEN.map(|name| entry(case, name));
    if documents.is_none() && contains.is_none() && letters.is_none() {
        add_all(&mut edits, case, found)?;
        return edits.applied();
    }
    for (node, whole) in [(documents, true), (contains, false)] {
        let Some(Content::Map(tables)) = node.map(|node| &node.content) else { continue };
        for (name, node) in tables {
            if let Some((table, items, ignored)) = found.tables.iter().find(|(table, ..)| *table.name == *name.text) {
                let target = Target { source, table, items, ignored, whole, grain };
                target.write(&mut edits, node)?;
            }
        }
    }
    if let Some(node) = letters {
        write_letters(source, &mut edits, node, &found.letters)?;
    }
    edits.applied()
}

/// Adds `documents`, and `dead_letters` where there are some, to a case that expects nothing yet.
fn add_all(edits: &mut Edits<'_>, case: &Node, found: &Found) -> Result<(), Unwritable> {
    let mut tables = Vec::new();
    for (table, items, ignored) in &found.tables {
        let items: Vec<Item> = items.iter().map(|item| without(item, ignored)).collect();
        let items = items.iter().map(|item| tree_of(table, item)).collect::<Result<_, _>>()?;
        tables.push((key(&table.name).ok_or("the table's name cannot be written")?, Tree::List(items)));
    }
    let mut added = vec![Added::Entry("documents".to_owned(), Tree::Map(tables))];
    if !found.letters.is_empty() {
        let letters = found.letters.iter().map(|letter| Tree::of(&value_of_letter(letter)));
        let letters = letters.collect::<Option<_>>().ok_or("a dead letter cannot be written")?;
        added.push(Added::Entry("dead_letters".to_owned(), Tree::List(letters)));
    }
    let Content::Map(entries) = &case.content else { return Err("the case is no map".to_owned()) };
    edits.reshape(case, &vec![true; entries.len()], &added)
}

fn without(item: &Item, ignored: &[String]) -> Item {
    item.iter().filter(|(name, _)| !ignored.contains(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn tree_of(table: &Table, item: &Item) -> Result<Tree, Unwritable> {
    let keys: Vec<&str> = table.keys().map(|key| key.name.as_str()).collect();
    Tree::of_item(item, &keys).ok_or_else(|| format!("a test file has no way to write {}", Value::Map(item.clone())))
}

/// A table that a case speaks of, and what was found in it.
struct Target<'a> {
    source: &'a Arc<Source>,
    table: &'a Table,
    items: &'a [Item],
    ignored: &'a [String],
    /// Whether the case has the whole table.
    whole: bool,
    grain: Grain,
}

impl Target<'_> {
    fn key(&self, item: &Item) -> Vec<Option<Value>> {
        self.table.keys().map(|key| item.get(&key.name).cloned()).collect()
    }

    /// The document as the case should have it: with all attributes, or with those that it names.
    fn wanted(&self, found: &Item, named: &Item) -> Item {
        let is_wanted = |name: &String| named.contains_key(name) || (self.whole && !self.ignored.contains(name));
        found.iter().filter(|(name, _)| is_wanted(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    fn write(&self, edits: &mut Edits<'_>, node: &Node) -> Result<(), Unwritable> {
        let Content::List(list) = &node.content else { return Err("the documents are no list".to_owned()) };
        let mut keep = Vec::new();
        let mut seen = Vec::new();
        let mut pairs = Vec::new();
        for element in list {
            let Some(Value::Map(named)) = value_of(self.source, element) else {
                return Err("a document cannot be read".to_owned());
            };
            let found = self.items.iter().find(|item| self.key(item) == self.key(&named));
            if found.is_none() && !self.whole {
                let key = Value::Map(
                    self.table
                        .keys()
                        .filter_map(|key| named.get_key_value(&key.name))
                        .map(|(name, value)| (name.clone(), value.clone()))
                        .collect(),
                );
                return Err(format!("`contains` names a document that is not there: {} {key}", self.table.name));
            }
            keep.push(found.is_some());
            seen.push(self.key(&named));
            pairs.extend(found.map(|found| (element, self.wanted(found, &named), named)));
        }
        let new = self.items.iter().filter(|item| self.whole && !seen.contains(&self.key(item)));
        let new: Vec<Item> = new.map(|item| without(item, self.ignored)).collect();
        let differs =
            !new.is_empty() || keep.contains(&false) || pairs.iter().any(|(_, wanted, named)| wanted != named);
        if !differs {
            return Ok(());
        }
        if self.grain == Grain::Tables {
            let items = pairs.iter().map(|(_, wanted, _)| wanted).chain(&new);
            let items = items.map(|item| tree_of(self.table, item)).collect::<Result<_, _>>()?;
            edits.replace(node, &Tree::List(items));
            return Ok(());
        }
        for (element, wanted, _) in &pairs {
            edits.map(element, wanted, &|_| self.whole)?;
        }
        let added = new.iter().map(|item| Ok(Added::Element(tree_of(self.table, item)?)));
        let added: Vec<Added> = added.collect::<Result<_, Unwritable>>()?;
        edits.reshape(node, &keep, &added)
    }
}

fn value_of_letter((event, projection, reason): &Letter) -> Value {
    let event = event.and_then(|event| Number::parse(&event.to_string()).ok()).map(Value::Number);
    let entries = [
        ("event", event),
        ("projection", Some(Value::from(projection.as_str()))),
        ("reason", Some(Value::from(reason.as_str()))),
    ];
    Value::Map(entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

/// Brings the dead letters of a case to those that were found.
fn write_letters(source: &Arc<Source>, edits: &mut Edits<'_>, node: &Node, found: &[Letter]) -> Result<(), Unwritable> {
    let Content::List(list) = &node.content else { return Err("`dead_letters` is no list".to_owned()) };
    let mut left: Vec<Item> = Vec::new();
    for letter in found {
        if let Value::Map(item) = value_of_letter(letter) {
            left.push(item);
        }
    }
    let mut named = Vec::new();
    for element in list {
        let Some(Value::Map(item)) = value_of(source, element) else {
            return Err("a dead letter cannot be read".to_owned());
        };
        named.push(item);
    }
    let agree = |letter: &Item, named: &Item, names: &[&str]| {
        names.iter().all(|name| named.get(*name).is_none_or(|value| letter.get(*name) == Some(value)))
    };
    // Those that hold first; of the others, one of the same event is the one that was meant.
    let mut meant: Vec<Option<Item>> = vec![None; list.len()];
    for names in [&["event", "projection", "reason"][..], &["event"]] {
        for (at, named) in named.iter().enumerate() {
            if meant[at].is_some() || (names.len() == 1 && !named.contains_key("event")) {
                continue;
            }
            if let Some(found) = left.iter().position(|letter| agree(letter, named, names)) {
                meant[at] = Some(left.remove(found));
            }
        }
    }
    for ((element, meant), named) in list.iter().zip(&meant).zip(&named) {
        if let Some(meant) = meant {
            let wanted = meant.iter().filter(|(name, _)| named.contains_key(*name));
            let wanted: Item = wanted.map(|(name, value)| (name.clone(), value.clone())).collect();
            edits.map(element, &wanted, &|_| false)?;
        }
    }
    let keep: Vec<bool> = meant.iter().map(Option::is_some).collect();
    let added = left.into_iter().map(|item| {
        let tree = Tree::of(&Value::Map(item)).ok_or("a dead letter cannot be written")?;
        Ok(Added::Element(tree))
    });
    let added: Vec<Added> = added.collect::<Result<_, Unwritable>>()?;
    edits.reshape(node, &keep, &added)
}
