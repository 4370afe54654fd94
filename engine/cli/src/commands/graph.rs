//! `viewfold graph`

use super::load_one;
use crate::arguments::{Graph, GraphFormat};
use crate::graph::{self, dot, mermaid};
use crate::output::{Failure, Outcome, print};

/// Prints what flows where in a deployment.
pub(crate) fn run(arguments: &Graph) -> Result<Outcome, Failure> {
    let compiled = load_one(&arguments.paths, "")?;
    let graph = graph::of(&compiled.program, arguments.bookkeeping);
    print(&match arguments.format {
        GraphFormat::Mermaid => mermaid::rendered(&graph),
        GraphFormat::Markdown => format!("```mermaid\n{}```\n", mermaid::rendered(&graph)),
        GraphFormat::Dot => dot::rendered(&graph),
    })?;
    Ok(Outcome::Done)
}
