//! `Chromedriver`: the program between a test and its Chromium, on a free port of its own.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::support::{DEADLINE, Port};

/// A running chromedriver; dropping it ends it. The session must have ended before, or Chromium stays.
pub struct Chromedriver {
    child: Child,
    port: Port,
}

impl Chromedriver {
    /// Starts one.
    pub fn start() -> Chromedriver {
        let program = std::env::var_os("CHROMEDRIVER").unwrap_or(OsString::from("chromedriver"));
        // Left to choose by itself, it takes a port of IPv6 and ends where that is not free in IPv4 too.
        let port = Port::free();
        let started = Command::new(&program)
            .arg(format!("--port={}", port.address().port()))
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
        let ready = listens(child.stdout.take().expect("it is piped"), &port).recv_timeout(DEADLINE);
        let chromedriver = Chromedriver { child, port };
        ready.expect("chromedriver says that it listens");
        chromedriver
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.port.address())
    }
}

/// That it listens, once it says so.
fn listens(output: impl Read + Send + 'static, port: &Port) -> Receiver<()> {
    let (ready, listens) = channel();
    let said = format!("started successfully on port {}", port.address().port());
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if line.contains(&said) {
                ready.send(()).ok();
            }
        }
    });
    listens
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
