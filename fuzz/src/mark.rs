//! Marks: the order of their texts is the order of the events.
//!
//! Lines: the stream's name, two labels, two numbers, two sub-sequences, and a text that is stored.

use super::expression;
use std::sync::{Arc, LazyLock};
use viewfold_core::event::{Event, Lane, Metadata, Slots};
use viewfold_core::mark::{Mark, Standing};
use viewfold_core::program::{Guard, OrderBy, Program, StreamIdentity};

/// A program whose events are ordered by a value of their payload.
static ORDERED: LazyLock<Program> = LazyLock::new(|| {
    super::deployment::program(&["projection: p\nsource: { kinesis: { stream: orders, lane: $.id } }\n\
         document: { table: Docs, partition_key: id }\nguard: { last_event_id: document, order_by: $.n }\n\
         key: { id: $.id }\nrules: [{ add: { n: 1 } }]\n"])
});

/// Compares two marks, of a Kinesis stream, of a DynamoDB stream and of a value of the payload.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    // A name and a label are parts of an ARN.
    let mut names = [line(), line(), line()].map(|name| name.replace('/', ""));
    let numbers = [line(), line()].map(digits);
    let subs = [line(), line()].map(|sub| sub.parse::<u32>().unwrap_or(0));
    let stored = line();
    let name = std::mem::take(&mut names[0]);
    let labels = [&names[1], &names[2]];

    let stream = StreamIdentity::Kinesis(name.clone());
    let marks = [0, 1].map(|at| of(&stream, &numbers[at], subs[at], None));
    let order = [0, 1].map(|at| (numbers[at].len(), numbers[at].as_str(), subs[at]));
    assert_eq!(marks[0].text.cmp(&marks[1].text), order[0].cmp(&order[1]));
    consistent(&marks, stored, true);

    let stream = StreamIdentity::Dynamodb(name);
    let marks = [0, 1].map(|at| of(&stream, &numbers[at], 0, Some(labels[at])));
    if labels[0] == labels[1] {
        let order = [0, 1].map(|at| (numbers[at].len(), numbers[at].as_str()));
        assert_eq!(marks[0].text.cmp(&marks[1].text), order[0].cmp(&order[1]));
    }
    consistent(&marks, stored, labels[0] == labels[1]);

    let marks = [0, 1].map(|at| of_payload(&numbers[at]));
    let order = [0, 1].map(|at| (numbers[at].len(), numbers[at].as_str()));
    assert_eq!(marks[0].text.cmp(&marks[1].text), order[0].cmp(&order[1]));
    consistent(&marks, stored, true);
}

/// The digits of a text as a number without leading zeros.
fn digits(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() { "0".to_owned() } else { digits.to_owned() }
}

fn of(stream: &StreamIdentity, number: &str, sub: u32, label: Option<&String>) -> Mark {
    let metadata = Metadata {
        id: Arc::from(""),
        sequence: Arc::from(number),
        sub,
        lane: Lane::PartitionKey(Arc::from("")),
        stream: Arc::from(""),
        now: Arc::from(super::NOW),
        shard: None,
        label: label.map(|label| Arc::from(label.as_str())),
        time: None,
        change: None,
    };
    let event = Event { record: 0, stream: 0, slots: Slots::default(), metadata };
    Mark::of(&event, stream, &OrderBy::Sequence).expect("every event has a sequence number")
}

fn of_payload(number: &str) -> Mark {
    let Guard::Document { order_by: OrderBy::Payload(term), .. } = &ORDERED.projections[0].sources[0].guard else {
        panic!("the guard has `order_by`");
    };
    let event = expression::events(&ORDERED, &format!("{{\"id\":\"a\",\"n\":{number}}}")).pop();
    let event = event.and_then(|decoded| decoded.event.ok()).expect("the payload is right");
    Mark::of_value(&event, term).expect("whole numbers from 0 order events")
}

/// What two marks say about each other, and about any text.
fn consistent(marks: &[Mark; 2], stored: &str, one_numbering: bool) {
    let [a, b] = marks;
    for mark in marks {
        assert_eq!(mark.standing(&mark.text), Standing::AtOrBelow);
        assert!(mark.has_passed(&mark.text));
        assert!(mark.identity().is_none_or(|identity| mark.text.starts_with(identity)));
        mark.standing(stored);
        mark.has_passed(stored);
    }
    assert_eq!(a.has_passed(&b.text), one_numbering && b.text <= a.text);
    match (a.standing(&b.text), b.standing(&a.text)) {
        (Standing::AtOrBelow, Standing::AtOrBelow) => assert_eq!(a, b),
        (Standing::AtOrBelow, Standing::Above) => assert!(one_numbering && a.text < b.text),
        (Standing::Above, Standing::AtOrBelow) => assert!(one_numbering && a.text > b.text),
        // Another numbering is above, or it is not known.
        (Standing::Above, Standing::Other) => assert!(!one_numbering && a.text > b.text),
        (Standing::Other, Standing::Above) => assert!(!one_numbering && a.text < b.text),
        standings => panic!("{standings:?} {a:?} {b:?}"),
    }
}
