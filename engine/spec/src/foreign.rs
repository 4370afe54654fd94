//! Words of other systems, and what they are called here.

use crate::keys::Place;

/// A key of another system at some place.
pub(crate) struct Foreign {
    place: Place,
    words: &'static [&'static str],
    /// The key that it stands for.
    pub(crate) means: &'static str,
    /// What to write; `{key}` is the key as it was written and `{value}` its value.
    pub(crate) help: &'static str,
}

/// The foreign key that a word is, however it is spelt.
pub(crate) fn key(place: Place, word: &str) -> Option<&'static Foreign> {
    let word = plain(word);
    FOREIGN.iter().find(|foreign| foreign.place == place && foreign.words.iter().any(|other| plain(other) == word))
}

/// A word without what spellings differ in: case, `_`, `-`, and signs around it.
pub(crate) fn plain(word: &str) -> String {
    word.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '=' | '<' | '>' | '!'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// The word of the language that a word of another one means, among those that may stand there.
pub(crate) fn word<'w>(word: &str, expected: &[&'w str]) -> Option<&'w str> {
    let meant: &[&str] = match word {
        "S" => &["string"],
        "N" => &["number"],
        "B" => &["binary"],
        "BOOL" => &["boolean"],
        "NULL" => &["null"],
        "L" => &["list"],
        "M" => &["map"],
        "SS" => &["string_set"],
        "NS" => &["number_set"],
        "BS" => &["binary_set"],
        _ => match plain(word).as_str() {
            "text" | "str" | "varchar" | "char" => &["string"],
            "int" | "integer" | "float" | "double" | "decimal" | "long" | "numeric" => &["number"],
            "bool" => &["boolean"],
            "none" | "nil" => &["null"],
            "array" | "sequence" => &["list"],
            "object" | "dict" | "struct" | "mapping" => &["map"],
            "bytes" | "blob" => &["binary"],
            "set" => &["string_set"],
            "dlq" | "deadletterqueue" | "deadletters" | "park" => &["dead_letter"],
            "ignore" | "drop" | "continue" | "discard" => &["skip"],
            "retry" | "stop" | "abort" | "raise" | "error" | "halt" | "block" => &["fail"],
            "partition" | "partitionkey" => &["lane"],
            "item" | "row" | "record" => &["document"],
            _ => &[],
        },
    };
    meant.iter().find_map(|meant| expected.iter().find(|word| *word == meant)).copied()
}

macro_rules! foreign {
    ($($place:ident { $($($word:literal)|+ => $means:literal: $help:literal;)+ })+) => {
        const FOREIGN: &[Foreign] = &[
            $($(Foreign { place: Place::$place, words: &[$($word),+], means: $means, help: $help },)+)+
        ];
    };
}

foreign! {
    Projection {
        "name" | "id" | "title" => "projection": "the name of a projection is written `projection: {value}`";
        "table" | "view" | "target" | "destination" | "sink" | "output" | "to" | "into" | "collection"
            => "document": "documents go into a table, with a key: `document: { table: {value}, partition_key: id }`";
        "stream" | "from" | "input" | "inputs" | "event_source" | "eventsource" | "topic" | "kinesis"
            => "source": "events come from a source: `source: { kinesis: {value} }`";
        "dynamodb" => "source": "events come from a source: `source: { dynamodb: {value} }`";
        "sqs" | "queue" => "source": "events come from a source: `source: { sqs: {value} }`";
        "primary_key" | "pk" | "hash_key" => "key": "which document an event belongs to is said by `key: { id: $.id }`, and the table's key by `partition_key` in `document`";
        "filter" | "where" | "match" | "when" | "on" | "condition" | "pattern" | "event_pattern"
            => "rules": "which events a rule is for is said in the rule: `rules: [{ when: {value}, … }]`";
        "if" => "rules": "a condition stands in a rule: `rules: [{ if: …, add: … }]`";
        "add" | "set" | "set_once" | "max" | "min" | "append" | "remove" | "delete"
            => "rules": "operations stand in a rule: `rules:`, and below it `  - {key}: {value}`";
        "increment" | "inc" | "count" | "sum" | "aggregate" => "rules": "a rule adds with `add`: `rules:`, and below it `  - add: {value}`";
        "upsert" | "update" | "put" => "rules": "a rule gives attributes values with `set`: `rules:`, and below it `  - set: {value}`";
        "handlers" | "events" | "operations" | "actions" | "transforms" | "steps" | "mappings" | "reducers" | "fold"
            => "rules": "what events do to documents stands in `rules`, a list: each rule begins with `- `";
        "rule" => "rules": "`rules` is a list: `rules:`, and below it each rule, which begins with `- `";
        "dedup" | "dedupe" | "deduplicate" | "deduplication" | "idempotency" | "idempotent" | "exactly_once" | "idempotency_key"
            => "guard": "what makes a repeated event harmless is the `guard`: `guard: last_event_id`, for example";
        "vars" | "variables" | "define" | "with" | "locals" => "let": "named values stand in `let`";
        "computed" | "derived" | "calculated" | "computed_fields" => "derive": "attributes that are computed from the document stand in `derive`";
        "delete_if" | "remove_when" | "delete_on" => "delete_when": "the condition that deletes a document is `delete_when: {value}`";
        "errors" | "on_failure" | "onerror" | "error" | "error_handling" | "dlq" | "dead_letter" | "dead_letter_queue"
            => "on_error": "what becomes of an event that cannot be applied is said by `on_error`: `dead_letter`, `skip` or `fail`";
        "api_version" | "kind" | "spec" | "metadata" => "": "a projection has no such key: remove it (`description` is free text, and keys that begin with `x-` are ignored)";
        "comment" | "notes" | "doc" | "docs" | "summary" => "description": "free text is written `description: {value}`";
        "tags" | "labels" | "owner" | "team" => "": "keys that begin with `x-` are ignored: `x-{key}: {value}`";
    }
    Source {
        "kafka" | "s3" | "rabbitmq" | "msk" | "http"
            => "kinesis": "a source is a Kinesis stream (`kinesis`), the stream of a DynamoDB table (`dynamodb`) or an SQS queue (`sqs`)";
        "queue" | "queue_name" | "sqs_queue" => "sqs": "an SQS queue is written `sqs: {value}`";
        "sns" | "topic" => "sqs": "a topic of SNS is read through a queue: `source: { sqs: { queue: NAME, format: sns } }`";
        "eventbridge" | "event_bridge" | "event_bus" | "bus" | "cloudwatch_events"
            => "sqs": "a rule of EventBridge sends to a queue: `source: { sqs: { queue: NAME, format: eventbridge } }`";
        "dynamo" | "ddb" | "dynamodb_stream" | "dynamo_db" => "dynamodb": "the stream of a table is written `dynamodb: {value}`";
        "kinesis_stream" => "kinesis": "a Kinesis stream is written `kinesis: {value}`";
        "name" => "kinesis": "a Kinesis stream is written `source: { kinesis: {value} }`, the stream of a table `source: { dynamodb: {value} }`";
        "table" => "dynamodb": "the stream of a table is written `source: { dynamodb: {value} }`";
        "arn" => "kinesis": "a source is named, without its ARN: `source: { kinesis: NAME }`";
    }
    Kinesis {
        "name" | "stream_name" | "topic" | "arn" | "stream_arn" => "stream": "the stream's name is written `stream: NAME`";
        "partition_key" | "shard_key" | "key" | "lanes" | "partition_by"
            => "lane": "what producers send as partition key is said by `lane: {value}`, a path into the payload";
        "batch_size" | "starting_position" | "parallelization_factor" | "bisect_batch" | "batch_window" | "enhanced_fan_out" | "consumer"
            => "": "how the stream is read is set on the function's event source mapping, not here: remove it";
        "encoding" | "content_type" | "decoder" => "format": "`format` is `json` or `dynamodb`";
        "table" => "": "a table's stream is read with `source: { dynamodb: { table: {value} } }`";
    }
    Dynamodb {
        "name" | "table_name" => "table": "the table's name is written `table: {value}`";
        "key" | "primary_key" | "partition_key" | "hash_key" => "keys": "the key attributes of the source's table are a list: `keys: [{value}]`";
        "lane" => "keys": "the lanes of a table's stream are its items: `keys: [id]` names the key attributes of the table";
        "stream" | "stream_arn" | "arn" => "table": "the stream of a table is named by the table: `table: NAME`";
        "view_type" | "stream_view_type" | "batch_size" | "starting_position" | "batch_window"
            => "": "how the stream is read is set on the table and on the function's event source mapping, not here: remove it";
    }
    Sqs {
        "name" | "queue_name" | "queue_url" | "url" | "arn" | "queue_arn" | "topic" => "queue": "the queue's name, without its URL or ARN, is written `queue: NAME`";
        "group" | "group_id" | "message_group" | "message_group_id" | "partition_key" | "key"
            => "lane": "what senders use as message group of a FIFO queue is written `lane: {value}`";
        "deduplication_id" | "message_deduplication_id" | "dedup" | "dedup_id" | "id"
            => "": "what tells one message from all others is said by the guard: `guard: { events_table: NAME, id: {value} }`";
        "fifo" | "type" => "": "a queue whose name ends in `.fifo` is a FIFO queue: remove it";
        "envelope" | "encoding" | "content_type" | "decoder" => "format": "`format` is `json`, `sns` or `eventbridge`";
        "keys" => "": "a message is about no item: remove it";
        "stream" | "table" => "queue": "the queue's name is written `queue: {value}`";
        "batch_size" | "batch_window" | "visibility_timeout" | "max_concurrency" | "redrive_policy"
            => "": "how the queue is read is set on the queue and on the function's event source mapping, not here: remove it";
    }
    Document {
        "name" | "table_name" | "collection" => "table": "the table's name is written `table: {value}`";
        "pk" | "hash_key" | "key" | "primary_key" | "id" | "hash" | "partition" => "partition_key": "the table's partition key is written `partition_key: id`, the name of an attribute";
        "sk" | "range_key" | "sort" | "range" => "sort_key": "the table's sort key is written `sort_key: {value}`";
        "gsi" | "gsis" | "index" | "global_secondary_indexes" | "secondary_indexes" => "indexes": "indexes are written `indexes: { ByDay: { partition_key: day } }`";
        "expires" | "time_to_live" | "ttl_attribute" | "expiry" | "expire_after" => "ttl": "`ttl: expires` names the attribute that holds when an item expires";
        "keys" => "partition_key": "a table's key is written `partition_key: id`, and `sort_key: day` where it has one";
    }
    Index {
        "name" => "": "an index stands under its name: `indexes: { ByDay: { partition_key: day } }`";
        "pk" | "hash_key" | "key" => "partition_key": "the index's partition key is written `partition_key: {value}`";
        "sk" | "range_key" => "sort_key": "the index's sort key is written `sort_key: {value}`";
        "projection" | "project" => "": "all attributes are projected into an index: remove it";
    }
    KeyAttribute {
        "attribute" | "key" | "attribute_name" => "name": "a key attribute is written `{ name: id, type: number }`";
        "kind" | "attribute_type" => "type": "a key attribute is written `{ name: id, type: number }`";
    }
    Guard {
        "lane" => "last_event_id": "the newest event of each lane is remembered by `guard: { last_event_id: lane }`";
        "shard" => "last_event_id": "the newest event of each shard is remembered by `guard: { last_event_id: shard }`";
        "document" => "last_event_id": "the newest event of a document is remembered by `guard: { last_event_id: document }`";
        "none" | "off" => "last_event_id": "a projection without a guard says `guard: none`";
        "type" | "kind" | "mode" => "last_event_id": "a guard is written `{ last_event_id: document }`, `{ last_event_id: shard }`, `{ last_event_id: lane }` or `{ events_table: NAME }`";
        "dedup" | "dedupe" | "dedup_key" | "idempotency_key" | "event_id" | "message_id" | "unique_by" | "key"
            => "events_table": "an id of the payload is remembered in a table: `guard: { events_table: Seen, id: {value} }`";
        "ttl" | "retention" | "keep" | "expire" | "window" | "expires" => "keep_for": "how long events are remembered is written `keep_for: 30d`";
        "order" | "sort_by" | "ordering" | "sequence" | "version" => "order_by": "what orders events is written `order_by: {value}`";
        "events" | "event_table" => "events_table": "the table of events is written `events_table: {value}`";
        "field" | "column" | "name" => "attribute": "the attribute that holds the mark is written `attribute: {value}`";
    }
    Rule {
        "increment" | "inc" | "incr" | "sum" | "count" | "counter" | "plus" | "accumulate" | "add_to_set" | "sadd"
            => "add": "numbers and sets are added with `add`: `add: {value}`";
        "decrement" | "subtract" | "sub" | "dec" | "minus" => "add": "what is taken off is added with a minus: `add: { n: -1 }`, `add: { n: '${ -$.amount }' }`";
        "put" | "assign" | "update" | "upsert" | "write" | "attributes" | "fields" | "replace" | "merge" | "values" | "patch" | "insert"
            => "set": "attributes are given values with `set`: `set: {value}`";
        "unset" | "delete_attributes" | "drop" | "clear" => "remove": "attributes are removed with `remove`, a list of names: `remove: [note]`";
        "push" | "list_append" | "append_to" | "add_to_list" | "collect" | "prepend" => "append": "elements are appended to lists with `append: { NAME: { value: … } }`";
        "set_if_missing" | "if_not_exists" | "set_default" | "defaults" | "default" | "init" | "initial" | "set_on_insert"
            => "set_once": "values that stay once they are there are set with `set_once: {value}`";
        "pull" | "remove_from_set" | "srem" => "remove_from": "elements are removed from sets with `remove_from: { tags: '${ set(\"a\") }' }`";
        "highest" | "maximum" => "max": "the larger value is kept with `max: {value}`";
        "lowest" | "minimum" => "min": "the smaller value is kept with `min: {value}`";
        "delete_if" | "delete_when" | "remove_when" => "delete": "`delete_when` stands at the top, for the document after any event; a rule deletes with `delete: true` and its `when` or `if`";
        "filter" | "where" | "match" | "on" | "pattern" | "event_pattern" | "matches" | "event" | "event_type" | "condition" | "conditions"
            => "when": "which events a rule is for is said by patterns, `when: { $.type: placed }`, or by an expression, `if: $.total > 5`";
        "unless" | "if_not" => "if": "a condition is turned round with `!`: `if: '!( … )'`, in quotes";
        "else" | "otherwise" | "then" | "elif" | "else_if" => "": "a rule has one branch: make the other one a rule of its own, or choose a value with '${ if(c, a, b) }'";
        "foreach" | "for_each" | "for" | "loop" | "unnest" | "explode" | "flatten" | "each_item" | "iterate"
            => "each": "a rule goes through a list with `each: { line: $.lines }`";
        "vars" | "variables" | "with" | "define" | "locals" => "let": "named values stand in `let`";
        "pk" | "primary_key" | "partition_key" | "document_key" | "id" => "key": "which document an event belongs to is said by `key: { id: $.id }`";
        "description" | "comment" | "doc" => "name": "a rule has a `name` for people; other words are YAML comments, behind `#`";
        "do" | "actions" | "operations" | "ops" | "action" | "apply" => "set": "operations stand in the rule itself: `add`, `set`, `set_once`, `append`, `remove` and others";
        "unordered" | "commutative" => "any_order": "a rule whose order does not matter to you says `any_order: true`";
        "table" | "document" | "into" => "": "all rules of a projection write its one table: for another table write another projection";
    }
    Append {
        "item" | "element" | "values" | "entry" | "val" => "value": "the element is written `value: {value}`";
        "max" | "limit" | "keep" | "size" | "max_length" | "max_size" | "cap" | "length" => "last": "how many elements the list keeps is written `last: {value}`";
        "order_by" | "sort_by" | "sort" | "order" => "by": "what orders the elements is written `by: {value}`";
        "unique" | "distinct" | "key" | "id" | "dedup" => "unique_by": "the entry by which elements are told apart is written `unique_by: id`";
        "first" | "top" => "last": "a list keeps its last elements, by arrival or by `by`: `last: {value}`";
    }
    Pattern {
        "starts_with" | "begins_with" | "start" => "prefix": "the beginning of a text is matched with `{ prefix: {value} }`";
        "ends_with" | "end" => "suffix": "the end of a text is matched with `{ suffix: {value} }`";
        "regex" | "regexp" | "re" | "pattern" | "match" => "matches": "a regular expression is written `{ matches: {value} }`";
        "contains" | "includes" | "substring" => "wildcard": "a text inside of another is matched with `{ wildcard: '*{value}*' }`; an element of a list by its value alone";
        "like" | "glob" => "wildcard": "a text with wildcards is matched with `{ wildcard: 'a*z' }`";
        "gt" | "greater_than" | ">" | "above" | "more_than" => "numeric": "numbers are compared with `{ numeric: [\">\", {value}] }`";
        "gte" | "ge" | ">=" | "at_least" => "numeric": "numbers are compared with `{ numeric: [\">=\", {value}] }`";
        "lt" | "less_than" | "<" | "below" => "numeric": "numbers are compared with `{ numeric: [\"<\", {value}] }`";
        "lte" | "le" | "<=" | "at_most" => "numeric": "numbers are compared with `{ numeric: [\"<=\", {value}] }`";
        "between" | "range" => "numeric": "a range of numbers is written `{ numeric: [\">=\", 1, \"<=\", 5] }`";
        "not" | "ne" | "neq" | "not_equals" | "not_in" | "nin" | "!=" | "is_not" | "except" => "anything-but": "any other value is matched with `{ anything-but: {value} }`";
        "equals" | "eq" | "is" | "==" | "=" | "value" | "const" | "equal" => "": "a value is matched by itself: `{value}`, without braces";
        "in" | "one_of" | "any" | "any_of" | "enum" | "or" => "": "any of several values is matched by their list: `{value}`, without braces";
        "all" | "all_of" | "and" => "": "everything in `when` has to match: write one path for each";
        "ignore_case" | "case_insensitive" | "iequals" | "lower" => "equals-ignore-case": "upper and lower case are ignored with `{ equals-ignore-case: {value} }`";
        "exist" | "present" | "defined" | "is_present" => "exists": "whether there is a value is matched with `{ exists: true }` or `{ exists: false }`";
        "is_null" | "null" => "type": "a null is matched by `null`, and a value that is not there by `{ exists: false }`";
        "type_of" | "kind" | "is_type" => "type": "a type is matched with `{ type: string }`";
        "cidr" => "": "there is no `cidr`; `wildcard`, `prefix` and `matches` compare addresses as texts";
        "length" | "len" | "size" => "": "a length is compared in the rule's `if`: `if: len($.lines) > 0`";
    }
    Rejected {
        "exists" => "": "whether there is a value is matched with `{ exists: true }` or `{ exists: false }`, without `anything-but`";
        "numeric" => "": "write the comparison the other way round, without `anything-but`: `{ numeric: [\"<=\", 5] }` for not more than 5";
        "matches" | "regex" => "": "a text that a regular expression does not match is said in the rule's `if`: `if: '!str::regex_matches($.a, \"x\")'`";
    }
    TestFile {
        "tests" | "test" | "scenarios" | "scenario" | "case" | "specs" => "cases": "the tests are a list: `cases:`, and below it each case, which begins with `- name: …`";
        "projection" | "files" | "file" | "uses" | "include" => "projections": "the projections that run are a list of files: `projections: [{value}]`";
        "name" | "description" => "": "each case has a `name`; words about the file are YAML comments, behind `#`";
        "events" | "documents" | "given" => "cases": "this belongs to a case: `cases:`, and below it `  - name: …`";
    }
    Case {
        "description" | "title" | "it" | "test" => "name": "what is tested is said by `name: …`";
        "expect" | "expected" | "then" | "result" | "results" | "want" | "output" | "items" | "tables" | "after" | "assert"
            => "documents": "the documents that there have to be are written `documents: { TABLE: [{ … }] }`";
        "when" | "input" | "inputs" | "records" | "event" => "events": "the events are a list: `events: [{ payload: … }]`";
        "before" | "setup" | "state" | "initial" | "existing" | "seed" => "given": "items that are there before are written `given: { TABLE: [{ … }] }`";
        "errors" | "failures" | "dlq" | "rejected" => "dead_letters": "the dead letters that there have to be are written `dead_letters: [{ event: 1, reason: wrong_type }]`";
        "contain" | "includes" | "partial" => "contains": "parts of documents are written `contains: { TABLE: [{ … }] }`";
    }
    Event {
        "data" | "body" | "value" | "json" | "record" | "event" | "message" => "payload": "the payload of a Kinesis record or of an SQS message is written `payload: {value}`";
        "after" | "new_image" | "insert" | "item" => "new": "the item after a change is written `new: {value}`";
        "before" | "old_image" => "old": "the item before a change is written `old: {value}`";
        "stream" | "table" | "from" => "source": "the stream that an event comes from is written `source: {value}`";
        "partition_key" | "keys" | "key" => "lane": "the partition key, the message group, or the item's key, is written `lane: {value}`";
        "timestamp" | "at" | "date" => "time": "when the event reached its stream is written `time: \"2026-01-01T12:00:00Z\"`";
        "seq" | "sequence_number" | "number" => "sequence": "the sequence number is written `sequence: \"7\"`";
        "event_id" => "id": "the event's id is written `id: {value}`";
        "bytes" | "text" => "raw": "bytes that need not be JSON are written `raw: {value}`";
        "shard" => "id": "a Kinesis event's `id` begins with its shard: `id: \"shardId-1:17\"`";
    }
    DeadLetter {
        "error" | "code" | "message" | "why" => "reason": "why an event is a dead letter is said by the code of the reason: `reason: wrong_type`";
        "index" | "number" | "record" | "at" => "event": "the number of the event in the case, from 1, is written `event: 1`";
        "by" | "name" => "projection": "the projection is written `projection: {value}`";
    }
}

#[cfg(test)]
mod tests {
    use super::{FOREIGN, key, plain, word};
    use crate::keys::Place;

    #[test]
    fn a_foreign_word_means_a_key_of_its_place() {
        for foreign in FOREIGN {
            let known = foreign.means.is_empty() || foreign.place.keys().contains(&foreign.means);
            assert!(known, "{:?} {:?} means {}", foreign.place, foreign.words, foreign.means);
            for word in foreign.words {
                assert!(!foreign.place.keys().contains(word), "{:?} has {word}", foreign.place);
                let first = key(foreign.place, word).map(|first| first.help);
                assert_eq!(first, Some(foreign.help), "{:?} has {word} twice", foreign.place);
            }
        }
        assert_eq!(key(Place::Rule, "$inc").map(|foreign| foreign.means), Some("add"));
        assert_eq!(plain("partitionKey"), plain("partition-key"));
        assert_eq!(word("S", &["string", "number"]), Some("string"));
        assert_eq!(word("retry", &["dead_letter", "skip", "fail"]), Some("fail"));
        assert_eq!(word("retry", &["string"]), None);
    }
}
