//! Views that feed themselves, at once or by way of others.

use super::File;
use crate::program::{Program, Projection, StreamIdentity};
use viewfold_spec::{Code, Diagnostic};

/// A table on the way back from a view, and who reads it.
struct Met<'p> {
    table: &'p str,
    /// The view that reads it, and the number of its source.
    reader: (&'p Projection, usize),
    /// The place in the list of what the reader writes; nothing for the view that the way begins with.
    next: Option<usize>,
}

/// A view that reads, perhaps through others, what it writes itself would feed itself without end.
pub(super) fn check(file: &File, projection: &Projection, program: &Program) -> Option<Diagnostic> {
    let mut met: Vec<Met<'_>> = Vec::new();
    read_by(projection, None, program, &mut met);
    let mut at = 0;
    while let Some(Met { table, .. }) = met.get(at) {
        if **table == *projection.table.name {
            return Some(told(file, projection, &met, at));
        }
        for writer in program.projections.iter().filter(|other| *other.table.name == **table) {
            read_by(writer, Some(at), program, &mut met);
        }
        at += 1;
    }
    None
}

/// Adds the tables that a view reads, each once.
fn read_by<'p>(reader: &'p Projection, next: Option<usize>, program: &'p Program, met: &mut Vec<Met<'p>>) {
    for (number, source) in reader.sources.iter().enumerate() {
        if let StreamIdentity::Dynamodb(table) = &program.streams[source.stream].identity
            && !met.iter().any(|known| known.table == table)
        {
            met.push(Met { table, reader: (reader, number), next });
        }
    }
}

/// The finding, with the whole way.
fn told(file: &File, projection: &Projection, met: &[Met<'_>], found: usize) -> Diagnostic {
    let spec = &file.projection;
    let mut steps = vec![format!("`{}` writes `{}`", projection.name, projection.table.name)];
    let mut at = found;
    let source = loop {
        let Met { table, reader: (reader, number), next } = &met[at];
        match next {
            Some(next) => {
                steps.push(format!("`{}` reads `{table}` and writes `{}`", reader.name, reader.table.name));
                at = *next;
            }
            None => {
                steps.push(format!("`{}` reads `{table}`", projection.name));
                break *number;
            }
        }
    };
    let named = spec.sources.as_ref().and_then(|sources| sources.0.get(source)).map(|(_, source)| source);
    let source = named.or(spec.source.as_ref());
    let span = source
        .map_or(spec.projection.span, |source| source.dynamodb.as_ref().map_or(source.span, |dynamodb| dynamodb.span));
    let (message, help) = match steps.len() {
        2 => (
            format!(
                "the view reads the table that it writes: each change of `{}` makes the next one",
                projection.table.name
            ),
            "write to another table, or compute the attribute from the document with `derive`",
        ),
        _ => (
            format!("the view feeds itself: {}", steps.join(", ")),
            "an event that makes another one without end is paid for without end; let one of the views read what feeds the circle",
        ),
    };
    file.finding(Code::Circle, span, message).help(help)
}
