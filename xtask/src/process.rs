//! Starting other programs, in the project's folder, and never leaving one behind.
//!
//! Each child heads a process group of its own: ending the group ends what the child started too (the
//! compilers of a cargo, the tests of a `cargo test`). A terminal's Ctrl-C therefore reaches only us,
//! and we pass it on.

use crate::failure::{Failure, Result};
use crate::{project, stop};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a child may take to end by itself: the server has 10 s to let its clients go.
const GRACE: Duration = Duration::from_secs(12);
const POLL: Duration = Duration::from_millis(20);

/// `cargo` with these words, separated by single spaces.
pub(crate) fn cargo(words: &str) -> Command {
    program("cargo", words)
}

/// Any program with these words, separated by single spaces.
pub(crate) fn program(name: impl AsRef<std::ffi::OsStr>, words: &str) -> Command {
    let mut command = Command::new(name);
    command.current_dir(project::root()).args(words.split_whitespace());
    command
}

/// Runs a program to its end; its output is the person's to read.
pub(crate) fn run(command: &mut Command) -> Result {
    let status = Running::start(command)?.wait()?;
    succeeded(command, status)
}

/// Runs a program and hands over each line of its stdout as it comes.
pub(crate) fn each_line(command: &mut Command, on_line: impl FnMut(&str) + Send) -> Result {
    let mut running = Running::start(command.stdout(Stdio::piped()))?;
    let stdout = running.child.stdout.take();
    let status = thread::scope(|scope| {
        if let Some(stdout) = stdout {
            scope.spawn(|| BufReader::new(stdout).lines().map_while(std::io::Result::ok).for_each_line(on_line));
        }
        let status = running.wait();
        if status.is_err() {
            // The reader ends when the last writer is gone.
            running.end();
        }
        status
    })?;
    succeeded(command, status)
}

/// Runs a short program silently: its stdout if it succeeded.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The line to type to repeat a command.
pub(crate) fn shown(command: &Command) -> String {
    let set = command.get_envs().filter_map(|(name, value)| {
        let shown = name.to_string_lossy();
        (shown != "PATH").then(|| format!("{shown}={}", value?.to_string_lossy()).into()).flatten_it()
    });
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    set.chain(words.map(|word| word.to_string_lossy().into_owned())).collect::<Vec<_>>().join(" ")
}
