//! Each key of the language, and the class of its changes.

use super::{ORDERS, SUMS, VOTES, lines, means, of, with};
use crate::change::Class;

/// Parts of a file's text, each with what is to be there instead.
type Parts<'p> = &'p [(&'p str, &'p str)];

#[test]
fn what_is_not_meant_is_no_change() {
    for (text, parts) in [
        (ORDERS, &[("projection:", "# a comment\ndescription: Orders.\nprojection:")][..]),
        (ORDERS, &[("guard: last_event_id", "guard: { last_event_id: document, order_by: $$.sequence }")]),
        (ORDERS, &[("{ kinesis: { stream: shop, lane: $.id } }", "\n  kinesis: { lane: \"$['id']\", stream: shop }")]),
        (ORDERS, &[("[placed, changed]", "[changed, [placed], changed]"), ("$.type: noted", "$.type: [noted]")]),
        (ORDERS, &[("let: { amount: '${ $.price * $.count }' }\n", ""), ("${ amount }", "${ $.price*$[''count''] }")]),
        (ORDERS, &[("name: placed\n", "name: bought\n    allow: [unbounded]\n")]),
        (
            ORDERS,
            &[
                ("key: { id: $.id }\n", ""),
                ("name: placed\n", "name: placed\n    key: { id: $.id }\n"),
                ("name: noted\n", "name: noted\n    key: { id: '$.id' }\n"),
            ],
        ),
        (ORDERS, &[("doc.total / 2", "doc.total/2.0")]),
        (VOTES, &[("retract: true", "retract: true\n    any_order: true")]),
        (SUMS, &[("keep_for: 7d", "keep_for: 1w"), ("{ kinesis: numbers }", "{ kinesis: { stream: numbers } }")]),
    ] {
        let changes = of(text, &with(text, parts));
        assert_eq!(lines(&changes), [""; 0], "{parts:?}");
    }
    let moved =
        "  - name: noted\n    when: { $.type: noted }\n    append: { notes: { value: $.note, by: $.at, last: 5 } }\n";
    means(ORDERS, &[(moved, ""), ("rules:\n", &format!("rules:\n{moved}"))], &[]);
}

#[test]
fn what_holds_from_now_on_can_be_deployed() {
    let deploy: [(&str, Parts<'_>, &str); 22] = [
        (ORDERS, &[("set: {", "set: { at: $.at,")], "`at` is new (`set`, rule `placed`)"),
        (ORDERS, &[("add: {", "add: { orders: 1,")], "`orders` is new (`add`, rule `placed`)"),
        (
            ORDERS,
            &[("[placed, changed]", "[placed, changed, moved]")],
            "the rule `placed` matches more events (`when`)",
        ),
        (ORDERS, &[("[placed, changed]", "placed")], "the rule `placed` matches fewer events (`when`)"),
        (ORDERS, &[("[placed, changed]", "bought")], "the rule `placed` matches other events (`when`)"),
        (ORDERS, &[(", $.price: { numeric: ['>', 0] } }", " }")], "the rule `placed` matches more events (`when`)"),
        (
            ORDERS,
            &[("when: { $.type: noted }", "when: { $.type: noted, $.x: { exists: true } }")],
            "the rule `noted` matches fewer events (`when`)",
        ),
        (ORDERS, &[("    append:", "    if: '$.a > 1'\n    append:")], "the rule `noted` has an `if` now"),
        (
            ORDERS,
            &[("    append:", "    schema: note.schema.json\n    append:")],
            "the `schema` of the rule `noted` is another one",
        ),
        (ORDERS, &[("last: 5", "last: 10")], "`notes` keeps another number of elements (`last`)"),
        (ORDERS, &[("doc.total / 2", "doc.total / 3")], "`mean` is derived in another way"),
        (ORDERS, &[("derive: {", "derive: { twice: '${ doc.total * 2 }',")], "`twice` is new (`derive`)"),
        (ORDERS, &[("derive:", "delete_when: doc.total == 0\nderive:")], "documents go by `delete_when` now"),
        (ORDERS, &[("derive:", "on_error: skip\nderive:")], "`on_error` is `skip`, and was `dead_letter`"),
        (
            ORDERS,
            &[("derive:", "  - { name: gone, when: { $.type: gone }, delete: true }\nderive:")],
            "the rule `gone` is new",
        ),
        (
            ORDERS,
            &[("derive:", "  - { name: gone, when: { $.type: gone }, remove: [status] }\nderive:")],
            "the rule `gone` is new",
        ),
        (
            ORDERS,
            &[("lane: $.id", "lane: $.id, schema: { type: object }")],
            "the `schema` of the Kinesis stream shop is new",
        ),
        (
            ORDERS,
            &[("partition_key: id }", "partition_key: id, indexes: { ByStatus: { partition_key: status } } }")],
            "the index `ByStatus` is new",
        ),
        (ORDERS, &[("partition_key: id }", "partition_key: id, ttl: expires }")], "the TTL is `expires` now"),
        (SUMS, &[("keep_for: 7d", "keep_for: 30d")], "events are remembered for 30d, and were for 7d"),
        (SUMS, &[("keep_for: 7d", "keep_for: 2d")], "events are remembered for 2d, and were for 7d"),
        (
            SUMS,
            &[("{ kinesis: numbers }", "{ kinesis: { stream: numbers, lane: $.lane } }")],
            "the Kinesis stream numbers has `lane` now",
        ),
    ];
    for (text, parts, what) in deploy {
        means(text, parts, &[&format!("deploy: {what}")]);
    }
    let none = with(SUMS, &[("{ events_table: Events, id: $.event, keep_for: 7d }", "none")]);
    means(
        &none,
        &[("guard: none", "guard: { events_table: Events }")],
        &["deploy: the guard is `{events_table: …}` now, and there was none"],
    );
    let raised = of(
        ORDERS,
        &with(ORDERS, &[("source:", "version: 2\nsource:"), ("key: { id: $.id }", "key: { id: 'x${ $.id }' }")]),
    );
    assert_eq!(lines(&raised), ["deploy: version 2 takes the place of version 1"]);
    assert!(raised[0].help.contains("`viewfold rebuild` with the new file"), "{raised:?}");
}

#[test]
fn what_makes_old_documents_wrong_needs_a_rebuild() {
    let rebuild: [(&str, Parts<'_>, &[&str]); 21] = [
        (
            VOTES,
            &[("keys: [id]", "keys: [id], schema: { type: object }")],
            &["the `schema` of the stream of DynamoDB table votes is new"],
        ),
        (ORDERS, &[("$.price * $.count", "$.price")], &["`total`: another amount for `add` (rule `placed`)"]),
        (ORDERS, &[("status: $.type", "status: $.kind")], &["`status`: another value for `set` (rule `placed`)"]),
        (ORDERS, &[("name: $.name", "name: $.who")], &["`who`: another value for `set` (rule `placed`)"]),
        (ORDERS, &[("status: $.type, ", "")], &["nothing writes `status` any more (`set`)"]),
        (ORDERS, &[("status: $.type", "state: $.type")], &["`status` is called `state` now"]),
        (ORDERS, &[("mean:", "middle:")], &["`mean` is called `middle` now"]),
        (ORDERS, &[("derive: { mean: '${ doc.total / 2 }' }\n", "")], &["nothing writes `mean` any more (`derive`)"]),
        (
            ORDERS,
            &[("key: { id: $.id }", "key: { id: 'o${ $.id }' }")],
            &["the key of the rule `placed` is another one", "the key of the rule `noted` is another one"],
        ),
        (ORDERS, &[("value: $.note", "value: $.text")], &["`notes`: the elements are others (`append`)"]),
        (ORDERS, &[("by: $.at, ", "")], &["`notes` has no order any more (`by`)"]),
        (
            ORDERS,
            &[("set: { status: $.type,", "set_once: { status: $.type }\n    set: {")],
            &["`status`: `set_once`, and was `set` (rule `placed`)"],
        ),
        (
            ORDERS,
            &[("'by_size.${ $.size }': 1", "'by_size.${ $.color }': 1")],
            &["`by_size.${ $.size }` is called `by_size.${ $.color }` now"],
        ),
        (VOTES, &[("n: 1", "n: 2")], &["`n`: another amount for `add` (rule `vote`)"]),
        (VOTES, &[("n: 1", "n: 1, m: 1")], &["`m` is new (`add`, rule `vote`)"]),
        (VOTES, &[("$.region", "$.area")], &["the key of the rule `vote` is another one"]),
        (VOTES, &[("[new, old]", "new")], &["the rule `vote` matches fewer events (`when`)"]),
        (VOTES, &[("    key:", "    if: '$.a > 1'\n    key:")], &["the rule `vote` has an `if` now"]),
        (
            VOTES,
            &[
                ("    retract: true\n", "    any_order: true\n"),
                ("$.state", "$.new.state"),
                ("$.region", "$.new.region"),
            ],
            &["the rule `vote` has no `retract` any more"],
        ),
        (
            SUMS,
            &[("name: number,", "name: number, each: { n: $.all },"), ("n: $.n", "n: '${ n }'")],
            &["`each` of the rule `number` is another one", "`n`: another amount for `add` (rule `number`)"],
        ),
        (SUMS, &[("add: { n: $.n }", "max: { n: $.n }")], &["`n`: `max`, and was `add` (rule `number`)"]),
    ];
    for (text, parts, whats) in rebuild {
        let changes = of(text, &with(text, parts));
        let grave: Vec<&str> =
            changes.iter().filter(|change| change.class == Class::Rebuild).map(|change| change.what.as_str()).collect();
        assert_eq!(grave, whats, "{parts:?}");
        assert!(changes.iter().all(|change| change.class <= Class::Rebuild), "{changes:?}");
        assert!(
            changes[0].help.contains("`version: 2`") && changes[0].help.contains("viewfold rebuild"),
            "{changes:?}"
        );
    }
    let deletes = with(ORDERS, &[("derive:", "delete_when: doc.total == 0\nderive:")]);
    means(&deletes, &[("doc.total == 0", "doc.total < 0")], &["rebuild: `delete_when` is another one"]);
    let indexed =
        with(ORDERS, &[("partition_key: id }", "partition_key: id, indexes: { Some: { partition_key: status } } }")]);
    means(
        &indexed,
        &[("Some: { partition_key: status", "Some: { partition_key: name")],
        &["rebuild: the index `Some` has another key"],
    );
    let expires = with(ORDERS, &[("partition_key: id }", "partition_key: id, ttl: expires }")]);
    means(&expires, &[("ttl: expires", "ttl: until")], &["rebuild: the TTL is `until`, and was `expires`"]);
}

#[test]
fn what_loses_or_doubles_events_is_unsafe() {
    let lane = "{ last_event_id: lane }";
    let refused: [(&str, Parts<'_>, &str); 20] = [
        (
            ORDERS,
            &[("guard: last_event_id", &format!("guard: {lane}")), ("    add:", "    any_order: true\n    add:")],
            "the guard is `{last_event_id: lane}`, and was `{last_event_id: document}`",
        ),
        (
            ORDERS,
            &[("guard: last_event_id", "guard: none\nallow: [unguarded]")],
            "there is no guard any more, and it was `{last_event_id: document}`",
        ),
        (
            ORDERS,
            &[("guard: last_event_id", "guard: { last_event_id: document, attribute: mark }")],
            "the mark is in `mark`, and was in `_vf_orders`",
        ),
        (
            ORDERS,
            &[("guard: last_event_id", "guard: { last_event_id: document, order_by: $.number }")],
            "`order_by` is another one",
        ),
        (
            ORDERS,
            &[("stream: shop", "stream: store")],
            "its events come from the Kinesis stream store, and came from the Kinesis stream shop",
        ),
        (
            ORDERS,
            &[("lane: $.id", "lane: $.order"), ("key: { id: $.id }", "key: { id: $.order }")],
            "`lane` of the Kinesis stream shop is another one",
        ),
        (ORDERS, &[("table: Orders", "table: Others")], "the documents are in `Others`, and were in `Orders`"),
        (
            ORDERS,
            &[("partition_key: id }", "partition_key: order }"), ("key: { id:", "key: { order:")],
            "the partition key is another one: order (String)",
        ),
        (
            ORDERS,
            &[
                ("partition_key: id }", "partition_key: id, sort_key: day }"),
                ("key: { id: $.id }", "key: { id: $.id, day: $.day }"),
            ],
            "the sort key is another one",
        ),
        (ORDERS, &[("by: $.at", "by: $.number")], "`notes` has another order (`by`)"),
        (
            VOTES,
            &[("{ last_event_id: lane }", "{ last_event_id: lane, table: marks }")],
            "the marks are in the table `marks`, and were in `viewfold_marks`",
        ),
        (VOTES, &[("keys: [id]", "keys: [number]")], "`keys` of the stream of DynamoDB table votes is another one"),
        (SUMS, &[("events_table: Events", "events_table: Seen")], "the events table is `Seen`, and was `Events`"),
        (SUMS, &[("id: $.event", "id: $.other")], "the `id` of events is another one"),
        (SUMS, &[("id: $.event, ", "")], "the `id` of events is another one"),
        (SUMS, &[("keep_for: 7d", "keep_for: 6h")], "events are remembered for 6h, and were for 7d"),
        (SUMS, &[("keep_for: 7d", "order_by: $.n")], "the guard has an `order_by` now"),
        (
            SUMS,
            &[
                ("{ kinesis: numbers }", "{ kinesis: { stream: numbers, format: dynamodb } }"),
                ("id: $.event", "id: $.new.event"),
                ("key: { id: $.id }", "key: { id: $.new.id }"),
                ("n: $.n", "n: $.new.n"),
            ],
            "the `format` of the Kinesis stream numbers is another one",
        ),
        (
            ORDERS,
            &[("'by_size.${ $.size }': 1", "'status.${ $.size }': 1"), ("status: $.type, ", "")],
            "`status.${ $.size }` stands in `status`, which old documents have as a value of its own",
        ),
        (
            ORDERS,
            &[
                ("derive: { mean: '${ doc.total / 2 }' }", "derive: { other: 1 }"),
                ("append: {", "append: { mean: { value: $.x, by: $.at, last: 3 },"),
            ],
            "`mean`: `append` meets a number in old documents",
        ),
    ];
    for (text, parts, what) in refused {
        let changes = of(text, &with(text, parts));
        let grave = changes.iter().find(|change| change.what == what);
        assert_eq!(grave.map(|change| change.class), Some(Class::Unsafe), "{parts:?}: {:#?}", lines(&changes));
        assert_eq!(changes[0].class, Class::Unsafe, "{parts:?}");
    }
}

#[test]
fn rows_of_deleted_documents_are_thought_of() {
    let deletes = with(ORDERS, &[("derive:", "  - { name: gone, when: { $.type: gone }, delete: true }\nderive:")]);
    let stops = of(&deletes, ORDERS);
    assert!(lines(&stops).contains(&"unsafe: no document can be deleted any more".to_owned()), "{stops:?}");
    let ttl = of(&deletes, &with(&deletes, &[("partition_key: id }", "partition_key: id, ttl: expires }")]));
    assert_eq!(lines(&ttl), ["unsafe: the TTL is `expires` now"]);
    let shared = with(&deletes, &[("partition_key: id }", "partition_key: id, shared: true }")]);
    assert_eq!(lines(&of(&deletes, &shared)), ["unsafe: others write to the same items now (`shared`)"]);
    assert_eq!(lines(&of(&shared, &deletes)), ["unsafe: nobody else writes to the items any more (`shared`)"]);
    let only = with(ORDERS, &[("partition_key: id }", "partition_key: id, shared: true }")]);
    assert_eq!(lines(&of(ORDERS, &only)), ["deploy: others write to the same items now (`shared`)"]);
}

#[test]
fn what_was_not_written_down_cannot_be_taken_back() {
    let plain = with(VOTES, &[("    retract: true\n", ""), ("$.state", "$.new.state"), ("$.region", "$.new.region")]);
    let changes = of(&plain, VOTES);
    assert_eq!(lines(&changes)[0], "unsafe: the rule `vote` has `retract` now");
}

#[test]
fn under_an_order_documents_are_folded_anew() {
    let ordered = with(SUMS, &[("keep_for: 7d", "order_by: $.n")]);
    means(
        &ordered,
        &[("name: number,", "name: number, when: { $.a: 1 },")],
        &["rebuild: the rule `number` matches fewer events (`when`)"],
    );
    means(&ordered, &[("add: {", "add: { m: 1,")], &["rebuild: `m` is new (`add`, rule `number`)"]);
}

#[test]
fn a_change_stands_where_it_was_made() {
    let place = |old: &str, new: &str| of(old, new)[0].place.to_string();
    assert_eq!(place(ORDERS, &with(ORDERS, &[("status: $.type", "status: $.kind")])), "new.yaml:11:20");
    assert_eq!(place(ORDERS, &with(ORDERS, &[("set: {", "set: { at: $.at,")])), "new.yaml:11:12");
    assert_eq!(place(ORDERS, &with(ORDERS, &[("status: $.type, ", "")])), "old.yaml:11:12");
    assert_eq!(place(ORDERS, &with(ORDERS, &[("$.type: noted", "$.type: told")])), "new.yaml:13:13");
}
