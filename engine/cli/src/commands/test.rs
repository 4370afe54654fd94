//! `viewfold test`

use crate::arguments::{Test, TestFormat};
use crate::output::{Failure, Outcome, note, print};
use crate::testing::file::{self, Options};
use crate::testing::files;
use crate::testing::report::{Tested, Totals, json, junit, text};
use crate::watch::{self, Watched};
use crate::{output, store};
use std::path::{Path, PathBuf};
use viewfold_dynamodb::deployment;

/// Runs the tests beside projections, and says how documents differ from what they have to be.
pub(crate) fn run(arguments: &Test) -> Result<Outcome, Failure> {
    if arguments.watch {
        return watch::repeat(|| watched(&arguments.paths), || once(arguments));
    }
    once(arguments)
}

fn once(arguments: &Test) -> Result<Outcome, Failure> {
    let paths = files::find(&arguments.paths)?;
    if paths.is_empty() {
        return Err(Failure::new("there are no tests here: no file ends in .test.yaml"));
    }
    let options =
        Options { filter: arguments.filter.clone(), schedules: arguments.schedules, update: arguments.update };
    let runtime = store::runtime()?;
    let mut tested: Vec<Tested> = Vec::new();
    for path in &paths {
        let file = runtime.block_on(file::run(path, &options));
        if arguments.format == TestFormat::Text {
            print(&text::file(&file))?;
        }
        if let Some(why) = &file.broken {
            output::complain(why);
        }
        // A file of which no case was chosen is none.
        if file.broken.is_some() || !file.cases.is_empty() {
            tested.push(file);
        }
    }
    match arguments.format {
        TestFormat::Text => print(&text::summary(&tested, arguments.schedules > 0))?,
        TestFormat::Json => print(&json::rendered(&tested))?,
        TestFormat::Junit => {
            print(&junit::rendered(&tested)?)?;
            // The report is for a machine; the log of a build is for people.
            note(format!("{}{}", text::failed(&tested), text::summary(&tested, arguments.schedules > 0)).trim_end());
        }
    }
    if tested.is_empty() {
        return Err(Failure::new("no case has a name with the text of --filter"));
    }
    let totals = Totals::of(&tested);
    Ok(if totals.failed + totals.broken == 0 { Outcome::Done } else { Outcome::Findings })
}

/// All that the tests at some paths depend on: the tests, their projections with the schemas beside them, recorded events.
fn watched(paths: &[PathBuf]) -> Watched {
    let mut all = Watched::default().and(paths.to_vec());
    for path in files::find(paths).unwrap_or_default() {
        let Ok(Ok(loaded)) = files::load(&path) else { continue };
        let projections = loaded.file.projections.iter().map(|path| loaded.folder.join(&path.value));
        for projection in projections {
            all = all.and(with_schemas(&projection));
        }
        let events = loaded.file.cases.iter().flat_map(|case| case.events.iter());
        all = all.and(events.filter_map(|event| event.file.as_ref()).map(|file| loaded.folder.join(&file.value)));
    }
    all
}

/// A projection or a folder of them, and what stands beside them: JSON Schemas, for one.
pub(super) fn with_schemas(path: &Path) -> Vec<PathBuf> {
    let mut all = vec![path.to_owned()];
    for file in deployment::projection_files(path).unwrap_or_default() {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let listed = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        all.extend(listed.filter(|path| !path.is_dir() && watch::is_source(path)));
    }
    all
}
