//! What people write in expressions who come from other languages, and where.
//!
//! evalexpr's errors have no places. So what is usually wrong is looked for in the text, texts in quotes apart.

use super::SyntaxError;

/// What is probably wrong in a text that is no expression: the place, the words, and what to write.
pub(super) fn habit(text: &str) -> Option<SyntaxError> {
    let masked = masked(text);
    let found = |at: usize, length: usize, message: &str, help: String| {
        Some(SyntaxError::new(at, message).length(length).help(help))
    };
    if let Some(at) = masked.find("===") {
        return found(at, 3, "two values are compared with `==`", "write `==`".into());
    }
    if let Some(at) = masked.find("??") {
        let (value, otherwise) = (text[..at].trim(), text[at + 2..].trim());
        let help = format!("a missing value is filled in with `default`: `default({value}, {otherwise})`");
        return found(at, 2, "an expression has no `??`", help);
    }
    if masked.trim_start().starts_with('{') {
        let at = masked.find('{').unwrap_or(0);
        let inner = text.trim().trim_matches(['{', '}']).trim();
        return found(at, 1, "an expression stands in one pair of braces", format!("write '${{ {inner} }}'"));
    }
    if let Some(at) = masked.find("?.") {
        let help = "the `?` goes to the end of the path: `$.a.b?`".to_owned();
        return found(at, 1, "a `?` is for the whole path", help);
    }
    if let Some(at) = masked.find(").") {
        let help = "an entry of a map that a function gives is taken with `get(x, \"name\")`".to_owned();
        return found(at + 1, 1, "a path does not go on behind a `)`", help);
    }
    if let Some(at) = masked.find("${").or_else(|| masked.find("{{")) {
        let help = "what stands in `${ }` is an expression already: write the path itself, `$.a` for one".into();
        return found(at, 2, "there is an expression inside of an expression", help);
    }
    if let Some(at) = question(&masked) {
        let condition = text[..at].trim();
        let help = match masked[at..].split_once(':') {
            Some((then, otherwise)) if !otherwise.starts_with(':') => {
                let colon = at + then.len();
                format!("write `if({condition}, {}, {})`", text[at + 1..colon].trim(), text[colon + 1..].trim())
            }
            _ => "`if(c, a, b)` chooses between two values, and `default(x, y)` fills in a missing one".to_owned(),
        };
        return found(at, 1, "an expression has no `? :`", help);
    }
    if let Some((at, word, help)) = word(&masked) {
        return found(at, word.len(), &format!("`{word}` is no operator"), help.to_owned());
    }
    for (operator, help) in [
        ("<>", "what differs is compared with `!=`"),
        ("=>", "write `>=`"),
        ("=<", "write `<=`"),
        ("**", "a power is written `^`"),
        ("++", "an expression changes nothing: `+ 1` is one more"),
        ("//", "whole division is written `floor(a / b)`; a comment stands outside of the value, behind ` #`"),
        ("/*", "a comment stands outside of the value, behind ` #`"),
        ("#", "an expression has no comments: write it outside of the value"),
        (
            "{",
            "an expression has no braces: a condition is `if(c, a, b)`, a list is `(1, 2)`, and a map is a value of YAML",
        ),
        (
            "}",
            "an expression has no braces: a condition is `if(c, a, b)`, a list is `(1, 2)`, and a map is a value of YAML",
        ),
    ] {
        if let Some(at) = masked.find(operator) {
            return found(at, operator.len(), &format!("`{operator}` has no place in an expression"), help.into());
        }
    }
    if let Some(at) = single(&masked, '|')
        && crate::functions::Function::named(text[at + 1..].split('(').next().unwrap_or_default().trim()).is_some()
    {
        let name = text[at + 1..].trim();
        let value = text[..at].trim();
        let help = match name.split_once('(') {
            Some((name, rest)) if rest.trim() != ")" => format!("write `{name}({value}, {rest}`"),
            _ => format!("write `{}({value})`", name.trim_end_matches(['(', ')', ' '])),
        };
        return found(at, 1, "a pipe is written as the call of a function", help);
    }
    if let Some(at) = single(&masked, '&').or_else(|| single(&masked, '|')) {
        let doubled = masked[at..at + 1].repeat(2);
        return found(at, 1, "this is no operator", format!("conditions are joined with `{doubled}`"));
    }
    if let Some(at) = masked.find('[').filter(|at| opens_value(&masked, *at)) {
        let end = masked[at..].find(']').map_or(text.len(), |end| at + end);
        let inner = text[at + 1..end].trim();
        let before = text[..at].trim_end();
        let compared = before.strip_suffix("==").or_else(|| before.strip_suffix("!=")).map(|value| value.trim_end());
        let help = match inner {
            "" if compared.is_some_and(|value| value.starts_with('$') && !value.contains(' ')) => {
                let operator = if before.ends_with("==") { "==" } else { ">" };
                format!(
                    "whether a list is empty is said by its length: `len({}) {operator} 0`",
                    compared.unwrap_or_default()
                )
            }
            "" => EMPTY_LIST.to_owned(),
            inner => format!("a list is written in parentheses: `({inner})`"),
        };
        return found(at, end + 1 - at.min(end), "an expression has no `[ ]` but in paths", help);
    }
    if let Some(at) = masked.find("()").filter(|at| opens_value(&masked, *at)) {
        return found(at, 2, "there is nothing in these parentheses", EMPTY_LIST.into());
    }
    dollar(&masked).or_else(|| bare_point(&masked)).or_else(|| method(text, &masked)).or_else(|| lacks(&masked))
}

const EMPTY_LIST: &str = "an expression has no empty list; a value of YAML can be one: `let: { none: [] }`, and then `none` in the expression";

/// The text with everything in quotes and brackets of paths blanked out, so that places stay the same.
fn masked(text: &str) -> String {
    let (mut quote, mut escaped, mut brackets) = (None, false, 0usize);
    let mut masked = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.chars() {
        let blank = match (quote, c) {
            _ if escaped => {
                escaped = false;
                true
            }
            (Some(_), '\\') => {
                escaped = true;
                true
            }
            (Some(open), c) if c == open => {
                quote = None;
                brackets > 0
            }
            (Some(_), _) => true,
            (None, '"') => {
                quote = Some(c);
                brackets > 0
            }
            (None, '\'') if brackets > 0 => {
                quote = Some(c);
                true
            }
            // The brackets of a path stand behind a name.
            (None, '[') if brackets > 0 || before.is_alphanumeric() || matches!(before, '_' | ']' | '$' | '.') => {
                brackets += 1;
                true
            }
            (None, ']') if brackets > 0 => {
                brackets -= 1;
                true
            }
            _ => brackets > 0,
        };
        match blank {
            true => masked.extend(std::iter::repeat_n('_', c.len_utf8())),
            false => masked.push(c),
        }
        before = c;
    }
    masked
}

/// A `?` that does not stand behind a path.
fn question(masked: &str) -> Option<usize> {
    let bare = masked.match_indices('?').find(|(at, _)| masked[..*at].ends_with(' ')).map(|(at, _)| at);
    // `$.a? 1 : 2`
    bare.or_else(|| {
        let at = masked.find('?')?;
        let rest = masked[at + 1..].trim_start();
        (rest.starts_with(|c: char| c.is_alphanumeric() || c == '"' || c == '$') && rest.contains(" : ")).then_some(at)
    })
}

/// An operator that is a word.
fn word(masked: &str) -> Option<(usize, &'static str, &'static str)> {
    const WORDS: [(&str, &str); 17] = [
        ("and", "write `&&`"),
        ("AND", "write `&&`"),
        ("or", "write `||`"),
        ("OR", "write `||`"),
        ("not", "write `!`"),
        ("NOT", "write `!`"),
        ("is", "values are compared with `==`, and `exists(x)` says whether there is one"),
        ("IS", "values are compared with `==`, and `exists(x)` says whether there is one"),
        ("in", "a list is looked through with `contains`: `contains((\"a\", \"b\"), $.x)`"),
        ("IN", "a list is looked through with `contains`: `contains((\"a\", \"b\"), $.x)`"),
        (
            "like",
            "a text is compared with a pattern by `str::regex_matches($.x, \"^a\")`, or by `{ wildcard: 'a*' }` in `when`",
        ),
        ("between", "a range is two comparisons: `$.x >= 1 && $.x <= 5`"),
        ("mod", "a remainder is written `%`"),
        ("div", "whole division is written `floor(a / b)`"),
        ("CASE", "a value is chosen with `if(c, a, b)`"),
        ("case", "a value is chosen with `if(c, a, b)`"),
        ("then", "a value is chosen with `if(c, a, b)`"),
    ];
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | ':');
    WORDS
        .iter()
        .flat_map(|(word, help)| masked.match_indices(word).map(move |(at, _)| (at, *word, *help)))
        .filter(|(at, word, _)| {
            !masked[..*at].ends_with(is_part) && !masked[at + word.len()..].starts_with(|c| is_part(c) || c == '(')
        })
        .min_by_key(|(at, ..)| *at)
}

/// An operator that stands alone where two of it are meant.
fn single(masked: &str, operator: char) -> Option<usize> {
    let same = |c: Option<char>| c == Some(operator);
    masked
        .match_indices(operator)
        .map(|(at, _)| at)
        .find(|at| !same(masked[..*at].chars().last()) && !same(masked[at + 1..].chars().next()))
}

/// Whether a value begins there.
fn opens_value(masked: &str, at: usize) -> bool {
    let before = masked[..at].trim_end();
    before.is_empty() || before.ends_with(['(', ',', '=', '<', '>', '+', '-', '*', '/', '&', '|', '!'])
}

/// `$name`, `$5`
fn dollar(masked: &str) -> Option<SyntaxError> {
    let (at, _) = masked
        .match_indices('$')
        .find(|(at, _)| masked[at + 1..].starts_with(|c: char| c.is_alphanumeric()) && !masked[..*at].ends_with('$'))?;
    let rest = &masked[at + 1..];
    let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.'))).unwrap_or(rest.len());
    let name = &rest[..end];
    let help = match name.starts_with(|c: char| c.is_ascii_digit()) {
        _ if name.starts_with("doc.") => format!("did you mean `{name}`?"),
        true => format!("a number has no sign of a currency: {name}; for the text write \"${name}\""),
        false => format!("did you mean `$.{name}`?"),
    };
    Some(SyntaxError::new(at, format!("`${name}` is no path")).length(1 + name.len()).help(help))
}

/// `.5`
fn bare_point(masked: &str) -> Option<SyntaxError> {
    let at = masked.as_bytes().windows(3).position(|three| {
        matches!(three, [before, b'.', digit] if digit.is_ascii_digit()
            && !before.is_ascii_alphanumeric() && !matches!(before, b'_' | b')' | b']' | b'$' | b'.'))
    })?;
    let rest = &masked[at + 2..];
    let digits = &rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())];
    let error = SyntaxError::new(at + 1, "a number begins with a digit").length(1 + digits.len());
    Some(error.help(format!("write `0.{digits}`")))
}

/// `$.name.trim()`
fn method(text: &str, masked: &str) -> Option<SyntaxError> {
    for (at, _) in masked.match_indices('(') {
        let before = &text[..at];
        let start = before
            .rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | '[' | ']' | '\'' | '?')))
            .map_or(0, |c| c + 1);
        let path = &text[start..at];
        let Some((value, name)) = path.rsplit_once('.').filter(|(value, _)| value.contains(['$', '.'])) else {
            continue;
        };
        let close = masked[at..].find(')').map_or(text.len(), |close| at + close);
        let rest = text[at + 1..close].trim();
        let rest = if rest.is_empty() { String::new() } else { format!(", {rest}") };
        let error = SyntaxError::new(start, "a value has no functions of its own").length(close + 1 - start);
        return Some(error.help(format!("a function stands before its values: `{name}({value}{rest})`")));
    }
    None
}

/// An operator or a `,` without a value on one of its sides, and two values without anything between them.
fn lacks(masked: &str) -> Option<SyntaxError> {
    const OPERATORS: [&str; 14] = ["<=", ">=", "==", "!=", "&&", "||", "+", "-", "*", "/", "%", "^", "<", ">"];
    let operator = |rest: &str| OPERATORS.into_iter().find(|operator| rest.starts_with(operator));
    let mut at = 0;
    let mut value_before: Option<bool> = Some(false);
    while let Some(c) = masked[at..].chars().next() {
        let rest = &masked[at..];
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        if let Some(operator) = operator(rest) {
            let behind = masked[at + operator.len()..].trim_start();
            let word = format!("`{operator}`");
            if behind.is_empty() || behind.starts_with([')', ',']) {
                let help = match operator {
                    "%" => "it is the remainder of a division; a hundredth is `/ 100`".to_owned(),
                    _ => format!("write the value behind {word}, or remove it"),
                };
                let error = SyntaxError::new(at, format!("nothing stands behind this {word}"));
                return Some(error.length(operator.len()).help(help));
            }
            if value_before == Some(false) && operator != "-" {
                let error = SyntaxError::new(at, format!("nothing stands before this {word}"));
                return Some(error.length(operator.len()).help(format!("write the value before {word}, or remove it")));
            }
            value_before = Some(false);
            at += operator.len();
            continue;
        }
        match c {
            '(' | '!' => {
                value_before = Some(false);
                at += 1;
            }
            ',' => {
                let behind = masked[at + 1..].trim_start();
                if value_before == Some(false) || behind.is_empty() || behind.starts_with(')') {
                    let error = SyntaxError::new(at, "a value is missing beside this `,`").length(1);
                    return Some(error.help("write the value, or remove the `,`"));
                }
                value_before = Some(false);
                at += 1;
            }
            ')' => {
                value_before = Some(true);
                at += 1;
            }
            _ => {
                let end = rest
                    .char_indices()
                    .skip(1)
                    .find(|(end, c)| match rest.starts_with('"') {
                        true => rest[..*end].ends_with('"') && *end > 1,
                        false => {
                            !(c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | ':' | '?' | '@') || !c.is_ascii())
                        }
                    })
                    .map_or(rest.len(), |(end, _)| end);
                if value_before == Some(true) {
                    let error = SyntaxError::new(at, "two values stand side by side without an operator").length(end);
                    return Some(
                        error.help("write an operator between them, or a `,` between the values of a function"),
                    );
                }
                // A function needs no parentheses around its value.
                let is_name = rest[..end].chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ':'))
                    && !rest.starts_with(|c: char| c.is_ascii_digit());
                value_before = if is_name { None } else { Some(true) };
                at += end;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::habit;

    #[test]
    fn habits_are_told_where_they_are() {
        for (text, place, help) in [
            ("$.a === 1", "===", "`==`"),
            ("$.a ?? 0", "??", "`default($.a, 0)`"),
            ("$.a > 1 ? \"x : y\" : 2", "?", "`if($.a > 1, \"x : y\", 2)`"),
            ("$.a? \"x\" : 2", "?", "`if($.a, \"x\", 2)`"),
            ("$.a > 1 and $.b", "and", "`&&`"),
            ("$.android or $.b", "or", "`||`"),
            ("$.a in (1, 2)", "in", "contains"),
            ("$.a <> 1", "<>", "`!=`"),
            ("$.a & $.b", "&", "`&&`"),
            ("contains([\"a\"], $.a['and'])", "[\"a\"]", "`(\"a\")`"),
            ("default($.a, ())", "()", "let"),
            ("1 + ${ $.a }", "${", "itself"),
            ("$time", "$time", "`$.time`"),
            ("$5 + 1", "$5", "currency"),
            ("$.a * .5", ".5", "`0.5`"),
            ("$.name.trim() + 1", "$.name.trim()", "`trim($.name)`"),
            ("$.a +", "+", "behind"),
            ("50%", "%", "/ 100"),
            ("* 2", "*", "before"),
            ("max($.a, )", ",", "remove"),
            ("max($.a $.b)", "$.b", "`,`"),
            ("$.a \"b c\"", "\"b c\"", "operator"),
        ] {
            let found = habit(text).unwrap_or_else(|| panic!("nothing in {text}"));
            assert_eq!(text.get(found.at..found.at + found.length), Some(place), "{text}: {}", found.message);
            assert!(found.help.as_deref().unwrap_or_default().contains(help), "{text}: {:?}", found.help);
        }
    }
}
