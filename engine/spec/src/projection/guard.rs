//! `guard:`

use crate::literal::FORM;
use crate::{Literal, Spanned};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use std::borrow::Cow;
use std::fmt;

/// What makes a repeated event harmless.
#[derive(Clone, Debug)]
pub enum Guard {
    /// Nothing: a repeated event counts again.
    None,
    /// The newest event id is remembered; what is not above it is a repeat.
    LastEventId(LastEventId),
    /// Every event's id is remembered in a table of its own.
    EventsTable(EventsTable),
}

/// `{last_event_id: …}`
#[derive(Clone, Debug)]
pub struct LastEventId {
    /// Where the newest id is kept.
    pub place: MarkPlace,
    /// What orders the events.
    pub order_by: Option<Spanned<Literal>>,
    /// The attribute that holds the mark.
    pub attribute: Option<Spanned<String>>,
    /// The table of marks.
    pub table: Option<Spanned<String>>,
}

/// `{events_table: …}`
#[derive(Clone, Debug)]
pub struct EventsTable {
    /// The table's name.
    pub table: Spanned<String>,
    /// What tells an event from all others.
    pub id: Option<Spanned<Literal>>,
    /// What orders the events of a document.
    pub order_by: Option<Spanned<Literal>>,
    /// How long events are remembered.
    pub keep_for: Option<Spanned<String>>,
}

/// Where `last_event_id` keeps the newest event id.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MarkPlace {
    /// On the document: all events of a document have to come in one lane.
    Document,
    /// For each shard of the Kinesis stream, on the document: a document may be fed by many lanes.
    Shard,
    /// For each lane, in a table of marks: a document may be fed by many lanes.
    Lane,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename = "Guard")]
pub(crate) struct GuardMap {
    /// The newest event id is remembered: an event at or below it is dropped. `document`: on the document itself, at no
    /// cost, where all events of a document come in one lane. `shard`: for each shard of a Kinesis stream, on the document,
    /// where the function takes one batch of a shard at a time (parallelization factor 1). `lane`: for each lane in a table
    /// of marks, in one transaction with the documents. A late event is lost.
    #[schemars(example = &"lane")]
    last_event_id: Option<MarkPlace>,
    /// What orders events; for `last_event_id` the stream's sequence number unless said. A payload path to a text
    /// (compared as text) or to a whole number from 0 (compared as a number). With `events_table` the documents then are
    /// what the events make in this order, however they are delivered.
    #[schemars(example = &"$.eventId")]
    order_by: Option<Spanned<Literal>>,
    /// The attribute of the document that holds the mark of `last_event_id: document`, or the map of marks of
    /// `last_event_id: shard`; `_vf_PROJECTION` unless said.
    #[schemars(example = &"lastEventId")]
    attribute: Option<Spanned<String>>,
    /// The table of marks of `last_event_id: lane`; `viewfold_marks` unless said. Projections may share it.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_.-]{3,255}$"), example = &"viewfold_marks")]
    table: Option<Spanned<String>>,
    /// Every event's id is remembered, in this table, in one transaction with the document. Catches every repeat in any
    /// order, a producer's own retries included where `id` comes from the payload.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_.-]{3,255}$"), example = &"Events")]
    events_table: Option<Spanned<String>>,
    /// What tells an event from all others; the stream's own event id unless said.
    #[schemars(example = &"$.id")]
    id: Option<Spanned<Literal>>,
    /// How long the events of an `events_table` are remembered, as a number of `h`, `d` or `w`; for ever unless said. Longer
    /// than the stream keeps its records: an event that is older is put into the dead letters.
    #[schemars(regex(pattern = r"^[1-9][0-9]{0,4}[hdw]$"), example = &"30d")]
    keep_for: Option<Spanned<String>>,
}

/// The forms of a guard, for people.
pub const FORMS: &str = "`none`, `last_event_id`, `{last_event_id: document}`, `{last_event_id: shard}`, `{last_event_id: lane}` or \
     `{events_table: NAME}`";

impl GuardMap {
    fn guard(self) -> Result<Guard, String> {
        let misplaced = |key: &str, other: &str| {
            Err(format!("`{key}` does not belong to this guard\nhelp: it is a key of `{other}` guards; remove it here"))
        };
        let GuardMap { last_event_id, order_by, attribute, table, events_table, id, keep_for } = self;
        match (last_event_id, events_table) {
            (Some(_), None) if id.is_some() => misplaced("id", "events_table"),
            (Some(_), None) if keep_for.is_some() => misplaced("keep_for", "events_table"),
            (Some(MarkPlace::Document | MarkPlace::Shard), None) if table.is_some() => {
                misplaced("table", "last_event_id: lane")
            }
            (Some(MarkPlace::Lane), None) if attribute.is_some() => misplaced("attribute", "last_event_id: document"),
            (Some(place), None) => Ok(Guard::LastEventId(LastEventId { place, order_by, attribute, table })),
            (None, Some(_)) if attribute.is_some() => misplaced("attribute", "last_event_id: document"),
            (None, Some(_)) if table.is_some() => misplaced("table", "last_event_id: lane"),
            (None, Some(table)) => Ok(Guard::EventsTable(EventsTable { table, id, order_by, keep_for })),
            (Some(_), Some(_)) => Err("a guard is `last_event_id` or `events_table`, not both".into()),
            (None, None) => Err(format!("this is no guard\nhelp: a guard is {FORMS}")),
        }
    }
}

impl<'de> Deserialize<'de> for Guard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;

        impl<'de> Visitor<'de> for Forms {
            type Value = Guard;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(FORMS)
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<Guard, E> {
                match word {
                    "none" => Ok(Guard::None),
                    "last_event_id" => Ok(Guard::LastEventId(LastEventId {
                        place: MarkPlace::Document,
                        order_by: None,
                        attribute: None,
                        table: None,
                    })),
                    _ => Err(E::custom(format!("`{word}` is no guard\nhelp: a guard is {FORMS}"))),
                }
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, map: D) -> Result<Guard, D::Error> {
                GuardMap::deserialize(map)?.guard().map_err(D::Error::custom)
            }
        }

        deserializer.deserialize_newtype_struct(FORM, Forms)
    }
}

impl JsonSchema for Guard {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "GuardForms".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let map = generator.subschema_for::<GuardMap>();
        json_schema!({
            "if": { "type": "object" },
            "then": map,
            "else": {
                "type": "string",
                "enum": ["none", "last_event_id"],
                "markdownEnumDescriptions": [
                    "Nothing is remembered: a repeated event counts again.",
                    "`{last_event_id: document}`: the newest event is remembered on the document, at no cost.",
                ],
                "errorMessage": format!("A guard is {FORMS}."),
            },
        })
    }
}
