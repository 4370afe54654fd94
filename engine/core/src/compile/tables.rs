//! What projections that are loaded together say about names and tables.

use super::reads::Read;
use super::{File, Options, attributes, views};
use crate::program::{OnError, Payload, Program, StreamIdentity, TableIndex};
use std::collections::BTreeMap;
use std::sync::Arc;
use viewfold_spec::projection::{Document, Guard, Index, KeyAttribute, MarkPlace};
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
    }
    findings
}

/// Finishes a program with what its projections have to know of each other: the indexes of a table, whichever names
/// them (their keys limit its values), whether a table is shared, and what on a source's table is no part of a document.
pub(super) fn finish(program: &mut Program, options: &Options) {
    for number in 0..program.projections.len() {
        let name = Arc::clone(&program.projections[number].table.name);
        let same_table = || program.projections.iter().filter(|other| other.table.name == name);
        let mut indexes: Vec<TableIndex> = Vec::new();
        for index in same_table().flat_map(|other| &other.table.indexes) {
            if !indexes.contains(index) {
                indexes.push(index.clone());
            }
        }
        let shared = same_table().count() > 1;
        let ttl = same_table().find_map(|other| other.table.ttl.clone());
        let projection = &mut program.projections[number];
        projection.table.indexes = indexes;
        projection.table.ttl = ttl;
        projection.shared |= shared;
        let limits = projection
            .attributes
            .iter()
            .filter_map(|name| projection.table.index_key(name).map(|limits| (name.clone(), limits)));
        projection.index_keys = limits.collect();
    }
    for number in 0..program.streams.len() {
        let stream = &program.streams[number];
        let names = match (&stream.identity, stream.payload) {
            (StreamIdentity::Dynamodb(table), _) => program.bookkeeping(table),
            // Such a stream may bring the changes of any table.
            (StreamIdentity::Kinesis(_), Payload::Change) => {
                program.projections.iter().flat_map(|projection| program.bookkeeping(&projection.table.name)).collect()
            }
            (StreamIdentity::Kinesis(_) | StreamIdentity::Sqs(_), _) => continue,
        };
        let names = names.into_iter().map(str::to_owned).collect();
        program.streams[number].bookkeeping = names;
    }
    let wanted = program.projections.iter().any(|projection| projection.on_error == OnError::DeadLetter);
    let table = format!("{}{}", options.table_prefix, options.dead_letter_table);
    program.dead_letters = (wanted && !options.dead_letter_table.is_empty()).then(|| Arc::from(table));
}

/// Checks what the projections of a deployment are to each other: views in a circle, keys and
/// attributes of views that others read, and names of what is kept on shared items.
pub(super) fn check_together(files: &[File], reads: &[Vec<Read>], program: &Program) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let projection = &program.projections[number];
        let kept =
            program.projections.iter().flat_map(|other| &other.sources).filter_map(|source| source.guard.table());
        if kept.chain(program.dead_letters.as_ref()).any(|table| *table == projection.table.name) {
            let message =
                format!("`{}` holds marks, events or dead letters, and can be no view too", projection.table.name);
            findings.push(file.finding(Code::TableMismatch, file.projection.document.table.span, message));
        }
        findings.extend(super::circle::check(file, projection, program));
        view_keys(file, files, &mut findings);
        findings.extend(views::check(file, &reads[number], files, program));
        let own = projection.bookkeeping_attributes();
        let marks = mark_attributes(file);
        for other in program.projections[..number].iter().filter(|other| other.table.name == projection.table.name) {
            let theirs = other.bookkeeping_attributes();
            let shared =
                own.iter().find(|(name, what)| *what != "the TTL" && theirs.iter().any(|(other, _)| other == name));
            // Two equal marks have a finding of their own.
            if let Some((name, what)) = shared.filter(|(name, what)| {
                !(marks.contains(name)
                    && *what == "a source's mark"
                    && theirs.contains(&(name.clone(), "a source's mark")))
            }) {
                let message = format!(
                    "{what} of this projection and what `{}` keeps on the same items would both be in the attribute `{name}`",
                    other.name
                );
                findings.push(
                    file.finding(Code::SharedAttribute, file.projection.projection.span, message)
                        .help("choose another name for one of the projections"),
                );
            }
        }
    }
    findings
}

/// Where a projection reads the table of another one, its `keys` are that table's.
fn view_keys(file: &File, files: &[File], findings: &mut Vec<Diagnostic>) {
    let spec = &file.projection;
    let sources =
        spec.source.iter().chain(spec.sources.iter().flat_map(|sources| sources.iter().map(|(_, source)| source)));
    for source in sources.filter_map(|source| source.dynamodb.as_ref()) {
        let Some(keys) = &source.value.0.keys else { continue };
        let named: Vec<&KeyAttribute> = keys.iter().map(|key| &key.value.0).collect();
        for other in files.iter().filter(|other| other.projection.document.table.value == source.value.0.table) {
            let document = &other.projection.document;
            let theirs: Vec<&KeyAttribute> =
                std::iter::once(&document.partition_key).chain(&document.sort_key).map(|key| &key.value.0).collect();
            let same = named.len() == theirs.len() && theirs.iter().all(|key| named.contains(key));
            if !same {
                let names: Vec<&str> = theirs.iter().map(|key| key.name.as_str()).collect();
                let message = format!("the key of `{}` is another in {}", document.table.value, other.source.name);
                let help = format!("it is {}, with the types that it has there", viewfold_spec::suggest::list(names));
                findings.push(file.finding(Code::TableMismatch, keys.span, message).help(help));
            }
        }
    }
}

fn names(file: &File, other: &File, findings: &mut Vec<Diagnostic>) {
    let name = &file.projection.projection;
    if name.value == other.projection.projection.value {
        let message = format!("another projection is called `{}` too: {}", name.value, other.source.name);
        findings.push(
            file.finding(Code::DuplicateProjection, name.span, message)
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
        findings.push(file.finding(Code::TableMismatch, here.partition_key.span, message));
    }
    for (name, index) in here.indexes.iter().flatten() {
        let key =
            |index: &Index| (index.partition_key.value.clone(), index.sort_key.as_ref().map(|key| key.value.clone()));
        let same_name = there.indexes.iter().flatten().find(|(other, _)| other.value == name.value);
        if same_name.is_some_and(|(_, other)| key(index) != key(other)) {
            let message = format!("{} says that the index `{}` has another key", other.source.name, name.value);
            findings.push(file.finding(Code::TableMismatch, name.span, message));
        }
    }
    let (marks, their_marks) = (mark_attributes(file), mark_attributes(other));
    let by = &other.projection.projection.value;
    for mark in marks.iter().filter(|mark| their_marks.contains(mark)) {
        let message =
            format!("`{by}` keeps its mark in `{mark}` of the same items: two projections never share a mark");
        findings.push(
            file.finding(Code::SharedAttribute, file.projection.guard.span, message)
                .help("give one of them another `attribute`"),
        );
    }
    let taken = attributes::places(&other.projection);
    for (attribute, span) in attributes::places(&file.projection) {
        if taken.iter().any(|(name, _)| *name == attribute) {
            let message = format!("`{by}` writes `{attribute}` of the same items too");
            findings.push(
                file.finding(Code::SharedAttribute, span, message)
                    .help("projections that share a table write different attributes; make it one projection"),
            );
        } else if their_marks.contains(&attribute) {
            let message = format!("`{by}` keeps its mark in `{attribute}` of the same items");
            findings.push(file.finding(Code::SharedAttribute, span, message).help("choose another attribute"));
        }
    }
    for mark in marks.iter().filter(|mark| taken.iter().any(|(name, _)| name == *mark)) {
        let message = format!("`{by}` writes `{mark}` of the same items");
        findings.push(
            file.finding(Code::SharedAttribute, file.projection.guard.span, message)
                .help("give the mark another `attribute`"),
        );
    }
    if let (Some(ttl), Some(theirs)) = (&here.ttl, &there.ttl)
        && ttl.value != theirs.value
    {
        let message = format!("{} says that the TTL of `{}` is `{}`", other.source.name, table.value, theirs.value);
        findings.push(file.finding(Code::TableMismatch, ttl.span, message));
    }
}

/// Every guard of a projection, with its place and the name of the source it is for.
fn guards(file: &File) -> Vec<(&Guard, Span, Option<&str>)> {
    let spec = &file.projection;
    match &spec.sources {
        None => {
            let own = spec.source.as_ref().and_then(|source| source.guard.as_ref()).unwrap_or(&spec.guard);
            vec![(&own.value, own.span, None)]
        }
        Some(sources) => {
            let all = sources.iter().map(|(name, source)| {
                let own = source.guard.as_ref().unwrap_or(&spec.guard);
                (&own.value, own.span, Some(name.value.as_str()))
            });
            all.collect()
        }
    }
}

/// The attributes that hold a projection's marks.
fn mark_attributes(file: &File) -> Vec<String> {
    let marks = guards(file).into_iter().filter_map(|(guard, _, source)| match guard {
        Guard::LastEventId(guard) if guard.place == MarkPlace::Document => Some(match &guard.attribute {
            Some(name) => name.value.clone(),
            None => super::guard::default_mark_attribute(&file.projection.projection.value, source),
        }),
        _ => None,
    });
    marks.collect()
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
            findings.push(file.finding(Code::TableMismatch, span, message));
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
