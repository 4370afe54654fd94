//! Tables: those that the projections need, as `viewfold tables` makes them, with what an operator wants of tables beside.

use super::names::Names;
use super::node::{Map, Node, attribute, map, reference, text_of};
use std::collections::BTreeMap;
use viewfold_core::tables::{Needed, Purpose};
use viewfold_dynamodb::tables::create_request;

/// The tables of a deployment and the ids of those that are made here.
pub(super) struct Tables<'p> {
    made: Vec<(String, &'p Needed)>,
    ids: BTreeMap<&'p str, String>,
}

impl<'p> Tables<'p> {
    /// Of the needed tables, those that are not there already.
    pub(super) fn new(needed: &'p [Needed], existing: &[String], names: &mut Names) -> Tables<'p> {
        let is_new = |needed: &&Needed| !existing.iter().any(|name| **name == *needed.table.name);
        let made: Vec<(String, &Needed)> =
            needed.iter().filter(is_new).map(|needed| (names.id(&needed.table.name, "Table"), needed)).collect();
        let ids = made.iter().map(|(id, needed)| (&*needed.table.name, id.clone())).collect();
        Tables { made, ids }
    }

    /// The id of a table that is made here.
    pub(super) fn id(&self, table: &str) -> Option<&str> {
        self.ids.get(table).map(String::as_str)
    }

    /// A table's ARN.
    pub(super) fn arn(&self, table: &str) -> Node {
        match self.ids.get(table) {
            Some(id) => attribute(format!("{id}.Arn")),
            None => text_of(format!(
                "arn:${{AWS::Partition}}:dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:table/${{TablePrefix}}{table}"
            )),
        }
    }

    /// Adds the tables, views first.
    pub(super) fn resources(&self, resources: &mut Map) {
        let mut made: Vec<&(String, &Needed)> = self.made.iter().collect();
        made.sort_by_key(|(_, needed)| (needed.purpose, &needed.table.name));
        for (id, needed) in made {
            resources.because(why(needed), id.as_str(), resource(needed));
        }
    }

    /// What others ask for: the names of tables, and the ARNs of their streams.
    pub(super) fn outputs(&self, outputs: &mut Map) {
        for (id, needed) in &self.made {
            if needed.purpose != Purpose::Documents {
                continue;
            }
            let told = format!("The table of the documents of {}.", needed.table.name);
            outputs.add(id.as_str(), map([("Description", told.into()), ("Value", reference(id.as_str()))]));
        }
    }
}

fn why(needed: &Needed) -> String {
    let name = &needed.table.name;
    let mut why = match needed.purpose {
        Purpose::Documents => format!("The documents of {name}."),
        Purpose::Marks => {
            format!(
                "{name}: the newest event of each lane, for `last_event_id: lane`. Rows stay: without them events would count again."
            )
        }
        Purpose::Events => format!("{name}: the events that have been applied, for `events_table`."),
        Purpose::DeadLetters => format!("{name}: events that could not be applied, and why, until they are redriven."),
    };
    if needed.stream {
        why.push_str(" Other projections read its stream, which needs both images.");
    }
    why
}

fn resource(needed: &Needed) -> Map {
    let mut properties = Map::default();
    properties.add("TableName", text_of(format!("${{TablePrefix}}{}", needed.table.name)));
    // The request is what the tables are made by elsewhere; CloudFormation's properties have its names.
    if let serde_json::Value::Object(request) = create_request(needed) {
        for (key, value) in &request {
            match key.as_str() {
                "TableName" => {}
                "StreamSpecification" => {
                    properties.add(key.as_str(), map([("StreamViewType", Node::from(&value["StreamViewType"]))]));
                }
                _ => properties.add(key.as_str(), Node::from(value)),
            }
        }
    }
    if let Some(ttl) = &needed.table.ttl {
        properties
            .add("TimeToLiveSpecification", map([("AttributeName", ttl.as_str().into()), ("Enabled", true.into())]));
    }
    properties.add("PointInTimeRecoverySpecification", map([("PointInTimeRecoveryEnabled", true.into())]));
    properties.add("SSESpecification", map([("SSEEnabled", true.into())]));
    properties.add("DeletionProtectionEnabled", reference("DeletionProtection"));
    map([
        ("Type", "AWS::DynamoDB::Table".into()),
        ("DeletionPolicy", "RetainExceptOnCreate".into()),
        ("UpdateReplacePolicy", "Retain".into()),
        ("Properties", properties.into()),
    ])
}
