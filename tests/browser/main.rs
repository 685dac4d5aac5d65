//! Tests of the built client in real, headless Chromium, against the real server. `cargo xtask test` runs them.
//!
//! To run them by hand: `DUPLEX_CLIENT_FILES=<folder of the built client> cargo test --test browser`. Chromium and
//! chromedriver are found on the PATH, or named by `CHROMIUM` and `CHROMEDRIVER`. Tests that need no tabs run in
//! chromium-headless-shell if it is installed (`CHROMIUM_HEADLESS_SHELL`): it is the same engine and starts in a third
//! of the time. `DUPLEX_BROWSER=firefox` runs them in Firefox with geckodriver (`FIREFOX`, `GECKODRIVER`); that works
//! for tests that do not use the DevTools protocol.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the other test binary uses all of it")]
mod support;

mod chromium;
mod driver;
mod firefox;
#[allow(dead_code, reason = "the tests of features use all of it")]
mod gate;
#[allow(dead_code, reason = "the tests of features use all of it")]
mod recorder;
#[allow(dead_code, reason = "the tests of features use all of it")]
mod surroundings;
#[allow(dead_code, reason = "the tests of features use all of it")]
mod window;

mod boot;
mod chat; // demo
mod offline;
mod polling;
mod translation;
mod visit;

use support::{Program, TestServer};

/// Starts the product with the built client.
fn product() -> TestServer {
    product_with(&[])
}

/// Starts the product with the built client and more flags.
fn product_with(flags: &[&str]) -> TestServer {
    let files = client_files();
    let is_embedded = cfg!(feature = "embed") && std::env::var_os("DUPLEX_CLIENT_FILES").is_none();
    let client = if is_embedded { vec![] } else { vec!["--client-files", files.as_str()] };
    let rate = ["--identity-publishes-per-sec", "1000"];
    TestServer::of(Program::Product, &[&client, &rate[..], flags].concat())
}

/// The folder of the built client, which the server reads or has embedded.
fn client_files() -> String {
    let named = |variable: &str| std::env::var(variable).ok();
    named("DUPLEX_CLIENT_FILES").or_else(|| named("DUPLEX_EMBED")).unwrap_or_else(|| {
        panic!("these tests need a built client: run `cargo xtask test`, or name its folder in DUPLEX_CLIENT_FILES")
    })
}
