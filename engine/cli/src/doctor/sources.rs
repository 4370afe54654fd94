//! The tables whose changes projections read, where they are not views themselves.

use super::Case;
use super::finding::{Finding, Severity};
use super::tables::stream_command;
use viewfold_core::mapping;
use viewfold_core::program::{LaneCheck, StreamIdentity};
use viewfold_dynamodb::tables::scalar;

pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, stream) in case.program.streams.iter().enumerate() {
        let StreamIdentity::Dynamodb(table) = &stream.identity else { continue };
        if case.needed.iter().any(|needed| *needed.table.name == **table) {
            continue;
        }
        let at = format!("source table {table}");
        let found = match case.facts.tables.get(table).and_then(|facts| facts.found.as_ref()) {
            None => continue,
            Some(None) => {
                findings.push(Finding::new(
                    Severity::Error,
                    at,
                    "it is not there",
                    "there are no events",
                    "correct `source: { dynamodb: { table } }` or the prefix of tables, or make it, with a stream",
                ));
                continue;
            }
            Some(Some(found)) => found,
        };
        findings.extend(keys(case, number, &found.keys).map(|what| {
            Finding::new(
                Severity::Error,
                &at,
                what,
                "every event is a dead letter (`wrong_lane`)",
                "write the table's key into `keys`, with its types",
            )
        }));
        match &found.view {
            None => findings.push(Finding::new(
                Severity::Error,
                at,
                "it has no stream that is switched on",
                "there are no events",
                stream_command(case, table, false),
            )),
            Some(view) => {
                if let Some(image) = mapping::missing_image(case.program, number, view) {
                    findings.push(Finding::new(
                        Severity::Error,
                        at,
                        format!("its stream is set to {view}: it brings no {image} image, and projections read it"),
                        "the function refuses every batch",
                        stream_command(case, table, true),
                    ));
                }
            }
        }
    }
    findings
}

/// How the key that a source names differs from its table's. (Their order is of no account.)
fn keys(case: &Case<'_>, stream: usize, found: &[(String, String)]) -> Option<String> {
    let readers = &case.program.streams[stream].readers;
    readers.iter().find_map(|(projection, source)| {
        let projection = &case.program.projections[*projection];
        let Some(LaneCheck::Keys(keys)) = &projection.sources[*source].lane else { return None };
        let wanted: Vec<(String, String)> =
            keys.iter().map(|key| (key.name.clone(), scalar(key.kind).as_str().to_owned())).collect();
        let same = wanted.len() == found.len() && wanted.iter().all(|key| found.contains(key));
        let told = |keys: &[(String, String)]| -> String {
            keys.iter().map(|(name, kind)| format!("{name} ({kind})")).collect::<Vec<_>>().join(", ")
        };
        (!same)
            .then(|| format!("its key is {}, and projection `{}` says {}", told(found), projection.name, told(&wanted)))
    })
}

#[cfg(test)]
mod tests;
