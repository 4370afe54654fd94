//! What both versions make of recorded events: each in an embedded DynamoDB of its own.

use crate::events::Invocation;
use crate::fold::fold;
use crate::output::Failure;
use crate::{documents, store};
use std::collections::{BTreeMap, BTreeSet};
use viewfold_core::change::{Changed, Fate};
use viewfold_core::program::{DocumentPath, Program, Projection, Table};
use viewfold_core::tables::required;
use viewfold_dynamodb::tables;
use viewfold_value::{Item, Value};

/// How the documents of both versions differ.
pub(crate) struct Differences {
    /// How many events were carried out.
    pub(crate) events: usize,
    /// The views that both versions have.
    pub(crate) views: Vec<View>,
    /// How many events could not be applied, by the old and by the new version.
    pub(crate) rejected: (usize, usize),
}

/// The documents of a projection that both versions have.
pub(crate) struct View {
    pub(crate) name: String,
    pub(crate) old_table: String,
    pub(crate) new_table: String,
    /// How many documents are alike.
    pub(crate) same: usize,
    pub(crate) differing: Vec<Difference>,
}

/// A document that differs.
pub(crate) struct Difference {
    /// Its key, for people.
    pub(crate) key: String,
    /// The paths that differ, each with what the old and the new version have there.
    pub(crate) attributes: Vec<(String, Option<Value>, Option<Value>)>,
    /// Which version alone has it: the old one (`true`), or the new one.
    pub(crate) side: Option<bool>,
}

/// What one version made of the events.
struct Made {
    events: usize,
    rejected: usize,
    documents: BTreeMap<String, Vec<Item>>,
}

/// Carries the events out by both versions, and compares the documents of the projections that both have.
pub(crate) async fn compare(
    old: &Program,
    new: &Program,
    changed: &[Changed],
    invocations: &[Invocation],
    now: Option<&str>,
) -> Result<Differences, Failure> {
    let clock = now.map_or_else(|| jiff::Timestamp::now().to_string(), str::to_owned);
    let (before, after) = (make(old, invocations, &clock).await?, make(new, invocations, &clock).await?);
    let of = |program: &'_ Program, name: &str| -> Option<Table> {
        let named = |projection: &&Projection| projection.name == name;
        program.projections.iter().find(named).map(|projection| projection.table.clone())
    };
    let mut views = Vec::new();
    for one in changed {
        let from = match &one.fate {
            Fate::Added | Fate::Removed => continue,
            Fate::Kept => &one.name,
            Fate::Version { from } | Fate::Renamed { from } => from,
        };
        let (Some(was), Some(is)) = (of(old, from), of(new, &one.name)) else { continue };
        let documents = |made: &Made, table: &Table| made.documents.get(&*table.name).cloned().unwrap_or_default();
        views.push(view(&one.name, &was, &is, documents(&before, &was), documents(&after, &is)));
    }
    Ok(Differences { events: before.events, views, rejected: (before.rejected, after.rejected) })
}

async fn make(program: &Program, invocations: &[Invocation], now: &str) -> Result<Made, Failure> {
    let connection = store::connect_embedded(None).await?;
    for table in &required(program) {
        tables::create_if_missing(connection.store.client(), table).await.map_err(Failure::new)?;
    }
    let folded = fold(program, &connection, invocations, true, Some(now)).await?;
    if let Some(failure) = folded.stopped {
        return Err(failure);
    }
    let mut all = BTreeMap::new();
    for projection in &program.projections {
        let items = documents::read(&connection.store, program, &projection.table, false).await?;
        all.insert(projection.table.name.to_string(), items);
    }
    Ok(Made { events: folded.events, rejected: folded.troubles.len(), documents: all })
}

fn view(name: &str, was: &Table, is: &Table, old: Vec<Item>, new: Vec<Item>) -> View {
    let key = |table: &Table, item: &Item| -> String {
        let parts = table.keys().map(|key| {
            let value = item.get(&key.name).map_or_else(|| "?".to_owned(), Value::to_string);
            format!("{}={value}", key.name)
        });
        parts.collect::<Vec<_>>().join(" ")
    };
    let mut there: BTreeMap<String, Item> = old.into_iter().map(|item| (key(was, &item), item)).collect();
    let (mut same, mut differing) = (0, Vec::new());
    for item in new {
        let key = key(is, &item);
        match there.remove(&key) {
            Some(before) if before == item => same += 1,
            Some(before) => {
                differing.push(Difference { key, attributes: attributes(Some(&before), Some(&item)), side: None });
            }
            None => differing.push(Difference { key, attributes: attributes(None, Some(&item)), side: Some(false) }),
        }
    }
    for (key, item) in there {
        differing.push(Difference { key, attributes: attributes(Some(&item), None), side: Some(true) });
    }
    let (old_table, new_table) = (was.name.to_string(), is.name.to_string());
    View { name: name.to_owned(), old_table, new_table, same, differing }
}

/// The paths that differ between two documents: of maps entry by entry.
fn attributes(old: Option<&Item>, new: Option<&Item>) -> Vec<(String, Option<Value>, Option<Value>)> {
    let mut differing = Vec::new();
    maps(&[], old, new, &mut differing);
    differing
}

fn maps(
    way: &[String],
    old: Option<&Item>,
    new: Option<&Item>,
    differing: &mut Vec<(String, Option<Value>, Option<Value>)>,
) {
    let names: BTreeSet<&String> = old.into_iter().chain(new).flat_map(Item::keys).collect();
    for name in names {
        let get = |item: Option<&Item>| item.and_then(|item| item.get(name)).cloned();
        let way: Vec<String> = way.iter().chain([name]).cloned().collect();
        match (get(old), get(new)) {
            (old, new) if old == new => {}
            (Some(Value::Map(old)), Some(Value::Map(new))) => maps(&way, Some(&old), Some(&new), differing),
            (old, new) => differing.push((DocumentPath::from(way).to_string(), old, new)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::attributes;
    use viewfold_value::{Item, Value, json};

    fn item(text: &str) -> Item {
        match json::parse(text.as_bytes()) {
            Ok(Value::Map(item)) => item,
            other => panic!("no item: {other:?}"),
        }
    }

    #[test]
    fn documents_are_compared_attribute_by_attribute() {
        let (old, new) =
            (item(r#"{"id":"a","n":1,"m":{"x":1,"y":2}}"#), item(r#"{"id":"a","s":"t","m":{"x":1,"y":3}}"#));
        let told: Vec<String> = attributes(Some(&old), Some(&new))
            .into_iter()
            .map(|(path, old, new)| format!("{path} {old:?} {new:?}"))
            .collect();
        assert_eq!(
            told,
            ["m.y Some(Number(2)) Some(Number(3))", "n Some(Number(1)) None", "s None Some(String(\"t\"))"]
        );
    }
}
