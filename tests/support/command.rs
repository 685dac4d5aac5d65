//! The program as a command that ends by itself: `verify`, `backup`, or a start that is refused.

use std::process::{Command, Output};

use tempfile::TempDir;

use super::wait::try_eventually;
use super::{Program, server_command};

/// Runs the probe as a command that is expected to end by itself. One that does not is killed at the deadline.
pub async fn run_command(configure: impl FnOnce(&mut Command)) -> Output {
    let mut command = server_command(Program::Probe);
    configure(&mut command);
    let mut child = command.spawn().expect("the program can be started");
    if try_eventually(async || child.try_wait().expect("the child is ours")).await.is_none() {
        child.kill().expect("the child is ours");
    }
    child.wait_with_output().expect("the child is ours")
}

/// Makes a command use a folder as its data folder, and any free port.
pub fn in_folder<'a>(command: &'a mut Command, folder: &TempDir) -> &'a mut Command {
    command.args(["--listen", "127.0.0.1:0", "--data"]).arg(folder.path())
}

/// Asserts that a command failed by itself, with nothing on stdout and one line on stderr that contains `word`.
#[track_caller]
pub fn assert_refused(output: &Output, word: &str) {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let line = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.status.code().is_some(), "{:?}: {line}", output.status);
    assert_eq!(stdout, "", "a command that fails writes nothing to stdout");
    assert!(line.contains(word), "{line:?} does not contain {word}");
    assert_eq!(line.trim_end().lines().count(), 1, "{line}");
}

/// Asserts that a command succeeded with nothing on stderr, and returns its stdout.
#[track_caller]
pub fn stdout_of(output: &Output) -> String {
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout.clone()).expect("the program writes UTF-8")
}
