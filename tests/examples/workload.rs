//! Writes a generated batch: `workload SYSTEM [RECORDS [LEAST-MOST [SEED [BATCHES]]]] > events.json`

use std::io::{self, Write as _};
use std::process::ExitCode;

use harness::workload::{MOST_RECORDS, PAYLOADS, System, Workload};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((workload, batches)) = workload(&arguments) else {
        let systems = System::ALL.map(System::name).join(", ");
        eprintln!(
            "workload SYSTEM [RECORDS [LEAST-MOST [SEED [BATCHES]]]] > events.json\n\n\
             Writes batches of events as Lambda hands them to a function, one in a line; the same seed gives the same bytes.\n\n\
             SYSTEM      {systems}\n\
             RECORDS     at most so many in a batch: {MOST_RECORDS}\n\
             LEAST-MOST  bytes of a payload: {}-{}; 0-0 leaves nothing but what rules read\n\
             SEED        1\n\
             BATCHES     1",
            PAYLOADS.start(),
            PAYLOADS.end(),
        );
        return ExitCode::from(2);
    };
    let mut out = io::stdout().lock();
    for batch in workload.batches(batches) {
        let written = out.write_all(&batch).and_then(|()| out.write_all(b"\n"));
        if let Err(error) = written {
            eprintln!("the batch could not be written: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn workload(arguments: &[String]) -> Option<(Workload, usize)> {
    let number = |at: usize, other: usize| arguments.get(at).map_or(Some(other), |text| text.parse().ok());
    let payload = match arguments.get(2) {
        None => PAYLOADS,
        Some(text) => {
            let (least, most) = text.split_once('-')?;
            least.parse().ok()?..=most.parse().ok()?
        }
    };
    if arguments.len() > 5 {
        return None;
    }
    let seed = u64::try_from(number(3, 1)?).ok()?;
    let workload = Workload::new(System::named(arguments.first()?)?);
    Some((workload.records(number(1, MOST_RECORDS)?).payload(payload).seed(seed), number(4, 1)?))
}
