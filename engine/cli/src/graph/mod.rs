//! What flows where in a deployment: streams, projections, tables.
//!
//! [`of`] makes the graph, [`mermaid`] and [`dot`] write it.

pub(crate) mod dot;
pub(crate) mod mermaid;

use std::collections::HashMap;
use viewfold_core::program::{
    Guard, LaneCheck, OrderBy, Payload, Program, Projection, Source, StreamIdentity, Table, Term,
};
use viewfold_core::tables::{Purpose, required};

/// Streams, projections and tables, and what goes from one to the other.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

#[derive(Debug)]
struct Node {
    /// Letters, digits and `_`; the same for as long as the name is.
    id: String,
    kind: Kind,
    name: String,
}

/// What a node is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
enum Kind {
    Kinesis,
    Queue,
    /// A table that others write.
    Table,
    Projection,
    /// A table of documents.
    Documents,
    Marks,
    Events,
    DeadLetters,
}

impl Kind {
    const fn prefix(self) -> &'static str {
        match self {
            Kind::Kinesis => "stream",
            Kind::Queue => "queue",
            Kind::Projection => "projection",
            Kind::Table | Kind::Documents | Kind::Marks | Kind::Events | Kind::DeadLetters => "table",
        }
    }

    /// What it is, below its name.
    const fn words(self) -> &'static str {
        match self {
            Kind::Kinesis => "Kinesis stream",
            Kind::Queue => "SQS queue",
            Kind::Table => "table",
            Kind::Projection => "projection",
            Kind::Documents => "documents",
            Kind::Marks => "marks of lanes",
            Kind::Events => "events",
            Kind::DeadLetters => "dead letters",
        }
    }

    /// Whether it is what guards remember, or what could not be applied.
    const fn is_bookkeeping(self) -> bool {
        matches!(self, Kind::Marks | Kind::Events | Kind::DeadLetters)
    }
}

#[derive(Debug)]
struct Edge {
    from: usize,
    to: usize,
    /// A line each.
    label: Vec<String>,
    /// What a guard remembers, rather than events and documents.
    bookkeeping: bool,
}

/// The graph of a deployment; the tables of guards and of dead letters where they are asked for.
pub(crate) fn of(program: &Program, bookkeeping: bool) -> Graph {
    let mut graph = Graph::default();
    let mut numbers: HashMap<(&'static str, String), usize> = HashMap::new();
    let mut node = |graph: &mut Graph, kind: Kind, name: &str| -> usize {
        *numbers.entry((kind.prefix(), name.to_owned())).or_insert_with(|| {
            let id = graph.id(kind, name);
            graph.nodes.push(Node { id, kind, name: name.to_owned() });
            graph.nodes.len() - 1
        })
    };
    // By name, so that the graph does not depend on the names of files.
    let mut streams: Vec<&StreamIdentity> = program.streams.iter().map(|stream| &stream.identity).collect();
    streams.sort();
    let mut projections: Vec<&Projection> = program.projections.iter().collect();
    projections.sort_by(|a, b| a.name.cmp(&b.name));
    let needed = required(program);
    let is_view =
        |name: &str| needed.iter().any(|needed| needed.purpose == Purpose::Documents && *needed.table.name == *name);
    for identity in streams {
        match identity {
            StreamIdentity::Kinesis(name) => node(&mut graph, Kind::Kinesis, name),
            StreamIdentity::Dynamodb(name) if is_view(name) => continue,
            StreamIdentity::Dynamodb(name) => node(&mut graph, Kind::Table, name),
            StreamIdentity::Sqs(name) => node(&mut graph, Kind::Queue, name),
        };
    }
    for projection in &projections {
        node(&mut graph, Kind::Projection, &projection.name);
    }
    for needed in &needed {
        let kind = match needed.purpose {
            Purpose::Documents => Kind::Documents,
            Purpose::Marks => Kind::Marks,
            Purpose::Events => Kind::Events,
            Purpose::DeadLetters => Kind::DeadLetters,
        };
        if bookkeeping || !kind.is_bookkeeping() {
            node(&mut graph, kind, &needed.table.name);
        }
    }
    for projection in projections {
        let number = node(&mut graph, Kind::Projection, &projection.name);
        for source in &projection.sources {
            let stream = &program.streams[source.stream];
            let from = match &stream.identity {
                StreamIdentity::Kinesis(name) => node(&mut graph, Kind::Kinesis, name),
                StreamIdentity::Dynamodb(name) => node(&mut graph, Kind::Table, name),
                StreamIdentity::Sqs(name) => node(&mut graph, Kind::Queue, name),
            };
            graph.edge(from, number, incoming(source, stream.payload), false);
        }
        let table = node(&mut graph, Kind::Documents, &projection.table.name);
        graph.edge(number, table, vec![format!("by {}", keys(&projection.table))], false);
        if bookkeeping {
            for source in &projection.sources {
                if let Some(remembered) = source.guard.table() {
                    let kind = if matches!(source.guard, Guard::Lane { .. }) { Kind::Marks } else { Kind::Events };
                    let to = node(&mut graph, kind, remembered);
                    graph.edge(number, to, vec!["remembers".to_owned()], true);
                }
            }
            if let (Some(letters), viewfold_core::program::OnError::DeadLetter) =
                (&program.dead_letters, projection.on_error)
            {
                let to = node(&mut graph, Kind::DeadLetters, letters);
                graph.edge(number, to, vec!["cannot apply".to_owned()], true);
            }
        }
    }
    graph
}

impl Graph {
    fn id(&self, kind: Kind, name: &str) -> String {
        let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let id = format!("{}_{name}", kind.prefix());
        let taken = |id: &str| self.nodes.iter().any(|node| node.id == id);
        if !taken(&id) {
            return id;
        }
        // Another name with other signs in the same places.
        (2..).map(|number| format!("{id}_{number}")).find(|id| !taken(id)).unwrap_or(id)
    }

    fn edge(&mut self, from: usize, to: usize, label: Vec<String>, bookkeeping: bool) {
        let same = |edge: &Edge| edge.from == from && edge.to == to && edge.label == label;
        if !self.edges.iter().any(same) {
            self.edges.push(Edge { from, to, label, bookkeeping });
        }
    }
}

/// What a projection makes of a stream: in which lanes it takes its events, and by what it knows a repeated one.
fn incoming(source: &Source, payload: Payload) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(source.name.as_ref().map(|name| format!("source {name}")));
    let what = match payload {
        Payload::Json => "events",
        Payload::Sns => "events by SNS",
        Payload::Eventbridge => "events by EventBridge",
        Payload::Change => "changes",
    };
    lines.push(match &source.lane {
        Some(LaneCheck::PartitionKey(term)) => format!("{what}, lane {}", shown(term)),
        Some(LaneCheck::Keys(keys)) => {
            let names: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
            format!("{what}, lane {}", names.join(", "))
        }
        None => what.to_owned(),
    });
    let by = |order_by: &OrderBy| match order_by {
        OrderBy::Sequence => String::new(),
        OrderBy::Payload(term) => format!(", order {}", shown(term)),
    };
    lines.push(match &source.guard {
        Guard::None => "guard none".to_owned(),
        Guard::Document { by_shard: true, order_by, .. } => format!("guard last_event_id: shard{}", by(order_by)),
        Guard::Document { order_by, .. } => format!("guard last_event_id{}", by(order_by)),
        Guard::Lane { order_by, .. } => format!("guard last_event_id: lane{}", by(order_by)),
        Guard::EventsTable { id, order_by, .. } => {
            let order = order_by.as_ref().map(|term| format!(", order {}", shown(term))).unwrap_or_default();
            format!("guard events_table, id {}{order}", shown(id))
        }
    });
    lines
}

/// A term that is a path as it was written; others are too long for a label.
fn shown(term: &Term) -> &str {
    match term {
        Term::Event { path, .. } => path,
        _ => "${…}",
    }
}

fn keys(table: &Table) -> String {
    table.keys().map(|key| key.name.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
pub(super) mod samples {
    use super::Graph;
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use viewfold_core::compile::{File, Options, compile};
    use viewfold_spec::Source;

    /// Two streams, a chain of views, names with signs, and all kinds of guards.
    pub(crate) fn graph(bookkeeping: bool) -> Graph {
        let files = [
            "projection: spent\nsources:\n  paid: { kinesis: { stream: pay-ments.v2, lane: \"$['order-id']\" } }\n  \
             changed: { dynamodb: { table: Cust.omers, keys: [id, { name: n, type: number }] } }\n\
             document: { table: Spent-1, partition_key: id }\nguard: { events_table: Seen, id: $$.id }\nkey: { id: $.id }\n\
             rules:\n  - { source: paid, add: { n: 1 } }\n  - { source: changed, key: { id: $.keys.id }, add: { m: 1 } }\n",
            "projection: by_sum\nsource: { dynamodb: { table: Spent-1, keys: [id] } }\n\
             document: { table: Spent.1, partition_key: sum, sort_key: x }\nguard: { last_event_id: lane }\n\
             rules:\n  - retract: true\n    key: { sum: '${ text($.n) }', x: $.id }\n    add: { n: 1 }\n",
            "projection: latest\nsource: { kinesis: { stream: pay-ments.v2, lane: $.a }, }\n\
             document: { table: Latest, partition_key: a }\nguard: { last_event_id: document, order_by: $.at }\n\
             on_error: skip\nkey: { a: $.a }\nrules: [{ set: { at: $.at } }]\n",
        ];
        let files = files.map(|text| {
            let source = Arc::new(Source { name: "p.yaml".into(), text: text.into() });
            let projection = viewfold_spec::parse(&source).unwrap_or_else(|findings| panic!("{findings:?}"));
            File { source, projection, schemas: BTreeMap::new() }
        });
        let compiled = compile(&files, &Options::default()).unwrap_or_else(|findings| panic!("{findings:?}"));
        super::of(&compiled.program, bookkeeping)
    }
}
