//! How tables differ from what they have to be.

use std::collections::{BTreeMap, BTreeSet};
use viewfold_core::program::{DocumentPath, Table};
use viewfold_value::{Item, Value};

/// The differences of a table's documents, one line each. With `whole` there may be no other documents, and no other
/// attributes but those that `ignored` names.
pub(super) fn of_table(table: &Table, expected: &[Item], found: &[Item], whole: bool, ignored: &[&str]) -> Vec<String> {
    let mut differences = Vec::new();
    let key = |item: &Item| -> Vec<Option<Value>> { table.keys().map(|key| item.get(&key.name).cloned()).collect() };
    let mut there: BTreeMap<Vec<Option<Value>>, &Item> = found.iter().map(|item| (key(item), item)).collect();
    for wanted in expected {
        let name = format!("{} {}", table.name, shown_key(table, wanted));
        let Some(item) = there.remove(&key(wanted)) else {
            differences.push(format!("{name}: there is no such document"));
            continue;
        };
        for (attribute, value) in wanted {
            let path = DocumentPath::attribute(attribute);
            of_value(&name, &path, item.get(attribute), Some(value), &mut differences);
        }
        if whole {
            for (attribute, value) in item {
                if !wanted.contains_key(attribute) && !ignored.contains(&attribute.as_str()) {
                    of_value(&name, &DocumentPath::attribute(attribute), Some(value), None, &mut differences);
                }
            }
        }
    }
    if whole {
        for item in there.into_values() {
            let text = Value::Map(item.clone());
            differences.push(format!(
                "{} {}: this document was not expected: {text}",
                table.name,
                shown_key(table, item)
            ));
        }
    }
    differences
}

/// The differences of what stands at a path; of maps, entry by entry.
fn of_value(
    name: &str,
    path: &DocumentPath,
    found: Option<&Value>,
    wanted: Option<&Value>,
    differences: &mut Vec<String>,
) {
    let difference = match (found, wanted) {
        (found, wanted) if found == wanted => return,
        (Some(Value::Map(found)), Some(Value::Map(wanted))) => {
            let names: BTreeSet<&String> = found.keys().chain(wanted.keys()).collect();
            for entry in names {
                let mut path = path.clone();
                path.0.push(entry.clone());
                of_value(name, &path, found.get(entry), wanted.get(entry), differences);
            }
            return;
        }
        (Some(found), Some(wanted)) if found.kind() != wanted.kind() => {
            format!("is {found} ({}), expected {wanted} ({})", found.kind(), wanted.kind())
        }
        (Some(found), Some(wanted)) => format!("is {found}, expected {wanted}"),
        (Some(found), None) => format!("is {found}, expected not to be there"),
        (None, Some(wanted)) => format!("is not there, expected {wanted}"),
        (None, None) => return,
    };
    differences.push(format!("{name}: `{path}` {difference}"));
}

fn shown_key(table: &Table, item: &Item) -> String {
    let parts: Vec<String> = table
        .keys()
        .map(|key| format!("{}={}", key.name, item.get(&key.name).map_or("?".to_owned(), Value::to_string)))
        .collect();
    parts.join(" ")
}
