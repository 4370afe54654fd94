//! The Lambda function: the release `bootstrap` in a process of its own, fed by a [`RuntimeApi`].

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::binaries;
use crate::runtime_api::{FUNCTION_NAME, FunctionError, RuntimeApi};
use crate::store::Store;

/// What an invocation may take unless a test says otherwise.
const INVOCATION_LIMIT: Duration = Duration::from_secs(30);

/// What a start that is to fail may take to do so.
const START_LIMIT: Duration = Duration::from_secs(10);

/// A function that has not been started yet: its environment.
#[derive(Clone, Debug)]
pub struct Deployment {
    environment: BTreeMap<OsString, OsString>,
    /// The executable and what it runs under; `bootstrap` alone where there is none.
    command: Vec<OsString>,
}

/// A running function. Its process is killed when this is dropped.
#[derive(Debug)]
pub struct Function {
    api: RuntimeApi,
    output: Arc<Mutex<String>>,
    exit: watch::Receiver<Option<ExitStatus>>,
    kill: Arc<Notify>,
    process: JoinHandle<()>,
    process_id: Option<u32>,
    spawned: Instant,
}

/// How a function that could not start ended.
#[derive(Clone, Debug)]
pub struct FailedStart {
    /// The status of its process.
    pub status: ExitStatus,
    /// What it wrote to stdout and stderr.
    pub output: String,
    /// What it reported to Lambda, if it did.
    pub init_error: Option<FunctionError>,
}

impl Deployment {
    /// The function with the projections of a folder, writing to a store.
    pub fn new(projections: &Path, store: &Store) -> Deployment {
        let deployment = Deployment { environment: BTreeMap::new(), command: Vec::new() }
            .set("AWS_LAMBDA_FUNCTION_NAME", FUNCTION_NAME)
            .set("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .set("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .set("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/viewfold")
            .set("AWS_LAMBDA_LOG_STREAM_NAME", "2024/05/01/[$LATEST]0123456789abcdef0123456789abcdef")
            .set("AWS_ENDPOINT_URL_DYNAMODB", store.endpoint())
            .set("VIEWFOLD_PROJECTIONS", projections);
        store.environment().into_iter().fold(deployment, |deployment, (name, value)| deployment.set(name, value))
    }

    /// Sets a variable of the function's environment, in place of one that is set already.
    pub fn set(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Deployment {
        self.environment.insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    /// Runs something else than `bootstrap`: another program, or `bootstrap` under one that watches it.
    pub fn run<A: Into<OsString>>(mut self, command: impl IntoIterator<Item = A>) -> Deployment {
        self.command = command.into_iter().map(Into::into).collect();
        self
    }

    /// Starts the function. Whether it gets as far as asking for events shows in the first invocation.
    pub async fn start(self) -> Function {
        self.start_binary(binaries::bootstrap()).await
    }

    /// Starts the function out of another file than the one that was built.
    pub async fn start_binary(self, binary: &Path) -> Function {
        let api = RuntimeApi::start().await;
        let mut command = match self.command.split_first() {
            None => Command::new(binary),
            Some((program, arguments)) => {
                let mut command = Command::new(program);
                command.args(arguments);
                command
            }
        };
        command.env_clear().envs(self.environment).env("AWS_LAMBDA_RUNTIME_API", api.address());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let spawned = Instant::now();
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));

        let process_id = child.id();
        let output = Arc::new(Mutex::new(String::new()));
        let stdout = child.stdout.take().expect("stdout is a pipe");
        let stderr = child.stderr.take().expect("stderr is a pipe");
        let readers = [tokio::spawn(collect(stdout, output.clone())), tokio::spawn(collect(stderr, output.clone()))];
        let (exited, exit) = watch::channel(None);
        let kill = Arc::new(Notify::new());
        let process = tokio::spawn(supervise(child, readers, Arc::clone(&kill), exited));
        Function { api, output, exit, kill, process, process_id, spawned }
    }

    /// Starts the function, which is to give up before it asks for an event.
    pub async fn start_expecting_failure(self) -> FailedStart {
        let mut function = self.start().await;
        let exited = timeout(START_LIMIT, function.exit.wait_for(Option::is_some)).await.map(|exit| exit.is_ok());
        assert_eq!(exited, Ok(true), "the function runs, and was not to:\n{}", function.output());
        let status = function.exit.borrow().expect("the process was waited for");
        FailedStart { status, output: function.output(), init_error: function.api.reported_init_error() }
    }
}

impl Function {
    /// Invokes the function with an event, JSON or the text of it.
    pub async fn invoke(&self, event: &(impl Display + ?Sized)) -> Result<Value, FunctionError> {
        self.invoke_within(event, INVOCATION_LIMIT).await
    }

    /// Invokes the function with an event and a time limit, which the function is told.
    pub async fn invoke_within(
        &self,
        event: &(impl Display + ?Sized),
        limit: Duration,
    ) -> Result<Value, FunctionError> {
        let mut exit = self.exit.clone();
        tokio::select! {
            biased;
            answer = self.api.invoke(event, limit) => answer,
            exit = exit.wait_for(Option::is_some) => {
                let status = exit.ok().and_then(|status| *status);
                let status = status.map_or_else(|| "in an unknown way".to_owned(), |status| status.to_string());
                Err(FunctionError {
                    error_type: "Runtime.ExitError".to_owned(),
                    message: format!("the process ended: {status}; it wrote:\n{}", self.output()),
                })
            }
        }
    }

    /// Waits until the function has started and asks for its first event. False when it has ended, or has not within
    /// the limit.
    pub async fn is_ready_within(&self, limit: Duration) -> bool {
        let mut exit = self.exit.clone();
        tokio::select! {
            ready = self.api.is_ready_within(limit) => ready,
            _ = exit.wait_for(Option::is_some) => false,
        }
    }

    /// Ends the process at once (`kill -9`) and waits until it is gone.
    pub async fn kill(&self) {
        self.kill.notify_one();
        let gone = self.exit.clone().wait_for(Option::is_some).await.is_ok();
        assert!(gone, "the process was waited for");
    }

    /// The number of the process; none where it has ended at once.
    pub fn process_id(&self) -> Option<u32> {
        self.process_id
    }

    /// When the process was made.
    pub fn spawned(&self) -> Instant {
        self.spawned
    }

    /// Asks the process to end (`kill -TERM`) and waits until it is gone.
    pub async fn terminate(&self) {
        let id = self.process_id.expect("the process has a number").to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(asked.is_ok_and(|status| status.success()), "the process can be sent a signal");
        let gone = self.exit.clone().wait_for(Option::is_some).await.is_ok();
        assert!(gone, "the process was waited for");
    }

    /// What the process has written to stdout and stderr so far.
    pub fn output(&self) -> String {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // The process goes with the task that holds it.
        self.process.abort();
    }
}

/// Waits for a process's end, or brings it about, and for the last of its output.
async fn supervise(
    mut child: Child,
    readers: [JoinHandle<()>; 2],
    kill: Arc<Notify>,
    exited: watch::Sender<Option<ExitStatus>>,
) {
    let status = tokio::select! {
        status = child.wait() => status,
        () = kill.notified() => {
            // An error here means that it has ended by itself.
            let _ = child.start_kill();
            child.wait().await
        }
    };
    let status = status.unwrap_or_else(|error| panic!("cannot wait for the function's process: {error}"));
    for reader in readers {
        reader.await.unwrap_or_else(|error| panic!("reading the function's output failed: {error}"));
    }
    exited.send_replace(Some(status));
}

async fn collect(pipe: impl AsyncRead + Unpin, output: Arc<Mutex<String>>) {
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    while pipe.read_until(b'\n', &mut line).await.is_ok_and(|length| length > 0) {
        output.lock().unwrap_or_else(PoisonError::into_inner).push_str(&String::from_utf8_lossy(&line));
        line.clear();
    }
}
