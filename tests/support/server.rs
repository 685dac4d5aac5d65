//! `TestServer`: a real server process, on a free port, with its own data folder.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use tempfile::TempDir;

use super::{DEADLINE, Port, Program, eventually};

/// Flags for tests that publish faster than a person may.
pub const NO_PUBLISH_LIMIT: [&str; 2] = ["--identity-publishes-per-sec", "100000"];
/// The number of last lines of stderr that a failed test shows.
const LINES_SHOWN: usize = 30;

/// Environment variables of a process.
pub type EnvVars = Vec<(&'static str, String)>;

/// A running server. Dropping it kills the process and removes its data. If the test has failed, it prints the end of
/// the server's stderr first.
pub struct TestServer {
    program: Program,
    flags: Vec<String>,
    env: EnvVars,
    data: PathBuf,
    /// Holds `data`, and removes it.
    _folder: TempDir,
    port: Port,
    stderr: Arc<Mutex<String>>,
    process: ServerProcess,
}

/// A process, from its start to its end.
struct ServerProcess {
    child: Child,
    /// Ends with the process, once it has read all of its stderr.
    collector: Option<JoinHandle<()>>,
}

impl TestServer {
    /// Starts the probe without flags.
    pub fn start() -> TestServer {
        TestServer::with(&[])
    }

    /// Starts the probe with these flags.
    pub fn with(flags: &[&str]) -> TestServer {
        TestServer::of(Program::Probe, flags)
    }

    /// Starts the probe so that other machines can reach it.
    pub fn on_all_addresses() -> TestServer {
        TestServer::listening_on(Port::on(Ipv4Addr::UNSPECIFIED), Program::Probe, &["--insecure-http"])
    }

    /// Starts the probe on a port that was chosen before.
    pub fn at(port: Port, flags: &[&str]) -> TestServer {
        TestServer::listening_on(port, Program::Probe, flags)
    }

    /// Starts a program with these flags.
    pub fn of(program: Program, flags: &[&str]) -> TestServer {
        TestServer::listening_on(Port::free(), program, flags)
    }

    /// Starts the probe with a data folder of this name.
    pub fn in_folder(name: &str) -> TestServer {
        TestServer::started(Port::free(), Program::Probe, &[], name, EnvVars::new())
    }

    /// Starts the probe with these environment variables.
    pub fn with_env(env: &[(&'static str, &'static str)]) -> TestServer {
        let env = env.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        TestServer::started(Port::free(), Program::Probe, &[], "", env)
    }

    fn listening_on(port: Port, program: Program, flags: &[&str]) -> TestServer {
        TestServer::started(port, program, flags, "", EnvVars::new())
    }

    /// Starts a server, and returns once it listens.
    fn started(port: Port, program: Program, flags: &[&str], data: &str, env: EnvVars) -> TestServer {
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let folder = TempDir::new().expect("a temporary folder can be created");
        let data = folder.path().join(data);
        let stderr = Arc::default();
        let process = spawn(program, &port, &data, &flags, &env, &stderr).unwrap_or_else(|| {
            panic!("the server does not start: {}", stderr.lock().unwrap());
        });
        TestServer { program, flags, env, data, _folder: folder, port, stderr, process }
    }

    /// Returns `http://host:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Returns the address for clients on this machine.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port.address().port()).into()
    }

    /// Returns the data folder, which survives restarts.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Returns everything that all processes of this server have written to stderr so far.
    pub fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// Waits until stderr contains `text`.
    pub async fn wait_for_stderr(&self, text: &str) {
        let is_written = async || self.stderr().contains(text).then_some(());
        eventually(&format!("stderr contains {text:?}"), is_written).await;
    }

    /// Kills the process as `kill -9` does. Returns once it is gone.
    pub fn kill(&mut self) {
        self.process.child.kill().expect("the child is ours");
        self.process.wait();
    }

    /// Asks the process to stop, as a supervisor does.
    pub fn terminate(&self) {
        signal("TERM", self.pid());
    }

    /// Suspends the process, as a machine that goes to sleep does.
    pub fn pause(&self) {
        signal("STOP", self.pid());
    }

    /// Continues a paused process.
    pub fn resume(&self) {
        signal("CONT", self.pid());
    }

    /// Waits for the process to end by itself, and returns its status. Its stderr is complete then.
    pub async fn ended(&mut self) -> ExitStatus {
        let child = &mut self.process.child;
        eventually("the server ends", async || child.try_wait().expect("the child is ours")).await;
        self.process.wait()
    }

    /// Starts the server again after it ended, with the same port and data.
    pub fn restart(&mut self) {
        self.restart_with(&[]);
    }

    /// Starts the server again with additional flags. They do not apply to later restarts.
    pub fn restart_with(&mut self, more: &[&str]) {
        assert!(self.try_restart_with(more), "the server does not start again: {}", self.stderr());
    }

    /// Starts the server again with these environment variables in place of the previous ones. Returns false if it
    /// ended before it listened.
    pub fn try_restart_with_env(&mut self, env: EnvVars) -> bool {
        self.env = env;
        self.try_restart_with(&[])
    }

    fn try_restart_with(&mut self, more: &[&str]) -> bool {
        let more = more.iter().map(|flag| (*flag).to_owned());
        let flags: Vec<String> = self.flags.iter().cloned().chain(more).collect();
        match spawn(self.program, &self.port, &self.data, &flags, &self.env, &self.stderr) {
            Some(process) => {
                self.process = process;
                true
            }
            None => false,
        }
    }

    /// Returns the id of the current process.
    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// Returns the resident memory of the process.
    pub fn rss_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))
            .expect("memory is measured on Linux");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("Linux reports it");
        let kib = line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok());
        kib.expect("Linux reports it in kB") * 1_024
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        // It fails if the process has ended already.
        self.process.child.kill().ok();
        self.process.wait();
        if thread::panicking() {
            let stderr = self.stderr();
            let lines: Vec<&str> = stderr.lines().collect();
            let last = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
            eprintln!("--- the end of the server's stderr ---\n{}", last.join("\n"));
        }
    }
}

impl ServerProcess {
    /// Waits for the process to end, and for its last line.
    fn wait(&mut self) -> ExitStatus {
        let status = self.child.wait().expect("the child is ours");
        self.collector.take().map(JoinHandle::join);
        status
    }
}

/// Sends a signal to a process.
fn signal(name: &str, pid: u32) {
    let sent = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &pid.to_string()]).status();
    assert!(sent.expect("every system has sh").success(), "the process is already gone");
}

/// Prepares a process that inherits no settings from the environment of the tests.
pub fn server_command(program: Program) -> Command {
    let mut command = program.command();
    let names = std::env::vars_os().map(|(name, _)| name);
    names.filter(|name| name.to_string_lossy().starts_with("DUPLEX_")).for_each(|name| {
        command.env_remove(name);
    });
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts a process, and returns it once it listens. Returns `None` if it ended before.
fn spawn(
    program: Program,
    port: &Port,
    data: &Path,
    flags: &[String],
    env: &EnvVars,
    stderr: &Arc<Mutex<String>>,
) -> Option<ServerProcess> {
    let mut child = server_command(program)
        .args(["--listen", &port.address().to_string(), "--data"])
        .arg(data)
        .args(flags)
        .envs(env.iter().map(|(name, value)| (name, value)))
        .spawn()
        .expect("the program can be started");
    let child_stdout = child.stdout.take().expect("it is piped");
    let child_stderr = child.stderr.take().expect("it is piped");
    let stderr = stderr.clone();
    let collector = Some(thread::spawn(move || collect(child_stderr, &stderr)));
    let line = first_line(child_stdout).recv_timeout(DEADLINE).unwrap_or_default();
    let mut process = ServerProcess { child, collector };
    if line.starts_with("listening on http") && line.trim_end().ends_with(&format!("://{}", port.address())) {
        return Some(process);
    }
    process.child.kill().ok();
    process.wait();
    None
}

/// Returns a channel for the first line of `output`, which is empty if there is none.
fn first_line(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, line) = channel();
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut first = String::new();
        output.read_line(&mut first).ok();
        sender.send(first).ok();
        // The pipe stays open, so that the server can write more.
        std::io::copy(&mut output, &mut std::io::sink()).ok();
    });
    line
}

fn collect(output: impl Read, collected: &Mutex<String>) {
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        let mut collected = collected.lock().unwrap();
        collected.push_str(&line);
        collected.push('\n');
    }
}
