//! `source:`, `sources:`: the streams, their lanes and schemas.

use super::term::Terms;
use super::{Compiler, is_name_byte};
use crate::program::{
    DocumentPath, Guard, Index, LaneCheck, PathTree, Payload, Program, SchemaCheck, Source, Step, Stream,
    StreamIdentity,
};
use crate::schema::Schema;
use std::sync::Arc;
use viewfold_spec::{Code, Literal, Span, Spanned, projection as spec};

impl Compiler<'_> {
    /// The sources of a projection; nothing after an error that leaves nothing to go on with.
    pub(super) fn sources(&mut self, spec: &spec::Projection, program: &mut Program) -> Option<Vec<Source>> {
        let named: Vec<(Option<&Spanned<String>>, &Spanned<spec::Source>)> = match (&spec.source, &spec.sources) {
            (Some(source), None) => vec![(None, source)],
            (None, Some(sources)) => sources.iter().map(|(name, source)| (Some(name), source)).collect(),
            (Some(_), Some(sources)) => {
                self.error(Code::WrongForm, sources.span, "a projection has `source` or `sources`, not both");
                return None;
            }
            (None, None) => {
                let message = "the projection has no `source`";
                self.error(Code::MissingKey, spec.projection.span, message).help =
                    Some("for example `source: { kinesis: { stream: orders, lane: $.id } }`".into());
                return None;
            }
        };
        if named.is_empty() {
            let span = spec.sources.as_ref().map_or(spec.projection.span, |sources| sources.span);
            self.error(Code::MissingKey, span, "there is no source here");
            return None;
        }
        let mut sources: Vec<Source> = Vec::new();
        for (name, source) in named {
            let (identity, bookkeeping) = self.identity(source)?;
            let payload = payload(source);
            let stream = stream_number(program, &identity, payload);
            if program.streams[stream].payload != payload {
                let span = format_span(source);
                let message = format!("another projection reads the {identity} with another `format`");
                self.error(Code::TableMismatch, span, message).help =
                    Some("the records of a stream are decoded once, in one way".into());
                return None;
            }
            if sources.iter().any(|other| other.stream == stream) {
                self.error(
                    Code::WrongForm,
                    source.span,
                    format!("another source of this projection is the {identity} too"),
                );
                continue;
            }
            let mut terms = Terms::of_event(&mut program.streams[stream].paths, &identity, payload);
            let lane = self.lane(source, payload, &mut terms);
            let suffix = name.map(|name| name.value.as_str());
            let retracts = spec.rules.iter().any(|rule| {
                let is_ours = rule.source.as_ref().map(|source| source.value.as_str()) == suffix;
                is_ours && rule.retract.as_ref().is_some_and(|retract| retract.value)
            });
            let schema = self.source_schema(source, payload, retracts, &mut terms);
            let guard =
                self.guard(source.guard.as_ref().unwrap_or(&spec.guard), &spec.projection.value, suffix, &mut terms)?;
            self.check_stream(
                &guard,
                source,
                source.guard.as_ref().unwrap_or(&spec.guard).span,
                &program.streams[stream],
            );
            let name = name.map(|name| name.value.clone());
            let keeps_order = program.streams[stream].keeps_order();
            let has_lanes = identity.has_lanes();
            let mark = match &guard {
                Guard::Document { attribute, .. } => Some(DocumentPath::attribute(attribute)),
                Guard::None | Guard::Lane { .. } | Guard::EventsTable { .. } => None,
            };
            sources.push(Source {
                name,
                bookkeeping,
                stream,
                guard,
                mark,
                lane,
                schema,
                keeps_order,
                has_lanes,
                retracts,
            });
        }
        Some(sources)
    }

    /// The stream, and the source's name in bookkeeping tables.
    fn identity(&mut self, source: &Spanned<spec::Source>) -> Option<(StreamIdentity, String)> {
        match (&source.kinesis, &source.dynamodb, &source.sqs) {
            (Some(kinesis), None, None) => {
                let name = &kinesis.stream;
                if name.is_empty() || name.len() > 128 || !name.bytes().all(is_name_byte) {
                    let message = format!("`{name}` cannot be the name of a Kinesis stream");
                    let help = match name.rsplit_once('/').filter(|_| name.starts_with("arn:")) {
                        Some((_, name)) => {
                            format!("the stream's name alone, what stands behind `stream/` in its ARN: `{name}`")
                        }
                        None => "1 to 128 letters, digits, `_`, `-` and `.`".to_owned(),
                    };
                    let span = self.named(kinesis.span, name);
                    self.error(Code::WrongForm, span, message).help = Some(help);
                }
                Some((StreamIdentity::Kinesis(name.clone()), name.clone()))
            }
            (None, Some(dynamodb), None) => {
                self.table_name(&dynamodb.table, self.named(dynamodb.span, &dynamodb.table));
                let table = self.prefixed(&dynamodb.table).to_string();
                Some((StreamIdentity::Dynamodb(table), dynamodb.table.clone()))
            }
            (None, None, Some(sqs)) => {
                let name = &sqs.queue;
                if !is_queue_name(name) {
                    let message = format!("`{name}` cannot be the name of an SQS queue");
                    let place = name.starts_with("arn:") || name.starts_with("https:");
                    let help = match name.rsplit([':', '/']).next().filter(|_| place) {
                        Some(name) => format!("the queue's name alone, what its ARN and its URL end with: `{name}`"),
                        None => "1 to 80 letters, digits, `_` and `-`, the `.fifo` of a FIFO queue included".to_owned(),
                    };
                    let span = self.named(sqs.span, name);
                    self.error(Code::WrongForm, span, message).help = Some(help);
                }
                Some((StreamIdentity::Sqs(name.clone()), name.clone()))
            }
            (None, None, None) => {
                let message = "a source is `kinesis`, `dynamodb` or `sqs`; there is none here";
                self.error(Code::MissingKey, source.span, message);
                None
            }
            _ => {
                let message = "a source is one stream: one of `kinesis`, `dynamodb` and `sqs`";
                self.error(Code::WrongForm, source.span, message).help =
                    Some("several streams are named under `sources:`".into());
                None
            }
        }
    }

    /// Where a name stands in a source.
    fn named(&self, span: Span, name: &str) -> Span {
        let written = self.source.text.get(span.range()).unwrap_or_default();
        match written.find(name).filter(|_| !name.is_empty()) {
            Some(at) => Span::new(span.start + at, span.start + at + name.len()),
            None => span,
        }
    }

    fn lane(&mut self, source: &Spanned<spec::Source>, payload: Payload, terms: &mut Terms<'_>) -> Option<LaneCheck> {
        if let Some((queue, lane)) = source.sqs.as_ref().and_then(|sqs| Some((&sqs.queue, sqs.lane.as_ref()?))) {
            if !StreamIdentity::Sqs(queue.clone()).is_fifo() {
                let message =
                    "`lane` does not belong to a standard queue: its messages come in any order, each by itself";
                self.error(Code::WrongForm, lane.span, message).help =
                    Some("remove it; the name of a FIFO queue, which has message groups, ends in `.fifo`".into());
                return None;
            }
            return Some(LaneCheck::PartitionKey(self.path_term(lane, "`lane`", terms)?));
        }
        let kinesis = source.kinesis.as_ref();
        if let Some(lane) = kinesis.and_then(|kinesis| kinesis.lane.as_ref()) {
            if payload == Payload::Change {
                let message = "`lane` does not belong to `format: dynamodb`: DynamoDB chooses the partition key itself, and the \
                               lane of a change is its item";
                self.error(Code::WrongForm, lane.span, message).help =
                    Some("`keys` says what the item's key is, for example `keys: [id]`".into());
                return None;
            }
            let term = self.path_term(lane, "`lane`", terms)?;
            return Some(LaneCheck::PartitionKey(term));
        }
        if let (Some(keys), Payload::Json) = (kinesis.and_then(|kinesis| kinesis.keys.as_ref()), payload) {
            let message = "`keys` belongs to `format: dynamodb`: other payloads have no item";
            self.error(Code::WrongForm, keys.span, message).help =
                Some("`lane` says what producers send as partition key, for example `lane: $.id`".into());
            return None;
        }
        let of_kinesis = kinesis.and_then(|kinesis| kinesis.keys.as_ref());
        let keys = of_kinesis.or(source.dynamodb.as_ref().and_then(|dynamodb| dynamodb.keys.as_ref()))?;
        if keys.is_empty() || keys.len() > 2 {
            let message = format!("a table has one or two key attributes, not {}", keys.len());
            self.error(Code::KeyMismatch, keys.span, message);
        }
        keys.iter().for_each(|key| self.check_key_name(key));
        if let [first, second] = keys.as_slice()
            && first.value.0.name == second.value.0.name
        {
            let message = format!("`{}` is both key attributes of the table", second.value.0.name);
            let finding = self.error(Code::KeyMismatch, second.span, message);
            finding.related = Some((first.span, "first here".into()));
            finding.help = Some("`keys` names the partition key, and the sort key where the table has one".into());
        }
        Some(LaneCheck::Keys(keys.iter().map(|key| key.value.0.clone()).collect()))
    }

    /// Checks that a stream gives what its guard goes by.
    fn check_stream(&mut self, guard: &Guard, source: &Spanned<spec::Source>, span: Span, stream: &Stream) {
        match guard {
            Guard::Document { .. } | Guard::Lane { .. } if stream.identity.is_queue() => {
                let message = match stream.identity.is_fifo() {
                    true => {
                        "`last_event_id` needs an order that never goes back, and a message that is redriven from a FIFO queue's \
                         dead-letter queue comes behind those that were sent after it, under a new number: it would be lost, or \
                         count twice"
                    }
                    false => {
                        "`last_event_id` needs the order of the stream, and the messages of a standard queue come in any order: \
                         an older one behind a newer one would be taken for a repeat, and be lost"
                    }
                };
                self.error(Code::UnsoundGuard, span, message).help = Some(
                    "`{events_table: NAME}` remembers every message and applies it once; with `order_by` the document is what \
                     the messages make in the order of a value of the payload"
                        .into(),
                );
            }
            Guard::Document { .. } | Guard::Lane { .. } if !stream.keeps_order() => {
                let message = "`last_event_id` needs the order of the stream, and with `format: dynamodb` records come in any \
                               order, and twice under other sequence numbers";
                let mut help =
                    "`{events_table: NAME}` remembers every change and applies it once; with `order_by` the document \
                                is what the changes make in the order of a value of the item"
                        .to_owned();
                if source.dynamodb.is_none() {
                    help += "; or read the table's own stream (`dynamodb: TABLE`), which keeps order";
                }
                self.error(Code::UnsoundGuard, span, message).help = Some(help);
            }
            Guard::Document { by_shard: true, .. } if matches!(stream.identity, StreamIdentity::Dynamodb(_)) => {
                let message =
                    "`last_event_id: shard` is for Kinesis: the records of a DynamoDB stream do not say their shard";
                self.error(Code::UnsoundGuard, span, message).help =
                    Some("use `{last_event_id: lane}`, which keeps a mark for each item".into());
            }
            _ => {}
        }
    }

    /// The schema of a source. Where rules take back what items contributed they go by what was remembered of it, and never by the
    /// old image: that may be from before the schema, and must not keep the new one out.
    fn source_schema(
        &mut self,
        source: &Spanned<spec::Source>,
        payload: Payload,
        retracts: bool,
        terms: &mut Terms<'_>,
    ) -> Option<SchemaCheck> {
        let kinesis = source.kinesis.as_ref().and_then(|kinesis| kinesis.schema.as_ref());
        let dynamodb = source.dynamodb.as_ref().and_then(|dynamodb| dynamodb.schema.as_ref());
        let sqs = source.sqs.as_ref().and_then(|sqs| sqs.schema.as_ref());
        self.schema(kinesis.or(dynamodb).or(sqs)?, payload, retracts, terms)
    }

    /// A JSON Schema, and what has to satisfy it: the payload, or each image. With `image` just the new one.
    pub(super) fn schema(
        &mut self,
        literal: &Spanned<Literal>,
        payload: Payload,
        image: bool,
        terms: &mut Terms<'_>,
    ) -> Option<SchemaCheck> {
        let schema = match &literal.value {
            Literal::Text(name) => self.schema_file(name, literal.span)?,
            Literal::Map(_) | Literal::Bool(_) => self.compiled_schema(&Self::plain(literal), literal.span)?,
            _ => {
                let message = "a schema is the name of a file, or a JSON Schema written here";
                self.error(Code::WrongForm, literal.span, message).help =
                    Some("for example `schema: order.schema.json`".into());
                return None;
            }
        };
        let paths = &mut terms.event.as_mut()?.paths;
        let mut slot = |name: &str| paths.insert(&[Step::Name(name.to_owned())]);
        let slots = match payload {
            Payload::Json | Payload::Sns | Payload::Eventbridge => vec![(paths.insert(&[]), "the payload")],
            Payload::Change if image => vec![(slot("new"), "the image")],
            Payload::Change => vec![(slot("new"), "the new image"), (slot("old"), "the old image")],
        };
        Some(SchemaCheck { schema, slots })
    }

    fn compiled_schema(&mut self, value: &viewfold_value::Value, span: Span) -> Option<Arc<Schema>> {
        match Schema::compile(value) {
            Ok(schema) => Some(Arc::new(schema)),
            Err(error) => {
                self.error(Code::BadSchema, span, format!("this is no JSON Schema that can be used: {error}"));
                None
            }
        }
    }

    fn schema_file(&mut self, name: &str, span: Span) -> Option<Arc<Schema>> {
        let schemas = self.schemas;
        let text = match schemas.get(name) {
            Some(Ok(text)) => text,
            Some(Err(error)) => {
                self.error(Code::BadSchema, span, format!("the schema `{name}` cannot be read: {error}")).help =
                    Some("the file's name is relative to this file's folder".into());
                return None;
            }
            None => {
                self.error(Code::BadSchema, span, format!("the schema `{name}` has not been loaded"));
                return None;
            }
        };
        if let Some(schema) = self.known_schemas.get(text.as_str()) {
            return Some(Arc::clone(schema));
        }
        let value = match viewfold_value::json::parse(text.as_bytes()) {
            Ok(value) => value,
            Err(error) => {
                self.error(Code::BadSchema, span, format!("the schema `{name}` is no JSON: {error}"));
                return None;
            }
        };
        let schema = self.compiled_schema(&value, span)?;
        self.known_schemas.insert(text, Arc::clone(&schema));
        Some(schema)
    }
}

/// What `$` is in a source's events.
fn payload(source: &spec::Source) -> Payload {
    match (&source.kinesis, &source.sqs) {
        (Some(kinesis), _) => match kinesis.format.as_ref().map(|format| format.value) {
            None | Some(spec::Format::Json) => Payload::Json,
            Some(spec::Format::Dynamodb) => Payload::Change,
        },
        (None, Some(sqs)) => match sqs.format.as_ref().map(|format| format.value) {
            None | Some(spec::SqsFormat::Json) => Payload::Json,
            Some(spec::SqsFormat::Sns) => Payload::Sns,
            Some(spec::SqsFormat::Eventbridge) => Payload::Eventbridge,
        },
        (None, None) => Payload::Change,
    }
}

/// Where a source says what `$` is.
fn format_span(source: &Spanned<spec::Source>) -> Span {
    let kinesis = source.kinesis.as_ref().and_then(|kinesis| kinesis.format.as_ref()).map(|format| format.span);
    let sqs = source.sqs.as_ref().and_then(|sqs| sqs.format.as_ref()).map(|format| format.span);
    kinesis.or(sqs).unwrap_or(source.span)
}

/// Whether a queue can be called so ([CreateQueue]).
///
/// [CreateQueue]: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
fn is_queue_name(name: &str) -> bool {
    let plain = name.strip_suffix(".fifo").unwrap_or(name);
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    !plain.is_empty() && name.len() <= 80 && plain.bytes().all(is_fine)
}

/// The number of a stream in the program, which is added unless it is there.
fn stream_number(program: &mut Program, identity: &StreamIdentity, payload: Payload) -> usize {
    match program.stream(identity) {
        Some(number) => number,
        None => {
            program.streams.push(Stream {
                name: Arc::from(identity.name()),
                identity: identity.clone(),
                payload,
                paths: PathTree::default(),
                index: Index::default(),
                readers: Vec::new(),
                attentive: Vec::new(),
                demands: Vec::new(),
                bookkeeping: Vec::new(),
            });
            program.streams.len() - 1
        }
    }
}
