//! The tools that are not part of Rust: which version the project wants, and where one is.

use crate::failure::{Failure, Result};
use crate::{console, files, process, project};
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program that `cargo install` can get, in the one version that fits.
pub(crate) struct Tool {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    /// What it is called as a package.
    pub(crate) package: &'static str,
    /// The version we want, to the letter.
    pub(crate) version: String,
}

impl Tool {
    /// Builds and serves the client's page in development, for those who prefer it to `cargo xtask dev`.
    pub(crate) fn trunk() -> Self {
        Tool { name: "trunk", package: "trunk", version: "0.21.14".into() }
    }

    /// Writes the JavaScript side of the client for trunk. It must be of the library's version exactly.
    pub(crate) fn wasm_bindgen() -> Result<Self> {
        let lock = files::read_text(&project::root().join("Cargo.lock"))?;
        let version = locked_version(&lock, "wasm-bindgen").ok_or("Cargo.lock has no wasm-bindgen")?;
        Ok(Tool { name: "wasm-bindgen", package: "wasm-bindgen-cli", version: version.into() })
    }

    /// Drives Firefox.
    pub(crate) fn geckodriver() -> Self {
        Tool { name: "geckodriver", package: "geckodriver", version: "0.37.0".into() }
    }

    /// The first one of the right version, in `.tools` or on `PATH`.
    pub(crate) fn find(&self) -> Option<PathBuf> {
        search_path().map(|folder| executable(&folder, self.name)).find(|path| self.has_right_version(path))
    }

    fn has_right_version(&self, path: &Path) -> bool {
        let version = || process::capture(&mut process::command(path, "--version"));
        path.is_file() && version().is_some_and(|text| text.split_whitespace().nth(1) == Some(&self.version))
    }
}

/// The WASM target's name, for rustup and cargo.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// Whether the compiler can build for the browser.
pub(crate) fn has_wasm_target() -> bool {
    process::capture(&mut process::command("rustc", "--print sysroot"))
        .is_some_and(|sysroot| Path::new(sysroot.trim()).join("lib/rustlib").join(WASM).is_dir())
}

/// Installs the target that the client is compiled for. Silent and quick when it is there.
pub(crate) fn install_wasm_target() -> Result {
    if has_wasm_target() {
        return Ok(());
    }
    let missing = format!("Rust's {WASM} target is missing, and the client is compiled with it");
    if find_on_path(&["rustup"]).is_none() {
        return Err(format!(
            "{missing}: install it the way Rust was installed (Debian: `apt-get install libstd-rust-dev-wasm32`), \
             or install Rust with <https://rustup.rs>"
        )
        .into());
    }
    console::step("adding Rust's WASM target", "the client is compiled for the browser; seconds, once");
    let add = format!("target add {WASM}");
    process::run(&mut process::command("rustup", &add)).map_err(|failure| match failure {
        Failure::Error(reason) => Failure::Error(format!(
            "{missing}, and rustup could not get it (is there a network, and does RUSTUP_DIST_SERVER have it?): {reason}"
        )),
        other => other,
    })
}

/// The browser of the browser tests; `CHROMIUM` decides if it is set.
pub(crate) fn chromium() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    from_env("CHROMIUM").or_else(|| find_on_path(&names))
}

/// The same browser's engine alone, where it is installed: it halves the time of the browser tests.
pub(crate) fn headless_shell() -> Option<PathBuf> {
    from_env("CHROMIUM_HEADLESS_SHELL")
        .or_else(|| find_on_path(&["chromium-headless-shell", "chrome-headless-shell"]))
}

/// The program that drives the browser; `CHROMEDRIVER` decides if it is set.
pub(crate) fn chromedriver() -> Option<PathBuf> {
    from_env("CHROMEDRIVER").or_else(|| find_on_path(&["chromedriver"]))
}

/// The other browser of the long tier; `FIREFOX` decides if it is set.
pub(crate) fn firefox() -> Option<PathBuf> {
    from_env("FIREFOX").or_else(|| find_on_path(&["firefox-esr", "firefox"]))
}

/// The proxies that the tests of `doctor` run behind.
pub(crate) const PROXIES: [&str; 3] = ["nginx", "haproxy", "caddy"];

/// Whether the machine can build libFuzzer, which is C++.
pub(crate) fn cxx_compiler() -> Option<PathBuf> {
    find_on_path(&["c++"])
}

/// A program that may be where only root has it on `PATH`.
pub(crate) fn find_system_program(name: &str) -> Option<PathBuf> {
    find_on_path(&[name])
        .or_else(|| Some(executable(Path::new("/usr/sbin"), name)).filter(|path| path.is_file()))
}

/// The first of these programs that is installed.
pub(crate) fn find_on_path(names: &[&str]) -> Option<PathBuf> {
    names
        .iter()
        .find_map(|name| search_path().map(|folder| executable(&folder, name)).find(|path| path.is_file()))
}

/// Trunk with these words, and with the right `wasm-bindgen` before any other on its `PATH`.
pub(crate) fn trunk(words: &str) -> Result<Command> {
    let missing = "trunk is missing: `cargo xtask setup --with-trunk` installs it";
    let trunk = Tool::trunk().find().ok_or(missing)?;
    let wasm_bindgen = Tool::wasm_bindgen()?.find().ok_or(missing)?;
    let mut command = process::command(&trunk, "--skip-version-check");
    command.args(words.split_whitespace()).env("PATH", path_with(&[wasm_bindgen]));
    // Trunk takes `NO_COLOR=1`, which is how everybody says it, for a mistake.
    if env::var_os("NO_COLOR").is_some() {
        command.env("NO_COLOR", "true");
    }
    Ok(command)
}

/// `PATH` for a child that must find just these tools before any other of the same name.
fn path_with(first: &[PathBuf]) -> OsString {
    let folders = first.iter().filter_map(|tool| tool.parent()).map(Path::to_path_buf);
    // A folder whose name holds the separator could not have come from `PATH`.
    env::join_paths(folders.chain(search_path())).unwrap_or_else(|_| env::var_os("PATH").unwrap_or_default())
}

fn search_path() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    std::iter::once(project::tools().join("bin")).chain(folders)
}

fn executable(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

fn from_env(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from).filter(|path| path.is_file())
}

/// The version of a package in the text of a `Cargo.lock`.
fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_version_is_that_of_the_package_of_just_this_name() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.1.0\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\nsource = \"x\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked_version(lock, "wasm"), None);
    }
}
