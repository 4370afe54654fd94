//! Files of projections: read, compiled, and carried out on a few events.
//!
//! A line of nothing but `=`, three or more of them, parts one file from the next of the same deployment.

use super::{NOW, lambda};
use std::collections::BTreeMap;
use std::sync::Arc;
use viewfold_core::compile::{Compiled, File, Options, compile};
use viewfold_core::plan::{Answer, Batch, Request};
use viewfold_core::program::{Payload, Program, StreamIdentity};
use viewfold_core::tables::required;
use viewfold_spec::diagnostic::render_all;
use viewfold_spec::{Diagnostic, Severity, Source};

/// Every JSON Schema file that a projection names.
const SCHEMA: &str = r#"{"type":"object","properties":{"n":{"maximum":100},"id":{"pattern":"^[a-z]"}}}"#;

/// The payload of the Kinesis records.
const PAYLOAD: &str = r#"{"id":"a","n":3,"x":-0.5,"event":"e1","type":"order","text":"Größe 1","yes":true,"none":null,
    "lines":[{"sku":"s","price":12.5,"quantity":2},{"sku":"t","price":3}],"tags":["b","a"],"data":{"id":"a","n":1},
    "time":"2026-01-31T12:00:00.5+01:00"}"#;

/// The keys and images of the DynamoDB records.
const IMAGES: &str = r#""Keys":{"id":{"S":"a"}},"NewImage":{"id":{"S":"a"},"region":{"S":"r"},"improvement":{"S":"i"},"n":{"N":"3"},"tags":{"SS":["a","b"]}},"OldImage":{"id":{"S":"a"},"region":{"S":"q"},"improvement":{"S":"i"},"n":{"N":"2"},"blob":{"B":"AQI="}}"#;

/// Reads the files, compiles them and carries the program out.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let found = program(text);
    let again = program(text);
    match (found, again) {
        (Ok(Compiled { program, warnings }), Ok(again)) => {
            look(&warnings);
            assert!(warnings == again.warnings, "the same files, and other warnings");
            assert!(warnings.iter().all(|finding| finding.severity == Severity::Warning));
            carry_out(&program);
        }
        (Err(findings), Err(again)) => {
            look(&findings);
            assert!(findings == again, "the same files, and other findings");
            assert!(findings.iter().any(|finding| finding.severity == Severity::Error));
        }
        _ => panic!("the same files are right and wrong"),
    }
}

fn program(text: &str) -> Result<Compiled, Vec<Diagnostic>> {
    let mut files = Vec::new();
    for (number, text) in parts(text).into_iter().enumerate() {
        let source = Arc::new(Source { name: format!("{number}.yaml"), text });
        let projection = viewfold_spec::parse(&source)?;
        let schemas: BTreeMap<String, Result<String, String>> = File::schema_names(&projection)
            .into_iter()
            .map(|name| match name.len() % 4 {
                0 => (name, Err("there is no such file".to_owned())),
                _ => (name, Ok(SCHEMA.to_owned())),
            })
            .collect();
        files.push(File { source, projection, schemas });
    }
    compile(&files, &Options::default())
}

/// The texts between the lines that part files.
fn parts(text: &str) -> Vec<String> {
    let mut files = vec![String::new()];
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        match files.last_mut() {
            Some(file) if bare.len() < 3 || !bare.trim_matches('=').is_empty() => file.push_str(line),
            _ => files.push(String::new()),
        }
    }
    files
}

/// Findings can be shown, and say where they are.
pub(crate) fn look(findings: &[Diagnostic]) {
    render_all(findings, false);
    render_all(findings, true);
    for finding in findings {
        assert!(!finding.message.is_empty());
        assert!(finding.span.start <= finding.span.end, "{finding:?}");
        finding.place();
    }
}

/// A few events of each stream, with a store that takes everything, and with one that refuses everything.
fn carry_out(program: &Program) {
    required(program);
    for stream in &program.streams {
        let name = stream.identity.name();
        let records: Vec<String> = match (&stream.identity, stream.payload) {
            (StreamIdentity::Sqs(_), payload) => {
                let body = match payload {
                    Payload::Json | Payload::Change => PAYLOAD.to_owned(),
                    Payload::Sns => lambda::notification("n1", PAYLOAD),
                    Payload::Eventbridge => lambda::bus_event("b1", PAYLOAD),
                };
                (1..3).map(|sequence| lambda::sqs(name, sequence, "a", &body)).collect()
            }
            (StreamIdentity::Kinesis(_), Payload::Json | Payload::Sns | Payload::Eventbridge) => {
                (1..3).map(|sequence| lambda::kinesis(name, sequence, "a", PAYLOAD.as_bytes())).collect()
            }
            (StreamIdentity::Kinesis(_), Payload::Change) => {
                let change = lambda::dynamodb("t", 1, "MODIFY", IMAGES);
                vec![lambda::kinesis(name, 1, "a", change.as_bytes())]
            }
            (StreamIdentity::Dynamodb(_), _) => {
                let changes = ["INSERT", "MODIFY", "REMOVE"];
                (1..4).zip(changes).map(|(number, change)| lambda::dynamodb(name, number, change, IMAGES)).collect()
            }
        };
        let payload = lambda::invocation(&records);
        for write in [Answer::Done, Answer::Refused("no".into())] {
            let mut batch = Batch::new(program, payload.as_bytes(), NOW).expect("records of a stream of the program");
            let mut requests = 0;
            while let Some((number, request)) = batch.next() {
                requests += 1;
                assert!(requests < 1_000, "no end of requests");
                let answer = match &request {
                    Request::Read(keys) => Answer::Items(vec![None; keys.len()]),
                    Request::Query { .. } => Answer::Rows(Some(Vec::new())),
                    Request::Write(_) | Request::Transact(_) => write.clone(),
                };
                batch.answer(number, answer);
            }
            assert_eq!(batch.finish("unfinished").records, records.len());
        }
    }
}
