//! What the function does to which tables: the knowledge that its role is made of.
//!
//! A function carries out the projections that read one stream. Which requests that can take follows from their guards and
//! rules, and from what [`plan`](crate::plan) makes of them; a change there is a change here, which the whole-system tests
//! watch over: they hold every request that the function sends against this, and this against the requests.
//!
//! | table | operation | where |
//! |---|---|---|
//! | documents | `UpdateItem` | always |
//! | | `BatchGetItem` | always: where the store refuses a write, the event to blame is looked for beside its document |
//! | | `DeleteItem` | a document can be deleted, and nothing of it has to stay |
//! | | `ConditionCheckItem` | a dead letter of a document that has no mark, because it is not there |
//! | marks | `PutItem` | always: the row of a lane is written as a whole |
//! | | `BatchGetItem` | `retract`: what an item contributed stands in its row |
//! | events | `PutItem` | always |
//! | | `BatchGetItem`, `Query` | `order_by`: for a late event its own row is looked for, then all of its document's |
//! | dead letters | `Query` | always: events that wait there are left to be redriven |
//! | | `PutItem` | `on_error: dead_letter` |
//! | marks, or dead letters where there are none | `Query`, `PutItem` | always: which projections are deployed is written down, and compared with |
//! | | `DeleteItem` | `order_by`: with a late event before it, an event may be one that can be applied |

use crate::program::{Guard, OnError, Program, Projection, Source};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// An operation on the items of a table, as IAM names it. (`TransactWriteItems` has no permission of its own: its actions
/// need those of the operations that they are.)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Operation {
    /// Reading items by their keys.
    BatchGetItem,
    /// A condition on an item that is not written, in a transaction.
    ConditionCheckItem,
    /// The removal of an item.
    DeleteItem,
    /// The write of a whole item.
    PutItem,
    /// Reading all items of a partition.
    Query,
    /// The write of some attributes of an item.
    UpdateItem,
}

impl Operation {
    /// Its name behind `dynamodb:`.
    pub const fn name(self) -> &'static str {
        match self {
            Operation::BatchGetItem => "BatchGetItem",
            Operation::ConditionCheckItem => "ConditionCheckItem",
            Operation::DeleteItem => "DeleteItem",
            Operation::PutItem => "PutItem",
            Operation::Query => "Query",
            Operation::UpdateItem => "UpdateItem",
        }
    }
}

/// Tables by their real names, and what is done to each.
pub type Access = BTreeMap<Arc<str>, BTreeSet<Operation>>;

/// What the function of a stream does to which tables.
///
/// No index is among them: the function reads by key alone, and indexes follow their tables by themselves.
pub fn of_stream(program: &Program, stream: usize) -> Access {
    let mut access = Access::new();
    for (projection, source) in &program.streams[stream].readers {
        let projection = &program.projections[*projection];
        let source = &projection.sources[*source];
        let mut allow = |table: &Arc<str>, operations: &[Operation]| {
            access.entry(Arc::clone(table)).or_default().extend(operations);
        };
        allow(&projection.table.name, &on_documents(program, projection, source));
        if let Some(table) = source.guard.table() {
            allow(table, on_rows(source));
        }
        if let Some(table) = &program.dead_letters {
            allow(table, &on_dead_letters(projection, source));
        }
        if let Some(table) = program.record_table() {
            allow(table, &[Operation::Query, Operation::PutItem]);
        }
    }
    access
}

fn on_documents(program: &Program, projection: &Projection, source: &Source) -> Vec<Operation> {
    let mut operations = vec![Operation::UpdateItem, Operation::BatchGetItem];
    // Where guards keep something on the document, or others have attributes there, a row stays behind: an update.
    if projection.can_delete() && !projection.shared && projection.kept_attributes().is_empty() {
        operations.push(Operation::DeleteItem);
    }
    if keeps_letters(projection) && program.dead_letters.is_some() && matches!(source.guard, Guard::Document { .. }) {
        operations.push(Operation::ConditionCheckItem);
    }
    operations
}

/// What a guard that has a table of its own does there.
fn on_rows(source: &Source) -> &'static [Operation] {
    match &source.guard {
        Guard::None | Guard::Document { .. } => &[],
        Guard::Lane { .. } if source.retracts => &[Operation::PutItem, Operation::BatchGetItem],
        Guard::Lane { .. } | Guard::EventsTable { order_by: None, .. } => &[Operation::PutItem],
        Guard::EventsTable { order_by: Some(_), .. } => {
            &[Operation::PutItem, Operation::BatchGetItem, Operation::Query]
        }
    }
}

fn on_dead_letters(projection: &Projection, source: &Source) -> Vec<Operation> {
    // Also where the projection keeps no letters by now: it may have kept them before.
    let mut operations = vec![Operation::Query];
    if keeps_letters(projection) {
        operations.push(Operation::PutItem);
    }
    if matches!(source.guard, Guard::EventsTable { order_by: Some(_), .. }) {
        operations.push(Operation::DeleteItem);
    }
    operations
}

fn keeps_letters(projection: &Projection) -> bool {
    projection.on_error == OnError::DeadLetter
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::{File, Options, compile};

    /// What the function does to each table, for a projection over the stream `s` with this guard and these lines.
    fn access(source: &str, guard: &str, lines: &str) -> String {
        let text = format!(
            "projection: p\nsource: {source}\ndocument: {{ table: Docs, partition_key: id }}\nguard: {guard}\n{lines}\n"
        );
        let source = Arc::new(viewfold_spec::Source { name: "p.yaml".into(), text });
        let projection = viewfold_spec::parse(&source).expect("a projection");
        let file = File { source, projection, schemas: BTreeMap::new() };
        let program = compile(&[file], &Options::default()).expect("a program").program;
        let lines = of_stream(&program, 0).into_iter().map(|(table, operations)| {
            let names: Vec<&str> = operations.into_iter().map(Operation::name).collect();
            format!("{table}: {}", names.join(" "))
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    const KINESIS: &str = "{ kinesis: { stream: s, lane: $.id } }";
    const TABLE: &str = "{ dynamodb: { table: source, keys: [id] } }";
    const ADD: &str = "rules: [{ key: { id: $.id }, add: { n: 1 } }]";

    #[test]
    fn a_mark_on_the_document_takes_a_condition_for_letters() {
        assert_eq!(
            access(KINESIS, "last_event_id", ADD),
            "Docs: BatchGetItem ConditionCheckItem UpdateItem\nviewfold_dead_letters: PutItem Query"
        );
        assert_eq!(
            access(KINESIS, "last_event_id", &format!("on_error: skip\n{ADD}")),
            "Docs: BatchGetItem UpdateItem"
        );
        // The row of a deleted document stays: it has the mark.
        let delete = "rules: [{ key: { id: $.id }, delete: true }]";
        assert_eq!(
            access(KINESIS, "last_event_id", &format!("on_error: fail\n{delete}")),
            "Docs: BatchGetItem UpdateItem"
        );
    }

    #[test]
    fn only_what_can_be_deleted_whole_is() {
        let delete = "on_error: skip\nrules: [{ key: { id: $.id }, any_order: true, delete: true }]";
        assert_eq!(access(KINESIS, "none", delete), "Docs: BatchGetItem DeleteItem UpdateItem");
    }

    #[test]
    fn rows_of_lanes_are_read_for_what_is_taken_back() {
        assert_eq!(
            access(KINESIS, "{ last_event_id: lane }", &format!("on_error: skip\n{ADD}")),
            "Docs: BatchGetItem UpdateItem\nviewfold_marks: PutItem Query"
        );
        let retract = "on_error: skip\nrules: [{ key: { id: $.k }, retract: true, add: { n: 1 } }]";
        assert_eq!(
            access(TABLE, "{ last_event_id: lane }", retract),
            "Docs: BatchGetItem UpdateItem\nviewfold_marks: BatchGetItem PutItem Query"
        );
    }

    #[test]
    fn rows_of_events_are_read_where_they_have_an_order() {
        assert_eq!(
            access(KINESIS, "{ events_table: Events }", ADD),
            "Docs: BatchGetItem UpdateItem\nEvents: PutItem\nviewfold_dead_letters: PutItem Query"
        );
        assert_eq!(
            access(KINESIS, "{ events_table: Events, id: $.i, order_by: $.n }", ADD),
            "Docs: BatchGetItem UpdateItem\nEvents: BatchGetItem PutItem Query\n\
             viewfold_dead_letters: DeleteItem PutItem Query"
        );
    }
}
