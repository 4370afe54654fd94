//! The events of each system.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use fastrand::Rng;

use super::System;
use super::padding::{Form, padding, write_fields};
use super::record::{attribute, change, field, kinesis};
use super::zipf::Zipf;

const IMPROVEMENTS: [&str; 8] =
    ["MORE_TREES", "BIKE_LANES", "CAR_FREE", "MORE_FLOWERS", "BENCHES", "PLAYGROUNDS", "LIGHTS", "NIGHT_BUSES"];

const CATEGORIES: [&str; 6] = ["Restaurant", "Landmark", "Café", "Park", "Museum A.b c", "None"];

/// A system's stream of records.
pub(super) struct Stream {
    system: System,
    rng: Rng,
    payload: RangeInclusive<usize>,
    keys: Zipf,
    kinds: Zipf,
    number: u64,
    table: Table,
    /// What an unordered stream delivers later.
    late: VecDeque<(String, String)>,
}

/// The items of a table that a stream tells of.
#[derive(Default)]
struct Table {
    /// The key and the image of each item that is there, in DynamoDB's JSON.
    items: Vec<(String, String)>,
    /// How many there have been.
    made: u64,
}

/// A table has not more than so many items that change: older ones stay as they are.
const CHANGING: usize = 5000;

impl Stream {
    pub(super) fn new(system: System, seed: u64, keys: usize, payload: RangeInclusive<usize>) -> Stream {
        let kinds = match system {
            System::MapRollup => CATEGORIES.len(),
            _ => IMPROVEMENTS.len(),
        };
        Stream {
            system,
            // Two systems with one seed have nothing in common.
            rng: Rng::with_seed(seed.wrapping_mul(31).wrapping_add(system as u64)),
            payload,
            keys: Zipf::new(keys),
            kinds: Zipf::new(kinds),
            number: 0,
            table: Table::default(),
            late: VecDeque::new(),
        }
    }

    /// The next record.
    pub(super) fn next(&mut self) -> String {
        self.number += 1;
        match self.system {
            System::VotesKinesis => {
                let region = region(self.keys.draw(&mut self.rng));
                let improvement = IMPROVEMENTS[self.kinds.draw(&mut self.rng)];
                let id = field("id", &self.number.to_string());
                let vote = format!("{id},{},{}", field("region", &region), field("improvement", improvement));
                let payload = self.padded(vote, Form::Plain);
                kinesis("votes", self.number, &region, &format!("{{{payload}}}"))
            }
            System::Votes => self.change("votes", Stream::vote),
            System::Tournament => self.change("TaTourney", Stream::game),
            System::MapRollup => self.change("Point", Stream::point),
            System::WinnerView => {
                let (key, payload) = self.product();
                kinesis("retail", self.number, &key, &payload)
            }
            System::WinnerViewUnordered => {
                // One in eight comes later, one in twenty comes twice.
                let made = self.product();
                match self.rng.u8(0..40) {
                    0..=4 => self.late.push_back(made.clone()),
                    5 | 6 => {
                        self.late.push_back(made.clone());
                        return kinesis("retail", self.number, &made.0, &made.1);
                    }
                    _ => return kinesis("retail", self.number, &made.0, &made.1),
                }
                let late = if self.late.len() > 50 { self.late.pop_front() } else { None };
                let (key, payload) = late.unwrap_or_else(|| self.product());
                kinesis("retail", self.number, &key, &payload)
            }
        }
    }

    /// Fields with others behind them that no rule reads, so that the whole is of one of the sizes that were asked for.
    fn padded(&mut self, mut fields: String, form: Form) -> String {
        let size = self.size();
        let padding = padding(&mut self.rng, form, size.saturating_sub(fields.len() + 3));
        if !padding.is_empty() {
            fields.push(',');
            write_fields(&mut fields, &padding, form);
        }
        fields
    }

    /// A size, as many in each doubling.
    fn size(&mut self) -> usize {
        let (least, most) = (*self.payload.start(), *self.payload.end());
        if least >= most {
            return least;
        }
        // Doublings by whole numbers: logarithms need not come out the same on every machine.
        let mut bounds = vec![least];
        while let Some(last) = bounds.last().copied().filter(|last| *last < most) {
            bounds.push((last.max(1) * 2).min(most));
        }
        // The last doubling may be cut short: it is as likely as it is long.
        let doublings = bounds.len() - 2;
        let last = &bounds[doublings..];
        let share = (last[1] - last[0]) as f64 / last[0].max(1) as f64;
        let at = self.rng.f64() * (doublings as f64 + share);
        let doubling = (at as usize).min(doublings);
        self.rng.usize(bounds[doubling]..=bounds[doubling + 1])
    }

    /// Three quarters of a table's changes are new items; of the others, three quarters are corrections.
    fn change(&mut self, table: &str, item: impl Fn(&mut Stream, Option<&str>) -> (String, String)) -> String {
        let known = self.table.items.len();
        if known == 0 || self.rng.u8(0..16) < 12 {
            let (key, image) = item(self, None);
            let image = self.padded(format!("{key},{image}"), Form::Typed);
            let record = change(table, self.number, &key, None, Some(&image));
            if known < CHANGING {
                self.table.items.push((key, image));
            } else {
                let at = self.rng.usize(0..known);
                self.table.items[at] = (key, image);
            }
            return record;
        }
        let at = self.rng.usize(0..known);
        if self.rng.u8(0..4) == 0 {
            let (key, old) = self.table.items.swap_remove(at);
            return change(table, self.number, &key, Some(&old), None);
        }
        let (key, old) = self.table.items[at].clone();
        let (_, image) = item(self, Some(&key));
        let image = self.padded(format!("{key},{image}"), Form::Typed);
        let record = change(table, self.number, &key, Some(&old), Some(&image));
        self.table.items[at].1 = image;
        record
    }

    fn vote(&mut self, key: Option<&str>) -> (String, String) {
        let key = key.map_or_else(|| attribute("id", "S", &self.made()), str::to_owned);
        let region = region(self.keys.draw(&mut self.rng));
        let improvement = IMPROVEMENTS[self.kinds.draw(&mut self.rng)];
        // One in a hundred has no region that can be used: it counts nowhere.
        let kind = if self.rng.u8(0..100) == 0 { "B" } else { "S" };
        let region = if kind == "B" { attribute("region", "B", "bm9uZQ==") } else { attribute("region", "S", &region) };
        (key, format!("{region},{}", attribute("improvement", "S", improvement)))
    }

    fn game(&mut self, key: Option<&str>) -> (String, String) {
        let game = self.made();
        let player = format!("player-{}", self.keys.draw(&mut self.rng));
        let key = key.map_or_else(
            || format!("{},{}", attribute("game", "N", &game), attribute("player", "S", &player)),
            str::to_owned,
        );
        let score = match self.rng.u8(0..8) {
            0 => format!("{}.{}", self.rng.u8(0..200), self.rng.u8(1..10)),
            _ => self.rng.u8(0..200).to_string(),
        };
        let mut image = format!("{},{}", attribute("date", "S", "2026-03-01"), attribute("score", "N", &score));
        if self.rng.u8(0..4) == 0 {
            image.push(',');
            image.push_str(&attribute("winner", "N", "1"));
        }
        (key, image)
    }

    fn point(&mut self, key: Option<&str>) -> (String, String) {
        let point = self.made();
        let map = format!("map-{}", self.keys.draw(&mut self.rng));
        let key = key.map_or_else(
            || format!("{},{}", attribute("MapId", "S", &map), attribute("PointId", "S", &point)),
            str::to_owned,
        );
        let address = format!("{} Broad St, Zürich", self.rng.u16(..));
        let mut image = attribute("Address", "S", &address);
        let category = self.kinds.draw(&mut self.rng);
        // One category is none at all.
        if category + 1 < CATEGORIES.len() {
            image.push(',');
            image.push_str(&attribute("Category", "S", CATEGORIES[category]));
        }
        (key, image)
    }

    /// The number of one more item, as text.
    fn made(&mut self) -> String {
        self.table.made += 1;
        self.table.made.to_string()
    }

    /// What somebody does to a product: most buy it.
    fn product(&mut self) -> (String, String) {
        self.table.made += 1;
        let made = self.table.made;
        let product = format!("product-{}", self.keys.draw(&mut self.rng));
        let person = self.rng.u16(0..500);
        let kind = ["create", "image", "purchase", "purchase", "purchase", "purchase", "purchase", "view"]
            [self.rng.usize(0..8)];
        let schema = field("schema", &format!("com.nordstrom/product/{kind}/1-0-0"));
        let mut data = format!("{schema},{}", field("id", &product));
        match kind {
            "create" => {
                for (name, text) in
                    [("brand", "POLO"), ("name", "Socks"), ("description", "warm, naïve"), ("category", "Socks")]
                {
                    data.push(',');
                    data.push_str(&field(name, text));
                }
            }
            "image" => {
                data.push(',');
                data.push_str(&field("image", &format!("phil.example.com/i/p/{product}")));
            }
            _ => {}
        }
        let (minute, second) = (made / 60 % 60, made % 60);
        let time = |later: u64| format!("2026-03-01T08:{minute:02}:{second:02}.{later:03}Z");
        let event_id = format!("shardId-000000000002:49571669009522853278119462494300940056686602{made:012}");
        let fields = [
            field("schema", "com.nordstrom/retail-stream-egress/1-0-0"),
            field("origin", &format!("hello-retail/{kind}/person-{person}")),
            field("timeOrigin", &time(160)),
            format!("\"data\":{{{data}}}"),
            field("eventId", &event_id),
            field("timeIngest", &time(262)),
            field("timeProcess", &time(720)),
        ];
        let payload = self.padded(fields.join(","), Form::Plain);
        (product, format!("{{{payload}}}"))
    }
}

/// The name of a region: the first ones are the frequent ones.
fn region(number: usize) -> String {
    match number {
        0 => "NORTH".to_owned(),
        1 => "SOUTH".to_owned(),
        2 => "ÎLE-DE-FRANCE".to_owned(),
        other => format!("REGION-{other}"),
    }
}
