//! `version:` — what is a version's own.

use super::{Guard, Projection};
use crate::diagnostic::{Code, Diagnostic, Source};
use std::sync::Arc;

/// The highest version.
const MAX: u64 = 9999;

/// The name of a projection, or of a table, in a version: `Contributions`, and from version 2 on `Contributions.v2`.
pub fn versioned(name: &str, version: u64) -> String {
    match version {
        0 | 1 => name.to_owned(),
        version => format!("{name}.v{version}"),
    }
}

impl Projection {
    /// Gives what is a version's own its name: the projection, the table of its documents and its events tables. From here
    /// on there is nothing special about a version: it is a projection like any other.
    pub(crate) fn named_by_version(mut self, source: &Arc<Source>) -> (Projection, Vec<Diagnostic>) {
        let Some(written) = &self.version else { return (self, Vec::new()) };
        let version = written.value;
        if !(1..=MAX).contains(&version) {
            let message = format!("the version is {version}; it has to be a whole number from 1 to {MAX}");
            let finding = Diagnostic::error(Code::WrongForm, source, written.span, message)
                .help("the first version is 1, and the next one 2");
            return (self, vec![finding]);
        }
        if version > 1 && self.document.shared == Some(true) {
            let message = "a version from 2 on has tables of its own, and this projection shares its items with others";
            let help =
                "where `shared: true` is meant, change the projection under another name and with other attributes";
            let finding = Diagnostic::error(Code::WrongForm, source, written.span, message).help(help);
            return (self, vec![finding]);
        }
        let rename = |name: &mut String| *name = versioned(name, version);
        rename(&mut self.projection.value);
        rename(&mut self.document.table.value);
        let of_sources = self.source.iter_mut().map(|source| &mut source.value).chain(
            self.sources.iter_mut().flat_map(|sources| sources.value.0.iter_mut().map(|(_, source)| &mut source.value)),
        );
        let guards = of_sources.filter_map(|source| source.guard.as_mut()).chain([&mut self.guard]);
        for guard in guards {
            if let Guard::EventsTable(events) = &mut guard.value {
                rename(&mut events.table.value);
            }
        }
        (self, Vec::new())
    }

    /// The projection's version, from 1.
    pub fn version(&self) -> u64 {
        self.version.as_ref().map_or(1, |version| version.value)
    }

    /// The projection's name without its version.
    pub fn base_name(&self) -> &str {
        self.without_version(&self.projection.value)
    }

    /// The name of a table of the projection without its version.
    pub fn without_version<'n>(&self, name: &'n str) -> &'n str {
        match self.version() {
            0 | 1 => name,
            version => name.strip_suffix(&format!(".v{version}")).unwrap_or(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    fn source(text: &str) -> Arc<Source> {
        Arc::new(Source { name: "a.yaml".into(), text: text.into() })
    }

    fn file(version: &str) -> Arc<Source> {
        source(&format!(
            "projection: totals\n{version}sources:\n  a: {{ kinesis: a, guard: {{ events_table: Seen }} }}\n  b: {{ kinesis: b }}\n\
             document: {{ table: Totals, partition_key: id }}\nguard: {{ events_table: Events }}\nkey: {{ id: $.id }}\n\
             rules:\n  - {{ name: one, source: a, add: {{ n: 1 }} }}\n"
        ))
    }

    #[test]
    fn a_version_has_names_of_its_own() {
        let names = |version: &str| {
            let projection = parse(&file(version)).unwrap();
            let tables = |guard: &Guard| match guard {
                Guard::EventsTable(events) => events.table.value.clone(),
                _ => String::new(),
            };
            let seen = projection
                .sources
                .as_ref()
                .and_then(|all| all.value.iter().next()?.1.guard.as_ref().map(|g| tables(&g.value)));
            assert_eq!(
                (projection.base_name(), projection.without_version(&projection.document.table)),
                ("totals", "Totals")
            );
            [
                projection.projection.value.clone(),
                projection.document.table.value.clone(),
                tables(&projection.guard),
                seen.unwrap(),
            ]
        };
        assert_eq!(names(""), ["totals", "Totals", "Events", "Seen"]);
        assert_eq!(names("version: 1\n"), names(""));
        assert_eq!(names("version: 12\n"), ["totals.v12", "Totals.v12", "Events.v12", "Seen.v12"]);
    }

    #[test]
    fn what_is_no_version_is_said() {
        for (version, words) in
            [("version: 0\n", "from 1 to 9999"), ("version: 10000\n", "from 1 to 9999"), ("version: two\n", "")]
        {
            let findings = parse(&file(version)).unwrap_err();
            assert!(findings[0].message.contains(words), "{findings:?}");
        }
    }
}
