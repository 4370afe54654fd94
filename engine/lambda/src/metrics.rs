//! Metrics in CloudWatch's [embedded metric format]: lines on stdout of which CloudWatch makes metrics.
//!
//! They are made of what was counted anyway, once a batch has been carried out, and written at once.
//!
//! [embedded metric format]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

use crate::logs::{self, Format};
use crate::troubles::Invocation;
use serde_json::{Map, Value as Json, json};
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tracing_subscriber::filter::LevelFilter;
use viewfold_core::report::{Counts, Report};
use viewfold_dynamodb::meter::{Meters, Spent};

/// The CloudWatch namespace.
const NAMESPACE: &str = "viewfold";

/// Writes metrics.
#[derive(Debug)]
pub(crate) struct Metrics {
    /// How long the function took to start.
    start: Duration,
    /// Whether an invocation has said so.
    start_is_told: AtomicBool,
    /// The level of the lines. Lambda drops lines below the function's log level, and takes those for INFO that have none.
    level: &'static str,
}

impl Metrics {
    /// Metrics of a function that took so long to start.
    pub(crate) fn new(start: Duration, logs: &logs::Settings) -> Metrics {
        let level = match (logs.format, logs.level) {
            (Format::Json, LevelFilter::WARN) => "WARN",
            (Format::Json, LevelFilter::ERROR) => "ERROR",
            (Format::Json, LevelFilter::OFF) => "FATAL",
            _ => "INFO",
        };
        Metrics { start, start_is_told: AtomicBool::new(false), level }
    }

    /// Writes the metrics of an invocation: a line for each projection that had events, and one for the invocation.
    pub(crate) fn write(
        &self,
        report: &Report,
        meters: &Meters,
        function: &str,
        invocation: &Invocation<'_>,
        duration: Duration,
    ) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let timestamp = logs::now();
        let line = |projection: Option<&str>, metrics: Vec<Metric>| {
            let mut dimensions = vec![("FunctionName", function)];
            dimensions.extend(projection.map(|name| ("Projection", name)));
            let mut properties = vec![("timestamp", timestamp.as_str()), ("level", self.level)];
            properties.push(("requestId", invocation.request));
            properties.extend(invocation.trace.map(|trace| ("xrayTraceId", trace)));
            line(now, &dimensions, &properties, metrics)
        };
        let mut text = String::new();
        for ((name, counts), spent) in report.projections.iter().zip(meters.by_projection()) {
            if counts.events > 0 {
                text += &line(Some(name), of_projection(counts, &spent, now));
            }
        }
        let start = (!self.start_is_told.swap(true, Ordering::Relaxed)).then_some(self.start);
        text += &line(None, of_invocation(report.records, &meters.total(), duration, start));
        // Where stdout is gone there is nobody to tell.
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
    }
}

/// A metric's name, unit and value.
type Metric = (&'static str, &'static str, Json);

fn of_projection(counts: &Counts, spent: &Spent, now: i64) -> Vec<Metric> {
    let count = |name, number: u64| (name, "Count", json!(number));
    let events = |name, number: usize| (name, "Count", json!(number));
    let mut metrics = vec![
        events("events", counts.events),
        events("matched", counts.matched),
        events("applied", counts.applied),
        events("repeated", counts.repeated),
        events("stale", counts.stale),
        events("waiting", counts.waiting),
        events("rejected", counts.rejected),
        events("failed", counts.failed),
        events("dead_letters", counts.dead_letters),
        count("requests", spent.requests),
        ("write_units", "Count", json!(spent.write_units)),
        count("conflicts", spent.conflicts + counts.conflicts as u64),
        count("retries", spent.retries),
    ];
    if spent.requests > 0 {
        metrics.push(("events_per_request", "None", json!(counts.events as f64 / spent.requests as f64)));
    }
    // An event from a clock that is ahead of ours has no lag.
    if let (Some(earliest), Ok(1..)) = (counts.times.earliest, i64::try_from(counts.times.events)) {
        let average = i128::from(now) - counts.times.sum / i128::from(counts.times.events);
        metrics.push(("lag_max", "Milliseconds", json!(now.saturating_sub(earliest).max(0))));
        metrics.push(("lag_average", "Milliseconds", json!(i64::try_from(average).unwrap_or(i64::MAX).max(0))));
    }
    metrics
}

fn of_invocation(records: usize, spent: &Spent, duration: Duration, start: Option<Duration>) -> Vec<Metric> {
    let milliseconds = |duration: Duration| json!((duration.as_secs_f64() * 1e6).round() / 1e3);
    let mut metrics = vec![
        ("records", "Count", json!(records)),
        ("requests", "Count", json!(spent.requests)),
        ("duration", "Milliseconds", milliseconds(duration)),
    ];
    metrics.extend(start.map(|start| ("start", "Milliseconds", milliseconds(start))));
    metrics
}

/// One line: what CloudWatch needs to find the metrics in it, then dimensions, properties and metrics side by side.
fn line(now: i64, dimensions: &[(&str, &str)], properties: &[(&str, &str)], metrics: Vec<Metric>) -> String {
    let names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
    let directive: Vec<Json> = metrics.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit })).collect();
    let mut line = Map::new();
    let directives = json!([{ "Namespace": NAMESPACE, "Dimensions": [names], "Metrics": directive }]);
    line.insert("_aws".to_owned(), json!({ "Timestamp": now, "CloudWatchMetrics": directives }));
    for (name, value) in dimensions.iter().chain(properties) {
        line.insert((*name).to_owned(), json!(value));
    }
    line.extend(metrics.into_iter().map(|(name, _, value)| (name.to_owned(), value)));
    Json::Object(line).to_string() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use viewfold_core::report::Times;

    fn value(metrics: &[Metric], name: &str) -> Option<Json> {
        metrics.iter().find(|(known, ..)| *known == name).map(|(.., value)| value.clone())
    }

    #[test]
    fn lag_is_of_events_with_a_time_and_never_negative() {
        let of =
            |times: Times| of_projection(&Counts { events: 3, times, ..Counts::default() }, &Spent::default(), 1000);
        let some = of(Times { events: 2, sum: 1500, earliest: Some(600) });
        assert_eq!((value(&some, "lag_max"), value(&some, "lag_average")), (Some(json!(400)), Some(json!(250))));
        let ahead = of(Times { events: 1, sum: 5000, earliest: Some(5000) });
        assert_eq!((value(&ahead, "lag_max"), value(&ahead, "lag_average")), (Some(json!(0)), Some(json!(0))));
        let none = of(Times::default());
        assert_eq!((value(&none, "lag_max"), value(&none, "lag_average")), (None, None));
        assert_eq!(value(&none, "events_per_request"), None, "there is no request");
    }

    #[test]
    fn every_metric_has_its_value_beside_the_directive() {
        let metrics = of_invocation(7, &Spent::default(), Duration::from_micros(1500), Some(Duration::from_millis(3)));
        let line: Json =
            serde_json::from_str(&line(5, &[("FunctionName", "f")], &[("requestId", "r")], metrics)).unwrap();
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(
            (&directive["Namespace"], &directive["Dimensions"]),
            (&json!("viewfold"), &json!([["FunctionName"]]))
        );
        for metric in directive["Metrics"].as_array().unwrap() {
            assert!(line[metric["Name"].as_str().unwrap()].is_number(), "{metric}");
        }
        assert_eq!((&line["duration"], &line["start"], &line["records"]), (&json!(1.5), &json!(3.0), &json!(7)));
    }
}
