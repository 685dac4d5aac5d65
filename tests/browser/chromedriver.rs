//! `Chromedriver`: the program between a test and its Chromium, on a free port of its own.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::support::DEADLINE;

/// A running chromedriver; dropping it ends it. The session must have ended before, or Chromium stays.
pub struct Chromedriver {
    child: Child,
    port: u16,
}

impl Chromedriver {
    /// Starts one.
    pub fn start() -> Chromedriver {
        let program = std::env::var_os("CHROMEDRIVER").unwrap_or(OsString::from("chromedriver"));
        let started = Command::new(&program)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = started.unwrap_or_else(|error| {
            panic!(
                "chromedriver cannot be started ({}: {error}): install it (Debian: chromium-driver), or name it \
                 in CHROMEDRIVER",
                program.display()
            )
        });
        let port = port_of(child.stdout.take().expect("it is piped")).recv_timeout(DEADLINE);
        let port = port.expect("chromedriver says on which port it listens");
        Chromedriver { child, port }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// The port that it says it listens on.
fn port_of(output: impl Read + Send + 'static) -> Receiver<u16> {
    let (found, port) = channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let said = line.split_once("started successfully on port ");
            if let Some(Ok(port)) = said.map(|(_, port)| port.trim_end_matches('.').parse()) {
                found.send(port).ok();
            }
        }
    });
    port
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
