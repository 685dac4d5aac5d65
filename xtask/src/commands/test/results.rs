//! Results of a test run: counts of tests, and the outcome of each step.

use crate::failure::{Failure, Result};
use crate::{console, process, project};
use std::process::Command;
use std::time::Duration;

/// Successful end of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Success {
    Passed,
    /// This machine lacks a tool that the step needs.
    Skipped,
}

/// Test counts over all test programs so far.
#[derive(Default)]
pub(super) struct TestCount {
    passed: u64,
    pub(super) failed: u64,
    /// Passed tests of the running program, until it reports its own total.
    running_passed: u64,
    /// Reasons of everything that was skipped.
    pub(super) skipped: Vec<String>,
}

impl TestCount {
    /// Runs a `cargo test`, shows its output and counts its tests.
    pub(super) fn run(&mut self, command: &mut Command) -> Result<Success> {
        console::request_colours(command);
        process::for_each_line(command, |line| {
            println!("{line}");
            self.count(line);
        })?;
        Ok(Success::Passed)
    }

    /// Records that something is skipped because a tool is missing. In CI that is an error.
    pub(super) fn skip(&mut self, reason: &str) -> Result<Success> {
        if project::in_ci() {
            return Err(reason.into());
        }
        console::note(&format!("skipped: {reason}"));
        self.skipped.push(reason.to_owned());
        Ok(Success::Skipped)
    }

    /// Counts a step that failed without a failed test, such as a compile error: the last line must not read
    /// "0 failed".
    pub(super) fn add_failure(&mut self) {
        self.failed += 1;
    }

    /// Last line of a run: `N passed, M failed`.
    pub(super) fn summary(&self) -> String {
        format!("{} passed, {} failed", self.passed + self.running_passed, self.failed)
    }

    fn count(&mut self, line: &str) {
        if let Some((passed, failed)) = parse_totals(line) {
            self.passed += passed;
            self.failed += failed;
            self.running_passed = 0;
        } else if line.starts_with("test ") && line.ends_with(" ... ok") {
            self.running_passed += 1;
        }
    }
}

/// Parses passed and failed from a line such as `test result: ok. 3 passed; 0 failed; 0 ignored; …`.
fn parse_totals(line: &str) -> Option<(u64, u64)> {
    let (_, totals) = line.trim_start().strip_prefix("test result: ")?.split_once(". ")?;
    let number = |unit: &str| totals.split("; ").find_map(|part| part.strip_suffix(unit)?.parse().ok());
    Some((number(" passed")?, number(" failed")?))
}

/// End of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepOutcome {
    Passed,
    /// This machine lacks a tool that the step needs.
    Skipped,
    Failed,
    /// The step needs the result of this other step, which did not pass.
    Blocked(&'static str),
    /// Ctrl-C or SIGTERM arrived.
    Interrupted,
}

/// Outcomes of all steps so far.
#[derive(Default)]
pub(super) struct RunReport {
    rows: Vec<(&'static str, StepOutcome, Duration)>,
}

impl RunReport {
    pub(super) fn add(&mut self, step: &'static str, outcome: StepOutcome, duration: Duration) {
        self.rows.push((step, outcome, duration));
    }

    /// Returns true if the step ran and did not pass. A step that was not asked for counts as passed.
    pub(super) fn did_not_pass(&self, step: &str) -> bool {
        self.rows.iter().any(|(name, outcome, _)| *name == step && *outcome != StepOutcome::Passed)
    }

    /// Formats one line for each step: name, seconds, result.
    pub(super) fn table(&self) -> String {
        let width = self.rows.iter().map(|(name, ..)| name.len()).fold("step".len(), usize::max);
        let mut table = format!("    {:<width$}  seconds  result\n", "step");
        for (name, outcome, duration) in &self.rows {
            let result = match outcome {
                StepOutcome::Passed => "passed".to_owned(),
                StepOutcome::Skipped => "skipped".to_owned(),
                StepOutcome::Failed => format!("FAILED; repeat it with `cargo xtask test {name}`"),
                StepOutcome::Blocked(needed) => format!("not run: it needs {needed}"),
                StepOutcome::Interrupted => "interrupted".to_owned(),
            };
            let seconds = duration.as_secs_f64();
            table += &format!("    {name:<width$}  {seconds:>7.1}  {result}\n");
        }
        table
    }

    /// Result of the whole run. The user has already been told of each failure.
    pub(super) fn result(&self) -> Result {
        let any = |wanted| self.rows.iter().any(|(_, outcome, _)| *outcome == wanted);
        if any(StepOutcome::Interrupted) {
            return Err(Failure::Interrupted);
        }
        if any(StepOutcome::Failed) { Err(Failure::Reported) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(rows: &[(&'static str, StepOutcome)]) -> RunReport {
        let mut report = RunReport::default();
        rows.iter().for_each(|(name, outcome)| report.add(name, *outcome, Duration::from_millis(1_540)));
        report
    }

    #[test]
    fn the_table_has_a_line_for_each_step() {
        let table =
            report(&[("client", StepOutcome::Failed), ("size", StepOutcome::Blocked("client"))]).table();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(
            lines,
            [
                "    step    seconds  result",
                "    client      1.5  FAILED; repeat it with `cargo xtask test client`",
                "    size        1.5  not run: it needs client",
            ]
        );
    }

    #[test]
    fn only_a_step_that_ran_can_be_reported_as_not_passed() {
        let report = report(&[("format", StepOutcome::Passed), ("client", StepOutcome::Failed)]);
        assert!(report.did_not_pass("client"));
        assert!(!report.did_not_pass("format") && !report.did_not_pass("browser"));
    }

    #[test]
    fn one_failure_fails_the_run_and_an_interruption_is_not_a_failure() {
        assert!(report(&[("format", StepOutcome::Passed), ("fuzz", StepOutcome::Skipped)]).result().is_ok());
        let failed = [("format", StepOutcome::Failed), ("lint", StepOutcome::Passed)];
        assert!(matches!(report(&failed).result(), Err(Failure::Reported)));
        let interrupted = [("format", StepOutcome::Failed), ("lint", StepOutcome::Interrupted)];
        assert!(matches!(report(&interrupted).result(), Err(Failure::Interrupted)));
    }

    #[test]
    fn totals_are_parsed_from_good_and_bad_results() {
        let ok =
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(parse_totals(ok), Some((12, 0)));
        assert_eq!(parse_totals("test result: FAILED. 3 passed; 2 failed; 0 ignored"), Some((3, 2)));
        assert_eq!(parse_totals("test seq::result ... ok"), None);
    }

    #[test]
    fn tests_count_once_even_if_their_program_was_interrupted() {
        let mut tally = TestCount::default();
        let finished =
            ["test a ... ok", "test b ... FAILED", "test result: FAILED. 1 passed; 1 failed; 0 ignored"];
        finished.iter().for_each(|line| tally.count(line));
        assert_eq!(tally.summary(), "1 passed, 1 failed");
        ["running 9 tests", "test c ... ok", "test d ... ok"].iter().for_each(|line| tally.count(line));
        assert_eq!(tally.summary(), "3 passed, 1 failed");
    }

    #[test]
    fn a_failure_without_a_failed_test_still_counts() {
        let mut tally = TestCount { passed: 7, ..TestCount::default() };
        assert_eq!(tally.summary(), "7 passed, 0 failed");
        tally.add_failure();
        assert_eq!(tally.summary(), "7 passed, 1 failed");
    }
}
