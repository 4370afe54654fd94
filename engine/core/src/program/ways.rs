//! Ways through a projection's documents that every write takes: made once, not for each document.

use super::{DocumentPath, Projection, Rule, Step, Term};

/// The ways to a projection's own attributes, and to what it looks at.
#[derive(Debug)]
pub struct Ways {
    /// To the partition key: where that stands, there is an item.
    pub key: DocumentPath,
    /// To [`Projection::by_attribute`].
    pub by: DocumentPath,
    /// To [`Projection::deleted_attribute`].
    pub deleted: DocumentPath,
    /// To [`Projection::redriven_attribute`].
    pub redriven: DocumentPath,
    /// To [`Projection::version_attribute`].
    pub version: DocumentPath,
    /// To what is derived, in its order.
    pub derived: Vec<DocumentPath>,
    /// To everything that rules, `derive` and `delete_when` look at, the key left out.
    pub read: Vec<DocumentPath>,
    /// Whether `delete_when` looks at anything that is derived.
    pub goes_by_derived: bool,
}

impl Ways {
    /// The ways to the partition key of a projection's table, and to the attributes of its own, by its name.
    pub(crate) fn named(projection: &str, partition_key: &str) -> Ways {
        let way = |what: &str| DocumentPath::attribute(&own(projection, what));
        Ways {
            key: DocumentPath::attribute(partition_key),
            by: way("by"),
            deleted: way("deleted"),
            redriven: way("redriven"),
            version: way("version"),
            derived: Vec::new(),
            read: Vec::new(),
            goes_by_derived: false,
        }
    }

    /// The ways of a projection that is whole.
    pub(crate) fn of(projection: &Projection) -> Ways {
        let derived = projection.derive.iter().map(|(name, _)| DocumentPath::attribute(name)).collect();
        let by_derived = |condition: &Term| looks_at_derived(condition, projection);
        Ways {
            derived,
            read: read(projection),
            goes_by_derived: projection.delete_when.as_ref().is_some_and(by_derived),
            ..Ways::named(&projection.name, &projection.table.partition_key.name)
        }
    }
}

/// The attribute in which viewfold keeps something on a projection's documents.
pub(super) fn own(projection: &str, what: &str) -> String {
    format!("_vf_{projection}_{what}")
}

fn read(projection: &Projection) -> Vec<DocumentPath> {
    let mut steps: Vec<&[Step]> = Vec::new();
    let derived = projection.derive.iter().map(|(_, term)| term).chain(&projection.delete_when);
    for term in projection.rules.iter().flat_map(Rule::terms).chain(derived) {
        term.document_paths(&mut steps);
    }
    let names = |steps: &[Step]| {
        let names = steps.iter().map_while(|step| match step {
            Step::Name(name) => Some(name.clone()),
            Step::Index(_) => None,
        });
        DocumentPath(names.collect())
    };
    let is_key = |path: &DocumentPath| projection.table.keys().any(|key| key.name == path.root());
    let mut read: Vec<DocumentPath> = steps.into_iter().map(names).collect();
    read.retain(|path| !path.0.is_empty() && !is_key(path));
    read.sort();
    read.dedup();
    read
}

fn looks_at_derived(condition: &Term, projection: &Projection) -> bool {
    let mut paths = Vec::new();
    condition.document_paths(&mut paths);
    let derived = |name: &String| projection.derive.iter().any(|(derived, _)| derived == name);
    paths.iter().any(|steps| matches!(steps.first(), Some(Step::Name(name)) if derived(name)))
}
