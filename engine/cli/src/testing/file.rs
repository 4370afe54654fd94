//! One test file: its cases run, and with `--update`, what they came to written into it.

use super::case::{self, Way};
use super::check;
use super::files::{self, Loaded};
use super::report::{Ended, Tested, Update};
use super::scene::{Found, Verdict};
use super::update;
use crate::commands;
use crate::output::Failure;
use std::path::Path;
use std::time::Instant;
use viewfold_spec::Diagnostic;

/// How files are run.
pub(crate) struct Options {
    /// Only cases whose name has this in it.
    pub(crate) filter: Option<String>,
    /// The most schedules of a case.
    pub(crate) schedules: usize,
    /// Whether cases that fail are rewritten.
    pub(crate) update: bool,
}

/// Runs a test file.
pub(crate) async fn run(path: &Path, options: &Options) -> Tested {
    let file = path.display().to_string();
    match cases(path, options).await {
        Ok(cases) => Tested { file, cases, broken: None },
        Err(failure) => Tested { file, cases: Vec::new(), broken: Some(failure.message) },
    }
}

async fn cases(path: &Path, options: &Options) -> Result<Vec<Ended>, Failure> {
    let findings = |findings: Vec<Diagnostic>| Failure::findings(&findings);
    let mut loaded = files::load(path)?.map_err(findings)?;
    let paths = check::projections(&loaded).map_err(findings)?;
    let compiled = commands::load(&paths, "")?.map_err(findings)?;
    let wrong = check::cases(&loaded, &compiled.program, options.update);
    if !wrong.is_empty() {
        return Err(findings(wrong));
    }
    let any_order = files::any_order(&paths)?;
    let way = Way { program: &compiled.program, any_order: &any_order, schedules: options.schedules };
    let mut ended = Vec::new();
    let mut written = false;
    for number in 0..loaded.file.cases.len() {
        let test = &loaded.file.cases[number];
        let name = test.name.value.clone();
        if options.filter.as_ref().is_some_and(|text| !name.contains(text.as_str())) {
            continue;
        }
        let (line, _) = loaded.source.position(test.span.start);
        let started = Instant::now();
        let mut verdict = case::run(&loaded, test, &way).await?;
        let mut update = None;
        if options.update && !verdict.differences.is_empty() {
            match updated(path, &loaded, number, &verdict, &way).await {
                Ok((new, better)) => {
                    update = Some(Update::Written(update::changed_lines(&loaded.source.text, &new.source.text)));
                    (loaded, verdict, written) = (new, better, true);
                }
                Err(why) => update = Some(Update::Refused(why)),
            }
        }
        ended.push(Ended { line, name, verdict, took: started.elapsed(), update });
    }
    if written {
        std::fs::write(path, &loaded.source.text)
            .map_err(|error| Failure::new(format!("{} cannot be written: {error}", path.display())))?;
    }
    Ok(ended)
}

/// The file with a case that holds now, and how it went; or why there is none.
async fn updated(
    path: &Path,
    loaded: &Loaded,
    number: usize,
    verdict: &Verdict,
    way: &Way<'_>,
) -> Result<(Loaded, Verdict), String> {
    let found: &Found = match (&verdict.found, verdict.schedules.total()) {
        (Some(found), _) => found,
        (None, 0) => return Err("not all of its events could be applied".to_owned()),
        (None, _) => return Err("its documents are as they have to be, but not under each schedule".to_owned()),
    };
    let mut why = "the case is written in a way that cannot be edited".to_owned();
    for text in update::candidates(&loaded.source, number, found)? {
        let Ok(new) = files::read(path, text) else { continue };
        if !update::elsewhere_the_same(&loaded.source, &new.source, number) {
            continue;
        }
        let Ok(verdict) = case::run(&new, &new.file.cases[number], way).await else { continue };
        if verdict.differences.is_empty() {
            return Ok((new, verdict));
        }
        if verdict.schedules.total() > 0 {
            why = format!("with the documents of the plain run it would fail: {}", verdict.differences.join(" "));
        }
    }
    Err(why)
}
