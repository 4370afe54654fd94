//! Whether live views can go on with the projections that are deployed: they are compared with those that were deployed
//! before, which are written down with the marks, where there are such, or with the dead letters.

use crate::Store;
use std::collections::BTreeMap;
use std::sync::Arc;
use viewfold_core::bookkeeping::PARTITION_KEY;
use viewfold_core::change::record::{HASH, HEADS, Judgement, PARTITION, Write, judge};
use viewfold_core::compile::{File, Options};
use viewfold_core::plan::{Action, Answer, Form, Put, Request};
use viewfold_core::program::Program;
use viewfold_value::{Item, Value};

/// How often others may come in between.
const ATTEMPTS: usize = 5;

/// Projections that are to go on with live views.
#[derive(Debug)]
pub struct Deployed {
    /// Their files.
    pub files: Vec<File>,
    /// What the deployment says of its tables.
    pub options: Options,
    /// The hashes of those that may start whatever has changed (`VIEWFOLD_ACCEPT_CHANGES`).
    pub accepted: BTreeMap<String, String>,
}

/// Why they cannot, or not yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotFollowed {
    /// The store did not say what was deployed before.
    Unknown(String),
    /// What has changed, why that cannot go on, and what to do.
    Refused(String),
}

impl Deployed {
    /// Compares, and writes down what is deployed now. What is said of it are lines for the log: what changes from now on, and
    /// what could not be written down. Without either table nothing is known, and nothing is said.
    ///
    /// # Errors
    ///
    /// When a view cannot go on, or that is not known.
    pub async fn follow(&self, store: &Store, program: &Program, now: &str) -> Result<Vec<String>, NotFollowed> {
        let Some(table) = program.record_table() else { return Ok(Vec::new()) };
        let mut notes = Vec::new();
        for _ in 0..ATTEMPTS {
            let judged = |rows: &[Item]| judge(&self.files, program, &self.options, rows, &self.accepted, now);
            let heads = rows(store, table, &HEADS).await.map_err(NotFollowed::Unknown)?;
            let mut judgement = judged(&heads);
            if !judgement.is_settled() && !heads.is_empty() {
                judgement = judged(&rows(store, table, &[]).await.map_err(NotFollowed::Unknown)?);
            }
            let Judgement { writes, notes: said, refused } = judgement;
            if !refused.is_empty() {
                return Err(NotFollowed::Refused(refused.join("\n")));
            }
            notes.extend(said);
            if !write(store, table, writes, &mut notes).await {
                return Ok(notes);
            }
            // Another instance was faster: what it has written down is what to compare with.
            notes.clear();
        }
        Err(NotFollowed::Unknown(format!("{table}: others write down what is deployed all the time")))
    }
}

/// The rows of what was deployed before, with these attributes, or with all where none is named.
async fn rows(store: &Store, table: &Arc<str>, attributes: &'static [&'static str]) -> Result<Vec<Item>, String> {
    let partition = (PARTITION_KEY.to_owned(), Value::from(PARTITION));
    let table = Arc::clone(table);
    match store.send(&Request::Query { table, partition, limit: usize::MAX, attributes }).await {
        Answer::Rows(Some(rows)) => Ok(rows),
        Answer::Failed(message) | Answer::Refused(message) => Err(message),
        other => Err(format!("the projections that were deployed before cannot be read: {other:?}")),
    }
}

/// Writes rows; whether another instance came in between.
async fn write(store: &Store, table: &Arc<str>, writes: Vec<Write>, notes: &mut Vec<String>) -> bool {
    let mut is_late = false;
    for Write { row, replaces } in writes {
        let table = Arc::clone(table);
        let put = match replaces {
            None => Put::new_item(table, row, PARTITION_KEY),
            Some(hash) => Put {
                table,
                item: row.into(),
                form: Arc::new(Form {
                    expression: String::new(),
                    condition: Some("#0 = :0".to_owned()),
                    names: vec![HASH.to_owned()],
                }),
                values: vec![Value::String(hash)],
            },
        };
        match store.send(&Request::Write(Action::Put(put))).await {
            Answer::Done => {}
            Answer::ConditionFailed(_) => is_late = true,
            // The views can go on; the next start writes it down.
            Answer::Failed(message) | Answer::Refused(message) => {
                notes.push(format!("what is deployed could not be written down: {message}"));
                return false;
            }
            other => {
                notes.push(format!("what is deployed could not be written down: {other:?}"));
                return false;
            }
        }
    }
    is_late
}
