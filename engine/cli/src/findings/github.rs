//! Findings as GitHub's workflow commands, which become annotations of a pull request ([workflow commands]).
//!
//! [workflow commands]: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands

use super::{Region, slashed};
use viewfold_spec::Diagnostic;
use viewfold_spec::diagnostic::Severity;

/// A line for each finding.
pub(super) fn rendered(findings: &[Diagnostic]) -> String {
    findings.iter().map(command).collect()
}

fn command(diagnostic: &Diagnostic) -> String {
    let word = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let region = Region::of(diagnostic, diagnostic.span);
    let file = property(&slashed(&diagnostic.source.name));
    let mut text = format!("::{word} file={file},line={},endLine={}", region.line, region.end_line);
    // GitHub knows columns within one line only.
    if region.line == region.end_line {
        text += &format!(",col={},endColumn={}", region.column, region.end_column);
    }
    let mut message = diagnostic.message.clone();
    if let Some((span, label)) = &diagnostic.related {
        let (line, column) = diagnostic.source.position(span.start);
        message += &format!("\n{line}:{column}: {label}");
    }
    if let Some(help) = &diagnostic.help {
        message += &format!("\nhelp: {help}");
    }
    text + &format!(",title={}::{}\n", property(diagnostic.code.text()), data(&message))
}

/// What stands behind `::`, with GitHub's escapes.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, with GitHub's escapes.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::samples;

    #[test]
    fn findings_are_workflow_commands() {
        let expected = [
            "::error file=a folder/b%2Cc%3Ad.yaml,line=3,endLine=3,col=1,endColumn=4,title=VF0102::`key`: 100%25 \
             twice%0A2:1: first here%0Ahelp: put both into one%0Aor remove one",
            "::warning file=a folder/b%2Cc%3Ad.yaml,line=1,endLine=2,title=VF0601::it depends on the clock",
            "::error file=/no/such.yaml,line=1,endLine=1,col=1,endColumn=1,title=VF0108::No such file",
        ];
        assert_eq!(super::rendered(&samples::findings()).lines().collect::<Vec<_>>(), expected);
    }
}
