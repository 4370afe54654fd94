//! The command line as a user has it: the release `viewfold`, its arguments, exit codes and output.

use std::fs;

use harness::workspace;
use serde_json::Value;

mod backfill;
mod bench;
mod diff;
mod doctor;
mod examples;
mod explain;
mod graph;
mod guide;
mod help;
mod init;
mod language_page;
mod lifecycle;
mod package;
mod redrive;
mod run;
mod schema;
mod tables;
mod template;
mod test;
mod validate;
mod watch;

/// A file of the repository, as text.
fn file(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap_or_else(|error| panic!("cannot read {path}: {error}"))
}

/// Output that has to be one JSON value.
#[track_caller]
fn json(output: &str) -> Value {
    serde_json::from_str(output).unwrap_or_else(|error| panic!("not JSON: {error}\n{output}"))
}
