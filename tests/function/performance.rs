//! What the function costs before it does anything, beside the smallest function in Rust, measured in one run: the figures of
//! `docs/performance.md`. They are no promises, and no test: `--ignored` runs them.

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use harness::cli::make_tables;
use harness::events::{TableStream, batch};
use harness::function::{Deployment, Function};
use harness::store::Store;
use harness::{binaries, many, workspace};
use serde_json::json;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::deliver_whole;

/// How often each is started, one after the other, so that both see the same machine.
const ROUNDS: usize = 21;

/// How many projections a large deployment has.
const MANY: usize = 100;

/// What one start came to.
#[derive(Clone, Copy)]
struct Start {
    to_next: Duration,
    first_event: Duration,
    resident_kb: u64,
}

/// From the making of the process to its asking for its first event.
async fn to_next(function: &Function) -> Duration {
    assert!(function.is_ready_within(Duration::from_secs(10)).await, "{}", function.output());
    function.spawned().elapsed()
}

async fn start(program: &Path, deployment: Deployment, event: &serde_json::Value) -> Start {
    let function = deployment.run([program]).start().await;
    let to_next = to_next(&function).await;
    let sent = Instant::now();
    deliver_whole(&function, event).await;
    let first_event = sent.elapsed();
    let id = function.process_id().expect("the process runs");
    let status = fs::read_to_string(format!("/proc/{id}/status")).expect("the system says what a process has");
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok());
    Start { to_next, first_event, resident_kb: resident.expect("a number of kilobytes") }
}

/// The middle one.
fn median<S, T: PartialOrd + Copy>(starts: &[S], of: impl Fn(&S) -> T) -> T {
    let mut values: Vec<T> = starts.iter().map(of).collect();
    values.sort_by(|a, b| a.partial_cmp(b).expect("numbers compare"));
    values[values.len() / 2]
}

/// The bytes of a file, and those of it in an archive.
fn sizes(program: &Path) -> (u64, u64) {
    let bytes = fs::read(program).expect("the binary can be read");
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("bootstrap", SimpleFileOptions::default()).expect("an archive takes a file");
    archive.write_all(&bytes).expect("memory can be written to");
    let packed = archive.finish().expect("an archive ends").into_inner();
    (bytes.len() as u64, packed.len() as u64)
}

#[tokio::test]
#[ignore = "it measures, and decides nothing; docs/performance.md has the command"]
async fn beside_the_smallest_function() {
    let projections = workspace().join("projections/votes");
    let (ours, smallest) = (binaries::bootstrap(), binaries::minimal());
    let large = many::projections(MANY);
    let (mut of_ours, mut of_smallest, mut of_large) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let store = Store::start().await;
        make_tables(&projections, &store).await;
        let vote = json!({ "id": { "S": "1" }, "region": { "S": "NORTH" }, "improvement": { "S": "MORE_TREES" } });
        let event = batch([TableStream::new(&store.table("votes"), &["id"]).insert(vote)]);
        of_ours.push(start(ours, Deployment::new(&projections, &store), &event).await);
        of_large.push(to_next(&Deployment::new(large.path(), &store).run([ours]).start().await).await);
        of_smallest.push(start(smallest, Deployment::new(&projections, &store), &event).await);
    }
    let ((bytes, packed), (smallest_bytes, smallest_packed)) = (sizes(ours), sizes(smallest));
    let row = |what: &str, unit: &str, ours: f64, smallest: f64| {
        println!(
            "| {what} | {ours:.1} {unit} | {smallest:.1} {unit} | {:.1} {unit} more, × {:.1} |",
            ours - smallest,
            ours / smallest
        );
    };
    println!("\n| | viewfold | smallest | |\n|---|---|---|---|");
    row("binary", "MB", bytes as f64 / 1e6, smallest_bytes as f64 / 1e6);
    row("zipped", "MB", packed as f64 / 1e6, smallest_packed as f64 / 1e6);
    let both = |of: fn(&Start) -> f64| (median(&of_ours, of), median(&of_smallest, of));
    let (a, b) = both(|start| start.to_next.as_secs_f64() * 1000.0);
    row("spawn to first `next`", "ms", a, b);
    let of_large = median(&of_large, Duration::as_secs_f64) * 1000.0;
    row(&format!("the same with {MANY} projections"), "ms", of_large, b);
    let (a, b) = both(|start| start.first_event.as_secs_f64() * 1000.0);
    row("first event", "ms", a, b);
    let (a, b) = both(|start| start.resident_kb as f64 / 1000.0);
    row("resident memory", "MB", a, b);
}
