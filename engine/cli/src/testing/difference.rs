//! How tables differ from what they have to be.

use std::collections::BTreeMap;
use viewfold_core::program::Table;
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
            match item.get(attribute) {
                Some(found) if found == value => {}
                Some(found) if found.kind() != value.kind() => differences.push(format!(
                    "{name}: `{attribute}` is {found} ({}), expected {value} ({})",
                    found.kind(),
                    value.kind()
                )),
                Some(found) => differences.push(format!("{name}: `{attribute}` is {found}, expected {value}")),
                None => differences.push(format!("{name}: `{attribute}` is not there, expected {value}")),
            }
        }
        if whole {
            for (attribute, value) in item {
                if !wanted.contains_key(attribute) && !ignored.contains(&attribute.as_str()) {
                    differences.push(format!("{name}: `{attribute}` is {value}, expected not to be there"));
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

fn shown_key(table: &Table, item: &Item) -> String {
    let parts: Vec<String> = table
        .keys()
        .map(|key| format!("{}={}", key.name, item.get(&key.name).map_or("?".to_owned(), Value::to_string)))
        .collect();
    parts.join(" ")
}
