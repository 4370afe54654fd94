//! Attribute paths: `a`, `a.b`, `a['b.c']`, `a.${ expression }`.

use super::Compiler;
use super::kinds::kind_of;
use super::term::{Place, Terms};
use crate::program::{Target, TargetName};
use viewfold_spec::{Code, Literal, Spanned};
use viewfold_value::Kind;

/// One name of an attribute path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Name<'t> {
    /// As it stands.
    Fixed(String),
    /// With `${…}` in it: the text, and where it starts.
    Template(&'t str, usize),
}

/// Why a text is no attribute path: where, and what is wrong.
pub(super) type TargetError = (usize, String);

/// Takes an attribute path apart.
///
/// # Errors
///
/// At an empty name, a bracket that is not closed, or something behind one.
pub(super) fn parse(text: &str) -> Result<Vec<Name<'_>>, TargetError> {
    let mut names = Vec::new();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        if let Some(inside) = rest.strip_prefix('[') {
            let quote = inside.chars().next().filter(|c| matches!(c, '\'' | '"'));
            let Some(quote) = quote else {
                return Err((at, "a name in brackets stands in quotes: `a['b.c']`".into()));
            };
            let end = closing(&inside[1..], quote).ok_or((at, "this bracket is never closed".to_owned()))?;
            let written = &inside[..end + 2];
            if !inside[end + 2..].starts_with(']') {
                return Err((at, "this bracket is never closed".to_owned()));
            }
            names.push(Name::Fixed(crate::path::unquote_name(written)));
            at += written.len() + 2;
        } else {
            let length = name_length(rest).ok_or((at, "this `${` has no `}`".to_owned()))?;
            let name = &rest[..length];
            if name.is_empty() {
                return Err((at, "a name is expected here".to_owned()));
            }
            // Half of a `${ }` would be written as a name, without a word.
            if let (false, Some(found)) = (name.contains("${"), name.find(['$', '{', '}'])) {
                let message = format!("`{}` stands in a name without brackets", &name[found..found + 1]);
                return Err((at + found, message));
            }
            names.push(match name.contains("${") {
                true => Name::Template(name, at),
                false => Name::Fixed(name.to_owned()),
            });
            at += length;
        }
        if names.last() == Some(&Name::Fixed(String::new())) {
            return Err((at, "an attribute's name is never empty".to_owned()));
        }
        match text[at..].chars().next() {
            None => return Ok(names),
            Some('.') => at += 1,
            Some('[') => {}
            Some(_) => return Err((at, "behind `]` comes `.`, `[` or nothing".to_owned())),
        }
    }
}

/// The top-level attribute of a path; the text itself where it is none.
pub(super) fn root(text: &str) -> String {
    match parse(text).ok().and_then(|names| names.into_iter().next()) {
        Some(Name::Fixed(name)) => name,
        _ => text.to_owned(),
    }
}

/// What a path with half of a `${ }` in it was probably meant to be: `by.$.method`, `by.{$.method}`.
fn meant(text: &str, at: usize) -> String {
    let start = text[..at].rfind('.').map_or(0, |dot| dot + 1);
    let (before, name) = text.split_at(start);
    let inner = name.trim_start_matches(['$', '{', '(', '.', ' ']);
    let end = inner.find([')', '}', ' ']).unwrap_or(inner.len());
    let (inner, rest) = (&inner[..end], inner[end..].trim_start_matches([')', '}', ' ']));
    match before.strip_suffix('.') {
        Some(_) if !inner.is_empty() && !inner.contains(['$', '{']) => {
            format!("a name that comes from the event is written '{before}${{ $.{inner} }}{rest}'")
        }
        Some(map) if !map.is_empty() => {
            format!(
                "a name that comes from the event is written '{before}${{ $.name }}'; for that very name write {map}['{name}']"
            )
        }
        _ => format!("for that very name write \"['{text}']\""),
    }
}

/// The bytes before the quote that closes a quoted name.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(at),
            _ => {}
        }
    }
    None
}

/// The bytes of a name without brackets: up to a `.` or `[` that is not inside of `${…}`.
fn name_length(text: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        match c {
            '.' | '[' => return Some(at),
            '$' if text[at..].starts_with("${") => {
                let parts = super::template::split(&text[at..]).ok()?;
                let length = parts.iter().find_map(|part| match part {
                    super::template::Part::Expression { text, .. } => Some(text.len() + 3),
                    super::template::Part::Text(_) => None,
                })?;
                at += length;
            }
            c => at += c.len_utf8(),
        }
    }
    Some(at)
}

impl Compiler<'_> {
    /// The target of an operation.
    pub(super) fn target(&mut self, path: &Spanned<String>, terms: &mut Terms<'_>) -> Option<Target> {
        let text = path.value.as_str();
        let place = Place { text, at: 0, span: path.span };
        if text.starts_with("$.") || text.starts_with("$[") || text.starts_with("$$") {
            let message = format!("`{text}` is a path into the event, and an attribute of the document is named here");
            let help = match text.rsplit(['.', '$']).next().filter(|name| !name.is_empty()) {
                Some(name) => format!("the attribute is called without the path: `{name}`"),
                None => "an attribute is written like `a` or `a.b`".to_owned(),
            };
            self.error(Code::WrongForm, path.span, message).help = Some(help);
            return None;
        }
        let parsed = match parse(text) {
            Ok(parsed) => parsed,
            Err((at, message)) => {
                let span = self.inside(Place { at, ..place }, 1);
                self.error(Code::WrongForm, span, format!("`{text}` is no attribute path: {message}")).help =
                    Some(match text[at..].starts_with(['$', '{', '}']) {
                        true => meant(text, at),
                        false => "an attribute is written like `a`, `a.b`, `a['b.c']` or 'a.${ $.key }'".into(),
                    });
                return None;
            }
        };
        if let [Name::Fixed(first), Name::Fixed(second), ..] = parsed.as_slice()
            && first == "doc"
        {
            let message = format!("`{text}` writes `{second}` in a map that is called `doc`");
            self.warning(Code::WrongForm, path.span, message).help =
                Some(format!("an attribute of the document is written by its name: `{}`", &text[4.min(text.len())..]));
        }
        let mut names = Vec::with_capacity(parsed.len());
        for (number, name) in parsed.into_iter().enumerate() {
            names.push(match name {
                Name::Fixed(name) => TargetName::Fixed(name),
                Name::Template(template, at) => {
                    let place = Place { at, ..place };
                    let span = self.inside(place, template.len());
                    if number == 0 {
                        self.error(Code::WrongForm, span, "a top-level attribute cannot come from the event").help =
                            Some("put it into a map: 'counts.${ $.key }'".into());
                        return None;
                    }
                    let literal = Spanned { value: Literal::Text(template.to_owned()), span };
                    let term = self.term(&literal, terms)?;
                    match kind_of(&term) {
                        None | Some(Kind::String) => {}
                        Some(kind) => {
                            let message = format!("a name has to be a text, and this is a {kind}");
                            self.error(Code::BadOperand, span, message).help = Some("`text(x)` converts".into());
                            return None;
                        }
                    }
                    TargetName::Dynamic(term)
                }
            });
        }
        Some(Target::new(names, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart() {
        let fixed = |name: &str| Name::Fixed(name.to_owned());
        for (text, names) in [
            ("a", vec![fixed("a")]),
            ("größe 1", vec![fixed("größe 1")]),
            ("a.b['c.d'][\"e\"].f", vec![fixed("a"), fixed("b"), fixed("c.d"), fixed("e"), fixed("f")]),
            (r"a['it\'s']", vec![fixed("a"), fixed("it's")]),
            ("['a.b']", vec![fixed("a.b")]),
            ("a.${ $.x['.'] }.b", vec![fixed("a"), Name::Template("${ $.x['.'] }", 2), fixed("b")]),
            ("a.x-${ \"}.\" }-y", vec![fixed("a"), Name::Template("x-${ \"}.\" }-y", 2)]),
        ] {
            assert_eq!(parse(text), Ok(names), "{text}");
        }
        for text in [
            "", "a.", ".a", "a..b", "a[", "a['b", "a['b'", "a['b']c", "a[0]", "a['']", "a.${ b", "$x", "a.$.b",
            "a.{$.b}", "a.$($.b)",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
