//! `'${ first } ${ last }'`: a text of a file to its parts.

/// A part of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Part<'t> {
    /// Text as it stands.
    Text(&'t str),
    /// What stands between `${` and `}`.
    Expression {
        /// The expression, spaces around it included.
        text: &'t str,
        /// Where it starts in the whole text, in bytes.
        at: usize,
    },
}

/// Takes a text apart. Nothing is an expression but what stands in `${…}`; a `}` in quotes or brackets of an expression
/// does not end it.
///
/// # Errors
///
/// Where a `${` has no end: its place in bytes.
pub(super) fn split(text: &str) -> Result<Vec<Part<'_>>, usize> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find("${").map(|found| at + found) {
        if start > at {
            parts.push(Part::Text(&text[at..start]));
        }
        let inside = start + 2;
        let length = expression_length(&text[inside..]).ok_or(start)?;
        parts.push(Part::Expression { text: &text[inside..inside + length], at: inside });
        at = inside + length + 1;
    }
    if at < text.len() {
        parts.push(Part::Text(&text[at..]));
    }
    Ok(parts)
}

/// The bytes before the `}` that ends an expression.
fn expression_length(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    let mut brackets = 0usize;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"') => quote = Some(c),
            // Single quotes quote in the brackets of paths only.
            (None, '\'') if brackets > 0 => quote = Some(c),
            (None, '[') => brackets += 1,
            (None, ']') => brackets = brackets.saturating_sub(1),
            (None, '}') => return Some(at),
            (None, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Result<Vec<String>, usize> {
        let show = |part: &Part<'_>| match part {
            Part::Text(text) => (*text).to_owned(),
            Part::Expression { text, at } => format!("{at}:{text}"),
        };
        split(text).map(|parts| parts.iter().map(show).collect())
    }

    #[test]
    fn texts_are_taken_apart() {
        for (text, parts) in [
            ("plain $.x {a}", &["plain $.x {a}"][..]),
            ("${ a }", &["2: a "]),
            ("a.${ $.x }.b", &["a.", "4: $.x ", ".b"]),
            (r#"${ "}" }${ $['}'] }%"#, &[r#"2: "}" "#, "10: $['}'] ", "%"]),
            (r#"${ "\"}" }"#, &[r#"2: "\"}" "#]),
            (r#"${ "$.99" }"#, &[r#"2: "$.99" "#]),
            (r#"${ "${" }"#, &[r#"2: "${" "#]),
            ("", &[]),
        ] {
            assert_eq!(shown(text).unwrap(), parts, "{text}");
        }
        assert_eq!(shown("a ${ b"), Err(2));
        assert_eq!(shown(r#"${ "} "#), Err(0));
    }
}
