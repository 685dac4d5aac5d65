//! `cargo xtask dev`: rebuilds client and server on every save, in one terminal and on one address.
//!
//! While one of them does not compile, its last good build stays in use. Open pages reload when the client has changed
//! and reconnect when the server has.

use crate::args::server_flags;
use crate::failure::{Failure, Result};
use crate::label::{CLIENT, LineLabel, SERVER};
use crate::process::{self, ChildProcess};
use crate::stamp::Fingerprint;
use crate::{client, console, project, server, stop, tools};
use std::path::PathBuf;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Exit code of the server for invalid flags.
const EXIT_USAGE: i32 = 2;
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Runs until Ctrl-C, which counts as success. All arguments are flags for the server.
pub(super) fn run(args: &[String]) -> Result {
    let flags = server_flags(args);
    tools::install_wasm_target()?;
    console::step(
        "building client and server",
        "a few minutes the first time, then seconds for each change; Ctrl-C to stop",
    );
    let mut client = WatchedBuild::new(CLIENT, &client::INPUTS, client::rebuild_watched);
    let mut server = WatchedBuild::new(SERVER, &server::INPUTS, |label| server::build_dev(Some(label)));
    let mut server_process = None;
    let mut is_stale = false;
    loop {
        is_stale |= client.poll()?;
        is_stale |= server.poll()?;
        // A change of both must restart the server only once.
        let is_building = client.running.is_some() || server.running.is_some();
        if is_stale
            && !is_building
            && let Some(pages) = &client.output
            && let Some(binary) = &server.output
        {
            // The old process must release the port and the data folder before the new one starts.
            drop(server_process.take());
            let mut command = process::command(binary, "--client-files");
            server_process = Some(SERVER.spawn(command.arg(pages).args(flags))?);
            is_stale = false;
        }
        check_server(&mut server_process)?;
        if stop::requested() {
            return Ok(());
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// Build of the client or the server, repeated whenever its inputs change.
struct WatchedBuild {
    label: LineLabel,
    inputs: &'static [&'static str],
    build: fn(LineLabel) -> Result<PathBuf>,
    last_fingerprint: Option<Fingerprint>,
    running: Option<JoinHandle<Result<PathBuf>>>,
    /// Output of the last good build.
    output: Option<PathBuf>,
}

impl WatchedBuild {
    fn new(
        label: LineLabel,
        inputs: &'static [&'static str],
        build: fn(LineLabel) -> Result<PathBuf>,
    ) -> Self {
        WatchedBuild { label, inputs, build, last_fingerprint: None, running: None, output: None }
    }

    /// Collects a finished build, or starts one if the inputs have changed. Returns true if there is a new output.
    fn poll(&mut self) -> Result<bool> {
        if let Some(finished) = self.running.take_if(|running| running.is_finished()) {
            return self.collect(finished);
        }
        let fingerprint = Fingerprint::of(project::root(), self.inputs)?;
        if self.running.is_none() && self.last_fingerprint != Some(fingerprint) {
            self.last_fingerprint = Some(fingerprint);
            let WatchedBuild { build, label, .. } = *self;
            self.running = Some(thread::spawn(move || {
                let started = Instant::now();
                let output = build(label)?;
                label.print(&format!("built in {:.1} s", started.elapsed().as_secs_f32()));
                Ok(output)
            }));
        }
        Ok(false)
    }

    fn collect(&mut self, finished: JoinHandle<Result<PathBuf>>) -> Result<bool> {
        match finished.join().unwrap_or_else(|_| Err("the build panicked; see its output above".into())) {
            Ok(output) => {
                self.output = Some(output);
                Ok(true)
            }
            Err(Failure::Interrupted) => Err(Failure::Interrupted),
            Err(failure) => {
                self.label.print(failure.message().unwrap_or("the build failed"));
                let kept = if self.output.is_some() { "; the last good build stays in use" } else { "" };
                self.label.print(&format!("waiting for your next change{kept}"));
                Ok(false)
            }
        }
    }
}

/// Notices that the server has ended by itself, and says what to do.
fn check_server(server_process: &mut Option<ChildProcess>) -> Result {
    let Some(process) = server_process else { return Ok(()) };
    let Some(status) = process.try_wait()? else { return Ok(()) };
    *server_process = None;
    match status.code() {
        // It did what it was asked to, as with `--help`.
        Some(0) => stop::request(),
        // No change of the code makes invalid flags valid.
        Some(EXIT_USAGE) => return Err(Failure::Reported),
        _ => {
            SERVER.print(&format!("the server ended ({status}); your next change restarts it, Ctrl-C stops"))
        }
    }
    Ok(())
}
