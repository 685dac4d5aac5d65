//! The server's two builds: a quick one for `run`, and the release binary with the client inside.

use crate::failure::Result;
use crate::stamp::Stamp;
use crate::{process, project, say};
use std::path::{Path, PathBuf};

/// What the server is made of.
pub(crate) const INPUTS: [&str; 5] = ["server", "shared", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml"];

/// How the server is built while one works on it.
pub(crate) const BUILD: &str = "build --package server";

/// Builds the development server unless it is fresh. Its path.
pub(crate) fn build_dev() -> Result<PathBuf> {
    let binary = project::dev_server();
    let stamp = Stamp::new("server", &INPUTS, binary.clone())?;
    if !stamp.is_fresh() {
        say::step("building the server", "a few minutes the first time, then seconds");
        process::run(&mut process::cargo(BUILD))?;
        stamp.write()?;
    }
    Ok(binary)
}

/// Builds the release server with a finished client inside, and with these features. Its path.
pub(crate) fn build_release(client: &Path, features: &[&str]) -> Result<PathBuf> {
    say::step("building the release server", "optimised and with the client inside; some minutes");
    let build =
        format!("build --release --package server --features={}", [&["embed"], features].concat().join(","));
    process::run(process::cargo(&build).env("DUPLEX_EMBED", client))?;
    Ok(project::release_server())
}
