//! Exactly once, whatever fails: schedules of deliveries, faults, crashes and invocations that outlive their time limit, driven
//! through the batch's state machine and a DynamoDB in memory; what is in the tables at the end is what the simplest loop
//! makes of the events.
//!
//! A seed says everything about a schedule. The suite runs a fixed range of them; for more:
//!
//! ```sh
//! VIEWFOLD_SCHEDULES=1000000 cargo test --release -p viewfold-core --test chaos -- --nocapture
//! VIEWFOLD_SEED=17 cargo test -p viewfold-core --test chaos              # one schedule again; VIEWFOLD_TRACE=1 shows it
//! ```

mod store;
mod world;

use fastrand::Rng;
use std::cell::OnceCell;
use std::io::IsTerminal as _;
use store::Store;
use viewfold_core::plan::{Answer, Batch, Cancellation, Request};
use viewfold_core::program::Program;
use world::{Guard, World};

const NOW: &str = "2026-01-01T00:00:00Z";

/// The most records of a batch.
const LARGEST: usize = 8;

/// What is broken on purpose, to see that it is noticed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Broken {
    Nothing,
    /// Conditions on this table always hold.
    Conditions(&'static str),
    /// The records that are reported as failed do not come again.
    Reports,
}

/// One invocation of the function.
struct Invocation<'p> {
    batch: Batch<'p>,
    start: usize,
    end: usize,
    in_flight: Vec<(usize, Request)>,
    /// Whether Lambda still waits for it.
    awaited: bool,
}

/// Runs one schedule of a world; what is wrong at its end.
fn run(world: &World, program: &Program, seed: u64, broken: Broken) -> Result<(), String> {
    let mut rng = Rng::with_seed(seed ^ 0x5851_f42d_4c95_7f2d);
    let mut store = Store::of(program);
    let count = world.records.len();
    // Every batch that there can be, made when it is needed.
    let payloads: Vec<OnceCell<String>> = (0..count * LARGEST).map(|_| OnceCell::new()).collect();
    let payload = |start: usize, end: usize| {
        let cell = &payloads[start * LARGEST + end - start - 1];
        cell.get_or_init(|| format!("{{\"Records\":[{}]}}", world.records[start..end].join(",")))
    };
    let mut checkpoint = 0;
    let mut faults = rng.usize(0..14);
    let mut running: Vec<Invocation<'_>> = Vec::new();
    // Requests whose invocation is gone, and that may still be carried out.
    let mut floating: Vec<Request> = Vec::new();
    for _ in 0..20_000 {
        if !running.iter().any(|invocation| invocation.awaited) {
            if checkpoint == count {
                if running.is_empty() && floating.is_empty() {
                    return world.compare(&store, program);
                }
            } else {
                let end = (checkpoint + rng.usize(1..=LARGEST)).min(count);
                let batch =
                    Batch::new(program, payload(checkpoint, end).as_bytes(), NOW).map_err(|error| error.to_string())?;
                running.push(Invocation { batch, start: checkpoint, end, in_flight: Vec::new(), awaited: true });
            }
        }
        if !floating.is_empty() && rng.u8(0..4) == 0 {
            let request = floating.swap_remove(rng.usize(0..floating.len()));
            if rng.bool() {
                send(&mut store, &request, broken);
            }
            continue;
        }
        if world.foreign && faults > 0 && rng.u8(0..20) == 0 {
            world.write_beside(&mut store, &mut rng);
        }
        if running.is_empty() {
            continue;
        }
        let at = rng.usize(0..running.len());
        if faults > 0 && running[at].awaited && rng.u8(0..25) == 0 {
            faults -= 1;
            let mut gone = running.swap_remove(at);
            if rng.bool() {
                // The time limit is over, and it goes on all the same.
                gone.awaited = false;
                running.push(gone);
            } else {
                floating.extend(gone.in_flight.into_iter().map(|(_, request)| request));
            }
            continue;
        }
        let invocation = &mut running[at];
        let sends = invocation.in_flight.is_empty() || rng.bool();
        if let Some(next) = sends.then(|| invocation.batch.next()).flatten() {
            invocation.in_flight.push(next);
        } else if !invocation.in_flight.is_empty() {
            let (number, request) = invocation.in_flight.swap_remove(rng.usize(0..invocation.in_flight.len()));
            let faulty = faults > 0 && rng.u8(0..6) == 0;
            faults -= usize::from(faulty);
            let answer = match if faulty { rng.u8(1..6) } else { 0 } {
                1 => Answer::Failed("throttled".into()),
                2 => {
                    send(&mut store, &request, broken);
                    Answer::Failed("the answer is lost".into())
                }
                // The SDK tries again: nobody knows that the first time was enough.
                3 => {
                    send(&mut store, &request, broken);
                    send(&mut store, &request, broken)
                }
                4 if matches!(request, Request::Transact(_)) => {
                    let Request::Transact(actions) = &request else { continue };
                    Answer::Cancelled(vec![Cancellation::Failed("conflict".into()); actions.len()])
                }
                _ => send(&mut store, &request, broken),
            };
            if world.traced {
                eprintln!(
                    "{}..{} awaited {} unit {number}: {request:?}\n    -> {answer:?}",
                    invocation.start, invocation.end, invocation.awaited
                );
            }
            invocation.batch.answer(number, answer);
        } else {
            let Invocation { batch, start, end, awaited, .. } = running.swap_remove(at);
            let report = batch.finish("unfinished");
            if awaited {
                checkpoint = match report.first_failure() {
                    Some(trouble) if broken != Broken::Reports => start + trouble.record,
                    _ => end,
                };
            }
        }
    }
    Err("the schedule does not end".into())
}

fn send(store: &mut Store, request: &Request, broken: Broken) -> Answer {
    match broken {
        Broken::Conditions(table) => store.send(&store::without_conditions(request, table)),
        _ => store.send(request),
    }
}

/// What a schedule comes to, and where it fails, the same with as few events as it fails with.
fn schedule(guard: Guard, seed: u64, broken: Broken) -> Result<(), String> {
    let mut rng = Rng::with_seed(seed);
    let count = rng.usize(1..=24);
    let world = World::new(guard, seed, count);
    let program = world.program();
    let Err(error) = run(&world, &program, seed, broken) else { return Ok(()) };
    for fewer in 1..count {
        let world = World::new(guard, seed, fewer);
        if let Err(error) = run(&world, &world.program(), seed, broken) {
            return Err(format!("seed {seed}, with {fewer} of its {count} events: {error}\n{}", world.shown()));
        }
    }
    Err(format!("seed {seed}: {error}\n{}", world.shown()))
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a whole number, and not {text}")))
}

/// All schedules of a guard.
fn holds(guard: Guard) {
    if let Some(seed) = number("VIEWFOLD_SEED") {
        return schedule(guard, seed, Broken::Nothing).unwrap_or_else(|error| panic!("{error}"));
    }
    let count = number("VIEWFOLD_SCHEDULES").unwrap_or(4_000);
    let shows = std::io::stderr().is_terminal() && count > 10_000;
    for seed in 0..count {
        if let Err(error) = schedule(guard, seed, Broken::Nothing) {
            panic!("{guard:?}: {error}");
        }
        if shows && seed % 1_000 == 0 {
            eprint!("\r{guard:?}: {seed} of {count}");
        }
    }
}

/// That a mistake shows in one of the schedules.
fn is_noticed(guard: Guard, broken: Broken) {
    let noticed = (0..2_000).any(|seed| schedule(guard, seed, broken).is_err());
    assert!(noticed, "{guard:?} with {broken:?} passes");
}

#[test]
fn marks_on_documents() {
    holds(Guard::Document);
}

#[test]
fn marks_of_lanes() {
    holds(Guard::Lane);
}

#[test]
fn contributions() {
    holds(Guard::Retract);
}

#[test]
fn events_tables() {
    holds(Guard::Events);
}

#[test]
fn ordered_events_tables() {
    holds(Guard::Ordered);
}

#[test]
fn broken_guards_are_noticed() {
    is_noticed(Guard::Document, Broken::Conditions("Docs"));
    is_noticed(Guard::Lane, Broken::Conditions("Marks"));
    is_noticed(Guard::Retract, Broken::Conditions("Marks"));
    is_noticed(Guard::Events, Broken::Conditions("Events"));
    is_noticed(Guard::Ordered, Broken::Conditions("Docs"));
    for guard in [Guard::Document, Guard::Lane, Guard::Retract, Guard::Events, Guard::Ordered] {
        is_noticed(guard, Broken::Reports);
    }
}
