//! What else is wrong with a file whose YAML is broken: all findings at once, not the first only.
//!
//! An accident whose place is known is covered with a text of its length, and the file is read once more, until it can be
//! read as a whole or there is a mistake of another kind. Places stay what they are, for nothing moves.

use super::node::{Node, compose};
use crate::{Code, Diagnostic, Source, Span};
use std::sync::Arc;

/// The most rounds: each covers all accidents that the round before has found.
const MAX_ROUNDS: usize = 20;

/// Composes a text, and has `read` make of it what it can; and every finding: accidents of YAML, and what `read` finds beside
/// them.
pub(crate) fn read_all<T>(
    source: &Arc<Source>,
    read: impl Fn(&Node, &Arc<Source>) -> (Option<T>, Vec<Diagnostic>),
) -> (Option<T>, Vec<Diagnostic>) {
    let mut result = None;
    let mut covered: Vec<Span> = Vec::new();
    let mut findings: Vec<Diagnostic> = Vec::new();
    let mut seen = Arc::clone(source);
    for _ in 0..MAX_ROUNDS {
        let more = match compose(&seen) {
            Ok(node) => {
                let (value, more) = read(&node, &seen);
                result = value;
                more
            }
            Err(more) => {
                let is_first = findings.is_empty();
                let spans: Vec<Span> = more
                    .iter()
                    .filter(|finding| is_accident(finding, &seen.text))
                    .map(|finding| finding.span)
                    .collect();
                let known = spans.len() == more.len();
                let is_new = |span: &Span| !covered.iter().any(|covered| overlap(*covered, *span));
                // Another kind of mistake may well be one of the text that covers: it is told only where nothing is covered.
                if is_first || known {
                    findings.extend(more.into_iter().filter(|finding| is_new(&finding.span)));
                }
                if !known || !spans.iter().any(is_new) {
                    break;
                }
                seen = cover(&seen, &spans);
                covered.extend(spans);
                continue;
            }
        };
        let beside = |finding: &Diagnostic| !covered.iter().any(|covered| overlap(*covered, finding.span));
        findings.extend(more.into_iter().filter(beside));
        break;
    }
    findings.sort_by_key(|finding| finding.span.start);
    // What was read is not what is shown.
    (result, findings.into_iter().map(|finding| Diagnostic { source: Arc::clone(source), ..finding }).collect())
}

/// Whether a finding is of a value that can be covered: it is known where it begins and ends, on one line.
fn is_accident(finding: &Diagnostic, text: &str) -> bool {
    let is_value = matches!(finding.code, Code::UnquotedExpression | Code::UnquotedText | Code::BadEscape);
    let written = text.get(finding.span.range()).unwrap_or_default();
    is_value && written.len() >= 2 && !written.contains('\n')
}

fn overlap(a: Span, b: Span) -> bool {
    a.start < b.end.max(b.start + 1) && b.start < a.end
}

/// The text with other characters at these places: a quoted text in place of a value, plain ones in place of an escape.
fn cover(source: &Arc<Source>, spans: &[Span]) -> Arc<Source> {
    let mut text = source.text.clone();
    for span in spans {
        let is_escape = text[span.range()].starts_with('\\');
        let cover = match is_escape {
            true => "x".repeat(span.end - span.start),
            false => format!("\"{}\"", "x".repeat(span.end - span.start - 2)),
        };
        text.replace_range(span.range(), &cover);
    }
    Arc::new(Source { name: source.name.clone(), text })
}

#[cfg(test)]
mod tests {
    use crate::{Code, Source};
    use std::sync::Arc;

    #[test]
    fn mistakes_beside_broken_yaml_are_found_at_their_places() {
        let text = "projection: p\nsource: { kinesis: { stream: s, lane: $.id } }\n\
                    document: { table: Docs, partiton_key: id }\nguard: last_event_id\nkey: { id: $.id }\nrules:\n  \
                    - add: { a: ${ $.x }, b: 1 }\n    when: { $.id: { matches: \"^\\d+$\" } }\n    sett: { c: 2 }\n";
        let source = Arc::new(Source { name: "p.yaml".into(), text: text.to_owned() });
        let findings = crate::parse(&source).unwrap_err();
        let told: Vec<(Code, &str)> =
            findings.iter().map(|finding| (finding.code, &text[finding.span.range()])).collect();
        let expected = [
            (Code::UnknownKey, "partiton_key"),
            (Code::UnquotedExpression, "${ $.x }"),
            (Code::BadEscape, "\\d"),
            (Code::UnknownKey, "sett"),
        ];
        assert_eq!(told, expected);
        assert!(findings.iter().all(|finding| finding.source.text == text));
    }
}
