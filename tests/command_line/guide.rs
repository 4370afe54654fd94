//! `docs/guide.md`, walked from its beginning to its end: files are written as they stand, commands run, and print what the
//! page shows.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test --workspace --test command_line guide` writes what they print into the page.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use harness::binaries;
use harness::scratch::Folder;
use harness::workspace;
use tokio::process::Command;

use crate::file;

const PAGE: &str = "docs/guide.md";

/// What a part of the page is.
#[derive(Debug)]
enum Part<'p> {
    /// Words, and blocks that nothing is done with.
    Words(&'p str),
    /// A file with this path and content.
    File(&'p str, &'p str),
    /// Commands, a line each.
    Commands(&'p str),
    /// What the commands in front of it print.
    Output(&'p str),
}

/// The page, part by part; together they are the whole of it.
fn parts(page: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut words, mut rest) = (0, 0);
    while let Some(at) = page[rest..].find("```") {
        let start = rest + at;
        let content = start + page[start..].find('\n').expect("a fence ends its line") + 1;
        let end = content + page[content..].find("```").expect("a block has an end");
        let (language, block) = (page[start + 3..content].trim(), &page[content..end]);
        let part = match language {
            "sh" => Some(Part::Commands(block)),
            "text" => Some(Part::Output(block)),
            "yaml" => {
                let name = page[..start].trim_end().rsplit('\n').next().unwrap_or_default();
                let name = name.strip_prefix('`').and_then(|name| name.strip_suffix("`:"));
                Some(Part::File(name.unwrap_or_else(|| panic!("a file without its path:\n{block}")), block))
            }
            _ => None,
        };
        rest = end + 3;
        if let Some(part) = part {
            parts.push(Part::Words(&page[words..content]));
            parts.push(part);
            words = end;
        }
    }
    parts.push(Part::Words(&page[words..]));
    parts
}

/// What a command of the page prints.
async fn run(command: &str, folder: &Path) -> String {
    let tools = binaries::viewfold().parent().expect("a program is in a folder").display().to_string();
    let mut shell = Command::new("sh");
    // What goes to both ends of the terminal comes in the order of its writing.
    shell.arg("-ec").arg(format!("exec 2>&1; {command}")).current_dir(folder).env_clear();
    let output = shell.env("PATH", format!("{tools}:/usr/bin:/bin")).output().await.expect("there is a shell");
    String::from_utf8(output.stdout).expect("text is printed")
}

#[tokio::test]
async fn the_guide_can_be_walked_as_it_stands() {
    let page = file(PAGE);
    let above = Folder::empty();
    let (mut folder, mut printed, mut walked) = (above.path().to_owned(), None, String::new());
    let (mut commands, mut wrong) = (0, String::new());
    for part in parts(&page) {
        match part {
            Part::Words(words) => walked += words,
            Part::File(name, content) => {
                fs::write(folder.join(name), content).unwrap_or_else(|error| panic!("cannot write {name}: {error}"));
                walked += content;
            }
            Part::Commands(lines) => {
                assert_eq!(printed, None, "what is printed before `{lines}` is not shown");
                let mut output = String::new();
                for line in lines.lines() {
                    output += &run(line, &folder).await;
                    commands += 1;
                }
                // The rest of the page is inside of the project.
                if lines.starts_with("viewfold init shop") {
                    folder = folder.join("shop");
                }
                printed = Some(output);
                walked += lines;
            }
            Part::Output(shown) => {
                let output = printed.take().expect("a command stands in front of its output");
                if output != shown {
                    let _ = writeln!(wrong, "--- the page shows\n{shown}--- and this is printed\n{output}");
                }
                walked += &output;
            }
        }
    }
    assert!(commands >= 10, "the page has {commands} commands");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(workspace().join(PAGE), walked).expect("the page can be written");
    } else {
        assert!(wrong.is_empty(), "{wrong}");
    }
}
