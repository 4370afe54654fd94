//! Does one stage of a batch so many times: `stage SYSTEM STAGE TIMES`, for valgrind and perf. It prints how many events the
//! batch has.

#[path = "../benches/engine/mod.rs"]
mod engine;

use std::hint::black_box;
use std::process::ExitCode;

use engine::Stage;
use harness::workload::{PAYLOADS, System, Workload, count};

/// The events of the batch.
const RECORDS: usize = 300;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [system, stage, times] = &arguments[..] else { return usage() };
    let wanted = Stage::ALL.into_iter().find(|other| other.name() == stage);
    let (Some(system), Some(wanted), Ok(times)) = (System::named(system), wanted, times.parse::<usize>()) else {
        return usage();
    };
    let batch = Workload::new(system).records(RECORDS).payload(PAYLOADS).batch();
    println!("{}", count(&batch));
    engine::each(&engine::program(system.projections()), &batch, |stage, work| {
        if stage == wanted {
            for _ in 0..times {
                black_box(work());
            }
        }
    });
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    let systems = System::ALL.map(System::name).join(", ");
    let stages = Stage::ALL.map(Stage::name).join(", ");
    eprintln!("stage SYSTEM STAGE TIMES\n\nSYSTEM  {systems}\nSTAGE   {stages}");
    ExitCode::from(2)
}
