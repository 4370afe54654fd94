//! Parameters: what differs from one environment to the next.

use super::bucket;
use super::function::{Function, Origin};
use super::node::{Map, Node, map, reference};
use super::streams;

/// How many records a batch has, unless somebody says otherwise; and how many seconds Lambda waits for as many. `docs/deploying.md`
/// has the figures behind them.
const BATCH_SIZE: i64 = 1000;
const BATCHING_WINDOW: i64 = 1;

/// The hours that a Kinesis stream can be told to keep its records, of those that people choose.
const RETENTION_HOURS: [i64; 6] = [24, 48, 72, 168, 720, 8760];

/// The time limits that a function may have, where a queue's messages stay hidden for six of them.
const TIMEOUTS: [i64; 6] = [30, 60, 120, 300, 600, 900];

/// The most seconds that Lambda waits for a full batch.
const LONGEST_WINDOW: i64 = 300;

/// The parameters, in groups as a console shows them.
pub(super) struct Parameters {
    groups: Vec<(&'static str, Map)>,
}

impl Parameters {
    pub(super) fn of(functions: &[Function<'_>], table_prefix: &str) -> Parameters {
        let has_stream = functions.iter().any(|function| !function.is_queue());
        let mut groups = vec![("Where events come from", Map::default())];
        for function in functions {
            of_function(function, &mut groups[0].1);
        }
        groups.push(("Tables", tables(table_prefix)));
        groups.push(("Batches", batches(functions)));
        groups.push(("Functions", of_functions(functions)));
        let mut operation = Map::default();
        operation.add("AlarmTopic", text("The ARN of an SNS topic that alarms are sent to; empty: none.", ""));
        operation.add(
            "LogRetentionDays",
            chosen("How many days logs are kept.", 30, &[1, 3, 7, 14, 30, 60, 90, 180, 365, 731]),
        );
        operation.add(
            "PermissionsBoundary",
            text("The ARN of a policy that bounds what roles may do, where an account asks for one; empty: none.", ""),
        );
        if has_stream {
            operation.add(
                "ExistingFailureBucket",
                text("The name of a bucket for batches that Lambda gives up; empty: one is made.", ""),
            );
        }
        groups.push(("Operation", operation));
        Parameters { groups: groups.into_iter().filter(|(_, parameters)| !parameters.is_empty()).collect() }
    }

    /// How a console groups them.
    pub(super) fn interface(&self) -> Map {
        let groups: Vec<Map> = self
            .groups
            .iter()
            .map(|(name, parameters)| {
                let names: Vec<&str> = parameters.0.iter().map(|entry| entry.key.as_str()).collect();
                map([("Label", map([("default", (*name).into())]).into()), ("Parameters", names.into())])
            })
            .collect();
        map([("AWS::CloudFormation::Interface", map([("ParameterGroups", groups.into())]).into())])
    }

    pub(super) fn all(self) -> Map {
        Map(self.groups.into_iter().flat_map(|(_, parameters)| parameters.0).collect())
    }
}

/// What belongs to one stream.
fn of_function(function: &Function<'_>, parameters: &mut Map) {
    let told = &function.told;
    if let Some(parameter) = streams::arn_parameter(function) {
        parameters.add(function.arn_parameter(), parameter);
        if !matches!(function.identity, viewfold_core::program::StreamIdentity::Dynamodb(_)) {
            let told = format!("The ARN of the KMS key of {told}, where that is one of your own; empty: it is AWS's.");
            parameters.add(function.id("KeyArn"), text(&told, ""));
        }
    }
    if function.is_kinesis() {
        let told = match function.origin {
            Origin::Made => format!("How many hours {told} keeps its records."),
            _ => format!("How many hours {told} keeps its records: an alarm comes at a quarter of that."),
        };
        parameters.add(function.id("RetentionHours"), chosen(&told, RETENTION_HOURS[0], &RETENTION_HOURS));
    }
    if function.is_queue() {
        let told = format!("How many batches of {told} are worked on at once, at most.");
        parameters.add(function.id("Concurrency"), number(&told, 10, (2, 1000)));
        let told = format!("An alarm comes when a message of {} is older than so many seconds.", function.told);
        parameters.add(function.id("MessageAgeSeconds"), number(&told, 1800, (60, 1_209_600)));
        return;
    }
    if function.parallelization.most > 1 {
        let told = format!(
            "How many batches of a shard of {told} are worked on at once; every guard on it stands up to {}.",
            function.parallelization.most
        );
        let bounds = (1, function.parallelization.most);
        parameters.add(function.id("Parallelization"), number(&told, function.parallelization.chosen, bounds));
    }
    if function.may_give_up {
        let told = format!("How often a batch of {}", function.told);
        let retries =
            format!("{told} is tried again before it goes to the failure bucket; -1: until its records expire.");
        parameters.add(function.id("Retries"), number(&retries, -1, (-1, 10_000)));
        let age = format!(
            "How many seconds old a record of {} may be before it goes to the failure bucket, 60 to 604800; -1: any age.",
            function.told
        );
        parameters.add(
            function.id("RecordAge"),
            map([
                ("Description", age.into()),
                ("Type", "String".into()),
                ("Default", "-1".into()),
                ("AllowedPattern", "^(-1|[6-9][0-9]|[1-9][0-9]{2,4}|[1-6][0-9]{5})$".into()),
                ("ConstraintDescription", "-1, or 60 to 604800".into()),
            ]),
        );
    }
}

/// The most characters of a prefix.
const MAX_PREFIX: usize = 64;

/// Whether names of tables may begin like this.
pub(super) fn is_prefix(text: &str) -> bool {
    text.len() <= MAX_PREFIX && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

fn tables(table_prefix: &str) -> Map {
    let prefix = map([
        (
            "Description",
            "Stands before the name of every table, those that events come from included: one for each environment."
                .into(),
        ),
        ("Type", "String".into()),
        ("Default", table_prefix.into()),
        ("AllowedPattern", format!("^[a-zA-Z0-9_.-]{{0,{MAX_PREFIX}}}$").into()),
    ]);
    let protection = map([
        ("Description", "Whether tables can only be deleted after this has been set to false.".into()),
        ("Type", "String".into()),
        ("Default", "true".into()),
        ("AllowedValues", ["true", "false"].into()),
    ]);
    map([("TablePrefix", prefix.into()), ("DeletionProtection", protection.into())])
}

fn batches(functions: &[Function<'_>]) -> Map {
    let mut parameters = Map::default();
    if functions.iter().all(Function::is_fifo) {
        return parameters;
    }
    parameters.add(
        "BatchSize",
        number(
            "The most records of a batch; a document costs a request for each batch that it is in.",
            BATCH_SIZE,
            (1, 10_000),
        ),
    );
    // A queue's batches of more than 10 need a window.
    let least = i64::from(functions.iter().any(Function::is_queue));
    parameters.add(
        "BatchingWindow",
        number(
            "For how many seconds Lambda waits for a full batch: the most that documents are late by it.",
            BATCHING_WINDOW,
            (least, LONGEST_WINDOW),
        ),
    );
    parameters
}

fn of_functions(functions: &[Function<'_>]) -> Map {
    let mut parameters = Map::default();
    let one_of = |told: &str, default: &str, values: &[&str]| {
        map([
            ("Description", told.into()),
            ("Type", "String".into()),
            ("Default", default.into()),
            ("AllowedValues", values.to_vec().into()),
        ])
    };
    parameters.add("Architecture", one_of("What function.zip was built for.", "x86_64", &["arm64", "x86_64"]));
    parameters.add(
        "MemorySize",
        number("The functions' memory, in MB; their share of a CPU grows with it.", 512, (128, 10_240)),
    );
    parameters.add(
        "Timeout",
        match functions.iter().any(|function| function.is_queue() && matches!(function.origin, Origin::Made)) {
            true => chosen("The functions' time limit, in seconds.", 60, &TIMEOUTS),
            false => number("The functions' time limit, in seconds.", 60, (10, 900)),
        },
    );
    parameters.add("LogLevel", one_of("What is logged.", "INFO", &["TRACE", "DEBUG", "INFO", "WARN", "ERROR"]));
    parameters.add(
        "AcceptChanges",
        text("Projections to start with although their live views cannot follow, as the function says: NAME=HASH,NAME=HASH.", ""),
    );
    parameters.add("Tracing", one_of("Whether X-Ray traces invocations.", "PassThrough", &["Active", "PassThrough"]));
    parameters
}

fn text(told: &str, default: &str) -> Map {
    map([("Description", told.into()), ("Type", "String".into()), ("Default", default.into())])
}

fn number(told: &str, default: i64, (least, most): (i64, i64)) -> Map {
    map([
        ("Description", told.into()),
        ("Type", "Number".into()),
        ("Default", default.into()),
        ("MinValue", least.into()),
        ("MaxValue", most.into()),
    ])
}

fn chosen(told: &str, default: i64, values: &[i64]) -> Map {
    map([
        ("Description", told.into()),
        ("Type", "Number".into()),
        ("Default", default.into()),
        ("AllowedValues", values.to_vec().into()),
    ])
}

/// What cannot be calculated in a template is looked up.
pub(super) fn mappings(functions: &[Function<'_>]) -> Map {
    let mut mappings = Map::default();
    if functions.iter().any(Function::is_kinesis) {
        let mut hours = Map::default();
        for retention in RETENTION_HOURS {
            hours.add(retention.to_string(), map([("QuarterInMilliseconds", (retention * 900_000).into())]));
        }
        mappings.add("Retention", hours);
    }
    if functions.iter().any(|function| function.is_queue() && matches!(function.origin, Origin::Made)) {
        let mut seconds = Map::default();
        for timeout in TIMEOUTS {
            seconds.add(timeout.to_string(), map([("SixTimesAndTheWindow", (6 * timeout + LONGEST_WINDOW).into())]));
        }
        mappings.add("Timeouts", seconds);
    }
    mappings
}

/// What depends on whether a parameter was given.
pub(super) fn conditions(functions: &[Function<'_>]) -> Map {
    let call = |name, given: Vec<Node>| Node::Call(name, Box::new(given.into()));
    let is = |parameter: String, value: &str| call("Equals", vec![reference(parameter), value.into()]);
    let given = |parameter: String| call("Not", vec![is(parameter, "")]);
    let mut conditions = Map::default();
    for function in functions {
        let is_view = matches!(function.identity, viewfold_core::program::StreamIdentity::Dynamodb(_));
        if matches!(function.origin, Origin::Parameter) && !is_view {
            conditions.add(function.id("HasKey"), given(function.id("KeyArn")));
        }
    }
    conditions.add("HasAlarmTopic", given("AlarmTopic".to_owned()));
    conditions.add("HasPermissionsBoundary", given("PermissionsBoundary".to_owned()));
    if functions.iter().any(|function| !function.is_queue()) {
        conditions.add(bucket::MADE, is("ExistingFailureBucket".to_owned(), ""));
    }
    conditions.add("Traces", is("Tracing".to_owned(), "Active"));
    conditions
}
