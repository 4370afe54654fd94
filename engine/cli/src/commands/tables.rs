//! `viewfold tables`

use super::load_one;
use crate::arguments::{RunFormat, Tables};
use crate::output::{Failure, Outcome, note, print};
use crate::store;
use comfy_table::Table as Grid;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use serde_json::Value as Json;
use viewfold_core::program::key_kind;
use viewfold_core::tables::{Needed, Purpose, required};
use viewfold_dynamodb::tables::{create_if_missing, create_request};

/// Prints the tables that projections need, or makes those that are missing.
pub(crate) fn run(arguments: &Tables) -> Result<Outcome, Failure> {
    let compiled = load_one(&arguments.paths, &arguments.store.prefix.table_prefix)?;
    let tables = required(&compiled.program);
    if arguments.create {
        return store::runtime()?.block_on(create(arguments, &tables));
    }
    match arguments.format {
        RunFormat::Json => {
            let requests: Vec<Json> = tables.iter().map(create_request).collect();
            print(&format!("{:#}\n", Json::from(requests)))?;
            // CreateTable does not take it.
            for Needed { table, .. } in &tables {
                if let Some(attribute) = &table.ttl {
                    note(&format!(
                        "TTL takes a request of its own: aws dynamodb update-time-to-live --table-name {} \
                         --time-to-live-specification Enabled=true,AttributeName={attribute}",
                        table.name
                    ));
                }
            }
        }
        RunFormat::Table => print(&overview(&tables))?,
    }
    Ok(Outcome::Done)
}

async fn create(arguments: &Tables, tables: &[Needed]) -> Result<Outcome, Failure> {
    let connection = store::connect(&arguments.store.place).await?;
    let mut failed = false;
    for needed in tables {
        match create_if_missing(connection.store.client(), needed).await {
            Ok(true) => print(&format!("made {}\n", needed.table.name))?,
            Ok(false) => print(&format!("{} is there\n", needed.table.name))?,
            Err(message) => {
                failed = true;
                note(&format!("error: {message}"));
            }
        }
    }
    Ok(if failed { Outcome::Findings } else { Outcome::Done })
}

fn overview(tables: &[Needed]) -> String {
    let mut grid = Grid::new();
    grid.load_style(UTF8_FULL_CONDENSED).set_header(["table", "holds", "key", "indexes", "TTL", "stream"]);
    for Needed { purpose, table, stream } in tables {
        let holds = match purpose {
            Purpose::Documents => "documents",
            Purpose::Marks => "marks of lanes",
            Purpose::Events => "events",
            Purpose::DeadLetters => "dead letters",
        };
        let key: Vec<String> = table.keys().map(|key| format!("{} ({})", key.name, key_kind(key.kind))).collect();
        let indexes: Vec<&str> = table.indexes.iter().map(|index| index.name.as_str()).collect();
        let ttl = table.ttl.as_deref().unwrap_or_default();
        let stream = if *stream { "new and old images" } else { "" };
        grid.add_row([&table.name, holds, &key.join(", "), &indexes.join(", "), ttl, stream]);
    }
    format!("{grid}\n")
}
