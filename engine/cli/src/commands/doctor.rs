//! `viewfold doctor`

use super::dead_letters::connect;
use super::load_one;
use crate::arguments::{Doctor, Format, Where};
use crate::doctor::facts::{Facts, Places, gather};
use crate::doctor::finding::{Commands, Finding, Severity};
use crate::doctor::{Case, findings};
use crate::output::{Failure, Outcome, count, note, print, printable, warn};
use crate::store::{self, Connection};
use serde_json::{Value as Json, json};
use viewfold_core::tables::required;
use viewfold_dynamodb::client;

/// Compares what is deployed with what projections need.
pub(crate) fn run(arguments: &Doctor) -> Result<Outcome, Failure> {
    let compiled = load_one(&arguments.paths, &arguments.store.prefix.table_prefix)?;
    warn(&compiled.warnings);
    let needed = required(&compiled.program);
    let place = &arguments.store.place;
    let commands = Commands::new(&arguments.paths, place, &arguments.store.prefix.table_prefix);
    store::runtime()?.block_on(async {
        let connection = connect_to(place).await?;
        let lambda = lambda(place, &connection).await;
        if lambda.is_none() {
            note(
                "event source mappings were not looked at: there are none without AWS (or set AWS_ENDPOINT_URL_LAMBDA)",
            );
        }
        let places =
            Places { store: &connection.store, lambda: lambda.as_ref(), sample: arguments.sample, is_aws: place.aws };
        let mut facts = gather(&compiled.program, &needed, &places).await?;
        if let (Some(mappings), false) = (&mut facts.mappings, arguments.function.is_empty()) {
            mappings.retain(|mapping| arguments.function.contains(&mapping.function));
        }
        let case = Case { program: &compiled.program, needed: &needed, facts: &facts, commands: &commands };
        let findings = findings(&case);
        match arguments.format {
            Format::Json => print(&format!("{:#}\n", report(&findings, &facts)))?,
            Format::Text => print(&told(&findings, &facts))?,
        }
        let sound = findings.iter().all(|finding| finding.severity == Severity::Advice);
        Ok(if sound { Outcome::Done } else { Outcome::Findings })
    })
}

/// Connects to a DynamoDB that is kept.
async fn connect_to(place: &Where) -> Result<Connection, Failure> {
    match place {
        Where { db: None, endpoint: None, aws: false } => {
            Err(Failure::wrong_use("say where the deployment is: --aws, --endpoint URL or --db FILE"))
        }
        place => connect(place).await,
    }
}

/// Lambda, where there is one to be asked: AWS's own, or what the environment names.
async fn lambda(place: &Where, connection: &Connection) -> Option<aws_sdk_lambda::Client> {
    let named = |name| std::env::var(name).ok().filter(|url| !url.is_empty());
    let config = match (named("AWS_ENDPOINT_URL_LAMBDA"), place.aws) {
        (Some(url), _) => client::to_endpoint(&url).await,
        (None, true) => connection.config.clone(),
        (None, false) => return None,
    };
    Some(aws_sdk_lambda::Client::new(&config))
}

fn told(findings: &[Finding], facts: &Facts) -> String {
    let mut text = String::new();
    for finding in findings {
        // What tables and mappings hold was written by others.
        let lines: Vec<String> = finding.text().lines().map(printable).collect();
        text += &format!("{}\n\n", lines.join("\n"));
    }
    let of = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let mappings = match &facts.mappings {
        Some(mappings) => format!(", {}", count(mappings.len(), "event source mapping")),
        None => String::new(),
    };
    text += &format!(
        "{}, {}, advice on {}; looked at {}{mappings}\n",
        count(of(Severity::Error), "error"),
        count(of(Severity::Warning), "warning"),
        count(of(Severity::Advice), "point"),
        count(facts.tables.len(), "table"),
    );
    let sampled: Vec<String> = facts
        .tables
        .iter()
        .filter_map(|(name, facts)| {
            let sample = facts.sample.as_ref()?;
            let all = if sample.is_all { "all" } else { "there are more" };
            Some(format!("{} of {name} ({all})", count(sample.items.len(), "item")))
        })
        .collect();
    if !sampled.is_empty() {
        text += &format!("read {}; of others nothing is known\n", sampled.join(", "));
    }
    text
}

fn report(findings: &[Finding], facts: &Facts) -> Json {
    let tables: Vec<Json> = facts
        .tables
        .iter()
        .map(|(name, facts)| {
            let sample = facts.sample.as_ref();
            json!({
                "table": name,
                "there": facts.found.as_ref().map(Option::is_some),
                "sampled": sample.map(|sample| sample.items.len()),
                "sampled_all": sample.map(|sample| sample.is_all),
            })
        })
        .collect();
    json!({
        "findings": findings.iter().map(Finding::json).collect::<Vec<_>>(),
        "tables": tables,
        "mappings": facts.mappings.as_ref().map(Vec::len),
    })
}
