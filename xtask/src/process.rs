//! Child processes: started in the project's folder, never left behind.
//!
//! Each child leads a process group of its own, so stopping the group also stops what the child started (the compilers
//! of a cargo, the tests of a `cargo test`). A terminal's Ctrl-C therefore reaches xtask alone, which passes it on.

use crate::failure::{Failure, Result};
use crate::{project, stop};
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, PipeWriter, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Time that a child gets to end by itself. The server takes up to 10 s to say goodbye to its clients.
const STOP_TIMEOUT: Duration = Duration::from_secs(12);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Creates a command that runs in the project's folder. `args` is split at spaces.
pub(crate) fn command(program: impl AsRef<OsStr>, args: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(project::root()).args(args.split_whitespace());
    command
}

/// Runs a program until it ends. Its output goes straight to the user.
pub(crate) fn run(command: &mut Command) -> Result {
    let status = ChildProcess::spawn(command)?.wait()?;
    check_status(command, status)
}

/// Runs a program until it ends and calls `on_line` for each line of its stdout.
pub(crate) fn for_each_line(command: &mut Command, mut on_line: impl FnMut(&str) + Send) -> Result {
    let mut process = ChildProcess::spawn(command.stdout(Stdio::piped()))?;
    let stdout = process.child.stdout.take();
    let status = thread::scope(|scope| {
        scope.spawn(move || {
            if let Some(stdout) = stdout {
                lines(stdout).for_each(|line| on_line(&line));
            }
        });
        let status = process.wait();
        // A grandchild that still runs holds the pipe open, and the scope would wait for it.
        process.stop();
        status
    })?;
    check_status(command, status)
}

/// Creates a pipe for the output of a program, and calls `on_line` for each of its lines on a thread of its own.
pub(crate) fn line_pipe(on_line: impl FnMut(String) + Send + 'static) -> Result<PipeWriter> {
    let (reader, writer) = io::pipe().map_err(|error| format!("cannot create a pipe: {error}"))?;
    thread::spawn(move || lines(reader).for_each(on_line));
    Ok(writer)
}

/// Lines of a stream until it ends. Invalid UTF-8 must not end them: a writer blocks once nobody reads.
fn lines(stream: impl Read) -> impl Iterator<Item = String> {
    let lines = BufReader::new(stream).split(b'\n').map_while(io::Result::ok);
    lines.map(|line| String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned())
}

/// Runs a short program silently and returns its stdout, or None if it fails. `args` is split at spaces.
pub(crate) fn capture(program: impl AsRef<OsStr>, args: &str) -> Option<String> {
    let output = command(program, args).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Command line that repeats a command, with the environment variables it sets (except `PATH`).
pub(crate) fn command_line(command: &Command) -> String {
    let variables = command.get_envs().filter(|(name, _)| *name != "PATH");
    let assign =
        |(name, value): (&OsStr, Option<&OsStr>)| Some(format!("{}={}", name.display(), value?.display()));
    let mut words: Vec<String> = variables.filter_map(assign).collect();
    words.push(command.get_program().display().to_string());
    let args = command.get_args().map(|arg| arg.display().to_string());
    // With this flag cargo prints messages for machines only.
    words.extend(args.filter(|arg| !arg.starts_with("--message-format=")));
    words.join(" ")
}

fn check_status(command: &Command, status: ExitStatus) -> Result {
    if status.success() {
        return Ok(());
    }
    let name = command.get_program().display();
    Err(format!("{name} failed ({status}); to run it again:\n    {}", command_line(command)).into())
}

/// A running child. Dropping it stops the child and everything it started.
pub(crate) struct ChildProcess {
    child: Child,
}

impl ChildProcess {
    /// Starts a program without stdin. Its output goes where `command` says, by default to our own streams.
    pub(crate) fn spawn(command: &mut Command) -> Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        match command.stdin(Stdio::null()).spawn() {
            Ok(child) => Ok(ChildProcess { child }),
            Err(error) => Err(format!("cannot start `{}`: {error}", command_line(command)).into()),
        }
    }

    /// Waits until the child ends. Stops it and fails with `Interrupted` if a stop is requested first.
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

    /// Exit status of the child, or None while it runs.
    pub(crate) fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().map_err(|error| format!("cannot wait for a child process: {error}").into())
    }

    /// Asks the child to end, waits for up to [`STOP_TIMEOUT`], and kills what is left of its process group.
    pub(crate) fn stop(&mut self) -> Option<ExitStatus> {
        let deadline = Instant::now() + STOP_TIMEOUT;
        if self.is_running() {
            self.signal("TERM");
        }
        while self.is_running() && Instant::now() < deadline {
            thread::sleep(POLL_INTERVAL);
        }
        self.signal("KILL");
        self.child.wait().ok()
    }

    fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Signals the whole group through the shell: `std` has no `kill`, and calling libc's is unsafe.
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
    fn stopping_a_child_stops_what_it_started() {
        // The grandchild holds the pipe open: reading to its end shows that it is gone too.
        let mut command = command("sh", "");
        let mut running =
            ChildProcess::spawn(command.args(["-c", "sleep 60 & echo up; wait"]).stdout(Stdio::piped()))
                .unwrap();
        let mut lines = lines(running.child.stdout.take().unwrap());
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
    fn the_lines_of_a_pipe_arrive_and_end_with_the_program() {
        let (sender, seen) = std::sync::mpsc::channel();
        let pipe = line_pipe(move |line| sender.send(line).unwrap()).unwrap();
        let running = ChildProcess::spawn(command("sh", "").args(["-c", "echo one; echo two"]).stdout(pipe));
        assert!(running.unwrap().wait().unwrap().success());
        assert_eq!(seen.iter().collect::<Vec<_>>(), ["one", "two"]);
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
