use super::super::facts::{Facts, TableFacts};
use super::super::finding::Commands;
use super::*;
use crate::arguments::Where;
use crate::doctor::test_program::program;
use viewfold_dynamodb::inspect::Found;

const NOW: &str = "2026-02-01T00:00:00.000";

fn kinesis() -> Mapping {
    Mapping {
        uuid: "0001".into(),
        stream: Some((StreamIdentity::Kinesis("orders".into()), None)),
        function: "views".into(),
        state: "Enabled".into(),
        last_result: Some("OK".into()),
        starting_position: Some("TRIM_HORIZON".into()),
        factor: 1,
        bisects: true,
        reports_failures: true,
        ..Mapping::default()
    }
}

fn of_table(label: &str) -> Mapping {
    Mapping { stream: Some((StreamIdentity::Dynamodb("items".into()), Some(label.into()))), ..kinesis() }
}

/// What is found of a stream's mappings, each with how bad it is.
fn found(program: &Program, mappings: Vec<Mapping>) -> Vec<(Severity, String)> {
    let table = Found { label: Some(NOW.into()), stream_arn: Some(format!("arn/{NOW}")), ..Found::default() };
    let mut facts = Facts { mappings: Some(mappings), ..Facts::default() };
    facts.tables.insert("items".into(), TableFacts { found: Some(Some(table)), ..TableFacts::default() });
    let commands = Commands::new(&[], &Where { db: None, endpoint: None, aws: true }, "");
    let case = Case { program, needed: &[], facts: &facts, commands: &commands };
    check(&case).into_iter().map(|finding| (finding.severity, finding.what)).collect()
}

/// The one thing that is wrong with a mapping of a Kinesis stream, under a guard.
#[track_caller]
fn one(guard: &str, mapping: Mapping, severity: Severity, words: &str) {
    let findings = found(&program("{ kinesis: { stream: orders, lane: $.keys.id } }", guard), vec![mapping]);
    let [(found, what)] = findings.as_slice() else { panic!("{words}: {findings:?}") };
    assert!(*found == severity && what.contains(words), "{what}");
}

#[test]
fn a_mapping_as_it_has_to_be_is_sound() {
    let orders = program("{ kinesis: { stream: orders, lane: $.keys.id } }", "last_event_id");
    assert_eq!(found(&orders, vec![kinesis()]), []);
    let items = program("{ dynamodb: { table: items, keys: [id] } }", "last_event_id");
    assert_eq!(found(&items, vec![of_table(NOW)]), []);
}

#[test]
fn every_setting_that_breaks_a_guard_is_told() {
    use Severity::{Advice, Error, Warning};
    let mark = "last_event_id";
    one(mark, Mapping { reports_failures: false, ..kinesis() }, Error, "ReportBatchItemFailures");
    one("{ last_event_id: shard }", Mapping { factor: 2, ..kinesis() }, Error, "parallelization factor is 2");
    one(mark, Mapping { factor: 2, ..kinesis() }, Advice, "parallelization factor is 2");
    one(mark, Mapping { retries: Some(3), ..kinesis() }, Error, "after 3 retries");
    one(mark, Mapping { record_age: Some(60), ..kinesis() }, Error, "age of 60 seconds");
    one(mark, Mapping { tumbling_seconds: 30, ..kinesis() }, Error, "tumbling");
    one(mark, Mapping { starting_position: Some("LATEST".into()), ..kinesis() }, Warning, "LATEST");
    one(mark, Mapping { bisects: false, ..kinesis() }, Advice, "Bisect");
    one(mark, Mapping { state: "Disabled".into(), ..kinesis() }, Error, "Disabled");
    one(mark, Mapping { state: "Updating".into(), ..kinesis() }, Warning, "Updating");
    one(mark, Mapping { last_result: Some("PROBLEM: Function call failed".into()), ..kinesis() }, Error, "PROBLEM");
    one(mark, Mapping { filters: vec!["{\"data\":{}}".into()], ..kinesis() }, Advice, "filter");
}

#[test]
fn batches_may_be_given_up_where_events_are_known_by_themselves() {
    let ids = "{ events_table: ids }";
    let given_up = Mapping { retries: Some(3), ..kinesis() };
    one(ids, given_up.clone(), Severity::Error, "no destination");
    let queue = Some("arn:aws:sqs:eu-west-1:123456789012:failed".to_owned());
    one(ids, Mapping { destination: queue, ..given_up.clone() }, Severity::Advice, "SQS");
    let orders = program("{ kinesis: { stream: orders, lane: $.keys.id } }", ids);
    let bucket = Some("arn:aws:s3:::failed".to_owned());
    assert_eq!(found(&orders, vec![Mapping { destination: bucket, factor: 10, ..given_up }]), []);
}

#[test]
fn each_stream_has_one_mapping() {
    let orders = program("{ kinesis: { stream: orders, lane: $.keys.id } }", "last_event_id");
    let none = found(&orders, vec![of_table(NOW)]);
    assert!(none.len() == 1 && none[0].1.contains("no event source mapping"), "{none:?}");
    // What is right for another function is not judged.
    let other = Mapping { uuid: "0002".into(), function: "other".into(), reports_failures: false, ..kinesis() };
    let two = found(&orders, vec![kinesis(), other]);
    assert!(two.len() == 1 && two[0].1.contains("2 mappings"), "{two:?}");
}

#[test]
fn a_mapping_of_a_stream_that_was_switched_off_reads_nothing() {
    let items = program("{ dynamodb: { table: items, keys: [id] } }", "last_event_id");
    for mappings in
        [vec![of_table("2026-01-01T00:00:00.000")], vec![of_table("2026-01-01T00:00:00.000"), of_table(NOW)]]
    {
        let findings = found(&items, mappings);
        let [(Severity::Error, what)] = findings.as_slice() else { panic!("{findings:?}") };
        assert!(what.contains("2026-01-01") && what.contains(NOW), "{what}");
    }
}

#[test]
fn a_queue_has_no_more_than_its_answers_read() {
    let queue = program("{ sqs: orders }", "{ events_table: ids }");
    let of_queue = Mapping {
        stream: Some((StreamIdentity::Sqs("orders".into()), None)),
        starting_position: None,
        bisects: false,
        ..kinesis()
    };
    assert_eq!(found(&queue, vec![of_queue.clone()]), []);
    let findings = found(&queue, vec![Mapping { reports_failures: false, ..of_queue }]);
    assert!(findings.len() == 1 && findings[0].0 == Severity::Error, "{findings:?}");
    let none = found(&queue, vec![]);
    assert!(none.len() == 1 && none[0].1.contains("no event source mapping"), "{none:?}");
}
