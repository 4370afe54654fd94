//! Findings as SARIF 2.1.0, for services that collect findings of many tools ([the standard]).
//!
//! [the standard]: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html

use super::{Region, page, slashed};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use viewfold_spec::diagnostic::Severity;
use viewfold_spec::{Code, Diagnostic, Span};

/// The name by which files are told to be relative to where the command ran.
const ROOT: &str = "%SRCROOT%";

/// A log of one run.
pub(super) fn rendered(findings: &[Diagnostic]) -> String {
    let codes: BTreeSet<Code> = findings.iter().map(|finding| finding.code).collect();
    let codes: Vec<Code> = codes.into_iter().collect();
    let rules: Vec<Json> = codes.iter().map(|code| rule(*code)).collect();
    let results: Vec<Json> = findings.iter().map(|finding| result(finding, &codes)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "viewfold",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn rule(code: Code) -> Json {
    json!({
        "id": code.text(),
        "name": format!("{code:?}"),
        "shortDescription": { "text": code.title() },
        // A `helpUri` would have to be absolute.
        "help": {
            "text": format!("{}\n\nviewfold explain {} says more, and so does {}.", code.title(), code.text(), page(code)),
            "markdown": format!("{}\n\n`viewfold explain {}` says more, and so does `{}`.", code.title(), code.text(), page(code)),
        },
    })
}

fn result(diagnostic: &Diagnostic, codes: &[Code]) -> Json {
    let message = match &diagnostic.help {
        Some(help) => format!("{}\nhelp: {help}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    let mut result = json!({
        "ruleId": diagnostic.code.text(),
        "level": match diagnostic.severity { Severity::Error => "error", Severity::Warning => "warning" },
        "message": { "text": message },
        "locations": [{ "physicalLocation": location(diagnostic, diagnostic.span) }],
    });
    if let Ok(index) = codes.binary_search(&diagnostic.code) {
        result["ruleIndex"] = index.into();
    }
    if let Some((span, label)) = &diagnostic.related {
        result["relatedLocations"] =
            json!([{ "id": 1, "message": { "text": label }, "physicalLocation": location(diagnostic, *span) }]);
    }
    result
}

fn location(diagnostic: &Diagnostic, span: Span) -> Json {
    let Region { line, column, end_line, end_column } = Region::of(diagnostic, span);
    json!({
        "artifactLocation": artifact(&diagnostic.source.name),
        "region": { "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column },
    })
}

/// A file: relative to where the command ran, or a `file:` URI.
fn artifact(path: &str) -> Json {
    let path = slashed(path);
    let uri = encoded(&path);
    if path.starts_with('/') {
        json!({ "uri": format!("file://{uri}") })
    } else if path.get(1..3) == Some(":/") {
        json!({ "uri": format!("file:///{}{}", &path[..2], encoded(&path[2..])) })
    } else {
        json!({ "uri": uri, "uriBaseId": ROOT })
    }
}

/// A path as URIs have it: every byte but letters, digits and a few signs as `%` and two hexadecimal digits.
fn encoded(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => text.push(char::from(byte)),
            other => text += &format!("%{other:02X}"),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use serde_json::{Value as Json, json};

    fn log() -> Json {
        serde_json::from_str(&super::rendered(&samples::findings())).expect("a log is JSON")
    }

    #[test]
    fn findings_are_results_with_their_regions() {
        let results = log()["runs"][0]["results"].take();
        let file = json!({ "uri": "a%20folder/b%2Cc%3Ad.yaml", "uriBaseId": "%SRCROOT%" });
        assert_eq!(
            results[0],
            json!({
                "ruleId": "VF0102", "level": "error",
                "message": { "text": "`key`: 100% twice\nhelp: put both into one\nor remove one" },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": file,
                    "region": { "startLine": 3, "startColumn": 1, "endLine": 3, "endColumn": 4 },
                } }],
                "ruleIndex": 0,
                "relatedLocations": [{ "id": 1, "message": { "text": "first here" }, "physicalLocation": {
                    "artifactLocation": file,
                    "region": { "startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 4 },
                } }],
            })
        );
        assert_eq!(results[1]["level"], "warning");
        assert_eq!(
            results[2]["locations"][0]["physicalLocation"]["artifactLocation"],
            json!({ "uri": "file:///no/such.yaml" })
        );
    }

    #[test]
    fn every_result_names_its_rule_and_every_rule_its_page() {
        let log = log();
        assert_eq!((&log["version"], &log["runs"][0]["columnKind"]), (&"2.1.0".into(), &"unicodeCodePoints".into()));
        let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().expect("rules");
        let ids: Vec<&str> = rules.iter().filter_map(|rule| rule["id"].as_str()).collect();
        assert_eq!(ids, ["VF0102", "VF0108", "VF0601"]);
        for rule in rules {
            let page = format!("docs/errors/{}.md", rule["id"].as_str().unwrap_or_default());
            assert!(rule["help"]["text"].as_str().is_some_and(|text| text.contains(&page)), "{rule}");
            assert!(rule["shortDescription"]["text"].as_str().is_some_and(|text| text.len() > 5), "{rule}");
        }
        for result in log["runs"][0]["results"].as_array().expect("results") {
            let index = result["ruleIndex"].as_u64().expect("an index");
            assert_eq!(rules[usize::try_from(index).expect("small")]["id"], result["ruleId"]);
        }
    }
}
