//! What is logged of events that were not applied: a line for each, and of a flood its first lines and how many more there are.

use lambda_runtime::Context;
use std::collections::BTreeMap;
use viewfold_core::decode::{self, envelope};
use viewfold_core::report::{Fate, Report, Trouble};

/// The most lines about single events of a batch.
const MOST_LINES: usize = 100;

/// The most bytes of a payload that a line has.
const MOST_PAYLOAD_BYTES: usize = 16 << 10;

/// What tells an invocation from all others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Invocation<'c> {
    /// Lambda's request id.
    pub(crate) request: &'c str,
    /// The X-Ray trace id, where there is one.
    pub(crate) trace: Option<&'c str>,
}

impl<'c> Invocation<'c> {
    pub(crate) fn new(context: &'c Context) -> Invocation<'c> {
        Invocation { request: &context.request_id, trace: context.xray_trace_id.as_deref().and_then(trace_id) }
    }
}

/// The trace id of a [tracing header], `Root=1-…;Parent=…;Sampled=…`.
///
/// [tracing header]: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
fn trace_id(header: &str) -> Option<&str> {
    header.split(';').find_map(|field| field.trim().strip_prefix("Root="))
}

/// Logs the events of a batch that were not applied; with their payloads where the invocation's own is given.
pub(crate) fn log(report: &Report, invocation: &Invocation<'_>, payload: Option<&[u8]>) {
    if report.troubles.is_empty() {
        return;
    }
    let records = payload.and_then(|payload| envelope::records(payload).ok()).unwrap_or_default();
    let Invocation { request, trace } = *invocation;
    for trouble in report.troubles.iter().take(MOST_LINES) {
        let Trouble { record, sequence, sub, lane, projection, rule, reason, message, fate } = trouble;
        let code = code(trouble);
        let words = reason.map_or(message.as_str(), |reason| reason.in_words());
        let (projection, rule, fate) = (projection.as_deref(), rule.as_deref(), fate.text());
        let lane = told_lane(lane, sequence);
        // The sentence may quote the payload, too. An event of an earlier batch has no record in this one.
        let detail = payload.and(reason.map(|_| message.as_str()));
        let text = records.get(*record).filter(|record| record.sequence() == sequence);
        let text = text.map(|record| decode::alone(record.text, *sub));
        let text = text.as_deref().map(|text| &text[..text.floor_char_boundary(MOST_PAYLOAD_BYTES)]);
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    requestId = request,
                    xrayTraceId = trace,
                    projection,
                    rule,
                    lane,
                    sequence,
                    sub,
                    record,
                    reason = code,
                    fate,
                    detail,
                    payload = text,
                    "an event was not applied: {words}"
                )
            };
        }
        match trouble.fate {
            // The stream waits for it.
            Fate::ComesAgain => line!(error),
            Fate::DeadLetter | Fate::Skipped => line!(warn),
        }
    }
    for ((projection, reason, fate), more) in rest(&report.troubles) {
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    requestId = request,
                    xrayTraceId = trace,
                    projection,
                    reason,
                    fate,
                    more,
                    "more events were not applied: a batch has at most {MOST_LINES} lines about single ones"
                )
            };
        }
        match fate == Fate::ComesAgain.text() {
            true => line!(error),
            false => line!(warn),
        }
    }
}

/// The lane of an event, where that says more than its sequence: messages of a standard queue are lanes of their own.
fn told_lane<'t>(lane: &'t str, sequence: &str) -> Option<&'t str> {
    (lane != sequence).then_some(lane)
}

fn code(trouble: &Trouble) -> &'static str {
    trouble.reason.map_or("store", |reason| reason.code())
}

/// How many events have no line of their own, by projection, reason and fate.
fn rest(troubles: &[Trouble]) -> BTreeMap<(Option<&str>, &'static str, &'static str), usize> {
    let mut rest = BTreeMap::new();
    for trouble in troubles.iter().skip(MOST_LINES) {
        *rest.entry((trouble.projection.as_deref(), code(trouble), trouble.fate.text())).or_default() += 1;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use viewfold_core::report::Reason;

    #[test]
    fn the_trace_id_is_the_root_of_the_header() {
        assert_eq!(trace_id("Root=1-5bef4de7-ad49;Parent=53;Sampled=1"), Some("1-5bef4de7-ad49"));
        assert_eq!(trace_id("Sampled=0; Root=1-2"), Some("1-2"));
        assert_eq!(trace_id("Parent=53"), None);
    }

    #[test]
    fn a_message_that_is_its_own_lane_is_told_once() {
        assert_eq!(told_lane("059f36b4", "059f36b4"), None);
        assert_eq!(told_lane("customer-7", "18849"), Some("customer-7"));
        // A lane that could not be told is said to be empty.
        assert_eq!(told_lane("", "18849"), Some(""));
    }

    #[test]
    fn what_has_no_line_is_counted_by_projection_reason_and_fate() {
        let trouble = |number: usize| Trouble {
            record: number,
            sequence: number.to_string(),
            sub: 0,
            lane: String::new(),
            projection: Some("p".to_owned()),
            rule: None,
            reason: (number.is_multiple_of(2)).then_some(Reason::BadKey),
            message: String::new(),
            fate: if number.is_multiple_of(2) { Fate::Skipped } else { Fate::ComesAgain },
        };
        let troubles: Vec<Trouble> = (0..MOST_LINES + 5).map(trouble).collect();
        let counts: Vec<_> = rest(&troubles).into_iter().collect();
        assert_eq!(counts, [((Some("p"), "bad_key", "skipped"), 3), ((Some("p"), "store", "comes_again"), 2)]);
        assert!(rest(&troubles[..MOST_LINES]).is_empty());
    }
}
