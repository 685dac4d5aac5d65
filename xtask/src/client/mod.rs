//! Client builds: compiled code, the page that loads it, hashed file names, compression.
//!
//! `client/index.html` is also the page of trunk, for those who run `trunk serve` beside `cargo run`.

pub(crate) mod budget;
mod compile;
pub(crate) mod cost;
mod output;
mod page;

use crate::failure::Result;
use crate::label::LineLabel;
use crate::stamp::BuildStamp;
use crate::{cargo, console, project, tools};
use compile::Mode;
use output::OutputDir;
use page::IndexPage;
use std::path::{Path, PathBuf};

/// Files and folders that the client is built from.
pub(crate) const INPUTS: [&str; 10] = [
    ".cargo/config.toml",
    "client/src",
    "client/index.html",
    "client/Cargo.toml",
    "shared",
    "assets",
    "xtask/src/client",
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
];

/// Builds the release client unless it is fresh, and returns its folder.
pub(crate) fn build() -> Result<PathBuf> {
    build_unless_fresh("client", |finished| {
        console::step("building the client for release", "about three minutes the first time, then one");
        let folder = assemble(Mode::Release, finished, None)?;
        console::step("compressing the client", "a few seconds now, so that no request has to do it");
        output::compress(folder.path())?;
        Ok(folder)
    })
}

/// Builds the development client unless it is fresh, and returns its folder.
pub(crate) fn build_dev() -> Result<PathBuf> {
    build_unless_fresh("client-dev", |finished| {
        console::step("building the client", "two to three minutes the first time, seconds after that");
        assemble(Mode::Development, finished, None)
    })
}

/// Builds the development client with a page that reloads itself, and returns its folder. Cargo's output is printed
/// behind `label`.
pub(crate) fn rebuild_watched(label: LineLabel) -> Result<PathBuf> {
    let finished = cargo::target_dir()?.join("client-watched");
    assemble(Mode::Watched, &finished, Some(label))?.finish()?;
    Ok(finished)
}

/// Returns the folder of that name below the target folder, rebuilt if its inputs have changed.
fn build_unless_fresh(name: &str, build: impl FnOnce(&Path) -> Result<OutputDir>) -> Result<PathBuf> {
    let finished = cargo::target_dir()?.join(name);
    let page = finished.join("index.html");
    let stamp = BuildStamp::new(name, &INPUTS)?;
    if !stamp.is_fresh(&page)? {
        tools::install_wasm_target()?;
        build(&finished)?.finish()?;
        stamp.save(&page)?;
    }
    Ok(finished)
}

fn assemble(mode: Mode, finished: &Path, label: Option<LineLabel>) -> Result<OutputDir> {
    let page = IndexPage::read(&project::root().join("client/index.html"))?;
    let name = page.code_attribute("data-target-name").unwrap_or("client");
    let profile = match mode {
        Mode::Release => page.code_attribute("data-cargo-profile-release").unwrap_or("release"),
        Mode::Development | Mode::Watched => "dev",
    };
    let code = compile::compile(mode, name, profile, label)?;
    let folder = OutputDir::create(finished)?;
    page.write(mode, &code, &folder)?;
    Ok(folder)
}
