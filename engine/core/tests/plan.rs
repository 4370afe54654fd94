//! The state machine of a batch, driven by hand: which requests it makes, and what it makes of their answers.

use std::sync::Arc;
use viewfold_core::compile::{DEAD_LETTER_TABLE, File, Options, compile};
use viewfold_core::plan::{Action, Answer, Batch, Cancellation, Put, Request, Update};
use viewfold_core::program::Program;
use viewfold_core::report::{Counts, Fate, Reason, Report};
use viewfold_spec::Source;
use viewfold_value::{Item, Value};

const NOW: &str = "2026-01-01T00:00:00Z";

fn program(yaml: &str) -> Program {
    let source = Arc::new(Source { name: "p.yaml".into(), text: yaml.into() });
    let projection = viewfold_spec::parse(&source).unwrap_or_else(|findings| panic!("{findings:?}"));
    compile(&[File { source, projection, schemas: Default::default() }], &Options::default())
        .unwrap_or_else(|findings| panic!("{findings:?}"))
        .program
}

/// Counts per order, guarded by the newest event of the lane.
fn counted() -> Program {
    program(
        "projection: p\n\
         source: { kinesis: { stream: s, lane: $.id } }\n\
         document: { table: Docs, partition_key: id }\n\
         guard: last_event_id\n\
         key: { id: $.id }\n\
         rules: [{ name: r, add: { n: $.n }, set: { last: $.n } }]\n",
    )
}

/// The same, and what cannot be applied comes again.
fn counted_or_held() -> Program {
    program(
        "projection: p\n\
         source: { kinesis: { stream: s, lane: $.id } }\n\
         document: { table: Docs, partition_key: id }\n\
         guard: last_event_id\n\
         on_error: fail\n\
         key: { id: $.id }\n\
         rules: [{ name: r, add: { n: $.n }, set: { last: $.n } }]\n",
    )
}

/// Counts per order, every event remembered.
fn remembered() -> Program {
    program(
        "projection: p\n\
         source: { kinesis: s }\n\
         document: { table: Docs, partition_key: id }\n\
         guard: { events_table: Events, id: $.event }\n\
         key: { id: $.id }\n\
         rules: [{ add: { n: $.n } }]\n",
    )
}

fn record(sequence: u64, lane: &str, payload: &str) -> String {
    use base64::Engine as _;
    let data = base64::engine::general_purpose::STANDARD.encode(payload);
    format!(
        r#"{{"eventID":"shardId-000000000000:{sequence}","eventSourceARN":"arn:aws:kinesis:eu-west-1:123456789012:stream/s",
            "kinesis":{{"partitionKey":"{lane}","sequenceNumber":"{sequence}","data":"{data}"}}}}"#
    )
}

fn invocation(records: &[String]) -> String {
    format!(r#"{{"Records":[{}]}}"#, records.join(","))
}

/// Whether it asks which events wait among the dead letters: every batch begins with that.
fn asks_for_letters(request: &Request) -> bool {
    matches!(request, Request::Query { table, .. } if **table == *DEAD_LETTER_TABLE)
}

/// Carries a batch out, no event waiting among the dead letters and each other request answered by `answer`; the requests and
/// the report.
fn carry_out(
    program: &Program,
    records: &[String],
    mut answer: impl FnMut(usize, &Request) -> Answer,
) -> (Vec<Request>, Report) {
    let payload = invocation(records);
    let mut batch = Batch::new(program, payload.as_bytes(), NOW).unwrap();
    let mut requests = Vec::new();
    while let Some((number, request)) = batch.next() {
        if asks_for_letters(&request) {
            batch.answer(number, Answer::Rows(Some(Vec::new())));
            continue;
        }
        let answered = answer(requests.len(), &request);
        requests.push(request);
        batch.answer(number, answered);
    }
    (requests, batch.finish("unfinished"))
}

fn update(request: &Request) -> &Update {
    match request {
        Request::Write(Action::Update(update)) => update,
        _ => panic!("{request:?}"),
    }
}

/// The value behind the placeholder that an expression gives to an attribute.
fn value<'u>(update: &'u Update, attribute: &str) -> &'u Value {
    let form = &update.form;
    let name = form.names.iter().position(|name| name == attribute).expect("the attribute is written");
    let rest = form.expression.split(&format!("#{name} ")).last().expect("the attribute is in the expression");
    let value = rest.trim_start_matches("= ").split([',', ' ']).next().expect("a value follows");
    let value = value.strip_prefix(':').and_then(|number| number.parse::<usize>().ok()).expect("a placeholder");
    &update.values[value]
}

fn counts(report: &Report) -> Counts {
    report.projections[0].1
}

fn orders(range: std::ops::Range<u64>) -> Vec<String> {
    range.map(|n| record(n, "a", &format!(r#"{{"id":"a","n":{n}}}"#))).collect()
}

#[test]
fn many_events_on_one_document_are_one_write() {
    let (requests, report) = carry_out(&counted(), &orders(1..10_001), |_, _| Answer::Done);
    assert_eq!(requests.len(), 1);
    let update = update(&requests[0]);
    assert_eq!(value(update, "n").to_string(), "50005000");
    assert_eq!(value(update, "last").to_string(), "10000");
    assert_eq!(value(update, "_vf_p").as_str(), Some("kinesis/s/005/10000/0000000000"));
    let condition = "(attribute_not_exists(#2) OR (#2 >= :2 AND #2 < :3)) AND attribute_not_exists(#3)";
    assert_eq!(update.form.condition.as_deref(), Some(condition), "{update:?}");
    let given: Vec<&str> = update.values[2..4].iter().filter_map(Value::as_str).collect();
    assert_eq!(given, ["kinesis/s/", "kinesis/s/001/1/0000000000"]);
    assert_eq!((counts(&report).applied, report.first_failure()), (10_000, None));
}

#[test]
fn many_documents_are_a_write_each() {
    let records: Vec<String> = (1..10_001)
        .map(|n| record(n, &format!("d{}", n % 1000), &format!(r#"{{"id":"d{}","n":1}}"#, n % 1000)))
        .collect();
    let (requests, report) = carry_out(&counted(), &records, |_, _| Answer::Done);
    // Beside the writes, the open dead letters are asked for.
    assert_eq!((requests.len(), report.requests), (1000, 1001));
    assert!(requests.iter().all(|request| value(update(request), "n").to_string() == "10"));
}

fn with_mark(mark: &str) -> Answer {
    let item: Item = [("id".to_owned(), Value::from("a")), ("_vf_p".to_owned(), Value::from(mark))].into();
    Answer::ConditionFailed(Some(item))
}

#[test]
fn a_batch_that_was_half_applied_costs_one_more_write() {
    let (requests, report) = carry_out(&counted(), &orders(1..11), |number, _| match number {
        0 => with_mark("kinesis/s/001/4/0000000000"),
        _ => Answer::Done,
    });
    assert_eq!(requests.len(), 2);
    assert_eq!(value(update(&requests[1]), "n").to_string(), "45", "5 to 10");
    assert_eq!((counts(&report).repeated, counts(&report).applied), (4, 6));
    assert_eq!(report.first_failure(), None);
}

#[test]
fn a_batch_that_was_applied_makes_no_second_write() {
    let (requests, report) = carry_out(&counted(), &orders(1..11), |_, _| with_mark("kinesis/s/002/10/0000000000"));
    assert_eq!((requests.len(), counts(&report).repeated, report.first_failure()), (1, 10, None));
}

#[test]
fn another_streams_mark_is_no_repeat() {
    let (_, report) = carry_out(&counted(), &orders(1..3), |_, _| with_mark("kinesis/other/002/10/0000000000"));
    assert_eq!(counts(&report).rejected, 2);
    assert_eq!(report.troubles[0].reason, Some(Reason::OtherStream));
}

#[test]
fn numbers_that_go_back_inside_a_batch_are_told_apart() {
    let records: Vec<String> =
        [5, 5, 3, 7].map(|n| record(n, "a", &format!(r#"{{"id":"a","n":{n}}}"#))).into_iter().collect();
    let (requests, report) = carry_out(&counted(), &records, |_, _| Answer::Done);
    assert_eq!(value(update(&requests[0]), "n").to_string(), "12");
    let Counts { applied, repeated, stale, .. } = counts(&report);
    assert_eq!((applied, repeated, stale), (2, 1, 1));
}

#[test]
fn the_culprit_is_found_by_halving_and_holds_its_document_only() {
    let mut records = orders(1..65);
    records.push(record(99, "b", r#"{"id":"b","n":1}"#));
    // The store refuses every write that covers the event with 40: the marks tell which events a write covers.
    let covers = |request: &Request| {
        let update = update(request);
        let mark = |value: &Value| value.as_str().and_then(|text| text.split('/').nth(3)?.parse::<u64>().ok());
        let marks: Vec<u64> = update.values.iter().filter_map(mark).collect();
        update.key.get("id") == Some(&Value::from("a")) && marks.contains(&40)
            || marks.iter().max() >= Some(&40) && marks.iter().min() <= Some(&40)
    };
    let (requests, report) = carry_out(&counted_or_held(), &records, |_, request| {
        // The event that is alone is looked at beside its document.
        if let Request::Read(keys) = request {
            return Answer::Items(vec![None; keys.len()]);
        }
        if covers(request) { Answer::Refused("too large".into()) } else { Answer::Done }
    });
    let Counts { applied, rejected, failed, .. } = counts(&report);
    assert_eq!((applied, rejected, failed), (39 + 1, 1, 24), "{requests:?}");
    let first = report.first_failure().unwrap();
    assert_eq!((first.sequence.as_str(), first.reason), ("40", Some(Reason::RefusedByStore)));
    assert!(requests.len() < 24, "{}", requests.len());
}

#[test]
fn a_store_that_fails_stops_one_document_and_gives_the_lowest_record_back() {
    let mut records = orders(5..8);
    records.push(record(9, "b", r#"{"id":"b","n":1}"#));
    let (requests, report) =
        carry_out(&counted(), &records, |_, request| match update(request).key.get("id").and_then(Value::as_str) {
            Some("a") => Answer::Failed("throttled".into()),
            _ => Answer::Done,
        });
    assert_eq!(requests.len(), 2);
    assert_eq!((counts(&report).failed, counts(&report).applied), (3, 1));
    assert_eq!(report.first_failure().map(|trouble| trouble.sequence.as_str()), Some("5"));
}

#[test]
fn what_has_no_answer_is_not_done() {
    let program = counted();
    let payload = invocation(&orders(1..3));
    let mut batch = Batch::new(&program, payload.as_bytes(), NOW).unwrap();
    assert!(batch.next().is_some());
    assert!(batch.next().is_none(), "one request in flight for a document");
    let report = batch.finish("out of time");
    assert_eq!(counts(&report).failed, 2);
    assert_eq!(report.troubles[0].message, "out of time");
}

/// What a request puts.
fn item(put: &Put) -> Item {
    put.item.clone().into_iter().collect()
}

/// The dead letters that a request writes.
fn letters(request: &Request) -> Vec<Item> {
    let actions = match request {
        Request::Write(action) => std::slice::from_ref(action),
        Request::Transact(actions) => actions,
        _ => &[],
    };
    let puts = actions.iter().filter_map(|action| match action {
        Action::Put(put) if &*put.table == "viewfold_dead_letters" => Some(item(put)),
        _ => None,
    });
    puts.collect()
}

#[test]
fn a_bad_event_does_not_stop_those_behind_it() {
    let records = [
        record(1, "a", r#"{"id":"a","n":1}"#),
        record(2, "a", "no json"),
        record(3, "a", r#"{"id":"a"}"#),
        record(4, "a", r#"{"id":"a","n":"4"}"#),
        record(5, "b", r#"{"id":"a","n":5}"#),
        record(6, "", r#"{"id":"","n":5}"#),
        record(7, "7", r#"{"id":7,"n":5}"#),
        record(8, "a", r#"{"id":"a","n":1e999}"#),
        record(9, "a", r#"{"id":"a","n":9}"#),
    ];
    let (requests, report) = carry_out(&counted(), &records, |_, _| Answer::Done);
    let sums = requests.iter().filter_map(|request| match request {
        Request::Write(Action::Update(update)) => Some(value(update, "n").to_string()),
        _ => None,
    });
    assert_eq!(sums.collect::<Vec<_>>(), ["1", "9"]);
    assert_eq!(requests.iter().flat_map(letters).count(), 7);
    // Where the document could be told, its mark goes past the events together with their letters.
    let marked = requests.iter().filter(|request| matches!(request, Request::Transact(_))).count();
    assert_eq!(marked, 1, "{requests:?}");
    let troubles: Vec<_> = report.troubles.iter().map(|trouble| (trouble.record, trouble.reason.unwrap())).collect();
    assert_eq!(
        troubles,
        [
            (1, Reason::Undecodable),
            (2, Reason::MissingValue),
            (3, Reason::WrongType),
            (4, Reason::WrongLane),
            (5, Reason::BadKey),
            (6, Reason::WrongType),
            (7, Reason::BadNumber),
        ]
    );
    assert!(report.troubles.iter().all(|trouble| trouble.fate == Fate::DeadLetter));
    assert_eq!(report.first_failure(), None);
}

#[test]
fn a_stream_that_nobody_reads_fails_the_batch() {
    let payload = invocation(&orders(1..2)).replace("stream/s", "stream/elsewhere");
    let error = Batch::new(&counted(), payload.as_bytes(), NOW).unwrap_err();
    assert!(error.0.contains("Kinesis stream elsewhere") && error.0.contains("Kinesis stream s"), "{error}");
}

fn actions(request: &Request) -> (usize, usize) {
    match request {
        Request::Transact(actions) => {
            let puts = actions.iter().filter(|action| matches!(action, Action::Put(_))).count();
            (puts, actions.len() - puts)
        }
        _ => panic!("{request:?}"),
    }
}

fn remembered_event(sequence: u64, document: &str, event: &str) -> String {
    record(sequence, "x", &format!(r#"{{"id":"{document}","event":"{event}","n":1}}"#))
}

#[test]
fn transactions_are_filled_and_cut_between_events() {
    let one: Vec<String> = (1..251).map(|n| remembered_event(n, "a", &format!("e{n}"))).collect();
    let (requests, report) = carry_out(&remembered(), &one, |_, _| Answer::Done);
    assert_eq!(requests.iter().map(actions).collect::<Vec<_>>(), [(99, 1), (99, 1), (52, 1)]);
    assert_eq!(counts(&report).applied, 250);

    let many: Vec<String> = (1..101).map(|n| remembered_event(n, &format!("d{n}"), &format!("e{n}"))).collect();
    let (requests, _) = carry_out(&remembered(), &many, |_, _| Answer::Done);
    assert_eq!(requests.iter().map(actions).collect::<Vec<_>>(), [(50, 50), (50, 50)]);
}

#[test]
fn ids_that_are_there_are_dropped_and_the_rest_is_written() {
    let mut records: Vec<String> = (1..6).map(|n| remembered_event(n, "a", &format!("e{n}"))).collect();
    records.push(remembered_event(6, "a", "e5"));
    let (requests, report) = carry_out(&remembered(), &records, |number, request| match number {
        0 => {
            assert_eq!(actions(request), (5, 1));
            let mut reasons = vec![Cancellation::None; 6];
            reasons[1] = Cancellation::ConditionFailed(None);
            reasons[3] = Cancellation::ConditionFailed(None);
            Answer::Cancelled(reasons)
        }
        _ => Answer::Done,
    });
    assert_eq!(requests.iter().map(actions).collect::<Vec<_>>(), [(5, 1), (3, 1)]);
    let Counts { applied, repeated, .. } = counts(&report);
    assert_eq!((applied, repeated), (3, 3));
    assert_eq!(report.first_failure(), None);
}

#[test]
fn the_culprit_of_a_transaction_is_found_and_the_others_go_on() {
    let records: Vec<String> = (1..9).map(|n| remembered_event(n, &format!("d{n}"), &format!("e{n}"))).collect();
    let (requests, report) = carry_out(&remembered(), &records, |_, request| {
        let actions = match request {
            Request::Transact(actions) => actions,
            Request::Read(keys) => return Answer::Items(vec![None; keys.len()]),
            other => panic!("{other:?}"),
        };
        let refused = |action: &Action| matches!(action, Action::Update(update) if update.key.get("id") == Some(&Value::from("d3")));
        if actions.iter().any(refused) {
            let reason = |action| {
                if refused(action) { Cancellation::Refused("wrong type".into()) } else { Cancellation::None }
            };
            Answer::Cancelled(actions.iter().map(reason).collect())
        } else {
            Answer::Done
        }
    });
    let Counts { applied, rejected, failed, .. } = counts(&report);
    assert_eq!((applied, rejected, failed), (7, 1, 0));
    let letters: Vec<Item> = requests.iter().flat_map(letters).collect();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0]["reason"].as_str(), letters[0]["sequence"].as_str()), (Some("refused_by_store"), Some("3")));
    assert_eq!(report.first_failure(), None);
}

#[test]
fn rows_of_the_events_table_are_named_after_projection_source_and_id() {
    let (requests, _) = carry_out(&remembered(), &[remembered_event(1, "a", "x/1")], |_, _| Answer::Done);
    let Request::Transact(actions) = &requests[0] else { panic!("{requests:?}") };
    let Action::Put(put) = &actions[0] else { panic!("{actions:?}") };
    assert_eq!(Value::Map(item(put)).to_string(), r#"{"pk":"p/s/x%2F1","sk":"-"}"#);
    assert_eq!(&*put.table, "Events");
}

#[test]
fn a_dead_letter_that_is_there_is_as_good_as_a_new_one() {
    let program = program(
        "projection: p\n\
         source: { kinesis: { stream: s, lane: $.id } }\n\
         document: { table: Docs, partition_key: id }\n\
         guard: { last_event_id: lane }\n\
         key: { id: $.id }\n\
         rules: [{ add: { n: $.n } }]\n",
    );
    let (requests, report) = carry_out(&program, &[record(1, "a", "{oops")], |_, _| Answer::ConditionFailed(None));
    assert_eq!(requests.len(), 1);
    assert_eq!(report.first_failure(), None);
    assert_eq!(counts(&report).rejected, 1);
}

/// The version that an update requires, and the one that it sets.
fn versions(request: &Request) -> (Option<String>, String) {
    let Request::Transact(actions) = request else { panic!("{request:?}") };
    let update = actions.iter().find_map(|action| match action {
        Action::Update(update) => Some(update),
        _ => None,
    });
    let update = update.expect("the document is written");
    let versions = update.values.iter().filter_map(Value::as_str);
    let mut versions = versions.filter(|text| text.starts_with('[')).map(str::to_owned);
    let first = versions.next().expect("it has a version");
    match versions.next() {
        Some(second) => (Some(first.clone().min(second.clone())), first.max(second)),
        None => (None, first),
    }
}

#[test]
fn a_document_is_read_once_however_many_transactions_it_takes() {
    let guards = [
        ("{ events_table: Events, id: $.event, order_by: $.n }", ""),
        ("{ events_table: Events, id: $.event }", "derive: { twice: '${ doc.n * 2 }' }\n"),
    ];
    for (guard, derive) in guards {
        let program = program(&format!(
            "projection: p\n\
             source: {{ kinesis: s }}\n\
             document: {{ table: Docs, partition_key: id }}\n\
             guard: {guard}\n\
             {derive}key: {{ id: $.id }}\n\
             rules: [{{ add: {{ n: $.n }} }}]\n"
        ));
        let event = |n| record(n, "x", &format!(r#"{{"id":"a","event":"e{n}","n":{n}}}"#));
        let records: Vec<String> = (1..301).map(event).collect();
        let (requests, report) = carry_out(&program, &records, |_, request| match request {
            Request::Read(keys) => Answer::Items(vec![None; keys.len()]),
            _ => Answer::Done,
        });
        assert!(matches!(requests[0], Request::Read(_)), "{guard}: {:?}", requests[0]);
        assert_eq!(
            requests[1..].iter().map(actions).collect::<Vec<_>>(),
            [(99, 1), (99, 1), (99, 1), (3, 1)],
            "{guard}"
        );
        assert_eq!(counts(&report).applied, 300);
        if derive.is_empty() {
            // Each depends on what the one before it has written.
            let versions: Vec<_> = requests[1..].iter().map(versions).collect();
            assert_eq!(versions[0].0, None);
            for pair in versions.windows(2) {
                assert_eq!(pair[1].0.as_ref(), Some(&pair[0].1));
            }
        }
    }
}

/// An ordered view, and answers for a document that holds the event 5 already.
fn ordered(rows: Option<Vec<Item>>) -> (Vec<Request>, Report) {
    let program = program(
        "projection: p\n\
         source: { kinesis: s }\n\
         document: { table: Docs, partition_key: id }\n\
         guard: { events_table: Events, id: $.event, order_by: $.n }\n\
         key: { id: $.id }\n\
         rules: [{ add: { n: $.n } }]\n",
    );
    let document: Item = [
        ("id".to_owned(), Value::from("a")),
        ("n".to_owned(), Value::Number(5u64.into())),
        ("_vf_p_version".to_owned(), Value::from(r#"[1,"001/5","e5"]"#)),
    ]
    .into();
    let late = record(9, "a", r#"{"id":"a","n":3,"event":"e3"}"#);
    carry_out(&program, &[late], |_, request| match request {
        Request::Read(keys) if *keys[0].table == *"Docs" => Answer::Items(vec![Some(document.clone())]),
        Request::Read(keys) => Answer::Items(vec![None; keys.len()]),
        Request::Query { .. } => Answer::Rows(rows.clone()),
        Request::Write(_) | Request::Transact(_) => Answer::Done,
    })
}

#[test]
fn a_late_event_of_a_document_with_too_many_is_a_dead_letter() {
    let (requests, report) = ordered(None);
    assert!(requests.len() <= 4, "{requests:?}");
    assert_eq!(report.first_failure(), None);
    assert_eq!(report.troubles.iter().map(|trouble| trouble.reason).collect::<Vec<_>>(), [Some(Reason::TooLate)]);
    let (_, report) = ordered(Some(Vec::new()));
    assert_eq!(counts(&report).applied, 1);
}

/// Counts of documents that many lanes feed, by the newest event of each shard.
fn by_shard() -> Program {
    program(
        "projection: p\n\
         source: { kinesis: { stream: s, lane: $.lane } }\n\
         document: { table: Docs, partition_key: id }\n\
         guard: { last_event_id: shard }\n\
         key: { id: $.id }\n\
         rules: [{ add: { n: $.n } }]\n",
    )
}

#[test]
fn a_shards_mark_is_an_entry_of_a_map_that_is_made_when_it_is_needed() {
    let records: Vec<String> = (1..101)
        .map(|n| record(n, &format!("l{}", n % 7), &format!(r#"{{"id":"a","lane":"l{}","n":1}}"#, n % 7)))
        .collect();
    let (requests, report) = carry_out(&by_shard(), &records, |_, _| Answer::Done);
    assert_eq!((requests.len(), counts(&report).applied), (1, 100));
    let first = update(&requests[0]);
    assert!(first.form.expression.contains("#1.#2 = :3"), "{first:?}");
    assert_eq!(first.form.names[1..3], ["_vf_p", "shardId-000000000000"]);

    // The map is not there yet.
    let (requests, report) = carry_out(&by_shard(), &records, |number, _| match number {
        0 => Answer::NoParent("the document path is invalid".into()),
        _ => Answer::Done,
    });
    assert_eq!((requests.len(), counts(&report).applied), (2, 100));
    let map = value(update(&requests[1]), "_vf_p");
    assert_eq!(map.to_string(), r#"{"shardId-000000000000":"kinesis/s/003/100/0000000000"}"#);
    assert!(
        update(&requests[1])
            .form
            .condition
            .as_deref()
            .is_some_and(|condition| condition.contains("attribute_not_exists"))
    );
}

#[test]
fn a_record_without_a_shard_has_no_mark_of_one() {
    let record = record(1, "l", r#"{"id":"a","lane":"l","n":1}"#).replace("shardId-000000000000:1", "1");
    let (_, report) = carry_out(&by_shard(), &[record], |_, _| Answer::Done);
    assert_eq!(report.troubles.iter().map(|trouble| trouble.reason).collect::<Vec<_>>(), [Some(Reason::MissingValue)]);
}

/// The row of an open letter, as a batch asks for it.
fn open_letter(sequence: &str, lane: &str) -> Item {
    let texts = [("projection", "p"), ("lane", lane), ("sequence", sequence)];
    let mut row: Item = texts.into_iter().map(|(name, text)| (name.to_owned(), Value::from(text))).collect();
    row.insert("sub".to_owned(), Value::Number(0u64.into()));
    row
}

#[test]
fn an_event_that_waits_among_the_dead_letters_is_left_to_be_redriven() {
    let payload = invocation(&orders(1..4));
    let program = counted();
    let mut batch = Batch::new(&program, payload.as_bytes(), NOW).unwrap();
    let (number, request) = batch.next().unwrap();
    let Request::Query { table, partition, attributes, .. } = &request else { panic!("{request:?}") };
    assert_eq!((&**table, partition.1.as_str()), (DEAD_LETTER_TABLE, Some("open/s")));
    assert!(attributes.contains(&"sequence") && !attributes.contains(&"record"), "payloads are not read");
    // Nothing is written before the answer is there.
    assert_eq!(batch.next(), None);
    batch.answer(number, Answer::Rows(Some(vec![open_letter("2", "a"), open_letter("3", "another lane")])));
    let (number, request) = batch.next().unwrap();
    assert_eq!(value(update(&request), "n").to_string(), "4");
    batch.answer(number, Answer::Done);
    let report = batch.finish("unfinished");
    assert_eq!((counts(&report).applied, counts(&report).waiting), (2, 1));
}

#[test]
fn without_the_open_dead_letters_nothing_is_written() {
    let payload = invocation(&orders(1..4));
    let program = counted();
    let mut batch = Batch::new(&program, payload.as_bytes(), NOW).unwrap();
    let (number, _) = batch.next().unwrap();
    batch.answer(number, Answer::Failed("throttled".into()));
    assert_eq!(batch.next(), None);
    let report = batch.finish("unfinished");
    assert_eq!(counts(&report).failed, 3);
    let message = report.first_failure().map(|trouble| trouble.message.clone()).unwrap_or_default();
    assert!(message.contains("open dead letters could not be read: throttled"), "{message}");
}

#[test]
fn a_large_record_is_kept_in_several_rows_that_are_there_before_its_letter() {
    // What cannot be packed smaller.
    let mut seed = 1_u64;
    let noise: String = (0..1_200_000)
        .map(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b'a' + u8::try_from(seed >> 59).unwrap_or(0) % 26)
        })
        .collect();
    let large = record(1, "a", &format!(r#"{{"id":"a","noise":"{noise}"}}"#));
    let mut met = false;
    let (requests, report) = carry_out(&counted(), &[large], |_, request| match request {
        // There is no document whose mark could move.
        Request::Transact(_) if !std::mem::replace(&mut met, true) => {
            Answer::Cancelled(vec![Cancellation::ConditionFailed(None), Cancellation::None])
        }
        _ => Answer::Done,
    });
    let rows: Vec<Item> = requests
        .iter()
        .filter_map(|request| match request {
            Request::Write(Action::Put(put)) => Some(item(put)),
            _ => None,
        })
        .collect();
    assert!(rows.len() > 1, "{} parts", rows.len());
    assert!(rows.iter().all(|row| row["pk"].as_str() == Some("payload/s")));
    let Some(Request::Transact(last)) = requests.last() else { panic!("the letter comes last") };
    assert!(matches!(last.as_slice(), [Action::Check(_), Action::Put(_)]), "{last:?}");
    assert_eq!((requests.len(), counts(&report).rejected), (rows.len() + 2, 1));
}

#[test]
fn events_of_one_document_that_cannot_be_applied_are_put_away_together() {
    let bad: Vec<String> = (1..251).map(|n| record(n, "a", r#"{"id":"a","n":"text"}"#)).collect();
    let (requests, report) = carry_out(&counted(), &bad, |_, _| Answer::Done);
    let sizes: Vec<usize> = requests
        .iter()
        .map(|request| match request {
            Request::Transact(actions) => actions.len(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((sizes, counts(&report).rejected), (vec![100, 100, 53], 250));
    let Request::Transact(actions) = &requests[0] else { panic!("{:?}", requests[0]) };
    let Action::Update(mark) = &actions[0] else { panic!("{:?}", actions[0]) };
    assert_eq!(value(mark, "_vf_p").as_str(), Some("kinesis/s/002/99/0000000000"));
}

#[test]
fn a_store_that_refuses_the_dead_letters_too_is_not_asked_for_ever() {
    for guard in ["{ last_event_id: lane, table: Marks }", "{ events_table: Events, id: $.event }"] {
        let program = program(&format!(
            "projection: p\n\
             source: {{ kinesis: {{ stream: s, lane: $.id }} }}\n\
             document: {{ table: Docs, partition_key: id }}\n\
             guard: {guard}\n\
             rules: [{{ key: {{ id: $.event }}, add: {{ n: 1 }} }}]\n"
        ));
        let records = [1, 2].map(|n| record(n, "a", &format!(r#"{{"id":"a","event":"e{n}"}}"#)));
        let (requests, report) = carry_out(&program, &records, |number, request| {
            assert!(number < 100, "{guard}: no end of requests");
            match request {
                Request::Read(keys) => Answer::Items(vec![None; keys.len()]),
                _ => Answer::Refused("the table has other keys".into()),
            }
        });
        assert!(!requests.is_empty());
        assert_eq!(counts(&report).failed, 2, "{guard}");
        assert!(report.troubles[0].message.contains("the dead letter could not be written"), "{report:?}");
    }
}

#[test]
fn a_record_that_is_there_twice_has_one_dead_letter() {
    let records = [5, 5].map(|n| record(n, "x", r#"{"id":"a"}"#));
    let (requests, report) = carry_out(&remembered(), &records, |number, request| match (number, request) {
        (0, Request::Write(Action::Put(_))) => Answer::Done,
        (_, Request::Write(Action::Put(put))) if put.form.condition.is_some() => Answer::ConditionFailed(None),
        _ => panic!("{request:?}"),
    });
    assert_eq!(requests.iter().flat_map(letters).count(), 2, "one after the other, in the same place");
    assert_eq!((counts(&report).rejected, report.first_failure()), (2, None));
}

#[test]
fn ordered_events_of_one_document_are_packed_to_the_last_action() {
    let program = program(
        "projection: p\n\
         source: { kinesis: s }\n\
         document: { table: Docs, partition_key: id }\n\
         guard: { events_table: Events, id: $.event, order_by: $.n }\n\
         key: { id: $.id }\n\
         rules: [{ add: { n: $.n } }]\n",
    );
    let records: Vec<String> =
        (1..199).map(|n| record(n, "a", &format!(r#"{{"id":"a","n":{n},"event":"e{n}"}}"#))).collect();
    let mut document = None;
    let (requests, report) = carry_out(&program, &records, |_, request| match request {
        Request::Read(keys) => Answer::Items(keys.iter().map(|_| document.clone()).collect()),
        Request::Transact(_) => {
            let version = Value::from(r#"[1,"002/99","e99"]"#);
            document = Some([("id".to_owned(), Value::from("a")), ("_vf_p_version".to_owned(), version)].into());
            Answer::Done
        }
        other => panic!("{other:?}"),
    });
    let sizes = requests.iter().filter_map(|request| match request {
        Request::Transact(actions) => Some(actions.len()),
        _ => None,
    });
    assert_eq!((sizes.collect::<Vec<_>>(), counts(&report).applied), (vec![100, 100], 198));
}

/// A stream without the images that rules read would look like items without attributes: nothing is applied.
#[test]
fn a_stream_without_the_images_that_are_read_is_no_source() {
    let of = |rule: &str| {
        program(&format!(
            "projection: p\nsource: {{ dynamodb: {{ table: Orders, keys: [id] }} }}\n\
             document: {{ table: Docs, partition_key: id }}\nguard: {{ last_event_id: lane }}\nrules: [{rule}]\n"
        ))
    };
    let retract = of("{ name: r, retract: true, key: { id: $.customer }, add: { n: 1 } }");
    let both = of("{ name: r, any_order: true, key: { id: $.keys.id }, set: { was: $.old.n?, is: $.new.n? } }");
    let keys = of("{ name: r, key: { id: $.keys.id }, add: { n: 1 } }");
    for (program, view, lacks) in [
        (&retract, "KEYS_ONLY", Some("new image")),
        (&retract, "OLD_IMAGE", Some("new image")),
        (&retract, "NEW_IMAGE", None),
        (&both, "NEW_IMAGE", Some("old image")),
        (&both, "NEW_AND_OLD_IMAGES", None),
        (&keys, "KEYS_ONLY", None),
    ] {
        let payload = format!(
            r#"{{"Records":[{{"eventID":"1","eventName":"INSERT",
                "eventSourceARN":"arn:aws:dynamodb:eu-west-1:123456789012:table/Orders/stream/2026-01-01T00:00:00.000",
                "dynamodb":{{"SequenceNumber":"111","StreamViewType":"{view}","Keys":{{"id":{{"S":"1"}}}}}}}}]}}"#
        );
        let refused = Batch::new(program, payload.as_bytes(), NOW).err().map(|error| error.to_string());
        match lacks {
            None => assert_eq!(refused, None, "{view}"),
            Some(words) => {
                let message = refused.unwrap_or_else(|| panic!("{view} is taken"));
                assert!(message.contains(words) && message.contains("Orders") && message.contains(view), "{message}");
            }
        }
    }
}
