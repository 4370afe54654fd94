//! `viewfold init`: a new project works as it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use harness::cli::{Output, viewfold};
use harness::scratch::Folder;

use crate::json;

/// The commands of a shell block or of the steps of a workflow that are `viewfold`'s, without where their output goes.
fn commands(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().map(|line| line.trim_start().trim_start_matches("- ").trim_start_matches("run: "));
    let commands = lines.filter_map(|line| line.strip_prefix("viewfold "));
    commands
        .map(|command| {
            let command = command.split(" > ").next().unwrap_or_default();
            command.split_whitespace().map(str::to_owned).collect()
        })
        .collect()
}

async fn run_all(text: &str, folder: &Path) -> Vec<(String, Output)> {
    let mut outputs = Vec::new();
    for command in commands(text) {
        let name = command.join(" ");
        let output = viewfold(command).within(folder).run().await;
        assert_eq!(output.status, Some(0), "{name}:\n{}{}", output.stdout, output.stderr);
        outputs.push((name, output));
    }
    outputs
}

/// Every file below a folder, with its text.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder can be read") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            files.extend(self::files(&path).into_iter().map(|(inner, text)| (format!("{name}/{inner}"), text)));
        } else {
            files.insert(name, fs::read_to_string(&path).expect("a text"));
        }
    }
    files
}

#[tokio::test]
async fn a_new_project_is_valid_and_its_tests_pass() {
    for stream in ["kinesis", "dynamodb"] {
        let folder = Folder::empty();
        let made = viewfold(["init", "--stream", stream, "views"]).within(folder.path()).run().await.expect_status(0);
        let project = folder.path().join("views");
        // What it says to do next.
        let (_, next) = made.stdout.split_once("  cd views\n").expect("what is next");
        assert_eq!(run_all(next, &project).await.len(), 3);
        let files = files(&project);
        assert!(files.keys().all(|name| made.stdout.contains(&format!("  views/{name}\n"))), "{}", made.stdout);
        // The workflow and the README, as they stand.
        let outputs = run_all(&files[".github/workflows/viewfold.yml"], &project).await;
        let names: Vec<&str> = outputs.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["--version", "validate --format github", "test --format junit"]);
        assert_eq!(outputs[1].1.stdout, "", "findings in a new project");
        assert!(outputs[2].1.stdout.contains(" tests=\"4\" failures=\"0\" errors=\"0\""), "{}", outputs[2].1.stdout);
        let (_, block) = files["README.md"].split_once("```sh\n").expect("commands");
        let (block, _) = block.split_once("```").expect("the end of the commands");
        assert_eq!(run_all(block, &project).await.len(), 5);
        // The schemas are those of this version, and the first lines of the files lead to them.
        for (schema, arguments) in [("projection", &["schema"][..]), ("test", &["schema", "--test"])] {
            let printed = viewfold(arguments).run().await.expect_status(0).stdout;
            assert_eq!(files[&format!("schemas/{schema}.schema.json")], printed);
        }
        for name in ["projections/customer_orders.yaml", "projections/customer_orders.test.yaml"] {
            let first = files[name].lines().next().unwrap_or_default();
            let schema = first.strip_prefix("# yaml-language-server: $schema=../").expect("a schema");
            assert!(files.contains_key(schema), "{schema}");
        }
        json(&files[".vscode/extensions.json"]);
    }
}

#[tokio::test]
async fn the_recorded_events_make_the_documents_of_the_test() {
    let folder = Folder::empty();
    viewfold(["init"]).within(folder.path()).run().await.expect_status(0);
    let run = ["run", "projections", "--events", "events/orders.json", "--format", "json"];
    let output = viewfold(run).within(folder.path()).run().await.expect_status(0);
    let documents = &json(&output.stdout)["documents"]["CustomerOrders"];
    assert_eq!((&documents[0]["customer"], &documents[0]["orders"]), (&"ann".into(), &1.into()), "{documents}");
}

#[tokio::test]
async fn nothing_is_overwritten() {
    let folder = Folder::with("README.md", "mine");
    folder.write("events", "a file where a folder would be");
    let output = viewfold(["init"]).arg(folder.path()).run().await.expect_status(2);
    assert!(output.stderr.contains("README.md") && output.stderr.contains("/events\n"), "{}", output.stderr);
    assert_eq!(output.stdout, "");
    let expected = [("README.md", "mine"), ("events", "a file where a folder would be")];
    assert_eq!(files(folder.path()), expected.map(|(name, text)| (name.to_owned(), text.to_owned())).into());
}
