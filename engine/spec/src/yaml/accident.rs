//! Accidents: texts of the language that YAML reads as something else, and what to write instead.
//!
//! A parser's own message says what YAML expected at the place where it gave up, which is behind the mistake and in its
//! terms. What happened is recognised from the text ([`scan`](super::scan)), or else said in words for each kind of error.

use super::scan::{Scan, in_quotes, scan};
use crate::keys::Place;
use crate::{Code, Span, suggest};
use granit_parser::ErrorKind;

/// What probably happened.
pub(super) struct Accident {
    /// Where.
    pub(super) span: Span,
    /// Its code.
    pub(super) code: Code,
    /// One sentence.
    pub(super) message: String,
    /// What to write.
    pub(super) help: String,
}

/// The accidents behind an error that the parser found at some place, and no others: all of them are errors to YAML.
pub(super) fn accidents(text: &str, at: usize, error: &ErrorKind) -> Vec<Accident> {
    let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let Scan { accidents, mut open } = scan(text, at);
    open.retain(|bracket| *bracket < at);
    if !accidents.is_empty() {
        return accidents;
    }
    vec![words(text, at, error, &open)]
}

/// The words for an error that is no accident of one text.
fn words(text: &str, at: usize, error: &ErrorKind, open: &[usize]) -> Accident {
    let here = Span::new(at, at + text[at..].chars().next().map_or(0, char::len_utf8));
    let line_start = text[..at].rfind('\n').map_or(0, |line| line + 1);
    let line = text[line_start..].split(['\n', '\r']).next().unwrap_or_default();
    let body = line.trim();
    let content = line_start + line.len() - line.trim_start().len();
    let content = Span::new(content, content + body.len());
    let accident = |span: Span, code: Code, message: &str, help: &str| Accident {
        span,
        code,
        message: message.to_owned(),
        help: help.to_owned(),
    };
    if let Some(found) = missing_space(text, at) {
        return found;
    }
    use ErrorKind as E;
    match error {
        E::UnclosedFlowCollection { .. }
        | E::UnexpectedEofFlowSequence
        | E::UnexpectedEofFlowMapping
        | E::UnexpectedEofImplicitFlowMapping
        | E::InvalidFlowScalarIndent
        | E::ExpectedFlowMappingSeparator
        | E::ExpectedFlowSequenceSeparator
        | E::InvalidColonPlacement
        | E::InvalidIndentation
            if let Some(bracket) = open.last() =>
        {
            let opened = &text[*bracket..*bracket + 1];
            let closing = if opened == "{" { "}" } else { "]" };
            let same_line = !text[*bracket..at].contains('\n');
            if same_line && matches!(error, E::ExpectedFlowMappingSeparator | E::ExpectedFlowSequenceSeparator) {
                let start = text[..at].trim_end().rfind([',', '{', '[']).map_or(at, |comma| comma + 1);
                let start = start + text[start..].len() - text[start..].trim_start().len();
                let end = at.max(start) + text[at.max(start)..].find([',', '}', ']', '\n']).unwrap_or(0);
                let between = Span::new(start, end.max(start + 1));
                let message = format!("between the entries of `{opened} {closing}` stands a `,`, and here is none");
                let help = "write a `,` between two entries; a text with special characters goes into quotes";
                return accident(between, Code::NotYaml, &message, help);
            }
            let message = format!("this `{opened}` is never closed");
            let help = format!("put a `{closing}` behind its last entry");
            accident(Span::new(*bracket, bracket + 1), Code::NotYaml, &message, &help)
        }
        E::MismatchedFlowCollectionEnd { open, close } => {
            let closing = if *open == '{' { '}' } else { ']' };
            let message = format!("this `{open}` is closed by a `{close}`");
            accident(here, Code::NotYaml, &message, &format!("put a `{closing}` behind its last entry"))
        }
        E::MisplacedFlowCollectionEnd => {
            let message = format!("this `{}` closes nothing", &text[here.range()]);
            accident(here, Code::NotYaml, &message, "remove it, or put the bracket that it closes before its entries")
        }
        E::BlockSequenceEntryNotAllowed | E::BlockEntryInFlowCollection => {
            let entry = text[at..].split(['\n', '\r']).next().unwrap_or_default();
            let value = entry.trim_start_matches(['-', ' ']).trim_end();
            let message = "a list of `- ` entries begins on a line of its own";
            let help = format!("write `[{value}]` here, or put `- {value}` on the next line");
            accident(Span::new(at, at + entry.trim_end().len()), Code::NotYaml, message, &help)
        }
        E::TabNotAllowed
        | E::TabInBlockIndentation
        | E::TabAtBlockScalarStart
        | E::TabInIndentation
        | E::TabInPlainScalar => {
            let tab = text[line_start..].find('\t').map_or(at, |tab| line_start + tab);
            let message = "a tab stands here, where YAML wants spaces";
            accident(Span::new(tab, tab + 1), Code::Tab, message, "write spaces")
        }
        E::InvalidIndentation
        | E::ExpectedBlockMappingKey
        | E::ExpectedBlockSequenceEntry
        | E::MappingValueNotAllowed
        | E::MappingKeyNotAllowed
        | E::ExpectedDocumentStart => indentation(text, at, line_start, content),
        E::SimpleKeyExpected | E::InvalidSimpleKey => {
            let help = "an entry is written `key: value`, with a `:` and a space behind the key";
            accident(content, Code::NotYaml, "this line is no entry of the map it stands in", help)
        }
        E::MultipleDocumentsUnsupported | E::InvalidDocumentEnd => {
            let help = "one file holds one projection: make it two files";
            accident(content, Code::NotYaml, "a second YAML document begins here", help)
        }
        E::InvalidQuotedScalarHexEscape | E::InvalidUnicodeEscape => {
            let help = "write the text in single quotes, in which `\\` is just a character";
            accident(here, Code::BadEscape, "this is no escape of YAML's double quotes", help)
        }
        other => Accident {
            span: here,
            code: Code::NotYaml,
            message: format!("this is no YAML: {other}"),
            help: "if this belongs to a text, put the whole text into quotes".to_owned(),
        },
    }
}

/// A line that does not stand where the others of its map or list do.
fn indentation(text: &str, at: usize, line_start: usize, content: Span) -> Accident {
    let indent = content.start - line_start;
    let before = text[..line_start].lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let above = before.len() - before.trim_start().len();
    let entry = before.trim_start().strip_prefix("- ").map(|entry| before.len() - entry.trim_start().len());
    let line = &text[content.range()];
    if let Some(found) = missing_colon(text, line_start) {
        return found;
    }
    if text[line_start..at].trim_end().ends_with(['}', ']', '"', '\'']) {
        let rest = text[at..].split(['\n', '\r']).next().unwrap_or_default();
        let start = at + rest.len() - rest.trim_start().len();
        let help = match rest.trim_start().starts_with("//") {
            true => "a comment begins with ` #`".to_owned(),
            false => "an entry ends with its line: put this on a line of its own, or remove it".to_owned(),
        };
        return Accident {
            span: Span::new(start, (start + rest.trim().len()).max(start + 1)),
            code: Code::NotYaml,
            message: "this stands behind the end of a value".to_owned(),
            help,
        };
    }
    let wanted = entry.unwrap_or(above);
    let help = match before.trim_end().ends_with(':') || before.trim_end().ends_with('-') {
        true => "the entries of a map or list begin in one column".to_owned(),
        false => format!(
            "the line above it begins in column {}, and this one in column {}: the entries of a map begin in one column",
            wanted + 1,
            indent + 1
        ),
    };
    Accident {
        span: content,
        code: Code::NotYaml,
        message: format!("`{}` is indented in another way than the lines it belongs to", first_word(line)),
        help,
    }
}

/// `name paid` in the line above, which YAML reads as a text that goes on in this one.
fn missing_colon(text: &str, line_start: usize) -> Option<Accident> {
    let before = text[..line_start].trim_end();
    let start = before.rfind('\n').map_or(0, |line| line + 1);
    let body = before[start..].trim_start();
    let entry = body.strip_prefix("- ").map_or(body, str::trim_start);
    let (key, value) = entry.split_once(' ')?;
    let is_key = Place::Rule.keys().contains(&key) || Place::Projection.keys().contains(&key);
    if !is_key || entry.contains([':', '#']) {
        return None;
    }
    let offset = before.len() - entry.len();
    Some(Accident {
        span: Span::new(offset, before.len()),
        code: Code::NotYaml,
        message: format!("a `:` is missing behind `{key}`"),
        help: format!("write `{key}: {}`", value.trim_start()),
    })
}

fn first_word(line: &str) -> &str {
    line.trim_start_matches("- ").split([':', ' ']).next().unwrap_or_default()
}

/// `key:value` and `-key: value` in the line of the error or the one above it.
fn missing_space(text: &str, at: usize) -> Option<Accident> {
    let mut end = at + text[at..].find('\n').unwrap_or(text.len() - at);
    for _ in 0..3 {
        let start = text[..end].rfind('\n').map_or(0, |line| line + 1);
        let line = text[start..end].trim_end();
        let body = line.trim_start();
        let offset = start + line.len() - body.len();
        if let Some(rest) = body.strip_prefix('-').filter(|rest| rest.starts_with(char::is_alphabetic)) {
            return Some(Accident {
                span: Span::new(offset, offset + 1 + first_word(rest).len()),
                code: Code::UnquotedText,
                message: format!("`-{}` is read as one word: a space is missing behind the `-`", first_word(rest)),
                help: format!("write `- {rest}`"),
            });
        }
        let entry = body.strip_prefix("- ").unwrap_or(body);
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        if let Some((key, value)) = entry.split_once(':')
            && !key.is_empty()
            && key.chars().all(is_name)
            && !value.is_empty()
            && !value.starts_with([' ', ':', '\t'])
        {
            let offset = offset + body.len() - entry.len();
            return Some(Accident {
                span: Span::new(offset, offset + entry.len()),
                code: Code::UnquotedText,
                message: format!("`{entry}` is read as one text: a space is missing behind the `:`"),
                help: format!("write `{key}: {value}`"),
            });
        }
        end = start.checked_sub(1)?;
    }
    None
}

/// The words for a text that YAML takes for a tag.
pub(super) fn tag_words(text: &str) -> (String, String) {
    let name = text.split([' ', '(']).next().unwrap_or(text);
    let function = name.trim_start_matches('!');
    let is_cloudformation = matches!(
        function,
        "Ref" | "Sub" | "GetAtt" | "ImportValue" | "Join" | "Select" | "FindInMap" | "If" | "Split" | "Base64"
    ) || name.starts_with("!Fn::");
    if is_cloudformation {
        let message = format!("`{name}` is a function of CloudFormation, and a projection is no template");
        let help = "write the name itself; where the names of tables differ from one deployment to the next, \
                    VIEWFOLD_TABLE_PREFIX is put before all of them"
            .to_owned();
        return (message, help);
    }
    (
        "a text that begins with `!` is a tag to YAML, and not the text".to_owned(),
        format!("put the whole text into quotes: {}", in_quotes(text)),
    )
}

/// The words for a text that YAML takes for an alias or an anchor.
pub(super) fn reference_words(file: &str, c: char, text: &str, name: &str) -> (String, String) {
    let what = if c == '*' { "an alias" } else { "an anchor" };
    let message = match (c, name) {
        ('*', name) if !name.is_empty() => {
            format!("a text that begins with `*` is an alias to YAML, and no anchor is called `&{name}`")
        }
        _ => format!("a text that begins with `{c}` is {what} to YAML"),
    };
    let anchors: Vec<&str> = file
        .match_indices('&')
        .map(|(at, _)| &file[at + 1..])
        .map(|rest| &rest[..rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len())])
        .filter(|anchor| !anchor.is_empty())
        .collect();
    match suggest::nearest(name, anchors).filter(|_| c == '*' && !name.is_empty()) {
        Some(near) => (message, format!("did you mean `*{near}`? For the text itself write {}", in_quotes(text))),
        None => (message, format!("put the text into quotes: {}", in_quotes(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::accidents;
    use granit_parser::{ErrorKind, Parser};

    /// Where the parser gives up on a text, and why.
    fn error(text: &str) -> Option<(usize, ErrorKind)> {
        Parser::new_from_str(text)
            .find_map(Result::err)
            .map(|error| (error.marker().byte_offset().unwrap_or(0).min(text.len()), error.kind().clone()))
    }

    #[test]
    fn accidents_are_told_where_they_happened() {
        for (text, code, place, words) in [
            ("set: { a: ${ $.x + 1 } }", "VF0111", "${ $.x + 1 }", "'${ $.x + 1 }'"),
            ("a: ${ if(exists($.a), \"a: b\", 1) }", "VF0111", "${ if(exists($.a), \"a: b\", 1) }", "into quotes"),
            ("a: { b: Order ${ $.id }, c: 1 }", "VF0111", "Order ${ $.id }", "'Order ${ $.id }'"),
            ("a: @x", "VF0112", "@x", "'@x'"),
            ("if: >$.a", "VF0112", ">$.a", "starts a block"),
            ("n: { numeric: [>, 5] }", "VF0112", ">", "starts a block"),
            ("m: { matches: \"^\\d+\" }", "VF0113", "\\d", "'^\\d+'"),
            ("s: { lane: $.device['id'] }", "VF0112", "$.device['id']", "\"$.device['id']\""),
            ("set: { a: $.b[0], c: 1 }", "VF0112", "$.b[0]", "'$.b[0]'"),
            ("if: $.a == \"x: y\"", "VF0112", "$.a == \"x: y\"", "at `: `"),
            ("a: 1\n\tkey: 1", "VF0114", "\t", "spaces"),
            ("a:\n  -\tb: 1\n\t  c: 2\n", "VF0114", "\t", "one space"),
            ("a: { b: *.png }", "VF0112", "*.png", "'*.png'"),
            ("x: &seen 1\na: *sene", "VF0112", "*sene", "`*seen`"),
            ("a: 'it's'", "VF0112", "s'", "twice"),
            ("a: \"x\" ${ y }", "VF0112", "${ y }", "one pair"),
            ("a: 'x", "VF0101", "'x", "closing"),
            ("a: { b: 1\nc: 2", "VF0101", "{", "never closed"),
            ("a: { b: 1 c: 2 }", "VF0112", "1 c: 2", "`,` before"),
            ("a:\n  - b\nc:d\ne: 1", "VF0112", "c:d", "`c: d`"),
            ("a:\n  -b: 1\n   c: 2", "VF0112", "-b", "`- b: 1`"),
            ("a: - b", "VF0101", "- b", "`[b]`"),
            ("a:\n  - b: 1\n     c: 2", "VF0101", "c: 2", "column 5"),
        ] {
            let (at, kind) = error(text).unwrap_or_else(|| panic!("no error: {text}"));
            let found = accidents(text, at, &kind).remove(0);
            let there = &text[found.span.range()];
            assert_eq!((found.code.text(), there), (code, place), "{text}: {kind:?} {} {}", found.message, found.help);
            let said = format!("{} {}", found.message, found.help);
            assert!(said.contains(words), "{text}: {said}");
        }
    }

    #[test]
    fn what_is_fine_is_no_accident() {
        for text in [
            "a: 1",
            "text: |\n  a > b: c\n  \"x",
            "a: '${ $.x }' # ${ y",
            "x: &seen { a: 1 }\ny: *seen",
            "a: [ 'b', \"c\\n\", { d: e } ]\nf: ${ $.a + 1 }",
            "a: >-\n  b: { c\nd: !!str x",
        ] {
            assert!(super::scan(text, 0).accidents.is_empty(), "{text}");
        }
    }
}
