//! `TestServer`: the real process, on a free port, with a data folder of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use tempfile::TempDir;

use super::{DEADLINE, Port, Program, eventually};

/// How much of the log a failed test shows.
const LOG_LINES_SHOWN: usize = 30;

/// Set in the environment of a process.
pub type Variables = Vec<(&'static str, String)>;

/// A running server. Dropping it kills the process and removes its data; a test that fails shows its log first.
pub struct TestServer {
    program: Program,
    flags: Vec<String>,
    variables: Variables,
    /// Where all of its data is, and what is removed with it.
    folder: (PathBuf, TempDir),
    port: Port,
    log: Arc<Mutex<String>>,
    life: Life,
}

/// A process, from its start to its end.
struct Life {
    child: Child,
    /// Ends with the process, once the log has all of its lines.
    collector: Option<JoinHandle<()>>,
}

impl TestServer {
    /// The probe, with nothing set.
    pub fn start() -> TestServer {
        TestServer::with(&[])
    }

    /// The probe, with these flags.
    pub fn with(flags: &[&str]) -> TestServer {
        TestServer::of(Program::Probe, flags)
    }

    /// The probe, reachable from other machines.
    pub fn on_all_addresses() -> TestServer {
        TestServer::listening_on(Port::on(Ipv4Addr::UNSPECIFIED), Program::Probe, &["--insecure-http"])
    }

    /// The probe, on a port that others were told of.
    pub fn at(port: Port, flags: &[&str]) -> TestServer {
        TestServer::listening_on(port, Program::Probe, flags)
    }

    /// The given program, with these flags.
    pub fn of(program: Program, flags: &[&str]) -> TestServer {
        TestServer::listening_on(Port::free(), program, flags)
    }

    /// The probe, with a data folder of this name.
    pub fn in_folder(name: &str) -> TestServer {
        TestServer::started(Port::free(), Program::Probe, &[], name, Variables::new())
    }

    /// The probe, with these variables in its environment.
    pub fn with_variables(variables: &[(&'static str, &'static str)]) -> TestServer {
        let variables = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        TestServer::started(Port::free(), Program::Probe, &[], "", variables)
    }

    fn listening_on(port: Port, program: Program, flags: &[&str]) -> TestServer {
        TestServer::started(port, program, flags, "", Variables::new())
    }

    /// Returns once it listens.
    fn started(
        port: Port,
        program: Program,
        flags: &[&str],
        folder: &str,
        variables: Variables,
    ) -> TestServer {
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let data = TempDir::new().expect("there is room for a temporary folder");
        let (folder, log) = (data.path().join(folder), Arc::default());
        let life = spawn(program, &port, &folder, &flags, &variables, &log).unwrap_or_else(|| {
            panic!("the server does not start: {}", log.lock().unwrap());
        });
        TestServer { program, flags, variables, folder: (folder, data), port, log, life }
    }

    /// `http://host:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Host and port.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port.address().port()).into()
    }

    /// The folder with everything that survives a restart.
    pub fn data(&self) -> &Path {
        &self.folder.0
    }

    /// What it has written to standard error, over all its lives.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until a line of its log has this in it.
    pub async fn says(&self, words: &str) {
        eventually(&format!("the log says {words:?}"), async || self.log().contains(words).then_some(()))
            .await;
    }

    /// `kill -9`. Returns once the process is gone.
    pub fn kill(&mut self) {
        self.life.child.kill().expect("the child is ours");
        self.life.end();
    }

    /// Asks it to stop, as a supervisor does.
    pub fn terminate(&self) {
        signal("TERM", self.pid());
    }

    /// Makes it stand still, as a machine does that sleeps.
    pub fn pause(&self) {
        signal("STOP", self.pid());
    }

    /// Lets it go on.
    pub fn resume(&self) {
        signal("CONT", self.pid());
    }

    /// How it ended; its log is complete then. Fails when it does not end by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let child = &mut self.life.child;
        eventually("the server ends", async || child.try_wait().expect("the child is ours")).await;
        self.life.end()
    }

    /// Starts it again, on the same port and data, after it ended.
    pub fn restart(&mut self) {
        self.restart_with(&[]);
    }

    /// The same, with more flags, for this life only.
    pub fn restart_with(&mut self, more: &[&str]) {
        assert!(self.tries_to_restart(more), "no second start: {}", self.log());
    }

    /// The same, with these variables in place of those of the lives before; false if it ended before it listened.
    pub fn restarts_under(&mut self, variables: Variables) -> bool {
        self.variables = variables;
        self.tries_to_restart(&[])
    }

    fn tries_to_restart(&mut self, more: &[&str]) -> bool {
        let flags: Vec<String> = self.flags.iter().cloned().chain(more.iter().map(|f| (*f).into())).collect();
        let started = spawn(self.program, &self.port, &self.folder.0, &flags, &self.variables, &self.log);
        let listens = started.is_some();
        if let Some(life) = started {
            self.life = life;
        }
        listens
    }

    /// The process, in this life.
    pub fn pid(&self) -> u32 {
        self.life.child.id()
    }

    /// The memory it holds.
    pub fn rss_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))
            .expect("memory is measured on Linux");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("Linux tells it");
        let kib = line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok());
        kib.expect("Linux tells it in kB") * 1_024
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        // Who has ended already cannot be killed.
        self.life.child.kill().ok();
        self.life.end();
        if thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..];
            eprintln!("--- the server's last words ---\n{}", last.join("\n"));
        }
    }
}

impl Life {
    /// Waits for the end of the process, and for its last line.
    fn end(&mut self) -> ExitStatus {
        let status = self.child.wait().expect("the child is ours");
        self.collector.take().map(JoinHandle::join);
        status
    }
}

/// Sends a process a signal.
fn signal(name: &str, pid: u32) {
    let sent = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &pid.to_string()]).status();
    assert!(sent.expect("every system has sh").success(), "the process is gone already");
}

/// A process that inherits no setting from whoever runs the tests.
pub fn server_command(program: Program) -> Command {
    let mut command = program.command();
    let set = std::env::vars_os().map(|(name, _)| name);
    set.filter(|name| name.to_string_lossy().starts_with("DUPLEX_")).for_each(|name| {
        command.env_remove(name);
    });
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Nothing when it ended before it listened.
fn spawn(
    program: Program,
    port: &Port,
    data: &Path,
    flags: &[String],
    variables: &Variables,
    log: &Arc<Mutex<String>>,
) -> Option<Life> {
    let mut child = server_command(program)
        .args(["--listen", &port.address().to_string(), "--data"])
        .arg(data)
        .args(flags)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .spawn()
        .expect("the program can be started");
    let (stdout, stderr) =
        (child.stdout.take().expect("it is piped"), child.stderr.take().expect("it is piped"));
    let log = log.clone();
    let collector = Some(thread::spawn(move || collect(stderr, &log)));
    let line = first_line(stdout).recv_timeout(DEADLINE).unwrap_or_default();
    let mut life = Life { child, collector };
    if line.starts_with("listening on http") && line.trim_end().ends_with(&format!("://{}", port.address())) {
        return Some(life);
    }
    life.child.kill().ok();
    life.end();
    None
}

/// The first line of `output`; empty when there was none.
fn first_line(output: impl Read + Send + 'static) -> Receiver<String> {
    let (found, line) = channel();
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut first = String::new();
        output.read_line(&mut first).ok();
        found.send(first).ok();
        // The pipe stays open, so that the server can go on writing.
        std::io::copy(&mut output, &mut std::io::sink()).ok();
    });
    line
}

fn collect(output: impl Read, log: &Mutex<String>) {
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        let mut log = log.lock().unwrap();
        log.push_str(&line);
        log.push('\n');
    }
}
