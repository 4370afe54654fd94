//! `viewfold test`

use super::load;
use crate::arguments::{Format, Test};
use crate::output::{Failure, Outcome, count, print};
use crate::testing::case;
use crate::testing::files::{self, Loaded};
use crate::{output, store};
use serde_json::{Value as Json, json};
use viewfold_spec::{Code, Diagnostic};

/// What became of a case.
struct Ended {
    file: String,
    line: usize,
    name: String,
    differences: Vec<String>,
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
    let failed = ended.iter().filter(|case| !case.differences.is_empty()).count();
    match arguments.format {
        Format::Text => {
            let mut verdict = format!("{}, {failed} failed", count(ended.len(), "case"));
            if broken > 0 {
                verdict += &format!(", {} could not be run", count(broken, "file"));
            }
            print(&format!("{verdict}\n"))?;
        }
        Format::Json => {
            let cases: Vec<Json> = ended
                .iter()
                .map(|case| {
                    json!({
                        "file": case.file, "line": case.line, "name": case.name,
                        "passed": case.differences.is_empty(), "differences": case.differences,
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
    let mut ended = Vec::new();
    for test in loaded.file.cases.iter() {
        if arguments.filter.as_ref().is_some_and(|text| !test.name.contains(text.as_str())) {
            continue;
        }
        let differences = case::run(loaded, test, &compiled.program).await?;
        let (line, _) = loaded.source.position(test.span.start);
        ended.push(Ended { file: loaded.source.name.clone(), line, name: test.name.value.clone(), differences });
    }
    Ok(ended)
}

fn shown(case: &Ended) -> String {
    let Ended { file, line, name, differences } = case;
    let mut text = match differences.is_empty() {
        true => format!("ok      {file}:{line}: {name}\n"),
        false => format!("FAILED  {file}:{line}: {name}\n"),
    };
    for difference in differences {
        text += &format!("        {difference}\n");
    }
    text
}
