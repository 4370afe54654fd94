//! Random events for a guard, the projection that folds them, and the simplest loop that says what has to come of them.

use crate::store::Store;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use fastrand::Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;
use viewfold_core::backfill::{Found, write_record};
use viewfold_core::compile::{DEAD_LETTER_TABLE, File, Options, compile};
use viewfold_core::program::{Program, is_deleted_row};
use viewfold_spec::Source;
use viewfold_value::dynamodb_json::parse_item;
use viewfold_value::{Value, json};

/// Which guard a world is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Guard {
    Document,
    Shard,
    Lane,
    Retract,
    /// As [`Guard::Retract`], on a table that was there before its stream, and that a scan goes through meanwhile.
    Backfill,
    Events,
    Ordered,
}

impl Guard {
    /// Whether its events are changes of a table's items.
    fn is_of_items(self) -> bool {
        matches!(self, Guard::Retract | Guard::Backfill)
    }
}

/// One event.
#[derive(Clone, Debug)]
struct Event {
    document: String,
    other: String,
    lane: String,
    does: &'static str,
    value: i64,
    key: &'static str,
    order: usize,
    /// What identifies it: two events of one id are one event that came twice.
    id: usize,
}

/// An item: its group, and its value, which may be no number.
type Item = (String, Option<i64>);

/// A change of an item, for the guards whose events are changes of a table.
#[derive(Clone, Debug)]
struct ItemChange {
    id: String,
    old: Option<Item>,
    new: Option<Item>,
}

pub(crate) struct World {
    guard: Guard,
    events: Vec<Event>,
    changes: Vec<ItemChange>,
    /// How many of the changes lie before the table's stream, and have no record.
    pub(crate) before: usize,
    /// What Lambda hands to the function.
    records: Vec<String>,
    /// The shard of each record.
    shard_of: Vec<usize>,
    /// Whether others write to the same items.
    pub(crate) foreign: bool,
    /// Whether the projection is corrected, and dead letters are redriven.
    pub(crate) redrives: bool,
    /// Whether the projection derives attributes.
    derives: bool,
    /// Whether requests and answers are printed (`VIEWFOLD_TRACE`).
    pub(crate) traced: bool,
}

/// A document as the loop keeps it.
#[derive(Clone, Default, PartialEq, Debug)]
struct Document {
    n: Option<i64>,
    by_key: BTreeMap<&'static str, i64>,
    x: Option<String>,
    first: Option<usize>,
    top: Option<i64>,
    log: Vec<usize>,
    fixed: Option<i64>,
}

impl World {
    pub(crate) fn new(guard: Guard, seed: u64, count: usize) -> World {
        // Fewer events of one seed are the first of more of them.
        let mut rng = Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (foreign, derives, redrives) = (rng.bool(), rng.bool(), rng.bool());
        let ordered: &[&str] = &["add", "add", "add", "set", "text", "grow", "max", "append", "bad", "delete"];
        let does: &[&'static str] = match guard {
            // What is redriven late depends on nothing else.
            Guard::Document if redrives => &["add", "add", "set", "max", "append", "bad"],
            Guard::Document | Guard::Ordered if foreign => {
                &["add", "add", "set", "text", "grow", "max", "append", "bad"]
            }
            Guard::Document | Guard::Ordered => ordered,
            _ => &["add", "add", "max", "many", "bad"],
        };
        let mut events: Vec<Event> = Vec::new();
        for number in 0..count {
            // A producer that tries again.
            let again = matches!(guard, Guard::Events | Guard::Ordered) && !events.is_empty() && rng.u8(0..6) == 0;
            if again {
                events.push(events[rng.usize(0..events.len())].clone());
                continue;
            }
            let name = |rng: &mut Rng| ["a", "b", "c"][rng.usize(0..3)].to_owned();
            let (document, other) = (name(&mut rng), name(&mut rng));
            let lane = if guard == Guard::Document { document.clone() } else { ["l", "m"][rng.usize(0..2)].to_owned() };
            let does = does[rng.usize(0..does.len())];
            let (value, key, order) = (rng.i64(-3..9), ["k", "j.i"][rng.usize(0..2)], rng.usize(0..1000));
            events.push(Event { document, other, lane, does, value, key, order: order * 1000 + number, id: number });
        }
        let changes = if guard.is_of_items() { changes(&mut rng, count) } else { Vec::new() };
        // Drawn apart: fewer events of one seed have as many before the stream, as far as there are any.
        let before = match guard {
            Guard::Backfill => Rng::with_seed(!seed).usize(0..=16).min(count),
            _ => 0,
        };
        let records = match guard {
            _ if guard.is_of_items() => {
                changes.iter().enumerate().map(|(number, change)| change.record(number)).collect()
            }
            _ => events.iter().enumerate().map(|(number, event)| event.record(number)).collect(),
        };
        let traced = std::env::var_os("VIEWFOLD_TRACE").is_some();
        let shard_of = match guard {
            _ if guard.is_of_items() => changes.iter().map(|change| shard_of(&change.id)).collect(),
            _ => events.iter().map(|event| shard_of(&event.lane)).collect(),
        };
        World { guard, events, changes, before, records, shard_of, foreign, redrives, derives, traced }
    }

    /// The records of each shard.
    pub(crate) fn shards(&self) -> Vec<Vec<&str>> {
        let mut shards = vec![Vec::new(); SHARDS];
        for (record, shard) in self.records.iter().zip(&self.shard_of).skip(self.before) {
            shards[*shard].push(record.as_str());
        }
        shards
    }

    /// How many changes or events there are in all.
    pub(crate) fn count(&self) -> usize {
        self.records.len()
    }

    /// How many records of a shard there are, once so many of all changes are written.
    pub(crate) fn told(&self, shard: usize, written: usize) -> usize {
        self.shard_of[self.before..written].iter().filter(|of| **of == shard).count()
    }

    /// Whether a scan goes through the table.
    pub(crate) fn is_scanned(&self) -> bool {
        self.guard == Guard::Backfill
    }

    /// What a scan finds of some items, behind so many of all changes, as the payload of a batch. Without items it is none.
    pub(crate) fn page(&self, written: usize, items: Range<usize>) -> Option<String> {
        let mut found: BTreeMap<&str, &Item> = BTreeMap::new();
        for change in &self.changes[..written] {
            match &change.new {
                Some(new) => drop(found.insert(&change.id, new)),
                None => drop(found.remove(change.id.as_str())),
            }
        }
        let ids = items.map(|number| format!("i{number}"));
        let record = |id: String| {
            let new = parse_item(image(&id, found.get(id.as_str())?).as_bytes()).expect("an image is an item");
            let keys = [("id".to_owned(), new["id"].clone())].into();
            let mut text = String::new();
            let found = Found { keys: &keys, new: Some(&new), old: None, order: 0 };
            write_record("arn:aws:dynamodb:eu-west-1:123456789012:table/Items", found, &mut text);
            Some(text)
        };
        let records: Vec<String> = ids.filter_map(record).collect();
        (!records.is_empty()).then(|| format!("{{\"Records\":[{}]}}", records.join(",")))
    }

    /// The projection, with rules that some events cannot satisfy, or corrected.
    pub(crate) fn program(&self, corrected: bool) -> Program {
        let guard = match self.guard {
            Guard::Document => "last_event_id",
            Guard::Shard => "{ last_event_id: shard }",
            Guard::Lane | Guard::Retract | Guard::Backfill => "{ last_event_id: lane, table: Marks }",
            Guard::Events => "{ events_table: Events, id: $.e }",
            Guard::Ordered => "{ events_table: Events, id: $.e, order_by: $.o }",
        };
        let derive = if self.derives { "derive: { double: '${ default(doc.n, 0) * 2 }' }\n" } else { "" };
        let text = match self.guard {
            Guard::Retract | Guard::Backfill => format!(
                "projection: p\nsource: {{ dynamodb: {{ table: Items, keys: [id] }} }}\n\
                 document: {{ table: Docs, partition_key: id }}\nguard: {guard}\nkey: {{ id: $.g }}\n\
                 delete_when: doc.n == 0 && doc.v == 0\n{derive}\
                 rules: [{{ name: r, retract: true, add: {{ n: 1, v: {} }} }}]\n",
                if corrected { "$.w" } else { "$.v" }
            ),
            _ => format!(
                "projection: p\nsource: {{ kinesis: {{ stream: s, lane: $.lane }} }}\n\
                 document: {{ table: Docs, partition_key: id }}\nguard: {guard}\nkey: {{ id: $.id }}\n{derive}rules:\n\
                 \x20 - {{ name: add, when: {{ $.do: add }}, add: {{ n: $.v, 'm.${{ $.k }}': 1 }} }}\n\
                 \x20 - {{ name: max, when: {{ $.do: max }}, max: {{ top: $.v }} }}\n\
                 \x20 - {{ name: many, when: {{ $.do: many }}, each: {{ each: $.ids }}, key: {{ id: '${{ each }}' }}, add: {{ n: $.v }} }}\n\
                 \x20 - {{ name: bad, when: {{ $.do: bad }}, any_order: true, {} }}\n{}",
                if corrected { "add: { fixed: 1 }" } else { "set: { y: $.missing }" },
                match self.guard {
                    Guard::Document | Guard::Ordered =>
                        "  - { name: set, when: { $.do: set }, set: { x: '${ $.v }' }, set_once: { first: $.e } }\n\
                         \x20 - { name: text, when: { $.do: text }, set: { x: text } }\n\
                         \x20 - { name: grow, when: { $.do: grow }, add: { x: 1 } }\n\
                         \x20 - { name: append, when: { $.do: append }, append: { log: { value: $.e, last: 3 } } }\n\
                         \x20 - { name: delete, when: { $.do: delete }, delete: true }\n",
                    _ => "",
                }
            ),
        };
        // Documents of other lanes and of many documents have no order; the document's own guard needs its lane in the key.
        let text = match self.guard {
            Guard::Document => text
                .replace("lane: $.lane", "lane: $.id")
                .lines()
                .filter(|line| !line.contains("name: many"))
                .fold(String::new(), |text, line| text + line + "\n"),
            _ => text,
        };
        let source = Arc::new(Source { name: "p.yaml".into(), text });
        let projection = viewfold_spec::parse(&source).unwrap_or_else(|findings| panic!("{findings:?}"));
        let file = File { source, projection, schemas: BTreeMap::new() };
        compile(&[file], &Options::default()).unwrap_or_else(|findings| panic!("{findings:#?}")).program
    }

    /// A write of others to an item that is there.
    pub(crate) fn write_beside(&self, store: &mut Store, rng: &mut Rng) {
        let ids: Vec<viewfold_value::Item> =
            store.items("Docs").into_iter().map(|item| [("id".to_owned(), item["id"].clone())].into()).collect();
        if let Some(key) = rng.choice(&ids) {
            store.touch("Docs", key, "foreign", Value::Number(rng.u64(0..1000).into()));
        }
    }

    /// The documents that the events make, and how many events are left out.
    fn expected(&self) -> (BTreeMap<String, Document>, BTreeSet<usize>) {
        let mut documents: BTreeMap<String, Document> = BTreeMap::new();
        let mut left_out: BTreeSet<usize> = BTreeSet::new();
        let mut events: Vec<&Event> = self.events.iter().collect();
        if self.guard == Guard::Ordered {
            events.sort_by_key(|event| event.order);
        }
        let mut met: BTreeSet<usize> = BTreeSet::new();
        for event in events.into_iter().filter(|event| met.insert(event.id)) {
            let mut after = documents.get(&event.document).cloned().unwrap_or_default();
            match event.does {
                "bad" if self.redrives => after.fixed = Some(after.fixed.unwrap_or(0) + 1),
                "bad" => {
                    left_out.insert(event.id);
                    continue;
                }
                "delete" => {
                    documents.remove(&event.document);
                    continue;
                }
                "many" => {
                    let ids = BTreeMap::from([(&event.document, ()), (&event.other, ())]);
                    for id in ids.into_keys() {
                        let document = documents.entry(id.clone()).or_default();
                        document.n = Some(document.n.unwrap_or(0) + event.value);
                    }
                    continue;
                }
                "add" => {
                    after.n = Some(after.n.unwrap_or(0) + event.value);
                    *after.by_key.entry(event.key).or_default() += 1;
                }
                "max" => after.top = Some(after.top.map_or(event.value, |top| top.max(event.value))),
                "set" => {
                    after.x = Some(event.value.to_string());
                    after.first.get_or_insert(event.id);
                }
                "text" => after.x = Some("text".into()),
                "grow" => match after.x.as_deref().map(str::parse::<i64>) {
                    Some(Err(_)) => {
                        left_out.insert(event.id);
                        continue;
                    }
                    Some(Ok(number)) => after.x = Some((number + 1).to_string()),
                    None => after.x = Some("1".into()),
                },
                _ => {
                    after.log.push(event.id);
                    if after.log.len() > 3 {
                        after.log.remove(0);
                    }
                }
            }
            documents.insert(event.document.clone(), after);
        }
        (documents, left_out)
    }

    /// The same for items that contribute as long as they are there.
    fn contributed(&self) -> (BTreeMap<String, (i64, i64)>, RangeInclusive<usize>) {
        let mut items: BTreeMap<&str, &Item> = BTreeMap::new();
        let (mut told, mut untold) = (0, BTreeSet::new());
        for (number, change) in self.changes.iter().enumerate() {
            match &change.new {
                Some(new) => drop(items.insert(&change.id, new)),
                None => drop(items.remove(change.id.as_str())),
            }
            let is_bad = matches!(change.new, Some((_, None)));
            if number >= self.before {
                told += usize::from(is_bad);
                untold.remove(&change.id);
            } else if is_bad {
                untold.insert(&change.id);
            } else {
                untold.remove(&change.id);
            }
        }
        let left_out = match self.redrives {
            true => 0..=0,
            // What only the scan tells of, it has found. Where the stream tells of it as well, it may have been before it.
            false => told + untold.len()..=told + if self.is_scanned() { ITEMS } else { 0 },
        };
        let mut groups: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for (group, value) in items.into_values() {
            // What is no number counts as 1 once the projection is corrected.
            let value = if self.redrives { Some(value.unwrap_or(1)) } else { *value };
            if let Some(value) = value {
                let sums = groups.entry(group.clone()).or_default();
                *sums = (sums.0 + 1, sums.1 + value);
            }
        }
        (groups, left_out)
    }

    /// What differs between the tables and what the events make.
    pub(crate) fn compare(&self, store: &Store, program: &Program) -> Result<(), String> {
        let (expected, left_out) = match self.guard {
            Guard::Retract | Guard::Backfill => {
                let (groups, left_out) = self.contributed();
                let shown = groups.into_iter().map(|(id, (n, v))| {
                    let double = if self.derives { format!(",\"double\":{}", n * 2) } else { String::new() };
                    (
                        id.clone(),
                        format!(
                            "{{{}\"id\":\"{id}\",\"n\":{n},\"v\":{v}}}",
                            double.trim_start_matches(',').to_owned() + if self.derives { "," } else { "" }
                        ),
                    )
                });
                (shown.collect::<BTreeMap<String, String>>(), left_out)
            }
            _ => {
                let (documents, left_out) = self.expected();
                let shown = documents.iter().map(|(id, document)| (id.clone(), document.shown(id, self.derives)));
                // A producer's second event is a record of its own: with `order_by` one that cannot be evaluated has no row
                // that would tell, and each record becomes a dead letter.
                let records = self.events.iter().filter(|event| left_out.contains(&event.id)).count();
                let most = if self.guard == Guard::Ordered { records } else { left_out.len() };
                (shown.collect(), left_out.len()..=most)
            }
        };
        let bookkeeping = program.bookkeeping("Docs");
        let found: BTreeMap<String, String> = store
            .items("Docs")
            .into_iter()
            .filter(|item| {
                !is_deleted_row(item.keys().filter(|name| *name != "foreign"), |name| name == "id", &bookkeeping)
            })
            .map(|item| {
                let mut item = item.clone();
                item.retain(|name, _| !name.starts_with("_vf_") && name != "foreign");
                (item["id"].as_str().unwrap_or_default().to_owned(), Value::Map(item).to_string())
            })
            .collect();
        if found != expected {
            return Err(format!("the documents are {found:#?} and not {expected:#?}"));
        }
        let all = store.items(DEAD_LETTER_TABLE);
        let open: Vec<&&viewfold_value::Item> =
            all.iter().filter(|row| row["pk"].as_str().is_some_and(|key| key.starts_with("open/"))).collect();
        let told = |name: &str, row: &&&viewfold_value::Item| row.get(name).and_then(Value::as_str).map(str::to_owned);
        // All items that a scan finds have the same sequence number.
        let letters: BTreeSet<_> = open.iter().map(|row| (told("sequence", row), told("lane", row))).collect();
        let rows = open.len();
        if letters.len() < *left_out.start() || rows > *left_out.end() {
            return Err(format!("{left_out:?} events cannot be applied, and there are {rows} dead letters"));
        }
        Ok(())
    }

    pub(crate) fn shown(&self) -> String {
        let events = self.events.iter().map(|event| format!("{event:?}\n"));
        let changes = self.changes.iter().map(|change| format!("{change:?}\n"));
        if self.guard.is_of_items() { changes.collect() } else { events.collect() }
    }
}

impl Document {
    /// As the store's document is shown.
    fn shown(&self, id: &str, derives: bool) -> String {
        let mut parts = vec![format!("\"id\":\"{id}\"")];
        if derives {
            parts.push(format!("\"double\":{}", self.n.unwrap_or(0) * 2));
        }
        parts.extend(self.fixed.map(|fixed| format!("\"fixed\":{fixed}")));
        parts.extend(self.first.map(|first| format!("\"first\":{first}")));
        if !self.log.is_empty() {
            parts.push(format!("\"log\":{:?}", self.log).replace(' ', ""));
        }
        if !self.by_key.is_empty() {
            let entries: Vec<String> = self.by_key.iter().map(|(key, count)| format!("\"{key}\":{count}")).collect();
            parts.push(format!("\"m\":{{{}}}", entries.join(",")));
        }
        parts.extend(self.n.map(|n| format!("\"n\":{n}")));
        parts.extend(self.top.map(|top| format!("\"top\":{top}")));
        parts.extend(self.x.as_ref().map(|x| match x.parse::<i64>() {
            Ok(number) => format!("\"x\":{number}"),
            Err(_) => format!("\"x\":\"{x}\""),
        }));
        let text = format!("{{{}}}", parts.join(","));
        json::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}")).to_string()
    }
}

impl Event {
    fn record(&self, number: usize) -> String {
        let Event { document, other, lane, does, value, key, order, id } = self;
        let mut ids = vec![document, other];
        ids.dedup();
        let payload = format!(
            r#"{{"id":"{document}","ids":{ids:?},"lane":"{lane}","do":"{does}","v":{value},"k":"{key}","o":{order},"e":{id}}}"#
        );
        let (data, sequence) = (BASE64.encode(payload), 1_000 + number);
        format!(
            r#"{{"eventID":"shardId-{}:{sequence}","eventSourceARN":"arn:aws:kinesis:eu-west-1:123456789012:stream/s",
                "kinesis":{{"partitionKey":"{lane}","sequenceNumber":"{sequence}","data":"{data}"}}}}"#,
            shard_of(lane)
        )
    }
}

impl ItemChange {
    fn record(&self, number: usize) -> String {
        let ItemChange { id, old, new } = self;
        let mut images = String::new();
        for (name, state) in [("OldImage", old), ("NewImage", new)] {
            if let Some(state) = state {
                images += &format!(r#","{name}":{}"#, image(id, state));
            }
        }
        let name = match (old, new) {
            (None, _) => "INSERT",
            (_, None) => "REMOVE",
            _ => "MODIFY",
        };
        format!(
            r#"{{"eventID":"e{number}","eventName":"{name}","eventSource":"aws:dynamodb",
                "eventSourceARN":"arn:aws:dynamodb:eu-west-1:123456789012:table/Items/stream/2026-01-01T00:00:00.000",
                "dynamodb":{{"Keys":{{"id":{{"S":"{id}"}}}},"SequenceNumber":"{}"{images}}}}}"#,
            1_000 + number
        )
    }
}

/// An item as a stream shows it.
fn image(id: &str, (group, value): &Item) -> String {
    let w = value.unwrap_or(1);
    let value = value.map_or(r#"{"S":"none"}"#.to_owned(), |value| format!(r#"{{"N":"{value}"}}"#));
    format!(r#"{{"id":{{"S":"{id}"}},"g":{{"S":"{group}"}},"v":{value},"w":{{"N":"{w}"}}}}"#)
}

/// How many items the table may have: `i0` and on.
pub(crate) const ITEMS: usize = 5;

/// How many shards feed the function.
const SHARDS: usize = 2;

/// The shard of a lane.
fn shard_of(lane: &str) -> usize {
    lane.bytes().map(usize::from).sum::<usize>() % SHARDS
}

/// Items that come, change, move to another group, become unusable, and go.
fn changes(rng: &mut Rng, count: usize) -> Vec<ItemChange> {
    let mut items: BTreeMap<String, Item> = BTreeMap::new();
    let mut changes = Vec::new();
    for _ in 0..count {
        let id = format!("i{}", rng.usize(0..ITEMS));
        let old = items.get(&id).cloned();
        let value = (rng.u8(0..8) > 0).then(|| rng.i64(1..9));
        let new = (old.is_none() || rng.u8(0..4) > 0).then(|| (["g", "h"][rng.usize(0..2)].to_owned(), value));
        match &new {
            Some(new) => drop(items.insert(id.clone(), new.clone())),
            None => drop(items.remove(&id)),
        }
        changes.push(ItemChange { id, old, new });
    }
    changes
}
