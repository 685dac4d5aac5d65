//! The built client in real, headless Chromium, against the real server: `cargo xtask test` runs it.
//!
//! By hand: `DUPLEX_PAGES=<folder of the built client> cargo test --test browser`. chromedriver and Chromium are
//! found on the PATH, or named by `CHROMEDRIVER` and `CHROMIUM`.

#![allow(clippy::unwrap_used, reason = "where a test cannot go on, it has failed")]

#[path = "../support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the other test binary uses all of it")]
mod support;

mod chromedriver;
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
    let usual = ["--pages", pages.as_str(), "--identity-publishes-per-sec", "1000"];
    TestServer::of(Program::Product, &[&usual, flags].concat())
}

/// The folder of the client.
fn pages() -> String {
    std::env::var("DUPLEX_PAGES").unwrap_or_else(|_| {
        panic!("these tests need a built client: run `cargo xtask test`, or name its folder in DUPLEX_PAGES")
    })
}
