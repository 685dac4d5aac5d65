//! The server's two builds: a quick one for `run`, and the release binary with the client inside.

use crate::failure::Result;
use crate::label::Label;
use crate::stamp::Stamp;
use crate::{cargo, console, project};
use std::path::{Path, PathBuf};

/// What the server is made of.
pub(crate) const INPUTS: [&str; 5] = ["server", "shared", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml"];

/// Builds the development server unless it is fresh. Its path.
pub(crate) fn build_dev() -> Result<PathBuf> {
    let stamp = Stamp::new("server", &INPUTS)?;
    if let Some(binary) = stamp.fresh_output() {
        return Ok(binary);
    }
    console::step("building the server", "three minutes the first time, then seconds; the client comes next");
    let binary = cargo::build(&mut cargo::command("build --package server"), project::NAME, None)?;
    stamp.save(&binary)?;
    Ok(binary)
}

/// Builds the development server again, its lines behind that label. Its path.
pub(crate) fn rebuild_dev(label: Label) -> Result<PathBuf> {
    cargo::build(&mut cargo::command("build --package server"), project::NAME, Some(label))
}

/// Builds the release server with a finished client inside, and with these features. Its path.
pub(crate) fn build_release(client: &Path, features: &[&str]) -> Result<PathBuf> {
    console::step("building the release server", "optimised and with the client inside; some minutes");
    let mut build = cargo::command("build --release --package server");
    build
        .arg(format!("--features={}", [&["embed", "jemalloc"], features].concat().join(",")))
        .env("DUPLEX_EMBED", client);
    cargo::build(&mut build, project::NAME, None)
}
