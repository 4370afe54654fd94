//! How the function starts, and when it must not.

use std::time::Duration;

use harness::function::Deployment;
use harness::scratch::Folder;
use harness::store::Store;
use harness::workspace;

const VALID: &str = r"projection: amounts
source: { kinesis: { stream: orders, lane: $.id } }
document: { table: Amounts, partition_key: id }
guard: last_event_id
on_error: fail
key: { id: $.id }
rules:
  - name: ordered
    add: { total: $.amount }
";

/// Starts a function that must refuse to, and returns everything that it said.
async fn refusal(folder: &Folder) -> String {
    let store = Store::start().await;
    let failed = Deployment::new(folder.path(), &store).start_expecting_failure().await;
    assert!(!failed.status.success(), "{}", failed.output);
    let reported = failed.init_error.map_or_else(String::new, |error| error.message);
    format!("{}\n{reported}", failed.output)
}

/// The place where `what` begins in a file, as messages give it: `FILE:LINE:COLUMN`.
fn place(file: &str, text: &str, what: &str) -> String {
    let before = text.split(what).next().expect("a split has a first part");
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&character| character != '\n').count() + 1;
    format!("{file}:{line}:{column}")
}

#[tokio::test]
async fn it_is_ready_at_once_and_without_a_store() {
    let store = Store::start().await;
    let function = Deployment::new(&workspace().join("projections/votes"), &store)
        .set("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1")
        .start()
        .await;
    assert!(function.is_ready_within(Duration::from_secs(5)).await, "{}", function.output());
}

#[tokio::test]
async fn a_misspelt_key_is_pointed_at() {
    let text = VALID.replace("partition_key", "partiton_key");
    let folder = Folder::with("deep/down/amounts.yaml", &text);
    let output = refusal(&folder).await;
    let place = place("amounts.yaml", &text, "partiton_key");
    assert!(output.contains(&place), "no {place} in:\n{output}");
    assert!(output.contains("partition_key"), "no suggestion in:\n{output}");
}

#[tokio::test]
async fn one_bad_file_among_good_ones_is_enough() {
    let folder = Folder::with("good.yaml", VALID);
    let text = VALID.replace("projection: amounts", "projection: others").replace("guard: last_event_id\n", "");
    folder.write("bad.yaml", &text);
    let output = refusal(&folder).await;
    assert!(output.contains("bad.yaml:") && output.contains("guard"), "{output}");
    assert!(!output.contains("good.yaml:"), "{output}");
}

#[tokio::test]
async fn yaml_that_is_none_is_pointed_at() {
    let folder = Folder::with("amounts.yaml", "projection: [amounts\nsource: {}\n");
    let output = refusal(&folder).await;
    assert!(output.contains("amounts.yaml:"), "{output}");
}

#[tokio::test]
async fn two_projections_of_one_name_are_refused() {
    let folder = Folder::with("one.yaml", VALID);
    folder.write("two.yaml", &VALID.replace("Amounts", "Others"));
    let output = refusal(&folder).await;
    assert!(output.contains("one.yaml") && output.contains("two.yaml"), "{output}");
}

#[tokio::test]
async fn a_folder_without_projections_is_refused() {
    let folder = Folder::with("amounts.test.yaml", "projections: [amounts.yaml]\ncases: []\n");
    let output = refusal(&folder).await;
    assert!(output.contains(&folder.path().display().to_string()), "{output}");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_refused() {
    let store = Store::start().await;
    let folder = Folder::empty();
    let missing = folder.path().join("missing");
    let failed = Deployment::new(&missing, &store).start_expecting_failure().await;
    assert!(!failed.status.success());
    assert!(failed.output.contains(&missing.display().to_string()), "{}", failed.output);
}

#[tokio::test]
async fn dead_letters_need_their_table() {
    let text = VALID.replace("on_error: fail", "on_error: dead_letter");
    let folder = Folder::with("amounts.yaml", &text);
    let store = Store::start().await;
    let deployment = Deployment::new(folder.path(), &store).set("VIEWFOLD_DEAD_LETTER_TABLE", "");
    let failed = deployment.start_expecting_failure().await;
    let place = place("amounts.yaml", &text, "dead_letter");
    assert!(failed.output.contains("dead_letter") && failed.output.contains(&place), "{}", failed.output);

    // What needs no table starts without one.
    let folder = Folder::with("amounts.yaml", VALID);
    let function = Deployment::new(folder.path(), &store).set("VIEWFOLD_DEAD_LETTER_TABLE", "").start().await;
    assert!(function.is_ready_within(Duration::from_secs(5)).await, "{}", function.output());
}
