//! `viewfold rebuild`

use super::backfill::fill;
use super::load_one;
use super::verify::{Source, verify};
use crate::arguments::Format;
use crate::arguments::lifecycle::Rebuild;
use crate::backfilling::chosen;
use crate::backfilling::destination::found;
use crate::backfilling::files::Files;
use crate::output::{Failure, Outcome, count, note, print, warn};
use crate::store::{self, Connection};
use crate::verifying::beside::{Tally, beside};
use crate::verifying::repair::Fate;
use crate::verifying::show::for_people;
use serde_json::json;
use viewfold_core::program::Program;
use viewfold_core::tables::required;
use viewfold_dynamodb::tables::create_if_missing;
use viewfold_spec::projection::versioned;

/// The most differences that are told one by one.
const MAX_TOLD: usize = 20;

/// Fills the next version of views beside the live one, and compares.
pub(crate) fn run(arguments: &Rebuild) -> Result<Outcome, Failure> {
    let fill_arguments = &arguments.fill;
    let compiled = load_one(&fill_arguments.paths, &fill_arguments.store.prefix.table_prefix)?;
    warn(&compiled.warnings);
    let program = chosen::chosen(compiled.program, &fill_arguments.projection)?;
    if let Some(first) = program.projections.iter().find(|projection| projection.version < 2) {
        return Err(Failure::wrong_use(format!(
            "{} is version 1: give the changed projection `version: 2`, in a file of its own, so that it has tables beside the live \
             ones; --projection NAME chooses others",
            first.name
        )));
    }
    if fill_arguments.from_stream {
        return Err(Failure::wrong_use(
            "a version that is made of a Kinesis stream is filled before the function has it, and can be compared when it has: make its \
             tables (`viewfold tables --create`), and run `viewfold backfill --from-stream` and `viewfold verify --from-stream`",
        ));
    }
    let tables = chosen::tables(&program);
    if fill_arguments.from.is_empty() {
        if tables.is_empty() {
            return Err(Failure::wrong_use(
                "none of these projections reads a DynamoDB table; what came through a Kinesis stream is filled by `viewfold backfill \
                 --from-stream` as far as the stream retains it, and from files by --from PATH",
            ));
        }
        chosen::check(&program, &tables, fill_arguments.items_as_inserts)?;
    }
    store::runtime()?.block_on(async {
        let connection = store::connect_kept(&fill_arguments.store.place, "the tables are").await?;
        if !fill_arguments.dry_run {
            for needed in required(&program) {
                if create_if_missing(connection.store.client(), &needed).await.map_err(Failure::new)? {
                    note(&format!("made {}", needed.table.name));
                }
            }
        }
        let Some(done) = fill(fill_arguments, &program, &connection, &tables).await? else {
            return Ok(Outcome::Done);
        };
        note(&format!("filled: {} applied, {} known already", done.applied, done.repeated));
        let files = match fill_arguments.from.is_empty() {
            true => None,
            false => Some(Files::find(&fill_arguments.from)?),
        };
        let limits = (arguments.settle, fill_arguments.limits.max_read_units);
        let source = match &files {
            Some(files) => Source::Files(files, &tables),
            None => Source::Tables(&tables),
        };
        let verified = verify(&program, &connection, source, limits).await?;
        let tallies = tallies(&program, &connection, limits.1).await?;
        let settled = &verified.settled;
        let is_right = settled.stays.is_empty() && settled.moves.is_empty();
        match fill_arguments.format {
            Format::Text => {
                let told = settled.stays.iter().map(|one| (one, Fate::Told)).chain(settled.moves.iter().map(|one| (one, Fate::Moving)));
                for (difference, fate) in told.take(MAX_TOLD) {
                    print(&for_people(&verified.views[difference.table], difference, fate))?;
                }
                for (name, old, tally) in &tallies {
                    print(&format!("{name} beside {old}: {}\n", tally.in_words()))?;
                }
                let names = program.projections.iter().map(|projection| projection.table.name.to_string());
                let names = names.collect::<Vec<String>>().join(", ");
                let documents = count(usize::try_from(verified.documents).unwrap_or(usize::MAX), "document");
                let verdict = match is_right {
                    true => format!(
                        "{documents}, all as their source makes them: readers can switch to {names}. When nobody reads the old \
                         version any more, take its file out of the deployment, and remove it with `viewfold retire`"
                    ),
                    false => format!(
                        "{} not as they have to be: wait until the function has caught up, and run this again, or put them right with \
                         `viewfold verify --repair`; readers should not switch to {names} yet",
                        count(settled.stays.len() + settled.moves.len(), "item")
                    ),
                };
                print(&format!("{verdict}\n"))?;
            }
            Format::Json => {
                let beside = tallies.iter().map(|(name, old, tally)| {
                    let Tally { same, different, only_old, only_new } = tally;
                    json!({
                        "table": name, "beside": old, "same": same, "different": different, "only_old": only_old, "only_new": only_new,
                    })
                });
                let report = json!({
                    "documents": verified.documents, "differences": settled.stays.len(), "moving": settled.moves.len(),
                    "ready": is_right, "beside": beside.collect::<Vec<_>>(),
                });
                print(&format!("{report:#}\n"))?;
            }
        }
        Ok(if is_right { Outcome::Done } else { Outcome::Findings })
    })
}

/// Each view beside that of the version before, where that is there.
async fn tallies(
    program: &Program,
    connection: &Connection,
    read_units: Option<f64>,
) -> Result<Vec<(String, String, Tally)>, Failure> {
    let mut tallies = Vec::new();
    for projection in &program.projections {
        let name = &projection.table.name;
        let base = name.strip_suffix(&format!(".v{}", projection.version)).unwrap_or(name);
        let old = versioned(base, projection.version - 1);
        match found(connection, &old).await? {
            None => note(&format!("there is no table {old} to compare {name} with")),
            Some(there) => {
                let tally = beside(program, projection, connection, (&old, &there), read_units).await?;
                tallies.push((name.to_string(), old, tally));
            }
        }
    }
    Ok(tallies)
}
