//! Values of a wrong form, written in the right one with the words of the file.

use crate::keys::Place;
use crate::projection::GUARD_FORMS;
use crate::yaml::node::{Content, Key, Node};
use crate::yaml::scalar::Scalar;

/// The file that examples take their words from.
pub(crate) struct Shape<'t> {
    pub(crate) root: &'t Node,
    pub(crate) text: &'t str,
}

/// Longer values are not repeated.
const LONGEST: usize = 60;

impl Shape<'_> {
    /// A value as the file writes it, or `…`.
    pub(crate) fn written(&self, node: &Node) -> String {
        match self.text.get(node.span.range()) {
            Some(text) if !text.is_empty() && text.len() <= LONGEST && !text.contains('\n') => text.to_owned(),
            _ => "…".to_owned(),
        }
    }

    /// What to write at the end of a trail of keys, where `node` is not what is expected there.
    pub(crate) fn help(&self, trail: &[&str], node: &Node, expected: &str) -> Option<String> {
        let written = self.written(node);
        let text = scalar(node);
        let list = list(node);
        Some(match (trail, &node.content) {
            ([], Content::List(_)) => "one file holds one projection, or one file of tests: remove the `- ` before its keys".to_owned(),
            ([], _) => "it is a map of keys: `projection: NAME`, `source`, `document`, `guard`, `key` and `rules`".to_owned(),
            (["rules"], Content::Map(entries)) => match entries.iter().any(|(key, _)| Place::Rule.keys().contains(&key.text.as_str())) {
                true => {
                    let first = entries.first().map_or("name", |(key, _)| key.text.as_str());
                    format!("`rules` is a list, and each rule begins with `- `: write `- {first}: …`, and the other keys below `{first}`")
                }
                false => {
                    let first = entries.first().map_or("placed", |(key, _)| key.text.as_str());
                    format!("`rules` is a list, and a rule says its name: write `- name: {first}` in place of `{first}:`")
                }
            },
            (["rules"], _) => "`rules` is a list: each rule begins with `- name: …`, and its operations stand below".to_owned(),
            (["rules", "-"], _) => format!("a rule is a map: `- name: {written}`, and below it its operations, `add: {{ n: 1 }}` for example"),
            ([.., "source"], Content::List(_)) | (["sources"], Content::List(_)) => {
                let names = list.iter().filter_map(|node| source_name(node));
                let sources: Vec<String> = names.map(|name| format!("{name}: {{ kinesis: {name} }}")).collect();
                match sources.is_empty() {
                    true => "several sources have names: `sources: { orders: { kinesis: orders } }`".to_owned(),
                    false => format!("several sources have names: `sources: {{ {} }}`", sources.join(", ")),
                }
            }
            (["source"], _) if text.is_some() => {
                format!("write `source: {{ kinesis: {written} }}` for a Kinesis stream, `source: {{ dynamodb: {written} }}` for the stream of a table, `source: {{ sqs: {written} }}` for a queue")
            }
            (["document"], _) if text.is_some() => format!("write `document: {{ table: {written}, partition_key: id }}`"),
            ([.., "partition_key" | "sort_key"], Content::List(_)) => match list.as_slice() {
                [partition, sort] => format!(
                    "a key of two attributes is written `partition_key: {}, sort_key: {}`",
                    self.written(partition),
                    self.written(sort)
                ),
                _ => "a key attribute is a name, or `{ name: id, type: number }`".to_owned(),
            },
            ([.., "indexes"], Content::List(_)) => {
                let names = list.iter().filter_map(|index| scalar(entry(index, "name")?));
                let name = names.map(str::to_owned).next().unwrap_or_else(|| "ByDay".to_owned());
                format!("indexes stand under their names: `indexes: {{ {name}: {{ partition_key: … }} }}`")
            }
            ([.., "indexes", name], _) if text.is_some() => format!("write `{name}: {{ partition_key: {written} }}`"),
            ([.., "delete"], _) if text.is_some() => format!("a rule deletes where its condition is true: `if: {written}`, and `delete: true`"),
            ([.., source @ ("kinesis" | "dynamodb" | "sqs")], Content::List(_)) => {
                let names: Vec<String> = list
                    .iter()
                    .filter_map(|node| scalar(node))
                    .map(|name| format!("{name}: {{ {source}: {name} }}"))
                    .collect();
                format!("several streams are named: `sources: {{ {} }}`", names.join(", "))
            }
            ([.., "keys"], Content::Map(entries)) => {
                let names: Vec<&str> = entries.iter().map(|(key, _)| key.text.as_str()).collect();
                format!("`keys` is a list of names: `keys: [{}]`, or of `{{ name: id, type: number }}`", names.join(", "))
            }
            ([.., "key"], Content::List(_)) => {
                let pairs: Vec<String> =
                    self.key_names().iter().zip(&list).map(|(name, value)| format!("{name}: {}", self.written(value))).collect();
                format!("a key gives each key attribute of the table its value: `key: {{ {} }}`", pairs.join(", "))
            }
            ([.., "key"], _) if text.is_some() => {
                let name = self.key_names().first().map_or("id".to_owned(), Clone::clone);
                format!("a key gives each key attribute of the table its value: `key: {{ {name}: {written} }}`")
            }
            ([.., "when"], Content::List(elements)) => match elements.iter().any(|element| matches!(element.content, Content::Map(_))) {
                true => "everything in one map has to match: `when: { $.a: x, $.b: y }`; for the one or the other, make two rules".to_owned(),
                false => "`when` maps paths to patterns: `when: { $.type: placed }`".to_owned(),
            },
            ([.., "when"], _) if text.is_some() => {
                format!("`when` maps paths to patterns: `when: {{ $.type: placed }}`; an expression is written `if: {written}`")
            }
            ([.., "each"], Content::Scalar { .. }) => {
                if let Some((name, list)) = text.and_then(|text| text.split_once(" in ")) {
                    return Some(format!("write `each: {{ {}: {} }}`", name.trim().trim_start_matches('$'), list.trim()));
                }
                let name = text.and_then(last_name).map_or_else(|| "item".to_owned(), |name| singular(&name));
                format!("the element needs a name: `each: {{ {name}: {written} }}`, and is used as '${{ {name} }}'")
            }
            ([.., "append", name], _) => match list.as_slice() {
                [only] => format!("write `append: {{ {name}: {{ value: {} }} }}`", self.written(only)),
                _ => format!("write `append: {{ {name}: {{ value: {written} }} }}`"),
            },
            ([.., "append"], _) => "for example `append: { log: { value: $.text } }`".to_owned(),
            ([.., "remove"], Content::Map(entries)) => {
                let names: Vec<&str> = entries.iter().map(|(key, _)| key.text.as_str()).collect();
                format!("attributes are removed by a list of their names: `remove: [{}]`", names.join(", "))
            }
            ([.., operation @ ("add" | "set" | "set_once" | "max" | "min" | "remove_from")], Content::List(_)) => {
                let value = if *operation == "add" { "1" } else { "…" };
                let pairs: Vec<String> = list.iter().filter_map(|node| scalar(node)).map(|name| format!("{name}: {value}")).collect();
                format!("each attribute has its value: `{operation}: {{ {} }}`", if pairs.is_empty() { "n: 1".to_owned() } else { pairs.join(", ") })
            }
            ([.., operation @ ("add" | "set" | "set_once" | "max" | "min" | "remove_from")], _) if text.is_some() => {
                match text.and_then(last_name) {
                    Some(name) if text.is_some_and(|text| text.starts_with('$')) => {
                        format!("an attribute is given its value: `{operation}: {{ {name}: {written} }}`")
                    }
                    _ if *operation == "add" => format!("an attribute is given its value: `add: {{ {written}: 1 }}`"),
                    _ => format!("an attribute is given its value: `{operation}: {{ {written}: … }}`"),
                }
            }
            ([.., name @ ("let" | "derive")], _) => format!("named values: `{name}: {{ NAME: '${{ … }}' }}`"),
            ([.., "guard"], _) => format!("a guard is {GUARD_FORMS}"),
            ([.., "keep_for"], Content::Scalar { meaning: Scalar::Number(_), .. }) => {
                format!("a length of time has a unit: `keep_for: {written}d` for days, `h` for hours, `w` for weeks")
            }
            ([.., "type"], Content::List(_)) => {
                let types: Vec<String> = list.iter().map(|node| format!("{{ type: {} }}", self.written(node))).collect();
                format!("one of several types is a list of patterns: `[{}]`", types.join(", "))
            }
            ([.., "numeric"], _) => match text.and_then(comparison) {
                Some((operator, number)) => format!("write `numeric: [\"{operator}\", {number}]`"),
                None => format!("for example `numeric: [\"=\", {written}]`, or the number alone without `numeric`"),
            },
            ([.., name @ ("documents" | "contains" | "given")], Content::List(_)) => {
                format!("documents stand under their table: `{name}: {{ TABLE: [{{ … }}] }}`")
            }
            ([.., "documents" | "contains" | "given", table], Content::Map(_)) => {
                format!("the documents of a table are a list: `{table}: [{written}]`")
            }
            (["cases"], Content::Map(_)) => "`cases` is a list: each case begins with `- name: …`".to_owned(),
            ([.., key], Content::Scalar { .. }) if expected == "a list" && text.is_some() => format!("write `{key}: [{written}]`"),
            ([.., key], Content::Map(_)) if expected == "a list" => format!("write `{key}: [{written}]`, or begin each entry with `- `"),
            (_, Content::Scalar { text, meaning: Scalar::Text }) if expected.starts_with("a whole number") && text.parse::<u64>().is_ok() => {
                format!("write it without quotes: {text}")
            }
            (_, Content::Scalar { text, meaning: Scalar::Bool(_) | Scalar::Number(_) | Scalar::BadNumber(_) })
                if ["text", "name"].iter().any(|word| expected.contains(word)) =>
            {
                format!("YAML reads {text} without quotes as {}: for the text write \"{text}\"", match node.content {
                    Content::Scalar { meaning: Scalar::Bool(_), .. } => "a boolean",
                    _ => "a number",
                })
            }
            (_, Content::Scalar { text, meaning: Scalar::Null }) if !text.is_empty() && text != "~" && expected.contains("text") => {
                format!("YAML reads {text} without quotes as nothing: for the text write \"{text}\"")
            }
            _ => return None,
        })
    }

    /// What a text is where a boolean is expected, and what to write.
    pub(crate) fn boolean(&self, node: &Node) -> Option<(String, String)> {
        let text = scalar(node)?;
        let write = match text.to_lowercase().as_str() {
            "yes" | "y" | "on" | "true" | "1" => "true",
            "no" | "n" | "off" | "false" | "0" => "false",
            _ => return None,
        };
        Some(match self.written(node).starts_with(['"', '\'']) {
            true => (format!("this is the text `{text}`, in quotes"), format!("write {write} without quotes")),
            false => (format!("`{text}` is a text in YAML 1.2"), format!("write `{write}`")),
        })
    }

    /// The type of a key attribute that a value names.
    pub(crate) fn type_word(&self, node: &Node) -> Option<&'static str> {
        const TYPES: [&str; 3] = ["string", "number", "binary"];
        let word = scalar(node)?;
        TYPES.into_iter().find(|kind| *kind == word).or_else(|| crate::foreign::word(word, &TYPES))
    }

    /// The guard that a word probably means.
    pub(crate) fn guard(&self, node: &Node) -> Option<String> {
        let word = scalar(node).or_else(|| scalar(list(node).first()?))?;
        let plain = crate::foreign::plain(word);
        Some(match plain.as_str() {
            "lane" | "shard" | "document" => format!("did you mean `{{ last_event_id: {plain} }}`?"),
            "eventstable" | "events" | "dedup" | "deduplicate" | "dedupe" | "idempotent" | "exactlyonce" => {
                "a table that remembers every event is written `{ events_table: NAME }`".to_owned()
            }
            "off" | "no" | "false" | "null" | "atleastonce" => {
                "a projection without a guard says `guard: none`".to_owned()
            }
            _ => match crate::suggest::nearest(&plain, ["none", "lasteventid", "eventid", "sequence", "lastevent"])? {
                "none" => "did you mean `none`?".to_owned(),
                _ => "did you mean `last_event_id`?".to_owned(),
            },
        })
    }

    /// What to say of a word that is none of those that are taken.
    pub(crate) fn word(&self, trail: &[&str], word: &str) -> Option<String> {
        match trail {
            [.., "last_event_id"] => Some(format!(
                "it says where the newest event is remembered; what orders events is written `{{ last_event_id: document, order_by: {word} }}`"
            )),
            [.., "type"] => None,
            _ => None,
        }
    }

    /// What a key that is missing looks like.
    pub(crate) fn missing(&self, key: &str) -> Option<String> {
        Some(match key {
            "projection" => "every projection has a name: `projection: order_totals`".to_owned(),
            "document" => {
                "it says which table the documents go into: `document: { table: Orders, partition_key: id }`".to_owned()
            }
            "guard" => format!("it is what makes a repeated event harmless: {GUARD_FORMS}"),
            "rules" => "it says what events do to documents: `rules:`, and below it `  - name: placed` and operations"
                .to_owned(),
            "table" => "it is the name of a DynamoDB table: `table: Orders`".to_owned(),
            "partition_key" => "it is the name of the table's key attribute: `partition_key: id`".to_owned(),
            "queue" => "it is the name of the SQS queue: `queue: orders`".to_owned(),
            "stream" => "it is the name of the Kinesis stream: `stream: orders`".to_owned(),
            "name" => "for example `name: …`".to_owned(),
            "value" => "it is the element to append: `value: $.text`".to_owned(),
            "projections" => "it lists the files of the projections that run: `projections: [orders.yaml]`".to_owned(),
            "cases" => "it lists the tests: each case begins with `- name: …`".to_owned(),
            "events" => "it lists the events of the case: `events: [{ payload: { id: a } }]`".to_owned(),
            _ => return None,
        })
    }

    /// `source: {type: kinesis, stream: orders}`: what it means, and how it is written.
    pub(crate) fn source_with_type(&self, place: Place, map: &Node, key: &str) -> Option<(&'static str, String)> {
        if place != Place::Source || key != "type" {
            return None;
        }
        let kind = scalar(entry(map, "type")?)?;
        let (means, place) = match kind.to_lowercase().as_str() {
            kind if kind.starts_with("dyn") => ("dynamodb", Place::Dynamodb),
            kind if kind.contains("sqs") || kind.contains("queue") => ("sqs", Place::Sqs),
            _ => ("kinesis", Place::Kinesis),
        };
        let Content::Map(entries) = &map.content else { return None };
        let inner: Vec<String> = entries
            .iter()
            .filter(|(key, _)| place.keys().contains(&key.text.as_str()))
            .map(|(key, value)| format!("{}: {}", key.text, self.written(value)))
            .collect();
        let inner = if inner.is_empty() { "NAME".to_owned() } else { format!("{{ {} }}", inner.join(", ")) };
        Some((means, format!("the kind of source is a key: `source: {{ {means}: {inner} }}`")))
    }

    /// An event of a test whose payload stands in place of the event.
    pub(crate) fn payload_alone(&self, event: &Node) -> Option<String> {
        const PARTS: [&str; 5] = ["payload", "new", "old", "raw", "file"];
        let Content::Map(entries) = &event.content else { return None };
        // Another word for one of the parts, rather than an entry of the payload.
        let is_part = |(key, value): &(Key, Node)| {
            let means = crate::foreign::key(Place::Event, &key.text).map(|foreign| foreign.means);
            let near = crate::suggest::nearest(&key.text, PARTS);
            PARTS.contains(&key.text.as_str())
                || means.or(near).is_some_and(|part| PARTS.contains(&part))
                    && !matches!(value.content, Content::Scalar { .. })
        };
        if entries.iter().any(is_part) {
            return None;
        }
        let payload = match self.written(event) {
            written if written.starts_with('{') => written,
            _ => "{ … }".to_owned(),
        };
        Some(format!("the payload of a Kinesis record or of an SQS message is written `payload: {payload}`"))
    }

    /// `{ numeric: ">", 100 }`: the list that YAML has cut at its `,`.
    pub(crate) fn numeric_without_brackets(&self, map: &Node, key: &Key) -> Option<String> {
        let operator = entry(map, "numeric").and_then(scalar)?;
        let is_operator = ["=", ">", ">=", "<", "<="].contains(&operator);
        (is_operator && key.text.parse::<f64>().is_ok())
            .then(|| format!("the operator and its number are a list: `numeric: [\"{operator}\", {}]`", key.text))
    }

    /// A map in `when` that is no pattern: the path that was probably meant.
    pub(crate) fn path_inside(&self, map: &Node, key: &str, value: &Node) -> Option<String> {
        let path = key_of(self.root, map.id)?;
        let is_name = key.chars().all(|c| c.is_alphanumeric() || c == '_');
        if !path.starts_with('$') {
            return None;
        }
        let inner = if is_name { format!("{path}.{key}") } else { format!("{path}['{key}']") };
        Some(format!(
            "a pattern is one of `prefix`, `exists`, `numeric` and others; what is inside of `{path}` has a path of its own: `{inner}: {}`",
            self.written(value)
        ))
    }

    /// The names of the table's key attributes.
    fn key_names(&self) -> Vec<String> {
        let document = entry(self.root, "document");
        let name = |key: &str| {
            let attribute = entry(document?, key)?;
            scalar(attribute).or_else(|| scalar(entry(attribute, "name")?)).map(str::to_owned)
        };
        ["partition_key", "sort_key"].into_iter().filter_map(name).collect()
    }
}

fn entry<'n>(map: &'n Node, name: &str) -> Option<&'n Node> {
    match &map.content {
        Content::Map(entries) => entries.iter().find(|(key, _)| key.text == name).map(|(_, value)| value),
        _ => None,
    }
}

/// The key of the node with a number.
fn key_of(node: &Node, id: usize) -> Option<&str> {
    match &node.content {
        Content::Scalar { .. } => None,
        Content::List(list) => list.iter().find_map(|element| key_of(element, id)),
        Content::Map(entries) => entries.iter().find_map(|(key, value)| match value.id == id {
            true => Some(key.text.as_str()),
            false => key_of(value, id),
        }),
    }
}

fn scalar(node: &Node) -> Option<&str> {
    match &node.content {
        Content::Scalar { text, meaning: Scalar::Text } => Some(text),
        _ => None,
    }
}

fn list(node: &Node) -> Vec<&Node> {
    match &node.content {
        Content::List(list) => list.iter().collect(),
        _ => Vec::new(),
    }
}

/// The name of a source in a list of them.
fn source_name(node: &Node) -> Option<&str> {
    let any_of = |node, keys: [&str; 3]| keys.into_iter().find_map(|key| entry(node, key));
    let source = || any_of(node, ["kinesis", "dynamodb", "sqs"]);
    scalar(node)
        .or_else(|| scalar(entry(node, "name")?))
        .or_else(|| scalar(source()?))
        .or_else(|| scalar(any_of(source()?, ["stream", "table", "queue"])?))
}

/// `total` of `$.order.total`.
fn last_name(text: &str) -> Option<String> {
    let name = text.trim_end_matches('?').rsplit(['.', '[', ']', '\'', '"']).find(|part| !part.is_empty())?;
    (name.chars().all(|c| c.is_alphanumeric() || c == '_')).then(|| name.to_owned())
}

/// `line` of `lines`.
fn singular(name: &str) -> String {
    match name.strip_suffix('s') {
        Some(one) if one.len() > 1 => one.to_owned(),
        _ => "item".to_owned(),
    }
}

/// The operator and the number of `> 5`.
fn comparison(text: &str) -> Option<(&str, &str)> {
    let number = text.trim_start_matches(['<', '>', '=', '!', ' ']);
    let operator = text[..text.len() - number.len()].trim();
    let known = ["=", ">", ">=", "<", "<="].contains(&operator);
    (known && number.trim().parse::<f64>().is_ok()).then_some((operator, number.trim()))
}
