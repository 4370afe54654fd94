//! A template as a tree: what YAML and JSON are written from.

use serde_json::{Map as JsonMap, Value as Json};

/// A value of a template.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Node {
    Text(String),
    Number(i64),
    Bool(bool),
    List(Vec<Node>),
    Map(Map),
    /// One of CloudFormation's functions, by its name behind `!`, and what it is given.
    Call(&'static str, Box<Node>),
}

/// Keys and values in the order in which they are written.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct Map(pub(super) Vec<Entry>);

#[derive(Clone, PartialEq, Debug)]
pub(super) struct Entry {
    /// Why it is so, for a comment above it; empty where that needs no words.
    pub(super) why: String,
    pub(super) key: String,
    pub(super) value: Node,
}

impl Map {
    pub(super) fn add(&mut self, key: impl Into<String>, value: impl Into<Node>) {
        self.because("", key, value);
    }

    /// Adds a value with a comment above it.
    pub(super) fn because(&mut self, why: impl Into<String>, key: impl Into<String>, value: impl Into<Node>) {
        self.0.push(Entry { why: why.into(), key: key.into(), value: value.into() });
    }

    #[cfg(test)]
    pub(super) fn with(mut self, key: impl Into<String>, value: impl Into<Node>) -> Map {
        self.add(key, value);
        self
    }

    #[cfg(test)]
    pub(super) fn with_why(mut self, why: impl Into<String>, key: impl Into<String>, value: impl Into<Node>) -> Map {
        self.because(why, key, value);
        self
    }

    /// The value behind a key.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.0.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A map of these entries.
pub(super) fn map<const N: usize>(entries: [(&str, Node); N]) -> Map {
    let entry = |(key, value): (&str, Node)| Entry { why: String::new(), key: key.to_owned(), value };
    Map(entries.into_iter().map(entry).collect())
}

/// `!Ref`: a parameter's value, or what names a resource.
pub(super) fn reference(name: impl Into<String>) -> Node {
    Node::Call("Ref", Box::new(Node::Text(name.into())))
}

/// `!GetAtt`: an attribute of a resource, `Table.Arn`.
pub(super) fn attribute(path: impl Into<String>) -> Node {
    Node::Call("GetAtt", Box::new(Node::Text(path.into())))
}

/// `!Sub`: text with `${…}` in it.
pub(super) fn text_of(text: impl Into<String>) -> Node {
    Node::Call("Sub", Box::new(Node::Text(text.into())))
}

/// `!If`
pub(super) fn either(condition: &str, then: impl Into<Node>, otherwise: impl Into<Node>) -> Node {
    Node::Call("If", Box::new(Node::List(vec![condition.into(), then.into(), otherwise.into()])))
}

/// A value that is there only where a condition holds.
pub(super) fn only_if(condition: &str, then: impl Into<Node>) -> Node {
    either(condition, then, reference("AWS::NoValue"))
}

/// Text that stands in a `!Sub` and means nothing to it.
pub(super) fn escaped(text: &str) -> String {
    text.replace("${", "${!")
}

impl From<&str> for Node {
    fn from(text: &str) -> Node {
        Node::Text(text.to_owned())
    }
}

impl From<String> for Node {
    fn from(text: String) -> Node {
        Node::Text(text)
    }
}

impl From<i64> for Node {
    fn from(number: i64) -> Node {
        Node::Number(number)
    }
}

impl From<bool> for Node {
    fn from(value: bool) -> Node {
        Node::Bool(value)
    }
}

impl From<Map> for Node {
    fn from(map: Map) -> Node {
        Node::Map(map)
    }
}

impl<N: Into<Node>> From<Vec<N>> for Node {
    fn from(list: Vec<N>) -> Node {
        Node::List(list.into_iter().map(Into::into).collect())
    }
}

impl<N: Into<Node>, const L: usize> From<[N; L]> for Node {
    fn from(list: [N; L]) -> Node {
        Node::List(list.into_iter().map(Into::into).collect())
    }
}

impl From<&Json> for Node {
    fn from(json: &Json) -> Node {
        match json {
            Json::Null => Node::Text("null".to_owned()),
            Json::Bool(value) => Node::Bool(*value),
            Json::Number(number) => match number.as_i64() {
                Some(number) => Node::Number(number),
                None => Node::Text(number.to_string()),
            },
            Json::String(text) => Node::Text(text.clone()),
            Json::Array(list) => Node::List(list.iter().map(Node::from).collect()),
            Json::Object(object) => {
                let mut map = Map::default();
                for (key, value) in object {
                    map.add(key, Node::from(value));
                }
                Node::Map(map)
            }
        }
    }
}

/// The template in JSON, where functions are objects and there are no comments.
pub(super) fn to_json(node: &Node) -> Json {
    match node {
        Node::Text(text) => Json::from(text.as_str()),
        Node::Number(number) => Json::from(*number),
        Node::Bool(value) => Json::from(*value),
        Node::List(list) => list.iter().map(to_json).collect(),
        Node::Map(map) => Json::Object(map.0.iter().map(|entry| (entry.key.clone(), to_json(&entry.value))).collect()),
        Node::Call(name, given) => {
            let given = match (*name, &**given) {
                ("GetAtt", Node::Text(path)) => match path.split_once('.') {
                    Some((resource, attribute)) => Json::from(vec![resource, attribute]),
                    None => Json::from(path.as_str()),
                },
                (_, given) => to_json(given),
            };
            let name = if *name == "Ref" { (*name).to_owned() } else { format!("Fn::{name}") };
            Json::Object(JsonMap::from_iter([(name, given)]))
        }
    }
}
