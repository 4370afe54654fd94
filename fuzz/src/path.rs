//! JSONPath: the first line is the path, or a text with paths in it; the rest is the JSON to look in.

use super::{expression, values};
use viewfold_core::evaluate::{Scope, evaluate};
use viewfold_core::path::{self, Step};
use viewfold_core::query;
use viewfold_value::{Value, json};

/// The places: a value, a condition, a test.
const PLACES: [&str; 3] = [
    "rules: [{ set: { value: TEXT } }]",
    "rules: [{ when: { TEXT: { exists: true } }, set: { value: 1 } }]",
    "rules: [{ each: { element: TEXT }, append: { all: { value: '${ element }' } } }]",
];

/// Looks a path up, by itself and as a value of a projection: both find the same.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (path, payload) = text.split_once('\n').unwrap_or((text, "{}"));
    let value = json::parse(payload.as_bytes());
    let bare = path.strip_suffix('?').unwrap_or(path);
    let alone = match query::compile(bare) {
        Ok(compiled) => {
            assert_eq!(compiled.rest.is_none(), path::parse(bare).is_ok(), "{bare}");
            value.as_ref().ok().map(|value| look(&compiled, value))
        }
        Err(_) => None,
    };
    for place in PLACES {
        let Some(program) = expression::program(place, path) else { continue };
        let Some(Ok(event)) = expression::events(&program, payload).pop().map(|decoded| decoded.event) else {
            assert!(value.is_err(), "JSON that cannot be decoded: {payload}");
            continue;
        };
        for operation in program.projections[0].rules[0].operations.iter().flat_map(|operation| operation.terms()) {
            let scope = Scope { event: Some(&event), ..Scope::default() };
            let found = evaluate(operation, &scope);
            assert_eq!(found, evaluate(operation, &scope));
            if let (Ok(Some(found)), Some(Ok(Some(alone))), true) = (&found, &alone, place == PLACES[0]) {
                assert_eq!(found, alone, "{path}");
            }
            if let Ok(Some(found)) = found {
                values::check(&found);
            }
        }
    }
}

/// What a path finds: one value, or the list of those of a query.
fn look(path: &query::CompiledPath, value: &Value) -> Result<Option<Value>, String> {
    let found = path.steps.iter().try_fold(value, |value, step| match (step, value) {
        (Step::Name(name), Value::Map(map)) => map.get(name),
        (Step::Index(index), Value::List(list)) => {
            let at = usize::try_from(*index)
                .ok()
                .or_else(|| list.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?))?;
            list.get(at)
        }
        _ => None,
    });
    match (&path.rest, found) {
        (Some(query), Some(value)) => {
            let found = query.find(value);
            assert_eq!(found, query.find(value));
            found.map(|found| Some(Value::List(found)))
        }
        (Some(_), None) => Ok(Some(Value::List(Vec::new()))),
        (None, found) => Ok(found.cloned()),
    }
}
