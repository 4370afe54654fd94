//! A projection made for one guard, random events for it, and the simplest loop that says what has to come of them.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use harness::documents::sorted;
use harness::events::{KinesisStream, sequence_number};
use harness::scratch::Folder;
use serde_json::{Value, json};

use super::{Letters, World};

/// Which guard the projection has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Guard {
    Document,
    Shard,
    Lane,
    Events,
    Ordered,
}

/// One event; two of one id are one that its producer sent twice.
#[derive(Clone, Debug)]
struct Event {
    id: usize,
    does: &'static str,
    document: &'static str,
    /// Another document for what touches two of them.
    other: &'static str,
    lane: &'static str,
    value: i64,
    key: &'static str,
    order: usize,
}

/// The attribute that says that a row is what is left of a document.
const DELETED: &str = "_vf_tally_deleted";

impl Guard {
    /// Whether a document's events have an order, so that everything can be done to it.
    fn orders(self) -> bool {
        matches!(self, Guard::Document | Guard::Ordered)
    }

    /// Whether an event is known by its id, under whatever sequence number it comes.
    fn knows_ids(self) -> bool {
        matches!(self, Guard::Events | Guard::Ordered)
    }
}

/// A world of so many records.
pub(super) fn world(guard: Guard, rng: &mut Rng, count: usize) -> World {
    let derives = rng.bool();
    let folder = Folder::with("tally.yaml", &projection(guard, derives));
    let events = events(guard, rng, count);
    let mut stream = KinesisStream::new("tallies");
    let records: Vec<Value> = events.iter().map(|event| event.record(guard, &mut stream)).collect();
    let (documents, left_out) = fold(guard, derives, &events);
    let numbers = |id: &usize| {
        let records = events.iter().zip(&records).filter(|(event, _)| event.id == *id);
        records.map(|(_, record)| sequence_number(record).to_owned()).collect()
    };
    let letters = Letters {
        events: left_out.iter().map(numbers).collect(),
        // An event that cannot be evaluated has no row to say that it has come before: each of its records is put away.
        of_each_record: guard == Guard::Ordered,
    };
    World {
        projections: folder.path().to_owned(),
        _folder: Some(folder),
        records,
        tables: vec![("Tallies", documents)],
        deleted: Some(DELETED),
        letters,
    }
}

fn projection(guard: Guard, derives: bool) -> String {
    let (lane, guarded) = match guard {
        Guard::Document => ("$.id", "last_event_id"),
        Guard::Shard => ("$.lane", "{ last_event_id: shard }"),
        Guard::Lane => ("$.lane", "{ last_event_id: lane }"),
        Guard::Events => ("$.lane", "{ events_table: TallyEvents, id: $.e }"),
        Guard::Ordered => ("$.lane", "{ events_table: TallyEvents, id: $.e, order_by: $.o }"),
    };
    let mut text = format!(
        "projection: tally\n\
         source: {{ kinesis: {{ stream: tallies, lane: {lane} }} }}\n\
         document: {{ table: Tallies, partition_key: id }}\n\
         guard: {guarded}\n\
         key: {{ id: $.id }}\n\
         rules:\n\
         \x20 - {{ name: add, when: {{ $.do: add }}, add: {{ n: $.v, 'm.${{ $.k }}': 1 }} }}\n\
         \x20 - {{ name: max, when: {{ $.do: max }}, max: {{ top: $.v }} }}\n\
         \x20 - {{ name: bad, when: {{ $.do: bad }}, add: {{ n: $.missing }} }}\n"
    );
    if guard.orders() {
        text += "  - { name: set, when: { $.do: set }, set: { x: $.v }, set_once: { first: $.e } }\n";
        text += "  - { name: text, when: { $.do: text }, set: { x: text } }\n";
        text += "  - { name: grow, when: { $.do: grow }, add: { x: 1 } }\n";
        text += "  - { name: log, when: { $.do: log }, append: { log: { value: $.e, last: 3 } } }\n";
        text += "  - { name: delete, when: { $.do: delete }, delete: true }\n";
    } else {
        text += "  - { name: log, when: { $.do: log }, append: { log: { value: $.e, by: $.o, last: 3 } } }\n";
    }
    if guard != Guard::Document {
        text += "  - name: many\n    when: { $.do: many }\n    each: { one: $.ids }\n    key: { id: '${ one }' }\n";
        text += "    add: { n: $.v }\n";
    }
    if derives {
        text += "derive: { double: '${ default(doc.n, 0) * 2 }' }\n";
    }
    text
}

fn events(guard: Guard, rng: &mut Rng, count: usize) -> Vec<Event> {
    let mut does = vec!["add", "add", "add", "max", "log", "bad", "oops", "elsewhere"];
    if guard.orders() {
        does.extend(["set", "text", "grow", "delete"]);
    }
    if guard != Guard::Document {
        does.push("many");
    }
    let mut events: Vec<Event> = Vec::new();
    while events.len() < count {
        if guard.knows_ids() && rng.u8(0..6) == 0 {
            // What cannot be read has no id to be known by.
            let again = rng.choice(&events).filter(|event| !matches!(event.does, "oops" | "elsewhere"));
            events.extend(again.cloned());
            continue;
        }
        let id = events.len();
        let name = |rng: &mut Rng| ["a", "b", "c", "d", "e"][rng.usize(0..5)];
        let (document, other) = (name(rng), name(rng));
        let lane = if guard == Guard::Document { document } else { ["l", "m", "n"][rng.usize(0..3)] };
        let key = ["k", "j.i", "'\"#"][rng.usize(0..3)];
        let (value, order) = (rng.i64(-3..9), rng.usize(0..1_000) * 1_000 + id);
        events.push(Event { id, does: does[rng.usize(0..does.len())], document, other, lane, value, key, order });
    }
    events
}

impl Event {
    /// The documents that are touched by what touches two.
    fn documents(&self) -> BTreeSet<&'static str> {
        [self.document, self.other].into()
    }

    fn record(&self, guard: Guard, stream: &mut KinesisStream) -> Value {
        let lane = if self.does == "elsewhere" { "elsewhere" } else { self.lane };
        if self.does == "oops" {
            return stream.record(lane, "{oops");
        }
        let mut payload = json!({
            "id": self.document, "ids": self.documents(), "do": self.does, "v": self.value, "k": self.key,
            "o": self.order, "e": self.id,
        });
        if guard != Guard::Document {
            payload["lane"] = self.lane.into();
        }
        let mut record = stream.record(lane, payload.to_string());
        if guard == Guard::Shard && !super::is_left(&record) {
            let id = record["eventID"].as_str().expect("a record has an id");
            record["eventID"] = format!("shardId-000000000001:{}", id.rsplit(':').next().unwrap_or_default()).into();
        }
        record
    }
}

/// A document as the loop keeps it.
#[derive(Clone, Default, Debug)]
struct Document {
    n: Option<i64>,
    by_key: BTreeMap<&'static str, i64>,
    top: Option<i64>,
    x: Option<Value>,
    first: Option<usize>,
    log: Vec<(usize, usize)>,
}

/// The documents that the events make, and the ids of those that cannot be applied.
fn fold(guard: Guard, derives: bool, events: &[Event]) -> (Vec<Value>, BTreeSet<usize>) {
    let mut documents: BTreeMap<&str, Document> = BTreeMap::new();
    let mut left_out = BTreeSet::new();
    let mut events: Vec<&Event> = events.iter().collect();
    if guard == Guard::Ordered {
        events.sort_by_key(|event| event.order);
    }
    let mut met = BTreeSet::new();
    for event in events.into_iter().filter(|event| met.insert(event.id)) {
        let touched = if event.does == "many" { event.documents() } else { [event.document].into() };
        for name in touched {
            let mut after = documents.get(name).cloned().unwrap_or_default();
            let (after, is_applied) = match event.does {
                "add" => {
                    after.n = Some(after.n.unwrap_or(0) + event.value);
                    *after.by_key.entry(event.key).or_default() += 1;
                    (Some(after), true)
                }
                "many" => {
                    after.n = Some(after.n.unwrap_or(0) + event.value);
                    (Some(after), true)
                }
                "max" => {
                    after.top = Some(after.top.map_or(event.value, |top| top.max(event.value)));
                    (Some(after), true)
                }
                "log" => {
                    after.log.push((event.order, event.id));
                    if !guard.orders() {
                        after.log.sort_unstable();
                    }
                    let surplus = after.log.len().saturating_sub(3);
                    after.log.drain(..surplus);
                    (Some(after), true)
                }
                "set" => {
                    after.x = Some(event.value.into());
                    after.first.get_or_insert(event.id);
                    (Some(after), true)
                }
                "text" => {
                    after.x = Some("text".into());
                    (Some(after), true)
                }
                "grow" => match after.x.as_ref().map(Value::as_i64) {
                    Some(None) => (Some(after), false),
                    number => {
                        after.x = Some((number.flatten().unwrap_or(0) + 1).into());
                        (Some(after), true)
                    }
                },
                "delete" => (None, true),
                _ => (Some(after), false),
            };
            match after {
                _ if !is_applied => drop(left_out.insert(event.id)),
                Some(after) => drop(documents.insert(name, after)),
                None => drop(documents.remove(name)),
            }
        }
    }
    let shown = documents.into_iter().map(|(id, document)| document.shown(id, derives));
    (sorted(shown), left_out)
}

impl Document {
    fn shown(self, id: &str, derives: bool) -> Value {
        let mut shown = json!({ "id": id });
        let mut attribute = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                shown[name] = value;
            }
        };
        attribute("n", self.n.map(Value::from));
        attribute("m", (!self.by_key.is_empty()).then(|| json!(self.by_key)));
        attribute("top", self.top.map(Value::from));
        attribute("x", self.x);
        attribute("first", self.first.map(Value::from));
        attribute("log", (!self.log.is_empty()).then(|| self.log.iter().map(|(_, id)| *id).collect()));
        attribute("double", derives.then(|| (self.n.unwrap_or(0) * 2).into()));
        shown
    }
}
