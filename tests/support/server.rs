//! `TestServer`: the real process, on a free port, with a data folder of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use tempfile::TempDir;

use super::{DEADLINE, Program, eventually};

/// How much of the log a failed test shows.
const LOG_LINES_SHOWN: usize = 30;

/// A running server. Dropping it kills the process and removes its data; a test that fails shows its log first.
pub struct TestServer {
    program: Program,
    flags: Vec<String>,
    data: TempDir,
    address: SocketAddr,
    child: Child,
    log: Arc<Mutex<String>>,
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
        TestServer::listening_on("0.0.0.0:0", Program::Probe, &["--insecure-http"])
    }

    /// The probe, on an address that others were told of.
    pub fn at(address: SocketAddr, flags: &[&str]) -> TestServer {
        TestServer::listening_on(&address.to_string(), Program::Probe, flags)
    }

    /// The given program, with these flags.
    pub fn of(program: Program, flags: &[&str]) -> TestServer {
        TestServer::listening_on("127.0.0.1:0", program, flags)
    }

    /// Returns once it listens.
    fn listening_on(listen: &str, program: Program, flags: &[&str]) -> TestServer {
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let data = TempDir::new().expect("there is room for a temporary folder");
        let log = Arc::default();
        let (child, address) = spawn(program, listen, data.path(), &flags, &log).unwrap_or_else(|| {
            panic!("the server does not start: {}", log.lock().unwrap());
        });
        TestServer { program, flags, data, address, child, log }
    }

    /// `http://host:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Host and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The folder with everything that survives a restart.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// What it has written to standard error, over all its lives.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// `kill -9`. Returns once the process is gone.
    pub fn kill(&mut self) {
        self.child.kill().expect("the child is ours");
        self.child.wait().expect("the child is ours");
    }

    /// Asks it to stop, as a supervisor does.
    pub fn terminate(&self) {
        let pid = self.pid().to_string();
        let sent = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &pid]).status();
        assert!(sent.expect("every system has sh").success(), "the process is gone already");
    }

    /// How it ended. Fails when it does not end by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let child = &mut self.child;
        eventually("the server ends", async || child.try_wait().expect("the child is ours")).await
    }

    /// Starts it again, on the same port and data, after it ended.
    pub fn restart(&mut self) {
        self.restart_with(&[]);
    }

    /// The same, with more flags, for this life only.
    pub fn restart_with(&mut self, more: &[&str]) {
        let listen = self.address.to_string();
        let flags: Vec<String> = self.flags.iter().cloned().chain(more.iter().map(|f| (*f).into())).collect();
        // Another program may hold the port for a moment.
        let started = (0..20).find_map(|_| spawn(self.program, &listen, self.data.path(), &flags, &self.log));
        (self.child, self.address) = started.unwrap_or_else(|| panic!("no second start: {}", self.log()));
    }

    /// The process, in this life.
    pub fn pid(&self) -> u32 {
        self.child.id()
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
        self.child.kill().ok();
        self.child.wait().ok();
        if thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..];
            eprintln!("--- the server's last words ---\n{}", last.join("\n"));
        }
    }
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
    listen: &str,
    data: &Path,
    flags: &[String],
    log: &Arc<Mutex<String>>,
) -> Option<(Child, SocketAddr)> {
    let mut child = server_command(program)
        .args(["--listen", listen, "--data"])
        .arg(data)
        .args(flags)
        .spawn()
        .expect("the program can be started");
    let (stdout, stderr) =
        (child.stdout.take().expect("it is piped"), child.stderr.take().expect("it is piped"));
    let log = log.clone();
    thread::spawn(move || collect(stderr, &log));
    let line = first_line(stdout).recv_timeout(DEADLINE).unwrap_or_default();
    let address = line.strip_prefix("listening on http").and_then(|rest| rest.split_once("://"));
    match address.and_then(|(_, address)| address.trim_end().parse().ok()) {
        Some(SocketAddr::V4(address)) => Some((child, (Ipv4Addr::LOCALHOST, address.port()).into())),
        _ => {
            child.kill().ok();
            child.wait().ok();
            None
        }
    }
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
