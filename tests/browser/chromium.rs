//! Chromium, as the tests start it.

use std::path::Path;

use thirtyfour::common::capabilities::chromium::ChromiumLikeCapabilities;
use thirtyfour::{Capabilities, DesiredCapabilities, LoggingPrefsLogLevel};

use crate::driver::Browser;

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

/// A session of it with this profile and more flags.
pub fn capabilities(profile: &Path, flags: &[&str]) -> Capabilities {
    let mut wanted = DesiredCapabilities::chrome();
    for flag in FLAGS.iter().chain(flags) {
        wanted.add_arg(flag).unwrap();
    }
    // chromedriver's own wish; without it a hidden tab has as little time as a person's.
    wanted.add_exclude_switch("disable-background-timer-throttling").unwrap();
    wanted.add_arg(&format!("--user-data-dir={}", profile.display())).unwrap();
    wanted.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
    wanted.set_binary(&Browser::Chromium.program()).unwrap();
    wanted.into()
}
