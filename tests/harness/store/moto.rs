//! moto, a DynamoDB in Python by other people, in a process of its own. `README.md` says how to install it.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::{optional, workspace};

/// Names a Python that has moto.
const PYTHON: &str = "VIEWFOLD_TEST_MOTO_PYTHON";

/// The Python that has moto if [`PYTHON`] does not name one, seen from the workspace.
const DEFAULT_PYTHON: &str = "target/moto/bin/python";

/// Loading moto is slow where it has not been compiled before.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running server. Its process ends when this is dropped.
#[derive(Debug)]
pub(super) struct Server {
    port: u16,
    _process: Child,
}

impl Server {
    /// Starts an empty moto, or says why it cannot.
    pub(super) async fn start() -> Option<Server> {
        optional::unless_missing("moto", Server::try_start().await)
    }

    async fn try_start() -> Result<Server, String> {
        let python = std::env::var_os(PYTHON).map_or_else(|| workspace().join(DEFAULT_PYTHON), PathBuf::from);
        let mut command = Command::new(&python);
        command.arg(workspace().join("tests/harness/store/moto_server.py"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().map_err(|error| format!("cannot run {}: {error}", python.display()))?;

        let mut stdout = BufReader::new(process.stdout.take().expect("stdout is a pipe"));
        let mut stderr = process.stderr.take().expect("stderr is a pipe");
        let mut port = String::new();
        let read = timeout(START_LIMIT, stdout.read_line(&mut port)).await;
        if read.is_err() {
            return Err(format!("moto did not start within {START_LIMIT:?}"));
        }
        match port.trim().parse() {
            Ok(port) => {
                // A pipe that nobody reads would stop the server when it is full.
                tokio::spawn(async move { tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await });
                Ok(Server { port, _process: process })
            }
            Err(_) => {
                let mut complaint = String::new();
                let _ = timeout(START_LIMIT, stderr.read_to_string(&mut complaint)).await;
                let last = complaint.lines().last().unwrap_or("it said nothing");
                Err(format!("{} does not serve moto: {last}", python.display()))
            }
        }
    }

    /// Where it listens.
    pub(super) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
