//! What people see who write projections in an editor: the JSON Schemas through the real yaml-language-server.
//!
//! One server answers all tests. `UPDATE_SNAPSHOTS=1 cargo test --workspace --test editor` writes `messages.txt` anew.

mod findings;
mod hover;
mod offers;

/// What stands before the part of a projection that a test is about.
const HEAD: &str = "projection: p
source: { kinesis: { stream: orders, lane: $.id } }
document: { table: Docs, partition_key: id }
";

/// The fenced YAML of a page.
fn yaml_of(page: &str) -> Vec<String> {
    page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}
