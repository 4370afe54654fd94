//! What is told of records, for programs. Values keep every digit of their numbers.

use super::carry::Sent;
use super::guards::{Compared, Measured};
use super::tell::{Met, Part, Told};
use super::words::{guard_name, in_words};
use crate::output::Failure;
use serde::Serialize;
use serde_json::{Value as Json, json};
use viewfold_core::plan::explain::{Explained, Met as Verdict, Reading};
use viewfold_core::program::{Program, Projection};
use viewfold_core::report::{Counts, Trouble};
use viewfold_dynamodb::cost::{Cost, PRICES};
use viewfold_value::{Item, Value};

#[derive(Serialize)]
struct Everything<'a> {
    records: Vec<OneRecord<'a>>,
    guards: Vec<Json>,
    prices: Json,
}

#[derive(Serialize)]
struct OneRecord<'a> {
    file: &'a str,
    event: Option<usize>,
    record: usize,
    stream: &'a str,
    sequence: &'a str,
    events: Vec<Json>,
    projections: Vec<InProjection<'a>>,
    requests: Vec<Json>,
}

#[derive(Serialize)]
struct InProjection<'a> {
    projection: &'a str,
    outcome: Json,
    events: Vec<OneEvent<'a>>,
    requests: Vec<Json>,
    documents: Vec<OneDocument<'a>>,
}

#[derive(Serialize)]
struct OneEvent<'a> {
    /// The number of the event in the record.
    event: usize,
    rules: Vec<OneRule<'a>>,
    guard: Json,
    reads_first: Vec<String>,
    changes: Vec<OneChange>,
    problem: Option<String>,
}

#[derive(Serialize)]
struct OneRule<'a> {
    rule: &'a str,
    matches: bool,
    /// The first pattern that does not hold.
    missed: Option<Missed<'a>>,
    why: Option<String>,
    reads: Vec<Read<'a>>,
}

#[derive(Serialize)]
struct Missed<'a> {
    path: &'a str,
    pattern: &'a str,
    found: Option<&'a Value>,
}

#[derive(Serialize)]
struct Read<'a> {
    path: &'a str,
    value: Option<&'a Value>,
}

#[derive(Serialize)]
struct OneChange {
    key: Value,
    operations: Vec<String>,
    problem: Option<String>,
}

#[derive(Serialize)]
struct OneDocument<'a> {
    table: &'a str,
    key: Value,
    before: Option<Value>,
    after: Option<&'a Item>,
}

/// Everything as one JSON value.
pub(crate) fn everything(all: &[Told], compared: &[Compared], program: &Program) -> Result<String, Failure> {
    let prices = json!({
        "region": PRICES.region, "asOf": PRICES.as_of,
        "millionWriteUnits": PRICES.million_writes, "millionReadUnits": PRICES.million_reads,
    });
    let everything = Everything {
        records: all.iter().map(|told| record(told, program)).collect(),
        guards: compared.iter().flat_map(|compared| guards(compared, program)).collect(),
        prices,
    };
    serde_json::to_string_pretty(&everything)
        .map(|text| text + "\n")
        .map_err(|error| Failure::new(format!("the report cannot be written: {error}")))
}

fn record<'a>(told: &'a Told, program: &'a Program) -> OneRecord<'a> {
    OneRecord {
        file: &told.place.file,
        event: told.place.event,
        record: told.record,
        stream: &told.stream,
        sequence: &told.sequence,
        events: told.events.iter().map(event).collect(),
        projections: told.projections.iter().map(|part| in_projection(part, told, program)).collect(),
        requests: told.asked.iter().map(request).collect(),
    }
}

fn event(explained: &Explained) -> Json {
    let metadata = explained.event.as_ref().map(|event| &event.metadata);
    json!({
        "sub": explained.sub,
        "id": metadata.map_or(explained.id.as_str(), |metadata| &metadata.id),
        "lane": explained.lane,
        "time": metadata.ok().and_then(|metadata| metadata.time).map(|time| time.to_string()),
        "change": metadata.ok().and_then(|metadata| metadata.change),
        "problem": explained.event.as_ref().err().map(ToString::to_string),
    })
}

fn in_projection<'a>(part: &'a Part, told: &'a Told, program: &'a Program) -> InProjection<'a> {
    let projection = &program.projections[part.projection];
    let one = |met: &'a Met| {
        let reading = &told.events[met.event].readings[met.reading];
        OneEvent {
            event: met.event,
            rules: rules(reading, projection),
            guard: json!({
                "guard": guard_name(&projection.sources[reading.source]),
                "brings": reading.mark(),
                "stored": met.stored,
                "hasRow": met.has_row,
            }),
            reads_first: reading.reads_first(program),
            changes: met
                .operations
                .iter()
                .map(|(document, done)| OneChange {
                    key: Value::Map(document.item(projection)),
                    operations: done.as_ref().map(in_words).unwrap_or_default(),
                    problem: done.as_ref().err().map(|failure| failure.problem.to_string()),
                })
                .collect(),
            problem: reading.failure.as_ref().map(|failure| failure.problem.to_string()),
        }
    };
    InProjection {
        projection: &projection.name,
        outcome: outcome(&part.counts, part.troubles.first()),
        events: part.readings.iter().map(one).collect(),
        requests: part.sent.iter().map(request).collect(),
        documents: part
            .documents
            .iter()
            .map(|document| OneDocument {
                table: &document.table,
                key: Value::Map(document.key.clone()),
                before: document.before.clone().map(Value::Map),
                after: document.after.as_ref(),
            })
            .collect(),
    }
}

fn rules<'a>(reading: &'a Reading, projection: &'a Projection) -> Vec<OneRule<'a>> {
    let verdicts = reading.verdicts.iter();
    verdicts
        .map(|verdict| {
            let rule = &projection.rules[verdict.rule];
            let mut one = OneRule { rule: &rule.name, matches: false, missed: None, why: None, reads: Vec::new() };
            match &verdict.met {
                Verdict::Gone => one.why = Some("the item is gone".to_owned()),
                Verdict::Unusable(problem) => one.why = Some(problem.to_string()),
                Verdict::Missed(at, found) => {
                    one.missed = rule.when.get(*at).map(|condition| Missed {
                        path: &condition.path,
                        pattern: &condition.pattern,
                        found: found.as_ref(),
                    });
                }
                Verdict::Matched { values, does, idle } => {
                    one.matches = true;
                    let failed = does.as_ref().err().map(|failure| failure.problem.to_string());
                    one.why = failed.or_else(|| idle.map(str::to_owned));
                    one.reads = values.iter().map(|(path, value)| Read { path, value: value.as_ref() }).collect();
                }
            }
            one
        })
        .collect()
}

fn outcome(counts: &Counts, trouble: Option<&Trouble>) -> Json {
    let what = match counts {
        Counts { matched: 0, .. } => "unmatched",
        Counts { failed: 1.., .. } => "failed",
        Counts { rejected: 1.., .. } => "rejected",
        Counts { waiting: 1.., .. } => "waiting",
        Counts { repeated: 1.., .. } => "repeated",
        Counts { stale: 1.., .. } => "stale",
        _ => "applied",
    };
    json!({
        "outcome": what,
        "reason": trouble.and_then(|trouble| trouble.reason).map(|reason| reason.code()),
        "fate": trouble.map(|trouble| trouble.fate.text()),
        "message": trouble.map(|trouble| trouble.message.as_str()),
    })
}

fn request(sent: &Sent) -> Json {
    json!({
        "operation": sent.wired.first().map(|wired| wired.operation.as_str()),
        "body": sent.wired.first().map(|wired| &wired.body),
        "sent": sent.cost.requests,
        "writeUnits": sent.cost.writes,
        "readUnits": sent.cost.reads,
        "answer": sent.answer,
    })
}

fn guards(compared: &Compared, program: &Program) -> Vec<Json> {
    let for_a_million = |cost: &Cost| {
        let cost = cost.for_a_million(compared.events as u64);
        json!({
            "requests": cost.requests, "writeUnits": cost.writes, "readUnits": cost.reads, "dollars": cost.dollars(),
        })
    };
    let guards = compared.guards.iter();
    guards
        .map(|guard| {
            let measured = guard.measured.as_ref();
            json!({
                "projection": program.projections[compared.projection].name,
                "guard": guard.name,
                "yours": guard.yours,
                "sound": measured.is_ok(),
                "why": measured.err(),
                "events": compared.events,
                "aMillionAlone": measured.ok().map(|Measured { alone, .. }| for_a_million(alone)),
                "applied": measured.ok().map(|measured| measured.applied),
                "aMillionInBatches": measured.ok().map(|Measured { batched, .. }| for_a_million(batched)),
            })
        })
        .collect()
}
