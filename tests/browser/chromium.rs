//! `Chromium`: a browser of its own for each person, started and ended by the test.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use thirtyfour::{ChromiumLikeCapabilities, DesiredCapabilities, LoggingPrefsLogLevel, WebDriver};

/// A crowded machine starts a browser slowly.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// No sandbox since tests run as root in containers; the rest keeps it from talking to anyone but us.
const FLAGS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
];

/// A running browser with an empty profile. Dropping it ends it.
pub struct Chromium {
    pub driver: WebDriver,
    chromedriver: Child,
    _profile: TempDir,
}

impl Chromium {
    /// Starts it.
    pub async fn start() -> Chromium {
        let (chromedriver, url) = start_chromedriver();
        let profile = TempDir::new().expect("there is room for a profile");
        let mut wanted = DesiredCapabilities::chrome();
        wanted.set_binary(&program("CHROMIUM", "chromium")).expect("a path is text");
        let profile_flag = format!("--user-data-dir={}", profile.path().display());
        for flag in FLAGS.iter().copied().chain([profile_flag.as_str()]) {
            wanted.add_arg(flag).expect("a flag is text");
        }
        wanted.set_browser_log_level(LoggingPrefsLogLevel::All).expect("a level is text");
        let driver = WebDriver::builder(url, wanted).request_timeout(ANSWER_WITHIN).connect().await;
        let driver = driver.unwrap_or_else(|error| panic!("Chromium does not start: {error}"));
        Chromium { driver, chromedriver, _profile: profile }
    }
}

impl Drop for Chromium {
    /// Asked to stop, chromedriver takes its browser along.
    fn drop(&mut self) {
        let pid = self.chromedriver.id().to_string();
        let asked = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &pid]).status();
        if !asked.is_ok_and(|status| status.success()) {
            self.chromedriver.kill().ok();
        }
        self.chromedriver.wait().ok();
    }
}

/// Starts it on a port that it chooses itself, and tells its address.
fn start_chromedriver() -> (Child, String) {
    let path = program("CHROMEDRIVER", "chromedriver");
    let started = Command::new(&path).arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child =
        started.unwrap_or_else(|error| panic!("{path}: {error}; run `cargo xtask setup --with-browser`"));
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        Some(port.trim_end_matches('.').to_owned())
    });
    // Read on, so that it never waits for a full pipe.
    std::thread::spawn(move || lines.for_each(drop));
    (child, format!("http://127.0.0.1:{}", port.expect("chromedriver tells its port")))
}

fn program(variable: &str, usual: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| usual.into())
}
