//! `$.a.b[0]`: JSONPath (RFC 9535) text to the steps that a slot is filled by.

use jsonpath_rust::parser::model::{JpQuery, Segment, Selector};
use jsonpath_rust::parser::parse_json_path;
use viewfold_spec::Code;

/// One step into a payload.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Step {
    /// A key of an object.
    Name(String),
    /// An element of an array; from its end where negative.
    Index(i64),
}

/// Why a text is no path that can be used.
#[derive(Debug, PartialEq, Eq)]
pub struct PathError {
    /// What is wrong.
    pub message: String,
    /// Where in the text, in bytes, and how many of them.
    pub at: Option<(usize, usize)>,
    /// What kind of error it is.
    pub code: Code,
    /// What to do.
    pub help: Option<String>,
}

/// Whether a text of a file is written as a path into the payload.
pub(crate) fn is_path(text: &str) -> bool {
    text == "$" || text == "$?" || text.starts_with("$.") || text.starts_with("$[")
}

/// The steps of a path of names and indexes.
///
/// # Errors
///
/// When the text is no JSONPath, or one that can find many values.
pub fn parse(text: &str) -> Result<Vec<Step>, PathError> {
    if let Some(steps) = plain_names(text) {
        return Ok(steps);
    }
    no_stray_space(text)?;
    let query = parse_json_path(text).map_err(|error| path_syntax_error(text, &error.to_string()))?;
    steps(&query).ok_or_else(|| PathError {
        message: format!("`{text}` can find many values; only paths of names and indexes are taken here"),
        at: None,
        code: Code::BadPath,
        help: Some("name the value that is meant, as in `$.lines[0].price`".to_owned()),
    })
}

/// The steps of `$.a.b_c`, as almost all paths are: a start reads hundreds of them, and the grammar of JSONPath takes far
/// longer over each. Nothing for all others.
fn plain_names(text: &str) -> Option<Vec<Step>> {
    let is_plain = |name: &&str| {
        let is_first = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
        name.as_bytes().first().is_some_and(is_first)
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let names = text.strip_prefix("$.")?.split('.');
    names.map(|name| Some(name).filter(is_plain).map(|name| Step::Name(name.to_owned()))).collect()
}

fn steps(query: &JpQuery) -> Option<Vec<Step>> {
    query.segments.iter().map(path_step).collect()
}

/// The step of a segment that finds one value at most; nothing for others.
pub(crate) fn path_step(segment: &Segment) -> Option<Step> {
    match segment {
        Segment::Selector(selector) => step(selector),
        Segment::Selectors(selectors) => match selectors.as_slice() {
            [selector] => step(selector),
            _ => None,
        },
        Segment::Descendant(_) => None,
    }
}

fn step(selector: &Selector) -> Option<Step> {
    match selector {
        Selector::Name(name) => Some(Step::Name(unquote_name(name))),
        Selector::Index(index) => Some(Step::Index(*index)),
        Selector::Wildcard | Selector::Slice(..) | Selector::Filter(_) => None,
    }
}

/// The key that a name selector means: jsonpath-rust leaves the quotes and escapes of `['…']` as they were written.
pub(crate) fn unquote_name(name: &str) -> String {
    let inner = ['\'', '"']
        .iter()
        .find_map(|quote| name.strip_prefix(*quote).and_then(|rest| rest.strip_suffix(*quote)))
        .filter(|_| name.len() >= 2);
    let Some(inner) = inner else { return name.to_owned() };
    // The escapes are JSON's, and `\'` beside them.
    let json = format!("\"{}\"", inner.replace("\\'", "'").replace('"', "\\\"").replace("\\\\\"", "\\\""));
    match viewfold_value::json::parse(json.as_bytes()) {
        Ok(viewfold_value::Value::String(text)) => text,
        _ => inner.to_owned(),
    }
}

/// Outside of brackets a path has no space in it: jsonpath-rust takes it for a part of a name.
pub(crate) fn no_stray_space(text: &str) -> Result<(), PathError> {
    let (mut depth, mut quote, mut escaped) = (0usize, None, false);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') if depth > 0 => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') => depth = depth.saturating_sub(1),
            (None, c) if c.is_whitespace() && depth == 0 => {
                let rest = text[at..].trim_start();
                let is_expression = rest.starts_with(['+', '-', '*', '/', '%', '=', '<', '>', '&', '|', '!', '?']);
                if is_expression || rest.contains("$.") {
                    let message =
                        format!("this is read as one path, for a value that begins with `$.` is one: `{text}`");
                    let help = match is_expression {
                        true => format!("an expression is written '${{ {text} }}'"),
                        false => format!("a text with values in it is written '{}'", braced(text)),
                    };
                    let code = Code::BadPath;
                    return Err(PathError { message, at: Some((0, text.len())), code, help: Some(help) });
                }
                let help = if rest.is_empty() {
                    "remove the space at the end".to_owned()
                } else if let Some(error) = unbracketed(text) {
                    return Err(error);
                } else {
                    "a name with a space in it is written `['a b']`".to_owned()
                };
                let message = "a space cannot stand in a path outside of brackets (RFC 9535)".to_owned();
                return Err(PathError { message, at: Some((at, 1)), code: Code::BadPath, help: Some(help) });
            }
            (None, _) => {}
        }
    }
    Ok(())
}

/// What is wrong with a text that is no JSONPath, and words for the usual reasons.
pub(crate) fn path_syntax_error(text: &str, error: &str) -> PathError {
    let said = |message: String, at: Option<(usize, usize)>, help: String| PathError {
        message,
        at,
        code: Code::BadPath,
        help: Some(help),
    };
    if let Some(at) = text.find("?.").or_else(|| text.find("?[").filter(|_| !text.contains("[?"))) {
        let message = format!("`{text}` is no JSONPath: `?` is for the whole path");
        return said(message, Some((at, 1)), format!("the `?` goes to its end: `{}?`", text.replace('?', "")));
    }
    if let Some(error) = unbracketed(text) {
        return error;
    }
    if text.ends_with(['.', '[']) {
        let message = format!("`{text}` ends where a name is expected");
        return said(
            message,
            Some((text.len() - 1, 1)),
            "a path is written like `$.data.id` or `$['order-id']`".into(),
        );
    }
    if let Some((at, name)) = unquoted_name(text) {
        let message = format!("a name in brackets stands in quotes: `{name}` has none");
        return said(message, Some((at, name.len())), format!("write `['{name}']`"));
    }
    let reason = error.lines().find(|line| line.contains("= ")).map_or("", |line| line.trim());
    let message = match reason.trim_start_matches("= ") {
        "" => format!("`{text}` is no JSONPath"),
        reason => format!("`{text}` is no JSONPath: {reason}"),
    };
    said(message, None, "a path is written like `$.data.id` or `$['order-id']`".into())
}

/// `[name]`
fn unquoted_name(text: &str) -> Option<(usize, &str)> {
    let open = text.find('[')?;
    let name = &text[open + 1..open + text[open..].find(']')?];
    let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    is_name.then_some((open + 1, name))
}

/// A text with `${ }` around every path in it.
pub(crate) fn braced(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 8);
    let mut at = 0;
    while let Some(start) = text[at..].find('$').map(|found| at + found) {
        let name = text[start..].trim_start_matches('$');
        let is_path = name.starts_with('.') && name[1..].starts_with(|c: char| c.is_alphabetic() || c == '_');
        let rest = &text[start..];
        let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | '[' | ']' | '\'')));
        let path = rest[..end.unwrap_or(rest.len())].trim_end_matches('.');
        written += &text[at..start];
        match is_path {
            true => written += &format!("${{ {path} }}"),
            false => written.push('$'),
        }
        at = start + if is_path { path.len() } else { 1 };
    }
    written + &text[at..]
}

/// The names of a path, outside of brackets, with their places.
fn dotted_names(text: &str) -> Vec<(usize, &str)> {
    let mut names = Vec::new();
    let (mut depth, mut quote, mut start) = (0usize, None, None);
    for (at, c) in text.char_indices().chain([(text.len(), '.')]) {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') if depth > 0 => quote = Some(c),
            (None, '.' | '[') if depth == 0 => {
                if let Some(start) = start.take() {
                    names.push((start, &text[start..at]));
                }
                if c == '[' {
                    depth = 1;
                } else if !text[at..].starts_with("..") {
                    start = Some((at + 1).min(text.len()));
                }
            }
            (None, '[') => depth += 1,
            (None, ']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    names.into_iter().map(|(at, name)| (at, name.strip_suffix('?').unwrap_or(name))).collect()
}

/// Whether a name may stand behind a `.` (RFC 9535).
fn is_plain_name(name: &str) -> bool {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
    name == "*" || name.starts_with(is_first) && name.chars().all(|c| is_first(c) || c.is_ascii_digit())
}

/// A path whose names stand in brackets where they have to; nothing where none has to.
pub(crate) fn bracketed(text: &str) -> Option<String> {
    let mut written = String::with_capacity(text.len() + 4);
    let mut from = 0;
    for (at, name) in dotted_names(text).into_iter().filter(|(_, name)| !name.is_empty() && !is_plain_name(name)) {
        written += text[from..at].strip_suffix('.').unwrap_or(&text[from..at]);
        written += &format!("['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"));
        from = at + name.len();
    }
    (from > 0).then(|| written + &text[from..])
}

/// The error of a name that has to stand in brackets.
fn unbracketed(text: &str) -> Option<PathError> {
    let (at, name) = dotted_names(text).into_iter().find(|(_, name)| !name.is_empty() && !is_plain_name(name))?;
    if let Some(plain) = name.strip_suffix([',', ';']).filter(|plain| is_plain_name(plain)) {
        let message = format!("a `{}` stands behind the path", &name[plain.len()..]);
        let help = "an entry of a map ends with its line: remove it".to_owned();
        return Some(PathError { message, at: Some((at + plain.len(), 1)), code: Code::BadPath, help: Some(help) });
    }
    let odd = name.chars().find(|c| !is_plain_name(&format!("a{c}")));
    let message = match odd {
        Some(' ') => format!("a space cannot stand in a path outside of brackets: `{name}`"),
        Some(odd) => format!("`{odd}` cannot stand in a name of a path outside of brackets: `{name}`"),
        None => format!("a name that begins with a digit stands in brackets: `{name}`"),
    };
    let help = format!("write \"{}\", in quotes (RFC 9535)", bracketed(text)?);
    Some(PathError { message, at: Some((at, name.len())), code: Code::UnbracketedName, help: Some(help) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<Step> {
        parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    #[test]
    fn names_and_indexes_become_steps() {
        let name = |text: &str| Step::Name(text.to_owned());
        assert_eq!(names("$"), []);
        assert_eq!(names("$.data.id"), [name("data"), name("id")]);
        assert_eq!(names("$['order-id'][0][-1]"), [name("order-id"), Step::Index(0), Step::Index(-1)]);
        assert_eq!(
            names(r#"$["a.b"]['it\'s']["say \"x\""]['"']['\\']['\u00e9']"#),
            [name("a.b"), name("it's"), name("say \"x\""), name("\""), name("\\"), name("é")]
        );
        assert_eq!(names("$.größe.😀"), [name("größe"), name("😀")]);
    }

    #[test]
    fn plain_names_are_what_the_grammar_makes_of_them() {
        let mut random = fastrand::Rng::with_seed(11);
        let mut plain = 0;
        for _ in 0..2000 {
            let parts = ["$", ".", ".", "a", "B", "_", "9", "-", " ", "[0]", "ä", "length", "true", "*", "@"];
            let text: String = std::iter::once("$.")
                .chain((0..random.usize(1..7)).map(|_| parts[random.usize(..parts.len())]))
                .collect();
            if let Some(found) = plain_names(&text) {
                plain += 1;
                let query = parse_json_path(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
                assert_eq!((no_stray_space(&text), steps(&query)), (Ok(()), Some(found)), "{text}");
            }
        }
        assert!(plain > 200, "{plain}");
        for text in ["$", "$.", "$.a.", "$..a", "$.1", "$.a[0]", "$.a-b", "$.a b", "$['a']", "$.ä"] {
            assert_eq!(plain_names(text), None, "{text}");
        }
    }

    #[test]
    fn what_finds_many_or_is_no_path_is_an_error() {
        for text in ["$.a[*]", "$..a", "$.a[?@.b]", "$.a[0:2]", "$['a','b']"] {
            assert!(parse(text).unwrap_err().message.contains("can find many"), "{text}");
        }
        let error = parse("$.order-id.x").unwrap_err();
        assert_eq!((error.at, error.code), (Some((2, 8)), Code::UnbracketedName));
        for (text, fixed) in [
            ("$.order-id.x", "$['order-id'].x"),
            ("$.a.b c", "$.a['b c']"),
            ("$.1st[0]?", "$['1st'][0]?"),
            ("$.@timestamp", "$['@timestamp']"),
            ("$.xml:lang", "$['xml:lang']"),
            ("$.a['x-y'].$ref", "$.a['x-y']['$ref']"),
        ] {
            assert_eq!(bracketed(text).as_deref(), Some(fixed));
            assert!(parse(fixed.trim_end_matches('?')).is_ok(), "{fixed}");
        }
        assert_eq!(bracketed("$.a['x-y'].b[?@.c-1 > 2]..*"), None);
        for text in ["$.", "$.a[", "$.a..", "$x", "$.a]"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
