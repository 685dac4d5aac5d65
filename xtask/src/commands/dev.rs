//! `cargo xtask dev`: both halves, rebuilt as you save, in one terminal and on one address.
//!
//! While a half does not compile, the page and the server of the last good build stay. A page that is open reloads
//! itself when the client changed, and reconnects when the server did.

use crate::args::server_flags;
use crate::failure::{Failure, Result};
use crate::label::{CLIENT, Label, SERVER};
use crate::process::{self, ChildProcess};
use crate::stamp::Fingerprint;
use crate::{client, console, project, server, stop, tools};
use std::path::PathBuf;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The server's exit code for flags that it does not understand.
const EXIT_USAGE: i32 = 2;
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Runs until Ctrl-C, which is its good end. All words are flags for the server.
pub(super) fn run(args: &[String]) -> Result {
    let flags = server_flags(args).to_vec();
    tools::install_wasm_target()?;
    console::step(
        "building both halves",
        "some minutes the first time; then each change takes seconds; Ctrl-C ends it",
    );
    let mut client = WatchedBuild::new(CLIENT, &client::INPUTS, client::rebuild_watched);
    let mut server = WatchedBuild::new(SERVER, &server::INPUTS, server::rebuild_dev);
    let mut dev_server = DevServer { flags, running: None };
    let mut is_stale = false;
    loop {
        is_stale |= client.poll()?;
        is_stale |= server.poll()?;
        // One change of both halves is one restart.
        let builds = client.building.is_some() || server.building.is_some();
        if let (Some(pages), Some(program), true) = (&client.output, &server.output, is_stale && !builds) {
            dev_server.restart(program, pages)?;
            is_stale = false;
        }
        dev_server.poll()?;
        if stop::requested() {
            return Ok(());
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// One half: the state of its files, a build that may be under way, and what the last good one made.
struct WatchedBuild {
    label: Label,
    inputs: &'static [&'static str],
    build: fn(Label) -> Result<PathBuf>,
    last_fingerprint: Option<Fingerprint>,
    building: Option<(Instant, JoinHandle<Result<PathBuf>>)>,
    output: Option<PathBuf>,
}

impl WatchedBuild {
    fn new(label: Label, inputs: &'static [&'static str], build: fn(Label) -> Result<PathBuf>) -> Self {
        WatchedBuild { label, inputs, build, last_fingerprint: None, building: None, output: None }
    }

    /// Takes in a build that ended, starts one when something changed. True when there is something new.
    fn poll(&mut self) -> Result<bool> {
        let ended = self.building.take_if(|(_, building)| building.is_finished());
        if let Some((begun, building)) = ended {
            return self.finish(begun, building);
        }
        let now = Fingerprint::of(project::root(), self.inputs)?;
        if self.building.is_none() && self.last_fingerprint != Some(now) {
            self.last_fingerprint = Some(now);
            let (build, label) = (self.build, self.label);
            self.building = Some((Instant::now(), thread::spawn(move || build(label))));
        }
        Ok(false)
    }

    fn finish(&mut self, begun: Instant, building: JoinHandle<Result<PathBuf>>) -> Result<bool> {
        match building.join().unwrap_or_else(|_| Err("the build ended in a panic; its lines say why".into()))
        {
            Ok(output) => {
                self.label.print(&format!("built in {:.1} s", begun.elapsed().as_secs_f32()));
                self.output = Some(output);
                Ok(true)
            }
            Err(Failure::Interrupted) => Err(Failure::Interrupted),
            Err(failure) => {
                self.label.print(failure.message().unwrap_or("it failed"));
                let kept = if self.output.is_some() { "; the one before keeps running" } else { "" };
                self.label.print(&format!("waiting for your next change{kept}"));
                Ok(false)
            }
        }
    }
}

/// The server that shows both.
struct DevServer {
    flags: Vec<String>,
    running: Option<ChildProcess>,
}

impl DevServer {
    fn restart(&mut self, program: &PathBuf, pages: &PathBuf) -> Result {
        // The old one has to let go of the port and of the data before the new one starts.
        self.running = None;
        let mut command = process::command(program, "--pages");
        self.running = Some(SERVER.spawn(command.arg(pages).args(&self.flags))?);
        Ok(())
    }

    fn poll(&mut self) -> Result {
        let Some(running) = &mut self.running else { return Ok(()) };
        let Some(status) = running.try_wait()? else { return Ok(()) };
        self.running = None;
        match status.code() {
            // It did all that it was asked for, as with `--help`, or does not understand it: no change mends the flags.
            Some(0) => stop::request(),
            Some(EXIT_USAGE) => return Err(Failure::Reported),
            _ => SERVER
                .print(&format!("it ended with {status}; the next change starts it again, Ctrl-C ends this")),
        }
        Ok(())
    }
}
