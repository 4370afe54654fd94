use super::super::facts::{Facts, TableFacts};
use super::super::finding::Commands;
use super::*;
use crate::arguments::Where;
use crate::doctor::test_program::{program, programs};
use viewfold_core::program::Program;
use viewfold_core::tables::required;
use viewfold_dynamodb::inspect::Found;

const BOTH: &str = "NEW_AND_OLD_IMAGES";

/// A projection that reads changes of the table `items`, with this key and this rule.
fn reader(keys: &str, rule: &str) -> Program {
    let id = if rule.contains("retract") { "$.id" } else { "$.keys.id" };
    programs(&[&format!(
        "projection: counts\nsource: {{ dynamodb: {{ table: items, keys: {keys} }} }}\nguard: {{ last_event_id: lane }}\n\
         document: {{ table: counted, partition_key: id }}\nrules: [{{ key: {{ id: {id} }}, {rule} }}]\n"
    )])
}

fn table(keys: &[(&str, &str)], view: Option<&str>) -> Option<Found> {
    let keys = keys.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect();
    Some(Found { keys, view: view.map(str::to_owned), ..Found::default() })
}

/// What is found where the table `items` is like this.
fn found(program: &Program, items: Option<Found>) -> Vec<Finding> {
    let mut facts = Facts::default();
    facts.tables.insert("items".into(), TableFacts { found: Some(items), ..TableFacts::default() });
    let commands = Commands::new(&[], &Where { db: None, endpoint: None, aws: true }, "");
    check(&Case { program, needed: &required(program), facts: &facts, commands: &commands })
}

#[track_caller]
fn one(program: &Program, items: Option<Found>, what: &str, fix: &str) {
    let findings = found(program, items);
    let [finding] = findings.as_slice() else { panic!("{what}: {findings:#?}") };
    assert!(finding.severity == Severity::Error && finding.at == "source table items", "{finding:#?}");
    assert!(finding.what.contains(what) && finding.fix.contains(fix), "{finding:#?}");
}

const COUNT: &str = "add: { count: 1 }";

#[test]
fn a_source_as_it_has_to_be_is_sound() {
    let plain = reader("[id]", COUNT);
    // What reads keys alone needs no image.
    for view in [BOTH, "NEW_IMAGE", "OLD_IMAGE", "KEYS_ONLY"] {
        assert_eq!(found(&plain, table(&[("id", "S")], Some(view))), [], "{view}");
    }
    // The order of keys is of no account.
    assert_eq!(found(&reader("[sort, id]", COUNT), table(&[("id", "S"), ("sort", "S")], Some(BOTH))), []);
    // Kinesis and queues have no table.
    assert_eq!(found(&program("{ sqs: orders }", "{ events_table: ids }"), None), []);
}

#[test]
fn a_table_that_is_not_there_has_no_events() {
    one(&reader("[id]", COUNT), None, "it is not there", "table");
    // What could not be looked at is told elsewhere.
    let mut facts = Facts::default();
    facts.tables.insert("items".into(), TableFacts::default());
    let commands = Commands::new(&[], &Where { db: None, endpoint: None, aws: true }, "");
    let program = reader("[id]", COUNT);
    assert_eq!(check(&Case { program: &program, needed: &[], facts: &facts, commands: &commands }), []);
}

#[test]
fn keys_that_the_table_does_not_have_are_told() {
    let plain = reader("[id]", COUNT);
    one(&plain, table(&[("id", "S"), ("sort", "N")], Some(BOTH)), "its key is id (S), sort (N)", "`keys`");
    one(&plain, table(&[("id", "N")], Some(BOTH)), "projection `counts` says id (S)", "`keys`");
    let typed = reader("[{ name: id, type: number }]", COUNT);
    assert_eq!(found(&typed, table(&[("id", "N")], Some(BOTH))), []);
    one(&typed, table(&[("id", "S")], Some(BOTH)), "says id (N)", "`keys`");
}

#[test]
fn a_stream_brings_the_images_that_rules_read() {
    let on = "StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES";
    let key = [("id", "S")];
    one(&reader("[id]", COUNT), table(&key, None), "no stream that is switched on", on);
    let new = reader("[id]", "add: { count: $.new.count }");
    assert_eq!(found(&new, table(&key, Some("NEW_IMAGE"))), []);
    one(&new, table(&key, Some("OLD_IMAGE")), "brings no new image", "cannot be changed");
    let old = reader("[id]", "add: { count: $.old.count }");
    assert_eq!(found(&old, table(&key, Some("OLD_IMAGE"))), []);
    one(&old, table(&key, Some("NEW_IMAGE")), "brings no old image", on);
    let retract = reader("[id]", "retract: true, add: { count: $.count }");
    // What an item contributed before stands beside its mark: no old image is needed to take it back.
    for view in [BOTH, "NEW_IMAGE"] {
        assert_eq!(found(&retract, table(&key, Some(view))), [], "{view}");
    }
    one(&retract, table(&key, Some("OLD_IMAGE")), "brings no new image", on);
}
