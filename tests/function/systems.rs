//! The five systems on thousands of random events, good and bad, in batches that come again: the tables are what the
//! simplest loop makes of the events.

use fastrand::Rng;
use harness::documents::{Bookkeeping, sorted};
use harness::events::{KinesisStream, TableStream, batch};
use harness::feed::Feed;
use harness::function::Function;
use harness::golden::product_record;
use harness::oracle::winner_view::{contributions, contributions_in_any_order, scores};
use harness::oracle::{map_rollup, tournament, votes};
use harness::random::{self, Product, batches, games, points, product_payload, products};
use harness::store::Store;
use serde_json::{Value, json};

use crate::{deliver_whole, deploy};

/// Delivers records as Lambda does: in order, in batches of any size, some of them again.
async fn deliver_randomly(function: &Function, records: &[Value], rng: &mut Rng) {
    for range in batches(rng, records.len(), 150) {
        deliver_whole(function, &batch(records[range].to_vec())).await;
    }
}

async fn documents(store: &Store, table: &str) -> Vec<Value> {
    store.documents(table, Bookkeeping::Hidden).await
}

async fn dead_letters(store: &Store) -> usize {
    store.letters().await.len()
}

/// The payloads that a winner view is to fold: those whose record is in its lane.
fn in_their_lane(events: &[Product]) -> Vec<&Value> {
    events.iter().filter(|event| !event.elsewhere).map(|event| &event.payload).collect()
}

/// How many of the events make a dead letter.
fn bad(events: &[Product]) -> usize {
    events.iter().filter(|event| event.is_bad()).count()
}

#[tokio::test]
async fn winner_view() {
    let mut rng = Rng::with_seed(0x5eed_0001);
    let store = Store::start().await;
    let function = deploy("projections/winner-view", &store).await;
    let scores_function = deploy("projections/winner-view", &store).await;
    let mut view = Feed::of(&store, "Contributions").await;
    let mut stream = KinesisStream::new("retail");
    let events = products(&mut rng, 3_000, 40);
    // Producers that try again put the same event into the stream twice.
    let sent: Vec<&Product> =
        events.iter().flat_map(|event| std::iter::repeat_n(event, 1 + usize::from(rng.u8(0..10) == 0))).collect();
    let records: Vec<Value> = sent.iter().map(|event| event.record(&mut stream)).collect();
    for records in records.chunks(500) {
        deliver_randomly(&function, records, &mut rng).await;
        // The second function is as far behind as it likes.
        deliver_randomly(&scores_function, &view.next().await, &mut rng).await;
    }
    let expected = contributions(in_their_lane(&events));
    assert!(expected.len() == 40 && dead_letters(&store).await > 100);
    assert_eq!(documents(&store, "Contributions").await, expected);
    assert_eq!(documents(&store, "Scores").await, scores(&expected));
    let sent: Vec<Product> = sent.into_iter().cloned().collect();
    assert_eq!(dead_letters(&store).await, bad(&sent));
}

#[tokio::test]
async fn winner_view_unordered() {
    let mut rng = Rng::with_seed(0x5eed_0002);
    let store = Store::start().await;
    let function = deploy("projections/winner-view-unordered", &store).await;
    let scores_function = deploy("projections/winner-view-unordered", &store).await;
    let mut view = Feed::of(&store, "Contributions").await;
    let mut stream = KinesisStream::new("retail");
    let events = products(&mut rng, 600, 12);
    let mut sent: Vec<Product> = events.iter().chain(rng.choose_multiple(&events, 100)).cloned().collect();
    rng.shuffle(&mut sent);
    let records: Vec<Value> = sent.iter().map(|event| event.record(&mut stream)).collect();
    for records in records.chunks(100) {
        deliver_randomly(&function, records, &mut rng).await;
        deliver_randomly(&scores_function, &view.next().await, &mut rng).await;
    }
    let expected = contributions_in_any_order(in_their_lane(&events));
    assert_eq!(documents(&store, "Contributions").await, expected);
    assert_eq!(documents(&store, "Scores").await, scores(&expected));
    assert_eq!(dead_letters(&store).await, bad(&sent));
}

/// All orders of so many things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let with_last = |order: Vec<usize>| {
        (0..count).map(move |at| {
            let mut order = order.clone();
            order.insert(at, count - 1);
            order
        })
    };
    orders(count - 1).into_iter().flat_map(with_last).collect()
}

/// Folds the same kinds of events in many orders, each on a product of its own with people of its own, in one delivery
/// each, some of them twice: every product has to come out alike.
async fn alike_in_any_order(kinds: &[&str], orders: &[Vec<usize>], rng: &mut Rng) {
    let store = Store::start().await;
    let function = deploy("projections/winner-view-unordered", &store).await;
    let mut view = Feed::of(&store, "Contributions").await;
    let mut stream = KinesisStream::new("retail");
    let mut all = Vec::new();
    let mut deliveries: Vec<Vec<Value>> = vec![Vec::new(); 2 * kinds.len()];
    for (number, order) in orders.iter().enumerate() {
        let event = |at: usize| {
            let person = format!("{} {number}", ["Ann", "Bob"][at % 2]);
            product_payload(kinds[at], &number.to_string(), &person, number * kinds.len() + at)
        };
        all.extend((0..kinds.len()).map(event));
        let mut delivery = 0;
        for at in order {
            deliveries[delivery].push(event(*at));
            delivery += 1;
            if rng.bool() {
                deliveries[delivery].push(event(order[rng.usize(0..delivery.min(order.len()))]));
                delivery += 1;
            }
        }
    }
    for payloads in deliveries {
        let records: Vec<Value> = payloads.iter().map(|payload| product_record(&mut stream, payload)).collect();
        deliver_randomly(&function, &records, rng).await;
        deliver_randomly(&function, &view.next().await, rng).await;
    }
    let expected = contributions_in_any_order(&all);
    assert_eq!(expected.len(), orders.len());
    assert_eq!(documents(&store, "Contributions").await, expected);
    assert_eq!(documents(&store, "Scores").await, scores(&expected));
    assert_eq!(dead_letters(&store).await, 0);
}

#[tokio::test]
async fn every_order_of_five_events_makes_the_same_tables() {
    let orders = orders(5);
    assert_eq!(orders.len(), 120);
    let mut rng = Rng::with_seed(0x5eed_0006);
    alike_in_any_order(&["create", "purchase", "image", "purchase", "create"], &orders, &mut rng).await;
    alike_in_any_order(&["purchase", "image", "purchase", "create", "image"], &orders, &mut rng).await;
}

#[tokio::test]
async fn random_orders_of_more_events_make_the_same_tables() {
    let mut rng = Rng::with_seed(0x5eed_0007);
    let kinds: Vec<&str> = (0..14).map(|_| ["create", "image", "purchase", "purchase"][rng.usize(0..4)]).collect();
    let orders: Vec<Vec<usize>> = (0..40)
        .map(|_| {
            let mut order: Vec<usize> = (0..kinds.len()).collect();
            rng.shuffle(&mut order);
            order
        })
        .collect();
    alike_in_any_order(&kinds, &orders, &mut rng).await;
}

#[tokio::test]
async fn tournament_statistics() {
    let mut rng = Rng::with_seed(0x5eed_0003);
    let store = Store::start().await;
    let function = deploy("projections/tournament", &store).await;
    let mut stream = TableStream::new(&store.table("TaTourney"), &["game", "player"]);
    let records = games(&mut rng, &mut stream, 3_000);
    deliver_randomly(&function, &records, &mut rng).await;
    assert_eq!(documents(&store, "TaTourneyStats").await, tournament::stats(&records));
    assert_eq!(dead_letters(&store).await, records.iter().filter(|record| tournament::is_bad(record)).count());
}

#[tokio::test]
async fn votes_of_citizens() {
    let mut rng = Rng::with_seed(0x5eed_0004);
    let store = Store::start().await;
    let function = deploy("projections/votes", &store).await;
    let mut stream = TableStream::new(&store.table("votes"), &["id"]);
    let records = random::votes(&mut rng, &mut stream, 3_000, 400);
    deliver_randomly(&function, &records, &mut rng).await;
    assert_eq!(documents(&store, "total_votes").await, votes::total_votes(&records));
    assert_eq!(documents(&store, "recent_votes").await, votes::recent_votes(&records));
    assert_eq!(dead_letters(&store).await, 0, "votes without a usable region or improvement pass by");

    // Everything goes: no row is left.
    let mut left: std::collections::BTreeMap<String, Value> = std::collections::BTreeMap::new();
    for record in &records {
        left.insert(record["dynamodb"]["Keys"].to_string(), record["dynamodb"]["NewImage"].clone());
    }
    let gone: Vec<Value> = left.into_values().filter(Value::is_object).map(|item| stream.remove(item)).collect();
    deliver_randomly(&function, &gone, &mut rng).await;
    assert_eq!(documents(&store, "total_votes").await, [Value::Null; 0]);
}

#[tokio::test]
async fn map_rollup_beside_people() {
    use aws_sdk_dynamodb::types::AttributeValue::S;

    let mut rng = Rng::with_seed(0x5eed_0005);
    let store = Store::start().await;
    let function = deploy("projections/map-rollup", &store).await;
    let client = store.client();
    for (map, city) in [("A", "Seattle"), ("B", "Olympia"), ("unvisited", "Sydney")] {
        let put = client.put_item().table_name(store.table("Map")).item("MapId", S(map.into()));
        put.item("City", S(city.into())).send().await.expect("the map can be put");
    }
    let mut stream = TableStream::new(&store.table("Point"), &["MapId", "PointId"]);
    let records = points(&mut rng, &mut stream, 3_000);
    let (first, second) = records.split_at(1_500);
    deliver_randomly(&function, first, &mut rng).await;
    // People go on editing.
    let update = client.update_item().table_name(store.table("Map")).key("MapId", S("A".into()));
    let update = update.update_expression("SET #s = :s").expression_attribute_names("#s", "State");
    update.expression_attribute_values(":s", S("WA".into())).send().await.expect("the map can be changed");
    deliver_randomly(&function, second, &mut rng).await;

    let mut expected = map_rollup::counts(&records);
    for (map, own) in [
        ("A", json!({ "City": "Seattle", "State": "WA" })),
        ("B", json!({ "City": "Olympia" })),
        ("unvisited", json!({ "City": "Sydney" })),
    ] {
        let document = expected.entry(map.to_owned()).or_insert_with(|| json!({}));
        for (name, value) in own.as_object().expect("attributes") {
            document[name] = value.clone();
        }
    }
    let expected = sorted(expected.into_iter().map(|(map, mut document)| {
        document["MapId"] = map.into();
        document
    }));
    assert_eq!(documents(&store, "Map").await, expected);
    assert_eq!(dead_letters(&store).await, records.iter().filter(|record| map_rollup::is_bad(record)).count());
}
