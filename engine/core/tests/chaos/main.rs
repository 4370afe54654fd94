//! Exactly once, whatever fails: schedules of deliveries, faults, crashes and invocations that outlive their time limit, driven
//! through the batch's state machine and a DynamoDB in memory; what is in the tables at the end is what the simplest loop
//! makes of the events.
//!
//! A batch that is given up comes again in other pieces, which is what bisecting it would do. In half of the worlds the
//! projection is corrected at some moment, and its dead letters are redriven, by a command that is killed now and then, while
//! the function goes on. One kind of world has a table that was there before its stream: a backfill scans it while items
//! change, is killed, and goes on from the page that it had written last.
//!
//! A seed says everything about a schedule, and one that fails is shown with as few events as it fails with. The suite runs a
//! fixed range of seeds; for more, with a bar for each guard:
//!
//! ```sh
//! VIEWFOLD_SCHEDULES=1000000 cargo test --release -p viewfold-core --test chaos -- --nocapture
//! VIEWFOLD_SEED=17 cargo test -p viewfold-core --test chaos              # one schedule again; VIEWFOLD_TRACE=1 shows it
//! ```

mod store;
mod world;

use fastrand::Rng;
use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::panic::AssertUnwindSafe;
use store::Store;
use viewfold_core::compile::DEAD_LETTER_TABLE;
use viewfold_core::dead_letter::Letter;
use viewfold_core::plan::{Answer, Batch, Cancellation, Redrive, Redriven, Request};
use viewfold_core::program::Program;
use viewfold_value::{Item, Value};
use world::{Guard, ITEMS, World};

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

/// One invocation of the function, or a page of a backfill.
struct Invocation<'p> {
    batch: Batch<'p>,
    /// The shard, or the scan behind all shards.
    shard: usize,
    start: usize,
    end: usize,
    in_flight: Vec<(usize, Request)>,
    /// Whether Lambda still waits for it, or the command has not been taken for dead.
    awaited: bool,
}

/// One run of `viewfold redrive` on a letter.
struct Redriver<'p> {
    redrive: Redrive<'p>,
    letter: Item,
    in_flight: Option<Request>,
}

/// Runs one schedule of a world; what is wrong at its end.
fn run(world: &World, seed: u64, broken: Broken) -> Result<(), String> {
    let mut rng = Rng::with_seed(seed ^ 0x5851_f42d_4c95_7f2d);
    // The projection as it is first, and where letters are redriven, as it is corrected.
    let programs = [world.program(false), world.program(true)];
    let mut current = 0;
    let mut store = Store::of(&programs[0]);
    let shards = world.shards();
    let scan = shards.len();
    // How many changes are written: what is not has no record yet, and a scan finds what is.
    let mut written = if world.is_scanned() { world.before } else { world.count() };
    // Every batch that there can be, made when it is needed.
    let payloads: Vec<Vec<OnceCell<String>>> =
        shards.iter().map(|records| (0..records.len() * LARGEST).map(|_| OnceCell::new()).collect()).collect();
    let payload = |shard: usize, start: usize, end: usize| {
        let cell = &payloads[shard][start * LARGEST + end - start - 1];
        cell.get_or_init(|| format!("{{\"Records\":[{}]}}", shards[shard][start..end].join(",")))
    };
    // Every page that a scan may read, of so many items and more, behind so many changes; none where they are all gone.
    let pages: Vec<OnceCell<Option<String>>> =
        (0..(world.count() + 1) * ITEMS * ITEMS).map(|_| OnceCell::new()).collect();
    let page = |behind: usize, start: usize, end: usize| {
        let cell = &pages[(behind * ITEMS + start) * ITEMS + end - start - 1];
        cell.get_or_init(|| world.page(behind, start..end)).as_deref()
    };
    // In half of the schedules a document's events take several requests, one after the other, as those of a batch of hundreds
    // do under the guards that write a row for each.
    let events_per_request = if seed.is_multiple_of(2) { usize::MAX } else { 1 + (seed / 2 % 3) as usize };
    // The scan's is how many items it has been through.
    let mut checkpoints = vec![0; shards.len()];
    checkpoints.push(if world.is_scanned() { 0 } else { ITEMS });
    let mut faults = rng.usize(0..14);
    let mut running: Vec<Invocation<'_>> = Vec::new();
    let mut redriver: Option<Redriver<'_>> = None;
    // Letters whose events still could not be applied, since anything last was.
    let mut still: BTreeSet<String> = BTreeSet::new();
    // Requests whose invocation is gone, and that may still be carried out.
    let mut floating: Vec<Request> = Vec::new();
    for _ in 0..40_000 {
        let all_read = (0..shards.len()).all(|shard| checkpoints[shard] == shards[shard].len())
            && checkpoints[scan] == ITEMS
            && written == world.count();
        let quiet = running.is_empty() && floating.is_empty() && redriver.is_none();
        if all_read && quiet {
            let left = letters(&store, &still);
            match left.first() {
                _ if !world.redrives => return world.compare(&store, &programs[0]),
                None if current == 1 => return world.compare(&store, &programs[1]),
                None => {
                    still.clear();
                    current = 1;
                }
                Some(letter) => redriver = Some(redriver_of(letter, &programs[current])?),
            }
            continue;
        }
        // A corrected projection is deployed when no invocation of the one before is left (see docs/guards.md).
        if world.redrives && current == 0 && quiet && rng.u8(0..4) == 0 {
            current = 1;
            still.clear();
        }
        if written < world.count() && rng.u8(0..3) == 0 {
            written = (written + rng.usize(1..=3)).min(world.count());
        }
        let is_scanning = running.iter().any(|invocation| invocation.awaited && invocation.shard == scan);
        if checkpoints[scan] < ITEMS && !is_scanning && rng.u8(0..4) == 0 {
            let start = checkpoints[scan];
            let end = (start + rng.usize(1..=3)).min(ITEMS);
            // What is read is a little behind what is written, and never behind the stream's beginning.
            match page(written.saturating_sub(rng.usize(0..3)).max(world.before), start, end) {
                Some(page) => {
                    let batch =
                        Batch::new(&programs[current], page.as_bytes(), NOW).map_err(|error| error.to_string())?;
                    let batch = batch.with_events_per_request(events_per_request);
                    running.push(Invocation { batch, shard: scan, start, end, in_flight: Vec::new(), awaited: true });
                }
                None => checkpoints[scan] = end,
            }
        }
        for (shard, start) in checkpoints.iter().copied().enumerate().take(scan) {
            let is_read = running.iter().any(|invocation| invocation.awaited && invocation.shard == shard);
            let told = world.told(shard, written);
            if !is_read && start < told && rng.bool() {
                let end = (start + rng.usize(1..=LARGEST)).min(told);
                let bytes = payload(shard, start, end).as_bytes();
                let batch = Batch::new(&programs[current], bytes, NOW).map_err(|error| error.to_string())?;
                let batch = batch.with_events_per_request(events_per_request);
                running.push(Invocation { batch, shard, start, end, in_flight: Vec::new(), awaited: true });
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
        if world.redrives && redriver.is_none() && rng.u8(0..12) == 0 {
            let open = letters(&store, &BTreeSet::new());
            if let Some(letter) = rng.choice(&open) {
                redriver = Some(redriver_of(letter, &programs[current])?);
            }
        }
        if let Some(mut run) = redriver.take_if(|_| running.is_empty() || rng.u8(0..3) == 0) {
            match run.in_flight.take().or_else(|| run.redrive.next()) {
                // It is killed.
                Some(request) if faults > 0 && rng.u8(0..8) == 0 => {
                    faults -= 1;
                    floating.push(request);
                }
                Some(request) if run.in_flight.is_none() && rng.bool() => {
                    run.in_flight = Some(request);
                    redriver = Some(run);
                }
                Some(request) => {
                    let answer = answer(&mut store, &request, &mut faults, broken, &mut rng);
                    if world.traced {
                        eprintln!("redrive {:?}: {request:?}\n    -> {answer:?}", run.letter);
                    }
                    run.redrive.answer(answer);
                    redriver = Some(run);
                }
                None => match run.redrive.finish() {
                    Redriven::Still(_) => drop(still.insert(Value::Map(run.letter).to_string())),
                    Redriven::Closed(_) => still.clear(),
                    Redriven::Gone | Redriven::Failed(_) => {}
                },
            }
            continue;
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
            let answer = answer(&mut store, &request, &mut faults, broken, &mut rng);
            if world.traced {
                eprintln!(
                    "shard {} {}..{} awaited {} unit {number}: {request:?}\n    -> {answer:?}",
                    invocation.shard, invocation.start, invocation.end, invocation.awaited
                );
            }
            invocation.batch.answer(number, answer);
        } else {
            let Invocation { batch, shard, start, end, awaited, .. } = running.swap_remove(at);
            let report = batch.finish("unfinished");
            if awaited {
                checkpoints[shard] = match report.first_failure() {
                    // A backfill tries the page again.
                    Some(_) if shard == scan && broken != Broken::Reports => start,
                    Some(trouble) if broken != Broken::Reports => start + trouble.record,
                    _ => end,
                };
            }
        }
    }
    Err("the schedule does not end".into())
}

/// The open letters, but for some.
fn letters(store: &Store, but: &BTreeSet<String>) -> Vec<Item> {
    let rows = store.items(DEAD_LETTER_TABLE).into_iter();
    let open = rows.filter(|row| Letter::of((*row).clone()).is_some_and(|letter| letter.is_open()));
    open.filter(|row| !but.contains(&Value::Map((*row).clone()).to_string())).cloned().collect()
}

fn redriver_of<'p>(row: &Item, program: &'p Program) -> Result<Redriver<'p>, String> {
    let letter = Letter::of(row.clone()).ok_or("a row is no letter")?;
    let record = letter.record(&[])?;
    let redrive = Redrive::new(program, letter, &record, NOW)?;
    Ok(Redriver { redrive, letter: row.clone(), in_flight: None })
}

/// Carries a request out, or something goes wrong with it.
fn answer(store: &mut Store, request: &Request, faults: &mut usize, broken: Broken, rng: &mut Rng) -> Answer {
    let faulty = *faults > 0 && rng.u8(0..6) == 0;
    *faults -= usize::from(faulty);
    match if faulty { rng.u8(1..6) } else { 0 } {
        1 => Answer::Failed("throttled".into()),
        2 => {
            send(store, request, broken);
            Answer::Failed("the answer is lost".into())
        }
        // The SDK tries again: nobody knows that the first time was enough.
        3 => {
            send(store, request, broken);
            send(store, request, broken)
        }
        4 if matches!(request, Request::Transact(_)) => {
            let Request::Transact(actions) = request else { return Answer::Failed(String::new()) };
            let at = rng.usize(0..actions.len());
            let conflict = |number: usize| match number == at || rng.bool() {
                true => Cancellation::Failed("conflict".into()),
                false => Cancellation::None,
            };
            Answer::Cancelled((0..actions.len()).map(conflict).collect())
        }
        _ => send(store, request, broken),
    }
}

fn send(store: &mut Store, request: &Request, broken: Broken) -> Answer {
    match broken {
        Broken::Conditions(table) => store.send(&store::without_conditions(request, table)),
        _ => store.send(request),
    }
}

/// Runs a schedule; a panic is what is wrong, too.
fn attempt(world: &World, seed: u64, broken: Broken) -> Result<(), String> {
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| run(world, seed, broken)));
    result.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("panicked: {}", text.unwrap_or_default()))
    })
}

/// What a schedule comes to, and where it fails, the same with as few events as it fails with.
fn schedule(guard: Guard, seed: u64, broken: Broken) -> Result<(), String> {
    let mut rng = Rng::with_seed(seed);
    let count = rng.usize(1..=24);
    let world = World::new(guard, seed, count);
    let Err(error) = attempt(&world, seed, broken) else { return Ok(()) };
    for fewer in 1..count {
        let world = World::new(guard, seed, fewer);
        if let Err(error) = attempt(&world, seed, broken) {
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
    let count = number("VIEWFOLD_SCHEDULES").unwrap_or(3_500);
    let shows = std::io::stderr().is_terminal() && count > 10_000;
    for seed in 0..count {
        if let Err(error) = schedule(guard, seed, Broken::Nothing) {
            panic!("{guard:?}: {error}");
        }
        if shows && seed % 500 == 0 {
            progress(guard, seed, count);
        }
    }
}

/// How many guards there are.
const GUARDS: usize = 7;

/// A line of the terminal for each guard: they run beside each other.
fn progress(guard: Guard, done: u64, of: u64) {
    static ROOM: std::sync::Once = std::sync::Once::new();
    ROOM.call_once(|| eprint!("{}", "\n".repeat(GUARDS)));
    let line = guard as usize + 1;
    let filled = usize::try_from(done * 40 / of).unwrap_or(40);
    let bar = format!("{}{}", "#".repeat(filled), ".".repeat(40 - filled));
    // Up to its line, and back: one write, so that no other comes between.
    eprint!("\x1b[{line}A\r{bar} {done} of {of} {guard:?}\x1b[K\x1b[{line}B\r");
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
fn marks_of_shards() {
    holds(Guard::Shard);
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
fn backfills() {
    holds(Guard::Backfill);
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
    is_noticed(Guard::Shard, Broken::Conditions("Docs"));
    is_noticed(Guard::Lane, Broken::Conditions("Marks"));
    is_noticed(Guard::Retract, Broken::Conditions("Marks"));
    is_noticed(Guard::Backfill, Broken::Conditions("Marks"));
    is_noticed(Guard::Events, Broken::Conditions("Events"));
    is_noticed(Guard::Ordered, Broken::Conditions("Docs"));
    for guard in
        [Guard::Document, Guard::Shard, Guard::Lane, Guard::Retract, Guard::Backfill, Guard::Events, Guard::Ordered]
    {
        is_noticed(guard, Broken::Reports);
        // The rows of a document's events, or of an item's contribution, tell what was redriven before.
        if !matches!(guard, Guard::Ordered | Guard::Retract | Guard::Backfill) {
            is_noticed(guard, Broken::Conditions(DEAD_LETTER_TABLE));
        }
    }
}
