//! `$.a.b[0]`: JSONPath (RFC 9535) text to the steps that a slot is filled by.

use jsonpath_rust::parser::model::{JpQuery, Segment, Selector};
use jsonpath_rust::parser::parse_json_path;

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
    /// Where in the text, in bytes.
    pub at: Option<usize>,
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
    no_stray_space(text)?;
    let query = parse_json_path(text).map_err(|error| path_syntax_error(text, &error.to_string()))?;
    steps(&query).ok_or_else(|| PathError {
        message: format!("`{text}` can find many values; only paths of names and indexes are taken here"),
        at: None,
        help: Some("name the value that is meant, as in `$.lines[0].price`".to_owned()),
    })
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
                let is_expression = rest.starts_with(['+', '-', '*', '/', '%', '=', '<', '>', '&', '|', '!', '?'])
                    || rest.contains("$.");
                let help = if rest.is_empty() {
                    "remove the space at the end".to_owned()
                } else if is_expression {
                    format!(
                        "an expression is written '${{ {text} }}', and text with values in it '${{ $.a }} ${{ $.b }}'"
                    )
                } else {
                    let start = text[..at].rfind(['.', '[']).map_or(0, |dot| dot + 1);
                    let end = text[at..].find(['.', '[']).map_or(text.len(), |next| at + next);
                    format!("a name with a space in it is written `['{}']`", text[start..end].trim_end_matches('?'))
                };
                let message = "a space cannot stand in a path outside of brackets (RFC 9535)".to_owned();
                return Err(PathError { message, at: Some(at), help: Some(help) });
            }
            (None, _) => {}
        }
    }
    Ok(())
}

/// The first character that cannot stand in a path, and words for the usual reasons.
pub(crate) fn path_syntax_error(text: &str, error: &str) -> PathError {
    // What stands in brackets has quotes, or is no name.
    let mut depth = 0usize;
    let bad_name = text.char_indices().find(|(_, c)| {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && matches!(c, '-' | '/' | '@' | '#' | '\\')
    });
    match bad_name {
        Some((at, c)) => {
            let start = text[..at].rfind(['.', '[']).map_or(0, |dot| dot + 1);
            let end = text[at..].find(['.', '[']).map_or(text.len(), |next| at + next);
            PathError {
                message: format!("`{c}` cannot stand in a name of a path without quotes (RFC 9535)"),
                at: Some(at),
                help: Some(format!("write the name in brackets: `['{}']`", text[start..end].trim_end_matches('?'))),
            }
        }
        None => {
            if text.contains("?.") || text.contains("?[") && !text.contains("[?") {
                let message = format!("`{text}` is no JSONPath: `?` is for the whole path");
                let help = format!("the `?` goes to its end: `{}?`", text.replace('?', ""));
                return PathError { message, at: text.find('?'), help: Some(help) };
            }
            let reason = error.lines().find(|line| line.contains("= ")).map_or("", |line| line.trim());
            let message = match reason.trim_start_matches("= ") {
                "" => format!("`{text}` is no JSONPath"),
                reason => format!("`{text}` is no JSONPath: {reason}"),
            };
            PathError { message, at: None, help: Some("a path is written like `$.data.id` or `$['order-id']`".into()) }
        }
    }
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
    fn what_finds_many_or_is_no_path_is_an_error() {
        for text in ["$.a[*]", "$..a", "$.a[?@.b]", "$.a[0:2]", "$['a','b']"] {
            assert!(parse(text).unwrap_err().message.contains("can find many"), "{text}");
        }
        let error = parse("$.order-id.x").unwrap_err();
        assert_eq!(error.at, Some(7));
        assert_eq!(error.help.as_deref(), Some("write the name in brackets: `['order-id']`"));
        for text in ["$.", "$.a[", "$.a..", "$x", "$.a]"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
