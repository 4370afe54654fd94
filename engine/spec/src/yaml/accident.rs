//! Accidents of plain scalars: texts of the language that YAML reads as something else, and what to write instead.
//!
//! A parser's own message says what YAML expected at the place where it gave up, which is behind the mistake and in its
//! terms. These are recognised from the text of the line.

/// What probably happened.
pub(super) struct Accident {
    /// Where, in bytes.
    pub(super) at: usize,
    /// One sentence.
    pub(super) message: String,
    /// What to write.
    pub(super) help: String,
}

/// The accident behind an error that the parser found at some place.
pub(super) fn accident(text: &str, at: usize) -> Option<Accident> {
    // The parser may notice on a later line; the accident is on the last one that has something on it.
    let end = text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |next| at + next);
    let mut rest = text.get(..end)?;
    for _ in 0..3 {
        let start = rest.rfind('\n').map_or(0, |line| line + 1);
        if let Some(accident) = in_line(&rest[start..], start) {
            return Some(accident);
        }
        rest = rest.get(..start.checked_sub(1)?)?;
    }
    None
}

fn in_line(line: &str, start: usize) -> Option<Accident> {
    let found = |at: usize, message: String, help: String| Some(Accident { at: start + at, message, help });
    if line.starts_with('\t') || line.trim_start_matches(' ').starts_with('\t') {
        let at = line.find('\t').unwrap_or(0);
        return found(
            at,
            "this line is indented with a tab, which YAML does not allow".into(),
            "indent with spaces".into(),
        );
    }
    let mut quote = None;
    let mut brackets = 0usize;
    let mut before = ' ';
    let mut skip_to = 0;
    for (at, c) in line.char_indices() {
        if at < skip_to {
            continue;
        }
        match (quote, c) {
            (Some('"'), '\\') => {
                let next = line[at + 1..].chars().next()?;
                if !"0abtnvfre \"/\\N_LPxuU\t\n".contains(next) {
                    let message = format!("`\\{next}` is no escape of YAML's double quotes");
                    let help = "write the text in single quotes, in which `\\` is just a character".to_owned();
                    return found(at, message, help);
                }
                skip_to = at + 1 + next.len_utf8();
            }
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if matches!(before, ' ' | ':' | '[' | '{' | ',' | '-') => quote = Some(c),
            (None, '#') if before == ' ' => return None,
            (None, '{' | '[') if is_value_start(line, at) => brackets += 1,
            (None, '}' | ']') => brackets = brackets.saturating_sub(1),
            (None, '$') if line[at..].starts_with("${") && is_value_start(line, at) => {
                let help = "put the whole value in single quotes: '${ … }'".to_owned();
                let message =
                    "YAML does not read `${…}` as one value here: `: `, ` #`, `,` and `}` cut a plain text off";
                return found(at, message.into(), help);
            }
            (None, '$') if brackets > 0 && is_value_start(line, at) => {
                let value = line[at..].split([' ', ',']).next().unwrap_or_default();
                if value.contains('[') || value.contains('{') {
                    let message = "inside of `{ }` and `[ ]` YAML takes the brackets of a path for its own".to_owned();
                    let shown = value.trim_end_matches(['}', ',']);
                    let help = match shown.contains('\'') {
                        true => format!("put the path in double quotes: \"{shown}\""),
                        false => format!("put the path in quotes: '{shown}'"),
                    };
                    return found(at, message, help);
                }
            }
            (None, '@' | '`' | '%') if is_value_start(line, at) => {
                let message = format!("a plain text cannot start with `{c}` in YAML");
                return found(at, message, "put the text in quotes".into());
            }
            (None, '>' | '|') if is_value_start(line, at) => {
                let rest = line[at + 1..].trim_start_matches(['+', '-', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
                let rest = rest.trim();
                if !rest.is_empty() && !rest.starts_with('#') {
                    let message = format!("`{c}` at the beginning of a value starts a block of text in YAML");
                    return found(at, message, "put the value in quotes, as in `[\">\", 5]`".into());
                }
            }
            _ => {}
        }
        before = c;
    }
    // `key: a: b`
    let plain = line.trim_start().trim_start_matches("- ");
    let (key, value) = plain.split_once(": ")?;
    let value = value.trim_start();
    if !value.starts_with(['"', '\'', '{', '[', '|', '>', '#'])
        && value.contains(": ")
        && !key.contains(['"', '\'', '{'])
    {
        let at = line.len() - value.len();
        return found(at, "a plain text ends at `: ` in YAML".into(), "put the whole value in single quotes".into());
    }
    None
}

/// Whether a value begins there: behind `: `, `- `, `,`, `[` or `{`.
fn is_value_start(line: &str, at: usize) -> bool {
    let before = line[..at].trim_end_matches(' ');
    before.is_empty() || before.ends_with([':', '-', ',', '[', '{'])
}

#[cfg(test)]
mod tests {
    use super::accident;

    #[test]
    fn accidents_are_told_where_they_happened() {
        for (text, column, words) in [
            ("set: { a: ${ $.x + 1 } }", 10, "single quotes"),
            ("a: ${ if(exists($.a), \"a: b\", 1) }", 3, "single quotes"),
            ("a: @x", 3, "start with `@`"),
            ("if: >$.a", 4, "starts a block"),
            ("n: { numeric: [>, 5] }", 15, "starts a block"),
            ("m: { matches: \"\\d+\" }", 15, "no escape"),
            ("s: { lane: $.device['id'] }", 11, "double quotes: \"$.device['id']\""),
            ("set: { a: $.b[0] }", 10, "'$.b[0]'"),
            ("if: $.a == \"x: y\"", 4, "ends at `: `"),
            ("\tkey: 1", 0, "tab"),
        ] {
            let found = accident(text, text.len() - 1).unwrap_or_else(|| panic!("nothing in {text}"));
            assert_eq!(found.at, column, "{text}: {}", found.message);
            assert!(
                format!("{} {}", found.message, found.help).contains(words),
                "{text}: {} {}",
                found.message,
                found.help
            );
        }
        for text in ["a: 1", "a: [1, 2", "a: \"unclosed", "a: {b: 'c'", "text: |\n  a > b", "a: '${ $.x }' # ${ y"] {
            assert!(accident(text, text.len() - 1).is_none(), "{text}");
        }
    }
}
