//! What is to be filled: the projections that were named, and the tables that they read.

use crate::output::{Failure, note};
use viewfold_core::backfill::doubts;
use viewfold_core::program::{Payload, Program, Stream, StreamIdentity};
use viewfold_spec::suggest;

/// A table whose items projections are filled with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Table {
    /// Its stream's number in the program.
    pub(crate) stream: usize,
    /// Its name.
    pub(crate) name: String,
    /// The projections that read it.
    pub(crate) projections: Vec<String>,
}

/// The program with the projections of these names alone; with all of them, where there are none.
///
/// # Errors
///
/// When a name is of no projection.
pub(crate) fn chosen(program: Program, names: &[String]) -> Result<Program, Failure> {
    for name in names {
        if !program.projections.iter().any(|projection| projection.name == *name) {
            let known: Vec<&str> = program.projections.iter().map(|projection| projection.name.as_str()).collect();
            return Err(Failure::wrong_use(format!(
                "there is no projection `{name}` among these: there is {}",
                suggest::list(known)
            )));
        }
    }
    if names.is_empty() {
        return Ok(program);
    }
    Ok(program.only(|projection| names.contains(&projection.name)))
}

/// The tables that the program's projections read, each behind those that it is a view of.
pub(crate) fn tables(program: &Program) -> Vec<Table> {
    let mut left: Vec<Table> = program
        .streams
        .iter()
        .enumerate()
        .filter(|(_, stream)| !stream.readers.is_empty() && stream.payload == Payload::Change)
        .filter_map(|(number, stream)| match &stream.identity {
            StreamIdentity::Dynamodb(name) => {
                let readers =
                    stream.readers.iter().map(|(projection, _)| program.projections[*projection].name.clone());
                let mut projections: Vec<String> = readers.collect();
                projections.dedup();
                Some(Table { stream: number, name: name.clone(), projections })
            }
            StreamIdentity::Kinesis(_) | StreamIdentity::Sqs(_) => None,
        })
        .collect();
    let mut ordered: Vec<Table> = Vec::new();
    while !left.is_empty() {
        // What writes to it has been filled, or is not filled at all.
        let is_ready = |table: &Table| {
            let mut writers = program.projections.iter().filter(|projection| *projection.table.name == *table.name);
            writers.all(|writer| {
                !left.iter().any(|other| other.name != table.name && other.projections.contains(&writer.name))
            })
        };
        let at = left.iter().position(is_ready).unwrap_or(0);
        ordered.push(left.remove(at));
    }
    ordered
}

/// Why the views would not come out right, projection by projection, each a sentence.
fn all_doubts(program: &Program, table: &Table) -> Vec<String> {
    let readers = program.streams[table.stream].readers.iter();
    let doubts = readers.flat_map(|(number, source)| {
        let projection = &program.projections[*number];
        doubts(projection, *source).into_iter().map(|doubt| format!("{}: {doubt}", projection.name))
    });
    doubts.collect()
}

/// Refuses what would not come out right.
///
/// # Errors
///
/// Then, unless `is_told` that it is meant.
pub(crate) fn check(program: &Program, tables: &[Table], is_told: bool) -> Result<(), Failure> {
    let doubts: Vec<String> = tables.iter().flat_map(|table| all_doubts(program, table)).collect();
    let listed: String = doubts.iter().map(|doubt| format!("\n  {doubt}")).collect();
    match (doubts.is_empty(), is_told) {
        (true, _) => Ok(()),
        (false, true) => {
            note(&format!("taken for inserts all the same:{listed}"));
            Ok(())
        }
        (false, false) => Err(Failure::new(format!(
            "the items of a table cannot stand for the events that made them:{listed}\n\
             --projection NAME fills others alone; --items-as-inserts takes each item for one insert all the same"
        ))),
    }
}

/// Names the projections that no table fills, or not all of them.
pub(crate) fn tell_left_out(program: &Program) {
    for (projection, others) in read_besides(program, is_of_table) {
        note(&format!(
            "{projection}: what comes by {others} is in no table, and is left out; --from-stream reads what a \
             Kinesis stream retains, --from PATH takes it out of files"
        ));
    }
}

/// The projections that read views of others that are chosen with them, each with the view's table: files and Kinesis streams have
/// no events of those.
pub(crate) fn views_of_views(program: &Program) -> Vec<(&str, &str)> {
    let is_view = |name: &str| program.projections.iter().any(|projection| &*projection.table.name == name);
    let all = program.projections.iter().flat_map(|projection| {
        projection
            .sources
            .iter()
            .map(move |source| (projection.name.as_str(), program.streams[source.stream].identity.name()))
    });
    all.filter(|(_, table)| is_view(table)).collect()
}

/// Names the projections that no Kinesis stream fills, or not all of them.
pub(crate) fn tell_not_of_kinesis(program: &Program) {
    for (projection, others) in read_besides(program, is_of_kinesis) {
        note(&format!("{projection}: what comes by {others} is in no Kinesis stream, and is left out"));
    }
}

/// The projections that read more than such streams, each with the others in words.
pub(crate) fn read_besides(program: &Program, is_such: impl Fn(&Stream) -> bool) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for projection in &program.projections {
        let identities = projection.sources.iter().map(|source| &program.streams[source.stream]);
        let others: Vec<String> = identities
            .filter(|stream| !is_such(stream))
            .map(|stream| match &stream.identity {
                StreamIdentity::Sqs(name) => format!("the queue {name}"),
                StreamIdentity::Kinesis(name) | StreamIdentity::Dynamodb(name) => format!("the stream {name}"),
            })
            .collect();
        if !others.is_empty() {
            all.push((projection.name.clone(), others.join(" and ")));
        }
    }
    all
}

/// Whether a stream is of Kinesis.
pub(crate) fn is_of_kinesis(stream: &Stream) -> bool {
    matches!(stream.identity, StreamIdentity::Kinesis(_))
}

/// Whether a stream is a table's own, whose items can be read.
fn is_of_table(stream: &Stream) -> bool {
    stream.payload == Payload::Change && matches!(stream.identity, StreamIdentity::Dynamodb(_))
}
