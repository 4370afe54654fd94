//! Places where the plain name of an attribute is wanted, and something else was written.

use super::Compiler;
use viewfold_spec::projection as spec;
use viewfold_spec::{Code, Span, Spanned};

/// A key attribute whose name is a path, by the name that is meant: nothing else follows from the path, which has been told.
pub(super) fn meant(key: &spec::KeyAttribute) -> spec::KeyAttribute {
    let name = key.name.strip_prefix("$.").unwrap_or(&key.name).to_owned();
    spec::KeyAttribute { name, kind: key.kind }
}

impl Compiler<'_> {
    /// Checks the names of a table's key attributes, and of its indexes'.
    pub(super) fn check_key_names(&mut self, document: &spec::Document) {
        let indexes = document.indexes.iter().flatten().map(|(_, index)| (&index.partition_key, &index.sort_key));
        for (partition, sort) in std::iter::once((&document.partition_key, &document.sort_key)).chain(indexes) {
            self.check_key_name(partition);
            if let Some(sort) = sort {
                self.check_key_name(sort);
            }
        }
    }

    /// Checks the name of a key attribute.
    pub(super) fn check_key_name(&mut self, key: &Spanned<spec::OrName<spec::KeyAttribute>>) {
        self.plain_name(&key.name, key.span, "a key attribute of the table");
    }

    /// Checks the name of the attribute by which items expire: a length of time is none, unless a rule writes it.
    pub(super) fn check_ttl_name(&mut self, spec: &spec::Projection) {
        let Some(ttl) = &spec.document.ttl else { return };
        if !self.plain_name(&ttl.value, ttl.span, "the attribute that holds the time") {
            return;
        }
        let written = spec.rules.iter().flat_map(|rule| rule.written()).any(|(_, name)| name.value == ttl.value);
        let derived = spec.derive.iter().flatten().any(|(name, _)| name.value == ttl.value);
        if ttl.starts_with(|c: char| c.is_ascii_digit()) && !written && !derived {
            let message = format!("`ttl` is the name of an attribute, and `{}` is a length of time", ttl.value);
            self.error(Code::WrongForm, ttl.span, message).help = Some(
                "the attribute holds the second at which the document expires: `ttl: expires`, and in a rule `set: { expires: \
                 '${ floor(time::epoch_ms($.at) / 1000) + 30 * 86400 }' }` for 30 days"
                    .into(),
            );
        }
    }

    /// Whether a text is a plain name rather than a path or a value of the event.
    fn plain_name(&mut self, name: &str, span: Span, what: &str) -> bool {
        let is_path = crate::path::is_path(name) || name.starts_with("$$.") || name.contains("${");
        if is_path {
            let message = format!("the name of {what} is wanted here, and `{name}` is a value of the event");
            let last =
                name.rsplit(['.', '$', '[', ' ', '{', '\'', '"']).find(|part| part.starts_with(char::is_alphabetic));
            self.error(Code::WrongForm, span, message).help = last.map(|last| {
                let end = last.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))).unwrap_or(last.len());
                format!("write the name alone: `{}`", &last[..end])
            });
        }
        !is_path
    }
}
