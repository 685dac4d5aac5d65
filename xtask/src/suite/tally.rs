//! Runs tests and counts them: what passed, what failed, and what had to be left out.

use crate::failure::Result;
use crate::{process, project, say};
use std::process::Command;

/// The sums over all test programs so far.
#[derive(Default)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
    skipped: Vec<String>,
}

impl Tally {
    /// Runs a `cargo test`, showing its output while counting along.
    pub(crate) fn run(&mut self, command: &mut Command) -> Result {
        if say::colours(&std::io::stdout()) {
            command.env("CARGO_TERM_COLOR", "always");
        }
        process::each_line(command, |line| {
            println!("{line}");
            if let Some((passed, failed)) = counts(line) {
                self.passed += passed;
                self.failed += failed;
            }
        })
    }

    /// Leaves a step out for want of a tool. Where a machine runs us that is a failure.
    pub(crate) fn skip(&mut self, reason: &str) -> Result {
        if project::in_ci() {
            return Err(reason.into());
        }
        say::note(&format!("left out: {reason}"));
        self.skipped.push(reason.to_owned());
        Ok(())
    }

    /// A step failed without a failed test, such as one that did not compile: it must not read "0 failed".
    pub(crate) fn note_failure(&mut self) {
        self.failed = self.failed.max(1);
    }

    /// The last line of a run, `N passed, M failed`; before it, on stderr, what was left out.
    pub(crate) fn summary(&self) -> String {
        for reason in &self.skipped {
            say::note(&format!("left out: {reason}"));
        }
        format!("{} passed, {} failed", self.passed, self.failed)
    }
}

/// Passed and failed in a line such as `test result: ok. 3 passed; 0 failed; 0 ignored; …`.
fn counts(line: &str) -> Option<(u64, u64)> {
    let (_, numbers) = line.trim_start().strip_prefix("test result: ")?.split_once(". ")?;
    let number = |what: &str| numbers.split("; ").find_map(|part| part.strip_suffix(what)?.parse().ok());
    Some((number(" passed")?, number(" failed")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_counted_whether_good_or_bad() {
        let ok =
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(counts(ok), Some((12, 0)));
        assert_eq!(counts("test result: FAILED. 3 passed; 2 failed; 0 ignored"), Some((3, 2)));
        assert_eq!(counts("test seq::result ... ok"), None);
    }

    #[test]
    fn a_failure_without_a_failed_test_still_counts() {
        let mut tally = Tally { passed: 7, ..Tally::default() };
        assert_eq!(tally.summary(), "7 passed, 0 failed");
        tally.note_failure();
        assert_eq!(tally.summary(), "7 passed, 1 failed");
    }
}
