//! Lambda's API for event source mappings, as far as it is read: `ListEventSourceMappings`.
//!
//! The answers have the form that the [API reference] gives. Whatever else is asked for is refused, and written down.
//!
//! [API reference]: https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A running API. It ends when this is dropped.
#[derive(Debug)]
pub struct LambdaApi {
    endpoint: String,
    asked: Arc<Mutex<Vec<String>>>,
    server: JoinHandle<()>,
}

#[derive(Clone, Debug)]
struct Account {
    /// What there is; nothing where nobody may look.
    mappings: Option<Arc<Vec<Value>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl LambdaApi {
    /// An account with these mappings, which are given out one to a page.
    pub async fn with(mappings: Vec<Value>) -> LambdaApi {
        LambdaApi::serve(Some(Arc::new(mappings))).await
    }

    /// An account whose mappings nobody may look at.
    pub async fn denied() -> LambdaApi {
        LambdaApi::serve(None).await
    }

    async fn serve(mappings: Option<Arc<Vec<Value>>>) -> LambdaApi {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of the loopback can be had");
        let address = listener.local_addr().expect("a bound socket has an address");
        let asked = Arc::default();
        let router = Router::new().fallback(answer).with_state(Account { mappings, asked: Arc::clone(&asked) });
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap_or_else(|error| panic!("the Lambda API ended: {error}"));
        });
        LambdaApi { endpoint: format!("http://{address}"), asked, server }
    }

    /// Where it listens.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Method and path of everything that was asked for.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for LambdaApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(account): State<Account>, request: Request) -> Response {
    let (method, path) = (request.method().as_str(), request.uri().path());
    account
        .asked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(format!("{method} {}", path.trim_end_matches('/')));
    if (method, path.trim_end_matches('/')) != ("GET", "/2015-03-31/event-source-mappings") {
        return error(StatusCode::NOT_FOUND, "ResourceNotFoundException", "no such operation");
    }
    let Some(mappings) = account.mappings else {
        let message = "User is not authorized to perform: lambda:ListEventSourceMappings";
        return error(StatusCode::FORBIDDEN, "AccessDeniedException", message);
    };
    let query = request.uri().query().unwrap_or_default();
    let marker = query.split('&').find_map(|part| part.strip_prefix("Marker="));
    let page: usize = marker.and_then(|marker| marker.parse().ok()).unwrap_or(0);
    let next = (page + 1 < mappings.len()).then(|| (page + 1).to_string());
    let on_page: Vec<&Value> = mappings.get(page).into_iter().collect();
    json_answer(StatusCode::OK, &json!({ "EventSourceMappings": on_page, "NextMarker": next }))
}

fn error(status: StatusCode, code: &'static str, message: &str) -> Response {
    let mut answer = json_answer(status, &json!({ "Message": message }));
    answer.headers_mut().insert("x-amzn-errortype", header::HeaderValue::from_static(code));
    answer
}

fn json_answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
