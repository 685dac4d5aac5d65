//! Steps of `cargo xtask test`, in the order in which they run.

use super::results::{Success, TestCount};
use super::{dependencies, fork, self_contained};
use crate::client::{self, budget};
use crate::commands::{bench, fuzz};
use crate::failure::Result;
use crate::tools::{self, Tool, WASM};
use crate::{cargo, console, process, server};
use std::process::Command;

/// Extent of a run. Each tier includes the one before it; a step belongs to the first tier that runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tier {
    /// `--quick`: needs neither a browser nor the built client.
    Quick,
    /// The default: on every push.
    Short,
    /// `--long`: before a release, and after a change to the core.
    Long,
}

/// One check, which can be run by name.
pub(super) struct TestStep {
    pub(super) name: &'static str,
    pub(super) tier: Tier,
    /// Description and purpose.
    pub(super) about: &'static str,
    /// The step whose result it needs.
    pub(super) needs: Option<&'static str>,
    pub(super) run: fn(&mut TestCount, Tier) -> Result<Success>,
}

/// All steps. In each tier, those that fail fastest come first.
pub(super) const STEPS: [TestStep; 14] = [
    TestStep {
        name: "format",
        tier: Tier::Quick,
        about: "check the formatting with rustfmt",
        needs: None,
        run: |_, _| passed(process::run(&mut cargo::command("fmt --all --check"))),
    },
    TestStep {
        name: "lint",
        tier: Tier::Quick,
        about: "run clippy with and without traces, and on the fuzz targets; warnings are errors",
        needs: None,
        run: |_, _| passed(lint()),
    },
    TestStep {
        name: "dependencies",
        tier: Tier::Quick,
        about: "check that the client contains no crates that do not belong in a browser",
        needs: None,
        run: |_, _| passed(dependencies::check()),
    },
    TestStep {
        name: "tests",
        tier: Tier::Quick,
        about: "run all tests that need no browser; --long: 10,000 seeds, 50 kills of the server, a crash at every write",
        needs: None,
        run: tests,
    },
    TestStep {
        name: "client",
        tier: Tier::Short,
        about: "build the release client for the steps that need it",
        needs: None,
        run: |_, _| passed(client::build().map(drop)),
    },
    TestStep {
        name: "size",
        tier: Tier::Short,
        about: "compare the download of a first visit with client/size-budget",
        needs: Some("client"),
        run: |_, _| passed(size()),
    },
    TestStep {
        name: "browser",
        tier: Tier::Short,
        about: "run the browser tests in Chromium, on a server with the client inside",
        needs: Some("client"),
        run: |tally, _| browser(tally),
    },
    TestStep {
        name: "fork",
        tier: Tier::Short,
        about: "rename a copy, add the README's feature, delete the demo, and test what is left",
        needs: None,
        run: |tally, _| passed(fork::check(tally)),
    },
    TestStep {
        name: "lint-browser",
        tier: Tier::Long,
        about: "run clippy on the client as compiled for the browser",
        needs: None,
        run: |_, _| passed(lint_browser()),
    },
    TestStep {
        name: "firefox",
        tier: Tier::Long,
        about: "test the first visit and a newcomer's journey in Firefox",
        needs: Some("client"),
        run: |tally, _| firefox(tally),
    },
    TestStep {
        name: "trunk-page",
        tier: Tier::Long,
        about: "check that the page that trunk builds behaves like the release page",
        needs: Some("client"),
        run: |tally, _| trunk_page(tally),
    },
    TestStep {
        name: "release",
        tier: Tier::Long,
        about: "build the release binary and start it alone in an empty folder",
        needs: Some("client"),
        run: |_, _| passed(release()),
    },
    TestStep {
        name: "soak",
        tier: Tier::Long,
        about: "put load on a node for minutes; its memory and open files must go back to what they were",
        needs: None,
        run: |_, _| passed(bench::run_scenario("soak")),
    },
    TestStep {
        name: "fuzz",
        tier: Tier::Long,
        about: "run the fuzzers for five minutes",
        needs: None,
        run: |tally, _| fuzz_from_seeds(tally),
    },
];

/// Duration of the step `fuzz`; `cargo xtask fuzz` runs until Ctrl-C.
const FUZZ_SECS: u32 = 300;

/// Tests that run in Firefox and on trunk's page: the first visit, and the journey as long as the demo is there.
const FIRST_VISIT: [&str; 2] = ["visit::", "journey::"];

fn passed(result: Result) -> Result<Success> {
    result.map(|()| Success::Passed)
}

/// Lints with and without traces, as code for one build may have warnings in the other only. The fuzz targets are
/// checked but not linked, which would need libFuzzer.
fn lint() -> Result {
    let traces = "fuzz/targets,server/otel";
    // `--all-targets` covers only what plain `cargo test` runs, so the browser tests are named.
    for (targets, features) in
        [("--all-targets", "fuzz/targets"), ("--all-targets", traces), ("--test browser", traces)]
    {
        let clippy = format!("clippy --workspace {targets} --features {features} -- -D warnings");
        process::run(&mut cargo::command(&clippy))?;
    }
    Ok(())
}

fn lint_browser() -> Result {
    process::run(&mut cargo::command(&format!("clippy --package client --target {WASM} -- -D warnings")))
}

/// Runs the tests with traces, which ordinary builds leave out.
fn tests(tally: &mut TestCount, tier: Tier) -> Result<Success> {
    if tools::find_on_path(&["pebble"]).is_none() {
        tally.skip("the tests of certificates need pebble: `cargo xtask setup --with-browser`")?;
    }
    if tools::PROXIES.iter().any(|name| tools::find_system_program(name).is_none()) {
        tally.skip(
            "the tests behind proxies need nginx, HAProxy and Caddy: `cargo xtask setup --with-proxies`",
        )?;
    }
    if cfg!(target_os = "linux") && tools::find_on_path(&["faketime"]).is_none() {
        tally.skip("the tests of wrong clocks need faketime: `cargo xtask setup --with-browser`")?;
    }
    let mut command = cargo::command("test --workspace --no-fail-fast --features server/otel");
    command.env("RUST_TEST_THREADS", threads());
    if tier == Tier::Long {
        command.env("DUPLEX_SEEDS", "10000").env("DUPLEX_KILL_ROUNDS", "50").env("DUPLEX_TORTURE", "long");
    }
    tally.run(&mut command)
}

fn size() -> Result {
    console::note(&budget::check(budget::measure(&client::build()?)?)?);
    Ok(())
}

fn browser(tally: &mut TestCount) -> Result<Success> {
    let Some(chromium) = tools::chromium_variables() else {
        return tally
            .skip("the browser tests need Chromium and chromedriver: `cargo xtask setup --with-browser`");
    };
    tally.run(browser_tests()?.envs(chromium))
}

fn firefox(tally: &mut TestCount) -> Result<Success> {
    let (Some(firefox), Some(geckodriver)) = (tools::firefox(), Tool::geckodriver().find()) else {
        return tally.skip("Firefox and geckodriver are missing: `cargo xtask setup --with-firefox`");
    };
    let mut command = browser_tests()?;
    command.env("DUPLEX_BROWSER", "firefox").env("FIREFOX", firefox).env("GECKODRIVER", geckodriver);
    tally.run(command.arg("--").args(FIRST_VISIT))
}

fn trunk_page(tally: &mut TestCount) -> Result<Success> {
    let Some(chromium) = tools::chromium_variables() else {
        return tally
            .skip("trunk's page needs Chromium and chromedriver: `cargo xtask setup --with-browser`");
    };
    if Tool::trunk().find().is_none() {
        return tally.skip("trunk is missing: `cargo xtask setup --with-trunk` installs it");
    }
    let folder = cargo::target_dir()?.join("trunk-page");
    process::run(tools::trunk("build --dist")?.arg(&folder))?;
    let mut command = browser_tests()?;
    command.env("DUPLEX_CLIENT_FILES", folder).envs(chromium);
    tally.run(command.arg("--").args(FIRST_VISIT))
}

fn release() -> Result {
    self_contained::check(&server::build_release(&client::build()?, &[])?)
}

fn fuzz_from_seeds(tally: &mut TestCount) -> Result<Success> {
    if tools::cxx_compiler().is_none() {
        return tally.skip("fuzzing needs a C++ compiler: `cargo xtask setup --with-browser`");
    }
    passed(fuzz::run_from_seeds(FUZZ_SECS))
}

/// Command for the browser tests, on a server with the client inside. All packages are named and traces enabled so
/// that cargo chooses the same features of dependencies as for the step `tests` and does not compile them again.
fn browser_tests() -> Result<Command> {
    let mut command =
        cargo::command("test --workspace --no-fail-fast --features server/otel,server/embed --test browser");
    command.env("DUPLEX_EMBED", client::build()?).env("RUST_TEST_THREADS", threads());
    Ok(command)
}

/// Number of tests that run at the same time: one more than there are cores, since most tests wait for timers, disks
/// and browsers, but not more than that, since some check how long something takes.
fn threads() -> String {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    (cores + 1).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_kebab_case_and_unique() {
        let names: BTreeSet<&str> = STEPS.iter().map(|step| step.name).collect();
        assert_eq!(names.len(), STEPS.len());
        assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '-')));
    }

    #[test]
    fn a_step_comes_after_the_one_it_needs_and_not_in_a_smaller_tier() {
        for (place, step) in STEPS.iter().enumerate() {
            let Some(needed) = step.needs else { continue };
            let before = STEPS[..place].iter().find(|other| other.name == needed);
            assert!(before.is_some_and(|other| other.tier <= step.tier), "{} needs {needed}", step.name);
        }
    }
}
