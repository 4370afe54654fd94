//! Projection files to a [`Program`]: names become numbers, paths become slots, and everything that can be wrong is found.
//!
//! Findings are collected, not returned one by one: a file's author sees all of them at once.

mod attributes;
mod circle;
mod derive;
mod expression;
mod facts;
mod foreign;
mod guard;
mod hints;
mod kinds;
mod lint;
mod names;
mod operand;
mod options;
mod order;
mod pattern;
mod plain;
mod reads;
mod retract;
mod rule;
mod source;
mod tables;
mod target;
mod template;
mod term;
mod views;

pub(crate) use kinds::kind_of;
pub use options::{DEAD_LETTER_TABLE, Options};

use crate::demands::Demand;
use crate::program::{Index, OnError, Program, Projection, Source, Table, Ways};
use crate::schema::Schema;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use term::{Role, Terms};
use viewfold_spec::diagnostic::Severity;
use viewfold_spec::{Code, Diagnostic, Literal, Span, Spanned, projection as spec};

/// One projection file as it was read.
#[derive(Clone, Debug)]
pub struct File {
    /// The file.
    pub source: Arc<viewfold_spec::Source>,
    /// What it says.
    pub projection: spec::Projection,
    /// The JSON Schemas that it names, by the name it uses: the text, or why it cannot be read.
    pub schemas: BTreeMap<String, Result<String, String>>,
}

impl File {
    /// An error in the file.
    fn finding(&self, code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, &self.source, span, message)
    }

    /// The names of the JSON Schema files that a projection refers to.
    pub fn schema_names(projection: &spec::Projection) -> Vec<String> {
        let sources = projection.source.iter().map(|source| &source.value);
        let sources =
            sources.chain(projection.sources.iter().flat_map(|all| all.iter().map(|(_, source)| &source.value)));
        let of_source = sources.flat_map(|source| {
            let kinesis = source.kinesis.iter().filter_map(|kinesis| kinesis.schema.as_ref());
            let sqs = source.sqs.iter().filter_map(|sqs| sqs.schema.as_ref());
            kinesis.chain(source.dynamodb.iter().filter_map(|dynamodb| dynamodb.schema.as_ref())).chain(sqs)
        });
        let of_rules = projection.rules.iter().filter_map(|rule| rule.schema.as_ref());
        let names = of_source.chain(of_rules).filter_map(|schema| match &schema.value {
            Literal::Text(name) => Some(name.clone()),
            _ => None,
        });
        names.collect()
    }
}

/// A program, and what its author should know.
#[derive(Debug)]
pub struct Compiled {
    /// The program.
    pub program: Program,
    /// Findings that do not keep it from running.
    pub warnings: Vec<Diagnostic>,
}

/// Makes a program of all projections of a deployment.
///
/// # Errors
///
/// Every finding of every file, in their order, warnings included, when one of them is an error.
pub fn compile(files: &[File], options: &Options) -> Result<Compiled, Vec<Diagnostic>> {
    let mut program = Program { streams: Vec::new(), projections: Vec::new(), dead_letters: None };
    let mut findings = Vec::new();
    let mut reads = Vec::new();
    let mut known_schemas = HashMap::new();
    for file in files {
        let mut compiler = Compiler::new(&file.source, &file.schemas, options);
        compiler.known_schemas = known_schemas;
        compiler.projection(&file.projection, &mut program);
        known_schemas = std::mem::take(&mut compiler.known_schemas);
        reads.push(std::mem::take(&mut compiler.reads));
        // What several rules share is looked at for each of them: the same finding at the same place is one.
        compiler.findings.sort_by_key(|finding| finding.span.start);
        // Where there is an error, a warning says nothing more.
        let errors: HashSet<Span> = compiler
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| finding.span)
            .collect();
        // What it says to do is what was probably meant.
        let meant: HashMap<Span, String> = compiler
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Warning && errors.contains(&finding.span))
            .filter(|finding| {
                matches!(finding.code, Code::BadExpression | Code::BadPath | Code::WrongForm | Code::YamlWord)
            })
            .filter_map(|finding| Some((finding.span, finding.help.clone()?)))
            .collect();
        for mut finding in compiler.findings {
            if let Some(help) = meant.get(&finding.span).filter(|_| finding.code == Code::BadOperand) {
                finding.help = Some(help.clone());
            }
            let is_more = finding.severity == Severity::Error || !errors.contains(&finding.span);
            if is_more && !findings.contains(&finding) {
                findings.push(finding);
            }
        }
    }
    findings.append(&mut tables::check(files));
    tables::finish(&mut program, options);
    if program.projections.len() == files.len() {
        findings.append(&mut tables::check_together(files, &reads, &program));
    }
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        Err(findings)
    } else {
        for (number, stream) in program.streams.iter_mut().enumerate() {
            stream.index = Index::of_stream(number, &program.projections);
            stream.demands = Demand::of_stream(&stream.readers, &program.projections);
        }
        Ok(Compiled { program, warnings: findings })
    }
}

/// All findings of a file whose structure has some already: with what can be said of its values, patterns, paths and expressions
/// that are wrong whatever is missing around them.
pub fn incomplete(file: &File, options: &Options, mut structure: Vec<Diagnostic>) -> Vec<Diagnostic> {
    const OF_VALUES: [Code; 13] = [
        Code::BadNumber,
        Code::BadPath,
        Code::UnknownMetadata,
        Code::BadExpression,
        Code::BadPattern,
        Code::BadCall,
        Code::BadSchema,
        Code::UnbracketedName,
        Code::UnquotedText,
        Code::YamlWord,
        Code::WrongForm,
        Code::BadOperand,
        Code::ReservedAttribute,
    ];
    let findings = match compile(std::slice::from_ref(file), options) {
        Ok(compiled) => compiled.warnings,
        Err(findings) => findings,
    };
    let apart = |finding: &Diagnostic| {
        let meets = |other: &Diagnostic| finding.span.start <= other.span.end && other.span.start <= finding.span.end;
        !structure.iter().any(meets)
    };
    let of_values = |finding: &Diagnostic| OF_VALUES.contains(&finding.code);
    let beside: Vec<Diagnostic> = findings.into_iter().filter(|finding| of_values(finding) && apart(finding)).collect();
    structure.extend(beside);
    structure.sort_by_key(|finding| finding.span.start);
    structure
}

/// The compiler of one file.
struct Compiler<'f> {
    source: &'f Arc<viewfold_spec::Source>,
    schemas: &'f BTreeMap<String, Result<String, String>>,
    options: &'f Options,
    findings: Vec<Diagnostic>,
    /// The values of `let` that some rule uses.
    used_lets: HashSet<Span>,
    /// The attributes of the document that values look at.
    document_names: Vec<(String, Span)>,
    /// What it looks for in the items of tables.
    reads: Vec<reads::Read>,
    /// Where the clock is used, and for what.
    clocks: HashMap<Span, Role>,
    /// Whether what is compiled is a value of `let` that nothing uses: what it uses is not used for that.
    is_unused: bool,
    /// The attributes that the projection writes.
    written: Vec<String>,
    /// How many operands that may never be evaluated the one that is looked at stands in.
    lazy: usize,
    /// Schemas of files by their text: many projections name the same one, and none takes longer to compile.
    known_schemas: HashMap<&'f str, Arc<Schema>>,
}

/// The value of a literal that depends on no event: values of tests, with `${…}` and all functions.
///
/// # Errors
///
/// Every finding about it.
pub fn constant(
    source: &Arc<viewfold_spec::Source>,
    literal: &Spanned<Literal>,
) -> Result<viewfold_value::Value, Vec<Diagnostic>> {
    let (schemas, options) = (BTreeMap::new(), Options::default());
    let mut compiler = Compiler::new(source, &schemas, &options);
    let mut terms = Terms::of_document(Vec::new());
    terms.document = Err("a test's value depends on nothing");
    let term = compiler.term(literal, &mut terms);
    let value = match term {
        Some(crate::program::Term::Constant(value)) => Some(value),
        Some(_) => {
            compiler.error(Code::BadExpression, literal.span, "this has no value of its own");
            None
        }
        None => None,
    };
    value.ok_or(compiler.findings)
}

impl<'f> Compiler<'f> {
    fn new(
        source: &'f Arc<viewfold_spec::Source>,
        schemas: &'f BTreeMap<String, Result<String, String>>,
        options: &'f Options,
    ) -> Compiler<'f> {
        Compiler {
            source,
            schemas,
            options,
            findings: Vec::new(),
            used_lets: HashSet::new(),
            document_names: Vec::new(),
            reads: Vec::new(),
            clocks: HashMap::new(),
            is_unused: false,
            written: Vec::new(),
            lazy: 0,
            known_schemas: HashMap::new(),
        }
    }
}

impl Compiler<'_> {
    /// Notes an error, for the caller to add to.
    fn error(&mut self, code: Code, span: Span, message: impl Into<String>) -> &mut Diagnostic {
        let at = self.findings.len();
        self.findings.push(Diagnostic::error(code, self.source, span, message));
        &mut self.findings[at]
    }

    /// Notes a warning, for the caller to add to.
    fn warning(&mut self, code: Code, span: Span, message: impl Into<String>) -> &mut Diagnostic {
        let finding = self.error(code, span, message);
        finding.severity = Severity::Warning;
        finding
    }

    fn projection(&mut self, spec: &spec::Projection, program: &mut Program) {
        let name = &spec.projection;
        if name.is_empty() || name.len() > 100 || !name.bytes().all(is_name_byte) {
            let message = format!("`{}` cannot be the name of a projection", name.value);
            self.error(Code::WrongForm, name.span, message).help =
                Some("1 to 100 letters, digits, `_`, `-` and `.`: the name is part of marks and metrics".into());
        }
        self.written = attributes::places(spec).into_iter().map(|(name, _)| name).collect();
        let table = self.table(&spec.document);
        self.check_ttl_name(spec);
        self.check_let_names(spec);
        let Some(sources) = self.sources(spec, program) else { return };
        let rules = self.rules(spec, &sources, &table, program);
        let (derive, delete_when) = self.derived(spec, &table);
        self.unused_lets(spec, &sources, program);
        let on_error = match spec.on_error.as_ref().map(|word| word.value).unwrap_or_default() {
            spec::OnError::DeadLetter => OnError::DeadLetter,
            spec::OnError::Skip => OnError::Skip,
            spec::OnError::Fail => OnError::Fail,
        };
        if on_error == OnError::DeadLetter && self.options.dead_letter_table.is_empty() {
            let message = "the deployment has no table of dead letters, and this projection may need it";
            let span = spec.on_error.as_ref().map_or(name.span, |word| word.span);
            self.error(Code::MissingTable, span, message).help = Some(
                "set VIEWFOLD_DEAD_LETTER_TABLE to a table's name, or say `on_error: skip` or `on_error: fail`".into(),
            );
        }
        let ways = Ways::named(&name.value, &table.partition_key.name);
        let mut projection = Projection {
            name: name.value.clone(),
            version: spec.version(),
            hash: hash(&self.source.text),
            sources,
            table,
            shared: spec.document.shared.unwrap_or(false),
            on_error,
            rules,
            derive,
            delete_when,
            attributes: Vec::new(),
            index_keys: Vec::new(),
            ttl: spec.document.ttl.as_ref().map(|name| name.value.clone()),
            ways,
        };
        projection.attributes = attributes::written(&projection);
        // Checks between rules rest on all of them being sound.
        if projection.rules.len() == spec.rules.len() && !projection.rules.iter().any(|rule| rule.key.is_empty()) {
            self.check_retract(spec, &projection);
            self.check_guards(spec, &projection);
            self.check_order(spec, &projection);
            self.check_attributes(spec, &projection);
            self.check_bookkeeping(spec, &projection);
            self.lint(spec, &projection, program);
        }
        self.check_document_names(&projection);
        self.check_lets(spec);
        self.allow(spec);
        projection.delete_when =
            projection.delete_when.take().map(|condition| derive::sums_from_zero(condition, &projection));
        projection.ways = Ways::of(&projection);
        let number = program.projections.len();
        for (source, compiled) in projection.sources.iter().enumerate() {
            let stream = &mut program.streams[compiled.stream];
            if compiled.retracts {
                stream.attentive.push(stream.readers.len());
            }
            stream.readers.push((number, source));
        }
        program.projections.push(projection);
    }

    fn table(&mut self, document: &spec::Document) -> Table {
        let table = &document.table;
        self.table_name(&table.value, table.span);
        self.check_key_names(document);
        if let Some(sort) = &document.sort_key
            && sort.name == document.partition_key.name
        {
            let message = format!("`{}` is the partition key already", sort.name);
            self.error(Code::KeyMismatch, sort.span, message);
        }
        for (name, _) in document.indexes.iter().flatten() {
            self.table_name_of("index", &name.value, name.span);
        }
        Table {
            name: self.prefixed(&table.value),
            partition_key: names::meant(&document.partition_key),
            sort_key: document.sort_key.as_ref().map(|key| names::meant(key)),
            indexes: tables::indexes(document),
            ttl: document.ttl.as_ref().map(|name| name.value.clone()),
        }
    }

    fn check_let_names(&mut self, spec: &spec::Projection) {
        let rules = spec.rules.iter().flat_map(|rule| &rule.r#let);
        for entries in spec.r#let.iter().chain(rules) {
            for (name, _) in entries {
                self.check_name(name);
            }
        }
    }

    /// Values of `let` that no rule uses are looked at all the same, with the first source's events.
    fn unused_lets(&mut self, spec: &spec::Projection, sources: &[Source], program: &mut Program) {
        let Some(source) = sources.first() else { return };
        let stream = &mut program.streams[source.stream];
        let (identity, payload) = (stream.identity.clone(), stream.payload);
        self.is_unused = true;
        for (_, literal) in spec.r#let.iter().flatten() {
            if self.used_lets.contains(&literal.span) {
                continue;
            }
            let mut terms = Terms::of_event(&mut stream.paths, &identity, payload);
            terms.lets = spec.r#let.iter().collect();
            terms.document = Ok(());
            if let Some(event) = &mut terms.event {
                event.image = source.retracts;
            }
            self.term(literal, &mut terms);
        }
        self.is_unused = false;
    }

    fn table_name(&mut self, name: &str, span: Span) {
        self.table_name_of("table", name, span);
    }

    /// Tables and indexes have names of one form.
    fn table_name_of(&mut self, what: &str, name: &str, span: Span) {
        if !(3..=255).contains(&name.len()) || !name.bytes().all(is_name_byte) {
            let help = match name.split_once("table/").filter(|_| name.starts_with("arn:")) {
                Some((_, table)) => {
                    format!("the name alone, without its ARN: `{}`", table.split('/').next().unwrap_or(table))
                }
                None => "3 to 255 letters, digits, `_`, `-` and `.`".to_owned(),
            };
            self.error(Code::WrongForm, span, format!("`{name}` cannot be the name of a DynamoDB {what}")).help =
                Some(help);
        }
    }

    fn prefixed(&self, table: &str) -> Arc<str> {
        Arc::from(format!("{}{table}", self.options.table_prefix))
    }

    /// The value of a literal without anything that depends on an event: JSON Schemas, values of tests.
    fn plain(literal: &Spanned<Literal>) -> viewfold_value::Value {
        use viewfold_value::Value;
        match &literal.value {
            Literal::Null => Value::Null,
            Literal::Bool(value) => Value::Bool(*value),
            Literal::Number(number) => Value::Number(*number),
            Literal::Text(text) => Value::String(text.clone()),
            Literal::List(list) => Value::List(list.iter().map(Self::plain).collect()),
            Literal::Map(entries) => {
                Value::Map(entries.iter().map(|(name, value)| (name.value.clone(), Self::plain(value))).collect())
            }
        }
    }
}

/// The first 16 hexadecimal digits of a text's SHA-256.
fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes())[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}
