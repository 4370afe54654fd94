//! Which projection is which, where there are several.

use super::{ORDERS, SUMS, VOTES, lines, of_files, with};
use crate::change::{Class, Fate, class};

#[test]
fn projections_are_known_by_their_names() {
    let all = of_files(&[ORDERS, VOTES], &[&with(VOTES, &[("n: 1", "n: 2")]), SUMS]);
    let told: Vec<(&str, &Fate, Class)> = all.iter().map(|one| (one.name.as_str(), &one.fate, one.class())).collect();
    let expected = [
        ("votes", &Fate::Kept, Class::Rebuild),
        ("sums", &Fate::Added, Class::Deploy),
        ("orders", &Fate::Removed, Class::Deploy),
    ];
    assert_eq!(told, expected);
    assert_eq!(class(&all), Class::Rebuild);
    assert!(all[1].changes[0].help.contains("`viewfold backfill` with its file"), "{all:?}");
    assert!(all[2].changes[0].help.contains("`viewfold retire` with its file"), "{all:?}");
    assert_eq!(class(&of_files(&[ORDERS, VOTES], &[VOTES, ORDERS])), Class::Same);
}

#[test]
fn a_version_beside_the_old_one_is_new() {
    let second = with(ORDERS, &[("source:", "version: 2\nsource:"), ("status: $.type, ", "")]);
    let fates = |old: &[&str], new: &[&str]| -> Vec<(Fate, Class)> {
        of_files(old, new).into_iter().map(|one| (one.fate.clone(), one.class())).collect()
    };
    assert_eq!(fates(&[ORDERS], &[ORDERS, &second]), [(Fate::Kept, Class::Same), (Fate::Added, Class::Deploy)]);
    assert_eq!(fates(&[ORDERS, &second], &[&second]), [(Fate::Kept, Class::Same), (Fate::Removed, Class::Deploy)]);
    let version = |from: &str| Fate::Version { from: from.to_owned() };
    assert_eq!(fates(&[ORDERS], &[&second]), [(version("orders"), Class::Deploy)]);
    // Its tables lack all that came since.
    assert_eq!(fates(&[&second], &[ORDERS]), [(version("orders.v2"), Class::Unsafe)]);
}

#[test]
fn another_name_on_the_same_table_is_a_rename() {
    let renamed = of_files(&[ORDERS], &[&with(ORDERS, &[("projection: orders", "projection: purchases")])]);
    assert_eq!(renamed[0].fate, Fate::Renamed { from: "orders".into() });
    assert_eq!(lines(&renamed[0].changes), ["unsafe: `orders` is called `purchases` now, on the same table `Orders`"]);
    let apart = of_files(
        &[ORDERS],
        &[&with(ORDERS, &[("projection: orders", "projection: purchases"), ("table: Orders", "table: Purchases")])],
    );
    assert_eq!(class(&apart), Class::Deploy);
}

#[test]
fn a_view_over_a_view_that_is_gone_stands_still() {
    let over = "projection: over\nsource: { dynamodb: { table: Orders, keys: [id] } }\n\
                document: { table: Over, partition_key: status }\nguard: { last_event_id: lane }\n\
                rules: [{ name: one, retract: true, key: { status: $.status }, add: { n: 1 } }]\n";
    let all = of_files(&[ORDERS, over], &[over]);
    assert_eq!(lines(&all[0].changes), ["unsafe: no projection writes `Orders` any more, which this one reads"]);
    let raised = with(ORDERS, &[("source:", "version: 2\nsource:")]);
    assert_eq!(class(&of_files(&[ORDERS, over], &[&raised, over])), Class::Unsafe);
    let both = with(over, &[("table: Orders", "table: Orders.v2"), ("source:", "version: 2\nsource:")]);
    assert_eq!(class(&of_files(&[ORDERS, over], &[&raised, &both])), Class::Deploy);
}

#[test]
fn a_source_may_come_and_go() {
    let two = "projection: two\nsources:\n  a: { kinesis: first }\n  b: { kinesis: second }\n\
               document: { table: Two, partition_key: id }\nguard: { events_table: Events }\nkey: { id: $.id }\n\
               rules:\n  - { name: a, source: a, add: { x: 1 } }\n  - { name: b, source: b, add: { y: 1 } }\n";
    let renamed = with(two, &[("  a: {", "  c: {"), ("source: a,", "source: c,")]);
    assert_eq!(class(&of_files(&[two], &[&renamed])), Class::Same);
    let third = with(
        two,
        &[
            ("rules:\n", "rules:\n  - { name: c, source: c, add: { z: 1 } }\n"),
            ("  b: {", "  c: { kinesis: third }\n  b: {"),
        ],
    );
    let expected = ["deploy: source `c` (Kinesis stream third) is new", "deploy: the rule `c` is new"];
    assert_eq!(lines(&of_files(&[two], &[&third])[0].changes), expected);
    assert_eq!(class(&of_files(&[&third], &[two])), Class::Rebuild);
    let other = with(two, &[("kinesis: second", "kinesis: third")]);
    assert_eq!(class(&of_files(&[two], &[&other])), Class::Unsafe);
}
