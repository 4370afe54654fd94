use super::super::facts::{Facts, TableFacts};
use super::super::finding::Commands;
use super::*;
use crate::arguments::Where;
use crate::doctor::test_program::program;
use viewfold_core::tables::required;
use viewfold_value::Value;

const KINESIS: &str = "{ kinesis: { stream: orders, lane: $.keys.id } }";
const MARK: &str = "kinesis/orders/001/7/0000000000";

fn item(attributes: &[(&str, &str)]) -> Item {
    attributes.iter().map(|(name, text)| ((*name).to_owned(), Value::from(*text))).collect()
}

/// What is found in tables that hold these items and no others.
fn found(guard: &str, tables: &[(&str, Vec<Item>)]) -> Vec<(Severity, String)> {
    let program = program(KINESIS, guard);
    let mut facts = Facts::default();
    for (table, items) in tables {
        let sample = Sample { items: items.clone(), is_all: true };
        facts.tables.insert((*table).to_owned(), TableFacts { sample: Some(sample), ..TableFacts::default() });
    }
    let commands = Commands::new(&[], &Where { db: None, endpoint: None, aws: true }, "");
    let case = Case { program: &program, needed: &required(&program), facts: &facts, commands: &commands };
    check(&case).into_iter().map(|finding| (finding.severity, finding.what)).collect()
}

#[track_caller]
fn one(guard: &str, tables: &[(&str, Vec<Item>)], severity: Severity, words: &str) {
    let findings = found(guard, tables);
    let [(found, what)] = findings.as_slice() else { panic!("{words}: {findings:?}") };
    assert!(*found == severity && what.contains(words), "{what}");
}

#[test]
fn documents_with_their_own_marks_are_sound() {
    let document = item(&[("id", "a"), ("_vf_counts", MARK), ("_vf_counts_deleted", "1"), ("_vf_ttl", "2")]);
    assert_eq!(found("last_event_id", &[("counted", vec![document])]), []);
    let row = item(&[("pk", "counts/orders/a"), ("sk", "-"), ("mark", MARK)]);
    let tables = [("counted", vec![item(&[("id", "a")])]), ("viewfold_marks", vec![row])];
    assert_eq!(found("{ last_event_id: lane }", &tables), []);
    let row = item(&[("pk", "counts/orders/e1"), ("sk", "-")]);
    assert_eq!(found("{ events_table: ids }", &[("counted", vec![item(&[("id", "a")])]), ("ids", vec![row])]), []);
}

#[test]
fn what_changed_under_documents_is_told() {
    use Severity::{Error, Warning};
    let marked = |name: &str, mark: &str| [("counted", vec![item(&[("id", "a"), ("_vf_counts", MARK), (name, mark)])])];
    let mark = "last_event_id";
    one(mark, &marked("_vf_tally", MARK), Error, "`_vf_tally`");
    one(mark, &marked("_vf_counts", "kinesis/other/001/7/0000000000"), Error, "another stream");
    one(mark, &marked("_vf_counts", "2026-01-01"), Error, "`order_by` that is no more");
    one("{ last_event_id: shard }", &marked("x", "y"), Error, "none for each shard");
    one("none", &marked("x", "y"), Error, "where the guard keeps none");
    one(mark, &[("counted", vec![item(&[("id", "a")])])], Warning, "have no `_vf_counts`");
}

#[test]
fn what_changed_under_rows_is_told() {
    use Severity::{Advice, Error, Warning};
    let row = |pk: &str, sk: &str, mark: &str| item(&[("pk", pk), ("sk", sk), ("mark", mark)]);
    let marks = |other: Item| [("viewfold_marks", vec![row("counts/orders/a", "-", MARK), other])];
    let lane = "{ last_event_id: lane }";
    one(lane, &marks(row("tally/orders/a", "-", MARK)), Advice, "`tally`");
    one(lane, &marks(row("counts/sales/a", "-", MARK)), Error, "source `sales`");
    one(lane, &marks(row("counts/orders/b", "-", "kinesis/sales/001/7")), Error, "another stream");
    let ids = [("ids", vec![row("counts/%7B%22id", "1/e1", "")])];
    one("{ events_table: ids }", &ids, Error, "`order_by` that it has no more");
    let empty = [("counted", vec![item(&[("id", "a")])]), ("viewfold_marks", vec![])];
    one(lane, &empty, Warning, "no row of `counts`");
}

#[test]
fn contributions_to_another_key_are_told() {
    let contributes = r#"[[[{"S":"a"},{"S":"b"}],[]]]"#;
    let row = item(&[("pk", "counts/orders/a"), ("sk", "-"), ("mark", MARK), ("contributes", contributes)]);
    one("{ last_event_id: lane }", &[("viewfold_marks", vec![row])], Severity::Error, "another key");
}
