//! How the function starts, and when it must not.

use std::time::Duration;

use harness::function::Deployment;
use harness::proxy::Proxy;
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
async fn the_connection_is_open_before_the_first_event() {
    let store = Store::start().await;
    let proxy = Proxy::before(&store).await;
    let projections = workspace().join("projections/votes");
    let deployment = Deployment::new(&projections, &store).set("AWS_ENDPOINT_URL_DYNAMODB", proxy.endpoint());
    let function = deployment.start().await;
    assert!(function.is_ready_within(Duration::from_secs(5)).await, "{}", function.output());
    let operations = proxy.take_operations();
    let [asked] = &operations[..] else { panic!("{operations:?}") };
    // There are no tables: what that says is left to the first batch to tell.
    assert_eq!((asked.name.as_str(), &asked.tables[..]), ("Query", &[store.table("viewfold_marks")][..]));
    assert!(!function.output().contains("ResourceNotFound"), "{}", function.output());
}

#[tokio::test]
async fn a_store_that_never_answers_does_not_hold_up_the_start() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port of the loopback can be had");
    let url = format!("http://{}", silent.local_addr().expect("a bound socket has an address"));
    let store = Store::start().await;
    let deployment = Deployment::new(&workspace().join("projections/votes"), &store);
    let function = deployment.set("AWS_ENDPOINT_URL_DYNAMODB", url).set("AWS_LAMBDA_LOG_LEVEL", "DEBUG").start().await;
    assert!(function.is_ready_within(Duration::from_secs(5)).await, "{}", function.output());
    assert!(function.output().contains("the connection is left to the first batch"), "{}", function.output());
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
