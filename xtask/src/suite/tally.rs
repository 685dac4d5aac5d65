//! Runs tests and counts them: what passed, what failed, and what had to be left out.

use crate::failure::Result;
use crate::{process, project, say};
use std::process::Command;

/// The good end of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// All of it was fine.
    Passed,
    /// It could not run, as this machine lacks a tool.
    Skipped,
}

/// The sums over all test programs so far.
#[derive(Default)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
    /// Tests of the program that runs now, which gives its own sum at its end.
    passing: u64,
    skipped: Vec<String>,
}

impl Tally {
    /// Runs a `cargo test`, showing its output while counting along.
    pub(crate) fn run(&mut self, command: &mut Command) -> Result<Done> {
        if say::colours(&std::io::stdout()) {
            command.env("CARGO_TERM_COLOR", "always");
        }
        process::each_line(command, |line| {
            println!("{line}");
            self.count(line);
        })?;
        Ok(Done::Passed)
    }

    /// Leaves something out for want of a tool. Where a machine runs us that is a failure.
    pub(crate) fn skip(&mut self, reason: &str) -> Result<Done> {
        if project::in_ci() {
            return Err(reason.into());
        }
        say::note(&format!("left out: {reason}"));
        self.skipped.push(reason.to_owned());
        Ok(Done::Skipped)
    }

    /// The number of failed tests.
    pub(crate) fn failed(&self) -> u64 {
        self.failed
    }

    /// Counts a step that failed without a failed test, such as one that did not compile: the last line must not
    /// read "0 failed".
    pub(crate) fn add_failure(&mut self) {
        self.failed += 1;
    }

    /// The reasons for which something was left out.
    pub(crate) fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// The last line of a run: `N passed, M failed`.
    pub(crate) fn summary(&self) -> String {
        format!("{} passed, {} failed", self.passed + self.passing, self.failed)
    }

    fn count(&mut self, line: &str) {
        if let Some((passed, failed)) = sums(line) {
            self.passed += passed;
            self.failed += failed;
            self.passing = 0;
        } else if line.starts_with("test ") && line.ends_with(" ... ok") {
            self.passing += 1;
        }
    }
}

/// Passed and failed in a line such as `test result: ok. 3 passed; 0 failed; 0 ignored; …`.
fn sums(line: &str) -> Option<(u64, u64)> {
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
        assert_eq!(sums(ok), Some((12, 0)));
        assert_eq!(sums("test result: FAILED. 3 passed; 2 failed; 0 ignored"), Some((3, 2)));
        assert_eq!(sums("test seq::result ... ok"), None);
    }

    #[test]
    fn tests_count_once_also_where_their_program_was_interrupted() {
        let mut tally = Tally::default();
        let finished =
            ["test a ... ok", "test b ... FAILED", "test result: FAILED. 1 passed; 1 failed; 0 ignored"];
        finished.iter().for_each(|line| tally.count(line));
        assert_eq!(tally.summary(), "1 passed, 1 failed");
        ["running 9 tests", "test c ... ok", "test d ... ok"].iter().for_each(|line| tally.count(line));
        assert_eq!(tally.summary(), "3 passed, 1 failed");
    }

    #[test]
    fn a_failure_without_a_failed_test_still_counts() {
        let mut tally = Tally { passed: 7, ..Tally::default() };
        assert_eq!(tally.summary(), "7 passed, 0 failed");
        tally.add_failure();
        assert_eq!(tally.summary(), "7 passed, 1 failed");
    }
}
