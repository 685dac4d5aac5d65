//! The client as the server serves it: compiled, put into its page, named by its bytes, compressed.
//!
//! `client/index.html` is trunk's page as well, for those who run `trunk serve` beside `cargo run`.

pub(crate) mod budget;
mod compile;
pub(crate) mod cost;
mod output;
mod page;

use crate::failure::Result;
use crate::label::Label;
use crate::stamp::Stamp;
use crate::{cargo, project, say, tools};
use compile::Mode;
use output::Folder;
use page::Page;
use std::path::{Path, PathBuf};

/// What the client is made of.
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

/// Builds the release client unless it is fresh. Its folder.
pub(crate) fn build() -> Result<PathBuf> {
    unless_fresh("client", |finished| {
        say::step("building the client for release", "three minutes the first time, then one");
        let folder = assemble(Mode::Release, finished, None)?;
        say::step(
            "compressing the client",
            "seconds; once here, so that the server need not do it for each request",
        );
        output::compress(folder.path())?;
        Ok(folder)
    })
}

/// Builds the development client unless it is fresh. Its folder.
pub(crate) fn build_dev() -> Result<PathBuf> {
    unless_fresh("client-dev", |finished| {
        say::step("building the client", "two to three minutes the first time, then seconds");
        assemble(Mode::Development, finished, None)
    })
}

/// Builds the development client again, its lines behind that label, with a page that reloads itself. Its folder.
pub(crate) fn rebuild_watched(label: Label) -> Result<PathBuf> {
    let finished = cargo::target()?.join("client-watched");
    assemble(Mode::Watched, &finished, Some(label))?.finish()?;
    Ok(finished)
}

/// The folder of that name, built anew only if it is not made of the inputs as they are.
fn unless_fresh(name: &str, build: impl FnOnce(&Path) -> Result<Folder>) -> Result<PathBuf> {
    let stamp = Stamp::new(name, &INPUTS)?;
    if let Some(page) = stamp.fresh() {
        return Ok(page.parent().map(Path::to_path_buf).unwrap_or_default());
    }
    tools::install_wasm_target()?;
    let finished = cargo::target()?.join(name);
    build(&finished)?.finish()?;
    stamp.write(&finished.join("index.html"))?;
    Ok(finished)
}

fn assemble(mode: Mode, finished: &Path, label: Option<Label>) -> Result<Folder> {
    let page = Page::read(&project::root().join("client/index.html"))?;
    let name = page.of_code("data-target-name").unwrap_or("client");
    let release_profile = page.of_code("data-cargo-profile-release").unwrap_or("release");
    let code = compile::compile(mode, name, release_profile, label)?;
    let folder = Folder::begin(finished)?;
    page.write(mode, &code, &folder)?;
    Ok(folder)
}
