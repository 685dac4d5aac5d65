//! Server builds: a development build for `run` and `dev`, and the release binary that contains the client.

use crate::failure::Result;
use crate::label::LineLabel;
use crate::{cargo, console, project};
use std::path::{Path, PathBuf};

/// Files and folders that the server is built from.
pub(crate) const INPUTS: [&str; 5] = ["server", "shared", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml"];

/// Builds the development server and returns its path. Cargo's output is printed behind the label if there is one.
pub(crate) fn build_dev(label: Option<LineLabel>) -> Result<PathBuf> {
    cargo::build(&mut cargo::command("build --package server"), project::NAME, label)
}

/// Builds the release server with the client folder embedded and these extra features, and returns its path.
pub(crate) fn build_release(client: &Path, extra_features: &[&str]) -> Result<PathBuf> {
    console::step("building the release server", "optimised, with the client embedded; takes a few minutes");
    let features = [&["embed", "jemalloc"], extra_features].concat().join(",");
    let mut build = cargo::command("build --release --package server");
    build.arg(format!("--features={features}")).env("DUPLEX_EMBED", client);
    cargo::build(&mut build, project::NAME, None)
}
