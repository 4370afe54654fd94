//! What of an item counts when views are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use viewfold_core::bookkeeping::{CONTRIBUTES, contribution_of, parts};
use viewfold_core::program::{OperationKind, Program, Source, StreamIdentity, Table, is_deleted_row};
use viewfold_core::tables::{Needed, Purpose, required};
use viewfold_value::{Item, Number, Value};

/// A table whose items are compared.
#[derive(Clone, Debug)]
pub(crate) struct Compared {
    /// The table.
    pub(crate) table: Table,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Documents {
        /// Attributes of guards, which the stream moves on.
        bookkeeping: Vec<String>,
        /// The attributes that the projections write; all of them where nobody else writes to the items.
        own: Option<Vec<String>>,
        /// Attributes that are added to and taken back: 0 is as good as nothing there.
        sums: Vec<String>,
        /// Attributes that follow from others.
        derived: Vec<String>,
        /// Whether the source tells all that a document is made of. A table does only where rules take back what its items were
        /// before: of others nobody knows what their earlier states have left.
        is_told_whole: bool,
    },
    /// What items contribute, by the rows of lanes of these projections and sources.
    Contributions(Vec<(String, String)>),
}

/// The tables of a program that are compared: its documents, and what the rows of lanes say that items contribute.
pub(crate) fn compared(program: &Program) -> Vec<Compared> {
    let tables = required(program).into_iter().filter_map(|Needed { purpose, table, .. }| {
        let what = match purpose {
            Purpose::Documents => documents(program, &table),
            Purpose::Marks => contributions(program, &table)?,
            Purpose::Events | Purpose::DeadLetters => return None,
        };
        Some(Compared { table, what })
    });
    tables.collect()
}

fn documents(program: &Program, table: &Table) -> What {
    let writers = || program.projections.iter().filter(|projection| projection.table.name == table.name);
    let is_shared = writers().any(|projection| projection.shared);
    let sums = writers().flat_map(|projection| {
        let rules = projection.rules.iter().filter(|rule| rule.retract);
        let operations = rules.flat_map(|rule| &rule.operations);
        operations.filter_map(|operation| match operation.kind {
            OperationKind::Add(_) => Some(operation.target.root().to_owned()),
            _ => None,
        })
    });
    What::Documents {
        bookkeeping: program.bookkeeping(&table.name).into_iter().map(str::to_owned).collect(),
        own: is_shared.then(|| writers().flat_map(|projection| projection.attributes.clone()).collect()),
        sums: sums.collect(),
        derived: writers().flat_map(|projection| projection.derive.iter().map(|(name, _)| name.clone())).collect(),
        is_told_whole: writers().all(|projection| {
            let of_table =
                |source: &&Source| matches!(program.streams[source.stream].identity, StreamIdentity::Dynamodb(_));
            projection.sources.iter().filter(of_table).all(|source| source.retracts)
        }),
    }
}

/// Lanes remember what their items contribute where rules take it back.
fn contributions(program: &Program, table: &Table) -> Option<What> {
    let lanes = program.projections.iter().flat_map(|projection| {
        let sources = projection.sources.iter().filter(|source| source.retracts);
        let of_table = sources.filter(|source| source.guard.table() == Some(&table.name));
        of_table.map(|source| (projection.name.clone(), source.bookkeeping.to_string()))
    });
    let lanes: Vec<(String, String)> = lanes.collect();
    (!lanes.is_empty()).then_some(What::Contributions(lanes))
}

impl Compared {
    /// Whether the table has documents, and not what a guard remembers.
    pub(crate) fn has_documents(&self) -> bool {
        matches!(self.what, What::Documents { .. })
    }

    /// The item's key.
    pub(crate) fn key(&self, item: &Item) -> Item {
        let names = self.table.keys().map(|key| &key.name);
        names.filter_map(|name| Some((name.clone(), item.get(name)?.clone()))).collect()
    }

    /// What counts of an item: its attributes without those of guards, without sums that are 0, and nothing at all where nothing of
    /// the projections is left.
    pub(crate) fn plain(&self, item: &Item) -> Option<Item> {
        let is_key = |name: &str| self.table.keys().any(|key| key.name == name);
        match &self.what {
            What::Contributions(lanes) => {
                // The row of a lane with a very long name says no more whose it is, and is left out.
                let lane = parts(item)?;
                let contributes = item.get(CONTRIBUTES)?;
                let is_empty = contribution_of(item).is_some_and(|contribution| contribution.is_empty());
                let is_own = lanes.contains(&lane) && !is_empty;
                is_own.then(|| [(CONTRIBUTES.to_owned(), contributes.clone())].into())
            }
            What::Documents { bookkeeping, own, sums, derived, .. } => {
                if is_deleted_row(item.keys(), is_key, bookkeeping) {
                    return None;
                }
                let is_bookkeeping = |name: &String| name.starts_with("_vf_") || bookkeeping.contains(name);
                let attributes = item.iter().filter(|(name, _)| !is_key(name) && !is_bookkeeping(name));
                let mut plain: Item = attributes
                    .filter(|(name, _)| own.as_ref().is_none_or(|own| own.contains(name)))
                    .filter_map(|(name, value)| {
                        let value = if sums.contains(name) { without_zeros(value)? } else { value.clone() };
                        Some((name.clone(), value))
                    })
                    .collect();
                // Whoever had something once keeps a row of zeros, which a view that is made anew never had.
                if !sums.is_empty() && plain.keys().all(|name| derived.contains(name)) {
                    plain.clear();
                }
                let is_nothing = plain.is_empty() && (own.is_some() || !sums.is_empty());
                (!is_nothing).then_some(plain)
            }
        }
    }
}

impl Compared {
    /// What counts of an item as it has to be, and of it as it is. Where the source does not tell all of a document, only what it
    /// tells counts.
    pub(crate) fn both(&self, expected: Option<&Item>, found: Option<&Item>) -> (Option<Item>, Option<Item>) {
        let plain = |item: Option<&Item>| item.and_then(|item| self.plain(item));
        let (expected, found) = (plain(expected), plain(found));
        if self.is_told_whole() {
            return (expected, found);
        }
        let Some(told) = expected else { return (None, None) };
        let found = found.map(|mut found| {
            found.retain(|name, _| told.contains_key(name));
            found
        });
        (Some(told), found)
    }

    fn is_told_whole(&self) -> bool {
        !matches!(self.what, What::Documents { is_told_whole: false, .. })
    }

    /// What is the same of two items that differ for the same reason, whatever else happens to them: of sums how far they are apart,
    /// of everything else both values. What follows from others is left out where these differ, too.
    pub(crate) fn apart(&self, expected: Option<&Item>, found: Option<&Item>) -> BTreeMap<String, Apart> {
        let (expected, found) = self.both(expected, found);
        let (expected, found) = (expected.unwrap_or_default(), found.unwrap_or_default());
        let names: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
        let different = names.into_iter().filter(|name| expected.get(*name) != found.get(*name));
        let mut apart: BTreeMap<String, Apart> = different
            .map(|name| {
                let number = |item: &Item| match item.get(name) {
                    None => Some(Number::ZERO),
                    Some(Value::Number(number)) => Some(*number),
                    Some(_) => None,
                };
                let by = number(&expected).zip(number(&found)).and_then(|(a, b)| a.checked_sub(b).ok());
                let by =
                    by.map_or_else(|| Apart::Values(expected.get(name).cloned(), found.get(name).cloned()), Apart::By);
                (name.clone(), by)
            })
            .collect();
        if let What::Documents { derived, .. } = &self.what
            && apart.keys().any(|name| !derived.contains(name))
        {
            apart.retain(|name, _| !derived.contains(name));
        }
        apart
    }

    /// An item as it is to be written so that it is as it has to be: what the projections write is taken from `expected`, everything
    /// else stays as it was found. None where the whole item goes.
    pub(crate) fn corrected(&self, expected: Option<&Item>, found: Option<&Item>) -> Option<Item> {
        let Some(found) = found else { return expected.cloned() };
        let mut item = found.clone();
        let others_write_to_it = match &self.what {
            What::Contributions(_) => {
                item.remove(CONTRIBUTES);
                true
            }
            What::Documents { own: Some(own), is_told_whole: true, .. } => {
                item.retain(|name, _| !own.contains(name));
                true
            }
            What::Documents { is_told_whole: false, .. } => true,
            What::Documents { own: None, bookkeeping, .. } => {
                let key = self.key(found);
                item.retain(|name, _| key.contains_key(name) || name.starts_with("_vf_") || bookkeeping.contains(name));
                false
            }
        };
        let plain = expected.and_then(|expected| self.plain(expected));
        let Some(expected) = expected.filter(|_| plain.is_some()) else {
            return others_write_to_it.then_some(item);
        };
        let is_own = |name: &String| match &self.what {
            What::Contributions(_) => name == CONTRIBUTES,
            What::Documents { own, .. } => own.as_ref().is_none_or(|own| own.contains(name)),
        };
        for (name, value) in expected {
            // A mark that is there is newer than one that a fold from the beginning comes to.
            if is_own(name) && !name.starts_with("_vf_") || !item.contains_key(name) {
                item.insert(name.clone(), value.clone());
            }
        }
        Some(item)
    }
}

impl Compared {
    /// The documents that a lane's row says its item contributes to, each by its table and key; of a document none.
    pub(crate) fn contributes_to(&self, program: &Program, row: &Item) -> Vec<(Arc<str>, Item)> {
        let What::Contributions(_) = &self.what else { return Vec::new() };
        let Some((name, _)) = parts(row) else { return Vec::new() };
        let Some(projection) = program.projections.iter().find(|projection| projection.name == name) else {
            return Vec::new();
        };
        let contribution = contribution_of(row).unwrap_or_default();
        contribution.keys().map(|key| (Arc::clone(&projection.table.name), key.item(projection))).collect()
    }
}

/// How far two values of an attribute are apart.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Apart {
    /// By so much; nothing there counts as 0.
    By(Number),
    /// One is to be this, and is that.
    Values(Option<Value>, Option<Value>),
}

/// A sum, or a map of sums, without those that are 0.
fn without_zeros(value: &Value) -> Option<Value> {
    match value {
        Value::Number(number) if *number == Number::ZERO => None,
        Value::Map(map) => {
            let left: Item =
                map.iter().filter_map(|(name, value)| Some((name.clone(), without_zeros(value)?))).collect();
            (!left.is_empty()).then_some(Value::Map(left))
        }
        other => Some(other.clone()),
    }
}
