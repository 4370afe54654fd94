//! What projections that are loaded together say about names and tables.

use super::File;
use crate::program::{Program, TableIndex};
use std::collections::BTreeMap;
use std::sync::Arc;
use viewfold_spec::projection::{Document, Guard, Index, KeyAttribute};
use viewfold_spec::{Code, Diagnostic, Span};

/// The indexes of a document's table.
pub(super) fn indexes(document: &Document) -> Vec<TableIndex> {
    let index = |name: &str, index: &Index| TableIndex {
        name: name.to_owned(),
        partition_key: index.partition_key.value.0.clone(),
        sort_key: index.sort_key.as_ref().map(|key| key.value.0.clone()),
    };
    document.indexes.iter().flatten().map(|(name, spec)| index(&name.value, spec)).collect()
}

/// Checks the files against each other: names, keys of shared tables, attributes and marks on shared items.
pub(super) fn check(files: &[File]) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (number, file) in files.iter().enumerate() {
        for other in &files[..number] {
            names(file, other, &mut findings);
            if file.projection.document.table.value == other.projection.document.table.value {
                shared_table(file, other, &mut findings);
            }
        }
    }
    for (number, file) in files.iter().enumerate() {
        index_keys(file, &files[..number], &mut findings);
        events_table(file, files, &mut findings);
    }
    findings
}

/// Tells every projection of all indexes of its table, whichever projection names them: their keys limit its values.
pub(super) fn share_indexes(program: &mut Program) {
    for number in 0..program.projections.len() {
        let name = Arc::clone(&program.projections[number].table.name);
        let same_table = program.projections.iter().filter(|other| other.table.name == name);
        let mut indexes: Vec<TableIndex> = Vec::new();
        for index in same_table.flat_map(|other| &other.table.indexes) {
            if !indexes.contains(index) {
                indexes.push(index.clone());
            }
        }
        let projection = &mut program.projections[number];
        projection.table.indexes = indexes;
        for attribute in &mut projection.attributes {
            attribute.index_key = projection.table.index_key(&attribute.name);
        }
    }
}

fn finding(file: &File, code: Code, span: Span, message: String) -> Diagnostic {
    Diagnostic::error(code, &Arc::clone(&file.source), span, message)
}

fn names(file: &File, other: &File, findings: &mut Vec<Diagnostic>) {
    let name = &file.projection.projection;
    if name.value == other.projection.projection.value {
        let message = format!("another projection is called `{}` too: {}", name.value, other.source.name);
        findings.push(
            finding(file, Code::DuplicateProjection, name.span, message)
                .help("the name is part of marks, so projections that run together have different ones"),
        );
    }
}

/// Two projections that write to the same items: the same key, different attributes, different marks.
fn shared_table(file: &File, other: &File, findings: &mut Vec<Diagnostic>) {
    let (here, there) = (&file.projection.document, &other.projection.document);
    let key = |document: &Document| -> Vec<KeyAttribute> {
        std::iter::once(&document.partition_key).chain(&document.sort_key).map(|key| key.value.0.clone()).collect()
    };
    let table = &here.table;
    if key(here) != key(there) {
        let message = format!("{} says that `{}` has another key", other.source.name, table.value);
        findings.push(finding(file, Code::TableMismatch, here.partition_key.span, message));
    }
    for (name, index) in here.indexes.iter().flatten() {
        let key =
            |index: &Index| (index.partition_key.value.clone(), index.sort_key.as_ref().map(|key| key.value.clone()));
        let same_name = there.indexes.iter().flatten().find(|(other, _)| other.value == name.value);
        if same_name.is_some_and(|(_, other)| key(index) != key(other)) {
            let message = format!("{} says that the index `{}` has another key", other.source.name, name.value);
            findings.push(finding(file, Code::TableMismatch, name.span, message));
        }
    }
    if let (Some(mark), Some(taken)) = (mark_attribute(file), mark_attribute(other))
        && mark == taken
    {
        let message = format!(
            "`{}` keeps its mark in `{mark}` of the same items: two projections never share a mark",
            other.projection.projection.value
        );
        findings.push(
            finding(file, Code::SharedAttribute, file.projection.guard.span, message)
                .help("give one of them another `attribute`"),
        );
    }
    let taken = written(other);
    for (attribute, span) in written(file) {
        let by = &other.projection.projection.value;
        if taken.contains_key(&attribute) {
            let message = format!("`{by}` writes `{attribute}` of the same items too");
            findings.push(
                finding(file, Code::SharedAttribute, span, message)
                    .help("projections that share a table write different attributes; make it one projection"),
            );
        } else if mark_attribute(other).as_deref() == Some(&attribute) {
            let message = format!("`{by}` keeps its mark in `{attribute}` of the same items");
            findings.push(finding(file, Code::SharedAttribute, span, message).help("choose another attribute"));
        }
    }
    if let Some(mark) = mark_attribute(file)
        && taken.contains_key(&mark)
    {
        let message = format!("`{}` writes `{mark}` of the same items", other.projection.projection.value);
        findings.push(
            finding(file, Code::SharedAttribute, file.projection.guard.span, message)
                .help("give the mark another `attribute`"),
        );
    }
}

/// The attribute that holds a projection's mark.
fn mark_attribute(file: &File) -> Option<String> {
    match &file.projection.guard.value {
        Guard::LastEventId(guard) => Some(match &guard.attribute {
            Some(name) => name.value.clone(),
            None => super::guard::default_mark_attribute(&file.projection.projection.value),
        }),
        Guard::None | Guard::EventsTable(_) => None,
    }
}

/// The attributes that a projection writes, each with a place.
fn written(file: &File) -> BTreeMap<String, Span> {
    let mut attributes = BTreeMap::new();
    for rule in file.projection.rules.iter() {
        let maps = [&rule.add, &rule.set, &rule.set_once].into_iter().flatten().flatten().map(|(name, _)| name);
        for name in maps.chain(rule.remove.iter().flatten()) {
            attributes.entry(name.value.clone()).or_insert(name.span);
        }
    }
    attributes
}

/// A key attribute has one type, whichever index or projection names it.
fn index_keys(file: &File, others: &[File], findings: &mut Vec<Diagnostic>) {
    let table = &file.projection.document.table.value;
    let same_table = others.iter().filter(|other| other.projection.document.table.value == *table);
    let mut types: BTreeMap<&str, &KeyAttribute> = BTreeMap::new();
    for other in same_table {
        for (key, _) in keys(&other.projection.document) {
            types.insert(&key.name, key);
        }
    }
    for (key, span) in keys(&file.projection.document) {
        let known = *types.entry(&key.name).or_insert(key);
        if known.kind != key.kind {
            let message = format!("`{}` is a key of `{table}` with another type elsewhere", key.name);
            findings.push(finding(file, Code::TableMismatch, span, message));
        }
    }
}

fn keys(document: &Document) -> Vec<(&KeyAttribute, Span)> {
    let indexes = document.indexes.iter().flatten().map(|(_, index)| (&index.partition_key, &index.sort_key));
    std::iter::once((&document.partition_key, &document.sort_key))
        .chain(indexes)
        .flat_map(|(partition, sort)| std::iter::once(partition).chain(sort))
        .map(|key| (&key.value.0, key.span))
        .collect()
}

/// An events table holds ids and nothing else.
fn events_table(file: &File, files: &[File], findings: &mut Vec<Diagnostic>) {
    let Guard::EventsTable(guard) = &file.projection.guard.value else { return };
    for other in files {
        if other.projection.document.table.value == guard.table.value {
            let message = format!(
                "`{}` is the table of `{}`'s documents and cannot hold event ids too",
                guard.table.value, other.projection.projection.value
            );
            findings.push(finding(file, Code::TableMismatch, guard.table.span, message));
        }
    }
}
