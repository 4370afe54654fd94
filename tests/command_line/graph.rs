//! `viewfold graph`: diagrams of deployments.

use harness::cli::viewfold;

use crate::file;

#[tokio::test]
async fn the_examples_show_their_graphs() {
    for system in ["votes", "winner-view"] {
        let projections = format!("projections/{system}");
        let output = viewfold(["graph", &projections, "--format", "markdown"]).run().await.expect_status(0);
        assert!(output.stdout.starts_with("```mermaid\nflowchart LR\n"), "{}", output.stdout);
        assert!(file(&format!("examples/{system}/README.md")).contains(&output.stdout), "{system}:\n{}", output.stdout);
    }
}

#[tokio::test]
async fn other_forms_say_the_same() {
    let graph = |arguments: &[&str]| viewfold([&["graph", "projections/winner-view"], arguments].concat()).run();
    let mermaid = graph(&[]).await.expect_status(0).stdout;
    let markdown = graph(&["--format", "markdown"]).await.expect_status(0).stdout;
    assert_eq!(markdown, format!("```mermaid\n{mermaid}```\n"));
    let dot = graph(&["--format", "dot", "--bookkeeping"]).await.expect_status(0).stdout;
    assert!(dot.contains("table_viewfold_marks") && !mermaid.contains("viewfold_marks"), "{dot}");
}

#[tokio::test]
async fn several_deployments_are_not_taken_for_one() {
    for command in [&["graph", "projections"][..], &["run", "projections", "--events", "examples/votes/events.json"]] {
        let output = viewfold(command).run().await.expect_status(2);
        assert!(output.stderr.contains("choose one of `projections/map-rollup`"), "{}", output.stderr);
        assert!(!output.stderr.contains("VF0"), "{}", output.stderr);
    }
}
