//! Alarms: what somebody has to look at.

use super::function::Function;
use super::names::{camel, dashed};
use super::node::{Map, Node, either, map, reference, text_of};
use super::streams::quarter_of_retention;

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
}

/// The alarms of a function.
pub(super) fn resources(function: &Function<'_>, resources: &mut Map) {
    let of_lambda = |name: &str, statistic: &str| metric("AWS/Lambda", name, statistic, dimensions(function, None));
    let told = &function.told;
    let behind = match function.is_queue() {
        false => Alarm {
            id: function.id("IteratorAgeAlarm"),
            why: "Records expire unread when the function is behind for as long as the stream keeps them: a quarter of that is time to act.",
            told: format!("The function is behind {told} by more than a quarter of the time that records are kept."),
            metric: of_lambda("IteratorAge", "Maximum"),
            threshold: quarter_of_retention(function),
            comparison: "GreaterThanThreshold",
            periods: 1,
        },
        true => Alarm {
            id: function.id("MessageAgeAlarm"),
            why: "Messages expire unread when the function is behind for as long as the queue keeps them: a day is time to act.",
            told: format!("The function is more than a day behind {told}."),
            metric: metric(
                "AWS/SQS",
                "ApproximateAgeOfOldestMessage",
                "Maximum",
                vec![dimension("QueueName", function.queue_name())],
            ),
            threshold: quarter_of_retention(function),
            comparison: "GreaterThanThreshold",
            periods: 1,
        },
    };
    let errors = Alarm {
        id: function.id("ErrorsAlarm"),
        why: "One invocation that fails is tried again; when they go on failing, nothing of the batch comes through.",
        told: format!(
            "Invocations for {told} have failed for 15 minutes: time limit, memory, an invalid projection, or a wrong stream."
        ),
        metric: of_lambda("Errors", "Sum"),
        threshold: 1.into(),
        comparison: "GreaterThanOrEqualToThreshold",
        periods: 3,
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
    };
    for alarm in [behind, errors, throttles] {
        add(function, alarm, resources);
    }
    for projection in &function.lettered {
        let alarm = Alarm {
            id: function.id(&format!("{}DeadLettersAlarm", camel(projection))),
            why: "Their events are in no document until they are redriven.",
            told: format!("Events of {told} could not be applied by {projection}: see `viewfold dead-letters list`."),
            metric: metric("viewfold", "dead_letters", "Sum", dimensions(function, Some(projection))),
            threshold: 1.into(),
            comparison: "GreaterThanOrEqualToThreshold",
            periods: 1,
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
    properties.add("OKActions", topic());
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
