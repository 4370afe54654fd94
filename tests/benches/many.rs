//! Many projections on one stream, of which one matches each event: what a batch takes beside what it takes with that one
//! alone. The others look for other values: half of them where that one looks, half each at a place of its own.
//!
//! ```sh
//! cargo bench --bench many              # 20 rounds each
//! cargo bench --bench many -- 100
//! ```

mod engine;

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use cpu_time::ThreadTime;
use engine::Stage;
use harness::scratch::Folder;
use harness::workload::{System, Workload, count};

fn main() {
    // Cargo adds a flag of its own.
    let rounds: usize = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(20);
    let batch = Workload::new(System::VotesKinesis).records(2000).batch();
    let events = count(&batch);
    let folders = [1, 10, 100, 1000].map(|number| (number, projections(number)));
    let programs = folders.each_ref().map(|(number, folder)| (*number, engine::program(folder.path().to_owned())));
    let mut least = [Duration::MAX; 4];
    for _ in 0..rounds {
        for ((_, program), least) in programs.iter().zip(&mut least) {
            engine::each(program, &batch, |stage, work| {
                if stage == Stage::Batch {
                    let start = ThreadTime::now();
                    black_box(work());
                    *least = start.elapsed().min(*least);
                }
            });
        }
    }
    println!("\n{:>12}{:>14}{:>8}", "projections", "ns an event", "ratio");
    for ((number, _), time) in programs.iter().zip(least) {
        let ratio = time.as_secs_f64() / least[0].as_secs_f64();
        println!("{number:>12}{:>14.0}{ratio:>8.2}", time.as_nanos() as f64 / events as f64);
    }
}

/// A folder of so many projections, of which the first one matches every vote.
fn projections(number: usize) -> Folder {
    let folder = Folder::empty();
    for at in 0..number {
        let mut file = format!(
            "projection: votes_{at}\n\
             source:\n  kinesis: {{ stream: votes, lane: $.region }}\n\
             document: {{ table: votes_{at}, partition_key: region, sort_key: improvement }}\n\
             guard: {{ last_event_id: document }}\n\
             rules:\n  - name: vote\n    when:\n      $.region: {{ type: string }}\n"
        );
        let condition = match at {
            0 => "$.improvement: { type: string }".to_owned(),
            _ if at % 2 == 0 => format!("$.improvement: OTHER_{at}"),
            _ => format!("$.kind_{at}: OTHER"),
        };
        let _ = writeln!(file, "      {condition}");
        file.push_str("    key: { region: $.region, improvement: $.improvement }\n    add: { total_votes: 1 }\n");
        folder.write(&format!("votes_{at}.yaml"), &file);
    }
    folder
}
