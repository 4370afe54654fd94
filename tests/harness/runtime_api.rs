//! Lambda's runtime API: the HTTP server from which a function gets its events and to which it gives its answers.
//!
//! One [`RuntimeApi`] serves one process. Errors carry the names that Lambda itself would give them.

use std::collections::HashMap;
use std::fmt::{self, Display};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::aws::{ACCOUNT, REGION};

/// The name under which a function runs here.
pub const FUNCTION_NAME: &str = "viewfold";

/// What is wrong with an invocation, as Lambda tells its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    /// `errorType`: the function's own, or `Sandbox.Timedout`, `Runtime.ExitError`, `Runtime.InvalidResponse`.
    pub error_type: String,
    /// `errorMessage`.
    pub message: String,
}

impl Display for FunctionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.error_type, self.message)
    }
}

impl std::error::Error for FunctionError {}

/// A running server of the API.
#[derive(Debug)]
pub struct RuntimeApi {
    address: SocketAddr,
    shared: Arc<Shared>,
    invocations: mpsc::UnboundedSender<Invocation>,
    server: JoinHandle<()>,
}

/// What requests and the test's side both look at.
#[derive(Debug)]
struct Shared {
    /// Where `next` takes from; a lock that may be held while waiting.
    next: AsyncMutex<mpsc::UnboundedReceiver<Invocation>>,
    /// Who waits for the answer to which request.
    answers: Mutex<HashMap<String, oneshot::Sender<Result<String, FunctionError>>>>,
    /// How far the process has come.
    start: watch::Sender<Start>,
    requests: AtomicU64,
}

/// How far a process has come in starting.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Start {
    /// It has not been heard of.
    Silent,
    /// It has asked for its first event.
    Ready,
    /// It has reported that it cannot start.
    Failed(FunctionError),
}

#[derive(Debug)]
struct Invocation {
    request_id: String,
    payload: String,
    deadline: SystemTime,
}

impl RuntimeApi {
    /// Starts a server on a free port of the loopback.
    pub async fn start() -> RuntimeApi {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of the loopback can be had");
        let address = listener.local_addr().expect("a bound socket has an address");
        // With Nagle's algorithm every call would wait 40 ms for an acknowledgement.
        let listener = listener.tap_io(|connection| connection.set_nodelay(true).expect("TCP_NODELAY can be set"));

        let (invocations, receiver) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            next: AsyncMutex::new(receiver),
            answers: Mutex::default(),
            start: watch::Sender::new(Start::Silent),
            requests: AtomicU64::new(0),
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{request_id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{request_id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .layer(axum::extract::DefaultBodyLimit::max(6 << 20))
            .with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                panic!("the runtime API ended: {error}");
            }
        });
        RuntimeApi { address, shared, invocations, server }
    }

    /// Host and port, as `AWS_LAMBDA_RUNTIME_API` wants them.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Hands the function an event and waits for its answer, at most until the deadline that the function is told.
    ///
    /// The event is JSON or the text of it.
    pub async fn invoke(&self, event: &(impl Display + ?Sized), limit: Duration) -> Result<Value, FunctionError> {
        let number = self.shared.requests.fetch_add(1, Ordering::Relaxed);
        let request_id = format!("8476a536-e9f4-11e8-9739-{number:012x}");
        let (sender, answer) = oneshot::channel();
        lock(&self.shared.answers).insert(request_id.clone(), sender);
        let deadline = SystemTime::now() + limit;
        let invocation = Invocation { request_id: request_id.clone(), payload: event.to_string(), deadline };
        self.invocations.send(invocation).expect("the server holds the other end");

        let outcome = tokio::select! {
            biased;
            answer = answer => answer.expect("an answer's sender is dropped only after use"),
            error = self.init_error() => Err(error),
            () = tokio::time::sleep(limit) => Err(FunctionError {
                error_type: "Sandbox.Timedout".to_owned(),
                message: format!("task timed out after {limit:?}"),
            }),
        };
        lock(&self.shared.answers).remove(&request_id);
        outcome.and_then(|text| {
            serde_json::from_str(&text).map_err(|error| FunctionError {
                error_type: "Runtime.InvalidResponse".to_owned(),
                message: format!("the answer is not JSON: {error}: {text}"),
            })
        })
    }

    /// Waits until the function asks for its first event. False when it has not within the limit, or has failed to
    /// start.
    pub async fn is_ready_within(&self, limit: Duration) -> bool {
        let mut start = self.shared.start.subscribe();
        match timeout(limit, start.wait_for(|start| *start != Start::Silent)).await {
            Ok(Ok(start)) => *start == Start::Ready,
            Ok(Err(_)) | Err(_) => false,
        }
    }

    /// Waits until the function reports that it cannot start; for ever if it never does.
    pub async fn init_error(&self) -> FunctionError {
        let mut start = self.shared.start.subscribe();
        let failed = start.wait_for(|start| matches!(start, Start::Failed(_))).await;
        match failed.as_deref() {
            Ok(Start::Failed(error)) => error.clone(),
            _ => unreachable!("the sender lives as long as the API, and only a failure was waited for"),
        }
    }

    /// What the function has reported about its failed start, if it has.
    pub fn reported_init_error(&self) -> Option<FunctionError> {
        match &*self.shared.start.borrow() {
            Start::Failed(error) => Some(error.clone()),
            Start::Silent | Start::Ready => None,
        }
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A lock that stays usable when a test has panicked with it.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    shared.start.send_if_modified(|start| {
        let first = *start == Start::Silent;
        if first {
            *start = Start::Ready;
        }
        first
    });
    let Some(invocation) = shared.next.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let deadline = invocation.deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let arn = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{FUNCTION_NAME}");
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", invocation.request_id),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", arn),
        ("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0".to_owned()),
    ];
    (headers, invocation.payload).into_response()
}

async fn response(State(shared): State<Arc<Shared>>, Path(request_id): Path<String>, body: String) -> Response {
    settle(&shared, &request_id, Ok(body))
}

async fn error(
    State(shared): State<Arc<Shared>>,
    Path(request_id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    settle(&shared, &request_id, Err(reported(&headers, &body)))
}

async fn init_error(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    shared.start.send_replace(Start::Failed(reported(&headers, &body)));
    accepted()
}

/// Gives an answer to whoever waits for it. One that comes too late is taken and forgotten.
fn settle(shared: &Shared, request_id: &str, answer: Result<String, FunctionError>) -> Response {
    if let Some(waiting) = lock(&shared.answers).remove(request_id) {
        // The one who waited may have given up in this moment.
        let _ = waiting.send(answer);
    }
    accepted()
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, r#"{"status":"OK"}"#).into_response()
}

/// The error in a report's body, or what can be told without a readable one.
fn reported(headers: &HeaderMap, body: &[u8]) -> FunctionError {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let header = headers.get("lambda-runtime-function-error-type").and_then(|value| value.to_str().ok());
    let error_type = json["errorType"].as_str().or(header).unwrap_or("Unhandled").to_owned();
    let message = json["errorMessage"].as_str().map(str::to_owned);
    FunctionError { error_type, message: message.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// The smallest HTTP client: one request, one connection; headers in lower case, and the body.
    async fn request(api: &RuntimeApi, method: &str, path: &str, body: &str) -> (String, String) {
        let mut connection = TcpStream::connect(api.address()).await.expect("the API listens");
        let length = body.len();
        let head = format!("{method} /2018-06-01/runtime/{path} HTTP/1.1\r\nhost: {}\r\n", api.address());
        let request = format!("{head}connection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        connection.write_all(request.as_bytes()).await.expect("the request can be sent");
        let mut response = String::new();
        connection.read_to_string(&mut response).await.expect("the response can be read");
        let (head, body) = response.split_once("\r\n\r\n").expect("head and body");
        (head.to_lowercase(), body.to_owned())
    }

    /// A function that takes one event and gives this answer.
    async fn function(api: &RuntimeApi, kind: &str, answer: &str) -> (String, String) {
        let (head, event) = request(api, "GET", "invocation/next", "").await;
        let id = head.lines().find_map(|line| line.strip_prefix("lambda-runtime-aws-request-id: "));
        let path = format!("invocation/{}/{kind}", id.expect("the event has a request id"));
        let (status, _) = request(api, "POST", &path, answer).await;
        assert!(status.starts_with("http/1.1 202"), "{status}");
        (head, event)
    }

    #[tokio::test]
    async fn events_go_out_and_answers_come_back() {
        let api = RuntimeApi::start().await;
        let event = json!({"Records": []});
        let (answer, (head, received)) =
            tokio::join!(api.invoke(&event, SECOND), function(&api, "response", r#"{"batchItemFailures":[]}"#));
        assert_eq!(answer, Ok(json!({"batchItemFailures": []})));
        assert_eq!(received, event.to_string());
        assert!(head.contains("lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:123456789012:function:"));
        let deadline = head.lines().find_map(|line| line.strip_prefix("lambda-runtime-deadline-ms: "));
        let deadline: u128 = deadline.expect("a deadline").parse().expect("milliseconds");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
        assert!(now < deadline + 1000 && deadline <= now + 1000, "{deadline} is a second from {now}");
        assert!(api.is_ready_within(Duration::ZERO).await);
    }

    #[tokio::test]
    async fn errors_are_errors() {
        let api = RuntimeApi::start().await;
        let report = r#"{"errorType":"Unwired","errorMessage":"no projection reads carts","stackTrace":[]}"#;
        let (answer, _) = tokio::join!(api.invoke("{}", SECOND), function(&api, "error", report));
        let error = answer.expect_err("the function reported an error");
        assert_eq!(error.to_string(), "Unwired: no projection reads carts");

        let (answer, _) = tokio::join!(api.invoke("{}", SECOND), function(&api, "response", "{oops"));
        assert_eq!(answer.expect_err("the answer is no JSON").error_type, "Runtime.InvalidResponse");
    }

    #[tokio::test]
    async fn a_failed_start_ends_the_wait() {
        let api = RuntimeApi::start().await;
        assert_eq!(api.reported_init_error(), None);
        let report = r#"{"errorType":"Invalid","errorMessage":"votes.yaml:1:1: no projection"}"#;
        let (answer, _) = tokio::join!(api.invoke("{}", SECOND), request(&api, "POST", "init/error", report));
        assert_eq!(answer.expect_err("no start").message, "votes.yaml:1:1: no projection");
        assert!(!api.is_ready_within(Duration::ZERO).await);
        assert!(api.reported_init_error().is_some());
    }

    #[tokio::test]
    async fn silence_is_a_timeout() {
        let api = RuntimeApi::start().await;
        let error = api.invoke("{}", Duration::from_millis(20)).await.expect_err("nobody answers");
        assert_eq!(error.error_type, "Sandbox.Timedout");
        assert!(!api.is_ready_within(Duration::from_millis(20)).await);
    }
}
