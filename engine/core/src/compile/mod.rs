//! Projection files to a [`Program`]: names become numbers, paths become slots, and everything that can be wrong is found.
//!
//! Findings are collected, not returned one by one: a file's author sees all of them at once.

mod guard;
mod path;
mod rule;
mod tables;
mod term;

pub use path::{PathError, parse as parse_path};

use crate::program::{
    Attribute, Index, LaneCheck, PathTree, Program, Projection, Reader, Stream, StreamIdentity, Table,
};
use std::sync::Arc;
use term::Terms;
use viewfold_spec::projection::{KinesisSource, OrName};
use viewfold_spec::{Code, Diagnostic, Source, Span, Spanned, projection as spec};

/// What a deployment adds to its files.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Put before every table name, those of sources included (`VIEWFOLD_TABLE_PREFIX`).
    pub table_prefix: String,
}

/// One projection file as it was read.
#[derive(Clone, Debug)]
pub struct File {
    /// The file.
    pub source: Arc<Source>,
    /// What it says.
    pub projection: spec::Projection,
}

/// Makes a program of all projections of a deployment.
///
/// # Errors
///
/// Every finding of every file, in their order.
pub fn compile(files: &[File], options: &Options) -> Result<Program, Vec<Diagnostic>> {
    let mut program = Program { streams: Vec::new(), projections: Vec::new() };
    let mut findings = Vec::new();
    for file in files {
        let mut compiler = Compiler { file, options, findings: Vec::new() };
        compiler.projection(&mut program);
        findings.append(&mut compiler.findings);
    }
    findings.append(&mut tables::check(files));
    tables::share_indexes(&mut program);
    if findings.is_empty() { Ok(program) } else { Err(findings) }
}

/// The compiler of one file.
struct Compiler<'f> {
    file: &'f File,
    options: &'f Options,
    findings: Vec<Diagnostic>,
}

impl Compiler<'_> {
    /// Notes an error, for the caller to add to.
    fn error(&mut self, code: Code, span: Span, message: impl Into<String>) -> &mut Diagnostic {
        let at = self.findings.len();
        self.findings.push(Diagnostic::error(code, &self.file.source, span, message));
        &mut self.findings[at]
    }

    fn projection(&mut self, program: &mut Program) {
        let spec = &self.file.projection;
        let name = &spec.projection;
        if name.is_empty() || name.len() > 100 || !name.bytes().all(is_name_byte) {
            let message = format!("`{}` cannot be the name of a projection", name.value);
            self.error(Code::WrongForm, name.span, message).help =
                Some("1 to 100 letters, digits, `_`, `-` and `.`: the name is part of marks and metrics".into());
        }
        let table = self.table(&spec.document);
        let Some((identity, source)) = self.source(&spec.source) else { return };
        let number = match program.stream(&identity) {
            Some(number) => number,
            None => {
                program.streams.push(Stream {
                    identity: identity.clone(),
                    paths: PathTree::default(),
                    index: Index::default(),
                    readers: Vec::new(),
                });
                program.streams.len() - 1
            }
        };
        let stream = &mut program.streams[number];
        let mut terms = Terms { paths: &mut stream.paths, identity: &identity };
        let lane = self.lane(&spec.source, &mut terms);
        let guard = self.guard(&spec.guard, &name.value, &mut terms);
        let mut attributes = Vec::new();
        let rules = self.rules(spec, &table, &mut attributes, &mut terms);
        self.check_guard(spec, guard.as_ref(), lane.as_ref(), &table, &rules, &attributes);
        let Some(guard) = guard else { return };
        let projection = program.projections.len();
        for (rule, compiled) in rules.iter().enumerate() {
            stream.index.insert((projection, rule), compiled);
        }
        stream.readers.push(Reader { projection, lane });
        let attributes = attributes.into_iter().map(|name| Attribute { name, index_key: None }).collect();
        program.projections.push(Projection {
            name: name.value.clone(),
            source,
            table,
            guard,
            attributes,
            error_stops_lane: spec.on_error == Some(spec::OnError::Fail),
            rules,
        });
    }

    fn table(&mut self, document: &spec::Document) -> Table {
        let table = &document.table;
        self.table_name(&table.value, table.span);
        if let Some(sort) = &document.sort_key
            && sort.name == document.partition_key.name
        {
            let message = format!("`{}` is the partition key already", sort.name);
            self.error(Code::KeyMismatch, sort.span, message);
        }
        Table {
            name: self.prefixed(&table.value),
            partition_key: document.partition_key.value.0.clone(),
            sort_key: document.sort_key.as_ref().map(|key| key.value.0.clone()),
            indexes: tables::indexes(document),
        }
    }

    /// The stream, and the source's name in bookkeeping tables.
    fn source(&mut self, source: &Spanned<spec::Source>) -> Option<(StreamIdentity, String)> {
        match (&source.kinesis, &source.dynamodb) {
            (Some(kinesis), None) => {
                let name = &kinesis.stream;
                if name.is_empty() || name.len() > 128 || !name.bytes().all(is_name_byte) {
                    let message = format!("`{name}` cannot be the name of a Kinesis stream");
                    self.error(Code::WrongForm, kinesis.span, message).help =
                        Some("1 to 128 letters, digits, `_`, `-` and `.`".into());
                }
                Some((StreamIdentity::Kinesis(name.clone()), name.clone()))
            }
            (None, Some(dynamodb)) => {
                self.table_name(&dynamodb.table, dynamodb.span);
                let table = self.prefixed(&dynamodb.table).to_string();
                Some((StreamIdentity::Dynamodb(table), dynamodb.table.clone()))
            }
            (None, None) => {
                self.error(Code::MissingKey, source.span, "a source is `kinesis` or `dynamodb`; there is none here");
                None
            }
            (Some(_), Some(_)) => {
                self.error(Code::WrongForm, source.span, "a source is one stream: `kinesis` or `dynamodb`, not both");
                None
            }
        }
    }

    fn lane(&mut self, source: &Spanned<spec::Source>, terms: &mut Terms<'_>) -> Option<LaneCheck> {
        if let Some(Spanned { value: OrName(KinesisSource { lane: Some(lane), .. }), .. }) = &source.kinesis {
            let term = self.path_term(lane, "`lane`", terms)?;
            return Some(LaneCheck::PartitionKey(term));
        }
        let keys = source.dynamodb.as_ref()?.keys.as_ref()?;
        if keys.is_empty() || keys.len() > 2 {
            let message = format!("a table has one or two key attributes, not {}", keys.len());
            self.error(Code::KeyMismatch, keys.span, message);
        }
        Some(LaneCheck::Keys(keys.iter().map(|key| key.value.0.clone()).collect()))
    }

    fn table_name(&mut self, name: &str, span: Span) {
        if !(3..=255).contains(&name.len()) || !name.bytes().all(is_name_byte) {
            self.error(Code::WrongForm, span, format!("`{name}` cannot be the name of a DynamoDB table")).help =
                Some("3 to 255 letters, digits, `_`, `-` and `.`".into());
        }
    }

    fn prefixed(&self, table: &str) -> Arc<str> {
        Arc::from(format!("{}{table}", self.options.table_prefix))
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}
