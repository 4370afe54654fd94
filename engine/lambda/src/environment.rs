//! What the function's environment says.

use crate::logs::{self, Format};
use std::collections::BTreeMap;
use std::path::PathBuf;
use tracing_subscriber::filter::{LevelFilter, Targets};
use viewfold_core::compile::{DEAD_LETTER_TABLE, Options};
use viewfold_core::program::Program;
use viewfold_dynamodb::changes::Deployed;
use viewfold_dynamodb::{Limits, deployment};
use viewfold_spec::diagnostic::render_all;

/// The folder of projections unless `VIEWFOLD_PROJECTIONS` names another: where a layer's files are.
const LAYER: &str = "/opt/projections";

/// What the function writes beside documents.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Whether it writes metrics.
    pub(crate) metrics: bool,
    /// What it logs, and how.
    pub(crate) logs: logs::Settings,
    /// How many requests to the store are in flight at a time.
    pub(crate) requests_in_flight: usize,
    /// The hashes of projections that may start whatever has changed, by name.
    pub(crate) accepted: BTreeMap<String, String>,
}

/// The most requests in flight that can be asked for: each has a connection of its own, and Lambda gives a function 1,024 open
/// files.
const MOST_REQUESTS_IN_FLIGHT: usize = 500;

/// The settings of logs and metrics.
///
/// # Errors
///
/// A variable with a value that it does not take.
pub(crate) fn settings() -> Result<Settings, String> {
    Settings::of(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
}

impl Settings {
    /// The settings that variables say. An empty one is as good as none.
    fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Settings, String> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let wrong = |name: &str, value: &str, takes: &str| {
            Err(format!("the function does not start: {name} is `{value}`, and it takes {takes}"))
        };
        let metrics = match variable("VIEWFOLD_METRICS").as_deref() {
            None | Some("emf") => true,
            Some("none") => false,
            Some(other) => return wrong("VIEWFOLD_METRICS", other, "`emf` (the default) or `none`"),
        };
        let payloads = match variable("VIEWFOLD_LOG_PAYLOADS").as_deref() {
            None | Some("0") => false,
            Some("1") => true,
            Some(other) => {
                return wrong("VIEWFOLD_LOG_PAYLOADS", other, "`1` (logs may have payloads) or `0` (the default)");
            }
        };
        let format = match variable("AWS_LAMBDA_LOG_FORMAT").map(|value| value.to_ascii_lowercase()).as_deref() {
            None | Some("json") => Format::Json,
            Some("text") => Format::Text,
            Some(other) => return wrong("AWS_LAMBDA_LOG_FORMAT", other, "`JSON` (the default) or `Text`"),
        };
        let level = match variable("AWS_LAMBDA_LOG_LEVEL").map(|value| value.to_ascii_uppercase()).as_deref() {
            None | Some("INFO") => LevelFilter::INFO,
            Some("TRACE") => LevelFilter::TRACE,
            Some("DEBUG") => LevelFilter::DEBUG,
            Some("WARN") => LevelFilter::WARN,
            Some("ERROR") => LevelFilter::ERROR,
            // Nothing but a panic is fatal, and that is logged whatever the level.
            Some("FATAL") => LevelFilter::OFF,
            Some(other) => {
                let takes = "`TRACE`, `DEBUG`, `INFO` (the default), `WARN`, `ERROR` or `FATAL`";
                return wrong("AWS_LAMBDA_LOG_LEVEL", other, takes);
            }
        };
        let wanted = match variable("RUST_LOG") {
            None => Targets::new().with_default(level),
            Some(text) => match text.parse() {
                Ok(targets) => targets,
                Err(_) => {
                    let takes = "a level (`debug`), or levels of parts, by commas (`info,viewfold_dynamodb=trace`)";
                    return wrong("RUST_LOG", &text, takes);
                }
            },
        };
        let requests_in_flight = match variable("VIEWFOLD_REQUESTS_IN_FLIGHT") {
            None => Limits::default().requests_in_flight,
            Some(text) => match text.parse() {
                Ok(number) if (1..=MOST_REQUESTS_IN_FLIGHT).contains(&number) => number,
                _ => {
                    let takes = format!(
                        "a number from 1 to {MOST_REQUESTS_IN_FLIGHT}: how many requests wait for DynamoDB at a time"
                    );
                    return wrong("VIEWFOLD_REQUESTS_IN_FLIGHT", &text, &takes);
                }
            },
        };
        let mut accepted = BTreeMap::new();
        if let Some(text) = variable("VIEWFOLD_ACCEPT_CHANGES") {
            for one in text.split(',').map(str::trim).filter(|one| !one.is_empty()) {
                match one.split_once('=') {
                    Some((name, hash)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                        accepted.insert(name.trim().to_owned(), hash.to_ascii_lowercase());
                    }
                    _ => {
                        let takes = "the name of a projection and the hash that the function says, `totals=0123456789abcdef`; several by commas";
                        return wrong("VIEWFOLD_ACCEPT_CHANGES", one, takes);
                    }
                }
            }
        }
        let logs = logs::Settings { format, level, wanted, payloads };
        Ok(Settings { metrics, logs, requests_in_flight, accepted })
    }
}

/// The program of the folder that `VIEWFOLD_PROJECTIONS` names, its tables with the prefix of `VIEWFOLD_TABLE_PREFIX`, its
/// dead letters in the table that `VIEWFOLD_DEAD_LETTER_TABLE` names.
///
/// # Errors
///
/// The validator's findings, or that there is no folder.
pub(crate) fn program(accepted: BTreeMap<String, String>) -> Result<(Program, Deployed), String> {
    let folder = projections()?;
    let options = Options {
        table_prefix: std::env::var("VIEWFOLD_TABLE_PREFIX").unwrap_or_default(),
        dead_letter_table: std::env::var("VIEWFOLD_DEAD_LETTER_TABLE").unwrap_or_else(|_| DEAD_LETTER_TABLE.to_owned()),
    };
    options.check().map_err(|message| format!("{message}; the function does not start"))?;
    let (files, compiled) = deployment::load_with_files(&[folder], &options).map_err(|findings| {
        format!("{}the function does not start: its projections have errors", render_all(&findings, false))
    })?;
    for warning in &compiled.warnings {
        tracing::warn!(code = warning.code.text(), place = warning.place(), "{}", warning.message);
    }
    Ok((compiled.program, Deployed { files, options, accepted }))
}

fn projections() -> Result<PathBuf, String> {
    if let Some(folder) = std::env::var_os("VIEWFOLD_PROJECTIONS").filter(|folder| !folder.is_empty()) {
        return Ok(folder.into());
    }
    let beside = std::env::current_exe().ok().and_then(|binary| Some(binary.parent()?.join("projections")));
    let mut candidates = vec![PathBuf::from(LAYER)];
    candidates.extend(beside);
    candidates.iter().find(|folder| folder.is_dir()).cloned().ok_or_else(|| {
        let tried: Vec<String> = candidates.iter().map(|folder| folder.display().to_string()).collect();
        format!(
            "there are no projections: neither of {} is a folder, and VIEWFOLD_PROJECTIONS names none",
            tried.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Result<Settings, String> {
        let known =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Settings::of(known)
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let empty = ["VIEWFOLD_METRICS", "VIEWFOLD_LOG_PAYLOADS", "VIEWFOLD_REQUESTS_IN_FLIGHT", "RUST_LOG"]
            .map(|name| (name, ""));
        for variables in [&[][..], &empty] {
            let Settings { metrics, logs, requests_in_flight, accepted } = settings(variables).unwrap();
            assert!(accepted.is_empty() && metrics && !logs.payloads && requests_in_flight == 32);
            assert_eq!((logs.format, logs.level), (Format::Json, LevelFilter::INFO));
            assert_eq!(logs.wanted, Targets::new().with_default(LevelFilter::INFO));
        }
    }

    #[test]
    fn a_value_that_is_not_taken_is_named_with_those_that_are() {
        for (name, value, takes) in [
            ("VIEWFOLD_METRICS", "cloudwatch", "`none`"),
            ("VIEWFOLD_LOG_PAYLOADS", "yes", "`1`"),
            ("AWS_LAMBDA_LOG_FORMAT", "yaml", "`Text`"),
            ("AWS_LAMBDA_LOG_LEVEL", "LOUD", "`DEBUG`"),
            ("RUST_LOG", "viewfold=loud", "`debug`"),
            ("VIEWFOLD_REQUESTS_IN_FLIGHT", "0", "from 1 to 500"),
            ("VIEWFOLD_REQUESTS_IN_FLIGHT", "501", "from 1 to 500"),
            ("VIEWFOLD_REQUESTS_IN_FLIGHT", "many", "from 1 to 500"),
            ("VIEWFOLD_ACCEPT_CHANGES", "totals", "`totals=0123456789abcdef`"),
            ("VIEWFOLD_ACCEPT_CHANGES", "totals=all", "`totals=0123456789abcdef`"),
        ] {
            let error = settings(&[(name, value)]).unwrap_err();
            assert!(error.contains(name) && error.to_lowercase().contains(&value.to_lowercase()), "{error}");
            assert!(error.contains(takes), "{error}");
        }
    }

    #[test]
    fn so_many_requests_are_in_flight_as_are_asked_for() {
        assert_eq!(settings(&[("VIEWFOLD_REQUESTS_IN_FLIGHT", "100")]).unwrap().requests_in_flight, 100);
    }

    #[test]
    fn rust_log_wins_over_the_level_of_the_platform() {
        let logs = settings(&[("AWS_LAMBDA_LOG_LEVEL", "ERROR"), ("RUST_LOG", "debug")]).unwrap().logs;
        assert_eq!(logs.wanted, Targets::new().with_default(LevelFilter::DEBUG));
    }
}
