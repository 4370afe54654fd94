//! What a function is made of: itself, its layer of projections, its logs, and the mapping that brings it its events.

use super::bucket;
use super::function::Function;
use super::node::{Map, Node, attribute, map, reference, text_of};
use super::pushdown::Pushdown;
use viewfold_core::compile::DEAD_LETTER_TABLE;

/// The layer that all functions share.
pub(super) fn layer(resources: &mut Map) {
    let properties = map([
        ("LayerName", text_of("${AWS::StackName}-projections")),
        ("Description", "The projections, under /opt/projections".into()),
        ("ContentUri", "projections.zip".into()),
        ("CompatibleRuntimes", ["provided.al2023"].into()),
        ("RetentionPolicy", "Retain".into()),
    ]);
    resources.because(
        "The projections are a layer of their own: a change of them leaves the code of the functions as it is. Old versions stay, \
         so that a stack can be rolled back.",
        "Projections",
        map([("Type", "AWS::Serverless::LayerVersion".into()), ("Properties", properties.into())]),
    );
}

/// The function of a stream and its logs.
pub(super) fn function(function: &Function<'_>, dead_letters: &str, resources: &mut Map) {
    let name = format!("/aws/lambda/${{AWS::StackName}}/{}", super::names::dashed(&function.id));
    let logs = map([("LogGroupName", text_of(name)), ("RetentionInDays", reference("LogRetentionDays"))]);
    resources.add(function.id("Logs"), map([("Type", "AWS::Logs::LogGroup".into()), ("Properties", logs.into())]));
    let mut variables = map([
        ("VIEWFOLD_TABLE_PREFIX", reference("TablePrefix")),
        ("VIEWFOLD_ACCEPT_CHANGES", reference("AcceptChanges")),
    ]);
    if dead_letters != DEAD_LETTER_TABLE {
        variables.add("VIEWFOLD_DEAD_LETTER_TABLE", dead_letters);
    }
    let logging = map([
        ("LogGroup", reference(function.id("Logs"))),
        ("LogFormat", "JSON".into()),
        ("ApplicationLogLevel", reference("LogLevel")),
    ]);
    let told = format!("Folds {} into {}", function.told, function.projections.join(", "));
    let properties = map([
        ("Description", shortened(&told).into()),
        ("CodeUri", "function.zip".into()),
        ("Handler", "bootstrap".into()),
        ("Runtime", "provided.al2023".into()),
        ("Architectures", [reference("Architecture")].into()),
        ("Layers", [reference("Projections")].into()),
        ("Role", attribute(format!("{}.Arn", function.id("Role")))),
        ("MemorySize", reference("MemorySize")),
        ("Timeout", reference("Timeout")),
        ("Tracing", reference("Tracing")),
        ("LoggingConfig", logging.into()),
        ("Environment", map([("Variables", variables.into())]).into()),
    ]);
    resources.add(
        function.id("Function"),
        map([("Type", "AWS::Serverless::Function".into()), ("Properties", properties.into())]),
    );
}

/// The description of a function has 256 characters at most.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(250) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}

/// The mapping from a stream to its function.
pub(super) fn mapping(function: &Function<'_>, pushdown: Option<&Pushdown>, resources: &mut Map) {
    let mut properties =
        map([("FunctionName", reference(function.id("Function"))), ("EventSourceArn", function.arn())]);
    properties.because(
        "A batch that could not be applied as a whole comes again from its first record that was not.",
        "FunctionResponseTypes",
        ["ReportBatchItemFailures"],
    );
    match function.is_queue() {
        true => of_queue(function, &mut properties),
        false => of_stream(function, &mut properties),
    }
    if let Some(pushdown) = pushdown {
        let why = pushdown.why.clone();
        match &pushdown.patterns {
            Some(patterns) => {
                let filters: Vec<Map> =
                    patterns.iter().map(|pattern| map([("Pattern", pattern.as_str().into())])).collect();
                properties.because(why, "FilterCriteria", map([("Filters", filters.into())]));
            }
            // Nothing to write: the comment stands where the filter would.
            None => {
                if let Some(last) = properties.0.last_mut() {
                    last.why = [last.why.clone(), why]
                        .into_iter()
                        .filter(|why| !why.is_empty())
                        .collect::<Vec<_>>()
                        .join("\n");
                }
            }
        }
    }
    resources.add(
        function.id("Mapping"),
        map([("Type", "AWS::Lambda::EventSourceMapping".into()), ("Properties", properties.into())]),
    );
}

fn of_stream(function: &Function<'_>, properties: &mut Map) {
    properties.because("LATEST could miss events while the mapping is made.", "StartingPosition", "TRIM_HORIZON");
    properties.add("BatchSize", reference("BatchSize"));
    properties.add("MaximumBatchingWindowInSeconds", reference("BatchingWindow"));
    if function.parallelization.most > 1 {
        properties.add("ParallelizationFactor", reference(function.id("Parallelization")));
    } else {
        properties.because(
            "1, and no more: a guard keeps a mark for each shard (`last_event_id: shard`), which needs its events one batch after \
             the other.",
            "ParallelizationFactor",
            1,
        );
    }
    properties.because(
        "A batch whose invocation fails is halved until the record to blame is alone.",
        "BisectBatchOnFunctionError",
        true,
    );
    if function.may_give_up {
        properties.because(
            "Every projection of this stream remembers its events one by one (`events_table`): a batch that was given up can be brought \
             again later, so that these may be finite.",
            "MaximumRetryAttempts",
            reference(function.id("Retries")),
        );
        properties.add("MaximumRecordAgeInSeconds", reference(function.id("RecordAge")));
    } else {
        properties.because(
            "Endless, both: a batch that Lambda drops is lost, because later events move the marks past it.",
            "MaximumRetryAttempts",
            -1,
        );
        properties.add("MaximumRecordAgeInSeconds", -1);
    }
    let destination = map([("OnFailure", map([("Destination", bucket::arn())]).into())]);
    properties.add("DestinationConfig", destination);
}

fn of_queue(function: &Function<'_>, properties: &mut Map) {
    if function.is_fifo() {
        properties.because("The most that a FIFO queue gives at once; it knows no window.", "BatchSize", 10);
    } else {
        properties.add("BatchSize", reference("BatchSize"));
        properties.add("MaximumBatchingWindowInSeconds", reference("BatchingWindow"));
    }
    let concurrency = map([("MaximumConcurrency", reference(function.id("Concurrency")))]);
    properties.because(
        "How many batches are worked on at once, at most; more of them write to the same documents at the same time.",
        "ScalingConfig",
        concurrency,
    );
}

/// The outputs of a function.
pub(super) fn outputs(function: &Function<'_>, outputs: &mut Map) {
    let told = format!("The function for {}.", function.told);
    let value: Node = reference(function.id("Function"));
    outputs.add(function.id("Function"), map([("Description", told.into()), ("Value", value)]));
}
