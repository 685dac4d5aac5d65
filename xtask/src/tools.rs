//! Tools outside the Rust toolchain: the versions that the project needs, and where they are installed.

use crate::failure::{Failure, Result};
use crate::{console, files, process, project};
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Program that `cargo install` provides, in one exact version.
pub(crate) struct Tool {
    /// Name of the executable.
    pub(crate) name: &'static str,
    /// Name of the package.
    pub(crate) package: &'static str,
    pub(crate) version: String,
}

impl Tool {
    /// Builds and serves the client for those who prefer it to `cargo xtask dev`.
    pub(crate) fn trunk() -> Self {
        Tool { name: "trunk", package: "trunk", version: "0.21.14".into() }
    }

    /// Generates the client's JavaScript for trunk. Its version must equal that of the library in `Cargo.lock`.
    pub(crate) fn wasm_bindgen() -> Result<Self> {
        let lock = files::read_text(&project::root().join("Cargo.lock"))?;
        let version = locked_version(&lock, "wasm-bindgen").ok_or("Cargo.lock has no wasm-bindgen")?;
        Ok(Tool { name: "wasm-bindgen", package: "wasm-bindgen-cli", version: version.into() })
    }

    /// Drives Firefox.
    pub(crate) fn geckodriver() -> Self {
        Tool { name: "geckodriver", package: "geckodriver", version: "0.37.0".into() }
    }

    /// Finds the first executable of the right version, in `.tools` or on `PATH`.
    pub(crate) fn find(&self) -> Option<PathBuf> {
        candidates(self.name).find(|path| self.has_right_version(path))
    }

    fn has_right_version(&self, path: &Path) -> bool {
        process::capture(path, "--version")
            .is_some_and(|text| text.split_whitespace().nth(1) == Some(&self.version))
    }
}

/// Target triple of the client, for rustup and cargo.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// Returns true if the compiler can build for the browser.
pub(crate) fn has_wasm_target() -> bool {
    process::capture("rustc", "--print sysroot")
        .is_some_and(|sysroot| Path::new(sysroot.trim()).join("lib/rustlib").join(WASM).is_dir())
}

/// Installs the WebAssembly target unless it is there already, which is checked quickly and silently.
pub(crate) fn install_wasm_target() -> Result {
    if has_wasm_target() {
        return Ok(());
    }
    let missing = format!("Rust's {WASM} target, which the client is compiled for, is missing");
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
            "{missing}, and rustup could not download it (check the network and RUSTUP_DIST_SERVER): {reason}"
        )),
        other => other,
    })
}

/// Chromium for the browser tests; `CHROMIUM` overrides the search.
pub(crate) fn chromium() -> Option<PathBuf> {
    find("CHROMIUM", &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"])
}

/// Chromium without a user interface, if it is installed: it halves the time of the browser tests.
pub(crate) fn headless_shell() -> Option<PathBuf> {
    find("CHROMIUM_HEADLESS_SHELL", &["chromium-headless-shell", "chrome-headless-shell"])
}

/// WebDriver server of Chromium; `CHROMEDRIVER` overrides the search.
pub(crate) fn chromedriver() -> Option<PathBuf> {
    find("CHROMEDRIVER", &["chromedriver"])
}

/// Chromium and its driver under the names that the browser tests read, if both are installed.
pub(crate) fn chromium_variables() -> Option<[(&'static str, PathBuf); 2]> {
    Some([("CHROMIUM", chromium()?), ("CHROMEDRIVER", chromedriver()?)])
}

/// Firefox for the long tests; `FIREFOX` overrides the search.
pub(crate) fn firefox() -> Option<PathBuf> {
    find("FIREFOX", &["firefox-esr", "firefox"])
}

/// Proxies that the tests of the server's `doctor` command run behind.
pub(crate) const PROXIES: [&str; 3] = ["nginx", "haproxy", "caddy"];

/// C++ compiler, which libFuzzer is built with.
pub(crate) fn cxx_compiler() -> Option<PathBuf> {
    find_on_path(&["c++"])
}

/// Finds a program on `PATH` or in `/usr/sbin`, which only root has on `PATH`.
pub(crate) fn find_system_program(name: &str) -> Option<PathBuf> {
    find_on_path(&[name])
        .or_else(|| Some(executable(Path::new("/usr/sbin"), name)).filter(|path| path.is_file()))
}

/// Finds the first of these programs that is installed.
pub(crate) fn find_on_path(names: &[&str]) -> Option<PathBuf> {
    names.iter().find_map(|name| candidates(name).next())
}

/// Lists the files of that name in `.tools` and on `PATH`, first found first.
fn candidates(name: &str) -> impl Iterator<Item = PathBuf> {
    search_path().map(move |folder| executable(&folder, name)).filter(|path| path.is_file())
}

/// Creates a trunk command that finds the right `wasm-bindgen` first on its `PATH`. `args` is split at spaces.
pub(crate) fn trunk(args: &str) -> Result<Command> {
    let missing = "trunk is missing: `cargo xtask setup --with-trunk` installs it";
    let trunk = Tool::trunk().find().ok_or(missing)?;
    let wasm_bindgen = Tool::wasm_bindgen()?.find().ok_or(missing)?;
    let mut command = process::command(&trunk, "--skip-version-check");
    command.args(args.split_whitespace()).env("PATH", path_with(&wasm_bindgen));
    // Trunk rejects the usual `NO_COLOR=1`.
    if env::var_os("NO_COLOR").is_some() {
        command.env("NO_COLOR", "true");
    }
    Ok(command)
}

/// Value of `PATH` for a child that must find this tool before any other of the same name.
fn path_with(tool: &Path) -> OsString {
    let folders = tool.parent().map(Path::to_path_buf).into_iter().chain(search_path());
    // A folder whose name contains the separator could not have come from `PATH`.
    env::join_paths(folders).unwrap_or_else(|_| env::var_os("PATH").unwrap_or_default())
}

fn search_path() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    std::iter::once(project::tools().join("bin")).chain(folders)
}

fn executable(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

/// Finds the program that an environment variable names, or else the first of these that is installed.
fn find(variable: &str, names: &[&str]) -> Option<PathBuf> {
    let chosen = env::var_os(variable).map(PathBuf::from).filter(|path| path.is_file());
    chosen.or_else(|| find_on_path(names))
}

/// Version of a package in the text of a `Cargo.lock`.
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
