//! The language server protocol, as far as tests need it: JSON-RPC over a process's standard input and output.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// No answer takes longer than this, on the slowest machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A server's process, and what it has said.
#[derive(Debug)]
pub(super) struct Connection {
    _process: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    settings: Value,
    configured: bool,
    published: HashMap<String, Vec<Value>>,
    requests: u64,
}

impl Connection {
    /// Starts a server. `settings` is what it is told when it asks for the section `yaml`.
    pub(super) fn open(server: &Path, settings: Value) -> Result<Connection, String> {
        let mut command = Command::new(server);
        command.arg("--stdio").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().map_err(|error| format!("cannot run {}: {error}", server.display()))?;
        let input = process.stdin.take().expect("standard input is a pipe");
        let mut output = BufReader::new(process.stdout.take().expect("standard output is a pipe"));
        let (sender, messages) = channel();
        thread::spawn(move || {
            while let Some(message) = message(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let published = HashMap::new();
        Ok(Connection { _process: process, input, messages, settings, configured: false, published, requests: 0 })
    }

    /// Asks, and waits for the answer.
    pub(super) fn request(&mut self, method: &str, parameters: Value) -> Result<Value, String> {
        self.requests += 1;
        let id = self.requests;
        self.send(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters }))?;
        loop {
            let message = self.next()?;
            if message.get("method").is_none() && message["id"] == id {
                return match message.get("error") {
                    Some(error) => Err(format!("{method}: {error}")),
                    None => Ok(message["result"].clone()),
                };
            }
        }
    }

    /// Tells, and waits for nothing.
    pub(super) fn notify(&mut self, method: &str, parameters: Value) -> Result<(), String> {
        self.send(json!({ "jsonrpc": "2.0", "method": method, "params": parameters }))
    }

    /// Waits until the server has asked for its settings.
    pub(super) fn wait_until_configured(&mut self) -> Result<(), String> {
        while !self.configured {
            self.next()?;
        }
        Ok(())
    }

    /// What the server has published about a file, once.
    pub(super) fn diagnostics(&mut self, uri: &str) -> Result<Vec<Value>, String> {
        loop {
            if let Some(found) = self.published.remove(uri) {
                return Ok(found);
            }
            self.next()?;
        }
    }

    /// The next message. Questions of the server's own are answered on the way.
    fn next(&mut self) -> Result<Value, String> {
        let message = self.messages.recv_timeout(LIMIT).map_err(|error| format!("the server says nothing: {error}"))?;
        let method = message["method"].as_str().unwrap_or_default();
        if method == "textDocument/publishDiagnostics" {
            let uri = message["params"]["uri"].as_str().unwrap_or_default().to_owned();
            let found = message["params"]["diagnostics"].as_array().cloned().unwrap_or_default();
            self.published.insert(uri, found);
        } else if !method.is_empty() && message.get("id").is_some() {
            let result = match method {
                "workspace/configuration" => {
                    self.configured = true;
                    let sections = message["params"]["items"].as_array().cloned().unwrap_or_default();
                    sections
                        .iter()
                        .map(|item| if item["section"] == "yaml" { self.settings.clone() } else { Value::Null })
                        .collect()
                }
                _ => Value::Null,
            };
            self.send(json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }))?;
        }
        Ok(message)
    }

    fn send(&mut self, message: Value) -> Result<(), String> {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len())
            .and_then(|()| self.input.flush())
            .map_err(|error| format!("the server does not listen: {error}"))
    }
}

/// The next message of a stream; none at its end.
fn message(stream: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_by_their_length() {
        let mut stream: &[u8] =
            b"Content-Length: 9\r\n\r\n{\"id\": 1}content-length: 2\r\nX: y\r\n\r\n{}Content-Length: 5\r\n\r\n{";
        assert_eq!(message(&mut stream), Some(json!({ "id": 1 })));
        assert_eq!(message(&mut stream), Some(json!({})));
        assert_eq!(message(&mut stream), None);
    }
}
