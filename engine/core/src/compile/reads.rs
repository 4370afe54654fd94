//! What a file looks for in the items of its sources' tables.

use crate::program::{Step, StreamIdentity};
use viewfold_spec::Span;

/// A place of a file that looks for an attribute in the items of a source's table.
#[derive(Debug)]
pub(super) struct Read {
    /// The table's real name.
    pub(super) table: String,
    /// The attribute.
    pub(super) name: String,
    /// The path up to it, as it is written with dots: `$.new.`.
    pub(super) lead: String,
    /// Where the path stands.
    pub(super) span: Span,
}

impl Read {
    /// What a path into a change of an item looks for; `image` where `$` is one image of the item. Nothing where it looks
    /// for no attribute of an image, or where the table is not known.
    pub(super) fn of(identity: &StreamIdentity, steps: &[Step], image: bool, span: Span) -> Option<Read> {
        let StreamIdentity::Dynamodb(table) = identity else { return None };
        let (lead, name) = match steps {
            [Step::Name(name), ..] if image => ("$.".to_owned(), name),
            [Step::Name(of), Step::Name(name), ..] if matches!(of.as_str(), "new" | "old") => {
                (format!("$.{of}."), name)
            }
            _ => return None,
        };
        Some(Read { table: table.clone(), name: name.clone(), lead, span })
    }
}
