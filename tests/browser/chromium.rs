//! The capabilities of a Chromium session.

use std::path::Path;

use thirtyfour::common::capabilities::chromium::ChromiumLikeCapabilities;
use thirtyfour::{Capabilities, DesiredCapabilities, LoggingPrefsLogLevel};

use crate::driver::{Browser, installed};

const FLAGS: [&str; 13] = [
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
    // Saves processes that no test uses: those of extensions, and spare ones for a page of another site.
    "--disable-extensions",
    "--disable-features=SpareRendererForSitePerProcess",
    // A mouse: without one, as on a phone, a page does not focus fields. 4 is "fine", 2 is "hover".
    "--blink-settings=primaryPointerType=4,availablePointerTypes=4,primaryHoverType=2,availableHoverTypes=2",
];

/// The names of the headless shell. Debian's comes first, by its full path: the one on the PATH is a script, and ending
/// that would leave the browser running.
const HEADLESS_SHELL: [&str; 2] = ["/usr/lib/chromium/chromium-headless-shell", "chrome-headless-shell"];

/// A session of the complete browser, with this profile and more flags.
pub fn with_tabs(profile: &Path, flags: &[&str]) -> Capabilities {
    capabilities(&Browser::Chromium.program(), profile, flags)
}

/// A session of the headless shell if it is installed, or else of the complete browser. The shell is the same engine
/// and starts in a third of the time, but has no tabs: a page behind another one is not hidden.
pub fn without_tabs(profile: &Path) -> Capabilities {
    match installed("CHROMIUM_HEADLESS_SHELL", &HEADLESS_SHELL) {
        None => with_tabs(profile, &[]),
        Some(shell) => {
            let mut wanted = capabilities(&shell, profile, &[]);
            // With the name of the complete browser, the driver waits for a first tab that never comes.
            wanted.set("browserName", "chrome-headless-shell").unwrap();
            wanted
        }
    }
}

fn capabilities(program: &str, profile: &Path, flags: &[&str]) -> Capabilities {
    let mut wanted = DesiredCapabilities::chrome();
    for flag in FLAGS.iter().chain(flags) {
        wanted.add_arg(flag).unwrap();
    }
    // chromedriver adds this switch by itself. Without it a hidden tab is throttled as it is for users.
    wanted.add_exclude_switch("disable-background-timer-throttling").unwrap();
    wanted.add_arg(&format!("--user-data-dir={}", profile.display())).unwrap();
    wanted.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
    wanted.set_binary(program).unwrap();
    wanted.into()
}
