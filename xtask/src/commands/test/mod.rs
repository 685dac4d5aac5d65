//! `cargo xtask test`: runs all checks, in tiers. Its last line counts the tests.

mod dependencies;
mod fork;
mod results;
mod self_contained;
mod steps;
mod walkthrough;

use crate::failure::{Failure, Result};
use crate::{console, stop};
use results::{RunReport, StepOutcome, Success, TestCount};
use std::time::Instant;
use steps::{STEPS, TestStep, Tier};

/// Runs the chosen steps (`[--quick|--long] [STEP…]`) or lists them (`--list`). A failed step does not stop the
/// others.
pub(super) fn run(args: &[String]) -> Result {
    if args == ["--list"] {
        print!("{}", list());
        return Ok(());
    }
    let (tier, steps) = choose_steps(args)?;
    let mut tally = TestCount::default();
    let mut report = RunReport::default();
    for (number, step) in (1..).zip(&steps) {
        console::step(&format!("{number}/{} {}", steps.len(), step.name), step.about);
        let started = Instant::now();
        let outcome = run_step(step, tier, &report, &mut tally);
        let duration = started.elapsed();
        console::note(&format!("{} took {:.1} s", step.name, duration.as_secs_f64()));
        report.add(step.name, outcome, duration);
        if outcome == StepOutcome::Interrupted {
            break;
        }
    }
    eprint!("\n{}", report.table());
    for reason in &tally.skipped {
        console::note(&format!("skipped: {reason}"));
    }
    println!("{}", tally.summary());
    report.result()
}

fn run_step(step: &TestStep, tier: Tier, report: &RunReport, tally: &mut TestCount) -> StepOutcome {
    if let Some(needed) = step.needs
        && report.did_not_pass(needed)
    {
        console::note(&format!("not run: it needs the result of {needed}"));
        return StepOutcome::Blocked(needed);
    }
    let failed_before = tally.failed;
    let failure = match (step.run)(tally, tier) {
        Ok(Success::Passed) => return StepOutcome::Passed,
        Ok(Success::Skipped) => return StepOutcome::Skipped,
        Err(failure) => failure,
    };
    // The same signal may have ended a child, which then looks like a failure.
    if stop::requested() || matches!(failure, Failure::Interrupted) {
        console::error(&format!("interrupted in step {}", step.name));
        return StepOutcome::Interrupted;
    }
    console::error(&format!("step {} failed: {}", step.name, failure.message().unwrap_or("see above")));
    if tally.failed == failed_before {
        tally.add_failure();
    }
    StepOutcome::Failed
}

/// Chooses the tier and the steps, in the order of `STEPS`.
fn choose_steps(args: &[String]) -> Result<(Tier, Vec<&'static TestStep>)> {
    let (flags, names): (Vec<&String>, Vec<&String>) = args.iter().partition(|arg| arg.starts_with("--"));
    let tier = match flags.as_slice() {
        [] => Tier::Short,
        [flag] if *flag == "--long" => Tier::Long,
        [flag] if *flag == "--quick" && names.is_empty() => Tier::Quick,
        _ => {
            return Err(Failure::Usage(
                "the arguments of test are `--quick`, `[--long] [STEP…]` or `--list`".into(),
            ));
        }
    };
    if let Some(unknown) = names.iter().find(|name| !STEPS.iter().any(|step| step.name == **name)) {
        return Err(Failure::Usage(format!("unknown step `{unknown}`; the steps are:\n\n{}", list())));
    }
    let is_chosen = |step: &&TestStep| match names.as_slice() {
        [] => step.tier <= tier,
        names => names.iter().any(|name| *name == step.name),
    };
    Ok((tier, STEPS.iter().filter(is_chosen).collect()))
}

fn list() -> String {
    let line = |step: &TestStep| {
        let tier = format!("{:?}", step.tier).to_lowercase();
        format!("  {:<12}  {tier:<5}  {}\n", step.name, step.about)
    };
    STEPS.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &str) -> Vec<String> {
        words.split_whitespace().map(String::from).collect()
    }

    fn names(args: &str) -> (Tier, Vec<&'static str>) {
        let (tier, steps) = choose_steps(&words(args)).unwrap();
        (tier, steps.into_iter().map(|step| step.name).collect())
    }

    #[test]
    fn each_tier_includes_the_one_before() {
        let quick = names("--quick").1;
        let short = names("").1;
        let long = names("--long").1;
        assert!(short.starts_with(&quick) && long.starts_with(&short));
        assert!(!quick.contains(&"browser") && short.contains(&"browser") && !short.contains(&"soak"));
        assert_eq!(long.len(), STEPS.len());
    }

    #[test]
    fn named_steps_run_in_their_own_order_whatever_their_tier() {
        assert_eq!(names("soak lint lint"), (Tier::Short, vec!["lint", "soak"]));
        assert_eq!(names("--long tests"), (Tier::Long, vec!["tests"]));
    }

    #[test]
    fn an_unknown_step_is_a_usage_error_and_lists_the_known_ones() {
        let failure = run(&words("lint bowser")).unwrap_err();
        assert!(
            matches!(&failure, Failure::Usage(text) if text.contains("`bowser`") && text.contains("browser"))
        );
    }

    #[test]
    fn contradicting_tiers_are_a_usage_error() {
        for args in ["--quick --long", "--quick lint", "--slow", "--list lint"] {
            assert!(matches!(run(&words(args)), Err(Failure::Usage(_))), "{args}");
        }
    }

    fn step(needs: Option<&'static str>, run: fn(&mut TestCount, Tier) -> Result<Success>) -> TestStep {
        TestStep { name: "step", tier: Tier::Quick, about: "", needs, run }
    }

    #[test]
    fn a_step_is_not_run_when_the_one_it_needs_did_not_pass() {
        let mut tally = TestCount::default();
        let mut report = RunReport::default();
        report.add("client", StepOutcome::Failed, Default::default());
        let browser = step(Some("client"), |_, _| Ok(Success::Passed));
        assert_eq!(run_step(&browser, Tier::Short, &report, &mut tally), StepOutcome::Blocked("client"));
        let outcome = run_step(&browser, Tier::Short, &RunReport::default(), &mut tally);
        assert_eq!(outcome, StepOutcome::Passed, "the client was not asked for, and may exist");
    }

    #[test]
    fn a_step_that_fails_without_a_test_counts_as_one_failure_and_an_interruption_as_none() {
        let mut tally = TestCount::default();
        let broken = step(None, |_, _| Err("it does not compile".into()));
        assert_eq!(run_step(&broken, Tier::Short, &RunReport::default(), &mut tally), StepOutcome::Failed);
        let stopped = step(None, |_, _| Err(Failure::Interrupted));
        assert_eq!(
            run_step(&stopped, Tier::Short, &RunReport::default(), &mut tally),
            StepOutcome::Interrupted
        );
        assert_eq!(tally.summary(), "0 passed, 1 failed");
    }
}
