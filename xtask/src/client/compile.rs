//! The client's code: compiled by cargo, made ready for the browser by `wasm-bindgen`.
//!
//! `wasm-bindgen` is a library here, not a program that has to be installed: Cargo.lock keeps it at the version of the
//! crate that the client is compiled with, which is the only version that understands its output.

use super::cost;
use crate::failure::Result;
use crate::label::Label;
use crate::tools::WASM;
use crate::{cargo, files};
use std::collections::BTreeMap;
use std::path::Path;
use wasm_bindgen_cli_support::Bindgen;

/// Settings of a person's environment that are meant for programs on their own machine, and not for the browser.
const HOST_VARIABLES: [&str; 2] = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"];

/// A way to build the client.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Mode {
    /// Small, for people.
    Release,
    /// Soon, and with names and checks.
    Development,
    /// The same for somebody who works on it: the page reloads itself.
    Watched,
}

/// The client's code as a browser loads it.
pub(super) struct Code {
    /// The JavaScript module whose default export starts the WebAssembly.
    pub(super) script: String,
    /// The WebAssembly.
    pub(super) wasm: Vec<u8>,
    /// Further JavaScript of crates, by the path below the page's folder where `script` imports it.
    pub(super) snippets: BTreeMap<String, String>,
}

/// Compiles the client's library `name`, in the profile that this mode asks for.
pub(super) fn compile(mode: Mode, name: &str, release_profile: &str, label: Option<Label>) -> Result<Code> {
    let profile = if mode == Mode::Release { release_profile } else { "dev" };
    let mut build =
        cargo::command(&format!("build --package client --lib --target {WASM} --profile {profile}"));
    if mode != Mode::Release {
        // Browsers show functions by name, and read nothing of what is left out here: half of the bytes.
        build.args(["--config", "profile.dev.debug=false", "--config", "profile.dev.strip='debuginfo'"]);
    }
    for variable in HOST_VARIABLES {
        build.env_remove(variable);
    }
    let program = cargo::build(&mut build, name, label)?;
    if mode == Mode::Release {
        // As long as its functions have names.
        cost::save(&cost::measure(&files::read(&program)?)?)?;
    }
    run_wasm_bindgen(&program, mode)
        .map_err(|error| format!("wasm-bindgen cannot read {}: {error:#}", program.display()).into())
}

fn run_wasm_bindgen(program: &Path, mode: Mode) -> anyhow::Result<Code> {
    let mut bindgen = Bindgen::new();
    // What the compiler calls its functions says enough to whoever looks for a fault, and is there sooner.
    bindgen.input_path(program).web(true)?.demangle(false);
    // Two fifths of the bytes are names of functions, which only somebody who looks for a fault reads.
    bindgen.remove_name_section(mode == Mode::Release);
    let mut output = bindgen.generate_output()?;
    let wasm = output.wasm_mut().emit_wasm();
    let inline = output.snippets().iter().flat_map(|(from, texts)| {
        texts
            .iter()
            .enumerate()
            .map(move |(number, text)| (format!("{from}/inline{number}.js"), text.clone()))
    });
    let modules = output.local_modules().iter().map(|(path, text)| (path.clone(), text.clone()));
    let snippets = inline.chain(modules).map(|(path, text)| (format!("snippets/{path}"), text)).collect();
    let script = match mode {
        Mode::Release => strip_comments(output.js()),
        Mode::Development | Mode::Watched => output.js().to_owned(),
    };
    Ok(Code { script, wasm, snippets })
}

/// The script without the lines that are nothing but comment, as wasm-bindgen writes all of its own: a fifteenth of
/// its bytes.
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
    fn comments_go_and_code_stays() {
        let script = "/** One. */\nlet a = 1; // kept\n  /**\n   * @returns {number}\n   */\n  get b() {}\n// Gone.\n`//`";
        assert_eq!(strip_comments(script), "let a = 1; // kept\n  get b() {}\n`//`");
    }
}
