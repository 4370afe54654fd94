//! Results of tests for programs.

use super::{Ended, Tested, Update};
use serde_json::{Map, Value as Json, json};

/// A list of all cases.
pub(crate) fn rendered(files: &[Tested]) -> String {
    let cases = files.iter().flat_map(|file| file.cases.iter().map(|ended| case(&file.file, ended)));
    format!("{:#}\n", Json::from(cases.collect::<Vec<_>>()))
}

fn case(file: &str, ended: &Ended) -> Json {
    let tally = &ended.verdict.schedules;
    let ran: Map<String, Json> =
        tally.ran.iter().map(|(sort, number)| (sort.name().to_owned(), Json::from(*number))).collect();
    let not_compared: Vec<Json> = tally
        .not_compared
        .iter()
        .map(|(kind, projection, why)| json!({ "not": kind.words(), "projection": projection, "why": why }))
        .collect();
    let left_out: Vec<Json> =
        tally.left_out.iter().map(|(kind, why)| json!({ "not": kind.words(), "why": why })).collect();
    let mut case = json!({
        "file": file, "line": ended.line, "name": ended.name, "seconds": ended.took.as_secs_f64(),
        "passed": ended.passed(), "differences": ended.verdict.differences,
        "schedules": tally.total(), "schedules_by_sort": ran, "schedules_left_out": left_out,
        "not_compared": not_compared,
    });
    match &ended.update {
        Some(Update::Written(changed)) => case["updated"] = changed.as_str().into(),
        Some(Update::Refused(why)) => case["not_updated"] = why.as_str().into(),
        None => {}
    }
    case
}
