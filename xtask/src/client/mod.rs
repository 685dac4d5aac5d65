//! The release client: built by trunk, finished by us.
//!
//! Trunk does the compiling and the page. It names the files after the compiler's bytes, though, so that two
//! different files could carry one cached name; the steps here make the bytes and the names final.

pub(crate) mod budget;
mod compress;
pub(crate) mod cost;
mod finish;

use crate::commands::setup;
use crate::failure::Result;
use crate::stamp::Stamp;
use crate::tools::Tool;
use crate::{files, process, project, say, tools};
use std::path::PathBuf;
use std::process::Command;

/// What the client is made of.
const INPUTS: [&str; 11] = [
    ".cargo/config.toml",
    "client/src",
    "client/index.html",
    "client/Cargo.toml",
    "shared",
    "assets",
    "xtask/src/client",
    "Cargo.toml",
    "Cargo.lock",
    "Trunk.toml",
    "rust-toolchain.toml",
];

/// Builds the release client unless it is fresh, installing what that needs. Its folder.
pub(crate) fn build() -> Result<PathBuf> {
    let folder = project::client();
    let inputs: Vec<PathBuf> = INPUTS.iter().map(PathBuf::from).collect();
    let stamp = Stamp::new("client", &inputs, folder.join("index.html"))?;
    if stamp.is_fresh() {
        return Ok(folder);
    }
    setup::client_tools()?;
    say::step("building the client for release", "a few minutes the first time, then well under one");

    // Built beside the folder that a server may be serving, and moved into place when it is whole.
    let fresh = folder.with_extension("new");
    process::run(trunk("build --release --dist")?.arg(&fresh))?;
    finish::keep_cost(&fresh)?;
    finish::strip_names(&fresh)?;
    finish::strip_comments(&fresh)?;
    finish::merge_styles(&fresh)?;
    finish::name_by_content(&fresh)?;
    say::step("compressing the client", "once here, so that the server need not do it for each request");
    compress::folder(&fresh)?;
    files::remove(&folder)?;
    files::rename(&fresh, &folder)?;
    stamp.write()?;
    Ok(folder)
}

/// Trunk with these words, and with the right `wasm-bindgen` before any other on its `PATH`.
pub(crate) fn trunk(words: &str) -> Result<Command> {
    let missing = "a tool is missing: `cargo xtask setup` installs it";
    let trunk = Tool::trunk().find().ok_or(missing)?;
    let wasm_bindgen = Tool::wasm_bindgen()?.find().ok_or(missing)?;
    let mut command = process::program(&trunk, "--skip-version-check");
    command.args(words.split_whitespace()).env("PATH", tools::path_with(&[wasm_bindgen]));
    // Trunk takes `NO_COLOR=1`, which is how everybody says it, for a mistake.
    if std::env::var_os("NO_COLOR").is_some() {
        command.env("NO_COLOR", "true");
    }
    Ok(command)
}
