//! What is there. Everything that is asked is asked here, and nothing is changed: DescribeTable, DescribeTimeToLive,
//! DescribeContinuousBackups, Scan, Query, ListEventSourceMappings.

use super::mapping::{self, Mapping};
use crate::output::Failure;
use std::collections::BTreeMap;
use viewfold_core::dead_letter;
use viewfold_core::program::{Program, StreamIdentity};
use viewfold_core::tables::Needed;
use viewfold_dynamodb::Store;
use viewfold_dynamodb::inspect::{self, Found, Sample, Unread};

/// The most open dead letters of a source that are counted.
pub(crate) const MOST_LETTERS: usize = 1000;

/// What is there.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Each table that was looked at, by its real name.
    pub(crate) tables: BTreeMap<String, TableFacts>,
    /// The event source mappings; none where nobody could be asked.
    pub(crate) mappings: Option<Vec<Mapping>>,
    /// The open dead letters of each source that projections read.
    pub(crate) letters: Vec<(String, Sample)>,
    /// What could not be looked at, and why.
    pub(crate) unread: Vec<(String, Unread)>,
}

/// What is there of a table. What is not known could not be looked at.
#[derive(Debug, Default)]
pub(crate) struct TableFacts {
    /// The table; the inner one is nothing where there is none.
    pub(crate) found: Option<Option<Found>>,
    pub(crate) ttl: Option<Option<String>>,
    pub(crate) backups: Option<bool>,
    pub(crate) sample: Option<Sample>,
}

/// Where facts are asked for.
pub(crate) struct Places<'p> {
    pub(crate) store: &'p Store,
    /// Lambda, where there is one to be asked.
    pub(crate) lambda: Option<&'p aws_sdk_lambda::Client>,
    /// How many items of each table are looked at.
    pub(crate) sample: usize,
    /// Whether it is AWS: backups of emulators are nobody's concern.
    pub(crate) is_aws: bool,
}

/// Asks for everything.
///
/// # Errors
///
/// When nobody answers.
pub(crate) async fn gather(program: &Program, needed: &[Needed], places: &Places<'_>) -> Result<Facts, Failure> {
    let mut facts = Facts::default();
    for needed in needed {
        facts.look_at_needed(&needed.table.name, places).await?;
    }
    for stream in &program.streams {
        if let StreamIdentity::Dynamodb(table) = &stream.identity
            && !facts.tables.contains_key(table)
        {
            let found = inspect::table(places.store.client(), table).await;
            let found = facts.known(&format!("table {table}"), found)?;
            facts.tables.insert(table.clone(), TableFacts { found, ..TableFacts::default() });
        }
    }
    if let Some(lambda) = places.lambda {
        let mappings = mapping::all(lambda).await;
        facts.mappings = facts.known("event source mappings", mappings)?;
    }
    if let Some(table) = &program.dead_letters
        && facts.is_there(table)
    {
        facts.count_letters(program, table, places).await?;
    }
    Ok(facts)
}

impl Facts {
    /// Whether a table is known to be there.
    fn is_there(&self, table: &str) -> bool {
        self.found(table).is_some()
    }

    /// A table, where it is known and there.
    pub(crate) fn found(&self, table: &str) -> Option<&Found> {
        self.tables.get(table)?.found.as_ref()?.as_ref()
    }

    /// What was answered; nothing where it was refused, which is kept. Where nobody answered there is nothing to find.
    fn known<T>(&mut self, place: &str, answer: Result<T, Unread>) -> Result<Option<T>, Failure> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(Unread::Silent(why)) => Err(Failure::new(format!("{place} could not be looked at: {why}"))),
            Err(why) => {
                self.unread.push((place.to_owned(), why));
                Ok(None)
            }
        }
    }

    async fn look_at_needed(&mut self, table: &str, places: &Places<'_>) -> Result<(), Failure> {
        let client = places.store.client();
        let place = format!("table {table}");
        let found = inspect::table(client, table).await;
        let mut facts = TableFacts { found: self.known(&place, found)?, ..TableFacts::default() };
        if let Some(Some(_)) = &facts.found {
            let ttl = inspect::ttl(client, table).await;
            facts.ttl = self.known(&place, ttl)?;
            if places.is_aws {
                let backups = inspect::has_backups(client, table).await;
                facts.backups = self.known(&place, backups)?;
            }
        }
        // Who may not describe a table may still be allowed to read it.
        if places.sample > 0 && !matches!(facts.found, Some(None)) {
            let sample = inspect::sample(client, table, places.sample).await;
            facts.sample = self.known(&place, sample)?;
        }
        self.tables.insert(table.to_owned(), facts);
        Ok(())
    }

    async fn count_letters(&mut self, program: &Program, table: &str, places: &Places<'_>) -> Result<(), Failure> {
        let mut partitions: Vec<String> = Vec::new();
        for source in program.projections.iter().flat_map(|projection| &projection.sources) {
            let partition = dead_letter::open_letters(&source.bookkeeping);
            if partitions.contains(&partition) {
                continue;
            }
            let letters = inspect::partition(places.store.client(), table, &partition, MOST_LETTERS).await;
            if let Some(letters) = self.known(&format!("dead letters of {}", source.bookkeeping), letters)? {
                self.letters.push((source.bookkeeping.clone(), letters));
            }
            partitions.push(partition);
        }
        Ok(())
    }
}
