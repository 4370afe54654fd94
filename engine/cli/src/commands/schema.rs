//! `viewfold schema`

use crate::arguments::Schema;
use crate::output::{Failure, Outcome, print};

/// Prints the JSON Schema of projection files.
pub(crate) fn run(Schema {}: &Schema) -> Result<Outcome, Failure> {
    print(&viewfold_spec::projection_schema())?;
    Ok(Outcome::Done)
}
