//! Files of tests: read, and the values in them.

use super::projection::look;
use super::values;
use std::sync::Arc;
use viewfold_core::compile::constant;
use viewfold_spec::{Entries, Literal, Source, Spanned};

/// Reads the file, and every value of its cases.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let source = Arc::new(Source { name: "p.test.yaml".into(), text: text.into() });
    let file = match viewfold_spec::parse_test(&source) {
        Ok(file) => file,
        Err(findings) => {
            assert!(!findings.is_empty());
            return look(&findings);
        }
    };
    let read = |literal: &Spanned<Literal>| {
        let value = constant(&source, literal);
        assert_eq!(value, constant(&source, literal));
        match value {
            Ok(value) => values::check(&value),
            Err(findings) => look(&findings),
        }
    };
    for case in file.cases.value {
        let tables = [&case.given, &case.documents, &case.contains];
        let items = tables.into_iter().flatten().flat_map(|tables: &Entries<_>| tables.iter());
        items.flat_map(|(_, items)| &items.value).for_each(read);
        for event in &case.events.value {
            [&event.payload, &event.new, &event.old, &event.lane].into_iter().flatten().for_each(read);
        }
    }
}
