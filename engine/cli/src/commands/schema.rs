//! `viewfold schema`

use crate::arguments::Schema;
use crate::output::{Failure, Outcome, print};

/// Prints the JSON Schema of projection files, or of test files.
pub(crate) fn run(arguments: &Schema) -> Result<Outcome, Failure> {
    print(&if arguments.test { viewfold_spec::test_schema() } else { viewfold_spec::projection_schema() })?;
    Ok(Outcome::Done)
}
