//! Logs: one line for each thing that happened, on stdout, in the form and at the level that Lambda's logging controls say.
//!
//! JSON lines have the names of Lambda's own ([log format], [log level]): with `timestamp` and `level` Lambda can filter them.
//!
//! [log format]: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
//! [log level]: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html

use serde_json::json;
use std::fmt;
use std::io::Write as _;
use std::panic::PanicHookInfo;
use tracing::Metadata;
use tracing_subscriber::filter::{FilterExt, LevelFilter, Targets, filter_fn};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// What is logged, and how.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The form of a line.
    pub(crate) format: Format,
    /// The level by which Lambda filters.
    pub(crate) level: LevelFilter,
    /// The level of each part of the function.
    pub(crate) wanted: Targets,
    /// Whether lines may have payloads.
    pub(crate) payloads: bool,
}

/// The form of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    /// One JSON object.
    Json,
    /// For people.
    Text,
}

/// Begins to log, panics included.
pub(crate) fn start(settings: &Settings) {
    let Settings { format, ref wanted, payloads, .. } = *settings;
    let filter = wanted.clone().and(filter_fn(move |metadata| may_be_logged(metadata, payloads)));
    let lines = tracing_subscriber::fmt::layer().with_timer(Clock).with_target(false).with_ansi(false);
    let lines = match format {
        Format::Json => {
            lines.json().flatten_event(true).with_current_span(false).with_span_list(false).with_filter(filter).boxed()
        }
        Format::Text => lines.with_filter(filter).boxed(),
    };
    tracing_subscriber::registry().with(lines).init();
    std::panic::set_hook(Box::new(move |panic| log_panic(panic, format, payloads)));
}

/// Whether a line may be written, whatever its level. Spans are not: lines have what they say. Below INFO the libraries write down whole requests, with documents in
/// them; and what `lambda_runtime` says of errors and panics of the handler has been said.
fn may_be_logged(metadata: &Metadata<'_>, payloads: bool) -> bool {
    let target = metadata.target();
    if metadata.is_span() || target.starts_with("lambda_runtime::layers::panic") {
        return false;
    }
    let is_ours = ["bootstrap", "viewfold"].iter().any(|name| target.starts_with(name));
    is_ours || payloads || *metadata.level() <= tracing::Level::INFO
}

/// The time of a line: RFC 3339 in UTC, to the millisecond.
struct Clock;

impl FormatTime for Clock {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        writer.write_str(&now())
    }
}

/// The time as lines have it.
pub(crate) fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}

/// Writes a panic down in one line.
fn log_panic(panic: &PanicHookInfo<'_>, format: Format, payloads: bool) {
    let words = match (panic.payload().downcast_ref::<&'static str>(), panic.payload().downcast_ref::<String>()) {
        (Some(words), _) => Words::Fixed(words),
        (None, Some(words)) => Words::PutTogether(words),
        (None, None) => Words::None,
    };
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    // There is nowhere else to say that it cannot be written.
    let _ = writeln!(std::io::stdout(), "{}", panic_line(&words, &place, format, payloads));
}

/// What a panic says.
enum Words<'p> {
    /// What stands in the source.
    Fixed(&'static str),
    /// What was put together as it came to it: it may quote what was being worked on.
    PutTogether(&'p str),
    /// Nothing that is text.
    None,
}

/// The line of a panic: without what may be of a payload, unless payloads may be logged.
fn panic_line(words: &Words<'_>, place: &str, format: Format, payloads: bool) -> String {
    let words = match words {
        Words::Fixed(words) => words,
        Words::PutTogether(words) if payloads => words,
        Words::PutTogether(_) => "VIEWFOLD_LOG_PAYLOADS=1 shows what it said",
        Words::None => "it said nothing",
    };
    let message = format!("the function panicked, which is a mistake in viewfold; please report it: {words}");
    match format {
        Format::Json => json!({ "timestamp": now(), "level": "FATAL", "message": message, "place": place }).to_string(),
        Format::Text => format!("{} FATAL {} place={place}", now(), message.replace(['\n', '\r'], " ")),
    }
}

#[cfg(test)]
mod tests;
