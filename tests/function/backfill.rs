//! Views of tables that are years old, filled while people go on with them: items come, change and go, the function takes the
//! stream late and some of it twice, and `viewfold backfill` is killed again and again. In the end each view is what the items
//! make that are in the table then, and each item that cannot be applied has one dead letter.
//!
//! A seed says what people do and when the command is killed; how far it has come then is the machine's business. For more
//! seeds, or for one:
//!
//! ```sh
//! VIEWFOLD_ROUNDS=20 cargo test --workspace --test function -- backfill
//! VIEWFOLD_SEED=17 cargo test --workspace --test function -- backfill
//! ```

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use fastrand::Rng;
use harness::cli::{Output, Viewfold, viewfold};
use harness::documents::{Bookkeeping, from_dynamodb_json};
use harness::events::{TableStream, batch, sequence_number};
use harness::feed::Feed;
use harness::function::Function;
use harness::scratch::Folder;
use harness::store::Store;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::faults::{Seed, seeds};
use crate::{deliver, deploy};

mod systems;
mod table;

use systems::{MAP_ROLLUP, System, TOTAL_VOTES, TOURNAMENT, people_edit};
use table::Table;

/// How many items are in the table before anything is read.
const OLD: usize = 240;

/// What people do while the view is filled, at least and at most.
const CHANGES: std::ops::Range<usize> = 100..500;

/// The most records of a batch.
const LARGEST: usize = 60;

/// How long a command lives before it is killed, in milliseconds; later ones live longer, so that it comes to an end.
const LIVES: std::ops::Range<u64> = 60..700;

/// Where the function stands in the table's stream while the view is filled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stream {
    /// It takes what comes, and is behind now and then.
    Live,
    /// It takes everything before the command begins.
    Before,
    /// It takes nothing before the command has come to its end.
    After,
}

/// A table that is years old, and a function that has been deployed just now.
struct Scene {
    system: &'static System,
    store: Store,
    function: Function,
    folder: Folder,
    /// Whether people have come to an end, and whether the commands have.
    is_quiet: Cell<bool>,
    is_filled: Cell<bool>,
}

impl Scene {
    async fn of(system: &'static System, rng: &mut Rng) -> (Scene, Table, Feed) {
        let store = Store::start().await;
        let table = Table::with_items(&store, system, rng, OLD).await;
        let mut feed = Feed::of(&store, system.table).await;
        // A stream keeps its records for a day, and the items are older than that.
        feed.next().await;
        let function = deploy(system.projections, &store).await;
        let (is_quiet, is_filled) = (Cell::new(false), Cell::new(false));
        (Scene { system, store, function, folder: Folder::empty(), is_quiet, is_filled }, table, feed)
    }

    /// The command; `name` is of its file.
    fn command(&self, name: &str) -> Viewfold {
        let state = self.folder.path().join(name);
        viewfold(["backfill", self.system.projections, "--format", "json", "--state"]).arg(state).at(&self.store)
    }

    /// Has people go on with the table while the function takes the stream and the commands fill the view.
    async fn play(&self, table: &mut Table, feed: &mut Feed, stream: Stream, commands: Vec<Viewfold>, rng: &mut Rng) {
        let (mut people, mut taking, killing) = (rng.fork(), rng.fork(), rng.fork());
        if stream == Stream::Before {
            self.is_filled.set(true);
            tokio::join!(self.change(table, &mut people), self.take(feed, &mut taking));
            fill_all(commands, killing).await;
            return;
        }
        let filling = async {
            fill_all(commands, killing).await;
            self.is_filled.set(true);
        };
        let taking = async {
            while stream == Stream::After && !self.is_filled.get() {
                sleep(Duration::from_millis(20)).await;
            }
            self.take(feed, &mut taking).await;
        };
        tokio::join!(self.change(table, &mut people), taking, filling);
    }

    async fn change(&self, table: &mut Table, rng: &mut Rng) {
        let mut done = 0;
        while done < CHANGES.start || (!self.is_filled.get() && done < CHANGES.end) {
            table.change(&self.store, rng).await;
            done += 1;
            sleep(Duration::from_millis(rng.u64(0..8))).await;
        }
        self.is_quiet.set(true);
    }

    /// Hands all records to the function, as Lambda does: those that it reports come again, and sometimes others do.
    async fn take(&self, feed: &mut Feed, rng: &mut Rng) {
        let mut records: Vec<Value> = Vec::new();
        let mut taken = 0;
        loop {
            let is_last = self.is_quiet.get() && self.is_filled.get();
            records.extend(feed.next().await);
            if taken == records.len() && is_last {
                return;
            }
            if !is_last && rng.u8(0..3) == 0 {
                sleep(Duration::from_millis(rng.u64(0..120))).await;
                continue;
            }
            let end = (taken + rng.usize(1..=LARGEST)).min(records.len());
            let start = if rng.u8(0..5) == 0 { taken.saturating_sub(rng.usize(0..=LARGEST)) } else { taken };
            if start == end {
                sleep(Duration::from_millis(10)).await;
                continue;
            }
            let failed = deliver(&self.function, &batch(records[start..end].to_vec())).await;
            let place = |failed: &String| records.iter().position(|record| sequence_number(record) == failed);
            taken = failed.first().map_or(end, |failed| place(failed).expect("a record of the batch is reported"));
        }
    }

    /// The view is what the table's items make, and nothing else.
    async fn assert_right(&self, table: &Table, when: &str) {
        assert_eq!(
            self.store.scan(self.system.table).await.len(),
            table.items().len(),
            "the table is as it is thought"
        );
        let keys: Vec<&str> = self.system.keys.iter().map(|(name, _)| *name).collect();
        let mut stream = TableStream::new(&self.store.table(self.system.table), &keys);
        let records: Vec<Value> = table.items().into_iter().cloned().map(|item| stream.insert(item)).collect();
        let expected = (self.system.expected)(&records, table.edits());
        let documents = self.store.documents(self.system.view, Bookkeeping::Hidden).await;
        let documents = (self.system.comparable)(documents);
        assert!(
            documents == expected,
            "{} {when}:\n{}\n  and it has to be:\n{}",
            self.system.view,
            shown(&documents),
            shown(&expected)
        );
    }

    /// Each item that cannot be applied is among the dead letters. (Those of former states stay until they are redriven.)
    async fn assert_letters(&self, table: &Table) {
        let letters = self.store.documents("viewfold_dead_letters", Bookkeeping::Shown).await;
        let lanes: BTreeSet<&str> = letters.iter().filter_map(|letter| letter["lane"].as_str()).collect();
        for item in table.items().into_iter().filter(|item| self.system.is_bad(item)) {
            let lane = from_dynamodb_json(&self.system.key_of(item)).to_string();
            assert!(lanes.contains(lane.as_str()), "{lane} is in no dead letter: {lanes:?}");
        }
    }

    /// What a backfill from the beginning says, which has nothing left to do.
    async fn assert_nothing_left(&self, table: &Table) {
        let output = self.command("again.json").run().await.expect_status(0);
        let report: Value = serde_json::from_str(&output.stdout).expect("a report");
        assert_eq!((&report["applied"], &report["rejected"]), (&json!(0), &json!(0)), "{report}");
        assert_eq!(report["read"], json!(table.items().len()));
    }
}

fn shown(documents: &[Value]) -> String {
    documents.iter().map(|document| format!("  {document}")).collect::<Vec<_>>().join("\n")
}

/// Runs a command again and again until it is not killed; how often it was.
async fn fill(command: Viewfold, mut rng: Rng) -> (usize, Output) {
    let mut killed = 0;
    loop {
        let life = Duration::from_millis(rng.u64(LIVES)) + Duration::from_millis(150) * killed;
        // A command that nobody waits for is killed.
        match timeout(life, command.clone().run()).await {
            Ok(output) => return (killed as usize, output),
            Err(_) => killed += 1,
        }
    }
}

async fn fill_all(commands: Vec<Viewfold>, mut rng: Rng) {
    let mut tasks = tokio::task::JoinSet::new();
    for command in commands {
        tasks.spawn(fill(command, rng.fork()));
    }
    while let Some(done) = tasks.join_next().await {
        let (killed, output) = done.expect("the command has been waited for");
        // 1: there were items that cannot be applied.
        assert!(matches!(output.status, Some(0 | 1)) && !output.stdout.is_empty(), "{killed} times killed: {output:?}");
    }
}

/// What people have done to a table that was there is in its view when all has been read, and only that.
async fn holds(system: &'static System, stream: Stream, segments: &[&[&str]], seed: u64) {
    let _seed = Seed(seed);
    let mut rng = Rng::with_seed(seed);
    let (scene, mut table, mut feed) = Scene::of(system, &mut rng).await;
    let command = |(number, segments): (usize, &&[&str])| {
        scene.command(&format!("state-{number}.json")).args(*segments).args(["--max-read-units", "8"])
    };
    let commands = segments.iter().enumerate().map(command).collect();
    scene.play(&mut table, &mut feed, stream, commands, &mut rng).await;
    scene.assert_right(&table, &format!("after all was read, the stream {stream:?}")).await;
    scene.assert_nothing_left(&table).await;
    scene.assert_letters(&table).await;
    scene.assert_right(&table, "after one more backfill").await;
}

const IN_SEGMENTS: &[&[&str]] = &[&["--segments", "3"]];
const BY_TWO: &[&[&str]] = &[&["--segment", "1/2"], &["--segment", "2/2"]];

#[tokio::test]
async fn players_are_right_while_games_go_on() {
    for seed in seeds(2) {
        holds(&TOURNAMENT, Stream::Live, IN_SEGMENTS, seed).await;
    }
}

#[tokio::test]
async fn votes_are_right_while_people_vote() {
    for seed in seeds(2) {
        holds(&TOTAL_VOTES, Stream::Live, IN_SEGMENTS, seed).await;
    }
}

#[tokio::test]
async fn maps_that_people_edit_are_right_while_points_come() {
    for seed in seeds(2) {
        holds(&MAP_ROLLUP, Stream::Live, IN_SEGMENTS, seed).await;
    }
}

#[tokio::test]
async fn segments_are_filled_by_two_processes() {
    for seed in seeds(1) {
        holds(&TOURNAMENT, Stream::Live, BY_TWO, seed).await;
    }
}

#[tokio::test]
async fn the_stream_may_come_before() {
    for seed in seeds(1) {
        holds(&MAP_ROLLUP, Stream::Before, IN_SEGMENTS, seed).await;
    }
}

#[tokio::test]
async fn the_stream_may_come_after() {
    for seed in seeds(1) {
        holds(&TOTAL_VOTES, Stream::After, BY_TWO, seed).await;
    }
}
