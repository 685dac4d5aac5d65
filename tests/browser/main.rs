//! The built client in real, headless Chromium, against the real server: `cargo xtask test` runs it.
//!
//! By hand: `DUPLEX_CLIENT_FILES=<folder of the built client> cargo test --test browser`. Chromium and chromedriver are
//! found on the PATH, or named by `CHROMIUM` and `CHROMEDRIVER`. What needs no tab strip runs in
//! chromium-headless-shell where that is installed (`CHROMIUM_HEADLESS_SHELL`): the same engine, there in a third of
//! the time. With `DUPLEX_BROWSER=firefox` it is Firefox and geckodriver (`FIREFOX`, `GECKODRIVER`), for tests that
//! use nothing of the DevTools protocol.

#![allow(clippy::unwrap_used, reason = "where a test cannot go on, it has failed")]

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

/// The product with the client that was built.
fn product() -> TestServer {
    product_with(&[])
}

/// The same with more flags.
fn product_with(flags: &[&str]) -> TestServer {
    let pages = pages();
    let is_inside = cfg!(feature = "embed") && std::env::var_os("DUPLEX_CLIENT_FILES").is_none();
    let from = if is_inside { vec![] } else { vec!["--client-files", pages.as_str()] };
    let usual = ["--identity-publishes-per-sec", "1000"];
    TestServer::of(Program::Product, &[&from, &usual[..], flags].concat())
}

/// The folder of the client, which the server reads, or holds inside if it was built so.
fn pages() -> String {
    let named = |variable: &str| std::env::var(variable).ok();
    named("DUPLEX_CLIENT_FILES").or_else(|| named("DUPLEX_EMBED")).unwrap_or_else(|| {
        panic!("these tests need a built client: run `cargo xtask test`, or name its folder in DUPLEX_CLIENT_FILES")
    })
}
