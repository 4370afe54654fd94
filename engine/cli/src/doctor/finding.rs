//! A finding of `viewfold doctor`, and how it is told.

use crate::arguments::Where;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use viewfold_dynamodb::inspect::Unread;

/// How bad it is, the worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Severity {
    /// Events are lost, counted twice, or not applied at all; or will be.
    Error,
    /// So they may be; or it could not be told.
    Warning,
    /// It works, and could be better.
    Advice,
}

impl Severity {
    /// The word for it.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Advice => "advice",
        }
    }
}

/// What is not as it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    /// The table, stream or mapping.
    pub(crate) at: String,
    /// What is so.
    pub(crate) what: String,
    /// What follows from it.
    pub(crate) why: String,
    /// What to do: a command, or what to change in the template.
    pub(crate) fix: String,
}

impl Finding {
    pub(crate) fn new(
        severity: Severity,
        at: impl Into<String>,
        what: impl Into<String>,
        why: impl Into<String>,
        fix: impl Into<String>,
    ) -> Finding {
        Finding { severity, at: at.into(), what: what.into(), why: why.into(), fix: fix.into() }
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        format!("{}: {}: {}\n  why: {}\n  fix: {}\n", self.severity.text(), self.at, self.what, self.why, self.fix)
    }

    /// For programs.
    pub(crate) fn json(&self) -> Json {
        json!({ "severity": self.severity.text(), "at": self.at, "what": self.what, "why": self.why, "fix": self.fix })
    }
}

/// What commands in findings need to reach the same deployment.
#[derive(Clone, Debug)]
pub(crate) struct Commands {
    /// The projections as they were named.
    pub(crate) projections: String,
    /// `--aws`, `--endpoint URL` or `--db FILE`, and a prefix of tables.
    pub(crate) place: String,
    /// What the `aws` command needs beside its own settings.
    endpoint: String,
}

impl Commands {
    pub(crate) fn new(paths: &[std::path::PathBuf], place: &Where, prefix: &str) -> Commands {
        let paths: Vec<String> = paths.iter().map(|path| word(&path.display().to_string())).collect();
        let (mut words, endpoint) = match place {
            Where { endpoint: Some(url), .. } => {
                (format!("--endpoint {}", word(url)), format!(" --endpoint-url {}", word(url)))
            }
            Where { db: Some(file), .. } => (format!("--db {}", word(&file.display().to_string())), String::new()),
            _ => ("--aws".to_owned(), String::new()),
        };
        if !prefix.is_empty() {
            words += &format!(" --table-prefix {}", word(prefix));
        }
        Commands { projections: paths.join(" "), place: words, endpoint }
    }

    /// A command of `aws dynamodb`.
    pub(crate) fn dynamodb(&self, command: &str) -> String {
        format!("aws dynamodb {command}{}", self.endpoint)
    }
}

/// A text as one word of a shell.
pub(crate) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,@%+".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// What could not be looked at is told as such: nobody should take it for sound. A refusal is told once for each action.
pub(crate) fn unread(unread: &[(String, Unread)]) -> Vec<Finding> {
    let mut by_reason: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
    for (place, why) in unread {
        let reason = match why {
            Unread::Denied { action, message } => (action.clone(), message.clone()),
            Unread::Refused(message) | Unread::Silent(message) => (String::new(), message.clone()),
        };
        // The message of a refusal may name the table: the action alone tells them apart.
        let known = by_reason.iter_mut().find(|((action, message), _)| {
            (!reason.0.is_empty() && *action == reason.0) || (reason.0.is_empty() && *message == reason.1)
        });
        match known {
            Some((_, places)) => places.push(place),
            None => drop(by_reason.insert(reason, vec![place])),
        }
    }
    let finding = |((action, message), places): ((String, String), Vec<&str>)| {
        let fix = match action.is_empty() {
            false => format!("allow {action} to whoever runs this command"),
            true => "run this command again; see what the message says".to_owned(),
        };
        Finding::new(
            Severity::Warning,
            places.join(", "),
            format!("could not be looked at: {message}"),
            "nobody knows whether it is as it should be",
            fix,
        )
    };
    by_reason.into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_that_is_refused_is_told_once() {
        let denied = |table: &str| {
            let message = format!("AccessDeniedException: not on {table}");
            (format!("table {table}"), Unread::Denied { action: "dynamodb:Scan".into(), message })
        };
        let findings =
            unread(&[denied("one"), denied("two"), ("mappings".into(), Unread::Refused("throttled".into()))]);
        assert_eq!(findings.len(), 2);
        assert_eq!(findings[1].at, "table one, table two");
        assert!(findings[1].fix.contains("dynamodb:Scan"));
    }

    #[test]
    fn words_of_a_shell_stay_one() {
        assert_eq!(word("projections/votes"), "projections/votes");
        assert_eq!(word("my views"), "'my views'");
        assert_eq!(word("it's"), r"'it'\''s'");
    }
}
