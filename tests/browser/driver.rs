//! `Driver`: the WebDriver program between a test and its browser, on a port of its own.

use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::support::{DEADLINE, Port};

/// The browser of all windows of a run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Browser {
    /// Chromium, with the DevTools protocol.
    Chromium,
    /// Firefox, with WebDriver only.
    Firefox,
}

impl Browser {
    /// The browser that `DUPLEX_BROWSER` names; Chromium if it is not set.
    pub fn chosen() -> Browser {
        match env::var("DUPLEX_BROWSER").as_deref() {
            Err(_) | Ok("" | "chromium") => Browser::Chromium,
            Ok("firefox") => Browser::Firefox,
            Ok(other) => panic!("DUPLEX_BROWSER is chromium or firefox, not {other}"),
        }
    }

    /// The name of the driver, the variable that names another one, and the package that contains it.
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

/// The program that the variable names, or else the first of `names` that is on the PATH.
pub fn installed(variable: &str, names: &[&str]) -> Option<String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut known =
        env::split_paths(&path).flat_map(|folder| names.iter().map(move |name| folder.join(name)));
    let found = || known.find(|program| program.is_file()).map(|program| program.display().to_string());
    env::var(variable).ok().or_else(found)
}

/// A running driver; dropping it ends it. A session that has not ended before leaves its browser running.
pub struct Driver {
    child: Child,
    port: Port,
}

impl Driver {
    /// Starts the driver of a browser.
    pub fn of(browser: Browser) -> Driver {
        let (name, variable, package) = browser.driver();
        let program = env::var_os(variable).unwrap_or(OsString::from(name));
        // With a port of its own choice, chromedriver takes one of IPv6 and ends if that is not free in IPv4 too.
        let port = Port::free();
        let mut command = Command::new(&program);
        command.arg(format!("--port={}", port.address().port()));
        if browser == Browser::Firefox {
            // Any free port; the default is the same for all drivers.
            command.arg("--websocket-port=0");
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|error| {
            panic!(
                "{name} cannot be started ({}: {error}): install it ({package}), or name it in {variable}",
                program.display()
            )
        });
        let ready = listens(child.stdout.take().expect("stdout is piped"), &port).recv_timeout(DEADLINE);
        let driver = Driver { child, port };
        ready.unwrap_or_else(|_| panic!("{name} does not log that it listens"));
        driver
    }

    /// The URL of the driver.
    pub fn url(&self) -> String {
        format!("http://{}", self.port.address())
    }
}

/// Sends once the driver logs that it listens: `… on port 40123.` or `Listening on 127.0.0.1:40123`.
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
