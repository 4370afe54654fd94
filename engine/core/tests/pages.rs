//! The pages of `docs/errors/`: there is one for every code, in one form, and what they show is so.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use viewfold_core::compile::{File, Options, compile};
use viewfold_spec::{Code, Diagnostic, Severity, Source};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors")
}

/// The parts of a page by their headings; what stands in front of the first one has none.
fn parts(page: &str) -> Vec<(&str, &str)> {
    let mut parts = page.split("\n## ");
    let first = ("", parts.next().unwrap_or_default());
    std::iter::once(first).chain(parts.map(|part| part.split_once('\n').unwrap_or((part, "")))).collect()
}

/// The files that a part shows.
fn files(part: &str) -> Vec<&str> {
    part.split("```yaml\n").skip(1).filter_map(|block| block.split("```").next()).collect()
}

/// What is said about files that run together.
fn findings(texts: &[&str], options: &Options) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let mut files = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        let source = Arc::new(Source { name: format!("{number}.yaml"), text: (*text).to_owned() });
        match viewfold_spec::parse(&source) {
            Ok(projection) => files.push(File { source, projection, schemas: BTreeMap::default() }),
            Err(mut errors) => findings.append(&mut errors),
        }
    }
    findings.extend(match compile(&files, options) {
        Ok(compiled) => compiled.warnings,
        Err(errors) => errors,
    });
    findings
}

/// What is wrong with the page of a code.
fn wrong(code: Code) -> Vec<String> {
    let page = code.page();
    let parts = parts(page);
    let headings: Vec<&str> = parts.iter().map(|(heading, _)| *heading).collect();
    if headings != ["", "Before", "After"] {
        return vec![format!("its headings are {headings:?}")];
    }
    let mut wrong = Vec::new();
    let (intro, before, after) = (parts[0].1, files(parts[1].1), files(parts[2].1));
    if !intro.starts_with(&format!("# {}: ", code.text())) || code.title().is_empty() || code.title().ends_with('.') {
        wrong.push("its title is not `# CODE: a few words`".to_owned());
    }
    if !intro.contains("\n**How to fix it.** ") {
        wrong.push("it does not say how to fix it".to_owned());
    }
    // A file that is not there has no text.
    if code == Code::Unreadable {
        return wrong;
    }
    // What the page of a missing table is about.
    let options = match code {
        Code::MissingTable => Options { dead_letter_table: String::new(), ..Options::default() },
        _ => Options::default(),
    };
    let (then, now) = (findings(&before, &options), findings(&after, &options));
    let own: Vec<&Diagnostic> = then.iter().filter(|finding| finding.code == code).collect();
    if own.is_empty() {
        wrong.push(format!("the file before has no such finding, but {then:#?}"));
    }
    let word = match own.iter().any(|finding| finding.severity == Severity::Error) {
        true => "\n**Why it is refused.** ",
        false => "\n**Why it is warned about.** ",
    };
    if !own.is_empty() && !intro.contains(word) {
        wrong.push(format!("it does not say:{word}"));
    }
    if after.is_empty() || !now.is_empty() {
        wrong.push(format!("the file after has findings: {now:#?}"));
    }
    wrong
}

#[test]
fn every_code_has_a_page_and_its_files_have_what_it_says() {
    let all: Vec<String> = Code::ALL
        .iter()
        .flat_map(|code| wrong(*code).into_iter().map(|what| format!("{}: {what}", code.text())))
        .collect();
    assert!(all.is_empty(), "{}", all.join("\n\n"));
}

#[test]
fn every_page_has_a_code() {
    let mut pages: Vec<String> = fs::read_dir(folder())
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name != "README.md")
        .collect();
    pages.sort();
    let codes: Vec<String> = Code::ALL.iter().map(|code| format!("{}.md", code.text())).collect();
    assert_eq!(pages, codes);
}

#[test]
fn the_index_has_every_code_with_its_title() {
    let index = fs::read_to_string(folder().join("README.md")).expect("the index is there");
    let rows: Vec<&str> = index.lines().filter(|line| line.starts_with("| [VF")).collect();
    let expected: Vec<String> =
        Code::ALL.iter().map(|code| format!("| [{0}]({0}.md) | {1} |", code.text(), code.title())).collect();
    assert_eq!(rows, expected);
}
