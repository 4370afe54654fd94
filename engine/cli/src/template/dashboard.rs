//! The dashboard: a row for each function, from its own metrics and Lambda's.

use super::function::{Function, Origin};
use super::node::{Map, Node, escaped, map, text_of};
use serde_json::{Value as Json, json};

/// The columns of a dashboard, and the rows of a row of graphs.
const COLUMNS: usize = 24;
const HEIGHT: usize = 6;

pub(super) fn resource(functions: &[Function<'_>], resources: &mut Map) {
    let mut widgets = Vec::new();
    for (row, function) in functions.iter().enumerate() {
        let y = row * (HEIGHT + 1);
        let title = format!("## {}: {}", function.told, function.projections.join(", "));
        widgets.push(format!(
            "{{ \"type\": \"text\", \"x\": 0, \"y\": {y}, \"width\": {COLUMNS}, \"height\": 1, \"properties\": {{ \"markdown\": {} }} }}",
            Json::from(escaped(&title))
        ));
        let graphs = graphs(function);
        let width = COLUMNS / graphs.len();
        for (column, (title, metrics)) in graphs.into_iter().enumerate() {
            widgets.push(graph(title, [column * width, y + 1, width], &metrics));
        }
    }
    let body = format!("{{ \"widgets\": [\n  {}\n] }}\n", widgets.join(",\n  "));
    let properties = map([
        ("DashboardName", text_of("${AWS::StackName}-${AWS::Region}")),
        ("DashboardBody", Node::Call("Sub", Box::new(body.into()))),
    ]);
    resources.because(
        "Dashboards are there in all regions of an account, so that the region is part of the name.",
        "Dashboard",
        map([("Type", "AWS::CloudWatch::Dashboard".into()), ("Properties", properties.into())]),
    );
}

/// A graph, with a line for each of its metrics: laid out to be read, and to differ by what has changed.
fn graph(title: &str, [x, y, width]: [usize; 3], metrics: &[Json]) -> String {
    let lines: Vec<String> = metrics.iter().map(|metric| format!("      {metric}")).collect();
    format!(
        "{{ \"type\": \"metric\", \"x\": {x}, \"y\": {y}, \"width\": {width}, \"height\": {HEIGHT}, \"properties\": {{\n    \
         \"title\": {}, \"region\": \"${{AWS::Region}}\", \"period\": 60, \"stat\": \"Sum\", \"view\": \"timeSeries\",\n    \
         \"metrics\": [\n{}\n    ] }} }}",
        Json::from(title),
        lines.join(",\n")
    )
}

/// The graphs of a function: how many events there are and what becomes of them, how late they are, what they cost, and how the
/// function does.
fn graphs(function: &Function<'_>) -> Vec<(&'static str, Vec<Json>)> {
    let name = format!("${{{}}}", function.id("Function"));
    let of_projections = |metrics: &[(&str, &str)]| -> Vec<Json> {
        let several = function.projections.len() > 1;
        let lines = function.projections.iter().flat_map(|projection| {
            metrics.iter().map(move |(metric, statistic)| {
                let label = if several { format!("{projection} {metric}") } else { (*metric).to_owned() };
                (*projection, *metric, *statistic, label)
            })
        });
        lines
            .map(|(projection, metric, statistic, label)| {
                let projection = escaped(projection);
                json!(["viewfold", metric, "FunctionName", name, "Projection", projection,
                       { "stat": statistic, "label": escaped(&label) }])
            })
            .collect()
    };
    let of_lambda = |metric: &str, statistic: &str, right: bool| {
        let axis = if right { "right" } else { "left" };
        json!(["AWS/Lambda", metric, "FunctionName", name, { "stat": statistic, "yAxis": axis }])
    };
    let mut late = of_projections(&[("lag_average", "Average"), ("lag_max", "Maximum")]);
    let mut events = of_projections(&[
        ("matched", "Sum"),
        ("applied", "Sum"),
        ("repeated", "Sum"),
        ("stale", "Sum"),
        ("failed", "Sum"),
        ("dead_letters", "Sum"),
    ]);
    if function.is_queue() {
        // The parameter of its ARN takes no other name.
        let queue = escaped(function.identity.name());
        let of_queue = |metric: &str, queue: &str, label: &str| json!(["AWS/SQS", metric, "QueueName", queue, { "stat": "Maximum", "label": label, "yAxis": "right" }]);
        late.push(of_queue("ApproximateAgeOfOldestMessage", &queue, "oldest message, in seconds"));
        events.push(of_queue("ApproximateNumberOfMessagesVisible", &queue, "waiting in the queue"));
        if let Origin::Made = function.origin {
            let failed = format!("${{{}.QueueName}}", function.id("Failed"));
            events.push(of_queue("ApproximateNumberOfMessagesVisible", &failed, "put aside"));
        }
    } else {
        late.push(of_lambda("IteratorAge", "Maximum", false));
    }
    vec![
        ("Events", events),
        ("Lag, in milliseconds", late),
        (
            "Requests to DynamoDB",
            of_projections(&[("requests", "Sum"), ("write_units", "Sum"), ("conflicts", "Sum"), ("retries", "Sum")]),
        ),
        (
            "Invocations",
            vec![
                of_lambda("Invocations", "Sum", false),
                of_lambda("Errors", "Sum", false),
                of_lambda("Throttles", "Sum", false),
                of_lambda("Duration", "p99", true),
            ],
        ),
    ]
}
