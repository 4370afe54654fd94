//! Programs of other people that a few tests want, and that need not be installed.

use std::io::Write as _;

/// What was found, or nothing, after saying so: a test that is skipped looks like one that passed everywhere else. On a
/// build server (`CI=true`) no test is skipped, and what is missing is a failure.
pub fn unless_missing<T>(name: &str, found: Result<T, String>) -> Option<T> {
    match found {
        Ok(found) => Some(found),
        Err(reason) if std::env::var("CI").is_ok_and(|value| value == "true") => {
            panic!("{name} cannot be used, and on a build server no test is skipped: {reason}");
        }
        Err(reason) => {
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            // Past the test runner's capture.
            let _ =
                writeln!(std::io::stderr(), "\nSKIPPED {test}: {reason}; tests/README.md tells how to install {name}");
            None
        }
    }
}
