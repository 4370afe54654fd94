//! What is underlined while somebody types: everything of a bad file that structure shows, and nothing of a good one.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use harness::editor::{Editor, File, Finding};
use harness::workspace;

use crate::yaml_of;

/// The bad projections, each with what `viewfold validate` says of it.
const CORPUS: &str = "engine/core/tests/diagnostics";

/// What the server said of the corpus when somebody last looked at it.
const MESSAGES: &str = "tests/editor/messages.txt";

fn text(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap_or_else(|error| panic!("cannot read {path}: {error}"))
}

/// The YAML files of a folder and its subfolders, seen from the workspace.
fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![workspace().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                let path = path.strip_prefix(workspace()).expect("it is below the workspace");
                found.push(path.to_str().expect("a name that is text").to_owned());
            }
        }
    }
    found.sort();
    found
}

fn name(path: &str) -> &str {
    Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or(path)
}

/// What `structure.txt` says.
struct Structure {
    /// The codes of findings that the editor has on the same line.
    on_line: Vec<String>,
    /// The codes of broken YAML.
    broken: Vec<String>,
    /// The findings that a schema cannot see, as `FILE:LINE`.
    unseen: Vec<String>,
}

fn structure() -> Structure {
    let text = text("tests/editor/structure.txt");
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let mut codes = || lines.next().expect("codes").split(' ').map(str::to_owned).collect();
    let (on_line, broken) = (codes(), codes());
    let unseen = lines.map(|line| {
        let (finding, reason) = line.split_once(' ').unwrap_or((line, ""));
        assert!(reason.len() > 10, "structure.txt does not say why `{finding}` cannot be seen");
        finding.to_owned()
    });
    Structure { on_line, broken, unseen: unseen.collect() }
}

/// The code and line of every error in the words of `viewfold validate`.
fn errors(said: &str) -> Vec<(String, usize)> {
    let mut errors = Vec::new();
    for part in said.split("error[").skip(1) {
        let code = part.split(']').next().unwrap_or_default().to_owned();
        let place = part.lines().find_map(|line| line.trim_start().strip_prefix("--> ")).expect("an error has a place");
        let line = place.rsplit(':').nth(1).and_then(|line| line.parse().ok()).expect("a place has a line");
        errors.push((code, line));
    }
    errors
}

/// Words that help nobody: they name JSON's types or a schema's inside.
fn helps_nobody(message: &str) -> bool {
    message.starts_with("Incorrect type.")
        || message.starts_with("Matches ")
        || message.starts_with("String does not match the pattern")
        || message.starts_with("Object has ")
        || (message.starts_with("Value is not accepted") && !message.contains("Valid values: "))
}

#[test]
fn bad_structure_is_underlined_where_validate_finds_it() {
    let Some(mut editor) = Editor::get() else { return };
    let Structure { on_line, broken, unseen } = structure();
    let corpus = files(CORPUS);
    assert!(corpus.len() > 50, "only {} files", corpus.len());
    let opened: Vec<File> = corpus.iter().map(|path| File::of("projection", name(path), &text(path))).collect();
    let (mut wrong, mut needed, mut snapshot) = (String::new(), Vec::new(), String::new());
    for (path, said) in corpus.iter().zip(editor.findings(&opened)) {
        let name = name(path);
        let expected = fs::read_to_string(workspace().join(path).with_extension("txt")).unwrap_or_default();
        for (code, line) in errors(&expected) {
            let place = format!("{name}:{line}");
            let seen = said.iter().any(|finding| finding.line == line) || broken.contains(&code) && !said.is_empty();
            if seen || !on_line.contains(&code) && !broken.contains(&code) {
                continue;
            }
            if !unseen.contains(&place) {
                let _ = writeln!(wrong, "{place}: {code} is not seen; the editor says {said:?}");
            }
            needed.push(place);
        }
        if !said.is_empty() {
            let _ = writeln!(snapshot, "{name}");
        }
        for Finding { line, message, .. } in &said {
            let _ = writeln!(snapshot, "  {line} {message}");
            if helps_nobody(message) {
                let _ = writeln!(wrong, "{name}:{line}: words that help nobody: {message}");
            }
        }
    }
    for place in unseen.iter().filter(|place| !needed.contains(place)) {
        let _ = writeln!(wrong, "{place} is seen now: remove it from structure.txt");
    }
    assert!(wrong.is_empty(), "{wrong}");

    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(workspace().join(MESSAGES), &snapshot).expect("the snapshot can be written");
    }
    assert!(text(MESSAGES) == snapshot, "{MESSAGES} is not what the editor says now:\n{snapshot}");
}

#[test]
fn nothing_of_a_good_file_is_underlined() {
    let Some(mut editor) = Editor::get() else { return };
    let kind = |path: &str| if path.ends_with(".test.yaml") { "test" } else { "projection" };
    // These say themselves, in their first line, which schema they have.
    let mut good: Vec<File> = files("projections").iter().map(|path| File::at(path, text(path))).collect();
    good.extend(files("tests/language").iter().map(|path| File::of(kind(path), name(path), &text(path))));
    for block in yaml_of(&text("docs/language.md")) {
        let kind = if block.starts_with("projections:") { "test" } else { "projection" };
        good.push(File::of(kind, "block.yaml", &block));
    }
    assert!(good.len() > 60, "only {} files", good.len());
    for (file, said) in good.iter().zip(editor.findings(&good)) {
        assert!(said.is_empty(), "{said:?} of\n{file:#?}");
    }
}

#[test]
fn files_are_told_apart_by_the_settings_of_the_readme() {
    let Some(mut editor) = Editor::get() else { return };
    let said = editor.findings(&[
        File::at("projections/new/orders.yaml", "colour: red\n"),
        File::at("projections/new/orders.test.yaml", "colour: red\n"),
        File::at("elsewhere/orders.yaml", "colour: red\n"),
        File::at("elsewhere/here/orders.yaml", "# $schema: ../../schemas/test.schema.json\ncolour: red\n"),
    ]);
    let missing: Vec<Vec<&str>> = said
        .iter()
        .map(|said| {
            said.iter().map(|one| one.message.as_str()).filter(|message| message.starts_with("Missing")).collect()
        })
        .collect();
    assert!(missing[0].contains(&"Missing property \"guard\"."), "{said:?}");
    assert_eq!(missing[1], ["Missing property \"cases\".", "Missing property \"projections\"."], "{said:?}");
    assert!(said[2].is_empty(), "{said:?}");
    // The line that JetBrains' editors read.
    assert_eq!(missing[3], missing[1], "{said:?}");
}

#[test]
fn who_finds_something_has_a_version() {
    let Some(mut editor) = Editor::get() else { return };
    let said = editor.findings(&[File::of("projection", "old.yaml", "colour: red\n")]);
    let version = env!("CARGO_PKG_VERSION");
    assert!(said[0].iter().all(|one| one.source == format!("yaml-schema: viewfold {version} projection")), "{said:?}");
}

#[test]
fn mistakes_in_a_test_are_underlined() {
    let Some(mut editor) = Editor::get() else { return };
    let text = "projections: [a.yaml]
cases:
  - name: nothing is expected
    events: [{ payload: { a: 1 } }]
  - name: wrong events
    documents: { Docs: { id: a } }
    events:
      - { payload: { a: 1 }, new: { id: 1 } }
      - { sequence: 17, payload: { a: 1 } }
      - { id: x }
      - { new: text }
    dead_letters:
      - { reason: missing }
";
    let said = editor.findings(&[File::of("test", "bad.test.yaml", text)]).remove(0);
    let lines: Vec<usize> = said.iter().map(|finding| finding.line).collect();
    assert_eq!(lines, [3, 6, 8, 9, 10, 11, 13], "{said:?}");
    assert!(!said.iter().any(|finding| helps_nobody(&finding.message)), "{said:?}");
}
