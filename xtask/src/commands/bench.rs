//! `cargo xtask bench`: measures a release server under load. The results hold for this machine and are not tests.

use crate::failure::{Failure, Result};
use crate::{cargo, console, process};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Scenarios of `tests/load`, with the question that each answers.
const SCENARIOS: [(&str, &str); 7] = [
    ("stall", "a fifth of 300 sockets stops reading: do the others notice?"),
    ("reconnect", "5,000 clients lose their node for 2 s: how long until all have caught up?"),
    ("fanout", "one busy topic with 1,000 sockets: what does a delivery cost?"),
    ("door", "slow headers, stalled handshakes, 10,000 connections: does a guest notice?"),
    ("hostile", "one address attacks a node with 150 MB in five ways: does it survive, does a guest notice?"),
    ("storm", "1,000 sockets with 20 topics each reconnect at once: how long does a publish take meanwhile?"),
    ("soak", "300 sockets come, read and leave, over and over: does the node leak memory or files?"),
];

/// Runs the named scenarios, or all of them.
pub(super) fn run(args: &[String]) -> Result {
    let is_known = |arg: &String| SCENARIOS.iter().any(|(name, _)| name == arg);
    if let Some(unknown) = args.iter().find(|arg| !is_known(arg)) {
        let known = SCENARIOS.map(|(name, _)| name).join(", ");
        return Err(Failure::Usage(format!("unknown scenario `{unknown}`; the scenarios are {known}")));
    }
    let generator = build()?;
    let is_chosen = |name: &str| args.is_empty() || args.iter().any(|arg| arg == name);
    // A failed scenario does not keep the others from being measured.
    let mut result = Ok(());
    for (name, question) in SCENARIOS {
        if !is_chosen(name) {
            continue;
        }
        console::step(name, question);
        match process::run(&mut load_command(&generator, name)) {
            Err(Failure::Error(reason)) => result = Err(Failure::Error(reason)),
            other => other?,
        }
    }
    result
}

/// Builds and runs one scenario. Fails if it breaks one of its promises.
pub(crate) fn run_scenario(name: &str) -> Result {
    process::run(&mut load_command(&build()?, name))
}

/// Builds the node and the load generator, and returns the path of the latter.
fn build() -> Result<PathBuf> {
    let mut build =
        cargo::command("build --release --package server --features jemalloc --example probe --example load");
    cargo::build(&mut build, "load", None)
}

/// Raises the limit of open files as far as the system allows: each socket needs one.
#[cfg(unix)]
fn load_command(generator: &Path, scenario: &str) -> Command {
    let mut command = process::command("sh", "-c");
    command.arg("ulimit -n \"$(ulimit -Hn)\"; exec \"$0\" \"$1\"").arg(generator).arg(scenario);
    command
}

#[cfg(not(unix))]
fn load_command(generator: &Path, scenario: &str) -> Command {
    process::command(generator, scenario)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_scenario_is_a_usage_error_and_lists_the_known_ones() {
        let failure = run(&["flood".into()]).unwrap_err();
        assert!(matches!(&failure, Failure::Usage(text) if text.contains("reconnect")));
    }
}
