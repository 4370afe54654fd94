use super::super::facts::Facts;
use super::super::finding::Commands;
use super::*;
use crate::arguments::Where;
use crate::doctor::test_program::{program, programs};
use viewfold_core::program::Program;
use viewfold_core::tables::required;
use viewfold_dynamodb::inspect::FoundIndex;

const KINESIS: &str = "{ kinesis: { stream: orders, lane: $.keys.id } }";

/// A view with an index and a TTL, without dead letters: one table.
fn view() -> Program {
    programs(&["projection: counts
source: { kinesis: { stream: orders, lane: $.id } }
document:
  table: counted
  partition_key: id
  ttl: ends
  indexes: { by_day: { partition_key: day, sort_key: { name: count, type: number } } }
guard: last_event_id
on_error: skip
rules: [{ key: { id: $.id }, set: { day: $.day, ends: $.ends }, add: { count: 1 } }]
"])
}

fn keys(keys: &[(&str, &str)]) -> Vec<(String, String)> {
    keys.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect()
}

/// The table of the view as it has to be.
fn sound() -> (Found, TableFacts) {
    let index =
        FoundIndex { name: "by_day".into(), keys: keys(&[("day", "S"), ("count", "N")]), status: "ACTIVE".into() };
    let found = Found {
        status: "ACTIVE".into(),
        keys: keys(&[("id", "S")]),
        indexes: vec![index],
        protected: true,
        ..Found::default()
    };
    (found, TableFacts { ttl: Some(Some("ends".into())), backups: Some(true), ..TableFacts::default() })
}

/// What is found where every needed table is like this.
fn found(program: &Program, found: Option<Found>, facts: impl Fn() -> TableFacts) -> Vec<Finding> {
    let needed = required(program);
    let tables = needed
        .iter()
        .map(|needed| (needed.table.name.to_string(), TableFacts { found: Some(found.clone()), ..facts() }));
    let facts = Facts { tables: tables.collect(), ..Facts::default() };
    let commands = Commands::new(&["views".into()], &Where { db: None, endpoint: None, aws: true }, "");
    check(&Case { program, needed: &needed, facts: &facts, commands: &commands })
}

/// The one thing that is wrong with the view's table after a change; all that is found and what to do about it has these words.
#[track_caller]
fn one(change: impl Fn(&mut Found, &mut TableFacts), severity: Severity, what: &str, fix: &str) {
    let changed = || {
        let (mut found, mut facts) = sound();
        change(&mut found, &mut facts);
        (found, facts)
    };
    let findings = self::found(&view(), Some(changed().0), || changed().1);
    let [finding] = findings.as_slice() else { panic!("{what}: {findings:#?}") };
    assert!(finding.severity == severity && finding.what.contains(what) && finding.fix.contains(fix), "{finding:#?}");
    assert!(finding.at.contains("table counted"), "{finding:#?}");
}

#[test]
fn a_table_as_it_has_to_be_is_sound() {
    assert_eq!(found(&view(), Some(sound().0), || sound().1), []);
}

#[test]
fn a_key_that_differs_cannot_be_changed() {
    use Severity::Error;
    one(|found, _| found.keys = keys(&[("id", "N")]), Error, "has the key id (N)", "new name");
    one(|found, _| found.keys = keys(&[("id", "S"), ("day", "S")]), Error, "id (S), day (S)", "new name");
}

#[test]
fn ttl_is_told_with_the_commands_that_put_it_right() {
    use Severity::Warning;
    let on = "aws dynamodb update-time-to-live --table-name counted --time-to-live-specification Enabled=true,AttributeName=ends";
    one(|_, facts| facts.ttl = Some(None), Warning, "TTL is off; projections need it on `ends`", on);
    let off = "Enabled=false,AttributeName=expires, then";
    one(|_, facts| facts.ttl = Some(Some("expires".into())), Warning, "TTL is on `expires`", off);
    one(|_, facts| facts.ttl = Some(Some("expires".into())), Warning, "TTL is on `expires`", on);
    // What could not be looked at is not judged.
    assert_eq!(found(&view(), Some(sound().0), || TableFacts { ttl: None, ..sound().1 }), []);
    // A TTL that no projection asks for is somebody else's.
    let plain = program(KINESIS, "last_event_id");
    let table = Found { indexes: Vec::new(), ..sound().0 };
    let of_views = |findings: Vec<Finding>| findings.iter().filter(|finding| finding.at == "table counted").count();
    assert_eq!(of_views(found(&plain, Some(table), || TableFacts { ttl: Some(Some("x".into())), ..sound().1 })), 0);
}

#[test]
fn each_index_is_there_with_its_keys() {
    use Severity::{Error, Warning};
    one(|found, _| found.indexes.clear(), Error, "it is not there", r#""IndexName":"by_day""#);
    one(|found, _| found.indexes.clear(), Error, "it is not there", "AttributeName=count,AttributeType=N");
    one(|found, _| found.indexes[0].keys = keys(&[("day", "S")]), Error, "has the key day (S)", "delete it, then aws");
    one(|found, _| found.indexes[0].keys[1].1 = "S".into(), Error, "count (S)", "delete it");
    one(|found, _| found.indexes[0].status = "BACKFILLING".into(), Warning, "it is BACKFILLING", "wait");
    // Others may be there, too.
    let (mut table, _) = sound();
    table.indexes.push(FoundIndex { name: "other".into(), ..FoundIndex::default() });
    assert_eq!(found(&view(), Some(table), || sound().1), []);
}

#[test]
fn a_table_that_is_not_ready_is_told() {
    use Severity::{Error, Warning};
    one(|found, _| found.status = "UPDATING".into(), Warning, "it is UPDATING", "wait table-exists");
    one(|found, _| found.status = "DELETING".into(), Error, "it is DELETING", "wait table-exists");
}

#[test]
fn what_could_be_better_is_advice() {
    use Severity::Advice;
    one(|_, facts| facts.backups = Some(false), Advice, "point-in-time", "PointInTimeRecoveryEnabled=true");
    one(|found, _| found.protected = false, Advice, "deletion protection", "--deletion-protection-enabled");
    one(|found, _| found.provisioned = true, Advice, "provisioned", "--billing-mode PAY_PER_REQUEST");
    // An emulator has neither of the first two.
    let (mut table, _) = sound();
    table.protected = false;
    assert_eq!(found(&view(), Some(table), || TableFacts { backups: None, ..sound().1 }), []);
}

#[test]
fn a_view_under_another_one_has_a_stream_of_both_images() {
    let two = |view: Option<&str>| {
        let program = programs(&[
            "projection: counts\nsource: { kinesis: { stream: orders, lane: $.id } }\nguard: last_event_id\non_error: skip\n\
             document: { table: counted, partition_key: id }\nrules: [{ key: { id: $.id }, add: { count: 1 } }]\n",
            "projection: more\nsource: { dynamodb: { table: counted, keys: [id] } }\nguard: last_event_id\non_error: skip\n\
             document: { table: counted_again, partition_key: id }\nrules: [{ key: { id: $.keys.id }, add: { count: 1 } }]\n",
        ]);
        let table = Found { indexes: Vec::new(), view: view.map(str::to_owned), ..sound().0 };
        found(&program, Some(table), || sound().1)
    };
    assert_eq!(two(Some("NEW_AND_OLD_IMAGES")), []);
    for (view, fix) in [
        (None, "StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"),
        (Some("NEW_IMAGE"), "StreamEnabled=false, then"),
        (Some("KEYS_ONLY"), "cannot be changed"),
    ] {
        let findings = two(view);
        let [finding] = findings.as_slice() else { panic!("{view:?}: {findings:#?}") };
        assert!(finding.severity == Severity::Error && finding.at == "table counted", "{finding:#?}");
        assert!(finding.what.contains("NEW_AND_OLD_IMAGES") && finding.fix.contains(fix), "{finding:#?}");
    }
}

#[test]
fn what_becomes_of_events_without_their_table_is_up_to_their_source() {
    let why = |source: &str| {
        let findings = found(&program(source, "{ events_table: ids }"), None, TableFacts::default);
        assert!(findings.iter().all(|finding| finding.what == "it is not there"), "{findings:#?}");
        findings[0].why.clone()
    };
    assert!(why(KINESIS).ends_with("until they expire") && !why(KINESIS).contains("queue"));
    assert!(why("{ sqs: orders }").contains("until the queue has had enough"), "{}", why("{ sqs: orders }"));
}
