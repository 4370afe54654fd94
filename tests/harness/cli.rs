//! The command line, run as a user runs it: arguments, environment, standard input; exit code and what was printed.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use crate::store::Store;
use crate::{binaries, workspace};

/// No command in a test takes longer than this.
const LIMIT: Duration = Duration::from_secs(120);

/// A `viewfold` command that has not been run yet. It runs in the workspace's root, unless another folder is
/// said, with an environment that holds no
/// more than what it is given here: neither the developer's AWS settings nor a terminal's.
#[derive(Clone, Debug)]
pub struct Viewfold {
    folder: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    input: Vec<u8>,
}

/// How a command ended.
#[derive(Clone, Debug)]
pub struct Output {
    /// The exit code; `None` when a signal ended it.
    pub status: Option<i32>,
    /// Results.
    pub stdout: String,
    /// Everything else.
    pub stderr: String,
}

/// The command `viewfold` with these arguments.
pub fn viewfold<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Viewfold {
    let arguments = arguments.into_iter().map(|argument| argument.as_ref().to_owned()).collect();
    Viewfold { folder: workspace().to_owned(), arguments, environment: Vec::new(), input: Vec::new() }
}

impl Viewfold {
    /// Adds an argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Viewfold {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Runs it in another folder than the workspace's root.
    pub fn within(mut self, folder: &Path) -> Viewfold {
        folder.clone_into(&mut self.folder);
        self
    }

    /// Adds arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Viewfold {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets a variable of the command's environment.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Viewfold {
        self.environment.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// What the command reads from its standard input; nothing unless set.
    pub fn stdin(mut self, input: impl Into<Vec<u8>>) -> Viewfold {
        self.input = input.into();
        self
    }

    /// Points the command at a store: `--endpoint`, credentials and the prefix of its tables.
    pub fn at(self, store: &Store) -> Viewfold {
        let command = self.arg("--endpoint").arg(store.endpoint());
        store.environment().into_iter().fold(command, |command, (name, value)| command.env(name, value))
    }

    /// Runs the command to its end.
    pub async fn run(self) -> Output {
        let mut command = Command::new(binaries::viewfold());
        command.args(&self.arguments).current_dir(&self.folder).env_clear().envs(self.environment);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        let write = async move {
            // A command may well end without reading all of its input.
            let _ = stdin.write_all(&self.input).await;
        };
        let both = async { tokio::join!(write, child.wait_with_output()).1 };
        let output = timeout(LIMIT, both).await.unwrap_or_else(|_| panic!("{command:?} took more than {LIMIT:?}"));
        let output = output.unwrap_or_else(|error| panic!("cannot wait for {command:?}: {error}"));
        let text = |bytes: Vec<u8>, name: &str| {
            String::from_utf8(bytes).unwrap_or_else(|error| panic!("{name} of {command:?} is not UTF-8: {error}"))
        };
        Output {
            status: output.status.code(),
            stdout: text(output.stdout, "stdout"),
            stderr: text(output.stderr, "stderr"),
        }
    }
}

impl Output {
    /// The output itself, after making sure of the exit code.
    #[track_caller]
    pub fn expect_status(self, status: i32) -> Output {
        assert_eq!(self.status, Some(status), "exit code; stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

/// Makes the tables that projections need, the way a user does.
pub async fn make_tables(projections: &Path, store: &Store) {
    viewfold([OsStr::new("tables"), projections.as_os_str(), OsStr::new("--create")])
        .at(store)
        .run()
        .await
        .expect_status(0);
}
