//! Alarms: what somebody has to look at.

use super::function::{Function, Origin};
use super::names::{Names, camel, dashed};
use super::node::{Map, Node, attribute, either, map, reference, text_of};
use super::streams::longest_delay;

/// One number that is watched.
struct Alarm<'a> {
    id: String,
    why: &'a str,
    told: String,
    metric: Map,
    threshold: Node,
    comparison: &'a str,
    /// Of so many periods of five minutes each has to be like that.
    periods: i64,
    /// Whether all is well again when the number goes back.
    ends: bool,
}

/// The alarms of a function.
pub(super) fn resources(function: &Function<'_>, names: &mut Names, resources: &mut Map) {
    let of_lambda = |name: &str, statistic: &str| metric("AWS/Lambda", name, statistic, dimensions(function, None));
    let told = &function.told;
    let of_projection = |names: &mut Names, suffix: &str, projection: &str| {
        let words = format!("{}{}", function.id, camel(projection));
        names.id_of(&words, suffix, &format!("{}\n{projection}", function.identity))
    };
    let behind = match function.is_queue() {
        false => Alarm {
            id: function.id("IteratorAgeAlarm"),
            why: "Records expire unread when the function is behind for as long as the stream keeps them: a quarter of that is time to act.",
            told: format!("The function is behind {told} by more than a quarter of the time that records are kept."),
            metric: of_lambda("IteratorAge", "Maximum"),
            threshold: longest_delay(function),
            comparison: "GreaterThanThreshold",
            periods: 1,
            ends: true,
        },
        true => Alarm {
            id: function.id("MessageAgeAlarm"),
            why: "A message that cannot be worked on comes again and again, and is gone from the queue in the end.",
            told: format!("The oldest message of {told} waits for too long."),
            metric: metric(
                "AWS/SQS",
                "ApproximateAgeOfOldestMessage",
                "Maximum",
                vec![dimension("QueueName", function.queue_name())],
            ),
            threshold: longest_delay(function),
            comparison: "GreaterThanThreshold",
            periods: 1,
            ends: true,
        },
    };
    let errors = Alarm {
        id: function.id("ErrorsAlarm"),
        why: "One invocation that fails is tried again; when they go on failing, nothing of the batch comes through.",
        told: format!(
            "Invocations for {told} have failed for 15 minutes: time limit, memory, an invalid projection, or a wrong source."
        ),
        metric: of_lambda("Errors", "Sum"),
        threshold: 1.into(),
        comparison: "GreaterThanOrEqualToThreshold",
        periods: 3,
        ends: true,
    };
    let throttles = Alarm {
        id: function.id("ThrottlesAlarm"),
        why: "",
        told: format!(
            "Lambda has had no room for invocations for {told} for 15 minutes: the account's concurrency is used up."
        ),
        metric: of_lambda("Throttles", "Sum"),
        threshold: 1.into(),
        comparison: "GreaterThanOrEqualToThreshold",
        periods: 3,
        ends: true,
    };
    for alarm in [behind, errors, throttles] {
        add(function, alarm, resources);
    }
    if let (Origin::Made, true) = (&function.origin, function.is_queue()) {
        let name = attribute(format!("{}.QueueName", function.id("Failed")));
        let alarm = Alarm {
            id: function.id("FailedMessagesAlarm"),
            why: "Nobody works on them until they are sent back to their queue.",
            told: format!("Messages of {told} could not be worked on, and were put aside."),
            metric: metric(
                "AWS/SQS",
                "ApproximateNumberOfMessagesVisible",
                "Maximum",
                vec![dimension("QueueName", name)],
            ),
            threshold: 1.into(),
            comparison: "GreaterThanOrEqualToThreshold",
            periods: 1,
            ends: true,
        };
        add(function, alarm, resources);
    }
    for projection in &function.projections {
        let alarm = Alarm {
            id: of_projection(names, "FailedAlarm", projection),
            why: "What DynamoDB does not take comes again, and is no error of the function: throttling, a permission, a table that is gone.",
            told: format!("For 15 minutes {projection} could not write events of {told}: the function's log says why."),
            metric: metric("viewfold", "failed", "Sum", dimensions(function, Some(projection))),
            threshold: 1.into(),
            comparison: "GreaterThanOrEqualToThreshold",
            periods: 3,
            ends: true,
        };
        add(function, alarm, resources);
    }
    for projection in &function.lettered {
        let alarm = Alarm {
            id: of_projection(names, "DeadLettersAlarm", projection),
            why: "Their events are in no document until they are redriven.",
            told: format!("Events of {told} could not be applied by {projection}: see `viewfold dead-letters list`."),
            metric: metric("viewfold", "dead_letters", "Sum", dimensions(function, Some(projection))),
            threshold: 1.into(),
            comparison: "GreaterThanOrEqualToThreshold",
            periods: 1,
            // It counts those that come, not those that are open.
            ends: false,
        };
        add(function, alarm, resources);
    }
}

fn add(function: &Function<'_>, alarm: Alarm<'_>, resources: &mut Map) {
    let words = alarm.id.strip_prefix(&function.id).unwrap_or(&alarm.id);
    let name = format!("${{AWS::StackName}}-{}-{}", dashed(&function.id), spelt(words.trim_end_matches("Alarm")));
    let mut properties = map([("AlarmName", text_of(name)), ("AlarmDescription", alarm.told.into())]);
    properties.0.extend(alarm.metric.0);
    properties.add("Period", 300);
    properties.add("EvaluationPeriods", alarm.periods);
    properties.add("Threshold", alarm.threshold);
    properties.add("ComparisonOperator", alarm.comparison);
    properties.add("TreatMissingData", "notBreaching");
    let topic = || either("HasAlarmTopic", [reference("AlarmTopic")], Node::List(Vec::new()));
    properties.add("AlarmActions", topic());
    if alarm.ends {
        properties.add("OKActions", topic());
    }
    resources.because(
        alarm.why,
        alarm.id,
        map([("Type", "AWS::CloudWatch::Alarm".into()), ("Properties", properties.into())]),
    );
}

/// The words of an id: `iterator-age`.
fn spelt(id: &str) -> String {
    let mut words = String::new();
    for c in id.chars() {
        if c.is_ascii_uppercase() && !words.is_empty() {
            words.push('-');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}

fn metric(namespace: &str, name: &str, statistic: &str, dimensions: Vec<Map>) -> Map {
    map([
        ("Namespace", namespace.into()),
        ("MetricName", name.into()),
        ("Dimensions", dimensions.into()),
        ("Statistic", statistic.into()),
    ])
}

fn dimensions(function: &Function<'_>, projection: Option<&str>) -> Vec<Map> {
    let of_function = dimension("FunctionName", reference(function.id("Function")));
    let of_projection = projection.map(|name| dimension("Projection", name.into()));
    std::iter::once(of_function).chain(of_projection).collect()
}

fn dimension(name: &str, value: Node) -> Map {
    map([("Name", name.into()), ("Value", value)])
}
