//! Where which keys stand: for words about a key that stands somewhere else, or that nobody knows.

use crate::projection::{
    Append, Document, DynamodbSource, GuardMap, Index, KeyAttribute, KinesisSource, PatternMap, Projection,
    RejectedMap, Rule, Source, SqsSource,
};
use crate::test_file::{Case, DeadLetter, Event, TestFile};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use std::cell::Cell;
use std::sync::LazyLock;

/// A place of a file whose keys are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    Projection,
    Source,
    Kinesis,
    Dynamodb,
    Sqs,
    Document,
    Index,
    KeyAttribute,
    Guard,
    Rule,
    Append,
    Pattern,
    Rejected,
    TestFile,
    Case,
    Event,
    DeadLetter,
}

type Keys = &'static [&'static str];

/// Every place, the keys it has, and what it is called. What comes first is named first.
static PLACES: LazyLock<Vec<(Place, Keys, &str)>> = LazyLock::new(|| {
    vec![
        (Place::Projection, keys::<Projection>(), "a projection"),
        (Place::Rule, keys::<Rule>(), "a rule"),
        (Place::Document, keys::<Document>(), "`document`"),
        (Place::Source, keys::<Source>(), "`source`"),
        (Place::Kinesis, keys::<KinesisSource>(), "`kinesis`"),
        (Place::Dynamodb, keys::<DynamodbSource>(), "`dynamodb`"),
        (Place::Sqs, keys::<SqsSource>(), "`sqs`"),
        (Place::Guard, keys::<GuardMap>(), "`guard`"),
        (Place::Append, keys::<Append>(), "`append`"),
        (Place::Index, keys::<Index>(), "an index"),
        (Place::KeyAttribute, keys::<KeyAttribute>(), "a key attribute"),
        (Place::Pattern, keys::<PatternMap>(), "a pattern"),
        (Place::Rejected, keys::<RejectedMap>(), "`anything-but`"),
        (Place::TestFile, keys::<TestFile>(), "a test file"),
        (Place::Case, keys::<Case>(), "a case"),
        (Place::Event, keys::<Event>(), "an event"),
        (Place::DeadLetter, keys::<DeadLetter>(), "a dead letter"),
    ]
});

impl Place {
    /// The place that has these keys.
    pub(crate) fn of(fields: &[&str]) -> Option<Place> {
        PLACES.iter().find(|(_, keys, _)| *keys == fields).map(|(place, ..)| *place)
    }

    /// The place's name, for people.
    pub(crate) fn name(self) -> &'static str {
        PLACES.iter().find(|(place, ..)| *place == self).map_or("", |(.., name)| name)
    }

    /// The keys of the place.
    pub(crate) fn keys(self) -> Keys {
        PLACES.iter().find(|(place, ..)| *place == self).map_or(&[], |(_, keys, _)| keys)
    }

    /// The place under a key, `kinesis` for one.
    pub(crate) fn under(key: &str) -> Option<Place> {
        Some(match key {
            "source" => Place::Source,
            "kinesis" => Place::Kinesis,
            "dynamodb" => Place::Dynamodb,
            "sqs" => Place::Sqs,
            "document" => Place::Document,
            "guard" => Place::Guard,
            "rules" => Place::Rule,
            "append" => Place::Append,
            _ => return None,
        })
    }

    /// The other places of the same file that have a key of this name.
    pub(crate) fn others_with(self, key: &str) -> Vec<Place> {
        let of_tests = |place: Place| matches!(place, Place::TestFile | Place::Case | Place::Event | Place::DeadLetter);
        // Names that mean something else everywhere say nothing.
        let is_telling = !matches!(key, "name" | "type" | "table" | "id" | "value");
        PLACES
            .iter()
            .filter(|(place, keys, _)| {
                is_telling && *place != self && keys.contains(&key) && of_tests(*place) == of_tests(self)
            })
            .filter(|(place, ..)| {
                !matches!(place, Place::Pattern | Place::Rejected | Place::KeyAttribute | Place::Index)
            })
            .map(|(place, ..)| *place)
            .collect()
    }
}

/// The keys that a type asks for when it is read.
fn keys<T: Deserialize<'static>>() -> Keys {
    let fields = Cell::new(&[] as Keys);
    // It reads nothing: what it asks for is all that is wanted.
    let _ = T::deserialize(Probe(&fields));
    fields.get()
}

struct Probe<'c>(&'c Cell<Keys>);

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("nothing is read"))
    }

    fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, fields: Keys, _: V) -> Result<V::Value, Self::Error> {
        self.0.set(fields);
        Err(de::Error::custom("nothing is read"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::{PLACES, Place};

    #[test]
    fn every_place_knows_its_keys() {
        for (place, keys, name) in PLACES.iter() {
            assert!(!keys.is_empty(), "{place:?} {name}");
            assert_eq!(Place::of(keys), Some(*place));
        }
        assert_eq!(Place::Projection.others_with("lane"), [Place::Kinesis, Place::Sqs]);
        assert_eq!(Place::Document.others_with("guard"), [Place::Projection, Place::Source]);
        assert_eq!(Place::Case.others_with("payload"), [Place::Event]);
    }
}
