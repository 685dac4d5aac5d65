//! `Report`: how each step of a run ended, and what that makes of the run.

use crate::failure::{Failure, Result};
use std::fmt::Write;
use std::time::Duration;

/// The end of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All of it was fine.
    Passed,
    /// This machine lacks a tool.
    Skipped,
    /// Something in it was wrong.
    Failed,
    /// It needs the result of this other step, which did not pass.
    LeftOut(&'static str),
    /// Ctrl-C or SIGTERM came.
    Interrupted,
}

/// All steps of a run so far.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<(&'static str, Outcome, Duration)>,
}

impl Report {
    /// Notes how a step ended, and how long it took.
    pub(crate) fn add(&mut self, step: &'static str, outcome: Outcome, took: Duration) {
        self.rows.push((step, outcome, took));
    }

    /// True if the step ran and did not pass. One that was not asked for is taken to be fine.
    pub(crate) fn lacks(&self, step: &str) -> bool {
        self.rows.iter().any(|(name, outcome, _)| *name == step && *outcome != Outcome::Passed)
    }

    /// A line for each step: its name, its result, its seconds.
    pub(crate) fn table(&self) -> String {
        let width = self.rows.iter().map(|(name, ..)| name.len()).max().unwrap_or_default().max("step".len());
        let mut table = format!("    {:<width$}  seconds  result\n", "step");
        for (name, outcome, took) in &self.rows {
            let result = match outcome {
                Outcome::Passed => "passed".to_owned(),
                Outcome::Skipped => "skipped".to_owned(),
                Outcome::Failed => format!("FAILED; repeat it with `cargo xtask test {name}`"),
                Outcome::LeftOut(needed) => format!("left out: it needs {needed}"),
                Outcome::Interrupted => "interrupted".to_owned(),
            };
            // Writing to a String cannot fail.
            let _ = writeln!(table, "    {name:<width$}  {:>7.1}  {result}", took.as_secs_f64());
        }
        table
    }

    /// The end of the whole run. The person has been told of each failure already.
    pub(crate) fn verdict(&self) -> Result {
        let any = |wanted| self.rows.iter().any(|(_, outcome, _)| *outcome == wanted);
        if any(Outcome::Interrupted) {
            return Err(Failure::Interrupted);
        }
        if any(Outcome::Failed) { Err(Failure::Told) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(rows: &[(&'static str, Outcome)]) -> Report {
        let mut report = Report::default();
        rows.iter().for_each(|(name, outcome)| report.add(name, *outcome, Duration::from_millis(1_540)));
        report
    }

    #[test]
    fn the_table_has_a_line_for_each_step() {
        let table = report(&[("client", Outcome::Failed), ("size", Outcome::LeftOut("client"))]).table();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(
            lines,
            [
                "    step    seconds  result",
                "    client      1.5  FAILED; repeat it with `cargo xtask test client`",
                "    size        1.5  left out: it needs client",
            ]
        );
    }

    #[test]
    fn only_a_step_that_ran_and_did_not_pass_is_lacking() {
        let report = report(&[("format", Outcome::Passed), ("client", Outcome::Failed)]);
        assert!(report.lacks("client"));
        assert!(!report.lacks("format") && !report.lacks("browser"));
    }

    #[test]
    fn one_failure_fails_the_run_and_an_interruption_is_no_failure() {
        assert!(report(&[("format", Outcome::Passed), ("fuzz", Outcome::Skipped)]).verdict().is_ok());
        let failed = [("format", Outcome::Failed), ("lint", Outcome::Passed)];
        assert!(matches!(report(&failed).verdict(), Err(Failure::Told)));
        let interrupted = [("format", Outcome::Failed), ("lint", Outcome::Interrupted)];
        assert!(matches!(report(&interrupted).verdict(), Err(Failure::Interrupted)));
    }
}
