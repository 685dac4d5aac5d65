//! Chromium, as the tests start it.

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
    // Processes that no test uses: of extensions, and those that wait for a page of another site.
    "--disable-extensions",
    "--disable-features=SpareRendererForSitePerProcess",
    // A mouse: without one, as on a phone, a page leaves the keyboard alone. 4 is "fine", 2 is "hover".
    "--blink-settings=primaryPointerType=4,availablePointerTypes=4,primaryHoverType=2,availableHoverTypes=2",
];

/// Debian's comes first by its whole path: on the PATH stands a script that would end without it.
const HEADLESS_SHELL: [&str; 2] = ["/usr/lib/chromium/chromium-headless-shell", "chrome-headless-shell"];

/// A session of the whole browser with this profile and more flags.
pub fn with_tabs(profile: &Path, flags: &[&str]) -> Capabilities {
    capabilities(&Browser::Chromium.program(), profile, flags)
}

/// A session of the same engine without the browser around it, where that is installed, else of the whole browser. It
/// is there in a third of the time, but has no tab strip: a page behind another one is not hidden.
pub fn of_pages_alone(profile: &Path) -> Capabilities {
    match installed("CHROMIUM_HEADLESS_SHELL", &HEADLESS_SHELL) {
        None => with_tabs(profile, &[]),
        Some(shell) => {
            let mut wanted = capabilities(&shell, profile, &[]);
            // By the browser's own name, its driver waits for a first tab that never comes.
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
    // chromedriver's own wish; without it a hidden tab has as little time as a person's.
    wanted.add_exclude_switch("disable-background-timer-throttling").unwrap();
    wanted.add_arg(&format!("--user-data-dir={}", profile.display())).unwrap();
    wanted.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
    wanted.set_binary(program).unwrap();
    wanted.into()
}
