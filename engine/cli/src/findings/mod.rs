//! Findings for whoever reads them: a file for each form.
//!
//! [`text`] is for people, [`json`] for programs, [`github`] for the annotations of a pull request, [`sarif`] for services
//! that collect findings.

mod github;
mod json;
mod sarif;
mod text;

use crate::arguments::FindingsFormat;
use viewfold_spec::diagnostic::Severity;
use viewfold_spec::{Code, Diagnostic};

/// The project's pages on the kinds of findings.
const PAGES: &str = "docs/errors";

/// What a check came to.
pub(crate) struct Checked {
    /// In the order in which they are told.
    pub(crate) findings: Vec<Diagnostic>,
    /// How many projections could be read.
    pub(crate) projections: usize,
}

impl Checked {
    /// How many findings keep projections from running.
    pub(crate) fn errors(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error).count()
    }

    /// All of it in a form. `colour` is for people's terminals alone.
    pub(crate) fn rendered(&self, format: FindingsFormat, colour: bool) -> String {
        match format {
            FindingsFormat::Text => text::rendered(self, colour),
            FindingsFormat::Json => json::rendered(&self.findings),
            FindingsFormat::Github => github::rendered(&self.findings),
            FindingsFormat::Sarif => sarif::rendered(&self.findings),
        }
    }

    /// What it came to, in a few words: `3 projections are valid`.
    pub(crate) fn verdict(&self) -> String {
        text::verdict(self)
    }
}

/// Where a finding stands: lines and columns count from 1, columns in characters; the end is behind the last character.
struct Region {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

impl Region {
    /// The region of a span in a finding's file.
    fn of(diagnostic: &Diagnostic, span: viewfold_spec::Span) -> Region {
        let (line, column) = diagnostic.source.position(span.start);
        let (end_line, end_column) = diagnostic.source.position(span.end.max(span.start));
        Region { line, column, end_line, end_column }
    }
}

/// The page on a kind of finding, in the project's repository.
fn page(code: Code) -> String {
    format!("{PAGES}/{}.md", code.text())
}

/// A path as URLs and GitHub have it: `/` between folders, and no `./` in front.
fn slashed(path: &str) -> String {
    let path = if cfg!(windows) { path.replace('\\', "/") } else { path.to_owned() };
    let mut rest = path.as_str();
    while let Some(behind) = rest.strip_prefix("./") {
        rest = behind.trim_start_matches('/');
    }
    rest.to_owned()
}

/// Findings to try the forms on.
#[cfg(test)]
pub(crate) mod samples {
    use std::sync::Arc;
    use viewfold_spec::{Code, Diagnostic, Severity, Source, Span};

    /// An error with everything, in a file and with words that need escaping; a warning over two lines; an error of a
    /// file that could not be read.
    pub(crate) fn findings() -> Vec<Diagnostic> {
        let text = "größe: 1\nkey: 2 # 100%\nkey: 3\n".to_owned();
        let source = Arc::new(Source { name: "./a folder/b,c:d.yaml".into(), text });
        let second = source.text.rfind("key").unwrap_or_default();
        let first = source.text.find("key").unwrap_or_default();
        let error = Diagnostic::error(Code::DuplicateKey, &source, Span::new(second, second + 3), "`key`: 100% twice")
            .related(Span::new(first, first + 3), "first here")
            .help("put both into one\nor remove one");
        let mut warning =
            Diagnostic::error(Code::ClockDependent, &source, Span::new(0, first + 3), "it depends on the clock");
        warning.severity = Severity::Warning;
        let gone = Arc::new(Source { name: "/no/such.yaml".into(), text: String::new() });
        vec![error, warning, Diagnostic::error(Code::Unreadable, &gone, Span::default(), "No such file")]
    }
}

#[cfg(test)]
mod tests {
    use super::slashed;

    #[test]
    fn paths_are_as_urls_have_them() {
        for (path, expected) in
            [("a/b.yaml", "a/b.yaml"), ("./a/b", "a/b"), (".//./a", "a"), ("../a", "../a"), ("/a", "/a")]
        {
            assert_eq!(slashed(path), expected);
        }
    }
}
