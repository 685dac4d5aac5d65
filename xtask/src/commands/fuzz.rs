//! `cargo xtask fuzz`: coverage-guided fuzzing with libFuzzer, on stable Rust.
//!
//! A nightly compiler would add the sanitizers, which find errors in `unsafe` code; the project has none.

use crate::failure::{Failure, Result};
use crate::label::LineLabel;
use crate::process::{self, ChildProcess};
use crate::{cargo, console, files, stop, tools};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

const TARGETS: [LineLabel; 2] =
    [LineLabel { name: "frames", colour: "\x1b[35m" }, LineLabel { name: "requests", colour: "\x1b[36m" }];
/// Committed seeds, in a folder for each target.
const SEEDS: &str = "tests/fuzz/corpus";
/// Compiler flags that record which branches are taken and which values are compared.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Runs the named target or both (`[frames|requests] [--secs N]`). Without `--secs` they run until Ctrl-C, which
/// counts as success. Inputs that reach new code are kept for the next run.
pub(super) fn run(args: &[String]) -> Result {
    let (targets, secs) = parse_args(args)?;
    match fuzz(&targets, secs, &output_dir()?.join("corpus")) {
        Err(Failure::Interrupted) => Ok(()),
        other => other,
    }
}

/// Runs both targets for so many seconds, starting from the committed seeds alone.
pub(crate) fn run_from_seeds(secs: u32) -> Result {
    let scratch = output_dir()?.join("scratch");
    files::remove(&scratch)?;
    fuzz(&TARGETS, Some(secs), &scratch)
}

/// Runs the targets side by side. The first finding stops all of them.
fn fuzz(targets: &[LineLabel], secs: Option<u32>, corpus: &Path) -> Result {
    if tools::cxx_compiler().is_none() {
        return Err("fuzzing needs a C++ compiler: `cargo xtask setup --with-browser` installs one".into());
    }
    process::run(&mut cargo_instrumented("build")?)?;
    let mut processes = Vec::new();
    for target in targets {
        let mut command = target_command(target.name, secs, &corpus.join(target.name))?;
        processes.push((target, target.spawn(&mut command)?));
    }
    loop {
        if stop::requested() {
            return Err(Failure::Interrupted);
        }
        let mut is_any_running = false;
        for (target, process) in &mut processes {
            is_any_running |= is_running(target, process)?;
        }
        if !is_any_running {
            return Ok(());
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// Returns false once the target has ended without a finding; fails if it has one.
fn is_running(target: &LineLabel, process: &mut ChildProcess) -> Result<bool> {
    match process.try_wait()? {
        None => Ok(true),
        Some(status) if status.success() => Ok(false),
        Some(status) => Err(format!(
            "{} failed ({status}); its output above names the input; to run it again:\n    {} -- INPUT",
            target.name,
            process::command_line(cargo_instrumented("run --quiet")?.args(["--bin", target.name]))
        )
        .into()),
    }
}

/// Command for a target. libFuzzer reads both corpus folders and writes new inputs into the first.
fn target_command(target: &str, secs: Option<u32>, corpus: &Path) -> Result<Command> {
    let findings = output_dir()?.join("findings");
    files::create_dir(corpus)?;
    files::create_dir(&findings)?;
    let mut command = cargo_instrumented("run --quiet")?;
    command.args(["--bin", target, "--"]).arg(corpus).arg(format!("{SEEDS}/{target}"));
    command.arg(format!("-artifact_prefix={}/{target}-", findings.display()));
    if let Some(secs) = secs {
        command.args([&format!("-max_total_time={secs}"), "-verbosity=0", "-print_final_stats=1"]);
    }
    Ok(command)
}

/// Cargo command that instruments the code. `--target` keeps build scripts and macros uninstrumented.
fn cargo_instrumented(subcommand: &str) -> Result<Command> {
    let options = "--package fuzz --features libfuzzer --profile fuzz --target host-tuple";
    let mut command = cargo::command(&format!("{subcommand} {options}"));
    command.env("RUSTFLAGS", COVERAGE).env("CARGO_TARGET_DIR", output_dir()?);
    Ok(command)
}

/// Folder of everything that fuzzing generates.
fn output_dir() -> Result<PathBuf> {
    Ok(cargo::target_dir()?.join("fuzz"))
}

fn parse_args(args: &[String]) -> Result<(Vec<LineLabel>, Option<u32>)> {
    let usage = || Failure::Usage("the arguments of fuzz are `[frames|requests] [--secs N]`".into());
    let mut targets = Vec::new();
    let mut secs = None;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match TARGETS.iter().find(|target| target.name == arg) {
            Some(target) => targets.push(*target),
            None if arg == "--secs" => {
                let number = args.next().and_then(|number| number.parse().ok());
                secs = Some(number.filter(|secs| *secs > 0).ok_or_else(usage)?);
            }
            None => return Err(usage()),
        }
    }
    if targets.is_empty() {
        console::note("fuzzing both targets side by side");
        targets.extend(TARGETS);
    }
    Ok((targets, secs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(words: &str) -> Result<(Vec<&'static str>, Option<u32>)> {
        let args: Vec<String> = words.split_whitespace().map(String::from).collect();
        parse_args(&args).map(|(targets, secs)| (targets.iter().map(|target| target.name).collect(), secs))
    }

    #[test]
    fn both_targets_run_unless_one_is_named() {
        assert_eq!(named("").unwrap(), (vec!["frames", "requests"], None));
        assert_eq!(named("requests --secs 5").unwrap(), (vec!["requests"], Some(5)));
    }

    #[test]
    fn anything_but_targets_and_a_duration_is_a_usage_error() {
        for words in ["frame", "--secs", "--secs 0", "--secs soon", "--fast"] {
            assert!(matches!(named(words), Err(Failure::Usage(_))), "{words}");
        }
    }
}
