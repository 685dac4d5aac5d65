//! Compilation of the client: cargo builds the WebAssembly, `wasm-bindgen` prepares it for the browser.
//!
//! `wasm-bindgen` is a library here, not an installed program. Cargo.lock keeps it at the version of the crate that
//! the client is compiled with; no other version can read its output.

use super::cost;
use crate::failure::Result;
use crate::label::LineLabel;
use crate::tools::WASM;
use crate::{cargo, files};
use std::collections::BTreeMap;
use std::path::Path;
use wasm_bindgen_cli_support::Bindgen;

/// Kind of client build.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Mode {
    /// Small, for production.
    Release,
    /// Quick to build, with function names and runtime checks.
    Development,
    /// Like `Development`, with a page that reloads itself after each build.
    Watched,
}

/// Code of the client as the browser loads it.
pub(super) struct Code {
    /// JavaScript module whose default export starts the WebAssembly.
    pub(super) script: String,
    pub(super) wasm: Vec<u8>,
    /// JavaScript of other crates, by the path relative to the page at which `script` imports it.
    pub(super) snippets: BTreeMap<String, String>,
}

/// Compiles the client's library `name` with this cargo profile.
pub(super) fn compile(mode: Mode, name: &str, profile: &str, label: Option<LineLabel>) -> Result<Code> {
    let mut build =
        cargo::command(&format!("build --package client --lib --target {WASM} --profile {profile}"));
    if mode != Mode::Release {
        // Browsers show function names and ignore debug information, which is half of the bytes.
        build.args(["--config", "profile.dev.debug=false", "--config", "profile.dev.strip='debuginfo'"]);
    }
    // The user means these for builds for their own machine, not for the browser.
    build.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    let program = cargo::build(&mut build, name, label)?;
    if mode == Mode::Release {
        // Needs the function names, which wasm-bindgen removes below.
        cost::save(&cost::measure(&files::read(&program)?)?)?;
    }
    run_wasm_bindgen(&program, mode)
        .map_err(|error| format!("wasm-bindgen cannot read {}: {error:#}", program.display()).into())
}

fn run_wasm_bindgen(program: &Path, mode: Mode) -> anyhow::Result<Code> {
    let mut bindgen = Bindgen::new();
    // Mangled names are clear enough for debugging, and demangling takes time.
    bindgen.input_path(program).web(true)?.demangle(false);
    // Function names are two fifths of the bytes and only serve debugging.
    bindgen.remove_name_section(mode == Mode::Release);
    let mut output = bindgen.generate_output()?;
    let wasm = output.wasm_mut().emit_wasm();
    let mut snippets = BTreeMap::new();
    for (folder, texts) in output.snippets() {
        for (number, text) in texts.iter().enumerate() {
            snippets.insert(format!("snippets/{folder}/inline{number}.js"), text.clone());
        }
    }
    for (path, text) in output.local_modules() {
        snippets.insert(format!("snippets/{path}"), text.clone());
    }
    let script = if mode == Mode::Release { strip_comments(output.js()) } else { output.js().to_owned() };
    Ok(Code { script, wasm, snippets })
}

/// Removes lines that are only comment, as all comments of wasm-bindgen are: a fifteenth of the bytes.
fn strip_comments(script: &str) -> String {
    let mut in_comment = false;
    let is_code = |line: &&str| {
        let text = line.trim();
        let begins = text.starts_with("/**");
        let is_comment = in_comment || begins || text.starts_with("//");
        in_comment = (in_comment || begins) && !text.ends_with("*/");
        !is_comment
    };
    script.split_inclusive('\n').filter(is_code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_removed_and_code_stays() {
        let script = "/** One. */\nlet a = 1; // kept\n  /**\n   * @returns {number}\n   */\n  get b() {}\n// Gone.\n`//`";
        assert_eq!(strip_comments(script), "let a = 1; // kept\n  get b() {}\n`//`");
    }
}
