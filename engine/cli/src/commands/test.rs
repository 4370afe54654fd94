//! `viewfold test`

use super::load;
use crate::arguments::{Format, Test};
use crate::output::{Failure, Outcome, count, print};
use crate::testing::case;
use crate::testing::files::{self, Loaded};
use crate::testing::scene::Verdict;
use crate::{output, store};
use serde_json::{Value as Json, json};
use viewfold_spec::{Code, Diagnostic};

/// What became of a case.
struct Ended {
    file: String,
    line: usize,
    name: String,
    verdict: Verdict,
}

/// Runs the tests beside projections, and says how documents differ from what they have to be.
pub(crate) fn run(arguments: &Test) -> Result<Outcome, Failure> {
    let paths = files::find(&arguments.paths)?;
    if paths.is_empty() {
        return Err(Failure::new("there are no tests here: no file ends in .test.yaml"));
    }
    let runtime = store::runtime()?;
    let mut ended = Vec::new();
    let mut broken = 0;
    for path in &paths {
        match files::load(path).and_then(|loaded| runtime.block_on(run_file(&loaded, arguments))) {
            Ok(cases) => {
                if arguments.format == Format::Text {
                    print(&cases.iter().map(shown).collect::<String>())?;
                }
                ended.extend(cases);
            }
            Err(failure) => {
                broken += 1;
                output::complain(&failure.message);
            }
        }
    }
    let failed = ended.iter().filter(|case| !case.verdict.differences.is_empty()).count();
    match arguments.format {
        Format::Text => {
            let mut verdict = format!("{}, {failed} failed", count(ended.len(), "case"));
            if broken > 0 {
                verdict += &format!(", {} could not be run", count(broken, "file"));
            }
            if arguments.schedules > 0 {
                let schedules: usize = ended.iter().map(|case| case.verdict.schedules).sum();
                verdict += &format!("; {}", count(schedules, "schedule"));
            }
            print(&format!("{verdict}\n"))?;
        }
        Format::Json => {
            let cases: Vec<Json> = ended
                .iter()
                .map(|case| {
                    json!({
                        "file": case.file, "line": case.line, "name": case.name,
                        "passed": case.verdict.differences.is_empty(), "differences": case.verdict.differences,
                        "schedules": case.verdict.schedules,
                    })
                })
                .collect();
            print(&format!("{:#}\n", Json::from(cases)))?;
        }
    }
    if ended.is_empty() && broken == 0 {
        return Err(Failure::new("no case has a name with the text of --filter"));
    }
    Ok(if failed + broken == 0 { Outcome::Done } else { Outcome::Findings })
}

async fn run_file(loaded: &Loaded, arguments: &Test) -> Result<Vec<Ended>, Failure> {
    let mut paths = Vec::new();
    for path in loaded.file.projections.iter() {
        let joined = loaded.folder.join(&path.value);
        if let Err(error) = std::fs::metadata(&joined) {
            let message = format!("{} cannot be read: {error}", joined.display());
            let finding = Diagnostic::error(Code::Unreadable, &loaded.source, path.span, message);
            return Err(Failure::findings(&[finding.help("paths are relative to the test file")]));
        }
        paths.push(joined);
    }
    let compiled = load(&paths, "")?.map_err(|findings| Failure::findings(&findings))?;
    if loaded.file.cases.is_empty() {
        let finding =
            Diagnostic::error(Code::WrongForm, &loaded.source, loaded.file.cases.span, "there is no case here");
        return Err(Failure::findings(&[
            finding.help("a case has a name, `events`, and `documents` as they have to be")
        ]));
    }
    let any_order = files::any_order(&paths)?;
    let mut ended = Vec::new();
    for test in loaded.file.cases.iter() {
        if arguments.filter.as_ref().is_some_and(|text| !test.name.contains(text.as_str())) {
            continue;
        }
        let verdict = case::run(loaded, test, &compiled.program, &any_order, arguments.schedules).await?;
        let (line, _) = loaded.source.position(test.span.start);
        ended.push(Ended { file: loaded.source.name.clone(), line, name: test.name.value.clone(), verdict });
    }
    Ok(ended)
}

fn shown(case: &Ended) -> String {
    let Ended { file, line, name, verdict: Verdict { differences, schedules } } = case;
    let word = if differences.is_empty() { "ok     " } else { "FAILED " };
    let schedules = if *schedules == 0 { String::new() } else { format!(" ({})", count(*schedules, "schedule")) };
    let mut text = format!("{word} {file}:{line}: {name}{schedules}\n");
    for difference in differences {
        text += &format!("        {difference}\n");
    }
    text
}
