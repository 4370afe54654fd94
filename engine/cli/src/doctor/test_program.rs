//! Programs for the tests of comparisons.

use std::sync::Arc;
use viewfold_core::compile::{File, Options, compile};
use viewfold_core::program::Program;
use viewfold_spec::Source;

/// One projection, `counts`, of a source, with a guard. Its documents are in the table `counted`.
pub(super) fn program(source: &str, guard: &str) -> Program {
    programs(&[&format!(
        "projection: counts\nsource: {source}\ndocument: {{ table: counted, partition_key: id }}\nguard: {guard}\n\
         rules: [{{ key: {{ id: $.keys.id }}, add: {{ count: 1 }} }}]\n"
    )])
}

/// Projections as files say them.
pub(super) fn programs(texts: &[&str]) -> Program {
    let file = |text: &&str| {
        let source = Arc::new(Source { name: "counts.yaml".into(), text: (*text).to_owned() });
        let projection = viewfold_spec::parse(&source).expect("the file is well formed");
        File { projection, source, schemas: Default::default() }
    };
    let files: Vec<File> = texts.iter().map(file).collect();
    compile(&files, &Options::default()).expect("the projections are valid").program
}
