//! The engine beside handlers that are written by hand (`tests/harness/handwritten`), on the same batches, in turns, in one
//! process: nanoseconds of the processor for an event by stage, and their ratio. Each is the least of its rounds: whatever else
//! the machine does only adds.
//!
//! Both sides go from the payload to the SDK's own types of all requests, and get the same answers: of a store that is empty
//! whenever it is asked, and takes everything.
//!
//! ```sh
//! cargo bench --bench handwritten              # 60 rounds each
//! cargo bench --bench handwritten -- 200
//! ```

mod engine;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

use cpu_time::ThreadTime;
use engine::Stage;
use harness::handwritten::{Nowhere, at_once, tournament, votes};
use harness::workload::{BARE, PAYLOADS, System, Workload, count};

/// What a side takes, in the fastest of its rounds.
#[derive(Clone, Copy, Debug)]
struct Times {
    /// The payload to events.
    decode: Duration,
    /// Events to changes of documents; the engine's planning is in it.
    work: Duration,
    /// Requests to the SDK's types; by hand they are made there in the first place.
    requests: Duration,
}

impl Times {
    fn all(&self) -> Duration {
        self.decode + self.work + self.requests
    }
}

fn main() {
    // Cargo adds a flag of its own.
    let rounds = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(60);
    for system in [System::VotesKinesis, System::Tournament] {
        for (name, payload) in [("200 to 4096", PAYLOADS), ("just the needed", BARE)] {
            let batch = Workload::new(system).payload(payload).batch();
            let (engine, by_hand) = compare(system, &batch, rounds);
            println!("\n{}, {} events of {name} bytes", system.name(), count(&batch));
            table(&engine, &by_hand, count(&batch));
        }
    }
}

fn table(engine: &Times, by_hand: &Times, events: usize) {
    println!("{:<34}{:>9}{:>9}{:>8}", "ns an event", "engine", "by hand", "ratio");
    let rows = [
        ("decode (envelope, payload)", engine.decode, by_hand.decode),
        ("match, evaluate, fold, plan", engine.work, by_hand.work),
        ("requests in the SDK's types", engine.requests, by_hand.requests),
        ("all", engine.all(), by_hand.all()),
    ];
    for (name, engine, by_hand) in rows {
        let each = |time: Duration| time.as_nanos() as f64 / events as f64;
        let ratio = each(engine) / each(by_hand).max(0.1);
        println!("{name:<34}{:>9.0}{:>9.0}{ratio:>8.2}", each(engine), each(by_hand));
    }
}

/// The two sides in turns.
fn compare(system: System, batch: &[u8], rounds: usize) -> (Times, Times) {
    let program = engine::program(system.projections());
    let mut engine: BTreeMap<Stage, Duration> = BTreeMap::new();
    let mut by_hand: Option<[Duration; 3]> = None;
    for _ in 0..rounds {
        engine::each(&program, batch, |stage, work| {
            let time = timed(work);
            engine.entry(stage).and_modify(|least| *least = time.min(*least)).or_insert(time);
        });
        let now = match system {
            System::Tournament => tournament(batch),
            _ => votes(batch),
        };
        by_hand = Some(match by_hand {
            None => now,
            Some(least) => std::array::from_fn(|at| least[at].min(now[at])),
        });
    }
    let of = |stage: Stage| engine.get(&stage).copied().unwrap_or_default();
    let decode = of(Stage::Envelope) + of(Stage::Decode);
    let engine = Times { decode, work: of(Stage::Batch).saturating_sub(decode), requests: of(Stage::Sdk) };
    let [decode, fold, all] = by_hand.unwrap_or_default();
    let by_hand = Times { decode, work: fold, requests: all.saturating_sub(decode + fold) };
    (engine, by_hand)
}

fn votes(batch: &[u8]) -> [Duration; 3] {
    let decoded = votes::decode(batch).expect("a batch is a Kinesis event");
    [
        timed(|| votes::decode(batch)),
        timed(|| votes::fold(&decoded, None)),
        timed(|| at_once(votes::handle(batch, &Nowhere)).is_ok()),
    ]
}

fn tournament(batch: &[u8]) -> [Duration; 3] {
    let decoded = tournament::decode(batch).expect("a batch is an event of a table's stream");
    [
        timed(|| tournament::decode(batch)),
        timed(|| tournament::fold(&decoded)),
        timed(|| at_once(tournament::handle(batch, &Nowhere)).is_ok()),
    ]
}

/// The processor's time of some work, until what came of it is gone again.
fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = ThreadTime::now();
    drop(black_box(work()));
    start.elapsed()
}
