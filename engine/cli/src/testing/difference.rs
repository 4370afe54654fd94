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
            differences.push(format!("{name}: there is no such document{}", near(table, wanted, found)));
            continue;
        };
        for (attribute, value) in wanted {
            let path = DocumentPath::attribute(attribute);
            of_value(&name, &path, "", item.get(attribute), Some(value), &mut differences);
        }
        if whole {
            for (attribute, value) in item {
                if !wanted.contains_key(attribute) && !ignored.contains(&attribute.as_str()) {
                    of_value(&name, &DocumentPath::attribute(attribute), "", Some(value), None, &mut differences);
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

/// What is probably wrong with the key of a document that is not there: the types of its values.
fn near(table: &Table, wanted: &Item, found: &[Item]) -> String {
    let same_text = |item: &&Item| {
        let plain = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        table.keys().all(|key| match (item.get(&key.name), wanted.get(&key.name)) {
            (Some(a), Some(b)) => plain(a) == plain(b),
            _ => false,
        })
    };
    let Some(item) = found.iter().find(same_text) else { return String::new() };
    let kinds = table.keys().filter_map(|key| {
        let (is, wanted) = (item.get(&key.name)?.kind(), wanted.get(&key.name)?.kind());
        (is != wanted).then(|| format!("`{}` is a {is} in the table, and a {wanted} here", key.name))
    });
    let kinds: Vec<String> = kinds.collect();
    if kinds.is_empty() { String::new() } else { format!(": {}", kinds.join(", ")) }
}

/// The differences of what stands at a path and, in lists there, behind it at `place`: of maps entry by entry, of lists of
/// one length element by element, of sets what they lack and have beyond.
fn of_value(
    name: &str,
    path: &DocumentPath,
    place: &str,
    found: Option<&Value>,
    wanted: Option<&Value>,
    differences: &mut Vec<String>,
) {
    let difference = match (found, wanted) {
        (found, wanted) if found == wanted => return,
        (Some(Value::Map(found)), Some(Value::Map(wanted))) if place.is_empty() => {
            let names: BTreeSet<&String> = found.keys().chain(wanted.keys()).collect();
            for entry in names {
                let path = DocumentPath(path.0.iter().chain([entry]).cloned().collect());
                of_value(name, &path, "", found.get(entry), wanted.get(entry), differences);
            }
            return;
        }
        (Some(Value::List(found)), Some(Value::List(wanted))) if found.len() == wanted.len() => {
            for (at, (found, wanted)) in found.iter().zip(wanted).enumerate() {
                of_value(name, path, &format!("{place}[{at}]"), Some(found), Some(wanted), differences);
            }
            return;
        }
        (Some(Value::List(found)), Some(Value::List(wanted))) => {
            let elements = |list: &[Value]| crate::output::count(list.len(), "element");
            let (is, expected) = (Value::List(found.clone()), Value::List(wanted.clone()));
            format!("is {is} ({}), expected {expected} ({})", elements(found), elements(wanted))
        }
        (Some(found), Some(wanted)) if found.kind() != wanted.kind() => {
            format!("is {found} ({}), expected {wanted} ({})", found.kind(), wanted.kind())
        }
        (Some(found), Some(wanted)) => match (elements(found), elements(wanted)) {
            (Some(is), Some(expected)) => {
                let list = |words: &str, elements: Vec<&String>| match elements.as_slice() {
                    [] => None,
                    some => Some(format!("{words} {}", some.iter().map(|e| e.as_str()).collect::<Vec<_>>().join(", "))),
                };
                let lacks = list("lacks", expected.difference(&is).collect());
                let has = list("has beyond it", is.difference(&expected).collect());
                let parts: Vec<String> = lacks.into_iter().chain(has).collect();
                format!("is {found}, expected {wanted} ({}): {}", wanted.kind(), parts.join("; "))
            }
            _ => format!("is {found}, expected {wanted}"),
        },
        (Some(found), None) => format!("is {found}, expected not to be there"),
        (None, Some(wanted)) => format!("is not there, expected {wanted}"),
        (None, None) => return,
    };
    differences.push(format!("{name}: `{path}{place}` {difference}"));
}

/// The elements of a set, as they are shown.
fn elements(value: &Value) -> Option<BTreeSet<String>> {
    Some(match value {
        Value::StringSet(set) => set.iter().map(|element| Value::from(element.as_str()).to_string()).collect(),
        Value::NumberSet(set) => set.iter().map(ToString::to_string).collect(),
        Value::BinarySet(set) => set.iter().map(|element| Value::Binary(element.clone()).to_string()).collect(),
        _ => return None,
    })
}

fn shown_key(table: &Table, item: &Item) -> String {
    let parts: Vec<String> = table
        .keys()
        .map(|key| format!("{}={}", key.name, item.get(&key.name).map_or("?".to_owned(), Value::to_string)))
        .collect();
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::of_table;
    use std::slice::from_ref;
    use std::sync::Arc;
    use viewfold_core::program::Table;
    use viewfold_spec::projection::{KeyAttribute, KeyType};
    use viewfold_value::{Item, Value, json};

    fn item(text: &str) -> Item {
        match json::parse(text.as_bytes()) {
            Ok(Value::Map(item)) => item,
            other => panic!("no item: {other:?}"),
        }
    }

    fn differences(expected: &[Item], found: &[Item], whole: bool) -> Vec<String> {
        let key = KeyAttribute { name: "k".to_owned(), kind: KeyType::String };
        let table = Table { name: Arc::from("T"), partition_key: key, sort_key: None, indexes: Vec::new(), ttl: None };
        of_table(&table, expected, found, whole, &["mark"])
    }

    fn of_attribute(expected: Value, found: Value) -> Vec<String> {
        let with = |value| [("k".to_owned(), Value::from("a")), ("v".to_owned(), value)].into();
        differences(&[with(expected)], &[with(found)], true)
    }

    #[test]
    fn an_attribute_is_told_with_what_it_is_and_what_was_expected() {
        let of = |expected: &str, found: &str| {
            let value = |text: &str| json::parse(text.as_bytes()).expect("JSON");
            of_attribute(value(expected), value(found))
        };
        assert_eq!(of("1", "1.0"), [""; 0]);
        assert_eq!(of("1", "2"), ["T k=\"a\": `v` is 2, expected 1"]);
        assert_eq!(of("1", "\"1\""), ["T k=\"a\": `v` is \"1\" (string), expected 1 (number)"]);
        assert_eq!(of("null", "{}"), ["T k=\"a\": `v` is {} (map), expected null (null)"]);
        let nested = of(r#"{"b":{"c":1,"d.e":2},"f":0}"#, r#"{"b":{"c":3,"d.e":2,"g":[]}}"#);
        assert_eq!(
            nested,
            [
                "T k=\"a\": `v.b.c` is 3, expected 1",
                "T k=\"a\": `v.b.g` is [], expected not to be there",
                "T k=\"a\": `v.f` is not there, expected 0"
            ]
        );
        assert_eq!(of("[1,[2,3]]", "[1,[2,4]]"), ["T k=\"a\": `v[1][1]` is 4, expected 3"]);
        assert_eq!(of(r#"[1,{"a":1}]"#, r#"[1,{"a":2}]"#), [r#"T k="a": `v[1]` is {"a":2}, expected {"a":1}"#]);
        assert_eq!(of("[1]", "[1,2]"), ["T k=\"a\": `v` is [1,2] (2 elements), expected [1] (1 element)"]);
    }

    #[test]
    fn sets_are_told_by_their_elements() {
        let set = |elements: &[&str]| Value::StringSet(elements.iter().map(ToString::to_string).collect());
        assert_eq!(
            of_attribute(set(&["a", "b"]), set(&["b", "c"])),
            [r#"T k="a": `v` is ["b","c"], expected ["a","b"] (string_set): lacks "a"; has beyond it "c""#]
        );
        let list = Value::List(vec![Value::from("a")]);
        assert_eq!(of_attribute(list, set(&["a"])), [r#"T k="a": `v` is ["a"] (string_set), expected ["a"] (list)"#]);
    }

    #[test]
    fn documents_that_are_missing_or_too_many_are_told() {
        let (a, b) = (item(r#"{"k":"1","v":1}"#), item(r#"{"k":"2"}"#));
        assert_eq!(differences(from_ref(&a), &[], true), ["T k=\"1\": there is no such document"]);
        assert_eq!(
            differences(&[item(r#"{"k":1}"#)], from_ref(&a), false),
            ["T k=1: there is no such document: `k` is a string in the table, and a number here"]
        );
        let more = ["T k=\"2\": this document was not expected: {\"k\":\"2\"}"];
        assert_eq!(differences(from_ref(&a), &[a.clone(), b.clone()], true), more);
        assert_eq!(differences(from_ref(&a), &[a.clone(), b], false), [""; 0]);
        let marked = item(r#"{"k":"2","mark":"5","more":1}"#);
        let expected = ["T k=\"2\": `more` is 1, expected not to be there"];
        assert_eq!(differences(&[item(r#"{"k":"2"}"#)], from_ref(&marked), true), expected);
        assert_eq!(differences(&[item(r#"{"k":"2"}"#)], &[marked], false), [""; 0]);
    }
}
