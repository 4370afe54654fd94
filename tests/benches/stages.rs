//! What each stage of the engine takes, system by system, with payloads of real size and bare ones.
//!
//! ```sh
//! cargo bench --bench stages                       # all
//! cargo bench --bench stages -- votes-kinesis      # those of a system, or of a stage
//! ```

mod engine;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use engine::Stage;
use harness::workload::{BARE, PAYLOADS, System, Workload};

/// A stage of a system's batch.
struct Case {
    system: System,
    stage: Stage,
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.system.name(), self.stage.name())
    }
}

fn cases() -> impl Iterator<Item = Case> {
    System::ALL.into_iter().flat_map(|system| Stage::ALL.into_iter().map(move |stage| Case { system, stage }))
}

/// Batches of 2,000 events with payloads of real size.
#[divan::bench(args = cases())]
fn real(bencher: Bencher, case: &Case) {
    measure(bencher, case, Workload::new(case.system).records(2000).payload(PAYLOADS));
}

/// Batches of 2,000 events with payloads of nothing but what rules read.
#[divan::bench(args = cases())]
fn bare(bencher: Bencher, case: &Case) {
    measure(bencher, case, Workload::new(case.system).records(2000).payload(BARE));
}

fn measure(bencher: Bencher, case: &Case, workload: Workload) {
    let program = engine::program(case.system.projections());
    let batch = workload.batch();
    let events = harness::workload::count(&batch);
    let mut bencher = Some(bencher.counter(ItemsCount::new(events)).counter(BytesCount::new(batch.len())));
    engine::each(&program, &batch, |stage, work| {
        if stage == case.stage
            && let Some(bencher) = bencher.take()
        {
            bencher.bench_local(work);
        }
    });
}

fn main() {
    divan::main();
}
