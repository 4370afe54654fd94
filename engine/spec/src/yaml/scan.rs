//! Goes through a file as YAML does, for the mistakes that a parser notices somewhere behind, and in its own terms.
//!
//! This is asked only where the parser has given up, or for words about a text that it has cut off: it need not know all of
//! YAML, but what it finds has to be there.

use super::accident::Accident;
use crate::{Code, Span};

/// What is known of a file that is no YAML.
#[derive(Default)]
pub(super) struct Scan {
    /// Mistakes that are told by themselves.
    pub(super) accidents: Vec<Accident>,
    /// The brackets that are open at the place that was asked for, the outermost first.
    pub(super) open: Vec<usize>,
}

/// Goes through a file; the open brackets are those at the byte `until`.
pub(super) fn scan(text: &str, until: usize) -> Scan {
    let mut scanner = Scanner { text, at: 0, open: Vec::new(), found: Scan::default(), until, indent: 0 };
    while scanner.at < text.len() {
        scanner.line();
    }
    if scanner.until == usize::MAX || until >= text.len() {
        scanner.found.open.clone_from(&scanner.open);
    }
    scanner.found
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    open: Vec<usize>,
    found: Scan,
    until: usize,
    /// The indentation of the line.
    indent: usize,
}

impl<'t> Scanner<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// What is left of the line.
    fn line_rest(&self) -> &'t str {
        self.rest().split(['\n', '\r']).next().unwrap_or_default()
    }

    fn skip(&mut self, blanks: &[char]) {
        self.at += self.rest().len() - self.rest().trim_start_matches(blanks).len();
    }

    fn tell(&mut self, start: usize, end: usize, code: Code, message: impl Into<String>, help: impl Into<String>) {
        let (message, help) = (message.into(), help.into());
        self.found.accidents.push(Accident { span: Span::new(start, end), code, message, help });
    }

    /// One line, and the lines that a quoted text or a block goes on for.
    fn line(&mut self) {
        let start = self.at;
        self.skip(&[' ']);
        self.indent = self.at - start;
        if self.peek() == Some('\t') && !self.line_rest().trim().is_empty() && self.open.is_empty() {
            let end = self.at + self.rest().len() - self.rest().trim_start_matches(['\t', ' ']).len();
            self.tell(
                self.at,
                end,
                Code::Tab,
                "this line is indented with a tab, which YAML does not allow",
                "indent with spaces, two for each level",
            );
            self.at = end;
        }
        if self.rest().starts_with('\u{a0}') {
            let end = self.at + self.rest().len() - self.rest().trim_start_matches(['\u{a0}', ' ']).len();
            self.non_breaking(self.at, end);
            self.at = end;
        }
        while !self.line_rest().is_empty() {
            self.token();
        }
        self.note_open();
        if let Some(c @ ('\n' | '\r')) = self.peek() {
            self.at += c.len_utf8();
        }
    }

    fn note_open(&mut self) {
        if self.at >= self.until && self.until != usize::MAX {
            self.found.open.clone_from(&self.open);
            self.until = usize::MAX;
        }
    }

    fn non_breaking(&mut self, start: usize, end: usize) {
        self.tell(
            start,
            end,
            Code::UnquotedText,
            "this looks like a space and is none: a non-breaking space (U+00A0), which YAML takes as text",
            "write a plain space in its place; it often comes with text that is pasted from a web page",
        );
    }

    /// A value, a key, or what stands between them.
    fn token(&mut self) {
        self.skip(&[' ', '\t']);
        let at = self.at;
        let Some(c) = self.peek() else { return };
        let line = self.line_rest();
        let next = line[c.len_utf8().min(line.len())..].chars().next();
        if at >= self.until {
            self.note_open();
        }
        match c {
            '\n' | '\r' => {}
            '#' => self.at += line.len(),
            '-' if matches!(next, None | Some(' ' | '\t')) && self.open.is_empty() => {
                self.at += 1;
                if self.rest().starts_with('\t') {
                    self.tell(
                        self.at,
                        self.at + 1,
                        Code::Tab,
                        "a tab stands behind the `-`, which YAML does not allow before a key",
                        "write one space behind the `-`",
                    );
                }
            }
            '{' | '[' => {
                self.open.push(at);
                self.at += 1;
            }
            '}' | ']' => {
                self.open.pop();
                self.at += 1;
            }
            ',' | ':' => self.at += 1,
            '"' | '\'' => self.quoted(c),
            '!' => self.tag(line),
            '&' | '*' => self.reference(c, line),
            '`' if line.starts_with("```") => {
                let message = "this line belongs to Markdown, and is no part of the file";
                self.tell(at, at + line.trim_end().len(), Code::NotYaml, message, "remove it");
                self.at += line.len();
            }
            '@' | '`' | '%' => {
                let text = self.plain_extent(line);
                self.unquoted(text, &format!("a text that begins with `{c}` needs quotes in YAML"));
            }
            '|' | '>' => self.block(c, line),
            '?' if matches!(next, None | Some(' ' | '}' | ',')) && self.before_is_value() => {
                self.unquoted("?", "a `?` alone is a key to YAML");
                self.at = at + 1;
            }
            _ => self.plain(line),
        }
        debug_assert!(self.at > at || self.line_rest().is_empty());
    }

    /// Whether a value begins here: behind `: `, or in brackets.
    fn before_is_value(&self) -> bool {
        let before = self.text[..self.at].trim_end_matches([' ', '\t']);
        before.ends_with([':', '[', '{', ','])
    }

    /// The text from here to where a person would end it: the end of the line, or in brackets the `,` or bracket behind it.
    fn plain_extent(&self, line: &'t str) -> &'t str {
        let mut depth = 0usize;
        let mut quote = None;
        for (at, c) in line.char_indices() {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (Some(_), _) => {}
                (None, '"') => quote = Some(c),
                (None, '\'') if depth > 0 => quote = Some(c),
                (None, '(' | '[' | '{') => depth += 1,
                (None, ')' | ']' | '}') if depth > 0 => depth -= 1,
                (None, ',' | '}' | ']') if depth == 0 && !self.open.is_empty() => return line[..at].trim_end(),
                (None, '#') if depth == 0 && line[..at].ends_with([' ', '\t']) => return line[..at].trim_end(),
                _ => {}
            }
        }
        line.trim_end()
    }

    /// A text that has to be put into quotes, from here on.
    fn unquoted(&mut self, text: &str, message: &str) {
        let help = format!("put the text into quotes: {}", in_quotes(text));
        self.tell(self.at, self.at + text.len(), Code::UnquotedText, message, help);
        self.at += text.len().max(1);
    }

    fn tag(&mut self, line: &'t str) {
        let text = self.plain_extent(line);
        if !text.starts_with("!!") {
            let (message, help) = super::accident::tag_words(text);
            self.tell(self.at, self.at + text.len(), Code::UnquotedText, message, help);
        }
        self.at += text.len().max(1);
    }

    /// `&anchor`, `*alias`.
    fn reference(&mut self, c: char, line: &'t str) {
        let name_length = line[1..].find(|c: char| c.is_whitespace() || ",[]{}".contains(c)).unwrap_or(line.len() - 1);
        let name = &line[1..1 + name_length];
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        if c == '*' && !self.text.contains(&format!("&{name}")) || !is_name {
            let text = self.plain_extent(line);
            let (message, help) = super::accident::reference_words(self.text, c, text, name);
            self.tell(self.at, self.at + text.len(), Code::UnquotedText, message, help);
            self.at += text.len().max(1);
        } else {
            self.at += 1 + name.len();
        }
    }

    /// `|`, `>`: a block of text, whose lines are gone over, or an operator without quotes.
    fn block(&mut self, c: char, line: &'t str) {
        let header = line[1..].trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-')).trim();
        if !self.open.is_empty() || !header.is_empty() && !header.starts_with('#') {
            let text = self.plain_extent(line);
            self.unquoted(text, &format!("`{c}` at the beginning of a value starts a block of text in YAML"));
            return;
        }
        self.at += line.len();
        let indent = self.indent;
        while let Some(next) = self.rest().strip_prefix("\r\n").or_else(|| self.rest().strip_prefix('\n')) {
            let line = next.split('\n').next().unwrap_or_default();
            if !line.trim().is_empty() && line.len() - line.trim_start_matches(' ').len() <= indent {
                return;
            }
            self.at = self.text.len() - next.len() + line.len();
        }
    }

    fn quoted(&mut self, quote: char) {
        let start = self.at;
        let mut at = start + 1;
        while let Some(c) = self.text[at..].chars().next() {
            let after = at + c.len_utf8();
            if c == quote && quote == '\'' && self.text[after..].starts_with('\'') {
                at = after + 1;
            } else if c == quote {
                self.at = after;
                return self.behind_quotes(start, quote);
            } else if c == '\\' && quote == '"' {
                let Some(next) = self.text[after..].chars().next() else { break };
                if !"0abtnvfre \"/\\N_LPxuU\t\r\n".contains(next) {
                    let message = format!("`\\{next}` is no escape of YAML's double quotes");
                    let help = "write the text in single quotes, in which `\\` is just a character".to_owned();
                    let help = match self.text[start + 1..].split(['"', '\n']).next() {
                        Some(inner) if !inner.contains('\'') => format!("{help}: '{inner}'"),
                        _ => help,
                    };
                    self.tell(at, after + next.len_utf8(), Code::BadEscape, message, help);
                }
                at = after + next.len_utf8();
            } else {
                at = after;
            }
        }
        self.tell(
            start,
            start + self.text[start..].split(['\n', '\r']).next().unwrap_or_default().trim_end().len(),
            Code::NotYaml,
            format!("the text that begins with this `{quote}` has no closing `{quote}`"),
            format!("put a `{quote}` behind the text"),
        );
        self.at = self.text.len();
    }

    /// Behind a quoted text comes nothing that belongs to it.
    fn behind_quotes(&mut self, start: usize, quote: char) {
        let line = self.line_rest();
        let rest = line.trim_start();
        if rest.is_empty() || rest.starts_with([':', ',', '}', ']', '#']) {
            return;
        }
        let at = self.at + line.len() - rest.len();
        let text = self.plain_extent(line).trim();
        let is_apostrophe = quote == '\'' && line.starts_with(|c: char| c.is_alphanumeric());
        let help = match (quote, is_apostrophe) {
            ('\'', true) => "in single quotes an apostrophe is written twice: `''`; or put the text into double quotes",
            _ => "put all of it into one pair of quotes",
        };
        self.tell(
            at,
            at + text.len().max(1),
            Code::UnquotedText,
            format!("the text ends at its closing `{quote}`, and this stands behind it"),
            help,
        );
        let _ = start;
        self.at = at + text.len().max(1);
    }

    /// What to write for a path to many values where one number is wanted.
    fn sum_help(&self, path: &str) -> Option<String> {
        let before = self.text[..*self.open.last()?].trim_end();
        let takes_number = ["add:", "max:", "min:"].iter().any(|key| before.ends_with(key));
        let is_many = path.starts_with("$.") && ["[*]", "[?"].iter().any(|many| path.contains(many));
        (takes_number && is_many).then(|| {
            let expression = format!("${{ sum({path}) }}");
            format!("the path leads to a list, whose sum is {}, in quotes", in_quotes(&expression))
        })
    }

    /// A text without quotes: up to `: `, ` #`, the end of the line, or in brackets to `,` or a bracket.
    fn plain(&mut self, line: &'t str) {
        let in_flow = !self.open.is_empty();
        let mut before = ' ';
        let mut end = line.len();
        let mut is_key = false;
        for (at, c) in line.char_indices() {
            let next = line[at + c.len_utf8()..].chars().next();
            let cut = match c {
                '#' => before == ' ' || before == '\t',
                ':' => {
                    is_key = match next {
                        None | Some(' ' | '\t') => true,
                        Some(',' | '[' | ']' | '{' | '}') => in_flow,
                        Some(_) => false,
                    };
                    is_key
                }
                ',' | '[' | ']' | '{' | '}' => in_flow,
                '\u{a0}' => {
                    let start = self.at + at;
                    self.non_breaking(start, start + c.len_utf8());
                    false
                }
                _ => false,
            };
            if cut {
                end = at;
                break;
            }
            before = c;
        }
        let cut_at = line[end..].chars().next();
        let whole = self.plain_extent(line);
        let read = &line[..end];
        let opens_expression = read.contains("${") || read.ends_with('$') && cut_at == Some('{');
        let behind_colon = self.text[..self.at].trim_end_matches([' ', '\t']).ends_with(':');
        match cut_at {
            Some(':') if is_key && behind_colon => {
                let code = if opens_expression { Code::UnquotedExpression } else { Code::UnquotedText };
                let message = match opens_expression {
                    true => "YAML ends a text without quotes at `: `, and so does not read this `${…}` as one value",
                    false => "YAML ends a text without quotes at `: `, and there is one inside of this value",
                };
                let next = read.rsplit([' ', ';']).next().unwrap_or_default();
                let help = match in_flow && !opens_expression && next.len() < read.len() {
                    true => format!("if `{next}` is the next key, write a `,` before it; {}", quotes_help(whole)),
                    false => quotes_help(whole),
                };
                self.tell(self.at, self.at + whole.len(), code, message, help);
                end = whole.len();
            }
            Some(c @ ('{' | '[')) if in_flow => {
                let (code, message) = match opens_expression {
                    true => (
                        Code::UnquotedExpression,
                        "inside of `{ }` and `[ ]` YAML takes the braces of a `${…}` without quotes for its own"
                            .to_owned(),
                    ),
                    false => (
                        Code::UnquotedText,
                        format!(
                            "inside of `{{ }}` and `[ ]` YAML takes the `{c}` of a text without quotes for its own"
                        ),
                    ),
                };
                // `$['detail-type']: x`: the path is a key.
                let help = match whole.split_once("]: ") {
                    Some((path, _)) if path.starts_with('$') && c == '[' => {
                        format!("put the path alone into quotes: {}: …", in_quotes(&format!("{path}]")))
                    }
                    _ => self.sum_help(whole).unwrap_or_else(|| quotes_help(whole)),
                };
                self.tell(self.at, self.at + whole.len(), code, message, help);
                end = whole.len();
            }
            _ => {}
        }
        self.at += end.max(1).min(line.len().max(1));
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
    }
}

fn quotes_help(text: &str) -> String {
    format!("put the whole value into quotes: {}", in_quotes(text))
}

/// A text in quotes that do not stand in it.
pub(super) fn in_quotes(text: &str) -> String {
    match (text.contains('\''), text.contains(['"', '\\'])) {
        (true, false) => format!("\"{text}\""),
        (true, true) => format!("'{}'", text.replace('\'', "''")),
        (false, _) => format!("'{text}'"),
    }
}
