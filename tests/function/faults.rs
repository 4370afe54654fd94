//! Everything that goes wrong at once, on the real function: requests fail before and after they were carried out, answers
//! are lost and late, batches come again and differently cut, two processes work on each of two shards, and all are killed
//! again and again. In the end every event is in a document once, or in the dead letters.
//!
//! A seed says what the events are, how they are cut and which requests fail; how the processes get in each other's way is
//! the machine's business. The suite runs a few seeds; for more of them, or for one:
//!
//! ```sh
//! VIEWFOLD_ROUNDS=100 cargo test --workspace --test function -- faults
//! VIEWFOLD_SEED=17 cargo test --workspace --test function -- faults
//! ```

use std::cell::Cell;
use std::path::PathBuf;
use std::time::Duration;

use fastrand::Rng;
use harness::cli::make_tables;
use harness::documents::Bookkeeping;
use harness::events::{batch, failures, sequence_number};
use harness::function::{Deployment, Function};
use harness::proxy::{Fault, Proxy};
use harness::random::batches;
use harness::runtime_api::FunctionError;
use harness::scratch::Folder;
use harness::store::Store;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{deliver, deliver_whole};

mod systems;
mod tally;

use tally::Guard;

/// The most records of a batch.
const LARGEST: usize = 60;

/// How long a process lives at most where it is killed: about as long as a batch takes.
const LONGEST_LIFE: Duration = Duration::from_millis(120);

/// What invocations may take, in milliseconds: some not as long as a request that is late.
const LIMITS: std::ops::Range<u64> = 250..1_500;

/// Projections, records for them in the order in which they were made, and what has to come of these.
struct World {
    projections: PathBuf,
    /// Keeps the projections' files, where they are the test's own.
    _folder: Option<Folder>,
    records: Vec<Value>,
    /// Tables and their documents.
    tables: Vec<(&'static str, Vec<Value>)>,
    /// The attribute of rows that are left of deleted documents, where there can be such.
    deleted: Option<&'static str>,
    letters: Letters,
}

/// The dead letters that there have to be.
struct Letters {
    /// The events that cannot be applied: of each the sequence numbers of all of its records.
    events: Vec<Vec<String>>,
    /// Whether an event may be put away once for each of its records, and not just once.
    of_each_record: bool,
}

/// One of the processes of a function, and how to start the next one.
struct Instance {
    deployment: Deployment,
    function: Function,
}

/// Says in the output of a failed test which seed it was.
pub(crate) struct Seed(pub(crate) u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed with VIEWFOLD_SEED={}", self.0);
        }
    }
}

impl Instance {
    async fn start(deployment: &Deployment) -> Instance {
        Instance { deployment: deployment.clone(), function: deployment.clone().start().await }
    }

    /// Invokes the function with records, perhaps kills it meanwhile, and says from which of the records on they have to
    /// come again.
    async fn deliver(&mut self, records: &[Value], rng: &mut Rng) -> Result<Option<usize>, FunctionError> {
        let event = batch(records.to_vec());
        let limit = Duration::from_millis(rng.u64(LIMITS));
        let answer = if rng.u8(0..4) == 0 {
            let life = LONGEST_LIFE.mul_f64(rng.f64());
            let killed = async {
                tokio::time::sleep(life).await;
                self.function.kill().await;
            };
            let (answer, ()) = tokio::join!(self.function.invoke_within(&event, limit), killed);
            self.function = self.deployment.clone().start().await;
            answer
        } else {
            self.function.invoke_within(&event, limit).await
        }?;
        let failed = failures(&answer);
        assert!(failed.len() <= 1, "more than the lowest failed record is reported: {failed:?}");
        let place = |failed: &&str| {
            let place = records.iter().position(|record| sequence_number(record) == *failed);
            place.unwrap_or_else(|| panic!("{failed} is reported, which was not in the batch"))
        };
        Ok(failed.first().map(place))
    }
}

/// Delivers all records as Lambda does: on an error the whole batch again, or half of it; else from the lowest failed
/// record on. Where it has come to is told to others.
async fn deliver_all(mut instance: Instance, records: &[Value], checkpoint: &Cell<usize>, mut rng: Rng) {
    let mut longest = LARGEST;
    while checkpoint.get() < records.len() {
        let start = checkpoint.get();
        let end = (start + rng.usize(1..=longest)).min(records.len());
        match instance.deliver(&records[start..end], &mut rng).await {
            Ok(failed) => {
                checkpoint.set(failed.map_or(end, |failed| start + failed));
                longest = LARGEST;
            }
            Err(_) => longest = (end - start).div_ceil(2),
        }
    }
}

/// Has a function take all records of a shard.
async fn take(records: &[Value], deployment: &Deployment, mut rng: Rng) {
    let checkpoint = Cell::new(0);
    let (one, other) = tokio::join!(Instance::start(deployment), Instance::start(deployment));
    let (first, second) = (rng.fork(), rng.fork());
    tokio::join!(deliver_all(one, records, &checkpoint, first), linger(other, records, &checkpoint, second));
}

/// Whether a record is in the first of two shards: all of a lane are in one, and documents have lanes of both.
fn is_left(record: &Value) -> bool {
    let lane = record["kinesis"]["partitionKey"].as_str().map(str::to_owned);
    let lane = lane.unwrap_or_else(|| record["dynamodb"]["Keys"].to_string());
    lane.bytes().fold(0u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)).is_multiple_of(2)
}

/// Goes on with batches that have been given up: an invocation of which Lambda has not heard for too long is still at work
/// while the next one runs. It never has anything that is not behind what was taken, and its answer interests nobody.
async fn linger(mut instance: Instance, records: &[Value], checkpoint: &Cell<usize>, mut rng: Rng) {
    while checkpoint.get() < records.len() {
        // As often as not it races for the very same events.
        let behind = if rng.bool() { 0 } else { rng.usize(0..=LARGEST.min(checkpoint.get())) };
        let start = checkpoint.get() - behind;
        let end = (start + rng.usize(1..=LARGEST)).min(records.len());
        // Whatever comes of it.
        let _ = instance.deliver(&records[start..end], &mut rng).await;
    }
}

/// Delivers a world's records to a function that meets every fault, and looks at what is in the tables then.
async fn comes_out_right(world: &World, store: &Store, rng: &mut Rng) {
    make_tables(&world.projections, store).await;
    let proxy = Proxy::before(store).await;
    proxy.fail(rng.u64(..));
    let deployment = Deployment::new(&world.projections, store)
        .set("AWS_ENDPOINT_URL_DYNAMODB", proxy.endpoint())
        .set("RUST_LOG", "warn");
    let (left, right): (Vec<Value>, Vec<Value>) = world.records.iter().cloned().partition(is_left);
    let (one, other) = (rng.fork(), rng.fork());
    tokio::join!(take(&left, &deployment, one), take(&right, &deployment, other));
    proxy.quiet().await;
    assert_right(world, store, "after everything was taken").await;

    // Nothing is taken for new that comes once more.
    proxy.calm();
    let function = deployment.start().await;
    for range in batches(rng, world.records.len(), 4 * LARGEST) {
        deliver_whole(&function, &batch(world.records[range].to_vec())).await;
    }
    assert_right(world, store, "after everything came again").await;
}

async fn assert_right(world: &World, store: &Store, when: &str) {
    for (table, expected) in &world.tables {
        let mut documents = store.documents(table, Bookkeeping::Shown).await;
        documents.retain(|document| world.deleted.is_none_or(|deleted| document.get(deleted).is_none()));
        for document in &mut documents {
            document.as_object_mut().expect("a document").retain(|name, _| !name.starts_with("_vf_"));
        }
        let documents = harness::documents::sorted(documents);
        assert!(
            documents == *expected,
            "{table} {when}:\n{}\n  and it has to be:\n{}",
            shown(&documents),
            shown(expected)
        );
    }
    let letters = store.documents("viewfold_dead_letters", Bookkeeping::Shown).await;
    let open = |letter: &&Value| letter["pk"].as_str().is_some_and(|key| key.starts_with("open/"));
    let number = |letter: &Value| letter["sequence"].as_str().unwrap_or_default().to_owned();
    let mut put_away: Vec<String> = letters.iter().filter(open).map(number).collect();
    for records in &world.letters.events {
        let before = put_away.len();
        put_away.retain(|number| !records.contains(number));
        let count = before - put_away.len();
        let most = if world.letters.of_each_record { records.len() } else { 1 };
        assert!((1..=most).contains(&count), "{count} dead letters of the event {records:?} {when}");
    }
    assert!(put_away.is_empty(), "{when} events are dead letters that can be applied: {put_away:?}");
}

fn shown(documents: &[Value]) -> String {
    documents.iter().map(|document| format!("  {document}")).collect::<Vec<_>>().join("\n")
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a whole number, and not {text}")))
}

/// The seeds to run: so many, unless the environment says otherwise.
pub(crate) fn seeds(rounds: u64) -> impl Iterator<Item = u64> {
    let seed = number("VIEWFOLD_SEED");
    let rounds = number("VIEWFOLD_ROUNDS").unwrap_or(rounds);
    seed.map_or(0..rounds, |seed| seed..seed + 1)
}

/// Makes a world of so many records, or a few more.
type Make = fn(&Store, &mut Rng, usize) -> World;

const MARKS_ON_DOCUMENTS: &[Make] = &[|_, rng, count| tally::world(Guard::Document, rng, count), systems::winner_view];
const MARKS_OF_SHARDS: &[Make] = &[|_, rng, count| tally::world(Guard::Shard, rng, count)];
const MARKS_OF_LANES: &[Make] = &[|_, rng, count| tally::world(Guard::Lane, rng, count)];
const CONTRIBUTIONS: &[Make] = &[systems::points_on_maps, systems::votes_of_citizens, systems::tournament_statistics];
const EVENTS_TABLES: &[Make] = &[|_, rng, count| tally::world(Guard::Events, rng, count), systems::votes_of_citizens];
const ORDERED_EVENTS_TABLES: &[Make] =
    &[|_, rng, count| tally::world(Guard::Ordered, rng, count), systems::winner_view_unordered];

const ALL: [&[Make]; 6] =
    [MARKS_ON_DOCUMENTS, MARKS_OF_SHARDS, MARKS_OF_LANES, CONTRIBUTIONS, EVENTS_TABLES, ORDERED_EVENTS_TABLES];

/// Plays rounds of these worlds, each on a store of its own.
async fn hold(worlds: &[Make], rounds: u64) {
    for seed in seeds(rounds) {
        let store = Store::start().await;
        holds(worlds[seed as usize % worlds.len()], &store, seed, 300).await;
    }
}

/// Plays one round of a world.
async fn holds(make: Make, store: &Store, seed: u64, count: usize) {
    let _seed = Seed(seed);
    let mut rng = Rng::with_seed(seed);
    let world = make(store, &mut rng, count);
    comes_out_right(&world, store, &mut rng).await;
}

#[tokio::test]
async fn marks_on_documents() {
    hold(MARKS_ON_DOCUMENTS, 4).await;
}

#[tokio::test]
async fn marks_of_shards() {
    hold(MARKS_OF_SHARDS, 3).await;
}

#[tokio::test]
async fn marks_of_lanes() {
    hold(MARKS_OF_LANES, 3).await;
}

#[tokio::test]
async fn contributions() {
    hold(CONTRIBUTIONS, 3).await;
}

#[tokio::test]
async fn events_tables() {
    hold(EVENTS_TABLES, 4).await;
}

#[tokio::test]
async fn ordered_events_tables() {
    hold(ORDERED_EVENTS_TABLES, 4).await;
}

/// The same on another implementation of DynamoDB, with fewer records: it is slow.
#[tokio::test]
async fn on_moto() {
    for seed in seeds(1) {
        for worlds in ALL {
            let Some(store) = Store::moto().await else { return };
            holds(worlds[seed as usize % worlds.len()], &store, seed, 30).await;
        }
    }
}

/// What an operation may meet again and again, until it is given up.
const LASTING: [(&str, Fault); 8] = [
    ("TransactWriteItems", Fault::Conflict(0)),
    ("TransactWriteItems", Fault::Conflict(1)),
    ("TransactWriteItems", Fault::Broken),
    ("UpdateItem", Fault::Conflict(0)),
    ("PutItem", Fault::Throttled),
    ("DeleteItem", Fault::Lost),
    ("BatchGetItem", Fault::Partial),
    ("Query", Fault::AnswerBroken),
];

/// Takes some records in peace, and a batch of others while a fault does not pass; then goes on where the function says.
async fn outlasts(make: Make, operation: &'static str, fault: Fault) {
    let store = Store::start().await;
    let world = make(&store, &mut Rng::with_seed(0x5eed), 90);
    make_tables(&world.projections, &store).await;
    let proxy = Proxy::before(&store).await;
    let deployment = Deployment::new(&world.projections, &store).set("AWS_ENDPOINT_URL_DYNAMODB", proxy.endpoint());
    let function = deployment.start().await;
    deliver_whole(&function, &batch(world.records[..30].to_vec())).await;

    proxy.always(operation, fault);
    let failed = deliver(&function, &batch(world.records[30..60].to_vec())).await;
    let place = |failed: &String| world.records.iter().position(|record| sequence_number(record) == failed);
    let next = failed.first().map_or(60, |failed| place(failed).expect("a record of the batch is reported"));
    assert!((30..=60).contains(&next), "{failed:?}");

    proxy.calm();
    deliver_whole(&function, &batch(world.records[next..].to_vec())).await;
    assert_right(&world, &store, &format!("after {fault:?} of every {operation}")).await;
}

#[tokio::test]
async fn what_fails_for_good_is_never_taken_for_done() {
    for worlds in ALL {
        // They mostly wait.
        let mut tasks = JoinSet::new();
        for (operation, fault) in LASTING {
            tasks.spawn(outlasts(worlds[0], operation, fault));
        }
        while let Some(outcome) = tasks.join_next().await {
            outcome.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        }
    }
}
