//! `cargo xtask fuzz`: inputs that nobody thought of, guided by the coverage that they reach.
//!
//! libFuzzer on stable Rust. What a nightly compiler would add are the sanitizers, which find what `unsafe` code
//! does wrong; ours has none.

use crate::failure::{Failure, Result};
use crate::label::Label;
use crate::process::{self, ChildProcess};
use crate::{cargo, console, files, stop, tools};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

const TARGETS: [Label; 2] =
    [Label { name: "frames", colour: "\x1b[35m" }, Label { name: "requests", colour: "\x1b[36m" }];
/// Seeds that are part of the project, in a folder for each target.
const SEEDS: &str = "tests/fuzz/corpus";
/// The compiler counts which branches are taken, and what is compared with what.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// `[frames|requests] [--secs N]`: both, until Ctrl-C, which is their good end. What leads further is kept for the
/// next time.
pub(super) fn run(args: &[String]) -> Result {
    let (targets, secs) = parse_args(args)?;
    match fuzz(&targets, secs, &output_dir()?.join("corpus")) {
        Err(Failure::Interrupted) => Ok(()),
        ended => ended,
    }
}

/// Each target for so long, from the committed corpus alone.
pub(crate) fn run_from_seeds(secs: u32) -> Result {
    let scratch = output_dir()?.join("scratch");
    files::remove(&scratch)?;
    fuzz(&TARGETS, Some(secs), &scratch)
}

/// Runs the targets side by side. The first finding ends all of them.
fn fuzz(targets: &[Label], secs: Option<u32>, corpus: &Path) -> Result {
    if tools::cxx_compiler().is_none() {
        return Err("fuzzing needs a C++ compiler: `cargo xtask setup --with-browser` installs one".into());
    }
    process::run(&mut cargo_instrumented("build")?)?;
    let mut running = Vec::new();
    for target in targets {
        let mut command = target_command(target.name, secs, &corpus.join(target.name))?;
        running.push((target, target.spawn(&mut command)?));
    }
    while !running.is_empty() {
        if stop::requested() {
            return Err(Failure::Interrupted);
        }
        let mut still = Vec::new();
        for (target, mut child) in running {
            if is_running(target, &mut child)? {
                still.push((target, child));
            }
        }
        running = still;
        thread::sleep(POLL_INTERVAL);
    }
    Ok(())
}

fn is_running(target: &Label, child: &mut ChildProcess) -> Result<bool> {
    match child.try_wait()? {
        None => Ok(true),
        Some(status) if status.success() => Ok(false),
        Some(status) => Err(format!(
            "{} ended with {status}; its lines above name the input, which plays again with\n    {} -- INPUT",
            target.name,
            process::command_line(cargo_instrumented("run --quiet")?.args(["--bin", target.name]))
        )
        .into()),
    }
}

/// The fuzzer writes what leads further into the first folder, and reads both.
fn target_command(target: &str, secs: Option<u32>, found: &Path) -> Result<Command> {
    let findings = output_dir()?.join("findings");
    for folder in [found, &findings] {
        files::create_dir(folder)?;
    }
    let mut command = cargo_instrumented("run --quiet")?;
    command.args(["--bin", target, "--"]).arg(found).arg(format!("{SEEDS}/{target}"));
    command.arg(format!("-artifact_prefix={}/{target}-", findings.display()));
    if let Some(secs) = secs {
        command.args([&format!("-max_total_time={secs}"), "-verbosity=0", "-print_final_stats=1"]);
    }
    Ok(command)
}

/// Only what runs in the end is instrumented, and not what helps to build it: hence the target.
fn cargo_instrumented(verb: &str) -> Result<Command> {
    let what = "--package fuzz --features libfuzzer --profile fuzz --target host-tuple";
    let mut command = cargo::command(&format!("{verb} {what}"));
    command.env("RUSTFLAGS", COVERAGE).env("CARGO_TARGET_DIR", output_dir()?);
    Ok(command)
}

/// All that fuzzing makes.
fn output_dir() -> Result<PathBuf> {
    Ok(cargo::target_dir()?.join("fuzz"))
}

fn parse_args(args: &[String]) -> Result<(Vec<Label>, Option<u32>)> {
    let misuse = || Failure::Usage("fuzz wants `[frames|requests] [--secs N]`".into());
    let (mut targets, mut secs, mut args) = (Vec::new(), None, args.iter());
    while let Some(arg) = args.next() {
        match TARGETS.iter().find(|target| target.name == arg) {
            Some(target) => targets.push(*target),
            None if arg == "--secs" => {
                let number = args.next().and_then(|number| number.parse().ok());
                secs = Some(number.filter(|secs| *secs > 0).ok_or_else(misuse)?);
            }
            None => return Err(misuse()),
        }
    }
    if targets.is_empty() {
        console::note("both targets, side by side");
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
    fn what_is_neither_a_target_nor_a_time_is_misuse() {
        for words in ["frame", "--secs", "--secs 0", "--secs soon", "--fast"] {
            assert!(matches!(named(words), Err(Failure::Usage(_))), "{words}");
        }
    }
}
