//! What a user meets first: help, version, completions, manual pages, and being told what was wrong with a command.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use harness::cli::viewfold;
use harness::scratch::Folder;
use harness::workspace;

const COMMANDS: [&str; 20] = [
    "init",
    "validate",
    "run",
    "test",
    "bench",
    "diff",
    "tables",
    "template",
    "dead-letters",
    "redrive",
    "backfill",
    "verify",
    "rebuild",
    "retire",
    "package",
    "doctor",
    "graph",
    "schema",
    "completions",
    "man",
];

#[tokio::test]
async fn help_names_the_commands() {
    for arguments in [&["--help"][..], &["help"], &["-h"]] {
        let output = viewfold(arguments).run().await.expect_status(0);
        for command in COMMANDS {
            assert!(output.stdout.contains(command), "{arguments:?} does not name {command}:\n{}", output.stdout);
        }
    }
}

#[tokio::test]
async fn every_command_has_help() {
    for command in COMMANDS {
        let output = viewfold([command, "--help"]).run().await.expect_status(0);
        assert!(output.stdout.contains("Usage: viewfold"), "{}", output.stdout);
    }
}

#[tokio::test]
async fn help_tells_the_sources_of_a_view() {
    for (command, sources) in
        [("backfill", &["--from ", "--from-stream"][..]), ("verify", &["--from ", "--from-stream"])]
    {
        let help = viewfold([command, "--help"]).run().await.expect_status(0).stdout;
        for source in sources {
            assert!(help.contains(source), "{command} does not tell {source}:\n{help}");
        }
    }
    let help = viewfold(["backfill", "--help"]).run().await.stdout;
    let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("stop the event source mapping, run the same command once more"), "{help}");
}

fn copy(from: &Path, folder: &Folder, name: &str) {
    for entry in fs::read_dir(from).expect("a folder can be read") {
        let path = entry.expect("an entry").path();
        let name = format!("{name}/{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            copy(&path, folder, &name);
        } else {
            folder.write(&name, &fs::read_to_string(&path).expect("a text"));
        }
    }
}

/// The examples of all help that need nothing but this repository, run as they stand: no AWS, no endpoint, no other
/// program, no function for another machine, no dead letters of somebody's, no end that a user has to bring about.
#[tokio::test]
async fn examples_of_help_do_what_they_say() {
    const NEEDS_MORE: [&str; 15] = [
        "--aws",
        "--arch",
        "--bootstrap",
        "--endpoint",
        "|",
        "<",
        "--watch",
        "monday",
        "dead-letters",
        "doctor",
        "redrive",
        "letters.jsonl",
        "archive.ndjson.gz",
        "~",
        "--schedules 1000",
    ];
    let mut examples: BTreeSet<String> = BTreeSet::new();
    for arguments in COMMANDS.map(|command| vec![command, "--help"]).into_iter().chain([vec!["--help"]]) {
        let help = viewfold(arguments).run().await.expect_status(0).stdout;
        let lines = help.lines().filter_map(|line| line.strip_prefix("  viewfold "));
        examples.extend(lines.filter(|line| !NEEDS_MORE.iter().any(|more| line.contains(more))).map(str::to_owned));
    }
    assert!(examples.len() > 15, "{examples:?}");
    let folder = Folder::empty();
    for name in ["projections", "examples"] {
        copy(&workspace().join(name), &folder, name);
    }
    // What `diff` compares with, and recorded events.
    copy(&workspace().join("projections"), &folder, "old/projections");
    let events = fs::read_to_string(workspace().join("examples/votes/events.json")).expect("a text");
    folder.write("events.json", &events);
    for example in examples {
        // What is behind `>` is the shell's.
        let command = example.split(" >").next().unwrap_or_default();
        let command = viewfold(command.split_whitespace().map(|word| word.trim_matches('\'')));
        // The plain runs are enough here.
        let quick = example.starts_with("test") && !example.contains("--schedules");
        let command = if quick { command.args(["--schedules", "0"]) } else { command };
        let output = command.within(folder.path()).run().await;
        assert_eq!(output.status, Some(0), "{example}:\n{}{}", output.stdout, output.stderr);
    }
}

#[tokio::test]
async fn completions_and_manual_pages_know_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = viewfold(["completions", shell]).run().await.expect_status(0).stdout;
        for command in COMMANDS {
            assert!(script.contains(command), "{shell} does not know {command}");
        }
    }
    // Bash is on every machine that builds this.
    let folder = Folder::with("viewfold.bash", &viewfold(["completions", "bash"]).run().await.stdout);
    let script = "source viewfold.bash; COMP_WORDS=(viewfold va); COMP_CWORD=1; _viewfold viewfold va viewfold; echo \"${COMPREPLY[@]}\"";
    let bash = std::process::Command::new("bash").args(["-c", script]).current_dir(folder.path()).output();
    let bash = bash.expect("bash can be run");
    assert_eq!((String::from_utf8_lossy(&bash.stdout).trim(), bash.stderr.as_slice()), ("validate", &b""[..]));

    viewfold(["man", "--out", "pages"]).within(folder.path()).run().await.expect_status(0);
    for command in COMMANDS {
        let page = folder.path().join(format!("pages/viewfold-{command}.1"));
        let page = fs::read_to_string(&page).unwrap_or_else(|error| panic!("no page of {command}: {error}"));
        assert!(page.contains(".SH NAME") && page.contains(".SH SYNOPSIS"), "{page}");
    }
    let page = viewfold(["man"]).run().await.expect_status(0).stdout;
    assert_eq!(page, fs::read_to_string(folder.path().join("pages/viewfold.1")).expect("the page of viewfold"));
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
