//! What can be known to be wrong with a test file before any of its cases runs: names that nothing has, and values of a
//! wrong form.

use super::case::expects_nothing;
use super::files::Loaded;
use std::path::PathBuf;
use viewfold_core::compile::constant;
use viewfold_core::program::{Payload, Program, StreamIdentity};
use viewfold_core::report::Reason;
use viewfold_core::tables::{Purpose, required};
use viewfold_spec::test_file::{Case, Event};
use viewfold_spec::{Code, Diagnostic, Literal, Span, Spanned, suggest};

/// The files of the projections of a test, and what is wrong with their names.
pub(crate) fn projections(loaded: &Loaded) -> Result<Vec<PathBuf>, Vec<Diagnostic>> {
    let mut findings = Vec::new();
    let mut paths = Vec::new();
    for path in loaded.file.projections.iter() {
        let joined = loaded.folder.join(&path.value);
        if let Err(error) = std::fs::metadata(&joined) {
            let message = format!("{} cannot be read: {error}", joined.display());
            let finding = Diagnostic::error(Code::Unreadable, &loaded.source, path.span, message);
            findings.push(finding.help("paths are relative to the test file"));
        }
        paths.push(joined);
    }
    if paths.is_empty() {
        let span = loaded.file.projections.span;
        let finding = Diagnostic::error(Code::WrongForm, &loaded.source, span, "there is no projection here");
        findings.push(finding.help("it lists the files of the projections that run: `projections: [orders.yaml]`"));
    }
    if findings.is_empty() { Ok(paths) } else { Err(findings) }
}

/// Every finding about the cases of a test file.
/// Where cases are `unfinished`, they may expect nothing yet, or what cannot come: it is written anew.
pub(crate) fn cases(loaded: &Loaded, program: &Program, unfinished: bool) -> Vec<Diagnostic> {
    let mut check = Check { loaded, program, unfinished, findings: Vec::new() };
    if loaded.file.cases.is_empty() {
        check.error(Code::WrongForm, loaded.file.cases.span, "there is no case here".into()).help =
            Some("a case has a name, `events`, and `documents` as they have to be".into());
    }
    for case in loaded.file.cases.iter() {
        check.case(case);
    }
    check.findings.sort_by_key(|finding| finding.span.start);
    check.findings
}

struct Check<'a> {
    loaded: &'a Loaded,
    program: &'a Program,
    unfinished: bool,
    findings: Vec<Diagnostic>,
}

impl Check<'_> {
    fn error(&mut self, code: Code, span: Span, message: String) -> &mut Diagnostic {
        let at = self.findings.len();
        self.findings.push(Diagnostic::error(code, &self.loaded.source, span, message));
        &mut self.findings[at]
    }

    /// Tells of a name that is none of those that there are.
    fn name(&mut self, name: &Spanned<String>, what: &str, known: &[&str]) {
        if known.contains(&name.value.as_str()) {
            return;
        }
        let help = match (suggest::nearest(&name.value, known.iter().copied()), known) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, [only]) => format!("there is only `{only}`"),
            (None, _) => format!("there are {}", suggest::list(known.iter().copied())),
        };
        self.error(Code::UnknownName, name.span, format!("`{}` is no {what}", name.value)).help = Some(help);
    }

    fn case(&mut self, case: &Case) {
        if expects_nothing(case) && !self.unfinished {
            self.error(Code::MissingKey, case.name.span, "the case expects nothing of its events".into()).help =
                Some("give it `documents`, `contains` or `dead_letters`, or let `viewfold test FILE --update` write what comes of them".into());
        }
        let needed = required(self.program);
        let views: Vec<&str> = needed
            .iter()
            .filter(|needed| needed.purpose == Purpose::Documents)
            .map(|needed| &*needed.table.name)
            .collect();
        for tables in [&case.given, &case.documents, &case.contains] {
            for (name, items) in tables.iter().flatten() {
                self.name(name, "table of these projections", &views);
                items.iter().for_each(|item| self.item(item));
            }
        }
        for event in case.events.iter() {
            self.event(event);
        }
        if self.unfinished {
            // What is expected is written anew.
            return;
        }
        let projections: Vec<&str> =
            self.program.projections.iter().map(|projection| projection.name.as_str()).collect();
        let reasons: Vec<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        for letter in case.dead_letters.iter().flat_map(|letters| letters.iter()) {
            if let Some(name) = &letter.projection {
                self.name(name, "projection of this test", &projections);
            }
            if let Some(reason) = &letter.reason {
                self.name(reason, "reason of a dead letter", &reasons);
            }
            let count = case.events.len() as u64;
            let recorded = case.events.iter().any(|event| event.file.is_some());
            if let Some(event) =
                letter.event.as_ref().filter(|event| event.value == 0 || event.value > count && !recorded)
            {
                let message = format!("the case has no event {}", event.value);
                self.error(Code::UnknownName, event.span, message).help =
                    Some(format!("its events are counted from 1 to {count}"));
            }
        }
    }

    /// An item is a map of attributes, whose values depend on nothing.
    fn item(&mut self, item: &Spanned<Literal>) {
        match &item.value {
            Literal::Map(_) => self.value(item),
            _ => {
                self.error(Code::WrongForm, item.span, "an item is a map of attributes".into()).help =
                    Some("for example `{ id: a, total: 3 }`".into());
            }
        }
    }

    fn value(&mut self, literal: &Spanned<Literal>) {
        if let Err(findings) = constant(&self.loaded.source, literal) {
            self.findings.extend(findings);
        }
    }

    fn event(&mut self, event: &Spanned<Event>) {
        let is_payload = event.payload.is_some() || event.raw.is_some();
        let is_dynamodb = event.new.is_some() || event.old.is_some();
        let kinds = usize::from(event.payload.is_some())
            + usize::from(event.raw.is_some())
            + usize::from(is_dynamodb)
            + usize::from(event.file.is_some());
        if kinds != 1 {
            let message = "an event is one of `payload`, `raw`, `new` and `old`, or `file`".to_owned();
            self.error(Code::WrongForm, event.span, message).help = Some(
                "`payload` and `raw` are for Kinesis and SQS; `new` and `old` for changes of an item, one or both"
                    .into(),
            );
        }
        for value in [&event.payload, &event.lane].into_iter().flatten() {
            self.value(value);
        }
        for image in [&event.new, &event.old].into_iter().flatten() {
            self.item(image);
        }
        if let Some(name) = &event.source {
            let sources = self.program.projections.iter().flat_map(|projection| &projection.sources);
            let known: Vec<&str> = sources
                .filter_map(|source| source.name.as_deref())
                .chain(self.program.streams.iter().map(|stream| stream.identity.name()))
                .collect();
            self.name(name, "stream or source of these projections", &known);
        } else if kinds == 1 && (is_payload || is_dynamodb) {
            let of_payloads = |identity: &StreamIdentity| !matches!(identity, StreamIdentity::Dynamodb(_));
            let streams = || self.program.streams.iter().map(|stream| &stream.identity);
            if is_dynamodb && !self.program.streams.iter().any(|stream| stream.payload == Payload::Change) {
                let message = "no projection of this test reads changes of items".to_owned();
                self.error(Code::WrongForm, event.span, message).help =
                    Some("an event of a Kinesis stream or of a queue is written with `payload`".into());
            }
            if is_payload && !streams().any(of_payloads) {
                let message = "no projection of this test reads a Kinesis stream or a queue".to_owned();
                self.error(Code::WrongForm, event.span, message).help =
                    Some("a change of an item is written with `new` and `old`".into());
            }
        }
        if let Some(sequence) = event.sequence.as_ref().filter(|sequence| {
            !(1..=129).contains(&sequence.len()) || !sequence.bytes().all(|byte| byte.is_ascii_digit())
        }) {
            let message = format!("`{}` is no sequence number", sequence.value);
            self.error(Code::WrongForm, sequence.span, message).help =
                Some("1 to 129 digits, in quotes: `sequence: \"7\"`".into());
        }
        if let Some(time) = event.time.as_ref().filter(|time| time.value.parse::<jiff::Timestamp>().is_err()) {
            let message = format!("`{}` is no time", time.value);
            self.error(Code::WrongForm, time.span, message).help =
                Some("it is written like \"2026-01-31T12:00:00Z\"".into());
        }
        if let Some(file) = &event.file
            && let Err(error) = std::fs::metadata(self.loaded.folder.join(&file.value))
        {
            let message = format!("`{}` cannot be read: {error}", file.value);
            self.error(Code::Unreadable, file.span, message).help = Some("paths are relative to the test file".into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::files;
    use super::{cases, projections};
    use std::path::Path;
    use viewfold_dynamodb::deployment;
    use viewfold_spec::diagnostic::render_all;

    /// What is said of a test file before any of its cases runs.
    fn findings(path: &Path) -> String {
        let loaded = files::load(path).unwrap_or_else(|failure| panic!("{}: {}", path.display(), failure.message));
        let findings = loaded.and_then(|loaded| {
            let compiled = deployment::load(&projections(&loaded)?, &Default::default())?;
            Ok(cases(&loaded, &compiled.program, false))
        });
        let folder = format!("{}/", path.parent().unwrap_or(Path::new("")).display());
        render_all(&findings.unwrap_or_else(|findings| findings), false).replace(&folder, "")
    }

    /// `UPDATE_SNAPSHOTS=1` writes what is said, for the difference to be looked at.
    #[test]
    fn every_finding_about_a_test_file_is_worded_as_expected() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/testing/bad_tests");
        let entries = std::fs::read_dir(&folder).expect("the folder is there");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.retain(|path| files::is_test(path));
        paths.sort();
        assert!(paths.len() >= 25, "only {} files", paths.len());
        let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
        let mut wrong = Vec::new();
        for path in paths {
            let said = findings(&path);
            assert!(!said.is_empty(), "nothing is found in {}", path.display());
            let expected = path.with_extension("txt");
            if update {
                std::fs::write(&expected, &said).expect("the snapshot can be written");
            }
            if std::fs::read_to_string(&expected).unwrap_or_default() != said {
                wrong.push(format!("{} says now:\n{said}", path.display()));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
