//! `Driver`: the program between a test and its browser, on a free port of its own.

use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::support::{DEADLINE, Port};

/// The browser that all windows of a run are of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Browser {
    /// With everything that the DevTools protocol can do.
    Chromium,
    /// As far as WebDriver goes.
    Firefox,
}

impl Browser {
    /// Chromium, unless `DUPLEX_BROWSER` says `firefox`.
    pub fn chosen() -> Browser {
        match env::var("DUPLEX_BROWSER").as_deref() {
            Err(_) | Ok("" | "chromium") => Browser::Chromium,
            Ok("firefox") => Browser::Firefox,
            Ok(other) => panic!("DUPLEX_BROWSER is chromium or firefox, not {other}"),
        }
    }

    /// The driver's name, the variable that may name another one, and the package that has it.
    fn driver(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Browser::Chromium => ("chromedriver", "CHROMEDRIVER", "Debian's chromium-driver"),
            Browser::Firefox => ("geckodriver", "GECKODRIVER", "`cargo install geckodriver`"),
        }
    }

    /// The path of the browser.
    pub fn program(self) -> String {
        let (variable, names): (_, &[&str]) = match self {
            Browser::Chromium => {
                ("CHROMIUM", &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"])
            }
            Browser::Firefox => ("FIREFOX", &["firefox-esr", "firefox"]),
        };
        installed(variable, names).unwrap_or_else(|| {
            panic!("{} is not on the PATH: install it, or name it in {variable}", names[0])
        })
    }
}

/// The program that this variable names, else the first of these that is on the PATH.
pub fn installed(variable: &str, names: &[&str]) -> Option<String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut known =
        env::split_paths(&path).flat_map(|folder| names.iter().map(move |name| folder.join(name)));
    let found = || known.find(|program| program.is_file()).map(|program| program.display().to_string());
    env::var(variable).ok().or_else(found)
}

/// A running driver; dropping it ends it. The session must have ended before, or its browser stays.
pub struct Driver {
    child: Child,
    port: Port,
}

impl Driver {
    /// Starts one.
    pub fn of(browser: Browser) -> Driver {
        let (name, variable, package) = browser.driver();
        let program = env::var_os(variable).unwrap_or(OsString::from(name));
        // Left to choose by itself, chromedriver takes a port of IPv6 and ends where that is not free in IPv4 too.
        let port = Port::free();
        let mut command = Command::new(&program);
        command.arg(format!("--port={}", port.address().port()));
        if browser == Browser::Firefox {
            // Any free one, where it would be the same for all.
            command.arg("--websocket-port=0");
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|error| {
            panic!(
                "{name} cannot be started ({}: {error}): install it ({package}), or name it in {variable}",
                program.display()
            )
        });
        let ready = listens(child.stdout.take().expect("it is piped"), &port).recv_timeout(DEADLINE);
        let driver = Driver { child, port };
        ready.unwrap_or_else(|_| panic!("{name} does not say that it listens"));
        driver
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.port.address())
    }
}

/// The moment at which it says that it listens: `… on port 40123.` or `Listening on 127.0.0.1:40123`.
fn listens(output: impl Read + Send + 'static, port: &Port) -> Receiver<()> {
    let (ready, listens) = channel();
    let port = port.address().port().to_string();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let lower = line.to_lowercase();
            let is_ready = lower.contains("listening on ") || lower.contains("started successfully on port ");
            if is_ready && line.contains(&port) {
                ready.send(()).ok();
            }
        }
    });
    listens
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
