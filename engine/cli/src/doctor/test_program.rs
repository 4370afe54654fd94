//! Programs for the tests of comparisons.

use std::sync::Arc;
use viewfold_core::compile::{File, Options, compile};
use viewfold_core::program::Program;
use viewfold_spec::Source;

/// One projection, `counts`, of a source, with a guard. Its documents are in the table `counted`.
pub(super) fn program(source: &str, guard: &str) -> Program {
    let text = format!(
        "projection: counts\nsource: {source}\ndocument: {{ table: counted, partition_key: id }}\nguard: {guard}\n\
         rules: [{{ key: {{ id: $.keys.id }}, add: {{ count: 1 }} }}]\n"
    );
    let source = Arc::new(Source { name: "counts.yaml".into(), text });
    let projection = viewfold_spec::parse(&source).expect("the file is well formed");
    let file = File { projection, source, schemas: Default::default() };
    compile(&[file], &Options::default()).expect("the projection is valid").program
}
