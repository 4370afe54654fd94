//! Event source mappings: does each stream have one, and do its settings keep what the guards promise?

use super::Case;
use super::finding::{Finding, Severity};
use super::mapping::Mapping;
use viewfold_core::mapping::{highest_factor, needs_endless_retries};
use viewfold_core::program::{Guard, Payload, Program, StreamIdentity};

pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let Some(mappings) = &case.facts.mappings else { return Vec::new() };
    let mut findings = Vec::new();
    for (number, stream) in case.program.streams.iter().enumerate() {
        let of_stream = mappings.iter().filter(|mapping| {
            mapping.state != "Deleting"
                && mapping.stream.as_ref().is_some_and(|(identity, _)| *identity == stream.identity)
        });
        let of_stream: Vec<&Mapping> = of_stream.collect();
        let label = current_label(case, &stream.identity);
        // A mapping of a stream that is no more reads nothing.
        let (alive, dead): (Vec<&Mapping>, Vec<&Mapping>) =
            of_stream.into_iter().partition(|mapping| reads(mapping, label));
        let on = |mappings: &[&Mapping]| mappings.iter().filter(|mapping| is_on(mapping)).count();
        if on(&alive) == 0 {
            findings.push(none(case, &stream.identity, &alive, &dead, label));
        }
        findings.extend(dead.iter().filter(|_| on(&alive) > 0).map(|mapping| read_before(mapping, label)));
        let functions = distinct(&alive);
        if on(&alive) > 1 {
            findings.push(several(&stream.identity, &alive, &functions));
            // Which of them is the function of these projections, nobody says: what is right for another is not judged.
            if functions.len() > 1 {
                continue;
            }
        }
        for mapping in alive {
            Judged { program: case.program, stream: number, mapping }.check(&mut findings);
        }
    }
    findings
}

/// The label of a table's stream that has its changes now.
fn current_label<'c>(case: &'c Case<'_>, stream: &StreamIdentity) -> Option<&'c str> {
    match stream {
        StreamIdentity::Dynamodb(table) => case.facts.found(table)?.label.as_deref(),
        StreamIdentity::Kinesis(_) | StreamIdentity::Sqs(_) => None,
    }
}

fn reads(mapping: &Mapping, label: Option<&str>) -> bool {
    let own = mapping.stream.as_ref().and_then(|(_, label)| label.as_deref());
    label.is_none() || own.is_none() || own == label
}

fn is_on(mapping: &Mapping) -> bool {
    ["Enabled", "Enabling", "Creating", "Updating"].contains(&&*mapping.state)
}

fn distinct<'m>(mappings: &[&'m Mapping]) -> Vec<&'m str> {
    let mut functions: Vec<&str> = mappings.iter().map(|mapping| &*mapping.function).collect();
    functions.sort_unstable();
    functions.dedup();
    functions
}

fn at(mapping: &Mapping) -> String {
    format!("mapping {} of function {}", mapping.uuid, mapping.function)
}

fn none(
    case: &Case<'_>,
    stream: &StreamIdentity,
    alive: &[&Mapping],
    dead: &[&Mapping],
    label: Option<&str>,
) -> Finding {
    let why = "none of its events reaches the projections";
    if let Some(off) = alive.first() {
        return Finding::new(
            Severity::Error,
            at(off),
            format!("it is {}, and the {stream} has no other", off.state),
            format!("{why}; those that expire meanwhile are lost"),
            format!("aws lambda update-event-source-mapping --uuid {} --enabled", off.uuid),
        );
    }
    if let Some(dead) = dead.first() {
        return read_before(dead, label);
    }
    let arn = match stream {
        StreamIdentity::Kinesis(name) => format!("arn:aws:kinesis:REGION:ACCOUNT:stream/{name}"),
        StreamIdentity::Sqs(name) => format!("arn:aws:sqs:REGION:ACCOUNT:{name}"),
        StreamIdentity::Dynamodb(table) => {
            let arn = case.facts.found(table).and_then(|found| found.stream_arn.clone());
            arn.unwrap_or_else(|| format!("arn:aws:dynamodb:REGION:ACCOUNT:table/{table}/stream/LABEL"))
        }
    };
    // What else a mapping of a stream has, one of a queue has not.
    let more =
        if stream.is_queue() { "" } else { " --starting-position TRIM_HORIZON --bisect-batch-on-function-error" };
    Finding::new(
        Severity::Error,
        stream.to_string(),
        "no event source mapping reads it",
        why,
        format!(
            "deploy the template, or aws lambda create-event-source-mapping --function-name FUNCTION --event-source-arn {arn} \
             --function-response-types ReportBatchItemFailures{more}"
        ),
    )
}

fn read_before(mapping: &Mapping, label: Option<&str>) -> Finding {
    let own = mapping.stream.as_ref().and_then(|(_, label)| label.as_deref()).unwrap_or_default();
    Finding::new(
        Severity::Error,
        at(mapping),
        format!("it reads the stream of {own}, and the table's stream is now that of {}", label.unwrap_or_default()),
        "a stream that was switched off brings nothing new: changes since then do not reach the projections",
        format!(
            "make a mapping for the table's LatestStreamArn, with TRIM_HORIZON, then aws lambda delete-event-source-mapping --uuid {}",
            mapping.uuid
        ),
    )
}

fn several(stream: &StreamIdentity, mappings: &[&Mapping], functions: &[&str]) -> Finding {
    let told: Vec<String> = mappings.iter().map(|mapping| format!("{} ({})", mapping.uuid, mapping.function)).collect();
    let fix = match functions.len() {
        1 => "delete all but one: aws lambda delete-event-source-mapping --uuid UUID".to_owned(),
        _ => "name the function of these projections with --function; the others are not looked at, then".to_owned(),
    };
    Finding::new(
        Severity::Warning,
        stream.to_string(),
        format!("{} mappings read it: {}", mappings.len(), told.join(", ")),
        "where two of them lead to the same projections, each event is written twice: under `guard: none` it counts twice, under the \
         others the second write is in vain",
        fix,
    )
}

/// A mapping and the stream that it is for.
struct Judged<'m> {
    program: &'m Program,
    stream: usize,
    mapping: &'m Mapping,
}

impl Judged<'_> {
    fn finding(&self, severity: Severity, what: impl Into<String>, why: impl Into<String>, change: &str) -> Finding {
        let fix = format!("aws lambda update-event-source-mapping --uuid {} {change}", self.mapping.uuid);
        Finding::new(severity, at(self.mapping), what, why, fix)
    }

    fn check(&self, findings: &mut Vec<Finding>) {
        let Judged { mapping, .. } = self;
        if !mapping.reports_failures {
            findings.push(self.finding(
                Severity::Error,
                "ReportBatchItemFailures is off",
                "the function's answer says from which record on the batch has to come again, and nobody reads it: events that \
                 could not be written are taken for done, and lost",
                "--function-response-types ReportBatchItemFailures",
            ));
        }
        self.running(findings);
        self.filter(findings);
        // A queue has none of the other settings: it keeps no order that batches could break, and gives up messages by itself.
        if self.program.streams[self.stream].identity.is_queue() {
            return;
        }
        self.factor(findings);
        self.giving_up(findings);
        if mapping.tumbling_seconds > 0 {
            findings.push(self.finding(
                Severity::Error,
                format!("it has a tumbling window of {} seconds", mapping.tumbling_seconds),
                "at the end of a window Lambda wants an answer that the function does not give",
                "--tumbling-window-in-seconds 0",
            ));
        }
        if let Some(position @ ("LATEST" | "AT_TIMESTAMP")) = mapping.starting_position.as_deref() {
            findings.push(Finding::new(
                Severity::Warning,
                at(mapping),
                format!("it was made with the starting position {position}"),
                "events from before, and those from while it was made, are not in the documents",
                "it cannot be changed: should any be missing, delete the mapping and make it anew with TRIM_HORIZON, which the guards \
                 make harmless (but for `guard: none`)",
            ));
        }
        if !mapping.bisects {
            findings.push(self.finding(
                Severity::Advice,
                "BisectBatchOnFunctionError is off",
                "a batch with which the function runs out of time comes again as it was, and runs out of time again",
                "--bisect-batch-on-function-error",
            ));
        }
    }

    /// How many batches of a shard may be under way at once.
    fn factor(&self, findings: &mut Vec<Finding>) {
        let factor = self.mapping.factor;
        let legal = highest_factor(self.program, self.stream);
        if factor > legal.highest {
            findings.push(self.finding(
                Severity::Error,
                format!(
                    "its parallelization factor is {factor}, and `{}` needs {} (`last_event_id: shard`)",
                    legal.limited_by.unwrap_or_default(),
                    legal.highest
                ),
                "a batch that another one of its shard overtakes looks like a repetition, and its events are lost",
                &format!("--parallelization-factor {}", legal.highest),
            ));
            return;
        }
        let stream = &self.program.streams[self.stream];
        let by_mark = stream.readers.iter().any(|(projection, source)| {
            let guard = &self.program.projections[*projection].sources[*source].guard;
            matches!(guard, Guard::Document { .. } | Guard::Lane { .. })
        });
        let may_aggregate =
            matches!((&stream.identity, stream.payload), (StreamIdentity::Kinesis(_), Payload::Json)) && by_mark;
        if factor > 1 && may_aggregate {
            findings.push(self.finding(
                Severity::Advice,
                format!("its parallelization factor is {factor}"),
                "where producers use the Kinesis Producer Library with aggregation, Lambda keeps no order of the events within \
                 aggregates, and marks need it; without aggregation all is well",
                "--parallelization-factor 1, should there be aggregates",
            ));
        }
    }

    /// Whether a batch that keeps failing is given up, and what becomes of it.
    fn giving_up(&self, findings: &mut Vec<Finding>) {
        let Judged { mapping, .. } = self;
        let limits = [
            mapping.retries.map(|retries| format!("after {retries} retries")),
            mapping.record_age.map(|seconds| format!("at an age of {seconds} seconds")),
        ];
        let limits: Vec<String> = limits.into_iter().flatten().collect();
        if limits.is_empty() {
            return;
        }
        let what = format!("it gives batches up {}", limits.join(" or "));
        const ENDLESS: &str = "--maximum-retry-attempts -1 --maximum-record-age-in-seconds -1";
        if let Some(projection) = needs_endless_retries(self.program, self.stream) {
            findings.push(self.finding(
                Severity::Error,
                format!("{what}, and the guard of `{projection}` does not allow that"),
                "a throttle that lasts longer loses events: later ones move the marks past them, and they cannot be sent again",
                ENDLESS,
            ));
            return;
        }
        match mapping.destination.as_deref().map(|arn| arn.split(':').nth(2).unwrap_or_default()) {
            None => findings.push(self.finding(
                Severity::Error,
                format!("{what}, and has no destination for them"),
                "they are lost",
                &format!("{ENDLESS}, or --destination-config with a bucket as OnFailure"),
            )),
            Some(service @ ("sqs" | "sns")) => findings.push(self.finding(
                Severity::Advice,
                format!("{what}, and tells {} of it", service.to_uppercase()),
                "it gets the place of the records, not the records: they have to be fetched before the stream's retention ends",
                "--destination-config with a bucket as OnFailure: it gets the records, too",
            )),
            Some(_) => {}
        }
    }

    /// Whether it drops events.
    fn filter(&self, findings: &mut Vec<Finding>) {
        let Judged { mapping, .. } = self;
        if let Some(error) = &mapping.filter_error {
            findings.push(Finding::new(
                Severity::Error,
                at(mapping),
                format!("its filter cannot be used: {error}"),
                "Lambda does not know which events to pass on",
                "correct the filter, or the access to the key that it is encrypted with",
            ));
        } else if !mapping.filters.is_empty() {
            findings.push(Finding::new(
                Severity::Advice,
                at(mapping),
                format!("it has a filter: {}", mapping.filters.join(" or ")),
                "whether it drops events that rules match was not looked at; data that is no JSON it drops in any case",
                "compare it with the rules; without a filter nothing is dropped",
            ));
        }
    }

    /// Whether it works.
    fn running(&self, findings: &mut Vec<Finding>) {
        let Judged { mapping, .. } = self;
        if ["Creating", "Enabling", "Updating", "Disabling"].contains(&&*mapping.state) {
            findings.push(Finding::new(
                Severity::Warning,
                at(mapping),
                format!("it is {}", mapping.state),
                "its settings are not in force yet",
                "look again in a minute",
            ));
        }
        let fine = ["OK", "No records processed"];
        if let Some(result) =
            mapping.last_result.as_deref().filter(|result| !result.is_empty() && !fine.contains(result))
        {
            findings.push(Finding::new(
                Severity::Error,
                at(mapping),
                format!("its last batch: {result}"),
                match self.program.streams[self.stream].identity.is_queue() {
                    true => "its messages come again, until the queue has had enough of it (`maxReceiveCount`), or they expire",
                    false => "the shard waits, and its records grow old",
                },
                format!("aws logs tail /aws/lambda/{} --since 1h", mapping.function),
            ));
        }
    }
}

#[cfg(test)]
mod tests;
