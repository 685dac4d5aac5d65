//! Starting other programs, in the project's folder, and never leaving one behind.
//!
//! Each child heads a process group of its own: ending the group ends what the child started too (the
//! compilers of a cargo, the tests of a `cargo test`). A terminal's Ctrl-C therefore reaches only us,
//! and we pass it on.

use crate::failure::{Failure, Result};
use crate::{project, stop};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a child may take to end by itself: the server has 10 s to let its clients go.
const STOP_TIMEOUT: Duration = Duration::from_secs(12);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Any program with these words, which are separated by spaces.
pub(crate) fn command(name: impl AsRef<OsStr>, words: &str) -> Command {
    let mut command = Command::new(name);
    command.current_dir(project::root()).args(words.split_whitespace());
    command
}

/// Runs a program to its end; its output is the person's to read.
pub(crate) fn run(command: &mut Command) -> Result {
    let status = ChildProcess::spawn(command)?.wait()?;
    check_status(command, status)
}

/// Runs a program to its end and hands over each line of its stdout as it comes.
pub(crate) fn for_each_line(command: &mut Command, on_line: impl FnMut(&str) + Send) -> Result {
    for_each_line_with_stderr(command, on_line, drop)
}

/// The same, and hands over its stderr where `command` pipes it.
pub(crate) fn for_each_line_with_stderr(
    command: &mut Command,
    mut on_line: impl FnMut(&str) + Send,
    take_stderr: impl FnOnce(ChildStderr),
) -> Result {
    let mut running = ChildProcess::spawn(command.stdout(Stdio::piped()))?;
    let stdout = running.child.stdout.take();
    if let Some(stderr) = running.child.stderr.take() {
        take_stderr(stderr);
    }
    let status = thread::scope(|scope| {
        scope.spawn(move || {
            if let Some(stdout) = stdout {
                lines(stdout).for_each(|line| on_line(&line));
            }
        });
        let status = running.wait();
        // The pipe closes with its last writer, which may be a grandchild that was forgotten.
        running.stop();
        status
    })?;
    check_status(command, status)
}

/// The lines of a stream until it ends, whatever bytes are in them: who stops reading stops the writer.
pub(crate) fn lines(stream: impl Read) -> impl Iterator<Item = String> {
    let lines = BufReader::new(stream).split(b'\n').map_while(std::io::Result::ok);
    lines.map(|line| String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned())
}

/// Runs a short program silently: its stdout, if it succeeded.
pub(crate) fn capture(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What to type to repeat a command, its environment (but for `PATH`) included.
pub(crate) fn command_line(command: &Command) -> String {
    let mut words = Vec::new();
    for (name, value) in command.get_envs() {
        if let (Some(value), true) = (value, name != "PATH") {
            words.push(format!("{}={}", name.display(), value.display()));
        }
    }
    words.push(command.get_program().display().to_string());
    // What cargo tells to us alone would hide what it tells to people.
    let for_people = |word: &String| !word.starts_with("--message-format=");
    words.extend(command.get_args().map(|word| word.display().to_string()).filter(for_people));
    words.join(" ")
}

fn check_status(command: &Command, status: ExitStatus) -> Result {
    if status.success() {
        return Ok(());
    }
    let name = command.get_program().display();
    Err(format!("{name} ended with {status}; to repeat it alone:\n    {}", command_line(command)).into())
}

/// A child that runs. Dropped, it is ended, with all that it started.
pub(crate) struct ChildProcess {
    child: Child,
}

impl ChildProcess {
    /// Starts a program. It reads nothing, and writes where `command` says, our own streams by default.
    pub(crate) fn spawn(command: &mut Command) -> Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        match command.stdin(Stdio::null()).spawn() {
            Ok(child) => Ok(ChildProcess { child }),
            Err(error) => Err(format!("cannot start `{}`: {error}", command_line(command)).into()),
        }
    }

    /// The child's streams, for those who asked for pipes.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits until the child ends by itself, or until we are asked to stop: then ends it.
    pub(crate) fn wait(&mut self) -> Result<ExitStatus> {
        loop {
            if stop::requested() {
                self.stop();
                return Err(Failure::Interrupted);
            }
            if let Some(status) = self.try_wait()? {
                return Ok(status);
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    /// How the child ended, if it did.
    pub(crate) fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().map_err(|error| format!("cannot wait for a child: {error}").into())
    }

    /// Asks the child to end, waits for it, and makes an end of what is left of its group.
    pub(crate) fn stop(&mut self) -> Option<ExitStatus> {
        let deadline = Instant::now() + STOP_TIMEOUT;
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            self.signal("TERM");
        }
        let status = loop {
            match self.child.try_wait() {
                Ok(None) if Instant::now() < deadline => thread::sleep(POLL_INTERVAL),
                Ok(status) => break status,
                Err(_) => break None,
            }
        };
        self.signal("KILL");
        status.or_else(|| self.child.wait().ok())
    }

    /// Signals the whole group. Through the shell: `std` has no `kill`, and calling libc's is unsafe.
    #[cfg(unix)]
    fn signal(&mut self, name: &str) {
        let kill = format!("kill -s {name} -- -{}", self.child.id());
        let _ = Command::new("sh").args(["-c", &kill]).stderr(Stdio::null()).status();
    }

    #[cfg(not(unix))]
    fn signal(&mut self, _name: &str) {
        let _ = self.child.kill();
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_ended_with_what_it_started() {
        // The grandchild holds the pipe open: reading to its end shows that it is gone too.
        let mut command = command("sh", "");
        let mut running =
            ChildProcess::spawn(command.args(["-c", "sleep 60 & echo up; wait"]).stdout(Stdio::piped()))
                .unwrap();
        let mut lines = lines(running.child().stdout.take().unwrap());
        assert_eq!(lines.next().unwrap(), "up");

        let started = Instant::now();
        assert!(!running.stop().unwrap().success());
        assert!(lines.next().is_none());
        assert!(started.elapsed() < STOP_TIMEOUT);
    }

    #[test]
    fn each_line_arrives_and_a_failure_names_the_command() {
        let mut seen = Vec::new();
        let failure = for_each_line(command("sh", "").args(["-c", "echo one; echo two; exit 3"]), |line| {
            seen.push(line.to_owned());
        });
        assert_eq!(seen, ["one", "two"]);
        assert!(failure.unwrap_err().message().unwrap().contains("sh -c"));
    }

    #[test]
    fn a_command_is_shown_with_its_environment() {
        let mut command = command("cargo", "test -p server");
        assert_eq!(
            command_line(command.env("ANSWER", "42").env("PATH", "/bin")),
            "ANSWER=42 cargo test -p server"
        );
    }
}
