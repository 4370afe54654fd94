//! `viewfold retire`

use super::load_one;
use crate::arguments::lifecycle::Retire;
use crate::backfilling::chosen;
use crate::backfilling::destination::found;
use crate::output::{Failure, Outcome, count, note, print};
use crate::store::{self, Connection};
use std::collections::BTreeSet;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use viewfold_core::bookkeeping::{parts, row};
use viewfold_core::change::record::PARTITION;
use viewfold_core::program::{Program, StreamIdentity};
use viewfold_core::tables::{Needed, Purpose, required};
use viewfold_dynamodb::scan::{Segment, page};
use viewfold_dynamodb::tables::delete_items;
use viewfold_value::Item;

/// What is removed.
struct Removal {
    /// Tables that are the projections' own, with how many items each has.
    tables: Vec<(String, u64)>,
    /// Tables of marks that others use, too.
    marks: Vec<String>,
    /// Tables that stay, and why.
    kept: Vec<(String, String)>,
}

/// Removes what projections leave behind that are not needed any more.
pub(crate) fn run(arguments: &Retire) -> Result<Outcome, Failure> {
    let prefix = &arguments.store.prefix.table_prefix;
    let old = chosen::chosen(load_one(&arguments.paths, prefix)?.program, &arguments.projection)?;
    let deployed = load_one(&arguments.deployed, prefix)?.program;
    for projection in &old.projections {
        if deployed.projections.iter().any(|other| other.name == projection.name) {
            return Err(Failure::new(format!(
                "{} is among those that stay deployed: take its file out of there, deploy, and then remove it",
                projection.name
            )));
        }
    }
    store::runtime()?.block_on(async {
        let connection = store::connect_kept(&arguments.store.place, "the tables are").await?;
        let removal = removal(&old, &deployed, &connection).await?;
        for (table, items) in &removal.tables {
            note(&format!(
                "the table {table}, with about {}",
                count(usize::try_from(*items).unwrap_or(usize::MAX), "item")
            ));
        }
        let names: Vec<&str> = old.projections.iter().map(|projection| projection.name.as_str()).collect();
        for table in &removal.marks {
            note(&format!("the rows of {} in {table}", names.join(", ")));
        }
        for (table, why) in &removal.kept {
            note(&format!("stays: the table {table}, {why}"));
        }
        if removal.tables.is_empty() && removal.marks.is_empty() {
            print("there is nothing to remove\n")?;
            return Ok(Outcome::Done);
        }
        if arguments.dry_run {
            return Ok(Outcome::Done);
        }
        ask(arguments, &names)?;
        // Marks first: while the documents are there, a command that was ended can be run again.
        for table in &removal.marks {
            let removed = remove_rows(&old, &connection, table).await?;
            print(&format!("removed {} from {table}\n", count(removed, "row")))?;
        }
        forget(&old, &connection).await?;
        for (table, _) in &removal.tables {
            let deleted = connection.store.client().delete_table().table_name(table).send().await;
            deleted.map_err(|error| {
                let why = viewfold_dynamodb::inspect::Unread::of("dynamodb:DeleteTable", &error);
                Failure::new(format!("the table {table} cannot be removed: {why}"))
            })?;
            print(&format!("removed {table}\n"))?;
        }
        Ok(Outcome::Done)
    })
}

/// What of the tables is the projections' own.
async fn removal(old: &Program, deployed: &Program, connection: &Connection) -> Result<Removal, Failure> {
    let needed: BTreeSet<String> = required(deployed).iter().map(|needed| needed.table.name.to_string()).collect();
    let is_read = |table: &str| {
        let streams = deployed.streams.iter().filter(|stream| !stream.readers.is_empty());
        streams.into_iter().any(|stream| matches!(&stream.identity, StreamIdentity::Dynamodb(name) if name == table))
    };
    let is_shared =
        |table: &str| old.projections.iter().any(|projection| *projection.table.name == *table && projection.shared);
    let mut removal = Removal { tables: Vec::new(), marks: Vec::new(), kept: Vec::new() };
    for Needed { purpose, table, .. } in required(old) {
        let name = table.name.to_string();
        let Some(there) = found(connection, &name).await? else { continue };
        match purpose {
            Purpose::DeadLetters => {}
            Purpose::Marks => removal.marks.push(name),
            _ if needed.contains(&name) => removal.kept.push((name, "which projections that stay use".to_owned())),
            _ if is_read(&name) => removal.kept.push((name, "whose stream projections that stay read".to_owned())),
            _ if is_shared(&name) => removal.kept.push((name, "to whose items others write, too".to_owned())),
            Purpose::Documents | Purpose::Events => removal.tables.push((name, there.items)),
        }
    }
    Ok(removal)
}

/// Removes what the function has written down of the projections: another one on their tables is none of them under a new name.
async fn forget(old: &Program, connection: &Connection) -> Result<(), Failure> {
    let Some(table) = old.record_table() else { return Ok(()) };
    if found(connection, table).await?.is_none() {
        return Ok(());
    }
    let keys = old.projections.iter().map(|projection| row(PARTITION.to_owned(), projection.name.clone()));
    let keys: Vec<Item> = keys.collect();
    delete_items(connection.store.client(), table, &keys.iter().collect::<Vec<_>>()).await.map_err(Failure::new)
}

/// Removes the rows of the projections' lanes; how many there were.
async fn remove_rows(old: &Program, connection: &Connection, table: &str) -> Result<usize, Failure> {
    let mut removed = 0;
    let mut from = None;
    loop {
        let all = Segment { number: 0, of: 1 };
        let rows = page(connection.store.client(), table, all, from.as_ref(), None).await;
        let rows = rows.map_err(|why| Failure::new(format!("the table {table} cannot be read: {why}")))?;
        let is_own = |row: &&Item| {
            parts(row).is_some_and(|(name, _)| old.projections.iter().any(|projection| projection.name == name))
        };
        let keys: Vec<Item> = rows.items.iter().filter(is_own).map(key_of_row).collect();
        delete_items(connection.store.client(), table, &keys.iter().collect::<Vec<_>>()).await.map_err(Failure::new)?;
        removed += keys.len();
        from = rows.next;
        if from.is_none() {
            return Ok(removed);
        }
    }
}

fn key_of_row(row: &Item) -> Item {
    use viewfold_core::bookkeeping::{PARTITION_KEY, SORT_KEY};
    crate::backfilling::destination::key_of(row, [PARTITION_KEY, SORT_KEY].into_iter())
}

fn ask(arguments: &Retire, names: &[&str]) -> Result<(), Failure> {
    if arguments.yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::new("nothing was removed: --yes removes it without being asked"));
    }
    let wanted = names.join(" ");
    let _ = write!(io::stderr(), "All of this is gone then. To remove it, type {wanted}: ");
    let _ = io::stderr().flush();
    let mut answer = String::new();
    match (io::stdin().lock().read_line(&mut answer), answer.trim() == wanted) {
        (Ok(_), true) => Ok(()),
        _ => Err(Failure::new("nothing was removed")),
    }
}
