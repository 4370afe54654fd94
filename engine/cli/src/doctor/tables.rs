//! The tables that projections write to: are they there, and as they have to be?

use super::Case;
use super::facts::TableFacts;
use super::finding::{Finding, Severity, word};
use serde_json::{Value as Json, json};
use viewfold_core::program::{Table, TableIndex};
use viewfold_core::tables::{Needed, Purpose};
use viewfold_dynamodb::inspect::Found;
use viewfold_dynamodb::tables::{attribute_types, key_difference, scalar, stream_difference};

pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for needed in case.needed {
        let Some(facts) = case.facts.tables.get(&*needed.table.name) else { continue };
        match &facts.found {
            None => {}
            Some(None) => findings.push(missing(case, needed)),
            Some(Some(found)) => table(case, needed, facts, found, &mut findings),
        }
    }
    findings.extend(advice(case));
    findings
}

fn at(table: &Table) -> String {
    format!("table {}", table.name)
}

fn missing(case: &Case<'_>, needed: &Needed) -> Finding {
    Finding::new(
        Severity::Error,
        at(&needed.table),
        "it is not there",
        format!("no batch whose events need it can be applied: {}", come_again(case)),
        format!(
            "deploy the template, or viewfold tables {} --create {}",
            case.commands.projections, case.commands.place
        ),
    )
}

/// How long events come again that cannot be applied.
fn come_again(case: &Case<'_>) -> &'static str {
    let queues = case.program.streams.iter().filter(|stream| stream.identity.is_queue()).count();
    if queues == 0 {
        "they come again until they expire"
    } else if queues == case.program.streams.len() {
        "they come again until the queue has had enough of it (`maxReceiveCount`), or they expire"
    } else {
        "they come again until they expire, those of queues until the queue has had enough of it (`maxReceiveCount`)"
    }
}

fn table(case: &Case<'_>, needed: &Needed, facts: &TableFacts, found: &Found, findings: &mut Vec<Finding>) {
    let table = &needed.table;
    if found.status != "ACTIVE" {
        let severity =
            if ["CREATING", "UPDATING"].contains(&&*found.status) { Severity::Warning } else { Severity::Error };
        findings.push(Finding::new(
            severity,
            at(table),
            format!("it is {}", found.status),
            "writes to it may be refused",
            format!(
                "wait until it is ACTIVE: {}",
                case.commands.dynamodb(&format!("wait table-exists --table-name {}", table.name))
            ),
        ));
    }
    if let Some(difference) = key_difference(table.keys(), &found.keys) {
        findings.push(Finding::new(
            Severity::Error,
            at(table),
            format!("it {difference}"),
            "every write is refused; the key of a table cannot be changed",
            "give `document.table` a new name (and the projection a new one, if its key was changed), deploy, and let it be filled anew; \
             or put the key in the projection back",
        ));
    }
    for index in &table.indexes {
        findings.extend(check_index(case, table, index, found));
    }
    if let (Some(wanted), Some(ttl)) = (&table.ttl, &facts.ttl)
        && ttl.as_deref() != Some(wanted)
    {
        let what = match ttl {
            None => format!("its TTL is off; projections need it on `{wanted}`"),
            Some(other) => format!("its TTL is on `{other}`; projections need it on `{wanted}`"),
        };
        let set = |on: bool, attribute: &str| {
            case.commands.dynamodb(&format!(
                "update-time-to-live --table-name {} --time-to-live-specification {}",
                table.name,
                word(&format!("Enabled={on},AttributeName={attribute}"))
            ))
        };
        let fix = match ttl {
            None => set(true, wanted),
            // DynamoDB takes no second change before the first is through.
            Some(other) => format!("{}, then, up to an hour later, {}", set(false, other), set(true, wanted)),
        };
        findings.push(Finding::new(
            Severity::Warning,
            at(table),
            what,
            match needed.purpose {
                Purpose::Documents => "rows of deleted documents stay for ever",
                Purpose::Marks | Purpose::Events => "events are remembered for ever, and paid for",
                Purpose::DeadLetters => "letters that were dealt with stay for ever",
            },
            fix,
        ));
    }
    if let Some(difference) = stream_difference(found).filter(|_| needed.stream) {
        findings.push(Finding::new(
            Severity::Error,
            at(table),
            format!("it {difference}"),
            "the view over it gets no changes, or none that it can use",
            stream_command(case, &table.name, found.view.is_some()),
        ));
    }
}

/// How a table's stream is set to bring both images.
pub(super) fn stream_command(case: &Case<'_>, table: &str, is_on: bool) -> String {
    let update = |what: &str| {
        case.commands.dynamodb(&format!("update-table --table-name {table} --stream-specification {what}"))
    };
    let on = update("StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES");
    match is_on {
        false => on,
        true => format!(
            "the view type of a stream cannot be changed: {}, then {on}, and a new mapping for the new stream. What changes between \
             the two is in neither",
            update("StreamEnabled=false")
        ),
    }
}

fn check_index(case: &Case<'_>, table: &Table, index: &TableIndex, found: &Found) -> Option<Finding> {
    let at = format!("index {} of table {}", index.name, table.name);
    let keys = || std::iter::once(&index.partition_key).chain(&index.sort_key);
    let Some(there) = found.indexes.iter().find(|there| there.name == index.name) else {
        return Some(Finding::new(
            Severity::Error,
            at,
            "it is not there",
            "nobody can read the view by it",
            case.commands.dynamodb(&index_command(table, index)),
        ));
    };
    if let Some(difference) = key_difference(keys(), &there.keys) {
        return Some(Finding::new(
            Severity::Error,
            at,
            format!("it {difference}"),
            "what reads the view by it finds something else than the projections say",
            format!(
                "delete it, then {}; or give it another name in `indexes`",
                case.commands.dynamodb(&index_command(table, index))
            ),
        ));
    }
    (there.status != "ACTIVE").then(|| {
        Finding::new(
            Severity::Warning,
            at,
            format!("it is {}", there.status),
            "until it is ACTIVE, reads by it are refused or lack documents",
            "wait; it is filled by DynamoDB",
        )
    })
}

/// The arguments of `aws dynamodb` that make an index.
fn index_command(table: &Table, index: &TableIndex) -> String {
    let keys: Vec<_> = std::iter::once(&index.partition_key).chain(&index.sort_key).collect();
    let schema: Vec<Json> = keys
        .iter()
        .zip(["HASH", "RANGE"])
        .map(|(key, role)| json!({ "AttributeName": key.name, "KeyType": role }))
        .collect();
    let create = json!([{ "Create": {
        "IndexName": index.name, "KeySchema": schema, "Projection": { "ProjectionType": "ALL" },
    } }]);
    let types: Vec<String> = attribute_types(table)
        .into_iter()
        .map(|(name, kind)| word(&format!("AttributeName={name},AttributeType={}", scalar(kind).as_str())))
        .collect();
    format!(
        "update-table --table-name {} --attribute-definitions {} --global-secondary-index-updates {}",
        table.name,
        types.join(" "),
        word(&create.to_string())
    )
}

/// What works, and could be better; told once for all tables.
fn advice(case: &Case<'_>) -> Vec<Finding> {
    let tables = |is: &dyn Fn(&TableFacts, &Found) -> bool| -> Vec<&str> {
        let there = case.needed.iter().filter_map(|needed| {
            let facts = case.facts.tables.get(&*needed.table.name)?;
            let found = facts.found.as_ref()?.as_ref()?;
            is(facts, found).then_some(&*needed.table.name)
        });
        there.collect()
    };
    let mut findings = Vec::new();
    let mut add = |tables: Vec<&str>, what: &str, why: &str, fix: &dyn Fn(&str) -> String| {
        if let Some(first) = tables.first() {
            let at = format!("{} {}", if tables.len() == 1 { "table" } else { "tables" }, tables.join(", "));
            findings.push(Finding::new(Severity::Advice, at, what, why, case.commands.dynamodb(&fix(first))));
        }
    };
    add(
        tables(&|facts, _| facts.backups == Some(false)),
        "no point-in-time recovery",
        "documents and marks belong together: without it, neither can be put back to a moment at which they were right",
        &|table| {
            format!(
                "update-continuous-backups --table-name {table} --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
            )
        },
    );
    // Backups are known where it is AWS: an emulator's tables need no protection.
    add(
        tables(&|facts, found| facts.backups.is_some() && !found.protected),
        "no deletion protection",
        "a view without its marks counts every event that comes again twice",
        &|table| format!("update-table --table-name {table} --deletion-protection-enabled"),
    );
    add(
        tables(&|_, found| found.provisioned),
        "its capacity is provisioned",
        "a batch that is throttled comes again, and its shard waits meanwhile",
        &|table| format!("update-table --table-name {table} --billing-mode PAY_PER_REQUEST"),
    );
    findings
}

#[cfg(test)]
mod tests;
