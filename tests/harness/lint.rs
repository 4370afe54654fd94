//! The linters of CloudFormation templates: cfn-lint and SAM's.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::{optional, workspace};

/// The folder of the programs, unless `VIEWFOLD_TEST_LINT` names another.
const PROGRAMS: &str = "target/lint/bin";

/// Reads both forms of a template as AWS's tools do, and compares them.
const SAME: &str = "\
import json, sys
from cfnlint.decode import cfn_yaml, cfn_json
plain = lambda template: json.loads(json.dumps(template))
one, other = plain(cfn_yaml.load(sys.argv[1])), plain(json.load(open(sys.argv[2])))
if one != other: sys.exit('the YAML says\\n' + json.dumps(one, indent=1) + '\\nand the JSON\\n' + json.dumps(other, indent=1))
";

/// The linters, where they are installed.
#[derive(Debug)]
pub struct Lint {
    programs: PathBuf,
}

impl Lint {
    /// The linters, or nothing after saying that there are none.
    pub fn find() -> Option<Lint> {
        let programs = std::env::var_os("VIEWFOLD_TEST_LINT").map_or_else(|| workspace().join(PROGRAMS), PathBuf::from);
        let missing = ["cfn-lint", "sam", "python"].into_iter().find(|name| !programs.join(name).exists());
        let found = match missing {
            None => Ok(Lint { programs }),
            Some(name) => Err(format!("there is no {name} in {}", programs.display())),
        };
        optional::unless_missing("cfn-lint and SAM's linter", found)
    }

    /// Checks templates; none of them may have a finding of any kind.
    pub async fn check(&self, templates: &[&Path]) {
        self.run("cfn-lint", |command| command.args(["--include-checks", "W", "--"]).args(templates)).await;
        for template in templates {
            self.run("sam", |command| command.args(["validate", "--lint", "--template"]).arg(template)).await;
        }
    }

    /// Checks that a template says the same in YAML and in JSON.
    pub async fn same(&self, yaml: &Path, json: &Path) {
        self.run("python", |command| command.args(["-c", SAME]).args([yaml, json])).await;
    }

    async fn run(&self, program: &str, with: impl FnOnce(&mut Command) -> &mut Command) {
        let mut command = Command::new(self.programs.join(program));
        // Neither asks AWS for anything, and SAM's command line does not report home.
        command.env("AWS_DEFAULT_REGION", "eu-west-1").env("SAM_CLI_TELEMETRY", "0");
        let output = with(&mut command).output().await;
        let output = output.unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
        let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}:\n{told}");
    }
}
