//! The release binaries under test, built by Cargo once in a test process.
//!
//! Cargo is asked rather than told: it prints where the executables are, so whatever target folder is configured works.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::workspace;

/// The command line, `viewfold`.
pub fn viewfold() -> &'static Path {
    find("viewfold")
}

/// The Lambda function, `bootstrap`.
pub fn bootstrap() -> &'static Path {
    find("bootstrap")
}

/// The smallest function in Rust, to compare `bootstrap` with. It is built like it, and is no binary of the workspace.
pub fn minimal() -> &'static Path {
    static MINIMAL: OnceLock<PathBuf> = OnceLock::new();
    MINIMAL.get_or_init(|| {
        let mut built = build(&["--workspace", "--example", "minimal"]);
        built.remove("minimal").unwrap_or_else(|| panic!("there is no example `minimal`, only {:?}", built.keys()))
    })
}

/// What does one stage of the engine's work again and again ([`stage.rs`](../examples/stage.rs)).
pub fn stage() -> &'static Path {
    static STAGE: OnceLock<PathBuf> = OnceLock::new();
    STAGE.get_or_init(|| {
        let mut built = build(&["--workspace", "--example", "stage"]);
        built.remove("stage").unwrap_or_else(|| panic!("there is no example `stage`, only {:?}", built.keys()))
    })
}

fn find(name: &str) -> &'static Path {
    static EXECUTABLES: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    let executables = EXECUTABLES.get_or_init(|| build(&["--workspace", "--bins"]));
    executables.get(name).unwrap_or_else(|| panic!("the workspace has no binary {name}, only {:?}", executables.keys()))
}

fn build(what: &[&str]) -> BTreeMap<String, PathBuf> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--message-format", "json-render-diagnostics"]).args(what);
    cargo.current_dir(workspace());
    // What Cargo told this process about the test crate is not meant for another Cargo: some build scripts watch these
    // variables, and would run again on every change between here and a shell.
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(describes_this_package) {
            cargo.env_remove(name);
        }
    }
    let output = cargo.output().unwrap_or_else(|error| panic!("cannot run {cargo:?}: {error}"));
    let diagnostics = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the release binaries do not build ({}):\n{diagnostics}", output.status);
    String::from_utf8_lossy(&output.stdout).lines().filter_map(executable).collect()
}

fn describes_this_package(variable: &str) -> bool {
    const PREFIXES: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
    const NAMES: [&str; 3] = ["CARGO_PRIMARY_PACKAGE", "CARGO_TARGET_TMPDIR", "OUT_DIR"];
    PREFIXES.iter().any(|prefix| variable.starts_with(prefix)) || NAMES.contains(&variable)
}

/// Name and place of the executable that one line of Cargo's report is about, if it is about one.
fn executable(line: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(line).ok()?;
    let path = PathBuf::from(message["executable"].as_str()?);
    Some((message["target"]["name"].as_str()?.to_owned(), path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_read_from_cargos_report() {
        let artifact = r#"{"reason":"compiler-artifact","target":{"name":"bootstrap"},"executable":"/t/bootstrap"}"#;
        assert_eq!(executable(artifact), Some(("bootstrap".to_owned(), PathBuf::from("/t/bootstrap"))));
        let library = r#"{"reason":"compiler-artifact","target":{"name":"viewfold_core"},"executable":null}"#;
        assert_eq!(executable(library), None);
        assert_eq!(executable("warning: not JSON"), None);
    }
}
