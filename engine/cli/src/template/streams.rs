//! Where events come from: streams and queues that are made here, and the ARNs of those that are not.

use super::function::{Function, Origin};
use super::node::{Map, Node, attribute, map, reference};
use viewfold_core::program::StreamIdentity;

/// How often a message is tried before it goes to the queue of those that could not be processed.
///
/// viewfold puts aside by itself what it cannot apply: a message that comes again is one that DynamoDB does not take now, and has
/// to outlast that.
const MAX_RECEIVES: i64 = 100;

impl Function<'_> {
    /// The ARN of its stream or queue.
    pub(super) fn arn(&self) -> Node {
        match &self.origin {
            Origin::Parameter => reference(self.arn_parameter()),
            Origin::View(table) => attribute(format!("{table}.StreamArn")),
            Origin::Made => attribute(format!("{}.Arn", self.made_id())),
        }
    }

    /// The id of its stream or queue, where that is made here.
    fn made_id(&self) -> String {
        if self.is_queue() { self.id.clone() } else { self.id("Stream") }
    }

    /// The name of its queue.
    pub(super) fn queue_name(&self) -> Node {
        match self.origin {
            Origin::Made => attribute(format!("{}.QueueName", self.id)),
            Origin::Parameter | Origin::View(_) => {
                let parts = Node::Call("Split", Box::new([Node::from(":"), reference(self.arn_parameter())].into()));
                Node::Call("Select", Box::new(vec![Node::Number(5), parts].into()))
            }
        }
    }
}

/// Adds the stream or queue of a function, where it is made here.
pub(super) fn resources(function: &Function<'_>, resources: &mut Map) {
    let Origin::Made = function.origin else { return };
    match function.identity {
        StreamIdentity::Kinesis(name) => {
            let encryption = map([("EncryptionType", "KMS".into()), ("KeyId", "alias/aws/kinesis".into())]);
            let properties = map([
                ("Name", name.as_str().into()),
                ("RetentionPeriodHours", reference(function.id("RetentionHours"))),
                ("StreamEncryption", encryption.into()),
                ("StreamModeDetails", map([("StreamMode", "ON_DEMAND".into())]).into()),
            ]);
            resources.because(
                "Projections name the stream, so that it has the same name in every stack: one in each account and region.",
                function.made_id(),
                kept("AWS::Kinesis::Stream", properties),
            );
        }
        StreamIdentity::Sqs(name) => queue(function, name, resources),
        StreamIdentity::Dynamodb(_) => {}
    }
}

fn queue(function: &Function<'_>, name: &str, resources: &mut Map) {
    let failed = function.id("Failed");
    let redrive =
        map([("deadLetterTargetArn", attribute(format!("{failed}.Arn"))), ("maxReceiveCount", MAX_RECEIVES.into())]);
    let visible = Node::Call(
        "FindInMap",
        Box::new(vec![Node::from("Timeouts"), reference("Timeout"), "SixTimesAndTheWindow".into()].into()),
    );
    let mut properties = map([("QueueName", name.into())]);
    if function.is_fifo() {
        properties.add("FifoQueue", true);
    }
    properties.because(
        "Six times the function's time limit and the longest window, as Lambda advises: a message must not come back while it is being worked on.",
        "VisibilityTimeout",
        visible,
    );
    properties.add("MessageRetentionPeriod", 1_209_600);
    properties.add("SqsManagedSseEnabled", true);
    properties.add("RedrivePolicy", redrive);
    resources.add(function.id.as_str(), kept("AWS::SQS::Queue", properties));
    let mut properties = Map::default();
    if function.is_fifo() {
        properties.add("FifoQueue", true);
    }
    properties.add("MessageRetentionPeriod", 1_209_600);
    properties.add("SqsManagedSseEnabled", true);
    resources.because(
        format!("Messages that could not be worked on {MAX_RECEIVES} times. (What cannot be applied is a dead letter of viewfold, and no such message.)"),
        failed,
        kept("AWS::SQS::Queue", properties),
    );
}

fn kept(kind: &str, properties: Map) -> Map {
    map([
        ("Type", kind.into()),
        ("DeletionPolicy", "RetainExceptOnCreate".into()),
        ("UpdateReplacePolicy", "Retain".into()),
        ("Properties", properties.into()),
    ])
}

/// The parameter of a stream's ARN: the function knows its stream by the name in it, so that another one cannot be given.
pub(super) fn arn_parameter(function: &Function<'_>) -> Option<Map> {
    let Origin::Parameter = function.origin else { return None };
    let name = function.identity.name().replace('.', "\\.");
    let (what, pattern) = match function.identity {
        StreamIdentity::Kinesis(_) => {
            ("The ARN of", format!("^arn:[a-z0-9-]+:kinesis:[a-z0-9-]+:[0-9]{{12}}:stream/{name}$"))
        }
        StreamIdentity::Dynamodb(_) => (
            "The ARN of the stream (NEW_AND_OLD_IMAGES) of",
            format!("^arn:[a-z0-9-]+:dynamodb:[a-z0-9-]+:[0-9]{{12}}:table/[a-zA-Z0-9_.-]*{name}/stream/[0-9T:.-]+$"),
        ),
        StreamIdentity::Sqs(_) => ("The ARN of", format!("^arn:[a-z0-9-]+:sqs:[a-z0-9-]+:[0-9]{{12}}:{name}$")),
    };
    let told = match function.identity {
        StreamIdentity::Dynamodb(table) => format!("{what} table {table}, its prefix included."),
        StreamIdentity::Sqs(_) => format!(
            "{what} {}. Its visibility timeout has to be six times Timeout and BatchingWindow beside: Lambda refuses one below Timeout.",
            function.told
        ),
        StreamIdentity::Kinesis(_) => format!("{what} {}.", function.told),
    };
    Some(map([
        ("Description", told.into()),
        ("Type", "String".into()),
        ("AllowedPattern", pattern.into()),
        ("ConstraintDescription", format!("the ARN of {}", function.told).into()),
    ]))
}

/// How far behind the function may be before an alarm comes. Of a stream a quarter of the time that it keeps its records, in
/// milliseconds; of a queue the age of its oldest message, in seconds.
pub(super) fn longest_delay(function: &Function<'_>) -> Node {
    match function.identity {
        StreamIdentity::Kinesis(_) => {
            let found =
                vec![Node::from("Retention"), reference(function.id("RetentionHours")), "QuarterInMilliseconds".into()];
            Node::Call("FindInMap", Box::new(found.into()))
        }
        // DynamoDB keeps them for a day.
        StreamIdentity::Dynamodb(_) => Node::Number(24 * 60 * 60 * 1000 / 4),
        StreamIdentity::Sqs(_) => reference(function.id("MessageAgeSeconds")),
    }
}

/// The output of a queue or stream that is made here.
pub(super) fn outputs(function: &Function<'_>, outputs: &mut Map) {
    match (&function.origin, function.identity) {
        (Origin::Made, StreamIdentity::Kinesis(_)) => {
            let told = format!("{}, for its producers.", function.told);
            outputs.add(function.made_id(), map([("Description", told.into()), ("Value", function.arn())]));
        }
        (Origin::Made, StreamIdentity::Sqs(_)) => {
            let told = format!("{}, for its senders.", function.told);
            outputs.add(function.id.as_str(), map([("Description", told.into()), ("Value", function.arn())]));
            let failed = function.id("Failed");
            let told = format!("Messages of {} that could not be worked on.", function.told);
            let value = attribute(format!("{failed}.Arn"));
            outputs.add(failed, map([("Description", told.into()), ("Value", value)]));
        }
        _ => {}
    }
}
