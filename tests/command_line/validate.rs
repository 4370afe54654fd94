//! `viewfold validate`: exit codes, and messages that lead to the place.

use harness::cli::viewfold;
use harness::scratch::Folder;

use crate::json;

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

#[tokio::test]
async fn the_shipped_projections_are_valid() {
    viewfold(["validate", "projections"]).run().await.expect_status(0);
    viewfold(["validate", "projections/votes", "projections/winner-view"]).run().await.expect_status(0);
}

#[tokio::test]
async fn a_file_may_be_named_by_itself() {
    let folder = Folder::empty();
    let path = folder.write("amounts.yaml", VALID);
    viewfold(["validate"]).arg(path).run().await.expect_status(0);
}

#[tokio::test]
async fn findings_are_code_1_and_lead_to_the_place() {
    let folder = Folder::with("amounts.yaml", &VALID.replace("partition_key", "partiton_key"));
    let output = viewfold(["validate"]).arg(folder.path()).run().await.expect_status(1);
    let all = format!("{}{}", output.stdout, output.stderr);
    assert!(all.contains("amounts.yaml:3:29"), "no place in:\n{all}");
    assert!(all.contains("partition_key"), "no suggestion in:\n{all}");
    assert!(!all.contains('\u{1b}'), "colour without a terminal:\n{all}");
}

#[tokio::test]
async fn every_file_is_looked_at_and_every_finding_told() {
    let folder = Folder::with("one.yaml", &VALID.replace("on_error: fail", "on_error: explode"));
    folder
        .write("two.yaml", &VALID.replace("projection: amounts", "projection: others").replace("table: Amounts, ", ""));
    folder.write("three.yaml", &VALID.replace("projection: amounts", "projection: third").replace("Amounts", "Third"));
    let output = viewfold(["validate"]).arg(folder.path()).run().await.expect_status(1);
    let all = format!("{}{}", output.stdout, output.stderr);
    assert!(all.contains("one.yaml:5:11") && all.contains("two.yaml:3:"), "{all}");
    assert!(!all.contains("three.yaml:"), "{all}");
}

#[tokio::test]
async fn findings_can_be_read_by_programs() {
    let folder = Folder::with("amounts.yaml", &VALID.replace("partition_key", "partiton_key"));
    let output = viewfold(["validate", "--format", "json"]).arg(folder.path()).run().await.expect_status(1);
    let findings = json(&output.stdout).to_string();
    assert!(findings.contains("amounts.yaml") && findings.contains("partiton_key"), "{findings}");
    json(&viewfold(["validate", "projections", "--format", "json"]).run().await.expect_status(0).stdout);
}

#[tokio::test]
async fn pull_requests_and_code_scanning_can_read_findings() {
    let folder = Folder::with("amounts.yaml", &VALID.replace("partition_key", "partiton_key"));
    let validate = |format: &'static str| viewfold(["validate", "--format", format]).arg(folder.path()).run();
    let github = validate("github").await.expect_status(1);
    let (start, place) = ("::error file=", "/amounts.yaml,line=3,endLine=3,col=29,endColumn=41,title=VF0103::");
    let line = github.stdout.lines().next().unwrap_or_default();
    assert!(line.starts_with(start) && line.contains(place) && line.contains("partition_key"), "{}", github.stdout);
    assert!(github.stderr.contains("error"), "{}", github.stderr);
    let log = json(&validate("sarif").await.expect_status(1).stdout);
    let region = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"];
    assert_eq!((&region["startLine"], &region["startColumn"]), (&3.into(), &29.into()), "{log}");
    // Nothing is wrong: an empty log, not none.
    let log = json(&viewfold(["validate", "projections", "--format", "sarif"]).run().await.expect_status(0).stdout);
    assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
}

#[tokio::test]
async fn a_path_that_is_not_there_is_wrong_use() {
    let folder = Folder::empty();
    let output = viewfold(["validate"]).arg(folder.path().join("missing")).run().await.expect_status(2);
    assert!(output.stderr.contains("missing"), "{}", output.stderr);
}

#[tokio::test]
async fn warnings_are_code_0_and_under_strict_code_1() {
    let folder = Folder::with("amounts.yaml", &VALID.replace("last_event_id", "none"));
    let output = viewfold(["validate"]).arg(folder.path()).run().await.expect_status(0);
    assert!(output.stdout.contains("warning[VF0604]"), "{}", output.stdout);
    assert!(output.stdout.contains("`viewfold explain VF0604` says more"), "{}", output.stdout);
    viewfold(["validate", "--strict"]).arg(folder.path()).run().await.expect_status(1);
    viewfold(["validate", "--strict", "projections"]).run().await.expect_status(0);
    let allowed = VALID.replace("last_event_id", "none\nallow: [unguarded]");
    let output = viewfold(["validate"]).arg(Folder::with("amounts.yaml", &allowed).path()).run().await;
    assert_eq!(output.expect_status(0).stdout, "1 projection is valid\n");
}

#[tokio::test]
async fn each_code_has_a_page_wherever_the_binary_is() {
    let page = viewfold(["explain", "vf0604"]).run().await.expect_status(0).stdout;
    assert!(page.starts_with("# VF0604: ") && page.contains("\n## After\n"), "{page}");
    let all = viewfold(["explain"]).run().await.expect_status(0).stdout;
    assert!(all.lines().all(|line| line.starts_with("VF")) && all.contains("VF0604  `guard: none`"), "{all}");
    let output = viewfold(["explain", "VF0609"]).run().await.expect_status(2);
    assert!(output.stdout.is_empty() && output.stderr.contains("VF0604"), "{}", output.stderr);
}
