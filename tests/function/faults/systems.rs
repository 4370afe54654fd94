//! The projections of real systems, with their random events and the loops that say what comes of them.

use fastrand::Rng;
use harness::documents::sorted;
use harness::events::{KinesisStream, TableStream, sequence_number};
use harness::oracle::winner_view::{contributions, contributions_in_any_order};
use harness::oracle::{map_rollup, tournament, votes};
use harness::random::{self, Product, games, points, products};
use harness::store::Store;
use harness::workspace;
use serde_json::Value;

use super::{Letters, World};

fn world(system: &str, records: Vec<Value>, tables: Vec<(&'static str, Vec<Value>)>, bad: &[Value]) -> World {
    World {
        projections: workspace().join("projections").join(system),
        _folder: None,
        records,
        tables,
        deleted: None,
        letters: Letters {
            events: bad.iter().map(|record| vec![sequence_number(record).to_owned()]).collect(),
            of_each_record: false,
        },
    }
}

/// Products by the marks on their documents.
pub(super) fn winner_view(_: &Store, rng: &mut Rng, count: usize) -> World {
    let events = products(rng, count, 12);
    // Producers that try again put the same event into the stream twice.
    let sent: Vec<Product> = events
        .iter()
        .flat_map(|event| std::iter::repeat_n(event.clone(), 1 + usize::from(rng.u8(0..10) == 0)))
        .collect();
    products_world("winner-view", &sent, contributions(in_their_lane(&events)))
}

/// Products by the tables of their events, which come in any order.
pub(super) fn winner_view_unordered(_: &Store, rng: &mut Rng, count: usize) -> World {
    let events = products(rng, count, 12);
    let mut sent: Vec<Product> = events.iter().chain(rng.choose_multiple(&events, count / 6)).cloned().collect();
    rng.shuffle(&mut sent);
    products_world("winner-view-unordered", &sent, contributions_in_any_order(in_their_lane(&events)))
}

fn in_their_lane(events: &[Product]) -> Vec<&Value> {
    events.iter().filter(|event| !event.elsewhere).map(|event| &event.payload).collect()
}

fn products_world(system: &str, sent: &[Product], expected: Vec<Value>) -> World {
    let mut stream = KinesisStream::new("retail");
    let records: Vec<Value> = sent.iter().map(|event| event.record(&mut stream)).collect();
    let bad = sent.iter().zip(&records).filter(|(event, _)| event.is_bad()).map(|(_, record)| record.clone());
    let bad: Vec<Value> = bad.collect();
    world(system, records, vec![("Contributions", expected)], &bad)
}

/// Votes by what each contributes, and the last ten of them by a table of events.
pub(super) fn votes_of_citizens(store: &Store, rng: &mut Rng, count: usize) -> World {
    let mut stream = TableStream::new(&store.table("votes"), &["id"]);
    let records = random::votes(rng, &mut stream, count, 60);
    let tables = vec![("total_votes", votes::total_votes(&records)), ("recent_votes", votes::recent_votes(&records))];
    world("votes", records, tables, &[])
}

/// Players by what each game contributes, with attributes that are derived.
pub(super) fn tournament_statistics(store: &Store, rng: &mut Rng, count: usize) -> World {
    let mut stream = TableStream::new(&store.table("TaTourney"), &["game", "player"]);
    let records = games(rng, &mut stream, count);
    let bad: Vec<Value> = records.iter().filter(|record| tournament::is_bad(record)).cloned().collect();
    let tables = vec![("TaTourneyStats", tournament::stats(&records))];
    world("tournament", records, tables, &bad)
}

/// Maps by what each point contributes to their nested attributes.
pub(super) fn points_on_maps(store: &Store, rng: &mut Rng, count: usize) -> World {
    let mut stream = TableStream::new(&store.table("Point"), &["MapId", "PointId"]);
    let records = points(rng, &mut stream, count);
    let bad: Vec<Value> = records.iter().filter(|record| map_rollup::is_bad(record)).cloned().collect();
    let maps = sorted(map_rollup::counts(&records).into_iter().map(|(map, mut document)| {
        document["MapId"] = map.into();
        document
    }));
    world("map-rollup", records, vec![("Map", maps)], &bad)
}
