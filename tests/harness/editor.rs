//! An editor: yaml-language-server, which VS Code, Neovim, Helix and others run, in a process of its own, and what it says
//! about a file. `README.md` says how to install it.

mod protocol;
mod snippet;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::{Value, json};

use crate::{optional, workspace};
use protocol::Connection;
pub use snippet::expanded;

/// Names a `yaml-language-server` to run.
const SERVER: &str = "VIEWFOLD_TEST_YAML_LANGUAGE_SERVER";

/// The server if [`SERVER`] does not name one, seen from the workspace.
const DEFAULT_SERVER: &str = "target/editor/node_modules/.bin/yaml-language-server";

/// Which schema is for which files, as the README's settings say it.
fn settings() -> Value {
    json!({
        "validate": true,
        "hover": true,
        "completion": true,
        // Nothing is fetched.
        "schemaStore": { "enable": false },
        "kubernetesCRDStore": { "enable": false },
        "schemas": {
            "./schemas/projection.schema.json": ["projections/**/*.yaml", "!projections/**/*.test.yaml"],
            "./schemas/test.schema.json": "*.test.yaml",
        },
    })
}

/// A running server. There is one for all tests of a process, and it ends with them.
#[derive(Debug)]
pub struct Editor {
    connection: Connection,
}

/// What the server says of a place.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Finding {
    /// The line, from 1.
    pub line: usize,
    /// The words.
    pub message: String,
    /// Who says so: the title of the schema, for one.
    pub source: String,
}

/// Something to put in.
#[derive(Clone, Debug)]
pub struct Offer {
    /// What a list of offers shows.
    pub label: String,
    /// What is put in: text with places to fill in; see [`expanded`].
    pub text: String,
    /// What is told about it, as Markdown.
    pub documentation: String,
}

/// A file as an editor opens it.
#[derive(Clone, Debug)]
pub struct File {
    path: PathBuf,
    text: String,
    lines_before: usize,
}

impl File {
    /// A file of the workspace; it need not be there. What says which schema it has is in its text, or in the settings.
    pub fn at(path: &str, text: impl Into<String>) -> File {
        File { path: workspace().join(path), text: text.into(), lines_before: 0 }
    }

    /// A file whose first line says that it has the schema of projections, or of tests.
    pub fn of(kind: &str, name: &str, text: &str) -> File {
        // A name of its own: what the server publishes late about one file must not be taken for another one's.
        static NUMBER: AtomicUsize = AtomicUsize::new(1);
        let name = format!("{}-{name}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let text = format!("# yaml-language-server: $schema=../../schemas/{kind}.schema.json\n{text}");
        File { path: workspace().join("tests/editor").join(name), text, lines_before: 1 }
    }

    /// The text without the cursor, `|`, and where that was.
    fn with_cursor(mut self) -> (File, Value) {
        let at = self.text.find('|').expect("a `|` for the cursor");
        self.text.remove(at);
        let line_start = self.text[..at].rfind('\n').map_or(0, |at| at + 1);
        let position = json!({
            "line": self.text[..at].matches('\n').count(),
            "character": self.text[line_start..at].encode_utf16().count(),
        });
        (self, position)
    }
}

impl Editor {
    /// The editor, for one test at a time. None when the server is not installed, after saying so.
    pub fn get() -> Option<MutexGuard<'static, Editor>> {
        static EDITOR: OnceLock<Result<Mutex<Editor>, String>> = OnceLock::new();
        let editor = EDITOR.get_or_init(|| Editor::start().map(Mutex::new)).as_ref().map_err(Clone::clone);
        // A test that failed has left no half message behind: every request is read to its end.
        optional::unless_missing("yaml-language-server", editor)
            .map(|editor| editor.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn start() -> Result<Editor, String> {
        let server = std::env::var_os(SERVER).map_or_else(|| workspace().join(DEFAULT_SERVER), PathBuf::from);
        let mut connection = Connection::open(&server, settings())?;
        let root = uri(workspace().as_os_str().to_str().unwrap_or_default());
        connection.request(
            "initialize",
            json!({
                // The server ends with this process.
                "processId": std::process::id(),
                "rootUri": root,
                "workspaceFolders": [{ "uri": root, "name": "viewfold" }],
                "capabilities": {
                    "workspace": { "configuration": true, "workspaceFolders": true },
                    "textDocument": {
                        "completion": { "completionItem": { "snippetSupport": true, "documentationFormat": ["markdown"] } },
                        "hover": { "contentFormat": ["markdown"] },
                    },
                },
            }),
        )?;
        connection.notify("initialized", json!({}))?;
        // Settings that come later would have every file looked at twice.
        connection.wait_until_configured()?;
        Ok(Editor { connection })
    }

    fn open(&mut self, file: &File) -> String {
        let uri = uri(file.path.to_str().expect("the workspace's path is text"));
        let document = json!({ "uri": uri, "languageId": "yaml", "version": 1, "text": file.text });
        self.connection
            .notify("textDocument/didOpen", json!({ "textDocument": document }))
            .expect("the server listens");
        uri
    }

    fn close(&mut self, uri: &str) {
        let document = json!({ "textDocument": { "uri": uri } });
        self.connection.notify("textDocument/didClose", document).expect("the server listens");
    }

    /// What is underlined in files, each opened by itself: line by line.
    pub fn findings(&mut self, files: &[File]) -> Vec<Vec<Finding>> {
        let uris: Vec<String> = files.iter().map(|file| self.open(file)).collect();
        let found = uris.iter().zip(files).map(|(uri, file)| {
            let published = self.connection.diagnostics(uri).expect("the server answers");
            let mut findings: Vec<Finding> = published.iter().map(|one| finding(one, file.lines_before)).collect();
            findings.sort();
            findings
        });
        let found = found.collect();
        uris.iter().for_each(|uri| self.close(uri));
        found
    }

    /// What is offered at the cursor, a `|` in the text.
    pub fn offers(&mut self, file: File) -> Vec<Offer> {
        let answer = self.at_cursor("textDocument/completion", file);
        let items = answer.get("items").unwrap_or(&answer).as_array().cloned().unwrap_or_default();
        items.iter().map(offer).collect()
    }

    /// What is told about what is under the cursor, a `|` in the text: Markdown.
    pub fn hover(&mut self, file: File) -> String {
        let answer = self.at_cursor("textDocument/hover", file);
        answer["contents"]["value"].as_str().unwrap_or_default().to_owned()
    }

    fn at_cursor(&mut self, method: &str, file: File) -> Value {
        let (file, position) = file.with_cursor();
        let uri = self.open(&file);
        let question = json!({ "textDocument": { "uri": uri }, "position": position });
        let answer = self.connection.request(method, question).expect("the server answers");
        self.close(&uri);
        answer
    }
}

fn uri(path: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte);
    let written = path.bytes().map(|byte| match plain(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    format!("file://{}", written.collect::<String>())
}

fn finding(diagnostic: &Value, lines_before: usize) -> Finding {
    let line = diagnostic["range"]["start"]["line"].as_u64().and_then(|line| usize::try_from(line).ok()).unwrap_or(0);
    let text = |key: &str| diagnostic[key].as_str().unwrap_or_default().to_owned();
    Finding { line: (line + 1).saturating_sub(lines_before), message: text("message"), source: text("source") }
}

fn offer(item: &Value) -> Offer {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let put_in = item.pointer("/textEdit/newText").or_else(|| item.get("insertText")).unwrap_or(&Value::Null);
    let documentation =
        item.pointer("/documentation/value").or_else(|| item.get("documentation")).unwrap_or(&Value::Null);
    Offer { label: text(&item["label"]), text: text(put_in), documentation: text(documentation) }
}
