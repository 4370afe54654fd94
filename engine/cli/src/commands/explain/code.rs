//! `viewfold explain CODE`: the page about a finding. The pages are a part of the binary.

use crate::output::Failure;
use viewfold_spec::{Code, Diagnostic};

/// The page of a code, as `VF0304`, `vf0304` or `0304`.
pub(crate) fn page(code: &str) -> Result<&'static str, Failure> {
    Code::named(code).map(Code::page).ok_or_else(|| {
        let near: Vec<String> =
            Code::near(code).into_iter().map(|code| format!("\n  {}  {}", code.text(), code.title())).collect();
        let instead = match near.is_empty() {
            true => "`viewfold explain` alone lists all of them".to_owned(),
            false => format!("near it are:{}", near.concat()),
        };
        Failure::wrong_use(format!("`{code}` is no code of a finding; {instead}"))
    })
}

/// Every code with its title, a line each.
pub(crate) fn list() -> String {
    Code::ALL.iter().map(|code| format!("{}  {}\n", code.text(), code.title())).collect()
}

/// What to ask for more about findings; nothing where there are none.
pub(crate) fn pointer(findings: &[Diagnostic]) -> Option<String> {
    let mut codes: Vec<&str> = Vec::new();
    for finding in findings {
        let code = finding.code.text();
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    let first = codes.first()?;
    let others = codes[1..].join(", ");
    Some(match others.is_empty() {
        true => format!("`viewfold explain {first}` says more"),
        false => format!("`viewfold explain {first}` says more; also of {others}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use viewfold_spec::{Source, Span};

    #[test]
    fn a_code_that_is_none_is_wrong_use_and_names_those_near_it() {
        assert!(page("vf0304").unwrap().starts_with("# VF0304: "));
        let failure = page("VF0309").unwrap_err();
        assert!(failure.code == 2 && failure.message.contains("VF0304"), "{}", failure.message);
        assert!(page("colour").unwrap_err().message.contains("lists all"));
        assert_eq!(list().lines().count(), Code::ALL.len());
    }

    #[test]
    fn the_codes_of_a_run_are_named_each_once() {
        let source = Arc::new(Source { name: "a.yaml".into(), text: String::new() });
        let finding = |code: Code| Diagnostic::error(code, &source, Span::default(), "x");
        assert_eq!(pointer(&[]), None);
        let one = [Code::BadPath, Code::BadPath].map(finding);
        assert_eq!(pointer(&one).as_deref(), Some("`viewfold explain VF0201` says more"));
        let all = [Code::BadPath, Code::BadCall, Code::Circle, Code::BadPattern].map(finding);
        assert_eq!(
            pointer(&all).as_deref(),
            Some("`viewfold explain VF0201` says more; also of VF0206, VF0505, VF0204")
        );
    }
}
