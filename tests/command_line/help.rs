//! What a user meets first: help, version, and being told what was wrong with a command.

use harness::cli::viewfold;

#[tokio::test]
async fn help_names_the_commands() {
    for arguments in [&["--help"][..], &["help"], &["-h"]] {
        let output = viewfold(arguments).run().await.expect_status(0);
        for command in ["validate", "run", "test", "tables", "schema"] {
            assert!(output.stdout.contains(command), "{arguments:?} does not name {command}:\n{}", output.stdout);
        }
    }
}

#[tokio::test]
async fn every_command_has_help() {
    for command in ["validate", "run", "test", "tables", "schema"] {
        let output = viewfold([command, "--help"]).run().await.expect_status(0);
        assert!(output.stdout.contains("Usage: viewfold"), "{}", output.stdout);
    }
}

#[tokio::test]
async fn version_is_that_of_the_crate() {
    let output = viewfold(["--version"]).run().await.expect_status(0);
    assert_eq!(output.stdout.trim(), concat!("viewfold ", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn wrong_use_is_code_2_and_speaks_on_stderr() {
    for arguments in [&["validat"][..], &["validate", "--colour-me"], &["run", "projections/votes"], &["run"], &[]] {
        let output = viewfold(arguments).run().await.expect_status(2);
        assert_eq!(output.stdout, "", "{arguments:?}");
        assert_ne!(output.stderr, "", "{arguments:?}");
    }
}
