//! `viewfold template`

use super::{load_one, options};
use crate::arguments::{Template, TemplateFormat};
use crate::output::{Failure, Outcome, note, print};
use crate::template::{self, Wishes};

/// Prints the CloudFormation template of a deployment.
pub(crate) fn run(arguments: &Template) -> Result<Outcome, Failure> {
    // The prefix is a parameter of the template: names are without it.
    let compiled = load_one(&arguments.paths, "")?;
    let wishes = Wishes {
        existing: arguments.existing.clone(),
        create_streams: arguments.create_streams,
        parallelization: arguments.parallelization.clone(),
        filters: arguments.filter.clone(),
        table_prefix: arguments.prefix.table_prefix.clone(),
        dead_letter_table: options("").dead_letter_table,
    };
    let template = template::of(&compiled.program, &wishes).map_err(Failure::wrong_use)?;
    for text in &template.notes {
        note(&format!("note: {text}"));
    }
    print(&match arguments.format {
        TemplateFormat::Yaml => template.yaml(),
        TemplateFormat::Json => template.json(),
    })?;
    Ok(Outcome::Done)
}
