//! What the README and the examples say a command prints is what it prints, and the files they show are the files.

use std::fs;
use std::path::PathBuf;

use harness::cli::viewfold;
use harness::workspace;

const COMMAND: &str = "cargo run --release -- ";

/// The README of the repository and those of the examples.
fn pages() -> Vec<PathBuf> {
    let examples = fs::read_dir(workspace().join("examples")).expect("there are examples");
    let mut pages: Vec<PathBuf> =
        examples.map(|entry| entry.expect("a folder can be read").path().join("README.md")).collect();
    assert_eq!(pages.len(), 5, "one folder for each system");
    pages.push(workspace().join("README.md"));
    pages
}

fn text(page: &PathBuf) -> String {
    fs::read_to_string(page).unwrap_or_else(|error| panic!("cannot read {}: {error}", page.display()))
}

#[tokio::test]
async fn commands_print_what_the_pages_show() {
    for page in pages() {
        let mut shown = 0;
        for block in text(&page).split("```sh\n").skip(1) {
            let Some((commands, rest)) = block.split_once("```\n") else {
                panic!("an open block in {}", page.display())
            };
            // Output stands behind its command, with at most a few words between.
            let between = rest.split("```").next().unwrap_or_default().len();
            let Some(output) = rest.split_once("```text\n").filter(|(before, _)| before.len() == between) else {
                continue;
            };
            let output = output.1.split("```").next().unwrap_or_default();
            let arguments =
                commands.trim().strip_prefix(COMMAND).unwrap_or_else(|| panic!("no such command: {commands}"));
            let printed = viewfold(arguments.split(' ')).run().await;
            assert_eq!(printed.stdout, output, "{}: {arguments}", page.display());
            shown += 1;
        }
        assert!(shown > 0, "{} shows no command with its output", page.display());
    }
}

#[test]
fn the_projections_that_the_pages_show_are_those_in_the_files() {
    for page in pages() {
        let shown = text(&page);
        for block in shown.split("```yaml\nprojection: ").skip(1) {
            let block = format!("projection: {}", block.split("```").next().unwrap_or_default());
            let name = block.lines().next().unwrap_or_default().to_owned();
            if page.parent() == Some(workspace()) {
                continue;
            }
            let folder = page.parent().and_then(|folder| folder.file_name()).expect("a folder");
            let files = fs::read_dir(workspace().join("projections").join(folder)).expect("projections of the system");
            let same = files
                .map(|entry| text(&entry.expect("a file").path()))
                .any(|file| file.ends_with(&format!("\n{block}")));
            assert!(same, "{}: {name} is another in its file", page.display());
        }
    }
}
