//! `--watch` of `viewfold test` and `viewfold run`: again whenever a file changes.

use std::process::Stdio;
use std::time::Duration;

use harness::cli::viewfold;
use harness::scratch::Folder;
use harness::{binaries, workspace};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

const PROJECTION: &str = r"projection: counts
source: { kinesis: { stream: things, lane: $.id } }
document: { table: Counts, partition_key: id }
guard: last_event_id
key: { id: $.id }
rules: [{ add: { n: 1 } }]
";

const TEST: &str = r"projections: [counts.yaml]
cases:
  - name: one
    events: [{ payload: { id: a } }]
    documents: { Counts: [{ id: a, n: 1 }] }
";

/// A command that goes on until it is dropped.
struct Watching {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watching {
    fn start(arguments: &[&str], folder: &Folder) -> Watching {
        let mut command = Command::new(binaries::viewfold());
        command.args(arguments).current_dir(workspace()).env_clear().arg(folder.path());
        command.stdout(Stdio::piped()).stderr(Stdio::null()).stdin(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().expect("the command can be run");
        let stdout = child.stdout.take().expect("stdout is a pipe");
        Watching { _child: child, lines: BufReader::new(stdout).lines() }
    }

    /// Waits for a line of the output.
    async fn expect(&mut self, expected: &str) {
        let found = async {
            while let Some(line) = self.lines.next_line().await.expect("output can be read") {
                if line == expected {
                    return;
                }
            }
            panic!("the command ended without `{expected}`");
        };
        timeout(Duration::from_secs(60), found).await.unwrap_or_else(|_| panic!("no `{expected}` came"));
    }
}

#[tokio::test]
async fn tests_run_again_when_a_file_changes() {
    let folder = Folder::with("counts.yaml", PROJECTION);
    folder.write("counts.test.yaml", TEST);
    let mut watching = Watching::start(&["test", "--watch", "--schedules", "0"], &folder);
    watching.expect("1 case, 0 failed").await;
    folder.write("counts.yaml", &PROJECTION.replace("n: 1", "n: 20"));
    watching.expect("1 case, 1 failed").await;
    // What cannot be read does not end it.
    folder.write("counts.yaml", "projection: [");
    watching.expect("0 cases, 0 failed, 1 file could not be run").await;
    folder.write("counts.yaml", PROJECTION);
    watching.expect("1 case, 0 failed").await;
}

#[tokio::test]
async fn events_run_again_in_an_empty_store_when_a_file_changes() {
    let folder = Folder::with("counts.yaml", PROJECTION);
    let event = |sequence: u8| {
        format!(
            r#"{{"Records":[{{"eventID":"s:{sequence}","eventSource":"aws:kinesis","eventSourceARN":"arn:aws:kinesis:us-east-1:1:stream/things","kinesis":{{"partitionKey":"a","sequenceNumber":"{sequence}","data":"eyJpZCI6ImEifQ=="}}}}]}}"#
        )
    };
    let events = folder.write("events/one.jsonl", &event(1));
    let events = events.to_str().expect("a path that is text");
    let mut watching = Watching::start(&["run", "--watch", "--events", events], &folder);
    watching.expect("  counts  1 matched: 1 applied, 0 repeated, 0 rejected").await;
    folder.write("events/one.jsonl", &format!("{}\n{}", event(1), event(2)));
    watching.expect("  counts  2 matched: 2 applied, 0 repeated, 0 rejected").await;
}

#[tokio::test]
async fn a_store_that_keeps_its_data_is_not_watched() {
    let run = ["run", "projections/votes", "--events", "examples/votes/events.json", "--watch"];
    for store in [&["--db", "votes.db"][..], &["--aws"], &["--endpoint", "http://127.0.0.1:9"]] {
        let output = viewfold([&run[..], store].concat()).run().await.expect_status(2);
        assert!(output.stderr.contains("--watch"), "{}", output.stderr);
    }
    viewfold(["test", "nowhere", "--watch"]).run().await.expect_status(2);
}
