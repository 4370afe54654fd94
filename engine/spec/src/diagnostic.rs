//! What is wrong with a file, where, why, and what to do.

use crate::Span;
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::fmt;
use std::sync::Arc;

/// A file as it was read: its name, as it is shown to people, and its text.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    /// The path as the user gave it.
    pub name: String,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// The line and column of a byte, both from 1, the column in characters.
    pub fn position(&self, byte: usize) -> (usize, usize) {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        let before = &self.text[..byte];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal,)+) => {
        /// The stable code of a kind of finding.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// The code as it is printed, `VF0102`.
            pub const fn text(self) -> &'static str {
                match self { $(Code::$name => $code,)+ }
            }

            /// The page about it: what it means, why, how to fix it, a file before and after. Markdown.
            pub const fn page(self) -> &'static str {
                match self { $(Code::$name => include_str!(concat!("../../../docs/errors/", $code, ".md")),)+ }
            }

            /// Every code, in their order.
            pub const ALL: &[Code] = &[$(Code::$name,)+];
        }
    };
}

codes! {
    /// The file is no YAML.
    NotYaml = "VF0101",
    /// A key that stands twice in one map.
    DuplicateKey = "VF0102",
    /// A key that the language does not have at this place.
    UnknownKey = "VF0103",
    /// A key that has to be there and is not.
    MissingKey = "VF0104",
    /// A value of another type or form than its key takes.
    WrongForm = "VF0105",
    /// A word that is none of those the key takes.
    UnknownWord = "VF0106",
    /// A number that DynamoDB cannot hold exactly.
    BadNumber = "VF0107",
    /// A file that could not be read.
    Unreadable = "VF0108",
    /// `${…}` in a plain text that YAML cuts off or takes apart.
    UnquotedExpression = "VF0111",
    /// A plain text that begins with, or holds, what YAML reads as its own: `!`, `@`, `>`, `*`, a second `: `.
    UnquotedText = "VF0112",
    /// A backslash in double quotes that is no escape of YAML.
    BadEscape = "VF0113",
    /// A tab where YAML wants spaces.
    Tab = "VF0114",
    /// `yes`, `no`, `on`, `off`: text in YAML 1.2, and a boolean to older readers.
    YamlWord = "VF0115",
    /// A `$.…` path that is no JSONPath of the form needed here.
    BadPath = "VF0201",
    /// A `$$.…` name that the stream does not give.
    UnknownMetadata = "VF0202",
    /// An expression that is none, or that can have no value.
    BadExpression = "VF0203",
    /// A pattern that cannot match anything, or is none.
    BadPattern = "VF0204",
    /// A name that nothing has: of a value in an expression, or of a source.
    UnknownName = "VF0205",
    /// A function that there is none of, or one with the wrong count of arguments.
    BadCall = "VF0206",
    /// A JSON Schema that cannot be used.
    BadSchema = "VF0207",
    /// A name in a path that has to stand in brackets: `$['order-id']`.
    UnbracketedName = "VF0208",
    /// A rule that writes an attribute it must not: a key, or a bookkeeping attribute.
    ReservedAttribute = "VF0301",
    /// A document key that does not fit the table's.
    KeyMismatch = "VF0302",
    /// An operation whose value can never have the type it needs.
    BadOperand = "VF0303",
    /// Two rules that would write the same attribute for one event.
    ConflictingRules = "VF0304",
    /// A rule that changes nothing.
    EmptyRule = "VF0305",
    /// A guard that cannot keep what it promises.
    UnsoundGuard = "VF0401",
    /// An operation whose outcome depends on an order that the guard does not give.
    OrderDependent = "VF0402",
    /// A rule with `retract: true` that does what such a rule cannot.
    BadRetract = "VF0403",
    /// Two projections of one name.
    DuplicateProjection = "VF0501",
    /// Two projections that would overwrite each other's attributes or marks.
    SharedAttribute = "VF0502",
    /// Two projections that describe one table differently.
    TableMismatch = "VF0503",
    /// A table that a projection needs and the deployment does not have.
    MissingTable = "VF0504",
    /// Views that feed each other in a circle.
    Circle = "VF0505",
    /// A value that depends on the clock: it differs when the event comes again.
    ClockDependent = "VF0601",
    /// A rule that no event can match.
    NeverMatches = "VF0602",
    /// A list, set or map on a document that grows for ever: an item of DynamoDB has 400 KB.
    Unbounded = "VF0603",
    /// `guard: none` where a repeated event counts twice.
    Unguarded = "VF0604",
    /// A `let` that nothing uses.
    UnusedLet = "VF0605",
    /// A rule that cannot be applied to any event that it matches, or to no `insert` and no `remove` among them.
    AlwaysFails = "VF0606",
    /// `derive`, or an attribute itself, needs what the first event of a document may not write.
    MissingAtFirst = "VF0607",
}

impl Code {
    /// What it means, in a few words: the title of its page.
    pub fn title(self) -> &'static str {
        let line = self.page().lines().next().unwrap_or_default();
        line.split_once(": ").map_or(line, |(_, title)| title)
    }

    /// The code that is meant by `VF0304`, `vf304`, `0304` or `304`.
    pub fn named(text: &str) -> Option<Code> {
        let digits = text.trim_start_matches(['v', 'V']).trim_start_matches(['f', 'F']).trim_start_matches('0');
        Code::ALL.iter().copied().find(|code| code.text()[2..].trim_start_matches('0') == digits)
    }

    /// The codes that are nearest to a text that is none: those of its group, or those that look like it.
    pub fn near(text: &str) -> Vec<Code> {
        let text = text.to_uppercase();
        let mut near: Vec<(usize, Code)> =
            Code::ALL.iter().map(|code| (strsim::damerau_levenshtein(&text, code.text()), *code)).collect();
        near.sort();
        let least = near.first().map_or(0, |(distance, _)| *distance);
        near.into_iter()
            .filter(|(distance, _)| *distance == least && *distance <= 2)
            .map(|(_, code)| code)
            .take(5)
            .collect()
    }
}

/// How grave a finding is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// The projections do not run.
    Error,
    /// They run, but probably not as meant.
    Warning,
}

/// One finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// What kind of finding it is.
    pub code: Code,
    /// How grave it is.
    pub severity: Severity,
    /// One sentence that says what is wrong in the user's terms.
    pub message: String,
    /// The file.
    pub source: Arc<Source>,
    /// The place in it.
    pub span: Span,
    /// A few words at the place itself.
    pub label: Option<String>,
    /// Another place in the same file that has to do with it, and what.
    pub related: Option<(Span, String)>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(code: Code, source: &Arc<Source>, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: Severity::Error,
            message: message.into(),
            source: Arc::clone(source),
            span,
            label: None,
            related: None,
            help: None,
        }
    }

    /// The same with words at the place.
    pub fn label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = Some(label.into());
        self
    }

    /// The same with what to do.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// The same with another place.
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Diagnostic {
        self.related = Some((span, label.into()));
        self
    }

    /// `file:line:column`, both from 1.
    pub fn place(&self) -> String {
        let (line, column) = self.source.position(self.span.start);
        format!("{}:{line}:{column}", self.source.name)
    }

    /// The finding for people: the message, the place, the line with the span underlined, and the help.
    pub fn render(&self, colour: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let text = &self.source.text;
        let mut primary = AnnotationKind::Primary.span(clip(self.span, text));
        if let Some(label) = &self.label {
            primary = primary.label(label.as_str());
        }
        let mut snippet = Snippet::source(text.as_str()).path(self.source.name.as_str()).annotation(primary);
        if let Some((span, label)) = &self.related {
            snippet = snippet.annotation(AnnotationKind::Context.span(clip(*span, text)).label(label.as_str()));
        }
        let mut group: Group<'_> = level.primary_title(self.message.as_str()).id(self.code.text()).element(snippet);
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.decor_style(DecorStyle::Ascii).render(&[group])
    }
}

/// The span inside the text, at character boundaries, without the line breaks at its end.
fn clip(span: Span, text: &str) -> std::ops::Range<usize> {
    let boundary = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = boundary(span.start);
    let end = boundary(span.end.max(span.start));
    start..start + text[start..end].trim_end().len()
}

/// Findings in the order of their places, as one text, each followed by a blank line.
pub fn render_all(diagnostics: &[Diagnostic], colour: bool) -> String {
    diagnostics.iter().map(|diagnostic| diagnostic.render(colour) + "\n\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_however_they_are_written() {
        for text in ["VF0304", "vf0304", "0304", "vf304", "304"] {
            assert_eq!(Code::named(text), Some(Code::ConflictingRules), "{text}");
        }
        for text in ["VF0399", "", "VF", "V0304x", "guard"] {
            assert_eq!(Code::named(text), None, "{text}");
        }
        assert!(Code::near("VF0399").contains(&Code::ReservedAttribute));
        assert_eq!(Code::near("colour"), []);
        assert_eq!(Code::ConflictingRules.title(), "two rules write the same attribute");
    }

    #[test]
    fn columns_count_characters_from_one() {
        let source = Source { name: "a.yaml".into(), text: "é: x\nkey: 1\n".into() };
        assert_eq!(source.position(0), (1, 1));
        assert_eq!(source.position(4), (1, 4));
        assert_eq!(source.position(6), (2, 1));
        assert_eq!(source.position(999), (3, 1));
    }
}
