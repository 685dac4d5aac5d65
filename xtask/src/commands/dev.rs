//! `cargo xtask dev`: both halves, rebuilt as you save, in one terminal.
//!
//! Trunk watches, builds and reloads the client. The server we watch ourselves: while a new one does not
//! compile, the old one keeps running.

use super::{flags, setup};
use crate::failure::Result;
use crate::label::Label;
use crate::process::{self, Running};
use crate::stamp::Fingerprint;
use crate::{client, project, say, server, stop};
use std::thread;
use std::time::Duration;

const LOOK_EVERY: Duration = Duration::from_millis(500);
const SERVER: Label = Label { name: "server", colour: "\x1b[35m" };
const CLIENT: Label = Label { name: "client", colour: "\x1b[36m" };

/// Runs until Ctrl-C, which is its good end.
pub(super) fn run(args: &[String]) -> Result {
    flags(args, &[])?;
    setup::client_tools()?;
    say::step("building both halves", "then http://127.0.0.1:8080 shows them; Ctrl-C ends both");
    let mut trunk = CLIENT.start(&mut client::trunk("serve")?)?;
    let mut server = Server::default();
    while !stop::asked() {
        server.look()?;
        if let Some(status) = trunk.ended()? {
            return Err(format!("trunk ended with {status}; its last lines say why").into());
        }
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// The server's half: a build that may be under way, and the server of the last one that was good.
#[derive(Default)]
struct Server {
    built: Option<Fingerprint>,
    building: Option<Running>,
    serving: Option<Running>,
}

impl Server {
    /// Goes on from where it is: takes in a build that ended, starts one when something changed.
    fn look(&mut self) -> Result {
        if let Some(status) = ended(&mut self.building)? {
            if status.success() {
                self.restart()?;
            } else if self.serving.is_some() {
                SERVER.print("it does not compile: the one before keeps running");
            }
        }
        if let Some(status) = ended(&mut self.serving)? {
            SERVER.print(&format!("it ended with {status}; the next change starts it again"));
        }
        let now = Fingerprint::of(project::root(), &server::INPUTS)?;
        if self.building.is_none() && self.built != Some(now) {
            self.built = Some(now);
            self.building = Some(SERVER.start(&mut process::cargo(server::BUILD))?);
        }
        Ok(())
    }

    fn restart(&mut self) -> Result {
        // The old one has to let go of the port and of the data before the new one starts.
        self.serving = None;
        self.serving = Some(SERVER.start(&mut process::program(project::dev_server(), ""))?);
        Ok(())
    }
}

/// How a child ended, if there is one and it did; it is then gone.
fn ended(child: &mut Option<Running>) -> Result<Option<std::process::ExitStatus>> {
    let Some(running) = child else { return Ok(None) };
    let status = running.ended()?;
    if status.is_some() {
        *child = None;
    }
    Ok(status)
}
