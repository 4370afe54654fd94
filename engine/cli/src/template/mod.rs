//! The CloudFormation template of a deployment: a function for each stream, with everything that it needs.
//!
//! ```text
//! program ─ tables, function ─> what there is ─ roles, resources, alarms … ─> node ─ yaml ─> text
//! ```
//!
//! The same projections make the same text, whatever the order of their files: everything is in the order of its names, so that a
//! difference between two templates shows what a change of the projections does.

mod alarms;
mod bucket;
mod dashboard;
mod function;
mod limits;
mod names;
mod node;
mod parameters;
mod pushdown;
mod resources;
mod roles;
mod streams;
mod tables;
mod yaml;

use names::Names;
use node::{Map, Node, map, reference, text_of};
use parameters::Parameters;
use viewfold_core::program::Program;
use viewfold_core::tables::required;
use viewfold_spec::suggest;

/// What somebody wants of a template.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    /// Tables that are there, and are not made.
    pub(crate) existing: Vec<String>,
    /// Whether Kinesis streams and SQS queues are made.
    pub(crate) create_streams: bool,
    /// The parallelization factor of a stream, or of all others.
    pub(crate) parallelization: Vec<(Option<String>, i64)>,
    /// The streams whose events are filtered, or `all`.
    pub(crate) filters: Vec<String>,
    /// What stands before every table's name, unless a stack says otherwise.
    pub(crate) table_prefix: String,
    /// The table of dead letters, without the prefix.
    pub(crate) dead_letter_table: String,
}

/// A template, and what its author should know.
#[derive(Debug)]
pub(crate) struct Template {
    root: Map,
    pub(crate) notes: Vec<String>,
}

impl Wishes {
    /// The factor that was asked for a stream, by its name or for all.
    fn parallelization_of(&self, stream: &str) -> Option<(Option<&str>, i64)> {
        let own = self.parallelization.iter().find(|(name, _)| name.as_deref() == Some(stream));
        let of_all = || self.parallelization.iter().find(|(name, _)| name.is_none());
        own.or_else(of_all).map(|(name, chosen)| (name.as_deref(), *chosen))
    }

    /// A stream that is named has to be one of the deployment's.
    fn check_stream(&self, program: &Program, name: &str, flag: &str) -> Result<(), String> {
        let mut known: Vec<&str> = program.streams.iter().map(|stream| stream.identity.name()).collect();
        if known.contains(&name) {
            return Ok(());
        }
        known.sort_unstable();
        let known = suggest::list(known);
        Err(format!("{flag} {name}: no projection reads a stream, table or queue of this name; they read {known}"))
    }
}

/// The template of a program whose tables have no prefix.
///
/// # Errors
///
/// What was asked for and cannot be.
pub(crate) fn of(program: &Program, wishes: &Wishes) -> Result<Template, String> {
    if !parameters::is_prefix(&wishes.table_prefix) {
        return Err(format!(
            "--table-prefix {:?}: at most 64 letters, digits, `_`, `-` and `.`, as names of tables have them",
            wishes.table_prefix
        ));
    }
    let mut notes = Vec::new();
    let needed = required(program);
    for name in &wishes.existing {
        if !needed.iter().any(|needed| *needed.table.name == **name) {
            let known = suggest::list(needed.iter().map(|needed| &*needed.table.name));
            return Err(format!("--existing {name}: the projections need no such table; they need {known}"));
        }
    }
    let mut names = Names::default();
    let tables = tables::Tables::new(&needed, &wishes.existing, &mut names);
    let functions = function::all(program, wishes, &tables, &mut names, &mut notes)?;
    for name in wishes.filters.iter().filter(|name| *name != "all") {
        wishes.check_stream(program, name, "--filter")?;
    }

    let mut resources = Map::default();
    resources::layer(&mut resources);
    for function in &functions {
        let first = resources.0.len();
        streams::resources(function, &mut resources);
        resources::function(function, &wishes.dead_letter_table, &mut resources);
        resources.because(
            "Just what its projections do: no other tables, no other actions.",
            function.id("Role"),
            roles::resource(function, program, &tables),
        );
        let pushdown = pushdown::of(function, program, wishes);
        if let Some(pushdown) = &pushdown {
            notes.push(format!("{}: {}", function.told, pushdown.why));
        }
        resources::mapping(function, pushdown.as_ref(), &mut resources);
        alarms::resources(function, &mut names, &mut resources);
        let heading = format!("{}, for {}.", capital(&function.told), function.projections.join(", "));
        if let Some(entry) = resources.0.get_mut(first) {
            let rule = "-".repeat(heading.len().min(100));
            entry.why = format!("{rule}\n{heading}\n{}", entry.why).trim_end().to_owned();
        }
    }
    let first = resources.0.len();
    tables.resources(&mut resources);
    if let Some(entry) = resources.0.get_mut(first) {
        entry.why = format!("---------------\nTables. They stay when the stack goes.\n{}", entry.why);
    }
    if functions.iter().any(|function| !function.is_queue()) {
        bucket::resources(&mut resources);
    }
    dashboard::resource(&functions, &mut resources);

    let parameters = Parameters::of(&functions, &wishes.table_prefix);
    let mut root = Map::default();
    root.because(
        "Written by `viewfold template`: make it anew when projections change, and look at the difference.",
        "AWSTemplateFormatVersion",
        "2010-09-09",
    );
    root.add("Transform", "AWS::Serverless-2016-10-31");
    root.add("Description", description(program));
    root.add("Metadata", parameters.interface());
    root.add("Parameters", parameters.all());
    let mappings = parameters::mappings(&functions);
    if !mappings.is_empty() {
        root.because("A template cannot calculate.", "Mappings", mappings);
    }
    root.add("Conditions", parameters::conditions(&functions));
    root.add("Resources", resources);
    root.add("Outputs", outputs(&functions, &tables));
    limits::check(&root)?;
    Ok(Template { root, notes })
}

impl Template {
    pub(crate) fn yaml(&self) -> String {
        yaml::rendered(&self.root)
    }

    pub(crate) fn json(&self) -> String {
        format!("{:#}\n", node::to_json(&Node::Map(self.root.clone())))
    }
}

/// The description of a stack has 1024 bytes at most.
fn description(program: &Program) -> String {
    let mut names: Vec<&str> = program.projections.iter().map(|projection| projection.name.as_str()).collect();
    names.sort_unstable();
    let all = format!("Read models by viewfold: {}.", names.join(", "));
    if all.len() <= 1000 { all } else { format!("{} read models by viewfold.", names.len()) }
}

fn outputs(functions: &[function::Function<'_>], tables: &tables::Tables<'_>) -> Map {
    let mut outputs = Map::default();
    for function in functions {
        resources::outputs(function, &mut outputs);
        streams::outputs(function, &mut outputs);
    }
    tables.outputs(&mut outputs);
    if functions.iter().any(|function| !function.is_queue()) {
        let told = "The bucket of batches that Lambda gave up.";
        let value = node::either(bucket::MADE, reference("FailureBucket"), reference("ExistingFailureBucket"));
        outputs.add("FailureBucket", map([("Description", told.into()), ("Value", value)]));
    }
    let link = "https://${AWS::Region}.console.aws.amazon.com/cloudwatch/home?region=${AWS::Region}#dashboards/dashboard/${Dashboard}";
    outputs.add("Dashboard", map([("Description", "The dashboard.".into()), ("Value", text_of(link))]));
    outputs
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}
