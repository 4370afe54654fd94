//! Ways through a document: the names from the document to an attribute, and what stands there.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;
use viewfold_value::{Item, Value};

/// The way to an attribute: one name for a top-level attribute, more for one inside of maps. Never empty. The names are shared
/// by all that have the path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DocumentPath(pub Arc<[String]>);

// Sets and maps of paths are looked into by the names alone; both are in the same order.
impl Borrow<[String]> for DocumentPath {
    fn borrow(&self) -> &[String] {
        &self.0
    }
}

impl From<Vec<String>> for DocumentPath {
    fn from(names: Vec<String>) -> DocumentPath {
        DocumentPath(names.into())
    }
}

impl From<&[String]> for DocumentPath {
    fn from(names: &[String]) -> DocumentPath {
        DocumentPath(names.into())
    }
}

impl DocumentPath {
    /// The path of a top-level attribute.
    pub fn attribute(name: &str) -> DocumentPath {
        DocumentPath::from(vec![name.to_owned()])
    }

    /// The top-level attribute.
    pub fn root(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// Whether it leads into a map.
    pub fn is_nested(&self) -> bool {
        self.0.len() > 1
    }

    /// Whether this path leads to the other one, or is it.
    pub fn contains(&self, other: &DocumentPath) -> bool {
        other.0.starts_with(&self.0)
    }

    /// Whether DynamoDB takes no expression that has both: one leads through the other, or they are the same.
    pub fn overlaps(&self, other: &DocumentPath) -> bool {
        self.contains(other) || other.contains(self)
    }

    /// What stands there.
    pub fn get<'i>(&self, item: &'i Item) -> Option<&'i Value> {
        let (root, rest) = self.0.split_first()?;
        let mut value = item.get(root)?;
        for name in rest {
            let Value::Map(map) = value else { return None };
            value = map.get(name)?;
        }
        Some(value)
    }

    /// What stands there, to be changed.
    pub fn get_mut<'i>(&self, item: &'i mut Item) -> Option<&'i mut Value> {
        let (root, rest) = self.0.split_first()?;
        let mut value = item.get_mut(root)?;
        for name in rest {
            let Value::Map(map) = value else { return None };
            value = map.get_mut(name)?;
        }
        Some(value)
    }

    /// Puts a value there; maps on the way are made. What is in the way and no map is given back as the error: its path.
    pub fn set(&self, item: &mut Item, value: Value) -> Result<(), DocumentPath> {
        let Some((last, parents)) = self.0.split_last() else { return Ok(()) };
        let mut map = item;
        for (depth, name) in parents.iter().enumerate() {
            match map.entry(name.clone()).or_insert_with(|| Value::Map(Item::new())) {
                Value::Map(next) => map = next,
                _ => return Err(DocumentPath::from(&self.0[..=depth])),
            }
        }
        map.insert(last.clone(), value);
        Ok(())
    }

    /// Takes away what stands there, and gives it back; the maps on the way stay.
    pub fn remove(&self, item: &mut Item) -> Option<Value> {
        let (last, parents) = self.0.split_last()?;
        let mut map = item;
        for name in parents {
            match map.get_mut(name) {
                Some(Value::Map(next)) => map = next,
                _ => return None,
            }
        }
        map.remove(last)
    }

    /// The first map on the way that is not there, or the path itself where all are.
    pub fn first_missing(&self, item: &Item) -> DocumentPath {
        let mut map = Some(item);
        for (depth, name) in self.0.iter().enumerate().take(self.0.len().saturating_sub(1)) {
            match map.and_then(|map| map.get(name)) {
                None => return DocumentPath::from(&self.0[..=depth]),
                Some(Value::Map(next)) => map = Some(next),
                Some(_) => map = None,
            }
        }
        self.clone()
    }
}

impl fmt::Display for DocumentPath {
    /// As the language writes it: `a.b['c.d']`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in self.0.iter().enumerate() {
            let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
            match (at, plain) {
                (0, _) => f.write_str(name)?,
                (_, true) => write!(f, ".{name}")?,
                (_, false) => write!(f, "['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use viewfold_value::json;

    fn item(text: &str) -> Item {
        match json::parse(text.as_bytes()) {
            Ok(Value::Map(map)) => map,
            other => panic!("{other:?}"),
        }
    }

    fn path(names: &[&str]) -> DocumentPath {
        DocumentPath(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn values_are_put_and_taken_on_the_way() {
        let mut document = item(r#"{"a":{"b":1},"t":"x"}"#);
        path(&["a", "c", "d"]).set(&mut document, Value::from("new")).unwrap();
        assert_eq!(document, item(r#"{"a":{"b":1,"c":{"d":"new"}},"t":"x"}"#));
        assert_eq!(path(&["t", "u"]).set(&mut document, Value::Null), Err(path(&["t"])));
        path(&["a", "c"]).remove(&mut document);
        path(&["t", "u"]).remove(&mut document);
        assert_eq!(document, item(r#"{"a":{"b":1},"t":"x"}"#));
        assert_eq!(path(&["a", "x", "y"]).first_missing(&document), path(&["a", "x"]));
        assert_eq!(path(&["a", "x"]).first_missing(&document), path(&["a", "x"]));
        assert_eq!(path(&["m", "x"]).first_missing(&document), path(&["m"]));
    }

    #[test]
    fn paths_are_shown_as_the_language_writes_them() {
        assert_eq!(path(&["a", "b", "c.d", "it's"]).to_string(), r"a.b['c.d']['it\'s']");
        assert!(path(&["a"]).overlaps(&path(&["a", "b"])) && !path(&["a"]).overlaps(&path(&["ab"])));
    }
}
