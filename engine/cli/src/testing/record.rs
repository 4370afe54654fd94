//! A test's events as the Lambda events that a function would get.

use super::files::Loaded;
use crate::output::Failure;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::collections::HashMap;
use viewfold_core::compile::constant;
use viewfold_core::program::{LaneCheck, Payload, Program, Projection, Step, Stream, StreamIdentity, Term};
use viewfold_spec::test_file::Event;
use viewfold_spec::{Code, Diagnostic, Literal, Span, Spanned};
use viewfold_value::dynamodb_json::write_item;
use viewfold_value::json::write_text;
use viewfold_value::{Item, Value};

/// The first second of the events of a test: 2026-01-01T00:00:00Z.
const FIRST_SECOND: i64 = 1_767_225_600;

/// A record, its stream, and the number of its event in the case, from 1.
pub(super) struct Record {
    pub(super) stream: usize,
    pub(super) event: usize,
    pub(super) sequence: String,
    pub(super) text: String,
}

/// Makes records of a case's events.
pub(super) struct Records<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) program: &'a Program,
}

impl Records<'_> {
    pub(super) fn error(&self, span: Span, message: String, help: &str) -> Failure {
        let finding = Diagnostic::error(Code::WrongForm, &self.loaded.source, span, message);
        Failure::findings(&[if help.is_empty() { finding } else { finding.help(help) }])
    }

    /// The value of a literal of the test.
    pub(super) fn value(&self, literal: &Spanned<Literal>) -> Result<Value, Failure> {
        constant(&self.loaded.source, literal).map_err(|findings| Failure::findings(&findings))
    }

    /// An item: a map of attributes.
    pub(super) fn item(&self, literal: &Spanned<Literal>) -> Result<Item, Failure> {
        match self.value(literal)? {
            Value::Map(item) => Ok(item),
            other => {
                Err(self.error(literal.span, format!("an item is a map of attributes, not a {}", other.kind()), ""))
            }
        }
    }

    /// The record of an event.
    pub(super) fn record(&self, event: &Spanned<Event>, number: usize) -> Result<Record, Failure> {
        let is_payload = event.payload.is_some() || event.raw.is_some();
        let is_change = event.new.is_some() || event.old.is_some();
        if is_payload == is_change || (event.payload.is_some() && event.raw.is_some()) {
            return Err(self.error(
                event.span,
                "an event is one of `payload`, `raw`, `new` and `old`, or `file`".to_owned(),
                "`payload` and `raw` are for Kinesis and SQS; `new` and `old` for changes of an item, one or both",
            ));
        }
        let stream = self.stream(event, is_change)?;
        let sequence = match &event.sequence {
            Some(sequence) => sequence.value.clone(),
            // The event's own number, so that numbers that are given fit in between.
            None => number.to_string(),
        };
        let text = match (&self.program.streams[stream].identity, is_change) {
            (StreamIdentity::Sqs(_), _) => {
                let (text, sequence) = self.message(event, number, stream, sequence)?;
                return Ok(Record { stream, event: number, sequence, text });
            }
            (StreamIdentity::Kinesis(_), false) => self.kinesis(event, number, stream, &sequence)?,
            (StreamIdentity::Kinesis(name), true) => {
                let change = self.change(event, number, stream, None)?;
                let id = event.id.as_ref().map_or_else(|| format!("{SHARD}:{sequence}"), |id| id.value.clone());
                // DynamoDB chooses the partition key of such a record.
                kinesis_record(name, &id, "-", &sequence, change.as_bytes(), &self.time(event, number)?)
            }
            (StreamIdentity::Dynamodb(_), _) => self.change(event, number, stream, Some(&sequence))?,
        };
        Ok(Record { stream, event: number, sequence, text })
    }

    /// The stream of an event: one of changes of items, or any of Kinesis or SQS.
    fn stream(&self, event: &Spanned<Event>, is_change: bool) -> Result<usize, Failure> {
        let fits = |stream: &Stream| match is_change {
            true => stream.payload == Payload::Change,
            false => !matches!(stream.identity, StreamIdentity::Dynamodb(_)),
        };
        let streams = self.program.streams.iter().enumerate().filter(|(_, stream)| fits(stream));
        let named = |number: usize, stream: &Stream, name: &str| {
            let by_projection = |projection: &Projection| {
                projection.sources.iter().any(|source| source.stream == number && source.name.as_deref() == Some(name))
            };
            stream.identity.name() == name || self.program.projections.iter().any(by_projection)
        };
        let candidates: Vec<usize> = match &event.source {
            Some(name) => {
                streams.filter(|(number, stream)| named(*number, stream, name)).map(|(number, _)| number).collect()
            }
            // Nobody writes events of a view by hand where there is another stream.
            None => {
                let all: Vec<usize> = streams.map(|(number, _)| number).collect();
                let is_view = |number: &usize| match &self.program.streams[*number].identity {
                    StreamIdentity::Dynamodb(table) => {
                        self.program.projections.iter().any(|projection| *projection.table.name == **table)
                    }
                    StreamIdentity::Kinesis(_) | StreamIdentity::Sqs(_) => false,
                };
                let first: Vec<usize> = all.iter().copied().filter(|number| !is_view(number)).collect();
                if first.is_empty() { all } else { first }
            }
        };
        match candidates.as_slice() {
            [only] => Ok(*only),
            [] => Err(self.error(event.span, "no projection of the test reads such an event".to_owned(), "")),
            several => {
                let names: Vec<&str> =
                    several.iter().map(|number| self.program.streams[*number].identity.name()).collect();
                let help = format!("give the event `source`, one of {}", names.join(", "));
                Err(self.error(event.span, "the event may come from several streams".to_owned(), &help))
            }
        }
    }

    fn lane_check(&self, stream: usize) -> Option<&LaneCheck> {
        let sources = self.program.projections.iter().flat_map(|projection| &projection.sources);
        sources.filter(|source| source.stream == stream).find_map(|source| source.lane.as_ref())
    }

    fn kinesis(&self, event: &Event, number: usize, stream: usize, sequence: &str) -> Result<String, Failure> {
        let payload = event.payload.as_ref().map(|payload| self.value(payload)).transpose()?;
        let bytes = match (&payload, &event.raw) {
            (Some(payload), _) => payload.to_string(),
            (None, Some(raw)) => raw.value.clone(),
            (None, None) => String::new(),
        };
        let lane = self.text_lane(event.lane.as_ref(), event, stream, payload.as_ref())?;
        let name = self.program.streams[stream].identity.name();
        let id = event.id.as_ref().map_or_else(|| format!("{SHARD}:{sequence}"), |id| id.value.clone());
        Ok(kinesis_record(name, &id, &lane, sequence, bytes.as_bytes(), &self.time(event, number)?))
    }

    /// The partition key or message group of an event.
    pub(super) fn text_lane(
        &self,
        lane: Option<&Spanned<Literal>>,
        event: &Event,
        stream: usize,
        payload: Option<&Value>,
    ) -> Result<String, Failure> {
        match lane {
            Some(lane) => match self.value(lane)? {
                Value::String(text) => Ok(text),
                Value::Number(number) => Ok(number.to_string()),
                _ => {
                    let message = "the lane of such an event is a text: the partition key, or the message group";
                    Err(self.error(lane.span, message.to_owned(), ""))
                }
            },
            None => {
                let raw = || event.raw.as_ref().and_then(|raw| viewfold_value::json::parse(raw.as_bytes()).ok());
                let lane = match payload {
                    Some(payload) => self.lane_of(stream, Some(payload)),
                    None => self.lane_of(stream, raw().as_ref()),
                };
                Ok(lane.unwrap_or_else(|| "-".to_owned()))
            }
        }
    }

    /// What the source's `lane` finds in a payload.
    fn lane_of(&self, stream: usize, payload: Option<&Value>) -> Option<String> {
        let Some(LaneCheck::PartitionKey(Term::Event { path, .. })) = self.lane_check(stream) else { return None };
        let mut value = payload?;
        for step in viewfold_core::path::parse(path).ok()? {
            value = match (step, value) {
                (Step::Name(name), Value::Map(map)) => map.get(&name)?,
                (Step::Index(index), Value::List(list)) => list.get(usize::try_from(index).ok()?)?,
                _ => return None,
            };
        }
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A change of an item: a record of a DynamoDB stream, or without a sequence number the payload that DynamoDB puts into
    /// a Kinesis stream.
    fn change(
        &self,
        event: &Spanned<Event>,
        number: usize,
        stream: usize,
        sequence: Option<&str>,
    ) -> Result<String, Failure> {
        let image = |literal: &Option<Spanned<Literal>>| literal.as_ref().map(|literal| self.item(literal)).transpose();
        let (new, old) = (image(&event.new)?, image(&event.old)?);
        let keys = match &event.lane {
            Some(lane) => self.item(lane)?,
            None => {
                let Some(LaneCheck::Keys(keys)) = self.lane_check(stream) else {
                    let message = "the key of the item cannot be told".to_owned();
                    return Err(self.error(
                        event.span,
                        message,
                        "give the source `keys`, or the event `lane: { id: \"1\" }`",
                    ));
                };
                let any = new.as_ref().or(old.as_ref());
                let keys: HashMap<String, Value> =
                    keys.iter().filter_map(|key| Some((key.name.clone(), any?.get(&key.name)?.clone()))).collect();
                keys.into_iter().collect()
            }
        };
        let change = match (&new, &old) {
            (Some(_), Some(_)) => "MODIFY",
            (Some(_), None) => "INSERT",
            _ => "REMOVE",
        };
        let name = self.program.streams[stream].identity.name();
        let id = event.id.as_ref().map_or_else(|| format!("event-{number:06}"), |id| id.value.clone());
        let mut text = String::from("{\"eventID\":");
        write_text(&id, &mut text);
        text += &format!(",\"eventName\":\"{change}\",\"eventSource\":\"aws:dynamodb\"");
        let time = self.time(event, number)?;
        match sequence {
            Some(sequence) => {
                let label = "2026-01-01T00:00:00.000";
                text += ",\"eventSourceARN\":";
                write_text(&format!("arn:aws:dynamodb:us-east-1:123456789012:table/{name}/stream/{label}"), &mut text);
                text += ",\"dynamodb\":{\"SequenceNumber\":";
                write_text(sequence, &mut text);
                text += &format!(",\"ApproximateCreationDateTime\":{time}");
            }
            None => {
                let (seconds, fraction) = time.split_once('.').unwrap_or((&time, ""));
                text += ",\"recordFormat\":\"application/json\",\"tableName\":\"table\",\"dynamodb\":{";
                text += "\"ApproximateCreationDateTimePrecision\":\"MICROSECOND\",";
                text += &format!("\"ApproximateCreationDateTime\":{seconds}{fraction:0<6}");
            }
        }
        for (key, item) in [("Keys", Some(&keys)), ("NewImage", new.as_ref()), ("OldImage", old.as_ref())] {
            if let Some(item) = item {
                text += &format!(",\"{key}\":");
                write_item(item, &mut text);
            }
        }
        text += "}}";
        Ok(text)
    }

    /// The event's time in seconds since 1970.
    fn time(&self, event: &Event, number: usize) -> Result<String, Failure> {
        let moment = self.moment(event, number)?;
        Ok(match &event.time {
            None => moment.as_second().to_string(),
            Some(_) => format!("{}.{:06}", moment.as_second(), moment.subsec_microsecond()),
        })
    }

    /// When the event reached its stream.
    pub(super) fn moment(&self, event: &Event, number: usize) -> Result<jiff::Timestamp, Failure> {
        let Some(time) = &event.time else {
            let second = FIRST_SECOND + i64::try_from(number).unwrap_or(0);
            return jiff::Timestamp::from_second(second).map_err(|error| Failure::new(error.to_string()));
        };
        time.value.parse().map_err(|_| {
            let message = format!("`{}` is no time: it is written like 2026-01-31T12:00:00Z", time.value);
            self.error(time.span, message, "")
        })
    }
}

/// The shard of events that do not say theirs.
const SHARD: &str = "shardId-000000000000";

/// A Kinesis record.
fn kinesis_record(stream: &str, id: &str, lane: &str, sequence: &str, payload: &[u8], seconds: &str) -> String {
    let mut text = String::from("{\"eventID\":");
    write_text(id, &mut text);
    text += ",\"eventSource\":\"aws:kinesis\",\"eventSourceARN\":";
    write_text(&format!("arn:aws:kinesis:us-east-1:123456789012:stream/{stream}"), &mut text);
    text += ",\"kinesis\":{\"partitionKey\":";
    write_text(lane, &mut text);
    text += ",\"sequenceNumber\":";
    write_text(sequence, &mut text);
    text += &format!(",\"data\":\"{}\"", BASE64.encode(payload));
    text += &format!(",\"approximateArrivalTimestamp\":{seconds}}}}}");
    text
}
