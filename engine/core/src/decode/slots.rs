//! One pass over a payload fills the slots of all paths; everything else is skipped.

use super::envelope::Image;
use crate::event::{Slot, Slots};
use crate::program::{PathTree, Place};
use std::collections::BTreeSet;
use viewfold_value::dynamodb_json;
use viewfold_value::json::{self, MAX_DEPTH, ReadError, too_deep};
use viewfold_value::{Reader, Start, Value};

impl PathTree {
    /// Fills the slots at and below a place with a value that has been read.
    fn fill(&self, value: Value, node: &Place, slots: &mut Slots) {
        self.fill_below(&value, node, slots);
        if let Some(slot) = node.slot {
            slots.set(slot, Slot::Found(value));
        }
    }

    fn fill_below(&self, value: &Value, node: &Place, slots: &mut Slots) {
        let mut fill = |value: &Value, node: &Place| {
            if let Some(slot) = node.slot {
                slots.set(slot, Slot::Found(value.clone()));
            }
            self.fill_below(value, node, slots);
        };
        match value {
            // There may be a thousand paths, and a few names in the event.
            Value::Map(map) if map.len() < node.names.len() => {
                for (name, value) in map {
                    if let Some(child) = node.child(name) {
                        fill(value, &self.nodes[child.place]);
                    }
                }
            }
            Value::Map(map) => {
                for (name, child) in &node.names {
                    if let Some(value) = map.get(name) {
                        fill(value, &self.nodes[child.place]);
                    }
                }
            }
            Value::List(list) => {
                for (index, next) in &node.indexes {
                    if let Some(value) = element(list, *index) {
                        fill(value, &self.nodes[*next]);
                    }
                }
            }
            _ => {}
        }
    }

    /// Marks the slots at and below a place: what stands there cannot be used.
    fn spoil(&self, reason: &str, node: &Place, slots: &mut Slots) {
        if let Some(slot) = node.slot {
            slots.set(slot, Slot::Unusable(reason.to_owned()));
        }
        for next in node.below() {
            self.spoil(reason, &self.nodes[next], slots);
        }
    }

    /// Empties the slots below a place, where a key that came before comes again: the last one counts.
    fn clear(&self, node: &Place, slots: &mut Slots) {
        if let Some(slot) = node.slot {
            slots.clear(slot);
        }
        for next in node.below() {
            self.clear(&self.nodes[next], slots);
        }
    }

    /// Reads a JSON payload that begins with `start`.
    pub(super) fn read_json(&self, reader: &mut Reader<'_>, start: Start, slots: &mut Slots) -> Result<(), ReadError> {
        match self.root() {
            Some(root) => self.read_json_at(reader, start, root, slots, 0),
            None => Ok(reader.skip(start)?),
        }
    }

    fn read_json_at(
        &self,
        reader: &mut Reader<'_>,
        start: Start,
        node: &Place,
        slots: &mut Slots,
        depth: u32,
    ) -> Result<(), ReadError> {
        if depth > MAX_DEPTH {
            return Err(too_deep());
        }
        let whole = node.slot.is_some() || (start == Start::ARRAY && !node.indexes.is_empty());
        if whole {
            let from = reader.at();
            match json::read_value(reader, start, depth) {
                Ok(value) => self.fill(value, node, slots),
                Err(ReadError::Unusable(reason)) => {
                    self.spoil(&reason, node, slots);
                    if let (true, Some(slot)) = (start.is_number(), node.slot) {
                        let digits = reader.since(from);
                        if digits.bytes().all(|digit| digit.is_ascii_digit()) {
                            slots.set(slot, Slot::Digits(digits.to_owned(), reason));
                        }
                    }
                    // Only what is unusable is lost: the places below are read on their own.
                    if start == Start::OBJECT && !node.names.is_empty() {
                        for child in node.names.values() {
                            self.clear(&self.nodes[child.place], slots);
                        }
                        self.read_names(&mut Reader::new(reader.since(from)), node, slots, depth)?;
                    }
                }
                Err(error) => return Err(error),
            }
            Ok(())
        } else if start == Start::OBJECT && !node.names.is_empty() {
            self.read_names(reader, node, slots, depth)
        } else {
            Ok(reader.skip(start)?)
        }
    }

    /// Reads an object for the places below a place.
    fn read_names(
        &self,
        reader: &mut Reader<'_>,
        node: &Place,
        slots: &mut Slots,
        depth: u32,
    ) -> Result<(), ReadError> {
        let mut seen = Seen::default();
        let mut next = reader.next_object()?;
        while let Some(name) = next {
            let start = reader.peek()?;
            match node.child(&name) {
                Some(child) => {
                    let place = &self.nodes[child.place];
                    // A key may come twice: the last one counts.
                    if seen.again(child.number) {
                        self.clear(place, slots);
                    }
                    self.read_json_at(reader, start, place, slots, depth + 1)?;
                }
                None => reader.skip(start)?,
            }
            next = reader.next_key()?;
        }
        Ok(())
    }

    /// Reads the image `name` of a DynamoDB record, an item in DynamoDB JSON: it stands at `$.name`.
    pub(super) fn read_image(&self, image: &Image<'_>, name: &str, slots: &mut Slots) -> Result<(), ReadError> {
        let Some(root) = self.root() else { return Ok(()) };
        let node = root.names.get(name).map(|child| &self.nodes[child.place]);
        let own = node.and_then(|node| node.slot);
        if root.slot.is_some() || own.is_some() {
            let found = match dynamodb_json::read_item(&mut Reader::new(image.text), 0) {
                Ok(item) => Slot::Found(Value::Map(item)),
                Err(ReadError::Unusable(reason)) => Slot::Unusable(reason),
                Err(error) => return Err(error),
            };
            if let Some(whole) = root.slot {
                match (slots.take(whole), &found) {
                    (unusable @ (Slot::Unusable(_) | Slot::Digits(..)), _) => slots.set(whole, unusable),
                    (Slot::Found(Value::Map(mut images)), Slot::Found(image)) => {
                        images.insert(name.to_owned(), image.clone());
                        slots.set(whole, Slot::Found(Value::Map(images)));
                    }
                    (_, Slot::Found(image)) => {
                        slots.set(whole, Slot::Found(Value::Map([(name.to_owned(), image.clone())].into())));
                    }
                    (_, unusable) => slots.set(whole, unusable.clone()),
                }
            }
            if let Some(own) = own {
                slots.set(own, found);
            }
        }
        let Some(node) = node.filter(|node| !node.names.is_empty()) else { return Ok(()) };
        let mut reader = Reader::new(image.text);
        let mut ends = image.ends.iter();
        let mut next = reader.next_object()?;
        while let Some(key) = next {
            let end = ends.next();
            match (node.child(&key).map(|child| &self.nodes[child.place]), end) {
                (Some(place), _) => match dynamodb_json::read_attribute(&mut reader, 0) {
                    Ok(value) => self.fill(value, place, slots),
                    Err(ReadError::Unusable(reason)) => self.spoil(&reason, place, slots),
                    Err(error) => return Err(error),
                },
                (None, Some(end)) => reader = Reader::at_byte(image.text, *end as usize),
                (None, None) => reader.skip_next()?,
            }
            next = reader.next_key()?;
        }
        Ok(())
    }
}

/// The places below one that have been read in an object.
#[derive(Default)]
struct Seen {
    /// Those whose number is below 64, a bit for each.
    few: u64,
    /// The others.
    more: BTreeSet<usize>,
}

impl Seen {
    /// Notes that a place is read; whether it was read before.
    fn again(&mut self, number: usize) -> bool {
        if number >= 64 {
            return !self.more.insert(number);
        }
        let bit = 1u64 << number;
        let again = self.few & bit != 0;
        self.few |= bit;
        again
    }
}

/// An element of a list; from the end where the index is negative.
fn element(list: &[Value], index: i64) -> Option<&Value> {
    let at = if index < 0 { (list.len() as i64).checked_add(index)? } else { index };
    list.get(usize::try_from(at).ok()?)
}

#[cfg(test)]
mod tests {
    use super::super::envelope::{self, Body};
    use super::*;
    use crate::path::parse as parse_path;
    use crate::program::Step;
    use proptest::prelude::*;

    fn tree(paths: &[&str]) -> PathTree {
        let mut tree = PathTree::default();
        for (number, path) in paths.iter().enumerate() {
            assert_eq!(tree.insert(&parse_path(path).unwrap()), number, "{path}");
        }
        tree
    }

    fn read(tree: &PathTree, text: &str) -> Result<Vec<Slot>, ReadError> {
        let mut slots = Slots::default();
        let mut reader = Reader::new(text);
        let start = reader.peek()?;
        tree.read_json(&mut reader, start, &mut slots)?;
        reader.finish()?;
        Ok((0..tree.slots()).map(|slot| slots.get(slot).clone()).collect())
    }

    fn shown(slots: &[Slot]) -> Vec<String> {
        slots
            .iter()
            .map(|slot| match slot {
                Slot::Missing => "-".to_owned(),
                Slot::Found(value) => value.to_string(),
                Slot::Unusable(_) => "!".to_owned(),
                Slot::Digits(digits, _) => format!("!{digits}"),
            })
            .collect()
    }

    #[test]
    fn paths_find_what_they_name() {
        let tree = tree(&["$.a", "$.a.b", "$.c[0].d", "$.c[-1]", "$.e", "$.f.g"]);
        let slots = read(&tree, r#"{"f":1,"a":{"b":[1.10]},"x":{"a":9},"c":[{"d":"first"},2],"e":null}"#).unwrap();
        assert_eq!(shown(&slots), [r#"{"b":[1.1]}"#, "[1.1]", "\"first\"", "2", "null", "-"]);
        assert_eq!(shown(&read(&tree, "7").unwrap()), ["-"; 6]);
    }

    #[test]
    fn the_last_of_equal_keys_counts_and_a_number_too_long_spoils_only_its_own_path() {
        let tree = tree(&["$.a.b", "$.n", "$.m"]);
        assert_eq!(shown(&read(&tree, r#"{"a":{"b":1},"a":{},"n":1e999,"m":2}"#).unwrap()), ["-", "!", "2"]);
        assert!(read(&tree, r#"{"m":2"#).is_err());
        let with_whole = super::tests::tree(&["$", "$.m", "$.o.p", "$.q"]);
        let text = r#"{"n":1e999,"m":2,"o":{"x":1e999,"p":3}}"#;
        assert_eq!(shown(&read(&with_whole, text).unwrap()), ["!", "2", "3", "-"]);
    }

    #[test]
    fn the_last_of_equal_keys_counts_among_many_paths_too() {
        let paths: Vec<String> = (0..100).map(|number| format!("$.a.k{number}.x")).collect();
        let tree = tree(&paths.iter().map(String::as_str).collect::<Vec<_>>());
        let slots = read(&tree, r#"{"a":{"k7":{"x":1},"k99":{"x":2},"k99":{"y":3},"k7":{"x":4}}}"#).unwrap();
        let found: Vec<usize> = (0..100).filter(|slot| slots[*slot] != Slot::Missing).collect();
        assert_eq!((found, shown(&slots[7..8])), (vec![7], vec!["4".to_owned()]));
    }

    #[test]
    fn images_keep_their_types() {
        let tree = tree(&["$.new.s", "$.new.m.k", "$.new.n"]);
        let text = r#"{"s":{"SS":["b"]},"m":{"M":{"k":{"B":"AQ=="}}},"n":{"N":"1e500"},"o":{"S":"x"}}"#;
        let mut slots = Slots::default();
        tree.read_image(&Image::of(text), "new", &mut slots).unwrap();
        assert_eq!(*slots.get(0), Slot::Found(Value::StringSet(["b".to_owned()].into())));
        assert_eq!(*slots.get(1), Slot::Found(Value::Binary(vec![1])));
        assert!(matches!(slots.get(2), Slot::Unusable(_)));
    }

    /// JSON values with few names, so that paths hit.
    fn json_value() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![Just("null".to_owned()), "-?[1-9][0-9]{0,20}", "\"[a-z]{0,3}\""];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|list| format!("[{}]", list.join(","))),
                prop::collection::btree_map("[abc]", inner, 0..4).prop_map(|map| {
                    let entries: Vec<String> = map.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
                    format!("{{{}}}", entries.join(","))
                }),
            ]
        })
    }

    /// Values in DynamoDB JSON, some of them none.
    fn attribute() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            "[a-c]{0,3}".prop_map(|text| format!(r#"{{"S":"{text}\\n"}}"#)),
            "-?[1-9][0-9]{0,3}".prop_map(|digits| format!(r#" {{ "N" : "{digits}" }} "#)),
            Just(r#"{"NULL":true}"#.to_owned()),
            Just(r#"{"N":"1e500"}"#.to_owned()),
            Just(r#"{"X":"?"}"#.to_owned()),
        ];
        leaf.prop_recursive(2, 8, 3, |inner| {
            prop::collection::vec(("[ab]", inner), 0..3).prop_map(|entries| {
                let entries: Vec<String> = entries.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!(r#"{{"M":{{{}}}}}"#, entries.join(","))
            })
        })
    }

    proptest! {
        /// Jumping over values whose ends are known finds what skipping them finds, and what is wrong with it.
        #[test]
        fn what_is_known_of_an_image_changes_nothing(
            entries in prop::collection::vec(("[abc]|\\\\u0061|[a-z]{3,30}", attribute(), " ?"), 0..6),
            paths in prop::collection::btree_set("\\$\\.new(\\.[abc]){0,2}", 1..4),
        ) {
            let entries: Vec<String> = entries
                .iter()
                .map(|(name, value, space)| format!("{space}\"{name}\"{space}:{space}{value}{space}"))
                .collect();
            let image = format!("{{{}}}", entries.join(","));
            let record = format!(
                r#"{{"eventID":"e","eventSourceARN":"arn:aws:dynamodb:r:1:table/t/stream/l","dynamodb":{{"SequenceNumber":"1","NewImage":{image}}}}}"#
            );
            let record = envelope::record(record.as_bytes()).unwrap();
            let Body::Dynamodb(body) = record.body else { panic!("a change") };
            let known = body.new.unwrap();
            prop_assert_eq!((known.text, known.ends.len()), (image.as_str(), entries.len()));
            let tree = tree(&paths.iter().map(String::as_str).collect::<Vec<_>>());
            let read = |image: &Image<'_>| {
                let mut slots = Slots::default();
                let read = tree.read_image(image, "new", &mut slots);
                (read, slots)
            };
            prop_assert_eq!(read(&known), read(&Image::of(known.text)));
        }

        /// One pass that skips agrees with reading everything and looking the paths up.
        #[test]
        fn one_pass_finds_what_a_full_read_finds(
            text in json_value(),
            paths in prop::collection::btree_set("\\$(\\.[abc]|\\[-?[012]\\]){0,3}", 1..6),
        ) {
            let mut tree = PathTree::default();
            let paths: Vec<Vec<Step>> = paths.iter().filter_map(|path| parse_path(path).ok()).collect();
            for path in &paths {
                tree.insert(path);
            }
            let whole = json::parse(text.as_bytes()).unwrap();
            let slots = read(&tree, &text).unwrap();
            for path in &paths {
                let mut value = Some(&whole);
                for step in path {
                    value = match (value, step) {
                        (Some(Value::Map(map)), Step::Name(name)) => map.get(name),
                        (Some(Value::List(list)), Step::Index(index)) => element(list, *index),
                        _ => None,
                    };
                }
                let slot = &slots[tree.insert(path)];
                prop_assert_eq!(slot, &value.map_or(Slot::Missing, |value| Slot::Found(value.clone())));
            }
        }
    }
}
