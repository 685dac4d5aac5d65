//! `cargo xtask bench`: a release node under load, and what it costs. Figures of this machine, no test.

use crate::failure::{Failure, Result};
use crate::{cargo, console, process};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The scenarios of `tests/load`, and what each asks.
const SCENARIOS: [(&str, &str); 7] = [
    ("stall", "a fifth of 300 sockets stops reading: do the others notice?"),
    ("reconnect", "5,000 clients lose their node for 2 s: how soon has everybody everything?"),
    ("fanout", "one busy topic with 1,000 sockets: what does a delivery cost?"),
    ("door", "slow heads, stalled handshakes, 10,000 connections: does a guest notice?"),
    ("hostile", "one address presses a node with 150 MB in five ways: does it live, does a guest notice?"),
    ("storm", "1,000 sockets with 20 topics each come back at once: how long does a publish take meanwhile?"),
    ("soak", "300 sockets come, read and leave again and again: does the node keep what they cost?"),
];

/// All scenarios, or those that are named.
pub(super) fn run(args: &[String]) -> Result {
    let known = |arg: &String| SCENARIOS.iter().any(|(name, _)| name == arg);
    if let Some(unknown) = args.iter().find(|arg| !known(arg)) {
        return Err(Failure::Usage(format!(
            "there is no scenario `{unknown}`; known here: {}",
            scenario_names()
        )));
    }
    let generator = build()?;
    // The figures of the others are wanted all the same.
    let mut failed = Ok(());
    for (name, why) in
        SCENARIOS.iter().filter(|(name, _)| args.is_empty() || args.iter().any(|arg| arg == name))
    {
        console::step(name, why);
        match process::run(&mut load_command(&generator, name)) {
            Err(Failure::Error(reason)) => failed = Err(Failure::Error(reason)),
            other => other?,
        }
    }
    failed
}

/// Builds what one scenario needs, and runs it. Fails when something that it promises does not hold.
pub(crate) fn run_scenario(name: &str) -> Result {
    process::run(&mut load_command(&build()?, name))
}

/// Builds the node and the load generator; the file of the latter.
fn build() -> Result<PathBuf> {
    let mut build =
        cargo::command("build --release --package server --features jemalloc --example probe --example load");
    cargo::build(&mut build, "load", None)
}

/// As many open files as the system lets us have: each socket is one.
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

fn scenario_names() -> String {
    SCENARIOS.map(|(name, _)| name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_scenario_is_misuse_and_lists_the_known_ones() {
        let failure = run(&["flood".into()]).unwrap_err();
        assert!(matches!(&failure, Failure::Usage(text) if text.contains("reconnect")));
    }
}
