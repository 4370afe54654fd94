//! Values that are valid and probably not meant: texts that look like something else, numbers that look like texts, and what
//! YAML has cut off.

use super::Compiler;
use super::term::Place;
use viewfold_spec::{Code, Literal, Span, Spanned};

/// Words that are booleans to readers of YAML 1.1.
const WORDS: [&str; 6] = ["yes", "no", "on", "off", "y", "n"];

impl Compiler<'_> {
    /// What the file has at a place.
    fn written(&self, span: Span) -> &str {
        self.source.text.get(span.range()).unwrap_or_default()
    }

    /// Whether a text stands in the file without quotes.
    fn is_plain(&self, text: &str, span: Span) -> bool {
        self.written(span) == text
    }

    /// What stands behind a text without quotes on its line and is a comment to YAML, ` #` included.
    fn comment_behind(&self, span: Span) -> Option<Span> {
        let written = self.written(span);
        if written.starts_with(['"', '\'']) || written.is_empty() {
            return None;
        }
        let rest = self.source.text.get(span.end..)?.split(['\n', '\r']).next()?;
        let comment = rest.trim_start().starts_with('#') && rest.starts_with([' ', '\t']);
        comment.then(|| Span::new(span.end, span.end + rest.trim_end().len()))
    }

    /// Tells that YAML has cut a text off at ` #`, if it has: then whatever is wrong with the text follows from that.
    pub(super) fn cut_off(&mut self, span: Span) -> bool {
        let Some(comment) = self.comment_behind(span) else { return false };
        let whole = Span::new(span.start, comment.end);
        let help = format!("put the whole value into quotes: {}", quoted(self.written(whole)));
        let message = "YAML ends a text without quotes at ` #`, and takes what is behind it for a comment";
        if !self.findings.iter().any(|finding| finding.span == whole) {
            let finding = self.error(Code::UnquotedExpression, whole, message);
            finding.help = Some(help);
            finding.related = Some((Span::new(comment.start + 1, comment.end), "cut off".into()));
        }
        true
    }

    /// Looks at a value that is the same for every event.
    pub(super) fn check_plain(&mut self, literal: &Spanned<Literal>) {
        let span = literal.span;
        match &literal.value {
            Literal::Null if span.start == span.end => {
                if let Some(key) = self.bare_key(span) {
                    let before = self.source.text[..span.start].trim_end().len();
                    let place = Span::new(before - key.len(), before);
                    let message = format!(
                        "`{key}` stands here without a value: inside of `{{ }}` a text without quotes ends at `,`"
                    );
                    self.warning(Code::UnquotedText, place, message).help =
                        Some(format!("write `{key}: …`, or put the whole text before it into quotes"));
                    return;
                }
                self.warning(Code::WrongForm, span, "there is no value here, which YAML reads as null").help =
                    Some("write the value, or `null` if that is meant".into());
            }
            Literal::Number(number) => {
                let written = self.written(span).to_owned();
                let digits = written.trim_start_matches(['-', '+']);
                let leading = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
                let trailing = digits.contains('.') && digits.ends_with('0') && !digits.contains(['e', 'E']);
                let is_whole = digits.trim_end_matches('0').ends_with('.');
                if leading || trailing && !is_whole {
                    let message = format!("without quotes `{written}` is the number {number}");
                    self.warning(Code::YamlWord, span, message).help =
                        Some(format!("for the text write \"{written}\"; for the number, {number}"));
                }
            }
            Literal::Text(text) => self.check_text(text, span),
            _ => {}
        }
    }

    /// The key of a map that stands alone before a place: `b` of `{ a: 1, b }`.
    fn bare_key(&self, span: Span) -> Option<String> {
        let before = self.source.text.get(..span.start)?;
        let start = before.rfind([',', '{', ':', '\n'])?;
        let key = before[start + 1..].trim();
        let is_bare = before[start..].starts_with([',', '{']) && !key.is_empty();
        is_bare.then(|| key.to_owned())
    }

    fn check_text(&mut self, text: &str, span: Span) {
        if self.is_plain(text, span) && WORDS.contains(&text.to_lowercase().as_str()) {
            let message = format!("`{text}` is a text here, and a boolean to older readers of YAML");
            self.warning(Code::YamlWord, span, message).help =
                Some(format!("write \"{text}\" for the text, `true` or `false` for a boolean"));
            return;
        }
        let lower = text.to_lowercase();
        if self.is_plain(text, span) && matches!(lower.as_str(), "true" | "false" | "null" | "none") && lower != text {
            let meant = if lower == "none" { "null" } else { lower.as_str() };
            let message = format!("`{text}` is a text here: YAML 1.2 writes `{meant}`");
            self.warning(Code::YamlWord, span, message).help =
                Some(format!("write `{meant}`, or \"{text}\" for the text"));
            return;
        }
        if let Some(comment) = self.comment_behind(span)
            && self.written(comment).contains("${")
        {
            let whole = Span::new(span.start, comment.end);
            let help = format!("put the whole value into quotes: {}", quoted(self.written(whole)));
            let message = format!("YAML ends a text without quotes at ` #`: this is the text `{text}`");
            let finding = self.warning(Code::UnquotedExpression, whole, message);
            finding.help = Some(help);
            return;
        }
        if let Some(inner) = in_curly_quotes(text) {
            let message = "these quotation marks are a part of the text: YAML knows `\"` and `'`";
            self.warning(Code::UnquotedText, span, message).help = Some(format!("write \"{inner}\""));
            return;
        }
        if let Some((at, escape, what)) = self.control_escape(text, span) {
            let place = Span::new(span.start + at, span.start + at + 2);
            let message = format!("`{escape}` in double quotes is {what} to YAML");
            self.warning(Code::BadEscape, place, message).help =
                Some("in single quotes a `\\` is just a character".into());
            return;
        }
        if let Some((at, length, inner)) = foreign_template(text) {
            let place = self.inside(Place { text, at, span }, length);
            let fixed = match text[at..].starts_with('$') && inner == text[at..at + length] {
                true => crate::path::braced(text),
                false => format!("{}${{ {inner} }}{}", &text[..at], &text[at + length..]),
            };
            let message = format!("`{}` is taken as text here", &text[at..at + length]);
            let help = format!("a value is put into a text by `${{ }}`: {}", quoted(&fixed));
            self.warning(Code::BadExpression, place, message).help = Some(help);
            return;
        }
        if text.starts_with('.') && text[1..].starts_with(|c: char| c.is_alphabetic() || c == '_') && is_words(text) {
            let message = format!("`{text}` is taken as text here");
            self.warning(Code::BadPath, span, message).help = Some(format!("did you mean `${text}`?"));
        }
    }

    /// An escape of double quotes that means another character than in a regular expression, and where it stands.
    fn control_escape(&self, text: &str, span: Span) -> Option<(usize, &'static str, &'static str)> {
        if !text.contains(['\u{8}', '\u{1b}', '\u{0}', '\u{85}', '\u{a0}', '\u{2028}', '\u{2029}']) {
            return None;
        }
        let written = self.written(span).strip_prefix('"')?;
        let mut escaped = false;
        for (at, c) in written.char_indices() {
            let found = match c {
                _ if !escaped => {
                    escaped = c == '\\';
                    continue;
                }
                'b' => ("\\b", "a backspace"),
                'e' => ("\\e", "an escape character"),
                '0' => ("\\0", "a zero byte"),
                'N' => ("\\N", "a line break"),
                '_' => ("\\_", "a non-breaking space"),
                'L' => ("\\L", "a line separator"),
                'P' => ("\\P", "a paragraph separator"),
                _ => {
                    escaped = false;
                    continue;
                }
            };
            return Some((at, found.0, found.1));
        }
        None
    }

    /// An escape in a regular expression that YAML has undone.
    pub(super) fn check_regex_escape(&mut self, text: &Spanned<String>) {
        if let Some((at, escape, what)) = self.control_escape(text, text.span) {
            let place = Span::new(text.span.start + at, text.span.start + at + 2);
            let message =
                format!("`{escape}` in double quotes is {what} to YAML, and not what it is in a regular expression");
            let inner = self.written(text.span).trim_matches('"').to_owned();
            self.error(Code::BadEscape, place, message).help =
                Some(format!("write it in single quotes: {}", quoted(&inner)));
        }
    }

    /// A value without quotes that names a part of the event as other languages do.
    pub(super) fn check_event_name(&mut self, text: &str, span: Span) {
        const ROOTS: [&str; 6] = ["detail", "event", "payload", "body", "this", "item"];
        let Some((root, rest)) = text.split_once('.') else { return };
        if ROOTS.contains(&root)
            && self.is_plain(text, span)
            && rest.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && is_words(rest)
        {
            let message = format!("`{text}` is taken as text here");
            self.warning(Code::BadPath, span, message).help =
                Some(format!("did you mean `$.{rest}`? For the text itself write \"{text}\""));
        }
    }

    /// The texts of a pattern that is one text and looks like several: `a|b`, `a or b`, `a, b`, `"[a, b]"`. A text with
    /// commas or an `or` may be meant as it is where it stands in quotes.
    fn several(&self, text: &str, span: Span) -> Option<String> {
        let in_brackets = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        let parts: Vec<&str> = if let Some(inner) = in_brackets {
            inner.split(',').collect()
        } else if text.contains('|') {
            text.split('|').filter(|part| !part.is_empty()).collect()
        } else if self.is_plain(text, span) && text.contains(" or ") {
            text.split(" or ").collect()
        } else if self.is_plain(text, span) {
            text.split(", ").collect()
        } else {
            return None;
        };
        let parts: Vec<&str> = parts.into_iter().map(|part| part.trim().trim_matches(['"', '\''])).collect();
        let is_word =
            |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
        let several = (parts.len() > 1 || in_brackets.is_some()) && parts.iter().all(is_word);
        several.then(|| parts.join(", "))
    }

    /// A text of a pattern that looks like another pattern.
    pub(super) fn check_pattern_text(&mut self, text: &str, span: Span) {
        let comparison = text.trim_start_matches(['<', '>', '=', '!']);
        let operator = &text[..text.len() - comparison.len()];
        let value = comparison.trim();
        let is_number = value.parse::<viewfold_value::Number>().is_ok();
        let help = match operator {
            ">" | ">=" | "<" | "<=" | "=" if is_number => {
                format!("numbers are compared with `{{ numeric: [\"{operator}\", {value}] }}`")
            }
            "==" if is_number => {
                format!("numbers are compared with `{{ numeric: [\"=\", {value}] }}`, or by the number alone")
            }
            "!" | "!=" if !value.is_empty() && is_words(value) => {
                format!("any other value is matched with `{{ anything-but: {value} }}`")
            }
            _ if let Some(list) = self.several(text, span) => {
                format!("one of several is a list: `[{list}]`")
            }
            _ if text == "*" => "any value is matched with `{ exists: true }`".to_owned(),
            _ if text.len() > 2 && (text.starts_with('^') || text.starts_with(".*")) => {
                format!("a regular expression is matched with `{{ matches: {} }}`", quoted(text))
            }
            _ if (text.ends_with('*') || text.starts_with('*')) && text.len() > 2 && !text.contains(' ') => {
                format!("a text with wildcards is matched with `{{ wildcard: '{text}' }}`")
            }
            _ if text.len() > 2
                && text.starts_with('/')
                && text.ends_with('/')
                && text.contains(['^', '[', '*', '+', '\\', '(']) =>
            {
                format!("a regular expression is matched with `{{ matches: {} }}`", quoted(text.trim_matches('/')))
            }
            _ => return,
        };
        self.warning(Code::BadPattern, span, format!("this matches the very text `{text}`")).help = Some(help);
    }
}

/// The text inside of quotes of a word processor.
fn in_curly_quotes(text: &str) -> Option<&str> {
    let inner = text.strip_prefix(['“', '”', '„', '‘', '’', '«'])?;
    inner.strip_suffix(['“', '”', '‘', '’', '»'])
}

fn is_words(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '[' | ']' | '-'))
}

/// A path that stands in a text as it is, or a template of another language: where, how long, and what it names.
fn foreign_template(text: &str) -> Option<(usize, usize, String)> {
    for (open, close) in [("{{", "}}"), ("<%=", "%>"), ("$(", ")"), ("%{", "}"), ("#{", "}"), ("{$.", "}")] {
        let Some(at) = text.find(open) else { continue };
        let inside = at + open.len();
        let Some(end) = text[inside..].find(close) else { continue };
        let inner = text[inside..inside + end].trim();
        let inner = if open == "{$." { format!("$.{inner}") } else { inner.to_owned() };
        let is_name =
            !inner.is_empty() && inner.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | '[' | ']'));
        if is_name {
            let path = if inner.starts_with('$') { inner } else { format!("$.{}", inner.trim_start_matches('.')) };
            return Some((at, inside + end + close.len() - at, path));
        }
    }
    let at = text.match_indices('$').map(|(at, _)| at).find(|at| {
        let rest = text[*at..].trim_start_matches('$');
        rest.starts_with('.') && rest[1..].starts_with(|c: char| c.is_alphabetic() || c == '_')
    })?;
    let rest = &text[at..];
    let end = rest
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | '[' | ']' | '\'')))
        .unwrap_or(rest.len());
    let path = rest[..end].trim_end_matches('.');
    Some((at, path.len(), path.to_owned()))
}

/// A text in quotes that do not stand in it.
fn quoted(text: &str) -> String {
    match (text.contains('\''), text.contains(['"', '\\'])) {
        (true, false) => format!("\"{text}\""),
        (true, true) => format!("'{}'", text.replace('\'', "''")),
        (false, _) => format!("'{text}'"),
    }
}
