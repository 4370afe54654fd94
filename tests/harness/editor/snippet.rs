//! Snippets, as an editor puts them in when nobody fills in anything.

/// The text of a snippet with the default of every place: `${1:name}` is `name`, `${1|a,b|}` is `a`, `$1` is nothing. What stands
/// behind a backslash is meant as it is.
pub fn expanded(snippet: &str) -> String {
    let mut text = String::new();
    let mut rest = snippet;
    while let Some(at) = rest.find(['\\', '$']) {
        text.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        rest = if rest[at..].starts_with('\\') {
            let escaped = behind.chars().next().map_or(0, char::len_utf8);
            text.push_str(&behind[..escaped]);
            &behind[escaped..]
        } else if let Some(inside) = behind.strip_prefix('{') {
            let end = closing(inside);
            text.push_str(&default(&inside[..end]));
            inside.get(end + 1..).unwrap_or("")
        } else {
            let digits = behind.len() - behind.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            if digits == 0 {
                text.push('$');
            }
            &behind[digits..]
        };
    }
    text.push_str(rest);
    text
}

/// Where the `}` of a place is.
fn closing(inside: &str) -> usize {
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '}' => return at,
            _ => {}
        }
    }
    inside.len()
}

/// The default of a place: what is between its braces.
fn default(place: &str) -> String {
    let place = place.trim_start_matches(|c: char| c.is_ascii_digit());
    if let Some(choice) = place.strip_prefix('|') {
        let first = choice.trim_end_matches('|').split(',').next().unwrap_or_default();
        return expanded(first);
    }
    expanded(place.strip_prefix(':').unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::expanded;

    #[test]
    fn places_have_their_defaults() {
        for (snippet, text) in [
            ("a: ${1:b}, $2c", "a: b, c"),
            (r"\$.${1:x}: '\${ doc.${2:y} \}'", "$.x: '${ doc.y }'"),
            (r"${1|true,false|} ${2:\{oops\}} \\ $", r"true {oops} \ $"),
        ] {
            assert_eq!(expanded(snippet), text);
        }
    }
}
