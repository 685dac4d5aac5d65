//! `cargo xtask dev`: both halves, rebuilt as you save, in one terminal and on one address.
//!
//! While a half does not compile, the page and the server of the last good build stay. A page that is open reloads
//! itself when the client changed, and reconnects when the server did.

use crate::args::for_the_server;
use crate::failure::{Failure, Result};
use crate::label::{CLIENT, Label, SERVER};
use crate::process::{self, Running};
use crate::stamp::Fingerprint;
use crate::{client, project, say, server, stop, tools};
use std::path::PathBuf;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The server's exit code for flags that it does not understand.
const MISUSE: i32 = 2;
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Runs until Ctrl-C, which is its good end. All words are flags for the server.
pub(super) fn run(args: &[String]) -> Result {
    let flags = for_the_server(args).to_vec();
    tools::install_wasm_target()?;
    say::step(
        "building both halves",
        "some minutes the first time; then each change takes seconds; Ctrl-C ends it",
    );
    let mut client = Half::new(CLIENT, &client::INPUTS, client::rebuild_watched);
    let mut server = Half::new(SERVER, &server::INPUTS, server::rebuild_dev);
    let mut serving = Serving { flags, running: None };
    let mut is_stale = false;
    loop {
        is_stale |= client.look()?;
        is_stale |= server.look()?;
        // One change of both halves is one restart.
        let builds = client.building.is_some() || server.building.is_some();
        if let (Some(pages), Some(program), true) = (&client.built, &server.built, is_stale && !builds) {
            serving.start(program, pages)?;
            is_stale = false;
        }
        serving.look()?;
        if stop::asked() {
            return Ok(());
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// One half: the state of its files, a build that may be under way, and what the last good one made.
struct Half {
    label: Label,
    inputs: &'static [&'static str],
    build: fn(Label) -> Result<PathBuf>,
    seen: Option<Fingerprint>,
    building: Option<(Instant, JoinHandle<Result<PathBuf>>)>,
    built: Option<PathBuf>,
}

impl Half {
    fn new(label: Label, inputs: &'static [&'static str], build: fn(Label) -> Result<PathBuf>) -> Self {
        Half { label, inputs, build, seen: None, building: None, built: None }
    }

    /// Takes in a build that ended, starts one when something changed. True when there is something new.
    fn look(&mut self) -> Result<bool> {
        let ended = self.building.take_if(|(_, building)| building.is_finished());
        if let Some((begun, building)) = ended {
            return self.take(begun, building);
        }
        let now = Fingerprint::of(project::root(), self.inputs)?;
        if self.building.is_none() && self.seen != Some(now) {
            self.seen = Some(now);
            let (build, label) = (self.build, self.label);
            self.building = Some((Instant::now(), thread::spawn(move || build(label))));
        }
        Ok(false)
    }

    fn take(&mut self, begun: Instant, building: JoinHandle<Result<PathBuf>>) -> Result<bool> {
        match building.join().unwrap_or_else(|_| Err("the build ended in a panic; its lines say why".into()))
        {
            Ok(built) => {
                self.label.print(&format!("built in {:.1} s", begun.elapsed().as_secs_f32()));
                self.built = Some(built);
                Ok(true)
            }
            Err(Failure::Interrupted) => Err(Failure::Interrupted),
            Err(failure) => {
                self.label.print(failure.reason().unwrap_or("it failed"));
                let kept = if self.built.is_some() { "; the one before keeps running" } else { "" };
                self.label.print(&format!("waiting for your next change{kept}"));
                Ok(false)
            }
        }
    }
}

/// The server that shows both.
struct Serving {
    flags: Vec<String>,
    running: Option<Running>,
}

impl Serving {
    fn start(&mut self, program: &PathBuf, pages: &PathBuf) -> Result {
        // The old one has to let go of the port and of the data before the new one starts.
        self.running = None;
        let mut command = process::program(program, "--pages");
        self.running = Some(SERVER.start(command.arg(pages).args(&self.flags))?);
        Ok(())
    }

    fn look(&mut self) -> Result {
        let Some(running) = &mut self.running else { return Ok(()) };
        let Some(status) = running.ended()? else { return Ok(()) };
        self.running = None;
        match status.code() {
            // It did all that it was asked for, as with `--help`, or does not understand it: no change mends the flags.
            Some(0) => stop::ask(),
            Some(MISUSE) => return Err(Failure::Told),
            _ => SERVER
                .print(&format!("it ended with {status}; the next change starts it again, Ctrl-C ends this")),
        }
        Ok(())
    }
}
