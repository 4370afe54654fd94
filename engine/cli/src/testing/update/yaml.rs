//! Values as a test file writes them: in the language, so that reading gives the same value back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::sync::Arc;
use viewfold_core::compile::constant;
use viewfold_spec::yaml::node::{Content, Node, compose};
use viewfold_spec::yaml::read::read;
use viewfold_spec::{Literal, Source, Spanned};
use viewfold_value::{Item, Value};

/// Lines longer than this are broken, where YAML's block style allows it.
const MAX_LINE: usize = 120;

/// What is written: values, with the entries of maps in an order of their own.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    Scalar(String),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// The tree of a value; nothing where a test file has no way to write it.
    pub(super) fn of(value: &Value) -> Option<Tree> {
        Some(match value {
            Value::List(list) => Tree::List(list.iter().map(Tree::of).collect::<Option<_>>()?),
            Value::Map(item) => Tree::of_item(item, &[])?,
            other => Tree::Scalar(scalar(other)?),
        })
    }

    /// The tree of an item, its key attributes first.
    pub(super) fn of_item(item: &Item, keys: &[&str]) -> Option<Tree> {
        let is_key = |name: &String| keys.contains(&name.as_str());
        let first = keys.iter().filter_map(|key| item.get_key_value(*key));
        let entries = first.chain(item.iter().filter(|(name, _)| !is_key(name)));
        let entries = entries.map(|(name, value)| Some((key(name)?, Tree::of(value)?)));
        Some(Tree::Map(entries.collect::<Option<_>>()?))
    }

    /// In one line, in YAML's flow style.
    pub(super) fn inline(&self) -> String {
        match self {
            Tree::Scalar(text) => text.clone(),
            Tree::List(list) => format!("[{}]", list.iter().map(Tree::inline).collect::<Vec<_>>().join(", ")),
            Tree::Map(entries) if entries.is_empty() => "{}".to_owned(),
            Tree::Map(entries) => {
                let entries: Vec<String> =
                    entries.iter().map(|(key, value)| format!("{key}: {}", value.inline())).collect();
                format!("{{ {} }}", entries.join(", "))
            }
        }
    }

    /// In lines of YAML's block style, without the indent of the first one, where one line would be too long. The first
    /// line stands behind so many characters, the others are indented by as many as `indent` says.
    fn lines(&self, before: usize, indent: usize) -> Vec<String> {
        let inline = self.inline();
        if before + inline.chars().count() <= MAX_LINE {
            return vec![inline];
        }
        self.block(indent).unwrap_or_else(|| vec![inline])
    }

    /// In lines of YAML's block style, all but the first one indented; nothing for what has no entries.
    fn block(&self, indent: usize) -> Option<Vec<String>> {
        let mut lines = Vec::new();
        match self {
            Tree::List(list) if !list.is_empty() => {
                for element in list {
                    lines.extend(element.item_lines(indent, false));
                }
            }
            Tree::Map(entries) if !entries.is_empty() => {
                for (key, value) in entries {
                    lines.extend(entry_lines(key, value, indent));
                }
            }
            _ => return None,
        }
        // The first line's indent is where it is put.
        lines[0] = lines[0].trim_start().to_owned();
        Some(lines)
    }

    /// As an element of a block list that is indented so far; in block style in any case where its neighbours are.
    pub(super) fn item_lines(&self, indent: usize, as_block: bool) -> Vec<String> {
        let lines = as_block.then(|| self.block(indent + 2)).flatten();
        let mut lines = lines.unwrap_or_else(|| self.lines(indent + 2, indent + 2));
        lines[0] = format!("{:indent$}- {}", "", lines[0]);
        lines
    }
}

/// An entry of a block map that is indented so far.
pub(super) fn entry_lines(key: &str, value: &Tree, indent: usize) -> Vec<String> {
    let before = indent + key.chars().count() + 2;
    let inline = value.inline();
    let block = (before + inline.chars().count() > MAX_LINE).then(|| value.block(indent + 2)).flatten();
    let Some(block) = block else { return vec![format!("{:indent$}{key}: {inline}", "")] };
    let mut lines = vec![format!("{:indent$}{key}:", "")];
    let inner = indent + 2;
    for (number, line) in block.into_iter().enumerate() {
        lines.push(if number == 0 { format!("{:inner$}{line}", "") } else { line });
    }
    lines
}

/// The key of an entry.
pub(super) fn key(name: &str) -> Option<String> {
    let mut candidates = quoted(name);
    if is_plain(name) {
        candidates.insert(0, name.to_owned());
    }
    candidates.into_iter().find(|candidate| {
        match composed(&format!("{{ {candidate}: 1 }}")).map(|node| node.1.content) {
            Some(Content::Map(entries)) => entries.len() == 1 && entries[0].0.text == name,
            _ => false,
        }
    })
}

/// A value that is neither a list nor a map: the first of its forms that is read as it.
fn scalar(value: &Value) -> Option<String> {
    let candidates = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => vec![value.to_string()],
        Value::String(text) => {
            let mut candidates = quoted(text);
            if is_plain(text) {
                candidates.insert(0, text.clone());
            }
            candidates.extend(quoted(&format!("${{ {} }}", expression_text(text))));
            candidates
        }
        Value::Binary(bytes) => quoted(&format!("${{ {} }}", binary(bytes))),
        Value::StringSet(set) => of_set(set.iter().map(|text| expression_text(text))),
        Value::NumberSet(set) => of_set(set.iter().map(ToString::to_string)),
        Value::BinarySet(set) => of_set(set.iter().map(|bytes| binary(bytes))),
        Value::List(_) | Value::Map(_) => return None,
    };
    // In a flow list: what can stand there can stand anywhere.
    candidates.into_iter().find(|candidate| {
        let Some((source, node)) = composed(&format!("[{candidate}]")) else { return false };
        value_of(&source, &node) == Some(Value::List(vec![value.clone()]))
    })
}

fn of_set(elements: impl Iterator<Item = String>) -> Vec<String> {
    quoted(&format!("${{ set({}) }}", elements.collect::<Vec<_>>().join(", ")))
}

fn binary(bytes: &[u8]) -> String {
    format!("binary(\"{}\")", BASE64.encode(bytes))
}

/// A text literal of an expression.
fn expression_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn composed(text: &str) -> Option<(Arc<Source>, Node)> {
    let source = Arc::new(Source { name: String::new(), text: text.to_owned() });
    let node = compose(&source).ok()?;
    Some((source, node))
}

/// What a node of a test file comes to.
pub(super) fn value_of(source: &Arc<Source>, node: &Node) -> Option<Value> {
    let literal: Spanned<Literal> = read(node, source).ok()?;
    constant(source, &literal).ok()
}

/// The quoted forms of a text, the one that reads best first.
fn quoted(text: &str) -> Vec<String> {
    let single = format!("'{}'", text.replace('\'', "''"));
    let mut double = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => double += "\\\"",
            '\\' => double += "\\\\",
            '\n' => double += "\\n",
            '\t' => double += "\\t",
            '\r' => double += "\\r",
            c if is_unprintable(c) && u32::from(c) > 0xffff => double += &format!("\\U{:08X}", u32::from(c)),
            c if is_unprintable(c) => double += &format!("\\u{:04X}", u32::from(c)),
            c => double.push(c),
        }
    }
    double.push('"');
    if text.chars().any(is_unprintable) {
        return vec![double];
    }
    let by_single = text.contains(['"', '\\']) || text.contains("${");
    if by_single { vec![single, double] } else { vec![double, single] }
}

/// What has no place in a YAML file, or is not seen in one.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{e000}'..='\u{f8ff}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{a0}' | '\u{ad}')
}

/// Whether a text may stand without quotes: words, none of which means something to this or an older reader of YAML.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 7] = ["yes", "no", "on", "off", "true", "false", "null"];
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ' ' | '+' | '@'))
        && !text.ends_with(' ')
        && !WORDS.contains(&text.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::{Tree, composed, key, value_of};
    use std::collections::BTreeSet;
    use viewfold_value::{Number, Value};

    fn inline(value: &Value) -> String {
        Tree::of(value).unwrap_or_else(|| panic!("{value} cannot be written")).inline()
    }

    #[test]
    fn texts_are_quoted_where_they_would_mean_something_else() {
        for (text, expected) in [
            ("SOUTH", "SOUTH"),
            ("a b-c.d", "a b-c.d"),
            ("größe", "größe"),
            ("", "\"\""),
            ("12", "\"12\""),
            ("1e3", "\"1e3\""),
            ("0x1F", "\"0x1F\""),
            ("007", "\"007\""),
            ("2026-01-01", "\"2026-01-01\""),
            ("true", "\"true\""),
            ("NO", "\"NO\""),
            ("~", "\"~\""),
            ("null", "\"null\""),
            ("-", "\"-\""),
            ("a: b", "\"a: b\""),
            ("a #b", "\"a #b\""),
            ("[x]", "\"[x]\""),
            ("&a", "\"&a\""),
            ("*a", "\"*a\""),
            ("!a", "\"!a\""),
            ("@a", "\"@a\""),
            (" x ", "\" x \""),
            ("it's", "\"it's\""),
            ("say \"x\"", "'say \"x\"'"),
            ("a\\b", "'a\\b'"),
            ("a\\'b", "'a\\''b'"),
            ("a\nb\t\u{7}", "\"a\\nb\\t\\u0007\""),
            ("\u{feff}x\u{85}", "\"\\uFEFFx\\u0085\""),
            ("😀", "\"😀\""),
            ("$.x", "'${ \"$.x\" }'"),
            ("$['x']", "'${ \"$[''x'']\" }'"),
            ("$", "'${ \"$\" }'"),
            ("$$.now", "'${ \"$$.now\" }'"),
            ("$name", "'${ \"$name\" }'"),
            ("a ${ b }", "'${ \"a ${ b }\" }'"),
            ("${", "'${ \"${\" }'"),
            ("$.\"\\'\n", "\"${ \\\"$.\\\\\\\"\\\\\\\\'\\n\\\" }\""),
        ] {
            assert_eq!(inline(&Value::from(text)), expected, "{text:?}");
        }
    }

    #[test]
    fn other_values_are_as_the_language_has_them() {
        let number = |text: &str| Number::parse(text).expect("a number");
        let strings = |set: &[&str]| Value::StringSet(set.iter().map(ToString::to_string).collect());
        for (value, expected) in [
            (Value::Null, "null"),
            (Value::Bool(false), "false"),
            (Value::Number(number("-0.1")), "-0.1"),
            (Value::Number(number("12345678901234567890123456789012345678")), "12345678901234567890123456789012345678"),
            (Value::Number(number("1e30")), "1000000000000000000000000000000"),
            (strings(&["b", "a", "it's", "\"", "$.x}"]), "'${ set(\"\\\"\", \"$.x}\", \"a\", \"b\", \"it''s\") }'"),
            (Value::NumberSet(BTreeSet::from([number("2"), number("-1.5")])), "'${ set(-1.5, 2) }'"),
            (Value::Binary(vec![255, 0]), "'${ binary(\"/wA=\") }'"),
            (Value::BinarySet(BTreeSet::from([vec![1], vec![2]])), "'${ set(binary(\"AQ==\"), binary(\"Ag==\")) }'"),
            (Value::List(vec![]), "[]"),
            (Value::Map([].into()), "{}"),
            (
                Value::Map(
                    [("a.b".to_owned(), Value::List(vec![Value::Null])), ("1".to_owned(), strings(&["x"]))].into(),
                ),
                "{ \"1\": '${ set(\"x\") }', a.b: [null] }",
            ),
        ] {
            let written = inline(&value);
            assert_eq!(written, expected);
            let (source, node) = composed(&written).expect("YAML");
            assert_eq!(value_of(&source, &node), Some(value));
        }
    }

    /// Any text of nasty characters is read as it was.
    #[test]
    fn every_text_comes_back() {
        let signs: Vec<char> =
            "$.{}[]\"'\\#:,&*!|>%@`~-?= \n\t\r\0aN1é\u{85}\u{2028}\u{feff}\u{e000}😀".chars().collect();
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..3000 {
            let text: String = (0..rng.usize(1..7)).map(|_| signs[rng.usize(0..signs.len())]).collect();
            let value = Value::from(text.as_str());
            // The reader's own limits: a private sign of expressions inside of one.
            let Some(tree) = Tree::of(&value) else {
                assert!(text.contains(['\u{e000}', '\0']), "{text:?}");
                continue;
            };
            let (source, node) = composed(&tree.inline()).unwrap_or_else(|| panic!("no YAML: {}", tree.inline()));
            assert_eq!(value_of(&source, &node), Some(value), "{}", tree.inline());
            if let Some(name) = key(&text) {
                assert!(!name.is_empty());
            }
        }
        assert_eq!(key("<<"), None);
    }
}
