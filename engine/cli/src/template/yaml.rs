//! A template as YAML: comments above what they explain, CloudFormation's functions in their short form, resources apart from
//! each other by an empty line.

use super::node::{Map, Node};

/// The most characters of a line of words: comments and folded texts.
const WIDTH: usize = 110;

/// The template as text.
pub(super) fn rendered(template: &Map) -> String {
    let mut out = String::new();
    entries(template, 0, &mut out);
    out
}

fn entries(map: &Map, depth: usize, out: &mut String) {
    for (number, entry) in map.0.iter().enumerate() {
        // Sections, and what they hold: parameters, resources.
        let holds_more = matches!(entry.value, Node::Map(_));
        if (depth == 0 && !out.is_empty() && holds_more) || (depth == 1 && number > 0 && holds_more) {
            out.push('\n');
        }
        comment(&entry.why, depth, out);
        indent(depth, out);
        out.push_str(&scalar(&entry.key, false));
        out.push(':');
        value(&entry.value, depth, out);
    }
}

/// A value behind its key, or behind the `-` of a list.
fn value(node: &Node, depth: usize, out: &mut String) {
    match node {
        Node::Map(map) if map.is_empty() => out.push_str(" {}\n"),
        Node::Map(map) => {
            out.push('\n');
            entries(map, depth + 1, out);
        }
        Node::List(list) if list.is_empty() => out.push_str(" []\n"),
        Node::List(list) => match flow(node) {
            Some(line) if fits(&line, depth) && !list.iter().any(is_quoted) => end(&line, out),
            _ => {
                out.push('\n');
                items(list, depth + 1, out);
            }
        },
        Node::Call(name, given) => match (flow(node), &**given) {
            (Some(line), _) if fits(&line, depth) => end(&line, out),
            (_, Node::List(list)) => {
                out.push_str(&format!(" !{name}\n"));
                items(list, depth + 1, out);
            }
            (_, given) => {
                out.push_str(&format!(" !{name}"));
                value(given, depth, out);
            }
        },
        Node::Text(text) if text.contains('\n') => {
            out.push_str(" |\n");
            for line in text.trim_end_matches('\n').lines() {
                indent(depth + 1, out);
                out.push_str(line);
                out.push('\n');
            }
        }
        Node::Text(text) if is_words(text) && text.len() + 2 * depth > WIDTH => {
            out.push_str(" >-\n");
            for line in wrapped(text, WIDTH.saturating_sub(2 * depth)) {
                indent(depth + 1, out);
                out.push_str(&line);
                out.push('\n');
            }
        }
        Node::Text(text) => end(&scalar(text, false), out),
        Node::Number(number) => end(&number.to_string(), out),
        Node::Bool(value) => end(&value.to_string(), out),
    }
}

fn items(list: &[Node], depth: usize, out: &mut String) {
    for item in list {
        indent(depth, out);
        out.push('-');
        match item {
            // The first key of a map stands behind the `-`.
            Node::Map(map) if !map.is_empty() && map.0[0].why.is_empty() => {
                let mut lines = String::new();
                entries(map, depth + 1, &mut lines);
                out.push(' ');
                out.push_str(lines.trim_start());
            }
            item => value(item, depth, out),
        }
    }
}

/// Whether a text takes quotes on one line, and none on a line of its own.
fn is_quoted(node: &Node) -> bool {
    matches!(node, Node::Text(text) if scalar(text, true) != scalar(text, false))
}

/// A value on one line, where it has nothing that takes several.
fn flow(node: &Node) -> Option<String> {
    Some(match node {
        Node::Text(text) if text.contains('\n') => return None,
        Node::Text(text) => scalar(text, true),
        Node::Number(number) => number.to_string(),
        Node::Bool(value) => value.to_string(),
        Node::List(list) => {
            let items: Option<Vec<String>> = list.iter().map(flow).collect();
            format!("[{}]", items?.join(", "))
        }
        Node::Map(_) => return None,
        Node::Call(name, given) => match &**given {
            Node::Text(text) if !text.contains('\n') => format!("!{name} {}", scalar(text, true)),
            Node::List(_) => format!("!{name} {}", flow(given)?),
            _ => return None,
        },
    })
}

fn fits(line: &str, depth: usize) -> bool {
    line.len() + 2 * depth + 24 <= WIDTH || (!line.contains(", ") && !line.starts_with('['))
}

fn end(text: &str, out: &mut String) {
    out.push(' ');
    out.push_str(text);
    out.push('\n');
}

fn indent(depth: usize, out: &mut String) {
    out.extend(std::iter::repeat_n("  ", depth));
}

/// Whether YAML, of any version, may take a character for the end of a line, or for none at all.
fn breaks_a_line(c: char) -> bool {
    (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

fn comment(why: &str, depth: usize, out: &mut String) {
    for paragraph in why.split(breaks_a_line).filter(|_| !why.is_empty()) {
        for line in wrapped(paragraph, WIDTH.saturating_sub(2 * depth + 2)) {
            indent(depth, out);
            out.push_str(format!("# {line}").trim_end());
            out.push('\n');
        }
    }
}

/// Words in lines of at most so many characters.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        if let Some(line) = lines.last_mut() {
            if line.is_empty() {
                line.push_str(word);
                continue;
            }
            if line.len() + 1 + word.len() <= width {
                line.push(' ');
                line.push_str(word);
                continue;
            }
        }
        lines.push(word.to_owned());
    }
    lines
}

/// Whether a text can be folded at its blanks and comes out the same.
fn is_words(text: &str) -> bool {
    !text.contains("  ") && text.trim() == text && text.contains(' ')
}

/// A text as a scalar: plain where no reader of YAML could take it for anything else, else in single quotes.
fn scalar(text: &str, in_flow: bool) -> String {
    if text.chars().any(breaks_a_line) || text.contains('\t') {
        // JSON's strings are YAML's double-quoted ones, but for characters that only JSON takes as they are.
        let quoted = serde_json::Value::from(text).to_string();
        let escaped = |c: char| if breaks_a_line(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
        return quoted.chars().map(escaped).collect();
    }
    let is_plain = {
        let first = text.chars().next();
        let begins = first.is_some_and(|c| c.is_ascii_alphabetic() || c == '/' || c == '_');
        let reserved = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
        let is_word = reserved.contains(&text.to_ascii_lowercase().as_str());
        let odd = text.contains(": ") || text.contains(" #") || text.ends_with(':') || text.ends_with(' ');
        let in_the_way = in_flow && text.contains([',', '[', ']', '{', '}', ':', '?']);
        begins && !is_word && !odd && !in_the_way && text.is_ascii()
    };
    if is_plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}

#[cfg(test)]
mod tests {
    use super::super::node::{either, map, reference, text_of};
    use super::*;

    #[test]
    fn no_character_ends_a_line_or_a_text_before_its_time() {
        assert_eq!(scalar("a\u{7f}b\u{2028}c\td", false), r#""a\u007fb\u2028c\td""#);
        let mut out = String::new();
        comment("one\r  Enabled: false\u{85}two", 0, &mut out);
        assert_eq!(out, "# one\n# Enabled: false\n# two\n");
        comment("", 0, &mut out);
        assert!(out.ends_with("two\n"));
    }

    #[test]
    fn everything_has_its_form() {
        let inner = Map::default()
            .with("Name", text_of("${TablePrefix}votes"))
            .with_why("Every change is read.", "Version", "2012-10-17")
            .with("Words", "yes")
            .with("Tags", map([("a b", "it's: so".into())]))
            .with("Actions", ["dynamodb:PutItem", "dynamodb:Query"])
            .with("List", vec![map([("A", 1.into()), ("B", true.into())])])
            .with("Topic", either("HasTopic", [reference("Topic")], reference("AWS::NoValue")))
            .with("Body", Node::Call("Sub", Box::new("{\n  \"a\": \"${B}\"\n}\n".into())));
        let template = Map::default()
            .with("Transform", "AWS::Serverless-2016-10-31")
            .with("Resources", map([("One", inner.into()), ("Two", map([("Type", "T".into())]).into())]));
        let expected = "\
Transform: AWS::Serverless-2016-10-31

Resources:
  One:
    Name: !Sub ${TablePrefix}votes
    # Every change is read.
    Version: '2012-10-17'
    Words: 'yes'
    Tags:
      'a b': 'it''s: so'
    Actions:
      - dynamodb:PutItem
      - dynamodb:Query
    List:
      - A: 1
        B: true
    Topic: !If [HasTopic, [!Ref Topic], !Ref 'AWS::NoValue']
    Body: !Sub |
      {
        \"a\": \"${B}\"
      }

  Two:
    Type: T
";
        let expected = expected.replace("'a b':", "a b:").replace("!Sub ${", "!Sub '${").replace("}votes", "}votes'");
        assert_eq!(rendered(&template), expected);
    }
}
